"""A tiny event-driven network: an agenda of events, and paths made of legs with stations between them.

A path runs from a client to a server. Its legs delay, lose and order packets; the stations between the legs see every
packet that passes: the tap writes it down, middleboxes drop it, hold it or add packets of their own. Stations may be
shared by many paths, which is how one policer or one injector meets many connections.
"""

import heapq
from collections.abc import Callable
from typing import Protocol

import attrs
import numpy as np

from netinterf.simulate.packet import Address, Packet

__all__ = ["EPOCH", "MILLISECOND", "SECOND", "Leg", "Onward", "Path", "Station", "Tap", "World"]

MILLISECOND = 1_000_000
SECOND = 1_000_000_000
EPOCH = 1_735_689_600 * SECOND
"""Where simulated clocks begin: 2025-01-01 UTC; scenarios move it by a random offset."""


@attrs.define
class World:
    """The clock, the agenda and the source of chance of one simulation."""

    rng: np.random.Generator
    now: int = EPOCH
    agenda: list[tuple[int, int, Callable[[], None]]] = attrs.field(factory=list)
    counter: int = 0

    def after(self, delay: float, action: Callable[[], None]) -> None:
        """Put *action* on the agenda, *delay* nanoseconds from now; equal times keep their order."""
        self.counter += 1
        heapq.heappush(self.agenda, (self.now + max(0, int(delay)), self.counter, action))

    def run(self, events: int = 2_000_000) -> None:
        """Do what is on the agenda until it is empty, at most *events* things."""
        while self.agenda and events > 0:
            self.now, _, action = heapq.heappop(self.agenda)
            action()
            events -= 1


Onward = tuple[int, bool, Packet]
"""What leaves a station: after how many nanoseconds, whether towards the server, and the packet."""


class Station(Protocol):
    """Something between two legs of a path."""

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Let *packet* pass: return it, possibly delayed or changed, with any packets of one's own; or drop it."""
        ...


@attrs.define
class Leg:
    """A stretch of path, alike in both directions."""

    delay: int  # ns, one way
    hops: int = 1
    jitter: int = 0  # mean of the exponential extra delay, ns
    loss: float = 0.0
    rate: float = 1e9  # bit/s
    reorder: float = 0.0  # share of packets that may overtake
    duplicate: float = 0.0  # share of packets that arrive twice
    busy: list[int] = attrs.field(factory=lambda: [0, 0])  # when the leg last delivered, per direction

    def arrivals(self, packet: Packet, outbound: bool, world: World) -> list[int]:
        """Say when *packet*, entering now, leaves: never, once or twice."""
        rng = world.rng
        if self.loss and rng.random() < self.loss:
            return []
        extra = rng.exponential(self.jitter) if self.jitter else 0.0
        time = world.now + self.delay + int(extra)
        if not (self.reorder and rng.random() < self.reorder):
            time = max(time, self.busy[outbound] + int((packet.size + 24) * 8e9 / self.rate))
            self.busy[outbound] = time
        if self.duplicate and rng.random() < self.duplicate:
            return [time, time + int(rng.exponential(50_000)) + 1000]
        return [time]


@attrs.define
class Path:
    """The way between one client address and one server address; station *k* lies between legs *k* and *k + 1*."""

    world: World
    legs: list[Leg]
    stations: list[Station]
    ends: dict[tuple[Address, int, Address, int], Callable[[Packet], None]] = attrs.field(factory=dict)

    def listen(
        self, local: tuple[Address, int], remote: tuple[Address, int], receive: Callable[[Packet], None]
    ) -> None:
        """Hand packets from *remote* to *local* to *receive*."""
        self.ends[(*local, *remote)] = receive

    def send(self, packet: Packet, outbound: bool) -> None:
        """Let an end put a packet on the path."""
        self.travel(packet, outbound, 0 if outbound else len(self.legs) - 1)

    def travel(self, packet: Packet, outbound: bool, leg: int) -> None:
        """Carry a packet over one leg."""
        hops = self.legs[leg].hops
        if packet.ttl <= hops:
            return
        moved = attrs.evolve(packet, ttl=packet.ttl - hops)
        for time in self.legs[leg].arrivals(packet, outbound, self.world):
            self.world.after(time - self.world.now, lambda: self.arrive(moved, outbound, leg))

    def arrive(self, packet: Packet, outbound: bool, leg: int) -> None:
        """Hand a packet to the station or the end behind *leg*."""
        place = leg if outbound else leg - 1
        if 0 <= place < len(self.stations):
            for delay, direction, kept in self.stations[place].cross(packet, outbound):
                self.forward(kept, direction, place + 1 if direction else place, delay)
            return
        receive = self.ends.get((packet.destination, packet.dport, packet.source, packet.sport))
        if receive is not None:
            receive(packet)

    def forward(self, packet: Packet, outbound: bool, leg: int, delay: int) -> None:
        """Carry on over *leg*, now or after *delay* nanoseconds."""
        if delay:
            self.world.after(delay, lambda: self.travel(packet, outbound, leg))
        else:
            self.travel(packet, outbound, leg)


@attrs.define
class Tap:
    """The place of capture: writes down what passes."""

    world: World
    loss: float = 0.0  # share of packets that the capture misses
    seen: list[tuple[int, bool, Packet]] = attrs.field(factory=list)

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Record the packet and let it pass."""
        if not (self.loss and self.world.rng.random() < self.loss):
            self.seen.append((self.world.now, outbound, packet))
        return [(0, outbound, packet)]
