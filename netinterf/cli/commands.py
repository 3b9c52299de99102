"""What each verb does: find the input, judge one capture after the other, and write as it goes."""

import argparse
import io
import sys
from collections.abc import Iterator
from typing import TextIO

from netinterf.capture import find_captures
from netinterf.cli.manners import EXIT_FOUND, EXIT_NO_INPUT, EXIT_OK, EXIT_USAGE, complain
from netinterf.engine.judged import Judged
from netinterf.engine.networks import read_networks
from netinterf.engine.scan import Options, scan_each
from netinterf.errors import ParameterError, UsageError
from netinterf.export.jsonl import lines
from netinterf.report.text import capture_text

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
    output = standard_output()
    progress = Progress(sys.stderr)
    read = interfered = 0
    for one in scan_each(found.captures, options, progress=progress.show):
        progress.clear()
        if not isinstance(one, Judged):
            complain(str(one))
            continue
        for line in written(one, arguments.format, first=read == 0, everything=arguments.all):
            output.write(line + "\n")
        output.flush()
        read += 1
        interfered += one.summary.outcomes["interfered"]
    if not read:
        return EXIT_NO_INPUT
    return EXIT_FOUND if arguments.fail_on and interfered else EXIT_OK


def read_options(arguments: argparse.Namespace) -> Options:
    """Turn arguments into options.

    Raises:
        UsageError: An analyzer is unknown, or the table of networks is malformed.
    """
    names = None
    if arguments.analyzers is not None:
        names = [name.strip() for name in arguments.analyzers.split(",") if name.strip()]
    networks = () if arguments.networks is None else read_networks(arguments.networks)
    return Options(analyzers=names, vantage=arguments.vantage, networks=networks, strict=arguments.strict)


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


def standard_output() -> TextIO:
    """Return standard output, set to UTF-8 with plain line ends whatever the locale."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
    return sys.stdout


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
