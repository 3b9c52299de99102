"""Whose servers flows lead to: the registrable domain that a request named, else the server."""

import numpy as np
from numpy.typing import NDArray

from netinterf.context.domains import registrable_domains
from netinterf.numbering import numbered_text
from netinterf.pieces import gather
from netinterf.table import Text
from netinterf.trace import Trace

__all__ = ["flow_domains"]

I64 = NDArray[np.int64]

COLON = ord(":")


def flow_domains(trace: Trace) -> I64:
    """Number the registrable domain of every flow whose request told one, else of another flow to its server.

    Flows to a server of which no request told a name have a number of that server, below 0.
    """
    http, tls, server = trace.http, trace.tls, trace.flows.server.astype(np.int64)
    hello = np.flatnonzero(tls.name.lengths > 0)
    flow = np.concatenate([http.flow, tls.flow[hello]]).astype(np.int64)
    names = Text.concat([without_ports(http.host), tls.name.take(hello)])
    order, first = np.unique(flow, return_index=True)
    order = order[np.argsort(first)]  # flows as their requests came: of one server, the last tells
    told = np.full(len(server), -1)
    told[flow] = np.arange(len(flow))  # the last write wins: the last request
    order = order[names.lengths[told[order]] > 0]
    number, different = numbered_text(registrable_domains(names.take(told[order])))
    of_server = np.full(len(trace.hosts), -1)
    of_server[server[order]] = np.where(different.lengths[number] > 0, number, -1)
    found = np.where(of_server[server] >= 0, of_server[server], -1 - server)
    found[order] = number
    return found


def without_ports(hosts: Text) -> Text:
    """Cut hosts at their first colon."""
    begin, end = hosts.offsets[:-1], hosts.offsets[1:]
    colons = np.append(np.flatnonzero(hosts.values == COLON), len(hosts.values))
    lengths = np.minimum(colons[np.searchsorted(colons, begin)], end) - begin
    return Text.from_lengths(lengths, gather(hosts.values, begin, lengths))
