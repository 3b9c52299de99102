"""Writing a simulated capture and its labels side by side."""

import json
from pathlib import Path

from netinterf.capture import write_pcap
from netinterf.simulate.scene import Simulated

__all__ = ["LABELS", "write"]

LABELS = ".labels.json"
"""What the labels of ``NAME.pcap`` are called: ``NAME`` and this."""


def write(simulated: Simulated, path: Path | str) -> Path:
    """Write a capture as pcap with nanosecond times, and beside it its labels, and networks and answers if there are.

    Args:
        simulated: What was played.
        path: Where the capture goes; the labels take its place with :data:`LABELS` for a suffix.

    Returns:
        Path of the labels.
    """
    place = Path(path)
    write_pcap(place, simulated.times, simulated.frames, simulated.link_type, lengths=simulated.lengths)
    labels = place.with_name(place.name.removesuffix(place.suffix) + LABELS)
    if simulated.labels.networks:
        rows = "".join(f"{prefix},{asn},{country}\n" for prefix, asn, country in simulated.labels.networks)
        labels.with_name(place.stem + ".networks.csv").write_text("prefix,asn,country\n" + rows, encoding="utf-8")
    if simulated.labels.answers:
        rows = "".join(f"{name},{address}\n" for name, address in simulated.labels.answers)
        labels.with_name(place.stem + ".answers.csv").write_text("name,address\n" + rows, encoding="utf-8")
    labels.write_text(json.dumps(simulated.labels.to_dict(), separators=(",", ":")) + "\n", encoding="utf-8")
    return labels
