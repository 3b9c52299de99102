"""Bytes and ends that their sender takes back: what it says next still carries the number before them.

A host's acknowledgements carry the number of the next byte that it will send (RFC 9293 §3.4). Who has said something
cannot acknowledge from before it, but a host in whose name somebody else spoke does.
"""

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.forgery.follow import NEXT_FEW
from netinterf.analyzers.forgery.sequence import reorder_margin
from netinterf.schema import Mark, TcpFlag, TcpOption
from netinterf.trace import Trace

__all__ = ["TakenBack", "taken_back"]

TCP = 6

KEEP_ALIVE_NS = 1_000_000_000
"""Pause from which a bare packet one below the next number may ask whether the peer lives: programs wait for seconds
at least (RFC 9293 §3.8.4 has two hours)."""


@attrs.frozen(eq=False)
class TakenBack:
    """Rows in Packets of what takes each packet back, -1 for none."""

    late: NDArray[np.int64]  # later than reordering explains
    soon: NDArray[np.int64]  # so soon that both may have been swapped on the way, which seldom happens

    @property
    def any(self) -> NDArray[np.bool_]:
        """Whether something takes it back, soon or late."""
        return (self.late >= 0) | (self.soon >= 0)


def taken_back(trace: Trace, rows: NDArray[np.integer[Any]]) -> TakenBack:
    """Find the bare acknowledgement by which a side shows that it did not send a packet.

    It carries the very number of that packet, and acknowledges more than the side had before: a copy of an older one
    does not. Where the side's own count of IP IDs, or its timestamps, say that it was sent first, the capture or the
    path has swapped the two.

    Args:
        trace: The capture.
        rows: Rows in Packets with payload or a FIN; of several of one side the first counts. One that
            takes no sequence number cannot be taken back.
    """
    packets, row = trace.packets, rows.astype(np.int64)
    shown = TakenBack(np.full(len(row), -1), np.full(len(row), -1))
    side = 2 * packets.flow[row].astype(np.int64) + ~packets.outbound[row]
    more = np.flatnonzero(trace.sides.last[side] > row)
    if not len(more):
        return shown
    owner_of = np.full(2 * len(trace.flows), -1)
    owner_of[side[more[::-1]]] = more[::-1]  # the last write wins, and that is the first packet
    bare = bare_packets(trace, packets.outbound[row[more]])
    owner = owner_of[2 * packets.flow[bare].astype(np.int64) + ~packets.outbound[bare]]
    later = (owner >= 0) & (bare > row[owner]) & (packets.relative_seq[bare] == packets.relative_seq[row[owner]])
    bare, owner = bare[later], owner[later]
    plain = packets.tcp_flags[bare] & (TcpFlag.SYN | TcpFlag.FIN | TcpFlag.RST | TcpFlag.ACK) == TcpFlag.ACK
    plain &= packets.marks[bare] & Mark.DUPLICATE_FRAME == 0
    plain &= packets.relative_ack[bare] > acknowledged_before(trace, row, np.unique(owner))[owner]
    plain &= ~sent_first(trace, bare, row[owner])
    gap = packets.time[bare] - packets.time[row[owner]]
    took = packets.payload_length[row].astype(np.int64) + (packets.tcp_flags[row] & TcpFlag.FIN != 0)
    plain &= (took[owner] > 1) | ((took[owner] > 0) & (gap < KEEP_ALIVE_NS))  # what takes no number leaves it as it was
    late = gap > reorder_margin(trace, side)[owner]
    for found, when in ((shown.late, plain & late), (shown.soon, plain & ~late)):
        found[owner[when][::-1]] = bare[when][::-1]
    shown.soon[shown.late >= 0] = -1
    return shown


def sent_first(trace: Trace, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which packets of a side were sent before others, by its IP IDs (RFC 6864) or timestamps (RFC 7323 §4)."""
    packets = trace.packets
    ahead = (packets.ip_id[other].astype(np.int64) - packets.ip_id[one]) % 65536
    first = (packets.version[one] == 4) & (packets.ip_id[one] > 0) & (ahead >= 1) & (ahead <= NEXT_FEW)
    stamped = packets.tcp_options[one] & packets.tcp_options[other] & TcpOption.TIMESTAMPS != 0
    found: NDArray[np.bool_] = first | (stamped & ((packets.tsval[other] - packets.tsval[one]).astype(np.int32) > 0))
    return found


def bare_packets(trace: Trace, outbound: NDArray[np.bool_]) -> NDArray[np.int64]:
    """List the TCP packets without payload that went as some others did: all ways that occur in *outbound*."""
    packets = trace.packets
    bare = packets.payload_length == 0
    if outbound.all() or not outbound.any():
        bare &= packets.outbound == outbound[0]
    row = np.flatnonzero(bare)
    kept: NDArray[np.int64] = row[(packets.protocol[row] == TCP) & (packets.flow[row] >= 0)]
    return kept


def acknowledged_before(trace: Trace, row: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Highest number that the side of some packets (*places* among *row*) had acknowledged before, -1 for none."""
    packets = trace.packets
    highest = np.full(len(row), -1)
    near = trace.by_flow.take(packets.flow[row[places]])
    owner, other = places[near.parents()], near.values.astype(np.int64)
    before = (other < row[owner]) & (packets.outbound[other] == packets.outbound[row[owner]])
    np.maximum.at(highest, owner[before], packets.relative_ack[other[before]])
    return highest
