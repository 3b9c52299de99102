"""JSON lines: one object per line, in the words of the verdict contract, version 1.

Every key is always present and null when unknown; times are ISO 8601 with nanoseconds; a number that JSON cannot hold
becomes null.
"""

import json
import math
import os
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, TextIO

import attrs

from netinterf.engine.judged import Judged, Summary
from netinterf.engine.scan import Result
from netinterf.verdict.record import Verdict, iso_time

__all__ = ["SCHEMA", "capture_line", "jsonl", "lines", "plain", "verdict_line"]

SCHEMA = 1
"""Version of the contract; it only ever grows, so this changes only if a key ever changed its meaning."""


def capture_line(summary: Summary) -> dict[str, Any]:
    """Build the object of a capture's own line."""
    times = {"first": iso_time(summary.first), "last": iso_time(summary.last)}
    return {"type": "capture", "schema": SCHEMA, **plain(summary), **times}


def verdict_line(verdict: Verdict) -> dict[str, Any]:
    """Build the object of one verdict's line."""
    times = {"start": iso_time(verdict.start), "end": iso_time(verdict.end)}
    return {"type": "verdict", "schema": SCHEMA, **plain(verdict), **times, "explanation": verdict.explanation}


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


def plain(value: Any) -> Any:
    """Bring a value into what JSON holds: objects as mappings, not-a-number and infinities as null.

    Of objects, the fields that their ``repr`` shows are written; the others are no part of the contract.
    """
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    kind: Any = type(value)
    return {name: plain(getattr(value, name)) for name in _fields(kind)}


@cache
def _fields(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in attrs.fields(kind) if field.repr)


def _dump(document: dict[str, Any]) -> str:
    line = json.dumps(document, ensure_ascii=False, allow_nan=False)
    return line.encode("utf-8", "backslashreplace").decode("utf-8")  # a path may hold bytes that are no text
