"""A campaign as text: what was judged, what is blocked where, networks by mechanism, and what stays open."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from netinterf.campaign.judged.record import Cell, Moment, Settled, Shown
from netinterf.campaign.judged.report import Report
from netinterf.campaign.judged.words import minute, when
from netinterf.pooling.grades import Finding
from netinterf.report.lines import Line, Lines, field
from netinterf.writing import count_of, readable
from netinterf.written.record import iso_time
from netinterf.written.words import percent

__all__ = ["campaign_text", "settled_text"]

NAME = 34
"""Columns of a name in the table."""

MOST_SHOWN, MOST_OPEN, MOST_DOWN, MOST_SETTLED = 3, 12, 12, 3
MOST_ROWS, MOST_TOLD = 60, 24
"""Rows of the table, and cells that are told in words: what a reader goes through before asking for --all."""


def campaign_text(report: Report, *, everything: bool = False) -> Lines:
    """Write a campaign for people, line by line.

    Args:
        report: What the campaign shows.
        everything: List all that is blocked, stays open or is down, and what works.
    """
    yield from head_lines(report)
    blocked = list(report.of(Finding.BLOCKED))
    yield from network_lines(report, blocked)
    yield from table_lines(blocked, everything)
    for cell in blocked if everything else surest_of_each(blocked):
        yield from cell_lines(cell)
    open_cells = list(report.of(Finding.SUSPECTED))
    yield from open_lines("Possible, not shown", open_cells, everything)
    yield from open_lines(
        "Fails, and something harmless explains it as well", list(report.of(Finding.FAILS)), everything
    )
    yield from down_lines(list(report.of(Finding.DOWN)), everything)
    if everything:
        yield from open_lines("Works", list(report.of(Finding.CLEAR)), everything)
        yield from open_lines("Not shown", list(report.of(Finding.NOT_SHOWN)), everything)


def head_lines(report: Report) -> Lines:
    """Write what was judged, and how it came out."""
    summary = report.summary
    period = f", {_day(summary.first)} to {_day(summary.last)}" if summary.first is not None else ""
    errors = f", {summary.errors:,} could not be read" if summary.errors else ""
    networks = count_of(len(summary.networks), "network")
    head = f"{summary.store}: {count_of(summary.captures, 'capture')}{errors} of {networks}{period}"
    yield Line(f"{head}; {summary.cells:,} names and servers in networks, and networks as a whole", "", "  ")
    yield "  " + " · ".join(f"{count:,} {finding}" for finding, count in summary.findings.items())


def network_lines(report: Report, blocked: Sequence[Cell]) -> Lines:
    """Write one line per network: what is blocked there, by mechanism."""
    yield ""
    if not blocked:
        yield "Nothing is shown to be blocked in any network."
        return
    yield "By network: names and servers that are blocked, or all"
    for network in sorted(report.summary.networks, key=str):
        counts: dict[str, int] = {}
        for cell in blocked:
            if cell.network == network:
                counts[cell.mechanism or "unknown"] = counts.get(cell.mechanism or "unknown", 0) + 1
        said = ", ".join(
            f"{count:,} {mechanism}" for mechanism, count in sorted(counts.items(), key=lambda one: -one[1])
        )
        country = f", {network.country}" if network.country else ""
        yield Line(f"{network}{country}: {said or 'nothing'}", "  ", "      ")


def surest_of_each(blocked: Sequence[Cell]) -> list[Cell]:
    """Take the surest cell of each network and mechanism."""
    first: dict[tuple[str, str | None], Cell] = {}
    for cell in blocked:  # the surest come first
        first.setdefault((str(cell.network), cell.mechanism), cell)
    return list(first.values())[:MOST_TOLD]


def table_lines(blocked: Sequence[Cell], everything: bool) -> Lines:
    """Write the table of what is blocked where, how, how often, since when, and how sure."""
    if not blocked:
        return
    rows = [_row(cell) for cell in (blocked if everything else blocked[:MOST_ROWS])]
    wide = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    yield ""
    yield "Blocked"
    for row in rows:
        yield ("  " + "  ".join(f"{text:{width}}" for text, width in zip(row, wide, strict=True))).rstrip()
    yield from _more(len(blocked), len(rows))


def _row(cell: Cell) -> tuple[str, ...]:
    name = readable(cell.called)
    name = name if len(name) <= NAME else name[: NAME - 1] + "…"
    share = f"{cell.here.failed:,} of {cell.here.known:,}"
    elsewhere = f"elsewhere {cell.there.failed:,} of {cell.there.failed + cell.there.answered:,}"
    sure = f"{cell.grade} {percent(cell.probability)}"
    network, how = readable(str(cell.network)), cell.mechanism or ""
    return (name, cell.transport, network, how, share, elsewhere, sure, _since(cell.began))


def _since(moment: Moment | None) -> str:
    return f"since {_day(moment.likely)}" if moment else "throughout"


def cell_lines(cell: Cell) -> Lines:
    """Write one cell: what is said of it, what it rests on, and where to look."""
    yield ""
    yield readable(f"BLOCKED: {cell.subject} in {cell.network}") + (f", {cell.mechanism}" if cell.mechanism else "")
    yield Line(cell.explanation, "  ", "  ")
    yield field("weighs", f"its packets {cell.own:+.1f}, other places and times {cell.contrast:+.1f} nats")
    for moment, word in ((cell.began, "began"), (cell.ended, "ended")):
        if moment:
            yield field(word, when(moment))
    for shown in cell.shown[:MOST_SHOWN]:
        yield field("look at", _place(shown))
    if cell.settled:
        yield field(
            "settles", f"{count_of(cell.settled, 'capture')} that could not say so alone (--settled lists them)"
        )


def settled_text(report: Report, *, everything: bool = False) -> Lines:
    """Write which verdicts of single captures all of them settle, one a line, cell by cell.

    Args:
        report: What the campaign shows.
        everything: List all of each cell.
    """
    total = report.settling
    yield from head_lines(report)
    yield ""
    if not len(total):
        yield "All captures together settle nothing that one of them could not say alone."
        return
    yield (
        f"Settled by all captures together: {len(total):,} {'verdicts' if len(total) > 1 else 'verdict'} of single "
        "captures, which accuse nobody alone"
    )
    rows = report.rows(Finding.BLOCKED)
    counts = [count for count in np.bincount(total.cell, minlength=len(report))[rows].tolist() if count]
    of_cell = groupby(report.settled(None if everything else MOST_SETTLED), key=lambda pair: pair[0])
    for count, (cell, pairs) in zip(counts, of_cell, strict=True):
        listed = [_settled(one) for _, one in pairs]
        yield ""
        yield readable(f"{cell.subject} in {cell.network}: {cell.grade}, {percent(cell.probability)}")
        yield from listed
        yield from _more(count, len(listed))


def _settled(one: Settled) -> str:
    """Write one verdict that was settled."""
    alone = "beside one that its capture accuses" if one.alone is None else f"alone {percent(one.alone)}"
    sure = f"{one.mechanism} {percent(one.probability)}, {alone}"
    return readable(f"  {minute(one.start)}  {sure}  {_place(one)}")


def _place(shown: Shown) -> str:
    word, numbers = shown.numbers
    told = ", ".join(f"{number:,} ({state})" for number, state in zip(numbers, shown.states, strict=True))
    return f"{word}{'s' * (len(numbers) != 1)} {told} of {shown.capture}"


def open_lines(title: str, cells: Sequence[Cell], everything: bool) -> Lines:
    """Write what is not decided, and what would settle it."""
    if not cells:
        return
    yield ""
    yield f"{title}:"
    told = cells if everything else cells[:MOST_OPEN]
    for cell in told:
        yield Line(cell.explanation, "  ", "      ")
        for why in cell.reasons:
            yield Line(why.says, "      missing: ", "               ")
    yield from _more(len(cells), len(told))


def down_lines(cells: Sequence[Cell], everything: bool) -> Lines:
    """Write what is down everywhere, in a line each."""
    if not cells:
        return
    yield ""
    yield "Down, here and elsewhere:"
    told = cells if everything else cells[:MOST_DOWN]
    for cell in told:
        yield Line(f"{cell.subject} in {cell.network}", "  ", "      ")
    yield from _more(len(cells), len(told))


def _more(count: int, told: int) -> Lines:
    if told < count:
        yield f"  and {count - told:,} more (--all lists them)"


def _day(time: int | None) -> str:
    return (iso_time(time) or "")[:10]
