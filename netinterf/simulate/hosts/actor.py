"""A host without a TCP of its own: it sends the packets it is told to and reacts as it is told to.

Scanners, probes and broken or very small servers are played by it, since they do not behave as an endpoint does.
"""

from collections.abc import Callable
from typing import Any

import attrs

from netinterf.simulate.hosts.stack import Identifiers, Stack
from netinterf.simulate.network.packet import FIN, SYN, Address, Packet
from netinterf.simulate.network.path import Path
from netinterf.values import define

__all__ = ["Actor", "ended"]


def ended(packet: Packet) -> int:
    """Give the sequence number behind a segment."""
    return (packet.seq + len(packet.payload) + bool(packet.flags & SYN) + bool(packet.flags & FIN)) % 2**32


@define(eq=False, kw_only=True)
class Actor:
    """One end of a conversation, played packet by packet."""

    path: Path
    stack: Stack
    outbound: bool  # it is the client
    local: tuple[Address, int]
    remote: tuple[Address, int]
    subject: int
    react: Callable[["Actor", Packet], None] | None = None
    isn: int = attrs.field(init=False)
    identifiers: Identifiers = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        chance = self.path.world.chance
        self.isn = chance.getrandbits(32)
        self.identifiers = Identifiers(self.stack.id_mode, chance.randrange(1, 2**16), self.path.world.rng)
        self.path.listen(self.subject, not self.outbound, self.receive)

    def receive(self, packet: Packet) -> None:
        """Take a packet from the path."""
        if self.react is not None:
            self.react(self, packet)

    def send(self, flags: int, seq: int, ack: int = 0, payload: bytes = b"", **fields: Any) -> None:
        """Put a packet on the path; *fields* replace what the stack would fill in."""
        stack = self.stack
        plain: dict[str, Any] = {
            "source": self.local[0], "sport": self.local[1], "destination": self.remote[0], "dport": self.remote[1],
            "ttl": stack.ttl, "tos": stack.tos, "ip_flags": 2 if stack.dont_fragment else 0, "subject": self.subject,
            "window": stack.window, "ip_id": self.identifiers.take(),
        }  # fmt: skip
        seq, ack = seq % 2**32, ack % 2**32
        self.path.send(
            Packet(**{**plain, "flags": flags, "seq": seq, "ack": ack, "payload": payload, **fields}), self.outbound
        )

    def later(self, delay: float, flags: int, seq: int, ack: int = 0, payload: bytes = b"", **fields: Any) -> None:
        """Send after *delay* nanoseconds."""
        self.path.world.after(delay, lambda: self.send(flags, seq, ack, payload, **fields))
