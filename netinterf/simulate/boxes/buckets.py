"""Rate limits: a token bucket that drops, and a queue that delays."""

from collections.abc import Callable

import attrs

from netinterf.simulate.network.packet import Packet
from netinterf.simulate.network.path import Onward, World

__all__ = ["Policer", "Shaper"]


@attrs.define
class Policer:
    """A token bucket without a queue: what finds no tokens is dropped (RFC 2697 without colours)."""

    world: World
    rate: float  # bit/s, counting Ethernet bytes
    bucket: float  # bytes
    applies: Callable[[Packet], bool]
    level: float = attrs.field(init=False)
    time: int = attrs.field(init=False)
    dropped: int = 0

    def __attrs_post_init__(self) -> None:
        self.level, self.time = self.bucket, self.world.now

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Let downstream packets pass while there are tokens."""
        if outbound or not self.applies(packet):
            return [(0, outbound, packet)]
        gained = (self.world.now - self.time) * self.rate / 8e9
        self.level, self.time = min(self.bucket, self.level + gained), self.world.now
        size = packet.size + 14
        if self.level < size:
            self.dropped += 1
            self.world.note(packet, "rate.policing")
            return []
        self.level -= size
        return [(0, outbound, packet)]


@attrs.define
class Shaper:
    """A queue in front of a slower link, drop-tail: what a shaper or any bottleneck looks like."""

    world: World
    rate: float  # bit/s
    limit: float  # bytes
    free: int = 0  # when the queue will be empty
    dropped: int = 0

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Delay downstream packets by the queue before them; drop them when it is full."""
        if outbound:
            return [(0, outbound, packet)]
        now = self.world.now
        begin = max(now, self.free)
        if (begin - now) * self.rate / 8e9 > self.limit:
            self.dropped += 1
            return []
        self.free = begin + int((packet.size + 14) * 8e9 / self.rate)
        return [(self.free - now, outbound, packet)]
