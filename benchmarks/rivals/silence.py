"""A plain rule about silence: a SYN sent twice, or the same data three times, and nobody answered it."""

import numpy as np

from benchmarks.rivals.base import Call, Rival, by_flow, segments
from netinterf.arrays import I64
from netinterf.schema import Mark, TcpFlag
from netinterf.trace import Trace

__all__ = ["UNANSWERED", "unanswered"]

SYN_COPIES, DATA_COPIES = 2, 3  # the rule itself: "data sent three times or SYN twice"


def unanswered(trace: Trace) -> list[Call]:
    """Call flows whose SYN or data was sent again and again, and never acknowledged nor met with a reset.

    An acknowledgement of earlier bytes is no answer: a peer whose own packets still come through asks for what it
    misses. Copies of one frame by the capture are one transmission.
    """
    packets, sides = trace.packets, trace.sides
    sent = segments(trace) & (packets.tcp_flags & TcpFlag.RST == 0)
    rows = np.flatnonzero(sent & (packets.marks & Mark.DUPLICATE_FRAME == 0))
    side = 2 * packets.flow[rows].astype(np.int64) + ~packets.outbound[rows]
    syn = packets.tcp_flags[rows] & TcpFlag.SYN != 0
    opens = syn & packets.outbound[rows] & (sides.packets[side ^ 1] == 0)
    carries = ~syn & (packets.payload_length[rows] > 0) & (sides.rst[side ^ 1] < 0)
    carries &= sides.acked[side] <= packets.relative_seq[rows]
    calls = gather(trace, rows[opens], SYN_COPIES, "tcp.connect.drop")
    return calls + gather(trace, rows[carries], DATA_COPIES, "tcp.drop")


def gather(trace: Trace, rows: I64, copies: int, mechanism: str) -> list[Call]:
    """Call each flow in which one of the segments *rows* was sent at least *copies* times by one side.

    Args:
        trace: The capture.
        rows: Packets, ascending.
        copies: Least transmissions.
        mechanism: What to call it.
    """
    packets = trace.packets
    keys = np.stack([packets.flow[rows], packets.outbound[rows], packets.seq[rows]], axis=1)
    _, segment, count = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    often = count[segment.reshape(-1)] >= copies
    return [
        Call(
            kind="flow",
            row=flow,
            mechanism=mechanism,
            frames=tuple(packets.frame[members].tolist()),
            says=f"sent {copies} times or more without an answer",
        )
        for flow, members in by_flow(trace, rows[often])
    ]


UNANSWERED = Rival(
    name="sent again, no answer",
    source="plain rule",
    home=("tcp.drop", "tcp.connect.drop"),
    judge=unanswered,
)
