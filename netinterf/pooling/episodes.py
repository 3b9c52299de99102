"""Cells that failed, laid out hour by hour, and what other places show of the same thing in these hours.

The hours are those in which anybody tried the same thing, so that what is said of a cell and of others rests on the
same observations. Everything is counted by keys and sums, so that ten million observations cost a few sorts.
"""

from collections.abc import Sequence
from typing import Any, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import F64, I64, Mask
from netinterf.columns import spans
from netinterf.numbering import combined, numbered, totals
from netinterf.observations.table import Observations
from netinterf.pooling.tallies import Tallies
from netinterf.pooling.witnesses import HOUR_NS, MOST, Hours, Witnesses, lookup, outage
from netinterf.values import frozen

__all__ = ["NEVER", "Company", "Episodes", "lay_out"]

SERVERS = 4
"""Servers of a cell that are looked at, those where it failed most: a name that fails at more of them does not fail
because of one (judgement)."""

NEVER = np.iinfo(np.int64).max


@frozen(eq=False, kw_only=True)
class Episodes:
    """Failing cells hour by hour, one entry per cell and hour, in this order."""

    cell: I64  # place among the failing cells
    begin: I64  # where the hours of each cell begin, and the end of the last; cells + 1
    hour: F64  # hours since the first of all
    time: I64  # first attempt of the cell in that hour, ns; `NEVER` where it did not try
    last: I64  # its last observation, ns; -`NEVER` where it did not try
    failed: F64
    answered: F64  # of servers that failed to open: or opened for a name
    visits: F64  # failures that share no fate
    chance: F64  # log-probability that these are no more than chance, or that their transport was shut
    line: F64  # the same as the line fares, which others at the server share
    unshared: F64  # the same as far as it is not their transport, which those others need not share
    neighbours: F64  # an outage of the whole server, less others being spared, by neighbours in the same place; nats
    company: F64  # the same by all others at these servers in the same place and hour, 0 where there are none, or where
    # they are among what was answered
    gone: F64  # the thing being out in all other places, less it being fine there; nats
    gone_here: F64  # the same at the servers where it failed
    down: F64  # these servers being out, less them being fine elsewhere; nats

    same_name: F64  # the name being refused here over other transports as well, less it being fine; nats, by cell

    def tried(self) -> tuple[Self, I64]:
        """Keep the hours that show what came of cells: what is at work only in others explains nothing of them.

        Returns:
            These, and their rows.
        """
        rows = np.flatnonzero(self.failed + self.answered > 0)
        begin = np.searchsorted(self.cell[rows], np.arange(len(self.begin)))
        columns = {
            field.name: getattr(self, field.name)[rows]
            for field in attrs.fields(type(self))
            if field.name not in {"begin", "same_name"}
        }
        return attrs.evolve(self, begin=begin, **columns), rows

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """Join episodes of different cells."""
        cells = np.cumsum([0, *(len(part.begin) - 1 for part in parts)])
        rows = np.cumsum([0, *(len(part.cell) for part in parts)])
        columns = {
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in attrs.fields(cls)
            if field.name not in {"cell", "begin"}
        }
        return cls(
            cell=np.concatenate([part.cell + first for part, first in zip(parts, cells, strict=False)]),
            begin=np.concatenate(
                [*(part.begin[:-1] + first for part, first in zip(parts, rows, strict=False)), rows[-1:]]
            ),
            **columns,
        )


@frozen(eq=False)
class Company:
    """What failing cells are about, and all that places show of that."""

    witnesses: Witnesses
    key: I64  # of each cell, among those of the witnesses
    place: I64  # of each cell


def lay_out(
    observations: Observations, tallies: Tallies, cells: I64, itself: tuple[F64, F64]
) -> tuple[Episodes, Company]:
    """Lay failing cells out in time.

    A server that never opened is a thing whatever was asked of it; all others are what was asked for.

    Args:
        observations: Of any places.
        tallies: What came of their cells.
        cells: Which cells; each failed at least once.
        itself: How likely what failed in each observation did so by itself, as `netinterf.pooling.ways` gives it.
    """
    table, hours = observations, Hours.of(observations.time)
    rows, keys, key, server, shut = things(table, tallies, cells)
    witnesses = Witnesses.of(table, tallies, hours, rows, keys, server)
    grid = Grid.of(witnesses, key, hours)
    number = np.full(len(tallies), -1, np.int64)
    number[cells] = np.arange(len(cells))
    mine = number[tallies.cell]
    own, place = np.flatnonzero(mine >= 0), tallies.place[cells]
    here, mine = table.take(own), mine[own]
    at = grid.row(mine, key[mine], hours.step[own])
    fewer = np.minimum(1.0, MOST / np.maximum(here.failed, 1))
    visits = np.minimum(here.visits, MOST)
    of_visit = visits / np.maximum(here.failed, 1)
    others, whose = by_name(table, rows[server], keys[server], np.where(shut, key, -1), place)
    there, beside = grid.row(whose, key[whose], hours.step[others]), table.take(others)

    def add(values: NDArray[Any], where: I64 = at) -> F64:
        return totals(where, values, len(grid.cell))

    time, last = np.full(len(grid.cell), NEVER), np.full(len(grid.cell), -NEVER)
    for where, which in ((at, here), (there, beside)):
        np.minimum.at(time, where, which.time)
        np.maximum.at(last, where, which.time)
    over_others = tallies.by_others_answered, tallies.by_others_failed
    servers = Servers.of(table, own, mine, len(cells))
    episodes = Episodes(
        cell=grid.cell,
        begin=grid.begin,
        hour=grid.step * np.float64(hours.width / HOUR_NS),
        time=time,
        last=last,
        failed=add(here.failed),
        answered=add(here.answered) + add(beside.alive + beside.failed - beside.at_opening, there),
        visits=add(visits),
        chance=add(itself[0][own] * of_visit),
        line=add(here.chance * fewer),
        unshared=add(itself[1][own] * fewer),
        neighbours=outage(add(here.neighbour_alive), add(here.neighbour_dead)),
        gone=witnesses.less_own(key[grid.cell], place[grid.cell], grid.step),
        gone_here=servers.elsewhere(("unit", "service"), table, tallies, hours, grid, place),
        down=servers.elsewhere(("service",), table, tallies, hours, grid, place),
        company=np.where(shut[grid.cell], 0.0, servers.beside(table, hours, grid)),
        same_name=outage(*(counts[cells].astype(np.float64) for counts in over_others)),
    )
    return episodes, Company(witnesses, key, place)


def things(table: Observations, tallies: Tallies, cells: I64) -> tuple[I64, I64, I64, Mask, Mask]:
    """Say what failing cells are about, and which observations tell of it.

    Returns:
        Rows of observations, what each is about, what each cell is about, and which rows, and which cells, are about a
        server. A row may stand there twice: for what was asked for, and for the server.
    """
    unopened = ~tallies.named & (tallies.at_opening > 0) & (tallies.at_opening == tallies.failed)
    service = np.zeros(len(tallies), np.int64)
    service[tallies.cell] = table.service  # a cell without a name has one
    units = int(table.unit.max(initial=-1)) + 1
    about = np.where(unopened[cells], units + service[cells], tallies.unit[cells])
    asked = np.zeros(units + int(table.service.max(initial=-1)) + 1, np.bool_)
    asked[about] = True
    by_unit, by_service = np.flatnonzero(asked[table.unit]), np.flatnonzero(asked[units + table.service])
    rows = np.concatenate([by_unit, by_service])
    keys = np.concatenate([table.unit[by_unit], units + table.service[by_service]])
    dense = np.cumsum(asked) - 1
    return rows, dense[keys], dense[about], np.arange(len(rows)) >= len(by_unit), unopened[cells]


def by_name(table: Observations, rows: I64, keys: I64, key: I64, place: I64) -> tuple[I64, I64]:
    """Find what was asked for by name, in the same place, at servers that failed to open.

    A connection that opens counts for the name that was asked for over it. Without these, a server that nearly always
    opens would look as if it had been tried when it failed, and never else.

    Args:
        table: Observations.
        rows: Which of them tell of servers.
        keys: Of which one, each.
        key: Server that each cell is about, -1 where it is about something else.
        place: Of each cell.

    Returns:
        Rows of observations, and the cell that each tells of.
    """
    named = table.named[rows]
    rows, keys = rows[named], keys[named]
    width = int(max(table.place[rows].max(initial=0), place.max(initial=0))) + 1
    cells = np.flatnonzero(key >= 0)
    at, wanted = key[cells] * width + place[cells], keys * width + table.place[rows]
    order = np.argsort(at)
    if not len(order):
        return rows[:0], order
    found = order[np.minimum(np.searchsorted(at[order], wanted), len(order) - 1)]
    there = at[found] == wanted
    return rows[there], cells[found[there]]


@frozen(eq=False)
class Grid:
    """Hours of each cell: those in which anybody tried what it is about."""

    cell: I64
    step: I64
    begin: I64
    hours: I64  # rising: thing and hour
    first: I64  # where the hours of each thing begin among these
    count: int

    @classmethod
    def of(cls, witnesses: Witnesses, key: I64, hours: Hours) -> Self:
        """Lay out the hours of cells that are about some keys."""
        known = witnesses.hours
        first = np.searchsorted(known, np.arange(int(key.max(initial=-1)) + 2) * hours.count)
        lengths = np.diff(first)[key]
        rows = spans(first[key], lengths)
        begin = np.concatenate([[0], np.cumsum(lengths)])
        return cls(np.repeat(np.arange(len(key)), lengths), known[rows] % hours.count, begin, known, first, hours.count)

    def row(self, cell: I64, key: I64, step: I64) -> I64:
        """Find the rows of cells, each about a key, in some hours."""
        return self.begin[cell] + np.searchsorted(self.hours, key * self.count + step) - self.first[key]


@frozen(eq=False)
class Servers:
    """Servers at which cells failed, one entry per cell and server."""

    cell: I64
    row: I64  # an observation of it
    near: I64  # all observations of these servers, rising

    @classmethod
    def of(cls, table: Observations, rows: I64, cell: I64, count: int) -> Self:
        """Take the servers at which each cell failed most.

        Args:
            table: Observations.
            rows: Which of them are of failing cells.
            cell: Of which one, each.
            count: How many cells there are.
        """
        fails = table.fails[rows]
        rows, cell = rows[fails], cell[fails]
        number, first = numbered(combined(cell, table.service[rows]))
        failed, cell, row = totals(number, table.failed_at(rows), len(first)), cell[first], rows[first]
        order = np.lexsort((row, -failed, cell))
        rank = np.arange(len(order)) - np.searchsorted(cell[order], np.arange(count))[cell[order]]
        kept = order[rank < SERVERS]
        asked: Mask = np.zeros(int(table.service.max(initial=-1)) + 1, np.bool_)
        asked[table.service[row[kept]]] = True
        return cls(cell[kept], row[kept], np.flatnonzero(asked[table.service]))

    def of_same(self, table: Observations, *names: str) -> tuple[I64, I64, I64]:
        """Find the observations that are equal to those of the entries in some columns, the server among them.

        Returns:
            These observations, a number of what is equal for each, and the number of each entry.
        """
        key = combined(*(getattr(table, name)[self.near] for name in names))
        own = key[np.searchsorted(self.near, self.row)]
        asked: Mask = np.zeros(int(key.max(initial=-1)) + 1, np.bool_)
        asked[own] = True
        same = asked[key]
        return self.near[same], key[same], own

    def elsewhere(
        self, names: Sequence[str], table: Observations, tallies: Tallies, hours: Hours, grid: Grid, place: I64
    ) -> F64:
        """Weigh what other places show of something at these servers, hour by hour of each cell.

        Args:
            names: Columns that say what an observation is of: a server, or a unit at one.
            table: Observations.
            tallies: What came of their cells.
            hours: When they were.
            grid: Hours of the cells.
            place: Of each cell.
        """
        rows, key, own = self.of_same(table, *names)
        witnesses = Witnesses.of(table, tallies, hours, rows, key)
        lengths = np.diff(grid.begin)[self.cell]
        at = spans(grid.begin[:-1][self.cell], lengths)
        wanted, whose = np.repeat(own, lengths), np.repeat(place[self.cell], lengths)
        return totals(at, witnesses.less_own(wanted, whose, grid.step[at]), len(grid.cell))

    def beside(self, table: Observations, hours: Hours, grid: Grid) -> F64:
        """Weigh what all others at these servers show in the same place, hour by hour of each cell.

        Args:
            table: Observations.
            hours: When they were.
            grid: Hours of the cells.
        """
        lengths = np.diff(grid.begin)[self.cell]
        at = spans(grid.begin[:-1][self.cell], lengths)
        counts = np.zeros((2, len(grid.cell)))  # alive and dead: all at the server, less the cell's own
        for names, sign in ((("place", "service"), 1.0), (("place", "service", "unit"), -1.0)):
            rows, key, own = self.of_same(table, *names)
            wanted = np.repeat(own, lengths)
            known, number = np.unique(key * hours.count + hours.step[rows], return_inverse=True)
            for place, values in enumerate((table.alive_at(rows), table.failed_at(rows))):
                found = lookup(known, wanted * hours.count + grid.step[at], totals(number, values, len(known)))
                counts[place] += sign * totals(at, found, len(grid.cell))
        return outage(*counts)
