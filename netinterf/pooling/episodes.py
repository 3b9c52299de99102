"""Cells that failed, laid out in time, and what others show at the same time.

An episode is what a cell shows in an hour; others in the same hour speak of the same time. Where no other place tried
then, what others show at any time counts as far as an outage would still go on. Captures are clusters: what many
attempts of one place share, they share all.

Everything is counted by keys and sums, so that ten million observations cost a few sorts.
"""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import F64, I64, Mask
from netinterf.columns import spans as listed
from netinterf.numbering import combined, numbered, totals
from netinterf.observations.neighbours import nearest_other
from netinterf.observations.table import Observations
from netinterf.pooling.others import MOST, Others, by_place_and_time, outage
from netinterf.pooling.tallies import Tallies
from netinterf.values import frozen

__all__ = ["EPISODE_NS", "Episodes", "lay_out"]

EPISODE_NS = 3600 * 10**9
"""An hour: what counts as the same time. Of the outages that pass, one in seven ends within it."""

LASTS_NS = 6 * 3600 * 10**9
"""Mean time that a passing outage goes on (judgement)."""

FOREVER = 0.5
"""Share of outages that do not pass: names that are dead stay so (judgement). Both say how much an answer in another
place, hours or days away, tells about the time here."""

NEVER = np.iinfo(np.int64).max


@frozen(eq=False, kw_only=True)
class Episodes:
    """Failing cells in time, one entry per episode, in the order of cells and time."""

    cell: I64  # place among the failing cells
    begin: I64  # where each cell's episodes begin, and the end of the last; cells + 1
    time: I64  # first attempt, ns
    last: I64  # last observation, ns
    failed: F64
    answered: F64
    chance: F64  # log-probability that the failures are no more than chance
    neighbours: F64  # an outage of the whole server, less others being spared, by neighbours in the same place; nats
    unit_gone: F64  # the unit being out everywhere, less it being fine elsewhere; nats
    local_gone: F64  # the same at the servers where it failed
    server_gone: F64  # these servers being out, less them being fine elsewhere; nats


def lay_out(observations: Observations, tallies: Tallies, cells: I64) -> Episodes:
    """Lay failing cells out in time.

    Args:
        observations: Of any places.
        tallies: What came of their cells.
        cells: Which cells; each failed at least once.
    """
    table = observations
    number = np.full(len(tallies), -1, np.int64)
    number[cells] = np.arange(len(cells))
    mine = number[tallies.cell]  # of each row
    rows = np.flatnonzero(mine >= 0)
    witness = Witness.of(table, tallies)
    keys, episode = np.unique(mine[rows] * witness.width + witness.period[rows], return_inverse=True)
    cell, period = keys // witness.width, keys % witness.width
    begin = np.searchsorted(cell, np.arange(len(cells) + 1))
    fewer = np.minimum(1.0, MOST / np.maximum(table.failed[rows], 1))

    def add(values: NDArray[Any]) -> F64:
        return totals(episode, values, len(keys))

    def nearest(key: I64) -> F64:
        gap = np.full(len(keys), np.inf)
        np.minimum.at(gap, episode, witness.gap(key, rows))
        return gap

    time, last = np.full(len(keys), NEVER), np.full(len(keys), -NEVER)
    np.minimum.at(time, episode, table.time[rows])
    np.maximum.at(last, episode, table.time[rows])
    at_server = combined(table.unit, table.service)
    first, place = rows[np.unique(episode, return_index=True)[1]], tallies.place[cells][cell]
    bad, owner = services_of(table, mine, begin)
    by_server = nearest(table.service)
    gone_at, gone_from = (
        totals(owner, witness.outage(key, key[bad], place[owner], period[owner], by_server[owner]), len(keys))
        for key in (at_server, table.service)
    )
    return Episodes(
        cell=cell,
        begin=begin,
        time=time,
        last=last,
        failed=add(table.failed[rows]),
        answered=add(table.answered[rows]),
        chance=add(table.chance[rows] * fewer),
        neighbours=outage(add(table.neighbour_alive[rows]), add(table.neighbour_dead[rows])),
        unit_gone=witness.outage(table.unit, table.unit[first], place, period, nearest(table.unit)),
        local_gone=gone_at,
        server_gone=gone_from,
    )


def services_of(table: Observations, mine: I64, begin: I64) -> tuple[I64, I64]:
    """List for each episode the servers at which its cell ever failed.

    Args:
        table: Observations.
        mine: Which failing cell each is of, -1 for none.
        begin: Where the episodes of each cell begin.

    Returns:
        A row of each such server, and the episode, one entry per server and episode.
    """
    rows = np.flatnonzero((mine >= 0) & (table.failed > 0))
    _, first = numbered(combined(mine[rows], table.service[rows]))
    row = rows[first]
    lengths = np.diff(begin)[mine[row]]
    return np.repeat(row, lengths), listed(begin[:-1][mine[row]], lengths)


@frozen(eq=False)
class Witness:
    """What observations tell of an outage, and when."""

    table: Observations
    period: I64  # hour, from the first
    width: int  # how many there are
    alive: F64
    dead: F64  # failures that nobody is held to have caused: what was struck says nothing about the server

    @classmethod
    def of(cls, table: Observations, tallies: Tallies) -> Self:
        """Look at observations."""
        period = table.time // EPISODE_NS
        period -= period.min(initial=NEVER) if len(period) else 0
        struck = tallies.struck[tallies.cell] > 0
        dead = np.where(struck, 0.0, table.failed.astype(np.float64))
        return cls(table, period, int(period.max(initial=0)) + 1, table.alive.astype(np.float64), dead)

    def gap(self, key: I64, rows: I64) -> F64:
        """Measure how far in time the nearest witness of the same key in another place is, ns; infinity for none."""
        near = np.flatnonzero(among(key, rows))
        place, time = self.table.place[near].astype(np.int64), self.table.time[near]
        found = nearest_other(key[near], place, time, (self.alive + self.dead)[near] > 0, NEVER)
        gap = np.full(len(key), np.inf)
        known = found >= 0
        gap[near[known]] = np.abs(time[known] - time[found[known]])
        return gap[rows]

    def outage(self, key: I64, wanted: I64, place: I64, period: I64, gap: F64) -> F64:
        """Weigh what other places show: what has a key being out at a time, less it being fine.

        Args:
            key: What each observation is of, from 0.
            wanted: Keys that are asked about, n of them.
            place: Whose others count.
            period: When.
            gap: ns to the nearest witness at any time.

        Returns:
            n log-likelihood ratios, nats.
        """
        asked = np.zeros(int(key.max(initial=-1)) + 1, np.bool_)
        asked[wanted] = True
        near = np.flatnonzero(asked[key] & (self.alive + self.dead > 0))
        keys, places, periods, alive, dead = by_place_and_time(
            key[near], self.table.place[near].astype(np.int64), self.period[near], self.alive[near], self.dead[near]
        )
        now = Others.of(keys * self.width + periods, places, outage(alive, dead))
        worth, witnesses = now.but(wanted * self.width + period, place)
        lived, ever = Others.of(keys, places, alive).but(wanted, place)
        died, _ = Others.of(keys, places, dead).but(wanted, place)
        still = FOREVER + (1 - FOREVER) * np.exp(-gap / LASTS_NS)
        at_another_time = np.log(still * np.exp(outage(lived, died)) + (1 - still))
        return np.where(witnesses > 0, worth, np.where(ever > 0, at_another_time, 0.0))


def among(key: I64, rows: I64) -> Mask:
    """Say which rows have the key of one of some rows."""
    asked = np.zeros(int(key.max(initial=-1)) + 1, np.bool_)
    asked[key[rows]] = True
    return np.asarray(asked[key])
