"""Factors of rules by logistic regression, held to what a likelihood ratio may be.

The intercept is no parameter: it is the prior of the mechanism, so a suspicion without weight keeps exactly its prior
odds, and what the weights add up to is a log-likelihood ratio. Factors are never negative: evidence does not change
sides. Each is drawn towards 1, the weight of the literature, as if that weight had been measured with a standard
deviation of two nats, so rules that the corpus hardly shows keep their starting value.
"""

from collections.abc import Mapping, Sequence

import attrs
import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_array

from benchmarks.fit.design import Design
from netinterf.arrays import F64, Mask
from netinterf.schema import Rule
from netinterf.verdict.model import Model

__all__ = ["FLOOR", "LARGEST", "fit_factors"]

SPREAD = 2.0
"""Standard deviation, in nats, of the weights that come from the literature: the spread between the sources that gave
more than one value for one sign (for the hop limit of a reset 1 to 3, for forged answers 1.5 to 4.5 nats)."""

LARGEST = 3.0
"""A factor multiplies a weight by at most this much: what is three times as strong needs a rule of its own."""

ROUNDS = 6
"""Which observation of a group is strongest depends on the factors, so both are found in turn; they settle in four."""

FLOOR = 0.7
"""Least factor of a rule that no benign traffic fires, real or simulated, though it could have often enough: what the
corpus says against it then is only that other signs come with it, and they need not come in the next censor."""


def fit_factors(
    design: Design,
    model: Model,
    use: Mask,
    near: Mapping[str, float] | None = None,
    spotless: frozenset[str] = frozenset(),
) -> dict[str, float]:
    """Fit one factor per rule.

    Args:
        design: The regression problem.
        model: Caps, and factors to begin with.
        use: Which subjects may be looked at.
        near: Factors to begin with, of a fit to much the same rows; None begins with 1.
        spotless: Rules whose factors stay above `FLOOR`.

    Returns:
        Factor by rule id, for every rule of the design.
    """
    seen = use[design.suspicions.row[design.kept]]
    right = design.right[seen].astype(np.float64)
    base, weight = design.base[seen], design.weight[seen]
    usual = usual_weights(design)
    stiffness = (usual / SPREAD) ** 2
    factors = np.array([1.0 if near is None else near[rule.id] for rule in design.rules])
    bounds = [limits_of(rule, model.joint, spotless) for rule in design.rules]
    for _ in range(ROUNDS if near is None else ROUNDS // 2):
        names = {rule.id: float(factor) for rule, factor in zip(design.rules, factors, strict=True)}
        matrix = design.matrix(attrs.evolve(model, factors=names))[seen]
        factors = solve(matrix, right, base, weight, stiffness, factors, bounds)
    return {rule.id: round(float(factor), 3) for rule, factor in zip(design.rules, factors, strict=True)}


def limits_of(rule: Rule, joint: tuple[str, ...], spotless: frozenset[str]) -> tuple[float, float]:
    """Say between which values the factor of a rule lies: parts of one likelihood ratio keep their weights."""
    if rule.mechanism in joint:
        return 1.0, 1.0
    return (FLOOR if rule.id in spotless else 0.0), LARGEST


def usual_weights(design: Design) -> F64:
    """Compute the mean size of each rule's weights over the corpus, 0 for rules that were not seen."""
    evidence = design.corpus.evidence
    usable = np.flatnonzero(np.isfinite(evidence.llr) & (evidence.llr != 0))
    count = np.bincount(evidence.rule[usable], minlength=len(design.rules))
    total = np.bincount(evidence.rule[usable], np.abs(evidence.llr[usable]), len(design.rules))
    mean: F64 = total / np.maximum(count, 1)
    return mean


def solve(
    matrix: csr_array,
    right: F64,
    base: F64,
    weight: F64,
    stiffness: F64,
    start: F64,
    bounds: Sequence[tuple[float, float]],
) -> F64:
    """Maximise the penalised likelihood for given rows.

    Args:
        matrix: Weights, rows by rules.
        right: 1 or 0 per row.
        base: Log-odds of each row before evidence.
        weight: How many subjects each row stands for.
        stiffness: Penalty of each factor's distance from 1.
        start: Where to begin.
        bounds: Between which values each factor lies.
    """
    turned = matrix.T.tocsr()

    def loss(factors: F64) -> tuple[float, F64]:
        score = base + matrix @ factors
        value = np.sum(weight * (np.logaddexp(0.0, score) - right * score))
        error = weight * (1.0 / (1.0 + np.exp(-np.clip(score, -500, 500))) - right)
        distance = factors - 1.0
        gradient = turned @ error + stiffness * distance
        return float(value + 0.5 * np.sum(stiffness * distance**2)), gradient

    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    factors: F64 = np.where(stiffness > 0, found.x, 1.0)
    return factors
