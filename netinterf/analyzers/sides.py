"""What each side of some TCP conversations sent, side by side: the order in which most questions are asked.

Relative numbers only ever grow from packet to packet of a side, once they are taken as running maxima, so that "who
said this first", "how far had the other side heard by then" and "was there room" are binary searches.
"""

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, Mask
from netinterf.numbering import ordered
from netinterf.schema import Mark, Packets, TcpFlag, TcpOption
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["SidePackets", "running_top", "segment_end", "side_packets", "stamps_agreed"]

NO_SHIFT, MOST_SHIFT = 255, 14
"""A side without the window scale option, and the largest one (RFC 7323 §2.3)."""


@frozen(eq=False, kw_only=True)
class SidePackets:
    """Packets of some flows, sorted by side, then time. The columns are aligned."""

    row: I64  # rows in Packets
    side: I64  # rows in Sides
    end: I64  # relative sequence number behind the packet
    top: I64  # highest such number of the side so far, this packet included
    acked: I64  # highest relative ack of the side so far, this packet included
    edge: I64  # highest relative number so far that the side had room for (ack and window)

    @classmethod
    def none(cls) -> "SidePackets":
        """Give the packets of no flow."""
        nothing = np.empty(0, np.int64)
        return cls(row=nothing, side=nothing, end=nothing, top=nothing, acked=nothing, edge=nothing)

    def take(self, keep: Mask) -> "SidePackets":
        """Select packets; what had been reached by then stays as it was."""
        return SidePackets(**{name: column[keep] for name, column in attrs.asdict(self, recurse=False).items()})

    def before(self, side: I64, row: I64) -> I64:
        """Place of the last packet of *side* before packet *row*, -1 for none."""
        place = self._find(side, row) - 1
        return np.where((place >= 0) & (self._at(self.side, place) == side), place, -1)

    def first_above(self, column: I64, side: I64, value: I64) -> I64:
        """Place of the first packet of *side* whose running maximum *column* passes *value*, -1 for none."""
        low = (1 << 40) - 1
        place = np.searchsorted(self.side << 40 | np.clip(column, 0, low), side << 40 | np.clip(value + 1, 0, low))
        inside = np.minimum(place, len(self.row) - 1)
        return np.where((place < len(self.row)) & (self._at(self.side, inside) == side), place, -1)

    def _find(self, side: I64, row: I64) -> I64:
        return np.searchsorted(self.side << 32 | self.row, side << 32 | row)

    def at(self, column: NDArray[Any], place: I64, missing: int = -1) -> I64:
        """Read *column* (aligned with the base) at *place*; -1 places give *missing*."""
        return np.where(place >= 0, self._at(column, place), missing).astype(np.int64)

    @staticmethod
    def _at(column: NDArray[Any], place: I64) -> NDArray[Any]:
        return column[np.maximum(place, 0)] if len(column) else np.zeros(len(place), column.dtype)


def segment_end(packets: Packets, rows: I64) -> I64:
    """Relative sequence number behind each packet: payload plus one each for SYN and FIN (RFC 9293 §3.4)."""
    flags = packets.tcp_flags[rows]
    counted = ((flags & TcpFlag.SYN) != 0).astype(np.int64) + ((flags & TcpFlag.FIN) != 0)
    end: I64 = packets.relative_seq[rows] + packets.payload_length[rows] + counted
    return end


def stamps_agreed(trace: Trace, side: NDArray[np.integer[Any]]) -> Mask:
    """Say whether the ends of some sides agreed on timestamps, so that all later packets carry them (RFC 7323 §3.2).

    A SYN/ACK offers them only in answer to an offer, so that it tells alone where the SYN was not captured.
    """
    sides = trace.sides
    offered = sides.syn_options & TcpOption.TIMESTAMPS != 0
    unseen = (sides.syn[side ^ 1] < 0) & (side % 2 == 1)
    agreed: Mask = offered[side] & (offered[side ^ 1] | unseen)
    return agreed


def side_packets(
    trace: Trace,
    flows: I64,
    *,
    without: TcpFlag = TcpFlag.RST,
    answers: bool = True,
    but: NDArray[np.integer[Any]] | None = None,
) -> SidePackets:
    """Collect the packets of *flows* that are no second captures of a frame.

    Args:
        trace: The capture.
        flows: Rows of ``flows``.
        without: Packets with one of these flags are left out.
        answers: Keep payload of servers too.
        but: Rows in Packets that are left out.
    """
    packets = trace.packets
    if not len(flows):
        return SidePackets.none()
    row = trace.by_flow.take(flows).values.astype(np.int64)
    keep = (packets.tcp_flags[row] & without == 0) & (packets.marks[row] & Mark.DUPLICATE_FRAME == 0)
    if not answers:
        keep &= packets.outbound[row] | (packets.payload_length[row] == 0)
    row = row[keep]
    if but is not None and len(but):
        row = row[~np.isin(row, but)]
    side = 2 * packets.flow[row].astype(np.int64) + ~packets.outbound[row]
    order = ordered(side)  # rows of one side rise already
    row, side = row[order], side[order]
    end = segment_end(packets, row)
    ack = packets.relative_ack[row]
    return SidePackets(
        row=row,
        side=side,
        end=end,
        top=running_top(end, side),
        acked=running_top(ack, side),
        edge=running_top(ack + window_bytes(trace, row, side), side),
    )


def window_bytes(trace: Trace, row: I64, side: I64) -> I64:
    """Scale the window of each packet, never of one with SYN, and by the most where no handshake tells (RFC 7323)."""
    sides, packets = trace.sides, trace.packets
    shift, others = (sides.window_shift[which].astype(np.int64) for which in (side, side ^ 1))
    scaled = (shift != NO_SHIFT) & (others != NO_SHIFT)
    handshake = (sides.syn[side] >= 0) & (sides.syn[side ^ 1] >= 0)
    shift = np.where(handshake, np.where(scaled, np.minimum(shift, MOST_SHIFT), 0), MOST_SHIFT)
    shift[packets.tcp_flags[row] & TcpFlag.SYN != 0] = 0
    return packets.window[row].astype(np.int64) << shift


def running_top(values: I64, group: I64) -> I64:
    """Highest value of the group so far; rows of one group lie together. Exact for |values| below 2**39."""
    if len(values) == 0:
        return values
    number = np.cumsum(np.diff(group, prepend=group[0]) != 0)
    bias = 1 << 39
    low = (1 << 40) - 1
    return (np.maximum.accumulate(number << 40 | (np.clip(values, -bias, bias - 1) + bias)) & low) - bias
