"""Where connections were broken off in the middle and moved again later: stalls of many seconds.

Nothing more of the other end's stream came through, though it had more to say, or what it was sent was repeated and not
acknowledged; and later it went on where it had stopped, or began with what had been acknowledged long ago, since the
acknowledgements had not come through either. A box that lets a connection breathe again and again makes
such stalls. A receiver that closes its window makes them as well, and so do programs that pause; a pause begins behind
the end of what a program wrote (PSH).
"""

import numpy as np

from netinterf.analyzers.freezes.breaks import Breaks, joined_breaks, under_way
from netinterf.analyzers.unanswered.silences import TCP, waiting_shown
from netinterf.arrays import I64, Mask
from netinterf.schema import Mark, TcpFlag
from netinterf.trace import Trace

__all__ = ["STALL_NS", "find_stalls"]

STALL_NS = 5_000_000_000
"""How long nothing comes before it is a stall: five times the first retransmission timeout (RFC 6298 §2.1), far beyond
what handovers of a mobile network take."""

TRIES = 2
"""Repeats in vain within a stall: with the first transmission three, as for silences."""


def find_stalls(trace: Trace) -> Breaks:
    """Find connections that stalled in the middle and moved again, each time that they did."""
    flows, sides = trace.flows, trace.sides
    open_ = (flows.protocol == TCP) & (sides.syn[0::2] >= 0) & (sides.syn[1::2] >= 0) & under_way(trace)
    flow = np.flatnonzero(open_ & (flows.last - flows.first >= STALL_NS))
    if not len(flow):
        return Breaks.none()
    observable = waiting_shown(trace)[flow]
    return joined_breaks([stalls_of(trace, flow[observable[:, place]], place) for place in (0, 1)])


def stalls_of(trace: Trace, flow: I64, place: int) -> Breaks:
    """Find the stalls that leave the clients (0) or the servers (1) of some flows waiting."""
    packets = trace.packets
    near = trace.by_flow.take(flow)
    owner, row = near.parents(), near.values.astype(np.int64)
    keep = packets.marks[row] & (Mark.DUPLICATE_FRAME | Mark.KEEP_ALIVE) == 0
    keep &= packets.tcp_flags[row] & TcpFlag.RST == 0
    owner, row = owner[keep], row[keep]
    waits = packets.outbound[row] == (place == 0)
    other = np.flatnonzero(~waits)
    before, behind = other[:-1], other[1:]
    long = (owner[before] == owner[behind]) & (packets.time[row[behind]] - packets.time[row[before]] >= STALL_NS)
    before, behind = before[long], behind[long]
    repeats = np.cumsum(waits & (packets.marks[row] & Mark.REPEAT != 0) & (packets.payload_length[row] > 0))
    closed = np.cumsum(packets.marks[row] & Mark.ZERO_WINDOW != 0)
    tried = repeats[behind - 1] - repeats[before] if len(before) else before
    shut = closed[behind] - np.where(before > 0, closed[before - 1], 0) if len(before) else before
    edge, later = row[before], row[behind]
    more = (packets.payload_length[edge] > 0) & (packets.tcp_flags[edge] & TcpFlag.PSH == 0)
    more &= packets.relative_seq[later] >= packets.relative_seq[edge] + packets.payload_length[edge]
    again = packets.marks[later] & Mark.SPURIOUS != 0
    again &= went_further(trace, flow, owner, row, other)[behind]
    went_on = packets.relative_ack[later] > packets.relative_ack[edge]
    hit = (shut == 0) & (((more | again) & (packets.payload_length[later] > 0)) | ((tried >= TRIES) & went_on))
    before, behind, edge, later = before[hit], behind[hit], edge[hit], later[hit]
    return Breaks(
        flow=flow[owner[before]],
        side=2 * flow[owner[before]] + place,
        began=trace.flows.first_packet[flow[owner[before]]].astype(np.int64),
        passed=edge,
        last=np.maximum(row[behind - 1], edge) if len(before) else edge,
        until=packets.time[later],
        resumed=later,
        heard=np.full(len(later), -1),
    )


def went_further(trace: Trace, flow: I64, owner: I64, row: I64, of_side: I64) -> Mask:
    """Say behind which packets of some sides new bytes came.

    Args:
        trace: The capture.
        flow: Rows in Flows.
        owner: Place in *flow* of each packet.
        row: Rows in Packets, by flow.
        of_side: Which of them are of the side asked about.

    Returns:
        A mask of the length of *row*.
    """
    packets = trace.packets
    end = np.zeros(len(row), np.int64)
    end[of_side] = np.maximum(
        packets.relative_seq[row[of_side]] + packets.payload_length[row[of_side]].astype(np.int64), 0
    )
    top = np.maximum.accumulate(owner << 40 | end) & ((1 << 40) - 1)
    last = np.zeros(len(flow), np.int64)
    last[owner] = top  # the last write wins: the highest of the flow
    further: Mask = last[owner] > top
    return further
