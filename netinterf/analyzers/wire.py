"""What the wire carried where segmentation offload handed the capture larger packets."""

import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.schema import TcpOption
from netinterf.trace import Trace

__all__ = ["wire_pieces"]

DEFAULT_MSS = 1460
TIMESTAMP_ROOM = 12

SIZE_BITS = 20
"""Room for the size of a segment beside the number of a side in one sortable key."""


def wire_pieces(trace: Trace, rows: I64) -> tuple[I64, I64]:
    """Say how many packets on the wire each captured one stands for, and how much each of these carries at most.

    More than one where offloading joined them. What the receiver's SYN allows is an upper bound only: a narrower link
    on the way, or the sender's own, makes segments smaller (RFC 9293, §3.7.1), and the joined packets show by how much.
    """
    packets = trace.packets
    side = 2 * packets.flow[rows].astype(np.int64) + packets.outbound[rows]  # the receiver's SYN limits the sender
    option = trace.sides.mss[side].astype(np.int64)
    stamped = packets.tcp_options[rows] & TcpOption.TIMESTAMPS != 0
    most = np.where(option > 0, option, DEFAULT_MSS) - TIMESTAMP_ROOM * stamped
    payload = packets.payload_length[rows].astype(np.int64)
    joined = payload > most + TIMESTAMP_ROOM
    if joined.any():
        most = usual_segments(side, payload, most, joined)
    return np.where(joined, -(-payload // np.maximum(most, 1)), 1), most


def usual_segments(side: I64, payload: I64, most: I64, joined: Mask) -> I64:
    """Learn the segments of each side from its captured packets: a card joins whole ones, so it is a common divisor.

    Args:
        side: Who receives each packet.
        payload: Its bytes.
        most: What a segment holds at most.
        joined: Whether it holds more than that.

    Returns:
        The segment of most packets, where at least half of the joined ones of its side are multiples of it; else what
        was the most.
    """
    count = -(-payload // np.maximum(most, 1))
    whole = np.flatnonzero((payload % np.maximum(count, 1) == 0) & (2 * payload > most))
    size = payload[whole] // count[whole]
    pair, votes = np.unique(side[whole] << SIZE_BITS | size, return_counts=True)
    order = np.lexsort((pair, votes))  # where as many have it, the larger one
    usual = np.zeros(int(side.max()) + 1, np.int64)
    usual[pair[order] >> SIZE_BITS] = pair[order] & ((1 << SIZE_BITS) - 1)  # the last write wins
    learnt = usual[side]
    fits = np.bincount(side[joined], payload[joined] % np.maximum(learnt[joined], 1) == 0, len(usual))
    believed = (2 * fits >= np.bincount(side[joined], minlength=len(usual)))[side] & (learnt > 0)
    return np.where(believed, np.minimum(learnt, most), most)
