"""What the store of a campaign shows, cell by cell."""

import os
from collections.abc import Iterator
from typing import Any

import attrs

from netinterf.assistants.pages import Page
from netinterf.assistants.shelf import Shelf
from netinterf.assistants.standins import StandIns, beside
from netinterf.campaign.campaign import Campaign
from netinterf.campaign.judged.record import Cell
from netinterf.campaign.judged.report import Report
from netinterf.campaign.judged.words import reasons_of, says
from netinterf.errors import MissingExtra, ParameterError, RefusedPath, UsageError
from netinterf.export.campaign import CAMPAIGN, cell_values, wanted
from netinterf.table import Text
from netinterf.written.format import SCHEMA, line, shaped

__all__ = ["campaign_report"]


def campaign_report(shelf: Shelf, arguments: dict[str, Any]) -> dict[str, Any]:
    """Judge all that is in the store of a campaign together: each name and server in each network.

    Raises:
        RefusedPath: It may not be opened, or became another folder meanwhile.
        ParameterError: It is no store.
    """
    given, standins = shelf.path(arguments["path"]), shelf.setting.standins
    folder = shelf.root.folder(given)
    state = state_of(folder)
    report = shelf.kept((given, state), lambda: judged(folder, shelf))
    if shelf.root.folder(given) != folder or state_of(folder) != state:
        raise RefusedPath("this folder was changed while it was read: ask again")
    rows, page = report.rows(*wanted(arguments["everything"])), Page.asked(arguments, state)

    def written(begin: int, end: int) -> Iterator[dict[str, Any]]:
        for cell in report.written(rows[begin:end]):
            values = cell_values(renamed(cell, standins), shaped)
            yield beside({"type": "cell", "schema": SCHEMA, **values}, told(cell, standins))

    about = line("campaign", attrs.evolve(report.summary, store=standins.capture(given)), CAMPAIGN)
    return page.answer(beside(about, {}), len(rows), written)


def judged(folder: str, shelf: Shelf) -> Report:
    """Judge a store.

    Raises:
        ParameterError: It is none.
    """
    try:
        return Campaign(folder).report(model=shelf.setting.options.model)
    except MissingExtra:
        raise
    except UsageError:
        raise ParameterError("path", folder, "the store of a campaign, as this version can read it") from None


def state_of(folder: str) -> tuple[object, ...]:
    """Say which folder it is, and which files it holds in what state."""
    status = os.stat(folder)
    files = (os.path.join(at, name) for at, _, names in os.walk(folder) for name in names)
    held = sorted((path, (entry := os.stat(path)).st_size, entry.st_mtime_ns) for path in files)
    return status.st_dev, status.st_ino, *held


def renamed(cell: Cell, standins: StandIns) -> Cell:
    """Put stand-ins in the place of names in a cell, and say again what was found."""
    other: dict[str, Any] = {word: standins.name(text) for word, text in names_of(cell).items()}
    for word in ("shown", "settles"):
        other[word] = tuple(attrs.evolve(one, capture=standins.capture(one.capture)) for one in getattr(cell, word))
    cell = attrs.evolve(cell, **other)
    return attrs.evolve(cell, reasons=reasons_of(cell), explanation=says(cell))


def names_of(cell: Cell) -> dict[str, str]:
    """List what a cell holds that was in packets."""
    words = {word: getattr(cell, word) for word in ("name", "suffix", "server")}
    return {word: text for word, text in words.items() if text}


def told(cell: Cell, standins: StandIns) -> dict[str, str]:
    """Say what the stand-ins in a cell stand for, as far as that may be told."""
    paths = {standins.capture(one.capture): one.capture for one in (*cell.shown, *cell.settles)}
    return standins.told(Text.of(names_of(cell).values())) | (paths if standins.raw else {})
