"""What ordinary networks do to a transfer that lives: outages, held packets, holes for large packets."""

from collections.abc import Sequence

from netinterf.simulate.encode import UDP
from netinterf.simulate.network.packet import ACK, SYN, Address, Packet
from netinterf.simulate.network.path import MILLISECOND, Onward, World
from netinterf.values import define

__all__ = ["FullBacklog", "MtuHole", "Outage", "PowerSave", "UdpFilter", "UnevenLoss"]


@define(eq=False)
class Outage:
    """Nothing passes in certain windows of time: it is lost, or held and delivered afterwards."""

    world: World
    windows: Sequence[tuple[int, int]]  # ns since 1970, from and until
    hold: bool = False
    servers: frozenset[Address] = frozenset()  # whom it hits; empty: all

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Drop or hold what falls into a window."""
        now = self.world.now
        if self.servers and (packet.destination if outbound else packet.source) not in self.servers:
            return [(0, outbound, packet)]
        for begin, end in self.windows:
            if begin <= now < end:
                return [(end - now, outbound, packet)] if self.hold else []
        return [(0, outbound, packet)]


@define(eq=False)
class PowerSave:
    """A client asleep hears the network at beacons only (IEEE 802.11 power save): it dozes off when it sent nothing."""

    world: World
    beacon: int = 102_400_000  # ns: 100 time units of 1024 us
    awake: int = 50 * MILLISECOND  # after the client's last packet
    active: int = 0
    free: int = 0

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Hold what comes for a client that sleeps until the next beacon."""
        now = self.world.now
        if outbound:
            self.active = now
            return [(0, outbound, packet)]
        leaves = now if now - self.active < self.awake else (now // self.beacon + 1) * self.beacon
        self.free = leaves = max(leaves, self.free)
        return [(leaves - now, outbound, packet)]


@define(eq=False)
class MtuHole:
    """Packets larger than *limit* vanish and nobody says so (RFC 2923 §2.1)."""

    limit: int  # bytes of the IP packet
    way: str = "down"  # down or both

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Drop what is too large."""
        large = packet.size > self.limit and (self.way == "both" or not outbound)
        return [] if large else [(0, outbound, packet)]


@define(eq=False)
class UnevenLoss:
    """Losses that differ by direction, with a delay of acknowledgements where they wait for a slot."""

    world: World
    down: float = 0.0
    up: float = 0.0
    slot: int = 0  # ns: what goes up waits for the next multiple; 0 not
    since: int = 0  # ns since 1970

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Draw."""
        share = self.up if outbound else self.down
        if share and self.world.now >= self.since and self.world.chance.random() < share:
            return []
        wait = self.slot - self.world.now % self.slot if outbound and self.slot else 0
        return [(wait, outbound, packet)]


@define(eq=False)
class FullBacklog:
    """A server under load drops a share of the SYNs that reach it (RFC 4987 §2)."""

    world: World
    share: float

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Drop SYNs at random."""
        opens = packet.flags & (SYN | ACK) == SYN
        return [] if opens and self.world.chance.random() < self.share else [(0, outbound, packet)]


@define(eq=False)
class UdpFilter:
    """A firewall that lets UDP pass to some ports of servers only, as company and guest networks have."""

    ports: frozenset[int] = frozenset({53, 123})

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Drop other datagrams."""
        port = packet.dport if outbound else packet.sport
        return [] if packet.protocol == UDP and port not in self.ports else [(0, outbound, packet)]
