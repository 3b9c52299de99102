"""The verb that judges while packets come: what is known so far about twice a second, what is final at the end."""

import argparse
import signal
import time
from types import FrameType

from netinterf.cli.changes import FORMS, ChangeWriter
from netinterf.cli.exit_status import EXIT_FOUND, EXIT_NO_INPUT, EXIT_NO_OUTPUT, EXIT_OK, complain
from netinterf.cli.intake import Source, name_of_all, open_source
from netinterf.cli.options import read_analyzers, read_redaction
from netinterf.cli.output import Output
from netinterf.cli.ring import Ring
from netinterf.cli.shelf import Shelf
from netinterf.cli.telling import listeners_of
from netinterf.cli.troubles import Troubles
from netinterf.engine.session import Session
from netinterf.errors import CaptureError, UsageError
from netinterf.verdict.model import Model

__all__ = ["run_watch"]

PAUSE = 0.5  # s from the beginning of one judgement to the next at least: sooner, nobody reads what is told
PROMISE = 2.0  # s within which a finding is told after the last of its packets, where judging takes one at most
TELLING = PROMISE / 2  # s from the beginning of a judgement after which what it found waits for the next
SPARING = 3  # judging takes one part in so many of the time where that keeps the promise, and never less
READING = 2  # between two judgements that do not keep it, so many times as long is left as reading took the last time
DRAIN = 1.0  # s for what is on its way when the command is stopped
POLL = 0.25  # s after which it is seen, at the latest, that the command is stopped


def run_watch(arguments: argparse.Namespace) -> int:
    """Judge a pipe or interfaces until they end or the command is stopped; return the exit status."""
    stop = Stop()
    if "-" in arguments.sources and len(arguments.sources) > 1:
        raise UsageError("- is watched alone; dumpcap -i A -i B -w - writes what several interfaces see into one pipe")
    name = name_of_all(arguments.sources)
    shelf = open_shelf(arguments)
    session = open_session(arguments, name, shelf)
    session.so_far()  # loads all that judging needs, before anything waits to be judged
    output, listeners = Output(), listeners_of(arguments.on_finding, arguments.syslog)
    changes = ChangeWriter(FORMS[arguments.format], output, arguments.all, listeners)
    try:
        source = open_source(arguments.sources)
        complain(f"listening on {source.name}")
        failed = watch(session, source, changes, stop)
        changes.end(session.close(), session.summary)
        for line in (*source.account(session), *(() if shelf is None else shelf.account(session))):
            complain(line)
    except (CaptureError, UsageError) as error:  # the latter where an optional package is missing
        complain(str(error))
        changes.fail(error if isinstance(error, CaptureError) else CaptureError(name, str(error)))
        return EXIT_NO_INPUT
    finally:
        for listener in listeners:
            listener.close()
        if shelf is not None:
            shelf.close()
    if output.failed:
        return EXIT_NO_OUTPUT
    if failed:
        return EXIT_NO_INPUT
    return EXIT_FOUND if arguments.fail_on and session.summary.outcomes["interfered"] else EXIT_OK


def open_shelf(arguments: argparse.Namespace) -> Shelf | None:
    """Turn arguments into what keeps packets; None where nothing shall.

    Raises:
        UsageError: They do not go together, or the ring cannot be kept there.
    """
    if arguments.ring is None:
        if arguments.room is not None:
            raise UsageError("--keep with a size goes with --ring")
        return None
    if arguments.redact:
        raise UsageError("--ring keeps packets as they came, so it does not go with --redact")
    if arguments.room is None:
        raise UsageError("--ring needs to know how much it keeps, such as --keep 10GB")
    return Shelf(Ring(arguments.ring, arguments.room))


def open_session(arguments: argparse.Namespace, name: str, shelf: Shelf | None) -> Session:
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
        name=name,
        redaction=read_redaction(arguments),
        everything=arguments.all,
        on_leaving=shelf,
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


def watch(session: Session, source: Source, changes: ChangeWriter, stop: Stop) -> bool:
    """Feed and judge until the source ends, somebody stops it, or nobody reads the output.

    Returns:
        Whether reading failed, of all that was read: what came before is fed.

    Raises:
        CaptureError: What is fed is no capture.
    """
    due, until, read = time.monotonic() + PAUSE, float("inf"), 0.0
    troubles, failed = Troubles(time.monotonic()), False
    while not (source.ended or changes.output.closed or time.monotonic() > until):
        if stop.requested and until == float("inf"):
            source.stop()
            until = time.monotonic() + DRAIN
        busy = time.thread_time()
        try:
            wait = 0.0 if changes.behind else min(max(due - time.monotonic(), 0.0), POLL)
            changes.final(source.feed(session, wait))
        except OSError as error:
            failed = source.ended and not stop.requested
            place = f"{error.filename}: " if error.filename else ""
            goes_on = "what came before is judged" if source.ended else "watching goes on without it"
            complain(f"{place}{error.strerror or error}; {goes_on}")
        read += time.thread_time() - busy
        begin = time.monotonic()
        if begin >= due:
            troubles.lost(session, source)
            judged = session.so_far()
            troubles.damaged(judged.summary.diagnostics)
            troubles.silent(begin, source.fed, judged.summary.packets)
            changes.so_far(judged, begin + TELLING)
            due, read = begin + period(time.monotonic() - begin, read), 0.0
        changes.catch_up(min(due, time.monotonic() + POLL))
    troubles.lost(session, source)
    return failed


def period(took: float, read: float) -> float:
    """Say how long after the beginning of a judgement the next one begins, s.

    A packet that comes just after a beginning is seen by the next judgement, and told when that is done.

    Args:
        took: Seconds that the judgement took.
        read: Seconds of processor time that reading took from the judgement before to this one.
    """
    return max(PAUSE, min(SPARING * took, max(took + READING * read, PROMISE - took)))
