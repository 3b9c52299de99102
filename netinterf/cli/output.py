"""Where answers and progress go: standard output or a file, and one line on a terminal."""

import errno
import io
import os
import sys
from collections.abc import Callable, Iterator
from typing import BinaryIO, TextIO

from netinterf.cli.manners import complain, silence_output

__all__ = ["Output", "Progress", "reader_left"]


class Output:
    """Standard output or a file, text in UTF-8 with plain line ends whatever the locale.

    A reader that left is no problem; what cannot be written is said once, and nothing more is tried.

    Args:
        path: A file, replaced when it exists; None takes standard output.
    """

    def __init__(self, path: str | None = None) -> None:
        self.place = "standard output" if path is None else path
        self.closed = self.failed = False
        self.stream: TextIO | None = sys.stdout
        if path is not None:
            try:
                self.stream = open(path, "w", encoding="utf-8", errors="backslashreplace", newline="\n")  # noqa: SIM115
            except OSError as error:
                self.fail(error.strerror or str(error))
        elif isinstance(self.stream, io.TextIOWrapper):
            self.stream.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
        if self.stream is None:
            self.fail("it is closed")

    @property
    def terminal(self) -> bool:
        """Whether a person looks at it directly."""
        return self.stream is not None and not self.stream.closed and self.stream.isatty()

    @property
    def binary(self) -> BinaryIO:
        """The same place for bytes."""
        if not isinstance(self.stream, io.TextIOWrapper):
            raise OSError("it takes no bytes")
        stream: BinaryIO = self.stream.buffer
        return stream

    def write(self, text: Iterator[str]) -> None:
        """Write lines."""
        self.attempt(lambda stream: stream.writelines(line + "\n" for line in text))

    def attempt(self, writing: Callable[[TextIO], object]) -> None:
        """Let *writing* write; once the reader is gone or writing failed, nothing more is tried."""
        if self.closed or self.stream is None:
            return
        try:
            writing(self.stream)
            if not self.stream.closed:
                self.stream.flush()
        except OSError as error:
            if reader_left(error):
                self.closed = True
            else:
                self.fail(error.strerror or str(error))
            silence_output()

    def flush(self) -> None:
        """Hand over what was written so far."""
        self.attempt(lambda _: None)

    def close(self) -> None:
        """End a file; standard output stays open."""
        if self.stream not in {None, sys.stdout}:
            self.attempt(lambda stream: stream.close())

    def fail(self, reason: str) -> None:
        """Say once that the answer cannot be written."""
        self.closed = self.failed = True
        complain(f"{self.place}: {reason}")


def reader_left(error: OSError, system: str = os.name) -> bool:
    """Say whether writing failed since the reader has seen enough, as with ``| head``.

    On Windows a broken pipe may come as "invalid argument" (CPython issue 79935).
    """
    return isinstance(error, BrokenPipeError) or (system == "nt" and error.errno == errno.EINVAL)


class Progress:
    """One line on a terminal that is overwritten; silent elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.terminal = stream is not None and stream.isatty()
        self.shown = 0

    def show(self, capture: str, done: int, total: int) -> None:
        """Show how many captures are done."""
        if not self.terminal or total < 2:
            return
        name = "".join(sign if sign.isprintable() else " " for sign in capture)
        line = f"{done:,} of {total:,}  {name[-60:]}"
        self.clear()
        self.stream.write(line)
        self.stream.flush()
        self.shown = len(line)

    def clear(self) -> None:
        """Take the line away, so that others can be written."""
        if self.shown:
            self.stream.write("\r" + " " * self.shown + "\r")
            self.stream.flush()
            self.shown = 0
