"""A labelled folder of simulated captures, in the layout of the real ones, so that one runner scores both."""

import csv
from pathlib import Path

from netinterf.capture import write_pcap
from netinterf.simulate import Simulated, Truth, run, scenarios

__all__ = ["write_folder"]

LABELS = {"tcp.reset": "rst_injection", "dns.injection": "dns_injection", "rate.policing": "policing"}
CATALOG = ["file", "repo", "commit", "path", "bytes", "packets", "linktype", "kind", "phenomenon", "expected_verdict",
           "ground_truth_basis", "notes"]  # fmt: skip
FLOWS = ["repo", "path", "file", "proto", "client", "cport", "server", "sport", "first_frame", "trigger", "verdict",
         "unit", "injected_frames", "basis"]  # fmt: skip
TYPES = {"A": 1, "AAAA": 28}


def write_folder(root: Path, seeds: range) -> int:
    """Play every scenario with every seed and write captures, catalogue and flow labels.

    Args:
        root: Folder to fill; made when missing.
        seeds: Which seeds.

    Returns:
        Number of captures.
    """
    root.mkdir(parents=True, exist_ok=True)
    catalog, flows = [], []
    for play in scenarios():
        for seed in seeds:
            simulated = run(play.name, seed)
            name = f"{play.name}-{seed:04}.pcap"
            write_pcap(root / name, simulated.times, simulated.frames, simulated.link_type)
            catalog.append(catalog_row(name, play.mechanism, simulated))
            if play.mechanism != "rate.policing":
                flows += [flow_row(name, truth) for truth in simulated.labels.truths]
    for path, head, rows in ((root / "CATALOG.csv", CATALOG, catalog), (root / "FLOWS.csv", FLOWS, flows)):
        with path.open("w", newline="", encoding="utf-8") as text:
            writer = csv.DictWriter(text, head, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    return len(catalog)


def catalog_row(name: str, mechanism: str | None, simulated: Simulated) -> dict[str, object]:
    """Describe one capture; a bucket that never dropped anything interfered with nobody."""
    real = mechanism if simulated.labels.interfered() else None
    label = LABELS.get(real or "", "none")
    notes = "no policing: queue or random loss" if name.startswith("rate.policing.benign") else simulated.labels.vantage
    return {
        "file": name, "repo": "simulated", "packets": len(simulated.frames), "linktype": "ether",
        "kind": "positive" if real else "benign", "phenomenon": real or "hard_negative", "expected_verdict": label,
        "notes": notes,
    }  # fmt: skip


def flow_row(name: str, truth: Truth) -> dict[str, object]:
    """Describe one flow or exchange."""
    trigger = truth.name
    if truth.query_type is not None and truth.query_id is not None:
        trigger = f"{truth.name} type {TYPES[truth.query_type]} id {truth.query_id:#06x}"
    return {
        "repo": "simulated", "file": name, "proto": "dns" if truth.kind == "exchange" else truth.protocol,
        "client": truth.client, "cport": truth.client_port, "server": truth.server, "sport": truth.server_port,
        "first_frame": truth.first_frame, "trigger": trigger, "verdict": LABELS.get(truth.mechanism or "", "none"),
        "unit": "flow", "injected_frames": " ".join(map(str, truth.forged)),
    }  # fmt: skip
