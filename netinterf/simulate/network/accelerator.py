"""Performance-enhancing proxies (RFC 3135): they acknowledge for the far end, whose round trip is not what it seems."""

import attrs

from netinterf.simulate.messages.tcp_options import read_options, timestamp_option
from netinterf.simulate.network.packet import ACK, FIN, RST, SYN, Packet
from netinterf.simulate.network.path import Onward
from netinterf.values import define

__all__ = ["Accelerator", "SynDelay"]


@define(eq=False)
class Accelerator:
    """Acknowledges what one side sends before the other has it; that one's own acknowledgements pass as well.

    Nothing may be lost behind it: a real one would keep what it acknowledged and repeat it.
    """

    ttl: int = 0  # of its acknowledgements here; 0: as the packets of the host that it speaks for
    for_clients: bool = False  # speaks for clients to servers; else for servers to clients
    port: int = 0  # speaks in connections to this port only; 0: in all
    newest: dict[int, Packet] = attrs.field(factory=dict)  # last packet of each host that it speaks for
    heard: dict[int, int] = attrs.field(factory=dict)  # next byte expected of each host that it speaks to

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Acknowledge data that comes in order."""
        passed: Onward = (0, outbound, packet)
        if self.port not in (0, packet.dport if outbound else packet.sport):
            return [passed]
        if outbound == self.for_clients:
            self.newest[packet.subject] = packet.copy()  # as it is here: it goes on to lose hops
            return [passed]
        last = self.newest.get(packet.subject)
        if packet.flags & (SYN | RST | FIN) or not packet.payload or last is None:
            return [passed]
        expected = self.heard.setdefault(packet.subject, packet.seq)
        if packet.seq != expected:
            return [passed]
        end = self.heard[packet.subject] = (packet.seq + len(packet.payload)) % 2**32
        value, ours = read_options(last.options).echo, read_options(packet.options).echo
        options = b"" if value is None or ours is None else timestamp_option(value, ours)
        spoken = bool(last.flags & SYN) + bool(last.flags & FIN) + len(last.payload)
        acknowledgement = packet.reply(
            seq=(last.seq + spoken) % 2**32, ack=end, flags=ACK, options=options, ttl=self.ttl or last.ttl,
            ip_id=(last.ip_id + 1) % 2**16 if last.ip_id else 0, tos=last.tos,
            window=last.window >> 7 if last.flags & SYN else last.window,
        )  # fmt: skip
        return [passed, (0, self.for_clients, acknowledgement)]


@define(eq=False)
class SynDelay:
    """Holds SYNs back for as long as the far end needs: a proxy nearby that answers once its own connection stands.

    User-mode translators of virtual machines do this (slirp), and satellite gateways that split connections.
    """

    delay: float  # ns

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Delay the opening, pass the rest."""
        opening = outbound and packet.flags & (SYN | ACK) == SYN
        return [(int(self.delay) if opening else 0, outbound, packet)]
