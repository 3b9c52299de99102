"""Load balancers and anycast: one address, several machines, and what shows when a connection meets two of them."""

import attrs

from netinterf.simulate.network.firewall import ResetLook, refusal
from netinterf.simulate.network.packet import ACK, SYN, Address, Packet
from netinterf.simulate.network.path import Onward, World
from netinterf.values import define

__all__ = ["BackendSwitch", "SecondBackend"]


@define(eq=False)
class SecondBackend:
    """Sends the first SYN of a connection to a slow machine and its repetition to another: two SYN/ACKs, two ISNs.

    The slow machine repeats its SYN/ACK on its timer, since all later packets go to the other one.
    """

    world: World
    delay: float  # ns until the slow machine answers
    ttl: int  # of the slow machine's packets
    repeats: int = 1
    period: float = 1e9  # ns between its repetitions (RFC 6298 §2.1), doubled each time
    met: set[tuple[Address, int]] = attrs.field(factory=set)

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Answer the first SYN of a connection; everything else passes."""
        opening = outbound and packet.flags & (SYN | ACK) == SYN
        if not opening or (packet.source, packet.sport) in self.met:
            return [(0, outbound, packet)]
        self.met.add((packet.source, packet.sport))
        chance = self.world.chance
        syn_ack = packet.reply(
            seq=chance.getrandbits(32), ack=(packet.seq + 1) % 2**32, flags=SYN | ACK, ttl=self.ttl, ip_id=0, tos=0,
            window=chance.choice((64_240, 65_160, 65_535, 28_960)), options=b"\x02\x04\x05\xb4",
        )  # fmt: skip
        times = [self.delay + self.period * (2**order - 1) for order in range(1 + self.repeats)]
        return [(int(time), False, syn_ack.copy()) for time in times]


@define(eq=False)
class BackendSwitch:
    """From some moment on sends the packets of old connections to a machine that never heard of them."""

    world: World
    time: int  # ns since 1970
    look: ResetLook  # resets of the other machine
    old: set[int] = attrs.field(factory=set)

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Let the other machine answer what belongs to a connection from before; the first one is no longer heard."""
        if self.world.now < self.time:
            self.old.add(packet.subject)
            return [(0, outbound, packet)]
        if packet.subject not in self.old:
            return [(0, outbound, packet)]
        return [(0, False, reset) for reset in refusal(packet, self.look)] if outbound else []
