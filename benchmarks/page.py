"""How long a page with thousands of findings takes to write and to open, and how large it is.

Two pages hold equally many findings: one of a single capture, in which played conversations return hour after hour, and
one of a folder with a capture for each play. Both are opened in Chromium at the widths of a phone and of a desk.
"""

import tempfile
import time
from itertools import cycle
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from benchmarks.browser import Browser, find_chromium
from benchmarks.examples import FOLDER
from benchmarks.machine import table, write_json
from netinterf.capture import write_pcap
from netinterf.engine.judged import Judged
from netinterf.engine.scan import scan
from netinterf.errors import ParameterError
from netinterf.report import html
from netinterf.simulate import Conditions, Simulated
from netinterf.simulate import run as play

__all__ = ["PICTURES", "WIDTHS", "measure", "needed_chromium", "run", "write_pictures"]

PLAYS = ("tcp.reset", "dns.injection", "http.blockpage.generic", "tcp.drop.generic", "tls.interception.generic")
SEEDS = 8
HOUR = 3600 * 10**9  # ns

WIDTHS = (390, 1440)
"""Of a phone and of a desk, CSS pixels."""

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "guide"
"""Where the manual has its screenshots."""

EXAMPLE = "tcp.reset.pcap.gz"
SHOTS = ((1440, 900, "light", "body"), (390, 844, "dark", ".finding"))
"""Width and height of a window, whether the reader likes it light or dark, and where it is scrolled to."""


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
                "views": [],
            }
            if program is not None:
                with Browser(program) as browser:
                    row["views"] = [attrs.asdict(browser.open(page, width=width)) for width in WIDTHS]
            rows.append(row)
    return rows


def played() -> list[Simulated]:
    """Play each scenario a few times at the client."""
    conditions = Conditions.clean(vantage="client")
    return [play(scenario, seed, conditions) for scenario in PLAYS for seed in range(SEEDS)]


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
    judged: list[Judged] = []
    found = 0
    for place, again in enumerate(cycle(scan(paths).judged)):
        if found >= findings:
            return judged
        judged.append(called(again, f"captures/{place:05}.pcap"))
        found += sum(1 for _ in again.ledger.findings())
    return judged


def called(one: Judged, name: str) -> Judged:
    """Give a capture another name."""
    changed = attrs.evolve(one.ledger, capture=name)
    return attrs.evolve(one, summary=attrs.evolve(one.summary, capture=name), ledger=changed)


def needed_chromium() -> str:
    """Find the browser that takes pictures.

    Raises:
        ParameterError: There is none.
    """
    program = find_chromium()
    if program is None:
        raise ParameterError("pictures", "none", "a machine with Chromium")
    return program


def write_pictures(folder: Path = PICTURES) -> list[str]:
    """Take the screenshots of the manual: the page of a capture that ships with the library, on a desk and a phone.

    Returns:
        The names of the files.

    Raises:
        ParameterError: There is no Chromium.
    """
    program, written = needed_chromium(), []
    with tempfile.TemporaryDirectory() as held, Browser(program) as browser:
        page = Path(held) / "report.html"
        html([called(one, "visit.pcap") for one in scan(FOLDER / EXAMPLE).judged], page)
        for width, height, scheme, seen in SHOTS:
            browser.open(page, width=width, height=height, scheme=scheme)
            browser.run("document.querySelector('.finding').open = true")
            browser.run(f"document.querySelector('{seen}').scrollIntoView({{behavior: 'instant'}})")
            browser.wait_until("document.querySelector('.finding').getBoundingClientRect().height > 500")
            written.append(f"report-{width}-{scheme}.png")
            browser.screenshot(folder / written[-1])
    return written


def run(findings: int, out: Path | None) -> dict[str, Any]:
    """Measure, print, and write the results where they are wanted."""
    pages = measure(findings)
    views = [f"paint / load at {width} px, ms" for width in WIDTHS]
    head = ["page", "captures", "findings", "seconds to write", "MB", "elements", *views]
    print(table(head, [cells(row) for row in pages]))
    if out is not None:
        write_json(out, {"pages": pages})
    return {"pages": pages}


def cells(row: dict[str, Any]) -> list[Any]:
    """Put what was measured of a page into the cells of a table; without a browser some are empty."""
    views = row["views"] or [None] * len(WIDTHS)
    opened = [None if view is None else f"{view['paint_ms']:.0f} / {view['load_ms']:.0f}" for view in views]
    elements = None if views[0] is None else views[0]["elements"]
    return [row["page"], row["captures"], row["findings"], row["seconds"], row["bytes"] / 1e6, elements, *opened]
