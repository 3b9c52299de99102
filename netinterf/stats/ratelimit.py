"""Token buckets fitted to losses.

A token bucket of depth B holds B bytes at first and gains r bytes a second; a packet passes when its size is there,
else it is dropped at once. Passed bytes are known from the capture (what was lost had to be sent again), so the level
of a hypothetical bucket is known before every packet (`netinterf.stats.levels`). If a real bucket drops the packets,
they are lost when the level is low and never when it is high: one threshold on the level separates lost from passed.
Chance loss has no such threshold. The likelihood ratio of the two is the evidence. The depth needs no search: it only
shifts the level, so it is read from the threshold.

Source: Flach et al., "An Internet-Wide Analysis of Traffic Policing", SIGCOMM 2016, §3 (the model; the rate from
losses).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from netinterf.errors import ParameterError
from netinterf.stats.levels import CELLS, bucket_levels, row_blocks
from netinterf.stats.robust import theil_sen

__all__ = [
    "COARSE",
    "FINE",
    "FINEST",
    "HEADROOMS",
    "NO_FIT",
    "BucketFit",
    "fit_bucket",
    "loss_line_rate",
    "search_bucket",
]

F64 = NDArray[np.float64]

HEADROOMS: F64 = 1448.0 * np.array([0, 10, 40, 160, 640, 1_000_000])
"""What the bucket may lack when the series begins, bytes: nothing (full), 10 to 640 full TCP segments (lab policers
are 8 kB … 2 MB deep), or so much that it never fills up, the uncapped model of Flach et al. §3."""

COARSE: F64 = np.concatenate([np.geomspace(0.5, 2.0, 29), [2.5, 3.2, 4, 5, 6.5, 8, 12, 20, 30]])
"""Rates of a first search, as multiples of the line through the losses: 5 % apart near it, and upwards because a
sender that waits for a timeout after each burst (the staircase of Flach et al. §2) passes less than it is granted."""

FINE: F64 = np.linspace(0.95, 1.05, 21)
"""Rates of the second search, as multiples of the first one's: 0.5 % apart."""

FINEST: F64 = np.linspace(0.995, 1.005, 21)
"""Rates of the last search, 0.05 % apart: over a long series a small error of the rate adds up to a bucket."""


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


PLATEAU = 1e-6
"""Log-likelihoods that close are equal: the middle of the rates that explain the losses equally well is taken."""

NO_FIT = BucketFit(np.nan, np.nan, -np.inf, 0.0, np.nan, np.nan, np.nan, np.nan)


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
    rates: F64,
    headrooms: F64 = HEADROOMS,
    tried: int = 0,
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
        rates: Rates to try in bytes a second.
        headrooms: What the bucket may lack at the start, bytes.
        tried: Buckets tried before, that count in the penalty.
        cells: Most numbers in one temporary array.

    Returns:
        The best bucket; ``llr`` is -inf when there are no losses, no passed packets or no rate.

    Raises:
        ParameterError: The arrays differ in length.
    """
    if not len(time) == len(size) == len(lost):
        raise ParameterError("size, lost", (len(size), len(lost)), f"as long as time ({len(time)})")
    count, losses = len(time), int(np.count_nonzero(lost))
    rates = rates[np.isfinite(rates) & (rates > 0)]
    if losses in (0, count) or len(rates) == 0 or len(headrooms) == 0:
        return NO_FIT
    entropy = _entropy_table(count)
    null = entropy[losses] + entropy[count - losses] - entropy[count]
    gain = np.full((len(headrooms), len(rates)), -np.inf)
    for place, headroom in enumerate(headrooms):
        for rows in row_blocks(len(rates), count, cells):
            levels = bucket_levels(time, size, ~lost, rates[rows], 0.0, float(headroom))
            gain[place, rows] = _best_split(levels, lost, entropy).likelihood
    best = float(gain.max())
    if not np.isfinite(best):
        return NO_FIT
    first = int(np.argmax(gain.max(axis=1)))
    equal = np.flatnonzero(gain[first] >= best - PLATEAU)
    rate, headroom = float(rates[equal[len(equal) // 2]]), float(headrooms[first])
    levels = bucket_levels(time, size, ~lost, np.array([rate]), 0.0, headroom)
    split = _best_split(levels, lost, entropy)
    below, lost_below, threshold = int(split.below[0]), int(split.lost[0]), float(split.level[0])
    return BucketFit(
        rate=rate,
        depth=float(levels.max())
        - threshold
        + float(np.median(size)),  # a packet is dropped when less than its size is there
        llr=float(best - null - 2 * np.log(count) - np.log(tried + len(rates) * len(headrooms))),
        info=float(np.clip((best - null) / -null, 0.0, 1.0)),
        below=lost_below / below,
        above=(losses - lost_below) / (count - below),
        threshold=threshold,
        headroom=headroom,
    )


def search_bucket(time: F64, size: F64, lost: NDArray[np.bool_]) -> BucketFit:
    """Find the token bucket that explains the losses, without knowing its rate: coarse, fine and finest search.

    Args:
        time: Seconds, never falling, n of them.
        size: Bytes of each packet on the wire, n.
        lost: Whether the packet was lost, n.

    Returns:
        The best bucket, penalised for all searches; the coarse one when that is no better than chance.
    """
    ends = HEADROOMS[[0, -1]]
    coarse = fit_bucket(time, size, lost, rates=loss_line_rate(time, size, lost) * COARSE, headrooms=ends)
    if not coarse.llr > 0:
        return coarse
    tried = len(COARSE) * len(ends)
    fine = max(coarse, fit_bucket(time, size, lost, rates=coarse.rate * FINE, tried=tried), key=lambda fit: fit.llr)
    tried += len(FINE) * len(HEADROOMS)
    start = np.array([fine.headroom])
    finest = fit_bucket(time, size, lost, rates=fine.rate * FINEST, headrooms=start, tried=tried)
    return max(fine, finest, key=lambda fit: fit.llr)


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
    never split: packets of one burst that meet the same empty bucket are one observation. The best threshold always
    lies behind a lost packet (Fayyad and Irani 1992), so only such places are looked at.
    """
    packed = (levels.view(np.int64) & np.int64(-2)) | lost
    ordered = np.sort(packed.view(np.float64), axis=1).view(np.int64)
    count, total = len(lost), int(np.count_nonzero(lost))
    bit = (ordered & 1).astype(np.bool_)
    tied = (ordered[:, 1:] >> 1) == (ordered[:, :-1] >> 1)
    behind = bit[:, :-1].copy()
    behind[:, 1:] |= tied[:, :-1]  # the end of a run of equal levels, which may hold losses anywhere
    row, place = np.nonzero(behind & ~tied)
    size = place + 1
    low = np.cumsum(bit, axis=1, dtype=np.int32)[row, place].astype(np.int64)
    likelihood = entropy[low] + entropy[size - low] - entropy[size]
    likelihood += entropy[total - low] + entropy[(count - total) - (size - low)] - entropy[count - size]
    likelihood[low * (count - size) <= (total - low) * size] = -np.inf  # no more losses below than above
    best = np.full(len(levels), -np.inf)
    np.maximum.at(best, row, likelihood)
    chosen = np.zeros(len(levels), np.int64)
    top = np.flatnonzero((likelihood == best[row]) & np.isfinite(likelihood))[::-1]
    chosen[row[top]] = top  # the last write wins: the first of equals
    if len(row) == 0:
        nothing = np.zeros(len(levels), np.int64)
        return _Split(best, nothing, nothing, np.zeros(len(levels)))
    level = (ordered[np.arange(len(levels)), size[chosen]] & np.int64(-2)).view(np.float64)
    return _Split(best, size[chosen], low[chosen], level)
