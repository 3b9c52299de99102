"""What other places show of the same thing: sums over all places, less the own one.

Each place is looked at by itself first, since it is one witness however often it tried: many attempts in one place must
not outvote another.
"""

from typing import Self

import numpy as np

from netinterf.arrays import F64, I64
from netinterf.numbering import combined, numbered, totals
from netinterf.observations.line import OUT, USUAL
from netinterf.values import frozen

__all__ = ["MOST", "Others", "outage"]

MOST = 3
"""Attempts of one place at one time beyond the third tell nothing new: what they share, they share all."""


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


@frozen(eq=False, kw_only=True)
class Others:
    """Sums by key, and by key and place."""

    keys: I64  # rising
    total: F64
    witnesses: F64  # places that tell anything
    pairs: I64  # rising: key and place
    own: F64
    places: int

    @classmethod
    def of(cls, key: I64, place: I64, values: F64) -> Self:
        """Add up witnesses, each of one key and place, several of which may be alike.

        Args:
            key: Whole numbers from 0, n of them.
            place: From 0.
            values: What to add up, n rows of one number or several.
        """
        places = int(place.max(initial=0)) + 1
        pairs, inverse = np.unique(key * places + place, return_inverse=True)
        own = _sums(inverse, values, len(pairs))
        keys, group = np.unique(pairs // places, return_inverse=True)
        return cls(
            keys=keys,
            total=_sums(group, own, len(keys)),
            witnesses=totals(group, None, len(keys)),
            pairs=pairs,
            own=own,
            places=places,
        )

    def but(self, key: I64, place: I64) -> tuple[F64, F64]:
        """Give the sum over all places but one at some keys, and how many of them tell anything."""
        pair = key * self.places + place
        pair[place >= self.places] = -1  # which told nothing here
        told = np.ones(len(self.pairs))
        total, own = _at(self.keys, key, self.total), _at(self.pairs, pair, self.own)
        return total - own, _at(self.keys, key, self.witnesses) - _at(self.pairs, pair, told)


def _at(keys: I64, wanted: I64, values: F64) -> F64:
    """Look values up by their keys, 0 for those that are not there."""
    if not len(keys):
        return np.zeros((len(wanted), *values.shape[1:]))
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    found = values[place]
    found[keys[place] != wanted] = 0.0
    return found


def _sums(group: I64, values: F64, count: int) -> F64:
    """Add rows up by group, column by column."""
    if values.ndim == 1:
        return totals(group, values, count)
    return np.stack([totals(group, column, count) for column in values.T], axis=1)


def by_place_and_time(key: I64, place: I64, period: I64, alive: F64, dead: F64) -> tuple[I64, I64, I64, F64, F64]:
    """Add attempts up by key, place and time: each of these is one witness.

    Returns:
        Key, place and time of each, and its attempts alive and dead.
    """
    number, first = numbered(combined(key, place, period))
    alive, dead = (totals(number, values, len(first)) for values in (alive, dead))
    return key[first], place[first], period[first], alive, dead
