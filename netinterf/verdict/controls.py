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

import numpy as np

from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import distinct, joined, numbered
from netinterf.schema import GroupBy
from netinterf.stats.levels import row_blocks
from netinterf.stats.mixture import log_likelihoods
from netinterf.values import define, frozen
from netinterf.verdict.clusters import Clusters
from netinterf.verdict.keys import Keys
from netinterf.verdict.subjects import Subjects

__all__ = ["GroupControls", "Places", "Strata", "find_strata", "no_controls"]

TABLE = 4_000_000
"""Strata that are found by counting all that are possible; where there are more, they are sorted."""


@frozen(eq=False, kw_only=True)
class GroupControls:
    """The controls of some groups, one entry per group."""

    loglik: F64  # of the shares among them, shape (groups, points); zeros without any
    size: I64  # observations
    hit: I64  # those of them that speak for interference

    def take(self, rows: Mask) -> "GroupControls":
        """Select groups."""
        return GroupControls(loglik=self.loglik[rows], size=self.size[rows], hit=self.hit[rows])


def no_controls(groups: int, points: int) -> GroupControls:
    """Say of groups that nothing can be compared with them."""
    none = np.zeros(groups, np.int64)
    return GroupControls(loglik=np.zeros((groups, points)), size=none, hit=none)


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


@define(eq=False, kw_only=True)
class Strata:
    """The strata that groups of one grouping touch, and what all observations in each say together."""

    code: I64  # place and time of each cluster in one number, neighbours in time differ by one
    known: I64  # codes of the strata, rising
    total: F64  # log-likelihoods of the shares, shape (strata, points)
    size: I64  # observations in each stratum
    hit: I64  # those of them that speak for interference

    def controls_of(self, rows: I64, own: I64, loglik: F64, llr: F64) -> GroupControls:
        """Sum up the controls of groups: what the strata that their members touch hold without the members.

        Args:
            rows: Observations of the groups.
            own: Which group each of them belongs to.
            loglik: Log-likelihoods of the shares in each group, shape (groups, points).
            llr: What each observation says.
        """
        count, strata = len(loglik), len(self.known)
        near = self.code[rows] + np.array([[-1], [0], [1]])
        pairs = distinct((own * strata + np.searchsorted(self.known, near)).reshape(-1))
        group, stratum = pairs // strata, pairs % strata
        start = np.searchsorted(group, np.arange(count))
        members, hits = np.bincount(own, minlength=count), np.bincount(own, llr[rows] > 0, count)
        size = np.bincount(group, self.size[stratum], count) - members
        result = np.empty_like(loglik)
        for columns in row_blocks(loglik.shape[1], len(stratum)):
            result[:, columns] = np.add.reduceat(self.total[stratum, columns], start, axis=0)
        result -= loglik
        result[size <= 0] = 0.0  # and not the rounding that is left
        return GroupControls(
            loglik=result,
            size=size.astype(np.int64),
            hit=(np.bincount(group, self.hit[stratum], count) - hits).astype(np.int64),
        )

    def find(self, clusters: I64 | slice) -> I64:
        """Number the strata of observations, -1 where no group looks."""
        code = self.code[clusters]
        place = np.minimum(np.searchsorted(self.known, code), len(self.known) - 1)
        return np.where(self.known[place] == code, place, -1)


def find_strata(places: Places, by: GroupBy, rows: I64, live: Mask, llr: F64, grid: F64) -> Strata | None:
    """Lay out the strata that groups touch.

    Args:
        places: Where observations may have controls.
        by: The grouping.
        rows: Observations of the groups, at least one.
        live: Observations that no accepted group explains.
        llr: What each observation says.
        grid: The shares.

    Returns:
        None where the grouping has no controls.
    """
    numbering = places.of(by)
    if numbering is None:
        return None
    place, width = numbering
    bins = places.bins + 2
    code = place * bins + places.bin + 1
    near = (code[rows] + np.array([[-1], [0], [1]])).reshape(-1)
    if width * bins <= TABLE:
        near = np.flatnonzero(np.bincount(near, minlength=width * bins))
    strata = Strata(code=code, known=distinct(near), total=np.empty((0, len(grid))), size=place[:0], hit=place[:0])
    stratum = strata.find(slice(None))
    inside = np.flatnonzero((stratum >= 0) & live)
    own, count = stratum[inside], len(strata.known)
    strata.total = log_likelihoods(llr[inside], own, count, grid)
    strata.size = np.bincount(own, minlength=count).astype(np.int64)
    strata.hit = np.bincount(own, llr[inside] > 0, count).astype(np.int64)
    return strata
