"""DNS lookups whose answers are raced by forged ones, and lookups that only look odd."""

from functools import partial

import numpy as np

from netinterf.simulate.middlebox import DnsInjector, Form
from netinterf.simulate.packet import Address, address
from netinterf.simulate.path import MILLISECOND, SECOND, Leg, Path, Station
from netinterf.simulate.reset_scenes import names
from netinterf.simulate.resolver import Resolver, look_up
from netinterf.simulate.scene import Conversation, Scene, global_addresses, server_addresses
from netinterf.simulate.stack import Identifiers, draw_client, draw_server

__all__ = ["injected_answers", "odd_answers"]


def make_resolver(scene: Scene, path: Path, known: list[str], **options: object) -> Resolver:
    """Set up a resolver that knows *known*, with several addresses for some names."""
    rng = scene.rng
    zone: dict[str, list[Address]] = {}
    for name in known:
        pool = global_addresses(rng, int(rng.integers(1, 9)))
        if rng.random() < 0.6:
            pool += [address(f"2606:4700:{rng.integers(16, 4096):x}::{rng.integers(1, 65535):x}")]
        zone[name] = pool
    lifetimes = {name: int(rng.choice([20, 60, 300, 3600, 86_400])) for name in known}
    return Resolver(
        path, (server_addresses(rng, 1)[0], 53), draw_server(rng), zone, lifetimes, answers=int(rng.integers(1, 5)),
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
                    client,
                    resolver.place,
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
    known = names(rng, int(rng.integers(6, 12)))
    blocked = known[: int(rng.integers(2, 4))]
    bogus = [[address("10.10.34.35")], [address("0.0.0.0")], [address("127.0.0.1")]]
    pool = global_addresses(rng, int(rng.integers(1, 40))) if rng.random() < 0.8 else bogus[int(rng.integers(3))]
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
    path = scene.lay_path([injector], rtt=rtt, where=float(rng.uniform(0.05, 0.6)), luck=float(rng.uniform(0, 1)))
    resolver = make_resolver(scene, path, known)
    plan = [*blocked * int(rng.integers(2, 5)), *known * 2]
    ask_all(scene, path, resolver, [plan[place] for place in rng.permutation(len(plan))], patience=5e9)


def odd_answers(scene: Scene) -> None:
    """Look up names at a slow resolver over a poor path: repeated queries, rotating answers, duplicates, losses."""
    rng = scene.rng
    known = names(rng, int(rng.integers(6, 12)))
    boxes: list[Station] = []
    path = scene.lay_path(boxes, rtt=float(rng.lognormal(np.log(6e7), 0.6)), where=0.3, luck=1.0)
    path.legs[-1] = Leg(
        delay=path.legs[-1].delay,
        hops=path.legs[-1].hops,
        jitter=int(3 * MILLISECOND),
        loss=0.03,
        duplicate=0.08,
        reorder=0.1,
    )
    resolver = make_resolver(scene, path, known, cached=0.3, think=(3e5, 7e8))
    plan = known * 3
    patience = float(rng.choice([3e8, 1e9, 2e9]))
    ask_all(scene, path, resolver, [plan[place] for place in rng.permutation(len(plan))], patience=patience)
