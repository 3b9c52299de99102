"""Protection against SYN floods: the handshake is made on the server's behalf, and sequence numbers are translated.

The number in the SYN/ACK is a cookie that encodes the greeting (RFC 4987 §3.6), or that of a proxy before the server;
in both cases options that the cookie cannot hold are lost, and header fields are those of whoever answers.
"""

import attrs

from netinterf.simulate.network.packet import ACK, RST, SYN, Address, Packet
from netinterf.simulate.network.path import Onward, World
from netinterf.values import define

__all__ = ["ResetCookies", "SynProxy"]


@define(eq=False)
class Half:
    """One connection that the proxy greeted."""

    client: int  # ISN of the client
    cookie: int
    shift: int = 0  # server's ISN less the cookie
    waiting: list[Packet] = attrs.field(factory=list)  # from the client until the server answered
    asked: bool = False
    ready: bool = False


@define(eq=False)
class SynProxy:
    """Greets clients itself and lets the server know of those that answered."""

    world: World
    ttl: int
    window: int = 0  # of the SYN/ACK; real ones also say 0 until the server answered, so that no data comes
    mss: int = 1460
    ip_id: int = 0
    forgets: float = 0.0  # share of repeated SYNs that get another cookie, as when the secret changed in between
    halves: dict[tuple[Address, int], Half] = attrs.field(factory=dict)

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Greet, introduce, translate."""
        key = (packet.source, packet.sport) if outbound else (packet.destination, packet.dport)
        half = self.halves.get(key)
        if outbound and packet.flags & (SYN | ACK) == SYN:
            if half is None or (not half.asked and self.world.chance.random() < self.forgets):
                half = self.halves[key] = Half(packet.seq, self.world.chance.getrandbits(32))
            return [(0, False, self.syn_ack(packet, half))]
        if half is None:
            return [(0, outbound, packet)]
        return self.from_client(packet, half) if outbound else self.from_server(packet, half)

    def syn_ack(self, packet: Packet, half: Half) -> Packet:
        """Make the SYN/ACK: of all options a cookie keeps the MSS."""
        options = b"\x02\x04" + self.mss.to_bytes(2, "big")
        return packet.reply(
            seq=half.cookie, ack=(half.client + 1) % 2**32, flags=SYN | ACK, ttl=self.ttl, ip_id=self.ip_id, tos=0,
            window=self.window or 65_535, options=options,
        )  # fmt: skip

    def from_client(self, packet: Packet, half: Half) -> list[Onward]:
        """Pass on what the client says, after a greeting in its name."""
        if half.ready:
            return [(0, True, packet.copy(ack=(packet.ack + half.shift) % 2**32))]
        half.waiting.append(packet)
        if half.asked or packet.ack != (half.cookie + 1) % 2**32:
            return []
        half.asked = True
        options = b"\x02\x04" + self.mss.to_bytes(2, "big")
        return [(0, True, packet.copy(seq=half.client, ack=0, flags=SYN, options=options, payload=b""))]

    def from_server(self, packet: Packet, half: Half) -> list[Onward]:
        """Pass on what the server says; its SYN/ACK stays here."""
        if packet.flags & SYN:
            half.shift, half.ready = (packet.seq - half.cookie) % 2**32, True
            waiting, half.waiting = half.waiting, []
            return [(0, True, queued.copy(ack=(queued.ack + half.shift) % 2**32)) for queued in waiting]
        return [(0, False, packet.copy(seq=(packet.seq - half.shift) % 2**32))]


@define(eq=False)
class ResetCookies:
    """Answers the first SYN of a client with a wrong SYN/ACK: who resets it is real, and its next SYN passes.

    Products against floods call it safe reset or RST cookies.
    """

    world: World
    ttl: int
    window: int = 0
    proven: set[Address] = attrs.field(factory=set)

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Challenge strangers."""
        if not outbound or packet.source in self.proven:
            return [(0, outbound, packet)]
        if packet.flags & RST:
            self.proven.add(packet.source)
            return []
        if packet.flags & (SYN | ACK) != SYN:
            return []
        number = self.world.chance.getrandbits(32)
        return [(0, False, packet.reply(
            seq=self.world.chance.getrandbits(32), ack=number, flags=SYN | ACK, ttl=self.ttl, ip_id=0, tos=0,
            window=self.window,
        ))]  # fmt: skip
