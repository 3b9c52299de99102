"""What captures there are, what a scan of one finds, and what captures of two places or times show together."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np

from netinterf.assistants.pages import Page
from netinterf.assistants.shelf import Looked, Shelf
from netinterf.assistants.standins import beside
from netinterf.comparison.judge import FINDINGS
from netinterf.engine.compare import compared
from netinterf.engine.scan import Result
from netinterf.export.comparison import QUIET, change_line, comparison_line, summary_line
from netinterf.written.format import capture_line, verdict_line
from netinterf.written.record import iso_time

__all__ = ["compare", "list_captures", "scan"]


def list_captures(shelf: Shelf, arguments: dict[str, Any]) -> dict[str, Any]:
    """List the captures and stores of campaigns in the folder; of each its path is told, or it could not be named."""
    found, whole = shelf.listed()
    page = Page.asked(arguments, len(found))
    called = shelf.setting.standins.capture

    def written(begin: int, end: int) -> Iterator[dict[str, Any]]:
        for one in found[begin:end]:
            name = called(one.path)
            part = {"kind": one.kind, "path": name, "bytes": one.bytes, "modified": iso_time(one.modified)}
            yield beside(part, {name: one.path})

    return page.answer({"whole": whole}, len(found), written)


def scan(shelf: Shelf, arguments: dict[str, Any]) -> dict[str, Any]:
    """Judge a capture: its own line, and verdicts; findings alone, unless everything is asked for.

    Raises:
        RefusedPath: It may not be opened, or is too large.
        CaptureError: It cannot be read.
    """
    looked = shelf.looked(arguments["path"])
    page, ledger = Page.asked(arguments, looked.state), looked.judged.ledger
    first = np.arange(len(ledger.verdicts)) if arguments["everything"] else ledger.rows_found()
    rows = np.concatenate([first, np.arange(len(ledger.verdicts), len(ledger))])

    def written(begin: int, end: int) -> Iterator[dict[str, Any]]:
        return (beside(verdict_line(verdict), looked.told) for verdict in ledger.written(rows[begin:end]))

    return page.answer(beside(capture_line(looked.judged.summary), looked.told), len(rows), written)


def compare(shelf: Shelf, arguments: dict[str, Any]) -> dict[str, Any]:
    """Hold captures against others, name by name: what fails here and works there, and when that changed.

    Raises:
        RefusedPath: One may not be opened, or is too large.
        CaptureError: One cannot be read.
    """
    here, there = ([shelf.looked(path) for path in arguments[side]] for side in ("here", "there"))
    page = Page.asked(arguments, [looked.state for looked in (*here, *there)])
    comparison = compared(result_of(here), result_of(there), shelf.setting.options.model)
    told = {name: text for looked in (*here, *there) for name, text in looked.told.items()}
    wanted = [FINDINGS.index(one) for one in FINDINGS if arguments["everything"] or one not in QUIET]
    rows = np.flatnonzero(np.isin(comparison.contrasts.finding, wanted))
    changes = comparison.changes

    def written(begin: int, end: int) -> Iterator[dict[str, Any]]:
        units = map(comparison_line, comparison.units.written(rows[begin:end]))
        later = map(change_line, changes[max(begin - len(rows), 0) : max(end - len(rows), 0)])
        return (beside(part, told) for part in chain(units, later))

    return page.answer(beside(summary_line(comparison), told), len(rows) + len(changes), written)


def result_of(side: list[Looked]) -> Result:
    """Put the captures of one side together."""
    return Result(judged=tuple(looked.judged for looked in side))
