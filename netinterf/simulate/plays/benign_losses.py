"""Transfers over links that queue, drop, lose, reorder and delay as ordinary links do."""

from collections.abc import Callable
from functools import partial

import attrs
import numpy as np

from netinterf.simulate.hosts.stack import draw_client
from netinterf.simulate.network.outages import UnevenLoss
from netinterf.simulate.network.path import MILLISECOND, SECOND, Path, Station, World
from netinterf.simulate.network.queues import Bottleneck, CoDel, Link, Pie, Red
from netinterf.simulate.plays.benign_rates import benign
from netinterf.simulate.plays.transfers import BUDGET, Site, affordable, fetch, lay_sites, spread
from netinterf.simulate.scenario import ENDS, Scenario
from netinterf.simulate.scene import Scene

__all__ = ["PLAYS"]

CONGESTION = ("cubic", "cubic", "reno", "bbr")

Line = Callable[[World, np.random.Generator, float], Station]
"""Builds the client's line of a given rate in bit/s."""


def drop_tail(world: World, rng: np.random.Generator, rate: float) -> Station:
    """Build a line with an ordinary queue: 20 to 400 ms."""
    return Bottleneck(world, Link(rate, max(8e3, rate / 8 * spread(rng, 0.02, 0.4))), Link(rate / 2, 6e4))


def bloated(world: World, rng: np.random.Generator, rate: float) -> Station:
    """Build a line with seconds of queue in both directions."""
    return Bottleneck(
        world, Link(rate, rate / 8 * spread(rng, 0.8, 3)), Link(rate / 4, rate / 32 * spread(rng, 0.8, 3))
    )


def crowded(world: World, rng: np.random.Generator, rate: float) -> Station:
    """Build a line that others use too: half of the time or so they fill it."""
    link = Link(rate, max(1e4, rate / 8 * spread(rng, 0.03, 0.4)), crowd=float(rng.uniform(0.2, 0.7)),
                crowd_for=int(spread(rng, 5e7, 2e9)))  # fmt: skip
    return Bottleneck(world, link, Link(rate / 2, 6e4))


def short(world: World, rng: np.random.Generator, rate: float) -> Station:
    """Build a line with room for three to eight packets."""
    return Bottleneck(world, Link(rate, float(rng.uniform(4500, 12_000))))


def managed(world: World, rng: np.random.Generator, rate: float, kind: str) -> Station:
    """Build a line with CoDel, RED or PIE."""
    room = max(2e4, rate / 8 * spread(rng, 0.1, 1))
    if kind == "codel":
        factor = spread(rng, 0.7, 4)
        manager: CoDel | Red | Pie = CoDel(int(5e6 * factor), int(1e8 * spread(rng, 0.7, 1.4)))
    elif kind == "red":
        low = room * float(rng.uniform(0.1, 0.25))
        manager = Red(low, 3 * low, most=spread(rng, 0.02, 0.1), weight=spread(rng, 0.002, 0.02))
    else:
        manager = Pie(int(1.5e7 * spread(rng, 0.7, 2)))
    return Bottleneck(world, Link(rate, room, manager))


def over_line(scene: Scene, line: Line, rate: tuple[float, float] = (5e5, 6e6)) -> None:
    """Move data with several sites through one line.

    Args:
        scene: Where.
        line: Builds it.
        rate: Bounds of its rate, bit/s.
    """
    rng = scene.rng
    speed = spread(rng, *rate)
    sites = lay_sites(scene, int(rng.integers(2, 4)), [line(scene.world, rng, speed)], where=(0.02, 0.3))
    move(scene, sites, speed)


def over_path(
    scene: Scene, spoil: Callable[[Path, np.random.Generator], None], *, congestion: tuple[str, ...] = CONGESTION
) -> None:
    """Move data over paths that *spoil* has made worse, beside one that it has not.

    Args:
        scene: Where.
        spoil: Changes a path.
        congestion: What the hosts draw from.
    """
    rng = scene.rng
    sites = lay_sites(scene, int(rng.integers(2, 4)), luck=0.2)
    for site in sites[1:]:
        spoil(site.path, rng)
    move(scene, sites, spread(rng, 1e6, 8e6), odd_from=1, congestion=congestion)


def over_radio(scene: Scene, line: Line) -> None:
    """Move data over a line that loses or delays by direction, the same for all sites."""
    rng = scene.rng
    sites = lay_sites(scene, int(rng.integers(2, 4)), [line(scene.world, rng, 0.0)], where=(0.02, 0.3))
    move(scene, sites, spread(rng, 1e6, 6e6))


def move(
    scene: Scene, sites: list[Site], speed: float, *, odd_from: int = 0, congestion: tuple[str, ...] = CONGESTION
) -> None:
    """Schedule transfers with all sites, some of them at the same time."""
    rng = scene.rng
    stack = attrs.evolve(draw_client(rng), congestion=str(rng.choice(congestion)))
    flows = int(rng.integers(len(sites), len(sites) + 3))
    size = int(min(BUDGET / flows, max(4e4, speed / 8 * float(rng.uniform(3, 6)))))
    begin = 0.0
    for number in range(flows):
        place = number % len(sites)
        host = attrs.evolve(sites[place].host, congestion=str(rng.choice(congestion)))
        fetch(
            scene, sites[place], begin, affordable(size, host), up=bool(rng.random() < 0.15), stack=stack, host=host,
            look_alike=place >= odd_from,
        )  # fmt: skip
        begin += float(rng.uniform(0.1, 1.2)) * size * 8e9 / speed


def random_loss(path: Path, rng: np.random.Generator) -> None:
    """Lose 0.5 to 5 % independently."""
    path.far.loss = spread(rng, 0.005, 0.05)


def bursty_loss(path: Path, rng: np.random.Generator) -> None:
    """Lose half of the packets in bad periods of 10 to 200 ms."""
    path.far.burst, path.far.bad_for = spread(rng, 0.005, 0.06), int(spread(rng, 1e7, 2e8))


def radio_runs(path: Path, rng: np.random.Generator) -> None:
    """Make a radio link of it: long runs of loss, and delays of retries."""
    path.far.burst, path.far.bad_for = spread(rng, 0.01, 0.08), int(spread(rng, 1e8, 1e9))
    path.far.jitter = int(rng.uniform(1, 8) * MILLISECOND)


def reordering(path: Path, rng: np.random.Generator) -> None:
    """Let 1 to 20 % of the packets overtake others, with delays of some milliseconds, and repeat some."""
    path.far.reorder, path.far.jitter = spread(rng, 0.01, 0.2), int(rng.uniform(0.5, 8) * MILLISECOND)
    path.far.duplicate = float(rng.choice([0, 0.005]))


def uneven(world: World, rng: np.random.Generator, _: float) -> Station:
    """Build a radio uplink that loses acknowledgements."""
    return UnevenLoss(world, up=spread(rng, 0.03, 0.35), down=float(rng.uniform(0, 0.003)))


def slotted(world: World, rng: np.random.Generator, _: float) -> Station:
    """Build an uplink whose packets wait for slots, so that acknowledgements come late and in bunches."""
    return UnevenLoss(world, slot=int(spread(rng, 2e7, 3.5e8)))


def queue_or_loss(scene: Scene) -> None:
    """Move data through a queue of 20 to 400 ms, or over a path that loses 0.5 to 2 % at random."""
    if scene.rng.random() < 0.5:
        over_line(scene, drop_tail)
    else:
        over_path(scene, random_loss)


def tail_loss(scene: Scene) -> None:
    """Lose the last packets of short answers, where only a timer helps."""
    rng = scene.rng
    sites = lay_sites(scene, 4, luck=0.2)
    for site in sites:
        site.path.far.burst, site.path.far.bad_for = spread(rng, 0.03, 0.12), int(spread(rng, 2e7, 1.5e8))
    stack = draw_client(rng)
    for site in sites:
        for _ in range(int(rng.integers(4, 9))):
            begin, size = float(rng.uniform(0, 20 * SECOND)), int(spread(rng, 2e3, 4e4))
            fetch(scene, site, begin, size, stack=stack, look_alike=True)


PLAYS = (
    Scenario(
        "rate.policing.benign", "Queued or lossy downloads.", None, queue_or_loss, ENDS, family="benign.rate",
        confounder="queue-or-random-loss",
    ),
    benign("bufferbloat", "Seconds of queue on the line.", partial(over_line, line=bloated, rate=(5e5, 3e6))),
    benign("shared-bottleneck", "Cross traffic on the line.", partial(over_line, line=crowded)),
    benign("short-buffer", "A line with room for a few packets.", partial(over_line, line=short, rate=(1e6, 1e7))),
    benign("codel-queue", "A line with CoDel.", partial(over_line, line=partial(managed, kind="codel"))),
    benign("red-queue", "A line with RED.", partial(over_line, line=partial(managed, kind="red"))),
    benign("pie-queue", "A line with PIE.", partial(over_line, line=partial(managed, kind="pie"))),
    benign("random-loss", "Independent losses.", partial(over_path, spoil=random_loss)),
    benign("bbr-through-loss", "BBR over a lossy path.", partial(over_path, spoil=random_loss, congestion=("bbr",))),
    benign("bursty-loss", "Losses in runs.", partial(over_path, spoil=bursty_loss)),
    benign("wifi-loss-runs", "A radio link with long runs of loss.", partial(over_path, spoil=radio_runs)),
    benign("reordering", "Packets that overtake each other.", partial(over_path, spoil=reordering)),
    benign("tail-loss", "Lost ends of short answers.", tail_loss),
    benign("uplink-loss", "Lost acknowledgements on a radio uplink.", partial(over_radio, line=uneven)),
    benign("delayed-acks", "Acknowledgements that wait for slots.", partial(over_radio, line=slotted)),
)  # fmt: skip
