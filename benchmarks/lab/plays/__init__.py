"""The scenarios of the lab."""

from benchmarks.lab.plays import benign_path, benign_tcp, contents, rates, resets, silences
from benchmarks.lab.plays.brief import brief
from benchmarks.lab.scenario import Scenario

__all__ = ["SCENARIOS", "WHOLE"]

WHOLE: tuple[Scenario, ...] = (
    *resets.PLAYS,
    *silences.PLAYS,
    *contents.PLAYS,
    *rates.PLAYS,
    *benign_tcp.PLAYS,
    *benign_path.PLAYS,
)
"""All plays to their end, interference first."""

SCENARIOS: tuple[Scenario, ...] = (*WHOLE, *map(brief, WHOLE))
"""All scenarios: each play, and as a short capture shows it."""
