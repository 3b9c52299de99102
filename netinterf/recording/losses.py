"""What the recorder missed: bytes that their receiver acknowledged and nobody captured."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from netinterf.recording.fact import RecordingFact, Scope
from netinterf.schema import Mark

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["loss_facts"]

PARTS = 10  # of the capture's time, among which losses are counted


def loss_facts(trace: "Trace") -> Iterator[RecordingFact]:
    """Say how much the recorder missed, of which direction, and when."""
    packets = trace.packets
    row = np.flatnonzero(packets.marks & Mark.ACKED_UNSEEN.value)
    if not len(row):
        return
    begin, span = int(packets.time.min()), max(int(np.ptp(packets.time)), 1)
    part = np.minimum((packets.time[row] - begin) * PARTS // span, PARTS - 1)
    of_servers = int(np.count_nonzero(packets.outbound[row]))
    numbers = {
        "acknowledgements": float(len(row)),
        "of_servers": float(of_servers),
        "of_clients": float(len(row) - of_servers),
        "flows": float(len(np.unique(packets.flow[row]))),
        "parts": float(len(np.unique(part))),
        "first_s": float(packets.time[row[0]] - begin) / 1e9,
        "last_s": float(packets.time[row[-1]] - begin) / 1e9,
    }
    whose = "servers" if of_servers == len(row) else "clients" if not of_servers else "both ends"
    says = (
        f"{len(row):,} acknowledgements speak of data of {whose} that this file does not hold, between second "
        f"{numbers['first_s']:,.1f} and {numbers['last_s']:,.1f}: the recorder missed packets, and what is missing in "
        "these conversations is not taken for a loss of the network"
    )
    yield RecordingFact(id="recording.lossy", scope=Scope.PATH, certain=True, says=says, numbers=numbers)
