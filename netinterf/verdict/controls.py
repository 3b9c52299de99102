"""What a group is compared with: observations of the same client and the same time that differ in one thing.

For a name these are other names at the same addresses, for an address (prefix, AS, country) other ones of the same
client, for a client other clients at the same service, for a protocol the same service by another one. The same time
is the same five minutes or those beside (Kakhki et al., IMC 2015, and Tariq et al., "NANO", CoNEXT 2009: like must be
compared with like).

Log-likelihoods of shares add up over observations, so each place and time (a stratum) is summed once, and the controls
of a group are the strata that it touches without its own members. The cost grows with observations and not with pairs
of groups and controls.
"""

from collections.abc import Callable

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.schema import GroupBy
from netinterf.stats.levels import row_blocks
from netinterf.stats.mixture import log_likelihoods
from netinterf.verdict.clusters import Clusters
from netinterf.verdict.keys import Keys, distinct, joined, numbered
from netinterf.verdict.subjects import Subjects

__all__ = ["Beside", "Controls", "Places", "look_beside", "no_controls"]

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

TABLE = 4_000_000
"""Strata that are looked up in a table of all that are possible; where there are more, they are searched for."""


@attrs.frozen(eq=False, kw_only=True)
class Beside:
    """The controls of some groups, one entry per group."""

    loglik: F64  # of the shares among them, shape (groups, points); zeros without any
    telling: I64  # observations
    hit: I64  # those of them that speak for interference

    def take(self, rows: NDArray[np.bool_]) -> "Beside":
        """Select groups."""
        return Beside(loglik=self.loglik[rows], telling=self.telling[rows], hit=self.hit[rows])


def no_controls(groups: int, points: int) -> Beside:
    """Say of groups that nothing can be compared with them."""
    none = np.zeros(groups, np.int64)
    return Beside(loglik=np.zeros((groups, points)), telling=none, hit=none)


class Places:
    """Where an observation may have controls, numbered when first asked for: one column per kind of comparison."""

    def __init__(self, clusters: Clusters, subjects: Subjects, keys: Keys) -> None:
        first = clusters.first
        self.client, self.server = subjects.client[first].astype(np.int64), subjects.server[first].astype(np.int64)
        self.hosts = 1 + int(max(self.client.max(initial=0), self.server.max(initial=0)))
        name = keys.name[first]
        self.service = np.where(name > 0, name, keys.names + self.server)  # the name, without one the address
        self.services = keys.names + self.hosts
        self.bin, self.bins = keys.bin[first], keys.bins
        self._known: dict[str, tuple[I64, int]] = {}

    def of(self, by: GroupBy) -> tuple[I64, int] | None:
        """Number the places of comparison for a grouping, and say how many there may be; None without controls."""
        kinds: dict[GroupBy, tuple[str, Callable[[], tuple[I64, int]]]] = {
            GroupBy.CLIENT: ("service", lambda: (self.service, self.services)),
            GroupBy.PROTOCOL: ("visit", lambda: self._pairs(self.service, self.services)),
        }
        kinds |= dict.fromkeys(
            [GroupBy.NAME, GroupBy.DOMAIN], ("address", lambda: self._pairs(self.server, self.hosts))
        )
        kinds |= dict.fromkeys(
            [GroupBy.SERVER, GroupBy.PREFIX, GroupBy.ASN, GroupBy.COUNTRY],
            ("client", lambda: (self.client, self.hosts)),
        )
        if by not in kinds:
            return None
        word, build = kinds[by]
        if word not in self._known:
            self._known[word] = build()
        return self._known[word]

    def _pairs(self, column: I64, width: int) -> tuple[I64, int]:
        """Number the pairs of a client and something else."""
        number, first = numbered(joined((column, width), (self.client, self.hosts))[0])
        return number, len(first)


@attrs.define(eq=False, kw_only=True)
class Controls:
    """The strata that groups of one grouping touch, and what all observations in each say together."""

    stratum: I64  # of each cluster, -1 where no group looks
    pair_group: I64  # which group (key), rising …
    pair_stratum: I64  # … touches which stratum
    total: F64  # log-likelihoods of the shares, shape (strata, points)
    telling: I64  # observations in each stratum
    hit: I64  # those of them that speak for interference

    def beside(self, groups: I64, own: F64, size: I64, hit: I64) -> Beside:
        """Sum up the controls of groups: what their strata hold without their own members.

        Args:
            groups: Keys, rising; some of those that the strata were laid out for.
            own: Log-likelihoods of their own members, shape (groups, points).
            size: How many observations their own members are.
            hit: How many of these speak for interference.
        """
        place = np.minimum(np.searchsorted(groups, self.pair_group), max(len(groups) - 1, 0))
        kept = groups[place] == self.pair_group if len(groups) else np.zeros(0, np.bool_)
        group, stratum = place[kept], self.pair_stratum[kept]
        start = np.flatnonzero(np.append(True, group[1:] != group[:-1])) if len(group) else np.empty(0, np.int64)
        telling = np.bincount(group, self.telling[stratum], len(groups)).astype(np.int64) - size
        hits = np.bincount(group, self.hit[stratum], len(groups)).astype(np.int64) - hit
        loglik = np.empty_like(own)
        for columns in row_blocks(own.shape[1], len(stratum)):
            loglik[:, columns] = np.add.reduceat(self.total[stratum, columns], start, axis=0) if len(start) else 0.0
        loglik -= own
        loglik[telling <= 0] = 0.0  # and not the rounding that is left
        return Beside(loglik=loglik, telling=np.maximum(telling, 0), hit=np.maximum(hits, 0))

    def remove(self, clusters: I64, llr: F64, grid: F64) -> None:
        """Take observations out of their strata: an accepted group explains them."""
        stratum = self.stratum[clusters]
        touched = distinct(stratum[stratum >= 0])
        if not len(touched):
            return
        gone = clusters[stratum >= 0]
        place = np.searchsorted(touched, self.stratum[gone])
        self.total[touched] -= log_likelihoods(llr[gone], place, len(touched), grid)
        self.telling[touched] -= np.bincount(place, minlength=len(touched))
        self.hit[touched] -= np.bincount(place, llr[gone] > 0, len(touched)).astype(np.int64)


def look_beside(
    places: Places, by: GroupBy, rows: I64, key: I64, live: NDArray[np.bool_], llr: F64, grid: F64
) -> Controls | None:
    """Lay out the strata that groups touch.

    Args:
        places: Where observations may have controls.
        by: The grouping.
        rows: Observations of the groups.
        key: Group of every observation, -1 for none.
        live: Observations that no accepted group explains.
        llr: What each observation says.
        grid: The shares.

    Returns:
        None where the grouping has no controls.
    """
    found = places.of(by)
    if found is None:
        return None
    place, width = found
    bins = places.bins + 2
    stratum = place * bins + places.bin + 1
    group = distinct(key[rows])
    near = stratum[rows] + np.array([[-1], [0], [1]])
    size = width * bins
    pairs = distinct((np.searchsorted(group, key[rows]) * size + near).reshape(-1))
    touched = distinct(pairs % size)
    if size <= TABLE:
        table = np.full(size, -1, np.int64)
        table[touched] = np.arange(len(touched))
        number = table[stratum]
    else:
        number = np.minimum(np.searchsorted(touched, stratum), len(touched) - 1)
        number = np.where(touched[number] == stratum, number, -1)
    inside = np.flatnonzero((number >= 0) & live)
    own = number[inside]
    return Controls(
        stratum=number,
        pair_group=group[pairs // size],
        pair_stratum=np.searchsorted(touched, pairs % size),
        total=log_likelihoods(llr[inside], own, len(touched), grid),
        telling=np.bincount(own, minlength=len(touched)).astype(np.int64),
        hit=np.bincount(own, llr[inside] > 0, len(touched)).astype(np.int64),
    )
