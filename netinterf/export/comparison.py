"""Comparisons as JSON lines: one object per unit and per change, and one that says what was compared.

Keys are always present and null when unknown, as in the lines of a scan; the words are those of the verdict format,
with ``finding`` beside them.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from netinterf.comparison.record import Change, ComparedUnit
from netinterf.comparison.units import Finding
from netinterf.engine.compare import Comparison
from netinterf.version import __version__
from netinterf.writing import dump
from netinterf.written.format import SCHEMA, end_line, error_line, shaped

__all__ = ["CHANGE", "COMPARED", "COMPARISON", "change_line", "comparison_line", "comparison_lines", "summary_line"]

SUBJECT = {"kind": "string", "name": "string", "server": "string", "transport": "string"}
COUNTS = {"attempts": "int64", "answered": "int64", "failed": "int64", "unknown": "int64", "unread": "int64"}
SHOWN = {"side": "string", "capture": "string", "first_frame": "int64", "frames": ["int64"], "state": "string"}

COMPARED: dict[str, Any] = {
    "here": ["string"],
    "there": ["string"],
    "findings": {finding.value: "int64" for finding in Finding},
    "changes": "int64",
    "version": "string",
    "model": "string",
}
COMPARISON: dict[str, Any] = {
    "subject": SUBJECT,
    "finding": "string",
    "outcome": "string",
    "grade": "string",
    "mechanism": "string",
    "probability": "float64",
    "q_value": "float64",
    "here": COUNTS,
    "there": COUNTS,
    "difference": "float64",
    "difference_low": "float64",
    "difference_high": "float64",
    "own": "float64",
    "contrast": "float64",
    "cause": "string",
    "reasons": [{"code": "string", "says": "string"}],
    "shown": [SHOWN],
    "start": "time",
    "end": "time",
    "explanation": "string",
}
CHANGE: dict[str, Any] = {
    "subject": SUBJECT,
    "failed_before": "int64",
    "attempts_before": "int64",
    "failed_after": "int64",
    "attempts_after": "int64",
    "last_name": "string",
    "after": "time",
    "before": "time",
    "q_value": "float64",
    "explanation": "string",
}
"""Keys of each kind of line and their types, as in `netinterf.written.format`."""

QUIET = (Finding.CLEAR, Finding.NOT_COMPARED)
"""Findings that are only written when everything is asked for."""


def summary_line(comparison: Comparison) -> dict[str, Any]:
    """Build the object that says what was compared, and how many units have each finding."""
    findings = comparison.contrasts.finding.tolist()
    return {
        "type": "compared",
        "schema": SCHEMA,
        "here": [judged.summary.capture for judged in comparison.here.judged],
        "there": [judged.summary.capture for judged in comparison.there.judged],
        "findings": {finding.value: findings.count(code) for code, finding in enumerate(Finding)},
        "changes": len(comparison.changes),
        "version": __version__,
        "model": comparison.here.judged[0].summary.model,
    }


def comparison_line(unit: ComparedUnit) -> dict[str, Any]:
    """Build the object of one unit."""
    return _line("comparison", COMPARISON, unit)


def change_line(change: Change) -> dict[str, Any]:
    """Build the object of one change."""
    return _line("change", CHANGE, change)


def _line(kind: str, keys: dict[str, Any], value: ComparedUnit | Change) -> dict[str, Any]:
    """Write what a line is about, which is an object of its own, and its other keys."""
    values = {name: shaped(value if name == "subject" else getattr(value, name), inner) for name, inner in keys.items()}
    return {"type": kind, "schema": SCHEMA, **values}


def comparison_lines(comparison: Comparison, *, everything: bool = False) -> Iterator[str]:
    """Write a comparison: what was compared, its units, its changes, what could not be read, and how many there were.

    Lines come without their ends.

    Args:
        comparison: What two sides show together.
        everything: Write one line for every unit, not only for those that fail here.
    """
    yield dump(summary_line(comparison))
    wanted = [finding for finding in Finding if everything or finding not in QUIET]
    objects = chain(map(comparison_line, comparison.units.of(*wanted)), map(change_line, comparison.changes))
    count = 0
    for one in objects:
        count += 1
        yield dump(one)
    sides = comparison.here, comparison.there
    yield from (dump(error_line(error)) for side in sides for error in side.errors)
    yield dump(end_line(sum(len(side.judged) for side in sides), count, sum(len(side.errors) for side in sides)))
