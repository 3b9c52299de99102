"""Boxes on the path that interfere: reset injectors, DNS injectors and token buckets; and one that only queues.

Injectors watch, match and add packets of their own; how those look is a :class:`Form`, drawn widely enough that no
single field gives them away. The forms span what was published about real ones (GFW Report, USENIX Security 2025;
Wang et al., IMC 2017; Weaver et al., NDSS 2009; Nourin et al., WWW 2023; Anonymous, FOCI 2020).
"""

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np

from netinterf.simulate.encode import TCP
from netinterf.simulate.messages import address_bytes, dns_message
from netinterf.simulate.packet import ACK, RST, Address, Packet
from netinterf.simulate.path import Onward, World

__all__ = ["DnsInjector", "Form", "Policer", "ResetInjector", "Shaper", "draw_form"]


@attrs.frozen(kw_only=True)
class Form:
    """How the packets of an injector look."""

    flags: tuple[int, ...] = (RST | ACK,)  # one entry per packet of a burst
    ttl_rule: str = "constant"  # constant, counter, match (what the real sender's packets show here), mirror
    ttl: int = 64
    id_rule: str = "random"  # random, same, zero, constant, mirror, next
    ip_id: int = 0
    window_rule: str = "zero"  # zero, random, constant, counter, mirror
    window: int = 0
    dont_fragment: bool = False
    bare_first: bool = False  # a bare RST goes before the burst
    start: bool = False  # the sequence number of the trigger's start instead of its end, towards the server
    step: int = 0  # added to the sequence number per packet of a burst
    payload: bytes = b""
    gap: float = 50_000.0  # ns between the packets of a burst
    delay: float = 300_000.0  # ns from trigger to burst
    to_client: bool = True
    to_server: bool = True
    swallow: bool = False  # the trigger goes no further

    def dress(self, trigger: Packet, genuine: int, order: int, rng: np.random.Generator, burst: int) -> dict[str, Any]:
        """Choose the IP fields of packet *order* of a burst.

        Args:
            trigger: What provoked it.
            genuine: TTL of the impersonated sender's packets at the box, 0 when none passed.
            order: Place in the burst.
            rng: Source of chance.
            burst: A random number that stays the same within a burst.
        """
        counter = 40 + (burst + order) % 200
        ttl = {"constant": self.ttl, "counter": counter, "match": genuine or self.ttl, "mirror": trigger.ttl}
        fresh = int(rng.integers(1, 2**16))
        identifier = {
            "random": fresh,
            "same": burst % 65_535 + 1,
            "zero": 0,
            "constant": self.ip_id,
            "mirror": trigger.ip_id,
            "next": (trigger.ip_id + 1) % 2**16,
        }
        window = {
            "zero": 0,
            "random": int(rng.integers(300, 60_000)),
            "constant": self.window,
            "counter": self.window + counter,
            "mirror": trigger.window,
        }
        return {
            "ttl": ttl[self.ttl_rule],
            "ip_id": identifier[self.id_rule],
            "window": window[self.window_rule] if trigger.protocol == TCP else 0,
            "ip_flags": 2 if self.dont_fragment else 0,
        }


def draw_form(rng: np.random.Generator) -> Form:
    """Draw the look of a reset injector: a published family, its free fields at random."""
    form = Form(
        delay=float(rng.lognormal(np.log(4e5), 0.7)),
        gap=float(rng.uniform(5e3, 2e5)),
        to_server=bool(rng.random() < 0.6),
        start=bool(rng.random() < 0.3),
        ttl=int(rng.choice([64, 128, 255])),
    )
    reset = RST | ACK
    match str(rng.choice(["triple", "single", "bare", "mirror", "counter", "payload"])):
        case "triple":
            return attrs.evolve(
                form, flags=(reset,) * int(rng.integers(2, 5)), ttl_rule=str(rng.choice(["counter", "match"])),
                id_rule="same", window_rule="counter", window=int(rng.integers(200, 4400)), dont_fragment=True,
                bare_first=bool(rng.random() < 0.5),
            )  # fmt: skip
        case "single":
            return attrs.evolve(form, ttl=int(rng.integers(50, 250)))
        case "bare":
            return attrs.evolve(form, flags=(RST,), id_rule=str(rng.choice(["zero", "random"])), window_rule="random")
        case "mirror":
            return attrs.evolve(
                form, flags=(int(rng.choice([RST, reset])),), ttl_rule="mirror", window_rule="mirror",
                id_rule=str(rng.choice(["mirror", "next"])), dont_fragment=bool(rng.random() < 0.5),
            )  # fmt: skip
        case "counter":
            return attrs.evolve(
                form, flags=(reset,) * 3, ttl_rule="counter", window_rule="counter",
                window=int(rng.integers(900, 3300)), step=int(rng.choice([0, 0, 1460])),
            )  # fmt: skip
        case _:
            return attrs.evolve(
                form, id_rule="constant", ip_id=int(rng.choice([1, 242, 0x9916])), window_rule="constant",
                window=int(rng.integers(1, 40)), payload=rng.bytes(int(rng.integers(8, 24))), to_server=False,
            )  # fmt: skip


@attrs.define
class ResetInjector:
    """Watches what clients say and resets connections whose first bytes hold a blocked name."""

    world: World
    names: frozenset[bytes]
    form: Form
    share: float = 1.0  # of the triggers that it acts on: real ones miss some under load
    heard: dict[tuple[Address, int], bytes] = attrs.field(factory=dict)
    genuine: dict[tuple[Address, int], int] = attrs.field(factory=dict)

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Let the packet pass unless the form swallows triggers; inject on a match."""
        if not outbound:
            self.genuine[packet.source, packet.dport] = packet.ttl
            return [(0, outbound, packet)]
        self.genuine[packet.source, packet.sport] = packet.ttl
        if not packet.payload:
            return [(0, outbound, packet)]
        key = (packet.source, packet.sport)
        told = self.heard.get(key, b"")
        self.heard[key] = (told + packet.payload)[:4096]
        if not any(name in self.heard[key] for name in self.names):
            return [(0, outbound, packet)]
        self.heard[key] = b""
        if self.world.rng.random() >= self.share:
            return [(0, outbound, packet)]
        burst = self.strike(packet)
        return burst if self.form.swallow else [(0, outbound, packet), *burst]

    def strike(self, trigger: Packet) -> list[Onward]:
        """Make the burst to one or both ends."""
        made: list[Onward] = []
        rng, form = self.world.rng, self.form
        burst = int(rng.integers(0, 2**15))
        end = (trigger.seq + len(trigger.payload)) % 2**32
        flags = (RST, *form.flags) if form.bare_first else form.flags
        for order, flag in enumerate(flags):
            when = int(form.delay + order * form.gap)
            step = order * form.step
            plain = Form(id_rule="random", window_rule="random", ttl=form.ttl, ttl_rule=form.ttl_rule)
            look = plain if form.bare_first and order == 0 else form
            if form.to_client:
                genuine = self.genuine.get((trigger.destination, trigger.sport), 0)
                fields = look.dress(trigger, genuine, order, rng, burst)
                ack = end if flag & ACK else 0
                forged = trigger.reply(
                    seq=(trigger.ack + step) % 2**32, ack=ack, flags=flag, payload=form.payload, tos=0,
                    forged="tcp.reset", **fields,
                )  # fmt: skip
                made.append((when, False, forged))
            if form.to_server:
                fields = look.dress(trigger, trigger.ttl, order, rng, burst + 1)
                seq = trigger.seq if form.start else end
                forged = attrs.evolve(
                    trigger, seq=(seq + step) % 2**32, ack=trigger.ack if flag & ACK else 0, flags=flag, options=b"",
                    payload=b"", tos=0, forged="tcp.reset", **fields,
                )  # fmt: skip
                made.append((when, True, forged))
        return made


@attrs.define
class DnsInjector:
    """Answers queries for blocked names before the resolver can."""

    world: World
    names: frozenset[str]
    form: Form
    answers: list[Address]
    answers_six: list[Address] = attrs.field(factory=list)  # to AAAA questions; without any they get *answers*
    kinds: tuple[int, ...] = (1, 28)  # question types that it reacts to
    flags: int = 0x8180
    lifetime: int = 60
    count: int = 1  # replies per query
    copy_opt: bool = False
    swallow: bool = False

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Let the packet pass unless queries are swallowed; answer blocked names."""
        name, kind, opt = asked(packet.payload) if outbound else ("", 0, False)
        if name not in self.names or kind not in self.kinds:
            return [(0, outbound, packet)]
        rng = self.world.rng
        burst, made = int(rng.integers(0, 2**15)), list[Onward]()
        for order in range(self.count):
            pool = self.answers_six if kind == 28 and self.answers_six else self.answers
            answer = pool[int(rng.integers(len(pool)))]
            fields = self.form.dress(packet, 0, order, rng, burst)
            identifier = int.from_bytes(packet.payload[:2], "big")
            data = address_bytes(*answer)
            record = (1 if len(data) == 4 else 28, self.lifetime, data)
            spelled = raw_name(packet.payload)
            payload = dns_message(identifier, self.flags, spelled, kind, [record], opt=opt and self.copy_opt)
            forged = packet.reply(payload=payload, forged="dns.injection", tos=0, **{**fields, "window": 0})
            made.append((int(self.form.delay + order * self.form.gap), False, forged))
        return made if self.swallow else [(0, outbound, packet), *made]


def raw_name(message: bytes) -> str:
    """Read the question name of a query, letter case kept."""
    labels, at = [], 12
    while at < len(message) and message[at]:
        labels.append(message[at + 1 : at + 1 + message[at]].decode("ascii", "replace"))
        at += 1 + message[at]
    return ".".join(labels)


def asked(message: bytes) -> tuple[str, int, bool]:
    """Read name, type and presence of OPT from a DNS query; an empty name when it is none."""
    if len(message) < 17 or message[2] & 0x80:
        return "", 0, False
    name = raw_name(message)
    at = 12 + len(name) + 2
    return name.lower(), int.from_bytes(message[at : at + 2], "big"), message[11] > 0


@attrs.define
class Policer:
    """A token bucket without a queue: what finds no tokens is dropped (RFC 2697 without colours)."""

    world: World
    rate: float  # bit/s, counting Ethernet bytes
    bucket: float  # bytes
    applies: Callable[[Packet], bool]
    level: float = attrs.field(init=False)
    time: int = attrs.field(init=False)
    dropped: int = 0
    subjects: set[int] = attrs.field(factory=set)  # whose packets were dropped

    def __attrs_post_init__(self) -> None:
        self.level, self.time = self.bucket, self.world.now

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Let downstream packets pass while there are tokens."""
        if outbound or not self.applies(packet):
            return [(0, outbound, packet)]
        gained = (self.world.now - self.time) * self.rate / 8e9
        self.level, self.time = min(self.bucket, self.level + gained), self.world.now
        size = packet.size + 14
        if self.level < size:
            self.dropped += 1
            self.subjects.add(packet.subject)
            return []
        self.level -= size
        return [(0, outbound, packet)]


@attrs.define
class Shaper:
    """A queue in front of a slower link, drop-tail: what a shaper or any bottleneck looks like."""

    world: World
    rate: float  # bit/s
    limit: float  # bytes
    free: int = 0  # when the queue will be empty
    dropped: int = 0

    def cross(self, packet: Packet, outbound: bool) -> list[Onward]:
        """Delay downstream packets by the queue before them; drop them when it is full."""
        if outbound:
            return [(0, outbound, packet)]
        now = self.world.now
        begin = max(now, self.free)
        if (begin - now) * self.rate / 8e9 > self.limit:
            self.dropped += 1
            return []
        self.free = begin + int((packet.size + 14) * 8e9 / self.rate)
        return [(self.free - now, outbound, packet)]
