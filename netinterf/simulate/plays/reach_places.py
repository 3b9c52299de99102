"""A country and the world beyond: prefixes with their networks, places in them, and what people do there.

Addresses are of blocks that belong to nobody: 198.18.0.0/15 (RFC 2544), the documentation prefixes (RFC 5737) and
3fff::/20 (RFC 9637); numbers of networks are of RFC 5398, countries of the user-assigned codes of ISO 3166. Which
prefix is at home and which abroad is drawn per seed; :func:`networks` tells, in the columns of ``--networks``.
"""

import zlib
from collections.abc import Sequence
from functools import partial

import attrs
import numpy as np

from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.hosts.datagrams import speak
from netinterf.simulate.hosts.manners import WIREGUARD
from netinterf.simulate.hosts.stack import Stack, draw_client, draw_server
from netinterf.simulate.messages.ssh import ssh_exchange
from netinterf.simulate.network.packet import Address
from netinterf.simulate.network.path import SECOND, Path, Station
from netinterf.simulate.plays.dns_lookups import Stub, Way, draw_habits
from netinterf.simulate.plays.dns_setup import add_resolver, draw_zone
from netinterf.simulate.plays.quic_visits import quic_visit
from netinterf.simulate.plays.transfers import Site, fetch, spread
from netinterf.simulate.scene import Conversation, Scene
from netinterf.values import define, frozen

__all__ = ["HOME", "Network", "Sites", "lay_world", "live", "networks", "places", "visit_site"]

HOME = "XA"
ABROAD = ("XB", "XC", "XD")
ASNS = range(64_496, 64_512)


@frozen
class Network:
    """One row of a table of networks."""

    prefix: str
    asn: int
    country: str


def networks(seed: int) -> tuple[Network, ...]:
    """Say which prefixes of the simulated world belong to whom; the same for all scenarios with this seed."""
    rng = np.random.default_rng([seed, zlib.crc32(b"networks")])
    asns = rng.permutation(ASNS)
    home, abroad = asns[: int(rng.integers(3, 6))], asns[6 : int(rng.integers(11, 16))]
    four = [f"198.{18 + block // 16}.{block % 16 * 16}.0/20" for block in range(32)]
    six = [f"3fff:{block:x}::/32" for block in rng.choice(4096, 32, replace=False)]
    countries = {int(asn): str(rng.choice(ABROAD)) for asn in abroad}
    networks = []
    for prefixes in (four, six):
        mine = int(rng.integers(9, 15))
        for place, row in enumerate(rng.permutation(len(prefixes))):
            owners = home if place < mine else abroad
            asn = int(owners[place % len(owners)])
            networks.append(Network(prefixes[row], asn, HOME if place < mine else countries[asn]))
    for prefix in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"):
        asn = int(rng.choice(abroad))
        networks.append(Network(prefix, asn, countries[asn]))
    return tuple(networks)


def places(scene: Scene, count: int, *, home: bool, six: bool | None = None) -> list[tuple[Address, Network]]:
    """Draw addresses at home or abroad, each in a /24 or /48 of its own, and the networks they are in."""
    rng = scene.rng
    six = scene.six if six is None else six
    table = networks(scene.seed)
    scene.networks = tuple((row.prefix, row.asn, row.country) for row in table)
    mine = [
        row for row in table
        if (row.country == HOME) == home and (":" in row.prefix) == six and row.prefix.endswith(("/20", "/32"))
    ]  # fmt: skip
    places = []
    for pick in rng.choice(len(mine) * 16, count, replace=False):
        row, block = mine[int(pick) // 16], int(pick) % 16
        if six:
            high = int(row.prefix.split(":")[1], 16) << 32 | 0x3FFF << 48 | block << 16 | int(rng.integers(2**16))
            place = (high, int(rng.integers(1, 2**16)))
        else:
            second, third = map(int, row.prefix.split(".")[1:3])
            host = 198 << 24 | second << 16 | (third + block) << 8 | int(rng.integers(1, 255))
            place = (0, 0xFFFF << 32 | host)
        places.append((place, row))
    return places


@define(eq=False)
class Sites:
    """Where people go: sites at home and abroad, and a resolver on either side."""

    scene: Scene
    stack: Stack
    home: list[Site]
    abroad: list[Site]
    networks: dict[Address, Network]
    stubs: list[Stub]  # asks at home, asks abroad


def lay_world(
    scene: Scene, out: Sequence[Station] = (), line: Sequence[Station] = (), *, home: int = 0, abroad: int = 0,
    chosen: Sequence[list[tuple[Address, Network]]] = (),
) -> Sites:  # fmt: skip
    """Lay ways to sites at home and abroad.

    Args:
        scene: Where.
        out: What stands on the ways abroad only.
        line: What stands on all ways.
        home: How many sites are at home; drawn when 0.
        abroad: How many are abroad; drawn when 0.
        chosen: Their places, and that of one resolver each at the end of either list; drawn when left out.
    """
    rng = scene.rng
    if not chosen:
        counts = home or int(rng.integers(8, 13)), abroad or int(rng.integers(22, 30))
        chosen = places(scene, counts[0] + 1, home=True), places(scene, counts[1] + 1, home=False)
    known = scene.names(len(chosen[0]) + len(chosen[1]) - 2)
    stack = draw_client(rng)
    home_and_abroad: list[list[Site]] = []
    stubs = []
    for mine, trips, boxes in ((chosen[0], (4e6, 5e7), line), (chosen[1], (5e7, 2.8e8), [*line, *out])):
        sites = []
        for place, _ in mine[:-1]:
            path = lay(scene, boxes, trips)
            host = attrs.evolve(draw_server(rng), tries=int(rng.integers(4, 8)))  # so that captures end
            sites.append(Site(known.pop(), place, path, host))
        home_and_abroad.append(sites)
        zone = draw_zone(scene, [site.name for site in sites])
        resolver = add_resolver(scene, zone, place=mine[-1][0])
        ways = [Way(lay(scene, boxes, trips), resolver)]
        stubs.append(Stub(scene=scene, habits=draw_habits(rng), stack=stack, client=scene.client, ways=ways))
    owners = {place: row for mine in chosen for place, row in mine}
    return Sites(scene, stack, home_and_abroad[0], home_and_abroad[1], owners, stubs)


def lay(scene: Scene, boxes: Sequence[Station], trips: tuple[float, float]) -> Path:
    """Lay one way; the tap is on the client's side of the boxes when it is in the middle."""
    return scene.lay_path(boxes, rtt=spread(scene.rng, *trips), where=float(scene.rng.uniform(0.1, 0.5)), luck=0.2)


def live(sites: Sites, span: float, *, series: bool = True, look_alike: bool = False, at_home: bool = False) -> None:
    """Let people go about their business for *span* ns: every site is visited once to three times.

    Args:
        sites: Where they go.
        span: How long.
        series: Whether what is tried abroad is decidable only together.
        look_alike: Whether it plays the scenario's look-alike.
        at_home: Whether what is tried at home does so, too.
    """
    rng = sites.scene.rng
    for group, abroad in ((sites.home, False), (sites.abroad, True)):
        for site in group:
            for begin in rng.uniform(0, span, int(rng.integers(1, 4))):
                mine = abroad or at_home
                visit_site(sites, site, float(begin), series=series and mine, look_alike=look_alike and mine)
        stub = sites.stubs[abroad]
        for begin in rng.uniform(0, span, int(rng.integers(2, 6))):
            mine = abroad or at_home
            name = group[int(rng.integers(len(group)))].name
            stub.look_up(name, float(begin), series=series and mine, look_alike=look_alike and mine)


def visit_site(
    sites: Sites, site: Site, begin: float, *, client: Address | None = None, series: bool = False,
    look_alike: bool = False, kind: str = "", port: int = 0,
) -> None:  # fmt: skip
    """Schedule what one does with a site: mostly the web, sometimes QUIC, a tunnel, or a shell.

    Args:
        sites: The world.
        site: With whom.
        begin: When, ns from now.
        client: Who; the scene's client when left out.
        series: Whether it is decidable only together.
        look_alike: Whether it plays the scenario's look-alike.
        kind: web, quic, tunnel or shell; drawn when left out.
        port: Of the server; drawn when 0.
    """
    scene, rng = sites.scene, sites.scene.rng
    kind = kind or str(rng.choice(["web", "quic", "tunnel", "shell"], p=[0.76, 0.1, 0.06, 0.08]))
    who = client or scene.client
    if kind == "quic":
        quic_visit(
            scene, site.path, site.server, site.name, begin, stacks=(sites.stack, site.host), fallback=0.0,
            client=(who, scene.next_port()), look_alike=look_alike, series=series,
        )  # fmt: skip
    elif kind == "tunnel":
        subject = scene.converse(Conversation("flow", "udp", "", look_alike=look_alike, series=series))
        port = int(rng.choice([51_820, 443, int(rng.integers(1024, 65_000))]))
        scene.world.after(
            begin,
            partial(
                speak, site.path, manner=WIREGUARD, client=(who, scene.next_port()), server=(site.server, port),
                stacks=(sites.stack, site.host), subject=subject, packets=int(rng.integers(3, 15)), renews=False,
            ),
        )  # fmt: skip
    else:
        shell = kind == "shell"
        program = App(ending=Ending.CLOSE, patience=round(spread(rng, 5e9, 4e10)), resets=bool(rng.random() < 0.2))
        fetch(
            scene, site, begin, int(spread(rng, 400, 2e4)), stack=sites.stack, client=who, apps=(program, App()),
            port=port or int(rng.choice([22, 2222] if shell else [443, 443, 443, 443, 80, 8443])),
            script=shell_script(rng) if shell else None, look_alike=look_alike, series=series,
        )  # fmt: skip


def shell_script(rng: np.random.Generator) -> list[Turn]:
    """Write an SSH session: the key exchange, then a few encrypted packets with pauses of typing."""
    script = [Turn(outbound, payload, float(rng.exponential(SECOND / 200))) for outbound, payload in ssh_exchange(rng)]
    for _ in range(int(rng.integers(1, 5))):
        script += [
            Turn(True, rng.bytes(4 * int(rng.integers(9, 40))), float(rng.exponential(0.7 * SECOND))),
            Turn(False, rng.bytes(4 * int(rng.integers(9, 200))), float(rng.exponential(SECOND / 100))),
        ]
    return script
