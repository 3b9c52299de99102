"""Simulated captures whose times are wrong in every way: no analyzer fails, and nothing warns."""

import io
import warnings
from collections import Counter
from collections.abc import Iterator

import numpy as np

from netinterf import simulate
from netinterf.analyzers.run import FAILED
from netinterf.arrays import I64
from netinterf.capture import write_pcap
from netinterf.engine.judge import judge
from netinterf.engine.options import Options
from netinterf.simulate import Simulated

__all__ = ["complaints", "misplaced", "run"]

LAST = (1 << 32) * 10**9 - 1  # ns; the last that classic pcap can write, in 2106


def misplaced(times: I64) -> Iterator[tuple[str, I64]]:
    """Give the same packets at other times, in ns, and say which."""
    count, began = len(times), int(times.min(initial=LAST))
    yield "as recorded", times
    yield "all equal", np.full(count, began)
    yield "zero", np.zeros(count, np.int64)
    yield "backwards", times[::-1].copy()
    yield "1970", times - began
    yield "2106", times + (LAST - int(times.max(initial=0)))
    yield "crossed", np.random.default_rng(1).permutation(times)
    yield "neighbours crossed", times[np.minimum(np.arange(count) ^ 1, max(count - 1, 0))]
    yield "huge gaps", np.minimum(began + (times - began) * 100_000, LAST)
    yield "far apart", np.where(np.arange(count) % 2 == 0, 0, LAST)


def complaints(played: Simulated, times: I64) -> list[str]:
    """Judge packets at given times with warnings as errors; say what was wrong."""
    held = io.BytesIO()
    write_pcap(held, times, played.frames, played.link_type, nanoseconds=True, lengths=played.lengths)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            judged = judge(held.getvalue(), Options(), name="bytes")
        except Exception as fault:
            return [f"{type(fault).__name__}: {fault}"]
    return [note.message for note in judged.summary.diagnostics if note.code == FAILED]


def run(seed: int) -> int:
    """Play every scenario, judge it at all these times, and print each complaint once; give how many there were."""
    found, runs = Counter[str](), 0
    for scenario in simulate.scenarios():
        played = simulate.run(scenario.name, seed)
        for says, times in misplaced(np.asarray(played.times, np.int64)):
            runs += 1
            for complaint in complaints(played, times):
                if complaint not in found:
                    print(f"{scenario.name}, {says}: {complaint}")
                found[complaint] += 1
    print(f"{runs:,} captures, {found.total():,} complaints, {len(found)} different")
    return found.total()
