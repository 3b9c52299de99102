"""The stage on which scenarios are played: world, tap, conversations, and what comes out of it."""

import gc
from collections.abc import Callable, Sequence

import attrs
import numpy as np

from netinterf.simulate.conditions import Conditions
from netinterf.simulate.encode import ETHERNET, frames
from netinterf.simulate.labels import Labels, Truth
from netinterf.simulate.network.packet import Address, Packet, address, address_text, segments
from netinterf.simulate.network.path import EPOCH, MILLISECOND, Leg, Path, Station, Tap, World
from netinterf.simulate.recorder import Recorder

__all__ = ["Conversation", "Scene", "Simulated"]

WORDS = (
    "news", "mail", "shop", "video", "wiki", "bank", "play", "chat", "maps", "cloud", "blog", "forum", "radio", "files",
    "photo", "health", "travel", "school", "music", "games", "weather", "books", "jobs", "proxy",
)  # fmt: skip
ZONES = ("example.com", "example.net", "example.org", "test.example")

MOST_SERVERS = 700
"""Servers of one scene: three documentation networks hold 762."""

BLOCK = 10_000
"""Packets encoded at a time, which bounds memory and lets it be used again."""


@attrs.frozen(eq=False)
class Simulated:
    """A simulated capture and the truth about it."""

    times: list[int]  # ns since 1970 UTC
    frames: list[bytes]
    link_type: int
    labels: Labels
    lengths: list[int]  # bytes of each frame on the wire


@attrs.define
class Conversation:
    """One flow or DNS exchange of the scenario."""

    kind: str  # flow or exchange
    protocol: str
    name: str
    query_type: str | None = None
    query_id: int | None = None
    odd: bool = False  # plays the benign look-alike of the scenario
    series: bool = False  # decidable only together with others


@attrs.define(eq=False)
class Scene:
    """What a scenario builds on: it lays paths and starts conversations, then the scene plays."""

    scenario: str
    seed: int
    conditions: Conditions
    rng: np.random.Generator
    system: str = ""
    confounder: str = ""
    family: str = ""
    world: World = attrs.field(init=False)
    tap: Tap = attrs.field(init=False)
    client: Address = attrs.field(init=False)
    conversations: list[Conversation] = attrs.field(factory=list)
    port: int = attrs.field(init=False)
    taken: set[Address] = attrs.field(factory=set)
    networks: tuple[tuple[str, int, str], ...] = ()  # prefix, asn and country of hosts, where that matters
    afterwards: list[Callable[[], None]] = attrs.field(factory=list)  # what to settle once the play is over

    def __attrs_post_init__(self) -> None:
        rng = self.rng
        self.world = World(rng, EPOCH + int(rng.integers(0, 3 * 10**16)))
        self.tap = Tap(self.world)
        self.port = int(rng.integers(32_768, 50_000))
        self.client = self.clients(1)[0]

    @property
    def six(self) -> bool:
        """Whether this run speaks IPv6."""
        return self.conditions.ip == 6

    @property
    def vantage(self) -> str:
        """Where the tap is: client, server or middle."""
        return str(self.conditions.vantage)

    # --- who ---

    def clients(self, count: int) -> list[Address]:
        """Draw addresses of clients: private ones (RFC 1918) of one home, or of one documentation /64 (RFC 3849)."""
        rng = self.rng
        hosts = rng.choice(np.arange(2, 250), count, replace=False)
        if self.six:
            net = f"2001:db8:{rng.integers(0x100, 0xFFFF):x}:{rng.integers(1, 0xFFFF):x}"
            return [address(f"{net}:{rng.integers(1, 0xFFFF):x}::{host:x}") for host in hosts]
        home = ["192.168.{}.{}", "10.0.{}.{}", "172.20.{}.{}"][int(rng.integers(3))]
        net = str(rng.integers(0, 200))
        return [address(home.format(net, host)) for host in hosts]

    def servers(self, count: int) -> list[Address]:
        """Draw addresses of servers that no other has: documentation addresses (RFC 5737, RFC 3849)."""
        if len(self.taken) + count > MOST_SERVERS:
            raise ValueError(f"a scene has room for {MOST_SERVERS} servers")
        nets = ["192.0.2.{}", "198.51.100.{}", "203.0.113.{}"]
        found: list[Address] = []
        while len(found) < count:
            number = int(self.rng.integers(3 * 254))
            place = f"2001:db8:{number % 3:x}:{number % 7:x}::{number:x}"
            drawn = address(place if self.six else nets[number % 3].format(number // 3 + 1))
            if drawn not in self.taken:
                self.taken.add(drawn)
                found.append(drawn)
        return found

    def global_addresses(self, count: int) -> list[Address]:
        """Draw ordinary global IPv4 addresses, for DNS answers: reserved ones would be a sign of forgery by themselves.

        They stand for nobody; no packet of a simulation leaves the machine.
        """
        first = self.rng.choice([23, 52, 104, 142, 151, 185, 199, 216], count)
        rest = self.rng.integers(1, 255, (count, 3))
        return [address(f"{head}.{a}.{b}.{c}") for head, (a, b, c) in zip(first, rest, strict=True)]

    def names(self, count: int) -> list[str]:
        """Draw distinct host names below the reserved example domains (RFC 2606)."""
        picked = self.rng.permutation(len(WORDS) * len(ZONES))[:count]
        return [
            f"{WORDS[number % len(WORDS)]}{self.rng.integers(1, 99)}.{ZONES[number // len(WORDS)]}" for number in picked
        ]

    def next_port(self) -> int:
        """Give the client port of the next conversation."""
        self.port += int(self.rng.integers(1, 9))
        if self.port > 65_000:
            self.port = 32_768
        return self.port

    def converse(self, conversation: Conversation) -> int:
        """Register a conversation and give its number."""
        self.conversations.append(conversation)
        return len(self.conversations) - 1

    # --- where ---

    def lay_path(
        self,
        boxes: Sequence[Station] = (),
        *,
        rtt: float | None = None,
        where: float | None = None,
        luck: float | None = None,
        middle: bool = True,
    ) -> Path:
        """Lay a path from the client to one server, with the tap in its place.

        Args:
            boxes: Middleboxes, all at the same place.
            rtt: Round trip of the whole path in ns; around 70 ms when left out.
            where: Share of the delay between the client and the boxes, 0 to 1; drawn when left out.
            luck: How bad the path is, 0 (clean) to 1: jitter, loss of up to 1 %, some reordering and duplicates; that
                of the run when left out.
            middle: For a tap in the middle, whether it lies on the client's side of the boxes.
        """
        rng = self.rng
        luck = float(self.conditions.luck or 0.0) if luck is None else luck
        one_way = (rng.lognormal(np.log(7e7), 0.6) if rtt is None else rtt) / 2
        where = float(rng.uniform(0.05, 0.7)) if where is None else where
        hops = int(rng.integers(5, 20))
        near = max(1, round(hops * where))

        def leg(share: float, count: int, bad: bool) -> Leg:
            return Leg(
                delay=int(one_way * share),
                hops=count,
                jitter=int(rng.exponential(0.3 * MILLISECOND) * luck),
                loss=float(rng.uniform(0, 0.01)) * luck if bad else 0.0,
                reorder=float(rng.uniform(0, 0.01)) * luck if bad and rng.random() < 0.5 else 0.0,
                duplicate=float(rng.uniform(0, 0.004)) * luck if bad and rng.random() < 0.3 else 0.0,
                rate=float(rng.choice([5e7, 1e8, 1e9])),
            )

        host = Leg(delay=int(rng.integers(1_000, 30_000)), hops=0)
        if not boxes and self.vantage != "middle":
            whole = leg(1, hops, True)
            ends: list[Leg | Station | Tap] = [host, self.tap, whole]
            return Path(self.world, ends if self.vantage == "client" else ends[::-1])
        first, second = leg(where, near, False), leg(1 - where, max(1, hops - near), True)
        if self.vantage == "client":
            return Path(self.world, [host, self.tap, first, *boxes, second])
        if self.vantage == "server":
            return Path(self.world, [first, *boxes, second, self.tap, host])
        tap: list[Station | Tap] = [self.tap, *boxes] if middle else [*boxes, self.tap]
        return Path(self.world, [first, *tap, second])

    # --- what comes out ---

    def finish(self) -> Simulated:
        """Play the scene and write down what the recorder saw.

        The collector of cycles rests meanwhile: it would look through millions of live packets again and again.
        """
        collects = gc.isenabled()
        gc.disable()
        try:
            return self.played()
        finally:
            if collects:
                gc.enable()

    def played(self) -> Simulated:
        """Play the scene and record it."""
        self.world.run()
        for settle in self.afterwards:
            settle()
        seen = sorted(self.tap.seen, key=lambda one: one[0])
        rng = self.rng
        gateway, station = (int(number) & ~0x010000000000 | 0x020000000000 for number in rng.integers(0, 2**48, 2))
        recorder = Recorder.of(self.conditions, seen[0][0] if seen else 0, seen[-1][0] if seen else 0, rng)
        times, captured, lengths, origin = list[int](), list[bytes](), list[int](), list[int]()
        for begin in range(0, len(seen), BLOCK):
            part = seen[begin : begin + BLOCK]
            packets = [one[3] for one in part]
            outbound = np.array([one[1] for one in part], bool)
            columns = segments(
                [one[0] for one in part], packets, [one[2] for one in part], gateway, station,
                (outbound == (self.vantage == "server")).tolist(),
            )  # fmt: skip
            subject = np.array([packet.subject for packet in packets], np.int64)
            forged = np.array([bool(packet.forged) for packet in packets], bool)
            taken = recorder.record(columns, outbound, subject, forged)
            made, sizes = frames(taken.columns, self.conditions.snaplen or 0)
            captured += made
            times += taken.columns.time.tolist()
            lengths += sizes
            origin += (taken.packet + begin).tolist()
        return Simulated(
            times=times, frames=captured, link_type=ETHERNET, lengths=lengths,
            labels=Labels(
                scenario=self.scenario, seed=self.seed, vantage=self.vantage, family=self.family,
                conditions=self.conditions.to_dict(), networks=self.networks,
                truths=self.truths([(seen[row][1], seen[row][3]) for row in origin]),
            ),
        )  # fmt: skip

    def truths(self, frames: list[tuple[bool, Packet]]) -> tuple[Truth, ...]:
        """Say of every conversation that was captured what happened to it.

        Args:
            frames: Direction and packet of each frame.
        """
        numbers: dict[int, list[int]] = {}
        for number, (_, packet) in enumerate(frames, start=1):
            numbers.setdefault(packet.subject, []).append(number)
        found = [self.truth(subject, mine, frames) for subject, mine in numbers.items() if subject >= 0]
        return tuple(sorted(found, key=lambda truth: truth.first_frame))

    def truth(self, subject: int, numbers: list[int], frames: list[tuple[bool, Packet]]) -> Truth:
        """Say of one conversation what happened to it; addresses are those of its first captured frame."""
        talk = self.conversations[subject]
        outbound, first = frames[numbers[0] - 1]
        ends = ((first.source, first.sport), (first.destination, first.dport))
        client, server = ends if outbound else ends[::-1]
        forged = tuple(number for number in numbers if frames[number - 1][1].forged)
        notes = self.world.notes.get(subject, [])
        seen = [frames[number - 1][1].forged for number in forged]
        words = [word for word, _ in notes if word in seen] + seen + [word for word, _ in notes]
        mechanism, *also = dict.fromkeys(words) or [None]
        provoked = {id(packet) for _, packet in notes}
        trigger = next((number for number in numbers if id(frames[number - 1][1]) in provoked), 0)
        return Truth(
            kind=talk.kind,
            protocol=talk.protocol,
            client=address_text(client[0]),
            client_port=client[1],
            server=address_text(server[0]),
            server_port=server[1],
            name=talk.name,
            first_frame=numbers[0],
            mechanism=mechanism,
            also=tuple(word for word in also if word),
            forged=forged,
            trigger=trigger,
            system=self.system if mechanism else "",
            confounder=self.confounder if talk.odd and not mechanism else "",
            series=talk.series,
            query_type=talk.query_type,
            query_id=talk.query_id,
        )
