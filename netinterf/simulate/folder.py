"""Writing a simulated capture and its labels side by side."""

import json
from pathlib import Path

from netinterf.capture import write_pcap
from netinterf.simulate.scene import Simulated
from netinterf.writing import write_text

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
        write_text(labels.with_name(place.stem + ".networks.csv"), ["prefix,asn,country\n", rows])
    if simulated.labels.answers:
        rows = "".join(f"{name},{address}\n" for name, address in simulated.labels.answers)
        write_text(labels.with_name(place.stem + ".answers.csv"), ["name,address\n", rows])
    write_text(labels, [json.dumps(simulated.labels.to_dict(), separators=(",", ":")), "\n"])
    return labels
