"""The stage on which scenarios are played: world, tap, conversations, and what comes out of it."""

import gc
from collections.abc import Callable, Sequence

import attrs
import numpy as np

from netinterf.simulate.conditions import Conditions
from netinterf.simulate.encode import ETHERNET
from netinterf.simulate.journal import HOLD, Conversation, Journal
from netinterf.simulate.labels import Labels
from netinterf.simulate.network.packet import Address, Packet, address
from netinterf.simulate.network.path import EPOCH, MILLISECOND, Leg, Path, Station, Tap, World
from netinterf.simulate.recorder import Recorder
from netinterf.values import define, frozen

__all__ = ["Conversation", "Scene", "Simulated"]

WORDS = (
    "news", "mail", "shop", "video", "wiki", "bank", "play", "chat", "maps", "cloud", "blog", "forum", "radio", "files",
    "photo", "health", "travel", "school", "music", "games", "weather", "books", "jobs", "proxy",
)  # fmt: skip
ZONES = ("example.com", "example.net", "example.org", "test.example")

MOST_SERVERS = 700
"""Servers of one scene: three documentation networks hold 762."""

NETWORKS_SIX = ("2606:4700", "2a00:1450", "2600:9000", "2a04:4e42", "2a01:4f8", "2001:41d0", "2400:cb00", "2a02:26f0")
"""Networks of IPv6 addresses in DNS answers: /32 of large hosts and delivery networks, by the registries' lists."""

STEP = 20_000
"""Events between two looks of the recorder."""


@frozen(eq=False)
class Simulated:
    """A simulated capture and the truth about it."""

    times: list[int]  # ns since 1970 UTC
    frames: list[bytes]
    link_type: int
    labels: Labels
    lengths: list[int]  # bytes of each frame on the wire


def draw_global(rng: np.random.Generator, count: int) -> list[Address]:
    """Draw ordinary global IPv4 addresses, for DNS answers: reserved ones would be a sign of forgery by themselves.

    They stand for nobody; no packet of a simulation leaves the machine.
    """
    first = rng.choice([23, 52, 104, 142, 151, 185, 199, 216], count)
    rest = rng.integers(1, 255, (count, 3))
    return [address(f"{head}.{a}.{b}.{c}") for head, (a, b, c) in zip(first, rest, strict=True)]


def draw_global_six(rng: np.random.Generator, count: int) -> list[Address]:
    """Draw ordinary global IPv6 addresses of one network, for DNS answers; they stand for nobody either."""
    drawn = [(int(rng.integers(16, 4096)), int(rng.integers(1, 65535))) for _ in range(count)]
    return [address(f"{NETWORKS_SIX[drawn[0][0] % len(NETWORKS_SIX)]}:{a:x}::{b:x}") for a, b in drawn]


@define(eq=False)
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
    answers: dict[tuple[str, str], None] = attrs.field(factory=dict)  # names and addresses: what a control is answered
    keeps: Callable[[int, Packet], bool] | None = None  # which packets are recorded, by time; None: all
    afterwards: list[Callable[[], None]] = attrs.field(factory=list)  # what to settle once the play is over
    begin: int | None = None  # when it begins, ns since 1970 UTC; drawn when left out

    def __attrs_post_init__(self) -> None:
        rng = self.rng
        drawn = EPOCH + int(rng.integers(0, 3 * 10**16))
        self.world = World(rng, drawn if self.begin is None else self.begin)
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
        servers: list[Address] = []
        while len(servers) < count:
            number = int(self.rng.integers(3 * 254))
            place = f"2001:db8:{number % 3:x}:{number % 7:x}::{number:x}"
            drawn = address(place if self.six else nets[number % 3].format(number // 3 + 1))
            if drawn not in self.taken:
                self.taken.add(drawn)
                servers.append(drawn)
        return servers

    def global_addresses(self, count: int) -> list[Address]:
        """Draw ordinary global IPv4 addresses; see `draw_global`."""
        return draw_global(self.rng, count)

    def global_six(self, count: int) -> list[Address]:
        """Draw ordinary global IPv6 addresses; see `draw_global_six`."""
        return draw_global_six(self.rng, count)

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
        rng = self.rng
        gateway, station = (int(number) & ~0x010000000000 | 0x020000000000 for number in rng.integers(0, 2**48, 2))
        journal = Journal(
            tap=self.tap, recorder=Recorder.of(self.conditions, rng), notes=self.world.notes,
            limits=self.world.limits,
            inward=self.vantage == "server", hardware=(gateway, station), keeps=self.keeps,
        )  # fmt: skip
        while self.world.run(STEP):
            journal.write(self.world.now - HOLD)
        journal.write()
        for settle in self.afterwards:
            settle()
        labels = Labels(
            scenario=self.scenario, seed=self.seed, vantage=self.vantage, family=self.family,
            conditions=self.conditions.to_dict(), networks=self.networks, answers=tuple(self.answers),
            truths=journal.truths(self.conversations, self.system, self.confounder),
        )  # fmt: skip
        return Simulated(
            times=journal.stamps(), frames=journal.frames, link_type=ETHERNET, labels=labels, lengths=journal.lengths
        )
