"""The packet that travels through a simulated network, and addresses to give it."""

from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address
from operator import attrgetter
from typing import Any

import numpy as np

from netinterf.simulate.encode import TCP, UDP, Segments, encode
from netinterf.table import Ragged
from netinterf.values import define

__all__ = ["ACK", "FIN", "PSH", "RST", "SYN", "Address", "Packet", "address", "address_text", "segments"]

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10

Address = tuple[int, int]
"""Upper and lower 64 bits of an IPv6 address; IPv4 is IPv4-mapped."""


@define(eq=False)
class Packet:
    """One packet in flight, with the truth about it; all but its hop limit stays as it was sent."""

    source: Address
    destination: Address
    sport: int
    dport: int
    protocol: int = TCP  # 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6 (the whole message is payload)
    ttl: int = 64
    ip_id: int = 0
    ip_flags: int = 2
    tos: int = 0
    seq: int = 0
    ack: int = 0
    flags: int = 0
    window: int = 0
    options: bytes = b""
    payload: bytes = b""
    subject: int = -1  # which conversation of the scenario it belongs to
    forged: str = ""  # mechanism of the verdict format when a middlebox made it

    @property
    def size(self) -> int:
        """Bytes of the IP packet."""
        network = 20 if self.source[0] == 0 else 40
        if self.protocol == TCP:
            return network + 20 + len(self.options) + len(self.payload)
        return network + (8 if self.protocol == UDP else 0) + len(self.payload)

    def quoted(self) -> bytes:
        """Give what an ICMP error quotes: as much as fits into 576 bytes (RFC 1812 §4.3.2.3), 1280 with IPv6."""
        ends = segments([0], [self], [self.ttl], 0, 0, [False])
        return encode(ends).values[14:].tobytes()[: 1280 - 48 if self.source[0] else 576 - 28]

    def copy(self, **changes: Any) -> "Packet":
        """Give a packet that differs in *changes* (spelled out: several times quicker than ``attrs.evolve``)."""
        made = Packet(
            source=self.source, destination=self.destination, sport=self.sport, dport=self.dport,
            protocol=self.protocol, ttl=self.ttl, ip_id=self.ip_id, ip_flags=self.ip_flags, tos=self.tos, seq=self.seq,
            ack=self.ack, flags=self.flags, window=self.window, options=self.options, payload=self.payload,
            subject=self.subject, forged=self.forged,
        )  # fmt: skip
        for name, value in changes.items():
            setattr(made, name, value)
        return made

    def reply(self, **changes: Any) -> "Packet":
        """Turn the packet round: swap addresses and ports, empty it, then apply *changes*."""
        swapped: dict[str, Any] = {
            "source": self.destination,
            "destination": self.source,
            "sport": self.dport,
            "dport": self.sport,
            "options": b"",
            "payload": b"",
        }
        return self.copy(**{**swapped, "forged": "", **changes})


def address(text: str) -> Address:
    """Read an IPv4 or IPv6 address."""
    parsed = ip_address(text)
    if parsed.version == 4:
        return 0, 0xFFFF << 32 | int(parsed)
    return int(parsed) >> 64, int(parsed) & (1 << 64) - 1


def address_text(value: Address) -> str:
    """Write an address the usual way."""
    whole = IPv6Address(value[0] << 64 | value[1])
    return str(whole.ipv4_mapped or whole)


def segments(
    times: Sequence[int],
    packets: Sequence[Packet],
    ttls: Sequence[int],
    gateway: int,
    station: int,
    inbound: Sequence[bool],
) -> Segments:
    """Lay packets out as columns.

    Args:
        times: Capture time of each packet, ns since 1970 UTC.
        packets: The packets, same length.
        ttls: Their hop limits at the tap.
        gateway: Ethernet address of the first router.
        station: Ethernet address of the captured host.
        inbound: Whether a packet came in from the network (those are padded to the Ethernet minimum).
    """
    arrived = np.array(inbound, bool)
    count = len(packets)
    plain = ("protocol", "sport", "dport", "ip_id", "ip_flags", "tos", "seq", "ack", "flags", "window")
    source = np.array(list(map(attrgetter("source"), packets)), np.uint64).reshape(count, 2)
    destination = np.array(list(map(attrgetter("destination"), packets)), np.uint64).reshape(count, 2)
    return Segments.of(
        time=np.array(times, np.int64),
        source_high=source[:, 0],
        source_low=source[:, 1],
        destination_high=destination[:, 0],
        destination_low=destination[:, 1],
        ttl=np.array(ttls, np.uint8),
        mac_source=np.where(arrived, gateway, station).astype(np.uint64),
        mac_destination=np.where(arrived, station, gateway).astype(np.uint64),
        padded=arrived,
        options=joined(list(map(attrgetter("options"), packets))),
        payload=joined(list(map(attrgetter("payload"), packets))),
        **{name: np.fromiter(map(attrgetter(name), packets), np.int64, count) for name in plain},
    )


def joined(parts: Sequence[bytes]) -> Ragged:
    """Lay byte strings out as rows."""
    lengths = np.fromiter(map(len, parts), np.int64, len(parts))
    return Ragged.from_lengths(lengths, np.frombuffer(b"".join(parts), np.uint8))
