"""Run a trace through analyzers."""

import traceback
from collections.abc import Callable, Sequence
from typing import TypeVar

from netinterf.analyzers.base import Analyzer, join
from netinterf.analyzers.check import fits
from netinterf.analyzers.everywhere import everywhere
from netinterf.analyzers.microseconds import in_microseconds
from netinterf.analyzers.registry import builtin, pick
from netinterf.errors import AnalyzerError
from netinterf.recording.blinds import blinded
from netinterf.schema import Diagnostic, Evidence
from netinterf.trace import Trace

__all__ = ["FAILED", "analyze", "analyze_each", "answer", "failed_analyzer", "note_of"]

Answer = TypeVar("Answer")

FAILED = "analyzer.failed"
"""Code of the diagnostic that names an analyzer without an answer."""

LONGEST = 200
"""Characters of a reason that are shown: as of a wrong argument (`netinterf.errors`)."""


def analyze(trace: Trace, analyzers: Sequence[Analyzer | str] | None = None) -> Evidence:
    """Run *trace* through analyzers and collect what they saw.

    Evidence that does not fit the trace is refused: judged further, it would hit a wrong packet or nobody at all.

    Args:
        trace: What to look at.
        analyzers: Which questions to ask, by name or as values; None asks all built-in ones with their defaults.

    Raises:
        ParameterError: No analyzer has that name.
        AnalyzerError: An analyzer raised (the cause is chained), or gave evidence that does not fit the trace.
    """
    trace = in_microseconds(trace)
    return together(trace, [ask(analyzer, trace) for analyzer in (builtin() if analyzers is None else pick(analyzers))])


def analyze_each(trace: Trace, analyzers: Sequence[Analyzer] | None = None) -> tuple[Evidence, tuple[Diagnostic, ...]]:
    """Do the same, but let an analyzer that fails cost its own answers only.

    Returns:
        What the others saw, and a diagnostic for each that failed.

    Raises:
        AnalyzerError: Not one of them answered; it is the first one's.
    """
    trace = in_microseconds(trace)
    tables, errors = [], []
    for analyzer in builtin() if analyzers is None else analyzers:
        try:
            tables.append(ask(analyzer, trace))
        except AnalyzerError as error:
            for raised in (error, error.__cause__):
                traceback.clear_frames(raised.__traceback__ if raised else None)  # what it held, the others may need
            errors.append(error)
    if errors and not tables:
        raise errors[0]
    return together(trace, tables), tuple(map(note_of, errors))


def together(trace: Trace, tables: list[Evidence]) -> Evidence:
    """Put evidence together: what the recording blinds goes, and what everything shows argues against choice."""
    evidence = blinded(trace, join(tables))
    return join([evidence, everywhere(trace, evidence)])


def ask(analyzer: Analyzer, trace: Trace) -> Evidence:
    """Ask one analyzer, and refuse evidence that does not fit the trace."""
    evidence = answer(analyzer, lambda: analyzer(trace))
    fits(analyzer, trace, evidence)
    return evidence


def answer(analyzer: Analyzer, question: Callable[[], Answer]) -> Answer:
    """Take an analyzer's answer to a question.

    Raises:
        AnalyzerError: It raised something; the cause is chained.
    """
    try:
        return question()
    except AnalyzerError:
        raise
    except Exception as cause:
        raise AnalyzerError(analyzer.name, f"raised {type(cause).__name__}: {cause}") from cause


def note_of(error: AnalyzerError) -> Diagnostic:
    """Say that an analyzer failed, on one line."""
    reason = "".join(letter if letter.isprintable() else " " for letter in error.reason)
    reason = reason if len(reason) <= LONGEST else f"{reason[:LONGEST]}…"
    return Diagnostic(FAILED, f"analyzer {error.analyzer!r} failed, and what it asks was not answered: {reason}")


def failed_analyzer(note: Diagnostic) -> str:
    """Say in such a diagnostic which analyzer failed, without the reason, which may quote what it found."""
    return note.message.partition(":")[0]
