"""Where flows lead: the network of the server, and the name that was asked for, as numbers to group by."""

import numpy as np
from numpy.typing import NDArray

from netinterf.protocols.dns_names import hash_rows, lowered
from netinterf.schema import TlsKind
from netinterf.trace import Trace

__all__ = ["flow_name_ids", "networks"]


def networks(trace: Trace) -> NDArray[np.int64]:
    """Number the server network (/24 or /48) of each flow: one operator's machines sit together."""
    hosts = trace.hosts
    v4 = (hosts.high == 0) & (hosts.low >> np.uint64(32) == 0xFFFF)
    prefix = np.where(v4, hosts.low >> np.uint64(8), hosts.high >> np.uint64(16))
    _, number = np.unique(np.stack([v4.astype(np.uint64), prefix], axis=1), axis=0, return_inverse=True)
    return number.reshape(-1)[trace.flows.server].astype(np.int64) if len(hosts) else np.empty(0, np.int64)


def flow_name_ids(trace: Trace) -> NDArray[np.int64]:
    """Number the name each flow asked for (SNI, Host); flows without one are named by their server's network."""
    name = -1 - networks(trace)
    for table, text in ((trace.quic, trace.quic.name), (trace.http, trace.http.host), (trace.tls, trace.tls.name)):
        rows = text.lengths > 0
        if table is trace.tls:
            rows &= trace.tls.kind == TlsKind.CLIENT_HELLO
        name[table.flow[rows]] = (hash_rows(lowered(text))[rows] >> np.uint64(1)).astype(np.int64)
    return name
