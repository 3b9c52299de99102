"""``python -m benchmarks campaign``: make a campaign of known truth, and say what is found of its blocks."""

import argparse
import zlib
from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

import attrs

from benchmarks.campaigns import alone
from benchmarks.campaigns.score import NamedCell, Score, report, score, until
from benchmarks.machine import write_json
from benchmarks.speed import CACHE
from netinterf.simulate.campaign import Campaign, make

__all__ = ["run"]

AFTER = (1, 3, 10, 30)
"""Numbers of runs after which the power is asked for."""


def run(options: argparse.Namespace) -> None:
    """Make the campaign in the cache, or take it from there; judge it and print the scores."""
    words = ("seed", "networks", "names", "runs", "blocked")
    measure = {word: getattr(options, word) for word in words}
    if options.mechanisms:
        measure["mechanisms"] = tuple(options.mechanisms.split(","))
    campaign = Campaign(**measure)
    mark = zlib.crc32(repr(attrs.asdict(campaign)).encode())
    folder = CACHE / "campaigns" / f"{campaign.seed}-{campaign.networks}x{campaign.names}x{campaign.runs}-{mark:08x}"
    begin = perf_counter()
    truth = make(campaign, folder, jobs=options.jobs)
    made = f"{len(truth['cells']):,} cells, {len(truth['causes']):,} harmless causes"
    print(f"{folder}: {made}, {perf_counter() - begin:.0f} s")
    print("Scans of single captures, nothing joined:")
    scores = by_runs(alone.named(folder, jobs=options.jobs), truth, campaign.runs)
    print(told(scores))
    if options.json is not None:
        rows = {str(count): [attrs.asdict(one) for one in mine] for count, mine in scores.items()}
        write_json(options.json, {"campaign": attrs.asdict(campaign), "alone": rows})


def by_runs(named: Sequence[NamedCell], truth: Mapping[str, Any], runs: int) -> dict[int, list[Score]]:
    """Score what was named after one run, after three, and so on, up to all of them."""
    counts = sorted({*(count for count in AFTER if count < runs), runs})
    return {
        count: score([one for one in named if one.since is None or one.since <= count], until(truth, count))
        for count in counts
    }


def told(scores: Mapping[int, Sequence[Score]]) -> str:
    """Lay out the scores of all runs, and what was found and wrong after fewer."""
    lines = [report(scores[max(scores)])]
    for count, mine in scores.items():
        found, cells, wrong = (sum(getattr(one, word) for one in mine) for word in ("found", "cells", "wrong"))
        lines.append(f"after {count} runs: {found:,} of {cells:,} cells found, {wrong:,} wrong")
    return "\n".join(lines)
