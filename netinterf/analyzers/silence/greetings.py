"""What lives beside an address that answers no SYN: other ports of it, its neighbours, itself a moment ago."""

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.sites import Moments, around, networks
from netinterf.analyzers.unanswered.silences import TCP, Silences, end_of_capture
from netinterf.numbering import combined
from netinterf.trace import Trace

__all__ = ["Life", "find_life"]

I64 = NDArray[np.int64]


@attrs.frozen(eq=False, kw_only=True)
class Life:
    """One entry per silence; counts are of what the same client met."""

    other_port: I64  # connections to other ports of the same address that were answered within a minute
    neighbours: I64  # other addresses of the same network that answered within a minute
    before: I64  # connections to the same port of the same address that were opened before
    last: I64  # when the last of these began, ns since 1970, 0 for none
    after: I64  # the same within a minute after


def find_life(trace: Trace, silences: Silences) -> Life:
    """Look beside each opening that nobody answered."""
    flows, flow = trace.flows, silences.flow
    host, port = combined(flows.client, flows.server), combined(flows.client, flows.server, flows.server_port)
    network = combined(flows.client, networks(trace))
    answered = np.flatnonzero((flows.protocol == TCP) & (trace.sides.packets[1::2] > 0))
    opened = answered[trace.sides.syn[1::2][answered] >= 0]
    first = flows.first
    near = around(silences.since, silences.until)
    nothing, ever = np.zeros(len(flow), np.int64), np.full(len(flow), end_of_capture(trace))
    by_host, by_port = (Moments(key[answered], first[answered]) for key in (host, port))
    hosts = answered[np.unique(host[answered], return_index=True)[1]]
    own = np.isin(host[flow], host[hosts]).astype(np.int64)
    greeted = Moments(port[opened], first[opened])
    return Life(
        other_port=by_host.count(host[flow], *near) - by_port.count(port[flow], *near),
        neighbours=np.maximum(Moments(network[hosts], first[hosts]).count(network[flow], *near) - own, 0),
        before=greeted.count(port[flow], nothing, silences.since),
        last=greeted.last(port[flow], silences.since),
        after=greeted.count(port[flow], silences.since, np.minimum(near[1], ever)),
    )
