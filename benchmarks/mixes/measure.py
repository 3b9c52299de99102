"""What each mix costs: processor seconds per million packets, how they grow, memory, and other programs in turn."""

import math
import shutil
import statistics
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, describe, table, write_json
from benchmarks.manual import put
from benchmarks.mixes.catalogue import MIXES, made
from benchmarks.stages import time_stages
from benchmarks.watch import Cost, run_watched
from netinterf.capture import open_capture

__all__ = ["PAGE", "SECONDS", "run", "scanned", "text"]

PACKETS = 500_000
FACTOR = 4  # how much larger the other file is that growth is measured by
LIMIT = 6 << 30  # bytes of memory, and seconds, after which a run is ended and said to be
SECONDS = 600.0
STARTS = 5  # runs on the smallest capture, of which the median is taken off all others
STAGES = 3  # the most expensive ones are named
OTHERS = {"tcptrace": ("tcptrace", "-n"), "tshark": ("tshark", "-q", "-z", "conv,tcp", "-r")}


PAGE = ROOT / "docs" / "project" / "benchmarks.md"


def run(
    *, only: str, packets: int = PACKETS, pairs: int = 1, programs: bool, out: Path | None, docs: bool = False
) -> list[dict[str, Any]]:
    """Measure every mix whose name matches, print as it goes, and write; into the manual as well, with *docs*."""
    start = statistics.median(scanned(made("web", 50)).processor for _ in range(STARTS))
    print(f"a capture of one connection: {start:.2f} s of processor\n")
    rows = []
    for name in (one for one in MIXES if fnmatch(one, only)):
        rows.append(measured(name, packets, pairs, start, programs))
        print(line(rows[-1]), flush=True)
    print("\n" + table(list(rows[0]) if rows else [], [[text(value) for value in row.values()] for row in rows]))
    if out is not None:
        write_json(out, {"benchmark": "mixes", "start": start, "mixes": rows})
    if docs:
        put(PAGE, "mixes", told(rows, start))
    return rows


COLUMNS = ("mix", "packets", "s/M", "growth", "MB", "÷ tcptrace", "÷ tshark", "worst")


def told(rows: list[dict[str, Any]], start: float) -> str:
    """Write the table of the manual."""
    machine = describe()
    about = (
        f"{machine['processor']}, Python {machine['python']}, numpy {machine['versions']['numpy']}; "
        f"a capture of one connection takes {start:.2f} s."
    )
    lines = [[text(row.get(column, "–")) for column in COLUMNS] for row in rows]
    head = [list(COLUMNS), ["---"] * len(COLUMNS)]
    return about + "\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in head + lines)


def measured(name: str, packets: int, pairs: int, start: float, programs: bool) -> dict[str, Any]:
    """Measure one mix in both sizes."""
    small, large = (made(name, packets // FACTOR, times) for times in (1, FACTOR))
    costs, others = [], dict[str, list[float]]()
    for _ in range(pairs):
        costs.append((scanned(small), scanned(large)))
        for other, words in OTHERS.items() if programs else ():
            if shutil.which(words[0]):
                others.setdefault(other, []).append(run_watched([*words, str(large)]).processor)
    few, many = (statistics.median(one[place].processor for one in costs) for place in (0, 1))
    count = len(open_capture(large).records)
    worst = sorted(time_stages(small), key=lambda stage: -stage.seconds)[:STAGES]
    return {
        "mix": name,
        "packets": count,
        "processor s": many,
        "s/M": (many - start) / count * 1e6,
        "growth": math.log(max(many - start, 1e-3) / max(few - start, 1e-3), FACTOR),
        "wall s": statistics.median(one[1].seconds for one in costs),
        "MB": max(one[1].anonymous or 0 for one in costs) / 1e6,
        "ended": any(cost.status not in {0, 1} for pair in costs for cost in pair),
        **{f"÷ {other}": many / statistics.median(seconds) for other, seconds in others.items()},
        "worst": ", ".join(f"{stage.name.removeprefix('analyzer ').strip()} {stage.seconds:.2f}" for stage in worst),
    }


def scanned(path: Path, *, timeout: float = SECONDS, limit: int = LIMIT) -> Cost:
    """Scan a capture in a process of its own, which is ended after so many seconds, or with so many bytes."""
    return run_watched([sys.executable, "-m", "netinterf", "scan", str(path)], timeout=timeout, limit=limit)


def line(row: dict[str, Any]) -> str:
    """Write a mix in a line."""
    return "  ".join(text(value) for value in row.values())


def text(value: Any) -> str:
    """Write a number shortly."""
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if type(value) is int else str(value)
