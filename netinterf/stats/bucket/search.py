"""Searching the token bucket that explains losses, without knowing its rate: a coarse search, then finer ones.

Many series are searched side by side (`following`), and of each search only what may be the best is tried
(`grid`).
"""

from collections.abc import Sequence

import numpy as np

from netinterf.arrays import F64, I64, Mask
from netinterf.stats.bucket.fit import (
    NO_FIT,
    BucketFit,
    best_buckets,
    loss_line_rate,
)
from netinterf.stats.bucket.following import Fates, SeriesBatch
from netinterf.stats.bucket.grid import Grids
from netinterf.stats.bucket.passed import passed_rates
from netinterf.stats.losses import chance_likelihoods, harmless_likelihoods

__all__ = ["COARSE", "DEPTHS", "refine_buckets", "search_bucket", "search_buckets"]

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

THIN_BOXES, COARSE_BOXES, FINE_BOXES = (8, 2), (16, 6), (5, 4)
"""Rates and depths of the boxes that each search begins with. They change the cost and not what is found."""

TOGETHER = 256
"""Series that are searched side by side at most: enough that what they share costs nothing."""


def search_bucket(time: F64, size: F64, lost: Mask) -> BucketFit:
    """Find the token bucket that explains the losses of one series (see `search_buckets`).

    Args:
        time: Seconds, never falling, n of them.
        size: Bytes of each packet on the wire, n.
        lost: Whether the packet was lost, n.

    Returns:
        The best bucket; the coarse one when that is no better than harmless causes, or than chance alone.
    """
    return search_buckets([Fates(time, size, lost)])[0]


def search_buckets(series: Sequence[Fates], harmless: Sequence[float] | None = None) -> list[BucketFit]:
    """Find the token bucket that explains the losses of each series.

    Args:
        series: What became of the packets.
        harmless: Log-likelihood of each under harmless causes, NaN where it is not known already.

    Returns:
        The best bucket of each; the coarse one where that is no better than harmless causes, or than chance alone.
    """
    lines = np.array([loss_line_rate(fates.time, fates.size, fates.lost) for fates in series])
    packets = np.array([fates.packet for fates in series])
    known = np.full(len(series), np.nan) if harmless is None else np.asarray(harmless, np.float64)
    with np.errstate(over="ignore"):
        real = np.flatnonzero(np.isfinite(lines * COARSE[-1]) & np.isfinite(packets * DEPTHS[-1]) & (packets > 0))
    fits = [NO_FIT] * len(series)
    for group in _groups(np.array([len(series[place]) for place in real.tolist()], np.int64)):
        chosen = real[group]
        group_fits = _search(SeriesBatch([series[place] for place in chosen.tolist()]), lines[chosen], known[chosen])
        for place, fit in zip(chosen.tolist(), group_fits, strict=True):
            fits[place] = fit
    return fits


def _groups(lengths: I64) -> list[I64]:
    """Group series that are searched side by side: not too many, and those of like length together."""
    order = np.argsort(lengths, kind="stable")
    return [order[start : start + TOGETHER] for start in range(0, len(order), TOGETHER)]


def _search(series: SeriesBatch, lines: F64, known: F64) -> list[BucketFit]:
    """Search from the lines through the losses on; what harmless causes explain may be known."""
    every = np.arange(len(lines))
    rows, columns = np.arange(len(COARSE)), np.arange(len(DEPTHS))
    grids = Grids.of(series, every, lines[:, None] * COARSE, series.packets[:, None] * DEPTHS)
    best = np.full(len(lines), -np.inf)
    grids.search(every, rows[::THIN_RATES], columns[::THIN_DEPTHS], THIN_BOXES, best)
    chance = chance_likelihoods(series.losses, series.lengths)
    fits = best_buckets(grids.candidates, chance)
    hopeful = np.flatnonzero(best > chance)
    if len(hopeful) == 0:
        return fits
    harmless = chance.copy()
    harmless[hopeful] = known[hopeful]
    asked = np.flatnonzero(np.isnan(harmless))
    parts = [series.series[place] for place in asked.tolist()]
    harmless[asked] = harmless_likelihoods([(fates.time, fates.lost) for fates in parts])
    grids.search(hopeful, rows, columns, COARSE_BOXES, best)
    coarse, tight = best_buckets(grids.candidates, harmless), best_buckets(grids.least, harmless)
    for place in hopeful.tolist():
        fits[place] = coarse[place]
    good = [place for place in hopeful.tolist() if coarse[place].llr > 0]
    starts = [(place, coarse[place]) for place in good]
    starts += [(place, tight[place]) for place in good if _apart(tight[place], coarse[place])]
    places = [place for place, _ in starts]
    fine = refine_buckets([series.series[place] for place in places], [fit for _, fit in starts], harmless[places])
    for place, fit in zip(places, fine, strict=True):
        fits[place] = max(fits[place], fit, key=_ratio)
    return fits


def _apart(fit: BucketFit, other: BucketFit) -> bool:
    """Say whether a search around one bucket looks elsewhere than that around another."""
    return np.isfinite(fit.llr) and bool(
        abs(fit.rate - other.rate) > 0.5 * STEPS[0] * other.rate
        or not FINE_DEPTHS[0] < fit.depth / other.depth < FINE_DEPTHS[-1]
    )


def refine_buckets(series: Sequence[Fates], near: Sequence[BucketFit], harmless: F64) -> list[BucketFit]:
    """Search closer and closer around a bucket for each series, and around the rate that what passed tells.

    Args:
        series: What became of the packets.
        near: Where to begin, for each; it need not be a fit to the same series.
        harmless: Log-likelihood under harmless causes, of each series.

    Returns:
        The best bucket found for each, never that of *near* itself.
    """
    beside = SeriesBatch(series)
    best, start = [NO_FIT] * len(near), list(near)
    for width in STEPS:
        passed = passed_rates(beside, start)
        around = [
            (place, rate, fit.depth)
            for place, (fit, passed_rate) in enumerate(zip(start, passed, strict=True))
            for rate in {fit.rate, passed_rate}
            if np.isfinite(rate)
        ]
        if not around:
            break
        owner, rate, depth = (np.array(column) for column in zip(*around, strict=True))
        grids = Grids.of(beside, owner, rate[:, None] * (1 + width * FINE_RATES), depth[:, None] * FINE_DEPTHS)
        reached, rows, columns = np.full(len(near), -np.inf), np.arange(len(FINE_RATES)), np.arange(len(FINE_DEPTHS))
        grids.search(np.arange(len(owner)), rows, columns, FINE_BOXES, reached)
        fits = best_buckets(grids.candidates, harmless)
        best = [max(pair, key=_ratio) for pair in zip(best, fits, strict=True)]
        start = [fit if np.isfinite(fit.llr) else old for fit, old in zip(best, start, strict=True)]
    return best


def _ratio(fit: BucketFit) -> float:
    return fit.llr
