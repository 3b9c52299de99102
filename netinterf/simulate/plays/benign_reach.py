"""Places that cannot be reached although nobody closed a border: dead hosts, cut cables, lines that are down."""

from collections.abc import Callable

import attrs

from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.messages.tls import client_hello
from netinterf.simulate.network.outages import Outage, UdpFilter, UnevenLoss
from netinterf.simulate.network.packet import Address, address
from netinterf.simulate.network.path import SECOND, Station
from netinterf.simulate.network.queues import Bottleneck, Link
from netinterf.simulate.network.reroute import Reroute
from netinterf.simulate.plays.dns_lookups import Way
from netinterf.simulate.plays.dns_setup import add_resolver, draw_zone
from netinterf.simulate.plays.quic_promises import BROKEN, KEPT, ask_ahead
from netinterf.simulate.plays.reach_places import Network, lay_world, live, places, visit_site
from netinterf.simulate.plays.transfers import fetch, spread
from netinterf.simulate.scenario import Scenario
from netinterf.simulate.scene import Scene

__all__ = ["PLAYS"]

ALWAYS = 10**13
"""Longer than any scenario, ns."""


def world(
    scene: Scene, abroad_from: int = 22
) -> tuple[list[tuple[Address, Network]], list[tuple[Address, Network]], float]:
    """Draw places at home and abroad, of these at least *abroad_from*, and for how long people go about."""
    rng = scene.rng
    home = places(scene, int(rng.integers(8, 13)) + 1, home=True)
    abroad = places(scene, int(rng.integers(abroad_from, abroad_from + 8)) + 1, home=False)
    return home, abroad, float(rng.uniform(40, 150)) * SECOND


def dead_destinations(scene: Scene) -> None:
    """Try many addresses, of which 20 to 70 % are dead, at home as abroad."""
    rng = scene.rng
    home, abroad, span = world(scene)
    share = float(rng.uniform(0.2, 0.7))
    dead = frozenset(place for place, _ in [*home, *abroad] if rng.random() < share)
    gone = Outage(scene.world, [(0, scene.world.now + ALWAYS)], servers=dead or frozenset({abroad[0][0]}))
    live(lay_world(scene, [], [gone], chosen=(home, abroad)), span, series=False, look_alike=True, at_home=True)


def cable_cut(scene: Scene) -> None:
    """Cut a cable: some networks abroad are gone, perhaps until routes change; the others are farther and lossy."""
    rng, now = scene.rng, scene.world.now
    home, abroad, span = world(scene)
    when = now + int(span * rng.uniform(0, 0.4))
    lost = {int(asn) for asn in rng.choice([row.asn for _, row in abroad], int(rng.integers(2, 8)))}
    gone = frozenset(place for place, row in abroad if row.asn in lost)
    back = when + int(span * rng.uniform(0.2, 0.8)) if rng.random() < 0.5 else now + ALWAYS
    longer = int(spread(rng, 3e7, 2e8))
    boxes: list[Station] = [
        Outage(scene.world, [(when, back)], servers=gone),
        Reroute(scene.world, when, hops=(2, 3), delay=(longer, longer)),
        UnevenLoss(scene.world, down=spread(rng, 0.01, 0.15), up=spread(rng, 0.01, 0.1), since=when),
    ]
    live(lay_world(scene, boxes, chosen=(home, abroad)), span, series=False, look_alike=True)


def upstream_fault(scene: Scene) -> None:
    """Share an overloaded exchange with everybody: what is abroad is slow, and at times does not answer."""
    rng = scene.rng
    home, abroad, span = world(scene)
    rate = spread(rng, 3e5, 2e6)
    crowd, period = float(rng.uniform(0.75, 0.95)), int(spread(rng, 2e8, 4e9))
    down, up = (Link(rate, rate / 8 * spread(rng, 0.3, 2), crowd=crowd, crowd_for=period) for _ in range(2))
    live(
        lay_world(scene, [Bottleneck(scene.world, down, up)], chosen=(home, abroad)),
        span,
        series=False,
        look_alike=True,
    )


def down_for_a_while(scene: Scene) -> Outage:
    """Draw an outage of the client's own line."""
    rng, now = scene.rng, scene.world.now
    begin = now + int(rng.uniform(-5, 40) * SECOND)
    return Outage(scene.world, [(begin, begin + int(spread(rng, 20, 300) * SECOND))])


def local_outage(scene: Scene) -> None:
    """Lose the client's line for a while: everything is silent, at home as abroad."""
    home, abroad, span = world(scene)
    line = down_for_a_while(scene)
    live(lay_world(scene, [], [line], chosen=(home, abroad)), span, series=False, look_alike=True, at_home=True)


def radio_off(scene: Scene) -> None:
    """Lose everything but the home router, which still answers names it holds."""
    rng = scene.rng
    home, abroad, span = world(scene)
    sites = lay_world(scene, [], [down_for_a_while(scene)], chosen=(home, abroad))
    names = [site.name for site in sites.home[:4]]
    router = address("fd00::1") if scene.six else (scene.client[0], scene.client[1] & ~0xFF | 1)
    resolver = add_resolver(scene, draw_zone(scene, names), place=router)
    way = Way(scene.lay_path([], rtt=spread(rng, 8e5, 6e6), luck=0.1), resolver)
    near = attrs.evolve(sites.stubs[0], ways=[way])
    for begin in rng.uniform(0, span, int(rng.integers(6, 15))):
        near.look_up(names[int(rng.integers(len(names)))], float(begin))
    live(sites, span, series=False, look_alike=True, at_home=True)


def no_ipv6_service(scene: Scene) -> None:
    """Try names by IPv6 first although nobody serves them there, then by IPv4, with which all is well."""
    rng = scene.rng
    other = address("192.168.7.23") if scene.six else address("2001:db8:5a00:1::23")
    four, six = (other, scene.client) if scene.six else (scene.client, other)
    dead = float(rng.uniform(0.3, 0.9))
    halves = [
        [places(scene, count, home=home, six=mode) for home, count in ((True, 8), (False, 17))]
        for mode in (False, True)
    ]
    gone = frozenset(place for half in halves[1] for place, _ in half if rng.random() < dead)
    silent = Outage(scene.world, [(0, scene.world.now + ALWAYS)], servers=gone | {halves[1][1][0][0]})
    by_four = lay_world(scene, chosen=halves[0])
    by_six = lay_world(scene, [], [silent], chosen=halves[1])
    for group in ("home", "abroad"):
        for new, old in zip(getattr(by_six, group), getattr(by_four, group), strict=True):
            for begin in rng.uniform(0, 60 * SECOND, int(rng.integers(1, 3))):
                fallen = new.server in silent.servers
                name = attrs.evolve(new, name=old.name)
                visit_site(by_six, name, float(begin), client=six, kind="web", look_alike=fallen)
                if fallen or rng.random() < 0.2:
                    pause = spread(rng, 2e8, 3e8)  # RFC 8305 §5: 250 ms
                    visit_site(by_four, old, float(begin) + pause, client=four, kind="web")


def udp_firewall(scene: Scene) -> None:
    """Sit behind a firewall that lets no UDP out but DNS."""
    home, abroad, span = world(scene)
    sites = lay_world(scene, [], [UdpFilter()], chosen=(home, abroad))
    live(sites, span, series=False, look_alike=True, at_home=True)
    met = [*sites.home[:3], *sites.abroad[:6]]
    ask_ahead(scene, {site.name: site.server for site in met}, KEPT)
    for site in met:
        for kind in ("quic", "web"):
            visit_site(sites, site, float(scene.rng.uniform(0, span)), kind=kind, look_alike=True)


def no_quic_service(scene: Scene) -> None:
    """Try QUIC with servers that do not speak it, at home as abroad, and TCP with the same."""
    rng = scene.rng
    home, abroad, span = world(scene, 9)
    sites = lay_world(scene, chosen=(home, abroad))
    deaf = lay_world(scene, [], [UdpFilter()], chosen=(places(scene, 5, home=True), places(scene, 9, home=False)))
    live(sites, span, series=False)
    ask_ahead(scene, {site.name: site.server for site in [*deaf.home, *deaf.abroad]}, BROKEN)
    for site in [*deaf.home, *deaf.abroad]:
        for kind in ("quic", "web", "web"):
            visit_site(deaf, site, float(rng.uniform(0, span)), kind=kind, look_alike=kind == "quic")


def tarpit(scene: Scene) -> None:
    """Meet hosts abroad that accept connections and then say nothing."""
    rng = scene.rng
    home, abroad, span = world(scene, 9)
    sites = lay_world(scene, chosen=(home, abroad))
    live(sites, span, series=False)
    for site in lay_world(scene, chosen=(places(scene, 3, home=True), places(scene, 9, home=False))).abroad:
        for begin in rng.uniform(0, span, int(rng.integers(1, 4))):
            client = App(ending=Ending.CLOSE, patience=round(spread(rng, 4e9, 4e10)), resets=bool(rng.random() < 0.3))
            server = App(ending=Ending.SILENT, dies=client.patience + 60 * SECOND)
            script = [Turn(True, client_hello(site.name, rng)), Turn(False, b"never", ALWAYS)]
            fetch(
                scene, site, float(begin), 0, stack=sites.stack, script=script, look_alike=True, apps=(client, server)
            )


def foreign_sites_down(scene: Scene) -> None:
    """Lose one network abroad, a large hoster, while the others are well."""
    rng, now = scene.rng, scene.world.now
    home, abroad, span = world(scene)
    asns = [row.asn for _, row in abroad]
    largest = max(set(asns), key=lambda asn: (asns.count(asn), asn))
    gone = frozenset(place for place, row in abroad if row.asn == largest)
    silent = Outage(scene.world, [(now + int(span * rng.uniform(-0.3, 0.5)), now + ALWAYS)], servers=gone)
    live(lay_world(scene, [silent], chosen=(home, abroad)), span, series=False, look_alike=True)


def unreached(name: str, says: str, play: Callable[[Scene], None]) -> Scenario:
    """Write the row of one look-alike."""
    return Scenario(
        f"benign.reach.{name}", says, None, play, ("client", "middle"), confounder=name, family="benign.reach"
    )


PLAYS = (
    unreached("dead-destinations", "Some addresses answer no more, at home as abroad.", dead_destinations),
    unreached("cable-cut", "Some networks abroad are gone, the others are farther.", cable_cut),
    unreached("upstream-fault", "The way abroad is overloaded.", upstream_fault),
    unreached("local-outage", "The client's line is down for a while.", local_outage),
    unreached("radio-off", "Only the home router still answers.", radio_off),
    unreached("no-ipv6-service", "IPv6 addresses that nobody serves.", no_ipv6_service),
    unreached("udp-firewall", "The client's own firewall drops UDP.", udp_firewall),
    unreached("no-quic-service", "Servers without QUIC.", no_quic_service),
    unreached("tarpit", "Hosts that accept and say nothing.", tarpit),
    unreached("foreign-sites-down", "One large hoster abroad is down.", foreign_sites_down),
)
