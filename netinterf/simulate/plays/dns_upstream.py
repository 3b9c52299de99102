"""DNS as a resolver sees it on its own side, with and without an injector between it and root, TLDs, zones."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import attrs
import numpy as np

from netinterf.simulate.boxes.answers import AnswerStyle, DnsInjector
from netinterf.simulate.hosts.dns_authority import Authority
from netinterf.simulate.hosts.dns_zone import Entry, Zone
from netinterf.simulate.hosts.resolver import Interceptor
from netinterf.simulate.hosts.stack import draw_client, draw_server
from netinterf.simulate.messages.dns import AAAA, NS, A, Opt
from netinterf.simulate.network.packet import Address, address
from netinterf.simulate.network.path import MILLISECOND, SECOND, Station
from netinterf.simulate.plays.dns_china import cyclic, injector_1, newest
from netinterf.simulate.plays.dns_lookups import Habits, Stub, Way
from netinterf.simulate.plays.dns_scenes import SIGHTED
from netinterf.simulate.plays.dns_setup import add_resolver, draw_zone, host_names
from netinterf.simulate.scenario import Scenario
from netinterf.simulate.scene import Scene
from netinterf.values import define

__all__ = ["PLAYS"]

TOP = ("com", "net", "org", "example")
APEXES = ("example.com", "example.net", "example.org", "test.example")
ROOTS = ("198.41.0.4", "192.33.4.12", "193.0.14.129", "192.5.5.241")
ROOTS_SIX = ("2001:503:ba3e::2:30", "2001:500:2::c", "2001:7fd::1", "2001:500:2f::f")
"""Addresses of a, c, k and f.root-servers.net (root hints of IANA)."""


@define
class Upstream:
    """A resolver and the authoritative servers it asks."""

    scene: Scene
    stub: Stub
    apexes: dict[str, int] = attrs.field(factory=dict)  # way of each zone; the root is ""

    def add(self, apex: str, place: Address, boxes: Sequence[Station], **holds: Any) -> None:
        """Put up the server of a zone."""
        scene, rng = self.scene, self.scene.rng
        path = scene.lay_path(boxes, rtt=float(rng.lognormal(np.log(9e7), 0.7)))
        opt = Opt(int(rng.choice([512, 1232, 4096]))) if rng.random() < 0.9 else None
        server = Authority(
            world=scene.world, place=(place, 53), stack=draw_server(rng), apex=apex, opt=opt,
            deaf=float(rng.choice([0.0, 0.02])), think=float(rng.lognormal(np.log(3e5), 0.8)), **holds,
        )  # fmt: skip
        self.apexes[apex] = len(self.stub.ways)
        self.stub.ways.append(Way(path, server))

    def chase(self, name: str, begin: float, minimises: bool, kind: int = A, look_alike: bool = False) -> None:
        """Ask from the root down; with minimised names each server learns one label more than it serves (RFC 9156)."""
        rng = self.scene.rng
        labels = name.split(".")
        for depth in (0, 1, 2):
            apex = ".".join(labels[len(labels) - depth :]) if depth else ""
            asked = name if not minimises else ".".join(labels[max(0, len(labels) - depth - 1) :])
            kinds = (kind,) if not minimises or depth == 2 else (int(rng.choice([A, NS])),)
            cached = depth < 2 and rng.random() < (0.6, 0.3)[depth]
            if not cached:
                self.stub.look_up(asked, begin, kinds=kinds, way=self.apexes[apex], look_alike=look_alike)
                begin += float(rng.uniform(0.1, 0.4) * SECOND)
        if minimises and len(labels) > 3:
            self.stub.look_up(name, begin, kinds=(kind,), way=self.apexes[".".join(labels[-2:])], look_alike=look_alike)


def put_up(scene: Scene, known: Sequence[str], high: Sequence[Station], low: Sequence[Station]) -> Upstream:
    """Put up root, top-level and zone servers; *high* lie before root and TLDs, *low* before the zones."""
    rng = scene.rng
    habits = Habits(
        flags=0, opt=Opt(int(rng.choice([1232, 1400, 4096])), True) if rng.random() < 0.9 else None,
        mixed=bool(rng.random() < 0.4), patience=float(rng.choice([4e8, 8e8, 1.5e9])), tries=int(rng.integers(2, 5)),
        again="port", closes=bool(rng.random() < 0.3),
    )  # fmt: skip
    stub = Stub(scene=scene, habits=habits, stack=draw_client(rng), client=scene.client, ways=[])
    upstream = Upstream(scene, stub)
    places = scene.servers(len(TOP) + len(APEXES))
    zone: Zone = draw_zone(scene, known, per_answer=bool(rng.random() < 0.5))
    zone |= {f"ns1.{apex}": Entry(addresses=tuple(scene.global_addresses(1)), lifetime=86_400) for apex in APEXES}
    root = address(str(rng.choice(ROOTS_SIX if scene.six else ROOTS)))
    upstream.add("", root, high, children={top: (place,) for top, place in zip(TOP, places, strict=False)})
    for top, place, apex, below in zip(TOP, places, APEXES, places[len(TOP) :], strict=False):
        upstream.add(top, place, high, children={apex: (below,)})
        upstream.add(apex, below, low, zone={name: entry for name, entry in zone.items() if name.endswith("." + apex)})
    return upstream


def ask_all(upstream: Upstream, plan: Sequence[str], minimises: bool, look_alike: bool = False) -> None:
    """Resolve names in random order."""
    rng = upstream.scene.rng
    begin = 0.0
    for place in rng.permutation(len(plan)):
        begin += float(rng.exponential(0.5 * SECOND)) + MILLISECOND
        kind = AAAA if rng.random() < 0.25 else A
        upstream.chase(plan[place], begin, minimises, kind, look_alike)


def injected(scene: Scene, *, root: bool) -> None:
    """Resolve names abroad: an injector between answers listed ones before the root, the TLD or the zone does."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(8, 14)))
    blocked = known[: int(rng.integers(2, 4))]
    servers = [f"ns1.{apex}" for apex in APEXES[: int(rng.integers(0, 3))]] if not root else []
    makers: tuple[AnswerStyle, ...] = newest(rng) if rng.random() < 0.5 else (cyclic(rng),)
    if root and rng.random() < 0.5:
        makers = (injector_1(rng),)
    box = DnsInjector(world=scene.world, names=frozenset([*blocked, *servers]), makers=makers)
    upstream = put_up(scene, known, [box] if root else [], [] if root else [box])
    ask_all(
        upstream, [*blocked * 3, *servers * 2, *known[len(blocked) :] * 2], minimises=not root and rng.random() < 0.5
    )


def ordinary(scene: Scene) -> None:
    """Resolve names with nobody between."""
    known = host_names(scene, int(scene.rng.integers(8, 14)))
    ask_all(put_up(scene, known, [], []), known * 3, minimises=bool(scene.rng.random() < 0.6), look_alike=True)


def by_proxy(scene: Scene) -> None:
    """Ask root and TLD servers through a proxy that resolves and answers by itself, truthfully."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(6, 11)))
    zone = draw_zone(scene, known)
    box = Interceptor(resolver=add_resolver(scene, zone, place=scene.servers(1)[0]))
    ask_all(put_up(scene, known, [box], []), known * 3, minimises=False, look_alike=True)


PLAYS = (
    Scenario("dns.injection.gfw-root", "Root and TLD servers seem to give addresses.", "dns.injection",
             partial(injected, root=True), SIGHTED, system="cn.gfw-dns-root", family="dns"),
    Scenario("dns.injection.gfw-upstream", "A resolver's own questions are answered by an injector.", "dns.injection",
             partial(injected, root=False), SIGHTED, system="cn.gfw-dns-upstream", family="dns"),
    Scenario("benign.dns.upstream", "A resolver asks authoritative servers.", None, ordinary,
             ("client", "server", "middle"), confounder="upstream", family="benign.dns"),
    Scenario("benign.dns.root-proxy", "A proxy answers for root servers.", None, by_proxy, SIGHTED,
             confounder="root-proxy", family="benign.dns"),
)  # fmt: skip
