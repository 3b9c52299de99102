"""A plain rule about DNS: more distinct replies than queries."""

import numpy as np

from benchmarks.rivals.base import Call, Rival
from netinterf.trace import Trace

__all__ = ["EXCESS_REPLIES", "excess_replies", "frames_of", "message_bytes"]


def message_bytes(trace: Trace, message: int) -> bytes:
    """Give the bytes of one DNS message, as far as they were captured in one packet; empty when it spans several."""
    at = int(trace.dns.at[message])
    return trace.buffer[at : at + int(trace.dns.length[message])].tobytes() if at >= 0 else b""


def frames_of(trace: Trace, messages: list[int]) -> tuple[int, ...]:
    """Give the frame numbers of DNS messages, ascending."""
    return tuple(sorted(set(trace.packets.frame[trace.dns.packet[messages]].tolist())))


def excess_replies(trace: Trace) -> list[Call]:
    """Call every exchange that was answered in more ways than it was asked; all replies but the last are named.

    A frame that was captured twice is one reply, since its bytes are the same. The genuine reply comes last in almost
    every case, because an injector on the path is nearer than the resolver (Duan et al., SATIN 2012).
    """
    exchanges, calls = trace.exchanges, []
    for row in np.flatnonzero(exchanges.replies.lengths > exchanges.queries.lengths).tolist():
        replies = exchanges.replies[row].tolist()
        distinct = len({message_bytes(trace, message) for message in replies})
        asked = len(exchanges.queries[row])
        if asked and distinct > asked:
            says = f"{distinct} different replies to {asked} queries"
            calls.append(
                Call(
                    kind="exchange",
                    row=row,
                    mechanism="dns.injection",
                    frames=frames_of(trace, replies[:-1]),
                    says=says,
                )
            )
    return calls


EXCESS_REPLIES = Rival(
    name="more DNS replies than queries",
    source="plain rule",
    home=("dns.injection",),
    judge=excess_replies,
)
