"""What records of each format look like where nothing leads to them (`resync.Signs`)."""

import numpy as np

from netinterf.arrays import I64, U8, Mask
from netinterf.capture.formats import MAX_FRAME
from netinterf.capture.records import headers
from netinterf.values import frozen

__all__ = ["MAX_BLOCK", "BlockSigns", "RecordSigns", "section_order"]

Buffer = U8
Offsets = I64

DAY = 86_400  # s between records of a capture: one that slept longer is found by a later record
SECTION, INTERFACE, PACKET, SIMPLE, STATISTICS, ENHANCED = 0x0A0D0D0A, 1, 2, 3, 5, 6
"""Types of blocks: draft-ietf-opsawg-pcapng §4.1, 4.2, A, 4.4, 4.6, 4.3."""
MAX_BLOCK = 16 << 20  # largest block that is believed (libpcap, sf-pcapng.c, INITIAL_MAX_BLOCKSIZE)
MARK = {"<": b"\x4d\x3c\x2b\x1a", ">": b"\x1a\x2b\x3c\x4d"}  # byte-order magic (§4.1)


def section_order(buffer: Buffer, at: int) -> str | None:
    """Read the byte order of the section that begins at *at*; None when its magic is wrong or missing."""
    mark = buffer[at + 8 : at + 12].tobytes()
    return next((order for order, magic in MARK.items() if magic == mark), None)


@frozen
class RecordSigns:
    """Records of a classic pcap file: a time, and two lengths of which the captured one is not the larger.

    Args:
        order: Byte order.
        ticks: Of the clock, per second.
        size: Bytes of a record's header.
        swapped: Whether the length on the wire comes first.
        most: Largest frame that is believed.
    """

    order: str
    ticks: int
    size: int
    swapped: bool
    most: int = MAX_FRAME

    @property
    def head(self) -> int:
        """Bytes of a record that are looked at."""
        return self.size

    def fields(self, buffer: Buffer, at: Offsets) -> tuple[I64, ...]:
        """Read second, fraction, captured length and length on the wire."""
        second, fraction, captured, length = headers(buffer, at, 16, self.order + "u4").astype(np.int64).T
        return (second, fraction, length, captured) if self.swapped else (second, fraction, captured, length)

    def right(self, buffer: Buffer, at: Offsets) -> Mask:
        """Say which headers hold numbers that a recorder writes."""
        _, fraction, captured, length = self.fields(buffer, at)
        result: Mask = (fraction < self.ticks) & (captured <= length) & (length > 0) & (length <= self.most)
        return result

    def candidates(self, buffer: Buffer, first: int, until: int) -> Offsets:
        """Look for two lengths whose upper bytes are small, then at the rest."""
        top, high = (3 if self.order == "<" else 0), self.most >> 24
        captured_small, length_small = (buffer[first + place + top : until + place + top] <= high for place in (8, 12))
        starts = first + np.flatnonzero(captured_small & length_small)
        return starts[self.right(buffer, starts)]

    def sizes(self, buffer: Buffer, at: Offsets) -> Offsets:
        """Read how long records claim to be."""
        return self.fields(buffer, at)[2] + self.size

    def closed(self, buffer: Buffer, at: Offsets, after: Offsets) -> Mask:  # noqa: ARG002
        """Records have no end of their own."""
        return np.ones(len(at), np.bool_)

    def linked(self, buffer: Buffer, at: Offsets, after: Offsets) -> Mask:
        """Say which next records look right and are of about the same time."""
        apart = np.abs(self.fields(buffer, after)[0] - self.fields(buffer, at)[0])
        result: Mask = self.right(buffer, after) & (apart <= DAY)
        return result

    def sure(self, buffer: Buffer, at: Offsets) -> Mask:  # noqa: ARG002
        """No record is believed alone."""
        return np.zeros(len(at), np.bool_)


@frozen
class BlockSigns:
    """Blocks of a pcapng file: a known type, and a length that stands at both ends.

    Args:
        order: Byte order of the section.
        known: Interfaces that packets of the section may be of.
    """

    order: str
    known: int
    head: int = 16

    def fields(self, buffer: Buffer, at: Offsets) -> tuple[I64, ...]:
        """Read type, length, and the first word of the body."""
        kind, total, word, _ = headers(buffer, at, 16, self.order + "u4").astype(np.int64).T
        return kind, total, word

    def candidates(self, buffer: Buffer, first: int, until: int) -> Offsets:
        """Look for sections, interfaces and packets of interfaces that are known; what else there is can be skipped."""
        near, far = (0, 3) if self.order == "<" else (3, 0)
        low = buffer[first + near : until + near]
        packet = (low - np.uint8(1) < ENHANCED) & (buffer[first + far : until + far] == 0)
        section = (low == 0x0A) & (buffer[first + far : until + far] == 0x0A)
        starts = first + np.flatnonzero(packet | section)
        kind, total, word = self.fields(buffer, starts)
        old = word >> 16 if self.order == ">" else word & 0xFFFF
        reserved = word & 0xFFFF if self.order == ">" else word >> 16
        right = (kind == ENHANCED) & (total >= 32) & (word < self.known)
        right |= (kind == PACKET) & (total >= 32) & (old < self.known)
        right |= (kind == SIMPLE) & (total >= 16) & (self.known > 0)
        right |= (kind == INTERFACE) & (total >= 20) & (reserved == 0)
        right &= (total <= MAX_BLOCK) & (total % 4 == 0)
        result: Offsets = starts[right | self.sure(buffer, starts)]
        return result

    def sizes(self, buffer: Buffer, at: Offsets) -> Offsets:
        """Read how long blocks claim to be."""
        return self.fields(buffer, at)[1]

    def closed(self, buffer: Buffer, at: Offsets, after: Offsets) -> Mask:
        """Say which blocks repeat their length at their end."""
        closing = headers(buffer, after - 4, 4, self.order + "u4")[:, 0]
        result: Mask = closing == self.fields(buffer, at)[1]
        return result

    def linked(self, buffer: Buffer, at: Offsets, after: Offsets) -> Mask:  # noqa: ARG002
        """Say which next blocks have a type and a length that can be."""
        kind, total, _ = self.fields(buffer, after)
        right = (kind != 0) & (total >= 12) & (total <= MAX_BLOCK) & (total % 4 == 0)
        result: Mask = right | self.sure(buffer, after)
        return result

    def sure(self, buffer: Buffer, at: Offsets) -> Mask:
        """A section header is told by eight bytes, in either byte order."""
        kind, _, mark = headers(buffer, at, 12, "<u4").T
        little, big = (int.from_bytes(magic, "little") for magic in MARK.values())
        result: Mask = (kind == SECTION) & ((mark == little) | (mark == big))  # the type reads alike in both orders
        return result
