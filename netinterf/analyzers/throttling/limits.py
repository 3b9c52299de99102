"""Was it the sender or the receiver that limited the rate? Explain away before accusing.

Only where the tap sees what the sender knew, at its own side of the limit: the bytes in flight when each new packet
left. A sender whose flight fills the receiver's window is held by the receiver; one that had everything acknowledged
and still waited had nothing to send (Zhang, Breslau, Paxson, Shenker, SIGCOMM 2002, §4).
"""

import numpy as np

from netinterf.analyzers.throttling.series import Series
from netinterf.analyzers.throttling.ways import SEQ_BITS
from netinterf.schema import Mark, TcpFlag
from netinterf.table import spans
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["SenderLimits", "sender_limits"]

UNKNOWN_SHIFT = 255


@frozen(kw_only=True)
class SenderLimits:
    """Shares of a transfer, 0 … 1, in which somebody but the network limited it; NaN when it cannot be told."""

    window: float = np.nan  # of the new packets: the receiver's window was full
    idle: float = np.nan  # of the time: everything was acknowledged and nothing was sent


def sender_limits(trace: Trace, unit: Series, outbound: bool) -> SenderLimits:
    """Measure what limited the sender of a unit.

    Args:
        trace: The capture.
        unit: Wire packets of one direction.
        outbound: The direction.

    Returns:
        The shares; unknown at the receiver's side of the limit and without captured acknowledgements.
    """
    if unit.upstream or len(unit) < 2:
        return SenderLimits()
    flows = np.unique(unit.flow)
    rows = trace.by_flow.values[spans(trace.by_flow.offsets[flows], trace.by_flow.lengths[flows])].astype(np.int64)
    packets = trace.packets
    answer = (packets.outbound[rows] != outbound) & (packets.relative_ack[rows] >= 0)
    answer &= (packets.marks[rows] & Mark.DUPLICATE_FRAME == 0) & (packets.tcp_flags[rows] & TcpFlag.SYN == 0)
    rows = np.sort(rows[answer])
    rows = rows[np.argsort(packets.flow[rows], kind="stable")]
    order = np.argsort(unit.flow, kind="stable")
    flow, row, start = unit.flow[order], unit.row[order], unit.start[order]
    end = start + unit.payload[order]
    answered = packets.flow[rows].astype(np.int64)
    place = np.searchsorted(answered << SEQ_BITS | rows, flow << SEQ_BITS | row) - 1
    known = (place >= 0) & (answered[np.maximum(place, 0)] == flow) if len(rows) else np.zeros(len(flow), np.bool_)
    if not known.any():
        return SenderLimits()
    low = (1 << SEQ_BITS) - 1
    acked = (np.maximum.accumulate(answered << SEQ_BITS | packets.relative_ack[rows]) & low)[place]
    key = flow << SEQ_BITS | end
    top = np.concatenate([[0], np.maximum.accumulate(key)[:-1]])
    top = np.where(top >> SEQ_BITS == flow, top & low, 0)
    fresh = known & (start >= top)
    last = rows[np.maximum(place, 0)]
    side = 2 * flow + outbound  # the receiver's side of each flow
    shift = trace.sides.window_shift[side].astype(np.int64)
    scaled = fresh & (shift != UNKNOWN_SHIFT)
    window = packets.window[last].astype(np.int64) << np.where(shift == UNKNOWN_SHIFT, 0, np.minimum(shift, 14))
    full = scaled & (end - acked >= window - unit.payload[order])
    waited = (packets.time[row] - packets.time[last]) / 1e9
    idle = fresh & (top > 0) & (acked >= top)
    whole = float(unit.time[-1] - unit.time[0]) * len(flows)
    return SenderLimits(
        window=float(full.sum() / scaled.sum()) if scaled.any() else np.nan,
        idle=min(1.0, float(waited[idle].sum()) / whole) if whole > 0 else np.nan,
    )
