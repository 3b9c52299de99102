"""Scores that mean what they say: fitted to examples, turned into likelihood ratios, and checked.

A detector's score becomes a probability by a curve fitted to labelled examples: Platt's logistic curve where these are
few, an isotonic one where they are many. A probability holds the base rate of the examples; what may be combined with
other evidence is the likelihood ratio, and no more of it than the number of examples supports.

Sources: Platt, "Probabilistic outputs for support vector machines", 1999; Lin, Lin and Weng, Machine Learning 2007 (a
stable fit); Zadrozny and Elkan, KDD 2002 (isotonic); Hanley and Lippman-Hand, JAMA 1983 (rule of three); Brier,
Monthly Weather Review 1950; Good, JRSS B 1952 (log loss); Naeini, Cooper and Hauskrecht, AAAI 2015, and Nixon et al.,
CVPR Workshops 2019 (calibration error in bins of equal count).
"""

import numpy as np
from numpy.typing import ArrayLike

from netinterf.arrays import F64, I64, Mask
from netinterf.errors import ParameterError
from netinterf.stats.rates import wilson
from netinterf.values import frozen

__all__ = [
    "BINS",
    "LEAST",
    "Reliability",
    "apply_isotonic",
    "brier",
    "calibration_error",
    "isotonic",
    "likelihood_ratio",
    "log_loss",
    "platt",
    "reliability",
    "rule_of_three",
]

BINS = 12
"""Bins of equal count; 10 to 15 are usual, fewer hide and more only add noise."""

LEAST = 1e-12
"""Probabilities are kept this far from 0 and 1 in the logarithm."""

STEPS, CLOSE = 100, 1e-12
"""Most Newton steps; and the relative fall of the loss below which they end, also added to the curvature, which may
be singular."""


@frozen(eq=False, kw_only=True)
class Reliability:
    """A reliability diagram: what was said against what was true, one number per bin."""

    count: I64  # examples
    weight: F64  # share of all weight
    effective: F64  # examples of equal weight that would be as telling (Kish 1965)
    probability: F64  # weighted mean of what was said
    share: F64  # weighted share of true ones
    low: F64  # Wilson interval of the share
    high: F64


def platt(score: ArrayLike, truth: ArrayLike, weight: ArrayLike | None = None) -> tuple[float, float]:
    """Fit the logistic curve ``1 / (1 + exp(-(slope·score + intercept)))`` by Newton's method.

    The targets are Platt's, ``(N₊ + 1) / (N₊ + 2)`` and ``1 / (N₋ + 2)`` with the numbers of true and false examples
    instead of 1 and 0, so that separable examples have a finite fit. A score that falls with truth gets slope 0: it
    was meant to rise.

    Args:
        score: Scores, n of them, finite.
        truth: Whether each example is true.
        weight: Weight of each example, at least 0; all alike when None. Weights do not change the targets.

    Returns:
        Slope, at least 0, and intercept. Constant scores have slope 0; without examples both are 0.

    Raises:
        ParameterError: The columns differ in length, a score is not finite or a weight is not allowed.
    """
    raw, right, mass = _checked_examples(score, truth, weight, "score")
    if not np.isfinite(raw).all():
        raise ParameterError("score", raw[~np.isfinite(raw)][0], "finite")
    raw, right, mass = raw[mass > 0], right[mass > 0], mass[mass > 0]
    if len(raw) == 0:
        return 0.0, 0.0
    positive = int(np.count_nonzero(right))
    target = np.where(right, (positive + 1) / (positive + 2), 1 / (len(raw) - positive + 2))
    mass = mass / mass.sum()
    mean = float(mass @ target)
    flat = float(np.log(mean) - np.log1p(-mean))
    low, width = float(raw.min()), float(np.ptp(raw / 2)) * 2
    if not 0 < width < np.inf:
        return 0.0, flat
    slope, intercept = _newton((raw - low) / width, target, mass, flat)
    return (slope / width, intercept - slope / width * low) if slope > 0 else (0.0, flat)


def _newton(x: F64, target: F64, mass: F64, start: float) -> tuple[float, float]:
    """Minimise the cross-entropy over slope and intercept with backtracking (Lin, Lin and Weng 2007)."""

    def loss(point: F64) -> float:
        z = point[0] * x + point[1]
        return float(mass @ (np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z))) - target * z))

    at, design = np.array([0.0, start]), np.stack([x, np.ones(len(x))])
    value = loss(at)
    for _ in range(STEPS):
        z = at[0] * x + at[1]
        tail = np.exp(-np.abs(z))
        p = np.where(z >= 0, 1.0, tail) / (1 + tail)
        curve = mass * tail / (1 + tail) ** 2
        gradient = design @ (mass * (p - target))
        hessian = (design * curve) @ design.T + CLOSE * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        scale = 1.0
        while (there := loss(at - scale * step)) > value - 1e-4 * scale * float(gradient @ step) and scale > CLOSE:
            scale /= 2
        fall = value - there
        if fall <= 0:
            break
        at, value = at - scale * step, there
        if fall < CLOSE * max(value, CLOSE):
            break
    return float(at[0]), float(at[1])


def isotonic(score: ArrayLike, truth: ArrayLike, weight: ArrayLike | None = None) -> tuple[F64, F64]:
    """Fit the best non-decreasing curve from score to probability.

    Equal scores are one place. Probabilities are kept within Platt's targets, ``1 / (N₋ + 2)`` to
    ``(N₊ + 1) / (N₊ + 2)``: no number of examples shows that something never happens.

    Args:
        score: Scores, n of them, finite.
        truth: Whether each example is true.
        weight: Weight of each example, at least 0; all alike when None.

    Returns:
        Rising scores and their probabilities, for :func:`apply_isotonic`: the ends of the steps of the curve. One
        knot of probability 1/2 without examples.

    Raises:
        ParameterError: The columns differ in length, a score is not finite or a weight is not allowed.
    """
    from scipy.optimize import isotonic_regression

    raw, right, mass = _checked_examples(score, truth, weight, "score")
    if not np.isfinite(raw).all():
        raise ParameterError("score", raw[~np.isfinite(raw)][0], "finite")
    raw, right, mass = raw[mass > 0], right[mass > 0], mass[mass > 0]
    if len(raw) == 0:
        return np.zeros(1), np.full(1, 0.5)
    places, own = np.unique(raw, return_inverse=True)
    mass = mass / mass.max()
    total = np.maximum(np.bincount(own, mass), np.finfo(np.float64).tiny)
    share = np.bincount(own, mass * right) / total
    curve = np.asarray(isotonic_regression(share, weights=total).x, np.float64)
    positive = int(np.count_nonzero(right))
    curve = np.clip(curve, 1 / (len(raw) - positive + 2), (positive + 1) / (positive + 2))
    change = np.diff(curve) > 0
    kept = np.append(change, True) | np.insert(change, 0, True)  # last and first place of each step
    return places[kept], curve[kept]


def apply_isotonic(score: ArrayLike, knots: tuple[F64, F64]) -> F64:
    """Read probabilities off a fitted curve: linear between knots, constant beyond them.

    Args:
        score: Scores, n of them; infinities are beyond the ends.
        knots: What :func:`isotonic` gave.

    Returns:
        Probabilities, n of them; NaN for NaN.

    Raises:
        ParameterError: The knots are none, or differ in length.
    """
    x, y = np.asarray(knots[0], np.float64), np.asarray(knots[1], np.float64)
    if len(x) == 0 or len(x) != len(y):
        raise ParameterError("knots", (len(x), len(y)), "as many probabilities as scores, at least one")
    return np.asarray(np.interp(np.asarray(score, np.float64).reshape(-1), x, y), np.float64)


def likelihood_ratio(probability: ArrayLike, prevalence: float) -> F64:
    """Take the base rate of the examples out of calibrated probabilities: ``logit(p) - logit(prevalence)``.

    Args:
        probability: Calibrated probabilities, n of them.
        prevalence: Share of true examples among those that the curve was fitted to.

    Returns:
        Log-likelihood ratios in nats, infinite for 0 and 1; cap them with :func:`rule_of_three`.

    Raises:
        ParameterError: A probability is not from 0 to 1, or the prevalence not between.
    """
    p = _checked_probability(probability)
    if not 0.0 < prevalence < 1.0:
        raise ParameterError("prevalence", prevalence, "above 0 and below 1")
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(p) - np.log1p(-p) - (np.log(prevalence) - np.log1p(-prevalence)))


def rule_of_three(count: float) -> float:
    """Give the largest log-likelihood ratio that so many examples support: none of n wrong still allows 3 / n.

    Args:
        count: Examples of the other kind: false ones for evidence of truth, true ones for evidence against it.

    Returns:
        ``ln(count / 3)`` in nats, 0 for three examples and fewer.
    """
    return float(np.log(count / 3)) if count > 3 else 0.0


def brier(probability: ArrayLike, truth: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Give the weighted mean squared error of probabilities; NaN without examples."""
    p, right, mass = _checked_examples(_checked_probability(probability), truth, weight, "probability")
    return float(np.average((p - right) ** 2, weights=mass)) if mass.sum() > 0 else float("nan")


def log_loss(probability: ArrayLike, truth: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Give the weighted mean negative log-likelihood in nats, clipped at :data:`LEAST`; NaN without examples."""
    p, right, mass = _checked_examples(_checked_probability(probability), truth, weight, "probability")
    kept = np.clip(p, LEAST, 1 - LEAST)
    return float(np.average(-np.log(np.where(right, kept, 1 - kept)), weights=mass)) if mass.sum() > 0 else float("nan")


def reliability(
    probability: ArrayLike, truth: ArrayLike, weight: ArrayLike | None = None, bins: int = BINS
) -> Reliability:
    """Part examples by rank of probability into bins of equal count; equal probabilities are never parted.

    Args:
        probability: What was said, n numbers from 0 to 1.
        truth: What was true.
        weight: Weight of each example, at least 0; all alike when None. Examples without weight are left out.
        bins: How many; fewer come out when many probabilities are equal.

    Returns:
        One row per bin that holds examples, by rising probability; none without examples.

    Raises:
        ParameterError: The columns differ in length, or a number is out of range.
    """
    p, right, mass = _checked_examples(_checked_probability(probability), truth, weight, "probability")
    if bins < 1:
        raise ParameterError("bins", bins, "at least 1")
    p, right, mass = p[mass > 0], right[mass > 0], mass[mass > 0]
    mass = mass / mass.sum() if len(mass) else mass
    rank = np.searchsorted(np.sort(p), p, side="left")
    _, number, count = np.unique(rank * bins // max(len(p), 1), return_inverse=True, return_counts=True)
    total = np.asarray(np.bincount(number, mass), np.float64)
    divisor = np.where(total > 0, total, 1.0)
    share = np.minimum(np.bincount(number, mass * right) / divisor, 1.0)
    largest = np.zeros(len(total))
    np.maximum.at(largest, number, mass)
    alike = mass / largest[number]  # squares of small weights would vanish
    effective = np.bincount(number, alike) ** 2 / np.bincount(number, alike**2)
    low, high = wilson(share * effective, effective)
    return Reliability(
        count=count.astype(np.int64),
        weight=total,
        effective=effective,
        probability=np.bincount(number, mass * p) / divisor,
        share=share,
        low=low,
        high=high,
    )


def calibration_error(diagram: Reliability) -> float:
    """Give the expected calibration error: mean distance of said and true shares, by weight; 0 without bins.

    Bins of few examples are off by chance, so even exact probabilities have an error above 0.
    """
    return float(np.sum(diagram.weight * np.abs(diagram.probability - diagram.share)))


def _checked_examples(value: ArrayLike, truth: ArrayLike, weight: ArrayLike | None, name: str) -> tuple[F64, Mask, F64]:
    """Refuse columns of different length and weights that are none; give all three, weights of 1 when None."""
    numbers, right = np.asarray(value, np.float64).reshape(-1), np.asarray(truth, np.bool_).reshape(-1)
    mass = np.ones(len(numbers)) if weight is None else np.asarray(weight, np.float64).reshape(-1)
    if not len(numbers) == len(right) == len(mass):
        raise ParameterError("truth, weight", (len(right), len(mass)), f"as long as {name} ({len(numbers)})")
    if not np.all((mass >= 0) & (mass < np.inf)):
        raise ParameterError("weight", mass[~((mass >= 0) & (mass < np.inf))][0], "at least 0 and finite")
    return numbers, right, mass


def _checked_probability(probability: ArrayLike) -> F64:
    p = np.asarray(probability, np.float64).reshape(-1)
    if not np.all((p >= 0) & (p <= 1)):
        raise ParameterError("probability", p[~((p >= 0) & (p <= 1))][0], "from 0 to 1")
    return p
