"""Pseudo-headers: what was never on the line, and is put before frames by whoever records them.

Those of radios (radiotap, PPI, Prism, AVS) say how a frame was received, NFLOG where a firewall met the packet, PKTAP
which program of a Mac it belongs to. Of all that only so much is read as is needed to find the frame.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64
from netinterf.decode.block import Block, Decoder, Front, Next, split
from netinterf.decode.headers import FAMILIES, FRAMES, Kind
from netinterf.decode.wireless import without_check_sequence
from netinterf.schema import Status

__all__ = ["DECODERS", "nflog", "pktap", "ppi", "prism", "radiotap"]

MOST_FIELDS = 64
"""Fields looked at per header: a bound on work for crafted ones. NFLOG has 20 kinds of them, PPI 9."""

_RADIOTAP = np.dtype([("version", "u1"), ("pad", "u1"), ("length", "<u2"), ("present", "<u4")])
_PPI = np.dtype([("version", "u1"), ("flags", "u1"), ("length", "<u2"), ("link", "<u4")])
_PRISM = np.dtype([("code", ">u4"), ("length", ">u4")])
_NFLOG = np.dtype([("family", "u1"), ("version", "u1"), ("resource", ">u2"), ("field", "<u2"), ("kind", "<u2")])
_PKTAP = np.dtype([("length", "<u4"), ("next", "<u4"), ("link", "<u4")])
_PPI_FIELD = np.dtype([("kind", "<u2"), ("length", "<u2")])
_NFLOG_FIELD = np.dtype([("length", "<u2"), ("kind", "<u2")])
_MORE = np.dtype("<u4")
_BYTE = np.dtype("u1")
_FLAGS = np.dtype("<u2")

COMMON, PAYLOAD = 2, 9
"""Types of the fields that are sought: of PPI what is common to all of 802.11, of NFLOG the packet."""


def radiotap(block: Block, front: Front) -> Next:
    """Step over radiotap, whose flags say how the frame is kept (radiotap.org, "Flags")."""
    head, _ = block.read(front, _RADIOTAP)
    size = head["length"].astype(np.int64)
    short = block.mark_short(front, np.maximum(size, 8), Status.HEADER_CUT)
    present = head["present"]
    # Fields are aligned to their own size; the time stamp of 8 bytes is the only one before the flags.
    place = _behind_presence(block, front, present)
    place = np.where((present & 1) != 0, (place + 7) // 8 * 8 + 8, place)
    flags, _ = block.read(Front(front.place, front.at + place), _BYTE)
    flags = np.where(((present & 2) != 0) & (place < size), flags, np.uint8(0))
    without_check_sequence(block, front, ~short & ((flags & 0x10) != 0))
    kinds = np.where((flags & 0x20) != 0, np.uint8(Kind.IEEE802_11_PADDED), np.uint8(Kind.IEEE802_11))
    kinds[(flags & 0x40) != 0] = Kind.DAMAGED
    kinds[(head["version"] != 0) | (size < 8)] = Kind.UNKNOWN
    kinds[short] = Kind.NONE
    return split(front, kinds, front.at + size)


def _behind_presence(block: Block, front: Front, present: NDArray[Any]) -> I64:
    """Find the end of the words that say which fields there are: each says whether another one follows."""
    place = np.full(len(front.at), 8, np.int64)
    rows = np.flatnonzero(present >> 31)
    for _ in range(MOST_FIELDS):
        if not len(rows):
            return place
        word, _ = block.read(Front(front.rows()[rows], front.at[rows] + place[rows]), _MORE)
        place[rows] += 4
        rows = rows[(word >> 31) != 0]
    place[rows] = 1 << 16  # too many: nowhere in the header
    return place


def ppi(block: Block, front: Front) -> Next:
    """Step over per-packet information (CACE's PPI header format 1.0.7): a link type, and fields."""
    head, _ = block.read(front, _PPI)
    size = head["length"].astype(np.int64)
    short = block.mark_short(front, np.maximum(size, 8), Status.HEADER_CUT)
    kinds = FRAMES[np.minimum(head["link"], len(FRAMES) - 1)]
    kinds[(head["version"] != 0) | (size < 8)] = Kind.UNKNOWN
    kinds[short] = Kind.NONE
    if (wireless := kinds == Kind.IEEE802_11).any():
        unit = np.where(head["flags"] & 1, 4, 1)
        place = _sought(block, front, np.full(len(size), 8), size, _PPI_FIELD, COMMON, unit)
        flags, _ = block.read(Front(front.place, front.at + place + 4 + 8), _FLAGS)
        flags = np.where(wireless & (place >= 0) & (place + 4 + 10 <= size), flags, np.uint16(0))
        without_check_sequence(block, front, (flags & 1) != 0)
        kinds[(flags & 0x0C) != 0] = Kind.DAMAGED  # its check sequence, or the radio, found it so
    return split(front, kinds, front.at + size)


def _sought(
    block: Block, front: Front, start: I64, stop: I64, layout: np.dtype[Any], wanted: int, unit: I64 | int
) -> I64:
    """Go through fields that begin with a type and a length, and find the first of a type.

    Args:
        block: The frames.
        front: Where the headers are.
        start: Where their fields begin, from there on.
        stop: Where they end.
        layout: Of the first 4 bytes of a field; the length of NFLOG's, which comes first, counts these.
        wanted: The type.
        unit: Fields are filled up to a multiple of so many bytes.

    Returns:
        Where the field begins, from the front on; -1 where there is none.
    """
    found, place = np.full(len(start), -1, np.int64), start.astype(np.int64)
    behind = 0 if layout.names and layout.names[0] == "length" else 4
    unit = np.broadcast_to(unit, place.shape)
    rows = np.flatnonzero(place + 4 <= stop)
    for _ in range(MOST_FIELDS):
        if not len(rows):
            break
        field, _ = block.read(Front(front.rows()[rows], front.at[rows] + place[rows]), layout)
        size = field["length"].astype(np.int64) + behind
        here = (field["kind"] == wanted) & (size >= 4)
        found[rows[here]] = place[rows[here]]
        place[rows] += (size + unit[rows] - 1) // unit[rows] * unit[rows]
        rows = rows[~here & (size >= 4) & (place[rows] + 4 <= stop[rows])]
    return found


def prism(block: Block, front: Front) -> Next:
    """Step over the header of Prism cards or AVS, which drivers write under each other's link type.

    Both begin with a number that tells them apart, and their length: AVS in the order of the network, Prism in that of
    the machine that recorded.
    """
    head, _ = block.read(front, _PRISM)
    code, length = head["code"].astype(np.uint32), head["length"].astype(np.uint32)
    swapped = (code == 0x4100_0000) | (code == 0x4400_0000)
    known = swapped | (code == 0x41) | (code == 0x44) | ((code & 0xFFFF_F000) == 0x8021_1000)
    size = np.where(swapped, length.byteswap(), length).astype(np.int64)
    known &= size >= 8
    size = np.where(known, size, 8)
    short = block.mark_short(front, size, Status.HEADER_CUT)
    kinds = np.where(known, np.uint8(Kind.IEEE802_11), np.uint8(Kind.UNKNOWN))
    kinds[short] = Kind.NONE
    return split(front, kinds, front.at + size)


def nflog(block: Block, front: Front) -> Next:
    """Find the packet among the attributes that Linux' firewall logs (tcpdump group's registry, LINKTYPE_NFLOG).

    Attributes have the byte order of the machine that recorded; types are small, which tells it.
    """
    head, room = block.read(front, _NFLOG)
    short = block.mark_short(front, 4, Status.HEADER_CUT)
    place, big = np.full(len(front.at), -1, np.int64), head["kind"] > 0xFF
    for layout, mask in ((_NFLOG_FIELD, ~big), (_NFLOG_FIELD.newbyteorder(">"), big)):
        if len(rows := np.flatnonzero(mask & ~short)):
            part = Front(front.rows()[rows], front.at[rows])
            place[rows] = _sought(block, part, np.full(len(rows), 4), room[rows], layout, PAYLOAD, 4)
    kinds = np.where(place >= 0, FAMILIES[head["family"]], np.uint8(Kind.UNKNOWN))
    kinds[head["version"] != 0] = Kind.UNKNOWN
    cut = block.captured[front.place] < block.end[front.place]
    block.mark(front, (place < 0) & cut, Status.HEADER_CUT)
    kinds[short] = Kind.NONE
    return split(front, kinds, front.at + place + 4)


def pktap(block: Block, front: Front) -> Next:
    """Step over the header of macOS' packet tap: its length, whether a packet follows, and of which link type."""
    head, _ = block.read(front, _PKTAP)
    size = head["length"].astype(np.int64)
    short = block.mark_short(front, np.maximum(size, 12), Status.HEADER_CUT)
    kinds = FRAMES[np.minimum(head["link"], len(FRAMES) - 1)]
    kinds[(head["next"] != 1) | (size < 12)] = Kind.UNKNOWN
    kinds[short] = Kind.NONE
    return split(front, kinds, front.at + size)


DECODERS: dict[Kind, Decoder] = {
    Kind.RADIOTAP: radiotap,
    Kind.PPI: ppi,
    Kind.PRISM: prism,
    Kind.NFLOG: nflog,
    Kind.PKTAP: pktap,
}
