"""What a rate limit does to a series, in closed form: bytes waiting in a queue, bursts above a rate.

Both are sums reflected at a barrier: a queue does not go below empty. The reflection has a closed form, the running
minimum of what went beyond the barrier, which removes the loop over packets. What is missing from a full token bucket
is exactly what would wait in a queue of the same rate.

Sources: Reich, "On the integrodifferential equation of Takács I", 1958 (the closed form); Le Boudec and Thiran,
"Network Calculus", 2001, §1.3 (arrival curves).
"""

import numpy as np

from netinterf.arrays import F64
from netinterf.stats import recursion
from netinterf.stats.recursion import Passed

__all__ = ["CELLS", "backlog", "burst_curve", "row_blocks"]

CELLS = 20_000_000
"""Most numbers held in one temporary array (160 MB of float64)."""


def backlog(time: F64, size: F64, rate: float) -> F64:
    """Compute the bytes that wait in a queue of that rate when each packet arrives (the packet itself excluded).

    Lindley's recursion ``Q ← max(0, Q - rate·Δt) + size`` in closed form: the input minus the line, minus its
    running minimum.

    Args:
        time: Seconds, never falling, n of them.
        size: Bytes of each packet, n.
        rate: Service rate, bytes a second.

    Returns:
        Bytes ahead of each packet, n; the first packet meets an empty queue.
    """
    if len(time) == 0:
        return np.empty(0)
    before = np.cumsum(size) - size
    net = before - rate * (time - time[0])
    waiting: F64 = net - np.minimum.accumulate(net)
    return waiting


def burst_curve(time: F64, size: F64, rate: F64) -> tuple[F64, F64]:
    """Measure the largest burst above each rate: the least bucket depth that lets the series through.

    Any output of a bucket (r, B) obeys ``A(t) - A(s) ≤ B + r(t - s)``. The curve falls with slope ``-width`` while
    the rate is below r and flattens at r: the knee is the rate, its height the depth.

    Args:
        time: Arrival times in seconds, never falling, n of them.
        size: Bytes of each packet that arrived, n.
        rate: Rates in bytes a second, m of them.

    Returns:
        The largest excess in bytes and the length in seconds of the interval that shows it, m of each. Zeros when
        there are no packets.
    """
    rates = np.asarray(rate, np.float64).reshape(-1)
    height, width = np.zeros(len(rates)), np.zeros(len(rates))
    if len(time) == 0:
        return height, width
    since = time - time[0]
    total = np.cumsum(size)
    for rows in row_blocks(len(rates), len(time)):
        line = rates[rows, None] * since
        starts = (total - size) - line
        lowest = np.minimum.accumulate(starts, axis=1)
        excess = (total - line) - lowest
        end = np.argmax(excess, axis=1)
        own = np.arange(len(end))
        height[rows] = excess[own, end]
        begin = np.argmax(starts == lowest[own, end][:, None], axis=1)
        width[rows] = since[end] - since[begin]
    return height, width


def burst_heights(time: F64, size: F64, rate: F64) -> F64:
    """Measure the largest burst above each rate, as `burst_curve` does, without the interval that shows it."""
    total = np.cumsum(size)
    passed = Passed(time - time[:1], total, total - size, np.array([0, len(time)]))
    return recursion.bursts(np.zeros(len(rate), np.int64), rate, passed)


def row_blocks(rows: int, width: int, cells: int = CELLS) -> list[slice]:
    """Cut *rows* rows of *width* numbers into blocks of at most *cells* numbers."""
    step = max(1, cells // max(1, width))
    return [slice(start, min(start + step, rows)) for start in range(0, rows, step)]
