"""How far each conversation stands out: by its two rarest facts that most of its peers do not share.

A fact that is rare in ordinary traffic, and that the others at the same server and port show as well, belongs to the
recording, the path or the service; one that they do not show belongs to the conversation. No mechanism is asked after
and no label was used, so that this finds what nobody has a rule for; and so it is never evidence of anything.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netinterf.anomaly.kinds import CONNECTION, CONVERSATION, QUESTION, TCP, Kind
from netinterf.anomaly.ordinary import Ordinary, ordinary
from netinterf.anomaly.peers import Company, company
from netinterf.anomaly.view import View
from netinterf.numbering import combined, numbered, numbered_text
from netinterf.schema import Anomalies, SubjectKind
from netinterf.table import Ragged, Text
from netinterf.trace import Trace

__all__ = ["LISTED", "Compared", "Members", "compare", "find_anomalies", "members_of"]

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Rows = NDArray[np.integer[Any]]

LISTED = 0.999
"""From here on a conversation is listed: one of a thousand ordinary ones is."""

TOLD = 2
"""Facts that count. One alone is odd in many ordinary conversations; of all together most say the same again. Of one,
two, three and all, two bring most kinds of interference into the top hundredth (``python -m benchmarks anomaly``)."""


class Members(NamedTuple):
    """Conversations of one kind, as they are compared: those that are alike in everything are one pattern."""

    kind: Kind
    row: I64  # place of each among all that were asked for
    pattern: I64  # of each
    values: NDArray[np.int8]  # one row per pattern, one column per fact, -1 where unknown
    company: Company  # one entry per pattern

    @classmethod
    def of(cls, kind: Kind, row: I64, values: NDArray[np.int8], company: Company) -> "Members":
        """Find patterns among conversations, one row of values and one entry of company each."""
        width = np.full(len(values), values.shape[1])
        alike = numbered_text(Text.from_lengths(width, np.ascontiguousarray(values).view(np.uint8).reshape(-1)))[0]
        pattern, first = numbered(combined(alike, company.port, company.server, company.unit))
        whole = Company(
            port=company.port[first], server=company.server[first], unit=company.unit[first], size=np.bincount(pattern)
        )
        return cls(kind, row, pattern, values[first], whole)


class Compared(NamedTuple):
    """Patterns beside their peers: what most of these share singles nobody out. One column per fact."""

    shared: NDArray[np.bool_]
    alike: I64  # peers at the same port with the same value
    peers: I64  # peers at the same port of which it is known
    alone: NDArray[np.bool_]  # of each pattern: has no peers, so that nothing can be said

    def standing_out(self, rarity: F64) -> tuple[F64, F64]:
        """Give the rarity of each fact that most peers do not share, 0 for others, and how far each pattern stands out.

        Args:
            rarity: Of each fact, in nats.
        """
        own = np.where(self.shared, 0.0, rarity)
        most = np.sort(own, axis=1)[:, -TOLD:].sum(axis=1)
        return own, np.where(self.alone, np.nan, most)


def members_of(trace: Trace, subject: Rows, kind: Rows, flow: Rows, name: Text) -> list[Members]:
    """Read the facts of all subjects, kind by kind.

    Args:
        trace: The capture.
        subject: Rows in Flows or Exchanges.
        kind: SubjectKind code of each.
        flow: Row in Flows of each, or of what carries it.
        name: Server name or question name of each, empty without one.
    """
    view = View(trace)
    exchange = kind == SubjectKind.EXCHANGE
    connection = ~exchange & (trace.flows.protocol[flow] == TCP)
    found = []
    for one, chosen in ((CONNECTION, connection), (CONVERSATION, ~exchange & ~connection), (QUESTION, exchange)):
        row = np.flatnonzero(chosen)
        if len(row):
            values = np.stack([fact.read(view)[subject[row]] for fact in one.facts], axis=1).astype(np.int8)
            peers = company(trace, flow[row], name.take(row), ported=one.ported)
            found.append(Members.of(one, row, values, peers))
    return found


def compare(members: Members) -> Compared:
    """Compare the facts of patterns with those of their peers."""
    columns = [members.company.shared(column) for column in members.values.T]
    shared, alike, peers = (np.stack(part, axis=1) for part in zip(*columns, strict=True))
    return Compared(shared, alike, peers, members.company.others()[0] == 0)


def find_anomalies(trace: Trace, subject: Rows, kind: Rows, flow: Rows, name: Text) -> Anomalies:
    """Score all subjects of a capture; see `members_of` for the arguments.

    Returns:
        One row per subject, with the facts of those that are listed.
    """
    score = np.full(len(subject), np.nan)
    listed = [np.empty((0, len(COLUMNS) + 2))]
    for members in members_of(trace, subject, kind, flow, name):
        usual = ordinary()[members.kind.id]
        found = compare(members)
        rarity, nats = found.standing_out(usual.rarity(members.values))
        own = np.where(found.alone, np.nan, usual.standing(nats))
        score[members.row] = own[members.pattern]
        listed.append(_odd_facts(members, found, usual, np.where((own >= LISTED)[:, None], rarity, 0.0)))
    table = np.concatenate(listed)
    table = table[np.lexsort((-table[:, 1], table[:, 0]))]  # the rarest first
    sizes = np.bincount(table[:, 0].astype(np.int64), minlength=len(subject))
    facts = {
        name: Ragged.from_lengths(sizes, table[:, 2 + place].astype(dtype))
        for place, (name, dtype) in enumerate(COLUMNS.items())
    }
    return Anomalies(score=score, **facts)


COLUMNS = {"fact": "u1", "value": "u1", "given": "i1", "ordinary": "f8", "alike": "i4", "peers": "i4"}
"""Ragged columns of `Anomalies`, as `_odd_facts` has them."""


def _odd_facts(members: Members, found: Compared, usual: Ordinary, rarity: F64) -> F64:
    """Tell which facts count, of members that are listed: whose, rarity, then `COLUMNS`.

    Args:
        members: The members.
        found: What they share with peers.
        usual: What is ordinary.
        rarity: Of each fact of each pattern, 0 where it does not count.
    """
    rank = np.argsort(np.argsort(-rarity, axis=1, kind="stable"), axis=1)
    told = (rarity > 0) & (rank < TOLD)
    chosen = np.flatnonzero(np.isin(members.pattern, np.nonzero(told)[0]))
    who, which = np.nonzero(told[members.pattern[chosen]])
    row, own = members.row[chosen[who]], members.pattern[chosen[who]]
    above = np.array(usual.parent, np.int64)[which]
    given = np.where(above >= 0, members.values[own, above], -1)
    rare = rarity[own, which]
    columns = (
        which,
        members.values[own, which],
        given,
        np.exp(-rare),
        found.alike[own, which],
        found.peers[own, which],
    )
    return np.column_stack([row, rare, *columns]).astype(np.float64)
