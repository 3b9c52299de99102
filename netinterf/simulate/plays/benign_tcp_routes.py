"""Routes that are too narrow, change, fork or loop, and mean no harm."""

from netinterf.simulate.hosts.app import App, Ending
from netinterf.simulate.network.outages import MtuHole
from netinterf.simulate.network.path import SECOND
from netinterf.simulate.network.pmtu import NarrowLink
from netinterf.simulate.network.reroute import Ecmp, Loop, Reroute
from netinterf.simulate.plays.benign_tcp import House, download, look_alikes, upload

__all__ = ["PLAYS"]


def path_mtu_black_hole(house: House) -> None:
    """Full-size packets vanish on a tunnel that tells nobody; small ones pass."""
    house.neighbours = 1
    way = "both" if house.chance(0.6) else "down"
    path = house.path(MtuHole(int(house.rng.integers(1280, 1440)), way))
    for begin in house.times(2, 5):
        script = upload(house, 6000) if way == "both" and house.chance(0.5) else download(house, 9000)
        house.visit(
            path, begin, script=script, apps=(App(ending=Ending.CLOSE, patience=house.between(5e9, 6e10)), App())
        )


def packet_too_big(house: House) -> None:
    """A router says that packets are too large; they come again in smaller pieces."""
    link = NarrowLink(int(house.rng.integers(1280, 1440)), house.scene.servers(1)[0])
    path = house.path(link)
    for begin in house.times(2, 5):
        house.visit(path, begin, script=upload(house, 9000) if house.chance(0.5) else download(house, 12_000))


def route_change(house: House) -> None:
    """Routes change while connections are open: hop limits and delays jump, packets overtake each other."""
    when = house.now + int(house.between(2e8, 3e9))
    hops = (int(house.rng.integers(-6, 9)), int(house.rng.integers(-6, 9)))
    delay = (int(house.between(1e5, 6e7)), int(house.between(1e5, 6e7)))
    back = when + int(house.between(5e8, 5e9)) if house.chance(0.5) else 1 << 62
    path = house.path(Reroute(house.scene.world, when, hops, delay, back), rtt=house.between(4e7, 2.5e8))
    for begin in house.times(3, 6, gap=0.6 * SECOND):
        app = App(ending=Ending.RESET) if house.chance(0.4) else App(ending=Ending.CLOSE)
        house.visit(path, begin, script=download(house, int(house.between(20_000, 90_000))), apps=(app, App()))


def unequal_ways(house: House) -> None:
    """Load is spread over ways of different length, by flow or by packet: hop limits vary without a cause."""
    ways = tuple(int(step) for step in house.rng.integers(0, 6, int(house.rng.integers(2, 5))))
    house.shared.append(Ecmp(house.scene.world, ways, house.chance(0.4), int(house.rng.integers(2**16))))
    path = house.path()
    for begin in house.times(4, 7):
        app = App(ending=Ending.RESET) if house.chance(0.4) else App(ending=Ending.CLOSE)
        house.visit(path, begin, apps=(App(), app))


def routing_loop(house: House) -> None:
    """Packets circle between two routers before they get on: the tap there sees one many times, hop limits falling."""
    path = house.path()
    loop = Loop(
        house.scene.world,
        float(house.rng.uniform(0.02, 0.15)),
        int(house.rng.integers(3, 15)),
        int(house.between(1e5, 2e7)),
    )
    tap = next(place for place, part in enumerate(path.parts) if part is house.scene.tap)
    path.parts[tap : tap + 1] = [loop, house.scene.tap, loop]
    for begin in house.times(3, 6):
        house.visit(path, begin)


PLAYS = (
    *look_alikes("tcp", path_mtu_black_hole, packet_too_big, route_change, unequal_ways),
    *look_alikes("tcp", routing_loop, vantages=("middle",)),
)
