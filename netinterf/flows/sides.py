"""Sum up what each side of each flow sent."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I32, I64, U32, Mask
from netinterf.compiled import is_there
from netinterf.flows.blocks import TcpBlock, tcp_blocks
from netinterf.flows.grouping import first_index
from netinterf.flows.segments import sum_sides
from netinterf.flows.unwrap import sound_rows
from netinterf.schema import Flows, Mark, Packets, Sides, TcpFlag
from netinterf.table import Ragged
from netinterf.workers import each

__all__ = ["build_sides"]

TCP = 6


def build_sides(packets: Packets, flows: Flows, by_flow: Ragged) -> Sides:
    """Build two rows per flow: what its client sent, and what its server sent.

    Second copies of a frame are left out of all counts. ``sent`` and ``acked`` ignore resets and numbers that are not
    sound (see `unwrap`). Round trips are still unknown (-1).

    Args:
        packets: Packets with flow, direction, relative numbers and marks.
        flows: Their flows.
        by_flow: Rows of packets of each flow, in time order.
    """
    if is_there():
        return sum_sides(packets, by_flow)
    sides = 2 * len(flows)
    rows = by_flow.values
    copies = packets.marks.take(rows) & Mark.DUPLICATE_FRAME.value != 0
    if copies.any():
        rows = rows[~copies]
    side = (packets.flow.take(rows) << 1) + ~packets.outbound.take(rows)
    payload = packets.payload_length.take(rows)
    flags = np.where(packets.protocol.take(rows) == TCP, packets.tcp_flags.take(rows), np.uint16(0))
    marks = packets.marks.take(rows)

    def first(chosen: Mask) -> I32:
        index = np.flatnonzero(chosen)
        return first_index(side[index], rows[index], sides)

    def count(chosen: Mask) -> U32:
        return np.bincount(side[chosen], minlength=sides).astype(np.uint32)

    last = np.full(sides, -1, np.int32)
    last[side] = rows  # of repeated indices the last assignment stays
    syn = first(flags & (TcpFlag.SYN.value | TcpFlag.RST.value) == TcpFlag.SYN.value)
    isn, sent, acked = numbers(packets, by_flow, sides)
    return Sides(
        packets=np.bincount(side, minlength=sides).astype(np.uint32),
        payload_packets=count(payload > 0),
        payload_bytes=np.bincount(side, weights=payload, minlength=sides).astype(np.int64),
        first=first_index(side, rows, sides),
        last=last,
        syn=syn,
        fin=first(flags & TcpFlag.FIN.value != 0),
        rst=first(flags & TcpFlag.RST.value != 0),
        first_payload=first(payload > 0),
        isn=isn,
        mss=of_syn(packets.mss, syn, 0),
        window_shift=of_syn(packets.window_shift, syn, 255),
        syn_options=of_syn(packets.tcp_options, syn, 0),
        sent=sent,
        acked=acked,
        repeats=count(marks & Mark.REPEAT.value != 0),
        fills=count(marks & Mark.FILL.value != 0),
        rtt=np.full(sides, -1, np.int64),
        rtt_samples=np.zeros(sides, np.uint32),
    )


def of_syn(values: NDArray[Any], syn: I32, without: int) -> NDArray[Any]:
    """Read a column at each side's SYN."""
    column = np.full(len(syn), without, values.dtype)
    known = syn >= 0
    column[known] = values[syn[known]]
    return column


def numbers(packets: Packets, by_flow: Ragged, sides: int) -> tuple[U32, I64, I64]:
    """Give each side's initial sequence number, highest number sent and highest number acknowledged by the other.

    The initial number follows from any packet: its number on the wire less its relative one; of a side that sent
    nothing, from an acknowledgement by the other.
    """
    isn = np.zeros(sides, np.uint32)
    sent, acked = np.full(sides, -1, np.int64), np.full(sides, -1, np.int64)

    def number(block: TcpBlock) -> None:
        rows, side = block.rows, block.side
        part = slice(2 * block.first_flow, 2 * (block.first_flow + block.flows))
        flags, marks = packets.tcp_flags.take(rows), packets.marks.take(rows)
        seq, ack = packets.relative_seq.take(rows), packets.relative_ack.take(rows)
        moves = (flags & TcpFlag.RST.value == 0) & (marks & Mark.DUPLICATE_FRAME.value == 0)
        acks = flags & TcpFlag.ACK.value != 0
        begin = isn[part]
        begin[side[acks] ^ 1] = packets.ack[rows[acks]] - ack[acks].astype(np.uint32)
        begin[side] = packets.seq.take(rows) - seq.astype(np.uint32)
        end = seq + packets.payload_length.take(rows)
        end += (flags & TcpFlag.SYN.value != 0).astype(np.int64) + (flags & TcpFlag.FIN.value != 0)
        sound = np.flatnonzero(sound_rows(seq, side, moves))
        np.maximum.at(sent[part], side[sound], end[sound])
        sound = np.flatnonzero(sound_rows(ack, side, moves & acks))
        np.maximum.at(acked[part], side[sound] ^ 1, ack[sound])

    each(number, tcp_blocks(packets, by_flow))  # no side is in two blocks
    return isn, sent, acked
