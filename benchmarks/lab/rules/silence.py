"""Packets that the box swallows, and packets that it sends elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from benchmarks.lab.flow import Flow
from benchmarks.lab.rules.base import Rule
from benchmarks.lab.wire import ACK, SYN, TCP, Packet, text

if TYPE_CHECKING:
    from benchmarks.lab.box import Box

__all__ = ["Cut", "Isolate", "Redirect"]


@attrs.define(kw_only=True, eq=False)
class Cut(Rule):
    """Silences a connection some packets or bytes after the trigger."""

    direction: str = "both"  # both, up (client to server), down
    packets: int = 0  # that still pass after the trigger, either way
    down_bytes: int = 0  # payload that the server gets through before the silence (0: no such limit)
    swallow: bool = True  # the trigger itself too, when nothing still passes
    residual: float = 0.0  # seconds in which the same client cannot reach that place again
    since: float = 0.0  # seconds from the first packet, before which nothing happens
    hits: dict[tuple[bytes, bytes, int], float] = attrs.field(factory=dict)

    def cross(self, packet: Packet, outbound: bool, flow: Flow, box: Box, now: float) -> Packet | None:
        """Count down, then swallow."""
        place = (flow.key[0], flow.key[2], flow.key[3])
        left = flow.marks.get(self.number)
        if left is None and self.residual and now < self.hits.get(place, -1.0):
            left = flow.marks[self.number] = [0, 0, box.trigger(packet, flow)]
        if left is None:
            if now < self.since or not self.provoked(packet, outbound, flow):
                return packet
            left = flow.marks[self.number] = [
                self.packets,
                flow.down_bytes + self.down_bytes,
                box.trigger(packet, flow),
            ]
            if self.residual:
                self.hits[place] = now + self.residual
            if self.packets or self.down_bytes or not self.swallow:
                return packet
        elif left[0] > 0:
            left[0] -= 1
            return packet
        if self.down_bytes and flow.down_bytes <= left[1]:
            return packet
        if self.direction != "both" and outbound != (self.direction == "up"):
            return packet
        box.touch(flow, self.mechanism, left[2])
        return None


@attrs.define(kw_only=True, eq=False)
class Isolate(Rule):
    """Swallows everything to and from addresses that are not on a list."""

    allowed: list[str] = attrs.field(factory=list)

    def cross(self, packet: Packet, outbound: bool, flow: Flow, box: Box, now: float) -> Packet | None:  # noqa: ARG002 - one signature for all rules
        """Let listed servers pass."""
        if text(flow.key[2]) in self.allowed:
            return packet
        if self.number not in flow.marks:
            flow.marks[self.number] = True
            box.touch(flow, self.mechanism, box.trigger(packet, flow))
        return None


@attrs.define(kw_only=True, eq=False)
class Redirect(Rule):
    """Hands connections to the host beside the box, which answers in the server's place."""

    def cross(self, packet: Packet, outbound: bool, flow: Flow, box: Box, now: float) -> Packet | None:
        """Send the client's packets aside."""
        if packet.protocol != TCP or not outbound or not self.about(flow):
            return packet
        if self.number not in flow.marks and packet.flags & SYN and not packet.flags & ACK:
            flow.marks[self.number] = True
        box.aside(packet, now)
        return None
