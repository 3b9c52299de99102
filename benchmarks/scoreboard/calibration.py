"""Do the probabilities mean what they say?

A corpus holds far more interference than traffic does, so its units are weighted to a base rate before a probability is
compared with how often it was right. Each score is a proper one or says how far from it the probabilities are.
"""

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmarks.scoreboard.intervals import wilson

__all__ = [
    "BINS",
    "Bin",
    "brier",
    "calibration_error",
    "error_by_chance",
    "log_loss",
    "reliability",
    "report",
    "weights",
]

BINS = 12
"""Bins of equal count; 10 to 15 are usual, fewer hide and more only add noise."""

LEAST = 1e-12
"""Probabilities are kept this far from 0 and 1 in the logarithm."""

DRAWS = 200
"""Perfectly calibrated corpora that the expected calibration error is compared with."""

F64 = NDArray[np.float64]


@attrs.frozen(kw_only=True)
class Bin:
    """One bin of a reliability diagram."""

    units: int
    predicted: float  # weighted mean probability
    observed: float  # weighted share of interfered units
    effective: float  # units of equal weight that would be as telling (Kish)
    low: float  # Wilson interval of the share
    high: float
    weight: float  # share of all weight


def weights(interfered: ArrayLike, benign_per_positive: float | None) -> F64:
    """Weigh units so that the corpus has a base rate; None leaves all alike. Weights sum to 1.

    A corpus of one kind only cannot be weighted and gets equal weights.
    """
    truth = np.asarray(interfered, np.bool_)
    positive, negative = int(truth.sum()), int((~truth).sum())
    if benign_per_positive is None or not positive or not negative:
        return np.full(len(truth), 1.0 / max(len(truth), 1))
    share = 1.0 / (1.0 + benign_per_positive)
    return np.where(truth, share / positive, (1 - share) / negative)


def brier(probability: ArrayLike, interfered: ArrayLike, weight: ArrayLike) -> float:
    """Give the mean squared error of probabilities (Brier, Monthly Weather Review 1950)."""
    p, y = np.asarray(probability, np.float64), np.asarray(interfered, np.float64)
    return float(np.average((p - y) ** 2, weights=np.asarray(weight, np.float64)))


def log_loss(probability: ArrayLike, interfered: ArrayLike, weight: ArrayLike) -> float:
    """Give the mean negative log-likelihood in nats (Good, JRSS B 1952)."""
    p = np.clip(np.asarray(probability, np.float64), LEAST, 1 - LEAST)
    y = np.asarray(interfered, np.bool_)
    return float(np.average(-np.log(np.where(y, p, 1 - p)), weights=np.asarray(weight, np.float64)))


def reliability(probability: ArrayLike, interfered: ArrayLike, weight: ArrayLike, bins: int = BINS) -> list[Bin]:
    """Part units by rank of probability into bins of equal count; equal probabilities are never parted.

    Args:
        probability: What was said, n numbers.
        interfered: What was true.
        weight: Weight of each unit.
        bins: How many; fewer come out when many probabilities are equal.
    """
    p, y = np.asarray(probability, np.float64), np.asarray(interfered, np.float64)
    w = np.asarray(weight, np.float64)
    if len(p) == 0:
        return []
    number = bin_numbers(p, bins)
    found = []
    for place in np.unique(number):
        chosen = number == place
        mass = float(w[chosen].sum())
        observed = float(np.average(y[chosen], weights=w[chosen]))
        effective = mass**2 / float(np.sum(w[chosen] ** 2))
        low, high = wilson(observed * effective, effective)
        found.append(
            Bin(units=int(chosen.sum()), predicted=float(np.average(p[chosen], weights=w[chosen])), observed=observed,
                effective=effective, low=low, high=high, weight=mass / float(w.sum()))
        )  # fmt: skip
    return found


def bin_numbers(p: F64, bins: int) -> NDArray[np.int64]:
    """Number the bin of each probability by the rank of the first one equal to it."""
    rank = np.searchsorted(np.sort(p), p, side="left")
    return rank * bins // len(p)


def calibration_error(bins: Sequence[Bin]) -> float:
    """Give the expected calibration error: mean distance of said and true shares, by weight.

    Source: Naeini, Cooper and Hauskrecht, AAAI 2015; bins of equal count as in Nixon et al., CVPR Workshops 2019.
    """
    return sum(one.weight * abs(one.predicted - one.observed) for one in bins)


def error_by_chance(bins: Sequence[Bin]) -> float:
    """Give the calibration error that exactly right probabilities would show in these bins.

    Bins of few units are off by chance, so the error is biased upwards; this is drawn :data:`DRAWS` times.
    """
    rng = np.random.default_rng(0)
    gaps = np.zeros(DRAWS)
    for one in bins:
        trials = max(round(one.effective), 1)
        gaps += one.weight * np.abs(rng.binomial(trials, min(one.predicted, 1.0), DRAWS) / trials - one.predicted)
    return float(gaps.mean())


def report(probability: ArrayLike, interfered: ArrayLike, benign_per_positive: float | None) -> dict[str, Any]:
    """Give all scores of one set of probabilities at a base rate; None takes the corpus as it is."""
    p, y = np.asarray(probability, np.float64), np.asarray(interfered, np.bool_)
    if len(p) == 0:
        return {"units": 0}
    w = weights(y, benign_per_positive)
    bins = reliability(p, y, w)
    return {
        "units": len(p),
        "interfered": int(y.sum()),
        "benign_per_positive": benign_per_positive,
        "brier": brier(p, y, w),
        "log_loss": log_loss(p, y, w),
        "error": calibration_error(bins),
        "error_if_calibrated": error_by_chance(bins),
        "bins": [attrs.asdict(one) for one in bins],
    }
