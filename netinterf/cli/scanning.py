"""The verb that judges captures: one after the other, written as it goes."""

import argparse
import sys
from collections import deque
from collections.abc import Iterator, Sequence

from netinterf.cli.formats import FORMATS
from netinterf.cli.manners import EXIT_FOUND, EXIT_NO_INPUT, EXIT_NO_OUTPUT, EXIT_OK, complain
from netinterf.cli.options import find_or_complain, read_options, read_redaction
from netinterf.cli.output import Output, Progress
from netinterf.engine.judged import Judged
from netinterf.engine.scan import Options, scan_each
from netinterf.privacy import Redaction

__all__ = ["Captures", "run_scan"]


def run_scan(arguments: argparse.Namespace) -> int:
    """Judge what was named and write verdicts; return the exit status."""
    options, redaction = read_options(arguments), read_redaction(arguments)
    found = find_or_complain(arguments.paths)
    output = Output(arguments.out)
    captures = Captures(found.captures, options, output, redaction)
    FORMATS[arguments.format](iter(captures), output, arguments.all)
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
