"""The verb that judges captures: one after the other, written as it goes."""

import argparse

from netinterf.cli.captures import Captures
from netinterf.cli.chosen import chosen
from netinterf.cli.exit_status import EXIT_FOUND, EXIT_NO_INPUT, EXIT_NO_OUTPUT, EXIT_OK
from netinterf.cli.formats import FORMATS
from netinterf.cli.options import read_options, read_redaction
from netinterf.cli.output import Output

__all__ = ["run_scan"]


def run_scan(arguments: argparse.Namespace) -> int:
    """Judge what was named and write verdicts; return the exit status."""
    options, redaction = read_options(arguments), read_redaction(arguments)
    files = chosen(arguments)
    with Output(arguments.out, files.files) as output:
        captures = Captures(files, options, output, redaction, join=arguments.join, jobs=arguments.jobs)
        FORMATS[arguments.format](captures, output, arguments.all)
        if arguments.fail_on:
            captures.finish()
        if captures.read:  # else an older answer is better than none
            output.close()
    if output.failed:
        return EXIT_NO_OUTPUT
    if not captures.read:
        nothing_new = arguments.newer_than is not None and not captures.total
        return EXIT_OK if nothing_new else EXIT_NO_INPUT
    return EXIT_FOUND if arguments.fail_on and captures.interfered else EXIT_OK
