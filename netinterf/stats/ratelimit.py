"""Rate limits from arrival times, sizes and losses: the token bucket, the queue, and how to tell them apart.

A token bucket of depth B holds B bytes at first and gains r bytes a second; a packet passes when its size is there,
else it is dropped at once. A queue served at r bytes a second keeps what exceeds the rate and drops only when it is
full. Both have the same state equation, a sum reflected at a barrier, and the reflection has a closed form: subtract
the running maximum of what went beyond the barrier. That removes the loop over packets. What is missing from a full
bucket is exactly what would wait in a queue of the same rate.

Passed bytes are known from the capture (what was lost had to be sent again), so the level of a hypothetical bucket
is known before every packet. If a real bucket drops the packets, they are lost when the level is low and never when
it is high: one threshold on the level separates lost from passed. Chance loss has no such threshold. The likelihood
ratio of the two (`fit_bucket`) is the evidence. The depth needs no search: it only shifts the level, so it is read
from the threshold. The queue is then told from the bucket by the waiting that it must cause and a bucket does not.

Sources: Flach et al., "An Internet-Wide Analysis of Traffic Policing", SIGCOMM 2016, §3 (the model; the rate from
losses); Le Boudec and Thiran, "Network Calculus", 2001, §1.3 (arrival curves); Reich, "On the integrodifferential
equation of Takács I", 1958 (the closed form of a queue).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from netinterf.errors import ParameterError
from netinterf.stats.robust import theil_sen

__all__ = [
    "HEADROOMS",
    "RATE_FACTORS",
    "BucketFit",
    "backlog",
    "bucket_levels",
    "burst_curve",
    "fit_bucket",
    "loss_line_rate",
]

F64 = NDArray[np.float64]

HEADROOMS: F64 = 1448.0 * np.array([0, 10, 40, 160, 640, 1_000_000])
"""What the bucket may lack when the series begins, bytes: nothing (full), 10 to 640 full TCP segments (lab policers
are 8 kB … 2 MB deep), or so much that it never fills up, the uncapped model of Flach et al. §3."""

RATE_FACTORS: F64 = np.concatenate(
    [np.arange(92, 109) / 100, [1.15, 1.25, 1.4, 1.6, 2, 2.5, 3.2, 4, 5, 6.5, 8, 12, 20, 30]]
)
"""Rates tried, as multiples of the first estimate. Dense near 1; upwards because a sender that waits for a timeout
after each burst (the staircase of Flach et al. §2) passes less than the bucket would grant."""

CELLS = 20_000_000
"""Most numbers held in one temporary array (160 MB of float64)."""


class BucketFit(NamedTuple):
    """The token bucket that explains the losses of one series best."""

    rate: float  # bytes a second, in the units of the sizes given; NaN when nothing could be fitted
    depth: float  # bytes; a lower bound when the bucket was never seen full
    llr: float  # log-likelihood ratio against a constant loss rate, penalised for the search; -inf when not fitted
    info: float  # share of the loss deviance that the bucket explains, 0…1
    below: float  # share of packets lost below the threshold
    above: float  # share of packets lost above it
    threshold: float  # level, in bytes counted from a full bucket (so never above 0), below which packets are lost
    headroom: float  # what the bucket lacked when the series began, bytes


NO_FIT = BucketFit(np.nan, np.nan, -np.inf, 0.0, np.nan, np.nan, np.nan, np.nan)


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
    for rows in _blocks(len(rates), len(time)):
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


def loss_line_rate(time: F64, size: F64, lost: NDArray[np.bool_], most: int = 300) -> float:
    """Estimate the rate of the line on which the losses lie (Theil and Sen).

    A bucket is empty whenever it drops, so between two losses exactly ``rate·Δt`` bytes pass. The median over pairs
    of losses at least the median lag apart is robust against losses with another cause.

    Args:
        time: Seconds, never falling, n of them.
        size: Bytes of each packet, n.
        lost: Whether the packet was lost, n.
        most: Losses used; more are thinned evenly, since the cost is quadratic.

    Returns:
        Bytes a second; NaN when the losses do not span a positive time and passed bytes.
    """
    taken = np.where(lost, 0.0, size)
    before = np.cumsum(taken) - taken
    rows = np.flatnonzero(lost)
    rate = theil_sen(time[rows], before[rows], most)
    return rate if rate > 0 else float("nan")


def fit_bucket(
    time: F64,
    size: F64,
    lost: NDArray[np.bool_],
    *,
    rates: F64 | None = None,
    headrooms: F64 = HEADROOMS,
    cells: int = CELLS,
) -> BucketFit:
    """Find the token bucket whose level separates lost from passed packets best, against constant loss.

    For each rate and initial level the packets are ordered by level, and the best threshold is taken with one loss
    probability below and a smaller one above it. The gain in log-likelihood over one constant probability is reduced
    by ``2·ln n`` (threshold and second probability) and ``ln`` of the number of buckets tried, so that a search over
    chance loss stays below zero.

    Args:
        time: Seconds, never falling, n of them.
        size: Bytes of each packet on the wire, n.
        lost: Whether the packet was lost, n.
        rates: Rates to try in bytes a second; by default multiples of the line through the losses.
        headrooms: What the bucket may lack at the start, bytes.
        cells: Most numbers in one temporary array.

    Returns:
        The best bucket; ``llr`` is -inf when there are no losses, no passed packets or no rate.

    Raises:
        ParameterError: The arrays differ in length.
    """
    if not len(time) == len(size) == len(lost):
        raise ParameterError("size, lost", (len(size), len(lost)), f"as long as time ({len(time)})")
    count, losses = len(time), int(np.count_nonzero(lost))
    if rates is None:
        rates = loss_line_rate(time, size, lost) * RATE_FACTORS
    rates = rates[np.isfinite(rates) & (rates > 0)]
    if losses in (0, count) or len(rates) == 0 or len(headrooms) == 0:
        return NO_FIT
    entropy = _entropy_table(count)
    null = entropy[losses] + entropy[count - losses] - entropy[count]
    best, found = -np.inf, (0, 0, 0.0, 0.0, 0.0)
    for headroom in headrooms:
        for rows in _blocks(len(rates), count, cells):
            levels = bucket_levels(time, size, ~lost, rates[rows], 0.0, float(headroom))
            split = _best_split(levels, lost, entropy)
            top = int(np.argmax(split.likelihood))
            if split.likelihood[top] > best:
                best = float(split.likelihood[top])
                level = float(split.level[top])
                found = (int(split.below[top]), int(split.lost[top]), level, float(rates[rows][top]), float(headroom))
    if not np.isfinite(best):
        return NO_FIT
    below, lost_below, threshold, rate, headroom = found
    fullest = float(bucket_levels(time, size, ~lost, np.array([rate]), 0.0, headroom).max())
    return BucketFit(
        rate=rate,
        depth=fullest - threshold + float(np.median(size)),  # a packet is dropped when less than its size is there
        llr=float(best - null - 2 * np.log(count) - np.log(len(rates) * len(headrooms))),
        info=float(np.clip((best - null) / -null, 0.0, 1.0)),
        below=lost_below / below,
        above=(losses - lost_below) / (count - below),
        threshold=threshold,
        headroom=headroom,
    )


def _blocks(rows: int, width: int, cells: int = CELLS) -> list[slice]:
    """Cut *rows* rows of *width* numbers into blocks of at most *cells* numbers."""
    step = max(1, cells // max(1, width))
    return [slice(start, min(start + step, rows)) for start in range(0, rows, step)]


def _entropy_table(count: int) -> F64:
    """Tabulate ``k·ln k`` for k = 0…count: Bernoulli likelihoods are then three look-ups a group."""
    table = np.arange(count + 1, dtype=np.float64)
    table[1:] *= np.log(table[1:])
    return table


class _Split(NamedTuple):
    """The best threshold of each row of levels."""

    likelihood: F64
    below: NDArray[np.int64]  # packets below the threshold
    lost: NDArray[np.int64]  # those of them that were lost
    level: F64  # the lowest level above it


def _best_split(levels: F64, lost: NDArray[np.bool_], entropy: F64) -> _Split:
    """Find per row of levels the threshold with the greatest two-probability likelihood of the losses.

    The loss travels in the last bit of the level's mantissa, so that one plain sort orders both. Equal levels are
    never split: packets of one burst that meet the same empty bucket are one observation.
    """
    packed = (levels.view(np.int64) & np.int64(-2)) | lost
    ordered = np.sort(packed.view(np.float64), axis=1).view(np.int64)
    count, total = len(lost), int(np.count_nonzero(lost))
    low = np.cumsum(ordered & 1, axis=1)[:, :-1]
    size = np.arange(1, count)
    likelihood = entropy[low] + entropy[size - low] - entropy[size]
    likelihood += entropy[total - low] + entropy[(count - total) - (size - low)] - entropy[count - size]
    tied = (ordered[:, 1:] >> 1) == (ordered[:, :-1] >> 1)
    wrong = low * (count - size) <= (total - low) * size  # no more losses below than above
    likelihood[tied | wrong] = -np.inf
    best = np.argmax(likelihood, axis=1)
    own = np.arange(len(levels))
    level = (ordered[own, best + 1] & np.int64(-2)).view(np.float64)
    return _Split(likelihood[own, best], best + 1, low[own, best], level)
