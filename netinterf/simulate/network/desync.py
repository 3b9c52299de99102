"""What circumvention tools put on the wire beside a client's own packets: decoys meant for boxes on the path.

The forms are those of Geneva (Bock et al., CCS 2019) and of tools such as zapret, GoodbyeDPI and byedpi: copies of the
first data with other bytes that die before the server or that it must refuse (wrong sum, number, signature, or no ACK
flag), resets of that kind, and split segments.
"""

import attrs

from netinterf.simulate.encode import WRONG
from netinterf.simulate.network.packet import ACK, PSH, RST, SYN, Packet
from netinterf.simulate.network.path import Onward, World
from netinterf.values import define

__all__ = ["FORMS", "Desync", "Strict"]

FORMS = ("short-lived", "bad-sum", "signed", "numbered", "flagless", "reset", "bad-reset", "split", "swapped")
SIGNATURE = b"\x01\x01\x13\x12"
"""Two fillers and the head of an MD5 signature (RFC 2385 §3), which hosts without a shared key refuse."""

BEHIND = 10_000
"""By how many bytes decoys lie before what the server awaits (GoodbyeDPI --wrong-seq, zapret badseq): it drops them."""


@define(eq=False)
class Desync:
    """Sits in the client's host; acts on the first data of each connection."""

    world: World
    form: str  # one of FORMS
    decoy: bytes  # what stands in the place of the real bytes
    ttl: int = 3  # of decoys that shall not arrive
    copies: int = 1
    cut: int = 2  # bytes of the first piece when the data is split
    done: set[int] = attrs.field(factory=set)

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Add decoys to the first data."""
        if not outbound or not packet.payload or packet.subject in self.done:
            return [(0, outbound, packet)]
        self.done.add(packet.subject)
        if self.form in ("split", "swapped"):
            first = packet.copy(payload=packet.payload[: self.cut], flags=packet.flags & ~PSH)
            rest = packet.copy(payload=packet.payload[self.cut :], seq=(packet.seq + self.cut) % 2**32)
            pieces = [first, rest] if self.form == "split" else [rest, first]
            return [(order * 20_000, True, piece) for order, piece in enumerate(pieces)]
        decoys = [self.made(packet) for _ in range(self.copies)]
        return [*((order * 15_000, True, decoy) for order, decoy in enumerate(decoys)), (50_000, True, packet)]

    def made(self, packet: Packet) -> Packet:
        """Make one decoy."""
        payload = (self.decoy * (1 + len(packet.payload) // len(self.decoy)))[: len(packet.payload)]
        match self.form:
            case "short-lived":
                return packet.copy(payload=payload, ttl=self.ttl)
            case "bad-sum":
                return packet.copy(payload=payload, ip_flags=packet.ip_flags | WRONG)
            case "signed":
                digest = self.world.chance.randbytes(16)
                return packet.copy(payload=payload, options=packet.options + SIGNATURE + digest)
            case "numbered":
                return packet.copy(
                    payload=payload, seq=(packet.seq - BEHIND) % 2**32, ack=(packet.ack - 66_000) % 2**32
                )
            case "flagless":
                return packet.copy(payload=payload, flags=packet.flags & ~ACK)
            case "bad-reset":
                return packet.copy(payload=b"", flags=RST, ip_flags=packet.ip_flags | WRONG, options=b"")
            case _:
                return packet.copy(payload=b"", flags=RST | ACK, ttl=self.ttl, options=b"")


@define(eq=False)
class Strict:
    """The layer of a host that refuses what it must not believe.

    That is a wrong checksum, no flag that fits (RFC 9293 §3.10.7.4), or a signature that nobody asked for.
    """

    outbound: bool  # whether the host is the server

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Drop what the host must not believe."""
        bad = bool(packet.ip_flags & WRONG) or SIGNATURE in packet.options or not packet.flags & (SYN | ACK | RST)
        return [] if bad and outbound == self.outbound else [(0, outbound, packet)]
