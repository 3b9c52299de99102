"""The verb that tells everything about one conversation."""

import argparse
from collections.abc import Iterator

from netinterf.analyzers.registry import builtin
from netinterf.arrays import I64
from netinterf.capture.finding import CaptureSearch
from netinterf.cli.exit_status import EXIT_FOUND, EXIT_NO_INPUT, EXIT_NO_OUTPUT, EXIT_OK
from netinterf.cli.options import find_or_complain, read_options, read_redaction
from netinterf.cli.output import Output
from netinterf.cli.progress import Progress
from netinterf.engine.each import captures_in, judge_path
from netinterf.engine.extract import read_all_again
from netinterf.engine.judged import Judged
from netinterf.engine.options import Options
from netinterf.engine.subject import subjects_named
from netinterf.errors import CaptureError, UsageError
from netinterf.privacy.traces import redact_trace
from netinterf.report.explained import Explained, explain_subject, explained_line, explained_text
from netinterf.report.lines import Lines
from netinterf.schema import Outcome
from netinterf.trace import Trace
from netinterf.writing import dump
from netinterf.written.format import end_line

__all__ = ["conversation", "judged_and_read", "one_capture", "run_explain"]


def run_explain(arguments: argparse.Namespace) -> int:
    """Judge one capture and write all that is known about one of its conversations; return the exit status."""
    found = one_capture(arguments)
    if found is None:
        return EXIT_NO_INPUT
    with Output(arguments.out, found.files) as output:
        options = read_options(arguments)
        judged, trace, rows = conversation(arguments, found, options)
        analyzers = options.analyzers or builtin()
        explained = [explain_subject(judged, trace, int(row), analyzers) for row in rows]
        output.write(text(explained) if arguments.format == "text" else lines(explained))
        output.close()
    if output.failed:
        return EXIT_NO_OUTPUT
    interfered = any(subject.verdict.outcome is Outcome.INTERFERED for subject in explained)
    return EXIT_FOUND if arguments.fail_on and interfered else EXIT_OK


def one_capture(arguments: argparse.Namespace) -> CaptureSearch | None:
    """Find the one capture that is asked about, a file or those that are joined; None where there is none.

    Raises:
        UsageError: There are several.
    """
    if len(arguments.paths) > 1 and not arguments.join:
        raise UsageError(f"{len(arguments.paths)} captures: --join makes one recording of them")
    found = find_or_complain(arguments.paths) if arguments.join else CaptureSearch(tuple(arguments.paths), 0, ())
    return found if found.captures else None


def conversation(arguments: argparse.Namespace, found: CaptureSearch, options: Options) -> tuple[Judged, Trace, I64]:
    """Judge a capture and find the conversation that is asked about.

    Returns:
        The capture, its packets, and rows of verdicts about the conversation; both without what is to be taken out.

    Raises:
        CaptureError: The capture cannot be read.
        UsageError: An argument is wrong, or names no conversation.
    """
    redaction = read_redaction(arguments)
    judged, trace = judged_and_read(arguments, found, options)
    rows = subjects_named(judged, trace, arguments.flow)
    if redaction is not None:  # after the conversation was found by its own addresses
        judged, trace = judged.redacted(redaction), redact_trace(trace, redaction)
    return judged, trace, rows


def judged_and_read(arguments: argparse.Namespace, found: CaptureSearch, options: Options) -> tuple[Judged, Trace]:
    """Judge a capture, and read it again as a whole.

    Raises:
        CaptureError: The capture cannot be read.
    """
    (capture,) = captures_in(found, join=arguments.join)
    with Progress([capture]).alone(capture) as advance:
        judged = judge_path(capture, options, progress=advance)
    if isinstance(judged, CaptureError):
        raise judged
    return judged, read_all_again(judged)


def text(explained: list[Explained]) -> Lines:
    """Write for people, a rule between subjects."""
    for place, subject in enumerate(explained):
        yield from ["", "-" * 16, ""] * bool(place)
        yield from explained_text(subject)


def lines(explained: list[Explained]) -> Iterator[str]:
    """Write for programs, one object a line."""
    yield from (dump(explained_line(subject)) for subject in explained)
    yield dump(end_line(1, len(explained), 0))
