"""TLS and HTTP connections whose names get them reset, and connections that end in genuine resets of many kinds."""

from functools import partial

import numpy as np

from netinterf.simulate.endpoint import Ending, Turn, connect
from netinterf.simulate.messages import application_data, client_hello, http_request, server_flight, tls_record
from netinterf.simulate.middlebox import ResetInjector, draw_form
from netinterf.simulate.packet import Address
from netinterf.simulate.path import MILLISECOND, SECOND, Path
from netinterf.simulate.scene import Conversation, Scene, server_addresses
from netinterf.simulate.stack import Stack, draw_client, draw_server

__all__ = ["browse", "genuine_resets", "injected_resets", "names", "web_script"]

WORDS = ("news", "mail", "shop", "video", "wiki", "bank", "play", "chat", "maps", "cloud", "blog", "forum")
ZONES = ("example.com", "example.net", "example.org", "test.example")
GOODBYE = tls_record(21, bytes(19))
"""An encrypted close_notify alert as it looks on the wire (RFC 8446 §6.1)."""


def names(rng: np.random.Generator, count: int) -> list[str]:
    """Draw distinct host names below the reserved example domains (RFC 2606)."""
    picked = rng.permutation(len(WORDS) * len(ZONES))[:count]
    return [f"{WORDS[number % len(WORDS)]}{rng.integers(1, 99)}.{ZONES[number // len(WORDS)]}" for number in picked]


def web_script(rng: np.random.Generator, name: str, port: int) -> list[Turn]:
    """Write what a browser and a web server say: one or two requests over TLS, or over plain HTTP on port 80."""
    think = float(rng.exponential(8 * MILLISECOND))
    body = int(rng.lognormal(np.log(9_000), 0.8))
    if port == 80:
        page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % body
        return [
            Turn(True, http_request(name)),
            Turn(False, page + b"<p>text</p>\n" * (body // 12) + b" " * (body % 12), think),
        ]
    hello = client_hello(name, rng, size=int(rng.choice([0, 517, 600, 1750])))
    script = [
        Turn(True, hello, float(rng.exponential(MILLISECOND))),
        Turn(False, server_flight(rng, int(rng.integers(1500, 5200))), think),
        Turn(
            True,
            application_data(rng, 53) + application_data(rng, int(rng.integers(60, 700))),
            float(rng.exponential(2e6)),
        ),
        Turn(False, application_data(rng, min(body, 16_000)), think),
    ]
    if rng.random() < 0.3:
        script += [
            Turn(True, application_data(rng, int(rng.integers(60, 400))), float(rng.exponential(SECOND))),
            Turn(False, application_data(rng, int(rng.integers(200, 8000))), think),
        ]
    return script


def ordinary_endings(rng: np.random.Generator) -> tuple[Ending, Ending]:
    """Draw who closes first."""
    return (Ending.CLOSE, Ending.WAIT) if rng.random() < 0.6 else (Ending.WAIT, Ending.CLOSE)


def visit(
    scene: Scene, path: Path, stacks: tuple[Stack, Stack], server: Address, name: str, delay: float, *, port: int = 443,
    client: Address | None = None, endings: tuple[Ending, Ending] | None = None, script: list[Turn] | None = None,
    abort_at: int = 0, idle: float = 60e9, mechanism: str | None = None,
) -> int:  # fmt: skip
    """Schedule one connection, *delay* nanoseconds from now; give its number."""
    rng = scene.rng
    source = (client or scene.client, scene.next_port())
    subject = scene.converse(Conversation("flow", "tcp", source, (server, port), name, mechanism=mechanism))
    scene.world.after(
        delay,
        partial(
            connect, path, client=source, server=(server, port), stacks=stacks, subject=subject,
            script=web_script(rng, name, port) if script is None else script,
            endings=endings or ordinary_endings(rng), abort_at=abort_at, idle=idle,
            goodbye=GOODBYE if port == 443 else b"",
        ),
    )  # fmt: skip
    return subject


def injected_resets(scene: Scene) -> None:
    """Visit several names; those on a list are reset by an injector that sees the name."""
    rng = scene.rng
    known = names(rng, int(rng.integers(4, 8)))
    blocked = known[: int(rng.integers(1, 3))]
    injector = ResetInjector(
        scene.world, frozenset(name.encode() for name in blocked), draw_form(rng), share=float(rng.uniform(0.9, 1))
    )
    six = bool(rng.random() < 0.2)
    client = server_addresses(rng, 1, six=True)[0] if six else scene.client
    port = 80 if rng.random() < 0.2 else 443
    stack, luck, where = draw_client(rng), float(rng.uniform(0, 1)), float(rng.uniform(0.05, 0.6))
    servers = dict(zip(known, server_addresses(rng, len(known), six=six), strict=True))
    paths = {
        name: scene.lay_path([injector], rtt=float(rng.lognormal(np.log(9e7), 0.5)), where=where, luck=luck)
        for name in known
    }
    hosts = {name: draw_server(rng) for name in known}
    plan = [*blocked * int(rng.integers(3, 6)), *known[len(blocked) :] * 2]
    begin = 0.0
    for place in rng.permutation(len(plan)):
        name = plan[place]
        begin += float(rng.exponential(1.2 * SECOND))
        visit(scene, paths[name], (stack, hosts[name]), servers[name], name, begin, port=port, client=client)


def genuine_resets(scene: Scene) -> None:
    """Visit several servers whose connections end in every ordinary way a reset comes about, and some that just end."""
    rng = scene.rng
    known = names(rng, 8)
    servers = server_addresses(rng, len(known))
    stack, luck = draw_client(rng), float(rng.uniform(0, 1))
    kinds = ["abort", "closed", "hard", "idle", "reject", "plain", "plain", "abort"]
    begin = 0.0
    for name, server, kind in zip(known, servers, kinds, strict=True):
        path = scene.lay_path([], rtt=float(rng.lognormal(np.log(7e7), 0.6)), where=0.3, luck=luck)
        host = draw_server(rng)
        options: dict[str, object] = {}
        if kind == "abort":
            options = {"endings": (Ending.ABORT, Ending.WAIT), "abort_at": int(rng.integers(1500, 6000))}
        elif kind == "closed":
            options = {"endings": (Ending.CLOSE, Ending.REFUSE)}
        elif kind == "hard":
            options = {"endings": (Ending.WAIT, Ending.CLOSE_HARD)}
        elif kind == "idle":
            options = {"endings": (Ending.SILENT, Ending.IDLE_RESET), "idle": float(rng.choice([60e9, 350e9]))}
        elif kind == "reject":
            alert = tls_record(21, bytes([2, int(rng.choice([40, 112]))]))
            options = {
                "script": [Turn(True, client_hello(name, rng)), Turn(False, alert, 1e6)],
                "endings": (Ending.WAIT, Ending.CLOSE_HARD),
            }
        for _ in range(int(rng.integers(1, 3))):
            begin += float(rng.exponential(1.2 * SECOND))
            visit(scene, path, (stack, host), server, name, begin, **options)  # type: ignore[arg-type]


def browse(scene: Scene) -> None:
    """Visit names over paths of mixed quality; nobody interferes and nothing is reset."""
    rng = scene.rng
    known = names(rng, int(rng.integers(4, 9)))
    stack = draw_client(rng)
    begin = 0.0
    for name, server in zip(known, server_addresses(rng, len(known)), strict=True):
        path = scene.lay_path([], rtt=float(rng.lognormal(np.log(5e7), 0.6)), where=0.5, luck=float(rng.uniform(0, 1)))
        host = draw_server(rng)
        for _ in range(int(rng.integers(1, 4))):
            begin += float(rng.exponential(0.7 * SECOND))
            visit(scene, path, (stack, host), server, name, begin, port=80 if rng.random() < 0.15 else 443)
