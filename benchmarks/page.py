"""How long a page with thousands of findings takes to write and to open, and how large it is.

Two pages hold equally many findings: one of a single capture, in which played conversations return hour after hour, and
one of a folder with a capture for each play. Both are opened in Chromium at the widths of a phone and of a desk.
"""

import argparse
import tempfile
import time
from itertools import cycle
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from benchmarks.browser import Browser, find_chromium
from netinterf.capture import write_pcap
from netinterf.engine.judged import Judged
from netinterf.engine.scan import scan
from netinterf.report import html
from netinterf.simulate import Conditions, Simulated, run

__all__ = ["PICTURES", "WIDTHS", "measure", "write_pictures"]

PLAYS = ("tcp.reset", "dns.injection", "http.blockpage.generic", "tcp.drop.generic", "tls.interception.generic")
SEEDS = 8
HOUR = 3600 * 10**9  # ns

WIDTHS = (390, 1440)
"""Of a phone and of a desk, CSS pixels."""

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "figures"


def measure(findings: int) -> list[dict[str, Any]]:
    """Write and open both pages.

    Args:
        findings: How many findings each holds at least.
    """
    program = find_chromium()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, judged in (("one capture", one_capture(findings, folder)), ("a folder", a_folder(findings, folder))):
            page = Path(folder) / f"{name}.html"
            begin = time.perf_counter()
            html(judged, page)
            row: dict[str, Any] = {
                "page": name,
                "captures": len(judged),
                "findings": sum(1 for one in judged for _ in one.ledger.findings()),
                "seconds": time.perf_counter() - begin,
                "bytes": page.stat().st_size,
            }
            if program is not None:
                with Browser(program) as browser:
                    row["views"] = [attrs.asdict(browser.open(page, width=width)) for width in WIDTHS]
            rows.append(row)
    return rows


def played() -> list[Simulated]:
    """Play each scenario a few times at the client."""
    conditions = Conditions.clean(vantage="client")
    return [run(scenario, seed, conditions) for scenario in PLAYS for seed in range(SEEDS)]


def one_capture(findings: int, folder: str) -> list[Judged]:
    """Let all plays return hour after hour in one capture, until there are enough findings."""
    plays = [one for one in played() if one.link_type == 1]
    path = Path(folder) / "hours.pcap"
    times = np.concatenate([np.asarray(one.times, np.int64) - one.times[0] for one in plays])
    order = np.argsort(times, kind="stable")
    frames = [frame for one in plays for frame in one.frames]
    frames = [frames[place] for place in order.tolist()]
    hours = 1
    while True:
        shifted = np.concatenate([times[order] + (500_000 + hour) * HOUR for hour in range(hours)])
        write_pcap(path, shifted, frames * hours, 1)
        judged = list(scan(path).judged)
        found = sum(1 for _ in judged[0].ledger.findings())
        if found >= findings:
            return judged
        hours = max(hours + 1, int(hours * findings / max(found, 1)) + 1)


def a_folder(findings: int, folder: str) -> list[Judged]:
    """Judge each play by itself, and take them again under other names until there are enough findings."""
    paths = []
    for place, one in enumerate(played()):
        paths.append(Path(folder) / f"{place}.pcap")
        write_pcap(paths[-1], one.times, one.frames, one.link_type)
    known, judged, found = scan(paths).judged, [], 0
    for place, one in enumerate(cycle(known)):
        if found >= findings:
            return judged
        name = f"captures/{place:05}.pcap"
        judged.append(
            attrs.evolve(
                one,
                summary=attrs.evolve(one.summary, capture=name),
                ledger=attrs.evolve(one.ledger, capture=name),
            )
        )
        found += sum(1 for _ in one.ledger.findings())
    return judged


def write_pictures(folder: Path = PICTURES) -> list[Path]:
    """Take the screenshots of the manual: the page of a capture that ships with the library, on a desk and a phone."""
    return []


def run_page(options: argparse.Namespace) -> int:
    for row in measure(options.findings):
        print({k: v for k, v in row.items() if k != "views"})
        for v in row.get("views", ()):
            print({k: v[k] for k in ("width", "scroll_width", "paint_ms", "load_ms", "elements", "requests", "errors")})
    return 0
