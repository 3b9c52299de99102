"""The named scenarios: what they play, and how to run one."""

import zlib
from collections.abc import Callable

import attrs
import numpy as np

from netinterf.errors import ParameterError
from netinterf.simulate import dns_scenes, rate_scenes, reset_scenes
from netinterf.simulate.scene import Scene, Simulated

__all__ = ["Scenario", "run", "scenarios"]


@attrs.frozen
class Scenario:
    """One play: its name, what happens in it, and the mechanism at work (None: nobody interferes)."""

    name: str
    says: str
    mechanism: str | None
    play: Callable[[Scene], None]
    vantages: tuple[str, ...] = ("client",)  # where the tap may be, drawn by seed


EITHER = ("server", "client")

PLAYS = (
    Scenario("browsing", "Visits over paths of mixed quality.", None, reset_scenes.browse, EITHER),
    Scenario("tcp.reset", "Visits to listed names are reset.", "tcp.reset", reset_scenes.injected_resets),
    Scenario("tcp.reset.benign", "Connections end in genuine resets.", None, reset_scenes.genuine_resets),
    Scenario("dns.injection", "Forged answers race true ones.", "dns.injection", dns_scenes.injected_answers),
    Scenario("dns.injection.benign", "Rotation, repeats, duplicates, losses.", None, dns_scenes.odd_answers),
    Scenario("rate.policing", "Token-bucket downloads.", "rate.policing", rate_scenes.limited_by_bucket, EITHER),
    Scenario("rate.policing.benign", "Queued or lossy downloads.", None, rate_scenes.limited_by_queue, EITHER),
)


def scenarios() -> tuple[Scenario, ...]:
    """List all scenarios."""
    return PLAYS


def run(scenario: str, seed: int) -> Simulated:
    """Play a scenario.

    Args:
        scenario: Its name.
        seed: Any whole number from 0 on; the same seed gives the same bytes (with the same numpy).

    Raises:
        ParameterError: No scenario has this name, or the seed is negative.
    """
    known = {play.name: play for play in PLAYS}
    if scenario not in known:
        raise ParameterError("scenario", scenario, "one of " + ", ".join(known))
    if seed < 0:
        raise ParameterError("seed", seed, "a whole number from 0 on")
    play = known[scenario]
    rng = np.random.default_rng([seed, zlib.crc32(scenario.encode())])
    vantage = play.vantages[int(rng.integers(len(play.vantages)))]
    scene = Scene(scenario, seed, vantage, rng)
    play.play(scene)
    return scene.finish()
