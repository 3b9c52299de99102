"""By which further packets the writer of a forged one goes on, and which packets are its victim's own after all.

A page is followed by the FIN or RST that ends the connection behind it, or by its own second half. No rule accuses
those by themselves; they belong to the forged packet because they continue its bytes and crossed as many hops.
"""

import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.sides import segment_end
from netinterf.schema import TcpFlag
from netinterf.table import Ragged
from netinterf.trace import Trace

__all__ = ["like_greeting", "other_way", "with_followers"]


def like_greeting(trace: Trace, row: NDArray[np.int64], side: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which packets crossed as many hops as the SYN of the side that they claim to come from; blind: none."""
    syn = trace.sides.syn[side].astype(np.int64)
    if not len(row) or not trace.facts.ttl_informative:
        return np.zeros(len(row), np.bool_)
    same: NDArray[np.bool_] = (syn >= 0) & (trace.packets.ttl[row] == trace.packets.ttl[np.maximum(syn, 0)])
    return same


def other_way(trace: Trace, row: NDArray[np.int64], side: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which packets crossed another number of hops than the SYN of their claimed side; blind: none."""
    greeted: NDArray[np.bool_] = (trace.sides.syn[side] >= 0) & trace.facts.ttl_informative
    return greeted & ~like_greeting(trace, row, side)


def with_followers(trace: Trace, row: NDArray[np.int64]) -> Ragged:
    """List, for each forged packet, itself and the packets by which its writer goes on, in order.

    Those come later from the same side, with its hop limit, and begin at its first byte or later. Where that hop limit
    is also the one of the side's SYN, or nobody knows that one, the host itself may go on: then only ends and
    acknowledgements count that begin where the forged bytes end, and no resets, which a host writes at whatever number
    it is asked for (RFC 9293 §3.10.7.1).

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
    kept = (other >= first) & (packets.outbound[other] == outbound[owner]) & (packets.ttl[other] == packets.ttl[first])
    begins = packets.relative_seq[other]
    host = ~other_way(trace, row, 2 * flow + ~outbound)
    behind = packets.relative_seq[first] + packets.payload_length[first]
    tail = (begins >= behind) & (begins <= np.maximum(segment_end(packets, first), behind + 1))
    tail &= (packets.payload_length[other] == 0) & (packets.tcp_flags[other] & TcpFlag.RST == 0)
    kept &= np.where(host[owner], tail, begins >= packets.relative_seq[first]) | (other == first)
    return Ragged.from_lengths(np.bincount(owner[kept], minlength=len(row)), other[kept].astype(np.int32))
