"""What is compared with what: every name over every transport, and every server where no name was seen.

Each attempt belongs to exactly one unit, so nothing is counted twice and false discoveries are counted over all of
them.
"""

from enum import StrEnum

import numpy as np

from netinterf.arrays import F64, I64, Mask
from netinterf.comparison.attempts import Attempts, Side, State
from netinterf.comparison.causes import Failures, Kind, ordinary_failure
from netinterf.comparison.neighbours import nearest_gap, neighbours_of
from netinterf.numbering import combined
from netinterf.stats.dependence import combine_dependent, tempered
from netinterf.stats.mixture import log_likelihoods, log_mean_exp, share_grid
from netinterf.values import frozen
from netinterf.verdict.keys import BIN_NS

__all__ = ["Finding", "Tally", "gather_failures", "own_llr", "tally"]

DNS = 0  # place in TRANSPORTS


class Finding(StrEnum):
    """What a comparison says of a unit, the gravest first."""

    BLOCKED = "blocked"  # interfered with here, and not there
    BOTH = "both"  # interfered with on both sides
    SUSPECTED = "suspected"  # possibly blocked here: a hint, no accusation
    ONLY_HERE = "only-here"  # fails here and works there, and something harmless explains that as well
    DOWN = "down"  # fails on both sides without a sign of interference
    CLEAR = "clear"  # works here
    NOT_COMPARED = "not-compared"  # one side does not show it


@frozen(eq=False, kw_only=True)
class Tally:
    """Attempts of each unit on one side, by what came of them."""

    states: I64  # shape (units, states)

    @property
    def answered(self) -> I64:
        """How many were answered."""
        return self.states[:, State.ANSWERED]

    @property
    def failed(self) -> I64:
        """How many failed."""
        return self.states[:, State.BROKEN] + self.states[:, State.SILENT] + self.states[:, State.STRUCK]

    @property
    def known(self) -> I64:
        """Of how many it is known what came of them: answered or failed."""
        return self.answered + self.failed


def tally(attempts: Attempts, side: Side, count: int) -> Tally:
    """Count the attempts of one side.

    A server to which no connection was opened is reached by whoever is told something there by name: that counts as
    answered.

    Args:
        attempts: Attempts of both sides.
        side: Which one.
        count: How many units there are.
    """
    mine = attempts.side == side
    cell = attempts.unit[mine] * len(State) + attempts.state[mine]
    states = np.bincount(cell, minlength=count * len(State)).reshape(count, len(State))
    reached = mine & attempts.alive & (attempts.name.lengths > 0)
    at_service = np.bincount(attempts.service[reached], minlength=int(attempts.service.max(initial=-1)) + 1)
    shut = np.zeros(count, np.bool_)
    shut[attempts.unit[attempts.at_opening & (attempts.name.lengths == 0)]] = True
    shut[attempts.unit[attempts.alive | (attempts.failed & ~attempts.at_opening)]] = False
    rows = np.flatnonzero(shut[attempts.unit])
    states[attempts.unit[rows], State.ANSWERED] = at_service[attempts.service[rows]]  # it has no answers of its own
    return Tally(states=states)


def own_llr(attempts: Attempts, side: Side, count: int, correlation: float) -> tuple[F64, I64]:
    """Weigh what the packets of each unit say by themselves, as groups of one capture are weighed.

    What one capture holds of a unit at one server in five minutes is one observation; observations of one server are
    tempered by how alike they are; the share of affected ones is integrated over.

    Args:
        attempts: Attempts of both sides.
        side: Which one.
        count: How many units there are.
        correlation: Of the evidence about one server.

    Returns:
        Log-likelihood ratio of each unit in nats, and how many observations it rests on.
    """
    rows = np.flatnonzero((attempts.side == side) & (attempts.llr != 0))
    if not len(rows):
        return np.zeros(count), np.zeros(count, np.int64)
    window = (attempts.time[rows] - attempts.time[rows].min()) // BIN_NS
    cluster = combined(attempts.unit[rows], attempts.service[rows], attempts.capture[rows], window)
    size = int(cluster.max()) + 1
    unit, site = np.zeros(size, np.int64), np.zeros(size, np.int64)
    unit[cluster] = attempts.unit[rows]
    site[cluster] = combined(attempts.unit[rows], attempts.service[rows])
    llr = tempered(combine_dependent(attempts.llr[rows], cluster, size), site, int(site.max()) + 1, correlation)
    loglik = log_likelihoods(llr, unit, count, share_grid())
    return log_mean_exp(loglik), np.bincount(unit, minlength=count)


def gather_failures(attempts: Attempts, side: Side, units: I64, count: int) -> Failures:
    """Gather what bears on why units failed on one side.

    Args:
        attempts: Attempts of both sides.
        side: The side on which they failed.
        units: Which units, each failed there at least once.
        count: How many units there are.
    """
    mine, dead = attempts.side == side, attempts.dead
    bad, there = mine & attempts.failed, ~mine
    neighbours = neighbours_of(attempts)

    def add(rows: Mask, weight: F64 | None = None) -> F64:
        total = np.bincount(attempts.unit[rows], None if weight is None else weight[rows], count)
        return total.astype(np.float64)[units]

    # a resolver's error may be the name's own
    alive = np.where(attempts.transport == DNS, attempts.answered, attempts.alive)
    chance = ordinary_failure(neighbours.lost, neighbours.around, attempts.missed)
    failed = add(bad)
    abrupt, unopened = add(bad & attempts.abrupt), add(bad & attempts.at_opening)
    kind = np.where(abrupt * 2 > failed, Kind.RESET, Kind.SILENT)
    kind = np.where((unopened == failed) & ~named(attempts, count)[units], Kind.UNOPENED, kind)
    kind = np.where(add(bad & (attempts.transport == DNS)) > 0, Kind.LOOKUP, kind)
    same, others, server_gap = _servers(attempts, bad, there & alive, there & dead, count)
    other_alive, other_dead = add(there & alive), add(there & dead)
    return Failures(
        kind=kind.astype(np.int64),
        failed=failed,
        answered=add(mine & attempts.answered),
        chance=add(bad, chance),
        neighbour_alive=add(bad & (neighbours.state == 1)),
        neighbour_dead=add(bad & (neighbours.state == 0)),
        same_alive=same[units, 0],
        same_dead=same[units, 1],
        elsewhere_alive=other_alive - same[units, 0],
        elsewhere_dead=other_dead - same[units, 1],
        others_alive=others[units, 0],
        others_dead=others[units, 1],
        unit_gap=nearest_gap(attempts, attempts.unit, bad, there & (alive | dead))[units],
        server_gap=server_gap[units],
    )


def _servers(attempts: Attempts, bad: Mask, alive: Mask, dead: Mask, count: int) -> tuple[F64, F64, F64]:
    """Count what the other side saw of the servers at which each unit failed.

    Args:
        attempts: Attempts of both sides.
        bad: Failures here.
        alive: Attempts on the other side that show life.
        dead: Attempts on the other side that speak for an outage.
        count: How many units there are.

    Returns:
        Attempts of the unit itself, and of others, at these servers, each of shape (units, 2) as alive and dead, and
        the gap in ns from failures at one of these servers to the nearest of them.
    """
    services = int(attempts.service.max()) + 1
    _, first = np.unique(attempts.unit[bad] * services + attempts.service[bad], return_index=True)
    unit, service = attempts.unit[bad][first], attempts.service[bad][first]
    pairs = unit * services + service
    same, every = np.zeros((count, 2)), np.zeros((count, 2))
    for place, kind in enumerate((alive, dead)):
        key = attempts.unit[kind] * services + attempts.service[kind]
        at = np.minimum(np.searchsorted(pairs, key), len(pairs) - 1)
        hit = pairs[at] == key
        same[:, place] = np.bincount(attempts.unit[kind][hit], minlength=count)
        total = np.bincount(attempts.service[kind], minlength=services)
        every[:, place] = np.bincount(unit, total[service], count)
    gap = np.full(count, np.inf)
    np.minimum.at(gap, unit, nearest_gap(attempts, attempts.service, bad, alive | dead)[service])
    return same, every - same, gap


def named(attempts: Attempts, count: int) -> Mask:
    """Say which units are names rather than servers."""
    result = np.zeros(count, np.bool_)
    result[attempts.unit] = attempts.name.lengths > 0
    return result
