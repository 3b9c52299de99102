"""DNS answers that are raced, replaced or swallowed, in forms of no known system and by careful forgers."""

from functools import partial
from typing import Any

import attrs
import numpy as np

from netinterf.simulate.boxes.answers import AnswerStyle, DnsInjector, QueryDropper
from netinterf.simulate.boxes.handwriting import Handwriting
from netinterf.simulate.hosts.app import App, Ending
from netinterf.simulate.hosts.dns_zone import Zone
from netinterf.simulate.messages.dns import AAAA, NXDOMAIN, REFUSED, SERVFAIL, A
from netinterf.simulate.messages.published_answers import draw_meta_six, draw_pool, draw_teredo
from netinterf.simulate.network.packet import address
from netinterf.simulate.network.path import MILLISECOND, SECOND
from netinterf.simulate.plays.dns_lookups import Way
from netinterf.simulate.plays.dns_setup import (
    Setup,
    add_resolver,
    browse,
    draw_entry,
    draw_zone,
    follow,
    host_names,
    make_setup,
)  # fmt: skip
from netinterf.simulate.scenario import Scenario
from netinterf.simulate.scene import Scene

__all__ = ["PLAYS", "SIGHTED", "contested", "form_like", "near", "plan_of"]

SIGHTED = ("client", "middle")
"""Where forged answers pass: not behind the box that makes them."""


def near(rng: np.random.Generator, value: int, low: int, high: int, share: float = 0.6) -> int:
    """Give a published constant most of the time, otherwise another one, so that it cannot be learned."""
    return value if rng.random() < share else int(rng.integers(low, high + 1))


def form_like(rng: np.random.Generator, **fixed: Any) -> Handwriting:
    """Draw the IP header and timing of a forger; constants at random where *fixed* says nothing."""
    drawn = {
        "ttl_rule": str(rng.choice(["constant", "counter", "mirror", "spread"])),
        "ttl": int(rng.choice([64, 128, 255, int(rng.integers(40, 250))])),
        "ttl_high": 250,
        "id_rule": str(rng.choice(["random", "zero", "constant", "mirror"])),
        "ip_id": int(rng.integers(2**16)),
        "dont_fragment": bool(rng.random() < 0.4),
        "delay": float(rng.lognormal(np.log(3e5), 0.7)),
        "gap": float(rng.uniform(1e4, 3e5)),
        "tos": int(rng.choice([0, 0, 0, 0x20, 0x28])),
    }
    return Handwriting(**{**drawn, **fixed})


def plan_of(rng: np.random.Generator, blocked: list[str], others: list[str]) -> list[str]:
    """Plan lookups: listed names two to five times each, others one to four times."""
    return blocked * int(rng.integers(2, 6)) + others * int(rng.integers(1, 5))


def contested(
    scene: Scene, makers: tuple[AnswerStyle, ...], *, habits: dict[str, Any] | None = None, rtt: float = 1.1e8,
    behaviour: dict[str, Any] | None = None, kinds: tuple[int, ...] = (), zone: Zone | None = None,
    series: bool = False, where: tuple[float, float] = (0.05, 0.7), **options: Any,
) -> Setup:  # fmt: skip
    """Look several names up while a box answers for some of them.

    Args:
        scene: Where it happens.
        makers: How the box's answers are made.
        habits: Fixed habits of the stub.
        rtt: Median round trip to the resolver, ns: resolvers across a border are far.
        behaviour: Fixed habits of the resolver.
        kinds: Question types; the stub's habit when left out.
        zone: What the names hold; drawn when left out.
        series: Whether the contested lookups are decidable only together.
        where: Range of the box's place, as a share of the path.
        options: Further fields of the box.
    """
    rng = scene.rng
    known = list(zone) if zone else host_names(scene, int(rng.integers(7, 15)))
    blocked = known[: int(rng.integers(2, 4))]
    box = DnsInjector(world=scene.world, names=frozenset(blocked), makers=makers, **options)
    setup = make_setup(
        scene, [box], known=known, zone=zone or draw_zone(scene, known), rtt=float(rng.lognormal(np.log(rtt), 0.4)),
        where=float(rng.uniform(*where)), habits=habits, behaviour=behaviour,
    )  # fmt: skip
    plan = plan_of(rng, blocked, known[len(blocked) :])
    if rng.random() < 0.25:  # the box lies before every resolver
        other = scene.lay_path([box], rtt=float(rng.lognormal(np.log(rtt), 0.4)), where=float(rng.uniform(*where)))
        setup.stub.ways.append(Way(other, add_resolver(scene, setup.zone, place=scene.servers(1)[0])))
    for way in range(len(setup.stub.ways)):
        browse(setup.stub, plan, kinds=kinds, series=blocked if series else (), way=way)
    return setup


def draw_maker(scene: Scene) -> AnswerStyle:
    """Draw a forger of any style."""
    rng = scene.rng
    bogus = ("10.10.34.35", "0.0.0.0", "127.0.0.1", "10.0.0.1", "192.168.0.1")
    size = int(rng.integers(1, 40))
    pool = draw_pool(rng, (), size) if rng.random() < 0.5 else tuple(scene.global_addresses(size))
    if rng.random() < 0.2:
        pool = (address(str(rng.choice(bogus))),)
    six = (draw_meta_six, draw_teredo)[int(rng.integers(2))](rng, int(rng.choice([0, 1, 12])))
    low = int(rng.integers(10, 601))
    return AnswerStyle(
        form=form_like(rng), pool=pool, pool_six=six, order=str(rng.choice(["random", "cyclic", "name"])),
        kinds=(A, AAAA) if rng.random() < 0.7 else (), flags=int(rng.choice([0x8180, 0x8580, 0x81A0, 0x8400])),
        lifetime=(low, low + int(rng.choice([0, 0, 240]))), count=int(rng.choice([1, 1, 2, 3])),
        style=str(rng.choice(["all", "none"])), echo_opt=bool(rng.random() < 0.2), share=float(rng.uniform(0.9, 1)),
    )  # fmt: skip


def injected(scene: Scene) -> None:
    """Look up several names; for those on a list forged answers race the resolver's own."""
    maker = draw_maker(scene)
    if scene.rng.random() < 0.12:
        maker = AnswerStyle(form=maker.form, flags=0x8180 | NXDOMAIN, echo_opt=maker.echo_opt, kinds=maker.kinds)
    contested(scene, (maker,))


def replaced(scene: Scene) -> None:
    """Look up several names; for those on a list a box in the path answers in place of the resolver."""
    rng = scene.rng
    maker = draw_maker(scene)
    if rng.random() < 0.3:
        rcode = int(rng.choice([NXDOMAIN, SERVFAIL, REFUSED]))
        maker = AnswerStyle(form=maker.form, flags=0x8180 | rcode, echo_opt=bool(rng.random() < 0.3))
    stops = bool(rng.random() < 0.4)
    contested(scene, (maker,), in_path=not stops, swallows_replies=stops, series=not maker.pool)


def careful(scene: Scene, *, alone: bool) -> None:
    """Forge as well as can be: header, EDNS and ticking TTL of the resolver, one moment before its answer."""
    rng = scene.rng
    entry = draw_entry(scene)
    six = tuple(place for place in entry.addresses if place[0])
    maker = AnswerStyle(
        form=form_like(rng, ttl_rule="mirror", delay=float(rng.lognormal(np.log(5e4), 0.3))),
        pool=tuple(place for place in entry.addresses if place[0] == 0), order="name",
        pool_six=six, kinds=(A, AAAA) if six else (A,),
        lifetime=(60, int(rng.choice([300, 3600]))), share=float(rng.uniform(0.85, 1)),
    )  # fmt: skip
    where = (0.05, 0.9)
    contested(scene, (maker,), mimics=True, swallows_replies=alone, series=alone, where=where)


def swallowed(scene: Scene, *, answers: bool = False, lossy: bool = False) -> None:
    """Look up several names; queries for some, or the answers to them, vanish."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(8, 15)))
    blocked = known[: int(rng.integers(1, 4))]
    box = QueryDropper(
        world=scene.world, names=frozenset(blocked), answers=answers,
        share=float(rng.uniform(0.7, 0.95)) if lossy else 1.0, kinds=(A, AAAA) if rng.random() < 0.3 else (),
    )  # fmt: skip
    several = bool(rng.random() < 0.5)
    habits = {"rotates": True} if several else {}
    setup = make_setup(scene, [box], known=known, habits=habits)
    if several:
        setup.stub.ways.append(Way(scene.lay_path([box]), add_resolver(scene, setup.zone, place=scene.servers(1)[0])))
    plan = blocked * int(rng.integers(3, 6)) + known[len(blocked) :] * int(rng.integers(2, 5))
    browse(setup.stub, plan)


def aftermath(scene: Scene, *, alone: bool) -> None:
    """Forge answers and visit what they lead to: nobody, a closed port, one who hangs up; others are reached."""
    rng = scene.rng
    maker = attrs.evolve(draw_maker(scene), kinds=(A, AAAA), share=1.0, pool=draw_pool(rng, (), 2))
    if not maker.pool_six:
        maker = attrs.evolve(maker, pool_six=draw_meta_six(rng, 2))
    setup = contested(scene, (maker,), in_path=alone)
    box = next(part for part in setup.path.parts if isinstance(part, DnsInjector))
    blocked = [name for name in setup.known if name in box.names]
    begin = float(rng.uniform(1, 4)) * SECOND
    endings = (Ending.REFUSE, Ending.CLOSE_HARD, Ending.RESET)
    follow(
        scene, (*maker.pool, *maker.pool_six), blocked, begin, lost=bool(rng.random() < 0.6),
        apps=(App(), App(ending=endings[int(rng.integers(3))])),
    )  # fmt: skip
    for name in setup.known[len(blocked) :][:4]:
        follow(scene, setup.zone[name].addresses[:1], [name], begin)


def odd_answers(scene: Scene) -> None:
    """Look up names at a slow resolver over a poor path: repeated queries, rotating answers, duplicates, losses."""
    rng = scene.rng
    setup = make_setup(
        scene, rtt=float(rng.lognormal(np.log(6e7), 0.6)), luck=1.0,
        behaviour={"cached": 0.3, "think": (3e5, float(rng.uniform(2e8, 9e8)))},
        habits={"patience": float(rng.choice([3e8, 1e9, 2e9]))},
    )  # fmt: skip
    poor = setup.path.far
    poor.jitter, poor.loss = int(rng.uniform(1, 5) * MILLISECOND), float(rng.uniform(0.01, 0.08))
    poor.duplicate, poor.reorder = float(rng.uniform(0.02, 0.15)), 0.1
    browse(setup.stub, setup.known * 3, look_alike=setup.known)


def play(
    name: str, says: str, mechanism: str, action: Any, system: str, vantages: tuple[str, ...] = SIGHTED
) -> Scenario:
    """Write one row of the list."""
    return Scenario(name, says, mechanism, action, vantages, system=system, family="dns")


PLAYS = (
    play("dns.injection", "Forged answers race true ones.", "dns.injection", injected, "generic"),
    play("dns.forged", "Forged answers or errors replace true ones.", "dns.forged", replaced, "generic"),
    play("dns.drop", "Queries for some names are swallowed.", "dns.drop", swallowed, "generic"),
    play("dns.drop.answers", "Answers for some names are swallowed.", "dns.drop", partial(swallowed, answers=True),
         "generic", ("client", "middle", "server")),
    play("dns.injection.adaptive", "Forged answers that look and tick like the resolver's race them.", "dns.injection",
         partial(careful, alone=False), "adaptive"),
    play("dns.forged.adaptive", "Forged answers that look like the resolver's replace them.", "dns.forged",
         partial(careful, alone=True), "adaptive"),
    play("dns.drop.adaptive", "Queries for some names are swallowed most of the time, like loss.", "dns.drop",
         partial(swallowed, lossy=True), "adaptive"),
    play("dns.injection.aftermath", "Forged answers race true ones, and are followed in vain.", "dns.injection",
         partial(aftermath, alone=False), "generic"),
    play("dns.forged.aftermath", "Forged answers replace true ones, and are followed in vain.", "dns.forged",
         partial(aftermath, alone=True), "generic"),
    Scenario("dns.injection.benign", "Rotation, repeats, duplicates, losses.", None, odd_answers,
             ("client", "server", "middle"), family="benign.dns", confounder="lossy-resolver-path"),
)  # fmt: skip
