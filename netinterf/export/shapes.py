"""The JSON Schema of what is printed: what programs outside may rely on in a line of the verdict format.

Every key is required, but for that of joined files; what may be unknown may be null. Keys that are not named are
allowed, since it grows.
Keys and types are those that lines and frames are written by (`written.format`), so they cannot part.

Source: JSON Schema, draft 2020-12.
"""

from typing import Any

from netinterf.comparison.units import Finding
from netinterf.export.campaign import CAMPAIGN, CELL, SETTLED
from netinterf.export.comparison import CHANGE, COMPARED, COMPARISON
from netinterf.pooling import grades
from netinterf.schema import Grade, Outcome
from netinterf.written.format import ANOMALY, CAPTURE, END, ERROR, FILES, SCHEMA, VERDICT

__all__ = ["json_schema", "line_schema"]

TYPES = {"string": "string", "float64": "number", "int32": "integer", "int64": "integer", "bool": "boolean"}

KNOWN = {
    *("capture", "subject", "kind", "outcome", "grade", "probability", "q_value", "explanation"),
    *("rule", "llr", "code", "says", "message", "value", "system", "score"),
    *("members", "affected", "share", "share_low", "share_high"),
    *("transport", "finding", "here", "there", "own", "contrast", "attempts", "answered", "failed", "unknown"),
    *("fact", "ordinary", "alike", "peers"),
    *("side", "state", "findings", "changes", "failed_before", "attempts_before", "failed_after", "attempts_after"),
}
"""Keys that are never null. Lists are never null either."""

LINES = {
    "capture": CAPTURE,
    "verdict": VERDICT,
    "anomaly": ANOMALY,
    "compared": COMPARED,
    "comparison": COMPARISON,
    "change": CHANGE,
    "campaign": CAMPAIGN,
    "cell": CELL,
    "settled": SETTLED,
    "error": ERROR,
    "end": END,
}
"""Keys of each kind of line."""

OPTIONAL = {"capture": FILES}
"""Keys that only some lines of a kind have."""

WORDS = {
    "outcome": [outcome.value for outcome in Outcome],
    "grade": [grade.value for grade in Grade],
    "finding": list(dict.fromkeys(finding.value for finding in (*Finding, *grades.Finding))),
}
"""Values that a key can take."""


def json_schema() -> dict[str, Any]:
    """Build the JSON Schema of one line: a capture's or a verdict's, or one of a comparison or a campaign."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "netinterf, one line of output",
        "oneOf": [line_schema(kind) for kind in LINES],
    }


def line_schema(kind: str) -> dict[str, Any]:
    """Describe one kind of line, by its type."""
    described, further = _type(LINES[kind]), _type(OPTIONAL.get(kind, {}))
    head = {"type": {"const": kind}, "schema": {"const": SCHEMA}}
    return {
        "type": "object",
        "properties": {**head, **described["properties"], **further["properties"]},
        "required": [*head, *described["required"]],
    }


def _type(description: Any) -> dict[str, Any]:
    """Describe a value that is not null."""
    if isinstance(description, dict):
        keys = {name: _key(name, inner) for name, inner in description.items()}
        return {"type": "object", "properties": keys, "required": list(keys)}
    if isinstance(description, list):
        return {"type": "array", "items": _type(description[0])}
    if isinstance(description, tuple):
        return {"type": "object", "additionalProperties": _nullable(_type(description[1]))}
    return {"type": "string", "format": "date-time"} if description == "time" else {"type": TYPES[description]}


def _key(name: str, description: Any) -> dict[str, Any]:
    """Describe the value of a key."""
    described = _type(description)
    if name in WORDS:
        described["enum"] = WORDS[name]
    return described if name in KNOWN or isinstance(description, list | tuple) else _nullable(described)


def _nullable(described: dict[str, Any]) -> dict[str, Any]:
    """Allow null besides."""
    return {**described, "type": [described["type"], "null"]}
