"""Bytes and ends that their sender takes back: what it says next still carries the number before them.

A host's acknowledgements carry the number of the next byte that it will send (RFC 9293 §3.4). Who has said something
cannot acknowledge from before it, but a host in whose name somebody else spoke does.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.forgery.order import counted_first, stamped_first
from netinterf.analyzers.forgery.sequence import reorder_margin
from netinterf.analyzers.sides import side_packets
from netinterf.arrays import I64, Mask
from netinterf.numbering import distinct
from netinterf.schema import Mark, TcpFlag
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["AckRegressions", "ack_regressions"]

TCP = 6

KEEP_ALIVE_NS = 1_000_000_000
"""Pause from which a bare packet one below the next number may ask whether the peer lives: programs wait for seconds
at least (RFC 9293 §3.8.4 has two hours)."""


@frozen(eq=False)
class AckRegressions:
    """Rows in Packets of what takes each packet back, -1 for none."""

    late: I64  # later than reordering explains
    soon: I64  # so soon that both may have been swapped on the way, which seldom happens

    @property
    def any(self) -> Mask:
        """Whether something takes it back, soon or late."""
        return (self.late >= 0) | (self.soon >= 0)


def ack_regressions(trace: Trace, rows: NDArray[np.integer[Any]]) -> AckRegressions:
    """Find the packet by which a side shows that it did not send another.

    A bare acknowledgement carries the very number of that packet, and acknowledges more than the side had before: a
    copy of an older one does not. A FIN at the number of bytes, without them, ends the stream before they begin. Where
    the side's own count of IP IDs, or its timestamps, say that it was sent first, the capture or the path has swapped
    the two; where its timestamps say that it was sent later, nothing was swapped, however soon it came. Where one box
    renumbers all packets, it writes the streams too, and its mistakes are nobody's forgery.

    Args:
        trace: The capture.
        rows: Rows in Packets with payload or a FIN, in order; of several of one side with one number the first counts.
            One that takes no sequence number cannot be taken back.
    """
    packets, row = trace.packets, rows.astype(np.int64)
    regressions = AckRegressions(np.full(len(row), -1), np.full(len(row), -1))
    side = 2 * packets.flow[row].astype(np.int64) + ~packets.outbound[row]
    more = np.flatnonzero((trace.sides.last[side] > row) & trace.recording.ip_id_informative[packets.flow[row]])
    if not len(more):
        return regressions
    bare, owner = same_number(trace, row, more)
    fin = packets.tcp_flags[bare] & TcpFlag.FIN != 0
    plain = packets.tcp_flags[bare] & (TcpFlag.SYN | TcpFlag.RST | TcpFlag.ACK) == TcpFlag.ACK
    plain &= packets.marks[bare] & Mark.DUPLICATE_FRAME == 0
    news = packets.relative_ack[bare] > acknowledged_before(trace, row[owner])
    plain &= np.where(fin, packets.payload_length[row[owner]] > 0, news)
    plain &= ~stamped_first(trace, bare, row[owner]) & ~counted_first(trace, bare, row[owner])
    gap = packets.time[bare] - packets.time[row[owner]]
    took = packets.payload_length[row].astype(np.int64) + (packets.tcp_flags[row] & TcpFlag.FIN != 0)
    plain &= (took[owner] > 1) | ((took[owner] > 0) & (gap < KEEP_ALIVE_NS))  # what takes no number leaves it as it was
    late = (gap > reorder_margin(trace, side)[owner]) | stamped_first(trace, row[owner], bare)
    for column, when in ((regressions.late, plain & late), (regressions.soon, plain & ~late)):
        column[owner[when][::-1]] = bare[when][::-1]
    regressions.soon[regressions.late >= 0] = -1
    return regressions


def same_number(trace: Trace, row: I64, more: I64) -> tuple[I64, I64]:
    """Find the later packets without payload that carry the number of some packets (places *more* among *row*).

    Returns:
        Rows in Packets, in order, and the place of the packet whose number each carries.
    """
    packets = trace.packets
    bare = bare_packets(trace, packets.outbound[row[more]])
    keys, first = np.unique(numbered(trace, row[more]), return_index=True)
    wanted = numbered(trace, bare)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    owner = more[first[place]]
    later = (keys[place] == wanted) & (bare > row[owner])
    return bare[later], owner[later]


def numbered(trace: Trace, row: I64) -> I64:
    """Give packets of one side with one sequence number one key."""
    packets = trace.packets
    side = 2 * packets.flow[row].astype(np.int64) + ~packets.outbound[row]
    key: I64 = side << 34 | ((packets.relative_seq[row] + (1 << 33)) & ((1 << 34) - 1))
    return key


def bare_packets(trace: Trace, outbound: Mask) -> I64:
    """List the TCP packets without payload that went as some others did: all ways that occur in *outbound*."""
    packets = trace.packets
    bare = packets.payload_length == 0
    if outbound.all() or not outbound.any():
        bare &= packets.outbound == outbound[0]
    row = np.flatnonzero(bare)
    tcp: I64 = row[(packets.protocol[row] == TCP) & (packets.flow[row] >= 0)]
    return tcp


def acknowledged_before(trace: Trace, row: I64) -> I64:
    """Highest number that the side of some packets had acknowledged before, -1 for none."""
    packets = trace.packets
    flow = packets.flow[row].astype(np.int64)
    base = side_packets(trace, distinct(flow))
    return base.at(base.acked, base.before(2 * flow + ~packets.outbound[row], row))
