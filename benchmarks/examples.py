"""The small captures that ship with the library: simulated at the client, faithfully recorded, from fixed seeds."""

import gzip
import io
import json
from pathlib import Path

from netinterf.capture import write_pcap
from netinterf.simulate import Conditions, run

__all__ = ["EXAMPLES", "FOLDER", "LABELS", "build", "write_examples"]

FOLDER = Path(__file__).resolve().parent.parent / "netinterf" / "data" / "examples"
LABELS = "labels.json"

EXAMPLES = {
    "benign": ("browsing", 2),
    "dns.injection": ("dns.injection", 0),
    "rate.policing": ("rate.policing", 13),
    "tcp.reset": ("tcp.reset", 3),
}
"""Scenario and seed of each example."""


def build() -> tuple[dict[str, bytes], str]:
    """Play the examples.

    Returns:
        Uncompressed pcap bytes by name of the example, and the labels as JSON text.
    """
    captures, labels = {}, {}
    for name, (scenario, seed) in EXAMPLES.items():
        simulated = run(scenario, seed, Conditions.clean(vantage="client"))
        held = io.BytesIO()
        write_pcap(held, simulated.times, simulated.frames, simulated.link_type)
        captures[name] = held.getvalue()
        labels[name] = simulated.labels.to_dict()
    return captures, json.dumps(labels, indent=1, sort_keys=True) + "\n"


def write_examples(folder: Path = FOLDER) -> int:
    """Write the examples and their labels; give the number of bytes written."""
    folder.mkdir(parents=True, exist_ok=True)
    captures, labels = build()
    for name, content in captures.items():
        (folder / f"{name}.pcap.gz").write_bytes(gzip.compress(content, 9, mtime=0))
    (folder / LABELS).write_text(labels, encoding="utf-8")
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
