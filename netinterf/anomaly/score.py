"""How far each conversation stands out: by its two rarest facts that most of its peers do not share.

A fact that is rare in ordinary traffic, and that the others at the same server and port show as well, belongs to the
recording, the path or the service; one that they do not show belongs to the conversation. No mechanism is asked after
and no label was used, so that this finds what nobody has a rule for; and so it is never evidence of anything.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netinterf.anomaly.fact import UNKNOWN
from netinterf.anomaly.kinds import CONNECTION, CONVERSATION, QUESTION, TCP, Kind
from netinterf.anomaly.ordinary import Ordinary, ordinary
from netinterf.anomaly.peers import Peers, peers_of
from netinterf.anomaly.view import View
from netinterf.arrays import F32, F64, I8, I64, Mask
from netinterf.numbering import combined, numbered
from netinterf.schema import Anomalies, SubjectKind
from netinterf.table import Ragged, Text
from netinterf.trace import Trace

__all__ = ["FACTS_COUNTED", "LISTED", "Members", "find_anomalies", "members_of", "own_rarity", "top"]

Rows = NDArray[np.integer[Any]]

LISTED = 0.999
"""From here on a conversation is listed: one of a thousand ordinary ones is."""

FACTS_COUNTED = 2
"""Facts that count: one alone is odd in many ordinary conversations, of more most say the same again. Two bring more
kinds of interference into the top hundredth than one, and about as many as three or all; two can be read (judgement on
what ``python -m benchmarks anomaly`` shows as *what was chosen*)."""


class Members(NamedTuple):
    """Conversations of one kind, as they are compared: those that are alike in everything are one pattern."""

    kind: Kind
    row: I64  # place of each among all that were asked for
    pattern: I64  # of each
    values: I8  # one row per pattern, one column per fact, -1 where unknown
    others: Peers  # one entry per pattern

    @classmethod
    def of(cls, kind: Kind, row: I64, values: I8, others: Peers) -> "Members":
        """Find patterns among conversations, one row of values and one entry of its peers each."""
        pattern, first = numbered(combined(*values.T, others.port_unit, others.server_unit))
        columns = {name: getattr(others, name)[first] for name in ("port", "server", "port_unit", "server_unit")}
        whole = Peers(**columns, size=np.bincount(pattern))
        return cls(kind, row, pattern, values[first], whole)

    @property
    def alone(self) -> Mask:
        """Which patterns have no peers, so that nothing can be said."""
        none: Mask = self.others.peers == 0
        return none


def top(rarity: F32, count: int = FACTS_COUNTED) -> F32:
    """Add up the rarest facts of each row."""
    most: F32 = np.partition(rarity, -count, axis=1)[:, -count:].sum(axis=1)
    return most


def members_of(
    trace: Trace, subject: Rows, kind: Rows, flow: Rows, name: Text, *, all_kinds: bool = True
) -> list[Members]:
    """Read the facts of all subjects, kind by kind.

    Args:
        trace: The capture.
        subject: Rows in Flows or Exchanges.
        kind: SubjectKind code of each.
        flow: Row in Flows of each, or of what carries it.
        name: Server name or question name of each, empty without one.
        all_kinds: Whether facts are read of a kind, too, in which nobody has peers, so that nothing can be said.
    """
    view = View(trace)
    exchange = kind == SubjectKind.EXCHANGE
    connection = ~exchange & (trace.flows.protocol[flow] == TCP)
    members = []
    for category, chosen in ((CONNECTION, connection), (CONVERSATION, ~exchange & ~connection), (QUESTION, exchange)):
        row = np.flatnonzero(chosen)
        if not len(row):
            continue
        peers = peers_of(trace, flow[row], name.take(row), ported=category.ported)
        if all_kinds or peers.peers.any():
            values = np.empty((len(row), len(category.facts)), np.int8, order="F")  # read and judged fact by fact
            own = subject[row]
            blind = {flag: np.flatnonzero(getattr(trace.recording, flag)[flow[row]]) for flag in category.blind}
            for column, fact in enumerate(category.facts):
                values[:, column] = fact.read(view).astype(np.int8)[own]
                for flag in fact.blind:
                    values[blind[flag], column] = UNKNOWN
            members.append(Members.of(category, row, values, peers))
    return members


def own_rarity(members: Members, usual: Ordinary) -> F32:
    """Give the rarity of each fact of each pattern, in nats: 0 where it is unknown, or most peers share it."""
    rarity = usual.rarity(members.values)
    for column in np.flatnonzero(rarity.any(axis=0)).tolist():
        rarity[members.others.shared(members.values[:, column])[0], column] = 0
    return rarity


def find_anomalies(trace: Trace, subject: Rows, kind: Rows, flow: Rows, name: Text) -> Anomalies:
    """Score all subjects of a capture; see `members_of` for the arguments.

    Returns:
        One row per subject, with the facts of those that are listed.
    """
    score = np.full(len(subject), np.nan)
    listed = [np.empty((0, len(COLUMNS) + 2))]
    for members in members_of(trace, subject, kind, flow, name, all_kinds=False):
        usual = ordinary()[members.kind.id]
        rarity = own_rarity(members, usual)
        own = np.where(members.alone, np.nan, usual.standing(top(rarity)))
        score[members.row] = own[members.pattern]
        rarity[~(own >= LISTED)] = 0
        listed.append(_unusual_facts(members, usual, rarity))
    table = np.concatenate(listed)
    table = table[np.lexsort((-table[:, 1], table[:, 0]))]  # the rarest first
    sizes = np.bincount(table[:, 0].astype(np.int64), minlength=len(subject))
    facts = {
        name: Ragged.from_lengths(sizes, table[:, 2 + place].astype(dtype))
        for place, (name, dtype) in enumerate(COLUMNS.items())
    }
    return Anomalies(score=score, **facts)


COLUMNS = {"fact": "u1", "value": "u1", "given": "i1", "ordinary": "f8", "alike": "i4", "peers": "i4"}
"""Ragged columns of `Anomalies`, as `_unusual_facts` has them."""


def _unusual_facts(members: Members, usual: Ordinary, rarity: F32) -> F64:
    """Tell which facts count, of members that are listed: whose, rarity, then `COLUMNS`.

    Args:
        members: The members.
        usual: What is ordinary.
        rarity: Of each fact of each pattern, 0 where the pattern is not listed.
    """
    some = np.flatnonzero(rarity.any(axis=1))
    rank = np.argsort(np.argsort(-rarity[some], axis=1, kind="stable"), axis=1)
    counted = (rarity[some] > 0) & (rank < FACTS_COUNTED)
    rows = [np.empty((0, len(COLUMNS) + 2))]
    for which in np.flatnonzero(counted.any(axis=0)).tolist():
        _, alike, peers = members.others.shared(members.values[:, which])
        who = np.flatnonzero(np.isin(members.pattern, some[counted[:, which]]))
        own, above = members.pattern[who], usual.parent[which]
        given = members.values[own, above] if above >= 0 else np.full(len(who), UNKNOWN)
        rare = rarity[own, which].astype(np.float64)
        facts = (np.full(len(who), which), members.values[own, which], given, np.exp(-rare), alike[own], peers[own])
        rows.append(np.column_stack([members.row[who], rare, *facts]).astype(np.float64))
    return np.concatenate(rows)
