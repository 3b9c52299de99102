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

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from netinterf.arrays import F64, I32, I64, Mask
from netinterf.errors import ParameterError
from netinterf.stats.bucket.following import Fates, SeriesBatch
from netinterf.stats.losses import binomial_likelihood, harmless_likelihood, price
from netinterf.stats.robust import theil_sen

__all__ = [
    "DROPS",
    "NO_FIT",
    "PLATEAU",
    "BucketFit",
    "CandidateBuckets",
    "Parted",
    "best_buckets",
    "explain_each",
    "fit_bucket",
    "graded",
    "greatest_likelihood",
    "is_made",
    "loss_line_rate",
    "penalized_likelihood",
    "try_buckets",
]


class BucketFit(NamedTuple):
    """The token bucket that explains the losses of one series best."""

    rate: float  # bytes a second, in the units of the sizes given; NaN when nothing could be fitted
    depth: float  # bytes; a lower bound when the bucket was never seen full
    llr: float  # log-likelihood ratio against harmless causes, all at their price; -inf when not fitted
    info: float  # share of the deviance that harmless causes leave and the bucket explains, 0…1
    below: float  # share lost of the packets that do not find their size in the bucket
    above: float  # share lost of the others
    likelihood: float  # log-likelihood of the losses under the bucket, less its price; -inf when not fitted


class CandidateBuckets(NamedTuple):
    """Buckets that were tried, and what they explain."""

    owner: I64  # the series that each was tried on, m of them
    rate: F64  # bytes a second
    depth: F64  # bytes
    counts: I64  # packets by what they would leave: less than nothing, less than a packet, more; shape (3, m)
    losses: I64  # those of them that were lost
    gain: F64  # log-likelihood of the losses less its price; -inf where they do not fall by class, or no bucket is so

    def select(self, rows: "I64 | slice") -> "CandidateBuckets":
        """Keep some of them."""
        owner, rate, depth, counts, losses, gain = self
        return CandidateBuckets(owner[rows], rate[rows], depth[rows], counts[:, rows], losses[:, rows], gain[rows])


DROPS = 0.6
"""Share of the packets that do not find their size which a bucket drops at least. An empty one drops everything (Flach
et al., §3.2, allow 3 % of passed packets there), as far as what was lost is known and when: 95 % of policed laboratory
transfers lose 0.86 and more. Without this, buckets that drop nothing when empty explain the losses of steady senders
better than the true one: with it and a dating as they send, 155 instead of 135 of 234 limited flows of BBR senders are
found (``python -m benchmarks limits``, seeds 452,000 to 452,007)."""

LEAST_SECONDS = 0.005
"""Seconds in which a bucket fills up at least. Makers recommend no less (Juniper, "Determining Proper Burst Size for
Traffic Policers", begins with 5 ms), and what fills up quicker only tells that losses fell close together. Of 508
buckets of the simulator whose rate is found within a quarter without this bound (the same seeds), all take 13 ms and
more."""

SHALLOW = 3.0, 0.1
"""A bucket of fewer packets must take so many seconds to fill up: a loss that was not seen is dated by the usual time
between packets, and whatever is lost in a burst looks like two packets too close together. The shallowest policers of
laboratory and field hold 8 kB (Flach et al., §3.3). On development seeds (452,000 and 470,000 on, 16 each) it finds 647
instead of 627 of 942 limited flows of BBR senders; asked of slow limits as well, it would miss 16 of 48 flows under one
of less than a packet a second."""

PLATEAU = 1e-6
"""Log-likelihoods that close are equal: the middle of the buckets that explain the losses equally well is taken."""

AT_ONCE = 2048
"""Buckets whose likelihood is worked out at a time."""

NO_FIT = BucketFit(np.nan, np.nan, -np.inf, 0.0, np.nan, np.nan, -np.inf)


def loss_line_rate(time: F64, size: F64, lost: Mask, most: int = 300) -> float:
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
    time: F64, size: F64, lost: Mask, *, rates: F64, depths: F64, harmless: float | None = None
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
        rate, depth = (values.reshape(-1) for values in np.broadcast_arrays(rates, depths))
    except ValueError:
        raise ParameterError("depths", depths.shape, f"of a shape that goes with the rates {rates.shape}") from None
    count, losses = len(time), int(np.count_nonzero(lost))
    real = np.isfinite(rate) & (rate > 0) & np.isfinite(depth) & (depth > 0)
    rate, depth = rate[real], depth[real]
    if losses in (0, count) or len(rate) == 0:
        return NO_FIT
    candidates = try_buckets(SeriesBatch([Fates(time, size, lost)]), np.zeros(len(rate), np.int64), rate, depth)
    return best_buckets(candidates, np.array([harmless_likelihood(time, lost) if harmless is None else harmless]))[0]


def try_buckets(series: SeriesBatch, owner: I64, rate: F64, depth: F64) -> CandidateBuckets:
    """Tell how well each of some buckets explains the losses of its series.

    Args:
        series: What became of the packets, of each series.
        owner: Which series each bucket is tried on, m of them.
        rate: Refill rates in bytes a second, m of them.
        depth: Depths in bytes, m of them.
    """
    return graded(series, owner, rate, depth, *series.grade(owner, rate, depth))


def graded(series: SeriesBatch, owner: I64, rate: F64, depth: F64, counts: I64, losses: I64) -> CandidateBuckets:
    """Tell how well buckets explain the losses of their series, given how they grade the packets.

    Args:
        series: What became of the packets, of each series.
        owner: Which series each bucket is tried on, m of them.
        rate: Refill rates in bytes a second, m of them.
        depth: Depths in bytes, m of them.
        counts: Packets by class and bucket, shape (3, m).
        losses: Those of them that were lost.
    """
    return CandidateBuckets(
        owner,
        rate,
        depth,
        counts,
        losses,
        np.where(
            is_made(series, owner, rate, depth), penalized_likelihood(counts, losses, series.lengths[owner]), -np.inf
        ),
    )


def is_made(series: SeriesBatch, owner: I64, rate: F64, depth: F64) -> Mask:
    """Say which buckets are deep enough to be made, each for one of the series; a deeper or slower one is so, too."""
    packets, slow = SHALLOW
    deep: Mask = (depth >= packets * series.packets[owner]) | (depth >= slow * rate)
    return deep & (depth >= LEAST_SECONDS * rate)


def best_buckets(candidates: CandidateBuckets, harmless: F64) -> list[BucketFit]:
    """Choose the bucket that explains the losses of each series best: the middle rate of equals, the least depth of it.

    Args:
        candidates: Buckets that were tried.
        harmless: Log-likelihood of each series under harmless causes.
    """
    owner, rate, depth, _, _, gain = candidates
    best = np.full(len(harmless), -np.inf)
    np.maximum.at(best, owner, gain)
    equal = np.flatnonzero(np.isfinite(best)[owner] & (gain >= best[owner] - PLATEAU))
    equal = equal[np.lexsort((rate[equal], owner[equal]))]
    found, first, count = np.unique(owner[equal], return_index=True, return_counts=True)
    equal = equal[rate[equal] == np.repeat(rate[equal[first + count // 2]], count)]
    equal = equal[np.lexsort((equal, depth[equal], owner[equal]))]
    chosen = candidates.select(equal[np.searchsorted(owner[equal], found)])
    ratio = best[found] - harmless[found]
    columns = {
        "rate": chosen.rate,
        "depth": chosen.depth,
        "llr": ratio,
        "info": np.clip(ratio / -harmless[found], 0.0, 1.0),
        "below": chosen.losses[0] / chosen.counts[0],
        "above": chosen.losses[1:].sum(axis=0) / np.maximum(1, chosen.counts[1:].sum(axis=0)),
        "likelihood": best[found],
    }
    fits = [NO_FIT] * len(harmless)
    for place, *values in zip(found.tolist(), *(columns[name].tolist() for name in BucketFit._fields), strict=True):
        fits[place] = BucketFit(*values)
    return fits


class Parted(NamedTuple):
    """Losses of several series, to be explained by a bucket for each, the best of some."""

    parts: Sequence[Fates]  # what became of the packets of each series
    rate: F64  # refill rates in bytes a second, m of them
    depth: F64  # bytes, m of them
    harmless: float  # log-likelihood of all losses under harmless causes


def explain_each(questions: Sequence[Parted]) -> list[BucketFit]:
    """Explain losses part by part; all buckets are tried at once.

    The buckets of the parts differ in rate and depth, which each pays for, but not in how surely an empty one drops.

    Returns:
        For each question how well they explain all, rate and depth NaN when there are several; `NO_FIT` without losses.
    """
    if not questions:
        return []
    beside = SeriesBatch([part for question in questions for part in question.parts])
    many = np.array([len(question.parts) for question in questions])
    tried = np.repeat([len(question.rate) for question in questions], many)  # buckets of each part
    rate, depth = (
        np.concatenate(
            [np.tile(column, len(question.parts)) for question, column in zip(questions, columns, strict=True)]
        )
        for columns in zip(*((question.rate, question.depth) for question in questions), strict=True)
    )
    candidates = try_buckets(beside, np.repeat(np.arange(len(tried)), tried), rate, depth)
    edges = np.append(0, np.cumsum(tried)).tolist()
    best = candidates.select(np.array([low + np.argmax(candidates.gain[low:high]) for low, high in pairwise(edges)]))
    first = np.cumsum(many) - many
    counts, losses, packets = (
        np.add.reduceat(column, first, axis=-1) for column in (best.counts, best.losses, beside.lengths)
    )
    likelihood = penalized_likelihood(counts, losses, packets) - price(2 * (many - 1), packets)
    harmless = np.array([question.harmless for question in questions])
    real = losses.any(axis=0) & np.isfinite(likelihood)
    columns = {
        "rate": np.where(many == 1, best.rate[first], np.nan),
        "depth": np.where(many == 1, best.depth[first], np.nan),
        "llr": likelihood - harmless,
        "info": np.clip((likelihood - harmless) / -harmless, 0.0, 1.0),
        "below": losses[0] / np.maximum(1, counts[0]),
        "above": losses[1:].sum(axis=0) / np.maximum(1, counts[1:].sum(axis=0)),
        "likelihood": likelihood,
    }
    told = zip(*(columns[name].tolist() for name in BucketFit._fields), strict=True)
    return [BucketFit(*values) if fits else NO_FIT for fits, values in zip(real.tolist(), told, strict=True)]


def penalized_likelihood(counts: I64, losses: I64, count: I64) -> F64:
    """Give the log-likelihood of the losses in three classes, less its price.

    It is -inf where the losses do not fall from class to class, or too many packets pass an empty bucket.

    Args:
        counts: Packets by class and bucket, shape (3, m).
        losses: Those of them that were lost.
        count: Packets in all, by bucket, which set what the bucket and a third probability cost.
    """
    return _where_it_drops(_penalized, counts, losses, count)


def greatest_likelihood(counts: I64 | I32, losses: I64 | I32, count: I64) -> F64:
    """Give what the log-likelihood, less its price, of buckets between two never exceeds; -inf where none drops enough.

    Args:
        counts: Packets by class, those lost as in the bucket with the least and those passed as in that with the most,
            shape (3, m).
        losses: Those of them that were lost.
        count: Packets in all, by bucket.
    """
    return _where_it_drops(_greatest, counts, losses, count)


def _where_it_drops(of: Callable[[F64, F64, F64], F64], counts: I64 | I32, losses: I64 | I32, count: I64) -> F64:
    """Work out something of packets by class, those that were lost, and what one number costs, if an empty one drops.

    Where it does not, it is -inf. Of a few buckets at a time, so that what is held meanwhile stays in the cache.
    """
    result = np.full(counts.shape[1], -np.inf)
    drops = np.flatnonzero((counts[0] > 0) & (losses[0] / np.maximum(counts[0], 1) > DROPS))
    for start in range(0, len(drops), AT_ONCE):
        part = drops[start : start + AT_ONCE]
        met, gone = (column[:, part].astype(np.float64) for column in (counts, losses))
        result[part] = of(met, gone, price(1, count[part]))
    return result


def _penalized(met: F64, gone: F64, number: F64) -> F64:
    share = gone / np.maximum(met, 1.0)
    three, first_last, both_third = _class_likelihoods(met, gone, number)
    result = np.where((share[0] >= share[1]) & (share[1] >= share[2]), three, -np.inf)
    (few, last, both, rest), (few_met, last_met, both_met, rest_met) = (
        (column[0], column[1] + column[2], column[0] + column[1], column[2]) for column in (gone, met)
    )
    result = np.maximum(result, np.where(few * last_met > last * few_met, first_last, -np.inf))
    result = np.maximum(result, np.where(both * rest_met > rest * both_met, both_third, -np.inf))
    return result - 4 * number


def _greatest(met: F64, gone: F64, number: F64) -> F64:
    three, *two = _class_likelihoods(met, gone, number)
    bound: F64 = np.maximum(three, np.maximum(*two)) - 4 * number
    return bound


def _class_likelihoods(met: F64, gone: F64, number: F64) -> tuple[F64, F64, F64]:
    """Give the log-likelihood of three classes, less the price of the third, and of the last or first two in one."""
    first, second, third = binomial_likelihood(gone, met)
    last, both = (binomial_likelihood(gone[one] + gone[1], met[one] + met[1]) for one in (2, 0))
    return first + second + third - number, first + last, both + third
