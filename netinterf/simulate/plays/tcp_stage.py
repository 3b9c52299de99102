"""The stage of the forging scenarios: clients visit listed and harmless names while a forger watches."""

from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Any

import attrs
import numpy as np

from netinterf.simulate.boxes.forger import ForgedPacket, Forger, Rule, burst
from netinterf.simulate.boxes.handwriting import Handwriting
from netinterf.simulate.boxes.leveller import Leveller
from netinterf.simulate.documented import SYSTEMS
from netinterf.simulate.hosts.app import Turn
from netinterf.simulate.hosts.stack import draw_client, draw_server
from netinterf.simulate.network.packet import Address
from netinterf.simulate.network.path import SECOND, Station
from netinterf.simulate.scenario import ANYWHERE, Scenario
from netinterf.simulate.scene import Scene
from netinterf.simulate.talks import ordinary_apps, visit
from netinterf.values import frozen

__all__ = [
    "KEPT",
    "Build",
    "ScriptWriter",
    "Targets",
    "both_ends",
    "drawn_delay",
    "forging",
    "keeps",
    "published",
    "visits",
]

MOST_TRIES = 8
"""Retransmissions of the most stubborn server: one that nobody hears any more need not fill the capture for longer."""

ScriptWriter = Callable[[np.random.Generator, str, bool], list[Turn]]
"""Writes what client and server of a name say, depending on whether the name is listed."""


@frozen(eq=False)
class Targets:
    """What the forger of one run is after."""

    rng: np.random.Generator
    names: tuple[str, ...]  # listed ones
    servers: frozenset[Address]  # of the listed names

    @property
    def words(self) -> frozenset[bytes]:
        """The listed names as they occur in packets."""
        return frozenset(name.encode() for name in self.names)


Build = Callable[[Targets], tuple[Rule, ...]]
"""Makes the rules of the forger of one run."""


KEPT = ContextVar("kept", default=1 / 3)
"""Probability that a forger of one run keeps a mark as it was published. Detection must not depend on marks, so most
runs change them; whether a system is named rightly can only be asked of those that keep theirs."""


def published(rng: np.random.Generator, value: int, low: int, high: int) -> int:
    """Draw a field: with probability `KEPT` the published *value*, else any from *low* to *high*."""
    return value if rng.random() < KEPT.get() else int(rng.integers(low, high + 1))


def keeps(rng: np.random.Generator, usual: float) -> bool:
    """Draw whether a forger has a habit that it was published with: with probability *usual*, or `KEPT` if more."""
    return bool(rng.random() < max(usual, KEPT.get()))


def drawn_delay(rng: np.random.Generator, centre: float) -> float:
    """Draw how long a forger takes, in ns, around *centre*: machines and loads differ several times."""
    return float(rng.lognormal(np.log(centre), 0.7))


def both_ends(
    form: Handwriting, flags: tuple[int, ...], *, step: int = 0, start: bool = False
) -> tuple[ForgedPacket, ...]:
    """Build the same burst towards client and server.

    Args:
        form: How its packets look.
        flags: Flags of each packet.
        step: Added to the sequence number from packet to packet.
        start: Towards the server the numbers are those of the trigger's start.
    """
    return burst(form, flags, step=step) + burst(form, flags, step=step, to_client=False, start=start)


def visits(
    scene: Scene, *, build: Build, ports: tuple[int, ...] = (443,), talk: ScriptWriter | None = None,
    inbound: float = 0.0, on_path: bool = True, by_address: bool = False, back_after: float = 0.0, least: int = 2,
    series: bool = False,
) -> None:  # fmt: skip
    """Visit several names, listed ones more often; the forger sees all of it.

    Args:
        scene: Where it happens.
        build: Makes the forger's rules.
        ports: The server port is one of these; 80 speaks HTTP, others TLS unless *talk* says otherwise.
        talk: What is said.
        inbound: Share of the runs in which the forger is on the side of the servers.
        on_path: The forger works on a copy, which may reach it earlier than the traffic gets on.
        by_address: The forger goes by addresses, so that listed and harmless names share none.
        back_after: The servers of listed names are visited once more after so many seconds, when no punishment lasts.
        least: Fewest visits of each listed name; for forgers that often let one pass or build on an earlier one.
        series: One connection alone cannot show it: headers and timing are the server's.
    """
    rng = scene.rng
    known = scene.names(int(rng.integers(4, 8)))
    listed = known[: int(rng.integers(1, 3))]
    stack, port = draw_client(rng), int(rng.choice(ports))
    servers = dict(zip(known, scene.servers(len(known)), strict=True))
    if not by_address and rng.random() < 0.5:
        servers[known[len(listed)]] = servers[listed[0]]  # a harmless neighbour on a listed name's address
    targets = Targets(rng, tuple(listed), frozenset(servers[name] for name in listed))
    lag = int(rng.uniform(0.2e6, 6e6)) if on_path and rng.random() < 0.4 else 0
    boxes: list[Station] = [Leveller(int(rng.integers(40, 255)))] if rng.random() < 0.15 else []
    stations = [*boxes, Forger(scene.world, build(targets), lag)]
    far, near = rng.uniform(0.5, 0.97), np.exp(rng.uniform(*np.log([0.015, 0.6])))
    where = float(far if rng.random() < inbound else near)
    middle, luck = bool(rng.random() < 0.5), float(scene.conditions.luck or 0.0)
    hosts = {
        address: attrs.evolve(host := draw_server(rng), tries=min(host.tries, MOST_TRIES))
        for address in dict.fromkeys(servers.values())
    }
    paths = {
        address: scene.lay_path(
            stations, rtt=float(rng.lognormal(np.log(9e7), 0.5)), where=where, middle=middle, luck=luck
        )
        for address in hosts
    }
    plan = [*listed * int(rng.integers(least, least + 3)), *known[len(listed) :] * int(rng.integers(1, 3))]
    begins = np.cumsum(rng.exponential(1.2 * SECOND, len(plan))).tolist()
    order = [plan[place] for place in rng.permutation(len(plan))]
    if back_after:
        order += listed
        begins += [begins[-1] + back_after * SECOND + float(rng.uniform(0, 9e9)) for _ in listed]
    for name, begin in zip(order, begins, strict=True):
        address = servers[name]
        visit(
            scene, paths[address], address, name, begin, port=port, stacks=(stack, hosts[address]),
            script=talk(rng, name, name in listed) if talk else None,
            apps=ordinary_apps(rng, 0) if talk and name in listed else None,  # no TLS alert ends an SSH session
            series=series and name in listed,
        )  # fmt: skip


def forging(
    mechanism: str, system: str, build: Build, says: str = "", *, vantages: tuple[str, ...] = ANYWHERE, **stage: Any
) -> Scenario:  # fmt: skip
    """Make a scenario of a forger.

    Args:
        mechanism: Word of the verdict format.
        system: Documented system; or a form that is nobody's, which then needs *says*.
        build: Makes its rules.
        says: What happens; what the documents say of the system when left out.
        vantages: Where the tap may be.
        stage: Further arguments of :func:`visits`.
    """
    return Scenario(
        f"{mechanism}.{system.replace('.', '-')}", says or SYSTEMS[system].says, mechanism,
        partial(visits, build=build, **stage),
        vantages, system=system if system in SYSTEMS else system.partition("-")[0], family=mechanism.partition(".")[0],
    )  # fmt: skip
