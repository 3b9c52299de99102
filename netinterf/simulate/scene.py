"""The stage on which scenarios are played: world, tap, conversations, and what comes out of it."""

from collections.abc import Callable

import attrs
import numpy as np

from netinterf.simulate.encode import ETHERNET, encode
from netinterf.simulate.labels import Labels, Truth
from netinterf.simulate.packet import Address, Packet, address, address_text, segments
from netinterf.simulate.path import EPOCH, MILLISECOND, Leg, Path, Station, Tap, World

__all__ = ["Conversation", "Scene", "Simulated", "global_addresses", "server_addresses"]


@attrs.frozen(eq=False)
class Simulated:
    """A simulated capture and the truth about it."""

    times: list[int]  # ns since 1970 UTC
    frames: list[bytes]
    link_type: int
    labels: Labels


@attrs.define
class Conversation:
    """One flow or DNS exchange of the scenario."""

    kind: str
    protocol: str
    client: tuple[Address, int]
    server: tuple[Address, int]
    name: str
    query_type: str | None = None
    query_id: int | None = None
    mechanism: str | None = None  # where no forged packet shows it


@attrs.define
class Scene:
    """What a scenario builds on: it lays paths and starts conversations, then the scene plays."""

    scenario: str
    seed: int
    vantage: str
    rng: np.random.Generator
    world: World = attrs.field(init=False)
    tap: Tap = attrs.field(init=False)
    client: Address = attrs.field(init=False)
    conversations: list[Conversation] = attrs.field(factory=list)
    port: int = attrs.field(init=False)
    afterwards: Callable[[], None] | None = None  # what to settle once the play is over

    def __attrs_post_init__(self) -> None:
        rng = self.rng
        self.world = World(rng, EPOCH + int(rng.integers(0, 3 * 10**16)))
        self.tap = Tap(self.world, loss=float(rng.uniform(0, 0.02)) if rng.random() < 0.15 else 0.0)
        home = ["192.168.{}.{}", "10.0.{}.{}", "172.20.{}.{}"][int(rng.integers(3))]
        self.client = address(home.format(rng.integers(0, 200), rng.integers(2, 250)))
        self.port = int(rng.integers(32_768, 50_000))

    def next_port(self) -> int:
        """Give the client port of the next conversation."""
        self.port += int(self.rng.integers(1, 9))
        return self.port

    def converse(self, conversation: Conversation) -> int:
        """Register a conversation and give its number."""
        self.conversations.append(conversation)
        return len(self.conversations) - 1

    def lay_path(self, boxes: list[Station], *, rtt: float, where: float, luck: float) -> Path:
        """Lay a path from the client to one server.

        Args:
            boxes: Middleboxes, all at the same place.
            rtt: Round trip of the whole path in ns.
            where: Share of the delay between the client and the boxes, 0 to 1.
            luck: How bad the path is, 0 (clean) to 1: jitter, loss of up to 1 %, some reordering and duplicates.
        """
        rng = self.rng
        one_way = rtt / 2
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
        way = [leg(where, near, False), leg(1 - where, max(1, hops - near), True)] if boxes else [leg(1, hops, True)]
        way[1:1] = [Leg(delay=1000, hops=0) for _ in boxes[1:]]
        if self.vantage == "client":
            return Path(self.world, [host, *way], [self.tap, *boxes])
        return Path(self.world, [*way, host], [*boxes, self.tap])

    def finish(self) -> Simulated:
        """Play the scene and write down what the tap saw."""
        self.world.run()
        if self.afterwards is not None:
            self.afterwards()
        seen = self.tap.seen
        gateway, station = (int(number) & ~0x010000000000 | 0x020000000000 for number in self.rng.integers(0, 2**48, 2))
        arrived = [outbound == (self.vantage == "server") for _, outbound, _ in seen]
        columns = segments([time for time, _, _ in seen], [packet for _, _, packet in seen], gateway, station, arrived)
        frames = encode(columns)
        return Simulated(
            times=columns.time.tolist(),
            frames=[frame.tobytes() for frame in frames],
            link_type=ETHERNET,
            labels=Labels(
                scenario=self.scenario, seed=self.seed, vantage=self.vantage,
                truths=self.truths([packet for _, _, packet in seen]),
            ),
        )  # fmt: skip

    def truths(self, packets: list[Packet]) -> tuple[Truth, ...]:
        """Say of every conversation that was captured what happened to it."""
        frames: dict[int, list[int]] = {}
        for number, packet in enumerate(packets, start=1):
            frames.setdefault(packet.subject, []).append(number)
        found = []
        for subject, numbers in frames.items():
            talk = self.conversations[subject]
            forged = tuple(number for number in numbers if packets[number - 1].forged)
            found.append(
                Truth(
                    kind=talk.kind,
                    protocol=talk.protocol,
                    client=address_text(talk.client[0]),
                    client_port=talk.client[1],
                    server=address_text(talk.server[0]),
                    server_port=talk.server[1],
                    name=talk.name,
                    first_frame=numbers[0],
                    mechanism=packets[forged[0] - 1].forged if forged else talk.mechanism,
                    forged=forged,
                    query_type=talk.query_type,
                    query_id=talk.query_id,
                )
            )
        return tuple(sorted(found, key=lambda truth: truth.first_frame))


def server_addresses(rng: np.random.Generator, count: int, *, six: bool = False) -> list[Address]:
    """Draw distinct documentation addresses (RFC 5737, RFC 3849)."""
    nets = ["192.0.2.{}", "198.51.100.{}", "203.0.113.{}"]
    picked = rng.permutation(3 * 250)[:count]
    if six:
        return [address(f"2001:db8:{number % 3:x}::{number:x}") for number in picked]
    return [address(nets[number % 3].format(number // 3 + 1)) for number in picked]


def global_addresses(rng: np.random.Generator, count: int) -> list[Address]:
    """Draw ordinary global IPv4 addresses, for DNS answers: reserved ones would be a sign of forgery by themselves.

    They stand for nobody; no packet of a simulation leaves the machine.
    """
    first = rng.choice([23, 52, 104, 142, 151, 185, 199, 216], count)
    rest = rng.integers(1, 255, (count, 3))
    return [address(f"{head}.{a}.{b}.{c}") for head, (a, b, c) in zip(first, rest, strict=True)]
