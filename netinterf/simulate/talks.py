"""Conversations to schedule: what browsers and servers say, and visits that say it."""

from functools import partial

import numpy as np

from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.hosts.endpoint import connect
from netinterf.simulate.hosts.stack import Stack, draw_client, draw_server
from netinterf.simulate.messages.http import drawn_request
from netinterf.simulate.messages.tls import application_data, client_hello, server_flight, tls_record
from netinterf.simulate.network.packet import Address
from netinterf.simulate.network.path import MILLISECOND, SECOND, Path
from netinterf.simulate.scene import Conversation, Scene

__all__ = ["GOODBYE", "ordinary_apps", "visit", "web_script"]

GOODBYE = tls_record(21, bytes(19))
"""An encrypted close_notify alert as it looks on the wire (RFC 8446 §6.1)."""


def web_script(rng: np.random.Generator, name: str, port: int) -> list[Turn]:
    """Write what a browser and a web server say: one or two requests over TLS, or over plain HTTP on port 80."""
    think = float(rng.exponential(8 * MILLISECOND))
    body = int(rng.lognormal(np.log(9_000), 0.8))
    if port == 80:
        page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % body
        return [
            Turn(True, drawn_request(rng, name)),
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


def ordinary_apps(rng: np.random.Generator, port: int = 443) -> tuple[App, App]:
    """Draw who closes first; browsers answer a FIN with an alert over TLS."""
    first = bool(rng.random() < 0.6)
    client = App(ending=Ending.CLOSE if first else Ending.WAIT, goodbye=GOODBYE if port == 443 else b"")
    return client, App(ending=Ending.WAIT if first else Ending.CLOSE)


def visit(
    scene: Scene, path: Path, server: Address, name: str, begin: float, *, port: int = 443,
    stacks: tuple[Stack, Stack] | None = None, client: tuple[Address, int] | None = None,
    apps: tuple[App, App] | None = None, script: list[Turn] | None = None, look_alike: bool = False,
    series: bool = False,
) -> int:  # fmt: skip
    """Schedule one TCP connection.

    Args:
        scene: Where it happens.
        path: The way to the server.
        server: Address of the server.
        name: Host name, for the default script and the labels.
        begin: When the SYN leaves, ns from now.
        port: Server port; 80 speaks HTTP by default, all others TLS.
        stacks: Habits of client and server host; drawn when left out.
        client: Address and port of the client; the scene's own and the next port when left out.
        apps: The programs of client and server; one of them closes in the end when left out.
        script: Who says what; a short visit when left out.
        look_alike: Whether this connection plays the scenario's benign look-alike.
        series: Whether it is decidable only together with others.

    Returns:
        Number of the conversation.
    """
    rng = scene.rng
    source = client or (scene.client, scene.next_port())
    subject = scene.converse(Conversation("flow", "tcp", name, look_alike=look_alike, series=series))
    scene.world.after(
        begin,
        partial(
            connect, path, client=source, server=(server, port), stacks=stacks or (draw_client(rng), draw_server(rng)),
            subject=subject, script=web_script(rng, name, port) if script is None else script,
            apps=apps or ordinary_apps(rng, port),
        ),
    )  # fmt: skip
    return subject
