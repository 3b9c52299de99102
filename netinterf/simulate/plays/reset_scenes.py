"""Visits whose names get them reset in any published form, and connections that end in genuine resets of many kinds."""

from functools import partial
from typing import Any

import attrs
import numpy as np

from netinterf.simulate.boxes.forger import ForgedPacket, Rule, burst
from netinterf.simulate.boxes.handwriting import Handwriting
from netinterf.simulate.boxes.triggers import says
from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.hosts.stack import draw_client, draw_server
from netinterf.simulate.messages.tls import client_hello, tls_record
from netinterf.simulate.network.packet import ACK, RST
from netinterf.simulate.network.path import SECOND
from netinterf.simulate.plays.tcp_stage import Targets, visits
from netinterf.simulate.scenario import ENDS, Scenario
from netinterf.simulate.scene import Scene
from netinterf.simulate.talks import visit

__all__ = ["PLAYS", "any_form"]


def any_form(targets: Targets) -> tuple[Rule, ...]:
    """Reset in one of the published families, its free fields at random."""
    rng = targets.rng
    form = Handwriting(
        delay=float(rng.lognormal(np.log(4e5), 0.7)), gap=float(rng.uniform(5e3, 2e5)),
        ttl=int(rng.choice([64, 128, 255])),
    )  # fmt: skip
    ends, start, reset = bool(rng.random() < 0.6), bool(rng.random() < 0.3), RST | ACK
    flags: tuple[int, ...] = (reset,)
    before: tuple[ForgedPacket, ...] = ()
    step, payload = 0, b""
    match str(rng.choice(["triple", "single", "bare", "mirror", "counter", "payload"])):
        case "triple":
            flags = (reset,) * int(rng.integers(2, 5))
            form = attrs.evolve(
                form, ttl_rule=str(rng.choice(["counter", "match"])), id_rule="same", window_rule="counter",
                window=int(rng.integers(200, 4400)), dont_fragment=True,
            )  # fmt: skip
            before = burst(attrs.evolve(form, id_rule="random", window_rule="random", dont_fragment=False), (RST,))
            before = before if rng.random() < 0.5 else ()
        case "single":
            form = attrs.evolve(form, ttl=int(rng.integers(50, 250)))
        case "bare":
            flags = (RST,)
            form = attrs.evolve(form, id_rule=str(rng.choice(["zero", "random"])), window_rule="random")
        case "mirror":
            flags = (int(rng.choice([RST, reset])),)
            form = attrs.evolve(
                form, ttl_rule="mirror", window_rule="mirror", id_rule=str(rng.choice(["mirror", "next"])),
                dont_fragment=bool(rng.random() < 0.5),
            )  # fmt: skip
        case "counter":
            flags, step = (reset,) * 3, int(rng.choice([0, 0, 1460]))
            form = attrs.evolve(form, ttl_rule="counter", window_rule="counter", window=int(rng.integers(900, 3300)))
        case _:
            ends, payload = False, rng.bytes(int(rng.integers(8, 24)))
            form = attrs.evolve(
                form, id_rule="constant", ip_id=int(rng.choice([1, 242, 0x9916])), window_rule="constant",
                window=int(rng.integers(1, 40)),
            )  # fmt: skip
    packets = before + burst(form, flags, step=step, payload=payload)
    packets += burst(form, flags, step=step, to_client=False, start=start) if ends else ()
    share = float(rng.uniform(0.9, 1))
    return (Rule(when=says(targets.words), mechanism="tcp.reset", bursts=(packets,), share=share),)


def genuine_resets(scene: Scene) -> None:
    """Visit several servers whose connections end in every ordinary way a reset comes about, and some that just end."""
    rng = scene.rng
    known = scene.names(8)
    servers = scene.servers(len(known))
    stack = draw_client(rng)
    kinds = ["abort", "closed", "hard", "idle", "reject", "plain", "plain", "abort"]
    begin = 0.0
    for name, server, kind in zip(known, servers, kinds, strict=True):
        path = scene.lay_path([], rtt=float(rng.lognormal(np.log(7e7), 0.6)), where=0.3)
        host = draw_server(rng)
        options: dict[str, Any] = {}
        if kind == "abort":
            options = {"apps": (App(ending=Ending.ABORT, abort_at=int(rng.integers(1500, 6000))), App())}
        elif kind == "closed":
            options = {"apps": (App(ending=Ending.CLOSE), App(ending=Ending.REFUSE))}
        elif kind == "hard":
            options = {"apps": (App(), App(ending=Ending.CLOSE_HARD))}
        elif kind == "idle":
            options = {
                "apps": (
                    App(ending=Ending.SILENT),
                    App(ending=Ending.IDLE_RESET, idle=float(rng.choice([6e10, 3.5e11]))),
                )
            }
        elif kind == "reject":
            alert = tls_record(21, bytes([2, int(rng.choice([40, 112]))]))
            options = {
                "script": [Turn(True, client_hello(name, rng)), Turn(False, alert, 1e6)],
                "apps": (App(), App(ending=Ending.CLOSE_HARD)),
            }
        for _ in range(int(rng.integers(1, 3))):
            begin += float(rng.exponential(1.2 * SECOND))
            visit(scene, path, server, name, begin, stacks=(stack, host), **options)


def browse(scene: Scene) -> None:
    """Visit names over paths of mixed quality; nobody interferes and nothing is reset."""
    rng = scene.rng
    known = scene.names(int(rng.integers(4, 9)))
    stack = draw_client(rng)
    begin = 0.0
    for name, server in zip(known, scene.servers(len(known)), strict=True):
        path = scene.lay_path([], rtt=float(rng.lognormal(np.log(5e7), 0.6)), where=0.5)
        host = draw_server(rng)
        for _ in range(int(rng.integers(1, 4))):
            begin += float(rng.exponential(0.7 * SECOND))
            visit(scene, path, server, name, begin, stacks=(stack, host), port=80 if rng.random() < 0.15 else 443)


PLAYS = (
    Scenario("browsing", "Visits over paths of mixed quality.", None, browse, ENDS, family="benign.tcp"),
    Scenario(
        "tcp.reset", "Visits to listed names are reset.", "tcp.reset",
        partial(visits, build=any_form, ports=(443, 443, 443, 443, 80)), system="generic", family="tcp",
    ),
    Scenario(
        # a mixture: each of its causes has a scenario of its own
        "tcp.reset.benign", "Connections end in genuine resets.", None, genuine_resets, family="benign.tcp",
    ),
)  # fmt: skip
