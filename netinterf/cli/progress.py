"""How far reading is: one line on a terminal that is overwritten, and taken away before anything else is written."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO
from unicodedata import combining, east_asian_width

from netinterf.writing import printable

__all__ = ["Progress"]

PAUSE = 0.1  # s between two drawings: what an eye can follow
USUAL = 80  # columns where the terminal does not tell
UNITS = ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "kB"))


class Progress:
    """Show which capture is read, the how many of how many it is, and how much of it was read; silent elsewhere.

    Args:
        stream: Where to; None takes standard error.
        clock: Gives seconds that never go back.
    """

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._terminal = self._stream is not None and self._stream.isatty()
        self._clock = clock
        self._due = 0.0
        self._width = 0  # columns that the line takes
        self._what = ("", "")

    @contextmanager
    def reading(self, capture: str, place: int = 1, total: int = 1) -> Iterator[Callable[[int, int], None]]:
        """Show a capture while it is read and judged, and take the line away at the end, whatever that is.

        Args:
            capture: What to call it.
            place: The how many it is, from 1.
            total: Of how many.

        Returns:
            What to call with bytes that were read, and bytes in all (0 when unknown).
        """
        self._what = (f"{place:,} of {total:,}  " if total > 1 else "", printable(capture))
        self._draw("reading")
        try:
            yield self.read
        finally:
            self._clear()

    def read(self, done: int, total: int) -> None:
        """Show how much was read, now and then; and that all was."""
        if not self._terminal or (self._clock() < self._due and done < total):
            return
        so_far = f"{size_of(done)} of {size_of(total)}" if total else size_of(done)
        self._draw(f"{size_of(total)}, judging" if done == total else so_far)

    def _draw(self, state: str) -> None:
        if not self._terminal:
            return
        head, name = self._what
        room = columns_of(self._stream) - 1 - width_of(head) - width_of(state) - 2  # the last column would wrap
        while name and width_of(name) > max(room, 0):
            name = name[1 + len(name) // 16 :]
        line = f"{head}{name}  {state}"[: columns_of(self._stream) - 1]
        self._write("\r" + line + " " * (self._width - width_of(line)))
        self._width = width_of(line)
        self._due = self._clock() + PAUSE

    def _clear(self) -> None:
        if self._width:
            self._write("\r" + " " * self._width + "\r")
            self._width = 0

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):  # the terminal was closed
            self._stream.write(text)
            self._stream.flush()


def size_of(count: int) -> str:
    """Write a number of bytes in a unit that suits it."""
    size, unit = next((entry for entry in UNITS if count >= entry[0]), UNITS[-1])
    return f"{count / size:,.1f} {unit}"


def columns_of(stream: TextIO) -> int:
    """Ask a terminal how wide it is."""
    with suppress(OSError, ValueError, AttributeError):
        return os.get_terminal_size(stream.fileno()).columns or USUAL
    return USUAL


def width_of(text: str) -> int:
    """Count the columns that text takes: two for wide signs (Unicode, UAX 11), none for marks on others."""
    return sum(0 if combining(sign) else 2 if east_asian_width(sign) in "WF" else 1 for sign in text)
