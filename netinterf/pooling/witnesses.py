"""What each place shows of each thing, hour by hour: whoever tried it is a witness of whether it lives.

A thing is a name over a transport, wherever it is served, or a server, whatever is asked of it. Each place is one
witness an hour however often it tried, since many attempts in one place must not outvote another.
"""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import combined, numbered, totals
from netinterf.observations.line import OUT, USUAL
from netinterf.observations.table import Observations
from netinterf.pooling.outages import outages
from netinterf.pooling.tallies import Tallies
from netinterf.values import frozen

__all__ = ["HOUR_NS", "MOST", "Hours", "Witnesses", "lookup", "outage"]

HOUR_NS = 3600 * 10**9
"""What counts as the same time: of outages that pass, which last six hours in the mean, one in seven ends within it."""

MOST_HOURS = 512
"""Steps of time at most: a campaign that is longer than so many hours is looked at in longer ones (memory)."""

MOST = 3
"""Attempts of one place in one hour beyond the third tell nothing new: what they share, they share all."""


def outage(alive: F64, dead: F64) -> F64:
    """Weigh attempts at something that is out, less at something that nothing ails; those beyond `MOST` say no more.

    Args:
        alive: Attempts that show life, n of them.
        dead: Attempts that failed.

    Returns:
        n log-likelihood ratios, nats.
    """
    fewer = np.minimum(1.0, MOST / np.maximum(alive + dead, 1))
    worth = alive * (np.log1p(-OUT) - np.log1p(-USUAL)) + dead * (np.log(OUT) - np.log(USUAL))
    return np.asarray(fewer * worth)


DISSENT = 0.1
"""Share of places that may be answered though a thing is out everywhere: by a cache, by another server, or by a forger
who answers for whatever is on his list (judgement)."""


@frozen(eq=False)
class Hours:
    """Steps of time: an hour each, or more where a campaign is long."""

    step: I64  # of each observation, from 0
    count: int
    width: int  # ns

    @classmethod
    def of(cls, time: I64) -> Self:
        """Cut time into steps."""
        first, last = (int(time.min()), int(time.max())) if len(time) else (0, 0)
        hours = (last // HOUR_NS) - (first // HOUR_NS) + 1
        width = HOUR_NS * max(1, -(-hours // MOST_HOURS))
        step = time // width - first // width
        return cls(step, int(step.max(initial=0)) + 1, width)


@frozen(eq=False, kw_only=True)
class Witnesses:
    """One entry per thing, hour and place, in this order."""

    key: I64
    place: I64
    worth: F64  # the thing being out, less it being fine; of what a scan holds to be struck nothing is said; nats
    seeing: F64  # the same with what was struck among the failures
    struck: F64  # attempts that were struck
    agreed: F64  # as worth, without few places that are answered where all others say that it is out
    at: I64  # thing, hour and place as one number, rising
    hours: I64  # different things and hours as one number, rising
    total: F64  # what all places show in each of these
    steps: int
    width: float  # hours of a step
    places: int

    @classmethod
    def of(
        cls, table: Observations, tallies: Tallies, hours: Hours, rows: I64, key: I64, server: Mask | None = None
    ) -> Self:
        """Add observations up.

        Args:
            table: Observations of any places.
            tallies: What came of their cells.
            hours: When they were.
            rows: Which observations.
            key: What each of these is about, from 0.
            server: Of which it is asked only whether the server opens; None for none.
        """
        places = int(table.place[rows].max(initial=0)) + 1
        joined = (key * hours.count + hours.step[rows]) * places + table.place[rows]
        order = np.argsort(joined)
        joined, rows = joined[order], rows[order]
        begin = np.flatnonzero(np.diff(joined, prepend=-1))
        failed, lives = table.failed_at(rows), table.alive_at(rows)
        if server is not None:
            opening = np.where(server[order], table.at_opening[rows], failed)
            failed, lives = opening, lives + (failed - opening)
        held = np.where(tallies.struck[tallies.cell[rows]] > 0, failed, 0)
        alive, dead, struck = (_sums(values, begin) for values in (lives, failed, held))
        worth, at = outage(alive, dead - struck), joined[begin]
        hour = at // places
        agreed = without_dissent(worth, hour // hours.count, at % places)
        first = np.flatnonzero(np.diff(hour, prepend=-1))
        return cls(
            key=hour // hours.count,
            place=at % places,
            worth=worth,
            seeing=outage(alive, dead),
            struck=struck,
            at=at,
            hours=hour[first],
            agreed=agreed,
            total=_sums(agreed, first),
            steps=hours.count,
            width=hours.width / HOUR_NS,
            places=places,
        )

    def less_own(self, key: I64, place: I64, step: I64) -> F64:
        """Weigh what all places but one show of some things in some hours."""
        hour = key * self.steps + step
        own = lookup(self.at, hour * self.places + np.minimum(place, self.places - 1), self.agreed)
        own[place >= self.places] = 0.0  # which told nothing here
        return lookup(self.hours, hour, self.total) - own

    def out(self) -> F64:
        """Give for each entry the chance that the thing was out for everybody in that hour."""
        thing, step = self.hours // self.steps, self.hours % self.steps
        begin = np.searchsorted(thing, np.arange(int(thing.max(initial=-1)) + 2))
        _, chance = outages(begin, step * np.float64(self.width), self.total)
        return chance[np.searchsorted(self.hours, self.at // self.places)]


def without_dissent(worth: F64, key: I64, place: I64) -> F64:
    """Leave out few places that are answered where all others say that a thing is out.

    Args:
        worth: What each hour says for an outage, nats.
        key: Of which thing, from 0.
        place: In which place.
    """
    witness, first = numbered(combined(key, place))
    says = totals(witness, worth, len(first))
    count = int(key.max(initial=-1)) + 1
    alive, dead = (totals(key[first], mask, count) for mask in (says < 0, says > 0))
    few = (alive <= DISSENT * (alive + dead)) & (alive > 0)
    return np.where(few[key] & (says[witness] < 0), 0.0, worth)


def _sums(values: NDArray[Any], begin: I64) -> F64:
    """Add up runs of values."""
    return np.add.reduceat(values, begin, dtype=np.float64) if len(begin) else np.zeros(0)


def lookup(keys: I64, wanted: I64, values: F64) -> F64:
    """Look values up by their rising keys, 0 for those that are not there."""
    if not len(keys):
        return np.zeros((len(wanted), *values.shape[1:]))
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    found = values[place]
    found[keys[place] != wanted] = 0.0
    return found
