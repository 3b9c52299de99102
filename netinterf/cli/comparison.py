"""The verb that holds captures against captures of another place or time."""

import argparse

from netinterf.capture.finding import CaptureSearch
from netinterf.cli.captures import Captures
from netinterf.cli.exit_status import EXIT_FOUND, EXIT_NO_INPUT, EXIT_NO_OUTPUT, EXIT_OK, complain
from netinterf.cli.options import find_or_complain, read_options, read_redaction
from netinterf.cli.output import Output
from netinterf.engine.compare import compared
from netinterf.engine.options import Options
from netinterf.engine.scan import Result
from netinterf.export.comparison import comparison_lines
from netinterf.privacy import Redaction
from netinterf.report.comparison import comparison_text

__all__ = ["run_compare"]

WRITERS = {"text": comparison_text, "jsonl": comparison_lines}
"""The forms that a comparison can be written in."""


def run_compare(arguments: argparse.Namespace) -> int:
    """Judge both sides, and write what they show together; return the exit status."""
    options, redaction = read_options(arguments), read_redaction(arguments)
    sides = [find_or_complain(paths) for paths in (arguments.paths, arguments.against)]
    with Output(arguments.out, [path for files in sides for path in files.files]) as output:
        here, there = (judged(files, options, output, redaction) for files in sides)
        for side, what in ((here, "nothing to compare"), (there, "nothing to compare against")):
            if not side.judged:
                complain(f"{what}: no capture of that side could be read")
                return EXIT_NO_INPUT
        comparison = compared(here, there, options.model)
        output.write(WRITERS[arguments.format](comparison, everything=arguments.all))
        output.close()
    if output.failed:
        return EXIT_NO_OUTPUT
    return EXIT_FOUND if arguments.fail_on and comparison.interfered else EXIT_OK


def judged(files: CaptureSearch, options: Options, output: Output, redaction: Redaction | None) -> Result:
    """Judge one side; what cannot be read is complained about."""
    captures = Captures(files, options, output, redaction)
    return Result(judged=tuple(captures), errors=tuple(captures.errors), skipped=files.skipped)
