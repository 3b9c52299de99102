"""QUIC ends (RFC 9000, RFC 9002): Initials, handshake, requests and answers over UDP, probes when nothing comes.

What is inside protected packets cannot be seen, so both ends share a book that says what each datagram carries; on the
wire there are Initials that decrypt, and noise of the right sizes behind true headers.
"""

from collections.abc import Callable

import attrs
import numpy as np

from netinterf.simulate.encode import UDP
from netinterf.simulate.hosts.quic_link import FULL, Habits, Link, Parcel, Part
from netinterf.simulate.hosts.stack import Identifiers, Stack
from netinterf.simulate.messages import quic
from netinterf.simulate.messages.hellos import hello_message, server_hello
from netinterf.simulate.network.packet import Address, Packet
from netinterf.simulate.network.path import MILLISECOND, SECOND, Path
from netinterf.values import define

__all__ = ["QuicEnd", "quic_connect"]

GRANULARITY = 25 * MILLISECOND  # default max_ack_delay (RFC 9000 §18.2)
WINDOW = 10  # datagrams, RFC 9002 §7.2
MOST_PROBES = 6


@define(eq=False)
class QuicEnd:
    """One end of a QUIC connection."""

    path: Path
    stack: Stack
    outbound: bool
    local: tuple[Address, int]
    remote: tuple[Address, int]
    subject: int
    link: Link
    gives_up: Callable[[], None] | None = None
    identifiers: Identifiers = attrs.field(init=False)
    turn: int = 0
    number: int = 0
    queue: list[Part] = attrs.field(factory=list)
    flight: dict[Part, tuple[int, int]] = attrs.field(factory=dict)  # when sent, packet number
    repeated: set[Part] = attrs.field(factory=set)
    heard: set[Part] = attrs.field(factory=set)
    window: float = WINDOW
    srtt: float = 0.0
    rttvar: float = 0.0
    probes: int = 0
    timer: int = 0
    owed: int = 0
    alive: bool = True

    def __attrs_post_init__(self) -> None:
        self.identifiers = Identifiers(self.stack.id_mode, int(self.rng.integers(1, 2**16)), self.rng)
        self.path.listen(self.subject, not self.outbound, self.receive)

    @property
    def rng(self) -> np.random.Generator:
        """The source of chance of the simulation."""
        return self.path.world.rng

    # --- what it says ---

    def advance(self) -> None:
        """Begin the next turn once everything of the one before was heard."""
        link = self.link
        while self.turn < len(link.turns) and link.turns[self.turn][0] != self.outbound:
            if any((self.turn, place) not in self.heard for place in range(len(link.sizes(self.turn)))):
                return
            self.turn += 1
        if self.turn < len(link.turns):
            mine = self.turn
            self.turn += 1
            self.path.world.after(link.turns[mine][2], self.say, mine)
        elif self.outbound and self.turn == len(link.turns):
            self.turn += 1
            self.path.world.after(float(self.rng.exponential(SECOND)), self.leave)

    def say(self, turn: int) -> None:
        """Queue the datagrams of a turn."""
        if self.alive:
            self.queue += [(turn, place) for place in range(len(self.link.sizes(turn)))]
            self.pump()
            self.advance()

    def pump(self) -> None:
        """Send what the window allows."""
        while self.queue and len(self.flight) < int(self.window):
            self.transmit(self.queue.pop(0))

    def transmit(self, part: Part) -> None:
        """Send one datagram for the first time or again."""
        if part in self.flight:
            self.repeated.add(part)
        self.flight[part] = self.path.world.now, self.number
        self.emit(self.written(*part), Parcel(part, frozenset(self.heard)))
        self.arm()

    def emit(self, payload: bytes, parcel: Parcel) -> None:
        """Put a datagram on the path."""
        self.number += 1
        self.owed = 0
        self.link.book[payload] = parcel
        stack = self.stack
        self.path.send(
            Packet(
                source=self.local[0], sport=self.local[1], destination=self.remote[0], dport=self.remote[1],
                protocol=UDP, ttl=stack.ttl, tos=stack.tos, ip_flags=2 if stack.dont_fragment else 0,
                ip_id=self.identifiers.take(), payload=payload, subject=self.subject,
            ),
            self.outbound,
        )  # fmt: skip

    def written(self, turn: int, place: int) -> bytes:
        """Write one datagram of a turn."""
        link, rng = self.link, self.rng
        size = link.sizes(turn)[place]
        if turn == 0:
            frames = quic.crypto_frames(link.hello, rng, link.rooms(), shuffled=link.habits.shuffled)
            return self.initial(frames[place], size)
        if turn == 1:
            if place:
                return self.protected(size)
            answer = server_hello(rng, session=b"")
            head = quic.ack_frame(self.largest) + b"\x06\x00" + quic.varint(len(answer), 2)
            first = self.initial(head + answer, 0)
            return first + self.protected(size - len(first))
        if turn == 2 and place == 0:
            finished = self.protected(int(rng.integers(90, 140)))
            return self.initial(quic.ack_frame(0), size - len(finished)) + finished
        return quic.short_packet(rng, self.peer_id, size)

    @property
    def peer_id(self) -> bytes:
        """The connection id that the other end wants to be called by."""
        return self.link.server_id if self.outbound else self.link.client_id

    @property
    def largest(self) -> int:
        """The largest packet number to acknowledge in Initials: one per datagram of the client's hello."""
        return len(self.link.sizes(0)) - 1

    def initial(self, frames: bytes, size: int) -> bytes:
        """Write an Initial of this end."""
        link = self.link
        known = not self.outbound or bool(self.heard)
        goal = self.peer_id if known else link.key_id
        own = link.client_id if self.outbound else link.server_id
        return quic.initial(
            goal, own, self.number, frames, version=link.version, key_id=link.key_id, server=not self.outbound,
            token=link.token if self.outbound else b"", size=size,
        )  # fmt: skip

    def protected(self, size: int) -> bytes:
        """Write a Handshake packet of this end."""
        own = self.link.client_id if self.outbound else self.link.server_id
        return quic.long_packet(self.rng, quic.HANDSHAKE, self.peer_id, own, max(60, size), self.link.version)

    # --- what it hears ---

    def receive(self, packet: Packet) -> None:
        """Take one datagram from the path."""
        parcel = self.link.book.get(packet.payload) if packet.protocol == UDP else None
        if parcel is None or not self.alive:
            return
        if not self.outbound:
            self.remote = packet.source, packet.sport
        if parcel.word == "close":
            self.alive = False
        elif parcel.word:
            self.begin_anew(parcel.word)
        elif self.outbound or self.link.habits.server_mode == "plain" or not self.warn(parcel):
            self.take(parcel)

    def take(self, parcel: Parcel) -> None:
        """Take in acknowledgements and data."""
        done = [part for part in self.flight if part in parcel.heard]
        for part in done:
            sent, number = self.flight.pop(part)
            if part not in self.repeated:
                self.measure(self.path.world.now - sent)
            self.window += 1
            self.recover(number)
        if done:
            self.probes = 0
            self.arm()
        if parcel.part is not None:
            known = parcel.part in self.heard
            self.heard.add(parcel.part)
            if known and parcel.part[0] == 0 and self.flight:
                self.transmit(min(self.flight))  # the answer to the hello was lost
            self.owed += 1
            if parcel.part[0] > 2 or (parcel.part[0] == 2 and parcel.part[1] > 0):
                self.path.world.after(0 if self.owed > 1 else GRANULARITY, self.settle, self.number)
        self.advance()
        self.pump()

    def settle(self, number: int) -> None:
        """Acknowledge what was heard, unless a datagram did since."""
        if self.owed and number == self.number and self.alive:
            self.emit(
                quic.short_packet(self.rng, self.peer_id, int(self.rng.integers(28, 45))),
                Parcel(None, frozenset(self.heard)),
            )

    def recover(self, number: int) -> None:
        """Send again what three later datagrams overtook (RFC 9002 §6.1.1)."""
        lost = [part for part, (_, sent) in self.flight.items() if sent + 3 <= number]
        if lost:
            self.window = max(2.0, self.window / 2)
        for part in lost:
            self.transmit(part)

    def measure(self, sample: int) -> None:
        """Update the smoothed round trip (RFC 9002 §5.3)."""
        if not self.srtt:
            self.srtt, self.rttvar = sample, sample / 2
        self.rttvar += (abs(sample - self.srtt) - self.rttvar) / 4
        self.srtt += (sample - self.srtt) / 8

    # --- timers and ends ---

    def arm(self) -> None:
        """Start the probe timer anew (RFC 9002 §6.2.1)."""
        self.timer += 1
        base = (
            self.srtt + max(4 * self.rttvar, MILLISECOND) + GRANULARITY if self.srtt else self.link.habits.first_probe
        )
        self.path.world.after(base * (1 << self.probes), self.probe, self.timer)

    def probe(self, timer: int) -> None:
        """Repeat the oldest datagrams, or give up."""
        if timer != self.timer or not self.flight or not self.alive:
            return
        self.probes += 1
        if self.probes > MOST_PROBES:
            self.give_up()
            return
        for part in sorted(self.flight)[:2]:
            self.transmit(part)

    def give_up(self) -> None:
        """Forget the connection; a browser goes on over TCP."""
        if self.alive:
            self.alive = False
            if self.gives_up is not None:
                self.gives_up()

    def lose_patience(self) -> None:
        """Give up when the handshake is not over in time."""
        if self.alive and self.turn < 3:
            if self.link.habits.farewell and self.heard:
                self.emit(self.initial(quic.close_frame(0), FULL), Parcel(None, frozenset(), "close"))
            self.give_up()

    def leave(self) -> None:
        """Close the connection, or just say no more."""
        if self.alive and self.link.habits.farewell:
            self.emit(
                quic.short_packet(self.rng, self.peer_id, int(self.rng.integers(30, 50))),
                Parcel(None, frozenset(), "close"),
            )
        self.alive = False

    def warn(self, parcel: Parcel) -> bool:
        """Answer a first Initial with Retry or Version Negotiation, or not at all; say whether that was done."""
        link, rng = self.link, self.rng
        own, peer = link.server_id, link.client_id
        if link.habits.server_mode == "deaf":
            return True
        if link.habits.server_mode == "retry" and not link.token:
            token = rng.bytes(int(rng.integers(40, 120)))
            if parcel.part == (0, 0):
                book = quic.retry(rng, peer, own, link.original, token, link.version)
                self.emit(book, Parcel(None, frozenset(), "retry"))
                link.key_id, link.token = own, token
            return True
        if link.habits.server_mode == "negotiate" and link.version == link.habits.version:
            if parcel.part == (0, 0):
                offered = [quic.V1, int(rng.choice([0x0A1A2A3A, 0xFF00001D]))]
                self.emit(
                    quic.version_negotiation(rng, peer, link.original, offered), Parcel(None, frozenset(), "versions")
                )
                link.version = quic.V1
            return True
        return False

    def begin_anew(self, word: str) -> None:
        """Send the hello again, with the token or in the version that the server asked for."""
        if self.probes > MOST_PROBES or self.heard:
            return
        if word == "versions":
            self.link.original = self.link.key_id = self.rng.bytes(8)
        self.flight.clear()
        self.queue.clear()
        self.say(0)


def quic_connect(
    path: Path, *, client: tuple[Address, int], server: tuple[Address, int], stacks: tuple[Stack, Stack], subject: int,
    name: str, habits: Habits, turns: list[tuple[bool, int, float]], gives_up: Callable[[], None] | None = None,
    extra: tuple[tuple[int, bytes], ...] = (),
) -> None:  # fmt: skip
    """Set up both ends of a QUIC connection and send the first Initial now.

    Args:
        path: The way between them.
        client: Address and port of the client.
        server: Address and port of the server.
        stacks: Habits of the client's and of the server's host.
        subject: Number of the conversation, for the labels.
        name: Server name.
        habits: How they use QUIC.
        turns: After the handshake: who says how many bytes after how many ns of thinking, the client first.
        gives_up: What the client does when it gives up.
        extra: Further extensions of the hello.
    """
    rng = path.world.rng
    original, mine = rng.bytes(8), rng.bytes(habits.client_id)
    hello = hello_message(name, rng, habits.shape, transport=quic.transport_parameters(rng, mine), extra=extra)
    shake = [(True, len(hello), 0.0), (False, int(rng.integers(1500, 4500)), float(rng.exponential(5 * MILLISECOND)))]
    link = Link(
        habits, hello, [*shake, *turns], mine, rng.bytes(habits.server_id), original, habits.version, key_id=original
    )
    first = QuicEnd(path, stacks[0], True, client, server, subject, link, gives_up)
    QuicEnd(path, stacks[1], False, server, client, subject, link).advance()
    first.advance()
    path.world.after(habits.patience, first.lose_patience)
