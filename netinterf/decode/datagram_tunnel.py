"""Tunnels in datagrams: VXLAN, GENEVE, GTP-U and L2TP, as clouds, mobile networks and access networks use them.

A port says little: any client may have drawn it. So a datagram is opened only where all bits that the header fixes are
as they must be, and its lengths fit (or, as vendors fill what VXLAN keeps in reserve, where an IP packet that fits is
inside); what is none stays the datagram that it is. Where the header is right and no IP
packet can be read inside, the datagram stays as well, and is told (`decode.unread`).
"""

import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.decode.block import Block, Decoder, Front, Next, split
from netinterf.decode.headers import ETHERTYPES, Kind
from netinterf.schema import Status

__all__ = ["DECODERS", "geneve", "gtp", "gtp_extension", "l2tp", "vxlan"]

_VXLAN = np.dtype([("flags", ">u4"), ("network", ">u4")])
_CARRIED = np.dtype([("type", ">u2"), ("first", "u1"), ("tos", "u1"), ("length4", ">u2"), ("length6", ">u2")])
_GENEVE = np.dtype([("flags", ">u2"), ("type", ">u2"), ("network", ">u4")])
_GTP = np.dtype([("flags", "u1"), ("message", "u1"), ("length", ">u2"), ("tunnel", ">u4")])
_EXTENSION = np.dtype([("type", "u1"), ("length", "u1")])
_L2TP = np.dtype([("flags", ">u2"), ("length", ">u2")])
_WORD = np.dtype(">u2")


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
}
