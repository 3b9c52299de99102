"""Where batches are judged: in processes of this machine, by Dask, or by any executor; answers come in order.

Executors lose workers: the system ends one that takes too much memory, a machine of a cluster goes away, a capture
crashes the interpreter. What was lost is tried again by itself, so that no other batch is to blame, and is halved
until the one capture is found that nobody survives.
"""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from typing import Any, TypeVar

import attrs

from netinterf.campaign.collecting.cut import work
from netinterf.campaign.collecting.gather import Receipt, Task
from netinterf.engine.lost import SURVIVED_BY_NOBODY, TRIES, LostError, answer_of
from netinterf.errors import MissingExtra, UsageError

__all__ = ["Processes", "answered", "dask_executor", "in_order"]

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


@contextmanager
def dask_executor(address: str) -> Iterator[tuple[Executor, int]]:
    """Connect to a scheduler of Dask; give its executor, and how many tasks its workers take at once.

    Raises:
        MissingExtra: distributed is not installed.
        UsageError: Nobody answers there.
    """
    try:
        import distributed
    except ImportError:
        raise MissingExtra("a scheduler", "dask") from None
    try:
        client: Any = distributed.Client(address, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TimeoutError) as cause:
        raise UsageError(f"no scheduler of Dask answers at {address} ({cause})") from cause
    with client:
        yield client.get_executor(pure=False), max(sum(client.nthreads().values()), 1)


def in_order(tasks: Iterator[Task], executor: Executor | None, in_flight: int) -> Iterator[tuple[Task, Receipt]]:
    """Have batches judged, and give what was written aside in the order of the batches; each may come in halves.

    Args:
        tasks: Batches, taken as they are needed.
        executor: Who judges them; None judges here.
        in_flight: How many are handed out and not given back.

    Raises:
        UsageError: The executor cannot be used.
    """
    if executor is None:
        yield from ((task, work(task)) for task in tasks)
        return
    running: deque[tuple[Task, Future[Receipt]]] = deque()
    try:
        while True:
            while len(running) < in_flight and (task := next(tasks, None)) is not None:
                running.append((task, submitted(executor, task)))
            if not running:
                return
            task, future = running.popleft()
            try:
                receipts = iter([(task, answered(future))])
            except LostError:
                wait([other for _, other in running])  # so that it is alone
                receipts = alone(executor, task)
            yield from receipts
    finally:
        for _, future in running:
            future.cancel()


def alone(executor: Executor, task: Task) -> Iterator[tuple[Task, Receipt]]:
    """Have a batch judged while no other is, in halves where nobody survives it."""
    tries = TRIES if len(task.files) == 1 else 1
    while tries:
        try:
            receipt = answered(submitted(executor, task))
        except LostError as loss:
            tries = 0 if loss.often else tries - 1
        else:
            yield task, receipt
            return
    if len(task.files) > 1:
        middle = len(task.files) // 2
        for files in (task.files[:middle], task.files[middle:]):
            yield from alone(executor, attrs.evolve(task, files=files))
        return
    try:
        answered(executor.submit(abs, 0))
    except LostError:
        raise UsageError("no worker of the executor lives long enough to answer") from None
    yield task, work(attrs.evolve(task, lost=SURVIVED_BY_NOBODY))


def submitted(executor: Executor, task: Task) -> Future[Receipt]:
    """Hand a batch out.

    Raises:
        UsageError: The executor takes none.
    """
    try:
        return executor.submit(work, task)
    except (BrokenExecutor, RuntimeError) as cause:
        raise UsageError(f"the executor takes no captures any more ({cause})") from cause


def answered(future: Future[Answer]) -> Answer:
    """Wait for an answer.

    Raises:
        LostError: The worker was lost.
        UsageError: It could not be asked.
    """
    try:
        return answer_of(future)
    except LostError:
        raise
    except Exception as cause:
        raise UsageError(f"the executor cannot do it ({type(cause).__name__}: {cause})") from cause
