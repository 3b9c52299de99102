"""Where batches are judged: by Dask, or by any executor, as processes of this machine; answers come in order.

Executors lose workers: the system ends one that takes too much memory, a machine of a cluster goes away, a capture
crashes the interpreter. What was lost is tried again by itself, so that no other batch is to blame, and is halved
until the one capture is found that nobody survives.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, wait
from contextlib import contextmanager
from typing import Any, TypeVar

import attrs

from netinterf.campaign.collecting.cut import work
from netinterf.campaign.collecting.gather import Receipt, Task
from netinterf.engine.lost import SURVIVED_BY_NOBODY, TRIES, LostError, answer_of
from netinterf.errors import MissingExtra, UsageError

__all__ = ["answered", "dask_executor", "in_order"]

Answer = TypeVar("Answer")


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
