"""TLS handshakes with some names that take seconds, while those with others are quick."""

from functools import partial

import attrs

from netinterf.simulate.boxes.classes import TrafficClass
from netinterf.simulate.boxes.slow import HandshakeSlower
from netinterf.simulate.hosts.app import App, Ending
from netinterf.simulate.hosts.stack import draw_client
from netinterf.simulate.network.path import SECOND
from netinterf.simulate.plays.transfers import fetch, lay_sites, spread
from netinterf.simulate.scenario import ANYWHERE, Scenario
from netinterf.simulate.scene import Scene
from netinterf.values import frozen

__all__ = ["PLAYS"]


@frozen(kw_only=True)
class Slowness:
    """How a documented box slows handshakes; ranges are drawn from, evenly in the logarithm."""

    hold: tuple[float, float] = (0, 0)  # mean ns for which a packet is held
    loss: tuple[float, float] = (0, 0)  # share of packets that is dropped
    way: tuple[str, ...] = ("down",)
    memory: tuple[float, float] = (0, 0)  # ns for which the address stays slow
    bytes: tuple[float, float] = (4e3, 9e3)  # of the server's stream that are slow
    listed: tuple[int, int] = (1, 3)


def slow_handshakes(scene: Scene, form: Slowness) -> None:
    """Visit listed names and others, several of them at the same addresses."""
    rng = scene.rng
    known = scene.names(6)
    listed = int(rng.integers(*form.listed))
    first, second, third = scene.servers(3)
    box = HandshakeSlower(
        world=scene.world, traffic=TrafficClass(names=frozenset(name.encode() for name in known[:listed])),
        way=str(rng.choice(form.way)), bytes=int(spread(rng, *form.bytes)),
        hold=spread(rng, *form.hold) if form.hold[1] else 0.0, loss=spread(rng, *form.loss) if form.loss[1] else 0.0,
        memory=spread(rng, *form.memory) if form.memory[1] else 0.0,
    )  # fmt: skip
    servers = [first, second, first, first, second, third]
    sites = lay_sites(scene, len(known), [box], names=known, servers=servers, luck=0.2)
    tries = int(rng.integers(4, 8))  # so that captures end
    stack = attrs.evolve(draw_client(rng), tries=tries)
    span = float(rng.uniform(20, 60)) * SECOND
    for place, site in enumerate(sites):
        for _ in range(int(rng.integers(2, 5))):
            begin = float(rng.uniform(0, span))
            client = App(ending=Ending.CLOSE, patience=round(spread(rng, 1.5e10, 1.2e11)))
            near = place < listed or (bool(box.memory) and site.server in (first, second))
            amount = int(rng.integers(500, 20_000))
            host = attrs.evolve(site.host, tries=tries)
            fetch(scene, site, begin, amount, stack=stack, host=host, apps=(client, App()), series=near)


def by_slowness(name: str, says: str, system: str, form: Slowness) -> Scenario:
    """Write the row of one documented system."""
    play = partial(slow_handshakes, form=form)
    return Scenario(name, says, "rate.handshake", play, ANYWHERE, system=system, family="rate")


PLAYS = (
    by_slowness("rate.handshake.turkey", "Handshakes with listed names take seconds, then all with their addresses.",
                "tr.handshake-2022", Slowness(hold=(1e9, 8e9), memory=(1e10, 6e10))),
    by_slowness("rate.handshake.turkey-loss", "The same by losing most packets of the handshake.", "tr.handshake-2022",
                Slowness(loss=(0.5, 0.8), memory=(1e10, 6e10), way=("down", "both"))),
    by_slowness("rate.handshake.tspu", "Pieces of listed names' handshakes arrive seconds apart.",
                "ru.tspu-handshake-2022", Slowness(loss=(0.5, 0.8), way=("both", "down"), bytes=(1e4, 4e4))),
    by_slowness("rate.handshake.youtube", "Handshakes of a video service take one to five seconds.",
                "ru.tspu-youtube-2024", Slowness(loss=(0.45, 0.75), way=("up", "both"))),
    by_slowness("rate.handshake.adaptive", "The server's first flight is held, as if the server were busy.",
                "adaptive", Slowness(hold=(4e8, 3e9), bytes=(1, 1500))),
)  # fmt: skip
