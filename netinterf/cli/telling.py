"""Who else is told of findings as they come: a command that is run for each of them, and the system's log."""

import logging
import os
import queue
import shlex
import shutil
import stat
import subprocess
import threading
from collections.abc import Sequence
from logging.handlers import SYSLOG_UDP_PORT, SysLogHandler
from typing import Protocol

from netinterf.cli.exit_status import complain
from netinterf.errors import ParameterError
from netinterf.report.findings import one_line
from netinterf.schema import Outcome
from netinterf.writing import dump
from netinterf.written.format import verdict_line
from netinterf.written.record import Verdict

__all__ = ["Command", "Listener", "SystemLog", "listeners_of"]

WAITING = 1_000  # findings that wait for a command; beyond that it does not keep up, and hears no more of them
LONGEST = 60.0  # s that a command may take for one finding
PARTING = 5.0  # s that the command has left when nothing more comes
LINE = 1_024  # bytes of a message that every receiver takes (RFC 3164 §4.1)


class Listener(Protocol):
    """Somebody who is told of findings."""

    def tell(self, verdict: Verdict) -> None:
        """Tell of a finding that is new or changed; returns at once."""
        ...

    def close(self) -> None:
        """Nothing more comes."""
        ...


def listeners_of(command: str | None, log: str | None) -> list[Listener]:
    """Give whoever is to be told.

    Raises:
        ParameterError: The command cannot be run, or the log cannot be written to.
    """
    listeners: list[Listener] = [] if command is None else [Command(command)]
    return listeners if log is None else [*listeners, SystemLog(log)]


class Command:
    """A command that is run for each finding, one after the other, with the line of the verdict on its standard input.

    It is run as it is, by its words and without a shell, so that nothing in a finding can be anything but data. What it
    writes to standard output goes nowhere, since that is where the findings are written.

    Args:
        words: The command and its arguments, quoted as in a shell.

    Raises:
        ParameterError: There is no such command.
    """

    def __init__(self, words: str) -> None:
        try:
            self._argv: Sequence[str] = shlex.split(words)
        except ValueError as cause:
            raise ParameterError("on-finding", words, f"a command ({cause})") from cause
        if not self._argv or shutil.which(self._argv[0]) is None:
            raise ParameterError("on-finding", words, "a command that can be run")
        self._waiting: queue.Queue[str | None] = queue.Queue(WAITING)
        self._missed = 0
        self._complained: set[str] = set()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def tell(self, verdict: Verdict) -> None:
        """Have the command run when those before are done."""
        try:
            self._waiting.put_nowait(dump(verdict_line(verdict)))
        except queue.Full:
            self._missed += 1

    def close(self) -> None:
        """Wait a moment for what is still to be told, and say what was not."""
        try:
            self._waiting.put(None, timeout=PARTING)
            self._thread.join(PARTING)
        except queue.Full:
            pass
        missed = self._missed + sum(line is not None for line in self._waiting.queue)
        if missed:
            complain(f"--on-finding {self._argv[0]}: {missed:,} findings were not handed over: it is too slow for them")

    def _run(self) -> None:
        while (line := self._waiting.get()) is not None:
            try:
                ran = subprocess.run(
                    self._argv,
                    input=line.encode() + b"\n",
                    stdout=subprocess.DEVNULL,
                    timeout=LONGEST,
                    check=False,
                    start_new_session=True,  # a key that stops the watcher does not stop what it was told
                )
                problem = f"exit status {ran.returncode}" if ran.returncode else ""
            except subprocess.TimeoutExpired:
                problem = f"it was stopped after {LONGEST:.0f} s"
            except OSError as error:
                problem = error.strerror or str(error)
            if problem and problem not in self._complained:
                self._complained.add(problem)
                complain(f"--on-finding {self._argv[0]}: {problem} (said once)")


class Handler(SysLogHandler):
    """Says in a line, and once, that messages cannot be written."""

    def __init__(self, address: tuple[str, int] | str, place: str) -> None:
        super().__init__(address, SysLogHandler.LOG_DAEMON)
        self._place, self._failed = place, False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - as the class above calls it
        del record
        if not self._failed:
            self._failed = True
            complain(f"--syslog {self._place}: it takes no messages (said once)")


class SystemLog:
    """The system's log, here or of another machine: a line for each finding (RFC 3164).

    Args:
        place: The path of a socket, or ``HOST`` or ``HOST:PORT`` (UDP, port 514 where none is named).

    Raises:
        ParameterError: There is no such socket or host.
    """

    def __init__(self, place: str) -> None:
        host, _, port = place.rpartition(":") if place.rpartition(":")[2].isdigit() else (place, "", "")
        address = place if "/" in place else (host.strip("[]"), int(port or SYSLOG_UDP_PORT))
        try:
            if "/" in place and not stat.S_ISSOCK(os.stat(place).st_mode):  # the handler itself would be silent
                raise OSError(f"{place} is none")
            self._handler = Handler(address, place)
        except OSError as cause:
            raise ParameterError("syslog", place, f"a socket, or HOST:PORT ({cause.strerror or cause})") from cause
        self._handler.append_nul = False
        self._handler.ident = "netinterf: "

    def tell(self, verdict: Verdict) -> None:
        """Write a line: a warning of what was interfered with, a notice of what perhaps was."""
        level = logging.WARNING if verdict.outcome is Outcome.INTERFERED else logging.INFO
        text = one_line(verdict).encode()[: LINE - 64].decode("utf-8", "ignore")
        self._handler.handle(logging.makeLogRecord({"msg": "%s", "args": (text,), "levelno": level}))

    def close(self) -> None:
        """Let go of the socket."""
        self._handler.close()
