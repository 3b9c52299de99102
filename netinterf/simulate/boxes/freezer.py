"""Freezers: they let a connection begin, count its packets or bytes, and swallow all that follows."""

from collections.abc import Callable

import attrs

from netinterf.simulate.boxes.classes import Flow, TrafficClass, flow_of
from netinterf.simulate.network.packet import SYN, Packet
from netinterf.simulate.network.path import Onward, World
from netinterf.values import define

__all__ = ["Freezer"]


@define(eq=False, kw_only=True)
class Freezer:
    """Counts each connection of a class, and drops it for good once it is over the limit.

    Observers disagree on what is counted: packets of both directions, about 25 of them (dpi-checkers), or about 16 kB
    from the server (Cloudflare 2025-06-26); so both are here.
    """

    world: World
    traffic: TrafficClass
    limit: Callable[[], int]  # draws the limit of a connection: packets or bytes
    unit: str = "packets"  # packets or bytes
    counts: str = "both"  # directions that count: both, down or up
    drops: str = "both"  # directions that vanish: both, down or up
    exempt: TrafficClass | None = None  # connections that survive
    thaw: float = 0.0  # ns after which a frozen connection moves again, for as long as at first; 0 never
    counted: dict[Flow, int] = attrs.field(factory=dict)
    limits: dict[Flow, int] = attrs.field(factory=dict)
    since: dict[Flow, int] = attrs.field(factory=dict)  # when it froze

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Count the packet, and drop it if that is over the limit."""
        spared = self.exempt is not None and self.exempt.holds(packet, outbound)
        if not self.traffic.holds(packet, outbound) or spared:
            return [(0, outbound, packet)]
        flow = flow_of(packet, outbound)
        if flow not in self.limits or packet.flags & 0x12 == SYN:
            self.limits[flow], self.counted[flow] = self.limit(), 0
        if self.thaw and flow in self.since and self.world.now - self.since[flow] > self.thaw:
            self.counted[flow] = 0
            del self.since[flow]
        side = "up" if outbound else "down"
        over = self.counted[flow] >= self.limits[flow]
        if self.counts in ("both", side):
            self.counted[flow] += len(packet.payload) if self.unit == "bytes" else 1
        if over and self.drops in ("both", side):
            self.since.setdefault(flow, self.world.now)
            self.world.note(self.traffic.trigger(packet, outbound), "rate.freeze")
            return []
        return [(0, outbound, packet)]
