"""Routes that are too narrow, change, fork or loop, and mean no harm."""

from netinterf.simulate.hosts.app import App, Ending
from netinterf.simulate.network.outages import MtuHole
from netinterf.simulate.network.path import SECOND
from netinterf.simulate.network.pmtu import NarrowLink
from netinterf.simulate.network.reroute import Ecmp, Loop, Reroute
from netinterf.simulate.plays.benign_tcp import Setup, download, look_alikes, upload

__all__ = ["PLAYS"]


def path_mtu_black_hole(setup: Setup) -> None:
    """Full-size packets vanish on a tunnel that tells nobody; small ones pass."""
    setup.neighbours = 1
    way = "both" if setup.chance(0.6) else "down"
    path = setup.path(MtuHole(int(setup.rng.integers(1280, 1440)), way))
    for begin in setup.times(2, 5):
        script = upload(setup, 6000) if way == "both" and setup.chance(0.5) else download(setup, 9000)
        setup.visit(
            path, begin, script=script, apps=(App(ending=Ending.CLOSE, patience=setup.log_uniform(5e9, 6e10)), App())
        )


def packet_too_big(setup: Setup) -> None:
    """A router says that packets are too large; they come again in smaller pieces."""
    link = NarrowLink(int(setup.rng.integers(1280, 1440)), setup.scene.servers(1)[0])
    path = setup.path(link)
    for begin in setup.times(2, 5):
        setup.visit(path, begin, script=upload(setup, 9000) if setup.chance(0.5) else download(setup, 12_000))


def route_change(setup: Setup) -> None:
    """Routes change while connections are open: hop limits and delays jump, packets overtake each other."""
    when = setup.now + int(setup.log_uniform(2e8, 3e9))
    hops = (int(setup.rng.integers(-6, 9)), int(setup.rng.integers(-6, 9)))
    delay = (int(setup.log_uniform(1e5, 6e7)), int(setup.log_uniform(1e5, 6e7)))
    back = when + int(setup.log_uniform(5e8, 5e9)) if setup.chance(0.5) else 1 << 62
    path = setup.path(Reroute(setup.scene.world, when, hops, delay, back), rtt=setup.log_uniform(4e7, 2.5e8))
    for begin in setup.times(3, 6, gap=0.6 * SECOND):
        app = App(ending=Ending.RESET) if setup.chance(0.4) else App(ending=Ending.CLOSE)
        setup.visit(path, begin, script=download(setup, int(setup.log_uniform(20_000, 90_000))), apps=(app, App()))


def unequal_ways(setup: Setup) -> None:
    """Load is spread over ways of different length, by flow or by packet: hop limits vary without a cause."""
    ways = tuple(int(step) for step in setup.rng.integers(0, 6, int(setup.rng.integers(2, 5))))
    setup.shared.append(Ecmp(setup.scene.world, ways, setup.chance(0.4), int(setup.rng.integers(2**16))))
    path = setup.path()
    for begin in setup.times(4, 7):
        app = App(ending=Ending.RESET) if setup.chance(0.4) else App(ending=Ending.CLOSE)
        setup.visit(path, begin, apps=(App(), app))


def routing_loop(setup: Setup) -> None:
    """Packets circle between two routers before they get on: the tap there sees one many times, hop limits falling."""
    path = setup.path()
    loop = Loop(
        setup.scene.world,
        float(setup.rng.uniform(0.02, 0.15)),
        int(setup.rng.integers(3, 15)),
        int(setup.log_uniform(1e5, 2e7)),
    )
    tap = next(place for place, part in enumerate(path.parts) if part is setup.scene.tap)
    path.parts[tap : tap + 1] = [loop, setup.scene.tap, loop]
    for begin in setup.times(3, 6):
        setup.visit(path, begin)


PLAYS = (
    *look_alikes("tcp", path_mtu_black_hole, packet_too_big, route_change, unequal_ways),
    *look_alikes("tcp", routing_loop, vantages=("middle",)),
)
