"""The first payload bytes of every TCP side, in order, with whatever was sent twice at one place kept apart.

Two senders who write into one stream contradict each other sooner or later: the forged answer and the genuine one claim
the same sequence numbers with different bytes. Reassembly that silently prefers one copy throws that proof away. So the
head of a side is kept as pieces of packets. A FRESH piece brought bytes that were not captured before; all FRESH pieces
together are the stream, each byte once. The rest of a packet lies over FRESH pieces of earlier packets and is cut into
one piece for each of them: REPEAT when the bytes agree, CONFLICT when any of them differs.

The byte that was captured first wins. Receivers keep what arrived first when it arrived in order; for data that arrived
out of order their policies differ (Shankar and Paxson, "Active Mapping", IEEE S&P 2003), which is one more reason to
keep both copies.

Most sides are sent in order: one running maximum of the highest byte per side shows that no piece reaches below it, and
every piece is FRESH. Only the others are compared piece by piece.

No stream data: payload on RST segments (diagnostic text, RFC 9293 §3.5.3), keep-alive probes (one garbage byte just
below the next expected one, RFC 9293 §3.8.4), Ethernet padding that became part of the IP packet, and bytes before the
initial sequence number.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, U8, Mask
from netinterf.compiled import is_there
from netinterf.errors import ParameterError
from netinterf.flows.overlap import Pieces, resolve
from netinterf.flows.segments import cut_heads
from netinterf.numbering import risen
from netinterf.pieces import gather
from netinterf.protocols.streams import Streams
from netinterf.schema import HeadSegments, Packets, SegmentKind, Sides, Status, TcpFlag
from netinterf.table import Ragged, spans

__all__ = ["HEAD_LIMIT", "head_segments", "head_streams", "owners", "packet_streams", "stream_bytes"]

HEAD_LIMIT = 16384
"""Bytes of each side that are kept in order: one full TLS record (RFC 8446 §5.1), so any hello that fits one."""

LONGEST = 2**31 - 1  # positions in HeadSegments are 32-bit


def head_segments(buffer: U8, packets: Packets, sides: Sides, by_flow: Ragged, limit: int = HEAD_LIMIT) -> HeadSegments:
    """Cut the first payload bytes of every TCP side into fresh, repeated and conflicting pieces.

    Args:
        buffer: Bytes of the capture.
        packets: All packets, with flow, direction and relative sequence numbers.
        sides: Two rows per flow; packets of flows without them are left out.
        by_flow: Rows of packets of each flow that is looked at.
        limit: Bytes kept of each side, 1 to 2**31 - 1.

    Returns:
        Pieces of captured bytes, sorted by side, then offset; FRESH first where several begin at one offset, then in
        order of arrival. A packet none of whose payload was captured leaves no piece.

    Raises:
        ParameterError: *limit* is out of range.
    """
    if not 1 <= limit <= LONGEST:
        raise ParameterError("limit", limit, f"1 to {LONGEST}")
    pieces = _candidates(buffer, packets, sides, by_flow, limit)
    below = pieces.low < _highest_before(pieces.side, pieces.high)
    if not below.any():
        return _table(packets, pieces, np.full(len(pieces), SegmentKind.FRESH, np.uint8))
    overlapped = np.zeros(len(sides), np.bool_)
    overlapped[pieces.side[below]] = True
    among = overlapped[pieces.side]
    parts, kinds = resolve(buffer, pieces.take(among))
    calm = pieces.take(~among)
    joined = calm.followed_by(parts)
    kind = np.concatenate([np.full(len(calm), SegmentKind.FRESH, np.uint8), kinds])
    # both lists are nearly in this order already, and equal keys keep the order of arrival
    order = np.argsort(joined.side << 32 | joined.low << 1 | (kind != SegmentKind.FRESH), kind="stable")
    return _table(packets, joined.take(order), kind[order])


def _candidates(buffer: U8, packets: Packets, sides: Sides, by_flow: Ragged, limit: int) -> Pieces:
    """Collect captured TCP payload below *limit* by side and arrival, without what is no stream data."""
    if is_there():
        return Pieces(*cut_heads(buffer, packets, by_flow, len(sides) // 2, limit))
    rows = by_flow.values
    rows = rows[packets.payload_length[rows] > 0]
    rows = rows[packets.relative_seq[rows] <= limit]
    flags, status, flow = packets.tcp_flags[rows], packets.status[rows], packets.flow[rows]
    usable = (packets.protocol[rows] == 6) & (flags & TcpFlag.RST == 0) & (status & Status.FRAGMENT_LATER == 0)
    rows = rows[usable & (flow >= 0) & (flow < len(sides) // 2)]
    side = 2 * packets.flow[rows].astype(np.int64) + ~packets.outbound[rows]
    key = risen(side << 32 | rows)  # packets are in time order, so row numbers tell the arrival
    key = key[~_is_padding(buffer, packets, key & 0xFFFFFFFF)]
    side, rows = key >> 32, key & 0xFFFFFFFF
    wire = packets.payload_length[rows].astype(np.int64)
    # The SYN takes number 0, so the first byte has number 1; data on a SYN (RFC 7413) starts right behind it.
    low = packets.relative_seq[rows] - 1 + (packets.tcp_flags[rows] & TcpFlag.SYN != 0)
    probe = (wire == 1) & (low + 1 == _highest_before(side, low + wire))
    payload_at = packets.payload_at[rows].astype(np.int64)
    stored = np.minimum(wire, packets.captured[rows].astype(np.int64) - payload_at)
    high = np.minimum(low + stored, limit)
    at = packets.at[rows] + payload_at + np.maximum(-low, 0)
    low = np.maximum(low, 0)
    return Pieces(side, rows, low, high, at).take((high > low) & ~probe)


def _is_padding(buffer: U8, packets: Packets, rows: I64) -> Mask:
    """Say which payloads are Ethernet padding that a device on the path made part of the IP packet.

    Such a packet is exactly as long as the shortest Ethernet payload (46 bytes, IEEE 802.3 §3.2.8; 42 when the padding
    was done behind a VLAN tag), its payload is zeros, and it does not push, as the last segment of real data does
    (RFC 9293 §3.9.1.2).
    """
    length = packets.payload_length[rows]
    padding: Mask = (length <= 6) & (packets.tcp_flags[rows] & TcpFlag.PSH == 0)
    some = np.flatnonzero(padding)
    short, size = rows[some], length[some]
    total = packets.payload_at[short] - packets.ip_at[short] + size
    at = packets.at[short] + packets.payload_at[short]
    zeros = ((total == 46) | (total == 42)) & (packets.payload_at[short] + size <= packets.captured[short])
    for place in range(6):
        here = np.flatnonzero(zeros & (place < size))
        zeros[here] = buffer[at[here] + place] == 0
    padding[some] = zeros
    return padding


def _highest_before(side: I64, high: I64) -> I64:
    """Find the highest end among the earlier pieces of the same side, 0 for its first piece."""
    span = int(high.max(initial=0)) + 1
    number = np.cumsum(np.diff(side, prepend=side[:1]) != 0)
    running = np.maximum.accumulate(number * span + np.maximum(high, 0))
    before = np.zeros(len(side), np.int64)
    before[1:] = running[:-1]
    before -= number * span
    return np.maximum(before, 0, out=before)


def _table(packets: Packets, pieces: Pieces, kind: U8) -> HeadSegments:
    payload = packets.at[pieces.packet] + packets.payload_at[pieces.packet]
    return HeadSegments(
        side=pieces.side.astype(np.int32),
        packet=pieces.packet.astype(np.int32),
        offset=pieces.low.astype(np.int32),
        length=(pieces.high - pieces.low).astype(np.uint32),
        skip=(pieces.at - payload).astype(np.uint32),
        kind=kind,
    )


def owners(segments: HeadSegments) -> I64:
    """Find the FRESH piece that brought the bytes of each piece first.

    Args:
        segments: Pieces as `head_segments` returns them.

    Returns:
        Rows in *segments*, aligned with it; a FRESH piece names itself. For a CONFLICT piece the two packets that
        contradict each other are the packet of this row and the packet of the named row.
    """
    key = segments.side.astype(np.int64) << 32 | segments.offset
    fresh = np.flatnonzero(segments.kind == SegmentKind.FRESH)
    return fresh[np.searchsorted(key[fresh], key, side="right") - 1] if len(fresh) else np.empty(0, np.int64)


def head_streams(
    buffer: U8,
    packets: Packets,
    segments: HeadSegments,
    sides_rows: NDArray[np.integer[Any]],
    limit: int = HEAD_LIMIT,
    *,
    start: NDArray[np.integer[Any]] | None = None,
) -> Streams:
    """Put the contiguous bytes of some sides together.

    Args:
        buffer: Bytes of the capture.
        packets: All packets.
        segments: Pieces as `head_segments` returns them.
        sides_rows: Rows in Sides, in any order; one stream is made for each.
        limit: At most so many bytes per stream.
        start: Position in the side's stream to begin at, for each of *sides_rows*; 0 when left out.

    Returns:
        Streams aligned with *sides_rows*. A stream ends at the first byte that was not captured.
    """
    side = np.asarray(sides_rows, np.int64)
    begin = np.zeros(len(side), np.int64) if start is None else np.asarray(start, np.int64)
    first = np.searchsorted(segments.side, side)
    counts = np.searchsorted(segments.side, side, side="right") - first
    piece, parent = spans(first, counts), np.repeat(np.arange(len(side)), counts)
    low, stop = segments.offset[piece].astype(np.int64), begin[parent] + limit
    high = low + segments.length[piece]
    near = (segments.kind[piece] == SegmentKind.FRESH) & (low <= stop) & (high > begin[parent])
    piece, parent, low, high, stop = piece[near], parent[near], low[near], high[near], stop[near]
    moved = np.maximum(begin[parent] - low, 0)
    low = low + moved
    joined = _joined(parent, low, high, begin)
    more = np.zeros(len(side), np.bool_)
    more[parent[joined & (high > stop)]] = True
    high = np.minimum(high, stop)
    used = joined & (high > low)
    return _streams(
        buffer, packets, segments, side, begin, more, piece[used], parent[used], moved[used], (high - low)[used]
    )


def _joined(parent: I64, low: I64, high: I64, begin: I64) -> Mask:
    """Say which pieces follow without a hole on their stream's beginning; pieces are by parent, then position."""
    if not len(parent):
        return np.zeros(0, np.bool_)
    opens = np.diff(parent, prepend=-1) != 0
    expected = np.where(opens, begin[parent], np.roll(high, 1))
    holes = np.cumsum(low != expected)
    at_start = np.flatnonzero(opens)
    before = holes[at_start] - (low != expected)[at_start]
    joined: Mask = holes == np.repeat(before, np.diff(np.append(at_start, len(parent))))
    return joined


def packet_streams(buffer: U8, packets: Packets, segments: HeadSegments, rows: NDArray[np.integer[Any]]) -> Streams:
    """Make a stream of single packets: the view of one packet on a stream that others contradict.

    Args:
        buffer: Bytes of the capture.
        packets: All packets.
        segments: Pieces as `head_segments` returns them.
        rows: Rows in *segments*; a stream begins with the piece and goes on to the end of its packet.
    """
    piece = np.asarray(rows, np.int64)
    count = len(piece)
    stored = packets.take(segments.packet[piece]).payload_captured.astype(np.int64)
    lengths = stored - segments.skip[piece]
    side, start = segments.side[piece].astype(np.int64), segments.offset[piece].astype(np.int64)
    more, moved = np.zeros(count, np.bool_), np.zeros(count, np.int64)
    return _streams(buffer, packets, segments, side, start, more, piece, np.arange(count), moved, lengths)


def _streams(
    buffer: U8,
    packets: Packets,
    segments: HeadSegments,
    side: I64,
    start: I64,
    more: Mask,
    piece: I64,
    parent: I64,
    moved: I64,
    lengths: I64,
) -> Streams:
    """Copy *lengths* bytes of each piece, from byte *moved* of it on, into the stream *parent*."""
    packet = segments.packet[piece]
    at = packets.at[packet] + packets.payload_at[packet] + segments.skip[piece] + moved
    sizes = np.bincount(parent, weights=lengths, minlength=len(side)).astype(np.int64)
    return Streams(
        side=side.astype(np.int32),
        start=start,
        data=Ragged.from_lengths(sizes, gather(buffer, at, lengths)),
        more=more,
        piece_at=np.cumsum(lengths) - lengths,
        piece_packet=packet,
    )


def stream_bytes(
    buffer: U8,
    packets: Packets,
    by_flow: Ragged,
    sides: Sides,
    flow: int,
    outbound: bool,
    limit: int = LONGEST,
) -> bytes:
    """Return what one side of one flow sent, in order, up to the first byte that was not captured.

    Args:
        buffer: Bytes of the capture.
        packets: All packets.
        by_flow: Rows of packets of each flow.
        sides: Two rows per flow.
        flow: Row in Flows.
        outbound: The client's side (True) or the server's.
        limit: At most so many bytes.

    Raises:
        ParameterError: There is no such flow, or *limit* is out of range.
    """
    if not 0 <= flow < len(by_flow):
        raise ParameterError("flow", flow, f"0 to {len(by_flow) - 1}")
    segments = head_segments(buffer, packets, sides, by_flow.take(np.array([flow])), limit)
    streams = head_streams(buffer, packets, segments, np.array([2 * flow + (not outbound)]), limit)
    return streams.data.values.tobytes()
