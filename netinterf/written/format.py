"""The verdict format: the keys of each kind of line and their types, of which lines, frames and the schema are made.

A type is a word for a value (those of Arrow, and ``"time"``), a mapping for an object, a list of one for a list, a pair
for a mapping of names to values. What is not named here is not written. The format only ever grows
(docs/reference/verdict.md).
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from netinterf.errors import CaptureError
from netinterf.schema import Outcome
from netinterf.written.record import Verdict, iso_time

__all__ = [
    "ANOMALY",
    "CAPTURE",
    "END",
    "ERROR",
    "FILES",
    "SCHEMA",
    "VERDICT",
    "capture_line",
    "end_line",
    "error_line",
    "line",
    "shaped",
    "verdict_line",
]

SCHEMA = 1
"""Version of the format; it only ever grows, so this changes only if a key ever changed its meaning."""

SUBJECT = {
    "kind": "string",
    "protocol": "string",
    "client": "string",
    "client_port": "int32",
    "server": "string",
    "server_port": "int32",
    "name": "string",
    "first_frame": "int64",
    "query_type": "string",
    "query_id": "int32",
    "by": "string",
}
MEASURED = ("string", "float64")  # a map
EVIDENCE = {
    "rule": "string",
    "says": "string",
    "llr": "float64",
    "frames": ["int64"],
    "measured": MEASURED,
    "was": "string",
}
SHARE = {
    "members": "int64",
    "affected": "int64",
    "share": "float64",
    "share_low": "float64",
    "share_high": "float64",
}

VERDICT: dict[str, Any] = {
    "capture": "string",
    "subject": SUBJECT,
    "outcome": "string",
    "grade": "string",
    "mechanism": "string",
    "probability": "float64",
    "also": [{"mechanism": "string", "probability": "float64"}],
    "q_value": "float64",
    "evidence": [EVIDENCE],
    "reasons": [{"code": "string", "says": "string"}],
    "frames": ["int64"],
    "trigger": {"kind": "string", "value": "string", "frame": "int64"},
    "selective": "bool",
    "group": SHARE,
    "attribution": [{"system": "string", "score": "float64", "matched": ["string"]}],
    "start": "time",
    "end": "time",
    "explanation": "string",
    "anomaly": "float64",
    "community_id": "string",
    "ja4": "string",
}
"""One subject."""

ODD_FACT = {
    "fact": "string",
    "says": "string",
    "given": "string",
    "ordinary": "float64",
    "alike": "int64",
    "peers": "int64",
}

ANOMALY: dict[str, Any] = {
    "capture": "string",
    "subject": SUBJECT,
    "anomaly": "float64",
    "facts": [ODD_FACT],
    "start": "time",
    "end": "time",
}
"""What stands out and has no mechanism."""

DIAGNOSTIC = {"code": "string", "message": "string", "offset": "int64", "count": "int64"}

CAPTURE: dict[str, Any] = {
    "capture": "string",
    "packets": "int64",
    "flows": "int64",
    "exchanges": "int64",
    "outcomes": {outcome.value: "int64" for outcome in Outcome},
    "first": "time",
    "last": "time",
    "bytes": "int64",
    "vantage": "string",
    "link_types": ["int64"],
    "diagnostics": [DIAGNOSTIC],
    "version": "string",
    "model": "string",
}
"""One capture as a whole."""

FILES: dict[str, Any] = {"files": [{"path": "string", "first_frame": "int64"}]}
"""What the line of a capture has besides where it was joined from files."""

END: dict[str, Any] = {"captures": "int64", "verdicts": "int64", "errors": "int64"}
"""The last line of every stream, so that one that was cut off is recognised."""

ERROR: dict[str, Any] = {"capture": "string", "code": "string", "message": "string"}
"""A capture that could not be read."""


def line(kind: str, value: Any, description: dict[str, Any]) -> dict[str, Any]:
    """Build the object of one line.

    Args:
        kind: What the line is about.
        value: An object with an attribute for each key.
        description: The keys and their types.
    """
    return {"type": kind, "schema": SCHEMA, **shaped(value, description)}


def capture_line(summary: Any) -> dict[str, Any]:
    """Build the object of one capture's line."""
    return line("capture", summary, CAPTURE | FILES if summary.files else CAPTURE)


def verdict_line(verdict: Verdict) -> dict[str, Any]:
    """Build the object of one verdict's line."""
    return line("verdict", verdict, VERDICT)


def error_line(error: CaptureError) -> dict[str, Any]:
    """Build the object of a capture that could not be read."""
    return line("error", {"capture": error.source, "code": error.code, "message": error.message}, ERROR)


def end_line(captures: int, verdicts: int, errors: int) -> dict[str, Any]:
    """Build the object of the last line.

    Args:
        captures: How many captures were judged.
        verdicts: How many lines there are of what was asked for: verdicts, comparisons, changes, cells, explanations.
        errors: How many captures could not be read.
    """
    return line("end", {"captures": captures, "verdicts": verdicts, "errors": errors}, END)


def shaped(value: Any, description: Any, time: Callable[[int], Any] = iso_time) -> Any:
    """Bring a value into what JSON holds: every key is there; null is what is unknown, or no number in JSON.

    Args:
        value: What to write.
        description: Its type.
        time: Writes a point in time.
    """
    if value is None:
        return None
    if isinstance(description, dict):
        get = value.get if isinstance(value, dict) else partial(getattr, value)
        return {name: shaped(get(name), inner, time) for name, inner in description.items()}
    if isinstance(description, list):
        return [shaped(entry, description[0], time) for entry in value]
    if isinstance(description, tuple):
        return {name: shaped(entry, description[1], time) for name, entry in value.items()}
    if description == "time":
        return time(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
