"""Where answers go: standard output or a file."""

import errno
import io
import os
import sys
from collections.abc import Callable, Iterable
from typing import BinaryIO, Self, TextIO

from netinterf.cli.exit_status import complain, silence_output
from netinterf.cli.screen import Screen
from netinterf.report.lines import Line
from netinterf.writing import NewFile, refuse_overwriting

__all__ = ["Output", "reader_left"]


class Output:
    """Standard output or a file, text in UTF-8 with plain line ends whatever the locale.

    A reader that left is no problem; what cannot be written is said once, and nothing more is tried. A file takes its
    place when it is closed (`NewFile`); a ``with`` block that ends before leaves what stood there.

    Args:
        path: A file; None takes standard output.
        inputs: What is read, which is never written to.

    Raises:
        ParameterError: The output is one of the inputs.
    """

    def __init__(self, path: str | None = None, inputs: Iterable[str] = ()) -> None:
        self.place = "standard output" if path is None else path
        self.closed = self.failed = False
        self.stream: TextIO | None = sys.stdout
        self._file: NewFile | None = None
        refuse_overwriting("-" if path is None else path, inputs)
        if path is not None:
            try:
                self._file = NewFile(path)
                self.stream = io.TextIOWrapper(self._file.stream, "utf-8", "backslashreplace", newline="\n")
            except OSError as error:
                self.stream = None
                self.fail(error.strerror or str(error))
        elif isinstance(self.stream, io.TextIOWrapper):
            self.stream.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
        if self.stream is None and not self.failed:
            self.fail("it is closed")
        self._screen = Screen(self.stream)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.abandon()

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

    def write(self, lines: Iterable[str | Line]) -> None:
        """Write lines as wide as the place is, with nothing that a terminal would obey but colours of our own."""
        self.attempt(lambda stream: stream.writelines(self._screen.lines(lines)))

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
        """Put a file in its place, unless something could not be written; standard output stays open."""
        if self._file is None:
            return
        self.attempt(lambda stream: stream.close())
        if self.closed:
            self._file.abandon()
            return
        try:
            self._file.finish()
        except OSError as error:
            self.fail(error.strerror or str(error))

    def fail(self, reason: str) -> None:
        """Say once that the answer cannot be written."""
        if not self.failed:
            complain(f"{self.place}: {reason}")
        self.closed = self.failed = True


def reader_left(error: OSError, system: str = os.name) -> bool:
    """Say whether writing failed since the reader has seen enough, as with ``| head``.

    On Windows a broken pipe may come as "invalid argument" (CPython issue 79935).
    """
    return isinstance(error, BrokenPipeError) or (system == "nt" and error.errno == errno.EINVAL)
