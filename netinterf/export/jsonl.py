"""JSON lines: one object per line, in the words of the verdict contract, version 1.

Every key is always present and null when unknown; times are ISO 8601 with nanoseconds; a number that JSON cannot hold
becomes null.
"""

import json
import math
import os
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

import attrs

from netinterf.engine.judged import Judged, Summary
from netinterf.engine.scan import Result
from netinterf.verdict.record import Verdict, iso_time

__all__ = ["SCHEMA", "capture_line", "jsonl", "lines", "verdict_line"]

SCHEMA = 1
"""Version of the contract; it only ever grows, so this changes only if a key ever changed its meaning."""


def capture_line(summary: Summary) -> dict[str, Any]:
    """Build the object of a capture's own line."""
    fields = attrs.asdict(summary)
    return {
        "type": "capture",
        "schema": SCHEMA,
        **fields,
        "first": iso_time(summary.first),
        "last": iso_time(summary.last),
        "link_types": list(summary.link_types),
        "diagnostics": list(fields["diagnostics"]),
    }


def verdict_line(verdict: Verdict) -> dict[str, Any]:
    """Build the object of one verdict's line."""
    fields = attrs.asdict(verdict, filter=attrs.filters.exclude("row", "ip_version"))
    return {
        "type": "verdict",
        "schema": SCHEMA,
        **fields,
        "outcome": verdict.outcome.value,
        "grade": verdict.grade.value,
        "start": iso_time(verdict.start),
        "end": iso_time(verdict.end),
        "explanation": verdict.explanation,
    }


def lines(judged: Judged, *, everything: bool = False) -> Iterator[str]:
    """Write one capture: its own line, then its verdicts; without line ends.

    Args:
        judged: What a scan kept of the capture.
        everything: Write one verdict for every flow and exchange, not only findings.
    """
    yield _dump(capture_line(judged.summary))
    for verdict in judged.ledger if everything else judged.ledger.findings():
        yield _dump(verdict_line(verdict))


def jsonl(
    result: Result | Iterable[Judged], target: str | os.PathLike[str] | TextIO, *, everything: bool = False
) -> None:
    """Write a whole result as JSON lines.

    Args:
        result: A scan's result, or the captures of one.
        target: A path (replaced when it exists) or a text file object.
        everything: Write one verdict for every flow and exchange, not only findings.
    """
    captures = result.judged if isinstance(result, Result) else result
    if isinstance(target, str | os.PathLike):
        with open(target, "w", encoding="utf-8", newline="\n") as file:
            jsonl(captures, file, everything=everything)
        return
    for judged in captures:
        target.writelines(line + "\n" for line in lines(judged, everything=everything))


def _dump(document: dict[str, Any]) -> str:
    return (
        json.dumps(_finite(document), ensure_ascii=False, allow_nan=False, separators=(", ", ": "))
        .encode("utf-8", "backslashreplace")
        .decode("utf-8")
    )


def _finite(value: Any) -> Any:
    """Replace what JSON cannot hold: not-a-number and infinities by null, tuples by lists."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return value
