"""The decoder: all frames of a block go through their headers in lock-step, innermost header last.

Plain frames go through compiled code before, where there is any (see `plain`). Blocks are small enough for the headers
of all their frames to stay in the processor's cache between one layer and the next; columns of the whole capture are
allocated once and every block writes into its rows.
"""

from collections import defaultdict
from collections.abc import Sequence

import attrs
import numpy as np

from netinterf.arrays import I64, U8
from netinterf.decode import datagram_tunnel, ip, link, pseudo_headers, transport, tunnel, wireless
from netinterf.decode.block import Block, Columns, Front, split
from netinterf.decode.gather import Buffer, as_bytes
from netinterf.decode.headers import LINK_KINDS, Kind
from netinterf.decode.link_types import LINK_TYPES, link_type_name
from netinterf.decode.plain import Frames, plain
from netinterf.decode.unread import DECODERS as UNREAD
from netinterf.decode.unread import LINK_TYPE, name_the_short, notes_of, shortened
from netinterf.errors import UnsupportedLinkType
from netinterf.numbering import one_of
from netinterf.schema import Diagnostic, Endpoints, IcmpQuotes, Packets, Records, Status
from netinterf.values import frozen
from netinterf.workers import each

__all__ = ["BLOCK_FRAMES", "FARTHEST_HEADER", "MOST_LAYERS", "Decoded", "decode", "run"]

BLOCK_FRAMES = 32_768
"""Frames per block: their headers (two cache lines each) fit a cache of 2 MB, and calls cost little per frame."""

MOST_LAYERS = 256
"""Headers followed per frame: a bound on work for crafted stacks, above the number of extension headers (at least 8
bytes each, RFC 8200 §4) that fit into a packet of 1500 bytes."""

FARTHEST_HEADER = 60_000
"""Offset in a frame beyond which no header is looked for, so that offsets of what follows fit 16 bits."""

LINK_MTU = 1500
"""Most bytes of IP packet in an Ethernet frame (IEEE 802.3 §3.2.7) and default of PPP (RFC 1661 §2); a longer one is
read as several, joined by offload. Jumbo frames cannot be told from that and are marked alike."""

_LINKS = link.DECODERS | wireless.DECODERS | pseudo_headers.DECODERS
_DECODERS = _LINKS | ip.DECODERS | tunnel.DECODERS | transport.DECODERS | datagram_tunnel.DECODERS | UNREAD
_TUNNELS = frozenset({Kind.IPV4, Kind.IPV6, Kind.GRE, Kind.MPLS, Kind.ETHERNET, Kind.SHORT_SHIM}).union(
    datagram_tunnel.DECODERS
)


@frozen(eq=False)
class Decoded:
    """What decoding a capture gives; packets and endpoints are aligned and in time order."""

    packets: Packets
    endpoints: Endpoints
    quotes: IcmpQuotes
    diagnostics: tuple[Diagnostic, ...]


def decode(
    buffer: Buffer,
    records: Records,
    link_types: Sequence[int],
    *,
    source: str = "capture",
    strict: bool = False,
    partial: bool = False,
    measured: bool = True,
) -> Decoded:
    """Decode the headers of all frames of a capture.

    Args:
        buffer: The bytes that the records point into.
        records: Where the frames lie; no records give empty tables.
        link_types: Link type of each interface.
        source: Name of the capture, for errors.
        strict: Refuse a capture of which even one frame has an unknown link type.
        partial: There are more frames than these: refuse nothing for want of one with a known link type.
        measured: The records know how long frames were on the wire; frames in memory do not, and may have been cut. So
            may those of a file be, if a program cut them and noted no lengths: that is found out (`unread.shortened`).

    Returns:
        One packet per record, sorted by time (equal times keep their order). Frames of unknown link types carry
        ``Status.NOT_IP``, and one diagnostic ``decode.link_type`` per such type says so; others say what else was not
        read, and why (`decode.unread`).

    Raises:
        UnsupportedLinkType: No frame (with *strict*: not every frame) has a known link type.
    """
    data = as_bytes(buffer)
    kinds, lost, diagnostics = _first_kinds(records, link_types)
    if lost and (strict or (lost == len(records) and not partial)):
        known = ", ".join(f"{number} {name}" for number, name in LINK_TYPES.items())
        names = "; ".join(item.message.split(" is not decoded")[0] for item in diagnostics)
        raise UnsupportedLinkType(source, f"{names} cannot be decoded; known are {known}")
    columns = Columns.allocate(len(records))
    at = np.clip(records.at, 0, len(data))
    captured = np.minimum(records.captured, len(data) - at)  # a record may promise more than there is

    unread: dict[int, tuple[I64, U8]] = {}  # by block: rows of which something was not read, and what

    def decode_block(start: int) -> None:
        rows = slice(start, start + BLOCK_FRAMES)
        part = Frames(data, at[rows], captured[rows], records.length[rows], kinds[rows])
        out = columns.cut(start, start + BLOCK_FRAMES)
        left = plain(part, out)
        if len(left) == len(part.at):
            named = _decode_frames(part, out, measured)
        elif len(left):
            others = Columns.allocate(len(left))
            named = _decode_frames(part.take(left), others, measured)
            out.put(left, others)
        else:
            return
        some = np.flatnonzero(named)
        unread[start] = start + left[some], named[some]

    each(decode_block, range(0, len(records), BLOCK_FRAMES))  # blocks write to columns of their own
    if measured and unread and (note := shortened(columns.status, records)):
        cut = decode(data, records, link_types, source=source, partial=partial, measured=False)
        return attrs.evolve(cut, diagnostics=cut.diagnostics + note)
    quotes = _quotes(data, at, captured, columns)
    diagnostics += _unread_notes(records, unread)
    return _in_time_order(records, columns, quotes, diagnostics)


def _unread_notes(records: Records, unread: dict[int, tuple[I64, U8]]) -> tuple[Diagnostic, ...]:
    """Tell what was not read in any block."""
    parts = [unread[start] for start in sorted(unread)]
    return notes_of(records, *map(np.concatenate, zip(*parts, strict=True))) if parts else ()


def _decode_frames(frames: Frames, out: Columns, measured: bool) -> U8:
    """Decode any frames; return what of each was not read, by `Kind`."""
    length = frames.length.astype(np.int64)
    block = Block(frames.data, frames.at, frames.captured, frames.captured.copy(), length.copy(), out, measured)
    run(block, frames.kinds)
    _finish(block, frames.kinds, length)
    name_the_short(block)
    return block.unread


def _first_kinds(records: Records, link_types: Sequence[int]) -> tuple[U8, int, tuple[Diagnostic, ...]]:
    """Look up the first header of every frame; count and report the frames of link types that are not decoded."""
    table = np.array([*(LINK_KINDS.get(number, Kind.NONE) for number in link_types), Kind.NONE], np.uint8)
    interface = np.minimum(records.interface, len(link_types))
    kinds = table[interface]
    lost = np.flatnonzero(kinds == Kind.NONE)
    if len(lost) == 0:
        return kinds, 0, ()
    numbers = np.array([*link_types, -1], np.int64)[interface[lost]]
    diagnostics = []
    for number in np.unique(numbers):
        frames = lost[numbers == number]
        name = "an interface that was never described" if number < 0 else f"{number} ({link_type_name(int(number))})"
        message = f"link type {name} is not decoded: its frames are kept without addresses"
        diagnostics.append(Diagnostic(LINK_TYPE, message, int(records.at[frames[0]]), len(frames)))
    return kinds, len(lost), tuple(diagnostics)


def run(block: Block, kinds: U8, *, tunnels: bool = True) -> None:
    """Take all frames of a block through their headers.

    Args:
        block: The frames; its columns are written.
        kinds: `Kind` of the first header of each frame.
        tunnels: Follow packets inside packets.
    """
    count = len(block.at)
    fronts = split(Front(slice(0, count), np.zeros(count, np.int64)), kinds, np.zeros(count, np.int64))
    for _ in range(MOST_LAYERS):
        pending: dict[Kind, list[Front]] = defaultdict(list)
        for kind, front in fronts:
            near = _near(block, front)
            if len(near.at) and (tunnels or kind not in _TUNNELS or not block.out.version[near.place].any()):
                pending[kind].append(near)
        if not pending:
            return
        fronts = []
        for kind, parts in pending.items():
            fronts += _DECODERS[kind](block, _joined(parts))
    for _, front in fronts:  # what is wrapped in more layers than that
        block.name(front, Kind.UNKNOWN)


def _near(block: Block, front: Front) -> Front:
    """Leave out the rows whose next header lies too far in; they count as cut."""
    if len(front.at) == 0 or int(front.at.max()) <= FARTHEST_HEADER:
        return front
    near = front.at <= FARTHEST_HEADER
    block.mark(front, ~near, Status.HEADER_CUT)
    return front.part(near, front.at)


def _joined(parts: list[Front]) -> Front:
    if len(parts) == 1:
        return parts[0]
    return Front(
        np.concatenate([part.rows() if isinstance(part.place, slice) else part.place for part in parts]),
        np.concatenate([part.at for part in parts]),
    )


def _finish(block: Block, kinds: U8, length: I64) -> None:
    """Measure the payload by the IP length, and mark what the lengths of frame and packet say of each other."""
    out = block.out
    inside = out.version != 0
    payload = np.maximum(block.end - out.payload_at, 0)
    if not inside.all():
        out.status[~inside] |= np.uint16(Status.NOT_IP)
        payload[~inside] = 0
    out.payload_length[:] = payload
    status = np.where(inside & (block.end < length), np.uint16(Status.PADDED), np.uint16(0))
    status |= np.where(inside & (block.end > block.captured), np.uint16(Status.PAYLOAD_CUT), np.uint16(0))
    out.status |= status
    large = np.flatnonzero(inside & (np.minimum(block.end, length) - out.ip_at > LINK_MTU))
    if len(large):
        wired = large[link.wired(block, large, kinds[large])]
        out.status[wired] |= np.uint16(Status.OFFLOADED)


def _quotes(data: U8, at: I64, captured: I64, columns: Columns) -> IcmpQuotes:
    """Decode the packets quoted in ICMP and ICMPv6 errors, as if each were a short capture of its own."""
    kind = columns.icmp >> 8
    # RFC 792: unreachable, source quench, redirect, time exceeded, parameter problem. RFC 4443 §3: 1 to 4.
    first = (columns.protocol == 1) & one_of(kind, (3, 4, 5, 11, 12))
    first |= (columns.protocol == 58) & (kind >= 1) & (kind <= 4)
    first &= (columns.status & np.uint16(Status.FRAGMENT_LATER)) == 0
    rows = np.flatnonzero(first)
    if not len(rows):
        return IcmpQuotes.empty()
    skip = columns.transport_at[rows].astype(np.int64) + 8
    room = np.minimum(captured[rows], columns.payload_at[rows].astype(np.int64) + columns.payload_length[rows]) - skip
    rows, skip, room = rows[room >= 20], skip[room >= 20], room[room >= 20]
    quoted = Columns.allocate(len(rows))
    block = Block(data, at[rows] + skip, room, room.copy(), room.copy(), quoted, measured=False)
    run(block, np.full(len(rows), Kind.RAW, np.uint8), tunnels=False)
    names = {field.name for field in attrs.fields(Columns)} & {known.name for known in IcmpQuotes.schema()}
    quotes = IcmpQuotes(packet=rows.astype(np.int32), **{name: getattr(quoted, name) for name in names})
    return quotes.take(quotes.version != 0)


def _in_time_order(
    records: Records, columns: Columns, quotes: IcmpQuotes, diagnostics: tuple[Diagnostic, ...]
) -> Decoded:
    """Assemble the tables, sorted by time only when the capture is not."""
    names = {known.name for known in Records.schema()} & {known.name for known in Packets.schema()}
    decoded = {known.name for known in Packets.schema()} & {field.name for field in attrs.fields(Columns)}
    packets = Packets(
        **{name: getattr(records, name) for name in names}, **{name: getattr(columns, name) for name in decoded}
    )
    endpoints = Endpoints(**{known.name: getattr(columns, known.name) for known in Endpoints.schema()})
    if (records.time[1:] < records.time[:-1]).any():
        order = np.argsort(records.time, kind="stable")
        place = np.empty(len(order), np.int32)
        place[order] = np.arange(len(order), dtype=np.int32)
        packets, endpoints = packets.take(order), endpoints.take(order)
        quotes = attrs.evolve(quotes, packet=place[quotes.packet])
        quotes = quotes.take(np.argsort(quotes.packet, kind="stable"))
    return Decoded(packets, endpoints, quotes, diagnostics)
