"""HTML built from values: whatever is no markup already is escaped, so that no name from the wire is ever live.

Names, paths and pages are written by whoever sent the packets. `tag` is the only way to make an element; a plain string
given to it is text. What cannot be printed (control characters, the overrides by which text runs backwards, halves of
surrogates) is shown as U+FFFD, and names stand in an element that keeps their direction to themselves (HTML, ``bdi``).
"""

from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files

from netinterf.report.figures.canvas import clean
from netinterf.written.record import iso_time

__all__ = [
    "ROWS",
    "Markup",
    "counted",
    "definitions",
    "join",
    "moment",
    "name",
    "packaged",
    "raw",
    "table",
    "tables",
    "tag",
]

EMPTY = frozenset({"meta", "link", "input", "br"})
"""Elements without content that are used here (HTML, void elements)."""

ROWS = 250
"""Rows of one table: a browser lays out tables as a whole, so a long one is cut where nobody would mind."""


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def raw(text: str) -> Markup:
    """Take text for HTML as it stands: only for what this library wrote itself."""
    return Markup(text)


@cache
def packaged(name: str, room: str = "page") -> str:
    """Read a file of this room of reports, or another: style, script and prose are written as what they are."""
    return (files("netinterf.report") / room / name).read_text(encoding="utf-8")


def tag(element: str, *content: str, **attributes: str | bool) -> Markup:
    """Build one element.

    Args:
        element: Its name.
        content: Markup, or text to be escaped.
        attributes: Values to be escaped; True stands for an attribute without a value and False for none. A final
            underscore is dropped (``class_``), others become hyphens (``aria_label``).
    """
    head = element
    for key, value in attributes.items():
        if value is not False:
            word = key.rstrip("_").replace("_", "-")
            head += f" {word}" if value is True else f' {word}="{clean(str(value))}"'
    return Markup(f"<{head}>" if element in EMPTY else f"<{head}>{join(content)}</{element}>")


def join(parts: Iterable[str]) -> Markup:
    """Put markup and text one after the other."""
    return Markup("".join(part if isinstance(part, Markup) else clean(part) for part in parts))


def name(text: str) -> Markup:
    """Write a name or address from the wire, whatever the direction of its letters."""
    return tag("bdi", text)


def moment(time: int, *, brief: bool = False) -> Markup:
    """Write a moment, ns since 1970: day and time in UTC to the millisecond, or *brief* to the second."""
    exact = iso_time(time)
    if exact is None:
        return raw("at an unknown time")
    text = f"{exact[:10]} {exact[11:19] if brief else exact[11:23] + ' UTC'}"
    return tag("time", text, datetime=exact)


def definitions(pairs: Iterable[tuple[str, str]]) -> Markup:
    """Build a list of terms and what they stand for; those that stand for nothing are left out."""
    listed = [part for term, value in pairs if value for part in (tag("dt", term), tag("dd", value))]
    return tag("dl", *listed) if listed else raw("")


def counted(parts: Iterable[tuple[str, int, str]]) -> Markup:
    """Count things of several kinds, as a bar and in words.

    Args:
        parts: How each kind is painted, how many there are, and what they are called; those of which there are none are
            left out.
    """
    kept = [part for part in parts if part[1]]
    bar = [tag("i", class_=paint, style=f"flex-grow:{count}") for paint, count, _ in kept]
    items = [tag("li", tag("i", class_=paint), tag("b", f"{count:,}"), f" {says}") for paint, count, says in kept]
    return tag("div", tag("div", *bar, class_="bar", aria_hidden="true"), tag("ul", *items), class_="counts")


def table(caption: str, heads: Iterable[str], rows: Iterable[Iterable[str]]) -> Markup:
    """Build a table whose first column names its rows; it scrolls by itself where it is wider than the page."""
    top = tag("tr", *(tag("th", head, scope="col") for head in heads))
    body = [
        tag("tr", *(tag("td", cell) if place else tag("th", cell, scope="row") for place, cell in enumerate(row)))
        for row in rows
    ]
    built = tag("table", tag("caption", caption), tag("thead", top), tag("tbody", *body))
    return tag("div", built, class_="wide", role="region", aria_label=caption, tabindex="0")


def tables(caption: str, heads: Iterable[str], rows: Sequence[Iterable[str]]) -> Markup:
    """Build a table for every few hundred rows."""
    starts, heads = range(0, len(rows), ROWS), tuple(heads)
    captions = {start: f"{caption}, {start + 1:,} to {min(start + ROWS, len(rows)):,}" for start in starts}
    return join(
        table(captions[start] if len(starts) > 1 else caption, heads, rows[start : start + ROWS]) for start in starts
    )
