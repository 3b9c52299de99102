"""How far a run is: one line on the terminal of standard error, which stands aside for whatever else is written."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from netinterf.cli.screen import terminal
from netinterf.engine.each import Paths, called
from netinterf.writing import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar

__all__ = ["Progress"]

BESIDE = 63
"""Columns that stand beside a name: how many bytes of how many, how fast, for how long, and how long still."""

WIDEST = 24  # columns of the bar
SHORTEST = 8  # columns that a name takes at least


class Progress:
    """Show what is read, how much of all that was, how fast, and how long the rest takes; silent elsewhere.

    Args:
        captures: All that will be read, as far as that is known: their sizes say how much is left.
        stream: Where to; None takes standard error.
    """

    def __init__(self, captures: Sequence[Paths] = (), stream: TextIO | None = None) -> None:
        stream = sys.stderr if stream is None else stream
        self._console: Console | None = terminal(stream) if stream is not None and stream.isatty() else None
        self._count = len(captures)
        self._total = 0 if self._console is None else sum(map(size_of, captures))
        self._over = self._done = 0  # captures that are over, and their bytes
        self._bar: Bar | None = None

    @contextmanager
    def reading(self, capture: Paths) -> Iterator[Callable[[int, int], None]]:
        """Show the next capture while it is read and judged.

        Returns:
            What to call with bytes that were read, and bytes in all (0 when unknown).
        """
        name, size = printable(called(capture)), 0 if self._console is None else size_of(capture)

        def advance(done: int, total: int) -> None:
            judging = ", judging" * (0 < total == done)
            self._show(name, judging, self._done + (size * done // total if size and total else done))

        self._show(name, "", self._done)
        try:
            yield advance
        finally:
            self._over += 1
            self._done += size

    def over(self, capture: Paths, what: str = "") -> None:
        """Show that a capture is over, of those that are judged side by side.

        Args:
            capture: The one.
            what: What else to show.
        """
        self._over += 1
        self._done += 0 if self._console is None else size_of(capture)
        self._show(what, "", self._done)

    @contextmanager
    def alone(self, capture: Paths) -> Iterator[Callable[[int, int], None]]:
        """Show a capture that is the only one, and take the line away at the end."""
        try:
            with self.reading(capture) as advance:
                yield advance
        finally:
            self.close()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Take the line away while something else is written to the terminal; for good where that fails."""
        shown = self._bar is not None and self._bar.live.is_started
        self.close()
        yield
        if shown and self._bar is not None:
            self._bar.start()

    def close(self) -> None:
        """Take the line away."""
        if self._bar is not None:
            with suppress(OSError, ValueError):  # the terminal was closed
                self._bar.stop()

    def _show(self, name: str, state: str, done: int) -> None:
        if self._console is None:
            return
        if self._bar is None:
            self._bar = bar(self._console)
            self._bar.add_task("", total=self._total or None)
        head = f"{min(self._over + 1, self._count):,} of {self._count:,} " if self._count > 1 else ""
        room = self._console.width - BESIDE - len(head) - len(state)
        what = head + shortened(name, room) + state
        with suppress(OSError, ValueError):
            (task,) = self._bar.tasks
            self._bar.update(task.id, completed=done, description=what, refresh=what != task.description)
            self._bar.start()


def bar(console: "Console") -> "Bar":
    """Make a line of progress, without cursor tricks on what others write."""
    from rich import progress  # (most runs have no terminal)

    return progress.Progress(
        progress.SpinnerColumn(),
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(bar_width=min(WIDEST, console.width // 8)),
        progress.DownloadColumn(),
        progress.TransferSpeedColumn(),
        progress.TimeElapsedColumn(),
        progress.TimeRemainingColumn(compact=True),
        console=console,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )


def size_of(capture: Paths) -> int:
    """Say how many bytes the files of a capture have; those that cannot be looked at, and pipes, have none."""
    size, files = 0, capture if isinstance(capture, tuple) else (called(capture),)
    for path in files:
        with suppress(OSError, ValueError):
            size += os.stat(path).st_size
    return size


def shortened(name: str, room: int) -> str:
    """Leave out the beginning of a name that is too long: its end tells it from others."""
    from rich.cells import cell_len, set_cell_size

    if cell_len(name) <= room:
        return name
    end = set_cell_size(name[::-1], max(room, SHORTEST) - 1)
    return f"…{end.rstrip()[::-1]}"
