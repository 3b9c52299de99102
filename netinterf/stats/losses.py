"""How likely losses are without any limit: by chance, or on a link that fades.

By chance every packet is lost with one probability. A fading link is good or bad for a while, both for random times,
and loses packets with a probability of its own in either state (Gilbert, "Capacity of a burst-noise channel", BSTJ
1960; Elliott, BSTJ 1963; in continuous time, so that pauses count). Which state it is in is never seen, so the
likelihood is summed over both, packet after packet. Outages, radio links and roaming lose packets so.

Explanations with more numbers to choose fit better by themselves. Each free number costs half the logarithm of how
many packets there are (Schwarz, "Estimating the dimension of a model", 1978).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from netinterf.arrays import F64, I64, Mask
from netinterf.stats import recursion

__all__ = [
    "binomial_likelihood",
    "chance_likelihood",
    "chance_likelihoods",
    "fading_likelihood",
    "harmless_likelihood",
    "price",
]

RATES = 8
"""How quickly the state changes: so many rates, evenly in the logarithm, between once in the whole series and once a
packet."""

BAD_SHARES = np.array([0.01, 0.03, 0.1, 0.2, 0.4, 0.6, 0.8])
LOST_IN_BAD = np.array([0.5, 0.8, 0.95, 0.999])
LOST_IN_GOOD = np.array([0.001, 0.01, 0.05])
"""Shares of the time that are bad, and loss probabilities of both states, that are tried."""

LOGARITHM_EVERY = 32
"""Factors, each from 0.001 to 999, whose product stays far from the least and greatest number (0.001 ** 32 = 1e-96)."""

LEAST_PACKETS = 3
"""Packets below which a state cannot change and come back."""


def price(numbers: int | I64, count: ArrayLike) -> F64:
    """Give what so many free numbers cost an explanation of so many packets, nats."""
    return np.asarray(0.5 * numbers, np.float64) * np.log(np.maximum(count, 1))


def binomial_likelihood(hits: I64 | F64, trials: I64 | F64) -> F64:
    """Give the greatest log-likelihood of so many hits in so many trials; 0 for no trials."""
    hit, every = np.asarray(hits, np.float64), np.asarray(trials, np.float64)
    rest, total = every - hit, np.maximum(every, 1.0)
    part: F64 = hit * np.log(np.maximum(hit, 1.0) / total) + rest * np.log(np.maximum(rest, 1.0) / total)
    return part


def chance_likelihood(lost: Mask) -> float:
    """Give the log-likelihood of losses by chance, less the price of their share; 0 for no packets."""
    return float(chance_likelihoods(np.array([np.count_nonzero(lost)]), np.array([len(lost)]))[0])


def chance_likelihoods(losses: I64, count: I64) -> F64:
    """Give the same for each of several series: packets that were lost, and all."""
    return binomial_likelihood(losses, count) - price(1, count)


def fading_likelihood(time: F64, lost: Mask) -> float:
    """Give the log-likelihood of losses on the fading link that explains them best.

    Args:
        time: Seconds, never falling, n of them.
        lost: Whether the packet was lost, n.

    Returns:
        The log-likelihood; -inf with fewer than three packets or none at a later time.
    """
    return float(fading_likelihoods([(time, lost)])[0])


def fading_likelihoods(series: Sequence[tuple[F64, Mask]]) -> F64:
    """Give the same for each of several series, side by side: times in seconds and what was lost, of each."""
    result = np.full(len(series), -np.inf)
    real = [place for place, (time, _) in enumerate(series) if len(time) >= LEAST_PACKETS and time[-1] > time[0]]
    times, lost = [series[place][0] for place in real], [series[place][1] for place in real]
    lengths, losses = np.array([len(time) for time in times]), np.array([np.count_nonzero(missing) for missing in lost])
    spans = np.array([time[-1] - time[0] for time in times])
    change = np.geomspace(1.0 / spans, lengths / spans, RATES, axis=1)
    stay = [np.exp(-np.diff(time, prepend=time[:1])[:, None] * own) for time, own in zip(times, change, strict=True)]
    in_bad, in_good = (part.reshape(-1) for part in np.meshgrid(LOST_IN_BAD, LOST_IN_GOOD, indexing="ij"))
    likelier = np.stack([(1.0 - in_bad) / (1.0 - in_good), in_bad / in_good]) - 1.0
    good = losses[:, None] * np.log(in_good) + (lengths - losses)[:, None] * np.log(1.0 - in_good)
    total = np.repeat(good[..., None], len(BAD_SHARES) * RATES, axis=2)
    recursion.fade(stay, lost, BAD_SHARES, likelier, total, LOGARITHM_EVERY)
    result[real] = total.max(axis=(1, 2))
    return result


def harmless_likelihoods(series: Sequence[tuple[F64, Mask]]) -> F64:
    """Give the log-likelihood of losses under the better of two harmless causes, chance and fading, less their price.

    Args:
        series: Times in seconds, never falling, and what was lost, of each series.

    Returns:
        Log-likelihoods, at most 0; one number is paid for chance and four for fading.
    """
    losses, count = np.array([(np.count_nonzero(lost), len(lost)) for _, lost in series], np.int64).reshape(-1, 2).T
    chance = chance_likelihoods(losses, count)
    mixed = np.flatnonzero((losses > 0) & (losses < count))
    fading = fading_likelihoods([series[place] for place in mixed.tolist()])
    chance[mixed] = np.maximum(chance[mixed], fading - price(4, count[mixed]))
    return chance


def harmless_likelihood(time: F64, lost: Mask) -> float:
    """Give that of one series: times in seconds, never falling, and what was lost."""
    return float(harmless_likelihoods([(time, lost)])[0])
