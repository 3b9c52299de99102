"""Transfers that are queued to a rate while others of the same client are not."""

from functools import partial

import attrs

from netinterf.simulate.boxes.buckets import Shaper
from netinterf.simulate.boxes.classes import TrafficClass
from netinterf.simulate.hosts.stack import draw_client
from netinterf.simulate.network.path import SECOND
from netinterf.simulate.plays.transfers import BUDGET, affordable, beginnings, fetch, lay_sites, spread
from netinterf.simulate.scenario import ANYWHERE, Scenario
from netinterf.simulate.scene import Scene
from netinterf.values import frozen

__all__ = ["PLAYS"]

SHAPING = "rate.shaping"


@frozen(kw_only=True)
class Queue:
    """How a documented shaper is set; ranges are drawn from, evenly in the logarithm."""

    rate: tuple[float, float]  # bit/s
    wait: tuple[float, float] = (0.05, 1.0)  # s of queue
    burst: tuple[float, float] = (1e3, 2e3)  # bytes that pass at once
    per: str = "flow"
    way: str = "down"
    by: str = "name"  # what it recognises: name, server or port
    grace: tuple[int, int] = (0, 1)  # packets that pass before it acts, from and below
    quick: float = 0.0  # share of transfers with a listed site that are small, and never queued
    congestion: tuple[str, ...] = ("cubic", "cubic", "reno", "bbr")


def shaped(scene: Scene, form: Queue) -> None:
    """Move data with a listed service through a shaper, and with others past it at the same time."""
    rng = scene.rng
    listed = int(rng.integers(1, 3))
    known = scene.names(listed + int(rng.integers(2, 4)))
    servers = scene.servers(len(known))
    shared = form.by == "name" and rng.random() < 0.35
    port = int(rng.choice([6881, 51_413, int(rng.integers(6881, 6999))])) if form.by == "port" else 443
    rate, wait = spread(rng, *form.rate), spread(rng, *form.wait)
    box = Shaper(
        world=scene.world, rate=rate, limit=max(6e3, wait * rate / 8), burst=spread(rng, *form.burst), per=form.per,
        way=form.way, mechanism=SHAPING,
        traffic=TrafficClass(
            names=frozenset(name.encode() for name in known[:listed]) if form.by == "name" else frozenset(),
            servers=frozenset(servers[:listed]) if form.by == "server" else frozenset(),
            ports=frozenset({port}) if form.by == "port" else frozenset(),
            grace=int(rng.integers(*form.grace)),
        ),
    )  # fmt: skip
    sites = lay_sites(scene, len(known), [box], names=known, servers=servers[:1] * len(known) if shared else servers)
    stack = attrs.evolve(draw_client(rng), congestion=str(rng.choice(form.congestion)))
    flows = int(rng.integers(2, 4))
    size = int(min(BUDGET / flows, rate / 8 * float(rng.uniform(4, 9)) + 1.5 * box.burst) + 1500 * box.traffic.grace)
    span = flows * size * 8e9 / rate
    for place, begin in enumerate(beginnings(rng, flows, span)):
        site = sites[place % listed]
        host = attrs.evolve(site.host, congestion=str(rng.choice(form.congestion)))
        amount = int(rng.integers(2_000, 9_000)) if place and rng.random() < form.quick else size
        up = form.way == "up" or (form.way == "both" and bool(rng.random() < 0.4))
        fetch(scene, site, begin, affordable(amount, host), up=up, port=port, stack=stack, host=host, series=True)
    for site in sites[listed:]:
        for _ in range(int(rng.integers(1, 3))):
            begin = float(rng.uniform(0, min(span, 40 * SECOND)))
            fetch(scene, site, begin, int(spread(rng, 4e4, 1.8e5)), up=form.way == "up", stack=stack)


def by_queue(name: str, says: str, system: str, form: Queue) -> Scenario:
    """Write the row of one documented shaper."""
    return Scenario(name, says, SHAPING, partial(shaped, form=form), ANYWHERE, system=system, family="rate")


PLAYS = (
    by_queue("rate.shaping", "A service is queued to a rate of its own.", "generic",
             Queue(rate=(1e5, 4e6), by="server", per="link")),
    by_queue("rate.shaping.turkey", "Listed names are queued to a low rate.", "tr.bandwidth-2024",
             Queue(rate=(6e4, 8e5), way="both")),
    by_queue("rate.shaping.slow-abroad", "Foreign servers share a thin, queued way out.", "ir.slow-abroad-2026",
             Queue(rate=(2e5, 2e6), wait=(0.2, 3.0), by="server", per="link")),
    by_queue("rate.shaping.media", "A messenger's media crawl; its small messages do not.", "pk.slowdown-2024",
             Queue(rate=(5e4, 6e5), burst=(8e3, 3e4), quick=0.4, way="both")),
    by_queue("rate.shaping.burst", "A fast start, then a queue at a steady rate.", "isp.burst-shaper",
             Queue(rate=(5e5, 4e6), burst=(6e4, 4e5), by="server", per="pair")),
    by_queue("rate.shaping.differentiation", "A service is recognised after some packets and queued.",
             "isp.differentiation", Queue(rate=(5e5, 4e6), grace=(1, 11))),
    by_queue("rate.shaping.delayed", "A service is slowed after its first hundreds of kilobytes.",
             "isp.delayed-throttling", Queue(rate=(3e5, 2e6), grace=(80, 300))),
    by_queue("rate.shaping.file-sharing", "Uploads on a port of file sharing are queued.", "isp.file-sharing",
             Queue(rate=(1e5, 1e6), way="up", by="port", per="client")),
    by_queue("rate.shaping.adaptive", "A queue that looks like a busy link: short, late to begin, per client.",
             "adaptive", Queue(rate=(6e5, 4e6), wait=(0.02, 0.15), grace=(10, 60), per="client")),
)  # fmt: skip
