"""How long a report over millions of observations takes, and how much memory, in a process of its own."""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.campaigns.wide import TRANSPORTS, Wide, wide_store
from benchmarks.machine import describe, write_json

__all__ = ["run"]

NETWORKS, RUNS = 20, 30

CHILD = "import sys, netinterf; print(netinterf.Campaign(sys.argv[1]).report().counts())"


def run(rows: int, out: Path | None) -> dict[str, Any]:
    """Write a store, judge it, print what that took, and write it where it is wanted.

    Args:
        rows: Observations: names over four transports in twenty networks, in thirty captures of each.
        out: A file for the results.
    """
    names = -(-rows // (len(TRANSPORTS) * NETWORKS * RUNS))
    wide = Wide(names=[f"name{number}.example" for number in range(names)], networks=NETWORKS, runs=RUNS)
    with tempfile.TemporaryDirectory(prefix="netinterf-long-") as folder:
        store = Path(folder) / "store"
        wide_store(store, wide)
        began = time.perf_counter()
        told = subprocess.run([sys.executable, "-c", CHILD, store], capture_output=True, text=True, check=True)
        seconds = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    written, processors = names * len(TRANSPORTS) * NETWORKS * RUNS, used.ru_utime + used.ru_stime
    print(f"{written:,} observations: {told.stdout.strip()}")
    print(f"{seconds:.1f} s, {processors:.1f} s of processors, {used.ru_maxrss * 1024 / 1e9:.2f} GB")
    results = {
        "rows": written, "found": told.stdout.strip(), "seconds": seconds, "processor_seconds": processors,
        "bytes": used.ru_maxrss * 1024, "machine": describe(),
    }  # fmt: skip
    if out is not None:
        write_json(out, results)
    return results
