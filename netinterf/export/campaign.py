"""Campaigns as JSON lines and Parquet: one object per cell, and one that says what was judged.

Or, in the place of cells, one for each verdict of a single capture that all captures together settle.

Keys are always present and null when unknown, as in the lines of a scan; the words are those of the verdict format,
with ``finding`` beside them. A stream ends with a line that counts what was written, so that a cut-off one is seen.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any, BinaryIO

from netinterf.arrow import arrow_type, parquet_writer, pyarrow
from netinterf.campaign.judged.daily import by_day
from netinterf.campaign.judged.record import Cell, Settled
from netinterf.campaign.judged.report import Report
from netinterf.pooling.grades import Finding
from netinterf.writing import dump
from netinterf.written.format import SCHEMA, end_line, line, shaped

__all__ = [
    "CAMPAIGN",
    "CELL",
    "SETTLED",
    "campaign_lines",
    "campaign_parquet",
    "settled_lines",
    "settled_parquet",
]

MOMENT = {"after": "time", "before": "time", "likely": "time"}
NETWORK = {"place": "string", "asn": "int64", "country": "string"}
SUBJECT = {"kind": "string", "name": "string", "suffix": "string", "server": "string", "transport": "string"}
HERE = {
    "captures": "int64",
    "failing": "int64",
    "attempts": "int64",
    "answered": "int64",
    "heard": "int64",
    "broken": "int64",
    "silent": "int64",
    "struck": "int64",
    "unknown": "int64",
    "unread": "int64",
    "cut_off": "int64",
}
SETTLES = {
    "capture": "string",
    "start": "time",
    "attempts": "int64",
    "frames": ["int64"],
    "states": ["string"],
    "lines": ["int64"],
    "mechanism": "string",
    "probability": "float64",
    "alone": "float64",
}

CAMPAIGN: dict[str, Any] = {
    "store": "string",
    "captures": "int64",
    "errors": "int64",
    "networks": [NETWORK],
    "observations": "int64",
    "cells": "int64",
    "findings": {finding.value: "int64" for finding in Finding},
    "first": "time",
    "last": "time",
    "version": "string",
    "model": "string",
}
CELL: dict[str, Any] = {
    "subject": SUBJECT,
    "network": NETWORK,
    "finding": "string",
    "outcome": "string",
    "grade": "string",
    "mechanism": "string",
    "probability": "float64",
    "q_value": "float64",
    "here": HERE,
    "there": {"networks": "int64", "answered": "int64", "failed": "int64"},
    "own": "float64",
    "answers": "float64",
    "contrast": "float64",
    "cause": "string",
    "began": MOMENT,
    "ended": MOMENT,
    "start": "time",
    "end": "time",
    "settled": "int64",
    "settles": [SETTLES],
    "shown": [{"capture": "string", "frames": ["int64"], "states": ["string"], "lines": ["int64"]}],
    "reasons": [{"code": "string", "says": "string"}],
    "explanation": "string",
}
SETTLED: dict[str, Any] = {
    "subject": SUBJECT,
    "network": NETWORK,
    "outcome": "string",
    "grade": "string",
    **SETTLES,
}
"""Keys of each kind of line and their types, as in `netinterf.written.format`."""

QUIET = (Finding.CLEAR, Finding.NOT_SHOWN)
"""Findings that are only written when everything is asked for."""

BLOCK = 4096
"""Cells that are written at a time."""


def wanted(everything: bool) -> list[Finding]:
    """List the findings that are written."""
    return [finding for finding in Finding if everything or finding not in QUIET]


def cells_of(report: Report, everything: bool, daily: bool) -> Iterator[Cell]:
    """Walk the cells that are written, whole or day by day."""
    return by_day(report, wanted(everything)) if daily else report.of(*wanted(everything))


def campaign_lines(report: Report, *, everything: bool = False, daily: bool = False) -> Iterator[str]:
    """Write a campaign as JSON lines, without line ends: what was judged, its cells, and how many there were.

    Args:
        report: What the campaign shows.
        everything: Also write what works, and what the captures do not show.
        daily: One cell for each day on which it was tried.
    """
    return lines_of(report, "cell", (cell_values(cell, shaped) for cell in cells_of(report, everything, daily)))


def settled_lines(report: Report) -> Iterator[str]:
    """Write as JSON lines which verdicts of single captures all of them settle, the surest cell first, then by time."""
    return lines_of(report, "settled", (settled_values(*pair, shaped) for pair in report.settled()))


def campaign_parquet(report: Report, target: BinaryIO, *, everything: bool = False, daily: bool = False) -> None:
    """Write the cells of a campaign as one Parquet file: keys as columns, times as timestamps.

    Args:
        report: What the campaign shows.
        target: A binary file.
        everything: Also write what works, and what the captures do not show.
        daily: One cell for each day on which it was tried.

    Raises:
        MissingExtra: pyarrow is not installed.
    """
    write_table(target, CELL, (cell_values(cell, AS_NUMBERS) for cell in cells_of(report, everything, daily)))


def settled_parquet(report: Report, target: BinaryIO) -> None:
    """Write what `settled_lines` tells as one Parquet file.

    Raises:
        MissingExtra: pyarrow is not installed.
    """
    write_table(target, SETTLED, (settled_values(*pair, AS_NUMBERS) for pair in report.settled()))


AS_NUMBERS = partial(shaped, time=int)
"""How values are shaped for tables."""


def lines_of(report: Report, kind: str, objects: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Write lines of one kind between what was judged and how many there were."""
    summary, count = report.summary, 0
    yield dump(line("campaign", summary, CAMPAIGN))
    for one in objects:
        yield dump({"type": kind, "schema": SCHEMA, **one})
        count += 1
    yield dump(end_line(summary.captures, count, summary.errors))


def write_table(target: BinaryIO, keys: dict[str, Any], rows: Iterator[dict[str, Any]]) -> None:
    """Write rows as one Parquet file, some at a time."""
    library = pyarrow()
    schema = library.schema([library.field(name, arrow_type(description)) for name, description in keys.items()])
    with parquet_writer(target, schema, "zstd") as writer:
        while block := list(islice(rows, BLOCK)):
            writer.write_table(library.Table.from_pylist(block, schema=schema))


def cell_values(cell: Cell, shape: Callable[[Any, Any], Any]) -> dict[str, Any]:
    """Give the values of a cell by key; what it is about is an object of its own."""
    return {name: shape(cell if name == "subject" else getattr(cell, name), keys) for name, keys in CELL.items()}


def settled_values(cell: Cell, one: Settled, shape: Callable[[Any, Any], Any]) -> dict[str, Any]:
    """Give the values of what a cell settles by key."""
    whose = {"subject": cell, "network": cell.network}
    return {name: shape(whose.get(name) or getattr(one, name), keys) for name, keys in SETTLED.items()}
