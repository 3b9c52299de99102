"""SYNs that are swallowed by address, prefix or port, on the way out or on the way back."""

from functools import partial
from typing import Any

import numpy as np

from netinterf.simulate.boxes.silencer import BOTH, DOWN, UP, Blackhole
from netinterf.simulate.documented import SYSTEMS
from netinterf.simulate.hosts.app import App, Turn
from netinterf.simulate.hosts.stack import draw_client, draw_server
from netinterf.simulate.network.packet import Address
from netinterf.simulate.network.path import SECOND, Station
from netinterf.simulate.plays.other_protocols import smtp_script, ssh_script, unknown_script
from netinterf.simulate.scenario import Scenario
from netinterf.simulate.scene import Scene
from netinterf.simulate.talks import ordinary_apps, visit, web_script

__all__ = ["PLAYS"]

NEAR = ("client", "middle")
"""Where the tap must be when nothing of a blocked connection gets past the box."""


def prefix(place: Address) -> tuple[int, int]:
    """Give the /24 of an IPv4 address, the /48 of an IPv6 one."""
    return (place[0], place[1] >> 8) if place[0] == 0 else (place[0] >> 16, 0)


def swallowed(scene: Scene, *, by: str, kind: str, directions: frozenset[bool] = UP) -> None:
    """Visit servers of which some are beyond a black hole; clients try again, and other servers answer.

    Args:
        scene: Where it happens.
        by: What the hole goes by: address, prefix or port.
        kind: How it behaves: plain, or careful (only some flows, or only the first SYNs of each).
        directions: Directions in which packets vanish.
    """
    rng = scene.rng
    known = scene.names(int(rng.integers(5, 9)))
    places = dict(zip(known, scene.servers(len(known)), strict=True))
    ports = dict.fromkeys(known, 443)
    gone = set(known[: int(rng.integers(1, 3))])
    if by == "prefix":
        gone = {name for name in known if prefix(places[name]) == prefix(places[known[0]])} - {known[-1]}
        while prefix(places[known[-1]]) == prefix(places[known[0]]):
            places[known[-1]] = scene.servers(1)[0]
    if by == "port":
        ports |= {name: int(rng.choice([22, 25, 587, 853, 993, 5222, 8080, 8443, 9001])) for name in sorted(gone)}
    listed, closed = {places[name] for name in gone}, {ports[name] for name in gone}
    hole = Blackhole(
        world=scene.world, directions=directions,
        applies=lambda place, port: port in closed if by == "port" else place in listed,
        share=float(rng.uniform(0.6, 1)) if kind == "careful" else 1.0,
        patience=int(rng.integers(1, 5)) if kind == "careful" and rng.random() < 0.6 else 0,
    )  # fmt: skip
    boxes: list[Station] = [hole]
    where = float(rng.uniform(0.03, 0.6))
    middle = directions != DOWN or bool(rng.random() < 0.5)
    stack = draw_client(rng)
    begin, open_ones = 0.0, [name for name in known if name not in gone]
    plan = [*sorted(gone) * int(rng.integers(2, 4)), *open_ones * 2]
    paths = {name: scene.lay_path(boxes, where=where, middle=middle) for name in known}
    for order in rng.permutation(len(plan)):
        name = plan[order]
        begin += float(rng.exponential(1.5 * SECOND))
        client, server = ordinary_apps(rng, ports[name])
        apps = App(ending=client.ending, goodbye=client.goodbye, patience=float(rng.uniform(5, 60)) * SECOND), server
        visit(
            scene, paths[name], places[name], name, begin, port=ports[name], stacks=(stack, draw_server(rng)),
            apps=apps,
            script=port_script(rng, name, ports[name]), series=name in gone,
        )  # fmt: skip


def port_script(rng: np.random.Generator, name: str, port: int) -> list[Turn]:
    """Write what is spoken on a port."""
    if port in (22, 25, 587):
        return ssh_script(rng) if port == 22 else smtp_script(rng, name)
    return unknown_script(rng) if port == 9001 else web_script(rng, name, 443)


def scenario(system: str, form: str, says: str = "", *, vantages: tuple[str, ...] = NEAR, **fields: Any) -> Scenario:
    """Write one entry of the list."""
    play = partial(swallowed, **{"kind": "plain", **fields})
    return Scenario(
        f"tcp.connect.drop.{form}",
        says or SYSTEMS[system].says,
        "tcp.connect.drop",
        play,
        vantages,
        system=system,
        family="tcp",
    )


EVERYWHERE = ("client", "middle", "server")
PLAYS = (
    scenario("ru.tspu-ip", "tspu-ip", by="address", directions=BOTH),
    scenario("cn.gfw-null-route", "gfw-null-route", by="address"),
    scenario("ir.hosting-prefixes", "iran-prefixes", by="prefix"),
    scenario("ir.ports-2025", "iran-ports", by="port", directions=BOTH),
    scenario(
        "generic",
        "answers",
        "The SYN/ACKs of some addresses vanish.",
        by="address",
        directions=DOWN,
        vantages=EVERYWHERE,
    ),
    scenario("generic", "generic", "SYNs to a prefix vanish.", by="prefix", directions=BOTH),
    scenario(
        "adaptive", "adaptive", "Some SYNs vanish, or only the first of each connection.", by="address", kind="careful"
    ),
)
