"""What is usual at this hour: shares by the hour of the day, from the other days.

Loads, and with them losses, follow the clock, so that a share is compared with the same hours of other days. Hours with
few trials lean on the share of all hours. The day itself is left out: what happens today must not excuse itself.

Sources: Gelman et al., "Bayesian Data Analysis", 3rd ed. 2013, §5.3 (shrinkage by pseudo-counts); Barford et al., IMW
2002 (traffic against its daily cycle).
"""

import numpy as np
from numpy.typing import ArrayLike

from netinterf.arrays import F64
from netinterf.errors import ParameterError

__all__ = ["HOURS", "hourly_share"]

HOURS = 24

STRENGTH = 20.0
"""Pseudo-counts by which an hour leans on all hours: the median strength of shares in `netinterf.stats.rates`."""


def hourly_share(hits: ArrayLike, tried: ArrayLike, hour: ArrayLike, *, strength: float = STRENGTH) -> F64:
    """Estimate the usual share of each bin of time: that of the same hour on other days, shrunk.

    Args:
        hits: How often it happened in each bin, from 0 to *tried*.
        tried: How often it could have.
        hour: Whole hours since some midnight, at least 0.
        strength: Pseudo-counts of the share of all other days together.

    Returns:
        One share per bin. Where no other day was seen, the share of all bins; 0.5 where nothing was tried at all.

    Raises:
        ParameterError: The columns differ in length, or a value is out of range.
    """
    k, n = np.asarray(hits, np.float64).reshape(-1), np.asarray(tried, np.float64).reshape(-1)
    when = np.asarray(hour, np.int64).reshape(-1)
    if not len(k) == len(n) == len(when):
        raise ParameterError("hour", len(when), f"{len(k)} values")
    if ((k < 0) | (k > n)).any() or (when < 0).any():
        raise ParameterError("hits", float(k.min(initial=0.0)), "from 0 to tried, and hours from 0")
    if not strength > 0:
        raise ParameterError("strength", strength, "above 0")
    days, day = np.unique(when // HOURS, return_inverse=True)  # those with a bin: clocks step by decades
    clock = when % HOURS
    table = np.zeros((2, len(days), HOURS))
    for place, column in enumerate((k, n)):
        np.add.at(table[place], (day, clock), column)
    by_hour, by_day, whole = table.sum(axis=1), table.sum(axis=2), table.sum(axis=(1, 2))
    others = whole[:, None] - by_day  # all other days
    others = np.where(others[1] > 0, others, whole[:, None])
    usual = (others[0] + 0.5) / (others[1] + 1.0)
    same = by_hour[:, None, :] - table  # this hour of the other days
    share = (same[0] + strength * usual[:, None]) / (same[1] + strength)
    return np.asarray(share[day, clock], np.float64)
