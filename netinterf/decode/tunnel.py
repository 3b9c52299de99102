"""Generic routing encapsulation and the headers that only occur inside it."""

import numpy as np

from netinterf.decode.block import Block, Decoder, Front, Next, split
from netinterf.decode.headers import ETHERTYPES, Kind
from netinterf.schema import Status

__all__ = ["DECODERS", "erspan2", "erspan3", "gre", "wccp"]

_GRE = np.dtype([("flags", ">u2"), ("type", ">u2")])
_LONG = np.dtype(">u4")
_BYTE = np.dtype("u1")


def gre(block: Block, front: Front) -> Next:
    """Decode GRE with its optional fields (RFC 2784 §2.1, RFC 2890 §2; version 1 is that of PPTP, RFC 2637 §4.1)."""
    head, _ = block.read(front, _GRE)
    flags = head["flags"].astype(np.int64)
    version = flags & 7
    # Checksum and routing share one word of 4 bytes (RFC 1701); version 1 has no such word but an
    # acknowledgement number.
    size = 4 + 4 * ((flags & 0xC000) != 0) + 4 * ((flags & 0x2000) != 0) + 4 * ((flags & 0x1000) != 0)
    size = size + 4 * ((version == 1) & ((flags & 0x0080) != 0))
    short = block.mark_short(front, size, Status.BAD_TRANSPORT)
    # Source routing entries (RFC 1701) are no longer in use (RFC 2784 §2.2): such packets stay GRE.
    usable = ~short & (version <= 1) & ((flags & 0x4000) == 0)
    kinds = ETHERTYPES[head["type"]]
    # Mirrored frames (draft-foschiano-erspan): type I has no header of its own, type II one and a GRE sequence number.
    sequenced = (flags & 0x1000) != 0
    kinds[(head["type"] == 0x88BE) & ~sequenced] = Kind.ETHERNET
    kinds[(head["type"] == 0x88BE) & sequenced] = Kind.ERSPAN_2
    kinds[head["type"] == 0x22EB] = Kind.ERSPAN_3
    kinds[head["type"] == 0x883E] = Kind.WCCP
    kinds[head["type"] == 0x8909] = Kind.METADATA
    kinds[~usable] = Kind.UNKNOWN
    kinds[short] = Kind.NONE
    return split(front, kinds, front.at + size)


def erspan2(block: Block, front: Front) -> Next:
    """Step over an ERSPAN header of type II: 8 bytes (draft-foschiano-erspan §4.2)."""
    short = block.mark_short(front, 8, Status.BAD_TRANSPORT)
    return split(front, np.where(short, np.uint8(0), np.uint8(Kind.ETHERNET)), front.at + 8)


def erspan3(block: Block, front: Front) -> Next:
    """Step over an ERSPAN header of type III: 12 bytes, 8 more with the O bit (draft-foschiano-erspan §4.3)."""
    word, _ = block.read(front, _LONG, 8)
    size = np.where(word & 1, 20, 12)
    short = block.mark_short(front, size, Status.BAD_TRANSPORT)
    frame = ((word >> 10) & 0x1F) == 0  # frame type 0 is Ethernet
    kinds = np.where(frame, np.uint8(Kind.ETHERNET), np.uint8(Kind.UNKNOWN))
    kinds[short] = Kind.NONE
    return split(front, kinds, front.at + size)


def wccp(block: Block, front: Front) -> Next:
    """Step over the redirect header of WCCP version 2, 4 bytes; version 1 has none and starts with an IP version."""
    first, _ = block.read(front, _BYTE)
    block.mark_short(front, 1, Status.BAD_TRANSPORT)
    direct = (first >> 4) == 4
    kinds = np.full(len(front.at), Kind.RAW, np.uint8)
    return split(front, kinds, front.at + np.where(direct, 0, 4))


DECODERS: dict[Kind, Decoder] = {
    Kind.GRE: gre,
    Kind.ERSPAN_2: erspan2,
    Kind.ERSPAN_3: erspan3,
    Kind.WCCP: wccp,
}
