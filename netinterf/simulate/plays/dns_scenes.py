"""DNS lookups whose answers are raced by forged ones, and lookups that only look odd."""

from functools import partial

import numpy as np

from netinterf.simulate.boxes.answers import DnsInjector
from netinterf.simulate.boxes.form import Form
from netinterf.simulate.hosts.resolver import Resolver, look_up
from netinterf.simulate.hosts.stack import Identifiers, draw_client, draw_server
from netinterf.simulate.network.packet import Address, address
from netinterf.simulate.network.path import MILLISECOND, SECOND, Path, Station
from netinterf.simulate.scenario import Scenario
from netinterf.simulate.scene import Conversation, Scene

__all__ = ["PLAYS"]


def make_resolver(scene: Scene, path: Path, known: list[str], **options: object) -> Resolver:
    """Set up a resolver that knows *known*, with several addresses for some names."""
    rng = scene.rng
    zone: dict[str, list[Address]] = {}
    for name in known:
        pool = scene.global_addresses(int(rng.integers(1, 9)))
        if rng.random() < 0.6:
            pool += [address(f"2606:4700:{rng.integers(16, 4096):x}::{rng.integers(1, 65535):x}")]
        zone[name] = pool
    lifetimes = {name: int(rng.choice([20, 60, 300, 3600, 86_400])) for name in known}
    return Resolver(
        path, (scene.servers(1)[0], 53), draw_server(rng), zone, lifetimes, answers=int(rng.integers(1, 5)),
        opt=bool(rng.random() < 0.8), **options,  # type: ignore[arg-type]
    )  # fmt: skip


def ask_all(scene: Scene, path: Path, resolver: Resolver, plan: list[str], *, patience: float) -> None:
    """Schedule one lookup after the other: A, often with AAAA at the same time, from fresh ports."""
    rng = scene.rng
    stack = draw_client(rng)
    identifiers = Identifiers(stack.id_mode, int(rng.integers(1, 2**16)), rng)
    opt = bool(rng.random() < 0.7)
    begin = 0.0
    for name in plan:
        begin += float(rng.exponential(0.8 * SECOND))
        for kind in (1, 28) if rng.random() < 0.4 else (1,):
            client, identifier = (scene.client, scene.next_port()), int(rng.integers(2**16))
            subject = scene.converse(
                Conversation(
                    "exchange",
                    "udp",
                    name,
                    query_type="A" if kind == 1 else "AAAA",
                    query_id=identifier,
                )
            )
            scene.world.after(
                begin,
                partial(
                    look_up, path, resolver, client=client, stack=stack, identifiers=identifiers, name=name, kind=kind,
                    subject=subject, identifier=identifier, opt=opt, patience=patience,
                ),
            )  # fmt: skip


def injected_answers(scene: Scene) -> None:
    """Look up several names; for those on a list forged answers race the resolver's own."""
    rng = scene.rng
    known = scene.names(int(rng.integers(6, 12)))
    blocked = known[: int(rng.integers(2, 4))]
    bogus = [[address("10.10.34.35")], [address("0.0.0.0")], [address("127.0.0.1")]]
    pool = scene.global_addresses(int(rng.integers(1, 40))) if rng.random() < 0.8 else bogus[int(rng.integers(3))]
    form = Form(
        ttl_rule=str(rng.choice(["constant", "counter", "mirror"])),
        ttl=int(rng.choice([64, 128, 255, int(rng.integers(60, 250))])),
        id_rule=str(rng.choice(["random", "zero", "constant", "mirror"])),
        ip_id=int(rng.integers(2**16)),
        dont_fragment=bool(rng.random() < 0.4),
        delay=float(rng.lognormal(np.log(3e5), 0.7)),
        gap=float(rng.uniform(1e4, 3e5)),
    )
    injector = DnsInjector(
        scene.world, frozenset(blocked), form, pool, flags=int(rng.choice([0x8180, 0x8580, 0x81A0, 0x8400])),
        lifetime=int(rng.choice([60, 300, 418, int(rng.integers(60, 301))])), count=int(rng.choice([1, 1, 2, 3])),
        copy_opt=bool(rng.random() < 0.2), kinds=(1,) if rng.random() < 0.3 else (1, 28),
        answers_six=[address(f"2001::{number:x}") for number in rng.integers(1, 2**16, int(rng.choice([0, 1, 12])))],
    )  # fmt: skip
    rtt = float(rng.lognormal(np.log(1.2e8), 0.4))
    path = scene.lay_path([injector], rtt=rtt, where=float(rng.uniform(0.05, 0.6)))
    resolver = make_resolver(scene, path, known)
    plan = [*blocked * int(rng.integers(2, 5)), *known * 2]
    ask_all(scene, path, resolver, [plan[place] for place in rng.permutation(len(plan))], patience=5e9)


def odd_answers(scene: Scene) -> None:
    """Look up names at a slow resolver over a poor path: repeated queries, rotating answers, duplicates, losses."""
    rng = scene.rng
    known = scene.names(int(rng.integers(6, 12)))
    boxes: list[Station] = []
    path = scene.lay_path(boxes, rtt=float(rng.lognormal(np.log(6e7), 0.6)), where=0.3, luck=1.0)
    poor = path.far
    poor.jitter, poor.loss, poor.duplicate, poor.reorder = 3 * MILLISECOND, 0.03, 0.08, 0.1
    resolver = make_resolver(scene, path, known, cached=0.3, think=(3e5, 7e8))
    plan = known * 3
    patience = float(rng.choice([3e8, 1e9, 2e9]))
    ask_all(scene, path, resolver, [plan[place] for place in rng.permutation(len(plan))], patience=patience)


PLAYS = (
    Scenario("dns.injection", "Forged answers race true ones.", "dns.injection", injected_answers, family="dns"),
    Scenario(
        "dns.injection.benign", "Rotation, repeats, duplicates, losses.", None, odd_answers, family="benign.dns",
        confounder="lossy resolver path",
    ),
)  # fmt: skip
