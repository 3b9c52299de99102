"""Network address translation in the box (RFC 4787, RFC 5382): one public address for the client."""

import socket
from typing import Any

import attrs

from benchmarks.lab.wire import RST, TCP, UDP, Packet, parse, text

__all__ = ["Nat"]


def packed(address: str) -> bytes:
    """Give the bytes of an address."""
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


@attrs.define(kw_only=True)
class Nat:
    """Rewrites client addresses and ports; forgets connections that were idle too long."""

    outside: dict[str, str]  # inner address: public address
    first_port: int = 20_000
    idle: float = 0.0  # seconds until a mapping is forgotten (0: never)
    by_inside: dict[tuple[bytes, int, int], tuple[bytes, int]] = attrs.field(factory=dict)
    by_outside: dict[tuple[bytes, int, int], tuple[bytes, int]] = attrs.field(factory=dict)
    used: dict[tuple[bytes, int, int], float] = attrs.field(factory=dict)
    told: list[dict[str, Any]] = attrs.field(factory=list)

    def outward(self, packet: Packet, now: float) -> Packet:
        """Give a packet of the client its public address."""
        if packet.protocol not in (TCP, UDP) or text(packet.source) not in self.outside:
            return packet
        inside = (packet.source, packet.sport, packet.protocol)
        if inside not in self.by_inside or self.stale(self.by_inside[inside], packet.protocol, now):
            public = (packed(self.outside[text(packet.source)]), self.first_port + len(self.by_outside))
            self.by_inside[inside] = public
            self.by_outside[*public, packet.protocol] = (packet.source, packet.sport)
            self.told.append({"what": "nat", "inside": [text(packet.source), packet.sport],
                              "outside": [text(public[0]), public[1]], "protocol": packet.protocol})  # fmt: skip
        public = self.by_inside[inside]
        self.used[*public, packet.protocol] = now
        return readdressed(packet, source=public[0], sport=public[1])

    def inward(self, packet: Packet, now: float) -> Packet | None:
        """Bring a packet to the client; None when no mapping is known for it."""
        if packet.protocol not in (TCP, UDP):
            return packet
        public = (packet.destination, packet.dport)
        inside = self.by_outside.get((*public, packet.protocol))
        if inside is None or self.stale(public, packet.protocol, now):
            return None
        if not packet.flags & RST:
            self.used[*public, packet.protocol] = now
        return readdressed(packet, destination=inside[0], dport=inside[1])

    def stale(self, public: tuple[bytes, int], protocol: int, now: float) -> bool:
        """Say whether a mapping has been idle for too long."""
        return bool(self.idle) and now - self.used.get((*public, protocol), now) > self.idle

    def news(self) -> list[dict[str, Any]]:
        """Give log lines for mappings made since the last call."""
        told, self.told = self.told, []
        return told


def readdressed(packet: Packet, **changes: Any) -> Packet:
    """Change addresses and ports of a packet, with right checksums."""
    changed = parse(packet.rebuilt(**changes))
    if changed is None:
        raise ValueError("a rebuilt packet must be readable")
    return attrs.evolve(changed, seen=packet.seen, note=packet.note)
