"""Columns to packet bytes: Ethernet, IPv4 or IPv6, TCP or UDP, with correct checksums.

All headers of a batch are filled as structured big-endian arrays and copied to their places in one flat buffer; the
checksums are sums over 16-bit words of that buffer. Every frame starts at an even offset in it, so that word borders
and header borders agree.
"""

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, U8, U16, U32, U64, Mask
from netinterf.table import Ragged, Table, column, ragged, spans
from netinterf.values import frozen

__all__ = [
    "ETHERNET",
    "ICMP",
    "ICMPV6",
    "MINIMUM_FRAME",
    "TCP",
    "UDP",
    "UNSUMMED",
    "WRONG",
    "Segments",
    "encode",
    "frames",
]

ETHERNET = 1
"""Link type of the frames made here (LINKTYPE_ETHERNET)."""

MINIMUM_FRAME = 60
"""Bytes of the shortest Ethernet frame without its checksum (IEEE 802.3 §4.4.2)."""

ICMP = 1
TCP = 6
UDP = 17
ICMPV6 = 58

UNSUMMED = 0x80
"""Bit of `ip_flags` that is not sent: the checksum field holds only the pseudo-header's sum, as cards expect it."""

WRONG = 0x40
"""Bit of `ip_flags` that is not sent: the transport checksum is wrong, as in damaged packets and decoys."""

MAPPED = 0xFFFF
"""Bits 32-47 of the lower half of an IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2)."""

LINK = np.dtype([("to", ">u4"), ("to_low", ">u2"), ("of", ">u4"), ("of_low", ">u2"), ("type", ">u2")])
IPV4 = np.dtype(
    [
        ("version", "u1"), ("tos", "u1"), ("length", ">u2"), ("id", ">u2"), ("fragment", ">u2"), ("ttl", "u1"),
        ("protocol", "u1"), ("checksum", ">u2"), ("source", ">u4"), ("destination", ">u4"),
    ]
)  # fmt: skip
IPV6 = np.dtype(
    [
        ("version", ">u4"), ("length", ">u2"), ("protocol", "u1"), ("ttl", "u1"), ("source_high", ">u8"),
        ("source_low", ">u8"), ("destination_high", ">u8"), ("destination_low", ">u8"),
    ]
)  # fmt: skip
TCP_HEADER = np.dtype(
    [
        ("sport", ">u2"), ("dport", ">u2"), ("seq", ">u4"), ("ack", ">u4"), ("flags", ">u2"), ("window", ">u2"),
        ("checksum", ">u2"), ("urgent", ">u2"),
    ]
)  # fmt: skip
UDP_HEADER = np.dtype([("sport", ">u2"), ("dport", ">u2"), ("length", ">u2"), ("checksum", ">u2")])


@frozen(eq=False, kw_only=True)
class Segments(Table):
    """One row per packet to build; an IPv4 address is IPv4-mapped (upper half 0, lower half ``0xffff << 32 | v4``)."""

    time: I64 = column("i8", "when the packet passes the tap", unit="ns since 1970 UTC")
    protocol: U8 = column("u1", "6 TCP, 17 UDP, 1 or 58 ICMP (all payload)", fill=TCP)
    source_high: U64 = column("u8", "upper half of the source address", fill=0)
    source_low: U64 = column("u8", "lower half of the source address")
    destination_high: U64 = column("u8", "upper half of the destination address", fill=0)
    destination_low: U64 = column("u8", "lower half of the destination address")
    sport: U16 = column("u2", "source port")
    dport: U16 = column("u2", "destination port")
    ttl: U8 = column("u1", "TTL or hop limit at the tap", fill=64)
    ip_id: U16 = column("u2", "IPv4 identification", fill=0)
    ip_flags: U8 = column("u1", "IpFlag bits, and UNSUMMED or WRONG", fill=0)
    tos: U8 = column("u1", "TOS or traffic class", fill=0)
    seq: U32 = column("u4", "sequence number", fill=0)
    ack: U32 = column("u4", "acknowledgement field", fill=0)
    flags: U16 = column("u2", "TcpFlag bits", fill=0)
    window: U16 = column("u2", "window field as sent", unit="bytes >> scale", fill=0)
    mac_source: U64 = column("u8", "Ethernet source address", fill=0x020000000001)
    mac_destination: U64 = column("u8", "Ethernet destination address", fill=0x020000000002)
    padded: Mask = column("?", "short frames were padded on the wire (IEEE 802.3)", fill=0)
    options: Ragged = ragged("u1", "TCP options, a multiple of 4 bytes")
    payload: Ragged = ragged("u1", "bytes behind the transport header")


def encode(packets: Segments) -> Ragged:
    """Build the bytes of every packet.

    Args:
        packets: n packets, any mix of protocols and address families.

    Returns:
        n Ethernet frames (u1) in the same order, checksums filled in (RFC 1071); no packets give no frames.
    """
    flat, start, size = build(packets)
    out = np.empty(int(size.sum()), np.uint8)
    offsets = np.append(0, np.cumsum(size))
    move(out, offsets[:-1], flat, start, size)
    return Ragged(offsets=offsets, values=out)


def frames(packets: Segments, snaplen: int = 0) -> tuple[list[bytes], list[int]]:
    """Build every packet as :func:`encode` does; give bytes, cut to *snaplen* unless it is 0, and whole lengths."""
    flat, start, size = build(packets)
    source, kept = memoryview(flat.data), np.minimum(size, snaplen) if snaplen else size
    cut = [bytes(source[at:end]) for at, end in zip(start.tolist(), (start + kept).tolist(), strict=True)]
    return cut, size.tolist()


def build(packets: Segments) -> tuple[U8, I64, I64]:
    """Build every packet in one buffer, each at an even offset; give buffer, offsets and sizes."""
    if len(packets) == 0:
        none = np.zeros(0, np.int64)
        return np.zeros(0, np.uint8), none, none
    tcp, udp = packets.protocol == TCP, packets.protocol == UDP
    mapped = (packets.source_high == 0) & (packets.source_low >> np.uint64(32) == MAPPED)
    network = np.where(mapped, 20, 40)
    transport = np.where(tcp, 20 + packets.options.lengths, np.where(udp, 8, 0))
    payload = packets.payload.lengths
    packet_size = network + transport + payload
    size = np.maximum(14 + packet_size, np.where(packets.padded, MINIMUM_FRAME, 0))
    room = size + (size & 1)
    start = np.cumsum(room) - room
    flat = np.zeros(int(room.sum()) + 2, np.uint8)  # one spare word: a last range may be empty
    at = start + 14 + network
    put(flat, start, link_headers(packets, mapped))
    put(flat, start[mapped] + 14, ipv4_headers(packets, packet_size)[mapped])
    put(flat, start[~mapped] + 14, ipv6_headers(packets, packet_size - 40)[~mapped])
    put(flat, at[tcp], tcp_headers(packets, transport)[tcp])
    put(flat, at[udp], udp_headers(packets, payload + 8)[udp])
    flat[spans(at + 20, packets.options.lengths)] = packets.options.values
    move(flat, at + transport, packets.payload.values, packets.payload.offsets[:-1], payload)
    pseudo = pseudo_sums(packets, transport + payload)
    pseudo[packets.protocol == ICMP] = 0  # RFC 792: no pseudo-header
    unsummed = packets.ip_flags & UNSUMMED != 0
    checksum = fold(pseudo + word_sums(flat, at, start + room))
    checksum[unsummed] = ~fold(pseudo[unsummed])
    checksum[packets.ip_flags & WRONG != 0] ^= 0x5A5A
    checksum[udp & (checksum == 0)] = 0xFFFF  # RFC 768: an all-zero field means "no checksum"
    put(flat, at + np.where(tcp, 16, np.where(udp, 6, 2)), checksum.astype(">u2"))
    return flat, start, size


def put(flat: U8, start: I64, headers: NDArray[np.generic]) -> None:
    """Copy fixed-size *headers* into *flat*, each to its own offset."""
    size = headers.dtype.itemsize
    if len(headers):
        flat[start[:, None] + np.arange(size)] = headers.view(np.uint8).reshape(-1, size)


def move(
    into: U8, to: I64, source: U8, at: I64,
    size: I64,
) -> None:  # fmt: skip
    """Copy byte ranges, one by one: moving whole ranges is several times quicker than indexing every byte."""
    target, taken = memoryview(into.data), memoryview(np.ascontiguousarray(source).data)
    for place, first, length in zip(to.tolist(), at.tolist(), size.tolist(), strict=True):
        if length:
            target[place : place + length] = taken[first : first + length]


def word_sums(flat: U8, first: I64, end: I64) -> U64:
    """Sum the 16-bit words of each even-aligned byte range (ranges must not be empty), folded to 17 bits.

    The words are added as they lie in memory and swapped afterwards (RFC 1071 §2 B).
    """
    borders = np.stack([first, end], axis=1).reshape(-1) >> 1
    sums = np.add.reduceat(flat.view("<u2"), borders, dtype=np.uint32)[::2]  # 65,536 words at most: no overflow
    return (~fold(sums.astype(np.uint64))).byteswap().astype(np.uint64)


def fold(sums: U64) -> U16:
    """Fold sums of 16-bit words into Internet checksums (RFC 1071 §1)."""
    for _ in range(3):
        sums = (sums & np.uint64(0xFFFF)) + (sums >> np.uint64(16))
    return (~sums).astype(np.uint16)


def pseudo_sums(packets: Segments, length: I64) -> U64:
    """Sum the pseudo-header words (RFC 9293 §3.1, RFC 8200 §8.1); *length* is header plus payload in bytes."""
    total = length.astype(np.uint64) + packets.protocol
    for high, low in (
        (packets.source_high, packets.source_low),
        (packets.destination_high, packets.destination_low),
    ):
        mapped = (high == 0) & (low >> np.uint64(32) == MAPPED)
        for half in (high, np.where(mapped, low & np.uint64(0xFFFFFFFF), low)):
            for shift in (0, 16, 32, 48):
                total = total + (half >> np.uint64(shift) & np.uint64(0xFFFF))
    return total


def link_headers(packets: Segments, mapped: Mask) -> NDArray[np.void]:
    """Fill Ethernet headers."""
    out = np.zeros(len(packets), LINK)
    out["to"], out["to_low"] = packets.mac_destination >> np.uint64(16), packets.mac_destination & np.uint64(0xFFFF)
    out["of"], out["of_low"] = packets.mac_source >> np.uint64(16), packets.mac_source & np.uint64(0xFFFF)
    out["type"] = np.where(mapped, 0x0800, 0x86DD)
    return out


def ipv4_headers(packets: Segments, length: I64) -> NDArray[np.void]:
    """Fill IPv4 headers (RFC 791 §3.1) with their checksums."""
    out = np.zeros(len(packets), IPV4)
    out["version"], out["tos"], out["length"], out["id"] = 0x45, packets.tos, length, packets.ip_id
    out["fragment"] = (packets.ip_flags & 7).astype(np.uint16) << np.uint16(13)
    out["ttl"], out["protocol"] = packets.ttl, packets.protocol
    out["source"] = packets.source_low & np.uint64(0xFFFFFFFF)
    out["destination"] = packets.destination_low & np.uint64(0xFFFFFFFF)
    out["checksum"] = fold(out.view(">u2").reshape(-1, 10).sum(axis=1, dtype=np.uint64))
    return out


def ipv6_headers(packets: Segments, length: I64) -> NDArray[np.void]:
    """Fill IPv6 headers (RFC 8200 §3)."""
    out = np.zeros(len(packets), IPV6)
    out["version"] = np.uint32(0x60000000) | packets.tos.astype(np.uint32) << np.uint32(20)
    out["length"], out["protocol"], out["ttl"] = length, packets.protocol, packets.ttl
    out["source_high"], out["source_low"] = packets.source_high, packets.source_low
    out["destination_high"], out["destination_low"] = packets.destination_high, packets.destination_low
    return out


def tcp_headers(packets: Segments, length: I64) -> NDArray[np.void]:
    """Fill TCP headers (RFC 9293 §3.1); *length* includes the options."""
    out = np.zeros(len(packets), TCP_HEADER)
    out["sport"], out["dport"], out["seq"], out["ack"] = packets.sport, packets.dport, packets.seq, packets.ack
    out["flags"] = (length // 4 << 12) | (packets.flags & 0xFFF)
    out["window"] = packets.window
    return out


def udp_headers(packets: Segments, length: I64) -> NDArray[np.void]:
    """Fill UDP headers (RFC 768)."""
    out = np.zeros(len(packets), UDP_HEADER)
    out["sport"], out["dport"], out["length"] = packets.sport, packets.dport, length
    return out
