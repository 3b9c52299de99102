"""Numbers sprayed over a stream by somebody who does not see it.

Who cannot read a connection must guess its sequence number, and tries one place after the other until one lies in the
window (Watson, Slipping in the Window, CanSecWest 2004; RFC 5961 §1). A host never sends beyond the room that the other
side has offered (RFC 9293 §3.8.6), and what is left over from an older connection on the same ports is one stream, each
piece of which begins where another ended.
"""

import numpy as np

from netinterf.analyzers.forgery.suspects import SEVERAL, left_over
from netinterf.analyzers.sides import side_packets
from netinterf.arrays import I64
from netinterf.schema import Mark, TcpFlag
from netinterf.trace import Trace

__all__ = ["sprayed"]

TCP = 6


def sprayed(trace: Trace, *, resets: bool) -> tuple[I64, I64]:
    """Find packets of one side that lie outside the stream at places which have nothing to do with each other.

    `SEVERAL` places and more count, all of them further apart than the longest of the packets is long. Only flows with
    both greetings are asked, since else neither room nor beginning is known.

    Args:
        trace: The capture.
        resets: Whether resets are looked for, or else data without an end.

    Returns:
        Rows in Packets, in order, and to how many places its side was sprayed.
    """
    packets, sides = trace.packets, trace.sides
    none = np.empty(0, np.int64)
    ends = packets.tcp_flags & (TcpFlag.RST | TcpFlag.SYN | TcpFlag.FIN)
    kind = ends == TcpFlag.RST if resets else (ends == 0) & (packets.payload_length > 0)
    apart = (packets.marks & Mark.GAP_BEFORE != 0) | (packets.relative_seq < 0) | resets
    once = packets.marks & Mark.DUPLICATE_FRAME == 0
    row = np.flatnonzero(kind & apart & once & (packets.protocol == TCP) & (packets.flow >= 0))
    flow = packets.flow[row].astype(np.int64)
    often = np.bincount(flow, minlength=len(trace.flows)) >= SEVERAL
    row = row[(often & (sides.syn[0::2] >= 0) & (sides.syn[1::2] >= 0))[flow]]
    if not len(row):
        return none, none
    row = row[left_over(trace, side_packets(trace, np.unique(packets.flow[row]).astype(np.int64)), row)]
    side = 2 * packets.flow[row].astype(np.int64) + ~packets.outbound[row]
    places = np.unique(np.stack([side, packets.relative_seq[row]]), axis=1)
    longest = np.zeros(len(sides), np.int64)
    np.maximum.at(longest, side, np.maximum(packets.payload_length[row].astype(np.int64), 1))
    beside = places[0, 1:] == places[0, :-1]
    touching = np.zeros(len(sides), np.bool_)
    touching[places[0, 1:][beside & (np.diff(places[1]) <= longest[places[0, 1:]])]] = True
    count = np.where(touching, 0, np.bincount(places[0], minlength=len(sides)))
    scattered = count[side] >= SEVERAL
    return row[scattered], count[side[scattered]]
