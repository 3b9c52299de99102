"""IEEE 802.11: from the frame that was in the air to the packet it carries.

Data frames carry packets; those that serve the radio itself (management, control, data frames without data) carry none.
Nothing is decrypted, and nothing is put together from fragments: both are told (`decode.unread`). Of several packets in
one frame (A-MSDU) the first is read, since a frame has one row.
"""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import U8, Mask
from netinterf.decode.block import Block, Decoder, Front, Next, split
from netinterf.decode.headers import Kind
from netinterf.schema import Status

__all__ = ["DECODERS", "a_msdu", "frame", "without_check_sequence"]

_HEAD = np.dtype([("control", "u1"), ("flags", "u1"), ("addresses", "V20"), ("sequence", "<u2")])
_QUALITY = np.dtype([("first", "u1"), ("second", "u1")])
_SUBFRAME = np.dtype([("addresses", "V12"), ("length", ">u2")])
_CHECK_SEQUENCE = 4
"""Bytes of the checksum behind a frame (IEEE 802.11-2020 §9.2.4.8)."""


def frame(block: Block, front: Front, padded: bool) -> Next:
    """Decode the MAC header (IEEE 802.11-2020 §9.2.3): 24 bytes, then a fourth address, QoS and HT control, if any.

    Args:
        block: The frames.
        front: Where the headers are.
        padded: The card filled up the header to a multiple of four bytes.
    """
    head, _ = block.read(front, _HEAD)
    control, flags = head["control"], head["flags"]
    four = (flags & 0x03) == 0x03  # to and from a distribution system
    qos = (control & 0x80) != 0
    place = front.at + np.where(four, 30, 24)
    quality, _ = block.read(Front(front.place, place), _QUALITY)
    behind = place + np.where(qos, np.where((flags & 0x80) != 0, 6, 2), 0)
    at = front.at + (behind - front.at + 3) // 4 * 4 if padded else behind
    kinds = np.where(qos & ((quality["first"] & 0x80) != 0), np.uint8(Kind.A_MSDU), np.uint8(Kind.LLC))
    if (mesh := four & qos & ((quality["second"] & 1) != 0)).any():
        mesh &= ~_begins_llc(block, Front(front.place, at))  # the bit means a mesh only within one (§9.2.4.5.9)
    fragment = ((flags & 0x04) != 0) | ((head["sequence"] & 0x0F) != 0)
    kinds[fragment | mesh] = Kind.ODD_WIRELESS
    kinds[(flags & 0x40) != 0] = Kind.PROTECTED
    kinds[(control & 0x4C) != 0x08] = Kind.NO_IP  # of another type than data, or a subtype without data
    kinds[(control & 0x03) != 0] = Kind.ODD_WIRELESS  # of another version
    read = (kinds == Kind.LLC) | (kinds == Kind.A_MSDU)
    kinds[block.mark_short(front, np.where(read, at - front.at, 2), Status.HEADER_CUT)] = Kind.NONE
    return split(front, kinds, at)


def _begins_llc(block: Block, front: Front) -> Mask:
    """Say where an LLC header with SNAP begins (RFC 1042)."""
    octets: NDArray[np.uint8] = block.read_bytes(front, 3)
    begins: Mask = (octets == np.array([0xAA, 0xAA, 3], np.uint8)).all(axis=1)
    return begins


def a_msdu(block: Block, front: Front) -> Next:
    """Decode the header of the first subframe of an A-MSDU (IEEE 802.11-2020 §9.3.2.2.2): addresses and a length."""
    head, _ = block.read(front, _SUBFRAME)
    size = head["length"].astype(np.int64) + 14
    short = block.mark_short(front, 14, Status.HEADER_CUT)
    end = block.end[front.place]
    block.name(front, Kind.AGGREGATED, ~short & (end - front.at - (size + 3) // 4 * 4 >= 14))
    block.end[front.place] = np.minimum(end, front.at + size)
    block.stop[front.place] = np.minimum(block.stop[front.place], front.at + size)
    kinds: U8 = np.where(short, np.uint8(Kind.NONE), np.uint8(Kind.LLC))
    return split(front, kinds, front.at + 14)


def without_check_sequence(block: Block, front: Front, mask: Mask) -> None:
    """Let the frames of *mask* end before their check sequence, if it is known where they ended."""
    if block.measured and mask.any():
        end = block.end[front.place] - np.where(mask, _CHECK_SEQUENCE, 0)
        block.end[front.place] = end
        block.stop[front.place] = np.minimum(block.stop[front.place], end)


DECODERS: dict[Kind, Decoder] = {
    Kind.IEEE802_11: partial(frame, padded=False),
    Kind.IEEE802_11_PADDED: partial(frame, padded=True),
    Kind.A_MSDU: a_msdu,
}
