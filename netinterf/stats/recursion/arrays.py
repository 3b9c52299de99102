"""The recursions in numpy and plain Python, where none are compiled.

Buckets are followed from packet to packet, many at once, along many series side by side: a loop over packets,
vectorised over buckets and series. Every step is a handful of array operations, whose price is that of the call unless
thousands of buckets are moved at once. So the buckets of a series stand in columns of `LANES`, and the columns of all
series beside each other, longest series first: what differs between series is one row of numbers for each step, and
what has ended is cut off.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import attrs
import numpy as np

from netinterf.arrays import F64, I32, I64, Mask
from netinterf.values import frozen

__all__ = ["Passed", "Steps", "bursts", "count_under", "fade", "follow"]

LANES = 8
"""Buckets of one column where several series are followed: so few places stay empty, and so few columns are needed."""

AT_ONCE = 16_384
"""Buckets moved together, which must stay in the cache of a core."""

TOGETHER = 32
"""Series along which links are followed at once: so many fill the cache of a core."""

CELLS = 2_000_000
"""Numbers held at once while bursts are measured (16 MB)."""

STRIDE, MARGINS, FLUSH = (8, 64), 131_072, 255
"""Packets that are followed before what they would leave is counted, fewest and most; how many such numbers are kept
meanwhile (1 MB, which stays in the cache); and packets after which counts of a byte are full."""


def laid_out(kind: Any) -> Any:
    """Declare a column that is laid out as C has it, whatever kind of numbers it is given."""
    return attrs.field(converter=partial(np.ascontiguousarray, dtype=kind))


@frozen(eq=False)
class Steps:
    """What a bucket that is followed along series meets: their packets, end to end; n packets, s series."""

    gap: F64 = laid_out(np.float64)  # seconds since the packet before; 0 for the first of a series; n
    size: F64 = laid_out(np.float64)  # bytes on the wire, n
    lost: Mask = laid_out(np.bool_)  # n
    first: I64 = laid_out(np.int64)  # where each series begins, and after the last where all end; s + 1
    edge: F64 = laid_out(np.float64)  # bytes of which less is not enough for another packet, s
    slack: F64 = laid_out(np.float64)  # bytes: a loss that would leave so much had another cause, s
    after: F64 = attrs.field(init=False)  # bytes that are there at most after a loss: less than it needed, n

    @after.default
    def _less_than_needed(self) -> F64:
        after: F64 = np.nextafter(self.size, 0.0)
        return after


@frozen(eq=False)
class Passed:
    """What of series passed, end to end; n packets, s series."""

    since: F64 = laid_out(np.float64)  # seconds since the first of its series, n
    total: F64 = laid_out(np.float64)  # bytes of its series up to it, n
    before: F64 = laid_out(np.float64)  # bytes before it, n
    first: I64 = laid_out(np.int64)  # where each series begins, and after the last where all end; s + 1


def follow(steps: Steps, rate: F64, depth: F64) -> F64:
    """See `netinterf.stats.recursion.follow`; of so few buckets plain numbers are quicker than arrays."""
    left: list[float] = []
    packets = (steps.gap, steps.size, steps.after, steps.lost)
    buckets = zip(rate.tolist(), depth.tolist(), steps.slack.tolist(), strict=True)
    for (begin, end), (grant, most, slack) in zip(pairwise(steps.first.tolist()), buckets, strict=True):
        level = most
        for gap, needed, after, missing in zip(*(part[begin:end].tolist() for part in packets), strict=True):
            level = min(level + grant * gap, most)
            margin = level - needed
            left.append(margin)
            if not missing:
                level = max(margin, 0.0)
            elif margin < slack:
                level = min(level, after)
    return np.array(left)


def count_under(steps: Steps, owner: I64, rate: F64, depth: F64) -> I64:
    """See `netinterf.stats.recursion.count_under`."""
    lengths = np.diff(steps.first)
    order = np.lexsort((owner, -lengths[owner]))
    own = owner[order]
    first = np.flatnonzero(np.diff(own, prepend=-1))
    count = np.diff(first, append=len(own))
    lanes = LANES if len(first) > 1 else max(1, len(own))
    columns = -(-count // lanes)
    place = np.arange(len(own)) - np.repeat(first, count)
    column = np.repeat(np.cumsum(columns) - columns, count) + place // lanes
    which = np.repeat(own[first], columns)
    tried = np.zeros((2, lanes, len(which)))
    tried[0, place % lanes, column], tried[1, place % lanes, column] = rate[order], depth[order]
    under = np.empty((2, 2, lanes, len(which)), np.int64)
    block_columns = max(1, AT_ONCE // lanes)
    for start in range(0, len(which), block_columns):
        block = slice(start, start + block_columns)
        under[..., block] = _count_block(steps, which[block], *np.ascontiguousarray(tried[..., block]))
    result = np.empty((2, 2, len(own)), np.int64)
    result[..., order] = under[..., place % lanes, column]
    return result


def bursts(owner: I64, rate: F64, passed: Passed) -> F64:
    """See `netinterf.stats.recursion.bursts`."""
    height, edges = np.zeros(len(rate)), np.append(np.flatnonzero(np.diff(owner, prepend=-1)), len(rate))
    for start, stop in pairwise(edges.tolist()):
        own = slice(passed.first[owner[start]], passed.first[owner[start] + 1])
        since, total, before = passed.since[own], passed.total[own], passed.before[own]
        for low in range(start, stop, step := max(1, CELLS // max(1, len(since)))) if len(since) else ():
            rows = slice(low, min(low + step, stop))
            line = rate[rows, None] * since
            lowest = np.minimum.accumulate(before - line, axis=1)
            np.subtract(total, line, out=line)
            height[rows] = np.subtract(line, lowest, out=line).max(axis=1)
    return height


def fade(stay: Sequence[F64], lost: Sequence[Mask], share: F64, likelier: F64, total: F64, every: int) -> None:
    """See `netinterf.stats.recursion.fade`."""
    order = sorted(range(len(stay)), key=lambda place: -len(stay[place]))
    for start in range(0, len(order), TOGETHER):
        chosen = order[start : start + TOGETHER]
        together = [stay[place] for place in chosen], [lost[place] for place in chosen]
        sums = np.ascontiguousarray(total[chosen].swapaxes(0, 1))
        _fade_together(*together, share, likelier, sums, every)
        total[chosen] = sums.swapaxes(0, 1)


def _fade_together(
    stay: Sequence[F64], lost: Sequence[Mask], share: F64, likelier: F64, total: F64, every: int
) -> None:
    """Do so for a few series, longest first; `total` has the shape (links, series, cells)."""
    (longest, rates), lengths = stay[0].shape, np.array([len(stays) for stays in stay])
    unchanged, missing = np.ones((longest, len(stay), rates)), np.zeros((longest, len(stay)), np.int8)
    for column, (stays, gone) in enumerate(zip(stay, lost, strict=True)):
        unchanged[: len(stays), column], missing[: len(stays), column] = stays, gone
    bad, both = np.broadcast_to(np.repeat(share, rates), total.shape).copy(), np.ones(total.shape)
    moved = np.empty(total.shape)
    for start in range(0, longest, every):
        active, stop = int(np.count_nonzero(lengths > start)), start + every
        here, seen, into = bad[:, :active], both[:, :active], moved[:, :active]
        part = unchanged[start:stop, :active, None]
        turn = share[:, None] * (1.0 - part)  # of all that was seen, what is bad from now on, whatever it was
        stays, turns = (np.broadcast_to(each, turn.shape).reshape(-1, *here.shape[1:]) for each in (part, turn))
        more = likelier[missing[start:stop, :active]]
        more[np.arange(start, start + len(more))[:, None] >= lengths[:active]] = 0.0  # it has ended
        for unmoved, turned, than_good in zip(stays, turns, more.swapaxes(1, 2)[..., None], strict=True):
            np.multiply(here, unmoved, out=here)
            np.multiply(seen, turned, out=into)
            np.add(here, into, out=here)
            np.multiply(here, than_good, out=into)
            np.add(seen, into, out=seen)
            np.add(here, into, out=here)
        total[:, :active] += np.log(seen)
        np.divide(here, seen, out=here)
        seen.fill(1.0)


def _count_block(steps: Steps, which: I64, rate: F64, depth: F64) -> I32:
    """Count packets that would leave less than nothing, or less than a packet: all of them, and those lost.

    Args:
        steps: The packets of all series.
        which: The series of each column, longest first.
        rate: Bytes a second, by lane and column.
        depth: Bytes, the same.

    Returns:
        Shape (2, 2, lanes, columns): all or lost, nothing or a packet.
    """
    total = np.zeros((2, 2, *rate.shape), np.int32)
    few = np.zeros((2, 2, *rate.shape), np.uint8)
    under = np.empty((_stride(rate.size), *rate.shape), np.bool_)
    edges, since = (np.zeros(len(which)), steps.edge[which]), 0
    for margin, lost in _strides(steps, which, rate, depth):
        packets, _, active = margin.shape
        below, hit = under[:packets, :, :active], lost.any()
        for edge in (0, 1):
            np.less(margin, edges[edge][:active], out=below)
            few[0, edge, :, :active] += np.add.reduce(below.view(np.uint8), axis=0, dtype=np.uint8)
            if hit:
                np.logical_and(below, lost[:, None], out=below)
                few[1, edge, :, :active] += np.add.reduce(below.view(np.uint8), axis=0, dtype=np.uint8)
        since += packets
        if since > FLUSH - len(under):
            total += few
            few.fill(0)
            since = 0
    total += few
    return total


def _strides(steps: Steps, which: I64, rate: F64, depth: F64) -> Iterator[tuple[F64, Mask]]:
    """Go from packet to packet along the series.

    A series that has ended goes on with packets that need less than nothing, so that they are never counted.

    Args:
        steps: The packets of all series.
        which: The series of each column, longest first.
        rate: Bytes a second, by lane and column.
        depth: Bytes, the same.

    Yields:
        For every few packets what each would leave, by packet, lane and column of those that have so many, until the
        next stride; and which were lost, by packet and column.
    """
    stride, lengths, (rows, missing) = _stride(rate.size), np.diff(steps.first)[which], _rows(steps)
    ends = np.minimum(-(-lengths // STRIDE[1]) * STRIDE[1], lengths.max(initial=0))
    levels, spares, overs = np.array(depth, np.float64), np.empty(depth.shape), np.empty(depth.shape, np.bool_)
    margins, nothing, begin = np.empty((stride, *depth.shape)), np.zeros(depth.shape), 0
    for end in np.unique(ends).tolist():
        active = int(np.count_nonzero(ends >= end))
        grant, most, zero = rate[:, :active], depth[:, :active], nothing[:, :active]
        level, spare, over = levels[:, :active], spares[:, :active], overs[:, :active]
        for start in range(begin, end, stride):
            place = np.arange(start, min(start + stride, end))[:, None]
            packet = np.where(place < lengths[:active], steps.first[which[:active]] + place, -1)
            left, lost = margins[: len(place), :, :active], missing.take(packet)
            doing = rows.take(packet, axis=1).swapaxes(0, 1)
            for row, hit, margin in zip(doing, np.any(lost, axis=1), left, strict=True):
                gap, needed, taken, after, slack = row
                np.multiply(grant, gap, out=spare)
                np.add(level, spare, out=level)
                np.minimum(level, most, out=level)
                np.subtract(level, needed, out=margin)
                if hit:
                    np.subtract(level, taken, out=level)
                    np.maximum(level, zero, out=level)
                    np.minimum(level, after, out=spare)
                    np.less(margin, slack, out=over)
                    np.putmask(level, over, spare)
                else:
                    np.maximum(margin, zero, out=level)
            yield left, lost
        begin = end


def _rows(steps: Steps) -> tuple[F64, Mask]:
    """Lay out what each packet does, the one last that follows after the end; shape (5, packets + 1), and what is lost.

    Seconds since the packet before, what it needs, what it took, what a loss sets right: to what, below what is left.
    """
    slack = np.where(steps.lost, np.repeat(steps.slack, np.diff(steps.first)), -np.inf)
    rows = np.stack([steps.gap, steps.size, np.where(steps.lost, 0.0, steps.size), steps.after, slack])
    return np.append(rows, [[0.0], [-np.inf], [0.0], [0.0], [-np.inf]], axis=1), np.append(steps.lost, False)


def _stride(buckets: int) -> int:
    """Choose how many packets are followed before what they would leave is counted."""
    least, most = STRIDE
    return max(least, min(most, MARGINS // max(1, buckets)))
