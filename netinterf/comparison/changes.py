"""When it began: changes of the share of failures over time, with the interval in which they lie.

The attempts at one name or one server, in order of time, are split in two where that explains them best
(`netinterf.stats.changes`); the split is held against the best splits of the same attempts in any other order, and
false discoveries are bounded over all that were looked at. Sides that do not overlap in time are before and after, and
make one series; otherwise only the side that is asked about is looked at.

A change is no accusation: a server that goes down changes as a block does. What it was is in the findings.
"""

import numpy as np

from netinterf.arrays import F64, I64, Mask
from netinterf.comparison.units import Side
from netinterf.numbering import combined
from netinterf.observations.attempts import Attempts
from netinterf.stats.changes import best_split, binomial_cost, split_p
from netinterf.stats.multiple import benjamini_hochberg
from netinterf.values import frozen

__all__ = ["ENOUGH", "LEVEL", "Shift", "find_changes"]

ENOUGH = 8
"""Attempts without which no time is named: of seven, no order is rarer than two in 35 (three of them failures),
so none passes a test at 5 %."""

LEVEL = 0.05
"""Share of false alarms among the changes that are named."""

NEAR = 1.92
"""Nats by which another time of change may explain the attempts worse and still be within the interval: half of the
95 % point of chi-squared with one degree of freedom (a rule of thumb for times of change). A change that gains less
cannot pass a test at 5 % at a place given beforehand, the less where the place is chosen."""

MOST = 2000
"""Attempts that a series is thinned to at most, evenly: the interval gets that much wider and no shuffle takes long."""

SHUFFLES = 999
FIRST, HOPELESS = 59, 0.1
"""Shuffles after which a series that is no rarer than that is left alone: most are, and none of them could pass."""


@frozen(kw_only=True)
class Shift:
    """One change of the share of failures."""

    unit: int  # number of the unit, -1 for a server whatever was asked of it
    row: int  # an attempt of it, for what it is called
    failed_before: int
    known_before: int
    failed_after: int
    known_after: int
    last: int  # the attempt before the change
    low: int  # ns since 1970 UTC: the change lies between these
    high: int
    p: float
    q_value: float


def find_changes(attempts: Attempts) -> tuple[Shift, ...]:
    """Find names and servers whose attempts began or ceased to fail.

    Args:
        attempts: Attempts of both sides.
    """
    rows = np.flatnonzero(in_series(attempts) & (attempts.failed | attempts.answered))
    candidates: list[tuple[int, I64, float]] = []
    for keys, by_unit in ((attempts.unit[rows], True), (combined(attempts.service[rows]), False)):
        count = int(keys.max(initial=-1)) + 1
        failed = np.bincount(keys, attempts.failed[rows], count)
        known = np.bincount(keys, minlength=count)
        for key in np.flatnonzero((known >= ENOUGH) & (rarest_order(failed, known) <= LEVEL)).tolist():
            mine = rows[keys == key]
            if not by_unit and np.ptp(attempts.unit[mine]) == 0:
                continue  # only one name was asked there: it stands for the server already
            mine = thinned(mine[np.argsort(attempts.time[mine], kind="stable")])
            series = attempts.failed[mine].astype(np.float64)
            candidates.append((key if by_unit else -1, mine, chance_of_change(series)))
    q_value = benjamini_hochberg([p for _, _, p in candidates])
    significant = np.flatnonzero(q_value <= LEVEL).tolist()
    return tuple(shift_at(attempts, *candidates[place], float(q_value[place])) for place in significant)


def chance_of_change(failed: F64) -> float:
    """Give the p-value of the best split of a series of attempts, 1 where it gains next to nothing."""
    whole = np.ones(len(failed))
    if best_split(binomial_cost(failed, whole), len(failed)).gain < NEAR:
        return 1.0
    first = split_p(binomial_cost, (failed, whole), shuffles=FIRST)
    return first if first > HOPELESS else split_p(binomial_cost, (failed, whole), shuffles=SHUFFLES)


def rarest_order(failed: I64, known: I64) -> F64:
    """Give the least p-value that a series can have: all failures at its end, or at its beginning.

    Series that cannot pass are no tests, and do not count among them (Tarone, Biometrics 1990).
    """
    from scipy.special import comb

    return np.asarray(2.0 / np.maximum(comb(known, failed), 1.0))


def in_series(attempts: Attempts) -> Mask:
    """Say which attempts make one series in time: both sides where one ends before the other begins, else ours."""
    ours: Mask = attempts.place == Side.HERE
    if ours.all() or not ours.any():
        return ours
    first, second = attempts.time[ours], attempts.time[~ours]
    apart = bool(first.max() < second.min() or second.max() < first.min())
    return ours | apart


def thinned(rows: I64) -> I64:
    """Take at most `MOST` rows, evenly."""
    return rows if len(rows) <= MOST else rows[np.linspace(0, len(rows) - 1, MOST).astype(np.int64)]


def shift_at(attempts: Attempts, unit: int, rows: I64, p: float, q_value: float) -> Shift:
    """Write one change down."""
    failed, count = attempts.failed[rows].astype(np.int64), len(rows)
    cost = binomial_cost(failed, np.ones(count))
    split = best_split(cost, count)
    places = np.arange(1, count)
    gain = cost(np.array([0]), np.array([count])) - cost(0 * places, places) - cost(places, 0 * places + count)
    near = places[gain >= split.gain - NEAR]
    return Shift(
        unit=unit,
        row=int(rows[0]),
        failed_before=int(failed[: split.at].sum()),
        known_before=split.at,
        failed_after=int(failed[split.at :].sum()),
        known_after=count - split.at,
        last=int(rows[split.at - 1]),
        low=int(attempts.time[rows[near[0] - 1]]),
        high=int(attempts.time[rows[near[-1]]]),
        p=p,
        q_value=q_value,
    )
