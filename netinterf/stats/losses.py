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

__all__ = ["binomial_likelihood", "chance_likelihood", "fading_likelihood", "harmless_likelihood", "price"]

RATES = 8
"""How quickly the state changes: so many rates, evenly in the logarithm, between once in the whole series and once a
packet."""

BAD_SHARES = np.array([0.01, 0.03, 0.1, 0.2, 0.4, 0.6, 0.8])
LOST_IN_BAD = np.array([0.5, 0.8, 0.95, 0.999])
LOST_IN_GOOD = np.array([0.001, 0.01, 0.05])
"""Shares of the time that are bad, and loss probabilities of both states, that are tried."""

LOGARITHM_EVERY = 32
"""Factors, each from 0.001 to 999, whose product stays far from the least and greatest number (0.001 ** 32 = 1e-96)."""

TOGETHER = 32
"""Series that are followed at once: so many fill the cache of a core."""

LEAST_PACKETS = 3
"""Packets below which a state cannot change and come back."""


def price(numbers: int, count: ArrayLike) -> F64:
    """Give what so many free numbers cost an explanation of so many packets, nats."""
    return 0.5 * numbers * np.log(np.maximum(count, 1))


def binomial_likelihood(hits: I64, trials: I64) -> F64:
    """Give the greatest log-likelihood of so many hits in so many trials; 0 for no trials."""
    rest, total = trials - hits, np.maximum(trials, 1)
    part: F64 = hits * np.log(np.maximum(hits, 1) / total) + rest * np.log(np.maximum(rest, 1) / total)
    return part


def chance_likelihood(lost: Mask) -> float:
    """Give the log-likelihood of losses by chance, less the price of their share; 0 for no packets."""
    count = np.array([len(lost)])
    return float(binomial_likelihood(np.array([np.count_nonzero(lost)]), count)[0] - price(1, len(lost)))


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
    order = sorted(
        (place for place, (time, _) in enumerate(series) if len(time) >= LEAST_PACKETS and time[-1] > time[0]),
        key=lambda place: -len(series[place][0]),
    )
    for start in range(0, len(order), TOGETHER):
        chosen = order[start : start + TOGETHER]
        result[chosen] = _followed([series[place] for place in chosen])
    return result


def _followed(series: Sequence[tuple[F64, Mask]]) -> F64:
    """Follow all links that are tried along series, longest first; give the best log-likelihood of each.

    Two numbers are carried: ``every``, the probability of all that was seen, and ``here``, that of being in the bad
    state as well; both relative to a link that is always good, whose likelihood is known.
    """
    count = len(series)
    lengths = np.array([len(time) for time, _ in series])
    gaps, lost = np.zeros((lengths[0], count)), np.zeros((lengths[0], count), np.bool_)
    for column, (time, missing) in enumerate(series):
        gaps[1 : len(time), column], lost[: len(time), column] = np.diff(time), missing
    spans = np.array([time[-1] - time[0] for time, _ in series])
    change = np.geomspace(1.0 / spans, lengths / spans, RATES, axis=1)
    in_bad, in_good = (part.reshape(-1, 1) for part in np.meshgrid(LOST_IN_BAD, LOST_IN_GOOD, indexing="ij"))
    cells = len(BAD_SHARES) * RATES  # of every link: shares and rates that are tried
    shape = (in_bad.size, count, cells)
    bad, both = np.broadcast_to(np.repeat(BAD_SHARES, RATES), shape).copy(), np.ones(shape)
    losses = lost.sum(axis=0)
    good = losses * np.log(in_good) + (lengths - losses) * np.log(1.0 - in_good)
    total = np.broadcast_to(good[..., None], shape).copy()
    for start in range(0, int(lengths[0]), LOGARITHM_EVERY):
        active, stop = int(np.count_nonzero(lengths > start)), start + LOGARITHM_EVERY
        here, every = bad[:, :active], both[:, :active]
        stay = np.exp(-gaps[start:stop, :active, None] * change[:active])[:, :, None]
        turn = BAD_SHARES[:, None] * (1.0 - stay)  # of all that was seen, what is bad from now on, whatever it was
        stays, turns = (np.broadcast_to(part, turn.shape).reshape(-1, active, cells) for part in (stay, turn))
        more = np.where(lost[start:stop, None, :active], in_bad / in_good, (1.0 - in_bad) / (1.0 - in_good)) - 1.0
        more.swapaxes(1, 2)[np.arange(start, start + len(more))[:, None] >= lengths[:active]] = 0.0  # it has ended
        recursion.fade(stays, turns, more, bad, both)
        total[:, :active] += np.log(every)  # of many packets at once: logarithms are dear
        np.divide(here, every, out=here)
        every.fill(1.0)
    best: F64 = total.max(axis=(0, 2))
    return best


def harmless_likelihoods(series: Sequence[tuple[F64, Mask]]) -> F64:
    """Give the log-likelihood of losses under the better of two harmless causes, chance and fading, less their price.

    Args:
        series: Times in seconds, never falling, and what was lost, of each series.

    Returns:
        Log-likelihoods, at most 0; one number is paid for chance and four for fading.
    """
    chance = np.array([chance_likelihood(lost) for _, lost in series])
    mixed = [place for place, (_, lost) in enumerate(series) if lost.any() and not lost.all()]
    fading = fading_likelihoods([series[place] for place in mixed])
    chance[mixed] = np.maximum(chance[mixed], fading - price(4, [len(series[place][1]) for place in mixed]))
    return chance


def harmless_likelihood(time: F64, lost: Mask) -> float:
    """Give that of one series: times in seconds, never falling, and what was lost."""
    return float(harmless_likelihoods([(time, lost)])[0])
