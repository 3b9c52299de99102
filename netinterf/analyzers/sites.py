"""Where flows lead, as numbers to group by, and how often something happened in a group near some time."""

import numpy as np
from numpy.typing import NDArray

from netinterf.numbering import hash_rows
from netinterf.protocols.dns_names import lowered
from netinterf.schema import TlsKind
from netinterf.trace import Trace

__all__ = ["NEAR_NS", "Moments", "around", "flow_name_ids", "networks"]


NEAR_NS = 60_000_000_000
"""How near in time another connection must lie to be compared: a minute (Kakhki et al., IMC 2015)."""


class Moments:
    """Moments by group, to be counted by group and span of time, to the millisecond."""

    def __init__(self, group: NDArray[np.int64], time: NDArray[np.int64]) -> None:
        self.keys = np.sort(group << MOMENT_BITS | milliseconds(time))

    def count(self, group: NDArray[np.int64], begin: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
        """Count, for each asked group, the moments from *begin* to *end* (ns since 1970)."""
        low, high = (group << MOMENT_BITS | milliseconds(time) for time in (begin, end))
        counted: NDArray[np.int64] = np.searchsorted(self.keys, high, side="right") - np.searchsorted(self.keys, low)
        return counted

    def last(self, group: NDArray[np.int64], time: NDArray[np.int64]) -> NDArray[np.int64]:
        """When the last moment of each asked group before *time* was (ns since 1970), 0 where there was none."""
        place = np.searchsorted(self.keys, group << MOMENT_BITS | milliseconds(time)) - 1
        found = self.keys[np.maximum(place, 0)] if len(self.keys) else np.zeros(len(group), np.int64)
        same = (place >= 0) & (found >> MOMENT_BITS == group)
        return np.where(same, (found & ((1 << MOMENT_BITS) - 1)) * 1_000_000, 0)


def milliseconds(time: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count milliseconds since 1970; clocks that claim to be beyond 2039 or before 1970 stand at the edge."""
    return np.clip(time // 1_000_000, 0, (1 << MOMENT_BITS) - 1)


def around(begin: NDArray[np.int64], end: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Widen spans by `NEAR_NS` on either side, as far as clocks go."""
    return np.maximum(begin, 0) - NEAR_NS, np.minimum(end, np.iinfo(np.int64).max - NEAR_NS) + NEAR_NS


MOMENT_BITS = 41
"""Milliseconds since 1970 take 41 bits until 2039; groups have the other 22."""


def networks(trace: Trace) -> NDArray[np.int64]:
    """Number the server network (/24 or /48) of each flow: one operator's machines sit together."""
    hosts = trace.hosts
    v4 = (hosts.high == 0) & (hosts.low >> np.uint64(32) == 0xFFFF)
    prefix = np.where(v4, hosts.low >> np.uint64(8), hosts.high >> np.uint64(16))
    _, number = np.unique(prefix | v4.astype(np.uint64) << np.uint64(63), return_inverse=True)
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
