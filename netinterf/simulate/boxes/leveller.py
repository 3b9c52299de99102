"""A network that gives every packet that comes in the same hop limit."""

from netinterf.simulate.network.packet import Packet
from netinterf.simulate.network.path import Onward
from netinterf.values import frozen

__all__ = ["Leveller"]


@frozen
class Leveller:
    """Sets the hop limit of inbound packets to one value, as some cloud networks do: it then tells nothing."""

    ttl: int

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Let the packet pass."""
        return [(0, outbound, packet if outbound else packet.copy(ttl=self.ttl))]
