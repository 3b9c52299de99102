"""What a measurement ran on: machine, versions, commit; and where results go."""

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["describe", "table", "write_json"]

ROOT = Path(__file__).resolve().parent.parent


def describe() -> dict[str, Any]:
    """Describe machine, versions and commit."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": platform.machine(),
        "system": platform.system(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
        "versions": {name: installed(name) for name in ("numpy", "scipy", "attrs", "scapy", "dpkt")},
        "commit": git("rev-parse", "--short=12", "HEAD"),
        "changed": bool(git("status", "--porcelain", "--untracked-files=no")),
    }


def processor() -> str:
    """Name the processor as the system does."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def installed(name: str) -> str | None:
    """Give the version of an installed package."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def git(*words: str) -> str:
    """Ask git about the repository; empty when it has no answer."""
    try:
        done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip()


def write_json(path: Path, results: dict[str, Any]) -> None:
    """Write results together with what they ran on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"ran_on": describe(), **results}, indent=1, sort_keys=False) + "\n", encoding="utf-8")


def table(head: list[str], rows: list[list[Any]]) -> str:
    """Lay rows out as text: numbers to the right, None as a dash."""
    cells = [
        head,
        *[["-" if cell is None else cell if isinstance(cell, str) else number(cell) for cell in row] for row in rows],
    ]
    widths = [max(len(line[place]) for line in cells) for place in range(len(head))]
    right = [any(not isinstance(row[place], str) for row in rows) for place in range(len(head))]
    lines = [
        "  ".join(
            cell.rjust(width) if flag else cell.ljust(width)
            for cell, width, flag in zip(line, widths, right, strict=True)
        )
        for line in cells
    ]
    return "\n".join([lines[0].rstrip(), "-" * len(lines[0]), *(line.rstrip() for line in lines[1:])])


def number(value: Any) -> str:
    """Write a number for people."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) >= 1.05 else f"{value:.3f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
