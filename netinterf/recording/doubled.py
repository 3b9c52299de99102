"""Frames captured twice: mirror ports that copy both ways, the "any" device, taps on both sides of a router."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.recording.fact import RecordingFact, Scope
from netinterf.schema import Mark

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["duplicate_facts"]

UDP = 17

COPIED_SHARE = 0.02
"""Share of packets from which copies are worth a word: single ones are repeats of lower layers."""


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
    routed = "; copies show another hop limit, so a router lay between the two taps" if hops.any() else ""
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
