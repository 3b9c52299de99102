"""Executors whose workers are lost: the system ends one that takes too much memory, or a capture crashes it.

A pool of processes that loses one takes nothing any more and gives up all that it holds, though one task alone is to
blame. So it is replaced by its like, and what was given up is done again, alone, until the task is found that no worker
survives.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from types import TracebackType
from typing import Any, Self, TypeVar

from netinterf.errors import CaptureError, UsageError

__all__ = ["SURVIVED_BY_NOBODY", "TRIES", "LastingExecutor", "LostError", "answer_of", "settled"]

Answer = TypeVar("Answer")

TRIES = 2
"""How often one task may end its worker, alone, until it is given up."""

GIVEN_UP = frozenset({"KilledWorker", "WorkerCrashedError", "NodeDiedError", "OutOfMemoryError"})
"""Errors by which Dask (the first) and Ray tell that workers were lost each time they tried: four times, by default."""

SURVIVED_BY_NOBODY = "whoever judged it was ended by the system, again and again: it takes all memory, or crashes it"


class LostError(Exception):
    """Tells that whoever did a task was lost.

    Args:
        often: The executor tried it several times.
    """

    def __init__(self, often: bool) -> None:
        self.often = often
        super().__init__(often)


class LastingExecutor:
    """An executor that is replaced when it breaks; what was begun in its place ends on leaving.

    Args:
        executor: Of whoever asks, who shuts it down.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = self._given = executor

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._executor is not self._given:
            self._executor.shutdown(wait=False, cancel_futures=True)

    def submit(self, function: Callable[..., Answer], *arguments: Any) -> Future[Answer]:
        """Have a worker call a function."""
        try:
            return self._executor.submit(function, *arguments)
        except BrokenExecutor:
            self._executor = alike(self._executor)
            return self._executor.submit(function, *arguments)

    def alone(self, name: str, function: Callable[..., Answer], *arguments: Any) -> Answer:
        """Have a function called while no other is.

        Raises:
            CaptureError: No worker survived it; *name* is the capture that it is about.
            UsageError: No worker survives anything.
        """
        for _ in range(TRIES):
            try:
                return answer_of(self.submit(function, *arguments))
            except LostError as loss:
                if loss.often:
                    break
        try:
            answer_of(self.submit(abs, 0))
        except LostError:
            raise UsageError("no worker of the executor lives long enough to answer") from None
        raise CaptureError(name, SURVIVED_BY_NOBODY)


def alike(broken: Executor) -> Executor:
    """Make processes as many and of the same kind as those of a pool that broke."""
    begin: dict[str, Any] = {name: getattr(broken, f"_{name}", None) for name in ("initializer", "mp_context")}
    begin["mp_context"] = begin["mp_context"] or get_context("spawn")
    most = getattr(broken, "_max_workers", None) or os.cpu_count()
    return ProcessPoolExecutor(most, initargs=getattr(broken, "_initargs", ()), **begin)


def answer_of(future: Future[Answer]) -> Answer:
    """Wait for an answer.

    Raises:
        LostError: The worker was lost.
        Exception: What the task raised.
    """
    try:
        return future.result()
    except Exception as cause:
        often = type(cause).__name__ in GIVEN_UP
        if often or isinstance(cause, BrokenExecutor):
            raise LostError(often) from cause
        raise


def settled(futures: Iterable[Future[Any]]) -> None:
    """Wait until none of some tasks is being done."""
    for future in futures:
        with suppress(Exception):
            future.result()
