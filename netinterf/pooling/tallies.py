"""What came of each cell: a unit (a name over a transport, or a server) in one place."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import combined, numbered, totals
from netinterf.observations.attempts import DNS
from netinterf.observations.table import Observations
from netinterf.pooling.pieces import pieces
from netinterf.stats.dependence import tempered
from netinterf.stats.mixture import log_likelihoods, log_mean_exp, share_grid
from netinterf.values import frozen

__all__ = ["Tallies", "own_llr", "tally"]


@frozen(eq=False, kw_only=True)
class Tallies:
    """Attempts of each cell by what came of them, one entry per cell."""

    cell: I64  # of each observation
    unit: I64
    place: I64
    named: Mask
    transport: I64
    answered: I64
    heard: I64
    broken: I64
    silent: I64
    struck: I64
    unknown: I64
    unread: I64  # of those answered: what would show a forgery was cut out of the recording
    abrupt: I64
    at_opening: I64
    shut: Mask  # a server to which no connection was opened
    others_answered: I64  # the same unit in all other places
    others_failed: I64
    by_others_answered: I64  # the same name in the same place over other transports, lookups left out
    by_others_failed: I64  # but for those that are struck there: they say nothing of the server
    captures: I64  # in which it was tried
    failing: I64  # in which it failed at least once
    prior: F64  # log-odds of interference before any evidence
    surest: F64  # log-odds that a scan arrived at, for the surest attempt

    def __len__(self) -> int:
        return len(self.unit)

    @property
    def failed(self) -> I64:
        """How many failed."""
        return self.broken + self.silent + self.struck

    @property
    def known(self) -> I64:
        """Of how many it is known what came of them: answered or failed."""
        return self.answered + self.failed

    @property
    def blind(self) -> Mask:
        """Which of them were answered, and no answer could be read."""
        result: Mask = (self.unread > 0) & (self.unread >= self.answered)
        return result


def tally(observations: Observations) -> Tallies:
    """Count what came of each cell.

    A server to which no connection was opened is reached by whoever is told something there by name: that counts as
    answered.

    Args:
        observations: Of any places.
    """
    table = observations
    cell, first = numbered(combined(table.unit, table.place))
    count = len(first)

    def add(values: NDArray[Any]) -> I64:
        return totals(cell, values, count).astype(np.int64)

    def most(values: F64) -> F64:
        result = np.full(count, -np.inf)
        np.maximum.at(result, cell, values)
        return result

    words = ("answered", "heard", "broken", "silent", "struck", "unknown", "unread", "abrupt", "at_opening")
    sums = {word: add(getattr(table, word)) for word in words}
    answered, struck, at_opening = sums.pop("answered"), sums["struck"], sums["at_opening"]
    failed = sums["broken"] + sums["silent"] + struck
    named, unit, place = table.named[first], table.unit[first], table.place[first].astype(np.int64)
    shut = ~named & (at_opening > 0) & (answered + sums["heard"] + failed == at_opening)
    others_answered, others_failed = (_less_own(unit, values) for values in (answered, failed))
    visited = np.where(named & (table.transport[first] != DNS), combined(table.called[first], place), -1)
    blameless = np.where(struck > 0, 0, failed)
    over_answered, over_failed = (_less_own(visited, values) for values in (answered, blameless))
    over_answered[visited < 0] = over_failed[visited < 0] = 0
    reached, others_reached = _reached(table, cell, shut)
    answered[shut], others_answered[shut] = reached[shut], others_reached[shut]  # it has no answers of its own
    captures, failing = _captures(table, cell, count)
    return Tallies(
        cell=cell,
        unit=unit,
        place=place,
        named=named,
        transport=table.transport[first].astype(np.int64),
        answered=answered,
        shut=shut,
        others_answered=others_answered,
        others_failed=others_failed,
        by_others_answered=over_answered,
        by_others_failed=over_failed,
        captures=captures,
        failing=failing,
        prior=most(table.prior),
        surest=most(table.log_odds),
        **sums,
    )


def _less_own(unit: I64, values: I64) -> I64:
    """Give for each cell the sum over the others with the same number."""
    number, first = numbered(unit)
    return totals(number, values, len(first)).astype(np.int64)[number] - values


def _reached(table: Observations, cell: I64, shut: Mask) -> tuple[I64, I64]:
    """Count for cells of servers who was told something there by name: in the same place, and in others."""
    asked = np.zeros(int(table.service.max(initial=-1)) + 1, np.bool_)
    asked[table.service[shut[cell]]] = True
    near = np.flatnonzero(asked[table.service])
    cell, service, place = cell[near], table.service[near], table.place[near]
    told = np.where(table.named[near], table.answered[near].astype(np.int64) + table.heard[near], 0)
    rows, result = np.flatnonzero(shut[cell]), np.zeros((2, len(shut)), np.int64)
    for row, key in enumerate((combined(place, service), service)):
        number, first = numbered(key)
        result[row, cell[rows]] = totals(number, told, len(first)).astype(np.int64)[number[rows]]
    return result[0], result[1] - result[0]


def _captures(table: Observations, cell: I64, count: int) -> tuple[I64, I64]:
    """Count the captures that have rows of each cell, and those in which any of it failed."""
    counts, fails = np.zeros((2, count), np.int64), table.fails
    for rows in pieces(table):
        of, capture, failing = cell[rows], table.capture[rows], fails[rows]
        for which, (one, seen) in enumerate(((of, capture), (of[failing], capture[failing]))):
            _, first = numbered(combined(one, seen))
            counts[which] += np.bincount(one[first], minlength=count)
    return counts[0], counts[1]


def own_llr(observations: Observations, tallies: Tallies, correlation: float, counted: Mask) -> tuple[F64, I64]:
    """Weigh what the packets of each cell say by themselves, as groups of one capture are weighed.

    What one capture holds of a unit at one server in five minutes is one observation; observations of one server are
    tempered by how alike they are; the share of affected ones is integrated over. Cells that never failed and of which
    no packet speaks for interference are left at 0.

    Args:
        observations: Of any places.
        tallies: What came of their cells.
        correlation: Of the evidence about one server.
        counted: Which observations count.

    Returns:
        Log-likelihood ratio of each cell in nats, and how many observations it rests on.
    """
    count, table = len(tallies), observations
    speaks = np.zeros(count, np.bool_)
    speaks[tallies.cell[table.llr > 0]] = True
    rows = np.flatnonzero(counted & (table.llr != 0) & (speaks | (tallies.failed > 0))[tallies.cell])
    if not len(rows):
        return np.zeros(count), np.zeros(count, np.int64)
    cell = tallies.cell[rows]
    site = combined(cell, table.service[rows])
    llr = tempered(table.llr[rows], site, int(site.max()) + 1, correlation)
    number, first = numbered(cell)
    own = np.zeros(count)
    own[cell[first]] = log_mean_exp(log_likelihoods(llr, number, len(first), share_grid()))
    return own, np.bincount(cell, minlength=count)
