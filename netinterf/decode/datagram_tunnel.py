"""Tunnels in datagrams: VXLAN, GENEVE, GTP-U, L2TP and Teredo, of clouds, of mobile, access and home networks.

A port says little: any client may have drawn it. So a datagram is opened only where all bits that the header fixes are
as they must be, and its lengths fit (or, as vendors fill what VXLAN keeps in reserve, where an IP packet that fits is
inside); what is none stays the datagram that it is. Where the header is right and no IP
packet can be read inside, the datagram stays as well, and is told (`decode.unread`).
"""

import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.decode.block import Block, Decoder, Front, Next, split
from netinterf.decode.headers import ETHERTYPES, Kind
from netinterf.decode.ip import IPV6
from netinterf.schema import Status

__all__ = ["DECODERS", "geneve", "gtp", "gtp_extension", "l2tp", "teredo", "vxlan"]

_VXLAN = np.dtype([("flags", ">u4"), ("network", ">u4")])
_CARRIED = np.dtype([("type", ">u2"), ("first", "u1"), ("tos", "u1"), ("length4", ">u2"), ("length6", ">u2")])
_GENEVE = np.dtype([("flags", ">u2"), ("type", ">u2"), ("network", ">u4")])
_GTP = np.dtype([("flags", "u1"), ("message", "u1"), ("length", ">u2"), ("tunnel", ">u4")])
_EXTENSION = np.dtype([("type", "u1"), ("length", "u1")])
_L2TP = np.dtype([("flags", ">u2"), ("length", ">u2")])
_TEREDO = np.dtype([("mark", ">u2"), ("client", "u1"), ("value", "u1")])
_WORD = np.dtype(">u2")

_TEREDO_NET = np.uint64(0x2001_0000)
_LINK_NET, _LINK_GROUPS = np.uint64(0xFE80 >> 6), np.uint64(0xFF02)
"""How fe80::/10 and ff02::/16 begin (RFC 4291 §2.5.6, §2.7)."""


def vxlan(block: Block, front: Front) -> Next:
    """Decode VXLAN (RFC 7348 §5), with or without a group policy (draft-smith-vxlan-group-policy-05 §2)."""
    head, room = block.read(front, _VXLAN)
    plain = head["flags"] == 0x0800_0000  # only the I bit
    policy = (head["flags"] & 0xFFB7_0000) == 0x8800_0000  # I and G; D, A and the group may be anything
    fits = (plain | policy) & ((head["network"] & 0xFF) == 0) & (room >= 8)
    if not fits.all():
        fits |= ((head["flags"] & 0x0800_0000) != 0) & _carries_ip(block, front, 8)
    return split(front, np.where(fits, np.uint8(Kind.ETHERNET), np.uint8(0)), front.at + 8)


def _carries_ip(block: Block, front: Front, skip: int) -> Mask:
    """Say whether an Ethernet frame with an IP packet, without options and no longer than it may be, is *skip* on."""
    head, room = block.read(front, _CARRIED, skip + 12)
    most = block.end[front.place] - front.at - skip - 14
    four = (head["type"] == 0x0800) & (head["first"] == 0x45) & (head["length4"] >= 20) & (head["length4"] <= most)
    six = (head["type"] == 0x86DD) & (head["first"] >> 4 == 6) & (head["length6"].astype(np.int64) + 40 <= most)
    carries: Mask = (four | six) & (room >= skip + 12 + _CARRIED.itemsize)
    return carries


def geneve(block: Block, front: Front) -> Next:
    """Decode GENEVE with its options (RFC 8926 §3.4); control messages (the O bit) stay datagrams."""
    head, room = block.read(front, _GENEVE)
    size = 8 + ((head["flags"] >> 8) & 0x3F).astype(np.int64) * 4
    fits = ((head["flags"] & 0xC0BF) == 0) & ((head["network"] & 0xFF) == 0) & (room >= size)
    kinds = ETHERTYPES[head["type"]]
    fits &= (kinds == Kind.ETHERNET) | (kinds == Kind.IPV4) | (kinds == Kind.IPV6)
    return split(front, np.where(fits, kinds, np.uint8(0)), front.at + size)


def gtp(block: Block, front: Front) -> Next:
    """Decode the header of GTP-U version 1 (3GPP TS 29.281 §5.1); only G-PDUs (§7.1) carry packets."""
    head, room = block.read(front, _GTP)
    fits = ((head["flags"] & 0xF8) == 0x30) & (head["message"] == 255)
    fits &= _fits(block, front, head["length"].astype(np.int64) + 8)
    optional = (head["flags"] & 7) != 0  # sequence number, N-PDU number and type of the first extension, all or none
    extended = (head["flags"] & 4) != 0
    size = np.where(optional, np.where(extended, 11, 12), 8)
    kinds = np.where(extended, np.uint8(Kind.GTP_EXTENSION), np.uint8(Kind.RAW))
    kinds[~fits | (room < size)] = Kind.NONE
    return split(front, kinds, front.at + size)


def gtp_extension(block: Block, front: Front) -> Next:
    """Step from the type of an extension header to the type of the next (3GPP TS 29.281 §5.2.1); 0 ends the chain."""
    head, room = block.read(front, _EXTENSION)
    last = head["type"] == 0
    size = np.where(last, 1, head["length"].astype(np.int64) * 4)
    kinds = np.where(last, np.uint8(Kind.RAW), np.uint8(Kind.GTP_EXTENSION))
    wrong = (room <= size) | (size == 0)
    block.name(front, Kind.CLOSED, wrong)
    kinds[wrong] = Kind.NONE
    return split(front, kinds, front.at + size)


def l2tp(block: Block, front: Front) -> Next:
    """Decode data messages of L2TP version 2 (RFC 2661 §3.1); control messages stay datagrams."""
    head, room = block.read(front, _L2TP)
    flags = head["flags"].astype(np.int64)
    measured, offset = (flags & 0x4000) != 0, (flags & 0x0200) != 0
    fits = (flags & 0xB4FF) == 0x0002  # no control message, bits in reserve zero, version 2
    fits &= ~measured | _fits(block, front, head["length"].astype(np.int64))
    size = 6 + 2 * measured + 4 * ((flags & 0x0800) != 0)
    padding, _ = block.read(Front(front.place, front.at + size), _WORD)
    size = size + np.where(offset, 2 + padding.astype(np.int64), 0)
    fits &= room > size
    return split(front, np.where(fits, np.uint8(Kind.PPP), np.uint8(0)), front.at + size)


def teredo(block: Block, front: Front) -> Next:
    """Decode Teredo: IPv6, behind an authentication and an origin, if any (RFC 4380 §5.1.1).

    No header proves it, so addresses must: those of hosts behind Teredo begin with 2001:0::/32 (§2.6), and before a
    host has one, it and its server speak from and to addresses of the link (§5.2.1). Trailers may follow (RFC 6081).
    """
    head, _ = block.read(front, _TEREDO)
    proven = head["mark"] == 1
    size = np.where(proven, 13 + head["client"].astype(np.int64) + head["value"], 0)
    mark, _ = block.read(Front(front.place, front.at + size), _WORD)
    size += np.where(mark == 0, 8, 0)
    inner = Front(front.place, front.at + size)
    packet, room = block.read(inner, IPV6)
    source, target = packet["source_high"].astype(np.uint64), packet["target_high"].astype(np.uint64)
    of_hosts = ((source >> np.uint64(32)) == _TEREDO_NET) | ((target >> np.uint64(32)) == _TEREDO_NET)
    of_link = (target >> np.uint64(54)) == _LINK_NET
    of_link |= (target >> np.uint64(48)) == _LINK_GROUPS
    of_link &= (source >> np.uint64(54)) == _LINK_NET
    length = packet["length"].astype(np.int64) + 40
    most = block.end[front.place] - inner.at
    fits = ((packet["version"] >> 28) == 6) & (of_hosts | of_link) & (room >= 40)
    fits &= (length <= most) | _fits(block, inner, length)
    return split(front, np.where(fits, np.uint8(Kind.IPV6), np.uint8(0)), inner.at)


def _fits(block: Block, front: Front, length: I64) -> Mask:
    """Say whether lengths are those of the datagrams; the first fragment of one is shorter."""
    payload = block.end[front.place] - front.at
    partial = (block.out.status[front.place] & np.uint16(Status.FRAGMENT_FIRST)) != 0
    fits: Mask = (length == payload) | (partial & (length > payload))
    return fits


DECODERS: dict[Kind, Decoder] = {
    Kind.VXLAN: vxlan,
    Kind.GENEVE: geneve,
    Kind.GTP: gtp,
    Kind.GTP_EXTENSION: gtp_extension,
    Kind.L2TP: l2tp,
    Kind.TEREDO: teredo,
}
