"""Measuring rate and depth of a token bucket by what passed, once a fit tells when it was empty and when full."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from netinterf.arrays import F64, Mask
from netinterf.stats.bucket.fit import BucketFit, fit_bucket
from netinterf.stats.bucket.following import Fates, SeriesBatch
from netinterf.stats.levels import burst_curve

__all__ = ["granted", "measure_bucket", "passed_rates"]

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
    rate = passed_rates(SeriesBatch([Fates(time, size, lost)]), [fit])[0] if np.isfinite(fit.llr) else float("nan")
    if not np.isfinite(rate):
        return fit.rate, fit.depth
    depth = burst_curve(time[~lost], size[~lost], np.array([rate]))[0]
    harmless = fit.likelihood - fit.llr
    again = fit_bucket(time, size, lost, rates=np.array([rate]), depths=depth, harmless=harmless)
    return (rate, float(depth[0])) if again.llr > NEARLY * fit.llr else (fit.rate, fit.depth)


def passed_rates(series: SeriesBatch, fits: Sequence[BucketFit]) -> list[float]:
    """Divide what passed from loss to loss by the time it took, where the bucket was never full in between.

    At a loss less than a packet was there, so whatever passed until the next loss was granted meanwhile.

    Args:
        series: What became of the packets.
        fits: The bucket of each series.

    Returns:
        Bytes a second, for each; NaN where nothing was fitted or nothing tells.
    """
    rates = [float("nan")] * len(fits)
    lefts = series.follow(np.array([fit.rate for fit in fits]), np.array([fit.depth for fit in fits]))
    for place, (fates, fit, left) in enumerate(zip(series.series, fits, lefts, strict=True)):
        grant = granted(fates, left, fit.depth)
        if np.isfinite(fit.rate) and grant.seconds > 0:
            rates[place] = grant.size / grant.seconds
    return rates


class Granted(NamedTuple):
    """What passed from loss to loss where a bucket was never full in between."""

    size: float  # bytes
    seconds: float
    stretches: int  # of losses that follow each other so


def granted(fates: Fates, left: F64, depth: float) -> Granted:
    """Measure what a bucket granted while it was never full, given what each packet would leave in it."""
    full, losses = np.cumsum(left + fates.size >= depth), np.flatnonzero(fates.lost)
    passed = np.cumsum(np.where(fates.lost, 0.0, fates.size))  # a lost packet adds nothing: what passed before it
    kept = np.diff(full[losses]) == 0
    size, seconds = np.diff(passed[losses])[kept].sum(), np.diff(fates.time[losses])[kept].sum()
    return Granted(float(size), float(seconds), int(np.count_nonzero(np.diff(kept.astype(np.int8), prepend=0) > 0)))
