"""What a box on the path knows of a TCP connection, and how it can pass for one of its ends.

A box sees only what passes it: the last packets of either end as they look at its place, and the round trip between
itself and the server. That is all that even the best imitation can build on.
"""

from collections.abc import Callable
from struct import unpack
from typing import Any

import attrs

from netinterf.simulate.messages.tcp_options import read_options, timestamp_option
from netinterf.simulate.network.packet import ACK, FIN, RST, SYN, Packet
from netinterf.simulate.network.path import MILLISECOND
from netinterf.values import define

__all__ = ["ConnectionView", "EndView", "Rewrite", "end_of", "timestamps"]

KEPT = 8192
"""Bytes of a client's first words that a box reassembles; no known one needs more than its first flight."""


def end_of(packet: Packet) -> int:
    """Give the sequence number after everything that *packet* carries."""
    return (packet.seq + len(packet.payload) + bool(packet.flags & SYN) + bool(packet.flags & FIN)) % 2**32


def timestamps(options: bytes) -> tuple[int, int] | None:
    """Read TSval and TSecr (RFC 7323 §3.2), None when the option is absent."""
    at = 0
    while at < len(options) and options[at]:
        if options[at] == 8:
            value, echo = unpack("!II", options[at + 2 : at + 10])
            return value, echo
        at += 1 if options[at] == 1 else options[at + 1]
    return None


@define(eq=False)
class EndView:
    """What a box saw of the packets of one end."""

    last: Packet | None = None
    ttl: int = 0  # at the box; 0 before the first packet
    ids: tuple[int, int] = (0, 0)  # the last two IP IDs
    stamp: tuple[int, int] | None = None  # newest TSval, and when it passed
    usual: Packet | None = None  # its last packet after a handshake, of an earlier connection if need be

    def see(self, packet: Packet, now: int) -> None:
        """Remember a packet that passes now."""
        self.last, self.ttl, self.ids = packet, packet.ttl, (self.ids[1], packet.ip_id)
        stamp = timestamps(packet.options)
        self.stamp = (stamp[0], now) if stamp else self.stamp
        self.usual = self.usual if packet.flags & (SYN | RST) else packet

    def next_id(self, order: int, fresh: int) -> int:
        """Continue the IP IDs: zeros with zero, a counter with its next step, anything else with *fresh*."""
        step = (self.ids[1] - self.ids[0]) % 2**16
        if self.ids == (0, 0):
            return fresh if self.usual and self.usual.ip_id else 0
        return (self.ids[1] + 1 + order) % 2**16 if self.ids[0] == 0 or 0 < step < 64 else fresh

    def imitated(self, other: "EndView", now: int, order: int, fresh: int) -> dict[str, Any]:
        """Choose header fields as this end would for packet *order* of a burst towards *other*.

        Args:
            other: The end that is to believe it.
            now: Time in ns; timestamps are continued at 1 kHz, as most systems count them (RFC 7323 §5.4).
            order: Place in the burst.
            fresh: A random IP ID, should this end's look random.
        """
        if self.last is None:
            return {}
        fields = {name: getattr(self.last, name) for name in ("tos", "ip_flags", "window")}
        fields |= {"ttl": self.ttl, "ip_id": self.next_id(order, fresh)}
        if self.last.flags & SYN:  # its window is not scaled
            scale = max(0, read_options(self.last.options).scale)
            fields["window"] = self.usual.window if self.usual else self.last.window >> scale
        if self.stamp and other.stamp:
            value = self.stamp[0] + (now - self.stamp[1]) // MILLISECOND
            fields["options"] = timestamp_option(value, other.stamp[0])
        return fields


Rewrite = Callable[[Packet, "ConnectionView"], Packet | None]
"""What becomes of a server's packet on an in-path box; None when it is kept back."""


@define(eq=False)
class ConnectionView:
    """One connection as a box sees it; True stands for the client's direction, as everywhere."""

    sides: dict[bool, EndView]
    isn: int  # of the client, or the number of the first packet seen
    punished: bool = False  # began while its client was still being punished for an earlier connection
    began: int = 0  # when the SYN passed
    far_rtt: float = 0.0  # ns of the round trip between box and server; 0 when unknown
    client_bytes: bytes = b""  # what the client said first
    client_packets: int = 0  # packets with payload from the client
    spent_rules: set[int] = attrs.field(factory=set)  # rules that have had their turn
    silent: set[bool] = attrs.field(factory=set)  # directions in which nothing passes any more
    rewrite: "Rewrite | None" = None
    reason: str = ""  # mechanism for which it rewrites
    replaced: int = -1  # sequence number of the first of the server's packets with other content

    def see(self, packet: Packet, outbound: bool, now: int) -> None:
        """Remember a packet that passes now."""
        if packet.flags & (SYN | ACK) == SYN | ACK and not outbound and self.began:
            self.far_rtt = self.far_rtt or now - self.began
        self.sides[outbound].see(packet, now)
        if outbound and packet.payload:
            self.client_packets += 1
            self.client_bytes = (self.client_bytes + packet.payload)[:KEPT]
