"""Which bytes of a stream had been captured before: exact, for sides with holes or out-of-order segments.

All boundaries of a side's segments are put on one axis. Between two neighbouring boundaries every segment covers
either all or nothing, so a stream of any length becomes a few elements, and the first segment that covers an element
captured it. A segment repeats the elements that another one captured first; an element that no segment covers is a
hole. Elements per segment are bounded (segments cut on purpose into shifted slivers could make their number grow with
the square); sides beyond the bound are walked segment by segment with a list of intervals, with the same answer.
"""

from bisect import bisect_left, bisect_right

import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.flows.blocks import BITS, NOTHING, packed
from netinterf.table import spans
from netinterf.values import frozen

__all__ = ["Coverage", "cover"]

ELEMENTS_PER_SEGMENT = 8
ELEMENTS_PER_SIDE = 1 << 10
"""A side may have ``8 n + 2**10`` incidences of n segments with elements; retransmission makes one to three each."""


@frozen(eq=False)
class Coverage:
    """New bytes of each segment, and the elements of the axis.

    ``fresh`` and ``fresh_below`` are aligned with the segments: bytes not captured before, and those among them below
    the highest byte seen before. Elements are ascending by side and position; ``owner`` is the segment that captured
    the element first, or the number of segments where none did.
    """

    fresh: I64
    fresh_below: I64
    element_side: I64
    element_start: I64
    element_end: I64
    owner: I64


def cover(side: I64, start: I64, end: I64, top: I64) -> Coverage:
    """Find what each segment added to what had been captured.

    Args:
        side: Side of each segment; segments come side by side, in time order along each.
        start: First byte.
        end: Byte after the last; above *start*.
        top: Highest byte (end) of the side's earlier segments, below every start when there is none.

    Returns:
        The coverage; sides beyond the bound on elements have no elements in it.
    """
    starts, ends = packed(side, start), packed(side, end)
    cuts = np.concatenate([starts, ends])
    cuts.sort()  # one sort; np.unique hashes first, at many times the cost
    cuts = cuts[np.diff(cuts, prepend=-1) != 0]
    first, stop = np.searchsorted(cuts, starts), np.searchsorted(cuts, ends)
    crowded = crowded_segments(side, stop - first)
    fresh, below = np.zeros(len(side), np.int64), np.zeros(len(side), np.int64)
    if crowded.any():
        rows = np.flatnonzero(crowded)
        fresh[rows], below[rows] = paint(side[rows], start[rows], end[rows], top[rows])
        calm = np.flatnonzero(~crowded)
        part = cover(side[calm], start[calm], end[calm], top[calm])
        fresh[calm], below[calm] = part.fresh, part.fresh_below
        owner = np.append(calm, len(side))[part.owner]
        return Coverage(fresh, below, part.element_side, part.element_start, part.element_end, owner)
    count = stop - first
    element = spans(first, count)
    row = np.repeat(np.arange(len(side)), count)
    owner = np.full(len(cuts), len(side), np.int64)
    owner[element[::-1]] = row[::-1]  # the last assignment stays: the first segment
    size = np.where(owner[element] == row, np.diff(cuts, append=0)[element], 0)
    low = size * (cuts[element] < packed(side, top)[row])
    if len(side):
        begin = np.cumsum(count) - count
        fresh, below = np.add.reduceat(size, begin), np.add.reduceat(low, begin)
    inside = np.flatnonzero((cuts[1:] >> BITS) == (cuts[:-1] >> BITS))  # between two sides there is no element
    where = (cuts & ((1 << BITS) - 1)) + NOTHING
    return Coverage(fresh, below, cuts[inside] >> BITS, where[inside], where[inside + 1], owner[inside])


def crowded_segments(side: I64, count: I64) -> Mask:
    """Say which segments belong to sides that fall into too many elements."""
    begin = np.flatnonzero(np.diff(side, prepend=-1))
    if len(begin) == 0:
        return np.zeros(0, np.bool_)
    number = np.diff(begin, append=len(side))
    crowded = np.add.reduceat(count, begin) > ELEMENTS_PER_SEGMENT * number + ELEMENTS_PER_SIDE
    return np.repeat(crowded, number)


def paint(side: I64, start: I64, end: I64, top: I64) -> tuple[I64, I64]:
    """Do the same segment by segment, keeping the captured bytes of a side as disjoint intervals."""
    fresh, below = np.zeros(len(side), np.int64), np.zeros(len(side), np.int64)
    starts: list[int] = []
    ends: list[int] = []
    owner = -1
    for row, (whose, low, high, edge) in enumerate(
        zip(side.tolist(), start.tolist(), end.tolist(), top.tolist(), strict=True)
    ):
        if whose != owner:
            owner, starts, ends = whose, [], []
        left, right = bisect_left(ends, low), bisect_right(starts, high)  # the intervals that touch this one
        fresh[row] = (
            high
            - low
            - sum(max(min(high, b) - max(low, a), 0) for a, b in zip(starts[left:right], ends[left:right], strict=True))
        )
        # bytes from the highest one seen on are all new
        below[row] = fresh[row] - max(high - max(low, edge), 0)
        joined = (min([low, *starts[left:right]]), max([high, *ends[left:right]]))
        starts[left:right], ends[left:right] = [joined[0]], [joined[1]]
    return fresh, below
