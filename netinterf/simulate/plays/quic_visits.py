"""Visits over QUIC, as browsers make them: they go on over TCP when nothing comes of it."""

from functools import partial

import numpy as np

from netinterf.simulate.hosts.quic import quic_connect
from netinterf.simulate.hosts.quic_link import Habits, draw_habits
from netinterf.simulate.hosts.stack import Stack, draw_client, draw_server
from netinterf.simulate.network.packet import Address
from netinterf.simulate.network.path import MILLISECOND, SECOND, Path
from netinterf.simulate.scene import Conversation, Scene
from netinterf.simulate.talks import visit

__all__ = ["quic_turns", "quic_visit"]


def quic_turns(rng: np.random.Generator) -> list[tuple[bool, int, float]]:
    """Write what is said after the handshake: one to three requests and their answers, as bytes and thinking time."""
    turns: list[tuple[bool, int, float]] = []
    for order in range(int(rng.integers(1, 4))):
        pause = float(rng.exponential(MILLISECOND) if order == 0 else rng.exponential(0.7 * SECOND))
        turns.append((True, int(rng.integers(80, 900)), pause))
        turns.append(
            (False, min(40_000, int(rng.lognormal(np.log(7_000), 0.9))), float(rng.exponential(9 * MILLISECOND)))
        )
    return turns


def quic_visit(
    scene: Scene, path: Path, server: Address, name: str, begin: float, *, habits: Habits | None = None,
    stacks: tuple[Stack, Stack] | None = None, client: tuple[Address, int] | None = None, fallback: float = 0.7,
    extra: tuple[tuple[int, bytes], ...] = (), look_alike: bool = False, series: bool = False,
) -> int:  # fmt: skip
    """Schedule one QUIC connection to port 443.

    Args:
        scene: Where it happens.
        path: The way to the server.
        server: Address of the server.
        name: Host name.
        begin: When the first Initial leaves, ns from now.
        habits: How client and server use QUIC; drawn when left out.
        stacks: Habits of the hosts; drawn when left out.
        client: Address and port of the client; the scene's own and the next port when left out.
        fallback: Chance that a client that gives up visits the same name over TCP.
        extra: Further extensions of the hello.
        look_alike: Whether it plays the scenario's benign look-alike.
        series: Whether it is decidable only together with others.

    Returns:
        Number of the conversation.
    """
    rng = scene.rng
    hosts = stacks or (draw_client(rng), draw_server(rng))
    falls = rng.random() < fallback

    def fall_back() -> None:
        if falls:
            visit(
                scene,
                path,
                server,
                name,
                0.0,
                stacks=hosts,
                client=None if client is None else (client[0], scene.next_port()),
            )

    subject = scene.converse(Conversation("flow", "udp", name, look_alike=look_alike, series=series))
    scene.world.after(
        begin,
        partial(
            quic_connect, path, client=client or (scene.client, scene.next_port()), server=(server, 443), stacks=hosts,
            subject=subject, name=name, habits=habits or draw_habits(rng), turns=quic_turns(rng),
            gives_up=fall_back, extra=extra,
        ),
    )  # fmt: skip
    return subject
