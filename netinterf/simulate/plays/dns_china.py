"""The Great Firewall's DNS injectors, one scenario per documented form; published constants are centres of draws."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from netinterf.simulate.boxes.answers import AnswerStyle, DnsInjector
from netinterf.simulate.hosts.dns_zone import Zone
from netinterf.simulate.messages.dns import AAAA, HTTPS, MX, TXT, A, Opt
from netinterf.simulate.messages.published_answers import CYCLE, INJECTOR_1, NINE, draw_meta_six, draw_pool, draw_teredo
from netinterf.simulate.network.packet import address
from netinterf.simulate.plays.dns_scenes import SIGHTED, contested, form_like, near
from netinterf.simulate.plays.dns_setup import browse, draw_entry, host_names, make_setup
from netinterf.simulate.scenario import Scenario
from netinterf.simulate.scene import Scene

__all__ = ["PLAYS", "cyclic", "injector_1", "injector_2", "injector_3"]

Generator = np.random.Generator


def injector_1(rng: Generator, start: float = 0.0) -> AnswerStyle:
    """Make injector 1: AA, TTL 60, name written out, one of four, IP TTL one more per packet, no DF (FOCI 2020)."""
    form = form_like(rng, ttl_rule="counter", id_rule="random", dont_fragment=False)
    return AnswerStyle(
        form=form if not start else form_like(rng, ttl_rule="counter", id_rule="random", dont_fragment=False,
                                              delay=start),
        pool=draw_pool(rng, INJECTOR_1, 4, share=float(rng.choice([1.0, 0.5]))), flags=near(rng, 0x8580, 0x8580,
                                                                                            0x8580),
        lifetime=(number := near(rng, 60, 30, 120), number), style="none", kinds=(A, AAAA),
        pool_six=draw_teredo(rng, 4), share=float(rng.uniform(0.9, 1)),
    )  # fmt: skip


def injector_2(rng: Generator, start: float = 0.0) -> AnswerStyle:
    """Make injector 2: DF, random IP TTL, a pointer for the name, a large pool (FOCI 2020)."""
    form = form_like(rng, ttl_rule="spread", ttl=int(rng.integers(30, 80)), id_rule="random", dont_fragment=True)
    if start:
        form = form_like(rng, ttl_rule="spread", ttl=40, id_rule="random", dont_fragment=True, delay=start)
    return AnswerStyle(
        form=form, pool=draw_pool(rng, CYCLE, int(rng.integers(60, 200)), 0.1), pool_six=draw_teredo(rng, 30),
        lifetime=(int(rng.integers(30, 120)), int(rng.integers(150, 400))), kinds=(A, AAAA),
        share=float(rng.uniform(0.9, 1)),
    )  # fmt: skip


def injector_3(rng: Generator, start: float = 0.0) -> AnswerStyle:
    """Make injector 3: IP ID 0 without DF, IP TTL echoes the query's (FOCI 2020)."""
    fixed: dict[str, Any] = {"ttl_rule": "mirror", "id_rule": "zero", "dont_fragment": False}
    if start:
        fixed["delay"] = start
    return AnswerStyle(
        form=form_like(rng, **fixed), pool=draw_pool(rng, CYCLE, int(rng.integers(60, 200)), 0.1),
        pool_six=draw_teredo(rng, 30), lifetime=(60, int(rng.integers(200, 400))), share=float(rng.uniform(0.9, 1)),
    )  # fmt: skip


def cyclic(rng: Generator, **fixed: Any) -> AnswerStyle:
    """Make the cyclic injector of 2021 on: next address of an ordered list, A for every type but AAAA (NDSS 2025)."""
    return AnswerStyle(
        form=form_like(rng, **fixed), pool=draw_pool(rng, CYCLE, int(rng.integers(100, 300)), 0.06),
        pool_six=draw_meta_six(rng, 30), order="cyclic", plain_flags=0x8400,
        lifetime=(int(rng.integers(40, 100)), int(rng.integers(200, 400))), share=float(rng.uniform(0.93, 1)),
    )  # fmt: skip


def triplet(rng: Generator) -> tuple[AnswerStyle, ...]:
    """Let two or three injectors answer one query: within 0.2 ms of each other nine times in ten (FOCI 2020)."""
    start = float(rng.lognormal(np.log(3e5), 0.6))
    spread = 2e5 if rng.random() < 0.9 else 5e6
    chosen = [injector_1, injector_2, injector_3] if rng.random() < 0.7 else [injector_2, injector_3]
    return tuple(make(rng, start + float(rng.uniform(0, spread))) for make in chosen)


def hold_on(rng: Generator) -> tuple[AnswerStyle, ...]:
    """Let one or two answers of the set of nine come, with TTLs like nobody's (2011 to 2017)."""
    rules = [str(rule) for rule in rng.choice(["counter", "spread"], int(rng.integers(1, 3)))]
    lifetime = near(rng, 300, 60, 900)
    return tuple(
        AnswerStyle(
            form=form_like(rng, ttl_rule=rule, ttl=40, id_rule="random", delay=float(rng.lognormal(np.log(3e5), 0.9))),
            pool=draw_pool(rng, NINE, 9, float(rng.choice([1.0, 0.7]))), kinds=(A,), lifetime=(lifetime, lifetime),
            style=str(rng.choice(["all", "none"])), flags=int(rng.choice([0x8180, 0x8580])),
        )
        for rule in rules
    )  # fmt: skip


def newest(rng: Generator) -> tuple[AnswerStyle, ...]:
    """Let a cyclic injector and another one answer, one of them with DF (net4people/bbs 466)."""
    first = bool(rng.random() < 0.5)
    other = AnswerStyle(
        form=form_like(rng, dont_fragment=not first), pool=draw_pool(rng, CYCLE, 120, 0.1),
        pool_six=draw_meta_six(rng, 20), lifetime=(60, 300), kinds=(A, AAAA), share=float(rng.uniform(0.9, 1)),
    )  # fmt: skip
    return cyclic(rng, dont_fragment=first), other


def aliased(rng: Generator) -> tuple[AnswerStyle, ...]:
    """Let a forged CNAME stand before the address, as for one name in China (FOCI 2020)."""
    maker = injector_2(rng)
    target = f"{rng.choice(['www', 'cdn', 'ghs'])}{rng.integers(1, 99)}.example.org"
    return (AnswerStyle(form=maker.form, pool=maker.pool, alias=target, lifetime=maker.lifetime, kinds=(A, AAAA)),)


def injected(scene: Scene, makers: Callable[[Generator], tuple[AnswerStyle, ...]], **options: Any) -> None:
    """Look names up across the border."""
    contested(scene, makers(scene.rng), rtt=1.6e8, **options)


def every_type(scene: Scene) -> None:
    """Ask for A, AAAA, HTTPS, TXT and MX: all but AAAA draw an A record."""
    kinds = (A, AAAA, *(int(kind) for kind in scene.rng.choice([HTTPS, TXT, MX], 2, replace=False)))
    contested(scene, (cyclic(scene.rng),), rtt=1.6e8, kinds=kinds, habits={"opt": Opt(1232)})


def random_labels(scene: Scene) -> None:
    """Ask for MX and A of random labels below listed names; they do not exist, yet addresses come."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(7, 12)))
    blocked = known[: int(rng.integers(2, 4))]
    box = DnsInjector(world=scene.world, names=frozenset(blocked), makers=(cyclic(rng),))
    setup = make_setup(scene, [box], known=known, rtt=1.5e8, where=float(rng.uniform(0.05, 0.6)))
    labels = [f"{rng.integers(36**5):x}.{name}" for name in blocked for _ in range(int(rng.integers(2, 6)))]
    begin = browse(setup.stub, known[len(blocked) :] * 2)
    browse(setup.stub, labels, kinds=(MX, A), begin=0.3 * begin)


def idle_address(scene: Scene) -> None:
    """Ask an address in China where no resolver is: controls stay unanswered, listed names are answered."""
    rng = scene.rng
    known = host_names(scene, int(rng.integers(6, 10)))
    blocked = known[: int(rng.integers(1, 4))]
    makers = triplet(rng) if rng.random() < 0.5 else newest(rng)
    box = DnsInjector(world=scene.world, names=frozenset(blocked), makers=makers, alone=True)
    zone: Zone = {name: draw_entry(scene) for name in known}
    setup = make_setup(
        scene, [box], known=known, zone=zone, place=scene.servers(1)[0], rtt=float(rng.lognormal(np.log(2e8), 0.3)),
        where=float(rng.uniform(0.5, 0.95)), behaviour={"deaf": 1.0}, habits={"patience": 1e9, "tries": 2},
    )  # fmt: skip
    browse(setup.stub, known * int(rng.integers(2, 4)))


def teredo(rng: Generator) -> tuple[AnswerStyle, ...]:
    """Let AAAA questions be answered within 2001::/32 (USENIX Security 2021)."""
    maker = injector_2(rng)
    pool = (*draw_teredo(rng, 40), *(address(f"2001::{rng.integers(1, 65536):x}") for _ in range(4)))
    return (AnswerStyle(form=maker.form, pool=maker.pool, pool_six=pool, lifetime=maker.lifetime, kinds=(A, AAAA)),)


def row(name: str, says: str, action: Any, system: str, mechanism: str = "dns.injection") -> Scenario:
    """Write one row of the list."""
    return Scenario(name, says, mechanism, action, SIGHTED, system=system, family="dns")


PLAYS = (
    row("dns.injection.gfw-1", "Injector 1 of 2020.", partial(injected, makers=lambda rng: (injector_1(rng),)),
        "cn.gfw-dns-1"),
    row("dns.injection.gfw-2", "Injector 2 of 2020.", partial(injected, makers=lambda rng: (injector_2(rng),)),
        "cn.gfw-dns-2"),
    row("dns.injection.gfw-3", "Injector 3 of 2020.", partial(injected, makers=lambda rng: (injector_3(rng),)),
        "cn.gfw-dns-3"),
    row("dns.injection.gfw-triplet", "Two or three injectors race.", partial(injected, makers=triplet),
        "cn.gfw-dns-triplet"),
    row("dns.injection.gfw-hold-on", "Answers of the set of nine.", partial(injected, makers=hold_on),
        "cn.gfw-dns-hold-on"),
    row("dns.injection.gfw-teredo", "AAAA answers within Teredo.",
        partial(injected, makers=teredo, kinds=(A, AAAA)), "cn.gfw-dns-teredo"),
    row("dns.injection.gfw-wallbleed", "A for every type, next of a list.", every_type, "cn.gfw-dns-wallbleed"),
    row("dns.injection.gfw-2025", "A cyclic and another injector.", partial(injected, makers=newest),
        "cn.gfw-dns-2025"),
    row("dns.injection.gfw-2025-plain", "The same for queries without RD.",
        partial(injected, makers=newest, habits={"flags": 0}), "cn.gfw-dns-2025"),
    row("dns.injection.gfw-alias", "A forged CNAME and address.", partial(injected, makers=aliased),
        "cn.gfw-dns-alias"),
    row("dns.injection.gfw-mx", "Random labels draw addresses, even for MX.", random_labels, "cn.gfw-dns-mx"),
    row("dns.forged.gfw-idle", "An address without resolver seems to answer.", idle_address, "cn.gfw-dns-inbound",
        "dns.forged"),
)  # fmt: skip
