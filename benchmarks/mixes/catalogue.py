"""The mixes, by name, and where they are kept once they are made."""

import re
from collections.abc import Callable
from pathlib import Path

from benchmarks.mixes.played import PLAYED
from benchmarks.mixes.small import SMALL
from benchmarks.mixes.web import WEB

__all__ = ["CACHE", "MIXES", "made"]

CACHE = Path(__file__).resolve().parent.parent / ".cache" / "mixes"

MIXES: dict[str, Callable[[Path, int, int], object]] = {**WEB, **SMALL, **PLAYED}
"""What writes a mix of about so many packets to a path, so many times as large by more of the same."""


def made(name: str, packets: int, times: int = 1, *, folder: Path = CACHE) -> Path:
    """Give a mix of about so many packets, so many times as large; it is made when it is not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{re.sub('[^a-z0-9]+', '-', name.lower()).strip('-')}-{packets}x{times}.pcap"
    if not path.exists():
        part = path.with_suffix(".part")
        MIXES[name](part, packets, times)
        part.rename(path)
    return path
