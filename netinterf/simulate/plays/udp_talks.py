"""Conversations over UDP that are not QUIC, to be scheduled: tunnels, calls, sensors."""

from collections.abc import Callable
from functools import partial

import numpy as np

from netinterf.simulate.hosts.datagrams import speak
from netinterf.simulate.hosts.manners import Manner
from netinterf.simulate.hosts.stack import Stack
from netinterf.simulate.network.packet import Address
from netinterf.simulate.network.path import Path
from netinterf.simulate.scene import Conversation, Scene

__all__ = ["port_of", "talk"]

PORTS = {"wireguard": 51_820, "amneziawg": 51_820, "openvpn": 1194, "stun": 3478, "dtls": 443, "mtproto": 599}
"""Where protocols are served; half of the servers take another port."""


def port_of(rng: np.random.Generator, manner: Manner) -> int:
    """Draw the port that a server of a protocol listens at."""
    usual = PORTS.get(manner.name, 0)
    return usual if usual and rng.random() < 0.5 else int(rng.integers(1024, 65_000))


def talk(
    scene: Scene, path: Path, server: tuple[Address, int], manner: Manner, begin: float, *,
    stacks: tuple[Stack, Stack], packets: int, client: tuple[Address, int] | None = None, look_alike: bool = False,
    series: bool = False, leaves: int = -1, deaf: bool = False, pauses: Callable[[], float] | None = None,
    renews: bool = True,
) -> int:  # fmt: skip
    """Schedule one conversation; what is not named here is of `speak`.

    Args:
        scene: Where it happens.
        path: The way to the server.
        server: Address and port.
        manner: What is spoken.
        begin: When the opening leaves, ns from now.
        stacks: Habits of both hosts.
        packets: That the client sends once it is answered.
        client: Address and port; the scene's own and the next port when left out.
        look_alike: Whether it plays the scenario's benign look-alike.
        series: Whether it is decidable only together with others.
        leaves: See `speak`.
        deaf: See `speak`.
        pauses: See `speak`.
        renews: See `speak`.

    Returns:
        Number of the conversation.
    """
    subject = scene.converse(Conversation("flow", "udp", "", look_alike=look_alike, series=series))
    begins = partial(
        speak, path, manner=manner, client=client or (scene.client, scene.next_port()), server=server, stacks=stacks,
        subject=subject, packets=packets, leaves=leaves, deaf=deaf, pauses=pauses, renews=renews,
    )  # fmt: skip
    scene.world.after(begin, begins)
    return subject
