"""TLS and HTTP connections whose names get them reset, and connections that end in genuine resets of many kinds."""

import numpy as np

from netinterf.simulate.boxes.form import draw_form
from netinterf.simulate.boxes.resets import ResetInjector
from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.hosts.stack import draw_client, draw_server
from netinterf.simulate.messages.tls import client_hello, tls_record
from netinterf.simulate.network.path import SECOND
from netinterf.simulate.scenario import ENDS, Scenario
from netinterf.simulate.scene import Scene
from netinterf.simulate.talks import visit

__all__ = ["PLAYS"]


def injected_resets(scene: Scene) -> None:
    """Visit several names; those on a list are reset by an injector that sees the name."""
    rng = scene.rng
    known = scene.names(int(rng.integers(4, 8)))
    blocked = known[: int(rng.integers(1, 3))]
    injector = ResetInjector(
        scene.world, frozenset(name.encode() for name in blocked), draw_form(rng), share=float(rng.uniform(0.9, 1))
    )
    port = 80 if rng.random() < 0.2 else 443
    stack, where = draw_client(rng), float(rng.uniform(0.05, 0.6))
    servers = dict(zip(known, scene.servers(len(known)), strict=True))
    paths = {
        name: scene.lay_path([injector], rtt=float(rng.lognormal(np.log(9e7), 0.5)), where=where) for name in known
    }
    hosts = {name: draw_server(rng) for name in known}
    plan = [*blocked * int(rng.integers(3, 6)), *known[len(blocked) :] * 2]
    begin = 0.0
    for place in rng.permutation(len(plan)):
        name = plan[place]
        begin += float(rng.exponential(1.2 * SECOND))
        visit(scene, paths[name], servers[name], name, begin, port=port, stacks=(stack, hosts[name]))


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
        options: dict[str, object] = {}
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
            visit(scene, path, server, name, begin, stacks=(stack, host), odd=kind != "plain", **options)  # type: ignore[arg-type]


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
    Scenario("tcp.reset", "Visits to listed names are reset.", "tcp.reset", injected_resets, family="tcp"),
    Scenario(
        "tcp.reset.benign", "Connections end in genuine resets.", None, genuine_resets, family="benign.tcp",
        confounder="genuine resets",
    ),
)  # fmt: skip
