"""How long the page of a campaign takes to write and to open, how large it is, and its pictures in the manual.

It is written from a store of as many names and networks as wanted, and opened in Chromium as wide as a phone and as a
desk, light and dark. It is open when it has loaded and the script has drawn the matrix.
"""

import tempfile
import time
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path
from typing import Any

import attrs

from benchmarks.browser import Browser, View, find_chromium
from benchmarks.campaigns.wide import TRANSPORTS, Wide, wide_store
from benchmarks.machine import table, write_json
from benchmarks.page import PICTURES, WIDTHS, needed_chromium
from netinterf import Campaign
from netinterf.campaign import Processes
from netinterf.campaign.judged.report import Report, report
from netinterf.report.campaign_page import campaign_page
from netinterf.simulate import campaign as simulated

__all__ = ["opened", "run", "write_page", "write_pictures"]

DRAWN = "performance.getEntriesByName('drawn')[0]?.startTime"
SCHEMES = ("light", "dark")

EXAMPLE = simulated.Campaign(seed=7, networks=12, names=40, runs=14)
"""The campaign of the pictures: it takes two minutes to play and to judge."""

SCROLL = "document.querySelector('#{}').scrollIntoView({{behavior: 'instant'}})"
CELLS, TIMELINE = SCROLL.format("cells"), SCROLL.format("timeline")
TELL = f"{CELLS}; document.querySelector('.matrix button.confirmed').click()"
SHOTS = (
    ("matrix", 1440, 900, "light", CELLS),
    ("timeline", 1440, 700, "light", TIMELINE),
    ("matrix", 390, 844, "dark", CELLS),
    ("cell", 390, 844, "dark", TELL),
)
"""Name, width and height of a window, whether the reader likes it light or dark, and what is done before."""


@attrs.frozen
class Opened:
    """A page that was opened, until its matrix was drawn."""

    view: View
    scheme: str
    drawn_ms: float  # from asking for it

    @property
    def wrong(self) -> list[str]:
        """List what no page may do: ask for something, complain, be wider than its window."""
        wide = [f"{self.view.scroll_width} px wide"] if self.view.scroll_width > self.view.width else []
        return [*self.view.requests, *self.view.errors, *wide]


def write_page(path: Path, judged: Report) -> None:
    """Write the page of a campaign."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(campaign_page(judged))


def opened(browser: Browser, page: Path, width: int, scheme: str, height: int = 900) -> Opened:
    """Open a page and wait until its matrix is drawn."""
    view = browser.open(page, width=width, height=height, scheme=scheme)
    browser.wait_until(f"{DRAWN} !== undefined")
    return Opened(view, scheme, float(browser.run(DRAWN)))


def run(units: int, out: Path | None) -> dict[str, Any]:
    """Write and open the page of a campaign, print what was measured, and write it where it is wanted.

    Args:
        units: Rows: names over transports, each tried in twenty networks.
        out: A file for the results.
    """
    program = find_chromium()
    with tempfile.TemporaryDirectory() as folder:
        names = [f"www.site{number:06}.example" for number in range(-(-units // len(TRANSPORTS)))]
        store = wide_store(Path(folder) / "store", Wide(names=names))
        judged, page = report(store), Path(folder) / "campaign.html"
        begin = time.perf_counter()
        write_page(page, judged)
        row: dict[str, Any] = {
            "units": len(judged.called),
            "cells": len(judged),
            "seconds": time.perf_counter() - begin,
            "bytes": page.stat().st_size,
            "views": [],
        }
        if program is not None:
            with Browser(program) as browser:
                row["views"] = [told(opened(browser, page, width, scheme)) for width in WIDTHS for scheme in SCHEMES]
    print(f"{row['units']:,} units, {row['cells']:,} cells: {row['seconds']:.1f} s, {row['bytes'] / 1e6:.1f} MB")
    head = ["width, px", "colours", "paint, ms", "load, ms", "matrix drawn, ms", "elements", "wrong"]
    print(table(head, [list(view.values()) for view in row["views"]]))
    if out is not None:
        write_json(out, row)
    return row


def told(one: Opened) -> dict[str, Any]:
    """Tell what was measured at one width."""
    view = one.view
    return {
        "width": view.width, "scheme": one.scheme, "paint_ms": view.paint_ms, "load_ms": view.load_ms,
        "drawn_ms": one.drawn_ms, "elements": view.elements, "wrong": "; ".join(one.wrong) or "nothing",
    }  # fmt: skip


def write_pictures(folder: Path = PICTURES) -> Sequence[str]:
    """Take the screenshots of the manual, of a campaign that is played for them.

    Returns:
        The names of the files.

    Raises:
        ParameterError: There is no Chromium.
    """
    program, written = needed_chromium(), []
    with tempfile.TemporaryDirectory() as held, chdir(held), Browser(program) as browser:
        captures, page, store = Path("captures"), Path("campaign.html"), Campaign("store")
        with Processes() as processes:
            simulated.make(EXAMPLE, captures, jobs=processes.jobs)
            store.collect(manifest=captures / "manifest.csv", executor=processes)
        write_page(page, report(store))
        for name, width, height, scheme, act in SHOTS:
            opened(browser, page, width, scheme, height)
            browser.run(act)
            browser.wait_until(f"document.querySelector('dialog').open === {str(act == TELL).lower()}")
            written.append(f"campaign-{name}-{width}-{scheme}.png")
            browser.screenshot(folder / written[-1])
    return written
