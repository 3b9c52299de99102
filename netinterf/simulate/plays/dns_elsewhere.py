"""DNS injectors and boxes in the path outside China: Iran, Russia, Turkmenistan, a laboratory."""

from functools import partial
from typing import Any

import attrs
import numpy as np

from netinterf.simulate.boxes.answers import AnswerStyle, DnsInjector
from netinterf.simulate.hosts.stack import Identifiers
from netinterf.simulate.messages.dns import AAAA, MX, A, Opt
from netinterf.simulate.network.nat import Normalizer
from netinterf.simulate.network.packet import address
from netinterf.simulate.plays.dns_lookups import Stub
from netinterf.simulate.plays.dns_scenes import SIGHTED, contested, form_like, near
from netinterf.simulate.plays.dns_setup import browse, draw_zone, host_names, make_setup
from netinterf.simulate.scenario import Scenario
from netinterf.simulate.scene import Scene

__all__ = ["PLAYS"]

IRAN = tuple(address(f"10.10.34.{last}") for last in (34, 35, 36))
SAFE_SEARCH = address("216.239.38.120")


def iran(rng: np.random.Generator, **fixed: Any) -> AnswerStyle:
    """Make Iran's answers: 10.10.34.34 to .36 and d0::11, TTL 418, or an address nearby of the same kind."""
    lifetime = near(rng, 418, 60, 900)
    other = address(f"10.{rng.integers(256)}.{rng.integers(256)}.{rng.integers(1, 255)}")
    pool = (IRAN[int(rng.integers(3))] if rng.random() < 0.7 else other,)
    drawn: dict[str, Any] = {
        "form": form_like(rng, delay=float(rng.lognormal(np.log(2e6), 0.6))), "pool": pool, "lifetime": (lifetime,
                                                                                                         lifetime),
        "pool_six": (address("d0::11" if rng.random() < 0.7 else f"d0::{rng.integers(1, 65536):x}"),),
        "kinds": (A, AAAA), "share": float(rng.uniform(0.95, 1)),
    }  # fmt: skip
    return AnswerStyle(**{**drawn, **fixed})


def malformed(scene: Scene) -> None:
    """Answer with the message of 2023: no QCLASS, ARCOUNT as asked, AD as asked; dig asks, with EDNS."""
    rng = scene.rng
    pool = (SAFE_SEARCH,) if rng.random() < 0.3 else (IRAN[int(rng.integers(3))],)
    maker = iran(rng, keep_count=True, pool=pool, flags=near(rng, 0x81A0, 0x8180, 0x8180, 0.8))
    habits = {"flags": int(rng.choice([0x0120, 0x0100])), "opt": Opt(int(rng.choice([1232, 4096]))), "six": 0.0}
    contested(scene, (maker,), habits=habits, where=(0.02, 0.25))


def iran_race(scene: Scene) -> None:
    """Answer early, before the resolver: about 10 ms against 95 ms."""
    contested(scene, (iran(scene.rng),), where=(0.02, 0.25))


def iran_in_path(scene: Scene) -> None:
    """Answer in place of the resolver."""
    contested(scene, (iran(scene.rng),), in_path=True, where=(0.02, 0.3))


def iran_doh_names(scene: Scene) -> None:
    """Give impossible addresses for the names of encrypted resolvers."""
    rng = scene.rng
    names = [f"{label}{rng.integers(1, 99)}.{zone}" for label, zone in
             (("dns", "example.com"), ("doh", "example.net"), ("dns-query", "example.org"))]  # fmt: skip
    bogus = ("10.10.34.34", "10.10.34.36", "127.0.0.1", "0.0.0.0", f"10.{rng.integers(256)}.3.4")
    maker = iran(rng, pool=(address(str(rng.choice(bogus))),))
    zone = draw_zone(scene, [*names, *host_names(scene, int(rng.integers(6, 11)))])
    contested(scene, (maker,), zone=zone, in_path=True, where=(0.02, 0.3))


def iran_mx(scene: Scene) -> None:
    """Answer MX for listed names with messages whose question has no class and whose record is an address."""
    rng = scene.rng
    maker = iran(rng, kinds=(MX,), keep_count=True)
    contested(scene, (maker,), in_path=True, kinds=(MX, A), where=(0.02, 0.3), habits={"opt": Opt(4096)})


def turkmenistan(scene: Scene, *, keeps: bool) -> None:
    """Answer 127.0.0.1 with TTL 300, IP ID 30000, initial TTL 128, no DF."""
    rng = scene.rng
    lifetime = near(rng, 300, 60, 900)
    form = form_like(
        rng, ttl_rule="constant", ttl=near(rng, 128, 64, 250), id_rule="constant", ip_id=near(rng, 30_000, 1, 65_535),
        dont_fragment=False,
    )  # fmt: skip
    pool = (address("127.0.0.1" if rng.random() < 0.7 else f"127.0.0.{rng.integers(2, 9)}"),)
    maker = AnswerStyle(form=form, pool=pool, lifetime=(lifetime, lifetime), kinds=(A,), keep_tail=keeps)
    habits = {"opt": Opt(1232) if keeps or rng.random() < 0.6 else None}
    contested(scene, (maker,), habits=habits, rtt=1.4e8)


def er_telecom(scene: Scene) -> None:
    """Answer over UDP in place of any resolver, 5.3.3.17 with TTL 600; over TCP the truth comes through."""
    rng = scene.rng
    lifetime = near(rng, 600, 60, 3600)
    pool = (address("5.3.3.17"),) if rng.random() < 0.6 else tuple(scene.global_addresses(1))
    six = (
        address("2a02:2698:a002:1::3:17")
        if rng.random() < 0.6
        else address(f"2a02:2698:a002:1::{rng.integers(1, 999)}")
    )
    maker = AnswerStyle(
        form=form_like(rng), pool=pool, pool_six=(six,), kinds=(A, AAAA), lifetime=(lifetime, lifetime),
        echo_opt=bool(rng.random() < 0.3),
    )  # fmt: skip
    setup = contested(scene, (maker,), in_path=True, where=(0.02, 0.3))
    by_tcp(setup.stub, setup.known)


def by_tcp(stub: Stub, names: list[str]) -> None:
    """Ask some names over TCP too, as somebody does who compares."""
    other = attrs.evolve(stub, habits=attrs.evolve(stub.habits, stream=True))
    browse(other, names[:4], kinds=(A,))


def laboratory(scene: Scene) -> None:
    """Race a slow resolver with flags 0x8500 and TTL 330 from the local network, behind a translator."""
    rng = scene.rng
    lifetime = near(rng, 330, 60, 900)
    pool = (address(f"192.168.{rng.integers(256)}.{rng.integers(1, 255)}"),)
    maker = AnswerStyle(
        form=form_like(rng, delay=float(rng.lognormal(np.log(6e6), 0.3))), pool=pool, flags=near(rng, 0x8500, 0x8580,
                                                                                                 0x8580),
        lifetime=(lifetime, lifetime), kinds=(A,),
    )  # fmt: skip
    known = host_names(scene, int(rng.integers(5, 9)))
    box = DnsInjector(world=scene.world, names=frozenset(known[:2]), makers=(maker,))
    evener = Normalizer(
        scene.world, ttl=near(rng, 128, 60, 255), tos=0, dont_fragment=False, directions=(False,),
        identifiers=Identifiers("socket", int(rng.integers(2**16)), rng),
    )  # fmt: skip
    setup = make_setup(scene, [evener, box], known=known, rtt=float(rng.lognormal(np.log(3e8), 0.4)), where=0.02)
    browse(setup.stub, known * int(rng.integers(2, 4)))


def row(
    name: str, says: str, action: Any, system: str, mechanism: str = "dns.injection", *, damaged: bool = False
) -> Scenario:
    """Write one row of the list."""
    return Scenario(name, says, mechanism, action, SIGHTED, system=system, damaged=damaged, family="dns")


PLAYS = (
    row("dns.injection.iran-2023", "Malformed answers race true ones.", malformed, "ir.dns-2023",
        damaged=True),
    row("dns.injection.iran", "Private addresses race true ones.", iran_race, "ir.dns-race"),
    row("dns.forged.iran", "Private addresses in place of true ones.", iran_in_path, "ir.dns-in-path", "dns.forged"),
    row("dns.forged.iran-doh", "Names of DoH services are led astray.", iran_doh_names, "ir.dns-doh-names",
        "dns.forged"),
    row("dns.forged.iran-mx", "MX answers are corrupted.", iran_mx, "ir.dns-mx", "dns.forged", damaged=True),
    row("dns.injection.turkmenistan-2021", "127.0.0.1 races; EDNS breaks the answer.",
        partial(turkmenistan, keeps=True), "tm.dns-2021"),
    row("dns.injection.turkmenistan-2023", "127.0.0.1 races.", partial(turkmenistan, keeps=False), "tm.dns-2023"),
    row("dns.forged.er-telecom", "5.3.3.17 over UDP from every resolver, the truth over TCP.", er_telecom,
        "ru.er-telecom", "dns.forged"),
    row("dns.injection.laboratory", "A program on the local network races the resolver.", laboratory, "lab.dnsinject"),
)  # fmt: skip
