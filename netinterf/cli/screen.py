"""A terminal: how wide it is, and colours for the words that decide. Everywhere else lines stay as they are."""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TextIO

from netinterf.report.lines import WIDTH, Line, laid_out
from netinterf.writing import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

__all__ = ["Screen", "painted", "terminal"]

STYLES = (
    (re.compile(r"(?:INTERFERED|BLOCKED)(?: ON BOTH SIDES)?:? [^ (]+"), "bold red"),
    (re.compile(r"(?:Suspected|possible): [^ ,]+"), "yellow"),
    (re.compile(r"[A-Z][^.:]*:$"), "bold"),
    (re.compile(r"\s*interfered: "), "red"),
)
"""What a line may begin with, and how that is shown."""

COUNTS = (
    (re.compile(r"[1-9][\d,]* (?:interfered|blocked)\b"), "bold red"),
    (re.compile(r"[1-9][\d,]* (?:suspected|of them suspected|possible)\b"), "yellow"),
    (re.compile(r"[1-9][\d,]* ok\b"), "green"),
)
"""Counts of outcomes, in lines that have nothing else."""

LABEL = re.compile(r"  [A-Za-z][a-z ]{1,9}(?=  )")
"""The label of a field."""

RULE = re.compile(r"\[[a-z_]+(?:\.[a-z_]+)+(?:, [+-][\d.]+|: (?:for|against|about) [^\]]+)?\]")
"""The rule behind a sign, and what it weighs."""


def terminal(stream: TextIO) -> "Console":
    """Ask a terminal what it can do: width, colours (``NO_COLOR`` and ``TERM=dumb`` are heeded)."""
    from rich.console import Console  # (whoever writes to files and pipes needs none of it)

    return Console(file=stream, emoji=False, markup=False, highlight=False)


class Screen:
    """Where lines are shown.

    Args:
        stream: What they will be written to; nothing is known of one that is no terminal.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._console = terminal(stream) if stream is not None and stream.isatty() else None

    @property
    def width(self) -> int:
        """How many columns it has, now."""
        return WIDTH if self._console is None else self._console.width

    def lines(self, lines: Iterable[str | Line]) -> Iterator[str]:
        """Lay out lines, with nothing that a terminal would obey but colours of our own; each with its end."""
        for line in laid_out(lines, self.width):
            safe = printable(line)
            yield (safe if self._console is None else in_colour(self._console, safe)) + "\n"


def in_colour(console: "Console", line: str) -> str:
    """Write a line as its terminal shows it."""
    with console.capture() as captured:
        console.print(painted(line), soft_wrap=True, end="")
    return captured.get()


def painted(line: str) -> "Text":
    """Give the words of a line their colours."""
    from rich.text import Text

    text = Text(line)
    if line.startswith("{"):  # for programs
        return text
    for pattern, style in STYLES:
        if found := pattern.match(line):
            text.stylize(style, *found.span())
    if " · " in line:
        for pattern, style in COUNTS:
            text.highlight_regex(pattern, style)
    if found := LABEL.match(line):
        text.stylize("cyan", *found.span())
    text.highlight_regex(RULE, "dim")
    return text
