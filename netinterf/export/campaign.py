"""Campaigns as JSON lines and Parquet: one object per cell, and one that says what was judged.

Keys are always present and null when unknown, as in the lines of a scan; the words are those of the verdict format,
with ``finding`` beside them. A stream ends with a line that counts what was written, so that a cut-off one is seen.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any, BinaryIO

from netinterf.arrow import arrow_type, parquet_writer, pyarrow
from netinterf.campaign.daily import by_day
from netinterf.campaign.record import Cell
from netinterf.campaign.report import Report
from netinterf.pooling.grades import Finding
from netinterf.writing import dump
from netinterf.written.format import SCHEMA, line, shaped

__all__ = ["CAMPAIGN", "CELL", "END", "campaign_lines", "campaign_parquet"]

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
    "contrast": "float64",
    "cause": "string",
    "began": MOMENT,
    "ended": MOMENT,
    "start": "time",
    "end": "time",
    "settled": "int64",
    "shown": [{"capture": "string", "frames": ["int64"], "states": ["string"]}],
    "reasons": [{"code": "string", "says": "string"}],
    "explanation": "string",
}
END: dict[str, Any] = {"captures": "int64", "verdicts": "int64", "errors": "int64"}
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
    summary, count = report.summary, 0
    yield dump(line("campaign", summary, CAMPAIGN))
    for cell in cells_of(report, everything, daily):
        yield dump({"type": "cell", "schema": SCHEMA, **values(cell, shaped)})
        count += 1
    yield dump(line("end", {"captures": summary.captures, "verdicts": count, "errors": summary.errors}, END))


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
    library, cells = pyarrow(), cells_of(report, everything, daily)
    schema = library.schema([library.field(name, arrow_type(description)) for name, description in CELL.items()])
    with parquet_writer(target, schema, "zstd") as writer:
        while block := [values(cell, partial(shaped, time=int)) for cell in islice(cells, BLOCK)]:
            writer.write_table(library.Table.from_pylist(block, schema=schema))


def values(cell: Cell, shape: Callable[[Any, Any], Any]) -> dict[str, Any]:
    """Give the values of a cell by key; what it is about is an object of its own."""
    return {name: shape(cell if name == "subject" else getattr(cell, name), keys) for name, keys in CELL.items()}
