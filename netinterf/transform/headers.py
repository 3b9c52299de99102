"""IP headers in frames that have bytes of their own, and how words in them are replaced.

Every checksum over a word that is replaced is brought up to date by the difference (RFC 1624 §3), so that right ones
stay right and wrong ones wrong: a wrong one may show that somebody else wrote the packet.
"""

from collections.abc import Iterator

import attrs
import numpy as np

from netinterf.arrays import I64, U8, Mask
from netinterf.decode.gather import gather_bytes
from netinterf.numbering import one_of
from netinterf.schema import Status
from netinterf.transform.frames import Frames
from netinterf.values import frozen

__all__ = ["TCP", "Checksum", "Headers", "headers_of", "outer", "put", "quoted", "replace_word", "word"]

ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58

CHECKSUM_AT = {TCP: 16, UDP: 6, ICMPV6: 2}
"""Where in the header the checksum over addresses stands (RFC 9293 §3.1, RFC 768, RFC 4443 §2.1)."""

ERRORS = {ICMP: (3, 4, 5, 11, 12), ICMPV6: (1, 2, 3, 4)}
"""Types of ICMP errors, which quote the packet that they are about (RFC 792; RFC 4443 §2.1)."""

NOWHERE = -1


@frozen(eq=False)
class Checksum:
    """Where a checksum stands in the buffer for each of some words, -1 where there is none."""

    at: I64
    optional: Mask  # zeros mean that nobody summed (RFC 768)

    def take(self, rows: I64 | Mask) -> "Checksum":
        """Keep some."""
        return Checksum(self.at[rows], self.optional[rows])


@frozen(eq=False, kw_only=True)
class Headers:
    """IP packets in a buffer: those that frames are of, or those that ICMP errors quote.

    Offsets are those in the buffer.
    """

    at: I64  # of the IP header
    end: I64  # of what was captured
    version: U8
    transport: I64  # of the header behind it, -1 for none of TCP and UDP (later fragments have none either)
    over_addresses: tuple[Checksum, ...]
    over_ports: tuple[Checksum, ...]

    def __len__(self) -> int:
        return len(self.at)

    def addresses(self, buffer: U8, side: int) -> U8:
        """Read source (side 0) or destination (1) of each packet: rows of 16 bytes, IPv4 mapped (RFC 4291 §2.5.5.2)."""
        fixed = gather_bytes(buffer, self.at, self.end - self.at, 40)
        four = np.zeros((len(self), 16), np.uint8)
        four[:, 10:12], four[:, 12:] = 0xFF, fixed[:, 12 + 4 * side : 16 + 4 * side]
        six = fixed[:, 8 + 16 * side : 24 + 16 * side]
        return np.where((self.version == 4)[:, None], four, six).astype(np.uint8)

    def place(self, side: int) -> I64:
        """Give the offset of each source (side 0) or destination (1) address."""
        return self.at + np.where(self.version == 4, 12 + 4 * side, 8 + 16 * side)

    def take(self, rows: I64 | Mask) -> "Headers":
        """Keep some."""
        return Headers(
            at=self.at[rows],
            end=self.end[rows],
            version=self.version[rows],
            transport=self.transport[rows],
            over_addresses=tuple(one.take(rows) for one in self.over_addresses),
            over_ports=tuple(one.take(rows) for one in self.over_ports),
        )


def headers_of(frames: Frames) -> Iterator[Headers]:
    """List the IP packets of frames, then those that ICMP errors among them quote."""
    yield outer(frames)
    yield quoted(frames)


def outer(frames: Frames) -> Headers:
    """List the innermost IP packet of every frame that has one, in order."""
    packets = frames.packets.take(frames.packets.version > 0)
    at, end = packets.at + packets.ip_at, packets.at + packets.captured
    whole = (packets.status & np.uint16(Status.FRAGMENT_LATER)) == 0
    transport = np.where(whole & (packets.protocol != ICMP), packets.at + packets.transport_at, NOWHERE)
    sums = (header_sum(packets.version, at), transport_sum(packets.protocol, transport))
    ported = np.where(one_of(packets.protocol, (TCP, UDP)), transport, NOWHERE)
    return Headers(
        at=at, end=end, version=packets.version, transport=ported, over_addresses=sums, over_ports=sums[1:]
    )  # fmt: skip


def quoted(frames: Frames) -> Headers:
    """List the packets that ICMP errors quote.

    The quote's own header checksum takes up what an address changes, so that the sum over the whole error stays; what
    is summed by nothing in the quote is summed by the error.
    """
    packets = frames.packets
    kinds = packets.icmp >> 8
    is_error = np.zeros(len(packets), np.bool_)
    for number, types in ERRORS.items():
        is_error |= (packets.protocol == number) & one_of(kinds, types)
    errors = packets.take(is_error & ((packets.status & np.uint16(Status.FRAGMENT_LATER)) == 0))
    at, end = errors.at + errors.payload_at, errors.at + errors.captured
    fixed = gather_bytes(frames.buffer, at, end - at, 40)
    version: U8 = fixed[:, 0] >> np.uint8(4)
    size = np.where(version == 4, (fixed[:, 0] & 15).astype(np.int64) * 4, 40)
    protocol = np.where(version == 4, fixed[:, 9], fixed[:, 6])
    later = (version == 4) & (((fixed[:, 6] & 0x1F) | fixed[:, 7]) != 0)
    transport = np.where(one_of(protocol, (TCP, UDP)) & ~later, at + size, NOWHERE)
    error = Checksum(errors.at + errors.transport_at + 2, np.zeros(len(errors), np.bool_))
    inner = attrs.evolve(error, at=np.where(version == 4, at + 10, error.at))
    whole = one_of(version, (4, 6)) & (end - at >= np.where(version == 4, 20, 40))
    return Headers(
        at=at, end=end, version=version, transport=transport, over_addresses=(inner,), over_ports=(error,)
    ).take(whole)  # fmt: skip


def header_sum(version: U8, at: I64) -> Checksum:
    """Place the checksum of IPv4 headers (RFC 791 §3.1)."""
    return Checksum(np.where(version == 4, at + 10, NOWHERE), np.zeros(len(at), np.bool_))


def transport_sum(protocol: U8, transport: I64) -> Checksum:
    """Place the checksum behind the IP header that sums addresses as well."""
    places = np.full(256, NOWHERE)
    places[list(CHECKSUM_AT)] = list(CHECKSUM_AT.values())
    place = places[protocol]
    return Checksum(np.where((place >= 0) & (transport >= 0), transport + place, NOWHERE), protocol == UDP)


def word(buffer: U8, at: I64) -> I64:
    """Read the 16-bit words at some offsets."""
    return buffer[at].astype(np.int64) << 8 | buffer[at + 1]


def replace_word(buffer: U8, at: I64, new: I64, end: I64, sums: tuple[Checksum, ...]) -> None:
    """Replace 16-bit words, and bring the checksums over them up to date (RFC 1624 §3, equation 3).

    Args:
        buffer: The bytes, which are written to.
        at: Offset of each word; those that were cut off stay away.
        new: What comes there.
        end: Where what was captured of each packet ends.
        sums: Checksums over each word.
    """
    there = at + 2 <= end
    difference = np.zeros(len(at), np.int64)
    difference[there] = (~word(buffer, at[there]) & 0xFFFF) + new[there]
    put(buffer, at[there], new[there])
    for one in sums:
        rows = np.flatnonzero(there & (one.at >= 0) & (one.at + 2 <= end))
        old = word(buffer, one.at[rows])
        rows, old = (column[(old != 0) | ~one.optional[rows]] for column in (rows, old))
        total = (~old & 0xFFFF) + difference[rows]
        for _ in range(2):
            total = (total & 0xFFFF) + (total >> 16)
        fresh = ~total & 0xFFFF
        put(buffer, one.at[rows], np.where((fresh == 0) & one.optional[rows], 0xFFFF, fresh))


def put(buffer: U8, at: I64, words: I64) -> None:
    """Write 16-bit words to some offsets."""
    buffer[at], buffer[at + 1] = words >> 8, words & 0xFF
