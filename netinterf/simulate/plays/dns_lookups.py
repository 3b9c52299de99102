"""Lookups to schedule: stubs that ask, repeat themselves, change resolvers, and fall back to TCP."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

import attrs
import numpy as np

from netinterf.simulate.encode import UDP
from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.hosts.stack import Identifiers, Stack
from netinterf.simulate.messages.dns import (
    AAAA,
    HTTPS,
    SERVFAIL,
    A,
    Opt,
    dns_message,
    framed,
    mixed_case,
    option,
    type_name,
)  # fmt: skip
from netinterf.simulate.messages.icmp import error
from netinterf.simulate.network.packet import Address, Packet
from netinterf.simulate.network.path import SECOND, Path
from netinterf.simulate.scene import Conversation, Scene
from netinterf.simulate.talks import visit
from netinterf.values import define, frozen

__all__ = ["Habits", "Server", "Stub", "Way", "draw_habits"]


class Server(Protocol):
    """Somebody who answers queries."""

    place: tuple[Address, int]

    def receive(self, path: Path, packet: Packet) -> None:
        """Take a query that reached the end of *path*."""
        ...

    def spoken(self, message: bytes) -> tuple[float, bytes]:
        """Give delay in ns and answer over TCP."""
        ...


@frozen
class Way:
    """A resolver and the path to it."""

    path: Path
    server: Server


@frozen(kw_only=True)
class Habits:
    """How a stub asks."""

    flags: int = 0x0100  # RD; 0x0120 is dig's default, 0 that of resolvers themselves
    opt: Opt | None = None
    cookie: bool = False  # RFC 7873
    mixed: bool = False  # letters of random case, checked in the answer (draft-vixie-dnsext-dns0x20)
    patience: float = 5e9  # ns between tries (resolv.conf's default is 5 s)
    tries: int = 3
    again: str = "same"  # what a further try changes: nothing, its identifier, or port and identifier
    rotates: bool = False  # a further try goes to the next resolver
    at_once: bool = False  # asks all resolvers at once (dnsmasq --all-servers)
    same_id: bool = False  # A and AAAA share port and identifier
    same_port: bool = False  # A and AAAA share the port (glibc)
    port: int = 0  # asks everything from this port; 0 takes fresh ones
    six: float = 0.4  # share of lookups that ask for AAAA too
    https: float = 0.0  # share of lookups that ask for HTTPS too
    closes: bool = False  # answers what comes late with ICMP port unreachable
    stream: bool = False  # asks over TCP (RFC 7766)
    doubles: float = 0.0  # share of queries that it sends twice at once


def draw_habits(rng: np.random.Generator) -> Habits:
    """Draw a stub: glibc, systemd-resolved, a browser, dig, or Windows (defaults of their manuals)."""
    opt = Opt(int(rng.choice([512, 1232, 1400, 4096])), bool(rng.random() < 0.25)) if rng.random() < 0.6 else None
    return Habits(
        flags=0x0120 if rng.random() < 0.15 else 0x0100,
        opt=opt,
        cookie=opt is not None and bool(rng.random() < 0.25),
        mixed=bool(rng.random() < 0.1),
        patience=float(rng.choice([1e9, 2e9, 5e9])),
        tries=int(rng.integers(2, 5)),
        again=str(rng.choice(["same", "identifier", "port"], p=[0.5, 0.2, 0.3])),
        same_port=bool(rng.random() < 0.3),
        six=float(rng.choice([0.0, 0.3, 1.0])),
        https=float(rng.choice([0.0, 0.5])),
        closes=bool(rng.random() < 0.4),
    )


@define(kw_only=True)
class Stub:
    """A host that looks names up."""

    scene: Scene
    habits: Habits
    stack: Stack
    client: Address
    ways: list[Way]
    identifiers: Identifiers = attrs.field(init=False)
    cookies: dict[Address, bytes] = attrs.field(factory=dict)  # one per server (RFC 7873 §4.1)

    def __attrs_post_init__(self) -> None:
        rng = self.scene.rng
        self.identifiers = Identifiers(self.stack.id_mode, int(rng.integers(1, 2**16)), rng)

    def port(self) -> int:
        """Give the port of the next lookup."""
        return self.habits.port or self.scene.next_port()

    def look_up(
        self, name: str, begin: float, *, look_alike: bool = False, series: bool = False, kinds: tuple[int, ...] = (),
        way: int = 0, then: Callable[[bytes], None] | None = None,
    ) -> None:  # fmt: skip
        """Schedule the questions that a program asks about one name.

        Args:
            name: What is looked up.
            begin: When, ns from now.
            look_alike: Whether it plays the scenario's benign look-alike.
            series: Whether it is decidable only together with others.
            kinds: Question types; drawn by habit when left out.
            way: Which resolver is asked first.
            then: What the program does with the answer to its first question.
        """
        rng, habits = self.scene.rng, self.habits
        if not kinds:
            kinds = (A,) + (AAAA,) * (rng.random() < habits.six) + (HTTPS,) * (rng.random() < habits.https)
        port, identifier = self.port(), int(rng.integers(2**16))
        for order, kind in enumerate(kinds):
            if order and not habits.same_id:
                identifier = int(rng.integers(2**16))
                port = port if habits.same_port else self.port()
            spelled = mixed_case(name, int(rng.integers(2**62))) if habits.mixed else name
            lookup = Lookup(
                stub=self, name=name, spelled=spelled, kind=kind, look_alike=look_alike, series=series, port=port,
                identifier=identifier, way=way, left=habits.tries, opt=habits.opt, then=None if order else then,
            )  # fmt: skip
            self.scene.world.after(begin + order * float(rng.uniform(2e4, 4e5)), lookup.begin)


@define(eq=False, kw_only=True)
class Lookup:
    """One question until it is answered or given up."""

    stub: Stub
    name: str
    spelled: str
    kind: int
    look_alike: bool
    series: bool
    port: int
    identifier: int
    way: int
    left: int
    opt: Opt | None
    then: Callable[[bytes], None] | None = None
    heard: bool = False
    subjects: dict[tuple[int, int, int], int] = attrs.field(factory=dict)  # conversation by way, port, identifier

    def begin(self) -> None:
        """Ask for the first time."""
        habits = self.stub.habits
        if habits.stream:
            self.over_tcp()
            return
        if habits.at_once:
            for _ in self.stub.ways[1:]:
                self.send()
                self.change("port")
                self.way += 1
        self.ask(False)

    def ask(self, again: bool) -> None:
        """Ask, and once more later if nothing came."""
        if self.heard or self.left == 0:
            return
        if again and self.stub.habits.rotates:
            self.way += 1
            self.change("port")
        elif again:
            self.change(self.stub.habits.again)
        self.left -= 1
        self.send()
        chance = self.stub.scene.world.chance
        if chance.random() < self.stub.habits.doubles:
            self.stub.scene.world.after(chance.uniform(2e3, 5e6), self.send)
        self.stub.scene.world.after(self.stub.habits.patience, self.ask, True)

    def change(self, what: str) -> None:
        """Draw a fresh identifier, perhaps a fresh port too."""
        if what != "same":
            self.identifier = int(self.stub.scene.rng.integers(2**16))
        if what == "port":
            self.port = self.stub.port()

    @property
    def used(self) -> Way:
        """The resolver that is asked now."""
        return self.stub.ways[self.way % len(self.stub.ways)]

    def message(self) -> bytes:
        """Write the query."""
        opt, habits = self.opt, self.stub.habits
        if opt is not None and habits.cookie:
            fresh = self.stub.scene.world.chance.randbytes(8)
            cookie = self.stub.cookies.setdefault(self.used.server.place[0], fresh)
            opt = attrs.evolve(opt, options=option(10, cookie))
        return dns_message(self.identifier, habits.flags, self.spelled, self.kind, opt=opt)

    def send(self) -> None:
        """Put a query on the path; a fresh port, identifier or resolver makes an exchange of its own."""
        scene, stack, way = self.stub.scene, self.stub.stack, self.used
        key = (self.way % len(self.stub.ways), self.port, self.identifier)
        if key not in self.subjects:
            kind = type_name(self.kind)
            self.subjects[key] = scene.converse(
                Conversation("exchange", "udp", self.name, kind, self.identifier, self.look_alike, self.series)
            )
            way.path.listen(self.subjects[key], False, partial(self.receive, way.path))
            way.path.listen(self.subjects[key], True, partial(way.server.receive, way.path))
        way.path.send(
            Packet(
                source=self.stub.client, sport=self.port, destination=way.server.place[0],
                dport=way.server.place[1], protocol=UDP, ttl=stack.ttl, ip_id=self.stub.identifiers.take(),
                ip_flags=2 if stack.dont_fragment else 0, payload=self.message(), subject=self.subjects[key],
            ),
            True,
        )  # fmt: skip

    def receive(self, path: Path, packet: Packet) -> None:
        """Take the first answer; what comes later meets a closed port."""
        if packet.protocol != UDP or len(packet.payload) < 12:
            return
        if self.heard:
            if self.stub.habits.closes:
                icmp = error(packet, packet.destination, "port", ttl=self.stub.stack.ttl).copy(subject=-1)
                path.send(icmp, True)
            return
        self.heard = True
        flags = int.from_bytes(packet.payload[2:4], "big")
        if flags & 0x0200:
            self.over_tcp()
        elif flags & 15 == 1 and self.opt is not None:  # an old server: again without EDNS (RFC 6891 §6.2.2)
            self.opt = None
            self.once_more("identifier")
        elif flags & 15 == SERVFAIL and len(self.stub.ways) > 1 and self.left > 0:
            self.way += 1
            self.once_more("port")
        elif self.then is not None:
            self.then(packet.payload)

    def once_more(self, change: str) -> None:
        """Ask again at once."""
        self.change(change)
        self.heard, self.left = False, max(1, self.left)
        self.ask(False)

    def over_tcp(self) -> None:
        """Ask the same over TCP."""
        way, scene = self.used, self.stub.scene
        query = self.message()
        delay, answer = way.server.spoken(query)
        script = [Turn(True, framed(query)), Turn(False, framed(answer), delay)] if answer else [Turn(True, query)]
        visit(
            scene, way.path, way.server.place[0], self.name, 0.0, port=53, stacks=(self.stub.stack, Stack()),
            client=(self.stub.client, scene.next_port()), script=script, look_alike=self.look_alike,
            apps=(App(ending=Ending.CLOSE, patience=5 * SECOND), App()),
        )  # fmt: skip
