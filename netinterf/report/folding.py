"""Findings that are alike, folded: one is shown, the others are counted, and what they are about is named.

A line that is blocked gives thousands of findings that say the same. Alike are those of one mechanism, grade, kind of
trigger and contrast that the same signs show most. Which system each resembles is its own.
"""

from collections.abc import Sequence

import attrs
import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.mechanisms import covers
from netinterf.numbering import combined, numbered_text
from netinterf.report.digest import MOST_EXAMPLES, end_of
from netinterf.written.ledger import Ledger
from netinterf.written.parts import address_of, port_of
from netinterf.written.record import Verdict

__all__ = ["MOST_EVIDENCE", "Places", "Told", "folded", "places_of"]

TCP, UDP = 6, 17

MOST_EVIDENCE = 3
"""Signs that are shown of a finding, and by which findings are alike."""


@attrs.frozen(kw_only=True)
class Places:
    """What some findings are about."""

    listed: tuple[tuple[str, int], ...] = ()  # a few, and how often each, the most frequent first
    more: int = 0  # how many others there are


@attrs.frozen(kw_only=True)
class Told:
    """A finding that is shown, and those that are like it."""

    verdict: Verdict
    alike: int = 0  # how many others
    places: Places = Places()  # what these are about


def folded(ledger: Ledger, rows: I64, *, apart: bool = False) -> Sequence[Told]:
    """Fold findings that are alike, each time around the surest, the first of equals.

    Args:
        ledger: What was concluded.
        rows: Rows of its verdicts.
        apart: Fold nothing.
    """
    if apart:
        return [Told(verdict=ledger.write(row)) for row in rows.tolist()]
    if not len(rows):
        return []
    number = combined(*signature(ledger, rows))
    order = np.lexsort((rows, -ledger.verdicts.probability[rows], number))
    parts = np.split(rows[order], np.flatnonzero(np.diff(number[order])) + 1)
    return [
        Told(verdict=ledger.write(int(part[0])), alike=len(part) - 1, places=places_of(ledger, part[1:]))
        for part in sorted(parts, key=lambda part: int(part[0]))
    ]


def signature(ledger: Ledger, rows: I64) -> list[I64]:
    """Give the columns in which findings that are alike agree; each n entries for n *rows*."""
    table = ledger.verdicts
    evidence = table.evidence.take(rows)  # strongest first
    owner, rule = evidence.parents(), ledger.evidence.rule[evidence.values]
    later = ~about(ledger)[rule, table.mechanism[rows][owner]]
    order = np.lexsort((np.arange(len(owner)), later, owner))
    rank = np.arange(len(owner)) - evidence.offsets[owner]
    shown = np.full((len(rows), MOST_EVIDENCE), -1, np.int64)
    top = rank < MOST_EVIDENCE
    shown[owner[top], rank[top]] = rule[order[top]]
    columns = (table.mechanism, table.grade, table.trigger, table.selective)
    return [*(column[rows].astype(np.int64) for column in columns), *shown.T]


def about(ledger: Ledger) -> Mask:
    """Say which rules are about which mechanisms (`is_about`); shape (rules, mechanisms)."""
    mechanisms = ledger.verdicts.mechanisms
    related = [
        [covers(rule.mechanism, word) or covers(word, rule.mechanism) for word in mechanisms]
        for rule in ledger.evidence.rules
    ]
    return np.array(related, np.bool_).reshape(len(ledger.evidence.rules), len(mechanisms))


def places_of(ledger: Ledger, rows: I64) -> Places:
    """Count what some verdicts are about: names, else addresses and ports."""
    if not len(rows):
        return Places()
    table, flows = ledger.verdicts, ledger.flows
    name, different = numbered_text(table.name.take(rows))
    flow = table.flow[rows]
    nameless = different.lengths[name] == 0
    port = np.where(np.isin(flows.protocol[flow], (TCP, UDP)), flows.server_port[flow], 0)  # others have none to show
    end = np.where(nameless, flows.server[flow].astype(np.int64) << 32 | port, -1)
    _, first, count = np.unique(combined(name, end), return_index=True, return_counts=True)
    top = np.lexsort((first, -count))[:MOST_EXAMPLES]
    listed = []
    for place in top.tolist():
        row = int(first[place])
        server = address_of(ledger.hosts, int(flows.server[flow[row]]))
        word = table.name[int(rows[row])] or end_of(server, port_of(ledger, int(flow[row])))
        listed.append((word, int(count[place])))
    return Places(listed=tuple(listed), more=len(count) - len(listed))
