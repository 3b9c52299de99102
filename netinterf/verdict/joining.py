"""One judgement out of several: parts of a capture that were looked at one by one are judged together.

Judging needs evidence and subjects and no packets, so what shows in parts is put into one table each and judged as if
it had been seen at once: priors that certain cases raise, groups, contrasts and false discoveries are those of the
whole. Conversations, exchanges and addresses are numbered anew, in the order in which the whole would number them.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.base import join
from netinterf.arrays import I64
from netinterf.attribute.injectors import ForgedReplies, tell_injectors
from netinterf.attribute.naming import Names
from netinterf.attribute.score import Scores
from netinterf.attribute.trait import Traits
from netinterf.context.networks import KnownNetworks
from netinterf.flows.assign import paths
from netinterf.flows.contacts import once_each
from netinterf.recording.gather import recorded_one_way
from netinterf.recording.grouped import Paths
from netinterf.schema import Anomalies, Evidence, Exchanges, Files, Flows, Groups, Hosts, SubjectKind, Verdicts
from netinterf.table import Ragged, Text
from netinterf.trace import new_places
from netinterf.verdict.attribution import Attributions
from netinterf.verdict.health import one_direction
from netinterf.verdict.judgement import Judgement
from netinterf.verdict.model import Model, default_model
from netinterf.verdict.parts import (
    BY_ROW,
    Part,
    moved_attributions,
    moved_evidence,
    moved_replies,
    moved_subjects,
    rows_of,
)
from netinterf.verdict.subjects import Subjects

__all__ = ["join_judgements"]

Conclude = Callable[[Sequence[tuple[Sequence[Any], I64, I64]], int, int], Sequence[Evidence]]

AnyJudgement = TypeVar("AnyJudgement", bound=Judgement)


def join_judgements(
    kind: type[AnyJudgement],
    parts: Sequence[Part],
    capture: str,
    model: Model | None = None,
    *,
    networks: KnownNetworks,
    files: Files | None = None,
    in_part: bool = False,
    conclude: Conclude,
) -> AnyJudgement:
    """Judge several parts of a capture as one.

    Args:
        kind: What to make of them.
        parts: The parts, at least one.
        capture: What the whole is called.
        model: Priors, caps and grades; None takes the model that ships with the library.
        networks: What is known of networks.
        files: What the capture was joined from.
        in_part: Conversations were cut between parts, so that some miss company.
        conclude: What joint analyzers say: given what they observed of each part and where its flows and exchanges are,
            and how many of them there are.
    """
    hosts, flows, host, flow = joined_flows(parts)
    exchanges, exchange = joined_exchanges(parts, flow)
    subjects, place = joined_subjects(parts, host, flow, exchange, in_part)
    subjects = with_one_way(subjects, flows)
    moves = list(zip(parts, flow, exchange, strict=True))
    tables = [moved_evidence(part.evidence, to_flow, to_exchange) for part, to_flow, to_exchange in moves]
    observed = [(part.observed, to_flow, to_exchange) for part, to_flow, to_exchange in moves]
    evidence = join([*tables, *conclude(observed, len(flows), len(exchanges))])
    whole = kind(
        capture=capture,
        verdicts=Verdicts.empty(),
        evidence=evidence,
        hosts=hosts,
        flows=flows,
        exchanges=exchanges,
        first_frame=subjects.first_packet,
        trigger_frame=subjects.first_packet,
        forged=evidence.forged,
        witness=evidence.witness,
        groups=Groups.empty(),
        group_frames=Ragged.empty(0, np.int64),
        subjects=subjects,
        evidence_forged=evidence.forged,
        attributions=joined_attributions(parts, place),
        anomalies=Anomalies.concat([part.anomalies for part in parts]).take(np.argsort(np.concatenate(place))),
        injectors=tell_injectors(joined_replies(parts, exchange)),
        networks=KnownNetworks(networks.held(hosts.high, hosts.low)),
        files=files or Files(),
    )
    return whole.under(model or default_model())


def joined_flows(parts: Sequence[Part]) -> tuple[Hosts, Flows, list[I64], list[I64]]:
    """Put flows together in the order of their first packets, and hosts in the order in which those meet them.

    Returns:
        Hosts, each once; flows; and the new rows of each part's hosts and flows.
    """
    hosts, same = once_each([part.hosts for part in parts])
    flows = Flows.concat([part.flows.renumber({"Hosts": number}) for part, number in zip(parts, same, strict=True)])
    order = np.lexsort((flows.first_packet, flows.first))
    flows = flows.take(order)
    ends = np.stack([flows.client, flows.server], axis=1).reshape(-1)
    met = ends[np.sort(np.unique(ends, return_index=True)[1])].astype(np.int64)
    place = new_places(met, len(hosts))
    flows = flows.renumber({"Hosts": place})
    flows = attrs.evolve(flows, path=paths(flows.client, flows.server))
    new_rows = split(new_places(order, len(order)), [part.flows for part in parts])
    return hosts.take(met), flows, [place[number] for number in same], new_rows


def joined_exchanges(parts: Sequence[Part], flow: Sequence[I64]) -> tuple[Exchanges, list[I64]]:
    """Put exchanges together in the order of their first messages; the new rows of each part's beside them."""
    tables = [part.exchanges.renumber({"Flows": rows}) for part, rows in zip(parts, flow, strict=True)]
    keys = []
    for part in parts:  # exchanges are the last subjects of each, in their order
        first = len(part.subjects["kind"]) - len(part.exchanges)
        keys.append(np.stack([part.subjects["first_packet"][first:], part.subjects["start"][first:]]))
    order = np.lexsort(np.concatenate(keys, axis=1))
    return Exchanges.concat(tables).take(order), split(new_places(order, len(order)), tables)


def joined_subjects(
    parts: Sequence[Part], host: Sequence[I64], flow: Sequence[I64], exchange: Sequence[I64], in_part: bool
) -> tuple[Subjects, list[I64]]:
    """List who is judged: flows in their order, then exchanges; the new rows of each part's beside them."""
    tables = []
    for part, by_host, by_flow, by_exchange in zip(parts, host, flow, exchange, strict=True):
        columns = moved_subjects(part.subjects, by_flow, by_exchange)
        ends = {name: by_host[columns[name]].astype(np.int32) for name in ("client", "server")}
        tables.append(columns | ends)
    kind, subject = (np.concatenate([table[name] for table in tables]) for name in ("kind", "subject"))
    order = np.lexsort((subject, kind))
    columns = {name: rows_of(together([table[name] for table in tables]), order) for name in BY_ROW}
    is_flow = columns["kind"] == SubjectKind.FLOW
    flows, exchanges = sum(map(len, flow)), sum(map(len, exchange))
    by_flow, by_exchange = np.full(flows, -1), np.full(exchanges, -1)
    by_flow[columns["subject"][is_flow]] = np.flatnonzero(is_flow)
    by_exchange[columns["subject"][~is_flow]] = np.flatnonzero(~is_flow)
    rows = split(new_places(order, len(order)), [table["kind"] for table in tables])
    return Subjects(**columns, by_flow=by_flow, by_exchange=by_exchange, in_part=in_part), rows


def with_one_way(subjects: Subjects, flows: Flows) -> Subjects:
    """Say anew which silences may be those of the recording, now that all conversations of each path are here."""
    both = np.zeros(len(flows), np.bool_)
    both[subjects.flow] = subjects.whole  # every conversation is a subject, or carried one
    one_way = recorded_one_way(Paths.number(flows), both)
    reasons = one_direction(subjects.reasons, subjects.unheard, one_way[subjects.flow])
    return attrs.evolve(subjects, reasons=reasons)


def joined_attributions(parts: Sequence[Part], place: Sequence[I64]) -> Attributions:
    """Put together which systems findings look like; each was named among its peers at its client."""
    moved = [moved_attributions(part.attributions, rows) for part, rows in zip(parts, place, strict=True)]
    tables = [table for table in moved if len(table.row)]
    if not tables:
        return parts[0].attributions
    order = np.argsort(np.concatenate([table.row for table in tables]))

    def column(pick: Callable[[Attributions], NDArray[Any]]) -> Any:
        return np.concatenate([pick(table) for table in tables])[order]

    scores = [table.scores for table in tables]
    before = np.cumsum([0, *(len(one.llr) for one in scores)])
    return Attributions(
        row=column(lambda table: table.row),
        scores=Scores(
            look=np.concatenate([one.look + base for one, base in zip(scores, before, strict=False)])[order],
            llr=np.concatenate([one.llr for one in scores]),
            matches=tuple(map(np.concatenate, zip(*(one.matches for one in scores), strict=True))),
        ),
        names=Names(
            system=column(lambda table: table.names.system),
            chance=column(lambda table: table.names.chance),
            own=column(lambda table: table.names.own),
        ),
        traits=Traits(
            value=column(lambda table: table.traits.value),
            text=Ragged.concat([table.traits.text for table in tables]).take(order),
        ),
        mechanism=column(lambda table: table.mechanism),
    )


def joined_replies(parts: Sequence[Part], exchange: Sequence[I64]) -> ForgedReplies:
    """Put forged replies of all parts together, so that hands are told once."""
    moved = [moved_replies(part.replies, rows) for part, rows in zip(parts, exchange, strict=True)]
    columns = {
        field.name: np.concatenate([getattr(table, field.name) for table in moved])
        for field in attrs.fields(ForgedReplies)
    }
    return ForgedReplies(**columns)


def together(columns: Sequence[Any]) -> Any:
    """Put columns of any shape one behind the other."""
    return Text.concat(columns) if isinstance(columns[0], Text) else np.concatenate(columns)


def split(whole: I64, tables: Sequence[Any]) -> list[I64]:
    """Cut what is about the rows of several tables into what is about each."""
    return np.split(whole, np.cumsum([len(table) for table in tables])[:-1])
