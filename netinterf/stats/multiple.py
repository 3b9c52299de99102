"""False-discovery control: how many of many findings may be believed at once.

Step-up procedures over p-values (Benjamini and Hochberg 1995; Benjamini and Yekutieli 2001 for any dependence) and
over e-values (Wang and Ramdas 2022), which need no assumption on dependence at all. Each returns one q-value per
finding: the least error rate at which it is still rejected. Rejecting all with q ≤ α is the procedure at level α.
"""

import numpy as np
from numpy.typing import ArrayLike

from netinterf.arrays import F64
from netinterf.errors import ParameterError

__all__ = ["benjamini_hochberg", "benjamini_yekutieli", "e_benjamini_hochberg", "posterior_q"]


def benjamini_hochberg(p: ArrayLike) -> F64:
    """Turn p-values into q-values for independent or positively dependent tests.

    Args:
        p: p-values, n of them, from 0 to 1.

    Returns:
        q-values in the order given, never below their p-values. Empty in, empty out.

    Raises:
        ParameterError: A value is NaN or not from 0 to 1.
    """
    values = np.asarray(p, np.float64).reshape(-1)
    if not np.all((values >= 0) & (values <= 1)):
        raise ParameterError("p", values[~((values >= 0) & (values <= 1))][0], "from 0 to 1")
    return _step_up(values)


def benjamini_yekutieli(p: ArrayLike) -> F64:
    """Turn p-values into q-values that hold under any dependence: larger by the harmonic number of their count."""
    values = benjamini_hochberg(p)
    harmonic = float(np.sum(1.0 / np.arange(1, len(values) + 1)))
    return np.minimum(values * harmonic, 1.0) if len(values) else values


def e_benjamini_hochberg(e: ArrayLike) -> F64:
    """Turn e-values into q-values that hold under any dependence (e-BH).

    The k largest are rejected at level α when the k-th is at least ``n / (k·α)``: Benjamini–Hochberg over ``1/e``.

    Args:
        e: e-values, n of them, at least 0; infinity is allowed.

    Returns:
        q-values in the order given, at most 1. Empty in, empty out.

    Raises:
        ParameterError: A value is NaN or negative.
    """
    values = np.asarray(e, np.float64).reshape(-1)
    if not np.all(values >= 0):
        raise ParameterError("e", values[~(values >= 0)][0], "at least 0")
    with np.errstate(divide="ignore", over="ignore"):
        return _step_up(1.0 / values)


def posterior_q(probability: ArrayLike) -> F64:
    """Turn calibrated probabilities into q-values: the mean error among all findings at least as probable.

    Source: Storey 2003, "The positive false discovery rate", the Bayesian reading of the q-value.

    Args:
        probability: Probability that each finding is true, n of them.

    Returns:
        Expected share of false ones among the findings ranked no lower; ties share one value. Empty in, empty out.

    Raises:
        ParameterError: A value is NaN or not from 0 to 1.
    """
    values = np.asarray(probability, np.float64).reshape(-1)
    if not np.all((values >= 0) & (values <= 1)):
        raise ParameterError("probability", values[~((values >= 0) & (values <= 1))][0], "from 0 to 1")
    order = np.argsort(-values, kind="stable")
    ranked = values[order]
    mean = np.cumsum(1.0 - ranked) / np.arange(1, len(values) + 1)
    last = np.searchsorted(-ranked, -ranked, side="right") - 1
    result = np.empty(len(values))
    result[order] = mean[last]
    return result


def _step_up(values: F64) -> F64:
    """Apply the step-up rule: ``min over ranks k ≥ own of value_(k) · n / k``, at most 1."""
    count = len(values)
    order = np.argsort(values, kind="stable")
    scaled = values[order] * count / np.arange(1, count + 1)
    result = np.empty(count)
    result[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return result
