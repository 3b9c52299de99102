"""Resolvers that lie, and resolvers that answer in place of others: one scenario per documented form."""

from functools import partial
from typing import Any

import attrs

from netinterf.simulate.boxes.answers import QueryDropper
from netinterf.simulate.hosts.resolver import Interceptor, Resolver, Rule
from netinterf.simulate.hosts.stack import draw_server
from netinterf.simulate.messages.dns import NXDOMAIN, REFUSED, SERVFAIL, A
from netinterf.simulate.messages.published_answers import BLOCK_PAGES
from netinterf.simulate.network.packet import Address, address
from netinterf.simulate.network.path import MILLISECOND, SECOND
from netinterf.simulate.plays.dns_lookups import Way
from netinterf.simulate.plays.dns_scenes import SIGHTED, near, plan_of
from netinterf.simulate.plays.dns_setup import (
    Setup,
    add_resolver,
    browse,
    draw_behaviour,
    draw_zone,
    host_names,
    make_setup,
    private_address,
    shorten,
)
from netinterf.simulate.scenario import Scenario
from netinterf.simulate.scene import Scene

__all__ = ["PLAYS"]


def isp_setup(scene: Scene, known: list[str], rules: dict[str, Rule], **options: Any) -> Setup:
    """Set up a stub that asks the resolver of its ISP, few ms and hops away, or its router, which forwards."""
    rng = scene.rng
    place = private_address(scene) if rng.random() < 0.25 else scene.servers(1)[0]
    setup = make_setup(
        scene, known=known, rules=rules, place=place, rtt=float(rng.uniform(2, 25) * MILLISECOND), **options
    )  # fmt: skip
    shorten(setup.path, int(rng.integers(1, 6)))
    return setup


def page_rule(scene: Scene, system: str) -> tuple[Rule, bool]:
    """Draw the lie of a resolver, and whether its address or alias was published."""
    rng = scene.rng
    pages, aliases = BLOCK_PAGES[system]
    known = bool(rng.random() < 0.65)
    page: Address = address(str(rng.choice(pages))) if known else scene.global_addresses(1)[0]
    alias = str(rng.choice(aliases)) if aliases else ""
    six = (address(f"2a0{rng.integers(1, 15):x}:{rng.integers(16, 65536):x}::{rng.integers(1, 4096):x}"),)
    rule = Rule(
        addresses=(page, *(six if rng.random() < 0.4 else ())), alias=alias, lies=True, own=bool(rng.random() < 0.3),
        lifetime=int(rng.choice([0, 5, 30, 60, 300, 600, 3600, 86_400])),
    )  # fmt: skip
    return rule, known or bool(alias)


def asks_what_lies(rule: Rule) -> dict[str, Any]:
    """Fix the stub's habits: only types are asked that the lie has an address for, since silence is no false answer."""
    return {"https": 0.0} if len(rule.addresses) > 1 else {"https": 0.0, "six": 0.0}


def lying(scene: Scene, *, system: str) -> None:
    """Ask a resolver that gives one address for all listed names and the truth for others."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(10, 18)))
    rule, published = page_rule(scene, system)
    blocked = known[: int(rng.integers(2, 6))]
    setup = isp_setup(scene, known, dict.fromkeys(blocked, rule), habits=asks_what_lies(rule))
    browse(setup.stub, plan_of(rng, blocked, known[len(blocked) :]), series=() if published else blocked)


def lying_ticking(scene: Scene) -> None:
    """Ask the ISP's resolver, whose lie sits in a cache and ticks."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(10, 15)))
    blocked = known[: int(rng.integers(2, 5))]
    page = address("5.3.3.17") if rng.random() < 0.65 else scene.global_addresses(1)[0]
    start = near(rng, 600, 120, 3600)
    rules = {name: Rule(addresses=(page,), lies=True, lifetime=start, ticks=True) for name in blocked}
    setup = isp_setup(scene, known, rules, habits={"https": 0.0, "six": 0.0})
    browse(setup.stub, plan_of(rng, blocked, known[len(blocked) :]))


def errors(scene: Scene) -> None:
    """Ask the ISP's resolver, which denies listed names, and another one, which knows them."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(8, 14)))
    blocked = known[: int(rng.integers(2, 5))]
    rcode = int(rng.choice([NXDOMAIN, SERVFAIL, REFUSED]))
    rules = dict.fromkeys(blocked, Rule(rcode=rcode, lies=True, silent=bool(rng.random() < 0.6)))
    setup = isp_setup(scene, known, rules)
    path = scene.lay_path([], rtt=float(rng.uniform(2e7, 1.5e8)))
    setup.stub.ways.append(Way(path, add_resolver(scene, setup.zone, place=scene.servers(1)[0])))
    begin = browse(setup.stub, plan_of(rng, blocked, known[len(blocked) :]), series=blocked)
    browse(setup.stub, known, begin=begin, way=1)


def nothing(scene: Scene) -> None:
    """Ask the ISP's resolver for listed names in vain; another one answers them."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(8, 14)))
    blocked = known[: int(rng.integers(1, 4))]
    box = QueryDropper(world=scene.world, names=frozenset(blocked))
    setup = make_setup(scene, [box], known=known, place=scene.servers(1)[0], rtt=float(rng.uniform(3e6, 3e7)))
    path = scene.lay_path([], rtt=float(rng.uniform(2e7, 1.5e8)))
    setup.stub.ways.append(Way(path, add_resolver(scene, setup.zone, place=scene.servers(1)[0])))
    begin = browse(setup.stub, plan_of(rng, blocked, known[len(blocked) :]))
    browse(setup.stub, known, begin=begin, way=1)


def seized(scene: Scene, rules: dict[str, Rule], zone: dict[str, Any], **options: Any) -> Resolver:
    """Set up the resolver that answers in place of others."""
    return add_resolver(
        scene, zone, place=scene.servers(1)[0], behaviour=draw_behaviour(scene.rng), rules=rules,
        stacks=(draw_server(scene.rng),), **options,
    )  # fmt: skip


def taken_route(scene: Scene) -> None:
    """From some moment on another resolver answers at the address of a public one: all times and TTLs change."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(8, 14)))
    blocked, zone = known[: int(rng.integers(2, 5))], draw_zone(scene, known)
    rule, published = page_rule(scene, "tr.isp-stub")
    begin = int(rng.uniform(8, 20) * SECOND)
    other = seized(scene, dict.fromkeys(blocked, rule), zone)
    box = Interceptor(resolver=other, begins=scene.world.now + begin)
    setup = make_setup(
        scene, [box], known=known, zone=zone, where=float(rng.uniform(0.1, 0.4)), habits=asks_what_lies(rule)
    )
    browse(setup.stub, known * 2, gap=begin / len(known) / 2)
    browse(setup.stub, plan_of(rng, blocked, known[len(blocked) :]), begin=begin, series=() if published else blocked)


def port_53(scene: Scene) -> None:
    """Ask two public resolvers over UDP; the ISP's own answers for both."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(8, 14)))
    blocked, zone = known[: int(rng.integers(2, 5))], draw_zone(scene, known)
    rule, published = page_rule(scene, "id.trustpositif")
    box = Interceptor(resolver=seized(scene, dict.fromkeys(blocked, rule), zone))
    where = float(rng.uniform(0.05, 0.4))
    setup = make_setup(scene, [box], known=known, zone=zone, where=where, habits=asks_what_lies(rule))
    setup.stub.ways.append(Way(scene.lay_path([box], where=where), add_resolver(scene, zone)))
    plan = plan_of(rng, blocked, known[len(blocked) :])
    for way in (0, 1):
        browse(setup.stub, plan, series=() if published else blocked, way=way)


def tspu_2026(scene: Scene) -> None:
    """Ask a public resolver over UDP: another one answers, NXDOMAIN for listed names; TCP tells the truth."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(8, 14)))
    blocked, zone = known[: int(rng.integers(2, 5))], draw_zone(scene, known)
    rule = Rule(rcode=NXDOMAIN, lies=True, silent=bool(rng.random() < 0.5))
    box = Interceptor(resolver=seized(scene, dict.fromkeys(blocked, rule), zone))
    setup = make_setup(scene, [box], known=known, zone=zone, where=float(rng.uniform(0.05, 0.4)))
    browse(setup.stub, plan_of(rng, blocked, known[len(blocked) :]), series=blocked)
    comparing = attrs.evolve(setup.stub, habits=attrs.evolve(setup.stub.habits, stream=True))
    browse(comparing, known[:5], kinds=(A,))


def tspu_2021(scene: Scene) -> None:
    """From some moment on all UDP to a public resolver vanishes; TCP to it and another resolver work."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(8, 14)))
    begin = int(rng.uniform(5, 15) * SECOND)
    box = QueryDropper(world=scene.world, begins=scene.world.now + begin)
    setup = make_setup(scene, [box], known=known, habits={"rotates": True, "patience": float(rng.choice([1e9, 2e9]))})
    box.servers = frozenset({setup.resolver.place[0]})
    setup.stub.ways.append(Way(scene.lay_path([]), add_resolver(scene, setup.zone, place=scene.servers(1)[0])))
    browse(setup.stub, known * 2, gap=begin / len(known) / 2)
    browse(setup.stub, known * 2, begin=begin)
    comparing = attrs.evolve(setup.stub, habits=attrs.evolve(setup.stub.habits, stream=True))
    browse(comparing, known[:5], begin=begin, kinds=(A,))


def row(name: str, says: str, action: Any, system: str, mechanism: str = "dns.forged") -> Scenario:
    """Write one row of the list."""
    return Scenario(name, says, mechanism, action, SIGHTED, system=system, family="dns")


PLAYS = (
    *(
        Scenario(
            f"dns.forged.{system}", "A resolver gives its block page.", "dns.forged", partial(lying, system=system),
            ("client", "server", "middle"), system=system, family="dns",
        )
        for system in BLOCK_PAGES
    ),
    row("dns.forged.er-telecom-resolver", "A resolver lies, and its lie ticks.", lying_ticking,
        "ru.er-telecom-resolver"),
    row("dns.forged.venezuela", "A resolver denies listed names.", errors, "ve.isp"),
    row("dns.drop.venezuela", "Queries for listed names vanish on the way to the ISP's resolver.", nothing, "ve.isp",
        "dns.drop"),
    row("dns.forged.turkey-2014", "The route to a public resolver is taken over.", taken_route, "tr.route-2014"),
    row("dns.forged.port-53", "The ISP's resolver answers for all others.", port_53, "id.port-53"),
    row("dns.forged.tspu-2026", "Another resolver answers for a public one.", tspu_2026, "ru.tspu-2026"),
    row("dns.drop.tspu-2021", "UDP to a public resolver is swallowed.", tspu_2021, "ru.tspu-2021", "dns.drop"),
)  # fmt: skip
