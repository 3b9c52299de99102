"""Token buckets fitted to losses.

A token bucket of depth B holds B bytes at first and gains r bytes a second; a packet passes when its size is there,
else it is dropped at once. If a real bucket drops the packets, then what happened to the packets before tells what
happens to the next one: a hypothetical bucket is followed from packet to packet, and each packet is lost when it does
not find its size there. Where the bucket and the capture disagree, the level is set to the nearest one that agrees:
after a loss less than that packet's size was there, after a pass there was enough. So a packet that was miscounted, or
another flow in the same bucket that was not captured, spoils one prediction and not all that follow.

The evidence is how much better this predicts than harmless causes do: chance, and links that fade (`losses`).

Source: Flach et al., "An Internet-Wide Analysis of Traffic Policing", SIGCOMM 2016, §3 (the model; the rate from
losses).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from netinterf.errors import ParameterError
from netinterf.stats.following import follow_bucket, grade_packets
from netinterf.stats.levels import burst_curve
from netinterf.stats.losses import binomial_likelihood, chance_likelihood, harmless_likelihood, price
from netinterf.stats.robust import theil_sen

__all__ = [
    "COARSE",
    "DEPTHS",
    "NO_FIT",
    "BucketFit",
    "bucket_likelihoods",
    "explain_parts",
    "fit_bucket",
    "loss_line_rate",
    "measure_bucket",
    "refine_bucket",
    "search_bucket",
]

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

DEPTHS: F64 = np.geomspace(1.5, 1500.0, 20)
"""Depths of a first search in packets of the usual size: policers of laboratory and field hold 8 kB to 2 MB (Flach et
al., §3.3)."""

COARSE: F64 = np.geomspace(0.5, 30.0, 84)
"""Rates of a first search, as multiples of the line through the losses: 5 % apart, and far upwards because a sender
that waits for a timeout after each burst (the staircase of Flach et al. §2) passes less than it is granted."""

THIN_RATES, THIN_DEPTHS = 2, 3
"""Of the first search so many rates and depths are one that is looked at before all are: where none of them beats
chance, the search ends. Of 330 policed series of the simulator (development seeds) that the whole search finds, all
beat it by 2 nats and more here, and most losses by chance do not."""

STEPS = (0.05, 0.01)
"""Widths of the searches that follow, as shares of the rate: the last one looks 0.1 % apart."""

FINE_RATES, FINE_DEPTHS = np.linspace(-1.0, 1.0, 21), np.geomspace(0.8, 1.25, 9)


NEARLY = 0.7
"""Share of the best likelihood ratio that a bucket computed from what passed must reach to be given instead: the
likelihood has sharp peaks where it is sent in bursts, so a rate that is right within 1 % may explain a fifth less."""


class BucketFit(NamedTuple):
    """The token bucket that explains the losses of one series best."""

    rate: float  # bytes a second, in the units of the sizes given; NaN when nothing could be fitted
    depth: float  # bytes; a lower bound when the bucket was never seen full
    llr: float  # log-likelihood ratio against harmless causes, all at their price; -inf when not fitted
    info: float  # share of the deviance that harmless causes leave and the bucket explains, 0…1
    below: float  # share lost of the packets that do not find their size in the bucket
    above: float  # share lost of the others
    likelihood: float  # log-likelihood of the losses under the bucket, less its price; -inf when not fitted


PLATEAU = 1e-6
"""Log-likelihoods that close are equal: the middle of the buckets that explain the losses equally well is taken."""

NO_FIT = BucketFit(np.nan, np.nan, -np.inf, 0.0, np.nan, np.nan, -np.inf)


def loss_line_rate(time: F64, size: F64, lost: Bool, most: int = 300) -> float:
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
    time: F64, size: F64, lost: Bool, *, rates: F64, depths: F64, harmless: float | None = None
) -> BucketFit:
    """Find the token bucket that predicts best which packets are lost.

    Packets are sorted by what they would leave in the bucket: less than nothing, less than another packet of the usual
    size, or more. Each class has a loss probability of its own, none smaller than that of a class with more left; the
    two last ones, or the two first, may share theirs. Rate, depth and two probabilities have their price, and a third
    probability, too.

    Args:
        time: Seconds, never falling, n of them.
        size: Bytes of each packet on the wire, n.
        lost: Whether the packet was lost, n.
        rates: Rates to try in bytes a second.
        depths: Depths to try in bytes, of a shape that goes with the rates (as numpy broadcasts).
        harmless: Log-likelihood under harmless causes, where it is known already.

    Returns:
        The best bucket; ``llr`` is -inf when there are no losses, no passed packets or no bucket to try.

    Raises:
        ParameterError: The arrays differ in length, or rates and depths do not go together.
    """
    if not len(time) == len(size) == len(lost):
        raise ParameterError("size, lost", (len(size), len(lost)), f"as long as time ({len(time)})")
    try:
        rate, depth = (tried.reshape(-1) for tried in np.broadcast_arrays(rates, depths))
    except ValueError:
        raise ParameterError("depths", depths.shape, f"of a shape that goes with the rates {rates.shape}") from None
    count, losses = len(time), int(np.count_nonzero(lost))
    real = np.isfinite(rate) & (rate > 0) & np.isfinite(depth) & (depth > 0)
    rate, depth = rate[real], depth[real]
    if losses in (0, count) or len(rate) == 0:
        return NO_FIT
    met, gone = grade_packets(time, size, lost, rate, depth)
    gain = _explained(met, gone, count)
    best = float(gain.max())
    if not np.isfinite(best):
        return NO_FIT
    equal = np.flatnonzero(gain >= best - PLATEAU)
    equal = equal[rate[equal] == np.sort(rate[equal])[len(equal) // 2]]
    chosen = equal[np.argmin(depth[equal])]
    harmless = harmless_likelihood(time, lost) if harmless is None else harmless
    return BucketFit(
        rate=float(rate[chosen]),
        depth=float(depth[chosen]),
        llr=best - harmless,
        info=float(np.clip((best - harmless) / -harmless, 0.0, 1.0)),
        below=float(gone[0, chosen] / met[0, chosen]),
        above=float(gone[1:, chosen].sum() / max(1, met[1:, chosen].sum())),
        likelihood=best,
    )


def search_bucket(time: F64, size: F64, lost: Bool) -> BucketFit:
    """Find the token bucket that explains the losses, without knowing its rate: a coarse search, then finer ones.

    Args:
        time: Seconds, never falling, n of them.
        size: Bytes of each packet on the wire, n.
        lost: Whether the packet was lost, n.

    Returns:
        The best bucket; the coarse one when that is no better than harmless causes, or than chance alone.
    """
    line = loss_line_rate(time, size, lost)
    if not np.isfinite(line):
        return NO_FIT
    depths = DEPTHS * float(np.median(size))
    thin = {"rates": line * COARSE[::THIN_RATES, None], "depths": depths[::THIN_DEPTHS]}
    best = fit_bucket(time, size, lost, **thin, harmless=chance_likelihood(lost))
    if not best.llr > 0:
        return best
    harmless = harmless_likelihood(time, lost)
    best = _try_buckets(time, size, lost, [(line * COARSE, depths)], harmless)
    if not best.llr > 0:
        return best
    return max(best, refine_bucket(time, size, lost, best, harmless), key=lambda fit: fit.llr)


def measure_bucket(time: F64, size: F64, lost: Bool, fit: BucketFit) -> tuple[float, float]:
    """Measure rate and depth of a bucket by what passed, once a fit tells when it was empty and when full.

    A bucket that is set right after every packet predicts almost as well with a rate that is somewhat too high. What
    passed from loss to loss was granted meanwhile, and the depth is the least that lets all pass that passed (Le Boudec
    and Thiran, "Network Calculus", 2001, §1.3).

    Args:
        time: Seconds, never falling, n of them.
        size: Bytes of each packet on the wire, n.
        lost: Whether the packet was lost, n.
        fit: The bucket that explains the losses best.

    Returns:
        Bytes a second, and bytes; those of the fit where they explain the losses much worse, or nothing tells.
    """
    rate = _passed_rate(time, size, lost, fit) if np.isfinite(fit.llr) else float("nan")
    if not np.isfinite(rate):
        return fit.rate, fit.depth
    depth = burst_curve(time[~lost], size[~lost], np.array([rate]))[0]
    again = fit_bucket(time, size, lost, rates=np.array([rate]), depths=depth)
    return (rate, float(depth[0])) if again.llr > NEARLY * fit.llr else (fit.rate, fit.depth)


def refine_bucket(time: F64, size: F64, lost: Bool, near: BucketFit, harmless: float | None = None) -> BucketFit:
    """Search closer and closer around a bucket, and around the rate that what passed tells.

    Args:
        time: Seconds, never falling, n of them.
        size: Bytes of each packet on the wire, n.
        lost: Whether the packet was lost, n.
        near: Where to begin; it need not be a fit to the same series.
        harmless: Log-likelihood under harmless causes, where it is known already.

    Returns:
        The best bucket found, never *near* itself.
    """
    best, start = NO_FIT, near
    harmless = harmless_likelihood(time, lost) if harmless is None else harmless
    for width in STEPS:
        around = {start.rate, _passed_rate(time, size, lost, start)}
        grids = [(rate * (1 + width * FINE_RATES), start.depth * FINE_DEPTHS) for rate in around if np.isfinite(rate)]
        best = max(best, _try_buckets(time, size, lost, grids, harmless), key=lambda fit: fit.llr)
        start = best if np.isfinite(best.llr) else start
    return best


def _try_buckets(time: F64, size: F64, lost: Bool, grids: list[tuple[F64, F64]], harmless: float) -> BucketFit:
    """Fit a bucket of each rate and depth of some grids, and of each rate with the least depth for all that passed.

    The latter is exact to a byte where nothing was miscounted, which a deep bucket needs and no grid offers.
    """
    if not grids:
        return NO_FIT
    rate, depth = [], []
    for rates, depths in grids:
        least, _ = burst_curve(time[~lost], size[~lost], rates)
        depth.append(np.concatenate([np.broadcast_to(depths, (len(rates), len(depths))), least[:, None]], axis=1))
        rate.append(np.broadcast_to(rates[:, None], depth[-1].shape))
    return fit_bucket(time, size, lost, rates=np.concatenate(rate), depths=np.concatenate(depth), harmless=harmless)


def _passed_rate(time: F64, size: F64, lost: Bool, fit: BucketFit) -> float:
    """Divide what passed from loss to loss by the time it took, where the bucket was never full in between.

    At a loss less than a packet was there, so whatever passed until the next loss was granted meanwhile.
    """
    if not np.isfinite(fit.rate):
        return float("nan")
    left = follow_bucket(time, size, lost, np.array([fit.rate]), np.array([fit.depth]))[:, 0]
    full = np.cumsum(left + size >= fit.depth)
    taken = np.where(lost, 0.0, size)
    before = np.cumsum(taken) - taken
    losses = np.flatnonzero(lost)
    bytes_, seconds, filled = np.diff(before[losses]), np.diff(time[losses]), np.diff(full[losses])
    kept = filled == 0
    span = float(seconds[kept].sum())
    return float(bytes_[kept].sum()) / span if span > 0 else float("nan")


def bucket_likelihoods(time: F64, size: F64, lost: Bool, rate: F64, depth: F64) -> F64:
    """Give the log-likelihood of the losses under each bucket, less its price.

    Args:
        time: Seconds, never falling, n of them.
        size: Bytes of each packet on the wire, n.
        lost: Whether the packet was lost, n.
        rate: Refill rates in bytes a second, m of them.
        depth: Depths in bytes, m of them.

    Returns:
        m log-likelihoods, -inf where losses are no more frequent in an empty bucket.
    """
    return _explained(*grade_packets(time, size, lost, rate, depth), len(time))


def explain_parts(parts: Sequence[tuple[F64, F64, Bool]], rate: F64, depth: F64, harmless: float) -> BucketFit:
    """Explain the losses of several series by a bucket for each, the best of some.

    The buckets differ in rate and depth, which each pays for, but not in how surely an empty one drops.

    Args:
        parts: Time, size and fate of the packets of each series, as for `fit_bucket`.
        rate: Refill rates in bytes a second, m of them.
        depth: Depths in bytes, m of them.
        harmless: Log-likelihood of all losses under harmless causes.

    Returns:
        How well they explain all, rate and depth NaN when there are several; `NO_FIT` without losses.
    """
    met, gone = np.zeros((3, 1), np.int64), np.zeros((3, 1), np.int64)
    count, chosen = 0, slice(0)
    for time, size, lost in parts:
        seen, missing = grade_packets(time, size, lost, rate, depth)
        best = int(np.argmax(_explained(seen, missing, len(time))))
        chosen = slice(best, best + 1)
        met, gone, count = met + seen[:, chosen], gone + missing[:, chosen], count + len(time)
    likelihood = float(_explained(met, gone, count)[0]) - price(2 * (len(parts) - 1), count)
    if not (gone.any() and np.isfinite(likelihood)):
        return NO_FIT
    return BucketFit(
        rate=float(rate[chosen][0]) if len(parts) == 1 else float("nan"),
        depth=float(depth[chosen][0]) if len(parts) == 1 else float("nan"),
        llr=likelihood - harmless,
        info=float(np.clip((likelihood - harmless) / -harmless, 0.0, 1.0)),
        below=float(gone[0, 0] / met[0, 0]),
        above=float(gone[1:].sum() / max(1, met[1:].sum())),
        likelihood=likelihood,
    )


def _explained(met: I64, gone: I64, count: int) -> F64:
    """Give the log-likelihood of the losses in three classes, -inf where they do not fall from class to class.

    Args:
        met: Packets by class and bucket, shape (3, m).
        gone: Those of them that were lost.
        count: Packets in all, which set what the bucket and a third probability cost.
    """
    share = gone / np.maximum(met, 1)
    falls = (met[0] > 0) & (share[0] >= share[1]) & (share[1] >= share[2])
    three = np.where(falls, binomial_likelihood(gone, met).sum(axis=0) - price(1, count), -np.inf)
    two = []
    for low in (1, 2):
        few, many = gone[:low].sum(axis=0), met[:low].sum(axis=0)
        others, rest = gone[low:].sum(axis=0), met[low:].sum(axis=0)
        more = (met[0] > 0) & (few * rest > others * many)
        two.append(np.where(more, binomial_likelihood(few, many) + binomial_likelihood(others, rest), -np.inf))
    result: F64 = np.maximum(three, np.maximum(*two)) - price(4, count)
    return result
