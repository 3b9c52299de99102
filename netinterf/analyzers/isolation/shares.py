"""Which share of the attempts to reach a network passed, and what else tells a list from a cable."""

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.isolation.attempts import ROWS, Attempts
from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import combined
from netinterf.values import frozen

__all__ = ["Shares", "became_slower", "intermittent_counts", "shares", "splits_systems", "together", "turns"]


FARTHER, FARTHER_NS = 1.1, 10_000_000
"""Networks that are still reached are slower when the round trips of half of them grew by so much: more than what
jitter does to medians, and less than what another cable adds (tens of ms between continents)."""


@frozen(eq=False)
class Shares:
    """One row per network and protocol: which share of its attempts came out well."""

    row: I64
    cluster: I64
    system: I64
    share: F64

    def by(self, group: I64) -> F64:
        """Add up per group, such as the systems: reached and tried, shape (2, groups)."""
        place = np.unique(group, return_inverse=True)[1]
        return np.stack([np.bincount(place, self.share), np.bincount(place).astype(np.float64)])

    def by_row(self) -> F64:
        """Add up per protocol: reached and tried, shape (2, ROWS)."""
        return np.stack(
            [np.bincount(self.row, self.share, ROWS), np.bincount(self.row, minlength=ROWS).astype(np.float64)]
        )


def together(*parts: Shares) -> Shares:
    """Put shares of several times below each other."""
    names = [field.name for field in attrs.fields(Shares)]
    return Shares(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def shares(attempts: Attempts, rows: I64, outcome: NDArray[Any] | None = None) -> Shares:
    """Give each network and protocol the share of its attempts that came out well."""
    rows = rows[(attempts.passed if outcome is None else outcome)[rows] >= 0]
    good = (attempts.passed if outcome is None else outcome)[rows] == 1
    unit = combined(attempts.cluster[rows], attempts.row[rows])
    first = np.unique(unit, return_index=True)[1]
    share = np.bincount(unit, good) / np.maximum(np.bincount(unit), 1) if len(rows) else np.empty(0)
    firsts = rows[first]
    return Shares(attempts.row[firsts], attempts.cluster[firsts], attempts.system[firsts], share)


def intermittent_counts(attempts: Attempts, rows: I64) -> F64:
    """Count networks and protocols that were tried again: some attempts passed and some did not, and all of them."""
    unit = combined(attempts.cluster[rows], attempts.row[rows])
    tried, passed = np.bincount(unit), np.bincount(unit, attempts.passed[rows] == 1)
    again = tried > 1
    return np.array([np.sum(again & (passed > 0) & (passed < tried)), np.sum(again)], np.float64)


def turns(passed: Mask) -> F64:
    """Count observations, in the order of time, that came out unlike the one before, and all but the first."""
    return np.array([np.sum(passed[1:] != passed[:-1]), max(len(passed) - 1, 0)], np.float64)


def splits_systems(abroad: Shares) -> bool:
    """Say whether networks of one autonomous system fared unlike each other: a list can do that, and a cable hardly."""
    passed = abroad.share > 0.5
    return bool(len(np.intersect1d(abroad.system[passed], abroad.system[~passed])))


def became_slower(attempts: Attempts, shut: I64, before: I64) -> tuple[bool, int]:
    """Say whether networks that are reached meanwhile were nearer before, and of how many that is known.

    What comes afterwards is no measure: routes that were changed because of a cut mostly stay so for a while.
    """
    then, now = (rows[(attempts.passed[rows] == 1) & (attempts.trip[rows] > 0)] for rows in (before, shut))
    common = np.intersect1d(attempts.cluster[then], attempts.cluster[now])
    if not len(common):
        return False, 0
    old, new = (
        np.array([np.median(attempts.trip[rows[attempts.cluster[rows] == cluster]]) for cluster in common.tolist()])
        for rows in (then, now)
    )
    return bool(np.median(new / old) >= FARTHER and np.median(new - old) >= FARTHER_NS), len(common)
