"""Time, and the way between two hosts: legs that delay, lose and reorder, and stations that look at what passes.

One event per packet and station: legs and taps between two stations are passed in one go, since both only compute when
a packet arrives. Whoever changes a packet passes on a copy; only its hop limit falls as it travels.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import repeat
from math import log
from random import Random
from typing import Any, Protocol

import attrs
import numpy as np

from netinterf.simulate.network.packet import Address, Packet
from netinterf.values import define

__all__ = ["EPOCH", "MILLISECOND", "SECOND", "Leg", "Onward", "Path", "Station", "Tap", "World"]

MILLISECOND = 1_000_000
SECOND = 1_000_000_000
EPOCH = 1_735_689_600 * SECOND
"""Where simulated clocks begin: 2025-01-01 UTC; scenarios move it by a random offset."""

LIMIT = 2 * 86_400 * SECOND
"""Longest time that is simulated: what still goes on then, such as keep-alive between idle hosts, goes on for ever."""

FRAMING = 24
"""Bytes that Ethernet adds to a packet on the wire: header, checksum, least preamble share (IEEE 802.3 §3)."""


@define(eq=False)
class World:
    """The clock, the agenda and the sources of chance of one simulation."""

    rng: np.random.Generator
    now: int = EPOCH
    agenda: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = attrs.field(factory=list)
    counter: int = 0
    notes: dict[int, list[tuple[str, Packet]]] = attrs.field(factory=dict)  # what boxes did, by conversation
    limits: dict[int, tuple[float, float, int, int]] = attrs.field(factory=dict)  # see `limited`, by conversation
    counters: dict[Address, Any] = attrs.field(factory=dict)  # IP identifications of hosts that count for all packets
    begin: int = attrs.field(init=False)
    chance: Random = attrs.field(init=False)  # for single draws while packets move: far quicker than *rng*

    def __attrs_post_init__(self) -> None:
        self.begin = self.now
        self.chance = Random(int(self.rng.integers(2**62)))

    def after(self, delay: float, action: Callable[..., None], *words: Any) -> None:
        """Put *action* on the agenda, *delay* nanoseconds from now; equal times keep their order."""
        self.at(self.now + int(delay) if delay > 0 else self.now, action, *words)

    def at(self, time: int, action: Callable[..., None], *words: Any) -> None:
        """Put *action* on the agenda at *time*, which must not be past."""
        self.counter += 1
        heappush(self.agenda, (time, self.counter, action, words))

    def note(self, packet: Packet, mechanism: str) -> None:
        """Let a box say how it interfered, in a word, with the conversation of *packet*, the trigger."""
        notes = self.notes.setdefault(packet.subject, [])
        if all(word != mechanism for word, _ in notes):
            notes.append((mechanism, packet))

    def limited(self, packet: Packet, outbound: bool, rate: float, depth: float) -> None:
        """Let a rate limit say that it dropped *packet*: by conversation its bit/s, bytes, and drops up and down."""
        _, _, up, down = self.limits.get(packet.subject, (rate, depth, 0, 0))
        self.limits[packet.subject] = rate, depth, up + outbound, down + (not outbound)

    def run(self, events: int = 1 << 62) -> bool:
        """Do at most *events* things on the agenda; say whether there is more to do.

        What lies beyond :data:`LIMIT` is never done.
        """
        agenda, pop, end = self.agenda, heappop, self.begin + LIMIT
        for _ in repeat(None, events):
            if not agenda or agenda[0][0] > end:
                return False
            self.now, _, action, words = pop(agenda)
            action(*words)
        return True


Onward = tuple[int, bool, Packet]
"""What leaves a station: after how many nanoseconds, whether towards the server, and the packet."""


class Station(Protocol):
    """Something between two legs of a path."""

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Let *packet* pass: return it, possibly delayed or changed, with any packets of one's own; or drop it."""
        ...


@define(eq=False)
class Leg:
    """A stretch of path, alike in both directions."""

    delay: int  # ns, one way
    hops: int = 1
    jitter: int = 0  # mean of the exponential extra delay, ns
    loss: float = 0.0
    rate: float = 1e9  # bit/s
    reorder: float = 0.0  # share of packets that may overtake
    duplicate: float = 0.0  # share of packets that arrive twice
    burst: float = 0.0  # share of time in bad periods, when half of the packets are lost (Gilbert 1960)
    bad_for: int = 30 * MILLISECOND  # mean length of a bad period, ns
    busy: list[int] = attrs.field(factory=lambda: [0, 0])  # when the leg last delivered, per direction
    bad_period: tuple[bool, int] = (True, 0)  # whether a bad period is on, until when

    def bad(self, time: int, world: World) -> bool:
        """Say whether a bad period is on; good and bad ones alternate with exponential lengths."""
        on, until = self.bad_period
        while until <= time:
            on = not on
            mean = self.bad_for if on else self.bad_for * (1 - self.burst) / self.burst
            until = max(until, time - 10 * SECOND) + 1 + int(world.chance.expovariate(1.0) * mean)
        self.bad_period = on, until
        return on


@define(eq=False)
class Tap:
    """The place of capture: writes down what passes."""

    world: World
    seen: list[tuple[int, bool, int, Packet]] = attrs.field(factory=list)  # time, outbound, hop limit here, packet


@define(eq=False)
class Path:
    """The way between a client side and a server side: legs, stations and at most one tap, in order from the client."""

    world: World
    parts: list[Leg | Station | Tap]
    ends: dict[tuple[int, bool], Callable[[Packet], None]] = attrs.field(factory=dict)

    @property
    def far(self) -> Leg:
        """The leg over the open network: the last one that routers forward on."""
        return [part for part in self.parts if isinstance(part, Leg) and part.hops][-1]

    def listen(self, subject: int, at_server: bool, receive: Callable[[Packet], None]) -> None:
        """Hand packets of a conversation that reach one end to *receive*."""
        self.ends[subject, at_server] = receive

    def send(self, packet: Packet, outbound: bool) -> None:
        """Let an end put a packet on the path."""
        self.carry(packet, outbound, 0 if outbound else len(self.parts) - 1, self.world.now)

    def carry(self, packet: Packet, outbound: bool, place: int, time: int) -> None:
        """Carry a packet, which reaches part *place* at *time*, to the next station or to the end."""
        world, parts = self.world, self.parts
        random, size = world.chance.random, packet.size + FRAMING
        step = 1 if outbound else -1
        last = len(parts)
        while 0 <= place < last:
            part = parts[place]
            if type(part) is Leg:
                if packet.ttl <= part.hops:
                    return
                packet.ttl -= part.hops
                if (part.loss and random() < part.loss) or (part.burst and part.bad(time, world) and random() < 0.5):
                    return
                time += part.delay
                if part.jitter:
                    time -= int(log(1.0 - random()) * part.jitter)
                if not part.reorder or random() >= part.reorder:
                    free = part.busy[outbound] + int(size * 8e9 / part.rate)
                    if free > time:  # noqa: PLR1730 (a call of max costs more than all else here)
                        time = free
                    part.busy[outbound] = time
                if part.duplicate and random() < part.duplicate:
                    later = time + 1000 + int(world.chance.expovariate(1.0) * 50_000)
                    world.at(later, self.carry, packet.copy(), outbound, place + step, later)
            elif type(part) is Tap:
                part.seen.append((time, outbound, packet.ttl, packet))
            else:
                world.at(time, self.cross, packet, outbound, place)
                return
            place += step
        receive = self.ends.get((packet.subject, outbound))
        if receive is not None:
            world.counter += 1
            heappush(world.agenda, (time, world.counter, receive, (packet,)))

    def cross(self, packet: Packet, outbound: bool, place: int) -> None:
        """Let the station at *place* see a packet that arrives now."""
        station: Any = self.parts[place]
        now = self.world.now
        for delay, direction, kept in station.cross(packet, outbound):
            there = place + 1 if direction else place - 1
            if delay:
                self.world.at(now + int(delay), self.carry, kept, direction, there, now + int(delay))
            else:
                self.carry(kept, direction, there, now)
