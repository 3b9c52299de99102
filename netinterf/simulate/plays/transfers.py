"""Sites and transfers that the rate and reach scenes are made of."""

from collections.abc import Sequence

import numpy as np

from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.hosts.stack import Stack, draw_server
from netinterf.simulate.messages.tls import application_data, client_hello, server_flight
from netinterf.simulate.network.packet import Address
from netinterf.simulate.network.path import MILLISECOND, Path, Station
from netinterf.simulate.scene import Scene
from netinterf.simulate.talks import visit
from netinterf.values import frozen

__all__ = [
    "BUDGET",
    "Site",
    "affordable",
    "around",
    "beginnings",
    "fetch",
    "fetch_script",
    "lay_sites",
    "ordinary",
    "records",
    "spread",
]

BUDGET = 1_400_000
"""Bytes of all limited transfers of a scenario: with what is lost and acknowledged some 4,000 packets at most."""


@frozen(eq=False)
class Site:
    """A name, where it is served, and the way there."""

    name: str
    server: Address
    path: Path
    host: Stack

    @property
    def spelled(self) -> bytes:
        """The name as it stands in a hello or a Host field."""
        return self.name.encode()


def spread(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw between two positive bounds, evenly in the logarithm."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def around(rng: np.random.Generator, centre: float, factor: float = 2.0) -> float:
    """Draw about a published constant: within *factor* of it, and one time in four exactly it."""
    drawn = spread(rng, centre / factor, centre * factor)
    return centre if rng.random() < 0.25 else drawn


def lay_sites(
    scene: Scene,
    count: int,
    boxes: Sequence[Station] = (),
    *,
    names: Sequence[str] = (),
    servers: Sequence[Address] = (),
    rtt: tuple[float, float] = (2e7, 1.6e8),
    where: tuple[float, float] = (0.1, 0.7),
    luck: float = 0.1,
) -> list[Site]:
    """Lay ways to *count* sites, all through the same boxes at the same distance from the client.

    Args:
        scene: Where.
        count: Number of sites.
        boxes: What all of their paths pass.
        names: Their names; drawn when left out.
        servers: Their addresses; drawn when left out.
        rtt: Bounds of the round trips, ns.
        where: Bounds of the share of the delay that lies between client and boxes.
        luck: How bad the paths are, 0 to 1.
    """
    rng = scene.rng
    names, servers = names or scene.names(count), servers or scene.servers(count)
    trips = [spread(rng, *rtt) for _ in range(count)]
    near = float(rng.uniform(*where)) * min(trips)
    middle = bool(rng.random() < 0.5)
    return [
        Site(
            name, server,
            scene.lay_path(boxes, rtt=trip, where=min(0.95, near / trip), luck=luck, middle=middle),
            draw_server(rng),
        )
        for name, server, trip in zip(names, servers, trips, strict=True)
    ]  # fmt: skip


def records(rng: np.random.Generator, size: int) -> bytes:
    """Write about *size* bytes of application data as TLS records."""
    whole = b"".join(application_data(rng, 16_401) for _ in range(size // 16_406))
    return whole + application_data(rng, max(24, size % 16_406))


def fetch_script(rng: np.random.Generator, name: str, size: int, *, up: bool = False, port: int = 443) -> list[Turn]:
    """Write a connection that moves *size* bytes: over TLS, or over plain HTTP on port 80."""
    think = float(rng.exponential(10 * MILLISECOND))
    if port == 80:
        if up:
            head = b"PUT /file HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n" % (name.encode(), size)
            return [
                Turn(True, head + rng.bytes(50) * (size // 50)),
                Turn(False, b"HTTP/1.1 204 No Content\r\n\r\n", think),
            ]
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % (
            size // 50 * 50
        )
        ask = b"GET /file HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\n\r\n" % name.encode()
        return [Turn(True, ask), Turn(False, head + rng.bytes(50) * (size // 50), think)]
    large = records(rng, size)
    small = application_data(rng, int(rng.integers(80, 500)))
    return [
        Turn(True, client_hello(name, rng, size=int(rng.choice([517, 600, 1750])))),
        Turn(False, server_flight(rng, int(rng.integers(2400, 4800))), float(rng.exponential(4 * MILLISECOND))),
        Turn(True, application_data(rng, 53) + (large if up else small)),
        Turn(False, small if up else large, think),
    ]


def fetch(
    scene: Scene, site: Site, begin: float, size: int, *, up: bool = False, port: int = 443,
    stack: Stack, host: Stack | None = None, apps: tuple[App, App] | None = None, script: list[Turn] | None = None,
    client: Address | None = None, look_alike: bool = False, series: bool = False,
) -> int:  # fmt: skip
    """Schedule a transfer of *size* bytes with a site; the client closes in the end unless *apps* say otherwise.

    Args:
        scene: Where it happens.
        site: With whom.
        begin: When, ns from now.
        size: Bytes.
        up: From the client to the server.
        port: Server port: 443 (TLS) or 80 (HTTP), or another one, spoken to in TLS.
        stack: Habits of the client's host.
        host: Habits of the server's host if not the site's.
        apps: Programs of both ends.
        script: What is said instead of a plain transfer.
        client: Address of the client if not the scene's.
        look_alike: Whether it plays the scenario's look-alike.
        series: Whether it is decidable only together with others.
    """
    return visit(
        scene, site.path, site.server, site.name, begin, port=port, stacks=(stack, host or site.host),
        client=(client or scene.client, scene.next_port()),
        script=fetch_script(scene.rng, site.name, size, up=up, port=port) if script is None else script,
        apps=apps or (App(ending=Ending.CLOSE), App()), look_alike=look_alike, series=series,
    )  # fmt: skip


def affordable(size: int, host: Stack) -> int:
    """Give the bytes to move so that captures stay small: senders that push through loss repeat most of them."""
    return size // 2 if host.congestion == "bbr" else size


def beginnings(rng: np.random.Generator, count: int, span: float) -> list[float]:
    """Draw when *count* transfers begin within *span* ns; the first begins at once."""
    return [0.0, *sorted(rng.uniform(0, span, count - 1).tolist())][:count]


def ordinary(scene: Scene, stack: Stack, span: float, boxes: Sequence[Station] = (), *, count: int = 2) -> None:
    """Schedule small transfers with *count* other sites within *span* ns, whose paths pass *boxes*."""
    rng = scene.rng
    for site in lay_sites(scene, count, boxes, names=[f"www.{name}" for name in scene.names(count)]):
        for begin in rng.uniform(0, span, int(rng.integers(1, 4))):
            fetch(scene, site, float(begin), int(spread(rng, 2e3, 1.2e5)), stack=stack)
