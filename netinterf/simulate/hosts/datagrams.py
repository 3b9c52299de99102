"""Programs that talk over UDP without QUIC: tunnels, calls, games. An opening is repeated until it is answered.

What is encrypted is noise here; what stands in the clear, sizes and timers are those of the protocols
(`netinterf.simulate.hosts.manners`).
"""

from collections.abc import Callable

import attrs

from netinterf.simulate.encode import UDP
from netinterf.simulate.hosts.manners import Manner
from netinterf.simulate.hosts.stack import Identifiers, Stack
from netinterf.simulate.network.packet import Address, Packet
from netinterf.simulate.network.path import MILLISECOND, Path
from netinterf.values import define

__all__ = ["Talker", "speak"]


@define(eq=False, kw_only=True)
class Talker:
    """One end of a conversation; the client's opens it, and opens it anew when it hears nothing any more."""

    path: Path
    stack: Stack
    outbound: bool
    local: tuple[Address, int]
    remote: tuple[Address, int]
    subject: int
    manner: Manner
    packets: int = 0  # that the client still has to send; the server answers each
    leaves: int = -1  # datagrams after which this end answers nothing any more; -1: it stays
    pauses: Callable[[], float] | None = None  # further ns before the client's next packet
    renews: bool = True  # it opens anew, else it goes on as it is
    tries: int = 0
    established: bool = False
    asked: int = 0  # when it sent what has not been answered, 0: all was
    heard_from: int = -1  # port of the other end, once heard
    identifiers: Identifiers = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        rng = self.path.world.rng
        self.identifiers = Identifiers(self.stack.id_mode, int(rng.integers(1, 2**16)), rng)
        self.path.listen(self.subject, not self.outbound, self.receive)

    def send(self, payload: bytes) -> None:
        """Put a datagram on the path."""
        self.asked = self.asked or self.path.world.now
        self.path.send(
            Packet(
                source=self.local[0], sport=self.local[1], destination=self.remote[0], dport=self.remote[1],
                protocol=UDP, ttl=self.stack.ttl, ip_id=self.identifiers.take(), subject=self.subject,
                ip_flags=2 if self.stack.dont_fragment else 0, payload=payload,
            ),
            self.outbound,
        )  # fmt: skip

    def data(self, size: int) -> None:
        """Send data of so many bytes."""
        head = self.manner.data
        self.send(head + self.path.world.chance.randbytes(size - len(head)))

    def begin(self) -> None:
        """Open, and again after a while if nothing came."""
        if self.established or self.tries >= self.manner.most_tries:
            return
        chance = self.path.world.chance
        for payload in self.manner.opens(chance):
            self.send(payload)
        wait = self.manner.first_wait * self.manner.backoff**self.tries
        self.tries += 1
        self.path.world.after(wait + chance.uniform(0, self.manner.jitter), self.begin)

    def receive(self, packet: Packet) -> None:
        """Answer what came; a server that left hears nothing, and most know who opened by the port."""
        if packet.protocol != UDP or self.leaves == 0:
            return
        known = self.manner.roams or self.heard_from in (-1, packet.sport)
        if not (known or self.manner.is_opening(packet.payload)):
            return
        self.leaves -= self.leaves > 0
        self.asked, self.heard_from = 0, packet.sport
        if self.outbound and not self.established:
            self.established = True
            self.talk()
        elif not self.outbound:
            self.remote = packet.source, packet.sport
            self.answer(packet.payload)

    def answer(self, payload: bytes) -> None:
        """Answer an opening, or data."""
        manner, world = self.manner, self.path.world
        if manner.is_opening(payload):
            self.send(manner.answers(world.chance))
        elif payload[: len(manner.data)] == manner.data:
            for _ in range(world.chance.randint(*manner.replies)):
                step, low, high = manner.sizes[1]
                world.after(
                    world.chance.expovariate(1) * 5 * MILLISECOND, self.data, step * world.chance.randint(low, high)
                )

    def talk(self) -> None:
        """Send the client's next packet, or open anew where nothing was answered for too long."""
        world, manner = self.path.world, self.manner
        if not self.packets or not self.established:
            return
        if self.renews and self.asked and world.now - self.asked > manner.deaf_after:
            self.established, self.tries = False, 0
            self.begin()
            return
        self.packets -= 1
        step, low, high = manner.sizes[0]
        self.data(step * world.chance.randint(low, high))
        pause = self.pauses() if self.pauses else 0.0
        world.after(world.chance.expovariate(1) * manner.cadence + pause, self.talk)


def speak(
    path: Path, *, manner: Manner, client: tuple[Address, int], server: tuple[Address, int],
    stacks: tuple[Stack, Stack], subject: int, packets: int, leaves: int = -1, deaf: bool = False,
    pauses: Callable[[], float] | None = None, renews: bool = True,
) -> None:  # fmt: skip
    """Set up both ends and open now.

    Args:
        path: The way to the server.
        manner: What they speak.
        client: Address and port.
        server: Address and port.
        stacks: Habits of both hosts.
        subject: Number of the conversation.
        packets: That the client sends once it is answered.
        leaves: Datagrams after which the server is gone; -1: it stays.
        deaf: Nobody listens at the server, and nobody says so.
        pauses: Draws further time before each of the client's packets, ns.
        renews: The client opens anew where nothing is answered any more.
    """
    first = Talker(
        path=path, stack=stacks[0], outbound=True, local=client, remote=server, subject=subject, manner=manner,
        packets=packets, pauses=pauses, renews=renews,
    )  # fmt: skip
    Talker(
        path=path, stack=stacks[1], outbound=False, local=server, remote=client, subject=subject, manner=manner,
        leaves=0 if deaf else leaves,
    )  # fmt: skip
    first.begin()
