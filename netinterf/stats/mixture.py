"""What a group of members says when only a share θ of them is affected.

Not all flows of a blocked service trigger the block, so the log-likelihood ratios of a group's members must not be
added: at θ = 0.3 the sum exonerates a group that is affected. Each member is affected with probability θ instead, and
θ is integrated over a grid with a uniform prior::

    LLR_g = ln mean over θ of Π_i ((1 - θ) + θ·exp(llr_i))

The likelihood ratio is an average of products of likelihood ratios: if those of the members are right (mean 1 without
interference) and independent, it is an e-value. The posterior of θ says how many are affected.

Sources: McLachlan and Peel, "Finite Mixture Models", 2000, ch. 1 (the model); Donoho and Jin, Annals of Statistics
2004 (why sparse mixtures need it); Wang and Ramdas, JRSS B 2022 (mixtures of e-values).
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netinterf.arrays import F64, I64
from netinterf.compiled import call, is_there
from netinterf.errors import ParameterError
from netinterf.numbering import numbered
from netinterf.stats.dependence import checked_members
from netinterf.stats.levels import row_blocks
from netinterf.values import frozen

__all__ = [
    "LARGEST",
    "Mixture",
    "checked_rows",
    "log_likelihoods",
    "log_mean_exp",
    "member_log_odds",
    "mixture_of",
    "share_grid",
    "theta_mixture",
]

LARGEST = 700.0
"""Log-likelihood ratios are clipped to ± this: ``exp(709.8)`` is the largest double, and no member can know more."""


@frozen(eq=False, kw_only=True)
class Mixture:
    """What each group says, one number per group."""

    llr: F64  # log-likelihood ratio in nats: some share is affected against none is; 0 without evidence
    share: F64  # posterior mean of the affected share, given that some share is affected
    low: F64  # equal-tailed posterior interval of the share
    high: F64


def share_grid(points: int = 50, least: float = 0.02) -> F64:
    """Lay out the shares θ that are tried: equally far apart, so that a uniform prior over them is uniform in θ.

    Args:
        points: How many, at least 2.
        least: Smallest share, above 0 and below 1. With as many points as ``1 / least`` the grid continues to 0.

    Returns:
        Rising shares from *least* to 1, both included.

    Raises:
        ParameterError: *points* or *least* is out of range.
    """
    if points < 2:
        raise ParameterError("points", points, "at least 2")
    if not 0.0 < least < 1.0:
        raise ParameterError("least", least, "above 0 and below 1")
    return np.linspace(least, 1.0, points)


def log_likelihoods(
    llr: ArrayLike, group: NDArray[np.integer[Any]], count: int, grid: F64, weight: ArrayLike | None = None
) -> F64:
    """Compute the log-likelihood of each affected share in each group, against nobody being affected.

    One pass over the members per share, so that temporary memory is a few columns of members whatever the grid.

    Args:
        llr: Log-likelihood ratio of each member in nats, affected against not, n of them. Infinities are clipped to
            ± :data:`LARGEST`; 0 says nothing and counts nothing.
        group: Group of each member, 0 … count-1, or -1 for members left out.
        count: Number of groups.
        grid: Shares, above 0 and up to 1.
        weight: How often each member occurs, at least 0; once when None.

    Returns:
        Sums over members of ``ln((1 - θ) + θ·exp(llr))``, shape (count, points); zeros for groups without evidence.

    Raises:
        ParameterError: The columns differ in length, an llr is NaN, a group, weight or share is out of range.
    """
    shares = _checked_grid(grid)
    values, places = checked_members(llr, group, count, "llr")
    times = np.ones(len(values)) if weight is None else _checked_weight(weight, len(values))
    telling = (places >= 0) & (values != 0) & (times > 0)
    ratio = np.exp(np.clip(values[telling], -LARGEST, LARGEST))
    places, times = places[telling], times[telling]
    result = np.zeros((count, len(shares)))
    for rows in row_blocks(len(ratio), 4):  # the columns of one pass
        result += _added_up(ratio[rows], places[rows], times[rows], count, shares)
    return result


def _added_up(ratio: F64, places: I64, times: F64, count: int, shares: F64) -> F64:
    """Add up ``ln((1 - θ) + θ·ratio)`` of members, each so many times, by the places of their groups."""
    total = np.zeros((count, len(shares)))
    if is_there():
        for rows in row_blocks(len(ratio), len(shares)):
            kind, first = numbered(ratio[rows].view(np.int64))  # many weigh the same
            logs = np.log(ratio[rows][first][:, None] * shares + (1.0 - shares))
            call("add_rows", len(kind), len(shares), logs, kind, times[rows], places[rows], total)
        return total
    for place, share in enumerate(shares):
        part = ratio * share
        part += 1.0 - share
        np.log(part, out=part)
        total[:, place] = np.bincount(places, part * times, minlength=count)
    return total


def mixture_of(loglik: F64, grid: F64, level: float = 0.95) -> Mixture:
    """Integrate log-likelihoods over the share: evidence, mean share and its interval per group.

    Args:
        loglik: Log-likelihoods of the shares, shape (count, points), as :func:`log_likelihoods` gives them.
        grid: The shares, rising.
        level: Posterior probability of the interval. Inside it the mass of a grid point is spread evenly over the
            cell of shares nearest to it, so that the ends are not bound to grid points.

    Returns:
        One row per group. Rows of zeros give the prior: llr 0 and the interval of the grid.

    Raises:
        ParameterError: The shape does not fit the grid, a log-likelihood is NaN or *level* is out of range.
    """
    shares, rows = _checked_grid(grid), checked_rows(loglik, len(grid), "loglik")
    if not 0.0 < level < 1.0:
        raise ParameterError("level", level, "above 0 and below 1")
    edge = np.concatenate([shares[:1], (shares[1:] + shares[:-1]) / 2, shares[-1:]])
    width, count = np.diff(edge), len(rows)
    mixture = Mixture(llr=log_mean_exp(rows), share=np.empty(count), low=np.empty(count), high=np.empty(count))
    for block in row_blocks(count, 4 * len(shares)):
        mass = _normalised(rows[block])
        mixture.share[block] = mass @ shares
        summed = np.cumsum(mass, axis=1)
        own = np.arange(len(mass))
        for end, tail in ((mixture.low, (1 - level) / 2), (mixture.high, (1 + level) / 2)):
            cell = np.minimum(np.count_nonzero(summed < tail, axis=1), len(shares) - 1)
            inside = (tail - (summed[own, cell] - mass[own, cell])) / np.maximum(mass[own, cell], 1e-300)
            end[block] = edge[cell] + np.clip(inside, 0.0, 1.0) * width[cell]
    return mixture


def theta_mixture(
    llr: ArrayLike,
    group: NDArray[np.integer[Any]],
    count: int,
    *,
    level: float = 0.95,
    grid: F64 | None = None,
    weight: ArrayLike | None = None,
) -> Mixture:
    """Judge groups of which only a share may be affected: :func:`log_likelihoods` and :func:`mixture_of` in one.

    Args:
        llr: Log-likelihood ratio of each member in nats, affected against not, n of them.
        group: Group of each member, 0 … count-1, or -1 for members left out.
        count: Number of groups.
        level: Posterior probability of the interval of the share.
        grid: Shares tried; :func:`share_grid` when None.
        weight: How often each member occurs; once when None.

    Returns:
        One row per group; llr 0 and the prior's interval for groups without evidence.

    Raises:
        ParameterError: As the two functions.
    """
    shares = share_grid() if grid is None else grid
    return mixture_of(log_likelihoods(llr, group, count, shares, weight), shares, level)


def member_log_odds(llr: ArrayLike, group: NDArray[np.integer[Any]], loglik: F64, grid: F64) -> F64:
    """Compute the log-odds that each member is affected, given its own evidence and its whole group's.

    The probability ``θ·exp(llr) / ((1 - θ) + θ·exp(llr))`` is averaged over the posterior of θ: a weak member of a
    group of affected ones is probably affected as well.

    Args:
        llr: Log-likelihood ratio of each member in nats, n of them; clipped to ± :data:`LARGEST`.
        group: Group of each member, a row of *loglik*, or -1.
        loglik: Log-likelihoods of the shares from all members of each group, shape (count, points).
        grid: The shares.

    Returns:
        Log-odds in nats, n of them, given that some share of the group is affected; NaN for members without group.
        Infinite only where the grid knows no share but 1.

    Raises:
        ParameterError: The columns differ in length, an llr is NaN, a group or share is out of range.
    """
    shares, rows = _checked_grid(grid), checked_rows(loglik, len(grid), "loglik")
    values, places = checked_members(llr, group, len(rows), "llr")
    with np.errstate(divide="ignore"):  # share 1 leaves nobody unaffected
        hit, hit_top = _scaled(rows + np.log(shares))
        spared, spared_top = _scaled(rows + np.log1p(-shares))
    inside = np.flatnonzero(places >= 0)
    kind, first = numbered(numbered(values[inside].view(np.int64))[0] * len(rows) + places[inside])  # many are alike
    result, alike = np.full(len(values), np.nan), inside[first]
    for block in row_blocks(len(alike), 8):
        chosen = alike[block]
        own = places[chosen]
        value = np.clip(values[chosen], -LARGEST, LARGEST)
        ratio = np.exp(value)
        affected, unaffected = np.zeros(len(chosen)), np.zeros(len(chosen))
        for place, share in enumerate(shares):
            inverse = 1.0 / ((1.0 - share) + share * ratio)
            affected += hit[place, own] * inverse
            unaffected += spared[place, own] * inverse
        with np.errstate(divide="ignore"):
            odds = np.log(affected) - np.log(unaffected)
        result[chosen] = value + odds + hit_top[own] - spared_top[own]
    result[inside] = result[alike][kind]
    return result


def log_mean_exp(rows: F64) -> F64:
    """Compute ``ln(mean(exp(row)))`` of each row of a matrix without overflow; exactly 0 for rows of zeros.

    Args:
        rows: Log-values, shape (count, width); infinities are allowed.

    Returns:
        One number per row; -inf where a row is empty or holds nothing but -inf.
    """
    count, width = rows.shape
    result = np.full(count, -np.inf)
    if width == 0:
        return result
    for block in row_blocks(count, 2 * width):
        top = rows[block].max(axis=1)
        shift = np.where(np.isfinite(top), top, 0.0)
        with np.errstate(divide="ignore"):
            result[block] = shift + np.log(np.mean(np.exp(rows[block] - shift[:, None]), axis=1))
    return result


def checked_rows(loglik: F64, width: int, name: str) -> F64:
    """Refuse a matrix of log-likelihoods whose rows are not *width* long or hold NaN or +inf."""
    rows = np.asarray(loglik, np.float64)
    if rows.ndim != 2 or rows.shape[1] != width:
        raise ParameterError(name, rows.shape, f"of shape (count, {width}), one column per share")
    if rows.size and not rows.max() < np.inf:  # NaN compares false as well
        raise ParameterError(name, float(rows.max()), "below infinity")
    return rows


def _normalised(rows: F64) -> F64:
    """Turn log-weights into weights that sum to 1; rows without any weight are spread evenly."""
    top = rows.max(axis=1, keepdims=True)
    weights = np.exp(np.where(np.isfinite(top), rows - np.where(np.isfinite(top), top, 0.0), 0.0))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _scaled(rows: F64) -> tuple[F64, F64]:
    """Divide each row of log-weights by its largest; give the weights share by share, and the logs divided by."""
    top = rows.max(axis=1) if rows.shape[1] else np.empty(len(rows))
    shift = np.where(np.isfinite(top), top, 0.0)
    return np.ascontiguousarray(np.exp(rows - shift[:, None]).T), shift


def _checked_grid(grid: F64) -> F64:
    shares = np.asarray(grid, np.float64).reshape(-1)
    rising = len(shares) > 0 and bool(np.all(np.diff(shares) > 0))
    if not rising or not (shares[0] > 0 and shares[-1] <= 1):
        raise ParameterError("grid", shares, "rising shares above 0 and up to 1")
    return shares


def _checked_weight(weight: ArrayLike, count: int) -> F64:
    times = np.asarray(weight, np.float64).reshape(-1)
    if len(times) != count:
        raise ParameterError("weight", len(times), f"as long as llr ({count})")
    if not np.all((times >= 0) & (times < np.inf)):
        raise ParameterError("weight", times[~((times >= 0) & (times < np.inf))][0], "at least 0 and finite")
    return times
