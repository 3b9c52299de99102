"""Tunnels over UDP with the sizes and timers of WireGuard: what a filter that knows no such protocol sees.

Message types and sizes are those of Donenfeld, WireGuard, NDSS 2017 (§5.4, §6.4); contents are noise.
"""

import attrs

from netinterf.simulate.encode import UDP
from netinterf.simulate.hosts.stack import Identifiers, Stack
from netinterf.simulate.network.packet import Address, Packet
from netinterf.simulate.network.path import MILLISECOND, SECOND, Path
from netinterf.values import define

__all__ = ["Tunnel", "tunnel"]

INITIATION, RESPONSE, DATA = 1, 2, 4
SIZES = {INITIATION: 148, RESPONSE: 92}
AGAIN = 5 * SECOND  # REKEY_TIMEOUT
MOST_TRIES = 18  # REKEY_ATTEMPT_TIME of 90 s


@define(eq=False)
class Tunnel:
    """One end of a tunnel; the client's end repeats its initiation until it is answered."""

    path: Path
    stack: Stack
    outbound: bool
    local: tuple[Address, int]
    remote: tuple[Address, int]
    subject: int
    packets: int  # that the client sends; the server answers each with one or two
    tries: int = 0
    established: bool = False
    identifiers: Identifiers = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        rng = self.path.world.rng
        self.identifiers = Identifiers(self.stack.id_mode, int(rng.integers(1, 2**16)), rng)
        self.path.listen(self.subject, not self.outbound, self.receive)

    def send(self, kind: int, size: int = 0) -> None:
        """Put a message on the path."""
        noise = self.path.world.chance.randbytes((size or SIZES[kind]) - 4)
        self.path.send(
            Packet(
                source=self.local[0], sport=self.local[1], destination=self.remote[0], dport=self.remote[1],
                protocol=UDP, ttl=self.stack.ttl, ip_id=self.identifiers.take(), subject=self.subject,
                ip_flags=2 if self.stack.dont_fragment else 0, payload=bytes([kind, 0, 0, 0]) + noise,
            ),
            self.outbound,
        )  # fmt: skip

    def begin(self) -> None:
        """Initiate, and again after a while with some jitter if nothing came."""
        if self.established or self.tries >= MOST_TRIES:
            return
        self.tries += 1
        self.send(INITIATION)
        self.path.world.after(AGAIN + self.path.world.chance.uniform(0, SECOND / 3), self.begin)

    def receive(self, packet: Packet) -> None:
        """Answer what came."""
        kind, world = packet.payload[0] if packet.protocol == UDP else 0, self.path.world
        if kind == INITIATION and not self.outbound:
            self.send(RESPONSE)
        elif kind == RESPONSE and not self.established:
            self.established = True
            self.talk()
        elif kind == DATA and not self.outbound:
            for _ in range(world.chance.randint(1, 2)):
                world.after(
                    world.chance.expovariate(1) * 5 * MILLISECOND, self.send, DATA, 16 * world.chance.randint(5, 88)
                )

    def talk(self) -> None:
        """Send the next packet of the client; sizes are multiples of 16 behind a header of 32 bytes."""
        if self.packets:
            self.packets -= 1
            world = self.path.world
            self.send(DATA, 16 * world.chance.randint(2, 40))
            world.after(world.chance.expovariate(1) * 80 * MILLISECOND, self.talk)


def tunnel(
    path: Path, *, client: tuple[Address, int], server: tuple[Address, int], stacks: tuple[Stack, Stack], subject: int,
    packets: int,
) -> None:  # fmt: skip
    """Set up both ends and initiate now."""
    first = Tunnel(path, stacks[0], True, client, server, subject, packets)
    Tunnel(path, stacks[1], False, server, client, subject, packets)
    first.begin()
