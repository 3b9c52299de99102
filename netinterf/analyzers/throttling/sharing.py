"""Who shares a bucket? Explanations of the losses of several flows, weighed against each other.

If flows share a bucket, one bucket explains the losses of all: what any of them moves is missing for the others. If
they do not, each has a bucket of its own, or its own luck. Flows that lost next to nothing are asked differently, since
a handful of packets must not decide by the fit of everybody else's: the bucket is fixed, and each of their packets that
passed where it was empty tells as much as the bucket's own record of what it drops there.
"""

from collections.abc import Sequence

import numpy as np

from netinterf.analyzers.throttling.series import Series
from netinterf.stats.bucketsearch import refine_buckets, search_buckets
from netinterf.stats.following import follow_bucket
from netinterf.stats.losses import harmless_likelihoods
from netinterf.stats.ratelimit import BucketFit

__all__ = ["LUCK", "beyond_one", "one_for_both", "passed_freely"]

LUCK = 0.01
"""Loss on a path without a limit: paths measured by TCP repeat 1.0 to 1.8 % of their packets outside Africa and Asia
(Flach et al., Table 2, flows that are not policed)."""

DIFFERENT = 0.15
"""Relative difference of two rates that no error of measurement makes: nine tenths of the rates measured of policed
simulated flows are off by less."""


def one_for_both(own: Series, fit: BucketFit, others: Sequence[Series]) -> list[tuple[float, BucketFit]]:
    """Weigh one bucket for both against causes of their own, for each of some others.

    Each search begins where the other ended as well, so that neither wins by having searched better.

    Args:
        own: Packets of flows that a bucket limits.
        fit: That bucket.
        others: Packets of others.

    Returns:
        For each, the log-likelihood ratio, positive when they share a bucket; and the bucket that explains it alone.
    """
    parts = [one.fates for one in others]
    both = [own.joined([one]).fates for one in others]
    causes = harmless_likelihoods([(one.time, one.lost) for one in [own.fates, *parts, *both]])
    by_own, by_other, by_both = np.repeat(causes[0], len(parts)), causes[1 : 1 + len(parts)], causes[1 + len(parts) :]
    found = search_buckets([*parts, *both])
    alone, shared = found[: len(parts)], found[len(parts) :]
    mine = [max(fit, one, key=_likelihood) for one in refine_buckets([own.fates] * len(parts), shared, by_own)]
    shared = [max(pair, key=_likelihood) for pair in zip(shared, refine_buckets(both, mine, by_both), strict=True)]
    own_best, other_best, both_best = (
        np.maximum([fit.likelihood for fit in fits], harmless)
        for fits, harmless in ((mine, by_own), (alone, by_other), (shared, by_both))
    )
    return list(zip((both_best - own_best - other_best).tolist(), alone, strict=True))


def beyond_one(own: Series, fit: BucketFit, other: Series, alone: BucketFit) -> bool:
    """Say whether two limited series got more through than one bucket grants, or were limited to different rates.

    While both lost packets, one bucket would have granted both together its depth and its rate times the time at most
    (Le Boudec and Thiran, "Network Calculus", 2001, §1.3). Where they did so for less time than it takes to fill it,
    only their rates can differ.

    Args:
        own: Packets of flows that a bucket limits.
        fit: That bucket.
        other: Packets of others.
        alone: The bucket that limits these.
    """
    rate, depth = max(fit.rate, alone.rate), max(fit.depth, alone.depth)
    begin = max(one.time[one.lost].min() for one in (own, other))
    end = min(one.time[one.lost].max() for one in (own, other))
    if (end - begin) * rate <= depth:
        return abs(float(np.log(fit.rate / alone.rate))) > DIFFERENT
    both = own.joined([other])
    inside = ~both.lost & (both.time >= begin) & (both.time <= end)
    return bool(both.size[inside].sum() > depth + (1 + DIFFERENT) * rate * (end - begin))


def passed_freely(own: Series, fit: BucketFit, spared: Sequence[Series]) -> list[float]:
    """Weigh whether flows that lost next to nothing are spared by a bucket that limits others.

    Args:
        own: Packets that it limits, for which it was fitted.
        fit: The bucket.
        spared: Packets of flows that may share it.

    Returns:
        For each of these flows, the log-likelihood ratio of having only luck against sharing the bucket.
    """
    rate, depth = np.array([fit.rate]), np.array([fit.depth])
    both = own.joined(spared)
    left = follow_bucket(both.time, both.size, both.lost, rate, depth)[:, 0]
    mine = np.isin(both.flow, np.unique(own.flow))
    empty = left < 0
    drops = (np.count_nonzero(both.lost & empty & mine) + 1) / (np.count_nonzero(empty & mine) + 2)  # Laplace's rule
    told = empty * np.where(both.lost, np.log(LUCK / drops), np.log((1 - LUCK) / (1 - drops)))
    return [float(told[both.flow == one.flow[0]].sum()) for one in spared]


def _likelihood(fit: BucketFit) -> float:
    return fit.likelihood
