"""Handshakes that take long or fail for reasons of distance, load, loss or of the client itself."""

import attrs
import numpy as np

from netinterf.simulate.boxes.classes import TrafficClass
from netinterf.simulate.boxes.slow import ConnectionCounter
from netinterf.simulate.hosts.app import App, Turn
from netinterf.simulate.hosts.stack import draw_client
from netinterf.simulate.network.outages import FullBacklog
from netinterf.simulate.network.path import SECOND
from netinterf.simulate.plays.benign_rates import benign
from netinterf.simulate.plays.rate_freezes import leaving
from netinterf.simulate.plays.transfers import Site, around, fetch, fetch_script, lay_sites, ordinary, spread
from netinterf.simulate.scene import Scene

__all__ = ["PLAYS"]


def visits(scene: Scene, sites: list[Site], delays: dict[int, tuple[float, float]]) -> None:
    """Visit odd sites several times, and ordinary ones.

    Args:
        scene: Where.
        sites: The odd ones.
        delays: Bounds in ns of a further delay before turns of the script, by their place.
    """
    rng = scene.rng
    stack = draw_client(rng)
    for site in sites:
        for _ in range(int(rng.integers(2, 6))):
            begin = float(rng.uniform(0, 25 * SECOND))
            script = slowed(rng, fetch_script(rng, site.name, int(spread(rng, 500, 3e4))), delays)
            fetch(scene, site, begin, 0, stack=stack, script=script, apps=(leaving(rng), App()), look_alike=True)
    ordinary(scene, stack, 25 * SECOND, count=3)


def slowed(rng: np.random.Generator, script: list[Turn], delays: dict[int, tuple[float, float]]) -> list[Turn]:
    """Draw further delays into a script."""
    for place, bounds in delays.items():
        script[place] = attrs.evolve(script[place], delay=script[place].delay + spread(rng, *bounds))
    return script


def far_server(scene: Scene) -> None:
    """Visit servers 0.3 to 0.8 s away, as behind satellites."""
    visits(scene, lay_sites(scene, 2, rtt=(3e8, 8e8), luck=0.4), {})


def overloaded_server(scene: Scene) -> None:
    """Visit the names of one server that thinks for seconds before its first flight."""
    servers = scene.servers(1) * 3
    visits(scene, lay_sites(scene, 3, servers=servers), {1: (0.8 * SECOND, 9 * SECOND), 3: (1e6, SECOND)})


def slow_client(scene: Scene) -> None:
    """Visit with a client that looks up certificates for seconds before it finishes the handshake."""
    visits(scene, lay_sites(scene, 2), {2: (0.5 * SECOND, 8 * SECOND)})


def full_backlog(scene: Scene) -> None:
    """Visit a server whose queue of openings is full, so that SYNs must be repeated."""
    visits(scene, lay_sites(scene, 2, [FullBacklog(scene.world, spread(scene.rng, 0.3, 0.8))]), {})


def handshake_loss(scene: Scene) -> None:
    """Visit over a path that loses 8 to 25 %."""
    sites = lay_sites(scene, 3)
    for site in sites:
        site.path.far.loss = spread(scene.rng, 0.08, 0.25)
    visits(scene, sites, {})


def server_rate_limit(scene: Scene) -> None:
    """Open many connections to a server that ignores hellos above a number a minute, whatever their name."""
    rng = scene.rng
    door = ConnectionCounter(
        world=scene.world, traffic=TrafficClass(), most=int(rng.integers(3, 12)), per="server",
        window=int(around(rng, 60 * SECOND, 2)),
    )  # fmt: skip
    sites = lay_sites(scene, 2, [door], servers=scene.servers(1) * 2, where=(0.85, 0.95))
    stack = draw_client(rng)
    begin = 0.0
    for _ in range(door.most + int(rng.integers(3, 8))):
        begin += float(rng.exponential(1.5 * SECOND))
        site = sites[int(rng.random() < 0.4)]
        fetch(scene, site, begin, int(spread(rng, 500, 2e4)), stack=stack, apps=(leaving(rng), App()), look_alike=True)
    ordinary(scene, stack, begin, count=3)


PLAYS = (
    benign("far-server", "Servers behind satellites.", far_server),
    benign("overloaded-server", "A server that needs seconds to answer a hello.", overloaded_server),
    benign("slow-client", "A client that needs seconds to finish a handshake.", slow_client),
    benign("full-backlog", "A server that drops SYNs.", full_backlog),
    benign("handshake-loss", "Handshakes over a very lossy path.", handshake_loss),
    benign("server-rate-limit", "A server that ignores hellos above its limit.", server_rate_limit),
)
