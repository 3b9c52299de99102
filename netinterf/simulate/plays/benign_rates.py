"""Transfers whose rate is limited by the programs at their ends, by windows, or by the plan of the whole line."""

from collections.abc import Callable
from functools import partial

import attrs
import numpy as np

from netinterf.simulate.boxes.buckets import Policer, Shaper
from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.hosts.stack import Stack, draw_client
from netinterf.simulate.messages.tls import application_data
from netinterf.simulate.network.path import MILLISECOND, SECOND, Station
from netinterf.simulate.plays.transfers import (
    BUDGET,
    affordable,
    fetch,
    fetch_script,
    lay_sites,
    ordinary,
    records,
    spread,
)
from netinterf.simulate.scenario import ANYWHERE, ENDS, Scenario
from netinterf.simulate.scene import Scene

__all__ = ["PLAYS", "benign"]

LADDER = (145e3, 365e3, 730e3, 1.1e6, 2e6, 3e6, 4.5e6)
"""Video bit rates in bit/s: Apple's HLS authoring specification."""

Habits = Callable[[np.random.Generator, str], tuple[Stack, Stack, App, list[Turn]]]
"""Draws client stack, server stack, client program and script of an odd transfer, given the name."""


def server_says(rng: np.random.Generator, name: str, parts: list[tuple[int, float]]) -> list[Turn]:
    """Write a TLS connection in which the server says *parts*: bytes, and ns of pause before them."""
    script = fetch_script(rng, name, 1000)[:3]
    return [*script, *(Turn(False, records(rng, size), pause) for size, pause in parts)]


def pauses(rng: np.random.Generator, name: str) -> list[Turn]:
    """Write a server that has little to say at a time."""
    mean = spread(rng, 5e7, 8e8)
    sizes = rng.integers(300, int(spread(rng, 2e3, 3e4)), int(rng.integers(20, 60)))
    return server_says(rng, name, [(int(size), float(rng.exponential(mean))) for size in sizes])


def segments(rng: np.random.Generator, name: str) -> list[Turn]:
    """Write a video: segments of some seconds, each fetched when the last was played, at rates of a ladder."""
    seconds, step = float(rng.choice([2, 4, 6])), int(rng.integers(1, len(LADDER) - 3))
    script = fetch_script(rng, name, 1000)[:2]
    left = 1.3e6
    while left > 0 and len(script) < 40:
        step = int(np.clip(step + rng.choice([-1, 0, 0, 0, 1]), 0, len(LADDER) - 1))
        size = int(LADDER[step] / 8 * seconds * rng.uniform(0.8, 1.2))
        wait = 0.05 if len(script) < 6 else seconds * float(rng.uniform(0.7, 1.1))
        script += [Turn(True, application_data(rng, int(rng.integers(200, 500))), wait * SECOND),
                   Turn(False, records(rng, min(size, int(left) + 1000)), 4 * MILLISECOND)]  # fmt: skip
        left -= size
    return script


def paced(rng: np.random.Generator, name: str) -> list[Turn]:
    """Write a server that sends a burst and then small pieces at a fixed rate."""
    rate, piece = spread(rng, 3e5, 3e6) / 8, int(rng.choice([1448, 4096, 8192, 16_000]))
    seconds = min(10.0, 5e5 / rate)
    count = int(rate * seconds / piece)
    return server_says(rng, name, [(int(spread(rng, 3e4, 3e5)), 5e6)] + [(piece, piece * 1e9 / rate)] * count)


def scripted(write: Callable[[np.random.Generator, str], list[Turn]]) -> Habits:
    """Make ordinary hosts say what *write* writes."""

    def draw(rng: np.random.Generator, name: str) -> tuple[Stack, Stack, App, list[Turn]]:
        return draw_client(rng), Stack(), App(ending=Ending.CLOSE), write(rng, name)

    return draw


def small_window(rng: np.random.Generator, name: str) -> tuple[Stack, Stack, App, list[Turn]]:
    """Draw a client with a small receive buffer."""
    stack = attrs.evolve(draw_client(rng), buffer=int(spread(rng, 6e3, 6e4)))
    return stack, Stack(), App(ending=Ending.CLOSE), fetch_script(rng, name, int(spread(rng, 2e5, 9e5)))


def slow_reader(rng: np.random.Generator, name: str) -> tuple[Stack, Stack, App, list[Turn]]:
    """Draw a program that reads slowly from a modest buffer."""
    stack = attrs.evolve(draw_client(rng), buffer=int(spread(rng, 1.6e4, 2.6e5)))
    client = App(ending=Ending.CLOSE, read_rate=spread(rng, 1e4, 2e5))
    return stack, Stack(), client, fetch_script(rng, name, int(client.read_rate * rng.uniform(4, 12)) + stack.buffer)


def short(rng: np.random.Generator, name: str) -> tuple[Stack, Stack, App, list[Turn]]:
    """Draw transfers that end in slow start."""
    return draw_client(rng), Stack(), App(ending=Ending.CLOSE), fetch_script(rng, name, int(spread(rng, 2e3, 6e4)))


def model_based(rng: np.random.Generator, name: str) -> tuple[Stack, Stack, App, list[Turn]]:
    """Draw a BBR server that must hold its rate for more than ten seconds (its PROBE_RTT period)."""
    stack = draw_client(rng)
    return (
        stack,
        Stack(congestion="bbr"),
        App(ending=Ending.CLOSE),
        fetch_script(rng, name, int(spread(rng, 8e5, 1.4e6))),
    )


def ends_limit(scene: Scene, habits: Habits, flows: tuple[int, int] = (1, 4), access: float = 0.0) -> None:
    """Play transfers limited by their own ends beside ordinary ones.

    Args:
        scene: Where.
        habits: Draws the ends.
        flows: Number of odd transfers, from and below.
        access: Rate of the access link that must be filled, bit/s; 0: quick.
    """
    rng = scene.rng
    line: list[Station] = []
    if access:
        rate = access * float(rng.uniform(0.7, 1.4))
        line = [Shaper(world=scene.world, rate=rate, limit=rate / 8 * float(rng.uniform(0.1, 0.3)))]
    sites = lay_sites(scene, int(rng.integers(1, 3)), line)
    stack = draw_client(rng)
    for number in range(int(rng.integers(*flows))):
        site = sites[number % len(sites)]
        mine, server, client, script = habits(rng, site.name)
        stack = mine if number == 0 else attrs.evolve(stack, buffer=mine.buffer)
        host = attrs.evolve(site.host, congestion=server.congestion)
        fetch(
            scene, site, float(rng.uniform(0, 4 * SECOND)) * (number > 0), 0, stack=stack, host=host,
            apps=(client, App()), script=script, look_alike=True,
        )  # fmt: skip
    ordinary(scene, attrs.evolve(stack, buffer=0), 10 * SECOND, line)


def plan(
    scene: Scene, rate: tuple[float, float], kind: str, *, way: str = "down", burst: tuple[float, float] = (1e3, 2e3)
) -> None:
    """Move data with several sites over a line whose plan limits everything alike.

    Args:
        scene: Where.
        rate: Bounds of the plan's rate, bit/s.
        kind: policer or shaper.
        way: Limited directions.
        burst: Bounds of the bucket in bytes, or of what a shaper lets pass at once.
    """
    rng, world = scene.rng, scene.world
    speed, depth = spread(rng, *rate), spread(rng, *burst)
    box: Station
    if kind == "policer":
        box = Policer(world=world, rate=speed, bucket=depth, way=way)
    else:
        box = Shaper(world=world, rate=speed, limit=max(8e3, speed / 8 * spread(rng, 0.05, 1.5)), burst=depth, way=way)
    sites = lay_sites(scene, int(rng.integers(3, 5)), [box])
    stack = attrs.evolve(draw_client(rng), congestion=str(rng.choice(["cubic", "cubic", "reno", "bbr"])))
    flows = int(rng.integers(len(sites), len(sites) + 3))
    size = int(min(BUDGET / flows, max(2e4, speed / 8 * float(rng.uniform(3, 6)) + 1.3 * depth)))
    together = bool(rng.random() < 0.5)
    begin = 0.0
    for number in range(flows):
        site = sites[number % len(sites)]
        host = attrs.evolve(site.host, congestion=str(rng.choice(["cubic", "cubic", "reno", "bbr"])))
        up = way == "up" or (way == "both" and bool(rng.random() < 0.3))
        fetch(scene, site, begin, affordable(size, host), up=up, stack=stack, host=host, look_alike=True)
        begin += float(rng.exponential(SECOND)) if together else size * 8e9 / speed * float(rng.uniform(0.8, 1.3))


def own_uplink(scene: Scene) -> None:
    """Fetch from a server whose own line is policed, by names of several domains, and from others that are quick."""
    rng = scene.rng
    speed = spread(rng, 4e5, 6e6)
    box = Policer(world=scene.world, rate=speed, bucket=spread(rng, 1e4, 2e5))
    owners = list({name.partition(".")[2]: name for name in scene.names(30)}.values())[: int(rng.integers(2, 4))]
    count = len(owners)
    sites = lay_sites(scene, count, [box], names=owners, servers=scene.servers(1) * count, where=(0.9, 0.95))
    stack = draw_client(rng)
    size = int(min(BUDGET / count, max(2e4, speed / 8 * float(rng.uniform(3, 6)) + box.bucket)))
    host = attrs.evolve(sites[0].host, congestion=str(rng.choice(["cubic", "reno", "bbr"])))
    for order, site in enumerate(sites):
        begin = order * (size * 8e9 / speed) * float(rng.uniform(0.2, 1.1))
        fetch(scene, site, begin, affordable(size, host), stack=stack, host=host, look_alike=True)
    for site in lay_sites(scene, 2, names=[f"www.{name}" for name in scene.names(2)]):
        fetch(scene, site, float(rng.uniform(0, 10 * SECOND)), int(spread(rng, 1e5, 4e5)), stack=stack)


def benign(name: str, says: str, play: Callable[[Scene], None], vantages: tuple[str, ...] = ANYWHERE) -> Scenario:
    """Write the row of one look-alike."""
    return Scenario(f"benign.rate.{name}", says, None, play, vantages, confounder=name, family="benign.rate")


PLAYS = (
    benign("app-limited", "Servers that pause.", partial(ends_limit, habits=scripted(pauses))),
    benign("paced-video", "Steps of a bitrate ladder.", partial(ends_limit, habits=scripted(segments), flows=(1, 2))),
    benign("server-pacing", "A burst, then a fixed rate.", partial(ends_limit, habits=scripted(paced))),
    benign("window-limited", "Small receive windows.", partial(ends_limit, habits=small_window)),
    benign("slow-reader", "Programs that read slowly.", partial(ends_limit, habits=slow_reader)),
    benign("slow-start-only", "Transfers that end in slow start.", partial(ends_limit, habits=short, flows=(4, 12))),
    benign("bbr-probe-rtt", "BBR senders over ten seconds and more.",
           partial(ends_limit, habits=model_based, flows=(1, 2), access=8e5)),
    benign("plan-policer", "The whole line is policed.",
           partial(plan, rate=(4e5, 6e6), kind="policer", burst=(1e4, 2e5)), ENDS),
    benign("own-uplink", "A server's own line is policed.", own_uplink, ENDS),
    benign("plan-shaper", "The whole line is queued.", partial(plan, rate=(4e5, 6e6), kind="shaper", way="both")),
    benign("plan-burst", "A fast start, then the plan's rate.",
           partial(plan, rate=(5e5, 4e6), kind="shaper", burst=(1e5, 5e5))),
    benign("quota-exhausted", "After the quota everything is policed to 64 or 128 kbit/s.",
           partial(plan, rate=(5e4, 1.6e5), kind="policer", way="both", burst=(8e3, 4e4))),
    benign("upload-shaper", "All uploads are queued to about 130 kbit/s.",
           partial(plan, rate=(1.1e5, 1.6e5), kind="shaper", way="up")),
)  # fmt: skip
