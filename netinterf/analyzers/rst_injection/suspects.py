"""The resets worth a question, and what their claimed sender's other packets look like.

Everything here is narrowed to flows that hold a reset. A *suspect* is a RST that the network could have forged: one
that arrived at the tap, not one that the machine at the tap sent itself. Its *base* is every other packet of the same
side of the same flow, resets excluded, since an injector may have written several.
"""

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.flows.facts import Vantage
from netinterf.schema import Mark, Packets, TcpFlag
from netinterf.trace import Trace

__all__ = ["Base", "Suspects", "find_suspects", "segment_end"]

TCP = 6

NO_SHIFT, MOST_SHIFT = 255, 14
"""A side without the window scale option, and the largest one (RFC 7323 §2.3)."""


@attrs.frozen(eq=False, kw_only=True)
class Base:
    """Packets of the suspects' flows that are no resets: sorted by side, then time. The columns are aligned."""

    row: NDArray[np.int64]  # rows in Packets
    side: NDArray[np.int64]  # rows in Sides
    end: NDArray[np.int64]  # relative sequence number behind the packet
    top: NDArray[np.int64]  # highest such number of the side so far, this packet included
    acked: NDArray[np.int64]  # highest relative ack of the side so far, this packet included
    edge: NDArray[np.int64]  # highest relative number so far that the side had room for (ack and window)

    def before(self, side: NDArray[np.int64], row: NDArray[np.int64]) -> NDArray[np.int64]:
        """Place in the base of the last packet of *side* before packet *row*, -1 for none."""
        place = self._find(side, row) - 1
        return np.where((place >= 0) & (self._at(self.side, place) == side), place, -1)

    def first_above(
        self, column: NDArray[np.int64], side: NDArray[np.int64], value: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Place of the first packet of *side* whose running maximum *column* passes *value*, -1 for none."""
        low = (1 << 40) - 1
        place = np.searchsorted(self.side << 40 | np.clip(column, 0, low), side << 40 | np.clip(value + 1, 0, low))
        inside = np.minimum(place, len(self.row) - 1)
        return np.where((place < len(self.row)) & (self._at(self.side, inside) == side), place, -1)

    def _find(self, side: NDArray[np.int64], row: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.searchsorted(self.side << 32 | self.row, side << 32 | row)

    def at(self, column: NDArray[Any], place: NDArray[np.int64], missing: int = -1) -> NDArray[np.int64]:
        """Read *column* (aligned with the base) at *place*; -1 places give *missing*."""
        return np.where(place >= 0, self._at(column, place), missing).astype(np.int64)

    @staticmethod
    def _at(column: NDArray[Any], place: NDArray[np.int64]) -> NDArray[Any]:
        return column[np.maximum(place, 0)] if len(column) else np.zeros(len(place), column.dtype)


@attrs.frozen(eq=False, kw_only=True)
class Suspects:
    """One row per suspect reset; all columns are aligned."""

    row: NDArray[np.int64]  # rows in Packets, in time order
    flow: NDArray[np.int64]  # rows in Flows
    side: NDArray[np.int64]  # rows in Sides: the claimed sender
    other: NDArray[np.int64]  # rows in Sides: who it is addressed to
    acks: NDArray[np.bool_]  # the ACK flag is set
    previous: NDArray[np.int64]  # place in the base of the claimed sender's last packet before, -1 for none
    asked: NDArray[np.int64]  # place in the base of the other side's last packet before, -1 for none
    gap: NDArray[np.int64]  # ns since the claimed sender's last packet, -1 for none
    base: Base

    def __len__(self) -> int:
        return len(self.row)


def segment_end(packets: Packets, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Relative sequence number behind each packet: payload plus one each for SYN and FIN (RFC 9293 §3.4)."""
    flags = packets.tcp_flags[rows]
    counted = ((flags & TcpFlag.SYN) != 0).astype(np.int64) + ((flags & TcpFlag.FIN) != 0)
    end: NDArray[np.int64] = packets.relative_seq[rows] + packets.payload_length[rows] + counted
    return end


def find_suspects(trace: Trace) -> Suspects:
    """Select the resets that somebody on the path could have forged.

    A RST seen where its sender sits is the sender's own; a copy of a frame captured twice is no second reset; one with
    a wrong checksum resets nothing: it is damaged, or a decoy of somebody who evades a censor; and one far outside the
    receiver's window is left over from an older connection.
    """
    packets = trace.packets
    is_rst = (packets.protocol == TCP) & ((packets.tcp_flags & TcpFlag.RST) != 0) & (packets.flow >= 0)
    is_rst &= (packets.marks & Mark.DUPLICATE_FRAME) == 0
    if trace.facts.vantage is Vantage.CLIENT:
        is_rst &= ~packets.outbound
    elif trace.facts.vantage is Vantage.SERVER:
        is_rst &= packets.outbound
    row = np.flatnonzero(is_rst)
    row = row[trace.checksum_ok(row)]
    base = build_base(trace, np.unique(packets.flow[row]).astype(np.int64))
    row = row[~left_over(trace, base, row)]
    flow = packets.flow[row].astype(np.int64)
    side = 2 * flow + ~packets.outbound[row]
    previous = base.before(side, row)
    last_time = base.at(packets.time[base.row], previous, missing=0)
    return Suspects(
        row=row,
        flow=flow,
        side=side,
        other=side ^ 1,
        acks=(packets.tcp_flags[row] & TcpFlag.ACK) != 0,
        previous=previous,
        asked=base.before(side ^ 1, row),
        gap=np.where(previous >= 0, packets.time[row] - last_time, -1),
        base=base,
    )


def build_base(trace: Trace, flows: NDArray[np.int64]) -> Base:
    """Collect the packets of *flows* that are neither resets nor second captures of a frame."""
    packets = trace.packets
    row = trace.by_flow.take(flows).values.astype(np.int64)
    keep = (packets.tcp_flags[row] & TcpFlag.RST == 0) & (packets.marks[row] & Mark.DUPLICATE_FRAME == 0)
    row = row[keep]
    side = 2 * packets.flow[row].astype(np.int64) + ~packets.outbound[row]
    order = np.argsort(side << 32 | row)
    row, side = row[order], side[order]
    end = segment_end(packets, row)
    ack = packets.relative_ack[row]
    return Base(
        row=row,
        side=side,
        end=end,
        top=running_top(end, side),
        acked=running_top(ack, side),
        edge=running_top(ack + window_bytes(trace, row, side), side),
    )


def window_bytes(trace: Trace, row: NDArray[np.int64], side: NDArray[np.int64]) -> NDArray[np.int64]:
    """Scale the window of each packet, never of one with SYN, and by the most where no handshake tells (RFC 7323)."""
    sides, packets = trace.sides, trace.packets
    shift, others = (sides.window_shift[which].astype(np.int64) for which in (side, side ^ 1))
    both = (shift != NO_SHIFT) & (others != NO_SHIFT)
    told = (sides.syn[side] >= 0) & (sides.syn[side ^ 1] >= 0)
    shift = np.where(told, np.where(both, np.minimum(shift, MOST_SHIFT), 0), MOST_SHIFT)
    shift[packets.tcp_flags[row] & TcpFlag.SYN != 0] = 0
    return packets.window[row].astype(np.int64) << shift


def left_over(trace: Trace, base: Base, row: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Find resets with the numbers of another connection: beyond the receiver's window, or below the whole stream.

    Hosts ignore them (RFC 9293 §3.10.7.4, RFC 5961 §3). Blind where the receiver said nothing before.
    """
    packets = trace.packets
    side = 2 * packets.flow[row].astype(np.int64) + ~packets.outbound[row]
    here, edge = packets.relative_seq[row], base.at(base.edge, base.before(side ^ 1, row))
    opened = base.before(side, row) >= 0
    return opened & (((edge >= 0) & (here > edge)) | ((trace.sides.syn[side] >= 0) & (here < 0)))


def running_top(values: NDArray[np.int64], group: NDArray[np.int64]) -> NDArray[np.int64]:
    """Highest value of the group so far; rows of one group lie together. Exact for |values| below 2**39."""
    if len(values) == 0:
        return values
    number = np.cumsum(np.diff(group, prepend=group[0]) != 0)
    bias = 1 << 39
    low = (1 << 40) - 1
    return (np.maximum.accumulate(number << 40 | (np.clip(values, -bias, bias - 1) + bias)) & low) - bias
