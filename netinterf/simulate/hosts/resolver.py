"""DNS endpoints: a stub that asks and repeats itself, and a resolver that answers from a small zone."""

import attrs

from netinterf.simulate.boxes.answers import asked, raw_name
from netinterf.simulate.encode import UDP
from netinterf.simulate.hosts.stack import Identifiers, Stack
from netinterf.simulate.messages.dns import address_bytes, dns_message
from netinterf.simulate.network.packet import Address, Packet
from netinterf.simulate.network.path import Path

__all__ = ["Resolver", "look_up"]


@attrs.define
class Resolver:
    """Answers every query after a while; unknown names get NXDOMAIN."""

    path: Path
    place: tuple[Address, int]
    stack: Stack
    zone: dict[str, list[Address]]
    lifetimes: dict[str, int]
    answers: int = 4  # addresses per reply
    think: tuple[float, float] = (2e5, 5e7)  # median ns for cached names, for names it must ask for
    cached: float = 0.7
    opt: bool = True
    identifiers: Identifiers = attrs.field(init=False)
    known: set[str] = attrs.field(factory=set)

    def __attrs_post_init__(self) -> None:
        rng = self.path.world.rng
        self.identifiers = Identifiers(self.stack.id_mode, int(rng.integers(1, 2**16)), rng)

    def receive(self, query: Packet) -> None:
        """Take a query and schedule the answer."""
        rng = self.path.world.rng
        name, _, _ = asked(query.payload)
        hit = name in self.known or rng.random() < self.cached
        self.known.add(name)
        delay = float(rng.lognormal(0, 0.5)) * self.think[0 if hit else 1]
        self.path.world.after(delay, self.answer, query)

    def answer(self, query: Packet) -> None:
        """Send the reply; the addresses rotate from reply to reply."""
        rng = self.path.world.rng
        name, kind, opt = asked(query.payload)
        pool = [one for one in self.zone.get(name, []) if (one[0] == 0) == (kind == 1)]
        picked = [pool[place] for place in rng.permutation(len(pool))[: self.answers]]
        lifetime = int(rng.integers(1, self.lifetimes.get(name, 300) + 1))
        records = [(kind, lifetime, address_bytes(*one)) for one in picked]
        flags = 0x8180 if name in self.zone else 0x8183
        identifier = int.from_bytes(query.payload[:2], "big")
        payload = dns_message(identifier, flags, raw_name(query.payload), kind, records, opt=opt and self.opt)
        reply = query.reply(
            payload=payload, ttl=self.stack.ttl, tos=self.stack.tos, ip_id=self.identifiers.take(),
            ip_flags=2 if self.stack.dont_fragment else 0, forged="",
        )  # fmt: skip
        self.path.send(reply, False)


def look_up(
    path: Path,
    resolver: Resolver,
    *,
    client: tuple[Address, int],
    stack: Stack,
    identifiers: Identifiers,
    name: str,
    kind: int,
    subject: int,
    identifier: int,
    opt: bool = True,
    patience: float = 5e9,
    tries: int = 3,
) -> None:
    """Ask now, and again every *patience* nanoseconds until something came back.

    Args:
        path: The way to the resolver.
        resolver: Who is asked.
        client: Address and port of the stub.
        stack: Habits of the stub's host.
        identifiers: IPv4 identifications of the stub's host.
        name: Question name.
        kind: QTYPE.
        subject: Number of the exchange, for the labels.
        identifier: DNS message identifier.
        opt: Send an OPT record.
        patience: Time between queries, ns.
        tries: Most queries sent.
    """
    heard: list[Packet] = []
    path.listen(subject, False, heard.append)
    path.listen(subject, True, resolver.receive)
    payload = dns_message(identifier, 0x0100, name, kind, opt=opt)

    def ask(left: int) -> None:
        if heard or left == 0:
            return
        path.send(
            Packet(
                source=client[0], sport=client[1], destination=resolver.place[0], dport=resolver.place[1], protocol=UDP,
                ttl=stack.ttl, ip_id=identifiers.take(), ip_flags=2 if stack.dont_fragment else 0, payload=payload,
                subject=subject,
            ),
            True,
        )  # fmt: skip
        path.world.after(patience, ask, left - 1)

    ask(tries)
