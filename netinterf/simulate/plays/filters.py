"""Protocol filters: on some ports only what looks like a known protocol goes on, or whatever looks like noise stops."""

from functools import partial
from typing import Any

import numpy as np

from netinterf.simulate.boxes.matchers import fully_encrypted, unknown_protocol
from netinterf.simulate.boxes.silencer import BOTH, UP, Silencer
from netinterf.simulate.documented import SYSTEMS
from netinterf.simulate.hosts.app import Turn
from netinterf.simulate.network.path import Station
from netinterf.simulate.plays.other_protocols import noise_script, unknown_script
from netinterf.simulate.plays.silence_stage import Build, Targets, near, silence, spread
from netinterf.simulate.scenario import ANYWHERE, Scenario
from netinterf.simulate.talks import web_script

__all__ = ["PLAYS"]


def box(targets: Targets, **fields: Any) -> list[Station]:
    """Make one silencer that filters by protocol."""
    settings: dict[str, Any] = {"mechanism": "protocol.filter", "directions": UP, **fields}
    return [Silencer(world=targets.scene.world, **settings)]


def iran_2020(targets: Targets) -> list[Station]:
    """Want DNS, HTTP or TLS in one of the first packets on three ports; every retransmission renews the silence."""
    looks = int(targets.rng.choice([1, 2, 2]))
    matches = unknown_protocol(frozenset({53, 80, 443}), looks=looks, servers=targets.servers)
    return box(targets, matches=matches, lasts=spread(targets.rng, 60e9), renewed=True)


def iran_2024(targets: Targets) -> list[Station]:
    """Let about six packets of an unknown protocol pass, on any port."""
    low = max(2, min(8, int(near(targets.rng, 6, spread=0.3)) - 3))
    return box(
        targets, matches=unknown_protocol(frozenset(), looks=1), grace=(low, low + 2), lasts=spread(targets.rng, 300e9),
        directions=BOTH if targets.rng.random() < 0.5 else UP,
    )  # fmt: skip


def encrypted(targets: Targets) -> list[Station]:
    """Take noise for a proxy one time in four, at some addresses; the 3-tuple stays silent."""
    servers = targets.servers
    return box(
        targets, matches=lambda packet, stream: packet.destination in servers and fully_encrypted(packet, stream),
        lasts=spread(targets.rng, 180e9), scope="server", share=near(targets.rng, 0.263, spread=0.3),
    )  # fmt: skip


def generic(targets: Targets) -> list[Station]:
    """Filter by protocol in any way."""
    rng = targets.rng
    return box(
        targets, matches=unknown_protocol(frozenset(), looks=int(rng.integers(1, 3))),
        grace=(0, int(rng.integers(0, 4))), lasts=spread(rng, float(rng.choice([60e9, 180e9]))),
        scope=str(rng.choice(["flow", "server"])), directions=BOTH if rng.random() < 0.5 else UP,
        renewed=bool(rng.random() < 0.5),
    )  # fmt: skip


def careful(targets: Targets) -> list[Station]:
    """Pass for a bad path: some packets get through, and only some connections are hit."""
    rng = targets.rng
    return box(
        targets, matches=unknown_protocol(frozenset(), looks=1), grace=(2, 3 + int(rng.integers(0, 4))),
        leak=float(rng.uniform(0.05, 0.35)), share=float(rng.uniform(0.5, 1)), directions=BOTH,
        lasts=spread(rng, float(rng.choice([15e9, 40e9, 120e9]))),
    )  # fmt: skip


def strange(rng: np.random.Generator, name: str, listed: bool) -> list[Turn]:
    """Speak something unknown to listed servers, TLS to others."""
    return unknown_script(rng) if listed else web_script(rng, name, 443)


def noise(rng: np.random.Generator, name: str, listed: bool) -> list[Turn]:
    """Speak noise to listed servers, TLS to others."""
    return noise_script(rng) if listed else web_script(rng, name, 443)


def scenario(system: str, form: str, build: Build, says: str = "", **stage: Any) -> Scenario:
    """Write one entry of the list."""
    play = partial(silence, build=build, **{"shared": 0.0, "script": strange, **stage})
    return Scenario(
        f"protocol.filter.{form}",
        says or SYSTEMS[system].says,
        "protocol.filter",
        play,
        ANYWHERE,
        system=system,
        family="tcp",
    )


PLAYS = (
    scenario("ir.protocol-filter-2020", "iran-2020", iran_2020, residual=60, same_port=0.5),
    scenario("ir.protocol-allowlist-2024", "iran-2024", iran_2024, ports=(443, 8080, 9443)),
    scenario("cn.gfw-encrypted", "gfw-encrypted", encrypted, script=noise, ports=(443, 8388, 10443), residual=180),
    scenario("generic", "generic", generic, "Connections of unknown protocols are silenced.", ports=(443, 8443)),
    scenario("adaptive", "adaptive", careful, "Unknown protocols seem to have a bad path.", count=(3, 5)),
)
