"""What a score is worth, measured on systems and look-alikes that its fit never saw.

A fit flatters itself on what it saw. So each tenth of the systems is scored by a fit of the others, and these scores
are held against the truth: how much denser are they among interfered than among untouched subjects? The ratio of
densities, made to rise with the score (isotonic regression), is the likelihood ratio that a score stands for.
"""

from collections.abc import Callable, Mapping

import attrs
import numpy as np
from numpy.typing import NDArray

from benchmarks.fit.design import Design
from netinterf.stats.calibration import rule_of_three
from netinterf.verdict.model import SUBJECTS, Knots, Model

__all__ = ["LEAST", "knots_of", "scores", "total_caps"]

F64 = NDArray[np.float64]

LEAST = 200
"""Interfered suspicions of a family that a calibration needs; with fewer, scores stand as they are within their cap."""

MOST_KNOTS = 12
"""Knots of a calibration: as many as the bins of a reliability table, more would follow noise."""


def scores(design: Design, model: Model, factors: Mapping[str, float]) -> F64:
    """Score every row of a design by its evidence under given factors."""
    matrix = design.matrix(attrs.evolve(model, factors=dict(factors)))
    weighed: F64 = matrix @ np.array([factors[rule.id] for rule in design.rules])
    return weighed


def total_caps(count: Callable[[str], int]) -> dict[str, float]:
    """Say how many nats the untouched subjects of each kind support: none of n more often than 3 / n."""
    caps = {kind: rule_of_three(count(kind)) for kind in SUBJECTS}
    return {kind: round(cap, 2) for kind, cap in caps.items() if cap > 1.0}


def knots_of(design: Design, score: F64, use: NDArray[np.bool_], cap: float) -> dict[str, Knots]:
    """Measure what scores above zero are worth, for each family of mechanisms with enough suspicions.

    Args:
        design: The suspicions.
        score: Of each row, by a fit that did not see its system.
        use: Which rows to measure on.
        cap: Most nats that any kind of subject supports.

    Returns:
        Rising pairs (score, nats) by family.
    """
    found: dict[str, Knots] = {}
    for family in np.unique(design.family).tolist():
        mine = use & (design.family == family) & (score > 0)
        if int(np.sum(design.right[mine])) >= LEAST:
            found[family] = knots(score[mine], design.right[mine], design.base[mine], cap)
    return found


def knots(score: F64, right: NDArray[np.bool_], base: F64, cap: float) -> Knots:
    """Turn scores and truth into rising pairs (score, nats).

    Isotonic regression cuts the scores into stretches of equal share. The likelihood ratio of a stretch is the share of
    all interfered subjects that fall into it over the share of untouched ones, one untouched subject more than was
    seen: the next capture may hold it.
    """
    from scipy.optimize import isotonic_regression

    places, own = np.unique(score, return_inverse=True)
    scale = np.exp(base)  # what one untouched suspicion counts, so that both kinds are equally frequent
    hit = np.bincount(own, right, len(places))
    spared = np.bincount(own, np.where(right, 0.0, scale), len(places))
    fitted = isotonic_regression(hit / (hit + spared), weights=hit + spared).x
    edges = np.flatnonzero(np.diff(fitted) > 1e-12) + 1
    first, last = np.append(0, edges), np.append(edges, len(places)) - 1
    inside, beside = np.add.reduceat(hit, first), np.add.reduceat(spared, first)
    with np.errstate(divide="ignore"):
        nats = np.log(inside) - np.log(beside + float(np.mean(scale)))
    nats = np.maximum.accumulate(np.clip(nats, 0.0, cap))
    ends = np.stack([places[first], places[last]], axis=1).reshape(-1)[:-1]  # the last stretch goes on for ever
    return thinned(ends, np.repeat(nats, 2)[:-1])


def thinned(score: F64, nats: F64) -> Knots:
    """Keep at most `MOST_KNOTS` knots, those that a broken line through them misses least."""
    pick = np.unique(np.searchsorted(nats, np.linspace(nats[0], nats[-1], MOST_KNOTS - 1)).clip(0, len(nats) - 1))
    pick = np.unique(np.append(pick, len(nats) - 1))
    pairs: list[tuple[float, float]] = []
    for x, y in zip(score[pick].tolist(), nats[pick].tolist(), strict=True):
        if x > (pairs[-1][0] if pairs else 0.0) + 1e-3:
            pairs.append((round(x, 3), round(y, 3)))
    return tuple(pairs)
