"""Where a queue stood: near the client, where a limit of the network stands, or at a server's own line."""

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.shaping.contrast import apart, meanwhile
from netinterf.analyzers.shaping.deliveries import ACKS
from netinterf.analyzers.shaping.limits import DECIDED, Limit
from netinterf.analyzers.shaping.queued import Queued
from netinterf.analyzers.shaping.rules import AT_CLIENT, EACH_OWN, ONE_NAME, ONE_SERVER, SEVERAL
from netinterf.analyzers.sites import flow_name_ids, networks
from netinterf.trace import Trace

__all__ = ["Place", "place_of"]

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

LEAST_TOGETHER = 0.3
"""Share of the shorter of two queues' windows in which both were busy, from which on they ran side by side."""


@attrs.frozen(eq=False, kw_only=True)
class Place:
    """The strongest reason that tells where the queue of a limit stood."""

    rule: str
    measured: dict[str, float] = attrs.field(factory=dict)
    rows: I64 = attrs.field(factory=lambda: np.empty(0, np.int64))  # packets that show it


def place_of(trace: Trace, limit: Limit) -> Place:
    """Tell where the queue of a limit stood, others having passed it by.

    A queue between the tap and the client shows in round trips over the client, and in arrivals from it; whatever the
    client moves passes there. Servers of several networks share no line. Nor does the line of one server spare another
    name at its address, or give each of two transfers at once its whole rate.
    """
    if any(stands_at_client(one) for one in limit.queues):
        return Place(rule=AT_CLIENT)
    count = len(np.unique(networks(trace)[limit.flows]))
    if count > 1:
        return Place(rule=SEVERAL, measured={"networks": count})
    name, server = flow_name_ids(trace), trace.flows.server
    llr, rows = 0.0, [np.empty(0, np.int64)]
    for one, others in limit.pairs:
        flow = others.sides >> 1
        near = np.isin(server[flow], server[limit.flows]) & ~np.isin(name[flow], name[limit.flows])
        beside = others.take(others.sides[near])
        llr += apart(one, beside)
        rows.append(meanwhile(one, beside))
    if llr >= DECIDED:
        shown = np.concatenate(rows)
        return Place(rule=ONE_NAME, measured={"passed": len(shown), "llr": llr}, rows=shown)
    together = side_by_side(limit.queues)
    return Place(rule=EACH_OWN, measured={"queues": together}) if together > 1 else Place(rule=ONE_SERVER)


def stands_at_client(queued: Queued) -> bool:
    """Say whether a queue stood on the client's side of the tap: after it on the way down, before it on the way up."""
    outbound = queued.sides[0] & 1 == 0
    return (queued.view == ACKS) != outbound


def side_by_side(queues: list[Queued]) -> int:
    """Count the queues that were busy while another of the same rate was."""
    busy = [one for one in queues if any(one is not other and overlap(one, other) for other in queues)]
    return len(busy)


def overlap(left: Queued, right: Queued) -> bool:
    """Say whether two queues were busy at the same time for a good part of the shorter one."""
    begin, end = (np.concatenate([getattr(one.windows, name) for one in (left, right)]) for name in ("begin", "end"))
    edges = np.concatenate([begin, end])
    step = np.repeat([1, -1], [len(begin), len(end)])
    order = np.lexsort((step, edges))
    lasting = np.diff(edges[order], append=edges[order][-1])
    both = float(lasting[np.cumsum(step[order]) >= 2].sum())
    return both >= LEAST_TOGETHER * min(float(one.windows.lasting.sum()) for one in (left, right))
