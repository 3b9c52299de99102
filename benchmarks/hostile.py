"""Damaged and crafted files: no traceback, no hang, bounded memory."""

import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs

from benchmarks.bombs import write_bombs
from benchmarks.machine import table, write_json
from benchmarks.truth import load
from benchmarks.watch import Cost, run_watched

__all__ = ["complaint", "run"]

SECONDS = 10.0
MEMORY = 500 << 20


def complaint(cost: Cost) -> str:
    """Say what a run did that it must not; empty when it behaved."""
    if cost.seconds >= SECONDS:
        return f"took {cost.seconds:.1f} s"
    if (cost.anonymous or 0) > MEMORY:
        return f"used {(cost.anonymous or 0) >> 20} MB"
    if "Traceback" in cost.errors:
        return cost.errors.strip().splitlines()[-1]
    if cost.status not in {0, 3}:  # 3: no input could be read
        return f"exit status {cost.status}"
    return ""


def run(root: Path | None, *, out: Path | None = None, jobs: int = 2) -> dict[str, Any]:
    """Scan every hostile file of a labelled folder in a process of its own, and print those that misbehave.

    Without a folder bombs are made (`benchmarks.bombs`), and what each cost is printed.
    """
    if root is None:
        with tempfile.TemporaryDirectory() as folder:
            bombs = write_bombs(Path(folder))
            sizes = [path.stat().st_size for path in bombs]
            results = judged_alone([str(path) for path in bombs], out=out, jobs=1)
        rows = [
            [path.stem, size >> 10, cost["processor"], (cost["anonymous"] or 0) >> 20, (cost["mapped"] or 0) >> 20]
            for path, size, cost in zip(bombs, sizes, results["costs"].values(), strict=True)
        ]
        print(table(["bomb", "KB", "processor s", "MB", "MB mapped"], rows))
        return results
    return judged_alone([str(root / row.file) for row in load(root).files if row.kind == "hostile"], out=out, jobs=jobs)


def judged_alone(files: list[str], *, out: Path | None, jobs: int) -> dict[str, Any]:
    """Scan files, each in a process of its own."""

    def scan(file: str) -> Cost:
        words = [sys.executable, "-m", "netinterf", "scan", "--all", "--format", "jsonl", file]
        return run_watched(words, timeout=SECONDS, limit=MEMORY)

    with ThreadPoolExecutor(jobs) as pool:
        costs = dict(zip(files, pool.map(scan, files), strict=True))
    bad = {file: text for file, cost in costs.items() if (text := complaint(cost))}
    read = sum(cost.status == 0 for cost in costs.values())
    print(f"{len(files)} hostile files: {read} read, {len(files) - read - len(bad)} refused, {len(bad)} misbehave")
    for file, text in bad.items():
        print(f"  {file}: {text}")
    if costs:
        slow = max(costs, key=lambda file: costs[file].seconds)
        big = max(costs, key=lambda file: costs[file].anonymous or 0)
        print(f"slowest {costs[slow].seconds:.1f} s {slow}\nlargest {(costs[big].anonymous or 0) >> 20} MB {big}")
    results = {"benchmark": "hostile", "files": len(files), "misbehave": bad,
               "costs": {file: attrs.asdict(cost) for file, cost in costs.items()}}  # fmt: skip
    if out is not None:
        write_json(out, results)
    return results
