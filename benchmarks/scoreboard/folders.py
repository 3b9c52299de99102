"""Labelled folders: ``CATALOG.csv`` with ``FLOWS.csv``, or ``NAME.pcap`` with ``NAME.labels.json`` beside it.

The two CSV files use words of their own (``rst_injection``); :data:`RIGHT` says which mechanisms of the verdict
contract answer each of them. The first of them names the row of the scoreboard.
"""

import fnmatch
import json
import re
from pathlib import Path

import attrs

from benchmarks import truth
from benchmarks.scoreboard.labels import LabelledCapture, Row, of_labels
from netinterf.simulate import Labels, Truth
from netinterf.written.parts import QUERY_TYPES

__all__ = ["RIGHT", "Entry", "entries"]

RIGHT: dict[str, tuple[str, ...]] = {
    "rst_injection": ("tcp.reset", "tcp.connect.reset", "tcp.synack"),
    "silent_drop": ("tcp.drop", "tcp.connect.drop", "quic.drop", "udp.drop", "protocol.filter"),
    "http_injection": ("http.blockpage", "tcp.data"),
    "fin_injection": ("tcp.fin", "http.blockpage", "tcp.data"),
    "dns_injection": ("dns.injection",),
    "policing": ("rate.policing",),
}
"""Mechanisms that answer a label of the CSV files."""

QUESTION = re.compile(r"^(?P<name>\S+?)\.?(?: type (?P<type>\d+))?(?: id (?P<id>0x[0-9a-f]+))?$")
UNANSWERED = ("unanswered_syn", "unanswered_data", "one_way_tcp", "unanswered_dns")
"""Words in a file's notes: some of its peers never answer, so silence there is not documented either way."""

DROPS = ("tcp.drop", "tcp.connect.drop", "quic.drop", "udp.drop", "dns.drop", "rate.freeze")

SUFFIX = ".labels.json"
CAPTURES = (".pcap", ".pcapng", ".pcap.gz")


@attrs.frozen(kw_only=True)
class Entry:
    """One labelled capture of a folder."""

    name: str  # path below the folder
    labels: LabelledCapture | None  # None: in a JSON file beside the capture


def entries(root: Path, pattern: str = "*") -> list[Entry]:
    """List the labelled captures of a folder.

    Args:
        root: The folder.
        pattern: Which files, as a shell pattern over their paths.

    Raises:
        FileNotFoundError: It holds no labels.
    """
    if (root / "CATALOG.csv").exists():
        folder = truth.load(root)
        rows = [
            row for row in folder.files if row.kind in {"positive", "benign"} and fnmatch.fnmatch(row.file, pattern)
        ]
        return [of_catalogue(row, folder.flows.get(row.file, ())) for row in rows]
    found = [path.relative_to(root).as_posix() for path in sorted(root.rglob("*" + SUFFIX))]
    if not found:
        raise FileNotFoundError(f"{root}: neither CATALOG.csv nor files that end in {SUFFIX}")
    names = [capture_beside(root, name) for name in found]
    return [Entry(name=name, labels=None) for name in names if fnmatch.fnmatch(name, pattern)]


def capture_beside(root: Path, name: str) -> str:
    """Find the capture that a file of labels belongs to."""
    stem = name.removesuffix(SUFFIX)
    return next((stem + suffix for suffix in CAPTURES if (root / (stem + suffix)).exists()), stem + CAPTURES[0])


def labels_beside(path: Path) -> LabelledCapture:
    """Read the labels beside a capture."""
    suffix = next(suffix for suffix in CAPTURES if path.name.endswith(suffix))
    beside = path.with_name(path.name.removesuffix(suffix) + SUFFIX)
    return of_labels(Labels.from_dict(json.loads(beside.read_text(encoding="utf-8"))))


def of_catalogue(file: truth.CatalogRow, flows: tuple[truth.FlowRow, ...]) -> Entry:
    """Bring one row of the catalogue into the common form.

    In a benign file every flow counts, labelled or not, unless its label says that its truth is not known. A policed
    file is labelled as a whole. Shaping is neither right nor wrong where a controlled bottleneck was the point.
    """
    positive = file.kind == "positive"
    rows = [of_flow(row) for row in flows if positive or not row.scored]
    if positive and "policing" in file.expected:
        whole = Truth(kind="capture", protocol="", client="", client_port=0, server="", server_port=0, name=file.file,
                      first_frame=1, mechanism="rate.policing")  # fmt: skip
        rows.append(Row(truth=whole, right=(RIGHT["policing"],)))
    shaped = file.phenomenon == "hard_negative" and "policing" in file.notes.lower()
    tolerated: tuple[str, ...] = ("rate.shaping",) if shaped else ()
    if any(word in file.notes for word in UNANSWERED):
        tolerated += DROPS
    labels = LabelledCapture(
        scenario=file.phenomenon, family=file.kind, rows=tuple(rows), interfered=positive, tolerated=tolerated
    )
    return Entry(name=file.file, labels=labels)


def of_flow(row: truth.FlowRow) -> Row:
    """Bring one row of the flow labels into the common form."""
    exchange = row.protocol == "dns"
    asked = QUESTION.match(row.trigger.strip().lower()) if exchange else None
    number = int(asked["type"]) if asked and asked["type"] else None
    labels = tuple(sorted(row.labels))
    label = Truth(
        kind="exchange" if exchange else "flow",
        protocol="tcp" if row.protocol == "tcp" else "udp",
        client=row.client,
        client_port=row.client_port,
        server=row.server,
        server_port=row.server_port,
        name=asked["name"] if asked else "" if exchange else row.trigger,
        first_frame=row.first_frame,
        mechanism=RIGHT[labels[0]][0] if labels else None,
        also=tuple(RIGHT[one][0] for one in labels[1:]),
        forged=tuple(sorted(row.forged)),
        series=row.series,
        query_type=None if number is None else QUERY_TYPES.get(number, f"TYPE{number}"),
        query_id=int(asked["id"], 16) if asked and asked["id"] else None,
    )
    return Row(truth=label, right=tuple(RIGHT[one] for one in labels), scored=row.scored)
