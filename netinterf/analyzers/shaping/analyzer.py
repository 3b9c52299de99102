"""From transfers that went through a queue, and what passed it by, to evidence about flows."""

from typing import ClassVar

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.base import Scope, join, observe
from netinterf.analyzers.shaping.contrast import Others, apart, beyond, meanwhile, others_of
from netinterf.analyzers.shaping.deliveries import ACKS, Deliveries, deliveries, sizeable
from netinterf.analyzers.shaping.queued import Queued, find_queued, waiting_lanes
from netinterf.analyzers.shaping.rules import (
    AT_CLIENT,
    FAST_START,
    ONE_NAME,
    ONE_SERVER,
    RULES,
    SEVERAL,
    SPARED,
    SPARED_ELSEWHEN,
    UNCOMPARED,
    WEIGHTS,
    WHOLE_LINK,
)
from netinterf.analyzers.sites import flow_name_ids, networks
from netinterf.schema import Evidence, Rule
from netinterf.trace import Trace

__all__ = ["Shaping"]

I64 = NDArray[np.int64]

MOST_WITNESSES = 50
"""Packets named as witnesses of one flow: enough to look at."""

DECIDED = 3.0
"""Nats from which a contrast counts: twenty to one."""

SURE = 8.0
"""Nats of a contrast from which on it has its full weight: two windows that the other explanation cannot have."""

LEAST_PASSED = 20_000.0
"""Bytes beyond the rate that count: more than a dozen packets, which the edges of windows do not make."""


@attrs.frozen(eq=False, kw_only=True)
class Compared:
    """A queue, and how others of the client fared beside it."""

    queued: Queued
    others: Others
    llr: float  # a queue of its own against one for all
    beyond: float  # bytes

    @property
    def rule(self) -> str:
        """Name what the comparison says."""
        if self.llr >= DECIDED:
            return SPARED
        if self.llr <= -DECIDED:
            return WHOLE_LINK
        return SPARED_ELSEWHEN if self.beyond >= LEAST_PASSED else UNCOMPARED


@attrs.frozen(kw_only=True)
class Shaping:
    """Find transfers that a queue of their own held to a rate while others of the same client passed it by.

    What it looks for: packets that wait while what comes through keeps one rate, whatever else the client moves at the
    same time.

    Why: who wants to slow a service down without dropping its packets queues them at a low rate. The line that all of
    a client's traffic shares would share its rate among all, and make all wait.

    Also looks like this: slow lines, plans and overfull buffers (everything waits, or the sum keeps the rate), lines
    shared with others (the rate changes), senders that pace, pause or wait for a window (nothing waits on the path),
    and the own slow line of a single server. Without anything to compare with, no more is said than that there was a
    queue.

    References: Kleinrock 1976; Flach et al., SIGCOMM 2016; Kakhki et al., IMC 2015; Zhang et al., IMC 2023; RFC 7323.
    """

    name: ClassVar[str] = "shaping"
    scope: ClassVar[Scope] = Scope.CAPTURE  # the contrast is the client's other traffic
    needs: ClassVar[frozenset[str]] = frozenset({"packets", "flows", "sides", "rtts", "tls", "http", "quic", "hosts"})
    rules: ClassVar[tuple[Rule, ...]] = RULES

    def __call__(self, trace: Trace, /) -> Evidence:
        """Measure all sizeable transfers at once, and compare those that were queued with the client's others."""
        sides = sizeable(trace)
        if len(sides) == 0:
            return Evidence.empty(rules=self.rules)
        found = deliveries(trace, sides)
        lanes = waiting_lanes(found)
        compared = [self.compare(trace, found, one, lanes >> 1) for one in find_queued(trace, found, lanes)]
        tables = [table for one in compared for table in self.write(trace, found, one, compared)]
        return join(tables) if tables else Evidence.empty(rules=self.rules)

    def compare(self, trace: Trace, found: Deliveries, queued: Queued, waiting: I64) -> Compared:
        """Hold a queue against what else its client moved, but what waited elsewhere."""
        others = others_of(trace, queued, waiting)
        own = found.take(np.isin(found.lane, queued.lanes))
        return Compared(
            queued=queued, others=others, llr=apart(queued, others), beyond=beyond(queued, own, others)
        )

    def write(self, trace: Trace, found: Deliveries, one: Compared, every: list[Compared]) -> list[Evidence]:
        """Write down a queue, how others fared, and where the queue stood."""
        queued, rule = one.queued, one.rule
        passed = meanwhile(queued, one.others)
        measured = {
            "rate_bps": 8 * queued.rate,
            "steady": queued.steady,
            "waited_ms": 1e3 * queued.wait,
            "transfers": len(queued.lanes),
            "passed": len(passed),
        }
        if rule == SPARED_ELSEWHEN:
            measured |= {"beyond_bytes": one.beyond, "selective": 1.0}
        else:
            measured |= {"llr": one.llr}
        if rule in (SPARED, WHOLE_LINK):
            measured["selective"] = float(rule == SPARED)
        weight = WEIGHTS[rule] * (min(1.0, one.llr / SURE) if rule == SPARED else 1.0)
        tables = [self.note(trace, queued, rule, weight, measured, passed)]
        if rule in (SPARED, SPARED_ELSEWHEN):
            tables.append(self.place(trace, found, one, every))
        return tables

    def place(self, trace: Trace, found: Deliveries, one: Compared, every: list[Compared]) -> Evidence:
        """Write down what tells where the queue stood: the strongest reason that there is."""
        queued = one.queued
        outbound = not queued.sides[0] & 1
        if (queued.view == ACKS) != outbound:
            return self.note(trace, queued, AT_CLIENT, WEIGHTS[AT_CLIENT], {})
        alike = [other.queued for other in every if other.rule in (SPARED, SPARED_ELSEWHEN) and same(trace, queued, other.queued)]
        flows = np.concatenate([other.flows for other in alike])
        count = len(np.unique(networks(trace)[flows]))
        if count > 1:
            return self.note(trace, queued, SEVERAL, WEIGHTS[SEVERAL], {"networks": count})
        beside = one.others.take(neighbours(trace, flows, one.others.sides))
        llr = apart(queued, beside)
        if llr >= DECIDED:
            passed = meanwhile(queued, beside)
            return self.note(trace, queued, ONE_NAME, WEIGHTS[ONE_NAME], {"passed": len(passed), "llr": llr}, passed)
        burst = fast_start(queued, found)
        if burst >= LEAST_PASSED:
            return self.note(trace, queued, FAST_START, WEIGHTS[FAST_START], {"burst_bytes": burst})
        return self.note(trace, queued, ONE_SERVER, WEIGHTS[ONE_SERVER], {})

    def note(
        self, trace: Trace, queued: Queued, rule: str, llr: float, measured: dict[str, float], shown: I64 | None = None
    ) -> Evidence:
        """Write one rule down for the flows of a queue; its packets are those that waited, and *shown*."""
        flows = np.unique(queued.flows)
        rows = queued.windows.row
        more = np.empty(0, np.int64) if shown is None else shown[:MOST_WITNESSES]
        witness = []
        for flow in flows.tolist():
            own = rows[trace.packets.flow[rows] == flow][:MOST_WITNESSES]
            witness.append(np.concatenate([own if len(own) else trace.by_flow[flow][:1].astype(np.int64), more]))
        first = np.array([rows[0] for rows in witness])
        return observe(
            self, rule, subject=flows, time=trace.packets.time[first], llr=llr, witness=witness, measured=dict(measured)
        )


def same(trace: Trace, left: Queued, right: Queued) -> bool:
    """Say whether two queues of one client, direction and view have the same rate."""
    flows = trace.flows
    one_client = flows.client[left.flows[0]] == flows.client[right.flows[0]]
    one_way = left.lanes[0] & 3 == right.lanes[0] & 3
    return bool(one_client and one_way and abs(np.log(left.rate / right.rate)) <= SAME_RATE)


SAME_RATE = 0.05
"""How far, in the logarithm, rates of one limit lie apart (Flach et al., §4.5: a cluster is ±5 % wide)."""


def neighbours(trace: Trace, flows: I64, sides: I64) -> I64:
    """Pick the sides of flows to the servers of *flows* that asked for other names."""
    name, server = flow_name_ids(trace), trace.flows.server
    flow = sides >> 1
    return sides[np.isin(server[flow], server[flows]) & ~np.isin(name[flow], name[flows])]


def fast_start(queued: Queued, found: Deliveries) -> float:
    """Measure the most bytes beyond the queue's rate that a lane delivered before its packets waited.

    Packets that wait are told from the first window of waiting on; what came in it is left out.
    """
    begin = queued.windows.begin[0]
    most = 0.0
    for lane in queued.lanes.tolist():
        mine = found.take(found.lane == lane)
        mine = mine.take(mine.time <= begin)
        if len(mine):
            excess = np.cumsum(mine.size) - queued.rate * (mine.time - mine.time[0])
            most = max(most, float(excess.max()))
    return most
