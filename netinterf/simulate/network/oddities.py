"""Odd ways in which packets arrive though nobody means harm: late, damaged, rewritten, or reset in a strange manner."""

from collections.abc import Callable

import attrs

from netinterf.simulate.encode import WRONG
from netinterf.simulate.network.packet import ACK, RST, SYN, Packet
from netinterf.simulate.network.path import Onward, World
from netinterf.values import define

__all__ = [
    "BusyHost",
    "Corruptor",
    "GarbageProbe",
    "LateCopy",
    "LostAborts",
    "Miscounter",
    "ResetHabits",
    "Rewriter",
]


@define(eq=False)
class LateCopy:
    """A copy of a packet comes late: it sat in a queue, or a link repeated it (RFC 9293 §3.4.3: up to 2 minutes)."""

    applies: Callable[[Packet, bool], bool]
    delay: Callable[[], float]  # ns
    most: int = 1 << 30

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Pass the packet, and its copy later."""
        if self.most <= 0 or not self.applies(packet, outbound):
            return [(0, outbound, packet)]
        self.most -= 1
        return [(0, outbound, packet), (int(self.delay()), outbound, packet.copy())]


@define(eq=False)
class Corruptor:
    """Damages bytes of some segments, so that their checksums are wrong (Stone, Partridge, SIGCOMM 2000)."""

    world: World
    share: float

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Damage a few bytes in a row."""
        chance = self.world.chance
        if not packet.payload or chance.random() >= self.share:
            return [(0, outbound, packet)]
        at, size = chance.randrange(len(packet.payload)), chance.randint(1, 16)
        bad = packet.payload[:at] + chance.randbytes(min(size, len(packet.payload) - at)) + packet.payload[at + size :]
        return [(0, outbound, packet.copy(payload=bad, ip_flags=packet.ip_flags | WRONG))]


@define(eq=False)
class Rewriter:
    """A box that changes words of what passes, as filters and translators of the application layer do.

    Its memory of a connection ends after the first match: what is sent again passes as it was.
    """

    changes: tuple[tuple[bytes, bytes], ...]  # of equal length
    outbound: bool = False
    done: set[int] = attrs.field(factory=set)

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Replace the words."""
        if outbound != self.outbound or packet.subject in self.done:
            return [(0, outbound, packet)]
        payload = packet.payload
        for old, new in self.changes:
            payload = payload.replace(old, new)
        if payload == packet.payload:
            return [(0, outbound, packet)]
        self.done.add(packet.subject)
        return [(0, outbound, packet.copy(payload=payload))]


@define(eq=False)
class ResetHabits:
    """How the resets of a host, or of the box in front of it, differ from its other packets."""

    ttl: int = 0  # 0: as the others
    payload: bytes = b""  # text that says why (RFC 9293 §3.5.3, RFC 1122 §4.2.2.12)
    copies: int = 1
    gap: int = 200_000  # ns between copies
    left_over: bool = False  # the acknowledgement field is filled though the flag is not set, as Windows does
    bare: bool = False  # no ACK flag and no options, but in answers to SYNs, which need the flag
    strays: bool = False  # dresses only resets that belong to no connection: without ACK flag, or in answer to a SYN
    outbound: bool = False

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Dress resets."""
        if outbound != self.outbound or not packet.flags & RST:
            return [(0, outbound, packet)]
        if self.strays and packet.flags & ACK and packet.seq:
            return [(0, outbound, packet)]
        flags = packet.flags & ~ACK if self.bare and packet.seq else packet.flags
        dressed = packet.copy(
            ttl=self.ttl or packet.ttl, payload=self.payload, flags=flags,
            options=b"" if self.bare else packet.options,
            ack=packet.seq if self.left_over and not flags & ACK else packet.ack,
        )  # fmt: skip
        return [(order * self.gap, outbound, dressed.copy()) for order in range(self.copies)]


@define(eq=False)
class LostAborts:
    """A filter near a client that lets no abort out, but the bare resets with which its stack answers afterwards."""

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Drop the client's RST/ACKs."""
        return [] if outbound and packet.flags & (RST | ACK) == RST | ACK else [(0, outbound, packet)]


@define(eq=False)
class Miscounter:
    """A proxy near a client that now and then writes what comes next at the number of what it just wrote."""

    applies: Callable[[], bool]
    before: dict[int, int] = attrs.field(factory=dict)  # payload bytes of the last packet of each connection

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Lower the number of some packets of the server by the length of the one before."""
        if outbound or not packet.payload:
            return [(0, outbound, packet)]
        length = self.before.get(packet.subject, 0)
        self.before[packet.subject] = len(packet.payload)
        wrong = length and len(packet.payload) > length and self.applies()
        return [(0, outbound, packet.copy(seq=(packet.seq - length) % 2**32) if wrong else packet)]


@define(eq=False)
class BusyHost:
    """A host that hears only some packets of each connection for a while: its queues are full."""

    world: World
    deaf: Callable[[Packet], bool]
    lasts: float  # ns after the first packet of a connection
    outbound: bool = True  # which direction it does not hear
    resets: bool = False  # it answers what it does not take with a reset (Linux tcp_abort_on_overflow)
    since: dict[int, int] = attrs.field(factory=dict)

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Drop what the host does not take."""
        now = self.world.now
        begin = self.since.setdefault(packet.subject, now)
        if outbound != self.outbound or now - begin >= self.lasts or not self.deaf(packet):
            return [(0, outbound, packet)]
        if not self.resets or packet.flags & (RST | SYN):
            return []
        return [(0, not outbound, packet.reply(seq=packet.ack, ack=0, flags=RST, window=0, ip_id=0, ttl=64))]


@define(eq=False)
class GarbageProbe:
    """Keep-alive probes with one byte that was never sent, for hosts that ignore empty ones (RFC 1122 §4.2.3.6)."""

    outbound: bool
    sent: dict[int, int] = attrs.field(factory=dict)  # next sequence number of each connection

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Put a byte into probes."""
        if outbound != self.outbound:
            return [(0, outbound, packet)]
        end = (packet.seq + len(packet.payload) + bool(packet.flags & SYN)) % 2**32
        if packet.flags == ACK and not packet.payload and end == (self.sent.get(packet.subject, -1) - 1) % 2**32:
            return [(0, outbound, packet.copy(payload=b"\x00"))]
        self.sent[packet.subject] = end
        return [(0, outbound, packet)]
