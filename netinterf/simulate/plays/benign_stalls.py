"""Transfers that stop, for a while or for good, for reasons of the ends, of the client's line or of an ordinary box."""

from collections.abc import Callable

import numpy as np

from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.hosts.stack import draw_client
from netinterf.simulate.network.firewall import StateTable
from netinterf.simulate.network.outages import MtuHole, Outage, PowerSave
from netinterf.simulate.network.path import MILLISECOND, SECOND, Station
from netinterf.simulate.plays.benign_rates import benign
from netinterf.simulate.plays.rate_freezes import leaving
from netinterf.simulate.plays.transfers import fetch, fetch_script, lay_sites, ordinary, records, spread
from netinterf.simulate.scene import Scene

__all__ = ["PLAYS"]


def over_line(scene: Scene, line: Station) -> None:
    """Move data with several sites over a line that stalls for all of them alike."""
    rng = scene.rng
    stack = draw_client(rng)
    for place, site in enumerate(lay_sites(scene, int(rng.integers(2, 5)), [line], where=(0.02, 0.3), luck=0.2)):
        for number in range(int(rng.integers(1, 4))):
            begin = float(rng.uniform(0, 8 * SECOND)) if place + number else 0.0
            size = int(spread(rng, 2e4, 3e5))
            script = slowly(rng, site.name, size) if rng.random() < 0.6 else None
            fetch(scene, site, begin, size, stack=stack, script=script, look_alike=True)


def slowly(rng: np.random.Generator, name: str, size: int) -> list[Turn]:
    """Write a download that takes some seconds: the server says it in pieces."""
    count = int(rng.integers(5, 25))
    script = fetch_script(rng, name, size // count)
    return [
        *script,
        *(Turn(False, records(rng, size // count), float(rng.exponential(0.4 * SECOND))) for _ in range(count)),
    ]


def windows(scene: Scene, shortest: float, longest: float) -> list[tuple[int, int]]:
    """Draw one to three windows of so many seconds."""
    spans, at = [], scene.world.now
    for _ in range(int(scene.rng.integers(1, 4))):
        at += int(scene.rng.uniform(0.8, 6) * SECOND)
        length = int(spread(scene.rng, shortest, longest) * SECOND)
        spans.append((at, at + length))
        at += length
    return spans


def radio_handover(scene: Scene) -> None:
    """Hold everything for 0.6 to 8 s, then deliver it."""
    over_line(scene, Outage(scene.world, windows(scene, 0.6, 8), hold=True))


def link_outage(scene: Scene) -> None:
    """Lose everything for 1 to 30 s."""
    over_line(scene, Outage(scene.world, windows(scene, 1, 30)))


def power_save(scene: Scene) -> None:
    """Let the client doze between beacons, one or several of them."""
    beacon = int(102_400_000 * scene.rng.integers(1, 4))
    over_line(scene, PowerSave(scene.world, beacon, awake=int(spread(scene.rng, 5e6, 1e8))))


Part = Callable[[np.random.Generator, str], tuple[list[Turn], App, App]]
"""Draws script and programs of a transfer with the one server that stops."""


def one_server(scene: Scene, draw: Part, boxes: tuple[Station, ...] = (), *, span: float = 20 * SECOND) -> None:
    """Move data with one odd server, now and then small things too, and with ordinary ones.

    Args:
        scene: Where.
        draw: What is said to the odd server.
        boxes: What stands before the odd server only.
        span: Time in ns within which transfers begin.
    """
    rng = scene.rng
    stack = draw_client(rng)
    for site in lay_sites(scene, int(rng.integers(1, 3)), boxes, luck=0.3):
        for number in range(int(rng.integers(2, 6))):
            begin = float(rng.uniform(0, span)) if number else 0.0
            if number and rng.random() < 0.3:
                fetch(scene, site, begin, int(rng.integers(100, 900)), stack=stack)
                continue
            script, client, server = draw(rng, site.name)
            fetch(scene, site, begin, 0, stack=stack, script=script, apps=(client, server), look_alike=True)
    ordinary(scene, stack, span)


def stalled(rng: np.random.Generator, name: str) -> tuple[list[Turn], App, App]:
    """Stop for 3 to 60 s in the middle, then go on."""
    size, part = int(spread(rng, 3e4, 4e5)), float(rng.uniform(0.05, 0.9))
    script = fetch_script(rng, name, int(size * part))
    rest = Turn(False, records(rng, int(size * (1 - part))), spread(rng, 3, 60) * SECOND)
    return [*script, rest], App(ending=Ending.CLOSE), App()


def crashed(rng: np.random.Generator, name: str) -> tuple[list[Turn], App, App]:
    """Die in the middle, for good or until a restart."""
    dies = spread(rng, 0.1, 3) * SECOND
    server = App(dies=dies, revives=float(rng.choice([0, dies + spread(rng, 5, 60) * SECOND])))
    return slowly(rng, name, int(spread(rng, 5e4, 4e5))), leaving(rng), server


def crash_after_bytes(scene: Scene) -> None:
    """Hang after a buffer's length of every large answer, as faulty proxies do; the host still acknowledges."""
    most = int(scene.rng.choice([8192, 16_384, 24_576, 32_768, 65_536]) + scene.rng.integers(0, 600))

    def draw(rng: np.random.Generator, name: str) -> tuple[list[Turn], App, App]:
        *script, large = fetch_script(rng, name, int(most * rng.uniform(1.3, 6)))
        return [*script, Turn(False, large.payload[:most], large.delay)], silent(rng), App(ending=Ending.SILENT)

    one_server(scene, draw)


def silent(rng: np.random.Generator) -> App:
    """Draw a client that waits for more, sometimes probing, and closes in the end."""
    return App(ending=Ending.IDLE_RESET, idle=spread(rng, 1e10, 9e10), keepalive=float(rng.choice([0.0, 1e10])))


def nat_timeout(scene: Scene) -> None:
    """Pause for longer than a translator remembers; what comes then gets lost."""
    idle = spread(scene.rng, 20, 200) * SECOND

    def draw(rng: np.random.Generator, name: str) -> tuple[list[Turn], App, App]:
        script = fetch_script(rng, name, int(spread(rng, 3e3, 2e5)))
        pause = idle * float(rng.uniform(1.1, 2.2) if rng.random() < 0.7 else rng.uniform(0.2, 0.8))
        more = [
            Turn(True, records(rng, 300), pause),
            Turn(False, records(rng, int(spread(rng, 2e3, 1e5))), 5 * MILLISECOND),
        ]
        return [*script, *more[int(rng.integers(2)) :]] if rng.random() < 0.5 else [*script, *more], leaving(rng), App()

    one_server(scene, draw, (StateTable(scene.world, idle=idle),))


def mtu_hole(scene: Scene) -> None:
    """Lose all packets above 1280 to 1480 bytes on the way to one server, from the first flight on."""
    rng = scene.rng
    hole = MtuHole(int(rng.integers(1280, 1481)), way=str(rng.choice(["down", "both"])))

    def draw(rng: np.random.Generator, name: str) -> tuple[list[Turn], App, App]:
        return fetch_script(rng, name, int(spread(rng, 2e3, 1e5))), leaving(rng), App()

    one_server(scene, draw, (hole,))


def user_left(scene: Scene) -> None:
    """Close a page or vanish in the middle of what it loads."""

    def draw(rng: np.random.Generator, name: str) -> tuple[list[Turn], App, App]:
        size = int(spread(rng, 5e4, 4e5))
        client = App(ending=Ending.ABORT, abort_at=int(size * rng.uniform(0.1, 0.8)))
        if rng.random() < 0.4:
            client = App(ending=Ending.CLOSE, dies=spread(rng, 0.2, 3) * SECOND)
        return slowly(rng, name, size), client, App()

    one_server(scene, draw)


PLAYS = (
    benign("radio-handover", "Everything is held for seconds, then delivered.", radio_handover),
    benign("link-outage", "The line is dead for seconds.", link_outage),
    benign("power-save", "The client dozes between beacons.", power_save),
    benign("server-stall", "One server stops and goes on.", lambda scene: one_server(scene, stalled)),
    benign("server-crash", "One server dies.", lambda scene: one_server(scene, crashed)),
    benign("crash-after-bytes", "One server hangs after the same number of bytes.", crash_after_bytes),
    benign("nat-timeout", "A translator forgets flows that pause.", nat_timeout),
    benign("mtu-hole", "Large packets vanish from the first flight on.", mtu_hole),
    benign("user-left", "Clients leave in the middle.", user_left),
)  # fmt: skip
