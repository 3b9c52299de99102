"""DNS questions that were never answered, one row each."""

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.numbering import combined, hash_rows
from netinterf.protocols.dns_names import lowered
from netinterf.table import Ragged
from netinterf.trace import Trace

__all__ = ["WAIT_NS", "Lookups", "first_and_last", "list_lookups"]

I64 = NDArray[np.int64]
Mask = NDArray[np.bool_]
UDP, TCP = 17, 6
NOERROR, NXDOMAIN = 0, 3
"""Response codes that answer a question (RFC 1035 §4.1.1)."""

WAIT_NS = 5_000_000_000
"""How long an answer is waited for: the default timeout of the stub resolver (resolv.conf(5), RES_TIMEOUT)."""


@attrs.frozen(eq=False, kw_only=True)
class Lookups:
    """One row per DNS exchange; all columns are aligned with ``trace.exchanges``."""

    client: I64  # rows in Hosts
    server: I64  # rows in Hosts
    name: I64  # hash of the name
    kind: I64  # QTYPE
    over_udp: Mask
    since: I64  # when it was first asked, ns since 1970 UTC; 0 where the question was not captured
    tries: I64  # how often it was asked
    silent: Mask  # asked over UDP, waited for, and nothing came, not even an ICMP error
    answered: Mask  # some reply answers it
    failed: Mask  # some reply came, and none answers it

    def of(self, *columns: str) -> I64:
        """Number the distinct combinations of some columns."""
        return combined(*(getattr(self, column) for column in columns))


def list_lookups(trace: Trace) -> Lookups:
    """Say of every exchange who asked whom for what, and what came of it."""
    exchanges, flows, dns, packets = trace.exchanges, trace.flows, trace.dns, trace.packets
    flow, asked = exchanges.flow.astype(np.int64), exchanges.queries.lengths > 0
    replied = exchanges.replies.lengths > 0
    code = dns.flags[exchanges.replies.values] & 0xF
    readable = (dns.error[exchanges.replies.values] == 0) | (dns.questions[exchanges.replies.values] > 0)
    good = readable & ((code == NOERROR) | (code == NXDOMAIN))
    answered = np.zeros(len(exchanges), np.bool_)
    answered[exchanges.replies.parents()[good]] = True
    since, last = first_and_last(exchanges.queries, packets.time[dns.packet[exchanges.queries.values]])
    over_udp = flows.protocol[flow] == UDP
    reported = np.isin(flow, trace.quotes.flow[trace.quotes.flow >= 0])
    waited = packets.time.max(initial=0) - last >= WAIT_NS
    return Lookups(
        client=flows.client[flow].astype(np.int64),
        server=flows.server[flow].astype(np.int64),
        name=(hash_rows(lowered(exchanges.name)) >> np.uint64(1)).astype(np.int64),
        kind=exchanges.kind.astype(np.int64),
        over_udp=over_udp,
        since=since,
        tries=exchanges.queries.lengths.astype(np.int64),
        silent=over_udp & asked & ~replied & waited & ~reported,
        answered=answered,
        failed=replied & ~answered,
    )


def first_and_last(lists: Ragged, values: I64) -> tuple[I64, I64]:
    """First and last value of each list, 0 where it is empty."""
    full = lists.lengths > 0
    first, last = np.zeros(len(lists), np.int64), np.zeros(len(lists), np.int64)
    first[full] = values[lists.offsets[:-1][full]]
    last[full] = values[lists.offsets[1:][full] - 1]
    return first, last
