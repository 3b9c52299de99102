"""Where a queue stood: near the client, where a limit of the network stands, or at a server's own line."""

import attrs
import numpy as np

from netinterf.analyzers.shaping import rules
from netinterf.analyzers.shaping.controls import LOOSE, apart, meanwhile
from netinterf.analyzers.shaping.deliveries import ACKS, Deliveries
from netinterf.analyzers.shaping.limits import DECIDED, Limit
from netinterf.analyzers.shaping.queued import Queued
from netinterf.arrays import I64
from netinterf.schema import Rule
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["Place", "behind_tap", "place_of"]

LEAST_BURST = 20_000.0
"""Bytes beyond the rate that no line lets through: more than the ten packets with which senders begin (RFC 6928)."""

LEAST_TOGETHER = 0.3
"""Share of the shorter of two queues' windows in which both were busy, from which on they ran side by side."""


@frozen(eq=False, kw_only=True)
class Place:
    """The strongest reason that tells where the queue of a limit stood."""

    rule: Rule
    measured: dict[str, float] = attrs.field(factory=dict)
    rows: I64 = attrs.field(factory=lambda: np.empty(0, np.int64))  # packets that show it


def place_of(trace: Trace, delivered: Deliveries, limit: Limit) -> Place:
    """Tell where the queue of a limit stood, others having passed it by.

    A queue between the tap and the client shows in round trips over the client, and in arrivals from it; whatever the
    client moves passes there. Servers of several networks share no line, nor those of several names. Nor does the line
    of one server spare another name at its address, give each of two transfers at once its whole rate, or begin faster
    than it is.
    """
    if any(stands_at_client(queue) for queue in limit.queues):
        return Place(rule=rules.AT_CLIENT)
    name, server = trace.contacts.name, trace.flows.server
    owners, hosts, places = (len(np.unique(column[limit.flows])) for column in (name, server, trace.contacts.network))
    count = max(places, min(owners, hosts))
    if count > 1:
        return Place(rule=rules.SEVERAL, measured={"servers": count})
    llr, rows = 0.0, [np.empty(0, np.int64)]
    for queue, others in limit.pairs:
        flow = others.sides >> 1
        near = np.isin(server[flow], server[limit.flows]) & ~np.isin(name[flow], name[limit.flows])
        beside = others.take(others.sides[near])
        llr += apart(queue, beside)
        rows.append(meanwhile(queue, beside))
    if llr >= DECIDED:
        passed = np.concatenate(rows)
        return Place(rule=rules.ONE_NAME, measured={"passed": len(passed), "llr": llr}, rows=passed)
    together = side_by_side(limit.queues)
    if together > 1:
        return Place(rule=rules.EACH_OWN, measured={"queues": together})
    burst = max(fast_start(queue, delivered) for queue in limit.queues)
    return (
        Place(rule=rules.FAST_START, measured={"burst_bytes": burst})
        if burst >= LEAST_BURST
        else Place(rule=rules.ONE_SERVER)
    )


def behind_tap(trace: Trace, queued: Queued) -> bool:
    """Say whether a queue stood between a tap at the client and the client itself: a program that reads slowly.

    What waits there has crossed the network already, or has not entered it yet.
    """
    return bool(trace.recording.at_client[queued.sides >> 1].all()) and stands_at_client(queued)


def stands_at_client(queued: Queued) -> bool:
    """Say whether a queue stood on the client's side of the tap: after it on the way down, before it on the way up."""
    outbound = queued.sides[0] & 1 == 0
    return bool((queued.view == ACKS) != outbound)


def fast_start(queued: Queued, delivered: Deliveries) -> float:
    """Measure the most bytes beyond the rate of a queue that one of its lanes delivered before the queue was busy."""
    windows, most = queued.windows, 0.0
    begin = windows.begin[int(np.argmax(windows.waiting))]
    for lane in queued.lanes.tolist():
        mine = delivered.of(np.array([lane]))
        mine = mine.take(mine.time <= begin)
        if len(mine):
            excess = np.cumsum(mine.size) - queued.rate * (mine.time - mine.time[0])
            most = max(most, float(excess.max()))
    return most


def side_by_side(queues: list[Queued]) -> int:
    """Count the queues that were busy while another of the same rate was."""
    busy = [queue for queue in queues if any(queue is not other and overlap(queue, other) for other in queues)]
    return len(busy)


def overlap(left: Queued, right: Queued) -> bool:
    """Say whether two queues were busy at the same time for a good part of the shorter one, and moved more together.

    Two that take turns on one line have its rate together, too.
    """
    begin, end, rate = (
        np.concatenate([getattr(queue.windows, name) for queue in (left, right)]) for name in ("begin", "end", "rate")
    )
    edges = np.concatenate([begin, end])
    step = np.repeat([1, -1], [len(begin), len(end)])
    order = np.lexsort((step, edges))
    lasting = np.diff(edges[order], append=edges[order][-1])
    at_once = np.cumsum(step[order]) >= 2
    joint = float(lasting[at_once].sum())
    moved = float((np.cumsum((step * np.concatenate([rate, rate]))[order]) * lasting)[at_once].sum())
    together = joint >= LEAST_TOGETHER * min(float(queue.windows.lasting.sum()) for queue in (left, right))
    return together and moved > LOOSE * max(left.rate, right.rate) * joint
