"""The labels of a folder of captures: ``CATALOG.csv`` (one row a file) and ``FLOWS.csv`` (one row a flow or exchange).

Labels use words of their own (``rst_injection``); :data:`RIGHT` says which mechanisms of the verdict contract answer
each of them.
"""

import csv
from collections.abc import Iterable
from pathlib import Path

import attrs

__all__ = ["RIGHT", "CatalogRow", "FlowRow", "Truth", "answers", "load", "right_answers"]

RIGHT: dict[str, tuple[str, ...]] = {
    "rst_injection": ("tcp.reset", "tcp.connect.reset", "tcp.synack"),
    "silent_drop": ("tcp.drop", "tcp.connect.drop", "quic.drop", "protocol.filter"),
    "http_injection": ("http.blockpage", "tcp.data"),
    "dns_injection": ("dns.injection",),
    "policing": ("rate.policing",),
}
"""Mechanisms that answer a label; `dns.forged` joins them where only one reply was captured."""

NOTHING = ("none", "no_crash")
UNSCORED = "inconclusive"


@attrs.frozen
class CatalogRow:
    """What is known of one file."""

    file: str
    kind: str  # positive, benign, hostile or ambiguous
    phenomenon: str
    expected: tuple[str, ...]
    link_type: str
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
        row["kind"],
        row["phenomenon"],
        tuple(row["expected_verdict"].split(";")),
        row["linktype"],
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


def right_answers(label: str, *, single_reply: bool = False) -> tuple[str, ...]:
    """List the mechanisms that answer *label*."""
    answers = RIGHT.get(label, ())
    return (*answers, "dns.forged") if label == "dns_injection" and single_reply else answers


def answers(mechanisms: Iterable[str], label: str, *, single_reply: bool = False) -> bool:
    """Say whether one of *mechanisms* is a right answer to *label*, or a prefix of one."""
    right = right_answers(label, single_reply=single_reply)
    return any(answer == one or answer.startswith(one + ".") for one in mechanisms for answer in right)
