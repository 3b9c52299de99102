"""The verb that tells everything about one conversation."""

import argparse
import json
from collections.abc import Iterator

from netinterf.analyzers.registry import builtin
from netinterf.cli.commands import read_options, usage_problem
from netinterf.cli.manners import EXIT_FOUND, EXIT_NO_INPUT, EXIT_NO_OUTPUT, EXIT_OK, EXIT_USAGE, complain
from netinterf.cli.output import Output
from netinterf.engine.extract import read_all_again
from netinterf.engine.scan import judge_path
from netinterf.engine.subject import subjects_named
from netinterf.errors import CaptureError, UsageError
from netinterf.report.explained import Explained, explain_subject, explained_line, explained_text
from netinterf.schema import Outcome

__all__ = ["run_explain"]


def run_explain(arguments: argparse.Namespace) -> int:
    """Judge one capture and write all that is known about one of its conversations; return the exit status."""
    try:
        told = explanations(arguments)
    except CaptureError as error:
        complain(str(error))
        return EXIT_NO_INPUT
    except UsageError as error:
        complain(usage_problem(error))
        return EXIT_USAGE
    output = Output(arguments.out)
    output.write(text(told) if arguments.format == "text" else lines(told))
    output.close()
    if output.failed:
        return EXIT_NO_OUTPUT
    found = any(one.verdict.outcome is Outcome.INTERFERED for one in told)
    return EXIT_FOUND if arguments.fail_on and found else EXIT_OK


def explanations(arguments: argparse.Namespace) -> list[Explained]:
    """Judge the capture and gather what is known of the conversation.

    Raises:
        CaptureError: The capture cannot be read.
        UsageError: An argument is wrong, or names no conversation.
    """
    options = read_options(arguments)
    judged = judge_path(arguments.path, options)
    if isinstance(judged, CaptureError):
        raise judged
    trace = read_all_again(judged)
    analyzers = options.analyzers or builtin()
    rows = subjects_named(judged, trace, arguments.flow)
    return [explain_subject(judged, trace, int(row), analyzers) for row in rows]


def text(told: list[Explained]) -> Iterator[str]:
    """Write for people, a rule between subjects."""
    for place, one in enumerate(told):
        yield from ["", "-" * 16, ""] * bool(place)
        yield from explained_text(one)


def lines(told: list[Explained]) -> Iterator[str]:
    """Write for programs, one object a line."""
    return (json.dumps(explained_line(one), ensure_ascii=False, allow_nan=False) for one in told)
