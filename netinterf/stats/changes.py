"""When did a series change? Level shifts in shares, counts and levels, by the costs of segments.

A segment costs what its best constant level leaves unexplained, half the deviance: the negative logarithm of its
likelihood at the best level. All costs come from running sums, so the costs of many segments are one subtraction. One
split is found exactly by trying all; several by PELT, which is exact as well; a shift of known size that is to be
noticed while the series goes on by CUSUM. Choosing a change and then testing "before against after" on the same data
claims too much: :func:`split_p` compares the best split with the best splits of shuffled series instead.

Sources: Page, Biometrika 1954 (CUSUM); Moustakides, Annals of Statistics 1986 (its optimality); Killick, Fearnhead and
Eckley, JASA 2012 (PELT); Phipson and Smyth, SAGMB 2010 (p-values of permutations are never 0).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from netinterf.arrays import F64, I64
from netinterf.errors import ParameterError

__all__ = [
    "Cost",
    "Split",
    "best_split",
    "binomial_cost",
    "cusum",
    "gaussian_cost",
    "pelt",
    "poisson_cost",
    "split_p",
]

Cost = Callable[[I64, I64], F64]
"""Costs of the segments from *begin* up to before *end*, nats, elementwise; at least 0, and 0 for a constant one."""


class Split(NamedTuple):
    """One change of level."""

    at: int  # first bin after the change; 0 where no place is allowed
    gain: float  # nats by which two levels explain the series better than one


def binomial_cost(hits: ArrayLike, tried: ArrayLike) -> Cost:
    """Prepare the costs of segments of shares: hits of tried in each bin, with one share per segment.

    Args:
        hits: How often it happened in each bin, from 0 to *tried*; need not be whole.
        tried: How often it could have; bins with 0 say nothing.

    Returns:
        The costs.

    Raises:
        ParameterError: The columns differ in length, or a count is not finite or not from 0 to *tried*.
    """
    hit, trials = checked_pair(hits, tried, "tried")
    if (hit > trials).any():
        raise ParameterError("hits", float((hit - trials).max()), "at most as many as tried")
    k, n = running(hit), running(trials)

    def cost(begin: I64, end: I64) -> F64:
        a, m = k[end] - k[begin], n[end] - n[begin]
        whole = np.where(m > 0, m, 1.0)
        within = times_log(a, a / whole) + times_log(m - a, (m - a) / whole)
        return np.asarray(np.maximum(-within, 0.0))

    return cost


def times_log(count: F64, rate: F64) -> F64:
    """Multiply counts by the logarithms of their rates: 0 for a count of 0, whatever its rate.

    (That is ``scipy.special.xlogy``, whose import takes a quarter as long as a capture of a hundred thousand packets.)
    """
    return np.asarray(count * np.log(np.where(count > 0, rate, 1.0)))


def poisson_cost(counts: ArrayLike, exposure: ArrayLike | None = None) -> Cost:
    """Prepare the costs of segments of counts, with one rate per unit of exposure and segment.

    The cost is taken against a rate of one per bin, whatever is shared by all segmentations left out.

    Args:
        counts: Events in each bin, at least 0.
        exposure: Time, or whatever counts are proportional to, at least 0; 1 per bin when None.

    Returns:
        The costs, which may be negative: only their differences mean something.

    Raises:
        ParameterError: The columns differ in length, or a value is negative or not finite.
    """
    numbers = np.asarray(counts, np.float64)
    events, times = checked_pair(numbers, np.ones(len(numbers)) if exposure is None else exposure, "exposure")
    if (events[times == 0] > 0).any():
        raise ParameterError("counts", float(events[times == 0].max()), "0 where there is no exposure")
    k, t = running(events), running(times)

    def cost(begin: I64, end: I64) -> F64:
        a, m = k[end] - k[begin], t[end] - t[begin]
        return np.asarray(a - times_log(a, a / np.where(m > 0, m, 1.0)))

    return cost


def gaussian_cost(values: ArrayLike, sigma: float | None = None) -> Cost:
    """Prepare the costs of segments of levels: squares around the mean of the segment, over twice the variance.

    Args:
        values: One number per bin, finite.
        sigma: Standard deviation within segments; None estimates it by the median absolute difference of neighbours,
            which a few shifts do not move.

    Returns:
        The costs; all 0 where the estimated deviation is 0.

    Raises:
        ParameterError: A value is not finite, or *sigma* is not positive.
    """
    from netinterf.stats.robust import MAD_TO_SIGMA

    numbers = np.asarray(values, np.float64).reshape(-1)
    if not np.isfinite(numbers).all():
        raise ParameterError("values", float(numbers[~np.isfinite(numbers)][0]), "finite")
    if sigma is None:
        sigma = float(np.median(np.abs(np.diff(numbers))) * MAD_TO_SIGMA / np.sqrt(2.0)) if len(numbers) > 1 else 0.0
    elif not 0.0 < sigma < np.inf:
        raise ParameterError("sigma", sigma, "above 0 and finite")
    centred = numbers - numbers.mean() if len(numbers) else numbers  # so that squares do not cancel
    first, second = running(centred), running(centred**2)
    scale = 1.0 / (2.0 * sigma**2) if sigma > 0 else 0.0

    def cost(begin: I64, end: I64) -> F64:
        size = np.maximum(end - begin, 1)
        squares = second[end] - second[begin] - (first[end] - first[begin]) ** 2 / size
        return np.asarray(np.maximum(squares, 0.0) * scale)

    return cost


def cusum(llr: ArrayLike) -> tuple[F64, I64]:
    """Accumulate evidence for a change that may have begun at any time: reflected at 0, in closed form.

    Args:
        llr: Log-likelihood ratio of each observation, after the change against before it, nats, in order.

    Returns:
        For each observation what speaks for a change by then (at least 0; an alarm at h is false once in exp(h)
        observations at the most), and where that change would have begun (the next observation where nothing does).
    """
    total = np.cumsum(np.asarray(llr, np.float64).reshape(-1))
    lowest = np.minimum.accumulate(np.minimum(total, 0.0))
    steps = np.arange(len(total))
    onset = np.maximum.accumulate(np.where(total <= lowest, steps + 1, 0)) if len(total) else steps
    return total - lowest, onset.astype(np.int64)


def best_split(cost: Cost, count: int, least: int = 1) -> Split:
    """Find the one change that explains a series best, by trying all.

    Args:
        cost: Costs of segments.
        count: Bins of the series.
        least: Fewest bins on either side, at least 1.

    Returns:
        The change, the earliest of equals, and its gain.
    """
    places = np.arange(least, count - least + 1)
    if not len(places):
        return Split(0, 0.0)
    zeros, whole = np.zeros(len(places), np.int64), np.full(len(places), count)
    gain = cost(zeros, whole) - cost(zeros, places) - cost(places, whole)
    best = int(np.argmax(gain))
    return Split(int(places[best]), float(gain[best]))


def split_p(
    prepare: Callable[..., Cost],
    columns: tuple[ArrayLike, ...],
    *,
    least: int = 1,
    shuffles: int = 199,
    seed: int = 0,
) -> float:
    """Test whether a series changes at all, honest about having chosen where: the best split against shuffled bins.

    Args:
        prepare: What makes costs of the columns, such as :func:`binomial_cost`.
        columns: Its columns, one entry per bin; they are shuffled together.
        least: Fewest bins on either side.
        shuffles: How many; the p-value is no finer than one over them.
        seed: Of the shuffles: the same series gives the same p-value.

    Returns:
        The p-value, above 0. Valid where bins are exchangeable without a change; it is too small where neighbours
        resemble each other.
    """
    series = [np.asarray(column, np.float64).reshape(-1) for column in columns]
    count = len(series[0])
    gain = best_split(prepare(*series), count, least).gain
    rng = np.random.default_rng(seed)
    beaten = 0
    for _ in range(shuffles):
        order = rng.permutation(count)
        beaten += best_split(prepare(*(column[order] for column in series)), count, least).gain >= gain - 1e-9
    return (beaten + 1) / (shuffles + 1)


def pelt(cost: Cost, count: int, penalty: float) -> I64:
    """Find all changes of a series: the segmentation with the least sum of costs and penalties, exactly.

    A last change that is worse by more than the penalty now can never become the best one later, because splitting a
    segment never raises its cost; it is dropped, which makes the time proportional to the number of bins when changes
    come at a rate.

    Args:
        cost: Costs of segments.
        count: Bins of the series.
        penalty: Nats that each change costs; 2 to 3 times ``ln(count)`` for one parameter per segment.

    Returns:
        First bins after each change, rising.

    Raises:
        ParameterError: The penalty is not positive.
    """
    if not penalty > 0:
        raise ParameterError("penalty", penalty, "above 0")
    best, came_from = np.zeros(count + 1), np.zeros(count + 1, np.int64)
    best[0] = -penalty
    open_ends = np.zeros(1, np.int64)
    for end in range(1, count + 1):
        tried = best[open_ends] + cost(open_ends, np.full(len(open_ends), end))
        place = int(np.argmin(tried))
        best[end], came_from[end] = tried[place] + penalty, open_ends[place]
        open_ends = np.append(open_ends[tried <= best[end]], end)
    changes, end = [], count
    while end > 0 and came_from[end] > 0:
        end = int(came_from[end])
        changes.append(end)
    return np.array(changes[::-1], np.int64)


def running(values: F64) -> F64:
    """Sum up from the left, beginning with 0."""
    return np.concatenate([np.zeros(1), np.cumsum(values)])


def checked_pair(first: ArrayLike, second: ArrayLike, name: str) -> tuple[F64, F64]:
    """Bring two columns of non-negative numbers of equal length into one form."""
    left, right = np.asarray(first, np.float64).reshape(-1), np.asarray(second, np.float64).reshape(-1)
    if len(left) != len(right):
        raise ParameterError(name, len(right), f"{len(left)} values")
    for column in (left, right):
        if not (np.isfinite(column) & (column >= 0)).all():
            raise ParameterError(name, float(column.min(initial=0.0)), "finite and at least 0")
    return left, right
