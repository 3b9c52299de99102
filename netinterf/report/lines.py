"""Lines of plain text: how wide they are, how long ones are broken, and what may stand on them."""

import textwrap

from netinterf.writing import readable

__all__ = ["WIDTH", "wrapped"]

WIDTH = 96
"""Columns: a terminal beside another window, a mail, a page in print."""


def wrapped(line: str, first: str = "", later: str | None = None) -> list[str]:
    """Break a line, with nothing that could move a terminal's cursor or fill a screen (`readable`).

    Args:
        line: What to write.
        first: Stands before the first line.
        later: Stands before all others; None takes *first*.

    Returns:
        At least one line.
    """
    safe, indent = readable(line), first if later is None else later
    if len(first) + len(safe) <= WIDTH:  # most do
        return [(first + safe).rstrip()]
    lines = textwrap.wrap(safe, WIDTH, initial_indent=first, subsequent_indent=indent, break_on_hyphens=False)
    return lines or [first.rstrip()]
