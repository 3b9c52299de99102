"""What the box remembers of one connection: enough to recognise a trigger and to imitate either end."""

from typing import Any

import attrs

from benchmarks.lab.wire import ACK, SYN, TCP, Packet

__all__ = ["Flow", "Key", "Note", "key_of"]

Key = tuple[bytes, int, bytes, int, int]
"""Client, its port, server, its port, protocol; as the client sees them."""

HEARD = 8192  # bytes of the client's first words that a box keeps


@attrs.frozen
class Note:
    """What the log says about a packet when it leaves the box."""

    kind: str  # forged or trigger
    key: Key
    number: int  # of the trigger
    mechanism: str = ""


@attrs.define(eq=False)
class Flow:
    """One connection as the box sees it."""

    key: Key
    opened: float
    heard: bytes = b""
    expected: int = -1  # sequence number of the next byte heard
    pieces: dict[int, bytes] = attrs.field(factory=dict)
    packets: int = 0
    down_bytes: int = 0  # of the server's stream that came past, repeats not counted again
    syn: Packet | None = None
    synack: Packet | None = None
    syn_at: float = 0.0
    far: float = 0.0  # round trip to the server
    client: Packet | None = None  # latest packet of either end
    server: Packet | None = None
    server_at: float = 0.0
    marks: dict[int, Any] = attrs.field(factory=dict)  # state of rules, by rule

    def note(self, packet: Packet, outbound: bool, now: float) -> None:
        """Take in a packet on its way."""
        self.packets += 1
        if outbound:
            self.client = packet
            if packet.protocol == TCP:
                self.hear(packet, now)
            elif len(self.heard) < HEARD:
                self.heard += packet.payload
            return
        if packet.flags & SYN and packet.flags & ACK and self.synack is None:
            self.synack, self.far = packet, now - self.syn_at
        self.server, self.server_at = packet, now
        if packet.payload and self.synack is not None:
            self.down_bytes = max(self.down_bytes, (packet.end - self.synack.seq - 1) % 2**32)

    def hear(self, packet: Packet, now: float) -> None:
        """Put the client's first bytes in order."""
        if packet.flags & SYN:
            self.syn, self.syn_at = packet, now
            self.expected = (packet.seq + 1) % 2**32
        elif packet.payload and len(self.heard) < HEARD:
            if self.expected < 0:
                self.expected = packet.seq
            self.pieces[packet.seq] = packet.payload
            while self.expected in self.pieces:
                piece = self.pieces.pop(self.expected)
                self.heard += piece
                self.expected = (self.expected + len(piece)) % 2**32


def key_of(packet: Packet, outbound: bool) -> Key:
    """Name the connection of a packet."""
    if outbound:
        return packet.source, packet.sport, packet.destination, packet.dport, packet.protocol
    return packet.destination, packet.dport, packet.source, packet.sport, packet.protocol
