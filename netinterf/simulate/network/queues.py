"""Queues in front of links, and what manages them: drop-tail, RED, CoDel, PIE.

A link serves packets in order at a fixed rate, so when a packet arrives it is known when it will leave, and a packet
costs one calculation, not one event. The queue is counted as negative credit: a link that also lets bursts through at
once (a token bucket with a queue behind it) starts with positive credit.
"""

from random import Random
from typing import Protocol

import attrs

from netinterf.simulate.network.packet import Packet
from netinterf.simulate.network.path import MILLISECOND, SECOND, Onward, World
from netinterf.values import define, frozen

__all__ = ["Bottleneck", "CoDel", "Link", "Manager", "Pie", "Red"]

FULL = 1514
"""Bytes of a full Ethernet frame."""


@frozen
class Arrival:
    """A packet at the end of a queue."""

    now: int
    wait: int  # ns until it would leave the queue
    backlog: float  # bytes before it
    chance: Random


class Manager(Protocol):
    """What decides to drop a packet although the queue has room."""

    def drops(self, arrival: Arrival) -> bool:
        """Say whether to drop the packet that arrives."""
        ...


@define(eq=False)
class CoDel:
    """Drops at growing pace while packets wait longer than *target* (RFC 8289 §5; defaults of §4.3, §4.4)."""

    target: int = 5 * MILLISECOND
    interval: int = 100 * MILLISECOND
    above: int = 0  # when the wait will have been too long for an interval; 0: it is short
    dropping: bool = False
    count: int = 0
    before: int = 0  # count when the last period of dropping began
    next: int = 0

    def drops(self, arrival: Arrival) -> bool:
        """Decide at the time the packet would leave, as CoDel does."""
        leaves = arrival.now + arrival.wait
        if arrival.wait < self.target or arrival.backlog <= FULL:
            self.above, self.dropping = 0, False
            return False
        if not self.above:
            self.above = leaves + self.interval
        if leaves < self.above:
            self.dropping = False
            return False
        if not self.dropping:
            fresh = self.count - self.before
            recent = leaves - self.next < 16 * self.interval
            self.count = fresh if fresh > 1 and recent else 1
            self.before, self.dropping = self.count, True
        elif leaves >= self.next:
            self.count += 1
        else:
            return False
        self.next = leaves + int(self.interval / self.count**0.5)
        return True


@define(eq=False)
class Red:
    """Drops at random as the mean queue grows (Floyd and Jacobson 1993; gentle form, Floyd 2000)."""

    low: float  # bytes
    high: float  # bytes
    most: float = 0.1
    weight: float = 0.002
    mean: float = 0.0

    def drops(self, arrival: Arrival) -> bool:
        """Follow the mean and draw."""
        self.mean += self.weight * (arrival.backlog - self.mean)
        if self.mean < self.low:
            return False
        if self.mean < self.high:
            share = self.most * (self.mean - self.low) / (self.high - self.low)
        else:
            share = self.most + (1 - self.most) * (self.mean - self.high) / self.high
        return arrival.chance.random() < share


@define(eq=False)
class Pie:
    """Drops at random with a share steered by the wait and its trend (RFC 8033 §4; defaults of §4.2, §5.1)."""

    target: int = 15 * MILLISECOND
    period: int = 15 * MILLISECOND
    alpha: float = 0.125  # per second
    beta: float = 1.25  # per second
    allowance: int = 150 * MILLISECOND
    share: float = 0.0
    last: int = 0  # wait at the last update
    updated: int = 0

    def drops(self, arrival: Arrival) -> bool:
        """Bring the share up to now and draw."""
        wait = arrival.wait
        if arrival.now - self.updated >= self.period:
            self.updated = arrival.now
            step = self.alpha * (wait - self.target) / SECOND + self.beta * (wait - self.last) / SECOND
            self.share = min(1.0, max(0.0, self.share + step * self.caution()))
            self.last = wait
            calm = self.share == 0 and wait < self.target / 2
            self.allowance = 150 * MILLISECOND if calm else max(0, self.allowance - self.period)
        if self.allowance or arrival.backlog <= 2 * FULL or (wait < self.target / 2 and self.share < 0.2):
            return False
        return arrival.chance.random() < self.share

    def caution(self) -> float:
        """Scale steps down while the share is small (RFC 8033 §5.5)."""
        for bound, factor in ((1e-6, 2048), (1e-5, 512), (1e-4, 128), (1e-3, 32), (1e-2, 8), (1e-1, 2)):
            if self.share < bound:
                return 1 / factor
        return 1.0


@define(eq=False)
class Link:
    """One direction of a link with its queue."""

    rate: float  # bit/s, counting Ethernet bytes
    limit: float  # bytes of queue
    manager: Manager | None = None
    burst: float = 0.0  # bytes that may pass at once after idleness
    crowd: float = 0.0  # share of the rate that others take on average, in bursts of the full rate
    crowd_for: int = 200 * MILLISECOND  # mean length of such a burst
    credit: float = attrs.field(init=False)
    time: int = 0
    busy: tuple[bool, int] = (False, 0)  # whether others send, until when

    def __attrs_post_init__(self) -> None:
        self.credit = self.burst

    def enter(self, now: int, packet: Packet, chance: Random) -> int:
        """Put a packet in the queue; give the ns until it has left, or -1 when it is dropped."""
        size = packet.size + 14
        per_ns = self.rate / 8e9
        self.credit = min(self.burst, self.credit + (now - self.time) * per_ns) if self.time else self.burst
        if self.crowd:
            self.credit = max(-self.limit, self.credit - self.taken(now, chance) * per_ns)
        self.time = now
        backlog = max(0.0, -self.credit)
        if backlog + size > self.limit + FULL:
            return -1
        if self.manager is not None and self.manager.drops(Arrival(now, int(backlog / per_ns), backlog, chance)):
            return -1
        self.credit -= size
        return int(max(0.0, -self.credit) / per_ns)

    def taken(self, now: int, chance: Random) -> int:
        """Say for how many ns others have sent since the last packet; busy and idle periods are exponential."""
        on, until = self.busy
        at, spent = self.time or now, 0
        while at < now:
            if until <= at:
                on = not on
                mean = self.crowd_for if on else self.crowd_for * (1 - self.crowd) / self.crowd
                until = at + 1 + int(chance.expovariate(1.0) * mean)
            upto = min(until, now)
            spent += (upto - at) * on
            at = upto
        self.busy = on, until
        return spent


@define(eq=False)
class Bottleneck:
    """A slow link in both directions; put one into all paths of a client and they share it."""

    world: World
    down: Link
    up: Link | None = None  # None: as quick as the rest of the path
    dropped: int = 0

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Queue the packet."""
        link = self.up if outbound else self.down
        if link is None:
            return [(0, outbound, packet)]
        delay = link.enter(self.world.now, packet, self.world.chance)
        if delay < 0:
            self.dropped += 1
            return []
        return [(delay, outbound, packet)]
