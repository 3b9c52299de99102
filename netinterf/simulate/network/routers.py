"""Routers that say something: a hop limit was spent, or a packet cannot be delivered."""

from netinterf.simulate.encode import UDP
from netinterf.simulate.messages.icmp import error
from netinterf.simulate.network.packet import Address, Packet
from netinterf.simulate.network.path import Onward
from netinterf.values import define

__all__ = ["NoUdp", "Refuses", "Routers"]


@define(eq=False)
class Routers:
    """A row of routers; those that find a packet's hop limit spent say so (RFC 792, RFC 4443)."""

    addresses: list[Address]
    gap: int  # ns from one to the next
    deaf: frozenset[int] = frozenset()  # those that never say anything

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Let the packet pass as far as it may go."""
        count = len(self.addresses)
        if packet.ttl > count:
            return [(count * self.gap, outbound, packet.copy(ttl=packet.ttl - count))]
        if packet.ttl in self.deaf or not outbound:
            return []
        message = error(packet, self.addresses[packet.ttl - 1], "expired", ttl=255 - packet.ttl)
        return [(2 * packet.ttl * self.gap, False, message)]


@define(eq=False)
class Refuses:
    """A router or host that answers openings with ICMP: no such host or port, or prohibited (RFC 792, RFC 4443)."""

    router: Address
    kind: str  # host, port or prohibited
    delay: float = 0.0  # ns: it asked for the host's hardware address in vain
    ttl: int = 64

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Answer what goes out."""
        if not outbound:
            return [(0, outbound, packet)]
        return [(int(self.delay), False, error(packet, self.router, self.kind, ttl=self.ttl))]


@define(eq=False)
class NoUdp:
    """A network that lets no UDP out to port 443, for whatever name, server or version."""

    says: Refuses | None = None  # it tells hosts so

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Drop or refuse QUIC, pass the rest."""
        if packet.protocol != UDP:
            return [(0, outbound, packet)]
        return self.says.cross(packet, outbound) if self.says and outbound else []
