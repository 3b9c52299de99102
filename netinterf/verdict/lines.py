"""A verdict, or what stands out without one, as plain values, key by key as the verdict format, version 1, has it.

Every key is always present and null when unknown; times are ISO 8601 with nanoseconds; a number that JSON cannot hold
becomes null.
"""

import math
from functools import cache
from typing import Any

import attrs

from netinterf.verdict.record import Verdict, iso_time
from netinterf.verdict.unexplained import Unexplained

__all__ = ["SCHEMA", "anomaly_line", "plain", "verdict_line"]

SCHEMA = 1
"""Version of the verdict format; it only ever grows, so this changes only if a key ever changed its meaning."""


def verdict_line(verdict: Verdict) -> dict[str, Any]:
    """Build the object of one verdict's line."""
    times = {"start": iso_time(verdict.start), "end": iso_time(verdict.end)}
    return {"type": "verdict", "schema": SCHEMA, **plain(verdict), **times, "explanation": verdict.explanation}


def anomaly_line(odd: Unexplained) -> dict[str, Any]:
    """Build the object of the line of a subject that stands out and that no mechanism explains."""
    times = {"start": iso_time(odd.start), "end": iso_time(odd.end)}
    return {"type": "anomaly", "schema": SCHEMA, **plain(odd), **times}


def plain(value: Any) -> Any:
    """Bring a value into what JSON holds: objects as mappings, not-a-number and infinities as null.

    Of objects, the fields that their ``repr`` shows are written; the others are no part of the verdict format.
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
