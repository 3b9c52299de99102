"""Which of two packets of one side was sent first, by what their sender itself counts.

The path or the recorder may swap two packets, so their order in a capture is no proof. Timestamps never step back
within a connection (RFC 7323 §4.1), and a counter of IP IDs climbs (RFC 6864).
"""

import numpy as np

from netinterf.analyzers.forgery.followers import NEXT_FEW
from netinterf.arrays import I64, Mask
from netinterf.schema import TcpOption
from netinterf.trace import Trace

__all__ = ["counted_first", "stamped_first"]

SAME_CLOCK = 1 << 24
"""Ticks beyond which two timestamps are not those of one clock: four hours at the fastest (1 ms, RFC 7323 §5.4)."""


def stamped_first(trace: Trace, row: I64, other: I64) -> Mask:
    """Say which packets were sent before others by their timestamps; without both, or in one tick: none."""
    packets = trace.packets
    stamped = packets.tcp_options[row] & packets.tcp_options[other] & TcpOption.TIMESTAMPS != 0
    ticks = (packets.tsval[other] - packets.tsval[row]).astype(np.int32)
    first: Mask = stamped & (ticks > 0) & (ticks < SAME_CLOCK)
    return first


def counted_first(trace: Trace, row: I64, other: I64) -> Mask:
    """Say which packets were sent just before others by their IP IDs; zeros, and IPv6, say nothing."""
    packets = trace.packets
    ahead = (packets.ip_id[other].astype(np.int64) - packets.ip_id[row]) % 65536
    first: Mask = (packets.version[row] == 4) & (packets.ip_id[row] > 0)
    return first & (ahead >= 1) & (ahead <= NEXT_FEW)
