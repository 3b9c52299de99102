"""Link layers: from the first byte of a frame to its IP header, and whose network card sent it.

Every decoder here only finds what comes next; nothing of the link layer has a column of its own. Frames that carry
no IP end here and stay without an IP version.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, U8, Mask
from netinterf.decode.block import Block, Decoder, Front, Next, split
from netinterf.decode.gather import Buffer, as_bytes, gather, gather_bytes
from netinterf.decode.headers import ETHERTYPES, FAMILIES, IP_VERSIONS, LINK_KINDS, PPP_PROTOCOLS, Kind
from netinterf.schema import Packets, Status
from netinterf.table import Rows

__all__ = ["DECODERS", "broadcast", "wired"]

_WORD = np.dtype(">u2")
_LONG = np.dtype(">u4")
_BYTE = np.dtype("u1")


def by_ethertype(front: Front, types: NDArray[np.integer[Any]], at: I64, *, lengths: bool) -> Next:
    """Send rows on by EtherType.

    Args:
        front: Where the rows are.
        types: EtherType of each row.
        at: Offset behind the EtherType.
        lengths: Values below 0x600 are lengths of an 802.3 frame with an LLC header (IEEE 802.3 §3.2.6).
    """
    kinds = ETHERTYPES[types]
    if lengths and (small := types < 0x600).any():
        kinds[small] = Kind.LLC
    return split(front, kinds, at)


def ethernet(block: Block, front: Front) -> Next:
    """Decode Ethernet II and 802.3: 6 + 6 bytes of addresses, 2 of type or length."""
    types, _ = block.read(front, _WORD, 12)
    return by_ethertype(front, types, front.at + 14, lengths=True)


def llc(block: Block, front: Front) -> Next:
    """Decode an 802.2 header with SNAP (RFC 1042), or with IP's own service access point (6)."""
    fields, _ = block.read(front, np.dtype([("sap", ">u2"), ("control", "u1"), ("oui", "V3"), ("type", ">u2")]))
    block.mark_short(front, np.where(fields["sap"] == 0xAAAA, 8, 3), Status.HEADER_CUT)
    snap = (fields["sap"] == 0xAAAA) & (fields["control"] == 3)
    oui = np.ascontiguousarray(fields["oui"]).view(np.uint8).reshape(-1, 3)
    # Both say that an EtherType follows: RFC 1042 and, for protocols that must survive translation, 802.1H.
    snap &= (oui[:, 0] == 0) & (oui[:, 1] == 0) & ((oui[:, 2] == 0) | (oui[:, 2] == 0xF8))
    kinds = np.where(snap, ETHERTYPES[fields["type"]], np.uint8(Kind.NO_IP))
    kinds[(fields["sap"] == 0x0606) & (fields["control"] == 3)] = Kind.IPV4
    return split(front, kinds, front.at + np.where(snap, 8, 3))


def tag(block: Block, front: Front, size: int, type_at: int) -> Next:
    """Decode a tag of *size* bytes that holds a type or length at *type_at*; stacks come back here.

    802.1Q and 802.1ad tags have 4 bytes, Cisco's VN-tag 6, the E-tag of 802.1BR and Cisco's metadata 8.
    """
    types, _ = block.read(front, _WORD, type_at)
    block.mark(front, np.ones(len(front.at), np.bool_), Status.TAGGED)
    return by_ethertype(front, types, front.at + size, lengths=True)


def shim(block: Block, front: Front, size: int) -> Next:
    """Step over *size* bytes in front of an Ethernet frame inside the frame."""
    block.mark(front, np.ones(len(front.at), np.bool_), Status.TAGGED)
    short = block.mark_short(front, size, Status.HEADER_CUT)
    return split(front, np.where(short, np.uint8(0), np.uint8(Kind.ETHERNET)), front.at + size)


def mpls(block: Block, front: Front) -> Next:
    """Decode one MPLS label stack entry (RFC 3032 §2.1); the payload is told by its first nibble (RFC 4928 §3)."""
    fields, _ = block.read(front, np.dtype([("entry", ">u4"), ("next", "u1")]))
    block.mark(front, np.ones(len(front.at), np.bool_), Status.TAGGED)
    short = block.mark_short(front, 4, Status.HEADER_CUT)
    bottom = (fields["entry"] & 0x100) != 0
    nibble = fields["next"] >> 4
    kinds = np.where(bottom, IP_VERSIONS[nibble], np.uint8(Kind.MPLS))
    kinds[kinds == Kind.ODD_VERSION] = Kind.UNKNOWN  # a pseudowire, which only its ends know (RFC 4385 §3)
    # A zero nibble is the control word of an Ethernet pseudowire (RFC 4448 §4.6): 4 bytes, then the frame.
    control = bottom & (nibble == 0) & (block.stop[front.place] - front.at >= 4 + 4 + 14)
    kinds[control] = Kind.ETHERNET
    kinds[short] = Kind.NONE
    return split(front, kinds, front.at + np.where(control, 8, 4))


def pppoe(block: Block, front: Front) -> Next:
    """Decode a PPPoE session header: 6 bytes (RFC 2516 §4); only code 0 carries data."""
    fields, _ = block.read(front, np.dtype([("version", "u1"), ("code", "u1"), ("rest", ">u4")]))
    block.mark(front, np.ones(len(front.at), np.bool_), Status.TAGGED)
    short = block.mark_short(front, 6, Status.HEADER_CUT)
    kinds = np.where(fields["code"] == 0, np.uint8(Kind.PPP), np.uint8(Kind.NO_IP))
    kinds[short] = Kind.NONE
    return split(front, kinds, front.at + 6)


def ppp(block: Block, front: Front) -> Next:
    """Decode PPP with or without address and control bytes, with a protocol of 1 or 2 bytes (RFC 1661 §6.5, §6.6)."""
    fields, _ = block.read(front, np.dtype([("first", ">u2"), ("second", ">u2")]))
    framed = fields["first"] == 0xFF03
    protocol = np.where(framed, fields["second"], fields["first"]).astype(np.uint16)
    small = (protocol & 0x0100) != 0  # an odd first byte ends the protocol field
    protocol[small] >>= 8
    skip = np.where(framed, 2, 0) + np.where(small, 1, 2)
    short = block.mark_short(front, skip, Status.HEADER_CUT)
    return split(front, np.where(short, np.uint8(0), PPP_PROTOCOLS[protocol]), front.at + skip)


def ppp_hdlc(block: Block, front: Front) -> Next:
    """Decode PPP, or Cisco's HDLC under the same link types (first byte 0x0f or 0x8f, which are no PPP protocols)."""
    first, _ = block.read(front, _BYTE)
    cisco = (first == 0x0F) | (first == 0x8F)
    kinds = np.where(cisco, np.uint8(Kind.CISCO_HDLC), np.uint8(Kind.PPP))
    return split(front, kinds, front.at)


def cisco_hdlc(block: Block, front: Front) -> Next:
    """Decode Cisco HDLC (RFC 1547 §4.3.1): address, control, EtherType."""
    types, _ = block.read(front, _WORD, 2)
    block.mark_short(front, 4, Status.HEADER_CUT)
    return by_ethertype(front, types, front.at + 4, lengths=False)


def linux_sll(block: Block, front: Front) -> Next:
    """Decode a Linux cooked header, version 1: 16 bytes, the protocol last."""
    types, _ = block.read(front, _WORD, 14)
    block.mark_short(front, 16, Status.HEADER_CUT)
    return _cooked(front, types, front.at + 16)


def linux_sll2(block: Block, front: Front) -> Next:
    """Decode a Linux cooked header, version 2: 20 bytes, the protocol first."""
    types, _ = block.read(front, _WORD)
    block.mark_short(front, 20, Status.HEADER_CUT)
    return _cooked(front, types, front.at + 20)


def _cooked(front: Front, types: NDArray[Any], at: I64) -> Next:
    # Protocol 4 is LINUX_SLL_P_802_2: an LLC header follows.
    return split(front, np.where(types == 4, np.uint8(Kind.LLC), ETHERTYPES[types]), at)


def loopback(block: Block, front: Front) -> Next:
    """Decode BSD loopback: 4 bytes of address family, in the byte order of the capturing machine or of the network."""
    family, _ = block.read(front, _LONG)
    block.mark_short(front, 4, Status.HEADER_CUT)
    family = family.astype(np.uint32)
    swapped = family > 0xFFFFFF
    family[swapped] = family[swapped].byteswap()
    kinds = np.where(family < 256, FAMILIES[np.minimum(family, 255)], np.uint8(Kind.UNKNOWN))
    return split(front, kinds, front.at + 4)


def raw(block: Block, front: Front) -> Next:
    """Tell IPv4 from IPv6 by the version in the first nibble."""
    first, _ = block.read(front, _BYTE)
    block.mark_short(front, 1, Status.HEADER_CUT)
    return split(front, IP_VERSIONS[first >> 4], front.at)


DECODERS: dict[Kind, Decoder] = {
    Kind.ETHERNET: ethernet,
    Kind.LLC: llc,
    Kind.VLAN: partial(tag, size=4, type_at=2),
    Kind.VN_TAG: partial(tag, size=6, type_at=4),
    Kind.LONG_TAG: partial(tag, size=8, type_at=6),
    Kind.METADATA: partial(tag, size=8, type_at=0),
    Kind.SHORT_SHIM: partial(shim, size=2),
    Kind.LONG_SHIM: partial(shim, size=4),
    Kind.MPLS: mpls,
    Kind.PPPOE: pppoe,
    Kind.PPP: ppp,
    Kind.PPP_HDLC: ppp_hdlc,
    Kind.CISCO_HDLC: cisco_hdlc,
    Kind.LINUX_SLL: linux_sll,
    Kind.LINUX_SLL2: linux_sll2,
    Kind.LOOPBACK: loopback,
    Kind.RAW: raw,
}

LOOPBACK_NET = np.uint64(0xFFFF7F)
"""127.0.0.0/8 as IPv4-mapped addresses begin (RFC 4291 §2.5.5.2)."""

LOOPBACK_DEVICE = 772
"""Hardware type of Linux' loopback device (ARPHRD_LOOPBACK)."""


def between_stations(block: Block, rows: I64) -> Mask:
    """Say which Ethernet frames have an address: those of Linux' loopback device are all zero."""
    layout = np.dtype([("high", ">u8"), ("low", ">u4")])
    addresses = gather(block.buffer, block.at[rows], block.captured[rows], layout)
    addressed: Mask = (addresses["high"] != 0) | (addresses["low"] != 0)
    return addressed


def by_a_device(block: Block, rows: I64, hardware_at: int) -> Mask:
    """Say which cooked frames, with the hardware type at *hardware_at*, went by another device than loopback."""
    hardware = gather(block.buffer, block.at[rows] + hardware_at, block.captured[rows] - hardware_at, _WORD)
    not_loopback: Mask = hardware != LOOPBACK_DEVICE
    return not_loopback


def between_hosts(block: Block, rows: I64) -> Mask:
    """Say which packets go from one host to another: not to itself, nor within 127.0.0.0/8 (RFC 1122 §3.2.1.3)."""
    out = block.out
    high, low = out.source_high[rows], out.source_low[rows]
    apart = (high != out.target_high[rows]) | (low != out.target_low[rows])
    between: Mask = apart & ~((high == 0) & (low >> np.uint64(24) == LOOPBACK_NET))
    return between


def by_a_line(_block: Block, rows: I64) -> Mask:
    """Say that every frame of a line between two devices crossed it."""
    return np.ones(len(rows), np.bool_)


WIRED: dict[Kind, Callable[[Block, I64], Mask]] = {
    Kind.ETHERNET: between_stations,
    Kind.LINUX_SLL: partial(by_a_device, hardware_at=2),
    Kind.LINUX_SLL2: partial(by_a_device, hardware_at=8),
    **dict.fromkeys((Kind.PPP, Kind.PPP_HDLC, Kind.PPPOE, Kind.CISCO_HDLC, Kind.MPLS), by_a_line),
    Kind.RAW: between_hosts,
    Kind.IPV4: between_hosts,
    Kind.IPV6: between_hosts,
    Kind.NFLOG: between_hosts,
    Kind.PKTAP: between_hosts,
}
"""How the first header of a frame shows whether it crossed a wire.

Raw IP does not say what it ran over: between different hosts that was a wire, so that verdicts are the same whether a
link layer was kept or not. BSD loopback is not listed: it is given the benefit of the doubt. Nor is 802.11: what was in
the air was never joined, and may be longer.
"""


def wired(block: Block, rows: I64, kinds: U8) -> Mask:
    """Say which frames crossed a wire, so that its maximum transmission unit holds for them.

    Args:
        block: The frames.
        rows: Rows of the block.
        kinds: `Kind` of the first header of each of those rows.
    """
    on_wire = np.zeros(len(rows), np.bool_)
    for kind, crossed in WIRED.items():
        if len(some := np.flatnonzero(kinds == kind)):
            on_wire[some] = crossed(block, rows[some])
    return on_wire


BROADCASTS: dict[Kind, tuple[int, int, int]] = {
    Kind.ETHERNET: (0, 6, 0xFFFF_FFFF_FFFF),  # the destination is all ones (IEEE 802-2014 §8.2.2)
    Kind.LINUX_SLL: (0, 2, 1),  # "broadcast by somebody else" (LINKTYPE_LINUX_SLL)
    Kind.LINUX_SLL2: (10, 1, 1),  # the same (LINKTYPE_LINUX_SLL2)
}
"""Where a link layer says that a frame goes to everybody on it: at which byte, in how many, and what stands there."""


def broadcast(buffer: Buffer, packets: Packets, rows: Rows, link_types: Sequence[int]) -> Mask:
    """Say which frames were sent to everybody on their link, whatever address the IP packet in them has.

    So are those to the broadcast address of a subnet (RFC 919 §7), which looks like any other where the size of the
    subnet is not known.

    Args:
        buffer: The trace's buffer.
        packets: Decoded packets.
        rows: Which of them.
        link_types: Link type of each interface.

    Returns:
        One answer per row; False where the link layer does not tell, or is cut.
    """
    data = as_bytes(buffer)
    index = np.arange(len(packets))[rows]
    known = np.array([*(LINK_KINDS.get(number, Kind.NONE) for number in link_types), Kind.NONE], np.uint8)
    kinds = known[np.minimum(packets.interface[index], len(link_types))]
    at, room = packets.at[index], np.minimum(packets.captured[index].astype(np.int64), len(data) - packets.at[index])
    result = np.zeros(len(index), np.bool_)
    for kind, (place, width, value) in BROADCASTS.items():
        chosen = np.flatnonzero((kinds == kind) & (room >= place + width))
        octets = gather_bytes(data, at[chosen] + place, room[chosen] - place, width)
        result[chosen] = (octets == np.frombuffer(value.to_bytes(width, "big"), np.uint8)).all(axis=1)
    return result
