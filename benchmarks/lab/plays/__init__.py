"""The scenarios of the lab."""

from benchmarks.lab.plays import resets
from benchmarks.lab.scenario import Scenario

__all__ = ["SCENARIOS"]

SCENARIOS: tuple[Scenario, ...] = (*resets.PLAYS,)
"""All scenarios, interference first."""
