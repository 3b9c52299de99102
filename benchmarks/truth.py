"""The labels of a folder of captures: ``CATALOG.csv`` (one row a file) and ``FLOWS.csv`` (one row a flow or exchange).

Labels use words of their own (``rst_injection``); `benchmarks.scoreboard.folders` says what they mean in the words of
the verdict format.
"""

import csv
from pathlib import Path

import attrs

__all__ = ["CatalogRow", "FlowRow", "Truth", "load"]

NOTHING = ("none", "no_crash")
UNSCORED = "inconclusive"


@attrs.frozen
class CatalogRow:
    """What is known of one file."""

    file: str
    repo: str  # owner/name
    kind: str  # positive, benign, hostile or ambiguous
    phenomenon: str
    expected: tuple[str, ...]
    notes: str


@attrs.frozen
class FlowRow:
    """What is known of one flow or DNS exchange."""

    file: str
    protocol: str  # tcp, dns or quic
    client: str
    client_port: int
    server: str
    server_port: int
    first_frame: int
    trigger: str
    labels: tuple[str, ...]  # empty when nothing happened
    scored: bool
    series: bool
    forged: frozenset[int]


@attrs.frozen
class Truth:
    """All labels of a folder."""

    root: Path
    files: tuple[CatalogRow, ...]
    flows: dict[str, tuple[FlowRow, ...]]  # by file


def load(root: Path) -> Truth:
    """Read the labels of a folder; raises FileNotFoundError without a catalogue."""
    with (root / "CATALOG.csv").open(newline="", encoding="utf-8") as text:
        files = tuple(catalog_row(row) for row in csv.DictReader(text))
    flows: dict[str, list[FlowRow]] = {}
    path = root / "FLOWS.csv"
    if path.exists():
        with path.open(newline="", encoding="utf-8") as text:
            for row in csv.DictReader(text):
                flows.setdefault(row["file"], []).append(flow_row(row))
    return Truth(root, files, {name: tuple(rows) for name, rows in flows.items()})


def catalog_row(row: dict[str, str]) -> CatalogRow:
    """Read one row of the catalogue."""
    return CatalogRow(
        row["file"],
        row["repo"],
        row["kind"],
        row["phenomenon"],
        tuple(row["expected_verdict"].split(";")),
        row["notes"],
    )


def flow_row(row: dict[str, str]) -> FlowRow:
    """Read one row of the flow labels."""
    words = tuple(row["verdict"].split(";"))
    return FlowRow(
        file=row["file"],
        protocol=row["proto"],
        client=row["client"],
        client_port=int(row["cport"] or 0),
        server=row["server"],
        server_port=int(row["sport"] or 0),
        first_frame=int(row["first_frame"] or 0),
        trigger=row["trigger"],
        labels=tuple(word for word in words if word not in NOTHING and word != UNSCORED),
        scored=UNSCORED not in words,
        series=row.get("unit") == "series",
        forged=frozenset(int(number) for number in row["injected_frames"].split()),
    )
