"""The verb that judges while packets come: what is known so far about twice a second, what is final at the end."""

import argparse
import signal
import time
from types import FrameType

from netinterf.cli.changes import FORMS, ChangeWriter
from netinterf.cli.exit_status import EXIT_FOUND, EXIT_NO_INPUT, EXIT_NO_OUTPUT, EXIT_OK, complain
from netinterf.cli.intake import Source, open_source
from netinterf.cli.options import read_analyzers, read_redaction
from netinterf.cli.output import Output
from netinterf.cli.troubles import Troubles
from netinterf.engine.session import Session
from netinterf.errors import CaptureError, UsageError
from netinterf.verdict.model import Model

__all__ = ["run_watch"]

PAUSE = 0.5  # s from the beginning of one judgement to the next at least: sooner, nobody reads what is told
PROMISE = 2.0  # s within which a finding is told after the last of its packets, where judging takes two thirds of one
SPARING = 3  # judging takes one part in so many of the time where that keeps the promise; the rest is for reading
BUSY = 2  # and one in so many where it does not
DRAIN = 1.0  # s for what is on its way when the command is stopped
POLL = 0.25  # s after which it is seen, at the latest, that the command is stopped


def run_watch(arguments: argparse.Namespace) -> int:
    """Judge a pipe or an interface until it ends or the command is stopped; return the exit status."""
    stop = Stop()
    session = open_session(arguments)
    session.so_far()  # loads all that judging needs, before anything waits to be judged
    output = Output()
    changes = ChangeWriter(FORMS[arguments.format], output, arguments.all)
    try:
        watch(session, open_source(arguments.source), changes, stop)
        changes.end(session.close(), session.summary)
    except (CaptureError, UsageError) as error:  # the latter where an optional package is missing
        complain(str(error))
        changes.fail(error if isinstance(error, CaptureError) else CaptureError(arguments.source, str(error)))
        return EXIT_NO_INPUT
    if output.failed:
        return EXIT_NO_OUTPUT
    return EXIT_FOUND if arguments.fail_on and session.summary.outcomes["interfered"] else EXIT_OK


def open_session(arguments: argparse.Namespace) -> Session:
    """Turn arguments into a session.

    Raises:
        UsageError: An analyzer is unknown, or a table of networks, answers or priors is malformed.
    """
    return Session(
        read_analyzers(arguments),
        vantage=arguments.vantage,
        model=None if arguments.priors is None else Model.load(priors=arguments.priors),
        networks=arguments.networks,
        answers=arguments.answers,
        name=arguments.source,
        redaction=read_redaction(arguments),
        everything=arguments.all,
    )


class Stop:
    """Whether somebody asked the command to end; asked again, it ends at once."""

    def __init__(self) -> None:
        self.requested = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._request)

    def _request(self, number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        self.requested = True


def watch(session: Session, source: Source, changes: ChangeWriter, stop: Stop) -> None:
    """Feed and judge until the source ends, somebody stops it, or nobody reads the output.

    Raises:
        CaptureError: What is fed is no capture.
    """
    due, until = time.monotonic() + PAUSE, float("inf")
    troubles = Troubles(time.monotonic())
    while not (source.ended or changes.output.closed or time.monotonic() > until):
        if stop.requested and until == float("inf"):
            source.stop()
            until = time.monotonic() + DRAIN
        try:
            changes.final(source.feed(session, min(max(due - time.monotonic(), 0.0), POLL)))
        except OSError as error:
            complain(f"{error.strerror or error}; what came before is judged")
            break
        begin = time.monotonic()
        if begin >= due:
            troubles.lost(session, source)
            judged = session.so_far()
            troubles.damaged(judged.summary.diagnostics)
            troubles.silent(begin, source.fed, judged.summary.packets)
            changes.so_far(judged)
            due = begin + period(time.monotonic() - begin)
    troubles.lost(session, source)


def period(took: float) -> float:
    """Say how long after the beginning of a judgement that took so long the next one begins, s.

    A packet that comes just after a beginning is seen by the next judgement, and told when that is done.
    """
    return max(PAUSE, min(SPARING * took, max(BUSY * took, PROMISE - took)))
