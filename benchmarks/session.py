"""Sessions: how fast and in how much memory, whether they say what a scan says, and how soon a watcher tells.

The stream is half an hour of simulated plays, harmless ones and others, played over and over by other addresses.
"""

import argparse
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from benchmarks.behind import BEHIND, told_behind
from benchmarks.machine import table, write_json
from benchmarks.replays import Plays, by_rule, replay
from benchmarks.watch import resident
from netinterf import simulate
from netinterf.engine.judge import judge
from netinterf.engine.session import Session
from netinterf.errors import CaptureError
from netinterf.export.jsonl import lines

__all__ = ["run"]

MINUTES = 30
A_SECOND = 500  # packets per second of capture time
PLAYS = 120  # different ones; all others are these by other addresses
INTERFERED = 0.2  # share of plays with interference: more than is common, so that there is something to find
SIZES = (1, 64, 4096, 1 << 16, 1 << 20)
LIVE = ("tcp.reset.single", "tcp.reset.burst", "http.blockpage.raced", "dns.injection.many")


def played(count: int) -> Plays:
    """Play scenarios, all by IPv4 over Ethernet."""
    rng = np.random.default_rng(1)
    kinds = [one for one in simulate.scenarios() if not one.name.startswith(("rate", "benign.rate", "reach"))]
    by_kind = [[one.name for one in kinds if (one.mechanism is None) == benign] for benign in (True, False)]
    drawn = []
    for seed in range(count):
        names = by_kind[int(rng.random() < INTERFERED)]
        drawn.append(simulate.run(names[int(rng.integers(len(names)))], seed, simulate.Conditions.clean(ip=4)))
    return by_rule(drawn)


def stream(plays: Plays, minutes: int) -> Iterator[bytes]:
    """Write a capture of so many minutes, some packets at a time."""
    rng = np.random.default_rng(2)
    count = round(minutes * 60 * A_SECOND / plays.sizes.mean())
    which = rng.integers(len(plays.sizes), size=count)
    return replay(plays, which, np.sort(rng.integers(minutes * 60 * 10**9, size=count)))


def flow_through(minutes: int) -> dict[str, Any]:
    """Feed the stream as fast as it goes; measure memory every minute of it."""
    plays = played(PLAYS)
    session, fed, spent, found = Session(everything=False), 0, 0.0, 0
    memory: list[float] = []
    looks: list[float] = []
    for place, piece in enumerate(stream(plays, minutes)):
        begin = time.perf_counter()
        found += len(session.feed(piece))
        spent += time.perf_counter() - begin
        fed += len(piece)
        if place % 2:
            begin = time.perf_counter()
            session.so_far()
            looks.append(time.perf_counter() - begin)
            memory.append(resident(int(Path("/proc/self").resolve().name))[0] / 1e6)
    begin = time.perf_counter()
    found += len(session.close())
    spent += time.perf_counter() - begin
    summary = session.summary
    half = len(memory) // 2
    return {
        "minutes": minutes,
        "packets": summary.packets,
        "megabytes": fed / 1e6,
        "packets a second": summary.packets / spent,
        "findings": found,
        "outcomes": summary.outcomes,
        "so far, median s": float(np.median(looks)),
        "so far, worst s": max(looks),
        "MB in the first half, most": max(memory[:half]),
        "MB in the second half, most": max(memory[half:]),
        "MB at the end": memory[-1],
        "MB peak of the process": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
        "notes": {note.code: note.count for note in summary.diagnostics},
    }


def compare(folder: Path, size: int, *, every: int = 1) -> dict[str, Any]:
    """Judge the captures of a folder by scan and by session, fed so many bytes at a time."""
    begin, paths = time.perf_counter(), sorted(path for path in folder.rglob("*") if path.is_file())[::every]
    unequal = [str(path.relative_to(folder)) for path in paths if told(path, None) != told(path, size)]
    return {
        "bytes a piece": size,
        "files": len(paths),
        "unequal": len(unequal),
        "seconds": time.perf_counter() - begin,
        "names": unequal[:10],
    }


def told(path: Path, size: int | None) -> list[str]:
    """Write a capture's summary and all its verdicts, by a scan or by a session; what cannot be read gives why."""
    try:
        if size is None:
            return list(lines(judge(path, name=str(path)), everything=True))
        data, session = path.read_bytes(), Session(name=str(path))
        for at in range(0, len(data), size):
            session.feed(data[at : at + size])
        session.close()
        return list(lines(session.judged, everything=True))
    except CaptureError as error:
        return [f"{type(error).__name__}: {error}"]


def run(options: argparse.Namespace) -> int:
    """Measure what was asked for, print and write; give 1 when a session differs from a scan."""
    results: dict[str, Any] = {"benchmark": "session"}
    if not options.no_stream:
        results["stream"] = flow_through(3 if options.quick else MINUTES)
        print(table(["stream", ""], [[key, str(value)] for key, value in results["stream"].items()]) + "\n")
    if options.captures is not None:
        sizes = options.sizes or SIZES
        rows = [compare(options.captures, size, every=50 if options.quick else 1) for size in sizes]
        results["captures"] = rows
        print(table(list(rows[0]), [[str(value) for value in row.values()] for row in rows]) + "\n")
    if options.behind:
        behind = [attrs.asdict(told_behind(pattern, options.damaged)) for pattern in BEHIND]
        results["behind"] = behind
        print(table(list(behind[0]), [[str(value) for value in row.values()] for row in behind]) + "\n")
    if options.lab:
        results["lab"] = latencies(options.seeds)
    if options.json is not None:
        write_json(options.json, results)
    return int(any(row["unequal"] for row in results.get("captures", [])))


def latencies(seeds: int) -> list[dict[str, Any]]:
    """Watch runs of the lab; say why where there is none."""
    from benchmarks.lab.live import told_in
    from benchmarks.lab.netns import available

    if reason := available():
        print(f"the lab cannot run here: {reason}")
        return []
    rows = [attrs.asdict(told_in(name, seed)) for name in LIVE for seed in range(seeds)]
    print(table(list(rows[0]), [[str(value) for value in row.values()] for row in rows]))
    return rows
