"""Authoritative servers as resolvers meet them: of root, top-level domains and zones; they refer, or answer."""

import attrs

from netinterf.simulate.encode import UDP
from netinterf.simulate.hosts.dns_zone import Answer, Zone, negative, positive, suits
from netinterf.simulate.hosts.stack import Identifiers, Stack
from netinterf.simulate.messages.dns import NS, Opt, Query, Record, answered, read_query
from netinterf.simulate.network.packet import Address, Packet
from netinterf.simulate.network.path import Path, World
from netinterf.values import define

__all__ = ["Authority"]


@define(kw_only=True)
class Authority:
    """Serves one zone and refers to the servers of zones below it (RFC 1034 §4.3.2)."""

    world: World
    place: tuple[Address, int]
    stack: Stack
    apex: str  # empty for the root
    zone: Zone = attrs.field(factory=dict)
    children: dict[str, tuple[Address, ...]] = attrs.field(factory=dict)  # addresses of the servers of zones below
    opt: Opt | None = Opt()
    think: float = 3e5  # median ns
    deaf: float = 0.0
    identifiers: Identifiers = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        rng = self.world.rng
        self.identifiers = Identifiers(self.stack.id_mode, int(rng.integers(1, 2**16)), rng)

    def receive(self, path: Path, packet: Packet) -> None:
        """Take a query that reached the end of *path* and schedule the answer."""
        query = read_query(packet.payload) if packet.protocol == UDP else None
        chance = self.world.chance
        if query is None or chance.random() < self.deaf:
            return
        stack = self.stack
        reply = packet.reply(
            payload=self.written(query), ttl=stack.ttl, tos=stack.tos, ip_id=self.identifiers.take(),
            ip_flags=2 if stack.dont_fragment else 0,
        )  # fmt: skip
        self.world.after(chance.lognormvariate(0, 0.4) * self.think, path.send, reply, False)

    def spoken(self, message: bytes) -> tuple[float, bytes]:
        """Give the delay in ns and the answer to a query over TCP."""
        query = read_query(message)
        return self.think, self.written(query) if query else b""

    def written(self, query: Query) -> bytes:
        """Answer a question with a referral, with authority, or that there is no such name."""
        name = query.name.lower()
        below = [child for child in self.children if name == child or name.endswith("." + child)]
        if below:
            made = self.referral(max(below, key=len))
        elif name in self.zone:
            entry = self.zone[name]
            addresses = list(entry.addresses)
            order = self.world.chance.sample(addresses, len(addresses)) if entry.per_answer else addresses
            picked = [place for place in order if suits(query.kind, place)][: entry.shown]
            made = attrs.evolve(positive(query, entry, picked, entry.lifetime), authoritative=True)
        elif any(owner.endswith("." + name) for owner in self.zone) or name == self.apex:
            made = attrs.evolve(negative(f"x.{self.apex}", 0), authoritative=True)  # an empty name (RFC 8020 §2)
        else:
            made = attrs.evolve(negative(f"x.{self.apex}"), authoritative=True)
        return made.written(query, 0x8000, self.opt if query.opt else None)

    def referral(self, child: str) -> Answer:
        """Name the servers of a zone below, with their addresses."""
        names = [f"ns{number}.{child}" for number in range(1, len(self.children[child]) + 1)]
        return Answer(
            authority=tuple(Record(child, NS, 172_800, (name,)) for name in names),
            additional=tuple(
                answered(name, 172_800, place) for name, place in zip(names, self.children[child], strict=True)
            ),
        )
