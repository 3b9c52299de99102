"""Devices near servers that speak when all is said, and stacks that mark data only: their headers differ harmlessly."""

import attrs

from netinterf.simulate.network.firewall import ResetLook, refusal
from netinterf.simulate.network.packet import FIN, RST, Packet
from netinterf.simulate.network.path import Onward, World
from netinterf.values import define, frozen

__all__ = ["DataMarker", "IdleCloser", "LateGuard"]


@define(eq=False)
class LateGuard:
    """Saw a server close, and answers each segment with data that still comes with a reset.

    It makes each from the segment before it, whose window it leaves as it is.
    """

    look: ResetLook
    closed: set[int] = attrs.field(factory=set)  # conversations

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Let everything pass until the server has closed."""
        if not outbound and packet.flags & (FIN | RST):
            self.closed.add(packet.subject)
        if not outbound or packet.subject not in self.closed or not packet.payload:
            return [(0, outbound, packet)]
        look = attrs.evolve(self.look, window=packet.window)
        return [(0, False, reset) for reset in refusal(packet, look)]


@define(eq=False)
class IdleCloser:
    """A front end that ends idle connections itself, from another hop than the server behind it."""

    world: World
    ttl: int
    after: float  # ns without a packet of the conversation
    last: dict[int, int] = attrs.field(factory=dict)

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Write the server's ends that come after a pause anew."""
        now = self.world.now
        quiet = now - self.last.get(packet.subject, now)
        self.last[packet.subject] = now
        ends = not outbound and packet.flags & (FIN | RST) and not packet.payload
        return [(0, outbound, packet.copy(ttl=self.ttl) if ends and quiet >= self.after else packet)]


@frozen
class DataMarker:
    """A server that asks the path for its width with data only: its other packets may be fragmented."""

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Take the don't-fragment flag from what holds no data."""
        bare = not outbound and not packet.payload
        return [(0, outbound, packet.copy(ip_flags=packet.ip_flags & ~2) if bare else packet)]
