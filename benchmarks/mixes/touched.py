"""What each mix makes the library do, counted and not timed: calls of functions, and memory at its most.

A loop over what traffic can make long shows in the calls, and a table of all pairs in the memory; both are the same on
every machine, so a build can fail by them. How they grow is measured between a small mix and one four times as large.
"""

import cProfile
import json
import math
import tempfile
import tracemalloc
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import attrs

from benchmarks.machine import table
from benchmarks.mixes.catalogue import MIXES, made
from netinterf import workers
from netinterf.capture import open_capture
from netinterf.compiled import library
from netinterf.engine.judge import judge
from netinterf.report.text import capture_text

__all__ = ["BUDGETS", "Touched", "count", "exponent", "grown", "over_budget", "run"]

SMALL, FACTOR = 2_000, 4
COUNTS = ("calls", "bytes")
MOST_GROWTH = 1.15
"""Exponent from which on a count grows with more than the packets: a sort of all packets is at 1.1."""

LEAST = {"calls": 500, "bytes": 250}
"""Budgets at least: less is the small difference of two large counts. The tables of any traffic take so many bytes."""

OVER = 1.5
"""What a budget may be passed by: versions of numpy differ in how many of its functions call others."""

BUDGETS = Path(__file__).with_name("budgets.json")
"""What each mix took when it was last measured: calls for a thousand packets, and bytes of memory for one."""


@attrs.frozen(kw_only=True)
class Touched:
    """What a mix made the library do; growths are exponents, 1 for as fast as the packets."""

    mix: str
    packets: int
    calls: float  # for a thousand packets
    calls_growth: float
    bytes: float  # for a packet
    bytes_growth: float


def count(name: str, folder: Path) -> Touched:
    """Count what a mix takes in two sizes; where that grows too fast, once more between the larger and one of its like.

    A step that is taken once a capture is worth it looks like growth between two sizes, and like none between the next.
    """
    found = count_from(1, name, folder)
    return count_from(FACTOR, name, folder) if grown([found]) else found


def count_from(times: int, name: str, folder: Path) -> Touched:
    """Count what so many times the small mix takes, and four times as much."""
    paths = [made(name, SMALL, each, folder=folder) for each in (times, times * FACTOR)]
    packets = [len(open_capture(path).records) for path in paths]
    answered(paths[1])  # what is loaded and kept once is not counted
    base, *calls = (calls_of(partial(answered, path)) for path in (made("web", 50, folder=folder), *paths))
    memory = [peak_of(partial(answered, path)) for path in paths]
    factor = packets[1] / packets[0]
    return Touched(
        mix=name,
        packets=packets[1],
        calls=1e3 * (calls[1] - base) / packets[1],
        calls_growth=exponent(calls[0] - base, calls[1] - base, factor),
        bytes=(memory[1] - memory[0]) / (packets[1] - packets[0]),
        bytes_growth=exponent(memory[0], memory[1], factor),
    )


def answered(path: Path) -> int:
    """Judge a capture and write about it; give the lines."""
    return sum(1 for _ in capture_text(judge(path)))


def calls_of(work: Callable[[], object]) -> int:
    """Count the calls of Python functions and of functions in C."""
    profile = cProfile.Profile()
    profile.runcall(work)
    return sum(entry.callcount for entry in profile.getstats())


def peak_of(work: Callable[[], object]) -> int:
    """Give the most memory that was taken at a time, bytes."""
    tracemalloc.start()
    work()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def exponent(few: float, many: float, factor: float) -> float:
    """Give how a count grows: the exponent of the packets; 0 for what does not grow."""
    return math.log(max(many, 1.0) / max(few, 1.0)) / math.log(factor) if many > few else 0.0


def grown(found: Sequence[Touched]) -> list[str]:
    """Say which mixes make counts grow faster than their packets."""
    counts = [(one.mix, what, getattr(one, f"{what}_growth")) for one in found for what in COUNTS]
    return [
        f"{mix}: {what} grow as packets to the power of {growth:.2f}"
        for mix, what, growth in counts
        if growth > MOST_GROWTH
    ]


def over_budget(found: Sequence[Touched], budgets: dict[str, dict[str, float]]) -> list[str]:
    """Say which mixes took more than half as much again as their budget, or have none."""
    counts = [
        (one.mix, what, getattr(one, what), budgets.get(one.mix, {}).get(what, 0)) for one in found for what in COUNTS
    ]
    return [
        f"{mix}: {taken:,.0f} {what}, of a budget of {budget:,.0f}"
        for mix, what, taken, budget in counts
        if taken > OVER * budget
    ]


def single_threaded() -> None:
    """Let one thread do all: two of them meet in memory as chance will have it, and only one is counted."""
    workers.WORKERS = 1


def run(*, jobs: int, write: bool) -> int:
    """Count all mixes, print, and write the budgets or hold the counts against them; give 1 if any is broken."""
    spawning = get_context("spawn")  # each mix in a process of its own: what others left in memory is not its own
    pool = ProcessPoolExecutor(jobs, mp_context=spawning, initializer=single_threaded, max_tasks_per_child=1)
    with tempfile.TemporaryDirectory() as held, pool:
        made("web", 50, folder=Path(held))  # which all of them ask for
        found = list(pool.map(partial(count, folder=Path(held)), MIXES))
    rows: list[list[Any]] = [list(attrs.astuple(one)) for one in found]
    names = [field.name for field in attrs.fields(Touched)]
    print(table(names, [[f"{value:,.2f}" if isinstance(value, float) else value for value in row] for row in rows]))
    if write:
        budgets = {one.mix: {what: max(round(getattr(one, what)), LEAST[what]) for what in COUNTS} for one in found}
        BUDGETS.write_text(json.dumps(budgets, indent=1) + "\n", encoding="utf-8")
    problems = grown(found)
    if library() is None:
        print("budgets are of what is compiled, which is not here: they are not held")
    else:
        problems += over_budget(found, json.loads(BUDGETS.read_text(encoding="utf-8")))
    print("\n".join(problems))
    return int(bool(problems))
