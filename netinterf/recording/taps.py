"""Several taps in one file: packets that two of them captured, and recordings that have nothing in common.

Packets are captured twice by mirror ports that copy both ways, the "any" device, and taps on both sides of a router.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.numbering import distinct
from netinterf.recording.fact import RecordingFact, Scope
from netinterf.schema import Mark

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["duplicate_facts", "merged_facts"]

UDP = 17

COPIED_SHARE = 0.02
"""Share of packets from which copies are worth a word: single ones are repeats of lower layers."""

PAUSE_NS = 3600 * 10**9
"""Pause after which a recording of other machines is another one: an hour, beyond what idle connections are kept open
(7,200 s between keep-alives, RFC 9293 §3.8.4, are of one machine, which both parts would show)."""


def duplicate_facts(trace: "Trace") -> Iterator[RecordingFact]:
    """Say how many packets were captured twice, how long after each other, and whether a router lay between."""
    packets = trace.packets
    row = np.flatnonzero(packets.marks & Mark.DUPLICATE_FRAME.value)
    if len(row) <= COPIED_SHARE * len(packets):
        return
    offset, hops = before_copies(trace, row)
    by_client = int(np.count_nonzero(packets.outbound[row]))
    numbers = {
        "copies": float(len(row)),
        "by_clients": float(by_client),
        "datagrams": float(np.count_nonzero(packets.protocol[row] == UDP)),
        "median_us": float(np.median(offset)) / 1e3,
        "other_hops": float(np.count_nonzero(hops)),
    }
    ways = "both ways" if 0 < by_client < len(row) else "from clients only" if by_client else "from servers only"
    routed = "; copies show another hop limit: a router lay between two taps, or packets circled" if hops.any() else ""
    says = (
        f"{len(row):,} packets were captured twice, {ways}, {numbers['median_us']:,.0f} µs apart (median){routed}; "
        "copies are no repeats, and no volleys"
    )
    yield RecordingFact(id="recording.doubled", scope=Scope.PATH, certain=True, says=says, numbers=numbers)


def before_copies(trace: "Trace", row: I64) -> tuple[I64, Mask]:
    """Find how long each copy came after the packet before of its side (ns), and whether the hop limits differ."""
    packets = trace.packets
    near = trace.by_flow.take(np.unique(packets.flow[row]).astype(np.int64)).values.astype(np.int64)
    side = 2 * packets.flow[near].astype(np.int64) + ~packets.outbound[near]
    order = np.argsort(side, kind="stable")
    near, keys = near[order], side[order] << 32 | near[order]
    wanted = (2 * packets.flow[row].astype(np.int64) + ~packets.outbound[row]) << 32 | row
    place = np.searchsorted(keys, wanted)
    original = near[np.maximum(place - 1, 0)]
    return packets.time[row] - packets.time[original], packets.ttl[row] != packets.ttl[original]


def merged_facts(trace: "Trace") -> Iterator[RecordingFact]:
    """Say whether several interfaces recorded conversations of their own, and times with other machines each."""
    flows, packets = trace.flows, trace.packets
    if not len(flows):
        return
    face = packets.interface[flows.first_packet].astype(np.int64)
    used = distinct(face)
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
