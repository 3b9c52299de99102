"""How quickly token buckets are fitted: ``python -m benchmarks buckets``.

Series of simulated captures, as the analyzer searches them: those of policed scenarios that a bucket explains, and
those that it does not. They are repeated until there are 10,000 of each. Made-up series beside them have one length
each, so that the cost of a packet shows: bursts of random length, one a round trip, through a token bucket or with
losses by chance.
"""

import io
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import describe, table, write_json
from netinterf.analyzers.throttling.judge import judge_directions
from netinterf.analyzers.throttling.losses import suspicions
from netinterf.analyzers.throttling.units import lossy_directions
from netinterf.analyzers.throttling.unseen import count_numbers
from netinterf.capture import write_pcap
from netinterf.simulate import run as simulate
from netinterf.simulate import scenarios
from netinterf.stats.bucket.following import Fates
from netinterf.stats.bucket.search import search_buckets
from netinterf.trace import read

__all__ = ["run"]

LENGTHS = (100, 200, 400)

SHOWN = {"packets": 0, "seconds": 1, "cpu_seconds": 1}
"""What is printed, with so many digits."""


def simulated(first: int, seeds: int) -> tuple[list[Fates], list[Fates]]:
    """Gather what the analyzer searches in policed captures: series with a bucket, and without."""
    policed: list[Fates] = []
    others: list[Fates] = []
    for play in scenarios():
        if not play.name.startswith("rate.policing"):
            continue
        for seed in range(first, first + seeds):
            made = simulate(play.name, seed)
            held = io.BytesIO()
            write_pcap(held, made.times, made.frames, made.link_type, lengths=made.lengths)
            trace = read(held.getvalue())
            numbering = count_numbers(trace)
            lossy, _ = lossy_directions(trace, suspicions(trace, numbering))
            for judged in judge_directions(trace, lossy, numbering)[0]:
                for one in judged.tested:
                    (policed if one.bucket else others).append(one.unit.fates)
    return policed, others


def made_up(count: int, seed: int, *, chance: bool) -> Fates:
    """Send bursts through a token bucket, or lose a tenth by chance."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 30, count)
    inside = np.concatenate([np.arange(length) for length in lengths])
    sent = (np.repeat(np.arange(count) * 0.05, lengths) + 12e-6 * inside)[:count]
    size = np.full(count, 1514.0)
    if chance:
        return Fates(sent, size, rng.random(count) < 0.1)
    rate, depth = rng.choice([2e4, 1e5, 2e5]), rng.choice([8e3, 3e4, 1e5])
    level, lost = depth, np.zeros(count, np.bool_)
    for place, gap in enumerate(np.diff(sent, prepend=sent[0]).tolist()):
        level = min(depth, level + rate * gap)
        lost[place] = level < 1514.0
        level -= 0.0 if lost[place] else 1514.0
    return Fates(sent, size, lost)


def run(*, first: int, seeds: int, count: int = 10_000, out: Path | None = None) -> list[dict[str, Any]]:
    """Measure and print.

    Args:
        first: First seed.
        seeds: Simulated captures per scenario.
        count: Series of each kind.
        out: Where to write the results as JSON.
    """
    policed, others = simulated(first, seeds)
    kinds = {"simulated, with a bucket": policed, "simulated, without": others}
    for length in LENGTHS:
        for chance, word in ((False, "policed"), (True, "by chance")):
            kinds[f"made up, {length} packets, {word}"] = [
                made_up(length, first + seed, chance=chance) for seed in range(1000)
            ]
    results = []
    for name, series in kinds.items():
        if not series:
            continue
        repeated = [series[place % len(series)] for place in range(count)]
        begin, used = time.perf_counter(), time.process_time()
        search_buckets(repeated)
        seconds, cpu = time.perf_counter() - begin, time.process_time() - used
        packets = float(np.mean([len(one) for one in series]))
        results.append({"series": name, "packets": packets, "seconds": seconds, "cpu_seconds": cpu})
    rows = [[one["series"], *(f"{one[name]:.{digits}f}" for name, digits in SHOWN.items())] for one in results]
    print(table([f"{count:,} series", "packets, mean", "seconds", "of a core"], rows))
    if out is not None:
        write_json(out, {"machine": describe(), "results": results})
    return results
