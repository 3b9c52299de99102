"""``python -m benchmarks compare``: shared captures and simulated pairs, found and falsely accused."""

import argparse
from typing import Any

from benchmarks.compare import pairs, shared
from benchmarks.machine import write_json

__all__ = ["run"]


def run(options: argparse.Namespace) -> None:
    """Measure what is asked for, and print it."""
    results: dict[str, Any] = {}
    if options.captures is not None:
        results["captures"] = shared.measure(options.captures)
        print(shared.report(results["captures"]))
    if options.seeds:
        results["pairs"] = pairs.measure(seeds=options.seeds, first_seed=options.first_seed, processes=options.jobs)
        print(pairs.report(results["pairs"]))
    if options.json is not None:
        write_json(options.json, results)
