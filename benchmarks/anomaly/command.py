"""``python -m benchmarks anomaly``: count what is ordinary, and who stands out from it."""

import json
import time
from argparse import Namespace
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.anomaly import measuring
from benchmarks.anomaly.choices import section
from benchmarks.anomaly.fitting import Pool, fit, pooled
from benchmarks.anomaly.gathering import Gathered, gather, lab, real, simulated
from benchmarks.machine import describe, write_json
from benchmarks.manual import put
from benchmarks.scoreboard.tables import Section, markdown, text
from netinterf.anomaly.kinds import KINDS, Kind

__all__ = ["run"]

DATA = Path(__file__).resolve().parents[2] / "netinterf" / "data" / "ordinary.json"
PAGE = DATA.parents[2] / "docs" / "explain" / "anomaly.md"


def run(options: Namespace) -> dict[str, Any]:
    """Count what is ordinary and write it, or measure who stands out, print and write that."""
    begin = time.perf_counter()
    found = list(gather(real(options.captures), options.jobs))
    if options.write:
        write(found)
        return {}
    others = simulated(range(options.first_seed, options.first_seed + options.seeds))
    others += [] if options.lab is None else lab(options.lab)
    made = list(gather(others, options.jobs))
    reserve = list(gather(real(options.captures, reserve=True), options.jobs)) if options.reserve else []
    results = measure(found, made, reserve)
    tables = [*sections(results), section([(pool_of(found, kind), pooled(made, kind)) for kind in KINDS])]
    print(text(tables))
    if options.docs:
        put(PAGE, "anomaly", markdown(tables))
    if options.json is not None:
        write_json(options.json, {"benchmark": "anomaly", **results, "machine": describe()})
    print(f"{len(found)} real captures and {len(others)} others in {time.perf_counter() - begin:.0f} s")
    return results


def write(found: list[Gathered]) -> None:
    """Write the packaged file."""
    kinds = {}
    for kind in KINDS:
        pool = pool_of(found, kind)
        kinds[kind.id] = fit(pool, pool.source == "real").to_json(kind)
    document = {"made_by": "python -m benchmarks anomaly --write", "captures": len(found), "kinds": kinds}
    DATA.write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")


def pool_of(found: list[Gathered], kind: Kind) -> Pool:
    """Put the conversations of real captures together, of which there are some of each kind."""
    pool = pooled(found, kind)
    assert pool is not None, f"no {kind.many}"
    return pool


def measure(found: list[Gathered], others: list[Gathered], reserve: list[Gathered]) -> dict[str, Any]:
    """Score real captures by what is ordinary in other repositories; made ones, and the reserve, by all open ones."""
    results: dict[str, Any] = {"benign": {}, "hit": {}}
    for kind in KINDS:
        pool = pool_of(found, kind)
        usual = fit(pool, np.ones(len(pool.label), np.bool_))
        score = measuring.left_out(pool)
        results["benign"][kind.many] = measuring.benign(pool, score)
        parts = [measuring.hit(pool, score)]
        if (kept := pooled(reserve, kind)) is not None:
            results["benign"][f"{kind.many}, reserve"] = measuring.benign(kept, measuring.scores(kept, usual))
        if (made := pooled(others, kind)) is not None:
            parts.append(measuring.hit(made, measuring.scores(made, usual)))
        for part in parts:
            for source, labels in part.items():
                known = results["hit"].setdefault(source, {})
                for label, counts in labels.items():
                    known[label] = dict(Counter(known.get(label, {})) + Counter(counts))
    return results


def sections(results: dict[str, Any]) -> list[Section]:
    """Lay out what was measured."""
    rows = [
        [many, row["repositories"], row["all"], row["scored"], row["listed"], f"{row['share']:.4f}",
         f"{row['top']:.3f}", ", ".join(f"{home} {count}" for home, count in row["by_repository"].items())]
        for many, row in results["benign"].items()
    ]  # fmt: skip
    quiet = Section(
        title="Nobody interfered, and it stands out",
        says="Benign conversations of public captures, each repository scored by what is ordinary in all others. "
        "Shares are of those with peers, where no repository counts for more than 1,000.",
        head=["", "repositories", "conversations", "with peers", "listed", "share", "top 1 %", "listed, by repository"],
        rows=rows,
    )
    hits = Section(
        title="Somebody interfered, and it stands out",
        says="The score reads facts of packets and no evidence: no analyzer has a part in it. Of those with peers.",
        head=["captures", "mechanism", "conversations", "with peers", "top 1 %", "listed"],
        rows=[
            [source, label, row["all"], row.get("scored", 0), of(row, "top"), of(row, "listed")]
            for source, labels in sorted(results["hit"].items())
            for label, row in sorted(labels.items())
        ],
    )
    return [quiet, hits]


def of(row: dict[str, int], what: str) -> str:
    """Write a share of those with peers."""
    return f"{row.get(what, 0) / row['scored']:.2f}" if row.get("scored") else "–"
