"""Another process that answers: one that takes too long, is no longer wanted or dies costs its own answer only.

A thread could not be stopped, and a capture that is cut short while it is mapped ends the process that reads it. So
questions are answered in a process of their own, one after the other; when it is ended, the next question starts
another, which judges anew what the one before kept.
"""

import signal
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context
from typing import Any

from netinterf.assistants.desk import Desk, refusal
from netinterf.assistants.setting import Setting

__all__ = ["Worker"]


class Worker:
    """Answers questions in another process, one at a time.

    Args:
        setting: How the server was started.
        desk: What answers, made from the setting in the other process.
    """

    def __init__(self, setting: Setting, desk: Callable[[Setting], Desk] = Desk) -> None:
        self._setting, self._desk = setting, desk
        self._process: Any = None
        self._line: Any = None

    def begin(self) -> None:
        """Start the process, unless it is there."""
        if self._is_there():
            return
        self.end()
        fresh = get_context("spawn")  # forking a process with threads may stop it
        self._line, other = fresh.Pipe()
        self._process = fresh.Process(target=serve, args=(self._setting, self._desk, other), daemon=True)
        self._process.start()
        other.close()

    def _is_there(self) -> bool:
        """Say whether the process waits for a question; of one that dies, the line ends before the system says so."""
        try:
            return self._process is not None and self._process.is_alive() and not self._line.poll()
        except OSError:
            return False

    def answer(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Answer one call of a tool, once the process was started; `end`, from another thread, cuts it short."""
        line = self._line
        try:
            line.send((name, arguments))
            answer: dict[str, Any] = line.recv()
        except (EOFError, OSError):
            return refusal("failed", "whoever answers was ended before there was an answer")
        return answer

    def end(self) -> None:
        """End the process, whatever it is at."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None


def serve(setting: Setting, desk: Callable[[Setting], Desk], line: Any) -> None:
    """Answer what comes until the other end is closed, which it is by whatever end of the server."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server
    answers = desk(setting)
    with suppress(EOFError, OSError):
        while True:
            name, arguments = line.recv()
            line.send(answers.answer(name, arguments))
