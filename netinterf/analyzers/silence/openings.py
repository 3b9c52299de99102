"""What lives beside an address that answers no SYN: other ports of it, its neighbours, itself earlier."""

import attrs
import numpy as np

from netinterf.analyzers.contrast import Contrast, around
from netinterf.analyzers.unanswered.silences import TCP, Silences, end_of_capture
from netinterf.arrays import I64
from netinterf.trace import Trace

__all__ = ["SynControls", "find_syn_controls"]


@attrs.frozen(eq=False, kw_only=True)
class SynControls:
    """One entry per silence; counts are of what the same client met."""

    other_port: I64  # connections to other ports of the same address that were answered within a minute
    neighbours: I64  # other addresses of the same network that first answered within a minute
    before: I64  # connections to the same port of the same address that were opened before
    last: I64  # when the last of these began, ns since 1970, 0 for none
    after: I64  # connections to the same port that were opened within a minute after


def find_syn_controls(trace: Trace, silences: Silences) -> SynControls:
    """Look beside each attempt to open a connection that nobody answered."""
    contacts, flow, time = trace.contacts, silences.flow, trace.flows.first
    begin, end = around(silences.since, silences.until)
    heard = np.flatnonzero((trace.flows.protocol == TCP) & (trace.sides.packets[1::2] > 0))
    opened = heard[trace.sides.syn[1::2][heard] >= 0]
    host = contacts.of("client", "server")
    hosts = heard[np.unique(host[heard], return_index=True)[1]]
    own = np.isin(host[flow], host[hosts]).astype(np.int64)
    answered, living, established = (Contrast(contacts, rows, time[rows]) for rows in (heard, hosts, opened))
    near = living.count(flow, "client", "network", begin=begin, end=end)
    port = "client", "server", "server_port"
    return SynControls(
        other_port=answered.others(flow, "client", "server", but="server_port", begin=begin, end=end),
        neighbours=np.maximum(near - own, 0),
        before=established.count(flow, *port, end=silences.since),
        last=established.last(flow, *port, before=silences.since),
        after=established.count(flow, *port, begin=silences.since, end=np.minimum(end, end_of_capture(trace))),
    )
