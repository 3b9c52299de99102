"""Sessions: how fast and in how much memory, whether they say what a scan says, and how soon a watcher tells.

The stream is half an hour of simulated plays, harmless ones and others, played over and over by other addresses. An
address takes what its partner gives (a number is added to one and subtracted from the other, in the arithmetic of
RFC 1071), so that all checksums stay right.
"""

import argparse
import io
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import table, write_json
from benchmarks.watch import resident
from netinterf import simulate
from netinterf.arrays import I64, U8
from netinterf.capture import write_pcap, write_records
from netinterf.engine.judged import judge
from netinterf.engine.session import Session
from netinterf.errors import CaptureError
from netinterf.export.jsonl import lines
from netinterf.trace import read

__all__ = ["run"]

MINUTES = 30
A_SECOND = 500  # packets per second of capture time
PLAYS = 120  # different ones; all others are these by other addresses
INTERFERED = 0.2  # share of plays with interference: more than is common, so that there is something to find
START = 1_700_000_000 * 10**9
LOT = 20_000  # packets written at a time
SIZES = (1, 64, 4096, 1 << 16, 1 << 20)
LIVE = ("tcp.reset.single", "tcp.reset.burst", "http.blockpage.raced", "dns.injection.many")


@attrs.frozen(eq=False)
class Plays:
    """Plays one after the other in one buffer; one entry per packet, but for the last."""

    buffer: U8
    at: I64
    captured: I64
    time: I64  # ns since its play began
    plus: I64  # offset of the lower half of the client's address
    minus: I64  # of the server's
    first: I64  # first packet of each play, and the number of packets


def gathered(count: int) -> Plays:
    """Play scenarios, all by IPv4 over Ethernet."""
    rng = np.random.default_rng(1)
    kinds = [one for one in simulate.scenarios() if not one.name.startswith(("rate", "benign.rate", "reach"))]
    by_kind = [[one.name for one in kinds if (one.mechanism is None) == benign] for benign in (True, False)]
    parts: list[tuple[NDArray[Any], ...]] = []
    buffers, size, first = [], 0, [0]
    while len(parts) < count:
        names = by_kind[int(rng.random() < INTERFERED)]
        played = simulate.run(names[int(rng.integers(len(names)))], len(parts), simulate.Conditions.clean(ip=4))
        file = io.BytesIO()
        write_pcap(file, played.times, played.frames, played.link_type)
        trace = read(file.getvalue())
        packets = trace.packets
        ip = packets.at + packets.ip_at
        there, back = ip + 14, ip + 18  # RFC 791 §3.1: the lower halves of source and destination
        known = packets.version == 4
        plus, minus = np.where(packets.outbound, there, back), np.where(packets.outbound, back, there)
        base = size
        parts.append((packets.at + base, packets.captured, packets.time - packets.time.min(),
                      np.where(known, plus + base, -1), np.where(known, minus + base, -1)))  # fmt: skip
        buffers.append(trace.buffer)
        size += len(trace.buffer)
        first.append(first[-1] + len(packets))
    at, sizes, times, plus_at, minus_at = (
        np.concatenate(column).astype(np.int64) for column in zip(*parts, strict=True)
    )
    return Plays(np.concatenate(buffers), at, sizes, times, plus_at, minus_at, np.array(first))


def stream(plays: Plays, minutes: int) -> Iterator[bytes]:
    """Write a capture of so many minutes, some packets at a time."""
    rng = np.random.default_rng(2)
    sizes = np.diff(plays.first)
    count = round(minutes * 60 * A_SECOND / sizes.mean())
    which = rng.integers(len(sizes), size=count)
    begin = np.sort(rng.integers(minutes * 60 * 10**9, size=count))
    rows = np.concatenate([np.arange(plays.first[one], plays.first[one + 1]) for one in which])
    owner = np.repeat(np.arange(count), sizes[which])
    times = START + begin[owner] + plays.time[rows]
    order = np.argsort(times, kind="stable")
    for lot in range(0, len(order), LOT):
        chosen = order[lot : lot + LOT]
        yield written(plays, rows[chosen], owner[chosen] + 1, times[chosen], head=lot == 0)


def written(plays: Plays, rows: I64, shift: I64, times: I64, *, head: bool) -> bytes:
    """Write packets by other addresses."""
    captured = plays.captured[rows]
    at = np.cumsum(captured) - captured
    place = np.repeat(plays.at[rows] - at, captured) + np.arange(int(captured.sum()))
    buffer = plays.buffer[place]
    for offset, amount in ((plays.plus, shift), (plays.minus, -shift)):
        known = np.flatnonzero(offset[rows] >= 0)
        here = (offset[rows] - plays.at[rows] + at)[known]
        word = (buffer[here].astype(np.int64) << 8 | buffer[here + 1]) + amount[known]
        word %= 0xFFFF  # one's complement (RFC 1071 §1)
        buffer[here], buffer[here + 1] = word >> 8, word & 0xFF
    file = io.BytesIO()
    write_records(file, buffer, at, captured, captured, times, 1)
    return file.getvalue()[0 if head else 24 :]


def flow_through(minutes: int) -> dict[str, Any]:
    """Feed the stream as fast as it goes; measure memory every minute of it."""
    plays = gathered(PLAYS)
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
