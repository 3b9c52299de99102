"""Servers for which somebody else greets: their greetings say nothing of how their other packets look.

A firewall that makes handshakes for a server (RFC 4987 §3.8) writes the SYN/ACK, and the server all that follows. A
short answer has nothing but that SYN/ACK beside it. Long conversations with the same server show what its packets look
like: nobody on the path writes those.
"""

import numpy as np

from netinterf.analyzers.forgery.oddity import unlike_synack
from netinterf.analyzers.forgery.suspects import Suspects
from netinterf.arrays import I32, I64, Mask
from netinterf.schema import IpFlag, TcpOption, TlsKind
from netinterf.trace import Trace

__all__ = ["synack_by_another"]

LONG, LARGE = 3, 16_384
"""Packets of a server in a TLS conversation, or bytes of it in any, that nobody on the path makes up: published block
pages have up to 3,000 bytes."""


def synack_by_another(trace: Trace, suspects: Suspects) -> Mask:
    """Say which suspects look like what ends long conversations with their server, and that unlike its greetings."""
    packets, sides, flows = trace.packets, trace.sides, trace.flows
    none = np.zeros(len(suspects), np.bool_)
    if not len(suspects):
        return none
    wanted = np.zeros(len(trace.hosts), np.bool_)
    wanted[flows.server[suspects.flow]] = True
    hello = np.zeros(len(flows), np.bool_)
    hello[trace.tls.flow[(trace.tls.kind == TlsKind.SERVER_HELLO) & ~trace.tls.outbound]] = True
    long = wanted[flows.server] & (
        (hello & (sides.payload_packets[1::2] >= LONG)) | (sides.payload_bytes[1::2] > LARGE)
    )
    flow = np.flatnonzero(long & (sides.syn[1::2] >= 0))
    near = trace.by_flow.take(flow)
    data = ~packets.outbound[near.values] & (packets.payload_length[near.values] > 0)
    last = np.full(len(flow), -1)
    last[near.parents()[data]] = near.values[data]  # rows of a flow lie in order, and the last write wins
    flow, last = flow[last >= 0], last[last >= 0]
    unlike = unlike_synack(trace, last, 2 * flow + 1)
    usual = looks(trace, flows.server[flow[unlike]], last[unlike])
    alike: Mask = (suspects.side % 2 == 1) & np.isin(looks(trace, flows.server[suspects.flow], suspects.row), usual)
    return alike


def looks(trace: Trace, server: I32, row: I64) -> I64:
    """Number how packets of servers look: by server, hop limit, don't-fragment flag and timestamps."""
    packets = trace.packets
    stamped = (packets.tcp_options[row] & TcpOption.TIMESTAMPS) != 0
    df = (packets.ip_flags[row] & IpFlag.DONT_FRAGMENT) != 0
    number: I64 = server.astype(np.int64) << 10 | packets.ttl[row].astype(np.int64) << 2 | df << 1 | stamped
    return number
