"""Do the probabilities mean what they say?

A corpus holds far more interference than traffic does, so its units are weighted to a base rate before a probability is
compared with how often it was right. The scores themselves are those of `netinterf.stats`.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from netinterf.arrays import F64
from netinterf.stats import Reliability, brier, calibration_error, log_loss, reliability

__all__ = ["error_by_chance", "report", "weights"]

DRAWS = 200
"""Perfectly calibrated corpora that the expected calibration error is compared with."""


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


def error_by_chance(diagram: Reliability) -> float:
    """Give the calibration error that exactly right probabilities would show in these bins.

    Bins of few units are off by chance, so the error is biased upwards; this is drawn :data:`DRAWS` times.
    """
    rng = np.random.default_rng(0)
    trials = np.maximum(np.rint(diagram.effective), 1).astype(np.int64)
    said = np.minimum(diagram.probability, 1.0)
    drawn = rng.binomial(trials, said, (DRAWS, len(trials))) / trials
    return float(np.mean(np.abs(drawn - said) @ diagram.weight)) if len(trials) else 0.0


def report(probability: ArrayLike, interfered: ArrayLike, benign_per_positive: float | None) -> dict[str, Any]:
    """Give all scores of one set of probabilities at a base rate; None takes the corpus as it is."""
    p, y = np.asarray(probability, np.float64), np.asarray(interfered, np.bool_)
    if len(p) == 0:
        return {"units": 0}
    w = weights(y, benign_per_positive)
    diagram = reliability(p, y, w)
    return {
        "units": len(p),
        "interfered": int(y.sum()),
        "benign_per_positive": benign_per_positive,
        "brier": brier(p, y, w),
        "log_loss": log_loss(p, y, w),
        "error": calibration_error(diagram),
        "error_if_calibrated": error_by_chance(diagram),
        "bins": bins(diagram),
    }


def bins(diagram: Reliability) -> list[dict[str, float]]:
    """Write a reliability diagram bin by bin."""
    columns = ("count", "weight", "effective", "probability", "share", "low", "high")
    rows = zip(*(getattr(diagram, name).tolist() for name in columns), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]
