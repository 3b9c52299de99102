"""Rate limits of middleboxes for a class of traffic: a bucket that drops, a queue that delays, a share that is lost.

They may keep one bucket for everything, for a client, for a pair of hosts, or for a flow, and may act on one direction,
on both, or on bare acknowledgements. Without a mechanism they limit a whole line, as plans do: nobody is accused.
"""

from math import pi, sin
from typing import Any

import attrs

from netinterf.simulate.boxes.classes import TrafficClass, flow_of
from netinterf.simulate.network.packet import Packet
from netinterf.simulate.network.path import Onward, World
from netinterf.simulate.network.queues import Link
from netinterf.values import define

__all__ = ["Degrader", "Policer", "Shaper"]

FRAME = 14
"""Bytes of an Ethernet header; carriers' policers count frames (Flach et al. 2016, see the reported rates)."""


@define(eq=False, kw_only=True)
class Limiter:
    """What all kinds of limit have in common."""

    world: World
    traffic: TrafficClass = attrs.field(factory=TrafficClass)
    per: str = "link"  # link, client, pair or flow: what shares a bucket
    way: str = "down"  # down, up, both or acks (bare acknowledgements of the client)
    mechanism: str = ""  # how the verdict format calls it; "" when it is no interference

    def acts(self, packet: Packet, outbound: bool) -> bool:
        """Say whether the packet is one to limit."""
        mine = self.traffic.holds(packet, outbound)
        if self.way == "acks":
            return mine and outbound and not packet.payload and packet.flags & 7 == 0
        return mine and (self.way == "both" or outbound == (self.way == "up"))

    def key(self, packet: Packet, outbound: bool) -> tuple[Any, ...]:
        """Name the bucket of a packet; directions never share one."""
        flow = flow_of(packet, outbound)
        shared = {"link": (), "client": flow[:1], "pair": (flow[0], flow[2]), "flow": flow}
        return (outbound, *shared[self.per])

    def tell(self, packet: Packet, outbound: bool) -> None:
        """Note the interference, if it is one."""
        if self.mechanism:
            self.world.note(self.traffic.trigger(packet, outbound), self.mechanism)

    def drop(self, packet: Packet, outbound: bool, rate: float, depth: float) -> None:
        """Write a loss down, and that it is interference, if it is."""
        self.world.limited(packet, outbound, rate, depth)
        self.tell(packet, outbound)


@define(eq=False, kw_only=True)
class Policer(Limiter):
    """A token bucket without a queue: what finds no tokens is dropped (RFC 2697 without colours)."""

    rate: float  # bit/s, counting Ethernet bytes
    bucket: float  # bytes
    early: float = 0.0  # below this share of the bucket packets are dropped with growing probability; 0 only when empty
    sway: float = 0.0  # the rate rises and falls by this share
    period: float = 1e10  # ns in which it does
    levels: dict[tuple[Any, ...], tuple[float, int]] = attrs.field(factory=dict)

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Let packets pass while there are tokens."""
        if not self.acts(packet, outbound):
            return [(0, outbound, packet)]
        now, key = self.world.now, self.key(packet, outbound)
        level, before = self.levels.get(key, (self.bucket, now))
        rate = self.rate * (1 + self.sway * sin(2 * pi * now / self.period)) if self.sway else self.rate
        level = min(self.bucket, level + (now - before) * rate / 8e9)
        size = packet.size + FRAME
        low = self.early * self.bucket
        if level < size or (level < low and self.world.chance.random() > level / low):
            self.levels[key] = level, now
            self.drop(packet, outbound, self.rate, self.bucket)
            return []
        self.levels[key] = level - size, now
        return [(0, outbound, packet)]


@define(eq=False, kw_only=True)
class Shaper(Limiter):
    """A queue in front of a slower link, drop-tail, with or without a fast start."""

    rate: float  # bit/s, counting Ethernet bytes
    limit: float  # bytes of queue
    burst: float = 0.0  # bytes that pass at once after idleness
    visible_delay: float = 5e6  # ns of delay from which a flow counts as slowed: below, nothing can be seen
    links: dict[tuple[Any, ...], Link] = attrs.field(factory=dict)

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Delay packets by the queue before them; drop them when it is full."""
        if not self.acts(packet, outbound):
            return [(0, outbound, packet)]
        key = self.key(packet, outbound)
        link = self.links.get(key)
        if link is None:
            link = self.links[key] = Link(self.rate, self.limit, burst=self.burst)
        delay = link.enter(self.world.now, packet, self.world.chance)
        if delay < 0:
            self.drop(packet, outbound, self.rate, self.limit)
            return []
        if delay > self.visible_delay:
            self.tell(packet, outbound)
        return [(delay, outbound, packet)]


@define(eq=False, kw_only=True)
class Degrader(Limiter):
    """Loses a share of the packets at random, whatever their rate, which is the "degradation" of EcoFilter."""

    share: float

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Draw."""
        if not self.acts(packet, outbound) or self.world.chance.random() >= self.share:
            return [(0, outbound, packet)]
        self.drop(packet, outbound, 0.0, 0.0)
        return []
