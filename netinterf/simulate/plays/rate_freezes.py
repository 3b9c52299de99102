"""Transfers that stop for good after so many packets or bytes, and hellos that get no answer after so many others."""

from functools import partial

import numpy as np

from netinterf.simulate.boxes.classes import TrafficClass
from netinterf.simulate.boxes.freezer import Freezer
from netinterf.simulate.boxes.slow import ConnectionCounter
from netinterf.simulate.hosts.app import App, Ending
from netinterf.simulate.hosts.stack import draw_client
from netinterf.simulate.network.path import SECOND, Station
from netinterf.simulate.plays.quic_visits import quic_visit
from netinterf.simulate.plays.transfers import around, fetch, lay_sites, spread
from netinterf.simulate.scenario import ANYWHERE, Scenario
from netinterf.simulate.scene import Scene
from netinterf.values import frozen

__all__ = ["PLAYS", "leaving"]


@frozen(kw_only=True)
class Freeze:
    """How a documented freezer is set."""

    unit: str = "packets"
    centre: float = 25.0  # packets or bytes
    factor: float = 1.6  # how far from it the rule's limit is drawn
    scatter: float = 0.06  # standard deviation of a connection's limit, as a share of the rule's
    counts: tuple[str, ...] = ("both",)
    drops: tuple[str, ...] = ("both", "both", "down")
    exempt: bool = False  # names on a white list survive
    by: str = "server"
    thaw: bool = False  # it stalls again and again instead of for good


def leaving(rng: np.random.Generator) -> App:
    """Draw a client that gives up on a silent server after some seconds, or only when its own timers run out."""
    patience = round(float(rng.choice([0.0, spread(rng, 8e9, 9e10)], p=[0.2, 0.8])))
    return App(
        ending=Ending.CLOSE, patience=patience, resets=bool(rng.random() < 0.3),
        keepalive=float(rng.choice([0.0, 1e10, 4.5e10])),
    )  # fmt: skip


def freezing(scene: Scene, form: Freeze) -> None:
    """Fetch large and small things from servers that get frozen, and from others."""
    rng = scene.rng
    listed = int(rng.integers(2, 4))
    known, servers = scene.names(listed + 3), scene.servers(listed + 2)
    servers.append(servers[0])  # the last name lives beside the first: white-listed where there is a white list
    rule = around(rng, form.centre, form.factor)
    traffic = TrafficClass(
        servers=frozenset(servers[:listed]) if form.by == "server" else frozenset(),
        names=frozenset(name.encode() for name in known[:listed]) if form.by == "name" else frozenset(),
    )
    box = Freezer(
        world=scene.world, traffic=traffic, unit=form.unit, counts=str(rng.choice(form.counts)),
        limit=lambda: max(9, round(scene.world.chance.gauss(rule, form.scatter * rule))),
        drops=str(rng.choice(form.drops)), thaw=float(rng.uniform(6e9, 2.5e10)) if form.thaw else 0.0,
        exempt=TrafficClass(names=frozenset({known[-1].encode()})) if form.exempt else None,
    )  # fmt: skip
    boxes: list[Station] = [box]
    sites = lay_sites(scene, len(known), boxes, names=known, servers=servers, luck=0.3)
    stack = draw_client(rng)
    size = min(4e4, rule if form.unit == "bytes" else 1000 * rule)
    for place, site in enumerate(sites):
        mine = place < listed or place == len(sites) - 1
        for turn in range(int(rng.integers(2, 5))):
            begin = float(rng.uniform(0, 25 * SECOND))
            small = mine and turn > 0 and rng.random() < 0.3
            amount = int(rng.integers(300, 3000)) if small else int(size * rng.uniform(2.2, 6))
            fetch(
                scene, site, begin, amount, stack=stack, apps=(leaving(rng), App()), up=bool(rng.random() < 0.15),
                port=80 if rng.random() < 0.1 else 443, series=mine,
            )  # fmt: skip


def frozen_datagrams(scene: Scene) -> None:
    """Visit servers over QUIC, of which some get frozen by packets; clients may go on over TCP, which is no better."""
    rng = scene.rng
    known, servers = scene.names(5), scene.servers(5)
    rule = min(28.0, around(rng, 25, 1.6))  # more than most visits have would not be seen
    box = Freezer(
        world=scene.world, traffic=TrafficClass(servers=frozenset(servers[:2])),
        drops=str(rng.choice(["both", "down"])),
        limit=lambda: max(9, round(scene.world.chance.gauss(rule, 0.06 * rule))),
    )  # fmt: skip
    stack, fallback = draw_client(rng), float(rng.uniform(0, 1))
    for place, site in enumerate(lay_sites(scene, 5, [box], names=known, servers=servers, luck=0.2)):
        for _ in range(int(rng.integers(4, 8))):
            quic_visit(
                scene, site.path, site.server, site.name, float(rng.uniform(0, 25 * SECOND)), fallback=fallback,
                stacks=(stack, site.host), series=place < 2,
            )  # fmt: skip


def counted_hellos(scene: Scene) -> None:
    """Open many connections with one name to one service: after some of them hellos hang, for about a minute."""
    rng = scene.rng
    known = scene.names(4)
    servers = scene.servers(3)
    most = max(3, round(around(rng, float(rng.choice([4, 12])), 1.4)))
    box = ConnectionCounter(
        world=scene.world, traffic=TrafficClass(names=frozenset({known[0].encode()})), most=most,
        window=int(around(rng, 60 * SECOND, 1.5)), mechanism="tcp.drop",
    )  # fmt: skip
    # the second name lives at the same address: a change of name escapes
    sites = lay_sites(scene, 4, [box], names=known, servers=[servers[0], servers[0], servers[1], servers[2]], luck=0.2)
    stack = draw_client(rng)
    begin = 0.0
    for _ in range(most + int(rng.integers(3, 8))):
        begin += float(rng.exponential(1.2 * SECOND))
        fetch(
            scene, sites[0], begin, int(rng.integers(500, 9000)), stack=stack, apps=(leaving(rng), App()), series=True
        )
    for site in sites[1:]:
        for moment in rng.uniform(0, begin, int(rng.integers(2, 5))):
            fetch(scene, site, float(moment), int(rng.integers(500, 9000)), stack=stack)
    late = begin + box.window + float(rng.uniform(1, 20)) * SECOND
    for _ in range(int(rng.integers(1, 3))):
        fetch(scene, sites[0], late, int(rng.integers(500, 9000)), stack=stack, series=True)
        late += float(rng.exponential(3 * SECOND))


def by_freeze(name: str, says: str, system: str, form: Freeze) -> Scenario:
    """Write the row of one documented freezer."""
    return Scenario(name, says, "rate.freeze", partial(freezing, form=form), ANYWHERE, system=system, family="rate")


PLAYS = (
    by_freeze("rate.freeze.packets", "Connections to foreign hosters stop after about 25 packets.",
              "ru.tspu-freeze-packets", Freeze()),
    by_freeze("rate.freeze.bytes", "Connections to foreign hosters stop after about 16 kB.", "ru.tspu-freeze-bytes",
              Freeze(unit="bytes", centre=16_384, factor=1.8, counts=("down",), drops=("both", "down"))),
    by_freeze("rate.freeze.exempt", "The same, but white-listed names survive.", "ru.tspu-freeze-exempt",
              Freeze(exempt=True)),
    Scenario(
        "rate.freeze.quic", "QUIC connections to foreign hosters stop after about 25 packets.", "rate.freeze",
        frozen_datagrams, ANYWHERE, system="ru.tspu-freeze-packets", family="rate",
    ),
    by_freeze("rate.freeze.stalls", "Transfers with listed names stall for long, again and again.", "generic",
              Freeze(centre=40, factor=2.0, by="name", thaw=True)),
    by_freeze("rate.freeze.adaptive", "The limit is another one for every connection.", "adaptive",
              Freeze(centre=45, scatter=0.45, by="name")),
    Scenario(
        "tcp.drop.siberian", "Hellos hang after some recent ones with the same name.", "tcp.drop", counted_hellos,
        ANYWHERE, system="ru.siberian-2025", family="rate",
    ),
)  # fmt: skip
