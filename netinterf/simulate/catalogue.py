"""The list of scenarios, and how to run one."""

import zlib
from functools import cache
from importlib import import_module

import numpy as np

from netinterf.errors import ParameterError
from netinterf.simulate.conditions import Conditions
from netinterf.simulate.scenario import Scenario
from netinterf.simulate.scene import Scene, Simulated

__all__ = ["perform", "run", "scenarios"]

MODULES = (
    "traffic",
    "reset_scenes",
    "tcp_china",
    "tcp_world",
    "tcp_payloads",
    "tcp_openings",
    "tcp_adaptive",
    "http_pages",
    "silence",
    "silence_connect",
    "sweeps",
    "filters",
    "quic_drops",
    "udp_drops",
    "interception",
    "dns_scenes",
    "dns_china",
    "dns_elsewhere",
    "dns_liars",
    "dns_upstream",
    "benign_dns_paths",
    "benign_dns_resolvers",
    "benign_dns_policy",
    "benign_dns_content",
    "rate_scenes",
    "rate_queues",
    "rate_freezes",
    "rate_handshakes",
    "benign_rates",
    "benign_losses",
    "benign_stalls",
    "benign_handshakes",
    "benign_tcp_ends",
    "benign_tcp_boxes",
    "benign_tcp_routes",
    "benign_tcp_fronts",
    "benign_tcp_local",
    "benign_tcp_probes",
    "benign_tcp_late",
    "benign_web_http",
    "benign_web_refusals",
    "benign_web_tls",
    "benign_web_quic",
    "benign_udp",
    "reach",
    "benign_reach",
)
"""The modules of :mod:`netinterf.simulate.plays`, in the order their scenarios are listed."""


@cache
def scenarios() -> tuple[Scenario, ...]:
    """List all scenarios."""
    rooms = (import_module(f"netinterf.simulate.plays.{name}") for name in MODULES)
    return tuple(play for room in rooms for play in room.PLAYS)


def run(scenario: str, seed: int, conditions: Conditions | None = None) -> Simulated:
    """Play a scenario.

    Args:
        scenario: Its name.
        seed: Any whole number from 0 on; the same seed gives the same bytes (with the same numpy).
        conditions: What to fix of how it is captured; the rest is drawn by seed.

    Raises:
        ParameterError: No scenario has this name, or the seed is negative.
    """
    known = {play.name: play for play in scenarios()}
    if scenario not in known:
        raise ParameterError("scenario", scenario, "one of " + ", ".join(known))
    if seed < 0:
        raise ParameterError("seed", seed, "a whole number from 0 on")
    return perform(known[scenario], seed, conditions)


def perform(play: Scenario, seed: int, conditions: Conditions | None = None) -> Simulated:
    """Play a scenario that need not be listed; see `run`."""
    rng = np.random.default_rng([seed, zlib.crc32(play.name.encode())])
    settled = (conditions or Conditions()).drawn(rng, play.vantages)
    scene = Scene(play.name, seed, settled, rng, system=play.system, confounder=play.confounder, family=play.family)
    play.play(scene)
    return scene.finish()
