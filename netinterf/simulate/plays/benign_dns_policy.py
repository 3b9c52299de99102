"""Resolvers that answer otherwise by somebody's honest choice, and names that are private; nobody interferes."""

from functools import partial
from typing import Any

import numpy as np

from netinterf.simulate.hosts.dns_zone import Entry, Zone
from netinterf.simulate.hosts.resolver import Interceptor, Rule
from netinterf.simulate.messages.dns import NXDOMAIN, REFUSED, Opt
from netinterf.simulate.network.packet import Address, address
from netinterf.simulate.network.path import SECOND
from netinterf.simulate.plays.benign_dns_paths import benign, some
from netinterf.simulate.plays.benign_dns_resolvers import home
from netinterf.simulate.plays.dns_setup import (
    Setup,
    add_resolver,
    browse,
    draw_entry,
    draw_zone,
    follow,
    host_names,
    make_setup,
    private_address,
)
from netinterf.simulate.scene import Scene

__all__ = ["PLAYS", "inner"]


def inner(scene: Scene, count: int) -> tuple[Address, ...]:
    """Draw private addresses (RFC 1918, RFC 4193)."""
    rng = scene.rng
    heads = ("10.{}.{}.{}", "192.168.{1}.{2}", "172.16.{1}.{2}")
    four = [address(str(rng.choice(heads)).format(*rng.integers(1, 255, 3))) for _ in range(count)]
    six = [address(f"fd12:{rng.integers(1, 65536):x}::{rng.integers(1, 65536):x}") for _ in range(count)]
    return (*four, *(six if scene.six else ()))


def ruled(
    scene: Scene, rule: Rule, *, habits: dict[str, Any] | None = None, local: bool = False, chosen: int = 0,
    **options: Any,
) -> tuple[Setup, list[str]]:  # fmt: skip
    """Look names up at a resolver that has a rule for some.

    Args:
        scene: Where it happens.
        rule: What it answers to those.
        habits: Fixed habits of the stub.
        local: Whether it is the home router.
        chosen: How many names; drawn when 0.
        options: Further fields of the setup.
    """
    rng = scene.rng
    known = host_names(scene, int(rng.integers(9, 16)))
    listed = known[:chosen] if chosen else some(rng, known)
    make = home if local else make_setup
    setup = make(scene, known=known, rules=dict.fromkeys(listed, rule), habits=habits, **options)
    browse(setup.stub, listed * 2 + known * 3, look_alike=listed)
    return setup, listed


def draw_lifetime(rng: np.random.Generator) -> int:
    """Draw the TTL of a filter's answers."""
    return int(rng.choice([0, 2, 10, 60, 300, 3600]))


def rewriting(scene: Scene) -> None:
    """Mistype names at a resolver that gives its search page for what does not exist."""
    rng = scene.rng
    page = address("92.242.140.1") if rng.random() < 0.5 else scene.global_addresses(1)[0]
    setup = make_setup(scene, missing=Rule(addresses=(page,), lifetime=draw_lifetime(rng)))
    wrong = [f"{label}.{name}" for label, name in zip(("ww", "wwww", "w3", "maill"), setup.known, strict=False)]
    browse(setup.stub, wrong * 2 + setup.known * 3, look_alike=wrong)


def portal(scene: Scene) -> None:
    """Look names up before login, when all lead to the portal, and afterwards."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(7, 13)))
    zone = draw_zone(scene, known)
    login = float(rng.uniform(3, 15)) * SECOND
    public = rng.random() < 0.3
    page = tuple(scene.global_addresses(1)) if public else inner(scene, 1)
    gate = add_resolver(
        scene, zone, place=private_address(scene), rules={"": Rule(addresses=page, lifetime=int(rng.integers(0, 31)),
                                                                   own=True)}
    )  # fmt: skip
    box = Interceptor(resolver=gate, ends=scene.world.now + int(login))
    setup = make_setup(scene, [box], known=known, zone=zone, where=0.05)
    for name in known:
        setup.stub.look_up(name, float(rng.uniform(0, 0.9 * login)), look_alike=True)
    browse(setup.stub, known * 2, begin=login + SECOND)


def blocker(scene: Scene) -> None:
    """Ask a blocker of advertisements at home."""
    rng = scene.rng
    zero = (address("0.0.0.0"), address("::"))
    loop = (address("127.0.0.1"), address("::1"))
    rule = Rule(
        addresses=zero if rng.random() < 0.7 else loop, lifetime=draw_lifetime(rng), own=bool(rng.random() < 0.5)
    )
    if rng.random() < 0.2:
        rule = Rule(rcode=NXDOMAIN, silent=True)
    ruled(scene, rule, local=True, behaviour={"opt": Opt() if rng.random() < 0.5 else None})


def appliance(scene: Scene) -> None:
    """Ask a router that knows the devices of the house by public-looking names."""
    ruled(scene, Rule(addresses=inner(scene, 1), own=True, lifetime=int(scene.rng.choice([0, 9, 60]))), local=True)


def fake_addresses(scene: Scene) -> None:
    """Ask a proxy program that answers every name with an address of the benchmark range (RFC 2544)."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(8, 15)))
    start = int(rng.integers(1, 60_000))
    rules = {
        name: Rule(addresses=(address(f"198.18.{(start + at) // 256}.{(start + at) % 256}"),), lifetime=1)
        for at, name in enumerate(known)
    }
    spared = known[: int(rng.integers(0, 3))]
    setup = home(scene, known=known, rules={name: rule for name, rule in rules.items() if name not in spared})
    browse(setup.stub, known * 3, look_alike=known[len(spared) :])


def dns64(scene: Scene) -> None:
    """Ask a resolver that makes AAAA answers from A records, with the well-known or a network's own prefix."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(7, 13)))
    prefix = 0x0064FF9B << 32 if rng.random() < 0.7 else 0x20010DB8_00640000
    zone: Zone = {}
    for name in known:
        four = tuple(scene.global_addresses(int(rng.integers(1, 4))))
        made = tuple((prefix, place[1] & 0xFFFFFFFF) for place in four)
        zone[name] = draw_entry(scene, addresses=(*four, *made), shown=4)
    setup = make_setup(scene, known=known, zone=zone, habits={"six": 1.0})
    browse(setup.stub, known * 2, look_alike=known)


FAMILY = (
    ("146.112.61.106", ""), ("146.112.61.104", ""), ("185.228.168.254", ""), ("213.180.193.250", ""),
    ("93.158.134.250", ""), ("216.239.38.120", "forcesafesearch.google.com"), ("195.46.39.11", ""),
)  # fmt: skip
"""Answers of filters that households choose (lists of products: OpenDNS, CleanBrowsing, Yandex, Google)."""


def family(scene: Scene) -> None:
    """Ask a resolver chosen to keep children from some names."""
    rng = scene.rng
    page, alias = FAMILY[int(rng.integers(len(FAMILY)))]
    own = rng.random() < 0.3
    places = tuple(scene.global_addresses(1)) if own else (address(page),)
    ruled(scene, Rule(addresses=places, alias="" if own else alias, lifetime=draw_lifetime(rng)))


def honest(scene: Scene) -> None:
    """Ask a resolver that says why it withholds an answer."""
    rng = scene.rng
    zero = (address("0.0.0.0"), address("::")) if rng.random() < 0.5 else ()
    rule = Rule(addresses=zero, rcode=NXDOMAIN, error=int(rng.choice([15, 16, 17])), lifetime=draw_lifetime(rng))
    ruled(scene, rule, habits={"opt": Opt(1232)}, behaviour={"opt": Opt()})


def policy_zone(scene: Scene) -> None:
    """Ask a company's resolver with a response policy zone: a walled garden, or no such name."""
    rng = scene.rng
    garden = inner(scene, 1) if rng.random() < 0.6 else ()
    rule = Rule(addresses=garden, rcode=NXDOMAIN, zone="rpz.example.org", lifetime=draw_lifetime(rng))
    ruled(scene, rule, place=private_address(scene, home=False))


def sanctions(scene: Scene) -> None:
    """Ask an ISP's resolver that denies names of a published order."""
    rng = scene.rng
    rule = Rule(rcode=int(rng.choice([NXDOMAIN, REFUSED])), silent=bool(rng.random() < 0.6))
    ruled(scene, rule, place=scene.servers(1)[0])


def anti_sanction(scene: Scene) -> None:
    """Ask a resolver that was chosen because it leads some names to its own proxies, which work."""
    rng = scene.rng
    six = address(f"2a0{rng.integers(1, 15):x}:{rng.integers(16, 65536):x}::1")
    places = (*scene.global_addresses(int(rng.integers(1, 3))), six)
    _, listed = ruled(scene, Rule(addresses=places, lifetime=draw_lifetime(rng)))
    follow(scene, places, listed, 3.0 * SECOND)


def horizon(scene: Scene, *, public: bool) -> None:
    """Ask a company's resolver, inside or at a public address, for names of the house and of the world."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(9, 14)))
    zone, chosen = draw_zone(scene, known), some(rng, known)
    zone |= {name: draw_entry(scene, addresses=inner(scene, int(rng.integers(1, 3))), aliases=()) for name in chosen}
    place = scene.servers(1)[0] if public else private_address(scene, home=False)
    setup = make_setup(scene, known=known, zone=zone, place=place, rtt=float(rng.lognormal(15.5, 0.8)))
    browse(setup.stub, chosen + known * 3, look_alike=chosen)


def private_names(scene: Scene) -> None:
    """Look up names that exist at home only, or nowhere: .local, .lan, home.arpa, search domains."""
    rng = scene.rng
    setup = home(scene)
    ends = ("local", "lan", "home.arpa", "corp", "internal", "fritz.box")
    inside = [
        f"{label}{rng.integers(9)}.{rng.choice(ends)}" for label in ("printer", "nas", "wpad", "tv", "cam", "isatap")
    ]
    setup.zone.update(
        {name: Entry(addresses=inner(scene, 1), lifetime=9) for name in inside[: int(rng.integers(1, 6))]}
    )
    browse(setup.stub, inside * 2 + setup.known * 2, look_alike=inside)


def collision(scene: Scene) -> None:
    """Look up names of a new top-level domain that warns of collisions with names used inside."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(7, 12)))
    warned = [f"{label}{rng.integers(9)}.example" for label in ("mail", "intranet", "files", "vpn")]
    zone = draw_zone(scene, known)
    zone |= {name: Entry(addresses=(address("127.0.53.53"),), lifetime=3600) for name in warned}
    setup = make_setup(scene, known=known, zone=zone)
    browse(setup.stub, warned * 2 + known * 2, look_alike=warned)


PLAYS = (
    benign("nxdomain-rewriting", "A search page for what does not exist.", rewriting, "nxdomain-rewriting"),
    benign("captive-portal", "All names lead to a portal until login.", portal, "captive-portal", ("client", "middle")),
    benign("ad-blocker", "A home's own list gives 0.0.0.0.", blocker, "ad-blocker", ("client",)),
    benign("hosts-appliance", "A router knows its devices.", appliance, "hosts-appliance", ("client",)),
    benign("fake-ip", "A proxy program answers with 198.18.0.0/15.", fake_addresses, "fake-ip", ("client",)),
    benign("dns64", "AAAA answers are made from A records.", dns64, "dns64"),
    benign("family-filter", "A chosen filter gives its page.", family, "family-filter"),
    benign("honest-filter", "A resolver says why it withholds.", honest, "honest-filter"),
    benign("policy-zone", "A company's policy zone answers.", policy_zone, "policy-zone"),
    benign("sanctions", "Names of a published order are denied.", sanctions, "sanctions"),
    benign("anti-sanction", "A chosen resolver leads to proxies that work.", anti_sanction, "anti-sanction-resolver"),
    benign("split-horizon", "A resolver inside gives private addresses.", partial(horizon, public=False),
           "split-horizon-private"),
    benign("split-horizon-public", "A resolver at a public address gives private addresses.",
           partial(horizon, public=True), "split-horizon-public"),
    benign("private-names", "Names that exist at home only.", private_names, "private-names", ("client",)),
    benign("name-collision", "127.0.53.53 warns.", collision, "collision-warning"),
)  # fmt: skip
