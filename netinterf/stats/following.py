"""Following hypothetical token buckets from packet to packet, many at once.

Where a bucket and the capture disagree, its level is set to the nearest one that agrees: after a loss less than that
packet's size was there, after a pass there was enough (see `ratelimit`). Each step depends on the one before, so this
is a loop over packets, vectorised over buckets: nearly all the time of a search goes here.
"""

from math import nextafter

import numpy as np
from numpy.typing import NDArray

__all__ = ["SLACK", "follow_bucket", "grade_packets"]

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

SLACK = 32
"""Packets by which a bucket may be wrong at most: with 32, buckets explain the losses of 95.3 % of 810 policed series
of the simulator (development seeds) better than chance or fading do, with 8 those of 92.3 %, without any bound those of
94.0 %; and deep buckets are not upset by every loss that has another cause."""


def follow_bucket(time: F64, size: F64, lost: Bool, rate: F64, depth: F64) -> F64:
    """Follow hypothetical token buckets along a series, setting them right after every packet.

    A loss while more than `SLACK` packets of the usual size were there had another cause and sets nothing right.

    Args:
        time: Seconds, never falling, n of them.
        size: Bytes of each packet on the wire, n.
        lost: Whether the packet was lost, n.
        rate: Refill rates in bytes a second, m of them.
        depth: Depths in bytes, m of them; buckets are full at first.

    Returns:
        What each packet would leave in each bucket, bytes, shape (n, m): below 0 the bucket says that it is lost.
    """
    if len(rate) == 1:
        return _follow_one(time, size, lost, float(rate[0]), float(depth[0]))[:, None]
    margin = np.empty((len(time), len(rate)))
    slack = SLACK * float(np.median(size)) if len(size) else 0.0
    level = np.array(depth, np.float64)
    grown = np.empty_like(level)
    gaps, sizes = np.diff(time, prepend=time[:1]).tolist(), size.tolist()
    for row, (gap, needed, missing) in enumerate(zip(gaps, sizes, lost.tolist(), strict=True)):
        np.multiply(rate, gap, out=grown)
        level += grown
        np.minimum(level, depth, out=level)
        np.subtract(level, needed, out=margin[row])
        if missing:
            np.minimum(level, np.nextafter(needed, 0.0), out=level, where=margin[row] < slack)
        else:
            np.maximum(margin[row], 0.0, out=level)
    return margin


def _follow_one(time: F64, size: F64, lost: Bool, rate: float, depth: float) -> F64:
    """Follow a single bucket, for which plain numbers are quicker than arrays of one."""
    slack = SLACK * float(np.median(size)) if len(size) else 0.0
    level, margin = depth, []
    gaps = np.diff(time, prepend=time[:1]).tolist()
    for gap, needed, missing in zip(gaps, size.tolist(), lost.tolist(), strict=True):
        level = min(level + rate * gap, depth)
        left = level - needed
        margin.append(left)
        if not missing:
            level = max(left, 0.0)
        elif left < slack:
            level = min(level, nextafter(needed, 0.0))
    return np.array(margin)


def grade_packets(time: F64, size: F64, lost: Bool, rate: F64, depth: F64) -> tuple[I64, I64]:
    """Count the packets that would leave less than nothing, less than another packet, or more in each bucket.

    The same as sorting what `follow_bucket` gives, without keeping it: this is where nearly all the time of a search
    goes.

    Args:
        time: Seconds, never falling, n of them.
        size: Bytes of each packet on the wire, n.
        lost: Whether the packet was lost, n.
        rate: Refill rates in bytes a second, m of them.
        depth: Depths in bytes, m of them; buckets are full at first.

    Returns:
        Packets by grade and bucket, shape (3, m), and those of them that were lost.
    """
    level, count = np.array(depth, np.float64), len(rate)
    met, gone = np.zeros((3, count), np.int64), np.zeros((3, count), np.int64)
    margin, grown, under = np.empty(count), np.empty(count), np.empty((2, count), np.bool_)
    tally = {True: np.zeros((2, count), np.int32), False: np.zeros((2, count), np.int32)}
    packet = float(np.median(size))
    slack, edges = SLACK * packet, np.array([[0.0], [packet]])
    gaps, sizes = np.diff(time, prepend=time[:1]).tolist(), size.tolist()
    for gap, needed, missing in zip(gaps, sizes, lost.tolist(), strict=True):
        if gap > 0.0:
            np.multiply(rate, gap, out=grown)
            np.add(level, grown, out=level)
            np.minimum(level, depth, out=level)
        np.subtract(level, needed, out=margin)
        np.less(margin, edges, out=under)
        tally[missing] += under
        if missing:
            np.minimum(level, np.nextafter(needed, 0.0), out=level, where=margin < slack)
        else:
            np.maximum(margin, 0.0, out=level)
    losses = int(np.count_nonzero(lost))
    gone[0], gone[1], gone[2] = tally[True][0], tally[True][1] - tally[True][0], losses - tally[True][1]
    passed = tally[False]
    met[0], met[1], met[2] = passed[0], passed[1] - passed[0], len(time) - losses - passed[1]
    return met + gone, gone
