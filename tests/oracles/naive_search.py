"""The search of a token bucket as it is defined: every bucket of every step is tried, one series after the other."""

import itertools

import numpy as np

from netinterf.stats.bucket import search
from netinterf.stats.bucket.fit import NO_FIT, fit_bucket, loss_line_rate
from netinterf.stats.bucket.following import follow_bucket
from netinterf.stats.levels import burst_curve
from netinterf.stats.losses import chance_likelihood, harmless_likelihood


def search_bucket(time, size, lost):
    """Search coarsely and then closer and closer, also around the best bucket that lets all pass that passed.

    The thin search comes first, and may end it.
    """
    line = loss_line_rate(time, size, lost)
    if not np.isfinite(line):
        return NO_FIT
    rates, depths = line * search.COARSE, search.DEPTHS * float(np.median(size))
    thin = (rates[:: search.THIN_RATES], depths[:: search.THIN_DEPTHS])
    best = try_all(time, size, lost, [thin], chance_likelihood(lost))
    if not best.llr > 0:
        return best
    best, tight = (try_all(time, size, lost, [(rates, some)]) for some in (depths, depths[:0]))
    if not best.llr > 0:
        return best
    starts = [best, tight] if elsewhere(tight, best) else [best]
    return max(best, *(refine_bucket(time, size, lost, one) for one in starts), key=lambda fit: fit.llr)


def elsewhere(one, other):
    """Say whether a bucket lies outside half the width of a search around another."""
    if not np.isfinite(one.llr):
        return False
    near = abs(one.rate - other.rate) <= search.STEPS[0] / 2 * other.rate
    return not (near and search.FINE_DEPTHS[0] < one.depth / other.depth < search.FINE_DEPTHS[-1])


def refine_bucket(time, size, lost, near):
    """Try all buckets around the best one, and around the rate of what passed, twice."""
    best, start = NO_FIT, near
    for width in search.STEPS:
        around = {start.rate, passed_rate(time, size, lost, start)}
        grids = [
            (rate * (1 + width * search.FINE_RATES), start.depth * search.FINE_DEPTHS)
            for rate in around
            if np.isfinite(rate)
        ]
        best = max(best, try_all(time, size, lost, grids), key=lambda fit: fit.llr)
        start = best if np.isfinite(best.llr) else start
    return best


def try_all(time, size, lost, grids, harmless=None):
    """Try each rate with each depth, and with the least depth that lets all pass that passed."""
    rate, depth = [], []
    for rates, depths in grids:
        least = burst_curve(time[~lost], size[~lost], rates)[0]
        for one, exact in zip(rates, least, strict=True):
            rate += [one] * (len(depths) + 1)
            depth += [*depths, exact]
    if not rate:
        return NO_FIT
    harmless = harmless_likelihood(time, lost) if harmless is None else harmless
    return fit_bucket(time, size, lost, rates=np.array(rate), depths=np.array(depth), harmless=harmless)


def passed_rate(time, size, lost, fit):
    """Divide what passed from loss to loss by the time it took, where the bucket was never full in between."""
    if not np.isfinite(fit.rate):
        return float("nan")
    left = follow_bucket(time, size, lost, np.array([fit.rate]), np.array([fit.depth]))[:, 0]
    losses, passed, span = np.flatnonzero(lost), 0.0, 0.0
    for first, last in itertools.pairwise(losses):
        if not (left + size >= fit.depth)[first + 1 : last + 1].any():
            passed += size[first:last][~lost[first:last]].sum()
            span += time[last] - time[first]
    return passed / span if span > 0 else float("nan")
