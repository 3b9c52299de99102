"""Where a client answers a greeting that its server never gave.

A forged SYN/ACK carries a number of its own (Wang et al., IMC 2017, section 2.1). Where it passed no tap, the client's
next packets still acknowledge it, and the server, whose greeting was captured, cannot make sense of them.
"""

import numpy as np

from netinterf.analyzers.sides import side_packets
from netinterf.arrays import I64, Mask
from netinterf.schema import Mark, TcpFlag
from netinterf.trace import Trace

__all__ = ["find_unknown_synacks"]

TCP = 6

FAR = 1 << 30
"""The largest window (65,535 << 14, RFC 7323 §2.3): further from a greeting's number no first acknowledgement lies."""


def find_unknown_synacks(trace: Trace) -> tuple[I64, I64, Mask]:
    """Find clients that never acknowledge the number of their server's greeting, but another from the beginning on.

    The greeting must have been captured before, and all that the server gave must carry one number. A server that takes
    what such a client says knows that number: the packets were written or changed by hand. Blind near the client.

    Returns:
        Rows in Packets of the client's first acknowledgement, and of the server's greeting, and whether the server
        shows that it cannot make sense of it.
    """
    packets, sides = trace.packets, trace.sides
    synack = sides.syn[1::2].astype(np.int64)
    plain = TcpFlag.ACK | TcpFlag.SYN | TcpFlag.RST
    acks = (packets.protocol == TCP) & packets.outbound & (packets.flow >= 0)
    acks &= (packets.tcp_flags & plain == TcpFlag.ACK) & (packets.marks & Mark.DUPLICATE_FRAME == 0)
    row = np.flatnonzero(acks)
    flow = packets.flow[row].astype(np.int64)
    known = ~trace.recording.at_client[flow] & (synack[flow] >= 0) & (sides.syn[2 * flow] >= 0)
    row, flow = row[known], flow[known]
    ahead = packets.ack[row] - packets.seq[synack[flow]] - np.uint32(1)  # wraps as the field does
    own = np.zeros(len(trace.flows), np.bool_)
    own[flow[ahead <= FAR]] = True
    flow, place = np.unique(flow, return_index=True)
    first = row[place]
    first = first[~own[flow] & (first > synack[flow])]
    if not len(first):
        return first, first, first > 0
    first = first[single_synack(trace, packets.flow[first].astype(np.int64))]
    rejected, accepted = reactions(trace, first)
    first, rejected = first[~accepted], rejected[~accepted]
    return first, synack[packets.flow[first]], rejected


def reactions(trace: Trace, row: I64) -> tuple[Mask, Mask]:
    """Say how servers react to acknowledgements of what they did not say (RFC 9293 §3.10.7.4), one per flow.

    Returns:
        Whether the server resets at the very number or greets again, and whether it takes what the client says.
    """
    packets = trace.packets
    flow = packets.flow[row].astype(np.int64)
    base = side_packets(trace, flow, without=TcpFlag(0))
    near = np.flatnonzero(base.side % 2 == 1)
    owner, later = np.searchsorted(flow, base.side[near] // 2), base.row[near]
    after = later > row[owner] if len(row) else later < 0
    flags = packets.tcp_flags[later]
    reset = (flags & TcpFlag.RST != 0) & (packets.seq[later] == packets.ack[row[owner]])
    rejected = after & (reset | (flags & TcpFlag.SYN != 0))
    accepted = after & (flags & TcpFlag.RST == 0)
    accepted &= (packets.payload_length[later] > 0) | (packets.relative_ack[later] > 1)
    return np.bincount(owner, rejected, len(row)) > 0, np.bincount(owner, accepted, len(row)) > 0


def single_synack(trace: Trace, flow: I64) -> Mask:
    """Say whether the servers of some flows gave one number only."""
    packets = trace.packets
    near = trace.by_flow.take(flow)
    owner, row = near.parents(), near.values.astype(np.int64)
    synacks = ~packets.outbound[row] & (packets.tcp_flags[row] & TcpFlag.SYN != 0)
    other = synacks & (packets.seq[row] != packets.seq[trace.sides.syn[2 * flow + 1]][owner])
    single: Mask = np.bincount(owner, other, len(flow)) == 0
    return single
