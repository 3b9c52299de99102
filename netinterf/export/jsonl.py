"""JSON lines: one object per line, in the words of the verdict contract."""

import json
import os
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from netinterf.engine.judged import Judged, Summary
from netinterf.engine.scan import Result
from netinterf.verdict.lines import SCHEMA, plain, verdict_line
from netinterf.verdict.record import iso_time

__all__ = ["capture_line", "dump", "jsonl", "lines"]


def capture_line(summary: Summary) -> dict[str, Any]:
    """Build the object of a capture's own line."""
    times = {"first": iso_time(summary.first), "last": iso_time(summary.last)}
    return {"type": "capture", "schema": SCHEMA, **plain(summary), **times}


def lines(judged: Judged, *, everything: bool = False) -> Iterator[str]:
    """Write one capture: its own line, then its verdicts; without line ends.

    Args:
        judged: What a scan kept of the capture.
        everything: Write one verdict for every flow and exchange, not only findings.
    """
    yield dump(capture_line(judged.summary))
    for verdict in judged.ledger if everything else judged.ledger.findings():
        yield dump(verdict_line(verdict))


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


def dump(document: dict[str, Any]) -> str:
    """Write an object as one line, without its end."""
    line = json.dumps(document, ensure_ascii=False, allow_nan=False)
    return line.encode("utf-8", "backslashreplace").decode("utf-8")  # a path may hold bytes that are no text
