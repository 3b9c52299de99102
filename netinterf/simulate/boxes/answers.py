"""DNS injectors: they answer queries for listed names before, or in place of, the resolver."""

import attrs

from netinterf.simulate.boxes.handwriting import Handwriting
from netinterf.simulate.encode import UDP
from netinterf.simulate.messages.dns import AAAA, CNAME, Opt, Query, Record, answered, dns_message, read_query, restated
from netinterf.simulate.network.packet import Address, Packet
from netinterf.simulate.network.path import SECOND, Onward, World
from netinterf.values import define, frozen

__all__ = ["AnswerStyle", "DnsInjector", "QueryDropper", "forge", "listed"]


@frozen(kw_only=True)
class AnswerStyle:
    """How the answers of one injector are made."""

    form: Handwriting = attrs.field(factory=Handwriting)  # IP header, delay, gap
    pool: tuple[Address, ...] = ()  # for A, and for types it knows nothing better for; none: an empty answer
    pool_six: tuple[Address, ...] = ()  # for AAAA; without any an A record answers AAAA too
    order: str = "random"  # random, cyclic (one list after the other, Wallbleed) or name (one name, one address)
    kinds: tuple[int, ...] = ()  # question types that it reacts to; none: all
    flags: int = 0x8180
    plain_flags: int = 0  # to queries without RD; 0: the same
    lifetime: tuple[int, int] = (60, 60)  # least and greatest TTL in seconds
    count: int = 1  # answers per query
    style: str = "all"  # "none": the answer's name is written out
    alias: str = ""  # forged CNAME before the address
    echo_opt: bool = False  # an OPT record for an OPT record
    keep_tail: bool = False  # what stood behind the question stays there, before the answer (Turkmenistan to 2022-11)
    keep_count: bool = False  # ARCOUNT stays as it was asked, though nothing follows; no QCLASS (Iran 2023)
    share: float = 1.0  # of the queries that it acts on: real ones miss some under load


@define
class LearnedResolver:
    """What a box has learnt about a resolver from what passed."""

    reply: Packet
    opt: bool = False
    flags: int = 0x8180
    quickest: int = 20 * SECOND  # ns between a query and its answer at the box


def listed(name: str, names: frozenset[str]) -> bool:
    """Say whether *name* or a domain above it is one of *names*."""
    labels = name.lower().split(".")
    return any(".".join(labels[place:]) in names for place in range(len(labels)))


def forge(how: AnswerStyle, query: Query, message: bytes, pick: int, lifetime: int) -> bytes:
    """Write a forged answer.

    Args:
        how: The style of its maker.
        query: The question.
        message: Bytes of the query.
        pick: Which entry of the pool.
        lifetime: TTL of the answer in seconds.
    """
    pool = how.pool_six if query.kind == AAAA and how.pool_six else how.pool
    flags = how.plain_flags if how.plain_flags and not query.flags & 0x0100 else how.flags
    records = list[Record]()
    owner = query.name
    if how.alias:
        records.append(Record(owner, CNAME, lifetime, (how.alias,)))
        owner = how.alias
    if pool:
        records.append(answered(owner, lifetime, pool[pick % len(pool)]))
    extra = message[11] if how.keep_count else 0
    opt = Opt(4096) if how.echo_opt and query.opt else None
    made = dns_message(
        query.identifier, flags, query.name, query.kind, records, opt=opt, style=how.style, uncounted=extra
    )  # fmt: skip
    if how.keep_tail:
        return made[: query.end] + message[query.end :] + made[query.end :]
    return made[: query.end - 2] + made[query.end :] if how.keep_count else made


@define(kw_only=True)
class DnsInjector:
    """Answers queries for blocked names; one *maker* after the other, each with its own style and delay."""

    world: World
    names: frozenset[str]  # with all names below them
    makers: tuple[AnswerStyle, ...]
    in_path: bool = False  # queries go no further: only the forged answer is seen
    swallows_replies: bool = False  # the query goes on, the resolver's answer is stopped
    mimics: bool = False  # takes over header, EDNS, time and, from the second time on, the message of the resolver
    alone: bool = False  # there is no resolver, so that only forged answers are seen
    places: dict[int, int] = attrs.field(factory=dict)  # of each maker in its cycle
    known: dict[Address, LearnedResolver] = attrs.field(factory=dict)
    under_way: dict[tuple[Address, int, int], int] = attrs.field(factory=dict)  # when a query passed
    caught: set[tuple[Address, int, int]] = attrs.field(factory=set)
    overheard: dict[tuple[Address, str, int], bytes] = attrs.field(factory=dict)  # true answers to blocked names
    born: dict[str, tuple[int, int]] = attrs.field(factory=dict)  # first answer: time, and TTL

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Let the packet pass unless it is swallowed; answer blocked names on port 53 (Anonymous, FOCI 2020)."""
        if packet.protocol != UDP:
            return [(0, outbound, packet)]
        if not outbound:
            return self.back(packet)
        query = read_query(packet.payload) if packet.dport == 53 else None
        if query is None:
            return [(0, outbound, packet)]
        key = (packet.source, packet.sport, query.identifier)
        self.under_way[key] = self.world.now
        if not listed(query.name, self.names):
            return [(0, outbound, packet)]
        made = list[Onward]()
        for number, maker in enumerate(self.makers):
            if (not maker.kinds or query.kind in maker.kinds) and self.world.chance.random() < maker.share:
                made += self.inject(number, maker, packet, query)
        if not made:
            return [(0, outbound, packet)]
        self.world.note(packet, self.mechanism)
        self.caught.add(key)
        return made if self.in_path else [(0, outbound, packet), *made]

    @property
    def mechanism(self) -> str:
        """Word of the verdict format: a race is an injection, an answer alone is forged."""
        return "dns.forged" if self.in_path or self.swallows_replies or self.alone else "dns.injection"

    def back(self, packet: Packet) -> list[Onward]:
        """Learn from a resolver's answer; stop it when answers are swallowed."""
        if packet.sport != 53 or len(packet.payload) < 12:
            return [(0, False, packet)]
        key = (packet.destination, packet.dport, int.from_bytes(packet.payload[:2], "big"))
        question = read_query(b"\0\0\1\0" + packet.payload[4:]) if self.mimics else None
        if question is not None and listed(question.name, self.names) and not packet.payload[2] & 2:
            self.overheard[packet.source, question.name.lower(), question.kind] = packet.payload
        if self.swallows_replies and key in self.caught:
            return []
        known = self.known.setdefault(packet.source, LearnedResolver(packet))
        known.reply, known.opt = packet.copy(), packet.payload[11] > 0  # the packet's hop limit goes on falling
        known.flags = int.from_bytes(packet.payload[2:4], "big") & 0xFFF0
        known.quickest = min(known.quickest, self.world.now - self.under_way.get(key, 0))
        return [(0, False, packet)]

    def inject(self, number: int, maker: AnswerStyle, packet: Packet, query: Query) -> list[Onward]:
        """Make the answers of one maker."""
        rng, chance = self.world.rng, self.world.chance
        burst, made = chance.randrange(2**15), list[Onward]()
        known = self.known.get(packet.destination) if self.mimics else None
        for order in range(maker.count):
            pick = self.pick(number, maker, query)
            fields = maker.form.header_fields(packet, 0, order, rng, burst)
            lifetime = chance.randint(*maker.lifetime)
            delay = maker.form.delay + order * maker.form.gap
            if known is not None:
                genuine = known.reply
                moved = 0 if genuine.ip_id == 0 else (genuine.ip_id + chance.randint(1, 3)) % 2**16
                fields |= {"ttl": genuine.ttl, "ip_flags": genuine.ip_flags, "ip_id": moved, "tos": genuine.tos}
                maker = attrs.evolve(maker, flags=known.flags, echo_opt=known.opt)
                lifetime = self.ticking(query.name, lifetime)
                delay = max(delay, known.quickest * chance.uniform(0.9, 0.99) if known.quickest < SECOND else 0)
            payload = forge(maker, query, packet.payload, pick, lifetime)
            true = self.overheard.get((packet.destination, query.name.lower(), query.kind))
            if true is not None:
                payload = restated(true, query, packet.payload, (*maker.pool, *maker.pool_six), lifetime)
            forged = packet.reply(payload=payload, forged=self.mechanism, **{"tos": 0, **fields, "window": 0})
            made.append((int(delay), False, forged))
        return made

    def pick(self, number: int, maker: AnswerStyle, query: Query) -> int:
        """Choose an entry of the pool."""
        if maker.order == "name":
            return sum(query.name.lower().encode())
        if maker.order == "cyclic":
            self.places[number] = self.places.get(number, self.world.chance.randrange(600)) + 1
            return self.places[number]
        return self.world.chance.randrange(2**20)

    def ticking(self, name: str, lifetime: int) -> int:
        """Let the TTL of a name fall as a cache does."""
        begun, first = self.born.setdefault(name.lower(), (self.world.now, lifetime))
        return max(1, first - (self.world.now - begun) // SECOND % first)


@define(kw_only=True)
class QueryDropper:
    """Swallows queries for some names, all queries to some servers, or the answers to them."""

    world: World
    names: frozenset[str] = frozenset()
    servers: frozenset[Address] = frozenset()  # everything asked over UDP there
    answers: bool = False  # lets the query pass and stops what comes back
    share: float = 1.0  # of the packets concerned
    begins: int = 0  # ns since 1970 UTC
    kinds: tuple[int, ...] = ()  # question types concerned; none: all
    marked: dict[tuple[Address, int, int], Packet] = attrs.field(factory=dict)

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Drop what is concerned."""
        place, port = (packet.destination, packet.dport) if outbound else (packet.source, packet.sport)
        if packet.protocol != UDP or port != 53 or self.world.now < self.begins:
            return [(0, outbound, packet)]
        if not outbound:
            key = (packet.destination, packet.dport, int.from_bytes(packet.payload[:2], "big"))
            if key not in self.marked or self.world.chance.random() >= self.share:
                return [(0, outbound, packet)]
            self.world.note(self.marked[key], "dns.drop")
            return []
        query = read_query(packet.payload)
        wanted = query is not None and (place in self.servers or listed(query.name, self.names))
        if query is None or not wanted or (self.kinds and query.kind not in self.kinds):
            return [(0, outbound, packet)]
        if self.answers:
            self.marked[packet.source, packet.sport, query.identifier] = packet
            return [(0, outbound, packet)]
        if self.world.chance.random() >= self.share:
            return [(0, outbound, packet)]
        self.world.note(packet, "dns.drop")
        return []
