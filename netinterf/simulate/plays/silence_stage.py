"""The stage of the silencing scenarios: visits to listed and harmless names, follow-ups, and clients that try again."""

from collections.abc import Callable

import attrs
import numpy as np

from netinterf.simulate.hosts.app import App, Ending, Turn
from netinterf.simulate.hosts.stack import Stack, draw_client, draw_server
from netinterf.simulate.messages.hellos import Shape
from netinterf.simulate.messages.tls import client_hello
from netinterf.simulate.network.packet import SYN, Address
from netinterf.simulate.network.path import SECOND, Path, Station
from netinterf.simulate.scene import Scene
from netinterf.simulate.talks import ordinary_apps, visit, web_script
from netinterf.values import frozen

__all__ = ["Build", "Script", "Targets", "near", "silence", "spread", "with_hello"]


@frozen(eq=False)
class Targets:
    """What the box of one run is after."""

    scene: Scene
    names: frozenset[str]  # listed ones
    others: frozenset[str]  # harmless ones
    servers: frozenset[Address]  # of the listed names

    @property
    def rng(self) -> np.random.Generator:
        """The source of chance of the run."""
        return self.scene.rng


AGAIN = 75
"""Seconds before a client uses a port again: Linux keeps a closed one for 60 s (TCP_TIMEWAIT_LEN)."""

Build = Callable[[Targets], list[Station]]
Script = Callable[[np.random.Generator, str, bool], list[Turn]]
"""Writes what client and server of a name say, depending on whether it is listed."""


def near(rng: np.random.Generator, value: float, *, spread: float = 0.5) -> float:
    """Draw around a published value: exactly it in one run of three, else log-normally about it."""
    return value if rng.random() < 1 / 3 else float(value * rng.lognormal(0, spread))


def spread(rng: np.random.Generator, value: float) -> tuple[float, float]:
    """Draw the range within which a box draws durations (ns) around a published one."""
    centre = near(rng, value)
    return centre * float(rng.uniform(0.8, 1)), centre * float(rng.uniform(1, 1.25))


def with_hello(
    rng: np.random.Generator, name: str, *, shape: Shape | None = None, extra: tuple[tuple[int, bytes], ...] = (),
    size: int = 0,
) -> list[Turn]:  # fmt: skip
    """Write an ordinary visit over TLS with a ClientHello of one's own choice."""
    first, *rest = web_script(rng, name, 443)
    return [attrs.evolve(first, payload=client_hello(name, rng, shape=shape, extra=extra, size=size)), *rest]


def browser(rng: np.random.Generator, port: int) -> tuple[App, App]:
    """Draw programs that lose patience: browsers within half a minute, servers after their own timers."""
    client, server = ordinary_apps(rng, port)
    client = attrs.evolve(client, patience=float(rng.uniform(4, 30)) * SECOND, resets=bool(rng.random() < 0.3))
    waits = [0.0, near(rng, 15e9), near(rng, 60e9, spread=0.3), 30e9]
    return client, attrs.evolve(server, patience=waits[int(rng.integers(4))])


def silence(
    scene: Scene, *, build: Build, ports: tuple[int, ...] = (443,), script: Script | None = None,
    residual: float = 0.0, same_port: float = 0.0, idle: bool = False, shared: float = 0.5,
    count: tuple[int, int] = (2, 4),
) -> None:  # fmt: skip
    """Visit several names while a box silences some visits.

    Args:
        scene: Where it happens.
        build: Makes the boxes.
        ports: The server port is one of these; 80 speaks HTTP, others TLS unless *script* says otherwise.
        script: What is said.
        residual: Seconds that the box punishes follow-ups, about; they are tried before and after. 0: none are made.
        same_port: Chance that follow-ups come from the port of the visit that was punished.
        idle: Connections are long, with pauses of seconds.
        shared: Chance that a listed name and a harmless one live at one address.
        count: Least and most visits to each listed name.
    """
    rng = scene.rng
    known = scene.names(int(rng.integers(4, 8)))
    listed = known[: int(rng.integers(1, 3))]
    places = dict(zip(known, scene.servers(len(known)), strict=True))
    boxes = build(
        Targets(
            scene, frozenset(listed), frozenset(known) - frozenset(listed), frozenset(places[name] for name in listed)
        )
    )
    port = int(ports[int(rng.integers(len(ports)))])
    where, middle = float(rng.uniform(0.03, 0.6)), bool(rng.random() < 0.6)
    paths = {
        name: scene.lay_path(boxes, rtt=float(rng.lognormal(np.log(8e7), 0.5)), where=where, middle=middle)
        for name in known
    }
    if rng.random() < shared:  # a harmless name at the address of a listed one
        places[known[-1]], paths[known[-1]] = places[listed[0]], paths[listed[0]]
    stack, hosts = draw_client(rng), {name: draw_server(rng) for name in known}

    def call(at: float, name: str, path: Path, place: Address, client: tuple[Address, int] | None = None) -> None:
        written = script(rng, name, name in listed) if script else web_script(rng, name, port)
        apps = browser(rng, port)
        if idle:
            apps = App(ending=Ending.CLOSE, patience=120e9), App()
        both: tuple[Stack, Stack] = stack, hosts[name]
        visit(scene, path, place, name, at, port=port, stacks=both, apps=apps, script=written, client=client)

    plan = [*listed * int(rng.integers(count[0], count[1] + 1)), *known[len(listed) :] * 2]
    begin = 0.0
    for order in rng.permutation(len(plan)):
        name = plan[order]
        begin += float(rng.exponential(1.5 * SECOND))
        source = scene.client, scene.next_port()
        call(begin, name, paths[name], places[name], source)
        if name in listed and residual:
            for share in sorted(rng.uniform(0.02, 1.3, int(rng.integers(1, 4)))):
                again = source if rng.random() < same_port else None
                call(
                    begin + (share * residual + (AGAIN if again else 0)) * SECOND,
                    known[-1],
                    paths[name],
                    places[name],
                    again,
                )
            begin += residual * float(rng.uniform(0, 0.1)) * SECOND
        elif name in listed and rng.random() < 0.6:  # the reader tries again
            call(begin + float(rng.uniform(2, 20)) * SECOND, name, paths[name], places[name])
    scene.afterwards.append(lambda: settle(scene))


def settle(scene: Scene) -> None:
    """Mark conversations whose very first packet vanished: alone, they say nothing."""
    for subject, notes in scene.world.notes.items():
        if any(packet.flags & SYN for _, packet in notes):
            scene.conversations[subject].series = True
