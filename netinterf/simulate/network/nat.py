"""Address translators and boxes that tidy headers: what leaves them is not what the host sent, and nobody is harmed."""

from struct import pack, unpack

import attrs

from netinterf.simulate.encode import TCP
from netinterf.simulate.hosts.stack import Identifiers
from netinterf.simulate.network.packet import SYN, Address, Packet
from netinterf.simulate.network.path import Onward, World
from netinterf.values import define

__all__ = ["Normalizer", "Rebinding", "Translator", "join_options", "split_options"]


def split_options(options: bytes) -> list[tuple[int, bytes]]:
    """Take well-formed TCP options apart: kind and body of each, fillers left out."""
    parts, at = list[tuple[int, bytes]](), 0
    while at < len(options) and options[at]:
        size = 1 if options[at] == 1 else options[at + 1]
        if size > 1:
            parts.append((options[at], options[at + 2 : at + size]))
        at += size
    return parts


def join_options(parts: list[tuple[int, bytes]]) -> bytes:
    """Put TCP options together, fillers in front, to a multiple of four bytes."""
    out = b"".join(bytes([kind, len(body) + 2]) + body for kind, body in parts)
    return b"\x01" * (-len(out) % 4) + out


@define(eq=False)
class Translator:
    """Gives the clients behind it one address and other ports (RFC 5382), as home gateways and carriers do."""

    world: World
    public: Address
    keeps_port: bool = False
    ports: dict[tuple[Address, int, Address, int], int] = attrs.field(factory=dict)
    owners: dict[tuple[int, Address, int], tuple[Address, int]] = attrs.field(factory=dict)

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Translate a packet; what belongs to no binding comes to nobody."""
        if not outbound:
            owner = self.owners.get((packet.dport, packet.source, packet.sport))
            return [(0, False, packet.copy(destination=owner[0], dport=owner[1]))] if owner else []
        key = (packet.source, packet.sport, packet.destination, packet.dport)
        if key not in self.ports:
            port = packet.sport if self.keeps_port else self.world.chance.randrange(1024, 65_536)
            while (port, *key[2:]) in self.owners:
                port = self.world.chance.randrange(1024, 65_536)
            self.ports[key], self.owners[(port, *key[2:])] = port, key[:2]
        return [(0, True, packet.copy(source=self.public, sport=self.ports[key]))]


@define(eq=False)
class Rebinding:
    """A translator that gives a quiet UDP flow another port (RFC 4787 §4.3: after two minutes or less)."""

    world: World
    idle: float  # ns
    public: Address
    last: dict[int, tuple[int, int]] = attrs.field(factory=dict)  # time and public port of each conversation
    owners: dict[int, tuple[Address, int]] = attrs.field(factory=dict)

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Translate; what comes for a port that it took back comes to nobody."""
        now, chance = self.world.now, self.world.chance
        seen, port = self.last.get(packet.subject, (now, chance.randrange(1024, 65_536)))
        if outbound:
            port = port if now - seen < self.idle else chance.randrange(1024, 65_536)
            self.last[packet.subject], self.owners[packet.subject] = (now, port), (packet.source, packet.sport)
            return [(0, True, packet.copy(source=self.public, sport=port))]
        if packet.destination != self.public:
            return [(0, False, packet)]  # from a server that knows its client whatever the port
        if packet.dport != port:
            return []
        address, own = self.owners[packet.subject]
        return [(0, False, packet.copy(destination=address, dport=own))]


@define(eq=False)
class Normalizer:
    """Rewrites headers of all packets alike, as normalizers do (Handley, Paxson, Kreibich, USENIX Security 2001)."""

    world: World
    strips: frozenset[int] = frozenset()  # kinds of TCP options
    syn_only: bool = False  # strips them from SYNs only
    ttl: int = 0  # hop limit that every packet leaves with; 0 keeps
    tos: int = -1
    clamp: int = 0  # largest MSS it lets hosts announce; 0 keeps
    dont_fragment: bool | None = None
    shift: int = 0  # added to the timestamps of clients
    identifiers: Identifiers | None = None  # IPv4 identifications of its own
    directions: tuple[bool, ...] = (False, True)

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Rewrite a packet."""
        if outbound not in self.directions:
            return [(0, outbound, packet)]
        kept = packet.copy(
            ttl=self.ttl or packet.ttl,
            tos=packet.tos if self.tos < 0 else self.tos,
            ip_flags=packet.ip_flags if self.dont_fragment is None else 2 * self.dont_fragment,
            ip_id=self.identifiers.take() if self.identifiers else packet.ip_id,
            options=self.rewritten(packet, outbound) if packet.protocol == TCP else packet.options,
        )
        return [(0, outbound, kept)]

    def rewritten(self, packet: Packet, outbound: bool) -> bytes:
        """Rewrite the options of a segment."""
        strips = self.strips if packet.flags & SYN or not self.syn_only else frozenset()
        if not (strips or self.clamp or self.shift):
            return packet.options
        parts = []
        for kind, body in split_options(packet.options):
            if kind in strips:
                continue
            content = body
            if kind == 2 and self.clamp:
                content = pack("!H", min(self.clamp, *unpack("!H", body)))
            elif kind == 8 and self.shift:
                value, echo = unpack("!II", body)
                moved = ((value + self.shift) % 2**32, echo) if outbound else (value, (echo - self.shift) % 2**32)
                content = pack("!II", *moved)
            parts.append((kind, content))
        return join_options(parts)
