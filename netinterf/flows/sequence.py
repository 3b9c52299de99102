"""The place of every TCP segment in its stream, as seen from the tap.

The measure is the side's high-water mark, one beyond the highest byte captured so far. A segment that starts there is
the next one; one that starts above it leaves a gap; one that starts below it brings bytes that were captured before
(they were lost after this point, or sent again without need) or bytes that were not (they were lost or overtaken before
this point). While a side has no gap, everything below its high-water mark was captured, and comparing two numbers
decides; for sides with gaps the captured bytes are found exactly (see `coverage`). Both are the same definition:

* REPEAT: all bytes were captured before; PARTIAL_REPEAT: some were;
* FILL: some bytes below the high-water mark were not; GAP_BEFORE: it starts above the mark.

Flows in which everything came in order or was only sent again need none of this: they are followed packet by packet in
C, where there is any (`segments`), by the same definition.

SYN and FIN count as one byte each. Resets, second copies of a frame, numbers that are not sound (see `unwrap`) and
segments without bytes never move the mark. A segment of many wire segments joined by offloading counts as one.
"""

import attrs
import numpy as np

from netinterf.arrays import I64, U16, Mask
from netinterf.flows.blocks import NOTHING, TcpBlock, last_before, packed, running_top, tcp_blocks, top_before
from netinterf.flows.duplicates import NO_ROWS, duplicate_rows
from netinterf.flows.holes import Stream, find_holes, overtaken
from netinterf.flows.numbers import Numbers, number_block
from netinterf.flows.segments import mark
from netinterf.schema import Flows, Mark, Packets, TcpFlag
from netinterf.table import Ragged
from netinterf.workers import each

__all__ = ["mark_segments"]

CONTROL_FLAGS = TcpFlag.SYN.value | TcpFlag.FIN.value | TcpFlag.RST.value


def mark_segments(packets: Packets, flows: Flows, by_flow: Ragged, datagrams: I64 = NO_ROWS) -> Packets:
    """Number the segments of every side and mark repeats, gaps, copies, duplicate acknowledgements and the like.

    Args:
        packets: Packets with flow and outbound, in time order.
        flows: Their flows.
        by_flow: Rows of packets of each flow.
        datagrams: UDP packets that repeat one just before (`repeated_datagrams`).

    Returns:
        The packets with ``relative_seq``, ``relative_ack`` and ``marks`` filled for TCP; other packets keep 0, -1 and
        no marks, save copies of datagrams.
    """
    seq = np.zeros(len(packets), np.int64)
    ack = np.full(len(packets), -1, np.int64)
    marks = np.zeros(len(packets), np.uint16)
    marks[duplicate_rows(packets, flows, by_flow, datagrams)] = Mark.DUPLICATE_FRAME.value
    packets = attrs.evolve(packets, marks=marks)
    marks = marks.copy()

    def number(block: TcpBlock) -> None:
        numbers = number_block(packets, block)
        seq[block.rows], ack[block.rows] = numbers.seq, numbers.ack
        marks[block.rows] |= mark_block(packets, block, numbers)

    left = by_flow.take(mark(packets, by_flow, seq, ack, marks))
    each(number, tcp_blocks(packets, left))  # no packet is in two blocks
    return attrs.evolve(packets, relative_seq=seq, relative_ack=ack, marks=marks)


def mark_block(packets: Packets, block: TcpBlock, numbers: Numbers) -> U16:
    """Mark the rows of one block."""
    flags = packets.tcp_flags.take(block.rows)
    payload = packets.payload_length.take(block.rows).astype(np.int64)
    window = packets.window.take(block.rows)
    length = payload + (flags & TcpFlag.SYN.value != 0) + (flags & TcpFlag.FIN.value != 0)
    start, end = numbers.seq, numbers.seq + length
    marks = np.zeros(len(start), np.uint16)

    carries_bytes = numbers.seq_sound & (length > 0)
    high_water, other_high_water = both_sides(block, end, carries_bytes)
    acked, other_acked = both_sides(block, numbers.ack, numbers.ack_sound)
    known = high_water > NOTHING
    quiet = flags & CONTROL_FLAGS == 0

    probe = numbers.seq_sound & known & (payload <= 1) & (start == high_water - 1) & quiet
    # one byte that the other side has not acknowledged yet is a repeated segment, not a probe of an idle peer
    probe &= (payload == 0) | (other_acked <= NOTHING) | (other_acked >= high_water)
    if probe.any():
        # nor is an acknowledgement that was overtaken by its own side's SYN or FIN
        last = np.flatnonzero(carries_bytes & ~quiet)
        probe[probe] = ~np.isin(packed(block.side[probe], high_water[probe]), packed(block.side[last], end[last]))
    marks[probe] |= Mark.KEEP_ALIVE.value
    carries_bytes &= ~probe

    gap = carries_bytes & known & (start > high_water)
    old = carries_bytes & known & (start < high_water)
    marks[gap] |= Mark.GAP_BEFORE.value
    repeat = old & (end <= high_water)
    stream = Stream(
        start, end, numbers.ack, high_water, acked, other_high_water > NOTHING, carries_bytes, gap, numbers.ack_sound
    )
    holes = find_holes(block, stream)
    repeat[holes.rows] = holes.repeat
    old[holes.rows] = holes.partial | holes.repeat
    marks[old] |= np.where(repeat[old], Mark.REPEAT.value, Mark.PARTIAL_REPEAT.value).astype(np.uint16)
    marks[repeat & (end <= other_acked)] |= Mark.SPURIOUS.value

    unseen = numbers.ack_sound & stream.other_known & (numbers.ack > other_high_water) & (numbers.ack > acked)
    unseen[holes.unseen] = True
    marks[unseen] |= Mark.ACKED_UNSEEN.value
    marks[numbers.seq_sound & quiet & (window == 0)] |= Mark.ZERO_WINDOW.value
    again = (
        numbers.ack_sound & quiet & (payload == 0) & ~probe & (numbers.ack == acked) & (numbers.ack < other_high_water)
    )
    again &= same_window(block, window, numbers.seq_sound)
    marks[again] |= Mark.DUP_ACK.value
    fills = holes.rows[holes.fill]
    marks[fills] |= Mark.FILL.value
    if len(fills):
        marks[fills[overtaken(packets, block, again, fills, holes.overtaker[holes.fill])]] |= Mark.REORDERED.value
    return marks


def both_sides(block: TcpBlock, values: I64, counts: Mask) -> tuple[I64, I64]:
    """Take running maxima over the earlier rows of each row's own side, and over those of the other side."""
    flow, out = block.flow, block.outbound
    sent = top_before(running_top(flow, values, counts & out), flow)
    received = top_before(running_top(flow, values, counts & ~out), flow)
    return np.where(out, sent, received), np.where(out, received, sent)


def same_window(block: TcpBlock, window: U16, counts: Mask) -> Mask:
    """Say which rows advertise the same window as the row before them on their side."""
    flow, out = block.flow, block.outbound
    previous = np.where(out, last_before(counts & out), last_before(counts & ~out))
    same: Mask = (previous >= 0) & (flow[previous] == flow) & (window[previous] == window)
    return same
