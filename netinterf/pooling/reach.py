"""What is reached from each network, hour by hour: which share of the servers that live is silent there.

A server lives if it answers in another network or hour: addresses are tried that nobody serves, and what is known by
the same hour alone would always have answered. What was silent while all else was so within a minute is left out, as
the line may have been out; so are hours in which too few networks of servers were tried. An hour in which nothing at
all is answered may be an outage of the line, and says nothing.
"""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import combined, numbered, totals
from netinterf.observations.attempts import HTTP, TLS
from netinterf.observations.table import Observations
from netinterf.pooling.witnesses import Hours
from netinterf.table import Table, column
from netinterf.values import frozen

__all__ = ["Reach", "Servers", "shares"]

ENOUGH, SYSTEMS = 10.0, 6
"""Servers that must be tried in an hour, counted as `shares` does, and networks that they are in: of ten that live,
half are silent by chance once in 10^3 hours where a tenth is; fewer networks may hang on one cable (judgements, the
second as for one capture)."""

MISSED = 0.5
"""A recorder that misses more of such packets than this does not show what was silent (judgement)."""

SCANNED = 10.0
"""Nats that the scan of one capture may say for a border (as the cap of its rules, `netinterf.analyzers.isolation`)."""


@frozen(eq=False, kw_only=True)
class Servers(Table):
    """Web servers that live and of which it is known what came of them, one row per place, hour and server."""

    place: I64 = column("i8", "number of the client's place or network")
    step: I64 = column("i8", "hour; see Hours")
    service: I64 = column("i8", "number of the server")
    site: I64 = column("i8", "network of the server")
    silent: Mask = column("?", "nothing came back from it in that hour")
    row: I64 = column("i8", "an observation of it")

    @classmethod
    def living(cls, table: Observations, hours: Hours, hushed: Mask) -> Self:
        """List them in the order of time, the latest first.

        Args:
            table: Observations.
            hours: When they were.
            hushed: Which of them a scan holds to be silenced, rather than answered by somebody else.
        """
        web = (table.transport == HTTP) | (table.transport == TLS)
        alive = (table.answered > 0) | (table.heard > 0)
        silent = (table.silent > 0) | (hushed & (table.struck > 0))
        shown = alive | (silent & (table.around > table.lost) & (table.missed < MISSED))
        rows = np.flatnonzero(web & shown)
        number, first = numbered(combined(table.place[rows], hours.step[rows], table.service[rows]))
        passed = totals(number, alive[rows], len(first)) > 0
        rows = rows[first]
        server, _ = numbered(table.service[rows])
        lives = totals(server, passed, int(server.max(initial=-1)) + 1)[server] > passed  # somebody else says so
        rows, passed = rows[lives], passed[lives]
        return cls(
            place=table.place[rows].astype(np.int64),
            step=hours.step[rows],
            service=table.service[rows],
            site=table.site[rows],
            silent=~passed,
            row=rows,
        ).take(np.argsort(-table.time[rows], kind="stable"))


def shares(key: I64, site: I64, silent: F64 | Mask) -> tuple[F64, F64, I64]:
    """Count silent servers by their networks: those of one are half alike, so that m of them count as 2m/(m+1).

    Args:
        key: What to add up by, from 0 without gaps; one per server.
        site: Network of each server.
        silent: Whether each is silent, or in which share of its hours.

    Returns:
        For each key: what is silent, what was tried, and how many networks of servers that is.
    """
    count = int(key.max(initial=-1)) + 1
    number, first = numbered(combined(key, site))
    members, of = totals(number, None, len(first)), key[first]
    worth = 2 * members / (members + 1)
    share = totals(number, silent, len(first)) / members
    return totals(of, worth * share, count), totals(of, worth, count), np.bincount(of, minlength=count)


@frozen(eq=False, kw_only=True)
class Reach(Table):
    """What is reached from a network in an hour, one row per place and hour that says anything, in this order."""

    place: I64 = column("i8", "number of the client's place or network")
    step: I64 = column("i8", "hour; see Hours")
    row: I64 = column("i8", "an observation to look at, of something silent if there is any")
    cut: Mask = column("?", "most servers are silent and others answer, or a scan found a closed border")
    out: Mask = column("?", "nothing is answered")
    scanned: F64 = column("f8", "what scans say for a closed border, 0 for nothing", unit="nats")

    @classmethod
    def seen(cls, servers: Servers, table: Observations, hours: Hours, scanned: F64) -> Self:
        """Look at each hour.

        Args:
            servers: As they answered.
            table: Observations.
            hours: When they were.
            scanned: Nats that the scan of each observation says for a closed border, 0 for nothing.
        """
        hour, first = numbered(combined(servers.place, servers.step))
        silent, tried, sites = shares(hour, servers.site, servers.silent)
        passing, enough = totals(hour, ~servers.silent, len(first)), (tried >= ENOUGH) & (sites >= SYSTEMS)
        look = servers.row[first]
        look[hour[servers.silent]] = servers.row[servers.silent]  # of equals the last assignment stays: the earliest
        seen, found = first[enough], np.flatnonzero(scanned > 0)
        none = np.zeros(len(found), np.bool_)
        every = cls(
            place=np.concatenate([servers.place[seen], table.place[found]]),
            step=np.concatenate([servers.step[seen], hours.step[found]]),
            row=np.concatenate([look[enough], found]),
            cut=np.concatenate([((silent > tried / 2) & (passing > 0))[enough], ~none]),
            out=np.concatenate([(passing == 0)[enough], none]),
            scanned=np.concatenate([np.zeros(len(seen)), np.minimum(scanned[found], SCANNED)]),
        )
        every = every.take(np.lexsort((-every.scanned, every.step, every.place)))
        return every.take((np.diff(every.place, prepend=-1) != 0) | (np.diff(every.step, prepend=-1) != 0))

    def closed(self, place: NDArray[np.integer[Any]], step: I64, wanted: Mask) -> Mask:
        """Say in which hours most is silent in some networks: those that show it, and what lies between or beyond them.

        Args:
            place: Place of each row that is asked about.
            step: Its hour.
            wanted: Which places are asked about, by their number.
        """
        result, known = np.zeros(len(place), np.bool_), self.take(wanted[self.place] & ~self.out)
        if not len(known):
            return result
        seen, cut = np.zeros((2, len(wanted)), np.bool_)
        seen[known.place] = cut[known.place[known.cut]] = True
        rows = np.flatnonzero((wanted & (cut | ~seen))[place])  # the border of all others was always open
        where, when, there = place[rows].astype(np.int64), step[rows], np.ones(len(rows), np.bool_)
        width = int(max(when.max(initial=0), known.step.max())) + 1
        hour, asked = known.place * width + known.step, where * width + when
        for at in (np.searchsorted(hour, asked, side="right") - 1, np.searchsorted(hour, asked)):
            near = np.clip(at, 0, len(hour) - 1)
            theirs = (at != near) | (known.place[near] != where)  # there is none on this side
            there &= theirs | known.cut[near]
        result[rows] = there
        return result
