"""How soon ``netinterf watch`` tells of forged resets while other traffic keeps it busy: a pipe fed in real time.

Some of its records may be damaged. Then the time of the first reset behind each damaged place is what counts.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from fnmatch import fnmatch
from typing import IO, Any

import attrs
import numpy as np

from benchmarks.replays import by_rule, replay
from benchmarks.watch import ENVIRONMENT
from netinterf import simulate
from netinterf.arrays import F64, I64
from netinterf.capture import open_capture
from netinterf.engine.session import MAX_PACKETS

__all__ = ["BEHIND", "Behind", "told_behind"]

BEHIND = ("browsing", "rate.policing*", "rate.shaping*", "dns.injection*")
FORGED = "tcp.reset.cn-gfw-ii"
RUNS = 12  # different plays of each kind
A_SECOND = 2_000  # packets
SECONDS = 45  # in which resets are forged, once the window is full
APART = 1.5  # s from one to the next
TICK = 0.02  # s
DAMAGE = (b"\xff" * 16, (200_000).to_bytes(4, "little"), (40_000).to_bytes(4, "little"))
"""What record headers become, in turns: nothing that is one, or one whose captured length leads far, or not so far."""


@attrs.frozen
class Behind:
    """What a watcher told of forged resets in a stream.

    Args:
        behind: What the other traffic was.
        forged: Plays with forged resets.
        told: Conversations of these told as interfered.
        median: Seconds from the forged packet to the line that tells of it.
        longest: The longest of these.
        by_evidence: The longest from the last packet that a finding names.
        damaged: Places that were damaged.
        skips: Those told on standard error.
        behind_damage: Longest time, as *longest*, of the first forged reset behind each of these places.
    """

    behind: str
    forged: int
    told: int
    median: float
    longest: float
    by_evidence: float
    damaged: int
    skips: int
    behind_damage: float


def told_behind(pattern: str, places: int = 0) -> Behind:
    """Forge resets in a stream of plays that match a pattern, feed it to a watcher as it would come, and take times.

    Args:
        pattern: Of names of scenarios.
        places: How many records to damage, evenly among those that come in real time.
    """
    data, forged = stream(pattern)
    records = open_capture(data).records
    clock = (records.time - records.time[0]) / 1e9
    first = min(MAX_PACKETS, len(clock) - 1)
    due = np.maximum(clock - clock[first], 0.0)  # what fills the window comes at once
    hurt = np.linspace(first, len(clock), places + 1, dtype=np.int64)[:-1] + 1
    data = damage(data, records.at[hurt])
    lines: list[tuple[float, dict[str, Any]]] = []
    command = [sys.executable, "-m", "netinterf", "watch", "--format", "jsonl", "-"]
    with (
        tempfile.TemporaryFile() as problems,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=problems, env=ENVIRONMENT
        ) as watcher,
    ):
        assert watcher.stdin is not None
        assert watcher.stdout is not None
        listener = threading.Thread(target=listen, args=(watcher.stdout, lines))
        listener.start()
        passed = feed(watcher.stdin, data, due, records.at + records.captured)
        listener.join()
        problems.seek(0)
        said = problems.read().decode().splitlines()
    kept = np.searchsorted(records.at, open_capture(data).records.at)  # frames are counted without those that were lost
    return told(pattern, forged, lines, passed[kept], passed[hurt], said)


def damage(data: bytes, at: I64) -> bytes:
    """Overwrite the headers of the records whose frames begin at some places."""
    damaged = bytearray(data)
    for place, frame in enumerate(at.tolist()):
        hurt = DAMAGE[place % len(DAMAGE)]
        begin = frame - 16 if len(hurt) == 16 else frame - 8  # the whole header, or from its captured length on
        damaged[begin : begin + len(hurt)] = hurt
    return bytes(damaged)


def stream(pattern: str) -> tuple[bytes, int]:
    """Write the traffic with a forged reset now and then; give it, and how many were forged."""
    names = [one.name for one in simulate.scenarios() if fnmatch(one.name, pattern)]
    clean = simulate.Conditions.clean(vantage="client")
    around = [simulate.run(names[seed % len(names)], seed, clean) for seed in range(RUNS)]
    plays = by_rule([*around, *(simulate.run(FORGED, seed, clean) for seed in range(RUNS))])
    span, forged = MAX_PACKETS / A_SECOND + SECONDS, round(SECONDS / APART)
    count = round(span * A_SECOND / plays.sizes[:RUNS].mean())
    which = np.append(np.arange(count) % RUNS, RUNS + np.arange(forged) % RUNS)
    begin = np.append(np.random.default_rng(7).random(count) * span, span - SECONDS + APART * np.arange(forged))
    return b"".join(replay(plays, which, (begin * 1e9).astype(np.int64))), forged


def listen(source: IO[bytes], lines: list[tuple[float, dict[str, Any]]]) -> None:
    """Keep what the watcher tells, with the time."""
    lines.extend((time.monotonic(), json.loads(line)) for line in source)


def feed(target: IO[bytes], data: bytes, due: F64, ends: I64) -> F64:
    """Write packets when they are due; give the time at which each was handed over, s."""
    passed, done, at = np.zeros(len(due)), 0, 0
    while (now := int(np.searchsorted(due, 0.0, "right"))) > done:  # the window's
        target.write(data[at : int(ends[now - 1])])
        target.flush()
        at, done = int(ends[now - 1]), now
    begin = time.monotonic()
    passed[:done] = begin
    while done < len(due):
        now = int(np.searchsorted(due, time.monotonic() - begin, "right"))
        if now > done:
            passed[done:now] = begin + due[done:now]  # when it came, also where the pipe was full
            target.write(data[at : int(ends[now - 1])])
            target.flush()
            at, done = int(ends[now - 1]), now
        time.sleep(TICK)
    target.close()
    return passed


def told(
    pattern: str, forged: int, lines: list[tuple[float, dict[str, Any]]], passed: F64, hurt: F64, said: list[str]
) -> Behind:
    """Find the first line that tells of each forged reset."""
    first: dict[int, tuple[float, float]] = {}
    for at, line in lines:
        if line.get("outcome") != "interfered" or not str(line["mechanism"]).startswith("tcp.reset"):
            continue
        frames = np.array([*line["frames"], *(frame for seen in line["evidence"] for frame in seen["frames"])]) - 1
        forgery = min(line["frames"]) - 1
        first.setdefault(forgery, (at - passed[forgery], at - passed[frames].max()))
    seconds, late = np.array(list(first.values()) or [(np.nan, np.nan)]).T
    came = passed[list(first)]
    behind = [seconds[came >= when][np.argmin(came[came >= when])] for when in hurt if (came >= when).any()]
    return Behind(
        pattern,
        forged,
        len(first),
        float(np.median(seconds)),
        float(seconds.max()),
        float(late.max()),
        len(hurt),
        sum("bytes were skipped" in line for line in said),
        float(max(behind, default=np.nan)),
    )
