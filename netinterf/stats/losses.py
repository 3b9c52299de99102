"""How likely losses are without any limit: by chance, or on a link that fades.

By chance every packet is lost with one probability. A fading link is good or bad for a while, both for random times,
and loses packets with a probability of its own in either state (Gilbert, "Capacity of a burst-noise channel", BSTJ
1960; Elliott, BSTJ 1963; in continuous time, so that pauses count). Which state it is in is never seen, so the
likelihood is summed over both, packet after packet. Outages, radio links and roaming lose packets so.

Explanations with more numbers to choose fit better by themselves. Each free number costs half the logarithm of how
many packets there are (Schwarz, "Estimating the dimension of a model", 1978).
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["binomial_likelihood", "chance_likelihood", "fading_likelihood", "harmless_likelihood", "price"]

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

RATES = 8
"""How quickly the state changes: so many rates, evenly in the logarithm, between once in the whole series and once a
packet."""

BAD_SHARES = np.array([0.01, 0.03, 0.1, 0.2, 0.4, 0.6, 0.8])
LOST_IN_BAD = np.array([0.5, 0.8, 0.95, 0.999])
LOST_IN_GOOD = np.array([0.001, 0.01, 0.05])
"""Shares of the time that are bad, and loss probabilities of both states, that are tried."""

LOGARITHM_EVERY = 32
"""Factors, each 0.0005 at least, whose product stays far above the least number there is (0.0005 ** 32 = 1e-106)."""

LEAST_PACKETS = 3
"""Packets below which a state cannot change and come back."""


def price(numbers: int, count: int) -> float:
    """Give what so many free numbers cost an explanation of so many packets, nats."""
    return 0.5 * numbers * float(np.log(max(count, 1)))


def binomial_likelihood(hits: I64, trials: I64) -> F64:
    """Give the greatest log-likelihood of so many hits in so many trials; 0 for no trials."""
    rest, total = trials - hits, np.maximum(trials, 1)
    part: F64 = hits * np.log(np.maximum(hits, 1) / total) + rest * np.log(np.maximum(rest, 1) / total)
    return part


def chance_likelihood(lost: Bool) -> float:
    """Give the log-likelihood of losses by chance, less the price of their share; 0 for no packets."""
    count = np.array([len(lost)])
    return float(binomial_likelihood(np.array([np.count_nonzero(lost)]), count)[0]) - price(1, len(lost))


def fading_likelihood(time: F64, lost: Bool) -> float:
    """Give the log-likelihood of losses on the fading link that explains them best.

    Args:
        time: Seconds, never falling, n of them.
        lost: Whether the packet was lost, n.

    Returns:
        The log-likelihood; -inf with fewer than three packets or none at a later time.
    """
    gaps = np.diff(time)
    moving = gaps[gaps > 0]
    if len(time) < LEAST_PACKETS or len(moving) == 0:
        return -np.inf
    span = float(time[-1] - time[0])
    change = np.geomspace(1.0 / span, len(time) / span, RATES)
    grid = np.meshgrid(BAD_SHARES, LOST_IN_BAD, LOST_IN_GOOD, indexing="ij")
    share, bad, good = (part.reshape(1, -1) for part in grid)
    state = np.broadcast_to(share, (len(change), share.size)).copy()  # probability of the bad state
    total, product = np.zeros_like(state), np.ones_like(state)
    told = {True: (bad - good, good), False: (good - bad, 1.0 - good)}
    kept = np.exp(-np.diff(time, prepend=time[:1])[:, None] * change)[:, :, None]
    for place, (keeps, missing) in enumerate(zip(kept, lost.tolist(), strict=True)):
        state -= share
        state *= keeps
        state += share
        more, least = told[missing]
        whole = state * more
        whole += least
        state *= more + least
        state /= whole
        product *= whole
        if place % LOGARITHM_EVERY == 0:  # of many at once: logarithms are dear
            total += np.log(product)
            product.fill(1.0)
    total += np.log(product)
    return float(total.max())


def harmless_likelihood(time: F64, lost: Bool) -> float:
    """Give the log-likelihood of losses under the better of two harmless causes, chance and fading, less their price.

    Args:
        time: Seconds, never falling, n of them.
        lost: Whether the packet was lost, n.

    Returns:
        The log-likelihood, at most 0; one number is paid for chance and four for fading.
    """
    chance, count = chance_likelihood(lost), len(lost)
    if int(np.count_nonzero(lost)) in (0, count):
        return chance
    return max(chance, fading_likelihood(time, lost) - price(4, count))
