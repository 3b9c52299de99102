"""Routes that change, split and loop: other hop counts, other delays, the same packet again and again."""

import attrs

from netinterf.simulate.network.packet import Packet
from netinterf.simulate.network.path import Onward, World
from netinterf.values import define

__all__ = ["Ecmp", "Loop", "Reroute"]


@define(eq=False)
class Reroute:
    """From some moment on packets take another way: more or fewer hops, more delay; per direction."""

    world: World
    time: int  # ns since 1970
    hops: tuple[int, int] = (0, 0)  # further hops inbound, outbound
    delay: tuple[int, int] = (0, 0)  # further ns inbound, outbound
    until: int = 1 << 62  # when the old way comes back

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Send the packet the way that holds now."""
        if not self.time <= self.world.now < self.until:
            return [(0, outbound, packet)]
        ttl = min(255, packet.ttl - self.hops[outbound])
        return [(self.delay[outbound], outbound, packet.copy(ttl=ttl))] if ttl > 0 else []


@define(eq=False)
class Ecmp:
    """Equal-cost ways of different length: each flow, or each packet, takes one of them."""

    world: World
    ways: tuple[int, ...]  # further hops of each way
    per_packet: bool = False
    salt: int = 0

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Send the packet one of the ways."""
        flow = packet.sport * 40_503 + packet.dport * 2_654_435_761 + self.salt + outbound
        pick = self.world.chance.getrandbits(16) if self.per_packet else flow >> 4
        return [(0, outbound, packet.copy(ttl=max(1, packet.ttl - self.ways[pick % len(self.ways)])))]


@define(eq=False)
class Loop:
    """Some packets circle between routers until their hop limit is spent, so a tap on the circle sees them many times.

    It stands on both sides of the tap: before it the copies begin, behind it they end.
    """

    world: World
    share: float  # of the packets that circle before they find out
    rounds: int  # most times that one comes by
    lap: int  # ns a round takes
    met: dict[int, Packet] = attrs.field(factory=dict)  # by identity; held, so that no other gets the same one
    copies: set[int] = attrs.field(factory=set)

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Begin circles, end copies, pass what went round."""
        mark = id(packet)
        if mark in self.met:
            return [] if mark in self.copies else [(0, outbound, packet)]
        self.met[mark] = packet
        if self.world.chance.random() >= self.share:
            return [(0, outbound, packet)]
        made: list[Onward] = []
        for turn in range(min(self.rounds, (packet.ttl - 25) // 2)):
            copy = packet.copy(ttl=packet.ttl - 2 * turn)
            self.met[id(copy)] = copy
            self.copies.add(id(copy))
            made.append((turn * self.lap, outbound, copy))
        rest = packet.copy(ttl=packet.ttl - 2 * len(made))
        self.met[id(rest)] = rest
        return [*made, (len(made) * self.lap, outbound, rest)]
