"""The frame of all benign look-alikes: one odd server with its causes, and ordinary visits to its neighbours.

A look-alike is a function that schedules what is odd in a :class:`Setup`. Its name is the id of the documented
confounder and its docstring is what the scenario says, so that each is written once.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, SupportsInt

import attrs
import numpy as np

from netinterf.simulate.hosts.actor import Actor
from netinterf.simulate.hosts.app import App, Turn
from netinterf.simulate.hosts.endpoint import Endpoint
from netinterf.simulate.hosts.stack import Stack, draw_client, draw_server
from netinterf.simulate.messages.tls import application_data, client_hello, server_flight
from netinterf.simulate.network.packet import Address, Packet
from netinterf.simulate.network.path import MILLISECOND, SECOND, Path, Station
from netinterf.simulate.scenario import ANYWHERE, Scenario
from netinterf.simulate.scene import Conversation, Scene
from netinterf.simulate.talks import ordinary_apps, visit
from netinterf.values import define

__all__ = ["Setup", "download", "look_alikes", "records", "talk_again", "upload"]

MOST_TRIES = 7
"""Retransmissions of a host at which something is odd, so that captures end within minutes."""

Reaction = Callable[[Actor, Packet], None]


@define(eq=False, kw_only=True)
class Setup:
    """One server at which something odd but harmless happens, and the client that meets it."""

    scene: Scene
    name: str
    server: Address
    stack: Stack  # of the client
    host: Stack  # of the server
    shared: list[Station] = attrs.field(factory=list)  # stations that the neighbours' packets pass too
    neighbours: int = 3

    @property
    def rng(self) -> np.random.Generator:
        """The source of parameters."""
        return self.scene.rng

    @property
    def now(self) -> int:
        """Time at which the scene begins, ns since 1970."""
        return self.scene.world.now

    def log_uniform(self, low: float, high: float) -> float:
        """Draw a whole number from a range on a logarithmic scale."""
        return float(np.rint(np.exp(self.rng.uniform(np.log(low), np.log(high)))))

    def choice(self, *values: SupportsInt) -> int:
        """Draw one of some numbers."""
        return int(values[int(self.rng.integers(len(values)))])

    def chance(self, share: float) -> bool:
        """Toss a coin."""
        return bool(self.rng.random() < share)

    def times(self, least: int, most: int, gap: float = 1.2 * SECOND) -> Iterator[float]:
        """Give *least* to *most* times of beginnings, ns from now, *gap* apart in the mean."""
        begin = 0.0
        for _ in range(int(self.rng.integers(least, most + 1))):
            begin += float(self.rng.exponential(gap)) + 1e6
            yield begin

    def path(
        self, *boxes: Station, near: Sequence[Station] = (), door: Sequence[Station] = (), rtt: float | None = None,
        **how: Any,
    ) -> Path:  # fmt: skip
        """Lay a path with stations in the middle, in the client's host, and at the server's door."""
        rtt = self.log_uniform(8e6, 2.5e8) if rtt is None else rtt
        path = self.scene.lay_path([*self.shared, *boxes], rtt=rtt, middle=self.chance(0.5), **how)
        path.parts[:0] = near
        path.parts += door
        return path

    def visit(self, path: Path, begin: float, *, look_alike: bool = True, **how: Any) -> int:
        """Schedule a visit to the server; both ends follow one script."""
        stacks = how.pop("stacks", (self.stack, self.host))
        name, server = how.pop("name", self.name), how.pop("server", self.server)
        return visit(self.scene, path, server, name, begin, stacks=stacks, look_alike=look_alike, **how)

    def meet(
        self, path: Path, begin: float, *, says: list[Turn], knows: list[Turn], apps: tuple[App, App], port: int = 443,
        look_alike: bool = True,
    ) -> int:  # fmt: skip
        """Schedule a connection whose ends differ: the client *says* one script, the server *knows* one."""
        subject, near, far = self.ends(port, look_alike)
        client = partial(Endpoint, path=path, stack=self.stack, outbound=True, local=near, remote=far)
        server = partial(Endpoint, path=path, stack=self.host, outbound=False, local=far, remote=near)

        def start() -> None:
            first = client(subject=subject, script=says, app=apps[0])
            server(subject=subject, script=knows, app=apps[1])
            first.open()

        self.scene.world.after(begin, start)
        return subject

    def ends(self, port: int = 443, look_alike: bool = True, protocol: str = "tcp") -> tuple[int, Any, Any]:
        """Register a conversation; give its number and both ends."""
        subject = self.scene.converse(
            Conversation("flow", protocol, self.name if port in (80, 443) else "", look_alike=look_alike)
        )
        return subject, (self.scene.client, self.scene.next_port()), (self.server, port)

    def play_server(self, path: Path, begin: float, react: Reaction, *, script: list[Turn], app: App, port: int = 443,
                    stack: Stack | None = None, look_alike: bool = True) -> int:  # fmt: skip
        """Schedule an ordinary client's connection to a server that is played packet by packet."""
        subject, near, far = self.ends(port, look_alike)

        def start() -> None:
            Actor(
                path=path,
                stack=stack or self.host,
                outbound=False,
                local=far,
                remote=near,
                subject=subject,
                react=react,
            )
            Endpoint(
                path=path,
                stack=self.stack,
                outbound=True,
                local=near,
                remote=far,
                subject=subject,
                script=script,
                app=app,
            ).open()

        self.scene.world.after(begin, start)
        return subject


def beside(play: Callable[[Setup], None], scene: Scene) -> None:
    """Play what is odd, with ordinary visits to the server's neighbours during the first seconds."""
    rng = scene.rng
    count = int(rng.integers(2, 5))
    names, servers = scene.names(count + 1), scene.servers(count + 1)
    host = draw_server(rng)
    setup = Setup(
        scene=scene, name=names[0], server=servers[0], stack=draw_client(rng),
        host=attrs.evolve(host, tries=min(host.tries, MOST_TRIES)),
    )  # fmt: skip
    play(setup)
    for name, server in list(zip(names[1:], servers[1:], strict=True))[: setup.neighbours]:
        path = scene.lay_path(setup.shared, rtt=setup.log_uniform(8e6, 2.5e8))
        host, port = draw_server(rng), 80 if rng.random() < 0.15 else 443
        for _ in range(int(rng.integers(1, 3))):
            begin = float(rng.uniform(0, 6)) * SECOND
            visit(
                scene, path, server, name, begin, stacks=(setup.stack, host), port=port, apps=ordinary_apps(rng, port)
            )


def look_alikes(
    area: str,
    *odds: Callable[[Setup], None],
    vantages: tuple[str, ...] = ANYWHERE,
    cause: str = "",
    damaged: bool = False,
) -> tuple[Scenario, ...]:
    """Make one scenario of each function.

    Args:
        area: tcp, http, tls or quic.
        odds: Functions named for their confounder, whose docstring is the sentence of the scenario.
        vantages: Where the tap may be.
        cause: The confounder, when the function plays one form of it only.
        damaged: Whether some packets are malformed or wrongly summed on purpose.
    """
    made = []
    for play in odds:
        name = play.__name__.replace("_", "-")
        made.append(
            Scenario(
                f"benign.{area}.{name}", str(play.__doc__), None, partial(beside, play), vantages,
                confounder=cause or name, damaged=damaged, family=f"benign.{area}",
            )
        )  # fmt: skip
    return tuple(made)


def records(rng: np.random.Generator, size: int) -> bytes:
    """Build TLS records of at most 16 kB that hold *size* bytes (RFC 8446 §5.1)."""
    return b"".join(application_data(rng, min(16_384, size - at)) for at in range(0, max(1, size), 16_384))


def download(setup: Setup, size: int, name: str = "") -> list[Turn]:
    """Write a TLS visit that fetches *size* bytes."""
    rng = setup.rng
    return [
        Turn(True, client_hello(name or setup.name, rng, size=int(rng.choice([0, 517, 1750])))),
        Turn(False, server_flight(rng, int(rng.integers(1500, 5200))), float(rng.exponential(4 * MILLISECOND))),
        Turn(True, application_data(rng, int(rng.integers(100, 700))), float(rng.exponential(2 * MILLISECOND))),
        Turn(False, records(rng, size), float(rng.exponential(9 * MILLISECOND))),
    ]


def talk_again(setup: Setup, pause: float) -> list[Turn]:
    """Write a visit, and another request after a pause."""
    later = [Turn(True, application_data(setup.rng, 400), pause), Turn(False, application_data(setup.rng, 3000))]
    return [*download(setup, int(setup.log_uniform(1_000, 20_000))), *later]


def upload(setup: Setup, size: int) -> list[Turn]:
    """Write a TLS visit that sends *size* bytes and hears a short answer."""
    rng = setup.rng
    return [
        Turn(True, client_hello(setup.name, rng, size=517)),
        Turn(False, server_flight(rng, int(rng.integers(1500, 4200))), float(rng.exponential(4 * MILLISECOND))),
        Turn(True, records(rng, size), float(rng.exponential(2 * MILLISECOND))),
        Turn(False, application_data(rng, 200), float(rng.exponential(9 * MILLISECOND))),
    ]
