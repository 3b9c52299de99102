"""Transfers through token buckets of many makers, beside transfers that are spared."""

from functools import partial

import attrs

from netinterf.simulate.boxes.buckets import Degrader, Policer
from netinterf.simulate.boxes.classes import TrafficClass
from netinterf.simulate.hosts.stack import draw_client
from netinterf.simulate.network.path import SECOND, Station
from netinterf.simulate.network.queues import Bottleneck, Link
from netinterf.simulate.plays.transfers import BUDGET, affordable, beginnings, fetch, lay_sites, spread
from netinterf.simulate.scenario import ANYWHERE, ENDS, Scenario
from netinterf.simulate.scene import Scene
from netinterf.values import frozen

__all__ = ["PLAYS", "Bucket"]

POLICING = "rate.policing"


@frozen(kw_only=True)
class Bucket:
    """How a documented policer is set; ranges are drawn from, evenly in the logarithm."""

    rate: tuple[float, float]  # bit/s
    bucket: tuple[float, float] = (8e3, 1e5)  # bytes
    seconds: bool = False  # the bucket is given in seconds of the rate
    way: str = "down"
    per: str = "flow"
    by: str = "name"  # what it recognises: name or server
    grace: tuple[int, int] = (0, 1)  # packets that pass before it acts, from and below
    early: float = 0.0
    sway: float = 0.0
    up: float = 0.0  # share of uploads among the transfers
    congestion: tuple[str, ...] = ("cubic", "cubic", "reno", "bbr")
    flows: tuple[int, int] = (1, 4)  # limited transfers, from and below
    together: bool = False  # they run at the same time
    size: tuple[float, float] = (0, 0)  # bytes of a transfer; as many as the rate moves in some seconds when zero

    def policer(self, scene: Scene, traffic: TrafficClass) -> Policer:
        """Draw one."""
        rng = scene.rng
        rate, depth = spread(rng, *self.rate), spread(rng, *self.bucket)
        return Policer(
            world=scene.world, rate=rate, bucket=max(3200.0, depth * rate / 8) if self.seconds else depth,
            traffic=traffic, way=self.way, per=self.per, early=self.early, sway=self.sway,
            period=float(rng.uniform(3e9, 3e10)), mechanism=POLICING,
        )  # fmt: skip


def policed(scene: Scene, form: Bucket) -> None:
    """Move data with listed sites through a policer, and with others that are spared."""
    rng = scene.rng
    listed = int(rng.integers(1, 3))
    known = scene.names(listed + int(rng.integers(1, 3)))
    servers = scene.servers(len(known))
    shared = form.by == "name" and rng.random() < 0.35
    traffic = TrafficClass(
        names=frozenset(name.encode() for name in known[:listed]) if form.by == "name" else frozenset(),
        servers=frozenset(servers[:listed]) if form.by == "server" else frozenset(),
        grace=int(rng.integers(*form.grace)),
    )
    policer = form.policer(scene, traffic)
    boxes: list[Station] = [policer]
    if rng.random() < 0.5:
        boxes.append(Bottleneck(scene.world, Link(max(1.5e7, 8 * policer.rate), 2e5), Link(2e7, 1e5)))
    sites = lay_sites(scene, len(known), boxes, names=known, servers=servers[:1] * len(known) if shared else servers)
    stack = attrs.evolve(draw_client(rng), congestion=str(rng.choice(form.congestion)))
    flows = int(rng.integers(*form.flows))
    seconds = max(policer.rate / 8 * float(rng.uniform(4, 9)), 1.3 * policer.bucket) + policer.bucket
    size = int(max(12_000, min(seconds, BUDGET / flows)) if not form.size[1] else spread(rng, *form.size))
    span = 0.0 if form.together else min(60 * SECOND, flows * size * 8e9 / policer.rate)
    for place, begin in enumerate(beginnings(rng, flows, span)):
        site = sites[place % listed]
        host = attrs.evolve(site.host, congestion=str(rng.choice(form.congestion)))
        up, port = bool(rng.random() < form.up), 80 if rng.random() < 0.1 else 443
        fetch(scene, site, begin, affordable(size, host), up=up, port=port, stack=stack, host=host)
    span = max(span, size * 8e9 / policer.rate)
    for site in sites[listed:]:
        for _ in range(int(rng.integers(1, 3))):
            amount = int(min(size, spread(rng, 3e4, 1.5e5)))
            fetch(scene, site, float(rng.uniform(0, min(span, 60 * SECOND))), amount, stack=stack,
                  up=bool(rng.random() < form.up))  # fmt: skip


def degraded(scene: Scene) -> None:
    """Lose 2 to 30 % of the packets of listed sites at random; only the contrast with others shows it."""
    rng = scene.rng
    known = scene.names(int(rng.integers(3, 5)))
    traffic = TrafficClass(names=frozenset({known[0].encode()}), grace=int(rng.integers(0, 3)))
    way = str(rng.choice(["both", "down"]))
    box = Degrader(world=scene.world, traffic=traffic, way=way, share=spread(rng, 0.02, 0.3), mechanism=POLICING)
    stack = draw_client(rng)
    for place, site in enumerate(lay_sites(scene, len(known), [box], names=known)):
        for _ in range(int(rng.integers(2, 4))):
            begin, size = float(rng.uniform(0, 15 * SECOND)), int(spread(rng, 8e4, 3e5))
            fetch(scene, site, begin, size, stack=stack, series=place == 0)


def by_bucket(name: str, says: str, system: str, form: Bucket, vantages: tuple[str, ...] = ANYWHERE) -> Scenario:
    """Write the row of one documented policer."""
    return Scenario(name, says, POLICING, partial(policed, form=form), vantages, system=system, family="rate")


PLAYS = (
    by_bucket(
        "rate.policing", "Downloads through token buckets of any size.", "generic",
        Bucket(rate=(4e5, 7e6), bucket=(1e4, 2.5e5), by="server", per="link", congestion=("cubic", "reno")), ENDS,
    ),
    by_bucket(
        "rate.policing.tspu-twitter", "Listed names crawl at some 140 kbit/s each way.", "ru.tspu-twitter-2021",
        Bucket(rate=(1.2e5, 1.6e5), bucket=(5e3, 3e4), way="both", up=0.4, grace=(0, 3)),
    ),
    by_bucket(
        "rate.policing.tspu-sni-iii", "Listed names crawl at some 650 bytes a second.", "ru.tspu-sni-iii",
        Bucket(rate=(3.5e3, 1e4), bucket=(3.2e3, 9e3), way="both", congestion=("cubic", "reno"), flows=(1, 3)),
    ),
    by_bucket(
        "rate.policing.tspu-youtube", "Acknowledgements for video downloads are policed.", "ru.tspu-youtube-2024",
        Bucket(rate=(1.2e3, 6e3), bucket=(2e2, 1.5e3), way="acks", size=(8e4, 3e5)),
    ),
    Scenario(
        "rate.policing.ecofilter", "A listed service loses a share of its packets.", POLICING, degraded, ANYWHERE,
        system="ru.ecofilter-degradation", family="rate",
    ),
    by_bucket(
        "rate.policing.cloudflare-kz", "Downloads from one foreign hoster crawl.", "kz.cloudflare-2025",
        Bucket(rate=(1e5, 1e6), bucket=(8e3, 8e4), by="server", per="pair"),
    ),
    by_bucket(
        "rate.policing.turkey", "Listed names are slowed in a crisis.", "tr.bandwidth-2024",
        Bucket(rate=(8e4, 1e6), bucket=(5e3, 6e4), way="both", up=0.2),
    ),
    by_bucket(
        "rate.policing.iran-2013", "Foreign servers share a thin, policed way out.", "ir.throttling-2013",
        Bucket(rate=(2e5, 2e6), bucket=(8e3, 1e5), by="server", per="link", way="both", up=0.1, flows=(2, 5)),
    ),
    by_bucket(
        "rate.policing.jordan-live", "Live video uploads to one platform are made useless.", "jo.live-2018",
        Bucket(rate=(1e5, 6e5), bucket=(5e3, 6e4), by="server", way="both", up=0.7),
    ),
    by_bucket(
        "rate.policing.binge-on", "Video is policed to some 1.5 Mbit/s.", "us.binge-on-2016",
        Bucket(rate=(1.3e6, 1.8e6), bucket=(1e4, 2e5), per="client", grace=(0, 10)),
    ),
    by_bucket(
        "rate.policing.carrier", "A carrier's policer of 0.5 to 10 Mbit/s and its customary buckets.", "isp.policer",
        Bucket(rate=(5e5, 1e7), bucket=(0.05, 0.6), seconds=True, by="server", per="link",
               congestion=("cubic", "cubic", "reno")),
    ),
    by_bucket(
        "rate.policing.tiny-bucket", "A policer whose bucket holds a few packets.", "isp.policer",
        Bucket(rate=(5e5, 4e6), bucket=(5e3, 1e4), by="server", per="link", congestion=("cubic", "cubic", "reno")),
    ),
    by_bucket(
        "rate.policing.shared", "Several flows at once share one policer.", "isp.shared-policer",
        Bucket(rate=(5e5, 4e6), bucket=(1.2e4, 2e5), by="server", per="pair", flows=(2, 5), together=True),
    ),
    by_bucket(
        "rate.policing.fixed-rate", "Every session of some services meets one rate.", "isp.fixed-rate",
        Bucket(rate=(1e6, 4e6), bucket=(2e4, 1.5e5), per="flow", grace=(0, 10), flows=(3, 6)),
    ),
    by_bucket(
        "rate.policing.adaptive", "A policer that drops early and at random, at a rate that drifts.", "adaptive",
        Bucket(rate=(3e5, 3e6), bucket=(2e4, 2e5), early=0.9, sway=0.4, grace=(5, 40)),
    ),
)  # fmt: skip
