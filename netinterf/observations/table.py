"""Attempts added up: what one place tried of one name at one server in five minutes, and what came of it.

Rows of different captures and places add up: counts are counts, sums of logarithms are sums, and what packets weigh by
themselves is the mean of one cluster, so that nothing is counted twice (`netinterf.stats.dependence`). What happened
around an attempt is in its row as well, since only its own capture shows that.
"""

import numpy as np

from netinterf.arrays import F64, I32, I64, U8, U16, U32, Mask
from netinterf.columns import Ragged
from netinterf.context.special import is_ipv4
from netinterf.numbering import combined, totals
from netinterf.observations.attempts import DNS, Attempts, State
from netinterf.observations.line import ordinary_failure
from netinterf.observations.neighbours import MINUTE_NS, neighbours_of
from netinterf.stats.dependence import combine_dependent
from netinterf.table import Table, column, ragged
from netinterf.values import frozen
from netinterf.verdict.keys import BIN_NS

__all__ = ["Observations", "observe"]

SHOWN = 3
"""Attempts of a row whose frames are kept to look at, failures first: fewer than a reader opens (judgement)."""


@frozen(eq=False, kw_only=True)
class Observations(Table):
    """One row per place, capture, unit, server and five minutes."""

    place: I32 = column("i4", "number of the client's place or network")
    capture: I32 = column("i4", "number of the capture")
    unit: I64 = column("i8", "number of what was tried: a name over a transport, or a server without one")
    service: I64 = column("i8", "number of the server's address, port and transport")
    site: I64 = column("i8", "network of the server: its AS, or a stand-in below 0")
    transport: U8 = column("u1", "place in TRANSPORTS")
    version: U8 = column("u1", "IP version of the server; 0 where it is not known")
    called: I64 = column("i8", "number of the name, whatever the transport; -1 of servers without one", missing=True)
    time: I64 = column("i8", "when the first attempt began", unit="ns since 1970 UTC")
    clients: U16 = column("u2", "clients that tried")
    answered: U32 = column("u4", "attempts that were answered")
    heard: U32 = column("u4", "attempts at which somebody spoke in the server's name, without what was asked for")
    broken: U32 = column("u4", "attempts that were reset")
    silent: U32 = column("u4", "attempts at which nothing came back")
    struck: U32 = column("u4", "attempts that the scan holds to be interfered with, whatever came back")
    unknown: U32 = column("u4", "attempts of which the capture does not show what came of them")
    unread: U32 = column("u4", "attempts that were answered, of which what would show a forgery was cut away")
    visits: U32 = column("u4", "failures more than a minute behind the last failure of the same: others share its fate")
    abrupt: U32 = column("u4", "failures that were resets rather than silence")
    at_opening: U32 = column("u4", "failures before anything could be asked for")
    neighbour_alive: U32 = column(
        "u4", "of the nearest in time at the same address, before and behind each failure: those alive"
    )
    neighbour_dead: U32 = column("u4", "of these: those that failed as well")
    around: U32 = column("u4", "attempts at other things within a minute, over all failures")
    lost: U32 = column("u4", "those of them that failed with nobody held to have done it")
    chance: F64 = column("f8", "sum over the failures: log-probability that an attempt fails by itself", unit="nats")
    missed: F64 = column("f8", "share of such packets that the recorder is seen to have missed, the most of any")
    llr: F64 = column("f8", "what the packets weigh by themselves, as one observation", unit="nats")
    prior: F64 = column("f8", "log-odds of interference before any evidence", unit="nats")
    log_odds: F64 = column("f8", "log-odds that the scan arrived at for the surest of them", unit="nats")
    surest: I32 = column("i4", "row in Attempts of the surest of them", fill=-1)
    shown: Ragged = ragged("i4", "rows in Attempts to look at, failures first")

    @property
    def named(self) -> Mask:
        """Whether the unit is a name."""
        return np.asarray(self.called >= 0)

    @property
    def fails(self) -> Mask:
        """Whether any attempt failed."""
        return np.asarray((self.broken > 0) | (self.silent > 0) | (self.struck > 0))

    @property
    def failed(self) -> I64:
        """How many attempts failed."""
        return self.failed_at(slice(None))

    @property
    def alive(self) -> I64:
        """How many attempts show that the server lives; a resolver's error may be the name's own."""
        return self.alive_at(slice(None))

    def failed_at(self, rows: I64 | slice) -> I64:
        """Say how many attempts of some rows failed."""
        return self.broken[rows].astype(np.int64) + self.silent[rows] + self.struck[rows]

    def alive_at(self, rows: I64 | slice) -> I64:
        """Say how many attempts of some rows show that the server lives."""
        heard = np.where(self.transport[rows] == DNS, 0, self.heard[rows])
        return np.asarray(self.answered[rows].astype(np.int64) + heard)


def observe(attempts: Attempts) -> Observations:
    """Add attempts up.

    Args:
        attempts: What was tried, of any captures and places.

    Returns:
        One row per place, capture, AS of the client, unit, server and five minutes, in the order of time.
    """
    if not len(attempts):
        return Observations.empty()
    keys = attempts.place, attempts.capture, attempts.asn, attempts.unit, attempts.service, attempts.time // BIN_NS
    group = combined(*keys)
    count = int(group.max()) + 1
    by_time = np.lexsort((attempts.time, group))
    first = by_time[np.searchsorted(group[by_time], np.arange(count))]
    states = np.bincount(group * len(State) + attempts.state, minlength=count * len(State)).reshape(count, -1)
    failed = attempts.failed
    around = neighbours_of(attempts)
    chance = ordinary_failure(around.lost, around.around, attempts.missed)

    def number(mask: Mask, weight: I64 | F64 | None = None) -> F64:
        return totals(group[mask], None if weight is None else weight[mask], count)

    def most(values: F64) -> F64:
        result = np.full(count, -np.inf)
        np.maximum.at(result, group, values)
        return result

    table = Observations(
        place=attempts.place[first],
        capture=attempts.capture[first],
        unit=attempts.unit[first],
        service=attempts.service[first],
        site=attempts.site[first],
        transport=attempts.transport[first],
        version=np.where(is_ipv4(attempts.high[first], attempts.low[first]), 4, 6).astype(np.uint8),
        called=attempts.called[first],
        time=attempts.time[first],
        clients=_clients(attempts, group, count),
        answered=states[:, State.ANSWERED].astype(np.uint32),
        heard=states[:, State.HEARD].astype(np.uint32),
        broken=states[:, State.BROKEN].astype(np.uint32),
        silent=states[:, State.SILENT].astype(np.uint32),
        struck=states[:, State.STRUCK].astype(np.uint32),
        unknown=states[:, State.UNKNOWN].astype(np.uint32),
        unread=number(attempts.unread).astype(np.uint32),
        visits=number(_begins(attempts)).astype(np.uint32),
        abrupt=number(failed & attempts.abrupt).astype(np.uint32),
        at_opening=number(failed & attempts.at_opening).astype(np.uint32),
        neighbour_alive=number(failed, around.alive).astype(np.uint32),
        neighbour_dead=number(failed, around.dead).astype(np.uint32),
        around=number(failed, around.around).astype(np.uint32),
        lost=number(failed, around.lost).astype(np.uint32),
        chance=number(failed, chance),
        missed=most(attempts.missed),
        llr=_own(attempts, group, count),
        prior=most(attempts.prior),
        log_odds=most(attempts.log_odds),
        surest=_surest(attempts, group, count),
        shown=_shown(attempts, group, count),
    )
    return table.take(np.argsort(table.time, kind="stable"))


def _begins(attempts: Attempts) -> Mask:
    """Say which failures begin a visit: whoever is not answered tries again, and that fails for the same reason."""
    failed = np.flatnonzero(attempts.failed)
    of = combined(*(getattr(attempts, name)[failed] for name in ("place", "capture", "client", "unit")))
    order = np.lexsort((attempts.time[failed], of))
    of, time = of[order], attempts.time[failed][order]
    result = np.zeros(len(attempts), np.bool_)
    result[failed[order]] = np.append(True, (np.diff(of) != 0) | (np.diff(time) > MINUTE_NS))[: len(of)]
    return result


def _own(attempts: Attempts, group: I64, count: int) -> F64:
    """Weigh what the packets of each row say: the mean of those that speak, which holds however alike they are."""
    rows = np.flatnonzero(attempts.llr)
    return combine_dependent(attempts.llr[rows], group[rows], count)


def _clients(attempts: Attempts, group: I64, count: int) -> U16:
    """Count the clients of each row."""
    pair = combined(group, attempts.client)
    _, first = np.unique(pair, return_index=True)
    return np.minimum(np.bincount(group[first], minlength=count), np.iinfo(np.uint16).max).astype(np.uint16)


def _surest(attempts: Attempts, group: I64, count: int) -> I32:
    """Find the attempt of each row that is surest to have been interfered with, of equal ones the earliest."""
    order = np.lexsort((attempts.time, -attempts.log_odds, group))
    return order[np.searchsorted(group[order], np.arange(count))].astype(np.int32)


def _shown(attempts: Attempts, group: I64, count: int) -> Ragged:
    """List some attempts of each row to look at: the gravest first, then the earliest."""
    order = np.lexsort((attempts.time, -attempts.state.astype(np.int64), group))
    start = np.searchsorted(group[order], np.arange(count))
    place = np.arange(len(order)) - start[group[order]]
    kept = order[place < SHOWN]
    lengths = np.bincount(group[kept], minlength=count)
    return Ragged.from_lengths(lengths, kept.astype(np.int32))
