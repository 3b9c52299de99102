"""Internet checksums on demand (RFC 1071): computed for the packets asked about, never for a whole capture.

A wrong checksum tells less than it seems to: packets captured on their way out of a host with checksum offload carry
unfinished ones. Hence a packet counts as wrong here only when all its bytes are at hand and contradict the checksum.
"""

import numpy as np

from netinterf.arrays import I64, U8, U16, Mask
from netinterf.decode.gather import Buffer, as_bytes, gather, gather_bytes
from netinterf.numbering import one_of
from netinterf.schema import Packets, Status
from netinterf.table import Rows, spans

__all__ = ["ip_ok", "transport_ok"]

_CHUNK = 1 << 22
"""Bytes summed at a time; what a chunk needs in memory is about 7 times as much."""

_UNJUDGED = np.uint16(
    Status.NOT_IP
    | Status.HEADER_CUT
    | Status.PAYLOAD_CUT
    | Status.OFFLOADED
    | Status.FRAGMENT_FIRST
    | Status.FRAGMENT_LATER
    | Status.BAD_IP_HEADER
    | Status.BAD_TRANSPORT
    | Status.OVERSTATED
)


def ip_ok(buffer: Buffer, packets: Packets, rows: Rows) -> Mask:
    """Check the header checksum of IPv4 packets (RFC 791 §3.1).

    Args:
        buffer: The trace's buffer.
        packets: Decoded packets.
        rows: Which of them.

    Returns:
        False where the checksum is wrong; True where it is right, or cannot be judged: no IPv4, header cut, length
        fields broken, or left to a network card.
    """
    data, index = as_bytes(buffer), np.arange(len(packets))[rows]
    at, room = _reach(data, packets, index, packets.ip_at[index])
    octets = gather_bytes(data, at, room, 60)
    size = (octets[:, 0] & 15).astype(np.int64) * 4
    words = np.where(np.arange(60) < size[:, None], octets, np.uint8(0)).astype(np.uint8).view(">u2")
    skip = np.uint16(Status.NOT_IP | Status.HEADER_CUT | Status.OFFLOADED | Status.BAD_IP_HEADER)
    judged = (packets.version[index] == 4) & ((packets.status[index] & skip) == 0) & (room >= size)
    right: Mask = ~judged | (_fold(words.sum(axis=1, dtype=np.int64)) == 0xFFFF)
    return right


def transport_ok(buffer: Buffer, packets: Packets, rows: Rows) -> Mask:
    """Check the checksums of TCP, UDP, ICMP and ICMPv6 (RFC 9293 §3.1, RFC 768, RFC 792, RFC 4443 §2.3).

    Args:
        buffer: The trace's buffer.
        packets: Decoded packets.
        rows: Which of them.

    Returns:
        False where the checksum is wrong; True where it is right, or cannot be judged: another protocol, UDP without
        a checksum, cut or fragmented packets, lengths that contradict each other, packets joined by offload.
    """
    data, index = as_bytes(buffer), np.arange(len(packets))[rows]
    if not len(index):
        return np.empty(0, np.bool_)
    protocol = packets.protocol[index]
    start = packets.transport_at[index].astype(np.int64)
    length = packets.payload_at[index].astype(np.int64) + packets.payload_length[index] - start
    at, room = _reach(data, packets, index, packets.transport_at[index])
    judged = one_of(protocol, (1, 6, 17, 58)) & ((packets.status[index] & _UNJUDGED) == 0)
    judged &= (length >= 8) & (length <= room)
    # A UDP checksum of zero means that none was computed (RFC 768); IPv6 allows that to tunnels (RFC 6935).
    judged &= (protocol != 17) | (gather(data, at + 6, room - 6, np.dtype(">u2")) != 0)
    right = np.ones(len(index), np.bool_)
    chosen = np.flatnonzero(judged)
    if len(chosen) == 0:
        return right
    edges = np.flatnonzero(np.diff(np.cumsum(length[chosen]) // _CHUNK)) + 1
    for part in np.split(chosen, edges):
        total = _sum(data, at[part], length[part])
        pseudo = _pseudo_header(data, packets, index[part]) + protocol[part] + length[part]
        total += np.where(protocol[part] == 1, 0, pseudo)
        right[part] = _fold(total) == 0xFFFF
    return right


def _reach(data: U8, packets: Packets, index: I64, skip: U16) -> tuple[I64, I64]:
    """Place a header in the buffer, with the bytes that may be read from there on."""
    at = packets.at[index] + skip
    end = np.minimum(packets.at[index] + packets.captured[index], len(data))
    return at, end - at


def _sum(data: U8, at: I64, length: I64) -> I64:
    """Add up the 16-bit words of each span (at least one byte each), zeros filling up the last one.

    Eight bytes at a time: 2**16, 2**32 and 2**48 all leave 1 when divided by 0xFFFF, so wider words may be added up as
    they are and folded in the end (RFC 1071 §2C).
    """
    counts = (length + 7) // 8
    place = spans(np.zeros(len(at), np.int64), counts) * 8
    room = np.repeat(length, counts) - place
    words = gather(data, np.repeat(at, counts) + place, room, np.dtype(">u8")).astype(np.uint64)
    halves = (words >> np.uint64(32)) + (words & np.uint64(0xFFFFFFFF))
    total: I64 = np.add.reduceat(halves.astype(np.int64), np.cumsum(counts) - counts)
    return total


def _pseudo_header(data: U8, packets: Packets, index: I64) -> I64:
    """Add up the addresses of each packet (RFC 9293 §3.1, RFC 8200 §8.1)."""
    at, room = _reach(data, packets, index, packets.ip_at[index])
    words = gather_bytes(data, at, room, 40).view(">u2").astype(np.int64)
    four = words[:, 6:10].sum(axis=1)
    six = words[:, 4:20].sum(axis=1)
    total: I64 = np.where(packets.version[index] == 4, four, six)
    return total


def _fold(total: I64) -> I64:
    """Add the carries back in (RFC 1071 §1)."""
    for _ in range(4):
        total = (total & 0xFFFF) + (total >> 16)
    return total
