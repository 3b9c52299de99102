"""Links that take smaller packets only and say so, so that hosts send again in smaller pieces (RFC 1191, RFC 8201)."""

from netinterf.simulate.messages.icmp import error
from netinterf.simulate.network.packet import Address, Packet
from netinterf.simulate.network.path import Onward
from netinterf.values import define

__all__ = ["NarrowLink"]


@define(eq=False)
class NarrowLink:
    """Drops packets larger than its MTU, and tells their senders."""

    mtu: int  # bytes
    router: Address
    ttl: int = 64

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Let what fits pass."""
        if packet.size <= self.mtu:
            return [(0, outbound, packet)]
        return [(0, not outbound, error(packet, self.router, "size", mtu=self.mtu, ttl=self.ttl))]
