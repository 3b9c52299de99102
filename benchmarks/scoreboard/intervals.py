"""How far a counted rate may be from the true one."""

from collections.abc import Sequence

import numpy as np
from scipy.special import betaincinv, ndtri

__all__ = ["clopper_pearson", "clustered_upper", "precision", "upper_bound", "wilson"]

CONFIDENCE = 0.95


def wilson(found: float, count: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Give the two-sided score interval of a share (Wilson, JASA 1927), whole range without observations.

    Args:
        found: Successes.
        count: Trials.
        confidence: Probability that the interval holds the true share.
    """
    if count == 0:
        return 0.0, 1.0
    z = float(ndtri(0.5 + confidence / 2))
    share, weight = found / count, z * z / count
    centre = (share + weight / 2) / (1 + weight)
    half = z * float(np.sqrt(share * (1 - share) / count + weight / (4 * count))) / (1 + weight)
    return (0.0 if found == 0 else centre - half), (1.0 if found == count else centre + half)


def clopper_pearson(found: float, count: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Give the two-sided exact interval of a share (Clopper and Pearson, Biometrika 1934)."""
    tail = (1 - confidence) / 2
    low = 0.0 if found <= 0 else float(betaincinv(found, count - found + 1, tail))
    high = 1.0 if found >= count else float(betaincinv(found + 1, count - found, 1 - tail))
    return low, high


def upper_bound(found: float, count: float, confidence: float = CONFIDENCE) -> float:
    """Give the one-sided exact upper bound of a share; none found in n trials gives about 3 / n (rule of three)."""
    return 1.0 if found >= count else float(betaincinv(found + 1, count - found, confidence))


def clustered_upper(found: Sequence[int], sizes: Sequence[int], confidence: float = CONFIDENCE) -> float:
    """Give an upper bound of a share when trials come in clusters whose members may go wrong together.

    The exact bound with the effective number of trials (Korn and Graubard, Survey Methodology 1998): the number of
    trials over the design effect. Where at least two clusters went wrong the design effect is the variance of the ratio
    estimator between clusters over that of independent trials (Cochran, Sampling Techniques, section 6.3), at least 1.
    With fewer nothing can be estimated, so members are taken to go wrong together always: the effective number is
    then that of Kish (Survey Sampling, section 11.7), ``(Σm)² / Σm²`` for clusters of sizes m.

    Args:
        found: Successes of each cluster.
        sizes: Trials of each cluster.
        confidence: Probability that the bound holds.
    """
    wrong, size = np.asarray(found, np.float64), np.asarray(sizes, np.float64)
    count = float(size.sum())
    if count == 0:
        return 1.0
    share = float(wrong.sum()) / count
    most = float(np.sum(size**2)) / count  # design effect when the members of a cluster always agree
    effect = most
    if np.count_nonzero(wrong) >= 2 and len(size) >= 2 and share < 1:
        spread = float(np.sum((wrong - share * size) ** 2)) * len(size) / (len(size) - 1)
        effect = min(max(spread / (count * share * (1 - share)), 1.0), max(most, 1.0))
    effective = count / max(effect, 1.0)
    return upper_bound(share * effective, effective, confidence)


def precision(recall: float, false_rate: float, benign_per_positive: float) -> float | None:
    """Compute which share of the accusations is right at a base rate.

    Args:
        recall: Share of interfered subjects that are found.
        false_rate: Share of benign subjects that are accused.
        benign_per_positive: How many benign subjects there are to one interfered.

    Returns:
        The share; None when nothing would be accused at all.
    """
    accused = recall + false_rate * benign_per_positive
    return recall / accused if accused > 0 else None
