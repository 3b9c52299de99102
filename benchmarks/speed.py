"""How fast the library runs: every stage, a whole scan with its memory, the import, and other programs beside it."""

import subprocess
import sys
import time
from pathlib import Path
from shutil import which
from typing import Any

import attrs

from benchmarks.capture import SLOTS, write_capture
from benchmarks.lookups import write_lookups
from benchmarks.machine import table, write_json
from benchmarks.programs import time_programs
from benchmarks.stages import fastest, time_stages
from benchmarks.statistics import scale
from benchmarks.watch import ENVIRONMENT, median_seconds, run_watched

__all__ = ["captures", "import_seconds", "run"]

CACHE = Path(__file__).resolve().parent / ".cache"
CONNECTIONS, FEW = 20_000, 1_000
LOOKUPS = 300_000  # two messages each
SCANS = 5  # runs of the whole scan; the median counts
SNAPLENS = {"full": 262_144, "96 bytes": 96}


def captures(connections: int) -> dict[str, Path]:
    """Give the captures to measure on, made when they are not there yet."""
    CACHE.mkdir(exist_ok=True)
    found = {}
    for name, snaplen in SNAPLENS.items():
        path = CACHE / f"{connections * SLOTS}-{snaplen}.pcap"
        if not path.exists():
            part = path.with_suffix(".part")
            write_capture(part, connections=connections, snaplen=snaplen)
            part.rename(path)
        found[name] = path
    return found


def import_seconds(statement: str = "import netinterf", runs: int = 5) -> float:
    """Time an import in a fresh interpreter, the interpreter's own start taken off; best of *runs*."""
    return best(["-c", statement], runs) - best(["-c", "pass"], runs)


def best(words: list[str], runs: int) -> float:
    """Time a fresh interpreter; best of *runs*."""
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        subprocess.run([sys.executable, *words], check=True, env=ENVIRONMENT)
        times.append(time.perf_counter() - begin)
    return min(times)


def run(*, out: Path | None = None, quick: bool = False, programs: bool = True, repeats: int = 2) -> dict[str, Any]:
    """Measure, print and write.

    Args:
        out: Where to write JSON.
        quick: Measure on a twentieth of the packets.
        programs: Time other programs too.
        repeats: How often the stages run; the fastest time counts.
    """
    connections = FEW if quick else CONNECTIONS
    packets = connections * SLOTS
    imports = {one: import_seconds(one) for one in ("import netinterf", "from netinterf import scan", "import numpy")}
    results: dict[str, Any] = {"benchmark": "speed", "packets": packets, "import_seconds": imports}
    print(table(["import", "seconds"], [[one, seconds] for one, seconds in imports.items()]) + "\n")
    for name, path in captures(connections).items():
        size = path.stat().st_size
        print(f"{name}: {packets:,} packets, {size / 1e6:,.0f} MB")
        read_through(path)
        stages = [attrs.asdict(stage) for stage in fastest([time_stages(path) for _ in range(repeats)])]
        command = [sys.executable, "-m", "netinterf", "scan", str(path)]
        seconds = median_seconds(command, SCANS)  # not while it is watched: sampling takes a share of the cores
        whole = attrs.evolve(run_watched(command), seconds=seconds)
        others = time_programs(path, packets) if programs else []
        results[name] = {
            "bytes": size,
            "copy_seconds": read_through(path),
            "stages": stages,
            "scan": attrs.asdict(whole),
            "programs": others,
        }
        print(words(results[name], packets, size))
    results["lookups"] = dns = time_lookups(LOOKUPS // 20 if quick else LOOKUPS)
    print(
        f"{dns['messages']:,} DNS messages, whole scan, one core: {dns['seconds']:.2f} s, {dns['rate']:,.0f} a second\n"
    )
    results["judging"] = judging = scale(50_000 if quick else 1_000_000)
    print(table(list(judging[0]), [list(row.values()) for row in judging]))
    if out is not None:
        write_json(out, results)
    return results


def time_lookups(lookups: int) -> dict[str, Any]:
    """Time whole scans of DNS lookups on one core, where that can be asked for."""
    CACHE.mkdir(exist_ok=True)
    path = CACHE / f"{lookups}-lookups.pcap"
    if not path.exists():
        part = path.with_suffix(".part")
        write_lookups(part, lookups=lookups)
        part.rename(path)
    pinned = ["taskset", "-c", "0"] if which("taskset") else []
    seconds = median_seconds([*pinned, sys.executable, "-m", "netinterf", "scan", str(path)], SCANS)
    return {"messages": 2 * lookups, "seconds": seconds, "rate": 2 * lookups / seconds, "pinned": bool(pinned)}


def read_through(path: Path) -> float:
    """Time reading the file's bytes once: what no reader can beat, and a yardstick that travels between machines."""
    begin = time.perf_counter()
    with path.open("rb") as file:
        while file.read(1 << 22):
            pass
    return time.perf_counter() - begin


def words(result: dict[str, Any], packets: int, size: int) -> str:
    """Write one capture's times for people."""
    rows: list[list[Any]] = [rates(stage["name"], stage["seconds"], packets, size) for stage in result["stages"]]
    total = sum(stage["seconds"] for stage in result["stages"] if not stage["part"])
    rows.append(rates("all stages", total, packets, size))
    rows.append(rates("whole scan (process)", result["scan"]["seconds"], packets, size))
    rows.append(rates("reading the bytes", result["copy_seconds"], packets, size))
    for program in result["programs"]:
        mark = (
            " (failed)" if program["failed"] else f" (from {program['packets']:,})" if program["extrapolated"] else ""
        )
        rows.append(rates(program["name"] + mark, program["seconds"], packets, size))
    scan = result["scan"]
    memory = f"whole scan: exit status {scan['status']}, peak anonymous {megabytes(scan['anonymous'])}"
    text = table(["stage", "seconds", "packets/s", "MB/s"], rows)
    return f"{text}\n{memory}, mapped file pages {megabytes(scan['mapped'])}\n{scan['errors'][-2000:]}"


def rates(name: str, seconds: float, packets: int, size: int) -> list[Any]:
    """Make one line: seconds, packets and megabytes per second."""
    return [name, seconds, packets / seconds, size / 1e6 / seconds]


def megabytes(value: int | None) -> str:
    """Write bytes as megabytes."""
    return "unknown" if value is None else f"{value / 1e6:,.0f} MB"
