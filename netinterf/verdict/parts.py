"""What is kept of a part of a capture that was looked at, until the whole is judged, and how its rows are followed."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, Mask
from netinterf.attribute.injectors import ForgedReplies, forged_replies
from netinterf.attribute.naming import Names
from netinterf.attribute.trait import Traits
from netinterf.flows.contacts import only_met
from netinterf.schema import Anomalies, Evidence, Exchanges, Flows, Hosts, SubjectKind
from netinterf.table import Ragged
from netinterf.trace import new_places
from netinterf.values import frozen
from netinterf.verdict.attribution import Attributions
from netinterf.verdict.judgement import Judgement
from netinterf.verdict.subjects import Subjects, row_of

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = [
    "BY_ROW",
    "Part",
    "moved_attributions",
    "moved_evidence",
    "moved_replies",
    "moved_subjects",
    "rows_of",
]

Columns = dict[str, Any]
Observe = Callable[[I64, I64, I64], Sequence[Any]]

BY_ROW = tuple(
    field.name for field in attrs.fields(Subjects) if field.name not in {"by_flow", "by_exchange", "in_part"}
)
"""Columns of `Subjects` with one entry per subject."""


@frozen(eq=False, kw_only=True)
class Part:
    """What is kept of a part until the whole is judged: of those who count here and in no other part.

    Rows are numbered within the part; packets stand by their frame numbers.
    """

    subjects: Columns
    evidence: Evidence
    hosts: Hosts
    flows: Flows
    exchanges: Exchanges
    attributions: Attributions
    anomalies: Anomalies
    replies: ForgedReplies
    observed: tuple[Any, ...]

    @classmethod
    def of(
        cls, judgement: Judgement, trace: "Trace", counts: Mask, observe: Observe, exchanges: Mask | None = None
    ) -> Self:
        """Keep what was seen of some flows, and of the exchanges that they carried, or of others.

        Args:
            judgement: A part, judged.
            trace: Its packets.
            counts: Which of its flows count, one entry per flow.
            observe: Gives what joint analyzers observed in it, with the new rows of its flows, exchanges and packets.
            exchanges: Which of its exchanges count, one entry per exchange, whether the flows that carried them do or
                not; None for those of flows that count.
        """
        subjects, table = judgement.subjects, judgement.exchanges
        carried = counts[table.flow] if exchanges is None else exchanges
        row = np.flatnonzero(counting(subjects.kind, subjects.subject, counts, carried))
        held = with_carriers(counts, table, carried)
        flow = new_places(np.flatnonzero(held), len(held))
        exchange = new_places(np.flatnonzero(carried), len(carried))
        messages = int(max(table.queries.values.max(initial=-1), table.replies.values.max(initial=-1))) + 1
        frame = trace.packets.frame.astype(np.int64)
        frames = frame[trace.flows.first_packet].astype(np.int32)
        columns = {name: rows_of(getattr(subjects, name), row) for name in BY_ROW}
        flows = attrs.evolve(trace.flows, first_packet=frames).take(held)
        hosts, place = only_met(judgement.hosts, np.append(flows.client, flows.server).astype(np.int64))
        columns |= {name: place[columns[name]].astype(np.int32) for name in ("client", "server")}
        return cls(
            subjects=moved_subjects(columns, flow, exchange),
            evidence=moved_evidence(kept_evidence(judgement, row), flow, exchange),
            hosts=hosts,
            flows=flows.renumber({"Hosts": place}),
            exchanges=table.take(carried).renumber({"Flows": flow, "Dns": np.full(messages, -1)}),
            attributions=moved_attributions(judgement.attributions, new_places(row, len(subjects))),
            anomalies=judgement.anomalies.take(row),
            replies=moved_replies(forged_replies(trace, judgement.verdicts), exchange),
            observed=tuple(observe(np.where(counts, flow, -1), exchange, frame)),
        )

    def without(self, flows: NDArray[np.integer[Any]], exchanges: NDArray[np.integer[Any]]) -> Self:
        """Leave out flows and exchanges in some rows; flows that carried any other exchange stay, without a verdict."""
        subjects, evidence = self.subjects, self.evidence
        gone, carried = np.zeros(len(self.flows), np.bool_), np.ones(len(self.exchanges), np.bool_)
        gone[flows], carried[exchanges] = True, False
        counts = np.zeros(len(self.flows), np.bool_)
        counts[subjects["subject"][subjects["kind"] == SubjectKind.FLOW]] = True
        counts &= ~gone
        row = np.flatnonzero(counting(subjects["kind"], subjects["subject"], counts, carried))
        held = with_carriers(counts, self.exchanges, carried)
        flow = new_places(np.flatnonzero(held), len(held))
        exchange = new_places(np.flatnonzero(carried), len(carried))
        columns = {name: rows_of(column, row) for name, column in subjects.items()}
        about = counting(evidence.subject_kind, evidence.subject, counts, carried)
        return attrs.evolve(
            self,
            subjects=moved_subjects(columns, flow, exchange),
            evidence=moved_evidence(evidence.take(about), flow, exchange),
            flows=self.flows.take(held),
            exchanges=self.exchanges.take(carried).renumber({"Flows": flow}),
            attributions=moved_attributions(self.attributions, new_places(row, len(subjects["kind"]))),
            anomalies=self.anomalies.take(row),
            replies=moved_replies(self.replies, exchange),
            observed=tuple(one.moved(np.where(gone, -1, flow), exchange) for one in self.observed),
        )


def counting(kind: NDArray[Any], subject: NDArray[Any], flows: Mask, exchanges: Mask) -> Mask:
    """Say which subjects are flows or exchanges that count."""
    about_flow = kind == SubjectKind.FLOW
    counts: Mask = np.where(
        about_flow,
        np.append(flows, False)[np.where(about_flow, subject, -1)],
        np.append(exchanges, False)[np.where(about_flow, -1, subject)],
    )
    return counts


def with_carriers(flows: Mask, exchanges: Exchanges, carried: Mask) -> Mask:
    """Add the flows that carried some exchanges."""
    held = flows.copy()
    held[exchanges.flow[carried]] = True
    return held


def kept_evidence(judgement: Judgement, row: I64) -> Evidence:
    """Keep what was seen of those in some rows of the verdicts; packets by frame number."""
    evidence = attrs.evolve(judgement.evidence, forged=judgement.evidence_forged, witness=judgement.witness)
    kept = np.zeros(len(judgement.subjects) + 1, np.bool_)  # the last place answers for what is about nobody
    kept[row] = True
    return evidence.take(kept[row_of(evidence, judgement.subjects)])


def moved_evidence(evidence: Evidence, flow: I64, exchange: I64) -> Evidence:
    """Follow flows and exchanges to their new rows."""
    subject = moved(evidence.subject, evidence.subject_kind, flow, exchange)
    return attrs.evolve(evidence, subject=subject)


def moved_subjects(columns: Columns, flow: I64, exchange: I64) -> Columns:
    """Follow flows and exchanges to their new rows."""
    subject = moved(columns["subject"], columns["kind"], flow, exchange)
    return columns | {"subject": subject, "flow": flow[columns["flow"]].astype(np.int32)}


def moved(
    subject: NDArray[np.integer[Any]], kind: NDArray[np.integer[Any]], flow: I64, exchange: I64
) -> NDArray[np.int32]:
    """Give the new row of subjects in the table of their kind."""
    result = subject.astype(np.int32)
    for code, place in ((SubjectKind.FLOW, flow), (SubjectKind.EXCHANGE, exchange)):
        chosen = kind == code
        result[chosen] = place[subject[chosen]]
    return result


def moved_attributions(attributions: Attributions, place: I64) -> Attributions:
    """Follow verdicts to their new rows; -1 for those that are left out."""
    row = place[attributions.row]
    kept = np.flatnonzero(row >= 0)
    if len(kept) == len(row):
        return attrs.evolve(attributions, row=row)
    names = attributions.names
    return Attributions(
        row=row[kept],
        scores=attrs.evolve(attributions.scores, look=attributions.scores.look[kept]),
        names=Names(system=names.system[kept], chance=names.chance[kept], own=names.own[kept]),
        traits=Traits(value=attributions.traits.value[kept], text=attributions.traits.text.take(kept)),
        mechanism=attributions.mechanism[kept],
    )


def moved_replies(replies: ForgedReplies, exchange: I64) -> ForgedReplies:
    """Follow exchanges to their new rows; replies of those that are left out (-1) go."""
    row = np.append(exchange, -1)[replies.exchange]
    return attrs.evolve(replies, exchange=row).take(np.flatnonzero(row >= 0))


def rows_of(column: Any, rows: I64) -> Any:
    """Take some rows of a column of any shape."""
    return column.take(rows) if isinstance(column, Ragged) else column[rows]
