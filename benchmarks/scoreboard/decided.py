"""What is found of what can be decided: by where a capture was taken, and by mechanism."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.scoreboard.counts import alarms, tally
from benchmarks.scoreboard.intervals import wilson
from benchmarks.scoreboard.judging import LIBRARY
from benchmarks.scoreboard.mechanisms import MECHANISMS
from benchmarks.scoreboard.units import Unit

__all__ = ["PARTS", "decided"]

PARTS: Mapping[str, tuple[str, str, str]] = {
    "short lab captures, client": ("lab", "client", ".brief"),
    "short lab captures, server": ("lab", "server", ".brief"),
    "simulator, client": ("simulator", "client", ""),
    "simulator, server": ("simulator", "server", ""),
}
"""Source, tap, and how names of scenarios end."""


def decided(units: Sequence[Unit]) -> dict[str, dict[str, Any]]:
    """Give, by part, the rates of each mechanism among decidable units, their means, and the false alarms.

    Units count with the mechanism that was at work first.
    """
    found = {}
    for part, (source, vantage, end) in PARTS.items():
        own = [
            unit for unit in units
            if unit.source == source and unit.where.get("vantage") == vantage and unit.scenario.endswith(end)
        ]  # fmt: skip
        rows = {word: row for word in MECHANISMS if (row := rates_of(own, word))}
        if rows:
            known = [row for row in rows.values() if row["decidable"]]
            wrong = alarms(own, LIBRARY)
            found[part] = {
                "mechanisms": rows,
                "likely": mean([row["likely"] for row in known]),
                "possible": mean([row["possible"] for row in known]),
                "alarms": wrong.alarms,
                "benign": wrong.units,
            }
    return found


def rates_of(units: Sequence[Unit], mechanism: str) -> dict[str, Any]:
    """Give the rates of one mechanism, empty where it was not at work."""
    own = [unit for unit in units if unit.mechanisms[:1] == (mechanism,)]
    clear = [unit for unit in own if unit.decidable]
    if not own:
        return {}
    counts = tally(clear, LIBRARY, mechanism)
    suspected = counts.found + counts.possible
    return {
        "units": len(own),
        "decidable": len(clear),
        "found": counts.found,
        "suspected": suspected,
        "likely": counts.found / len(clear) if clear else None,
        "likely_interval": wilson(counts.found, len(clear)) if clear else None,
        "possible": suspected / len(clear) if clear else None,
    }


def mean(shares: Sequence[float]) -> float | None:
    """Give the mean, every mechanism weighing the same."""
    return sum(shares) / len(shares) if shares else None
