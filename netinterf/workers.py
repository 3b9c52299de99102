"""Two hands for array work: run independent pieces of one stage side by side.

numpy lets go of the interpreter lock inside its loops, so plain threads share the cores. They exist only during one
call: nothing is left running, there is no state, and results come back in the order of the pieces, so that the number
of workers never shows in an answer. More than a few do not pay: between its loops numpy needs the lock.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["WORKERS", "concurrently", "each"]

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Other = TypeVar("Other")

WORKERS = min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
"""Threads at most; decoding gained nothing beyond four."""

WORTH_A_THREAD = 1_000
"""Packets from which a second thread helps: before, it takes as long to begin as to do the work (measured)."""


def each(function: Callable[[Item], Answer], items: Iterable[Item]) -> list[Answer]:
    """Call *function* on every item; answers come in the order of the items, and the first error is raised."""
    pieces = list(items)
    if WORKERS == 1 or len(pieces) < 2:
        return [function(piece) for piece in pieces]
    with ThreadPoolExecutor(min(WORKERS, len(pieces))) as pool:
        return list(pool.map(function, pieces))


def concurrently(first: Callable[[], Answer], second: Callable[[], Other], *, rows: int) -> tuple[Answer, Other]:
    """Call two functions at the same time and return both answers; where few *rows* are looked at, in turn."""
    if WORKERS == 1 or rows < WORTH_A_THREAD:
        return first(), second()
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(second)
        answer = first()
        return answer, other.result()
