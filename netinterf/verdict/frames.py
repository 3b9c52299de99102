"""Verdicts as one Arrow table, for notebooks and Parquet files: the keys of the verdict format, with types.

What is a mapping or a list in a JSON line is a struct or a list here. Times are timestamps in UTC. Every column has its
type whatever the rows hold, so tables of no verdicts, or of none with a trigger, join with others.
"""

from collections.abc import Iterable
from typing import Any

from netinterf.arrow import NOT_A_TIME, pyarrow
from netinterf.verdict.lines import verdict_line
from netinterf.verdict.record import Verdict

__all__ = ["ANOMALY", "COLUMNS", "verdict_schema", "verdicts_to_arrow"]

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
EVIDENCE = {"rule": "string", "says": "string", "llr": "float64", "frames": ["int64"], "measured": MEASURED}
SHARE = {
    "members": "int64",
    "affected": "int64",
    "share": "float64",
    "share_low": "float64",
    "share_high": "float64",
}

COLUMNS: dict[str, Any] = {
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
}
"""The verdict format's keys and their types: a word for a value, a mapping for a struct, a pair for a map."""

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
"""The same of what stands out and has no mechanism."""


def verdicts_to_arrow(verdicts: Iterable[Verdict]) -> Any:
    """Write verdicts out as one Arrow table.

    Args:
        verdicts: Those of a result, or some of them.

    Returns:
        A ``pyarrow.Table`` with the columns `COLUMNS`.

    Raises:
        MissingExtra: pyarrow is not installed.
    """
    return pyarrow().Table.from_pylist([_row(verdict) for verdict in verdicts], schema=verdict_schema())


def verdict_schema() -> Any:
    """Give the ``pyarrow.Schema`` of `COLUMNS`."""
    library = pyarrow()
    return library.schema([library.field(name, _type(library, told)) for name, told in COLUMNS.items()])


def _row(verdict: Verdict) -> dict[str, Any]:
    """Give the values of one verdict by column."""
    line = verdict_line(verdict)
    ends = (("start", verdict.start), ("end", verdict.end))
    times = {name: None if time == NOT_A_TIME else time for name, time in ends}
    seen = [{**one, "measured": list(one["measured"].items())} for one in line["evidence"]]
    return {name: line[name] for name in COLUMNS} | times | {"evidence": seen}


def _type(library: Any, told: Any) -> Any:
    """Turn a description into an Arrow type."""
    if isinstance(told, dict):
        return library.struct([library.field(name, _type(library, inner)) for name, inner in told.items()])
    if isinstance(told, list):
        return library.list_(_type(library, told[0]))
    if isinstance(told, tuple):
        return library.map_(*(_type(library, inner) for inner in told))
    return library.timestamp("ns", "UTC") if told == "time" else library.type_for_alias(told)
