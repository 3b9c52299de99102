"""What provokes a box that silences: names in hellos and requests, versions, protocols it does not know.

A matcher is asked about every packet with payload that a client sends, together with what was heard of that client
before. It answers whether that packet completes the offence.
"""

from collections.abc import Callable

import attrs

from netinterf.protocols.quic_initial import read_initial
from netinterf.simulate.boxes.classes import Flow
from netinterf.simulate.encode import TCP, UDP
from netinterf.simulate.messages.hellos import read_name
from netinterf.simulate.network.packet import Address, Packet
from netinterf.values import define

__all__ = [
    "ClientStream",
    "Matcher",
    "fully_encrypted",
    "hello_names",
    "hosts",
    "looks_encrypted",
    "opens_with",
    "quic_names",
    "quic_version",
    "speaks_to",
    "too_many_hellos",
    "unknown_protocol",
    "unlisted",
]  # fmt: skip

KEPT = 8192
"""Bytes of a client's stream that a box keeps; no known one needs more than the first flight."""


@define(eq=False)
class ClientStream:
    """What a box heard one client say on one flow."""

    base: int = -1  # sequence number of the first byte of the stream
    data: bytearray = attrs.field(factory=bytearray)  # the stream as far as it is whole
    early: dict[int, bytes] = attrs.field(factory=dict)  # segments beyond it, by offset
    packets: int = 0  # packets with payload
    crypto: bytearray = attrs.field(factory=bytearray)  # TLS messages of QUIC Initials
    match_range: tuple[int, int] | None = None  # the bytes of the stream that completed the offence
    acts: bool = False  # whether the box chose to act on it

    def hear(self, packet: Packet) -> tuple[int, int]:
        """Take in a packet with payload; give the range of the stream it carries."""
        self.packets += 1
        if packet.protocol != TCP:
            return self.packets - 1, self.packets
        if self.base < 0:
            self.base = packet.seq
        low = (packet.seq - self.base) % 2**32
        if low < KEPT:
            self.early[low] = packet.payload
        while (ready := next((at for at in sorted(self.early) if at <= len(self.data)), None)) is not None:
            part = self.early.pop(ready)
            self.data += part[len(self.data) - ready :]
        return low, low + len(packet.payload)


Matcher = Callable[[Packet, ClientStream], bool]


def hello_names(
    names: frozenset[str], *, whole: bool = False, joined: bool = True, needs: frozenset[int] = frozenset()
) -> Matcher:
    """Look for names in ClientHellos.

    Args:
        names: Listed names; none stand for any name.
        whole: The hello must be there to its end: otherwise the bytes of the name suffice.
        joined: The box reassembles segments; without, name and record header must be in one.
        needs: Types of extensions that must be there too (ECH, ESNI).
    """

    def matches(packet: Packet, stream: ClientStream) -> bool:
        data = bytes(stream.data) if joined else packet.payload
        if data[:1] != b"\x16":
            return False
        name, size, kinds = read_name(data[5:])
        listed = name in names if names else size > 0
        return listed and kinds >= needs and (not whole or len(data) >= 5 + size)

    return matches


def unlisted(names: frozenset[str]) -> Matcher:
    """Take offence at ClientHellos whose name is not on the list of those allowed."""
    return lambda _, stream: (
        stream.data[:1] == b"\x16" and (name := read_name(bytes(stream.data[5:]))[0]) != "" and (name not in names)
    )


def hosts(names: frozenset[str]) -> Matcher:
    """Look for names in the Host header of HTTP requests (RFC 9112 §3.2)."""
    wanted = [f"\r\nhost: {name}\r\n".encode() for name in names]
    return lambda _, stream: any(line in bytes(stream.data).lower() for line in wanted)


def opens_with(*starts: bytes) -> Matcher:
    """Look for how protocols begin."""
    return lambda _, stream: bytes(stream.data[:64]).startswith(starts)


def speaks_to(servers: frozenset[Address]) -> Matcher:
    """Take offence at whatever clients say to some addresses once connected."""
    return lambda packet, _: packet.destination in servers


def too_many_hellos(limit: int, memory: float, now: Callable[[], int]) -> Matcher:
    """Count ClientHellos by client, server and name; those beyond *limit* within *memory* ns are too many."""
    seen: dict[tuple[Address, Address, str], list[int]] = {}
    counted: set[Flow] = set()

    def matches(packet: Packet, stream: ClientStream) -> bool:
        name, size, _ = read_name(bytes(stream.data[5:]))
        flow = (packet.source, packet.sport, packet.destination, packet.dport)
        if size == 0 or not name or flow in counted:
            return False
        counted.add(flow)
        times = seen.setdefault((packet.source, packet.destination, name), [])
        times[:] = [*(time for time in times if now() - time < memory), now()]
        return len(times) > limit

    return matches


# --- protocols ---


def known_protocol(payload: bytes, port: int) -> bool:
    """Say whether a packet begins as Iran's filter of 2020 wanted it (Bock et al., FOCI 2020): DNS, HTTP or TLS."""
    methods = (b"GET ", b"POST ", b"HEAD ", b"CONNECT ", b"OPTIONS ", b"DELETE ", b"PUT ")
    if len(payload) >= 8 and payload.startswith(methods):
        return True
    if payload[:2] == b"\x16\x03" and 1 <= payload[2] <= 3:
        return True
    return port == 53 and len(payload) > 14 and int.from_bytes(payload[:2], "big") == len(payload) - 2


def unknown_protocol(ports: frozenset[int], *, looks: int = 2, servers: frozenset[Address] = frozenset()) -> Matcher:
    """Take offence when the first packets of a client fit no known protocol.

    Args:
        ports: Server ports that are watched; none stand for all.
        looks: How many packets with payload are looked at before the box makes up its mind.
        servers: Addresses that are watched; none stand for all.
    """
    unknown: dict[Flow, int] = {}

    def matches(packet: Packet, stream: ClientStream) -> bool:
        watched = (not ports or packet.dport in ports) and (not servers or packet.destination in servers)
        if not watched or packet.protocol != TCP or stream.packets > looks:
            return False
        flow = (packet.source, packet.sport, packet.destination, packet.dport)
        if known_protocol(packet.payload, packet.dport):
            unknown[flow] = -looks
        unknown[flow] = unknown.get(flow, 0) + 1
        return unknown[flow] == looks

    return matches


def looks_encrypted(payload: bytes) -> bool:
    """Say whether a first packet matches the heuristic of the GFW (Wu et al., USENIX Security 2023, Algorithm 1)."""
    size = len(payload)
    bits = sum(byte.bit_count() for byte in payload) / max(1, size)
    printable = [0x20 <= byte <= 0x7E for byte in payload]
    longest = run = 0
    for good in printable:
        run = run + 1 if good else 0
        longest = max(longest, run)
    exempt = (
        bits <= 3.4 or bits >= 4.6 or all(printable[:6]) or 2 * sum(printable) > size or longest > 20
        or (payload[0] in b"\x16\x17" and payload[1] == 3 and payload[2] <= 9)
        or payload.startswith((b"GET ", b"PUT ", b"POST ", b"HEAD "))
    )  # fmt: skip
    return size > 2 and not exempt


def fully_encrypted(packet: Packet, stream: ClientStream) -> bool:
    """Take offence at first packets that look like nothing but noise."""
    return packet.protocol == TCP and stream.packets == 1 and looks_encrypted(packet.payload)


# --- QUIC ---


def quic_version(versions: frozenset[int], *, least: int = 0) -> Matcher:
    """Take offence at long headers of some versions in datagrams of *least* bytes to port 443 (Xue et al. 2022)."""

    def matches(packet: Packet, _: ClientStream) -> bool:
        payload = packet.payload
        long = packet.protocol == UDP and len(payload) >= max(least, 7) and payload[0] & 0xC0 == 0xC0
        return long and packet.dport == 443 and int.from_bytes(payload[1:5], "big") in versions

    return matches


def quic_names(
    names: frozenset[str], versions: frozenset[int], *, joined: bool, upward: bool, needs: frozenset[int] = frozenset()
) -> Matcher:
    """Decrypt Initials and look for names.

    Args:
        names: Listed names.
        versions: Versions the box can decrypt.
        joined: It puts CRYPTO frames of several datagrams together; without, only the first datagram of a flow counts.
        upward: It looks only where the client's port is above the server's (Zohaib et al., USENIX Security 2025).
        needs: Types of extensions that must be there too.
    """

    def matches(packet: Packet, stream: ClientStream) -> bool:
        skipped = (upward and packet.sport <= packet.dport) or (not joined and stream.packets > 1)
        if packet.protocol != UDP or skipped:
            return False
        version, frames = read_initial(packet.payload)
        if version not in versions:
            return False
        for offset, part in sorted(frames):
            if offset <= len(stream.crypto):
                stream.crypto[offset : offset + len(part)] = part
        name, _, kinds = read_name(bytes(stream.crypto))
        return name in names and kinds >= needs

    return matches
