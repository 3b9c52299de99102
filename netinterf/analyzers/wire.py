"""What the wire carried where segmentation offload handed the capture larger packets."""

import numpy as np
from numpy.typing import NDArray

from netinterf.schema import TcpOption
from netinterf.trace import Trace

__all__ = ["wire_pieces"]

I64 = NDArray[np.int64]

DEFAULT_MSS = 1460
TIMESTAMP_ROOM = 12


def wire_pieces(trace: Trace, rows: I64) -> tuple[I64, I64]:
    """Say how many packets on the wire each captured one stands for, and how much each of these carries at most.

    More than one where offloading joined them.
    """
    packets = trace.packets
    side = 2 * packets.flow[rows].astype(np.int64) + packets.outbound[rows]  # the receiver's SYN limits the sender
    option = trace.sides.mss[side].astype(np.int64)
    stamped = packets.tcp_options[rows] & TcpOption.TIMESTAMPS != 0
    most = np.where(option > 0, option, DEFAULT_MSS) - TIMESTAMP_ROOM * stamped
    payload = packets.payload_length[rows].astype(np.int64)
    return np.where(payload > most + TIMESTAMP_ROOM, -(-payload // np.maximum(most, 1)), 1), most
