"""Tunnels and calls over UDP that are silenced by their first bytes, their size, or whom they are with."""

from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
import numpy as np

from netinterf.simulate.boxes.matchers import ClientStream, Matcher
from netinterf.simulate.boxes.silencer import BOTH, DOWN, UP, Blackhole, Silencer
from netinterf.simulate.documented import SYSTEMS
from netinterf.simulate.encode import UDP
from netinterf.simulate.hosts.manners import Manner, drawn_manner
from netinterf.simulate.hosts.stack import draw_client, draw_server
from netinterf.simulate.network.packet import Address, Packet
from netinterf.simulate.network.path import SECOND, Station
from netinterf.simulate.plays.quic_visits import quic_visit
from netinterf.simulate.plays.udp_talks import port_of, talk
from netinterf.simulate.scenario import Scenario
from netinterf.simulate.scene import Scene
from netinterf.simulate.talks import visit

__all__ = ["PLAYS"]

HALF_HOUR = (1.8e12, 1.8e12)  # ns: longer than any capture here
NEAR = ("client", "middle")
SPARED = (53, 443)  # DNS, and QUIC behind its Initials

Build = Callable[[Scene, frozenset[Address]], list[Station]]
"""Makes the boxes, told the addresses of the servers that they are after."""


def box(scene: Scene, **fields: Any) -> list[Station]:
    """Make one silencer for UDP."""
    settings: dict[str, Any] = {"mechanism": "udp.drop", "lasts": HALF_HOUR, **fields}
    return [Silencer(world=scene.world, **settings)]


def datagrams(fits: Callable[[bytes], bool]) -> Matcher:
    """Look at each datagram of a client by itself."""

    def matches(packet: Packet, _: ClientStream) -> bool:
        return packet.protocol == UDP and packet.dport not in SPARED and fits(packet.payload)

    return matches


def is_wireguard(payload: bytes) -> bool:
    """Say whether it is an initiation (type 1, 148 bytes)."""
    return payload[:4] == b"\1\0\0\0" and len(payload) == 148


def is_quic(payload: bytes) -> bool:
    """Say whether it is an Initial of version 1 (RFC 9000 §17.2)."""
    return len(payload) >= 1200 and payload[0] & 0xC0 == 0xC0 and payload[1:5] == b"\0\0\0\1"


def wireguard(scene: Scene, _: frozenset[Address]) -> list[Station]:
    """Drop initiations, or the answers to them, and what follows."""
    matches = datagrams(is_wireguard)
    return box(scene, matches=matches, directions=BOTH if scene.rng.random() < 0.5 else DOWN)


def tunnel(scene: Scene, _: frozenset[Address]) -> list[Station]:
    """Let about six packets of a tunnel pass, both ways counted, whatever it looks like; QUIC passes."""
    matches = datagrams(lambda payload: not is_quic(payload))
    low = int(scene.rng.integers(5, 7))
    return box(scene, matches=matches, grace=(low, low + 1), directions=BOTH if scene.rng.random() < 0.5 else DOWN)


def calls(scene: Scene, _: frozenset[Address]) -> list[Station]:
    """Drop what begins as STUN, and the call behind it."""
    matches = datagrams(lambda payload: payload[4:8] == b"\x21\x12\xa4\x42")
    return box(scene, matches=matches, grace=(0, 0) if scene.rng.random() < 0.6 else (1, 3), directions=BOTH)


def by_size(scene: Scene, _: frozenset[Address]) -> list[Station]:
    """Drop unknown UDP in packets below 1,473 bytes."""
    matches = datagrams(lambda payload: not is_quic(payload))
    return box(scene, matches=matches, directions=UP, spares=lambda packet: packet.size >= 1473)


def endpoints(scene: Scene, listed: frozenset[Address]) -> list[Station]:
    """Swallow UDP to some addresses."""
    hole = Blackhole(
        world=scene.world, mechanism="udp.drop", protocols=frozenset({UDP}), directions=UP,
        applies=lambda place, _: place in listed,
    )  # fmt: skip
    return [hole]


def generic(scene: Scene, listed: frozenset[Address]) -> list[Station]:
    """Drop by protocol or address in any way."""
    rng = scene.rng
    by_place = rng.random() < 0.4
    return box(
        scene,
        matches=lambda packet, _: (
            packet.protocol == UDP
            and packet.dport not in SPARED
            and (packet.destination in listed if by_place else not is_quic(packet.payload))
        ),
        directions=[BOTH, UP, DOWN][int(rng.integers(3))], grace=(0, int(rng.integers(0, 20))),
        scope=str(rng.choice(["flow", "server"])),
    )  # fmt: skip


def careful(scene: Scene, listed: frozenset[Address]) -> list[Station]:
    """Pass for a peer that left or a bad line: it strikes late, at some conversations, or lets some packets through."""
    rng = scene.rng
    matches = datagrams(lambda payload: not is_quic(payload))
    if rng.random() < 0.5:
        return box(scene, matches=matches, leak=float(rng.uniform(0.1, 0.4)), grace=(0, int(rng.integers(1, 9))))
    return box(
        scene, matches=lambda packet, stream: packet.destination in listed and matches(packet, stream),
        share=float(rng.uniform(0.5, 0.9)), grace=(10, int(rng.integers(11, 90))),
        directions=[BOTH, UP, DOWN][int(rng.integers(3))],
    )  # fmt: skip


def padded(manner: Manner, rng: np.random.Generator) -> Manner:
    """Make openings larger than what boxes are known to drop."""
    size = int(rng.integers(1446, 1472))
    return attrs.evolve(
        manner,
        opens=lambda chance: [*(one + chance.randbytes(size - len(one)) for one in manner.opens(chance)[-1:])],
        is_opening=lambda payload: len(payload) >= 1446 or manner.is_opening(payload),
        sizes=((1, 1446, 1472), manner.sizes[1]),
    )


def silenced(
    scene: Scene, *, build: Build, protocols: tuple[str, ...] = (), spared: tuple[str, ...] = (),
    by_place: bool = False, grows: bool = False,
) -> None:  # fmt: skip
    """Open tunnels or calls that a box is after, again and again, beside what it spares.

    Args:
        scene: Where it happens.
        build: Makes the boxes.
        protocols: What is spoken with the servers that the box is after; any when empty.
        spared: What the box lets pass, spoken with others in some captures.
        by_place: It goes by address: controls are the same protocol elsewhere, not others.
        grows: The client tries larger datagrams as well.
    """
    rng = scene.rng
    listed = scene.servers(int(rng.integers(1, 4)))
    others = scene.servers(int(rng.integers(2, 5)))
    names = scene.names(len(others))
    boxes, where = build(scene, frozenset(listed)), float(rng.uniform(0.03, 0.6))
    paths = {server: scene.lay_path(boxes, where=where) for server in [*listed, *others]}
    stack, hosts = draw_client(rng), {server: draw_server(rng) for server in [*listed, *others]}
    manner, other = drawn_manner(rng, *protocols), drawn_manner(rng, *(spared or ("stun",)))
    ports = {server: port_of(rng, manner) for server in [*listed, *others]}

    def call(at: float, server: Address, how: Manner, port: int) -> None:
        if grows and rng.random() < 0.3:
            how = padded(how, rng)
        talk(
            scene, paths[server], (server, port), how, at, stacks=(stack, hosts[server]),
            packets=min(300, int(rng.uniform(5, 25) * SECOND / how.cadence)) if server in listed else 40,
        )  # fmt: skip

    begin = 0.0
    plan = [*listed * int(rng.integers(1, 4)), *others]
    for order in rng.permutation(len(plan)):
        begin += float(rng.exponential(2.5 * SECOND))
        server = plan[order]
        if server in listed:
            call(begin, server, manner, ports[server])
            if rng.random() < 0.5:  # the same machine serves the web as well
                visit(scene, paths[server], server, names[0], begin + float(rng.uniform(0, 9)) * SECOND)
            continue
        name = names[others.index(server)]
        if by_place and rng.random() < 0.7:
            call(begin, server, manner, ports[server])
        elif spared and rng.random() < 0.4:
            call(begin, server, other, port_of(rng, other))
        elif rng.random() < 0.3:
            quic_visit(scene, paths[server], server, name, begin, stacks=(stack, hosts[server]))
        else:
            visit(scene, paths[server], server, name, begin, stacks=(stack, hosts[server]))
    last = others[-1]
    for _ in range(2):
        begin += float(rng.uniform(1, 8)) * SECOND
        visit(scene, paths[last], last, names[-1], begin, stacks=(stack, hosts[last]))


def scenario(system: str, form: str, build: Build, says: str = "", **stage: Any) -> Scenario:
    """Write one entry of the list."""
    play = partial(silenced, build=build, **stage)
    return Scenario(
        f"udp.drop.{form}", says or SYSTEMS[system].says, "udp.drop", play, NEAR, system=system, family="udp"
    )


PLAYS = (
    scenario("ru.tspu-wireguard", "wireguard", wireguard, protocols=("wireguard",), spared=("stun", "dtls", "noise")),
    scenario("ru.tspu-tunnel", "tunnel", tunnel, protocols=("wireguard", "amneziawg", "openvpn")),
    scenario("ru.tspu-calls", "calls", calls, protocols=("stun",), spared=("wireguard", "openvpn", "noise")),
    scenario("ir.udp-size", "by-size", by_size, protocols=("noise",), grows=True),
    scenario("ir.udp-endpoint", "endpoint", endpoints, by_place=True),
    scenario("generic", "generic", generic, "Tunnels or calls fall silent in some way."),
    scenario("adaptive", "adaptive", careful, "Tunnels or calls die as if their peers had left or the line were bad."),
)
