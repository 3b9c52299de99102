"""Findings that are alike, folded: one is shown, the others are counted, and what they are about is named.

A line that is blocked gives thousands of findings that say the same. Alike are those of one mechanism, grade, kind of
trigger and contrast that the same signs show most. Which system each resembles is its own.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, Mask
from netinterf.mechanisms import related
from netinterf.numbering import combined, distinct, numbered_text
from netinterf.report.digest import MOST_EXAMPLES, end_of
from netinterf.values import frozen
from netinterf.written.ledger import Ledger
from netinterf.written.parts import address_of, port_of
from netinterf.written.record import Verdict

__all__ = ["MOST_EVIDENCE", "Places", "Told", "folded", "numbered_places", "places_of"]

TCP, UDP = 6, 17

MOST_EVIDENCE = 3
"""Signs that are shown of a finding, and by which findings are alike."""


@frozen(kw_only=True)
class Places:
    """What some findings are about."""

    listed: tuple[tuple[str, int], ...] = ()  # a few, and how often each, the most frequent first
    more: int = 0  # how many others there are


@frozen(kw_only=True)
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
        return [Told(verdict=verdict) for verdict in ledger.written(rows)]
    if not len(rows):
        return []
    number, place = combined(*signature(ledger, rows)), numbered_places(ledger, rows)
    order = np.lexsort((rows, -ledger.verdicts.probability[rows], number))
    parts = np.split(order, np.flatnonzero(np.diff(number[order])) + 1)
    parts.sort(key=lambda part: int(rows[part[0]]))
    surest = ledger.written(rows[[int(part[0]) for part in parts]])
    return [
        Told(verdict=verdict, alike=len(part) - 1, places=places_of(ledger, rows[part[1:]], place[part[1:]]))
        for verdict, part in zip(surest, parts, strict=True)
    ]


def signature(ledger: Ledger, rows: I64) -> list[I64]:
    """Give the columns in which findings that are alike agree; each n entries for n *rows*."""
    table = ledger.verdicts
    evidence = table.evidence.take(rows)  # strongest first
    owner, rule = evidence.parents(), ledger.evidence.rule[evidence.values]
    later = ~about(ledger, rule, table.mechanism[rows][owner])
    order = np.lexsort((np.arange(len(owner)), later, owner))
    rank = np.arange(len(owner)) - evidence.offsets[owner]
    shown = np.full((len(rows), MOST_EVIDENCE), -1, np.int64)
    top = rank < MOST_EVIDENCE
    shown[owner[top], rank[top]] = rule[order[top]]
    columns = (table.mechanism, table.grade, table.trigger, table.selective)
    return [*(column[rows].astype(np.int64) for column in columns), *shown.T]


def about(ledger: Ledger, rule: NDArray[np.integer], mechanism: NDArray[np.integer]) -> Mask:
    """Say of each observation, by its rule, whether it is about the mechanism of its verdict (`is_about`)."""
    rules, mechanisms = ledger.evidence.rules, ledger.verdicts.mechanisms
    pair = rule.astype(np.int64) * len(mechanisms) + mechanism
    related_pairs = np.zeros(len(rules) * len(mechanisms), np.bool_)
    for different in distinct(pair).tolist():  # few
        number, code = divmod(different, len(mechanisms))
        related_pairs[different] = related(rules[number].mechanism, mechanisms[code])
    return related_pairs[pair]


def numbered_places(ledger: Ledger, rows: I64) -> I64:
    """Number what some verdicts are about, alike for one name, or for one address and port where they have none."""
    table, flows = ledger.verdicts, ledger.flows
    name, different = numbered_text(table.name.take(rows))
    flow = table.flow[rows]
    nameless = different.lengths[name] == 0
    port = np.where(np.isin(flows.protocol[flow], (TCP, UDP)), flows.server_port[flow], 0)  # others have none to show
    return combined(name, np.where(nameless, flows.server[flow].astype(np.int64) << 32 | port, -1))


def places_of(ledger: Ledger, rows: I64, place: I64, most: int | None = MOST_EXAMPLES) -> Places:
    """Count what some verdicts are about: names, else addresses and ports.

    Args:
        ledger: What was concluded.
        rows: Rows of its verdicts.
        place: What each is about, as `numbered_places` numbers it.
        most: How many are listed; None lists all.
    """
    table, flows = ledger.verdicts, ledger.flows
    _, first, count = np.unique(place, return_index=True, return_counts=True)
    top = np.lexsort((first, -count))[:most]
    listed = []
    for row, times in zip(rows[first[top]].tolist(), count[top].tolist(), strict=True):
        flow = int(table.flow[row])
        server = address_of(ledger.hosts, int(flows.server[flow]))
        listed.append((table.name[row] or end_of(server, port_of(ledger, flow)), times))
    return Places(listed=tuple(listed), more=len(count) - len(listed))
