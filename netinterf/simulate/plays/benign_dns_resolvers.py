"""Resolvers that are slow, dead, limited, old, local or in the way of others; nobody interferes."""

from functools import partial
from typing import Any

import attrs

from netinterf.simulate.hosts.resolver import Behaviour, Interceptor
from netinterf.simulate.hosts.stack import draw_server
from netinterf.simulate.messages.dns import AAAA, ANY, HTTPS, MX, NS, SERVFAIL, SOA, TXT, A, Opt
from netinterf.simulate.network.path import SECOND
from netinterf.simulate.plays.benign_dns_paths import benign, some
from netinterf.simulate.plays.dns_lookups import Way
from netinterf.simulate.plays.dns_setup import (
    Setup,
    add_resolver,
    browse,
    draw_behaviour,
    draw_entry,
    draw_zone,
    follow,
    host_names,
    make_setup,
    private_address,
    shorten,
)
from netinterf.simulate.scene import Scene

__all__ = ["PLAYS", "home"]


def home(scene: Scene, **options: Any) -> Setup:
    """Set up a home whose resolver is the home router: no hop away, under a millisecond."""
    rng = scene.rng
    options.setdefault("place", private_address(scene))
    setup = make_setup(scene, rtt=float(rng.lognormal(13.5, 0.6)), **options)
    shorten(setup.path, 0)
    return setup


def second(scene: Scene, setup: Setup, **behaviour: Any) -> None:
    """Give the stub of a setup a second resolver."""
    other = add_resolver(
        scene, setup.zone, place=scene.servers(1)[0], behaviour=draw_behaviour(scene.rng, **behaviour)
    )  # fmt: skip
    setup.stub.ways.append(Way(scene.lay_path([]), other))


def perhaps_second(scene: Scene, setup: Setup) -> None:
    """Give two stubs of five a second resolver, which half of their stubs ask when the first is silent."""
    if scene.rng.random() < 0.4:
        second(scene, setup)
        setup.stub.habits = attrs.evolve(setup.stub.habits, rotates=bool(scene.rng.random() < 0.5))
        browse(setup.stub, setup.known, begin=float(scene.rng.uniform(0, 20)) * SECOND, way=1)


def slow(scene: Scene) -> None:
    """Ask a resolver whose recursion takes seconds."""
    rng = scene.rng
    setup = make_setup(scene, behaviour={"cached": 0.2, "think": (5e5, float(rng.uniform(7e8, 3e9)))})
    browse(setup.stub, setup.known * 3, look_alike=setup.known)


def dead(scene: Scene) -> None:
    """Ask a resolver that never answers, then another one."""
    rng = scene.rng
    setup = make_setup(
        scene, behaviour={"deaf": 1.0}, habits={"rotates": True, "patience": float(rng.choice([1e9, 2e9]))}
    )
    second(scene, setup)
    browse(setup.stub, setup.known * 2, look_alike=setup.known)
    browse(setup.stub, setup.known, way=1)


def outage(scene: Scene) -> None:
    """Ask a resolver that is silent, or answers SERVFAIL, for a while."""
    rng = scene.rng
    begin = float(rng.uniform(4, 12)) * SECOND
    length = float(rng.uniform(3, 15)) * SECOND
    setup = make_setup(scene, behaviour={"dead": (begin, begin + length)})
    known = setup.known
    perhaps_second(scene, setup)
    browse(setup.stub, known * 2, gap=begin / len(known) / 2)
    for name in known:
        setup.stub.look_up(name, begin + float(rng.uniform(0, 0.9 * length)), look_alike=True)
    browse(setup.stub, known, begin=begin + length)


def lame(scene: Scene) -> None:
    """Look up names of which some have dead servers: SERVFAIL late, or nothing at all."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(9, 15)))
    chosen = known[: int(rng.integers(1, 4))]
    zone = draw_zone(scene, known)
    mute = float(rng.choice([0.0, 0.3, 1.0]))
    zone |= {name: draw_entry(scene, lame=True, mute=mute) for name in chosen}
    setup = make_setup(scene, known=known, zone=zone)
    perhaps_second(scene, setup)
    browse(setup.stub, chosen * 3 + known * 3, look_alike=chosen, series=chosen)


def limited(scene: Scene) -> None:
    """Ask faster than the resolver likes: it drops answers or truncates them."""
    rng = scene.rng
    behaviour = {"rate": float(rng.uniform(3, 8)), "slip": float(rng.choice([0.5, 0.33, 0.0]))}
    setup = make_setup(scene, behaviour=behaviour, habits={"patience": 1e9})
    perhaps_second(scene, setup)
    for burst in range(3):
        browse(setup.stub, setup.known, begin=burst * 6.0 * SECOND, gap=0.06 * SECOND, look_alike=setup.known)


def refused(scene: Scene) -> None:
    """Ask a resolver that refuses strangers, and one that does not."""
    setup = make_setup(scene, behaviour={"refuses": True})
    second(scene, setup)
    browse(setup.stub, setup.known * 2, look_alike=setup.known)
    browse(setup.stub, setup.known * 2, way=1)


def unsigned(scene: Scene) -> None:
    """Look up names whose signatures do not hold."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(8, 13)))
    chosen, zone = some(rng, known), draw_zone(scene, known, signed=True)
    zone |= {name: draw_entry(scene, signed=True, rcode=SERVFAIL) for name in chosen}
    setup = make_setup(scene, known=known, zone=zone, behaviour={"validates": True}, habits={"opt": Opt(1232, True)})
    browse(setup.stub, known * 3, look_alike=chosen)


def intolerant(scene: Scene) -> None:
    """Ask an old server that knows no EDNS; every question is asked again without."""
    setup = make_setup(scene, behaviour={"intolerant": True, "opt": None}, habits={"opt": Opt(4096)})
    browse(setup.stub, setup.known * 2, look_alike=setup.known)


def stripped(scene: Scene) -> None:
    """Ask through a router that drops OPT, with cookies."""
    setup = home(scene, behaviour={"opt": None}, habits={"opt": Opt(1232, True), "cookie": True})
    browse(setup.stub, setup.known * 3, look_alike=setup.known)


def backend(scene: Scene) -> None:
    """Ask a forwarder that hands names of one domain to a server of another make, and visit some; some are down."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(10, 16)))
    zone, chosen = draw_zone(scene, known), known[: int(rng.integers(2, 5))]
    other = add_resolver(
        scene, zone, place=scene.servers(1)[0],
        behaviour=Behaviour(opt=None, think=(1e5, 1e6), ticks=False, flags=0x8580, style=str(scene.rng.choice(["all",
                                                                                                         "none"]))),
    )  # fmt: skip
    setup = make_setup(
        scene, known=known, zone=zone, habits={"opt": Opt(1232)}, behaviour={"opt": Opt(), "think": (2e6, 5e7)},
        backends=dict.fromkeys(chosen, other),
    )  # fmt: skip
    browse(setup.stub, chosen * 2 + known * 3, look_alike=chosen)
    if rng.random() < 0.5:
        for name in [*chosen, *known[-3:]]:
            begin, lost = float(rng.uniform(1, 9)) * SECOND, name in chosen and bool(rng.random() < 0.25)
            follow(scene, zone[name].addresses, [name], begin, lost=lost)


def folded(scene: Scene) -> None:
    """Ask in letters of random case through a forwarder that lowers them."""
    setup = home(scene, behaviour={"folds": True}, habits={"mixed": True})
    browse(setup.stub, setup.known * 3, look_alike=setup.known)


def large(scene: Scene, *, room: int, count: tuple[int, int]) -> None:
    """Look up names with many addresses: answers fill the room there is, or are asked for over TCP."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(7, 11)))
    chosen, zone = some(rng, known), draw_zone(scene, known)
    for name in chosen:
        many = tuple(scene.global_addresses(int(rng.integers(*count))))
        zone[name] = draw_entry(scene, addresses=many, shown=len(many))
    opt = Opt(4096) if room > 512 else (None, Opt(512))[int(rng.integers(2))]
    setup = make_setup(scene, known=known, zone=zone, behaviour={"limit": room}, habits={"opt": opt})
    browse(setup.stub, chosen + known * 2, look_alike=chosen)


def router(scene: Scene) -> None:
    """Ask the home router, which answers from its cache at once and forwards the rest."""
    setup = home(scene, behaviour={"cached": 0.6, "think": (float(scene.rng.lognormal(11.5, 0.6)), 4e7)})
    browse(setup.stub, setup.known * 4, look_alike=setup.known)


def in_the_way(scene: Scene) -> None:
    """Ask public resolvers through a transparent cache that tells the truth; TCP reaches the resolver itself."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(7, 13)))
    zone = draw_zone(scene, known)
    cache = add_resolver(scene, zone, place=scene.servers(1)[0], stacks=(draw_server(rng),))
    box = Interceptor(resolver=cache)
    setup = make_setup(scene, [box], known=known, zone=zone, where=float(rng.uniform(0.02, 0.3)), rtt=1e8)
    browse(setup.stub, known * 3, look_alike=known)
    comparing = attrs.evolve(setup.stub, habits=attrs.evolve(setup.stub.habits, stream=True))
    browse(comparing, known[:5], kinds=(A,), look_alike=known)


def denied(scene: Scene) -> None:
    """Look up names that do not exist, again and again, among others that do."""
    rng = scene.rng
    setup = make_setup(scene)
    wrong = [
        f"{label}.{name}" for label, name in zip(("wwww", "w", "smtp", "_dmarc", "old"), setup.known, strict=False)
    ]
    browse(setup.stub, wrong * int(rng.integers(2, 5)) + setup.known * 2, look_alike=wrong)


def confused(scene: Scene) -> None:
    """Ask a router that answers AAAA with A records."""
    setup = home(scene, behaviour={"confuses": True})
    browse(setup.stub, setup.known * 2, kinds=(A, AAAA), look_alike=setup.known)


def many_types(scene: Scene) -> None:
    """Ask for records of every type, as mail servers and monitors do."""
    setup = make_setup(scene)
    kinds = (NS, SOA, MX, TXT, HTTPS, ANY)
    for name in setup.known:
        chosen = scene.rng.choice(kinds, 2, replace=False)
        begin = float(scene.rng.uniform(0, 12 * SECOND))
        setup.stub.look_up(name, begin, kinds=tuple(int(kind) for kind in chosen), look_alike=True)
    browse(setup.stub, setup.known * 2)


def trailing(scene: Scene) -> None:
    """Ask an old server that leaves some bytes behind every message."""
    setup = make_setup(scene, behaviour={"tail": scene.rng.bytes(int(scene.rng.integers(1, 9)))})
    browse(setup.stub, setup.known * 3, look_alike=setup.known)


CLIENT = ("client", "middle")

PLAYS = (
    benign("slow-resolver", "Recursion takes seconds.", slow, "slow-resolver"),
    benign("dead-resolver", "One resolver never answers.", dead, "dead-resolver"),
    benign("resolver-outage", "The resolver is silent for a while.", outage, "resolver-outage"),
    benign("lame-delegation", "Some names have dead servers.", lame, "lame-delegation"),
    benign("rate-limit", "The resolver limits answers.", limited, "rate-limit"),
    benign("refused", "A resolver refuses.", refused, "refused"),
    benign("dnssec-failure", "Signatures fail.", unsigned, "dnssec-failure"),
    benign("edns-intolerance", "A server knows no EDNS.", intolerant, "edns-intolerance"),
    benign("opt-stripped", "A router drops OPT.", stripped, "opt-stripped", ("client",)),
    benign("backend-by-name", "Some names go to another backend.", backend, "backend-by-name"),
    benign("folded-case", "A forwarder lowers letters.", folded, "folded-case", ("client",)),
    benign("truncation", "Answers do not fit; TCP follows.", partial(large, room=512, count=(30, 60)), "truncation"),
    benign("large-answers", "Answers fill a packet.", partial(large, room=1452, count=(40, 80)), "large-answers"),
    benign("cpe-cache", "The router answers at once.", router, "cpe-cache", ("client",)),
    benign("port-53-proxy", "A transparent cache answers truthfully.", in_the_way, "port-53-proxy", CLIENT),
    benign("negative-caching", "Names do not exist.", denied, "negative-caching"),
    benign("many-types", "Questions of every type.", many_types, "many-types"),
    benign("trailing-bytes", "Bytes behind every message.", trailing, "trailing-bytes"),
    benign("broken-cpe", "A router answers AAAA with A.", confused, "broken-cpe", ("client",)),
)  # fmt: skip
