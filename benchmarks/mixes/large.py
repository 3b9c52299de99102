"""What captures cost that are too large to be looked at as one: memory must not grow with the file."""

from pathlib import Path
from typing import Any

from benchmarks.machine import table, write_json
from benchmarks.manual import put
from benchmarks.mixes.catalogue import made
from benchmarks.mixes.measure import PAGE, SECONDS, scanned, text
from netinterf.capture import open_capture

__all__ = ["run"]

PACKETS = 1_000_000

SIZES = (
    ("web, no timestamps", 1),
    ("web, no timestamps", 4),
    ("web, no timestamps", 6),  # five gigabytes
    ("web, 96 bytes", 16),
    ("injected DNS", 1),
    ("SYN flood", 2),
    ("SYN flood", 10),
)
"""Mixes, and how many million packets of each."""

LIMIT = 6 << 30  # bytes of memory at which a run is ended

COLUMNS = ("mix", "million packets", "GB", "processor s", "s/M", "wall s", "MB")


def run(*, out: Path | None, docs: bool) -> list[dict[str, Any]]:
    """Scan large captures one by one, print what each cost, and write; into the manual as well, with *docs*."""
    rows = []
    for name, times in SIZES:
        path = made(name, PACKETS, times)
        cost, count = scanned(path, timeout=4 * SECONDS, limit=LIMIT), len(open_capture(path).records)
        rows.append(
            {
                "mix": name,
                "million packets": count / 1e6,
                "GB": path.stat().st_size / 1e9,
                "processor s": cost.processor,
                "s/M": cost.processor / count * 1e6,
                "wall s": cost.seconds,
                "MB": (cost.anonymous or 0) / 1e6,
                "ended": cost.status not in {0, 1},
            }
        )
        print("  ".join(text(value) for value in rows[-1].values()), flush=True)
    print("\n" + table(list(rows[0]), [[text(value) for value in row.values()] for row in rows]))
    if out is not None:
        write_json(out, {"benchmark": "large", "captures": rows})
    if docs:
        lines = [list(COLUMNS), ["---"] * len(COLUMNS), *([text(row[name]) for name in COLUMNS] for row in rows)]
        put(PAGE, "large", "\n".join(f"| {' | '.join(line)} |" for line in lines))
    return rows
