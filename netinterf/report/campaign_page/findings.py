"""Findings as plain tables: what is read without scripts, and printed."""

from collections.abc import Iterable, Sequence

from netinterf.campaign.judged.record import Cell
from netinterf.pooling.grades import Finding
from netinterf.report.campaign_page.view import View
from netinterf.report.campaign_page.words import SAYS, looks
from netinterf.report.page.markup import Markup, join, moment, name, raw, tables, tag
from netinterf.writing import count_of
from netinterf.written.words import percent

__all__ = ["findings"]

MOST_ROWS = {Finding.BLOCKED: 1_500, Finding.SUSPECTED: 500, Finding.FAILS: 250}
"""Rows of the table of each finding: what may be read or printed. The rest is in the matrix and in the JSON lines."""

MOST_NETWORKS = 12
"""Networks that one row tells apart; the surest ones."""

HEADS = {
    Finding.BLOCKED: "What somebody interferes with",
    Finding.SUSPECTED: "Hints, not findings",
    Finding.FAILS: "What fails, which is no proof of a block",
}

COLUMNS = ("Name or server", "Mechanism", "Networks: how sure, and how many attempts failed", "To look at")


def findings(view: View) -> Markup:
    """Write the tables of all findings that have any."""
    parts = [section(view, finding) for finding in HEADS]
    if not any(parts):
        return raw("")
    line = tag("summary", tag("span", "Findings as a table", class_="about"))
    return tag("details", line, *parts, id="table", class_="plain rest", open=True)


def section(view: View, finding: Finding) -> Markup:
    """Write the table of one finding: a row for each name or server and mechanism, those in most networks first."""
    kinds: dict[tuple[str, str], list[Cell]] = {}
    for cell in view.cells(finding):
        kinds.setdefault((cell.subject, cell.mechanism or ""), []).append(cell)
    if not kinds:
        return raw("")
    ordered = sorted(kinds.values(), key=lambda alike: -len(alike))
    shown = ordered[: MOST_ROWS[finding]]
    more, cells = len(ordered) - len(shown), int(view.found(finding).sum())
    note = f"and {more:,} more, in the matrix and in the JSON lines." if more else ""
    about = f"{count_of(len(ordered), 'name or server')}, {count_of(cells, 'cell')}: {SAYS[finding]}."
    caption = f"{HEADS[finding]}: by name or server and mechanism"
    return tag(
        "section",
        tag("h3", HEADS[finding]),
        tag("p", about.replace("name or servers", "names or servers"), class_="soft"),
        tables(caption, COLUMNS, [*map(row, shown)]),
        tag("p", note, class_="soft") if note else "",
    )


def row(alike: Sequence[Cell]) -> Iterable[str]:
    """Write cells of one name or server and mechanism as a row."""
    first = alike[0]
    told = [tag("li", network_in_words(cell)) for cell in alike[:MOST_NETWORKS]]
    more = len(alike) - MOST_NETWORKS
    told += [tag("li", f"and {count_of(more, 'more network')}")] if more > 0 else []
    look = [join([name(capture), f", {frames}"]) for capture, frames in looks(first)]
    return (
        join([name(first.called), " ", tag("small", f"over {first.transport}") if first.transport else ""]),
        tag("code", first.mechanism) if first.mechanism else "",
        tag("ul", *told),
        look[0] if look else "",
    )


def network_in_words(cell: Cell) -> Markup:
    """Say how sure it is in one network, and of how many attempts."""
    sure = f"{cell.grade} {percent(cell.probability)}, " if cell.mechanism else ""
    began = join([", since ", moment(cell.began.before, brief=True)]) if cell.began else raw("")
    ended = join([", until ", moment(cell.ended.before, brief=True)]) if cell.ended else raw("")
    counts = f": {sure}{cell.here.failed:,} of {cell.here.known:,} failed"
    return join([tag("b", name(str(cell.network))), counts, began, ended])
