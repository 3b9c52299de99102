"""Boxes that answer TLS with somebody else's certificate: by ending connections themselves, or by rewriting them."""

from collections.abc import Callable

import attrs

from netinterf.simulate.network.packet import SYN, Packet
from netinterf.simulate.network.path import Onward, Path, World
from netinterf.values import define

__all__ = ["HandshakeMarker", "Rewriter", "halves"]

WORD = "tls.interception"


@define(eq=False, kw_only=True)
class HandshakeMarker:
    """Sits at the door of a proxy that ends connections: marks the false handshake, and says when a client spoke.

    Everything that the proxy sends is its own, but the first bytes of its stream, which hold the handshake, are what
    proves it; those are marked as forged.
    """

    world: World
    outbound: bool  # direction of what the proxy sends through this door
    subject: int
    marked: int  # bytes of the handshake at the beginning of its stream
    heard: Callable[[], None] | None = None  # called once the client has spoken
    base: int = 0

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Let everything pass, marked where it is due."""
        if packet.subject != self.subject:
            return [(0, outbound, packet)]
        if outbound != self.outbound:
            if packet.payload:
                self.world.note(packet, WORD)
                if self.heard is not None:
                    heard, self.heard = self.heard, None
                    heard()
        elif packet.flags & SYN:
            self.base = packet.seq + 1
        elif packet.payload and (packet.seq - self.base) % 2**32 < self.marked:
            return [(0, outbound, packet.copy(forged=WORD))]
        return [(0, outbound, packet)]


def halves(path: Path, box: object) -> tuple[Path, Path]:
    """Cut a path at a station: what is before it, and what is behind it."""
    place = next(at for at, part in enumerate(path.parts) if part is box)
    return Path(path.world, path.parts[:place]), Path(path.world, path.parts[place + 1 :])


@define(eq=False)
class Rewriter:
    """Leaves connections to their ends and replaces bytes in both directions; its packets look like those it changed.

    What is put in has the length of what it replaces, so that sequence numbers stay true.
    """

    world: World
    swaps: dict[tuple[int, bool], bytes] = attrs.field(factory=dict)  # by conversation and direction: the first bytes
    bases: dict[tuple[int, bool], int] = attrs.field(factory=dict)

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Replace the bytes at the beginning of a stream."""
        key = packet.subject, outbound
        if packet.flags & SYN:
            self.bases[key] = packet.seq + 1
        swap = self.swaps.get(key)
        if swap is None or not packet.payload or key not in self.bases:
            return [(0, outbound, packet)]
        offset = (packet.seq - self.bases[key]) % 2**32
        if offset >= len(swap):
            return [(0, outbound, packet)]
        if outbound:
            self.world.note(packet, WORD)
        new = swap[offset : offset + len(packet.payload)]
        return [(0, outbound, packet.copy(payload=new + packet.payload[len(new) :], forged=WORD))]
