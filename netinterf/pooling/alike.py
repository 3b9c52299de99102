"""Whoever answers everything alike lists nothing: captive portals, and resolvers that are broken.

Until somebody logs in or pays, a portal gives its own address for whatever is asked; a resolver that lost its way
denies every name. Both draw what a forger draws: one answer for names that have nothing in common elsewhere. What tells
them apart is what other names were answered at that time: a list is short, and a portal spares next to nothing.

How common both are, and what they spare, are judgements, and the same as of all that leaves a network
(`netinterf.pooling.isolation`).
"""

import numpy as np

from netinterf.arrays import F64, I64
from netinterf.numbering import combined, numbered, totals
from netinterf.pooling.isolation import LINE, Beta, weigh
from netinterf.pooling.ways import LISTED
from netinterf.pooling.witnesses import HOUR_NS
from netinterf.verdict.keys import BIN_NS

__all__ = ["less_alike"]

EVERYTHING: Beta = (99.0, 1.0)
"""Share of names that are answered alike by who answers everything so: but for one in a hundred, which was known
before, or is its own."""


WIDTHS = (np.iinfo(np.int64).max, 24 * HOUR_NS, HOUR_NS, BIN_NS)
"""How long names that were answered are compared, ns: portals end, so no longer than it takes to see enough of them."""

ENOUGH = 5
"""Other names: a list that holds five of five is one in two thousand."""


def less_alike(weight: F64, group: I64, place: I64, asked: I64, time: I64) -> F64:
    """Weigh what unrelated names with one answer tell against somebody who answers everything so.

    Args:
        weight: What each group of names with one answer in one place weighs against names that share it anyway, nats.
        group: Of each answer, as often as it was given, which of these it belongs to, -1 for none.
        place: Where it was given.
        asked: Number of the name.
        time: When, ns.

    Returns:
        What each group weighs against both.
    """
    alike, tried = np.zeros(len(weight)), np.zeros(len(weight))
    for width in WIDTHS:
        shorter = sampled(len(weight), group, place, asked, time // width)
        enough = (shorter[1] >= ENOUGH) | (width == WIDTHS[0])
        alike, tried = (np.where(enough, new, old) for new, old in zip(shorter, (alike, tried), strict=True))
    everything = np.log(LINE) + weigh(alike, tried, EVERYTHING) - weigh(alike, tried, LISTED)
    return np.asarray(weight - np.logaddexp(0.0, everything + weight))


def sampled(count: int, group: I64, place: I64, asked: I64, step: I64) -> tuple[F64, F64]:
    """Count names in all steps of time in which a group was answered: those that were answered alike, of all.

    The first name of a group in a step is what made us look; the others are a sample of what is answered so.
    """
    when, _ = numbered(combined(place, step))
    _, first = numbered(combined(when, asked))
    names = totals(when[first], None, int(when.max(initial=-1)) + 1)
    rows = np.flatnonzero(group >= 0)
    shown, head = numbered(combined(when[rows], group[rows]))
    _, once = numbered(combined(shown, asked[rows]))
    alike, of = totals(shown[once], None, len(head)), group[rows[head]]
    return totals(of, alike - 1, count), totals(of, names[when[rows[head]]] - 1, count)
