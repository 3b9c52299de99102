"""Queues of one rate are one limit: what is known of one of them is known of all.

A shaper may keep a queue for every flow, and for either way; its rate is the same in all. The comparisons of such
queues with what passed them by add up. Transfers of the same client that keep to a known rate, and never come faster,
met the limit as well, though nothing else tells that they were queued.
"""

from functools import cached_property

import numpy as np

from netinterf.analyzers.shaping import rules
from netinterf.analyzers.shaping.controls import Excess, Exchanged, Others, apart, beyond
from netinterf.analyzers.shaping.deliveries import Deliveries
from netinterf.analyzers.shaping.queued import (
    CEILING,
    LEAST_WINDOWS,
    Queued,
    Windows,
    above_after,
    cut_windows,
    near,
)
from netinterf.arrays import I64
from netinterf.numbering import combined
from netinterf.schema import Rule
from netinterf.stats.robust import middle
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["DECIDED", "Limit", "find_limits"]

DECIDED = 3.0
"""Nats from which a contrast counts: twenty to one."""

LEAST_PASSED = 20_000.0
"""Bytes beyond the rate that count: more than a dozen packets, which the edges of windows do not make."""

LEAST_AT, MOST_ABOVE = 0.25, 0.1
"""Shares of a transfer's windows at a known rate, at least, and above it, at most, with which it met that rate. Of
ordinary transfers a few per cent of the windows keep any one rate."""

SAME_RATE = 0.05
"""How far, in the logarithm, rates of one limit lie apart (Flach et al., §4.5: a cluster is ±5 % wide)."""


@frozen(eq=False, kw_only=True)
class Limit:
    """Queues of one client and rate, either way, each with the others that it is held against."""

    pairs: list[tuple[Queued, Others]]
    met: I64  # further lanes that came at the rate
    llr: float  # queues of their own against one for all, nats
    beyond: Excess  # what passed later, beyond the rate, where that does not decide

    @cached_property
    def queues(self) -> list[Queued]:
        """The queues."""
        return [queue for queue, _ in self.pairs]

    @cached_property
    def flows(self) -> I64:
        """Rows in Flows that were limited, ascending."""
        return np.unique(np.concatenate([self.met >> 2, *(queue.flows for queue in self.queues)]))

    @property
    def rate(self) -> float:
        """Bytes a second on the wire."""
        return middle(np.array([queue.rate for queue in self.queues]))

    @property
    def wait(self) -> float:
        """Usual waiting in seconds, NaN where none was measured."""
        waits = [queue.wait for queue in self.queues if not np.isnan(queue.wait)]
        return middle(np.array(waits)) if waits else float("nan")

    @property
    def rule(self) -> Rule:
        """Name what the comparison says."""
        if self.llr >= DECIDED:
            return rules.SPARED
        if self.llr <= -DECIDED:
            return rules.WHOLE_LINK
        return rules.SPARED_ELSEWHEN if self.beyond.size >= LEAST_PASSED else rules.UNCOMPARED


def find_limits(trace: Trace, delivered: Deliveries, queued: list[Queued], waiting: I64) -> list[Limit]:
    """Bring queues of one client and rate together, and hold them against what else the client moved.

    Args:
        trace: The capture.
        delivered: All deliveries.
        queued: The queues.
        waiting: Sides whose packets waited, which cannot be called spared.
    """
    sure = [queue for queue in queued if queue.sure]
    if not sure:
        return []
    limits, service = [], combined(trace.contacts.name, trace.flows.server)
    exchanged = Exchanged.of(trace, sure)
    waits = np.zeros(len(trace.sides), np.bool_)
    waits[waiting] = True
    windows = cut_windows(delivered, delivered.lane)
    owner = trace.flows.client[windows.group >> 2]
    windows, owner = windows.take(np.argsort(owner, kind="stable")), np.sort(owner)
    for alike in parted(trace, queued):
        queues = [queue for queue in alike if queue.sure]
        if not queues:
            continue
        client = int(trace.flows.client[queues[0].flows[0]])
        of_client = windows.take(slice(*np.searchsorted(owner, [client, client + 1])))
        blurred = [queue.lanes for queue in alike if not queue.sure]
        met = np.unique(np.concatenate([lanes_at(of_client, queues), *blurred]))
        limited = np.concatenate([met >> 2, *(queue.flows for queue in queues)])
        asked = service[limited]
        pairs = [(queue, exchanged.beside(trace, queue).without(waits, service, asked)) for queue in queues]
        llr = sum(apart(queue, others) for queue, others in pairs)
        excess = Excess() if abs(llr) >= DECIDED else greatest_excess(delivered, pairs)  # it is not asked for then
        limits.append(Limit(pairs=pairs, met=met, llr=llr, beyond=excess))
    return limits


def greatest_excess(delivered: Deliveries, pairs: list[tuple[Queued, Others]]) -> Excess:
    """Measure what passed later, beyond the rate of the queue for which that is most."""
    excesses = [beyond(queue, delivered.of(queue.lanes), others) for queue, others in pairs]
    return max(excesses, key=lambda excess: excess.size)


def parted(trace: Trace, queued: list[Queued]) -> list[list[Queued]]:
    """Bring queues of one client and rate together."""
    if not queued:
        return []
    client = trace.flows.client[[queue.flows[0] for queue in queued]]
    rate = np.log([queue.rate for queue in queued])
    order = np.lexsort((rate, client))
    edges = np.flatnonzero((np.diff(client[order]) != 0) | (np.diff(rate[order]) > SAME_RATE)) + 1
    return [[queued[place] for place in part.tolist()] for part in np.split(order, edges)]


def lanes_at(windows: Windows, queues: list[Queued]) -> I64:
    """List further lanes of a client that keep to the rate of its queues and hardly come faster, one for each side.

    Args:
        windows: Those of all lanes of the client.
        queues: Its queues of one rate.
    """
    rate = middle(np.array([queue.rate for queue in queues]))
    lanes, place = np.unique(windows.group, return_inverse=True)
    count = np.bincount(place, minlength=len(lanes))
    close = near(windows.rate, rate, CEILING)
    at = np.bincount(place, close, minlength=len(lanes))
    above = np.bincount(place, above_after(windows, close, rate), minlength=len(lanes))
    chosen = (at >= LEAST_WINDOWS) & (at >= LEAST_AT * count) & (above <= MOST_ABOVE * count)
    chosen &= ~np.isin(lanes >> 1, np.concatenate([queue.sides for queue in queues]))
    further = lanes[chosen]
    return further[np.unique(further >> 1, return_index=True)[1]]
