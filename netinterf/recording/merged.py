"""Several recordings in one file: taps, machines and times that have nothing in common."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from netinterf.recording.fact import RecordingFact, Scope

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["merged_facts"]

PAUSE_NS = 3600 * 10**9
"""Pause after which a recording of other machines is another one: an hour, beyond what idle connections are kept open
(7,200 s between keep-alives, RFC 9293 §3.8.4, are of one machine, which both parts would show)."""


def merged_facts(trace: "Trace") -> Iterator[RecordingFact]:
    """Say whether several interfaces recorded conversations of their own, and times with other machines each."""
    flows, packets = trace.flows, trace.packets
    if not len(flows):
        return
    face = packets.interface[flows.first_packet].astype(np.int64)
    used = np.unique(face)
    if len(used) > 1:
        shared = len(np.unique(face << 32 | flows.path)) > len(np.unique(flows.path))
        numbers = {"interfaces": float(len(used))}
        if not shared:
            says = (
                f"{len(used):,} interfaces recorded conversations of different machines: several captures in one file"
            )
            yield RecordingFact(id="recording.merged", scope=Scope.CAPTURE, certain=False, says=says, numbers=numbers)
    order = np.argsort(flows.first, kind="stable")
    until = np.maximum.accumulate(flows.last[order])
    part = np.append(0, np.cumsum(flows.first[order][1:] - until[:-1] >= PAUSE_NS))
    parts = int(part[-1]) + 1
    if parts > 1 and len(np.unique(part << 32 | flows.path[order])) == len(np.unique(flows.path)):
        span = float(flows.last.max() - flows.first.min()) / 1e9
        says = (
            f"this file holds {parts:,} recordings of different machines, hours or more apart: several captures in one "
            "file, of which none says anything about the others"
        )
        numbers = {"recordings": float(parts), "span_s": span}
        yield RecordingFact(id="recording.epochs", scope=Scope.CAPTURE, certain=False, says=says, numbers=numbers)
