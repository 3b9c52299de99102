"""QUIC that is silenced for the name or the version in its Initials; browsers then go on over TCP."""

from functools import partial
from typing import Any

from netinterf.simulate.boxes.matchers import quic_names, quic_version
from netinterf.simulate.boxes.silencer import BOTH, DOWN, UP, Blackhole, Silencer
from netinterf.simulate.documented import SYSTEMS
from netinterf.simulate.encode import UDP
from netinterf.simulate.hosts.quic_link import draw_habits
from netinterf.simulate.hosts.stack import draw_client, draw_server
from netinterf.simulate.messages.hellos import ECH, SHAPES, ech_outer
from netinterf.simulate.messages.quic import V1, V2
from netinterf.simulate.network.path import SECOND, Station
from netinterf.simulate.plays.quic_promises import KEPT, ask_ahead
from netinterf.simulate.plays.quic_visits import quic_visit
from netinterf.simulate.plays.silence_stage import Build, Targets, near, spread
from netinterf.simulate.scenario import Scenario
from netinterf.simulate.scene import Scene
from netinterf.simulate.talks import visit

__all__ = ["PLAYS"]

BOTH_VERSIONS = frozenset({V1, V2})
HALF_HOUR = (1.8e12, 1.8e12)  # ns: longer than any capture here
NEAR = ("client", "middle")
ANY = ("client", "middle", "server")


def box(targets: Targets, **fields: Any) -> list[Station]:
    """Make one silencer for QUIC."""
    settings: dict[str, Any] = {"mechanism": "quic.drop", "lasts": HALF_HOUR, **fields}
    return [Silencer(world=targets.scene.world, **settings)]


def tspu(targets: Targets) -> list[Station]:
    """Go by version and size, whatever the name; smaller datagrams and other versions pass."""
    least = int(near(targets.rng, 1001, spread=0.1))
    return box(targets, matches=quic_version(frozenset({V1}), least=min(1200, least)), lasts=spread(targets.rng, 420e9))


def tspu_names(targets: Targets) -> list[Station]:
    """Go by name in version 1; nothing of the flow passes."""
    return box(targets, matches=quic_names(targets.names, frozenset({V1}), joined=True, upward=False), directions=BOTH)


def tspu_ech(targets: Targets) -> list[Station]:
    """Go by outer name and ECH."""
    needs = frozenset({ECH})
    return box(targets, matches=quic_names(targets.names, BOTH_VERSIONS, joined=True, upward=False, needs=needs))


def gfw(targets: Targets) -> list[Station]:
    """Decrypt first datagrams that go to a lower port; after a while what the client sends vanishes, on the 3-tuple."""
    rng = targets.rng
    matches = quic_names(targets.names, frozenset({V1}), joined=False, upward=True)
    wait = near(rng, 110e6, spread=0.3)
    return box(
        targets, matches=matches, directions=UP, scope="server", lasts=spread(rng, 180e9), wait=(0.7 * wait, 1.7 * wait)
    )


def all_quic(targets: Targets) -> list[Station]:
    """Silence QUIC of any version to most addresses."""
    spared = {name for name in sorted(targets.others) if targets.rng.random() < 0.2}
    matches = quic_version(BOTH_VERSIONS)
    named = quic_names(frozenset(spared), BOTH_VERSIONS, joined=True, upward=False)
    return box(
        targets, matches=lambda packet, stream: matches(packet, stream) and not named(packet, stream),
        directions=BOTH if targets.rng.random() < 0.5 else UP,
    )  # fmt: skip


def endpoints(targets: Targets) -> list[Station]:
    """Swallow UDP to some addresses."""
    listed = targets.servers
    hole = Blackhole(
        world=targets.scene.world, mechanism="quic.drop", protocols=frozenset({UDP}), directions=UP,
        applies=lambda place, _: place in listed,
    )  # fmt: skip
    return [hole]


def generic(targets: Targets) -> list[Station]:
    """Drop by name in any way."""
    rng = targets.rng
    matches = quic_names(targets.names, BOTH_VERSIONS, joined=True, upward=False)
    return box(
        targets, matches=matches, directions=[BOTH, UP, DOWN][int(rng.integers(3))], grace=(0, int(rng.integers(0, 5))),
        scope=str(rng.choice(["flow", "server", "pair"])), lasts=spread(rng, float(rng.choice([60e9, 180e9, 420e9]))),
    )  # fmt: skip


def careful(targets: Targets) -> list[Station]:
    """Pass for a bad path: some datagrams get through, some visits are spared, or all ends late."""
    rng = targets.rng
    matches = quic_names(targets.names, BOTH_VERSIONS, joined=True, upward=False)
    if rng.random() < 0.5:
        return box(targets, matches=matches, leak=float(rng.uniform(0.1, 0.4)), grace=(0, int(rng.integers(1, 4))))
    return box(
        targets, matches=matches, share=float(rng.uniform(0.5, 0.9)), grace=(3, int(rng.integers(4, 9))),
        directions=[BOTH, UP, DOWN][int(rng.integers(3))],
    )  # fmt: skip


def silenced(scene: Scene, *, build: Build, residual: float = 0.0, ech: bool = False, all_names: bool = False,
    near_only: bool = True,
) -> None:  # fmt: skip
    """Visit names over QUIC, listed ones more often, with controls over QUIC or TCP.

    Args:
        scene: Where it happens.
        build: Makes the boxes.
        residual: Seconds that follow-ups are punished, about.
        ech: Listed names are outer ones and come with ECH.
        all_names: The box goes by version: controls are TCP, other versions, and whom it spares.
        near_only: A tap in the middle lies on the client's side of the box.
    """
    rng = scene.rng
    known = scene.names(int(rng.integers(4, 7)))
    listed = known[: int(rng.integers(1, 3))]
    places = dict(zip(known, scene.servers(len(known)), strict=True))
    targets = Targets(
        scene, frozenset(listed), frozenset(known) - frozenset(listed), frozenset(places[name] for name in listed)
    )
    boxes, where = build(targets), float(rng.uniform(0.03, 0.6))
    paths = {name: scene.lay_path(boxes, where=where, middle=near_only or bool(rng.random() < 0.6)) for name in known}
    stack, hosts = draw_client(rng), {name: draw_server(rng) for name in known}
    habits = {name: draw_habits(rng) for name in known}
    if rng.random() < 0.5:
        places[known[-1]], paths[known[-1]] = places[listed[0]], paths[listed[0]]

    def call(at: float, name: str, via: str, *, series: bool = False) -> None:
        fixed: dict[str, Any] = {"patience": habits[name].patience}
        extra = ((ECH, ech_outer(rng)),) if ech and name in listed else ()
        if ech and name in listed:
            fixed["shape"] = SHAPES["go"]
        if all_names and name not in listed and rng.random() < 0.4:
            fixed["version"] = V2
        quic_visit(
            scene, paths[via], places[via], name, at, habits=draw_habits(rng, **fixed), stacks=(stack, hosts[via]),
            extra=extra, series=series,
        )  # fmt: skip

    plan = [*listed * int(rng.integers(2, 5)), *known[len(listed) :] * 2]
    begin = ask_ahead(scene, places, KEPT)
    for order in rng.permutation(len(plan)):
        name = plan[order]
        begin += float(rng.exponential(1.5 * SECOND))
        if name not in listed and rng.random() < 0.35:
            visit(scene, paths[name], places[name], name, begin, stacks=(stack, hosts[name]))
            continue
        call(begin, name, name)
        if name in listed and residual:
            for share in rng.uniform(0.02, 1.3, int(rng.integers(1, 3))):
                call(begin + share * residual * SECOND, known[-1], name, series=True)
            begin += residual * float(rng.uniform(0, 0.1)) * SECOND
    name = known[-1]
    visit(scene, paths[name], places[name], name, begin + SECOND, stacks=(stack, hosts[name]))


def scenario(
    system: str, form: str, build: Build, says: str = "", *, vantages: tuple[str, ...] = NEAR, **stage: Any
) -> Scenario:
    """Write one entry of the list."""
    play = partial(silenced, build=build, **stage)
    return Scenario(
        f"quic.drop.{form}", says or SYSTEMS[system].says, "quic.drop", play, vantages, system=system, family="quic"
    )


PLAYS = (
    scenario("ru.tspu-quic", "tspu", tspu, all_names=True),
    scenario("ru.tspu-quic-sni", "tspu-sni", tspu_names),
    scenario("ru.tspu-ech-quic", "tspu-ech", tspu_ech, ech=True),
    scenario("cn.gfw-quic", "gfw", gfw, residual=180, vantages=ANY, near_only=False),
    scenario("ir.quic-off", "iran-off", all_quic, all_names=True),
    scenario("ir.udp-endpoint", "iran-endpoint", endpoints),
    scenario("generic", "generic", generic, "QUIC visits to listed names fall silent in some way."),
    scenario("adaptive", "adaptive", careful, "QUIC visits to listed names die as if of a bad path."),
)
