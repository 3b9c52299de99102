"""Packets as bytes: read them, make them, read capture files.

The lab shares no code with the library under test, not even its decoder: a fault in one must not hide a fault in the
other. Only what a middlebox needs is here: IPv4 (RFC 791), IPv6 without extension headers (RFC 8200), TCP (RFC 9293),
UDP (RFC 768), ICMP echo and errors as they come.
"""

import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

__all__ = ["ACK", "FIN", "ICMP", "PSH", "RST", "SYN", "TCP", "UDP", "Packet", "datagram", "frames", "lowered",
           "parse", "segment", "text", "timestamps"]  # fmt: skip

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
ICMP, TCP, UDP, ICMP6 = 1, 6, 17, 58
ETHERNET = 14  # bytes of header
NANO, MICRO = 0xA1B23C4D, 0xA1B2C3D4  # magic numbers of the pcap file format


@attrs.define(eq=False)
class Packet:
    """One IP packet and the fields of it that rules look at."""

    raw: bytes
    version: int
    source: bytes
    destination: bytes
    protocol: int
    ttl: int
    ip_id: int  # 0 in IPv6
    dont_fragment: bool
    sport: int = 0
    dport: int = 0
    seq: int = 0
    ack: int = 0
    flags: int = 0
    window: int = 0
    options: bytes = b""
    payload: bytes = b""
    seen: bytes = b""  # as it came in, when a rule changed it on the way
    note: Any = None  # what the log shall say when it leaves

    @property
    def end(self) -> int:
        """Sequence number after the last byte."""
        return (self.seq + len(self.payload) + bool(self.flags & SYN) + bool(self.flags & FIN)) % 2**32

    def rebuilt(self, **changes: Any) -> bytes:
        """Make the packet again with some fields changed."""
        return (segment if self.protocol == TCP else datagram)(attrs.evolve(self, **changes))


def text(address: bytes) -> str:
    """Write an address in its usual form."""
    return socket.inet_ntop(socket.AF_INET if len(address) == 4 else socket.AF_INET6, address)


def parse(raw: bytes) -> Packet | None:
    """Read one IP packet; None for what is no whole IP packet."""
    if len(raw) < 20:
        return None
    if raw[0] >> 4 == 4:
        head = (raw[0] & 15) * 4
        size, ip_id, fragment = struct.unpack_from("!HHH", raw, 2)
        raw = raw[:size]
        packet = Packet(raw, 4, raw[12:16], raw[16:20], raw[9], raw[8], ip_id, bool(fragment & 0x4000))
        if fragment & 0x1FFF:
            return packet
    elif raw[0] >> 4 == 6 and len(raw) >= 40:
        head = 40
        raw = raw[: 40 + int.from_bytes(raw[4:6], "big")]
        packet = Packet(raw, 6, raw[8:24], raw[24:40], raw[6], raw[7], 0, True)
    else:
        return None
    if packet.protocol == TCP and len(raw) >= head + 20:
        packet.sport, packet.dport, packet.seq, packet.ack, offset, packet.flags, packet.window = struct.unpack_from(
            "!HHIIBBH", raw, head
        )
        data = head + (offset >> 4) * 4
        packet.options, packet.payload = raw[head + 20 : data], raw[data:]
    elif packet.protocol == UDP and len(raw) >= head + 8:
        packet.sport, packet.dport = struct.unpack_from("!HH", raw, head)
        packet.payload = raw[head + 8 :]
    else:
        packet.payload = raw[head:]
    return packet


def checksum(data: bytes) -> int:
    """Compute the Internet checksum (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data[: len(data) & ~1]))
    if len(data) & 1:
        total += data[-1] << 8
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def lowered(raw: bytes, hops: int) -> bytes:
    """Take *hops* from the hop count of a packet; empty bytes when it dies on the way."""
    place = 8 if raw[0] >> 4 == 4 else 7
    if raw[place] <= hops:
        return b""
    if not hops:
        return raw
    changed = bytearray(raw)
    changed[place] -= hops
    if place == 8:
        head = (raw[0] & 15) * 4
        changed[10:12] = b"\0\0"
        changed[10:12] = checksum(bytes(changed[:head])).to_bytes(2, "big")
    return bytes(changed)


def enveloped(packet: Packet, body: bytes, protocol: int) -> bytes:
    """Put an IP header before *body*."""
    if packet.version == 6:
        start = struct.pack("!IHBB", 0x60000000, len(body), protocol, packet.ttl)
        return start + packet.source + packet.destination + body
    fragment = 0x4000 if packet.dont_fragment else 0
    start = struct.pack("!BBHHHBB", 0x45, 0, 20 + len(body), packet.ip_id, fragment, packet.ttl, protocol)
    ends = packet.source + packet.destination
    return start + checksum(start + ends).to_bytes(2, "big") + ends + body


def pseudo(packet: Packet, size: int, protocol: int) -> bytes:
    """Give the pseudo header that checksums cover (RFC 9293 section 3.1, RFC 8200 section 8.1)."""
    if packet.version == 6:
        return packet.source + packet.destination + struct.pack("!II", size, protocol)
    return packet.source + packet.destination + struct.pack("!BBH", 0, protocol, size)


def segment(packet: Packet) -> bytes:
    """Make the bytes of a TCP segment from its fields, checksums right."""
    options = packet.options + b"\0" * (-len(packet.options) % 4)
    head = struct.pack(
        "!HHIIBBHHH", packet.sport, packet.dport, packet.seq, packet.ack, (5 + len(options) // 4) << 4, packet.flags,
        packet.window, 0, 0,
    )  # fmt: skip
    body = head + options + packet.payload
    value = checksum(pseudo(packet, len(body), TCP) + body)
    return enveloped(packet, body[:16] + value.to_bytes(2, "big") + body[18:], TCP)


def datagram(packet: Packet) -> bytes:
    """Make the bytes of a UDP datagram from its fields, checksums right."""
    body = struct.pack("!HHHH", packet.sport, packet.dport, 8 + len(packet.payload), 0) + packet.payload
    value = checksum(pseudo(packet, len(body), UDP) + body) or 0xFFFF
    return enveloped(packet, body[:6] + value.to_bytes(2, "big") + body[8:], UDP)


def timestamps(options: bytes) -> tuple[int, int] | None:
    """Find the timestamps option (RFC 7323) in TCP options."""
    place = 0
    while place + 1 < len(options) and options[place] != 0:
        if options[place] == 1:
            place += 1
            continue
        if options[place] == 8 and place + 10 <= len(options):
            value, echo = struct.unpack_from("!II", options, place + 2)
            return value, echo
        place += max(options[place + 1], 2)
    return None


def frames(path: Path) -> Iterator[tuple[float, Packet | None]]:
    """Read the Ethernet frames of a pcap file: seconds and the IP packet in each (None for others)."""
    data = path.read_bytes()
    order = "<" if int.from_bytes(data[:4], "little") in (NANO, MICRO) else ">"
    unit = 1e-9 if struct.unpack_from(order + "I", data)[0] == NANO else 1e-6
    place = 24
    while place + 16 <= len(data):
        seconds, part, size, _ = struct.unpack_from(order + "IIII", data, place)
        place += 16
        yield seconds + part * unit, parse(data[place + ETHERNET : place + size])
        place += size
