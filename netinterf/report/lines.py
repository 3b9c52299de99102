"""Lines of plain text: whoever writes says where they may break, whoever shows them how wide they may be.

A `Line` is broken between words, never within one, so that paths, names and addresses can be copied; what is longer
than a line is left to the terminal. A plain string stands as it is: titles, and rows of tables.
"""

import textwrap
from collections.abc import Iterable, Iterator

from netinterf.values import frozen
from netinterf.writing import readable

__all__ = ["WIDTH", "Line", "Lines", "field", "laid_out"]

WIDTH = 96
"""Columns where nobody tells how many there are: a terminal beside another window, a mail, a page in print."""

LEAST = 40
"""Columns below which nothing is broken: what stands before a line takes a dozen."""


@frozen
class Line:
    """A line that may be broken.

    Args:
        text: What to write; what could move a terminal's cursor or fill a screen is taken out (`readable`).
        first: Stands before the first line.
        later: Stands before all others; None takes *first*.
        whole: Never broken, since somebody will copy it.
    """

    text: str
    first: str = ""
    later: str | None = None
    whole: bool = False

    def broken(self, width: int = WIDTH) -> list[str]:
        """Break it into lines of so many columns at most, where its words allow: at least one."""
        safe = readable(self.text)
        if self.whole or len(self.first) + len(safe) <= width:  # most do
            return [(self.first + safe).rstrip()]
        lines = textwrap.wrap(
            safe,
            max(width, LEAST),
            initial_indent=self.first,
            subsequent_indent=self.first if self.later is None else self.later,
            break_on_hyphens=False,
            break_long_words=False,
        )
        return lines or [self.first.rstrip()]


Lines = Iterator[str | Line]

LABEL = 10
"""Columns of the label of a field."""


def field(label: str, value: str, *, whole: bool = False) -> Line:
    """Write a labelled value below a finding; one that is an item of a list (``- …``) goes on below its words."""
    item = value.startswith(("- ", "  "))
    return Line(value, f"  {label:<{LABEL}}", " " * (LABEL + (4 if item else 2)), whole)


def laid_out(lines: Iterable[str | Line], width: int = WIDTH) -> Iterator[str]:
    """Break lines that may be broken."""
    for line in lines:
        if isinstance(line, Line):
            yield from line.broken(width)
        else:
            yield line
