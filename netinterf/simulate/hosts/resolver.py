"""Resolvers of several temperaments: caches that tick, anycast sites, filters, liars, the slow and the dead."""

from typing import TypeVar

import attrs

from netinterf.simulate.encode import UDP
from netinterf.simulate.hosts.dns_zone import Answer, Entry, Zone, negative, positive, start_of_authority, suits
from netinterf.simulate.hosts.stack import Identifiers, Stack
from netinterf.simulate.messages.dns import (
    AAAA,
    CNAME,
    NXDOMAIN,
    REFUSED,
    SERVFAIL,
    A,
    Opt,
    Query,
    Record,
    answered,
    extended_error,
    option,
    read_query,
)
from netinterf.simulate.network.packet import Address, Packet
from netinterf.simulate.network.path import SECOND, Path, World
from netinterf.values import define, frozen

__all__ = ["Behaviour", "Interceptor", "Resolver", "Rule"]

FORMERR = 1
Value = TypeVar("Value")


@frozen(kw_only=True)
class Rule:
    """What a resolver answers to some names in place of the truth."""

    addresses: tuple[Address, ...] = ()
    rcode: int = 0  # when there are no addresses
    alias: str = ""  # CNAME to the address, as block pages and family filters give
    lifetime: int = 60
    error: int = 0  # Extended DNS Error that says why (RFC 8914: 15 blocked, 16 censored, 17 filtered)
    zone: str = ""  # response policy zone whose SOA stands in the additional section
    lies: bool = False  # a false answer without a word: interference
    own: bool = False  # answers with authority, as local zones and block lists do
    silent: bool = False  # negative answers lack their SOA
    ticks: bool = False  # the TTL falls as in a cache


@frozen(kw_only=True)
class Behaviour:
    """How a resolver behaves."""

    cached: float = 0.7  # share of names that somebody asked for before
    think: tuple[float, float] = (2e5, 5e7)  # median ns for cached names, for names it must ask for
    flags: int = 0x8180
    opt: Opt | None = Opt()  # None: drops OPT records
    cookies: bool = False  # RFC 7873
    style: str = "all"
    ticks: bool = True
    caches: int = 1  # behind one address
    folds: bool = False  # repeats the question in lower case
    validates: bool = False  # DNSSEC: AD, and signatures when they are wanted
    limit: int = 1232  # bytes of the largest UDP answer
    deaf: float = 0.0  # share of queries that it never answers
    dead: tuple[float, float] = (0.0, 0.0)  # ns from the begin, within which it is silent
    refuses: bool = False
    intolerant: bool = False  # FORMERR to EDNS
    rate: float = 0.0  # answers per second beyond which it limits (RRL); 0 never
    slip: float = 0.5  # share of limited answers that come truncated instead of not at all
    twice: float = 0.0  # share of answers sent twice, some ms apart
    minimum: int = 0  # least TTL it gives
    tail: bytes = b""  # behind every message, as an old server leaves it
    confuses: bool = False  # gives A records for AAAA, as some home routers do


PUBLIC_MUTE = 0.045
"""Share of lookups of names with dead servers that a public resolver leaves unanswered: 3 of 67 (RIPE Atlas, 8.8.8.8,
S. Bortzmeyer, postbank.de, 2019-11-14)."""


def closest(name: str, table: dict[str, Value]) -> Value | None:
    """Find what a table holds for a name, or for the nearest domain above it; "" is above all."""
    labels = [*name.lower().split("."), ""]
    rests = (".".join(labels[at:]).rstrip(".") for at in range(len(labels)))
    return next((table[rest] for rest in rests if rest in table), None)


@define(kw_only=True)
class Resolver:
    """Answers queries; what it does not know is NXDOMAIN."""

    world: World
    place: tuple[Address, int]
    stacks: tuple[Stack, ...]  # one per site; which site answers depends on the client's port
    zone: Zone
    behaviour: Behaviour = Behaviour()
    rules: dict[str, Rule] = attrs.field(factory=dict)  # by name, with all names below it; "" is every name
    missing: Rule | None = None  # in place of NXDOMAIN
    backends: dict[str, "Resolver"] = attrs.field(factory=dict)  # who answers for names of a domain instead
    by_packet: bool = False  # each packet may reach another site
    switch: int = 0  # when everybody moves from the first site to the second (ns since 1970 UTC); 0 never
    identifiers: list[Identifiers] = attrs.field(init=False)
    public: frozenset[Address] = frozenset()  # addresses of operators who say SERVFAIL
    born: int = attrs.field(init=False)
    cache: dict[tuple[int, str, int], tuple[int, list[Address]]] = attrs.field(factory=dict)  # expiry, what it cached
    recent: list[int] = attrs.field(factory=list)

    def __attrs_post_init__(self) -> None:
        rng = self.world.rng
        self.born = self.world.now
        self.identifiers = [Identifiers(stack.id_mode, int(rng.integers(1, 2**16)), rng) for stack in self.stacks]

    def receive(self, path: Path, packet: Packet) -> None:
        """Take a query that reached the end of *path* and schedule what there is to say."""
        for delay, reply in self.respond(packet):
            self.world.after(delay, path.send, reply, False)

    def respond(self, packet: Packet) -> list[tuple[float, Packet]]:
        """Give the replies to a query, each with its delay in ns; none when it stays silent."""
        chance, behaviour = self.world.chance, self.behaviour
        query = read_query(packet.payload) if packet.protocol == UDP else None
        other = query and closest(query.name, self.backends)
        if other:
            return other.respond(packet)
        age = self.world.now - self.born
        if query is None or chance.random() < behaviour.deaf or behaviour.dead[0] <= age < behaviour.dead[1]:
            return []
        site = self.site(packet)
        delay, answer, lies = self.answer(query, site)
        if answer is None:
            return []
        limited = self.limited()
        if limited and chance.random() >= behaviour.slip:
            return []
        message = self.written(query, answer)
        room = min(behaviour.limit, query.opt.size) if query.opt and behaviour.opt else 512
        if limited or len(message) > room:
            message = self.written(query, Answer(rcode=answer.rcode, truncated=True))
        if lies:
            self.world.note(packet, "dns.forged")
        replies = [(delay, self.dressed(packet, message, site, lies))]
        if chance.random() < behaviour.twice:
            again = self.written(query, self.answer(query, site)[1] or answer)
            replies.append((delay + chance.uniform(5e5, 4e7), self.dressed(packet, again, site, lies)))
        return replies

    def dressed(self, packet: Packet, message: bytes, site: int, lies: bool) -> Packet:
        """Put a message into a packet of one site."""
        stack = self.stacks[site]
        return packet.reply(
            payload=message, ttl=stack.ttl, tos=stack.tos, ip_id=self.identifiers[site].take(),
            ip_flags=2 if stack.dont_fragment else 0, forged="dns.forged" if lies else "",
        )  # fmt: skip

    def site(self, packet: Packet) -> int:
        """Choose who answers."""
        if self.switch:
            return int(self.world.now >= self.switch)
        if self.by_packet:
            return self.world.chance.randrange(len(self.stacks))
        return packet.sport * 40_503 % 65_537 % len(self.stacks)

    def limited(self) -> bool:
        """Count an answer and say whether it is one too many (response rate limiting)."""
        if not self.behaviour.rate:
            return False
        now = self.world.now
        self.recent = [time for time in self.recent if time > now - SECOND] + [now]
        return len(self.recent) > self.behaviour.rate

    def spoken(self, message: bytes) -> tuple[float, bytes]:
        """Give the delay in ns and the answer to a query over TCP, where nothing is truncated."""
        query = read_query(message)
        delay, answer, _ = self.answer(query, 0) if query else (0.0, None, False)
        return delay, self.written(query, answer) if query and answer else b""

    def written(self, query: Query, answer: Answer) -> bytes:
        """Write an answer as this resolver does."""
        behaviour, opt = self.behaviour, self.behaviour.opt if query.opt else None
        if opt is not None and behaviour.cookies and query.opt and query.opt.options[:2] == b"\x00\x0a":
            content = query.opt.options[4:12] + self.world.chance.randbytes(16)
            opt = attrs.evolve(opt, options=option(10, content))
        if opt is not None and query.opt:
            opt = attrs.evolve(opt, do=query.opt.do)
        return (
            answer.written(query, behaviour.flags, opt, behaviour.style, query.name.lower() if behaviour.folds else "")
            + behaviour.tail
        )

    def answer(self, query: Query, site: int) -> tuple[float, Answer | None, bool]:
        """Decide on an answer: after how many ns, what, and whether it is a lie."""
        chance, behaviour = self.world.chance, self.behaviour
        name, quick = query.name.lower(), chance.lognormvariate(0, 0.5) * behaviour.think[0]
        if behaviour.intolerant and query.opt:
            return quick, Answer(rcode=FORMERR), False
        if behaviour.refuses:
            return quick, Answer(rcode=REFUSED, options=extended_error(18)), False
        rule = closest(name, self.rules)
        if rule is not None:
            return quick, self.ruled(query, rule), rule.lies
        entry = self.zone.get(name) or self.zone.get("*." + name.partition(".")[2])
        if entry is None:
            delay, fresh, _ = self.fetch(query, Entry(), site)
            denied = self.ruled(query, self.missing) if self.missing else negative(name, NXDOMAIN, fresh)
            return delay, denied, False
        if behaviour.confuses and query.kind == AAAA:
            delay, lifetime, picked = self.fetch(attrs.evolve(query, kind=A), entry, site)
            return delay, Answer(answers=tuple(answered(query.name, lifetime, place) for place in picked)), False
        delay, lifetime, picked = self.fetch(query, entry, site)
        if entry.lame:
            mute = min(entry.mute, PUBLIC_MUTE) if self.place[0] in self.public else entry.mute
            failed = None if chance.random() < mute else Answer(rcode=SERVFAIL, options=extended_error(22))
            return delay + chance.uniform(1.5e9, 9e9), failed, False
        if entry.rcode:
            reason = extended_error(6) if behaviour.validates and entry.signed else b""
            return delay, attrs.evolve(negative(name, entry.rcode), authority=(), options=reason), False
        wanted = behaviour.validates and entry.signed and query.opt is not None and query.opt.do
        made = positive(query, entry, picked, lifetime, chance.randbytes(66) if wanted else b"")
        asked = bool(query.flags & 0x20) or wanted
        return delay, attrs.evolve(made, authentic=behaviour.validates and entry.signed and asked), False

    def ruled(self, query: Query, rule: Rule) -> Answer:
        """Answer by a rule."""
        options = extended_error(rule.error) if rule.error else b""
        lifetime = rule.lifetime
        if rule.ticks and lifetime:
            lifetime -= (self.world.now - self.born) // SECOND % lifetime
        policy = (start_of_authority(query.name, kind=rule.zone, lifetime=rule.lifetime),) if rule.zone else ()
        alias = (Record(query.name, CNAME, lifetime, (rule.alias,)),) if rule.alias else ()
        owner = rule.alias or query.name
        records = tuple(answered(owner, lifetime, place) for place in rule.addresses if suits(query.kind, place))
        if records:
            return Answer(answers=alias + records, additional=policy, options=options, authoritative=rule.own)
        made = negative(query.name, rule.rcode if not rule.addresses else 0, rule.lifetime)
        if rule.silent:
            made = Answer(rcode=made.rcode)
        return attrs.evolve(made, answers=alias, additional=policy, options=options, authoritative=rule.own)

    def fetch(self, query: Query, entry: Entry, site: int) -> tuple[float, int, list[Address]]:
        """Look into a cache, or ask: the time it takes, the TTL left, and the addresses in this answer's order."""
        chance, behaviour, now = self.world.chance, self.behaviour, self.world.now
        key = (site * 64 + chance.randrange(behaviour.caches), query.name.lower(), query.kind)
        expiry, picked = self.cache.get(key, (0, []))
        hit = expiry > now
        if not hit:
            hit = key not in self.cache and chance.random() < behaviour.cached
            left = chance.random() if hit and behaviour.ticks else 1.0
            pool = list(entry.addresses)
            picked = chance.sample(pool, len(pool))
            expiry = now + int(entry.lifetime * left * SECOND)
            self.cache[key] = expiry, picked
        if entry.per_answer:
            picked = chance.sample(picked, len(picked))
        shown = [place for place in picked if suits(query.kind, place)][: entry.shown]
        lifetime = max(behaviour.minimum, int((expiry - now) // SECOND) if behaviour.ticks else entry.lifetime)
        delay = chance.lognormvariate(0, 0.5) * behaviour.think[0 if hit else 1] + (0 if hit else entry.slow)
        return delay, lifetime, chance.sample(shown, len(shown))


@define(kw_only=True)
class Interceptor:
    """Answers in place of whatever resolver was asked: queries to port 53 go no further."""

    resolver: Resolver
    begins: int = 0  # ns since 1970 UTC
    ends: int = 1 << 62

    def cross(self, packet: Packet, outbound: bool) -> list[tuple[int, bool, Packet]]:
        """Turn queries round."""
        world = self.resolver.world
        awake = self.begins <= world.now < self.ends
        if not outbound or packet.protocol != UDP or packet.dport != 53 or not awake:
            return [(0, outbound, packet)]
        return [(int(delay), False, reply) for delay, reply in self.resolver.respond(packet)]
