"""The two states that a rate limit can have, in closed form: tokens left in a bucket, bytes waiting in a queue.

Both are sums reflected at a barrier: tokens beyond the brim are lost, a queue does not go below empty. The reflection
has a closed form, the running maximum (or minimum) of what went beyond the barrier, which removes the loop over
packets. What is missing from a full bucket is exactly what would wait in a queue of the same rate.

Sources: Reich, "On the integrodifferential equation of Takács I", 1958 (the closed form); Le Boudec and Thiran,
"Network Calculus", 2001, §1.3 (arrival curves).
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["CELLS", "backlog", "bucket_levels", "burst_curve", "row_blocks"]

F64 = NDArray[np.float64]

CELLS = 20_000_000
"""Most numbers held in one temporary array (160 MB of float64)."""


def bucket_levels(
    time: F64, size: F64, passed: NDArray[np.bool_], rate: F64, depth: float = 0.0, headroom: float = 0.0
) -> F64:
    """Compute the level of hypothetical token buckets just before each packet.

    With ``C`` the bytes that passed before and ``Y = rate·t - C - headroom`` the level is ``depth + Y - max(0,
    running maximum of Y)``: what flows over the brim is lost for good.

    Args:
        time: Seconds, never falling, n of them.
        size: Bytes of each packet, n.
        passed: Whether the packet got through, n; only such packets take tokens.
        rate: Refill rates in bytes a second, m of them.
        depth: Depth in bytes; it only shifts the levels. With 0 they are counted from a full bucket.
        headroom: What the bucket lacks when the first packet arrives, bytes.

    Returns:
        Levels in bytes, shape (m, n). They may fall below zero where the bucket does not fit the data.
    """
    rates = np.asarray(rate, np.float64).reshape(-1, 1)
    if len(time) == 0:
        return np.empty((len(rates), 0))
    taken = np.where(passed, size, 0.0)
    levels: F64 = rates * (time - time[0]) - (np.cumsum(taken) - taken)
    brim = np.maximum.accumulate(levels, axis=1)  # starts at 0, with the first packet
    if headroom > 0:
        brim = np.maximum(brim, headroom)
    levels -= brim
    levels += depth
    return levels


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


def row_blocks(rows: int, width: int, cells: int = CELLS) -> list[slice]:
    """Cut *rows* rows of *width* numbers into blocks of at most *cells* numbers."""
    step = max(1, cells // max(1, width))
    return [slice(start, min(start + step, rows)) for start in range(0, rows, step)]
