"""IPv4 and IPv6 headers, IPv6 extension headers, fragments, and what is carried inside IP.

A packet inside a packet overwrites the columns of the outer one, so that a row ends up described by its innermost
packet. That is done only when the inner fixed header was captured whole and names the right version; else the row
stays what it was: an outer packet with the tunnel's protocol number.

Lengths. An IP length of zero stands for "until the end of the frame": a packet handed to (or put together by) the
network card, which fills it in per wire packet. A length that reaches past the captured bytes is no contradiction, it
is what a snapshot length does, so only lengths shorter than their own header are bad, and those that reach past the
frame as it was on the wire: hosts discard such a packet (RFC 1122 §3.2.1: silently), so it carries no more than its
frame. Inside a tunnel that is no contradiction, since mirrors cut what they copy.
"""

import numpy as np

from netinterf.arrays import I64, U8, Mask
from netinterf.decode.block import Block, Decoder, Front, Next, split
from netinterf.decode.headers import IPV4_NEXT, IPV6_NEXT, Kind
from netinterf.schema import IpFlag, Status

__all__ = ["DECODERS", "IPV4", "IPV6", "MAPPED", "authentication", "extension", "fragment", "ipv4", "ipv6"]

MAPPED = np.uint64(0xFFFF << 32)
"""Upper 32 bits of the lower half of an IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2)."""

IPV4 = np.dtype(
    [
        ("version", "u1"),
        ("tos", "u1"),
        ("length", ">u2"),
        ("id", ">u2"),
        ("fragment", ">u2"),
        ("ttl", "u1"),
        ("protocol", "u1"),
        ("checksum", ">u2"),
        ("source", ">u4"),
        ("target", ">u4"),
    ]
)
"""The fixed IPv4 header (RFC 791 §3.1)."""

IPV6 = np.dtype(
    [
        ("version", ">u4"),
        ("length", ">u2"),
        ("next", "u1"),
        ("ttl", "u1"),
        ("source_high", ">u8"),
        ("source_low", ">u8"),
        ("target_high", ">u8"),
        ("target_low", ">u8"),
    ]
)
"""The fixed IPv6 header (RFC 8200 §3)."""


def _entered(block: Block, front: Front, version: U8, expected: int, size: int) -> tuple[Front, bool]:
    """Keep the rows that really hold an IP header of the expected version, and mark the others.

    Returns:
        The remaining rows, and whether some of them are inside another packet.
    """
    room = block.stop[front.place] - front.at
    outer = block.out.version[front.place] != 0
    nested = bool(outer.any())
    right = version == expected
    if right.all() and int(room.min()) >= size:
        return front, nested
    other = (room > 0) & ~right
    block.mark(front, other & ~outer, Status.BAD_IP_HEADER)
    block.name(front, Kind.ODD_VERSION, other & ~outer)
    block.mark_short(front, size, Status.BAD_IP_HEADER)
    block.name(front, Kind.CLOSED, outer & (~right | (room < size)))
    enough = room >= np.where(outer, size, 1)
    return front.part(right & enough, front.at), nested


def ipv4(block: Block, front: Front) -> Next:
    """Decode IPv4 with options (RFC 791 §3.1); later fragments end here."""
    if len(front.at) == 0:
        return []
    head, _ = block.read(front, IPV4)
    kept, nested = _entered(block, front, (head["version"] >> 4).astype(np.uint8), 4, 20)
    if len(kept.at) < len(front.at):
        if len(kept.at) == 0:
            return []
        head, _ = block.read(kept, IPV4)
    front, place, out = kept, kept.place, block.out
    if nested:
        _nest(block, front)
    out.version[place] = 4
    out.protocol[place] = head["protocol"]
    out.ttl[place] = head["ttl"]
    out.tos[place] = head["tos"]
    out.ip_id[place] = head["id"]
    out.source_low[place] = head["source"].astype(np.uint64) | MAPPED
    out.target_low[place] = head["target"].astype(np.uint64) | MAPPED
    size = (head["version"] & 15).astype(np.int64) * 4
    total = head["length"].astype(np.int64)
    _bound(block, front, total, front.at + total)
    at = front.at + size
    out.ip_at[place] = front.at
    out.transport_at[place] = at
    out.payload_at[place] = at
    usable = _usable(block, front, size, total)
    word = head["fragment"].astype(np.uint16)
    out.ip_flags[place] = word >> 13
    if (word & 0x3FFF).any():
        offset = word & 0x1FFF
        out.fragment_offset[place] = offset
        block.mark(front, (offset == 0) & ((word & 0x2000) != 0), Status.FRAGMENT_FIRST)
        block.mark(front, offset != 0, Status.FRAGMENT_LATER)
        usable &= offset == 0
    kinds = IPV4_NEXT[head["protocol"]]
    if not usable.all():
        kinds[~usable] = Kind.NONE
    return split(front, kinds, at)


def _usable(block: Block, front: Front, size: I64, total: I64) -> Mask:
    """Judge the length fields of IPv4 headers, and say behind which of them decoding goes on."""
    usable = np.ones(len(size), np.bool_)
    if bool((size != 20).any()):
        block.mark(front, size > 20, Status.IP_OPTIONS)
    wrong = (size < 20) | ((total < size) & (total != 0))
    if wrong.any():
        block.mark(front, wrong, Status.BAD_IP_HEADER)
        usable &= ~wrong
    short = block.stop[front.place] - front.at < size
    if short.any():
        block.mark(front, short & ~wrong, Status.HEADER_CUT)
        usable &= ~short
    return usable


def _nest(block: Block, front: Front) -> None:
    """Forget what the outer header said where the inner one has no say, and mark the packet as carried."""
    out, inner = block.out, block.out.version[front.place] != 0
    block.mark(front, inner, Status.TUNNELLED)
    rows = front.rows(inner)
    out.status[rows] &= np.uint16(0xFFFF ^ Status.IP_OPTIONS)
    unsaid = (out.source_high, out.target_high, out.ip_id, out.ip_flags, out.fragment_offset)
    for column in (*unsaid, out.source_port, out.target_port):
        column[rows] = 0


def _bound(block: Block, front: Front, length: I64, end: I64) -> None:
    """Set where the packet ends by its own length; a length of zero means at the end of what it is in."""
    place = front.place
    zero = length == 0
    if zero.any():
        block.mark(front, zero, Status.OFFLOADED)
        end = np.where(zero, block.end[place], end)
    framed = np.maximum(block.end[place], block.captured[place])
    over = end > framed
    if block.measured and over.any():
        over &= (block.out.status[place] & np.uint16(Status.TUNNELLED)) == 0
        block.mark(front, over, Status.OVERSTATED)
        block.name(front, Kind.OVERSTATED, over)
        end = np.where(over, framed, end)
    block.end[place] = end
    block.stop[place] = np.minimum(block.stop[place], end)


def ipv6(block: Block, front: Front) -> Next:
    """Decode the fixed IPv6 header (RFC 8200 §3)."""
    if len(front.at) == 0:
        return []
    head, _ = block.read(front, IPV6)
    kept, nested = _entered(block, front, (head["version"] >> 28).astype(np.uint8), 6, 40)
    if len(kept.at) < len(front.at):
        if len(kept.at) == 0:
            return []
        head, _ = block.read(kept, IPV6)
    front, place, out = kept, kept.place, block.out
    if nested:
        _nest(block, front)
    out.version[place] = 6
    out.protocol[place] = head["next"]
    out.ttl[place] = head["ttl"]
    out.tos[place] = (head["version"] >> 20) & 0xFF
    for name in ("source_high", "source_low", "target_high", "target_low"):
        getattr(out, name)[place] = head[name]
    at = front.at + 40
    out.ip_at[place] = front.at
    out.transport_at[place] = at
    out.payload_at[place] = at
    length = head["length"].astype(np.int64)
    # Nothing follows a next header of 59 (RFC 8200 §4.7), so a length of 0 is meant there. A jumbogram
    # (RFC 2675 §2) ends with its frame like a packet whose length was left to the network card.
    _bound(block, front, np.where(head["next"] == 59, 40 + length, length), at + length)
    usable = block.stop[place] - front.at >= 40
    return split(front, np.where(usable, IPV6_NEXT[head["next"]], np.uint8(0)), at)


def _advance(block: Block, front: Front, following: U8, at: I64, usable: Mask) -> Next:
    """Step over an extension header where that is possible."""
    if not usable.all():
        following, at, front = following[usable], at[usable], front.part(usable, front.at)
    if len(at) == 0:
        return []
    block.mark(front, block.out.version[front.place] == 6, Status.IP_OPTIONS)
    block.out.protocol[front.place] = following
    block.out.transport_at[front.place] = at
    block.out.payload_at[front.place] = at
    table = np.where(block.out.version[front.place] == 6, IPV6_NEXT[following], IPV4_NEXT[following])
    return split(front, table, at)


_OPTIONS = np.dtype([("next", "u1"), ("length", "u1")])


def extension(block: Block, front: Front) -> Next:
    """Step over hop-by-hop options, routing and destination options (RFC 8200 §4.3, §4.4, §4.6)."""
    head, _ = block.read(front, _OPTIONS)
    size = (head["length"].astype(np.int64) + 1) * 8
    short = block.mark_short(front, size, Status.BAD_IP_HEADER)
    return _advance(block, front, head["next"], front.at + size, ~short)


def authentication(block: Block, front: Front) -> Next:
    """Step over an authentication header (RFC 4302 §2.2), in IPv4 and IPv6."""
    head, _ = block.read(front, _OPTIONS)
    size = (head["length"].astype(np.int64) + 2) * 4
    short = block.mark_short(front, size, Status.BAD_IP_HEADER)
    return _advance(block, front, head["next"], front.at + size, ~short & (size >= 12))


def fragment(block: Block, front: Front) -> Next:
    """Decode an IPv6 fragment header (RFC 8200 §4.5); later fragments end here.

    The column for the identification has room for its lower 16 bits, which is plenty to tie fragments together.
    """
    layout = np.dtype([("next", "u1"), ("reserved", "u1"), ("word", ">u2"), ("id_high", ">u2"), ("id", ">u2")])
    head, _ = block.read(front, layout)
    short = block.mark_short(front, 8, Status.BAD_IP_HEADER)
    offset, more = head["word"] >> 3, (head["word"] & 1) != 0
    whole = ~short
    front = front.part(whole, front.at)
    if len(front.at) == 0:
        return []
    head, offset, more = head[whole], offset[whole], more[whole]
    out, place = block.out, front.place
    out.ip_id[place] = head["id"]
    out.fragment_offset[place] = offset
    out.ip_flags[place] = np.where(more, np.uint8(IpFlag.MORE_FRAGMENTS), np.uint8(0))
    block.mark(front, (offset == 0) & more, Status.FRAGMENT_FIRST)
    block.mark(front, offset != 0, Status.FRAGMENT_LATER)
    following = _advance(block, front, head["next"], front.at + 8, np.ones(len(front.at), np.bool_))
    return following if not offset.any() else _only_first(block, following)


def _only_first(block: Block, fronts: Next) -> Next:
    kept = []
    for kind, front in fronts:
        first = (block.out.status[front.place] & np.uint16(Status.FRAGMENT_LATER)) == 0
        if first.any():
            kept.append((kind, front.part(first, front.at)))
    return kept


DECODERS: dict[Kind, Decoder] = {
    Kind.IPV4: ipv4,
    Kind.IPV6: ipv6,
    Kind.EXTENSION: extension,
    Kind.FRAGMENT: fragment,
    Kind.AUTHENTICATION: authentication,
}
