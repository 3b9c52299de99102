"""The scenarios of the lab."""

from benchmarks.lab.plays import benign_path, benign_tcp, contents, rates, resets, silences
from benchmarks.lab.scenario import Scenario

__all__ = ["SCENARIOS"]

SCENARIOS: tuple[Scenario, ...] = (
    *resets.PLAYS,
    *silences.PLAYS,
    *contents.PLAYS,
    *rates.PLAYS,
    *benign_tcp.PLAYS,
    *benign_path.PLAYS,
)
"""All scenarios, interference first."""
