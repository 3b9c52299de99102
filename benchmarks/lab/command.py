"""``python -m benchmarks lab``: make a labelled folder, list the scenarios, or check a folder."""

import shutil
import sys
import time
from pathlib import Path

from benchmarks.lab.check import check
from benchmarks.lab.netns import available
from benchmarks.lab.plays import WHOLE
from benchmarks.lab.runner import Made, make

__all__ = ["check_folder", "listing", "make_folder"]


def listing() -> str:
    """Write the plays as a Markdown table; each is also played `.brief`."""
    lines = ["| scenario | what happens | mechanism | plays |", "| --- | --- | --- | --- |"]
    for one in WHOLE:
        mechanism = f"`{one.mechanism}`" if one.mechanism else "–"
        lines.append(f"| `{one.name}` | {one.says} | {mechanism} | {one.system or one.confounder} |")
    return "\n".join(lines)


def make_folder(out: Path, seeds: int, pattern: str, jobs: int) -> int:
    """Make captures of every scenario that matches, seeds 0 and up; give the exit status."""
    if reason := available():
        print(f"the lab cannot run here: {reason}", file=sys.stderr)
        return 2
    begin = time.monotonic()
    done = make(out, range(seeds), pattern, jobs, tell=tell)
    problems = [f"{one.scenario} seed {one.seed}: {says}" for one in done for says in one.problems]
    print(*problems, sep="\n" if problems else "")
    worst = max((one.worst_late for one in done), default=0.0)
    mean = sum(one.mean_late for one in done) / max(len(done), 1)
    captures, packets = sum(len(one.captures) for one in done), sum(one.packets for one in done)
    print(f"{len(done)} runs, {captures} captures, {packets:,} packets in {time.monotonic() - begin:.0f} s")
    print(f"timers of the box late by {mean * 1e3:.2f} ms in the mean, {worst * 1e3:.0f} ms at worst")
    print(f"{len(problems)} logged packets are in no capture")
    return 1 if problems else 0


def tell(one: Made) -> None:
    """Write a line about a run."""
    print(f"{one.scenario} {one.seed}: {one.packets} packets, {one.seconds:.0f} s", file=sys.stderr)


def check_folder(folder: Path, jobs: int) -> int:
    """Hold the labels of a folder against what tshark sees; give the exit status."""
    if shutil.which("tshark") is None:
        print("the check needs tshark", file=sys.stderr)
        return 2
    problems = check(folder, jobs)
    print(*problems, sep="\n" if problems else "")
    print(f"{len(list(folder.glob('*.pcap')))} captures, {len(problems)} problems")
    return 1 if problems else 0
