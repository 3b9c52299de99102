"""``python -m benchmarks campaign``: make a campaign of known truth, and say what is found of its blocks."""

import argparse
import zlib
from collections.abc import Mapping, Sequence
from time import perf_counter

import attrs

from benchmarks.campaigns import alone, pooled
from benchmarks.campaigns.score import Score, report, score, until
from benchmarks.machine import write_json
from benchmarks.speed import CACHE
from netinterf.simulate.campaign import Campaign, make

__all__ = ["run"]

AFTER = (1, 3, 10, 30)
"""Numbers of runs after which the power is asked for."""


TITLES = {"alone": "Scans of single captures, nothing joined", "pooled": "All captures together"}


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
    counts = sorted({*(count for count in AFTER if count < campaign.runs), campaign.runs})
    results = {}
    single = alone.named(folder, jobs=options.jobs)
    by_run = {count: [one for one in single if one.since is None or one.since <= count] for count in counts}
    for title, named in (("alone", by_run), ("pooled", pooled.named(folder, counts, jobs=options.jobs))):
        scores = {count: score(mine, until(truth, count)) for count, mine in named.items()}
        print(f"\n{TITLES[title]}:\n{told(scores)}")
        results[title] = {str(count): [attrs.asdict(one) for one in mine] for count, mine in scores.items()}
    if options.json is not None:
        write_json(options.json, {"campaign": attrs.asdict(campaign), **results})


def told(scores: Mapping[int, Sequence[Score]]) -> str:
    """Lay out the scores of all runs, and what was found and wrong after fewer."""
    lines = [report(scores[max(scores)])]
    for count, mine in scores.items():
        found, cells, wrong = (sum(getattr(one, word) for one in mine) for word in ("found", "cells", "wrong"))
        lines.append(f"after {count} runs: {found:,} of {cells:,} cells found, {wrong:,} wrong")
    return "\n".join(lines)
