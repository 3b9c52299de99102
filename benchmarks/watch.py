"""Run a program and watch what it costs: time, and memory as the kernel accounts for it."""

import os
import resource
import statistics
import subprocess
import time
from pathlib import Path

import attrs

__all__ = ["ENVIRONMENT", "Cost", "median_seconds", "run_watched"]

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""An installed library is byte-compiled; a checkout must be allowed to be, or each run compiles it anew."""


def median_seconds(command: list[str], runs: int) -> float:
    """Time *command* from outside, its output thrown away: the median of *runs*, after one that is not counted."""
    times = []
    for _ in range(runs + 1):
        begin = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT, check=False)
        times.append(time.perf_counter() - begin)
    return statistics.median(times[1:])


@attrs.frozen
class Cost:
    """What one run cost."""

    seconds: float
    processor: float  # user and system seconds
    status: int
    anonymous: int | None  # peak RssAnon in bytes: memory of the program's own
    mapped: int | None  # peak RssFile in bytes: pages of mapped files, which the kernel can drop
    errors: str


def run_watched(command: list[str], *, timeout: float = 600.0, limit: int | None = None) -> Cost:
    """Run *command*, throw its output away, sample ``/proc`` until it ends.

    Args:
        command: Program and arguments.
        timeout: Seconds after which it is ended; its status is then -9.
        limit: Peak RssAnon in bytes at which it is ended.
    """
    begin, spent = time.perf_counter(), children_seconds()
    anonymous = mapped = 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=ENVIRONMENT) as child:
        pause = 0.002
        while child.poll() is None:
            one, other = resident(child.pid)
            anonymous, mapped = max(anonymous, one), max(mapped, other)
            if time.perf_counter() - begin > timeout or (limit is not None and anonymous > limit):
                child.kill()
            time.sleep(pause)
            pause = min(0.01, pause * 1.1)
        seconds = time.perf_counter() - begin
        errors = (child.stderr.read() if child.stderr else b"").decode("utf-8", "replace")
    return Cost(seconds, children_seconds() - spent, child.returncode, anonymous or None, mapped or None, errors)


def children_seconds() -> float:
    """Give the processor seconds of all children that ended and were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def resident(process: int) -> tuple[int, int]:
    """Read RssAnon and RssFile of a process in bytes; zeros when it is gone or the system has no ``/proc``."""
    try:
        text = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0, 0
    values = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return tuple(int(values.get(name, "0 kB").split()[0]) * 1024 for name in ("RssAnon", "RssFile"))  # type: ignore[return-value]
