"""Comparisons of the labelled public captures: every documented block, and everything documented as none.

Places are compared with each other (the ECH captures of four countries), and a capture of a test name with one of a
control name at the same server (CenTrace). What is documented of a flow is taken for its unit: a name over a transport,
or a server where no name was seen.
"""

import csv
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from netinterf.comparison.judge import FINDINGS
from netinterf.comparison.units import Finding, Side
from netinterf.engine.compare import Comparison, compared
from netinterf.engine.scan import Result, scan

__all__ = ["measure", "report"]

BLOCKS = {"rst_injection", "silent_drop", "http_injection", "dns_injection"}
NAMED = (Finding.BLOCKED, Finding.BOTH)
ECH, CENTRACE = "*/upb-syssec-echcensorshipresults/*", "*/censoredplanet-centrace/*"

Truth = dict[tuple[str, int], str]


def measure(folder: Path) -> list[dict[str, Any]]:
    """Compare all pairs, and hold each documented unit against what was found.

    Args:
        folder: The labelled captures, with FLOWS.csv.
    """
    with (folder / "FLOWS.csv").open(encoding="utf-8") as file:
        truth = {(row["file"], int(row["first_frame"])): row["verdict"] for row in csv.DictReader(file)}
    rows: list[dict[str, Any]] = []
    for case, here, against in pairs(folder):
        documented = defaultdict(set)
        comparison = compared(here, against)
        for number, word in documented_units(comparison, folder, truth):
            documented[number].add(word)
        for place, unit in enumerate(comparison.units):
            words = documented.get(int(comparison.contrasts.unit[place]), set())
            kind = "block" if words & BLOCKS else "none" if "none" in words else ""
            if kind:
                name = unit.name or f"{unit.server} (no name)"
                found = {"finding": unit.finding.value, "probability": unit.probability}
                rows.append({"case": case, "name": name, "transport": unit.transport, "documented": kind, **found})
    return rows


def pairs(folder: Path) -> list[tuple[str, Result, Result]]:
    """List what is compared: case, captures in question, controls."""
    places: dict[str, list[str]] = defaultdict(list)
    for path in sorted(folder.glob(ECH)):
        found = re.search(r"__([a-z]+)_", path.name)
        if found is not None:
            places[found[1]].append(str(path))
    scans = {place: scan(paths) for place, paths in places.items()}
    result = [(f"{a} against {b}", scans[a], scans[b]) for a in scans for b in scans if a != b]
    tests: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.glob(CENTRACE)):
        tests[re.sub(r"_[^_]+?(_\d+)?\.pcap$", "", path.name)].append(path)  # the same names may be tried several times
    for both in tests.values():
        control = [path for path in both if "example.com" in path.name]
        for test in (path for path in both if control and path not in control):
            case = f"{test.name.split('__')[-1].split('_')[0]}, one server"
            result.append((case, scan(str(test)), scan([str(path) for path in control])))
    return result


def documented_units(comparison: Comparison, folder: Path, truth: Truth) -> list[tuple[int, str]]:
    """List units in question with what is documented of their flows."""
    tried = comparison.judgement.attempts
    ledgers = [one.ledger for one in comparison.here.judged]
    found: list[tuple[int, str]] = []
    for attempt in (tried.place == Side.HERE).nonzero()[0].tolist():
        ledger = ledgers[int(tried.capture[attempt])]
        key = str(Path(ledger.capture).relative_to(folder)), int(ledger.first_frame[tried.row[attempt]])
        found.extend((int(tried.unit[attempt]), word) for word in truth.get(key, "").split(";") if word)
    return found


def report(rows: list[dict[str, Any]]) -> str:
    """Lay out documented blocks by what was found, and how many of the documented non-blocks were named."""
    from benchmarks.machine import table

    blocks: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["documented"] == "block":
            blocks[row["case"].split(" against")[0], row["name"], row["transport"]].append(row)
    lines = []
    for key, mine in blocks.items():
        named = sum(row["finding"] in NAMED for row in mine)
        findings = ", ".join(sorted({row["finding"] for row in mine}, key=[word.value for word in FINDINGS].index))
        lines.append([*key, f"{named} of {len(mine)}", findings, f"{min(row['probability'] for row in mine):.3f}"])
    spared = [row for row in rows if row["documented"] == "none"]
    wrong = [row for row in spared if row["finding"] in NAMED]
    head = ["place", "name", "transport", "named, by controls", "findings", "least probability"]
    said = f"\ndocumented as not blocked: {len(spared)} units, {len(wrong)} of them named"
    return table(head, lines) + said + "".join(f"\n  {row}" for row in wrong)
