"""Two published collections of captures as one campaign: what is documented of each name in each network, and is found.

The authors of ECH results (FOCI 2025) tried names from China, Iran, Russia and Germany; CenTrace tried names at servers
behind censors' boxes, from one place. What the labels document of a flow is taken for its cell: a block where one of
its flows was blocked, none where none was. A cell whose flows are all left open is neither.

CenTrace counts down how far its packets live: most of its flows end on the way by design, and are left open.
"""

import csv
import os
import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

import netinterf
from benchmarks import truth
from benchmarks.machine import table, write_json
from benchmarks.scoreboard.folders import RIGHT
from netinterf.campaign.collecting.observed import Keyed
from netinterf.campaign.judged.loading import NONE
from netinterf.campaign.judged.record import Cell
from netinterf.campaign.judged.report import Report
from netinterf.campaign.place import Place
from netinterf.campaign.stored.store import Store
from netinterf.engine.judge import judge
from netinterf.mechanisms import covers
from netinterf.observations.attempts import TRANSPORTS, attempts_of
from netinterf.pooling.grades import Finding
from netinterf.verdict.model import default_model

__all__ = ["Documented", "Held", "documented", "hold", "measure", "run", "told"]

ECH, CENTRACE = "UPB-SysSec/EchCensorshipResults", "censoredplanet/CenTrace"
COUNTRY = re.compile(r"china|germany|iran|russia")
"""Where captures of ECH results were taken, as their paths in the repository say."""

NAMED, HINTED = (Finding.BLOCKED,), (Finding.BLOCKED, Finding.SUSPECTED)
OPEN, SPARED = "left open", "none"

UNTOLD = ("right", "surest", "explanation")
"""What is told of a cell in JSON alone."""

Where = tuple[str, str, int]
"""Place, transport, and the number of a name or server under the key of a store."""


@attrs.frozen
class Capture:
    """A capture, and where its client was."""

    file: str  # below the folder
    place: str


@attrs.define
class Documented:
    """What is documented of the flows of one cell."""

    called: str  # name, or address and port, as the library reads it
    labels: Counter[str] = attrs.field(factory=Counter)  # flows by label, ``none`` and ``left open`` among them
    alone: float = 0.0  # probability of the surest flow as its own capture gives it
    surest: str = OPEN  # and what is documented of that one

    @property
    def blocks(self) -> list[str]:
        """Labels of what was done to it."""
        return sorted(set(self.labels) - {OPEN, SPARED})

    def add(self, labels: Sequence[str], probability: float) -> None:
        """Add a flow."""
        self.labels.update(labels)
        if probability > self.alone:
            self.alone, self.surest = probability, ";".join(labels)


@attrs.frozen(kw_only=True)
class Held:
    """A cell of which something is documented, and what is found."""

    network: str
    name: str
    transport: str
    documented: str  # labels of its blocks, or ``none``
    finding: str
    mechanism: str | None
    right: bool  # the mechanism is one that answers a label
    probability: float
    alone: float  # the surest of its flows, in its own capture
    surest: str  # what is documented of that flow
    here: str
    there: str
    explanation: str


def chosen(folder: Path) -> list[Capture]:
    """List the captures of both collections that a catalogue has, those that could not be scored among them."""
    with (folder / "CATALOG.csv").open(newline="", encoding="utf-8") as text:
        rows = [row for row in csv.DictReader(text) if row["repo"] in {ECH, CENTRACE}]
    return [Capture(row["file"], place_of(row)) for row in rows]


def place_of(row: dict[str, str]) -> str:
    """Say where the client of a capture was."""
    found = COUNTRY.search(row["path"]) if row["repo"] == ECH else None
    return found[0] if found else row["repo"].rpartition("/")[2].lower()


def measure(folder: Path, captures: Sequence[Capture]) -> list[Held]:
    """Collect captures, judge them as one campaign, and hold the cells against what is documented.

    Args:
        folder: The labelled captures.
        captures: Which of them.
    """
    labels = truth.load(folder).flows
    with tempfile.TemporaryDirectory() as place:
        base = Path(place)
        with (base / "manifest.csv").open("w", newline="", encoding="utf-8") as text:
            csv.writer(text).writerows(
                [("path", "place"), *((folder.absolute() / one.file, one.place) for one in captures)]
            )
        campaign = netinterf.Campaign(base / "store")
        campaign.collect(manifest=base / "manifest.csv")
        known = documented(folder, captures, labels, Store(base / "store").secret())
        (base / "names.txt").write_text("\n".join(one.called for one in known.values()), encoding="utf-8")
        campaign.collect(names=base / "names.txt")  # nothing is added, and they may be told from here on
        return hold(campaign.report(), known)


def documented(
    folder: Path, captures: Sequence[Capture], labels: dict[str, tuple[truth.FlowRow, ...]], secret: bytes
) -> dict[Where, Documented]:
    """Read which cells the labelled flows belong to: by what was tried in them, as the library reads it."""
    result: dict[Where, Documented] = {}
    for one in captures:
        by_frame = {row.first_frame: row for row in labels.get(one.file, ())}
        ledger = judge(os.fspath(folder / one.file)).ledger
        attempts = attempts_of([ledger], [0], default_model())
        keys = Keyed.of(attempts, Place(name=one.place), secret)
        frames, sure = ledger.first_frame[attempts.row].tolist(), ledger.verdicts.probability[attempts.row].tolist()
        for row in (row for row, frame in enumerate(frames) if frame in by_frame):
            flow, name = by_frame[frames[row]], attempts.name.bytes(row).decode("utf-8", "replace")
            where = (one.place, TRANSPORTS[attempts.transport[row]], int((keys.name if name else keys.service)[row]))
            about = result.setdefault(where, Documented(name or f"{flow.server}:{flow.server_port}"))
            about.add(flow.labels or (SPARED if flow.scored else OPEN,), sure[row])
    return result


def hold(report: Report, known: dict[Where, Documented]) -> list[Held]:
    """Hold cells against what is documented of them; those of which nothing is are left out."""
    rows = report.rows()
    units, loaded = report.cells.tallies.unit[rows].tolist(), report.loaded
    held = []
    for cell, unit in zip(report.written(rows), units, strict=True):
        name, service = int(loaded.unit_name[unit]), int(loaded.unit_service[unit])
        about = known.get((cell.network.place, cell.transport, service if name == NONE else name))
        if about is not None and (about.blocks or about.labels[SPARED]):
            held.append(held_of(cell, about))
    return held


def held_of(cell: Cell, about: Documented) -> Held:
    """Put a cell beside what is documented of it."""
    answers = [answer for label in about.blocks for answer in RIGHT.get(label, ())]
    there = cell.there
    return Held(
        network=str(cell.network), name=about.called, transport=cell.transport,
        documented=";".join(about.blocks) or SPARED, finding=cell.finding.value, mechanism=cell.mechanism,
        right=cell.mechanism is not None and any(covers(cell.mechanism, answer) for answer in answers),
        probability=cell.probability, alone=about.alone, surest=about.surest,
        here=f"{cell.here.failed} of {cell.here.known}", there=f"{there.failed} of {there.failed + there.answered}",
        explanation=cell.explanation,
    )  # fmt: skip


def counted(held: Sequence[Held]) -> dict[str, int]:
    """Count what was found."""
    blocks = [one for one in held if one.documented != SPARED]
    spared = [one for one in held if one.documented == SPARED]
    return {
        "blocks": len(blocks),
        "blocked": sum(one.finding in NAMED and one.right for one in blocks),
        "possible or better": sum(one.finding in HINTED and one.right for one in blocks),
        "by another mechanism": sum(one.finding in HINTED and not one.right for one in blocks),
        "sure alone": sum(one.alone >= default_model().likely for one in blocks),
        "non-blocks": len(spared),
        "accused": sum(one.finding in NAMED for one in spared),
        "suspected": sum(one.finding == Finding.SUSPECTED for one in spared),
    }


def told(held: Sequence[Held]) -> str:
    """Lay out documented blocks with what is found of them, what is counted, and non-blocks that are named."""
    blocks = sorted((one for one in held if one.documented != SPARED), key=lambda one: (one.network, -one.probability))
    words = [field.name for field in attrs.fields(Held) if field.name not in UNTOLD]
    wrong = [
        f"  {one.finding}: {one.name} over {one.transport} in {one.network}, {one.mechanism} {one.probability:.3f}; "
        f"its surest flow is documented as {one.surest}"
        for one in held
        if one.documented == SPARED and one.finding in HINTED
    ]
    counts = ", ".join(f"{word} {count}" for word, count in counted(held).items())
    return "\n".join([table(words, [[getattr(one, word) for word in words] for one in blocks]), counts, *wrong])


def run(folder: Path, out: Path | None = None) -> dict[str, Any] | None:
    """Judge the captures of a folder as a campaign, print what is found of what is documented, and give it.

    Args:
        folder: Labelled captures.
        out: A file for the results.

    Returns:
        Counts and cells; None where the captures are not there.
    """
    listed = chosen(folder) if (folder / "CATALOG.csv").exists() else []
    there = [one for one in listed if (folder / one.file).exists()]
    if not there:
        print(f"{folder}: skipped, since it has no captures of {ECH} and {CENTRACE}, or no CATALOG.csv")
        return None
    if len(there) < len(listed):
        print(f"{len(listed) - len(there)} of {len(listed)} captures are not there, and are skipped")
    held = measure(folder, there)
    print(told(held))
    results = {"captures": len(there), "counts": counted(held), "cells": [attrs.asdict(one) for one in held]}
    if out is not None:
        write_json(out, results)
    return results
