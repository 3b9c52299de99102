"""Frames captured twice: mirror ports that copy both ways, the "any" device, taps on both sides of a router."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from netinterf.flows.duplicates import COPY_NS
from netinterf.recording.fact import RecordingFact, Scope
from netinterf.schema import Mark

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["tell_doubled"]

I64 = NDArray[np.int64]

UDP = 17

COPIED_SHARE = 0.02
"""Share of packets from which copies are worth a word: single ones are repeats of lower layers."""


def tell_doubled(trace: "Trace") -> Iterator[RecordingFact]:
    """Say how many packets were captured twice, how long after each other, and whether a router lay between."""
    packets = trace.packets
    row = np.flatnonzero(packets.marks & Mark.DUPLICATE_FRAME.value)
    row, datagram = np.append(row, copied_datagrams(trace)), len(row)
    if len(row) <= COPIED_SHARE * len(packets):
        return
    offset, hops = before_copies(trace, row)
    by_client = int(np.count_nonzero(packets.outbound[row]))
    numbers = {
        "copies": float(len(row)),
        "by_clients": float(by_client),
        "datagrams": float(len(row) - datagram),
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


def copied_datagrams(trace: "Trace") -> I64:
    """List UDP packets that agree with the one before of their conversation in all that a copy shares with it.

    Identifications of 0 tell nothing (RFC 6864 §4.1): a program that asks twice at once writes two equal datagrams.
    """
    packets = trace.packets
    row = trace.by_flow.take(np.flatnonzero(trace.flows.protocol == UDP)).values.astype(np.int64)
    one, other = row[:-1], row[1:]
    same = packets.time[other] - packets.time[one] <= COPY_NS
    one, other = one[same], other[same]
    same = packets.ip_id[one] > 0
    for name in ("flow", "outbound", "ip_id", "payload_length", "fragment_offset", "version"):
        column = getattr(packets, name)
        same &= column[one] == column[other]
    same &= np.abs(packets.ttl[one].astype(np.int64) - packets.ttl[other]) <= 1
    return other[same]


def before_copies(trace: "Trace", row: I64) -> tuple[I64, NDArray[np.bool_]]:
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
