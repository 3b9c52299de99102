"""Boxes that know connections: they forget idle ones, lose their memory, count and ban; one at a site's door reads.

What is of no connection they know they drop, or answer with a reset of their own make (RFC 9293 §3.10.7.1 as a
host would, RFC 5382 §5 for translators), which is why resets of boxes differ from the hosts' packets in
hop limit and options.
"""

import attrs

from netinterf.simulate.encode import TCP
from netinterf.simulate.network.packet import ACK, FIN, RST, SYN, Address, Packet
from netinterf.simulate.network.path import Onward, World
from netinterf.values import define, frozen

__all__ = ["OpeningLimiter", "ResetLook", "StateTable", "WebFirewall", "refusal"]

Key = tuple[Address, int, Address, int]


@frozen(kw_only=True)
class ResetLook:
    """How the resets of a box look."""

    ttl: int = 64
    ip_id: int = 0
    ip_flags: int = 2
    window: int = 0
    acknowledges: bool = False  # RST/ACK even where a bare RST would do
    copies: int = 1


def refusal(packet: Packet, look: ResetLook) -> list[Packet]:
    """Answer *packet*, which fits no connection, with a reset (RFC 9293 §3.10.7.1); resets are not answered."""
    if packet.flags & RST or packet.protocol != TCP:
        return []
    end = (packet.seq + len(packet.payload) + bool(packet.flags & SYN) + bool(packet.flags & FIN)) % 2**32
    asked = bool(packet.flags & ACK)
    with_ack = look.acknowledges or not asked
    reset = packet.reply(
        ttl=look.ttl, ip_id=look.ip_id, ip_flags=look.ip_flags, tos=0, window=look.window,
        seq=packet.ack if asked else 0, ack=end if with_ack else 0, flags=RST | (ACK if with_ack else 0),
    )  # fmt: skip
    return [reset.copy() for _ in range(look.copies)]


@define(eq=False)
class StateTable:
    """A firewall, translator or balancer that passes only packets of connections whose SYN it saw and remembers."""

    world: World
    idle: float = 7.44e12  # ns until it forgets a silent connection (RFC 5382 §5: at least 2 h 4 min)
    wiped: int = 0  # when it forgets everything, ns since 1970; 0 never
    look: ResetLook | None = None  # how it answers what it does not know; None: it drops
    to_server: bool = False  # answers the server's packets too, not only the client's
    spares_repeats: bool = False  # what it refused once it drops afterwards
    seen: dict[Key, int] = attrs.field(factory=dict)
    refused: set[Key] = attrs.field(factory=set)

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Let known connections and openings pass."""
        if packet.protocol != TCP:
            return [(0, outbound, packet)]
        near, far = (packet.source, packet.sport), (packet.destination, packet.dport)
        key = (*near, *far) if outbound else (*far, *near)
        now, last = self.world.now, self.seen.get(key, -1)
        known = last >= 0 and now - last < self.idle and not last < self.wiped <= now
        if known or (packet.flags & SYN and not packet.flags & ACK):
            self.seen[key] = now
            return [(0, outbound, packet)]
        if self.look is None or (key in self.refused and self.spares_repeats) or not (outbound or self.to_server):
            return []
        self.refused.add(key)
        return [(0, not outbound, reset) for reset in refusal(packet, self.look)]


@define(eq=False)
class OpeningLimiter:
    """Counts the openings of each client, or their first words, and turns away those above a limit.

    Rate limits and fail2ban count openings; what reads along, as a web application firewall does, counts requests that
    it dislikes, swallows the one that is too much, and lets nothing of that client in for a while.
    """

    world: World
    allowed: int  # openings within *period*
    period: float = 60e9  # ns
    ban: float = 0.0  # ns for which everything of that client is refused once it went over; 0: only that opening is
    look: ResetLook | None = None  # how it refuses; None: silence
    reads: bool = False  # counts requests, not openings
    openings: dict[Address, list[int]] = attrs.field(factory=dict)
    spoke: set[int] = attrs.field(factory=set)  # conversations whose request was counted
    until: dict[Address, float] = attrs.field(factory=dict)

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Count; refuse what is above the limit or of a banned client."""
        if not outbound:
            banned = self.world.now < self.until.get(packet.destination, 0)
            return [] if banned and self.ban else [(0, outbound, packet)]
        client, now = packet.source, self.world.now
        if now < self.until.get(client, 0):
            return self.refuse(packet)
        if self.counts(packet):
            recent = [time for time in self.openings.get(client, []) if time > now - self.period]
            self.openings[client] = [*recent, now]
            if len(recent) >= self.allowed:
                self.until[client] = now + self.ban
                return self.refuse(packet)
        return [(0, outbound, packet)]

    def counts(self, packet: Packet) -> bool:
        """Say whether a client's packet is one of those that are counted."""
        if not self.reads:
            return bool(packet.flags & SYN and not packet.flags & ACK)
        fresh = bool(packet.payload) and packet.subject not in self.spoke
        if fresh:
            self.spoke.add(packet.subject)
        return fresh

    def refuse(self, packet: Packet) -> list[Onward]:
        """Turn a packet away."""
        return [(0, False, reset) for reset in refusal(packet, self.look)] if self.look else []


@define(eq=False)
class WebFirewall:
    """A web application firewall at a site's own door: it swallows requests that hold a word, and resets both ends.

    What it refused it lets nothing more through of (ModSecurity's action ``drop``; reset actions of commercial ones).
    """

    look: ResetLook
    word: bytes
    refused: set[int] = attrs.field(factory=set)  # conversations

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Let all requests pass but those with the word."""
        if outbound and self.word in packet.payload and packet.subject not in self.refused:
            self.refused.add(packet.subject)
            to_server = packet.copy(flags=RST | ACK, payload=b"", options=b"", ttl=self.look.ttl)
            return [*((0, False, reset) for reset in refusal(packet, self.look)), (0, True, to_server)]
        return [] if packet.subject in self.refused else [(0, outbound, packet)]
