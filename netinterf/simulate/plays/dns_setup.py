"""The setup in which lookups are played: names, a resolver of some behaviour at the end of a path, a stub."""

from collections.abc import Collection, Sequence
from typing import Any

import attrs
import numpy as np

from netinterf.simulate.hosts.app import App
from netinterf.simulate.hosts.dns_zone import Entry, Zone
from netinterf.simulate.hosts.resolver import Behaviour, Resolver
from netinterf.simulate.hosts.stack import Stack, draw_client, draw_server
from netinterf.simulate.messages.dns import Opt
from netinterf.simulate.network.packet import Address, address
from netinterf.simulate.network.path import SECOND, Leg, Path, Station
from netinterf.simulate.plays.dns_control import note_answers
from netinterf.simulate.plays.dns_lookups import Habits, Stub, Way, draw_habits
from netinterf.simulate.scene import Scene
from netinterf.simulate.talks import visit
from netinterf.values import define

__all__ = [
    "Setup",
    "add_resolver",
    "browse",
    "draw_behaviour",
    "draw_entry",
    "draw_zone",
    "follow",
    "host_names",
    "make_setup",
    "private_address",
    "shorten",
]  # fmt: skip

PUBLIC = ("8.8.8.8", "1.1.1.1", "9.9.9.9", "208.67.222.222", "77.88.8.8", "223.5.5.5")
PUBLIC_SIX = ("2001:4860:4860::8888", "2606:4700:4700::1111", "2620:fe::fe", "2620:119:35::35", "2a02:6b8::feed:ff")
"""Addresses of well-known open resolvers, by their operators' pages."""

WELL_KNOWN = frozenset(address(place) for place in (*PUBLIC, *PUBLIC_SIX))


@define(kw_only=True)
class Setup:
    """What most scenarios begin with."""

    scene: Scene
    known: list[str]
    zone: Zone
    resolver: Resolver
    path: Path
    stub: Stub


def host_names(scene: Scene, count: int) -> list[str]:
    """Draw host names of one to three labels below the example domains."""
    prefixes = ("", "", "www.", "api.", "m.", "static.", "img.", "cdn-2.")
    return [str(scene.rng.choice(prefixes)) + name for name in scene.names(count)]


def draw_entry(scene: Scene, **fixed: Any) -> Entry:
    """Draw what a name holds: addresses of one network or several, often IPv6, CDN aliases, long or short TTLs."""
    rng = scene.rng
    count = int(rng.choice([1, 1, 2, 3, 4, 8]))
    heads = scene.global_addresses(count)
    if rng.random() < 0.7:  # one network
        heads = [(0, heads[0][1] & ~0x3FF | int(rng.integers(1, 1023))) for _ in range(count)]
    six = scene.global_six(min(count, 2))
    drawn = {
        "addresses": (*dict.fromkeys(heads), *(six if rng.random() < 0.6 else [])),
        "lifetime": int(rng.choice([20, 60, 300, 3600, 86_400])),
        "aliases": tuple(f"edge{rng.integers(99)}.cdn.example.net" for _ in range(int(rng.random() < 0.3))),
        "shown": int(rng.choice([1, 4, 8])),
        "https": bool(rng.random() < 0.2),
        "signed": bool(rng.random() < 0.3),
        "slow": float(rng.exponential(6e7)),
    }
    return Entry(**{**drawn, **fixed})


def draw_zone(scene: Scene, known: Sequence[str], **fixed: Any) -> Zone:
    """Draw an entry for each name."""
    return {name: draw_entry(scene, **fixed) for name in known}


def draw_behaviour(rng: np.random.Generator, **fixed: Any) -> Behaviour:
    """Draw an ordinary resolver, with the defaults of BIND, Unbound, PowerDNS, dnsmasq and big public services."""
    drawn = {
        "cached": float(rng.uniform(0.3, 0.95)),
        "think": (float(rng.lognormal(np.log(2e5), 0.5)), float(rng.lognormal(np.log(3e7), 0.5))),
        "opt": Opt(int(rng.choice([512, 1232, 1400, 4096]))) if rng.random() < 0.85 else None,
        "cookies": bool(rng.random() < 0.3),
        "style": str(rng.choice(["all", "owners", "none"], p=[0.8, 0.17, 0.03])),
        "caches": int(rng.choice([1, 1, 2, 6])),
        "validates": bool(rng.random() < 0.5),
        "minimum": int(rng.choice([0, 0, 0, 60])),
        "limit": int(rng.choice([1232, 4096])),
    }
    return Behaviour(**{**drawn, **fixed})


def private_address(scene: Scene, *, home: bool = True) -> Address:
    """Draw the address of a resolver inside: the home router's, or one of a company's network."""
    rng = scene.rng
    if scene.six:
        return address("fd00::1") if home and rng.random() < 0.3 else address(f"fd12:{rng.integers(1, 65535):x}::53")
    if home:
        high, low = scene.client
        return high, low & ~0xFF | int(rng.choice([1, 1, 254]))
    return address(f"10.{rng.integers(256)}.{rng.integers(256)}.{rng.integers(1, 255)}")


def server_address(scene: Scene) -> Address:
    """Draw the address of a resolver: a well-known one, or one of an ISP."""
    rng = scene.rng
    if rng.random() < 0.5:
        place = address(str(rng.choice(PUBLIC_SIX if scene.six else PUBLIC)))
        if place not in scene.taken:
            scene.taken.add(place)
            return place
    return scene.servers(1)[0]


def shorten(path: Path, hops: int) -> Path:
    """Give the legs of a path few hops in all, as within a house (0) or an ISP."""
    legs = [part for part in path.parts if isinstance(part, Leg) and part.hops]
    for order, leg in enumerate(legs):
        leg.hops = hops // len(legs) + (order < hops % len(legs))
    return path


def add_resolver(
    scene: Scene, zone: Zone, *, place: Address | None = None, behaviour: Behaviour | None = None,
    stacks: tuple[Stack, ...] = (), **options: Any,
) -> Resolver:  # fmt: skip
    """Set up a resolver that knows *zone*."""
    return Resolver(
        world=scene.world, place=(place or server_address(scene), 53), stacks=stacks or (draw_server(scene.rng),),
        zone=zone, behaviour=behaviour or draw_behaviour(scene.rng), public=WELL_KNOWN, **options,
    )  # fmt: skip


def make_setup(
    scene: Scene, boxes: Sequence[Station] = (), *, count: tuple[int, int] = (7, 14), known: list[str] | None = None,
    zone: Zone | None = None, place: Address | None = None, rtt: float | None = None, where: float | None = None,
    behaviour: dict[str, Any] | None = None, habits: dict[str, Any] | None = None, luck: float | None = None,
    stacks: tuple[Stack, ...] = (), **options: Any,
) -> Setup:  # fmt: skip
    """Draw names, path, resolver and stub.

    Args:
        scene: Where it happens.
        boxes: Middleboxes on the path.
        count: Least and greatest number of names.
        known: The names; drawn when left out.
        zone: What they hold; drawn when left out.
        place: Address of the resolver.
        rtt: Round trip to the resolver, ns.
        where: Place of the boxes, as a share of the path.
        behaviour: Fixed habits of the resolver.
        habits: Fixed habits of the stub.
        luck: Badness of the path.
        stacks: The resolver's sites.
        options: Further fields of the resolver.
    """
    rng = scene.rng
    known = host_names(scene, int(rng.integers(*count))) if known is None else known
    zone = draw_zone(scene, known) if zone is None else zone
    note_answers(scene, zone)
    rtt = float(rng.lognormal(np.log(6e7), 0.7)) if rtt is None else rtt
    path = scene.lay_path(boxes, rtt=rtt, where=where, luck=luck)
    resolver = add_resolver(
        scene, zone, place=place, behaviour=draw_behaviour(rng, **(behaviour or {})), stacks=stacks, **options
    )
    asks: Habits = attrs.evolve(draw_habits(rng), **(habits or {}))
    stub = Stub(scene=scene, habits=asks, stack=draw_client(rng), client=scene.client, ways=[Way(path, resolver)])
    return Setup(scene=scene, known=known, zone=zone, resolver=resolver, path=path, stub=stub)


def follow(
    scene: Scene, places: Sequence[Address], names: Sequence[str], begin: float, *, apps: tuple[App, App] | None = None,
    lost: bool = False,
) -> None:  # fmt: skip
    """Visit addresses that names were answered with, over TLS.

    Args:
        scene: Where it happens.
        places: The addresses; those of the other version of IP are passed over.
        names: Who is wanted there.
        begin: When it begins, ns from now.
        apps: What the programs at the ends do; the server knows the name when left out.
        lost: Nobody is there: all packets vanish far away.
    """
    rng = scene.rng
    stacks = draw_client(rng), draw_server(rng)
    for place in [place for place in places if (place[0] != 0) == scene.six][:2]:
        path = scene.lay_path([])
        path.far.loss = 1.0 if lost else path.far.loss
        for name in names[:4]:
            begin += float(rng.exponential(0.5 * SECOND))
            visit(scene, path, place, name, begin, stacks=stacks, apps=apps)


def browse(
    stub: Stub, plan: Sequence[str], *, look_alike: Collection[str] = (), series: Collection[str] = (),
    begin: float = 0.0, gap: float = 0.8 * SECOND, kinds: tuple[int, ...] = (), way: int = 0,
) -> float:  # fmt: skip
    """Look names up in random order, one after the other.

    Args:
        stub: Who asks.
        plan: Names, each as often as it is looked up.
        look_alike: Those that play the benign look-alike.
        series: Those decidable only together.
        begin: When it begins, ns from now.
        gap: Mean time between lookups, ns.
        kinds: Question types; the stub's habit when left out.
        way: Which resolver is asked first.

    Returns:
        When the last lookup began, ns from now.
    """
    rng = stub.scene.rng
    for place in rng.permutation(len(plan)):
        begin += float(rng.exponential(gap))
        name = plan[place]
        stub.look_up(name, begin, look_alike=name in look_alike, series=name in series, kinds=kinds, way=way)
    return begin
