"""Verdicts as one Arrow table, for notebooks and Parquet files: the keys of the verdict format, with types.

What is a mapping or a list in a JSON line is a struct or a list here. Times are timestamps in UTC. Every column has its
type whatever the rows hold, so tables of no verdicts, or of none with a trigger, join with others.
"""

from collections.abc import Iterable
from typing import Any

from netinterf.arrow import NOT_A_TIME, arrow_type, pyarrow
from netinterf.written.format import VERDICT, verdict_line
from netinterf.written.record import Verdict

__all__ = ["verdict_schema", "verdicts_to_arrow"]


def verdicts_to_arrow(verdicts: Iterable[Verdict]) -> Any:
    """Write verdicts out as one Arrow table.

    Args:
        verdicts: Those of a result, or some of them.

    Returns:
        A ``pyarrow.Table`` with the columns `format.VERDICT`.

    Raises:
        MissingExtra: pyarrow is not installed.
    """
    return pyarrow().Table.from_pylist([_row(verdict) for verdict in verdicts], schema=verdict_schema())


def verdict_schema() -> Any:
    """Give the ``pyarrow.Schema`` of `format.VERDICT`."""
    library = pyarrow()
    return library.schema([library.field(name, arrow_type(description)) for name, description in VERDICT.items()])


def _row(verdict: Verdict) -> dict[str, Any]:
    """Give the values of one verdict by column."""
    values = verdict_line(verdict)
    ends = (("start", verdict.start), ("end", verdict.end))
    times = {name: None if time == NOT_A_TIME else time for name, time in ends}
    evidence = [
        {**observation, "measured": list(observation["measured"].items())} for observation in values["evidence"]
    ]
    return {name: values[name] for name in VERDICT} | times | {"evidence": evidence}
