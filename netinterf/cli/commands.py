"""What each verb does: find the input, judge one capture after the other, and write as it goes."""

import argparse
import io
import sys
from collections.abc import Iterator
from typing import TextIO

from netinterf.capture import find_captures
from netinterf.cli.manners import (
    EXIT_FOUND,
    EXIT_NO_INPUT,
    EXIT_NO_OUTPUT,
    EXIT_OK,
    EXIT_USAGE,
    complain,
    silence_output,
)
from netinterf.context.outside import Outside
from netinterf.engine.control import known_answers
from netinterf.engine.judged import Judged
from netinterf.engine.scan import Options, scan_each
from netinterf.errors import ParameterError, UsageError
from netinterf.export.jsonl import lines
from netinterf.report.text import capture_text
from netinterf.verdict.model import Model

__all__ = ["run_scan"]


def run_scan(arguments: argparse.Namespace) -> int:
    """Judge what was named and write verdicts; return the exit status."""
    try:
        options = read_options(arguments)
    except UsageError as error:
        complain(usage_problem(error))
        return EXIT_USAGE
    found = find_captures(arguments.paths)
    for problem in found.errors:
        complain(str(problem))
    if found.skipped:
        complain(f"{found.skipped:,} file{'s are' if found.skipped > 1 else ' is'} no capture")
    output = Output()
    progress = Progress(sys.stderr)
    read = interfered = 0
    for one in scan_each(found.captures, options, progress=progress.show):
        progress.clear()
        if not isinstance(one, Judged):
            complain(str(one))
            continue
        interfered += one.summary.outcomes["interfered"]
        output.write(written(one, arguments.format, first=read == 0, everything=arguments.all))
        read += 1
        if output.closed and not arguments.fail_on:
            break
    if output.failed:
        return EXIT_NO_OUTPUT
    if not read:
        return EXIT_NO_INPUT
    return EXIT_FOUND if arguments.fail_on and interfered else EXIT_OK


def read_options(arguments: argparse.Namespace) -> Options:
    """Turn arguments into options.

    Raises:
        UsageError: An analyzer is unknown, or a table of networks, answers or priors is malformed.
    """
    names = None
    if arguments.analyzers is not None:
        names = [name.strip() for name in arguments.analyzers.split(",") if name.strip()]
    outside = Outside.of(arguments.networks, known_answers(arguments.answers))
    model = None if arguments.priors is None else Model.load(priors=arguments.priors)
    return Options(analyzers=names, vantage=arguments.vantage, outside=outside, model=model, strict=arguments.strict)


def usage_problem(error: UsageError) -> str:
    """Put a wrong argument into the words of the command line."""
    if isinstance(error, ParameterError):
        return f"--{error.parameter} {error.value}: expected {error.allowed}"
    return str(error)


def written(one: Judged, form: str, *, first: bool, everything: bool) -> Iterator[str]:
    """Write one capture, line by line; in text form an empty line parts it from the one before."""
    if form == "jsonl":
        yield from lines(one, everything=everything)
        return
    if not first:
        yield ""
    yield from capture_text(one, everything=everything)


class Output:
    """Standard output, in UTF-8 with plain line ends whatever the locale; a reader that left is no problem."""

    def __init__(self) -> None:
        self.stream: TextIO | None = sys.stdout
        self.closed = self.failed = False
        if isinstance(self.stream, io.TextIOWrapper):
            self.stream.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
        if self.stream is None:
            self.fail("it is closed")

    def write(self, text: Iterator[str]) -> None:
        """Write lines; once the reader is gone or writing failed, nothing more is tried."""
        if self.closed or self.stream is None:
            return
        try:
            for line in text:
                self.stream.write(line + "\n")
            self.stream.flush()
        except BrokenPipeError:  # the reader has seen enough, as with "| head"
            self.closed = True
            silence_output()
        except OSError as error:
            self.fail(error.strerror or str(error))
            silence_output()

    def fail(self, reason: str) -> None:
        """Say once that the answer cannot be written."""
        self.closed = self.failed = True
        complain(f"standard output: {reason}")


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
