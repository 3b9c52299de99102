"""``python -m benchmarks filters``: what filters against injectors catch and cost, and the table that ships for that.

Filters are made of simulated captures of every system that forges what they can drop, and chosen with the packets of
half of the repositories without interference; what they cost is counted on the other half.
"""

import csv
import gzip
import io
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from zlib import crc32

import attrs
import numpy as np

from benchmarks.machine import describe, write_json
from benchmarks.reality.reserve import reserved
from benchmarks.scoreboard.tables import Section, text
from benchmarks.truth import load
from netinterf import simulate
from netinterf.cli.filtering import VERSIONS
from netinterf.engine.judged import judge_trace
from netinterf.errors import NetinterfError
from netinterf.filters.choose import Filter, choose, within
from netinterf.filters.collateral import COLUMNS, TABLE, Collateral
from netinterf.filters.fields import Kind, forged_packets, genuine_packets, read_fields
from netinterf.trace import Trace, read

__all__ = ["run"]

DATA = Path(__file__).resolve().parents[1] / "netinterf" / "data" / TABLE
SCENARIOS = ("tcp.reset*", "tcp.connect.reset*", "tcp.fin*", "dns.injection*")
NOBODY = np.empty(0, np.int64)


def run(options: Namespace) -> dict[str, Any]:
    """Write the table, or say what filters catch and cost."""
    halves = list(counted(options.captures))
    if options.write:
        write(sum(halves, Counter()))
        return {}
    chosen_with, tried_on = map(table_of, halves)
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    told = [row for name in names() for seed in seeds for row in tried(name, seed, chosen_with, tried_on)]
    print(text([summed(told)]))
    if options.json is not None:
        write_json(options.json, {"benchmark": "filters", "filters": told, "machine": describe()})
    return {"filters": told}


def counted(captures: Path) -> Iterator[Counter[tuple[int, ...]]]:
    """Count how packets look in the open captures without interference, by halves of their repositories."""
    halves: tuple[Counter[tuple[int, ...]], Counter[tuple[int, ...]]] = (Counter(), Counter())
    for row in load(captures).files:
        if row.kind != "benign" or reserved(row.repo):
            continue
        try:
            trace = read(captures / row.file)
        except NetinterfError:
            continue
        for number, kind in enumerate(Kind):
            seen = read_fields(trace, genuine_packets(trace, kind, NOBODY), kind)
            looks = zip(seen.version.tolist(), map(tuple, seen.value.tolist()), strict=True)
            halves[crc32(row.repo.encode()) % 2].update((number, version, *value) for version, value in looks)
    yield from halves


def table_of(looks: Counter[tuple[int, ...]]) -> Collateral:
    """Make a table of looks."""
    table = np.array([[*look, count] for look, count in sorted(looks.items())], np.int64).reshape(-1, len(COLUMNS))
    return Collateral(kind=table[:, 0], version=table[:, 1], value=table[:, 2:-1], count=table[:, -1])


def write(looks: Counter[tuple[int, ...]]) -> None:
    """Write the packaged table, the same bytes for the same looks."""
    kinds, lines = [kind.value for kind in Kind], io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([kinds[kind], *rest, looks[kind, *rest]] for kind, *rest in sorted(looks))
    DATA.write_bytes(gzip.compress(lines.getvalue().encode(), mtime=0))
    print(f"{len(looks):,} looks of {looks.total():,} packets: {DATA.stat().st_size:,} bytes")


def names() -> Iterator[str]:
    """List the scenarios in which something is forged that a filter can drop."""
    for scenario in simulate.scenarios():
        if any(fnmatch(scenario.name, pattern) for pattern in SCENARIOS):
            yield scenario.name


def tried(name: str, seed: int, chosen_with: Collateral, tried_on: Collateral) -> list[dict[str, Any]]:
    """Make filters of a capture, and try them."""
    played = simulate.run(name, seed, simulate.Conditions.clean(vantage="client"))
    trace = read(times=played.times, frames=played.frames, link_type=played.link_type)
    told: list[dict[str, Any]] = []
    for kind, version, found in offers(trace, chosen_with):
        row = {"scenario": name, "seed": seed, "kind": kind.value, "version": version}
        if isinstance(found, Filter):
            harmless = tried_on.of(kind, version)
            row |= attrs.asdict(found, filter=attrs.filters.exclude("kind", "version"))
            row |= {"held_out": harmless.total}
            row |= {"held_out_hit": int(harmless.count[within(found.ranges, harmless.value)].sum())}
        else:
            row["refused"] = found.because
        told.append(row)
    return told


def offers(trace: Trace, collateral: Collateral) -> Iterator[tuple[Kind, int, Any]]:
    """Find filters, or why there are none, with a table of one's own."""
    verdicts = judge_trace(trace, "-").ledger.verdicts
    for kind in Kind:
        forged = forged_packets(trace, verdicts, kind)
        seen = read_fields(trace, forged, kind)
        beside = read_fields(trace, genuine_packets(trace, kind, forged), kind)
        for version in VERSIONS:
            if (seen.version == version).any():
                yield kind, version, choose(kind, version, seen, beside, collateral)


def summed(told: list[dict[str, Any]]) -> Section:
    """Sum up by kind of packet."""
    rows: list[list[Any]] = []
    for kind in dict.fromkeys(row["kind"] for row in told):
        mine = [row for row in told if row["kind"] == kind]
        made = [row for row in mine if "refused" not in row]
        conversations, dropped, tried_on = (
            sum(row[name] for row in made) for name in ("conversations", "held_out_hit", "held_out")
        )
        caught = sum(row["caught"] for row in made) / max(conversations, 1)
        worst = max((row["held_out_hit"] / max(row["held_out"], 1) for row in made), default=0.0)
        share = f"{dropped:,} of {tried_on:,}"
        rows.append([kind, len(mine), len(made), conversations, f"{caught:.3f}", share, f"{worst:.4f}"])
    head = ["forged", "captures", "filters", "conversations", "caught, each by the others", "harmless dropped", "worst"]
    return Section(
        title="Filters against injectors",
        says="What they cost is counted on repositories that they were not chosen with, the worst by filter.",
        head=head,
        rows=rows,
    )
