"""What notebooks show of objects: plain HTML without style, which takes the colours of where it stands."""

from collections.abc import Iterable, Sequence
from html import escape

from netinterf.writing import readable

__all__ = ["MOST_ROWS", "html_lines", "html_table"]

MOST_ROWS = 10
"""Rows that are shown of a table; whoever wants more asks for a data frame."""


def html_table(head: Sequence[str], rows: Iterable[Sequence[object]], more: int = 0) -> str:
    """Write a table.

    Args:
        head: Titles of the columns.
        rows: What stands in them.
        more: How many rows are left out.
    """
    titles = "".join(f"<th>{shown(title)}</th>" for title in head)
    body = "".join("<tr>" + "".join(f"<td>{shown(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    left = f"<p>and {more:,} more</p>" if more > 0 else ""
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>{left}"


def html_lines(lines: Iterable[str]) -> str:
    """Write lines, one below the other."""
    return "".join(f"<p>{shown(line)}</p>" for line in lines)


def shown(value: object) -> str:
    """Write a value, with nothing in it that a page would obey; nothing for None."""
    return "" if value is None else escape(readable(str(value)))
