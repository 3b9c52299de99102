"""How well the library decides, on a labelled folder of captures or on simulated ones.

Every file is scanned through the public interface and its verdicts are compared with the labels. What is found is
counted per label, false alarms per file and per flow of the benign captures.
"""

import fnmatch
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import attrs

from benchmarks.machine import table, write_json
from benchmarks.scanning import Scanned, scan_all
from benchmarks.scoring import Score, score_file
from benchmarks.truth import CatalogRow, Truth, load

__all__ = ["measure", "run", "summary"]


def measure(truth: Truth, files: list[CatalogRow], *, jobs: int) -> tuple[Score, dict[str, float]]:
    """Scan *files* and count.

    Args:
        truth: The labels.
        files: Rows of the catalogue to scan.
        jobs: Processes.

    Returns:
        The counts, and seconds per file.
    """
    score, seconds = Score(), {}
    dns = frozenset(row.file for row in files if row.kind == "positive" and "dns_injection" in row.expected)
    scanned = scan_all(truth.root, [row.file for row in files], jobs=jobs, replies=dns)
    for row, one in zip(files, scanned, strict=True):
        seconds[row.file] = one.seconds
        if one.failed:
            score.failed.append(f"{row.file}: {one.failed}")
        elif one.unreadable:
            score.unreadable[f"{row.kind}: {row.link_type}"] += 1
        if usable(row, one):
            score_file(score, row, truth.flows.get(row.file, ()), one.verdicts, one.single_replies)
        progress(len(seconds), len(files))
    return score, seconds


def usable(row: CatalogRow, scanned: Scanned) -> bool:
    """Say whether a file takes part in the counts: a positive one that cannot be read counts as missed."""
    return row.kind == "positive" or not (scanned.failed or scanned.unreadable)


def progress(done: int, total: int) -> None:
    """Show how far it is, on a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done}/{total} files")
        sys.stderr.flush()


def run(
    root: Path, *, out: Path | None = None, pattern: str = "*", jobs: int = 2, details: bool = False
) -> dict[str, Any]:
    """Measure, print and write.

    Args:
        root: Folder with ``CATALOG.csv`` and ``FLOWS.csv``.
        out: Where to write JSON.
        pattern: Which files, as a shell pattern over the catalogue's paths.
        jobs: Processes.
        details: Print every decision that deserves a look.
    """
    truth = load(root)
    files = [row for row in truth.files if row.kind in {"positive", "benign"} and fnmatch.fnmatch(row.file, pattern)]
    begin = time.perf_counter()
    score, seconds = measure(truth, files, jobs=jobs)
    results = summary(score)
    results["files"] = len(files)
    results["seconds"] = round(time.perf_counter() - begin, 1)
    results["slowest"] = dict(sorted(seconds.items(), key=lambda item: -item[1])[:5])
    print(words(score))
    if details:
        for one in score.details:
            print(f"{one['what']:16} {one['file']} #{one['first_frame']} {one['trigger'] or ''} -> {one['mechanism']}"
                  f" p={one['probability']} {' '.join(one['rules'])}")  # fmt: skip
    if out is not None:
        write_json(out, {"benchmark": "quality", **results, "details": score.details})
    return results


def summary(score: Score) -> dict[str, Any]:
    """Give all counts and rates as plain values."""
    plain = attrs.asdict(score, filter=lambda attribute, _: attribute.name not in {"positive", "details"})
    counts = {name: dict(value) if isinstance(value, Counter) else value for name, value in plain.items()}
    phenomena = {label: {**attrs.asdict(tally), **tally.rates()} for label, tally in sorted(score.positive.items())}
    return {"phenomena": phenomena, **counts}


def words(score: Score) -> str:
    """Write the counts for people."""
    rows: list[list[Any]] = []
    for label, tally in sorted(score.positive.items()):
        rates = tally.rates()
        rows.append(
            [label, f"{tally.files_found}/{tally.files}", f"{tally.found}/{tally.units}", rates["recall"], tally.fully,
             tally.possible, tally.wrong, tally.unmatched, rates["frame_recall"], rates["frame_precision"]]
        )  # fmt: skip
    head = [
        "label",
        "files",
        "flows",
        "recall",
        "all labels",
        "possible",
        "wrong",
        "no verdict",
        "frame recall",
        "frame prec.",
    ]
    any_file, units = score.benign_files_flagged["any"], score.benign_units_flagged
    lines = [
        table(head, rows) if rows else "no positive files",
        "",
        f"controls flagged      {score.controls_flagged.total()}/{score.controls}  {listed(score.controls_flagged)}",
        f"benign files flagged  {any_file}/{score.benign_files}  {listed(score.benign_files_flagged)}",
        f"benign flows flagged  {units.total()}/{score.benign_units}  {listed(units)}",
        f"rate controls policed {score.rate_controls_policed}/{score.rate_controls}",
        f"silence, peer absent  {score.silence_apart.total()}  {listed(score.silence_apart)}",
        f"unlabelled flows of positive files flagged  {listed(score.unlabelled_flagged) or 'none'}",
        f"unreadable files      {score.unreadable.total()}  {listed(score.unreadable)}",
        f"failed files          {len(score.failed)}",
    ]
    return "\n".join([*lines, *(one.strip() for one in score.failed[:5])])


def listed(counts: Counter[str]) -> str:
    """Write a counter in one line."""
    return ", ".join(f"{name} {count}" for name, count in counts.most_common() if name != "any" and count)
