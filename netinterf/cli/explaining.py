"""The verb that tells everything about one conversation."""

import argparse
from collections.abc import Iterator

from netinterf.analyzers.registry import builtin
from netinterf.capture.finding import CaptureSearch
from netinterf.cli.exit_status import EXIT_FOUND, EXIT_NO_INPUT, EXIT_NO_OUTPUT, EXIT_OK
from netinterf.cli.options import find_or_complain, read_options, read_redaction
from netinterf.cli.output import Output
from netinterf.cli.progress import Progress
from netinterf.engine.each import Paths, captures_in, judge_path
from netinterf.engine.extract import read_all_again
from netinterf.engine.subject import subjects_named
from netinterf.errors import CaptureError, UsageError
from netinterf.privacy.traces import redact_trace
from netinterf.report.explained import Explained, explain_subject, explained_line, explained_text
from netinterf.report.lines import Lines
from netinterf.schema import Outcome
from netinterf.writing import dump
from netinterf.written.format import end_line

__all__ = ["run_explain"]


def run_explain(arguments: argparse.Namespace) -> int:
    """Judge one capture and write all that is known about one of its conversations; return the exit status."""
    if len(arguments.paths) > 1 and not arguments.join:
        raise UsageError(f"{len(arguments.paths)} captures: --join makes one recording of them")
    found = find_or_complain(arguments.paths) if arguments.join else CaptureSearch(tuple(arguments.paths), 0, ())
    if not found.captures:
        return EXIT_NO_INPUT
    (capture,) = captures_in(found, join=arguments.join)
    with Output(arguments.out, found.files) as output:
        explained = explanations(arguments, capture)
        output.write(text(explained) if arguments.format == "text" else lines(explained))
        output.close()
    if output.failed:
        return EXIT_NO_OUTPUT
    interfered = any(subject.verdict.outcome is Outcome.INTERFERED for subject in explained)
    return EXIT_FOUND if arguments.fail_on and interfered else EXIT_OK


def explanations(arguments: argparse.Namespace, capture: Paths) -> list[Explained]:
    """Judge the capture and gather what is known of the conversation.

    Args:
        arguments: Those of the command.
        capture: A file, or those that are joined.

    Raises:
        CaptureError: The capture cannot be read.
        UsageError: An argument is wrong, or names no conversation.
    """
    options, redaction = read_options(arguments), read_redaction(arguments)
    with Progress([capture]).alone(capture) as advance:
        judged = judge_path(capture, options, progress=advance)
    if isinstance(judged, CaptureError):
        raise judged
    trace = read_all_again(judged)
    analyzers = options.analyzers or builtin()
    rows = subjects_named(judged, trace, arguments.flow)
    if redaction is not None:  # after the conversation was found by its own addresses
        judged, trace = judged.redacted(redaction), redact_trace(trace, redaction)
    return [explain_subject(judged, trace, int(row), analyzers) for row in rows]


def text(explained: list[Explained]) -> Lines:
    """Write for people, a rule between subjects."""
    for place, subject in enumerate(explained):
        yield from ["", "-" * 16, ""] * bool(place)
        yield from explained_text(subject)


def lines(explained: list[Explained]) -> Iterator[str]:
    """Write for programs, one object a line."""
    yield from (dump(explained_line(subject)) for subject in explained)
    yield dump(end_line(1, len(explained), 0))
