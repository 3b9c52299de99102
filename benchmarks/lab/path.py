"""One direction of a stretch of path: when a packet comes out at its other end, if at all."""

import random

import attrs

__all__ = ["Line"]


@attrs.define(kw_only=True)
class Line:
    """Delay, loss, queue and disorder of one direction. Times in seconds, sizes in bytes.

    Losses are independent, or come in bursts when ``burst`` (mean packets a burst) is above 1: the two-state model of
    Gilbert (1960) with the same share of lost packets.
    """

    delay: float = 0.0
    jitter: float = 0.0  # mean of an exponential extra delay; order is kept
    loss: float = 0.0
    burst: float = 1.0
    rate: float = 0.0  # bytes per second of the slowest hop, 0: never slow
    queue: int = 1 << 30  # bytes that may wait before it
    duplicate: float = 0.0
    reorder: float = 0.0  # share of packets that are overtaken
    lag: float = 0.0  # how late those are
    step_at: float = 0.0  # when the route changes (0: never)
    step: float = 0.0  # delay added from then on
    dead_from: float = 0.0  # when the link fails (0: never)
    dead_until: float = 1e9
    largest: int = 0  # bigger packets vanish (0: none do)
    hops: int = 0
    free: float = 0.0  # when the slowest hop is idle
    latest: float = 0.0
    losing: bool = False
    dropped: int = 0  # by the queue

    def cross(self, now: float, size: int, rng: random.Random) -> tuple[float, ...]:
        """Say when the copies of a packet arrive: none lost, one usual, two duplicated.

        Args:
            now: Seconds since the start of the run.
            size: Bytes of the IP packet.
            rng: Source of chance.
        """
        if (self.largest and size > self.largest) or (self.loss and self.lose(rng)):
            return ()
        if self.dead_from and self.dead_from <= now < self.dead_until:
            return ()
        when = now
        if self.rate:
            start = max(self.free, now)
            if (start - now) * self.rate + size > self.queue:
                self.dropped += 1
                return ()
            self.free = when = start + size / self.rate
        when += self.delay
        if self.step_at and now >= self.step_at:
            when += self.step
        if self.jitter:
            when += rng.expovariate(1 / self.jitter)
        if self.reorder and rng.random() < self.reorder:
            return (when + self.lag,)
        # A route that gets shorter lets packets overtake; anything else keeps them in order.
        if not (self.step < 0 and self.step_at and now >= self.step_at):
            when = max(when, self.latest)
        self.latest = when
        if self.duplicate and rng.random() < self.duplicate:
            return (when, when + rng.uniform(5e-5, 3e-3))
        return (when,)

    def lose(self, rng: random.Random) -> bool:
        """Draw whether the next packet is lost."""
        if self.burst <= 1:
            return rng.random() < self.loss
        leave = 1 / self.burst
        enter = leave * self.loss / (1 - self.loss)
        self.losing = rng.random() < (1 - leave if self.losing else enter)
        return self.losing
