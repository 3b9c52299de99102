"""Processes of this machine that judge captures, or whatever else they are given."""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from typing import Any, TypeVar

__all__ = ["Processes"]

Answer = TypeVar("Answer")


class Processes(Executor):
    """Processes of this machine; those that are lost are replaced, and none outlives its parent.

    Args:
        jobs: How many; None takes the cores of this machine.
    """

    def __init__(self, jobs: int | None = None) -> None:
        self.jobs = (os.cpu_count() or 1) if jobs is None else jobs
        self._fresh = get_context("spawn")  # forking a process with threads may stop it
        self._pool, self._end = self._started()

    def submit(self, function: Callable[..., Answer], /, *arguments: Any, **named: Any) -> Future[Answer]:
        """Have a process call a function."""
        try:
            return self._pool.submit(function, *arguments, **named)
        except BrokenExecutor:
            self.shutdown(wait=False)
            self._pool, self._end = self._started()
            return self._pool.submit(function, *arguments, **named)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the processes go; what they are at is dropped where nobody waits for it."""
        if not wait or cancel_futures:
            self._end.close()
        self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)
        self._end.close()

    def _started(self) -> tuple[ProcessPoolExecutor, Any]:
        """Start processes that end when the other end of a pipe is closed, by whatever end of this process."""
        beginning, end = self._fresh.Pipe(duplex=False)
        pool = ProcessPoolExecutor(self.jobs, mp_context=self._fresh, initializer=begin_worker, initargs=(beginning,))
        return pool, end


def begin_worker(parent: Any) -> None:
    """End with the parent, and leave Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        with suppress(EOFError, OSError):
            parent.recv()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
