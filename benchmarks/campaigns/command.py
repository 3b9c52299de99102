"""``python -m benchmarks campaign``: make a campaign of known truth, and say what is found of its blocks."""

import argparse
from time import perf_counter
from typing import Any

import attrs

from benchmarks.campaigns import alone
from benchmarks.campaigns.score import report, score
from benchmarks.machine import write_json
from benchmarks.speed import CACHE
from netinterf.simulate.campaign import Campaign, make

__all__ = ["run"]


def run(options: argparse.Namespace) -> None:
    """Make the campaign in the cache, or take it from there; judge it and print the scores."""
    campaign = Campaign(
        seed=options.seed, networks=options.networks, names=options.names, runs=options.runs, blocked=options.blocked
    )
    measure = f"{campaign.seed}-{campaign.networks}x{campaign.names}x{campaign.runs}-{campaign.blocked}"
    folder = CACHE / "campaigns" / measure
    begin = perf_counter()
    truth = make(campaign, folder, jobs=options.jobs)
    print(f"{folder}: {len(truth['cells']):,} cells, {len(truth['causes']):,} harmless causes, "
          f"{perf_counter() - begin:.0f} s")  # fmt: skip
    scores = score(alone.named(folder, jobs=options.jobs), truth)
    print("Scans of single captures, nothing joined:")
    print(report(scores))
    if options.json is not None:
        results: dict[str, Any] = {"campaign": attrs.asdict(campaign), "alone": [attrs.asdict(one) for one in scores]}
        write_json(options.json, results)
