"""From transfers that went through a queue, and what passed it by, to evidence about flows."""

from typing import ClassVar

import numpy as np

from netinterf.analyzers.base import Scope
from netinterf.analyzers.shaping import rules
from netinterf.analyzers.shaping.controls import meanwhile
from netinterf.analyzers.shaping.deliveries import Deliveries, deliveries, sizeable
from netinterf.analyzers.shaping.limits import Limit, find_limits
from netinterf.analyzers.shaping.places import behind_tap, place_of
from netinterf.analyzers.shaping.queued import find_queued, waiting_lanes
from netinterf.analyzers.shaping.unmeasured import find_unmeasured
from netinterf.analyzers.signs import Cases, Signs, by_rule, record_each, sign
from netinterf.arrays import I64
from netinterf.schema import Evidence, Rule
from netinterf.table import Ragged
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["Shaping"]

MOST_WITNESSES = 50
"""Packets named as witnesses of one flow: enough to look at."""


@frozen(kw_only=True)
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
    rules: ClassVar[tuple[Rule, ...]] = rules.RULES

    def __call__(self, trace: Trace, /) -> Evidence:
        """Measure all sizeable transfers at once, and compare those that were queued with the client's others."""
        sides = sizeable(trace)
        if len(sides) == 0:
            return Evidence.empty(rules=self.rules)
        delivered = deliveries(trace, sides)
        lanes = waiting_lanes(delivered)
        queued = find_queued(trace, delivered, lanes)
        steady = [queue.sides for queue in queued if queue.sure]
        queued += find_unmeasured(trace, delivered, lanes, np.concatenate([lanes[:0], *steady]))
        queued = [queue for queue in queued if not behind_tap(trace, queue)]
        limits = find_limits(trace, delivered, queued, lanes >> 1)
        return record_each(self, [shown for limit in limits for shown in told(trace, delivered, limit)])


def told(trace: Trace, delivered: Deliveries, limit: Limit) -> list[tuple[Cases, Signs]]:
    """Tell of a limit, how others fared, and where its queue stood."""
    rule = limit.rule
    passed = np.concatenate([meanwhile(queue, others) for queue, others in limit.pairs])
    if rule is rules.SPARED_ELSEWHEN:
        passed = limit.beyond.row
    measured = {
        "rate_bps": 8 * limit.rate,
        "steady": max(queue.steady for queue in limit.queues),
        "waited_ms": 1e3 * limit.wait,
        "transfers": len(limit.flows),
        "passed": len(passed),
    }
    if rule is rules.SPARED_ELSEWHEN:
        measured |= {"beyond_bytes": limit.beyond.size, "selective": 1.0}
    else:
        measured |= {"llr": limit.llr}
    if rule in (rules.SPARED, rules.WHOLE_LINK):
        measured["selective"] = float(rule is rules.SPARED)
    shown = [(cases_of(trace, limit, passed), by_rule([sign(rule, True, measured)]))]
    if rule in (rules.SPARED, rules.SPARED_ELSEWHEN):
        place = place_of(trace, delivered, limit)
        stood = sign(place.rule, True, place.measured)
        shown.append((cases_of(trace, limit, place.rows), by_rule([stood])))
    return shown


def cases_of(trace: Trace, limit: Limit, passed: I64) -> Cases:
    """Ask about the flows of a limit, by packets of theirs that waited, and those that *passed*."""
    rows = np.concatenate([queue.windows.row for queue in limit.queues])
    rows = rows[np.argsort(trace.packets.flow[rows], kind="stable")]
    flows = trace.packets.flow[rows]
    witness: list[list[int]] = []
    for flow in limit.flows.tolist():
        own = rows[np.searchsorted(flows, flow) : np.searchsorted(flows, flow, side="right")][:MOST_WITNESSES]
        first = trace.by_flow[flow][:1].astype(np.int64)
        witness.append(np.concatenate([own if len(own) else first, passed[:MOST_WITNESSES]]).tolist())
    return Cases(subject=limit.flows, time=trace.packets.time[rows[0]], witness=Ragged.of(witness, np.int32))
