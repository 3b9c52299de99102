"""Measuring rate and depth of a token bucket by what passed, once a fit tells when it was empty and when full."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from netinterf.arrays import F64, Mask
from netinterf.stats.bucket.fit import BucketFit, best_buckets, try_buckets
from netinterf.stats.bucket.following import Fates, SeriesBatch

__all__ = ["granted", "measure_bucket", "measure_buckets", "passed_rates"]

NEARLY = 0.7
"""Share of the best likelihood ratio that a bucket computed from what passed must reach to be given instead: the
likelihood has sharp peaks where it is sent in bursts, so a rate that is right within 1 % may explain a fifth less."""


def measure_bucket(time: F64, size: F64, lost: Mask, fit: BucketFit) -> tuple[float, float]:
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
    return measure_buckets([Fates(time, size, lost)], [fit])[0]


def measure_buckets(series: Sequence[Fates], fits: Sequence[BucketFit]) -> list[tuple[float, float]]:
    """Measure the buckets of several series, as `measure_bucket` does.

    Args:
        series: What became of the packets.
        fits: The bucket that explains the losses of each best.
    """
    beside = SeriesBatch(series)
    rate = np.array(passed_rates(beside, fits))
    known = np.flatnonzero(rate > 0)
    depth = beside.burst_heights(known, rate[known])
    harmless = np.array([fit.likelihood - fit.llr for fit in fits])
    again = best_buckets(try_buckets(beside, known, rate[known], depth), harmless)
    measured = [(fit.rate, fit.depth) for fit in fits]
    for place, found in zip(known.tolist(), zip(rate[known].tolist(), depth.tolist(), strict=True), strict=True):
        if again[place].llr > NEARLY * fits[place].llr:
            measured[place] = found
    return measured


def passed_rates(series: SeriesBatch, fits: Sequence[BucketFit]) -> list[float]:
    """Divide what passed from loss to loss by the time it took, where the bucket was never full in between.

    At a loss less than a packet was there, so whatever passed until the next loss was granted meanwhile.

    Args:
        series: What became of the packets.
        fits: The bucket of each series.

    Returns:
        Bytes a second, for each; NaN where nothing was fitted or nothing tells.
    """
    rate, depth = np.array([(fit.rate, fit.depth) for fit in fits]).reshape(-1, 2).T
    grants = granted(series, series.follow(rate, depth), depth)
    return [
        grant.size / grant.seconds if np.isfinite(fit.rate) and grant.seconds > 0 else float("nan")
        for grant, fit in zip(grants, fits, strict=True)
    ]


class Granted(NamedTuple):
    """What passed from loss to loss where a bucket was never full in between."""

    size: float  # bytes
    seconds: float
    stretches: int  # of losses that follow each other so


def granted(series: SeriesBatch, left: F64, depth: F64) -> list[Granted]:
    """Measure what buckets granted while they were never full, given what each packet would leave in them.

    Args:
        series: What became of the packets, n in all.
        left: Bytes, n of them.
        depth: Depth of the bucket of each series, bytes.
    """
    steps, time = series.steps, np.concatenate([np.empty(0), *(fates.time for fates in series.series)])
    owner = np.repeat(np.arange(len(series.lengths)), series.lengths)
    full = np.cumsum(left + steps.size >= depth[owner])
    passed = np.cumsum(np.where(steps.lost, 0.0, steps.size))  # a lost packet adds nothing: what passed before it
    losses = np.flatnonzero(steps.lost)
    together = owner[losses[1:]] == owner[losses[:-1]]
    kept = together & (np.diff(full[losses]) == 0)
    kept = np.flatnonzero(kept)
    stretches = np.bincount(owner[losses[kept]], np.diff(kept, prepend=-2) > 1, len(series.lengths))
    edges = np.searchsorted(owner[losses[kept]], np.arange(len(series.lengths) + 1)).tolist()
    size, seconds = (np.diff(column[losses])[kept] for column in (passed, time))
    return [
        Granted(float(size[begin:end].sum()), float(seconds[begin:end].sum()), int(many))
        for (begin, end), many in zip(pairwise(edges), stretches, strict=True)
    ]
