"""Collecting many small captures: equal to what it would be after three kills, and flat memory of who collects.

Captures are the beginning of a packaged example, each with other bytes where nobody reads them, and with other times,
in folders of a thousand. They are collected once without a break, and once into a store with the same key that is
killed (SIGKILL) after a quarter, a half and three quarters, and resumed; then all rows are held against each other.
"""

import gzip
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.machine import describe, write_json
from netinterf import Campaign
from netinterf.arrow import pyarrow
from netinterf.engine.examples import FOLDER

__all__ = ["run"]

PACKETS = 40
"""Of each capture: half a dozen conversations."""

HOUR = 3600  # s between a capture and the next
PER_FOLDER = 1000
PAUSE = 0.2  # s between two looks at memory
KILLS = (0.25, 0.5, 0.75)
STARTED = 0.1  # share of captures from which memory should be flat: before, the process is still being set up


def run(*, captures: int, jobs: int, out: Path | None, folder: Path | None = None) -> dict[str, Any]:
    """Collect captures with and without kills, print what was measured, and give it.

    Args:
        captures: How many.
        jobs: Processes.
        out: Where to write the results as JSON, or None.
        folder: Where to work; None takes a temporary one.
    """
    with TemporaryDirectory(prefix="netinterf-collect-") as place:
        base = folder or Path(place)
        made = time.perf_counter()
        write_captures(base / "in", captures)
        print(f"{captures:,} captures made in {time.perf_counter() - made:.0f} s")
        whole = watched(base, "whole", jobs, captures)
        with_key(base)
        broken = [watched(base, "broken", jobs, captures, until=share) for share in (*KILLS, None)]
        rows, same = compared(base / "whole", base / "broken")
    results = {
        "captures": captures, "jobs": jobs, "rows": rows, "same": same, "whole": whole, "broken": broken,
        "machine": describe(),
    }  # fmt: skip
    told(results)
    if out is not None:
        write_json(out, results)
    return results


def write_captures(folder: Path, count: int) -> None:
    """Write captures, an hour apart; contents differ in a field of the file's header that nobody reads as well."""
    data = gzip.decompress((FOLDER / "benign.pcap.gz").read_bytes())
    header, records, at = data[:24], [], 24
    for _ in range(PACKETS):
        seconds, fraction, captured, length = struct.unpack_from("<4I", data, at)
        records.append((seconds, fraction, captured, length, data[at + 16 : at + 16 + captured]))
        at += 16 + captured
    for number in range(count):
        place = folder / f"{number // PER_FOLDER:04}"
        if number % PER_FOLDER == 0:
            place.mkdir(parents=True)
        later = (number % 8760) * HOUR
        packets = b"".join(struct.pack("<4I", one[0] + later, *one[1:4]) + one[4] for one in records)
        content = header[:12] + struct.pack("<I", number) + header[16:] + packets
        (place / f"{number:07}.pcap").write_bytes(content)


def with_key(base: Path) -> None:
    """Begin another store under the same key, so that all numbers can be compared."""
    (base / "broken" / "private").mkdir(parents=True)
    shutil.copy(base / "whole" / "private" / "key", base / "broken" / "private" / "key")


def watched(base: Path, store: str, jobs: int, captures: int, until: float | None = None) -> dict[str, Any]:
    """Collect, and watch the memory of who does; with *until*, kill it when so many are in the store.

    Returns:
        Seconds, how many captures were in the store, and memory in bytes once it is set up: least and most.
    """
    began = time.perf_counter()
    words = [sys.executable, "-m", "netinterf", "campaign", "collect", "in", "--into", store, "--jobs", str(jobs)]
    process = subprocess.Popen(words, cwd=base, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    memory, killed, done = list[tuple[int, int]](), False, 0
    while process.poll() is None:
        done = entered(base / store)
        if done >= STARTED * captures:
            memory.append((done, resident(process.pid)))
        if until is not None and done >= until * captures:
            process.send_signal(signal.SIGKILL)
            killed = True
            process.wait()
        time.sleep(PAUSE)
    if not killed and process.returncode:
        raise RuntimeError(f"collecting ended with exit status {process.returncode}")
    sizes = [size for _, size in memory if size]
    return {
        "seconds": time.perf_counter() - began, "killed": killed, "captures": entered(base / store),
        "memory": [min(sizes, default=0), max(sizes, default=0)],
    }  # fmt: skip


PARTS: dict[Path, int] = {}


def entered(store: Path) -> int:
    """Count the captures in a store."""
    from pyarrow.parquet import read_metadata

    for part in store.glob("captures/*.parquet"):
        if part not in PARTS:
            PARTS[part] = read_metadata(part).num_rows
    return sum(count for part, count in PARTS.items() if part.is_relative_to(store))


def resident(process: int) -> int:
    """Ask how much memory a process has, bytes; 0 where it is gone, or the system does not tell so."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS")), 0)


def compared(one: Path, other: Path) -> tuple[int, bool]:
    """Hold all rows of two stores against each other, whatever their order; give how many there are."""
    count, same = 0, True
    for table in ("observations", "captures", "marks", "names", "servers", "values"):
        left, right = (ordered(Campaign(store), table) for store in (one, other))
        same &= left.equals(right)
        count += len(left) if table == "observations" else 0
    return count, same


def ordered(campaign: Campaign, table: str) -> Any:
    """Read a table in an order of its rows alone."""
    batches = list(getattr(campaign, table)())
    if not batches:
        return pyarrow().table({})
    rows = pyarrow().Table.from_batches(batches).unify_dictionaries()
    plain = [field.name for field in rows.schema if not pyarrow().types.is_list(field.type)]
    text = {name: rows[name].cast("string") for name in plain if pyarrow().types.is_dictionary(rows[name].type)}
    for name, values in text.items():
        rows = rows.set_column(rows.schema.get_field_index(name), name, values)
    return rows.sort_by([(name, "ascending") for name in plain]).combine_chunks()


def told(results: dict[str, Any]) -> None:
    """Print what was measured."""
    whole = results["whole"]
    least, most = (size / 1e6 for size in whole["memory"])
    rate = results["captures"] / whole["seconds"]
    print(f"collected in {whole['seconds']:.0f} s, {rate:.1f} captures/s with {results['jobs']} processes")
    print(f"memory of who collects: {least:.0f} to {most:.0f} MB, {100 * (most / max(least, 1e-9) - 1):+.1f} %")
    for one in results["broken"]:
        state = "killed" if one["killed"] else "ended"
        print(f"  {state} at {one['captures']:,} captures after {one['seconds']:.0f} s")
    print(f"{results['rows']:,} rows; interrupted and not: {'the same' if results['same'] else 'DIFFERENT'}")
