"""Look closely at the sides whose segments did not all come in order: what was repeated, filled, overtaken or lost.

Only sides with a gap, or with bytes below their first captured one, come here. See `sequence` for the definitions.
"""

import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.flows.blocks import TcpBlock, packed
from netinterf.flows.coverage import Coverage, cover
from netinterf.flows.grouping import first_index
from netinterf.flows.unwrap import rows_of
from netinterf.schema import Packets, TcpFlag, TcpOption
from netinterf.table import spans
from netinterf.values import frozen

__all__ = ["Holes", "Stream", "find_holes", "overtaken"]

OVERTAKEN_NS = 3_000_000
"""Latest arrival of an overtaken segment: 3 ms, as Wireshark takes for out of order when it knows no round trip."""

DUPLICATES = 3
"""Duplicate acknowledgements that make a sender repeat a segment (RFC 5681 §3.2)."""

ID_STEP = 16
"""Largest distance of IP identifications that still says which of two packets was sent first; identifications drawn at
random come so close in one of 2,000 pairs."""


@frozen(eq=False)
class Stream:
    """What `sequence` knows of the rows of a block; the running maxima are of earlier rows only."""

    start: I64
    end: I64
    ack: I64
    high_water: I64  # high-water mark of the own side
    acked: I64  # highest acknowledgement sent by the own side
    other_known: Mask  # something of the other side was captured before
    carries_bytes: Mask  # brings bytes that count
    gap: Mask
    acks: Mask  # its acknowledgement may be believed


@frozen(eq=False)
class Holes:
    """Findings on the segments of sides that were looked into; indexes count rows of the block."""

    rows: I64
    repeat: Mask
    partial: Mask
    fill: Mask
    overtaker: I64  # the segment that first reached beyond the start of this one
    unseen: I64  # rows that acknowledge bytes of a hole


def find_holes(block: TcpBlock, stream: Stream) -> Holes:
    """Find captured bytes exactly, for the sides that need it."""
    side = block.side
    carrying = np.flatnonzero(stream.carries_bytes)
    first = first_index(side[carrying], carrying, 2 * block.flows)
    lowest = np.where(first >= 0, stream.start[first], 0)
    incomplete = stream.gap | (stream.carries_bytes & (stream.start < lowest[side]))
    none, no = np.empty(0, np.int64), np.empty(0, np.bool_)
    if not incomplete.any():
        return Holes(none, no, no, no, none, none)
    rows = rows_of(side, incomplete)
    rows = rows[stream.carries_bytes[rows]]
    owner, start, end, high_water = side[rows], stream.start[rows], stream.end[rows], stream.high_water[rows]
    coverage = cover(owner, start, end, high_water)
    partial = (coverage.fresh > 0) & (coverage.fresh < end - start)
    reached = packed(owner, np.maximum(high_water, end))  # ascending: sides in order, running maxima along each
    overtaker = rows[np.searchsorted(reached, packed(owner, start), side="right")]
    unseen = acknowledged_holes(side, rows, coverage, stream, lowest)
    return Holes(rows, coverage.fresh == 0, partial, coverage.fresh_below > 0, overtaker, unseen)


def acknowledged_holes(side: I64, rows: I64, coverage: Coverage, stream: Stream, lowest: I64) -> I64:
    """List the rows that newly acknowledge bytes which had not been captured by then.

    Bytes below the side's first captured one are left out: what went before the capture is not missing. New bytes of
    successive acknowledgements do not overlap, so all their elements together are hardly more than there are elements.
    """
    watched = np.zeros(len(lowest), np.bool_)
    watched[coverage.element_side] = True
    about = side ^ 1
    answers = np.flatnonzero(stream.acks & stream.other_known & watched[about] & (stream.ack > stream.acked))
    about = about[answers]
    low = np.maximum(stream.acked[answers], lowest[about])
    starts = packed(coverage.element_side, coverage.element_start)
    ends = packed(coverage.element_side, coverage.element_end)
    first = np.searchsorted(ends, packed(about, low), side="right")
    stop = np.searchsorted(starts, packed(about, stream.ack[answers]))
    some = stop > first
    answers, first, count = answers[some], first[some], (stop - first)[some]
    if len(answers) == 0:
        return answers
    captured = np.append(rows, np.iinfo(np.int64).max)[coverage.owner[spans(first, count)]]
    latest = np.maximum.reduceat(captured, np.cumsum(count) - count)
    return answers[latest > answers]


def overtaken(packets: Packets, block: TcpBlock, duplicate_ack: Mask, fills: I64, overtaker: I64) -> Mask:
    """Tell segments that were overtaken on their way from those that were sent again.

    The sender's own clocks decide where they differ: the timestamp (RFC 7323 §3.2), then the IP identification where
    both are close. Otherwise a segment counts as overtaken when it came within 3 ms and half the handshake's round
    trip of its overtaker, and fewer than three duplicate acknowledgements went between.

    Args:
        packets: All packets.
        block: The block.
        duplicate_ack: Rows of the block that repeat an acknowledgement.
        fills: Rows of the block that filled a hole.
        overtaker: For each of them the segment that left the hole.
    """
    late, early = block.rows[fills], block.rows[overtaker]
    stamped = packets.tcp_options[late] & packets.tcp_options[early] & TcpOption.TIMESTAMPS.value != 0
    ticks = np.where(stamped, (packets.tsval[late] - packets.tsval[early]).view(np.int32), 0)
    steps = (packets.ip_id[late] - packets.ip_id[early]).view(np.int16)
    numbered = (packets.ip_id[late] != 0) & (packets.ip_id[early] != 0) & (np.abs(steps) <= ID_STEP)
    order = np.where(ticks != 0, ticks, np.where(numbered, steps, 0))
    out = block.outbound
    by_server, by_client = np.cumsum(duplicate_ack & ~out), np.cumsum(duplicate_ack & out)
    asked = np.where(out[fills], by_server[fills], by_client[fills])
    between = asked - np.where(out[fills], by_server[overtaker], by_client[overtaker])
    limit = np.minimum(OVERTAKEN_NS, handshake_ns(packets, block)[block.flow[fills]] // 2)
    soon = (packets.time[late] - packets.time[early]) < limit
    return np.where(order != 0, order < 0, soon & (between < DUPLICATES))


def handshake_ns(packets: Packets, block: TcpBlock) -> I64:
    """Give the time from each flow's first SYN to the client's answer to the SYN/ACK; very long where unknown."""
    flags = packets.tcp_flags.take(block.rows)
    opening = np.flatnonzero(
        block.outbound & (flags & (TcpFlag.SYN.value | TcpFlag.ACK.value | TcpFlag.RST.value) == TcpFlag.SYN.value)
    )
    answering = np.flatnonzero(
        block.outbound & (flags & (TcpFlag.SYN.value | TcpFlag.ACK.value | TcpFlag.RST.value) == TcpFlag.ACK.value)
    )
    first = first_index(block.flow[opening], block.rows[opening], block.flows)
    answer = first_index(block.flow[answering], block.rows[answering], block.flows)
    known = (first >= 0) & (answer > first)
    return np.where(known, packets.time[answer] - packets.time[first], np.iinfo(np.int64).max)
