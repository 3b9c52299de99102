"""Location, scale and rank statistics that one bad value cannot move, for many groups at once.

Groups come as a column of group numbers beside the values, in any order. Empty groups give NaN.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import F64
from netinterf.errors import ParameterError
from netinterf.numbering import ordered_within
from netinterf.stats.dependence import checked_members

__all__ = [
    "MAD_TO_SIGMA",
    "group_median",
    "group_quantile",
    "middle",
    "quantile_of",
    "quantiles_of",
    "robust_scale",
    "theil_sen",
]

MAD_TO_SIGMA = 1.482602218505602
"""Median absolute deviation to standard deviation, for normal data: 1 / Φ⁻¹(3/4) (Rousseeuw and Croux 1993)."""

MANY, SAMPLE, MARGIN = 2048, 1024, 64
"""Numbers above which a sample tells where their median is, how many it has at least, and how many of those either way
the median may lie: four standard deviations of its place among so many that were drawn at random."""


def group_quantile(values: NDArray[Any], group: NDArray[np.integer[Any]], count: int, q: float) -> F64:
    """Compute one quantile of each group, interpolating linearly between order statistics.

    Args:
        values: Numbers, n of them; NaN values are left out.
        group: Group of each value, 0 … count-1, or -1 for values left out, n of them.
        count: Number of groups.
        q: Quantile, 0 … 1.

    Returns:
        One number per group, NaN for groups without values. The same as ``numpy.quantile`` group by group; between a
        finite and an infinite value lies the infinite one.

    Raises:
        ParameterError: *q* is not within 0 … 1, the columns differ in length, or a group is out of range.
    """
    if not 0.0 <= q <= 1.0:
        raise ParameterError("q", q, "from 0 to 1")
    numbers = np.asarray(values, np.float64).reshape(-1)
    known = ~np.isnan(numbers)
    _, places = checked_members(np.where(known, numbers, 0.0), group, count, "values")
    known &= places >= 0
    numbers, group = numbers[known], places[known]
    order = ordered_within(group, numbers)
    numbers = numbers[order]
    sizes = np.bincount(group, minlength=count)[:count]
    starts = np.cumsum(sizes) - sizes
    result = np.full(count, np.nan)
    filled = np.flatnonzero(sizes)
    place = q * (sizes[filled] - 1)
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, sizes[filled] - 1)
    below, above = numbers[starts[filled] + low], numbers[starts[filled] + high]
    part = place - low
    with np.errstate(invalid="ignore", over="ignore"):  # infinite neighbours, or farther apart than a double reaches
        between = below + (above - below) * part
        between = np.where(np.isfinite(between), between, below * (1 - part) + above * part)
    result[filled] = np.where((below == above) | (part == 0), below, between)
    return result


def group_median(values: NDArray[Any], group: NDArray[np.integer[Any]], count: int) -> F64:
    """Compute the median of each group; NaN for groups without values."""
    return group_quantile(values, group, count, 0.5)


def robust_scale(values: NDArray[Any], group: NDArray[np.integer[Any]], count: int) -> F64:
    """Estimate the standard deviation of each group by its median absolute deviation.

    A group whose median deviation is 0 (half of its values are equal) falls back on the interquartile range.

    Args:
        values: Numbers, n of them; NaN values are left out.
        group: Group of each value, 0 … count-1, or -1 for values left out, n of them.
        count: Number of groups.

    Returns:
        One number per group, 0 for constant groups, NaN for groups without values and for those with both quartiles
        at the same infinity.
    """
    numbers = np.asarray(values, np.float64).reshape(-1)
    groups = np.asarray(group).reshape(-1)
    centre = np.append(group_median(numbers, groups, count), np.nan)  # the last is that of -1
    with np.errstate(invalid="ignore", over="ignore"):  # infinite values, and scales beyond the double range
        away = np.where(numbers == centre[groups], 0.0, np.abs(numbers - centre[groups]))
        deviation = group_median(away, groups, count) * MAD_TO_SIGMA
        spread = group_quantile(numbers, groups, count, 0.75) - group_quantile(numbers, groups, count, 0.25)
        return np.where(deviation > 0, deviation, spread * (MAD_TO_SIGMA / 2))


def middle(values: F64) -> float:
    """Compute the median of numbers, one at least and none of them NaN, as numpy does, which takes long for a few.

    It takes long for many as well: of these only the numbers are put in order that a sample says are near the middle.
    """
    half, near, below = len(values) // 2, values, 0
    if len(values) > MANY:
        sample = np.sort(values[:: len(values) // SAMPLE])
        centre = len(sample) // 2
        low, high = sample[centre - MARGIN], sample[centre + MARGIN]
        below = int(np.count_nonzero(values < low))
        near = values[(values >= low) & (values <= high)]
        if not below < half < below + len(near):  # it was no fair sample
            near, below = values, 0
    if len(values) % 2:
        return float(np.partition(near, half - below)[half - below])
    ordered = np.partition(near, (half - 1 - below, half - below))
    return float((ordered[half - 1 - below] + ordered[half - below]) / 2)


def quantile_of(values: F64, q: float) -> float:
    """Compute a quantile of numbers, one at least and all of them finite, as numpy does, which takes long for a few."""
    return float(quantiles_of(values, np.array([q]))[0])


def quantiles_of(values: F64, q: F64) -> F64:
    """Compute several; see `quantile_of`."""
    ordered, place = np.sort(values), q * (len(values) - 1)
    low = place.astype(np.int64)
    part, below, above = place - low, ordered[low], ordered[np.minimum(low + 1, len(values) - 1)]
    between: F64 = np.where(part >= 0.5, above - (above - below) * (1 - part), below + (above - below) * part)
    return between


def theil_sen(x: NDArray[Any], y: NDArray[Any], most: int = 300) -> float:
    """Estimate the slope of a line through points by the median of pairwise slopes (Theil 1950, Sen 1968).

    Only pairs at least the median distance apart are used: near pairs add noise and no information.

    Args:
        x: Abscissae, n of them; points that are not finite are left out.
        y: Ordinates, n of them.
        most: Points used; more are thinned evenly in the order given, since the cost is quadratic.

    Returns:
        The slope; NaN without two points at different abscissae.
    """
    across, up = np.asarray(x, np.float64), np.asarray(y, np.float64)
    places = np.flatnonzero(np.isfinite(across) & np.isfinite(up))
    if len(places) > most:
        places = places[np.linspace(0, len(places) - 1, most).astype(np.int64)]
    if len(places) < 2:
        return float("nan")
    with np.errstate(all="ignore"):  # differences beyond the double range, and of points at one place
        run, slope = _each_pair(across[places]), _each_pair(up[places])
        np.divide(slope, run, out=slope)
        distance = np.abs(run, out=run)
        slopes = slope[distance >= max(middle(distance), np.nextafter(0.0, 1.0))]
    return middle(slopes) if len(slopes) and not np.isnan(slopes).any() else float("nan")


def _each_pair(values: F64) -> F64:
    """Give the difference of each pair of numbers once: of each from those up to half a round ahead of it."""
    twice, count, (step,) = np.concatenate([values, values]), len(values), values.strides
    ahead = np.ndarray((count // 2, count), np.float64, twice, offset=step, strides=(step, step))
    return (ahead - values).reshape(-1)[: count * (count - 1) // 2]
