"""Rates: a token bucket that drops, a queue that delays, and a trickle at the beginning of a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from benchmarks.lab.flow import Flow
from benchmarks.lab.rules.base import Rule
from benchmarks.lab.wire import Packet

if TYPE_CHECKING:
    from benchmarks.lab.box import Box

__all__ = ["Limit"]


@attrs.define(kw_only=True, eq=False)
class Limit(Rule):
    """Limits what servers send, one bucket per connection or one for all that match.

    The bucket is that of RFC 2697 with one rate; a packet that finds too few tokens is dropped (``kind`` police) or
    waits for them (shape).
    """

    kind: str = "police"
    rate: float = 1e5  # bytes per second
    burst: float = 2e4  # bytes
    queue: float = 1e9  # bytes that may wait
    shared: bool = False
    until: int = 0  # only the first so many bytes of the server (0: all)
    silent: bool = False  # a plan of the whole link: nobody is singled out, nothing is labelled
    buckets: dict[object, list[float]] = attrs.field(factory=dict)  # tokens, time

    def cross(self, packet: Packet, outbound: bool, flow: Flow, box: Box, now: float) -> Packet | None:
        """Take tokens for a packet of the server."""
        number = flow.marks.get(self.number)
        if number is None:
            if not self.provoked(packet, outbound, flow):
                return packet
            number = flow.marks[self.number] = 0 if self.silent else box.trigger(packet, flow)
        if outbound or (self.until and flow.down_bytes - len(packet.payload) > self.until):
            return packet
        bucket = self.buckets.setdefault(0 if self.shared else flow.key, [self.burst, now])
        bucket[0] = min(self.burst, bucket[0] + (now - bucket[1]) * self.rate)
        bucket[1] = now
        size = len(packet.raw)
        if self.kind == "police" and bucket[0] < size:
            self.tell(flow, box, number)
            return None
        if bucket[0] < size and size - bucket[0] > self.queue:
            self.tell(flow, box, number)
            return None
        bucket[0] -= size
        if bucket[0] >= 0:
            return packet
        self.tell(flow, box, number)
        box.forge(packet, outbound=False, at=now - bucket[0] / self.rate)
        return None

    def tell(self, flow: Flow, box: Box, number: int) -> None:
        """Log that the limit was felt."""
        if not self.silent:
            box.touch(flow, self.mechanism, number)
