"""What each verb does: find the input, judge one capture after the other, and write as it goes."""

import argparse
import sys
from collections import deque
from collections.abc import Iterator, Sequence

from netinterf.capture import find_captures
from netinterf.cli.formats import FORMATS
from netinterf.cli.manners import (
    EXIT_FOUND,
    EXIT_NO_INPUT,
    EXIT_NO_OUTPUT,
    EXIT_OK,
    EXIT_USAGE,
    complain,
)
from netinterf.cli.output import Output, Progress
from netinterf.context.outside import Outside
from netinterf.engine.control import known_answers
from netinterf.engine.judged import Judged
from netinterf.engine.scan import Options, scan_each
from netinterf.errors import AnalyzerError, CaptureError, ParameterError, UsageError
from netinterf.privacy import Redaction, read_key
from netinterf.verdict.model import Model

__all__ = ["read_analyzers", "read_key_file", "run_scan", "usage_problem"]


def run_scan(arguments: argparse.Namespace) -> int:
    """Judge what was named and write verdicts; return the exit status."""
    try:
        options, redaction = read_options(arguments), read_redaction(arguments)
    except UsageError as error:
        complain(usage_problem(error))
        return EXIT_USAGE
    found = find_captures(arguments.paths)
    for problem in found.errors:
        complain(str(problem))
    if found.skipped:
        complain(f"{found.skipped:,} file{'s are' if found.skipped > 1 else ' is'} no capture")
    output = Output(arguments.out)
    captures = Captures(found.captures, options, output, redaction)
    try:
        FORMATS[arguments.format](iter(captures), output, arguments.all)
    except UsageError as error:
        complain(usage_problem(error))
        return EXIT_USAGE
    except CaptureError as error:  # a capture that was there to be judged cannot be read once more
        complain(str(error))
        return EXIT_NO_INPUT
    if arguments.fail_on:
        captures.finish()
    output.close()
    if output.failed:
        return EXIT_NO_OUTPUT
    if not captures.read:
        return EXIT_NO_INPUT
    return EXIT_FOUND if arguments.fail_on and captures.interfered else EXIT_OK


class Captures:
    """Captures judged one after the other: what cannot be read is complained about, progress is shown.

    Attributes:
        read: How many could be read.
        interfered: How many verdicts say that somebody interfered.
    """

    def __init__(
        self, paths: Sequence[str], options: Options, output: Output, redaction: Redaction | None = None
    ) -> None:
        self.read = self.interfered = 0
        self._redaction = redaction
        self._output = output
        self._progress = Progress(sys.stderr)
        self._judged = scan_each(paths, options, progress=self._progress.show)

    def __iter__(self) -> Iterator[Judged]:
        """Walk those that can be read until nobody reads the output; each is handed over before the next is judged."""
        for one in self._judged:
            self._progress.clear()
            if not isinstance(one, Judged):
                complain(str(one))
                continue
            self.interfered += one.summary.outcomes["interfered"]
            self.read += 1
            yield one if self._redaction is None else one.redacted(self._redaction)
            self._output.flush()
            if self._output.closed:
                return

    def finish(self) -> None:
        """Judge what is left, though nobody reads it: the exit status is still to be told."""
        deque(self, maxlen=0)


def read_options(arguments: argparse.Namespace) -> Options:
    """Turn arguments into options.

    Raises:
        UsageError: An analyzer is unknown or cannot be loaded, or a table of networks, answers or priors is malformed.
    """
    names = read_analyzers(arguments)
    outside = Outside.of(arguments.networks, known_answers(arguments.answers))
    model = None if arguments.priors is None else Model.load(priors=arguments.priors)
    try:
        return Options(
            analyzers=names, vantage=arguments.vantage, outside=outside, model=model, strict=arguments.strict
        )
    except AnalyzerError as cause:  # a plugin: to name it was the user's choice
        raise UsageError(str(cause)) from cause


def read_analyzers(arguments: argparse.Namespace) -> list[str] | None:
    """List the names of the analyzers asked for, None for all."""
    if arguments.analyzers is None:
        return None
    return [name.strip() for name in arguments.analyzers.split(",") if name.strip()]


def read_redaction(arguments: argparse.Namespace) -> Redaction | None:
    """Turn arguments into what is to be taken out of results, None for nothing.

    Raises:
        UsageError: The key cannot be read or is too short, or there is nothing that it is for.
    """
    if arguments.redact:
        return Redaction.of(read_key_file(arguments), arguments.keep or ())
    for name in ("key", "keep"):
        if getattr(arguments, name) is not None:
            raise UsageError(f"--{name} goes with --redact")
    return None


def read_key_file(arguments: argparse.Namespace) -> bytes | None:
    """Read the key, None where it is left to chance; say that, since nothing else can be replaced alike then.

    Raises:
        ParameterError: It cannot be read, or is too short.
    """
    if arguments.key is not None:
        return read_key(arguments.key)
    complain("no --key: what is taken out is replaced under a key that is forgotten after this run")
    return None


def usage_problem(error: UsageError) -> str:
    """Put a wrong argument into the words of the command line."""
    if isinstance(error, ParameterError):
        return f"--{error.parameter} {error.value}: expected {error.allowed}"
    return str(error)
