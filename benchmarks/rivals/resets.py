"""Two plain rules about TCP resets: that there is one, and that its TTL is unlike its sender's other packets."""

import numpy as np

from benchmarks.rivals.base import Call, Rival, by_flow, segments
from netinterf.arrays import I64
from netinterf.schema import TcpFlag
from netinterf.trace import Trace

__all__ = ["ANY_RESET", "RESET_TTL", "calls_by_flow", "reset_rows", "reset_word"]

TTLS = 256


def reset_rows(trace: Trace) -> I64:
    """List the rows of all TCP resets that belong to a flow, in time order."""
    return np.flatnonzero(segments(trace) & (trace.packets.tcp_flags & TcpFlag.RST != 0))


def reset_word(trace: Trace, flow: int) -> str:
    """Name a reset: one that meets a SYN which nobody accepted keeps a connection from opening."""
    opened = trace.sides.syn[2 * flow] < 0 or trace.sides.syn[2 * flow + 1] >= 0
    return "tcp.reset" if opened or trace.sides.payload_packets[2 * flow] else "tcp.connect.reset"


def calls_by_flow(trace: Trace, rows: I64, says: str) -> list[Call]:
    """Call every flow that holds one of the packets *rows* (ascending), and name these packets."""
    frames = trace.packets.frame
    return [
        Call(
            kind="flow",
            row=flow,
            mechanism=reset_word(trace, flow),
            frames=tuple(frames[members].tolist()),
            says=says,
        )
        for flow, members in by_flow(trace, rows)
    ]


def any_reset(trace: Trace) -> list[Call]:
    """Call every flow that holds a reset."""
    return calls_by_flow(trace, reset_rows(trace), "a reset")


def reset_ttl(trace: Trace) -> list[Call]:
    """Call every flow with a reset whose TTL is none of those of its sender's other packets; it needs one of these."""
    packets, resets = trace.packets, reset_rows(trace)
    others = segments(trace) & (packets.tcp_flags & TcpFlag.RST == 0)
    side = 2 * packets.flow.astype(np.int64) + ~packets.outbound
    own = np.unique(side[others] * TTLS + packets.ttl[others])
    known = np.isin(side[resets], own // TTLS)
    alike = np.isin(side[resets] * TTLS + packets.ttl[resets], own)
    return calls_by_flow(trace, resets[known & ~alike], "a reset with another TTL than its sender's other packets")


ANY_RESET = Rival(
    name="any RST",
    source="plain rule",
    home=("tcp.reset", "tcp.connect.reset"),
    judge=any_reset,
)

RESET_TTL = Rival(
    name="RST with another TTL",
    source="plain rule; the idea is in Weaver, Sommer, Paxson, NDSS 2009, appendix C",
    home=("tcp.reset", "tcp.connect.reset"),
    judge=reset_ttl,
)
