"""By which further packets the writer of a forged one goes on, and which packets are its victim's own after all.

A page is followed by the FIN or RST that ends the connection behind it, or by its own second half. No rule accuses
those by themselves; they belong to the forged packet because they continue its bytes and crossed as many hops.
"""

import numpy as np

from netinterf.analyzers.sides import segment_end
from netinterf.arrays import I64, Mask
from netinterf.schema import TcpFlag
from netinterf.table import Ragged
from netinterf.trace import Trace

__all__ = ["NEXT_FEW", "other_hop_limit", "same_hop_limit", "with_same_writer"]

NEXT_FEW, AT_ONCE_NS = 4, 50_000_000
"""IP IDs ahead, and time, within which a packet goes on with a count: a host may have sent some elsewhere in between,
and parts of one injector's answer lay 0.2 to 9 ms apart in public captures."""


def same_hop_limit(trace: Trace, row: I64, side: I64) -> Mask:
    """Say which packets came with the hop limit of the SYN of the side that they claim to come from; blind: none."""
    syn = trace.sides.syn[side].astype(np.int64)
    if not len(row):
        return np.zeros(0, np.bool_)
    same: Mask = (
        (syn >= 0)
        & trace.recording.ttl_informative[side // 2]
        & (trace.packets.ttl[row] == trace.packets.ttl[np.maximum(syn, 0)])
    )
    return same


def other_hop_limit(trace: Trace, row: I64, side: I64) -> Mask:
    """Say which packets came with another hop limit than the SYN of their claimed side; blind: none."""
    known: Mask = (trace.sides.syn[side] >= 0) & trace.recording.ttl_informative[side // 2]
    return known & ~same_hop_limit(trace, row, side)


def counted_resets(trace: Trace, owner: I64, first: I64, other: I64) -> Mask:
    """Say which packets are resets of the writer of a forged one by its count of IP IDs.

    Args:
        trace: The capture.
        owner: Place of the forged packet that each packet is held against.
        first: Its row in Packets.
        other: Rows in Packets: the packets of its flow.
    """
    packets = trace.packets
    side = 2 * packets.flow[first].astype(np.int64) + ~packets.outbound[first]
    reset = (other > first) & (packets.outbound[other] == packets.outbound[first])
    reset &= (packets.tcp_flags[other] & TcpFlag.RST != 0) & other_hop_limit(trace, other, side)
    ahead = (packets.ip_id[other].astype(np.int64) - packets.ip_id[first]) % 65536
    own = reset & (packets.version[other] == 4) & (ahead >= 1) & (ahead <= NEXT_FEW)
    own &= packets.time[other] - packets.time[first] <= AT_ONCE_NS
    hops = np.full(int(owner.max(initial=-1)) + 1, -1)
    hops[owner[own]] = packets.ttl[other[own]]
    same: Mask = reset & (packets.ttl[other] == hops[owner])
    return same


def with_same_writer(trace: Trace, row: I64) -> Ragged:
    """List, for each forged packet, itself and the packets by which its writer goes on, in order.

    Those come later from the same side, with its hop limit, and begin at its first byte or later. Where that hop limit
    is also the one of the side's SYN, or nobody knows that one, the host itself may go on: then only ends and
    acknowledgements count that begin where the forged bytes end, and no resets, which a host writes at whatever number
    it is asked for (RFC 9293 §3.10.7.1). Resets may have a hop limit of their own: one that came another way than the
    SYN and goes on with the writer's count of IP IDs is its own, and so are those with the same hop limit.

    Args:
        trace: The capture.
        row: Rows in Packets, at most one per flow.

    Returns:
        Rows in Packets, one list per forged packet.
    """
    packets = trace.packets
    flow, outbound = packets.flow[row].astype(np.int64), packets.outbound[row]
    near = trace.by_flow.take(flow)
    owner, other = near.parents(), near.values.astype(np.int64)
    first = row[owner]
    keep = (other >= first) & (packets.outbound[other] == outbound[owner]) & (packets.ttl[other] == packets.ttl[first])
    begins = packets.relative_seq[other]
    host = ~other_hop_limit(trace, row, 2 * flow + ~outbound)
    behind = packets.relative_seq[first] + packets.payload_length[first]
    tail = (begins >= behind) & (begins <= np.maximum(segment_end(packets, first), behind + 1))
    tail &= (packets.payload_length[other] == 0) & (packets.tcp_flags[other] & TcpFlag.RST == 0)
    keep &= np.where(host[owner], tail, begins >= packets.relative_seq[first]) | (other == first)
    keep |= counted_resets(trace, owner, first, other)
    return Ragged.from_lengths(np.bincount(owner[keep], minlength=len(row)), other[keep].astype(np.int32))
