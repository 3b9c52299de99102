"""Evidence of members that may go wrong together: one client's flows, one server's answers, one minute's packets.

Adding log-likelihood ratios is right for independent members only. Where nothing is known about the dependence the
mean of the likelihood ratios is still valid; where the correlation is known or guessed, the evidence of each member is
divided by the design effect.

Sources: Vovk and Wang, "E-values: Calibration, combination and applications", Annals of Statistics 2021, §3 (the
mean); Kish, "Survey Sampling", 1965, §5.4 (the design effect); Donner, International Statistical Review 1986, and
Shrout and Fleiss, Psychological Bulletin 1979 (the intraclass correlation).
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netinterf.arrays import F64, I64
from netinterf.errors import ParameterError

__all__ = ["checked_members", "combine_dependent", "intraclass_correlation", "tempered"]


def checked_members(values: ArrayLike, group: NDArray[np.integer[Any]], count: int, name: str) -> tuple[F64, I64]:
    """Refuse columns that are no members of groups: unequal lengths, NaN, groups out of range.

    Args:
        values: One number per member, n of them.
        group: Group of each member, 0 … count-1, or -1 for none, n of them.
        count: Number of groups.
        name: What the values are called in messages.

    Returns:
        Both columns, flat, as float64 and int64.

    Raises:
        ParameterError: A length, a value or a group is not allowed.
    """
    numbers = np.asarray(values, np.float64).reshape(-1)
    places = np.asarray(group).reshape(-1).astype(np.int64, copy=False)
    if count < 0:
        raise ParameterError("count", count, "at least 0")
    if len(numbers) != len(places):
        raise ParameterError("group", len(places), f"as long as {name} ({len(numbers)})")
    if np.isnan(numbers).any():
        raise ParameterError(name, float("nan"), "a number; say 0 for no evidence")
    if len(places) and (places.min() < -1 or places.max() >= count):
        raise ParameterError("group", (int(places.min()), int(places.max())), f"from -1 to {count - 1}")
    return numbers, places


def combine_dependent(llr: ArrayLike, cluster: NDArray[np.integer[Any]], count: int) -> F64:
    """Combine the members of each cluster by the mean of their likelihood ratios.

    The mean of e-values is an e-value under any dependence between them, and no other symmetric rule is better
    (Vovk and Wang 2021, Proposition 3.1). Ten members that say the same say it once; a member without evidence
    (llr 0) dilutes the others.

    Args:
        llr: Log-likelihood ratio of each member in nats, n of them; infinities are allowed.
        cluster: Cluster of each member, 0 … count-1, or -1 for members left out.
        count: Number of clusters.

    Returns:
        Log-likelihood ratio per cluster in nats; 0 for clusters without members.

    Raises:
        ParameterError: The columns differ in length, an llr is NaN or a cluster is out of range.
    """
    values, places = checked_members(llr, cluster, count, "llr")
    values, places = values[places >= 0], places[places >= 0]
    top = np.full(count, -np.inf)
    np.maximum.at(top, places, values)
    shift = np.where(np.isfinite(top), top, 0.0)
    size = np.bincount(places, minlength=count)
    with np.errstate(divide="ignore", over="ignore"):  # clusters of impossibilities, or with a certainty
        total = np.bincount(places, np.exp(values - shift[places]), minlength=count)
        mean = np.log(total / np.maximum(size, 1))
    return np.where(size > 0, shift + mean, 0.0)


def tempered(llr: ArrayLike, site: NDArray[np.integer[Any]], count: int, correlation: float) -> F64:
    """Divide the evidence of each member by the design effect of its site, ``1 + (m - 1)·ρ``.

    With correlation 1 the members of a site together weigh as much as their mean does, with 0 nothing changes.

    Args:
        llr: Log-likelihood ratio of each member in nats, n of them.
        site: What members share, 0 … count-1; -1 shares nothing.
        count: Number of sites.
        correlation: Intraclass correlation ρ of members of one site, 0 … 1.

    Returns:
        Tempered log-likelihood ratios, n of them. ``m`` counts the members of the site whose llr is not 0.

    Raises:
        ParameterError: The columns differ in length, an llr is NaN, a site or the correlation is out of range.
    """
    values, places = checked_members(llr, site, count, "llr")
    if not 0.0 <= correlation <= 1.0:
        raise ParameterError("correlation", correlation, "from 0 to 1")
    informative = np.bincount(places[(places >= 0) & (values != 0)], minlength=count)
    effect = np.append(1.0 + np.maximum(informative - 1, 0) * correlation, 1.0)  # the last is that of -1
    return np.asarray(values / effect[places])


def intraclass_correlation(values: ArrayLike, group: NDArray[np.integer[Any]], count: int) -> float:
    """Estimate how alike members of one group are, by one-way analysis of variance for groups of any size.

    ICC(1) of Shrout and Fleiss: ``(B - W) / (B + (n₀ - 1)·W)`` with the mean squares between (B) and within (W)
    groups and the size n₀ of Donner (1986) in place of the common one.

    Args:
        values: One number per member, n of them; NaN values are left out.
        group: Group of each member, 0 … count-1, or -1 for members left out.
        count: Number of groups.

    Returns:
        The correlation, clipped to 0 … 1; 0 where it cannot be estimated: fewer than two groups, no group with two
        members, or constant values.

    Raises:
        ParameterError: The columns differ in length, a value is infinite or a group is out of range.
    """
    numbers = np.asarray(values, np.float64).reshape(-1)
    numbers, places = checked_members(np.where(np.isnan(numbers), 0.0, numbers), group, count, "values")
    kept = (places >= 0) & ~np.isnan(np.asarray(values, np.float64).reshape(-1))
    numbers, places = numbers[kept], places[kept]
    if np.isinf(numbers).any():
        raise ParameterError("values", float("inf"), "finite or NaN")
    size = np.bincount(places, minlength=count).astype(np.float64)
    groups, members = int(np.count_nonzero(size)), len(numbers)
    if groups < 2 or members == groups or np.ptp(numbers) == 0:
        return 0.0
    numbers = (numbers - numbers.min()) / np.ptp(numbers)  # neither overflow nor cancellation
    numbers -= numbers.mean()
    mean = np.bincount(places, numbers, minlength=count) / np.maximum(size, 1)
    between = float(np.sum(size * mean**2)) / (groups - 1)
    within = float(np.sum((numbers - mean[places]) ** 2)) / (members - groups)
    typical = (members - float(np.sum(size**2)) / members) / (groups - 1)
    spread = between + (typical - 1) * within
    return float(np.clip((between - within) / spread, 0.0, 1.0)) if spread > 0 else 0.0
