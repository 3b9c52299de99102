"""Find datagrams that look as if they had been captured twice.

A copy agrees with its original in everything that the sender writes, its payload included, has the same hop limit or
one changed by a single router, and follows within a millisecond. That alone proves nothing: a program may ask twice at
once, and an injector repeats itself. `duplicates` takes them for copies where all that goes the same way is doubled.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, U8, U64, Mask
from netinterf.flows.grouping import FIRST_MULTIPLIER, SECOND_MULTIPLIER
from netinterf.flows.orient import previous_equal
from netinterf.pieces import gather
from netinterf.schema import Flows, Packets
from netinterf.table import Ragged

__all__ = ["COPY_NS", "REACH", "UDP", "far_apart", "repeated_datagrams"]

UDP = 17

COPY_NS = 1_000_000
"""Longest time between original and copy; far below the least retransmission timeout (RFC 6298 §2.4: 1 s)."""

REACH = 8
"""Packets of the flow behind the original among which a first copy is looked for, before a flow is searched as a whole:
a burst may be copied behind its end."""

PAIRS_AT_ONCE = 4096
"""Pairs whose bytes are compared at a time, so that memory stays bounded."""


def repeated_datagrams(buffer: U8, packets: Packets, flows: Flows, by_flow: Ragged) -> I64:
    """List the UDP packets that agree with one shortly before them in their flow.

    Args:
        buffer: Bytes of the capture.
        packets: Packets with flow and outbound.
        flows: Their flows.
        by_flow: Rows of packets of each flow, in time order.

    Returns:
        Rows in Packets, ascending.
    """
    row = by_flow.take(np.flatnonzero(flows.protocol == UDP)).values.astype(np.int64)
    row = row[packets.payload_length[row] > 0]
    mixed = ((packets.flow[row].astype(np.uint64) << np.uint64(1)) | packets.outbound[row]) * FIRST_MULTIPLIER
    mixed ^= (packets.ip_id[row].astype(np.uint64) << np.uint64(32) | packets.payload_length[row]) * SECOND_MULTIPLIER
    copies, payloads = np.zeros(len(row), np.bool_), Payloads(buffer, packets)
    for lag in range(1, min(REACH, len(row) - 1) + 1):
        place = np.flatnonzero(mixed[lag:] == mixed[:-lag]) + lag
        place = place[~copies[place]]
        place = place[headers_agree(packets, row[place], row[place - lag])]
        copies[place[payloads.agree(row[place], row[place - lag])]] = True
    if copies.any():
        place, earlier = far_apart(packets.flow[row], mixed, copies)
        same = headers_agree(packets, row[place], row[earlier])
        place, earlier = place[same], earlier[same]
        copies[place[payloads.agree(row[place], row[earlier])]] = True
    return np.sort(row[copies])


def far_apart(flow: NDArray[np.integer[Any]], mixed: U64, copies: Mask) -> tuple[I64, I64]:
    """Pair packets with the one before that looks like them, however many lie between, in flows with copies.

    Args:
        flow: Flow of each packet.
        mixed: Its fields, mixed.
        copies: Packets known to be copies.

    Returns:
        Places of packets that are not known to be copies, and the places of those before.
    """
    copied_flows = np.unique(flow[copies])
    place = np.flatnonzero(np.isin(flow, copied_flows))
    before = previous_equal(mixed[place])
    later = (before >= 0) & ~copies[place]
    return place[later], place[before[later]]


def headers_agree(packets: Packets, row: I64, other: I64) -> Mask:
    """Compare pairs of datagrams in all of their headers that a copy shares with its original."""
    same = packets.time[row] - packets.time[other] <= COPY_NS
    near = np.flatnonzero(same)
    row, other = row[near], other[near]
    agree = np.abs(packets.ttl[row].astype(np.int16) - packets.ttl[other]) <= 1
    for name in ("flow", "outbound", "version", "ip_id", "fragment_offset", "payload_length"):
        values = getattr(packets, name)
        agree &= values[row] == values[other]
    same[near] = agree
    return same


class Payloads:
    """What was captured of the payloads of all packets."""

    def __init__(self, buffer: U8, packets: Packets) -> None:
        self.buffer, self.start, self.size = buffer, packets.payload_start, packets.payload_captured.astype(np.int64)

    def agree(self, row: I64, other: I64) -> Mask:
        """Compare pairs of datagrams of one length in what was captured of both payloads, if any was."""
        size = np.minimum(self.size[row], self.size[other])
        same = size > 0
        left, right = self.start[row], self.start[other]
        last = size - 1
        same[same] = self.buffer[(left + last)[same]] == self.buffer[(right + last)[same]]  # answers differ at the end
        likely = np.flatnonzero(same)
        for low in range(0, len(likely), PAIRS_AT_ONCE):
            pair = likely[low : low + PAIRS_AT_ONCE]
            differs = gather(self.buffer, left[pair], size[pair]) != gather(self.buffer, right[pair], size[pair])
            same[pair] = ~np.logical_or.reduceat(differs, np.cumsum(size[pair]) - size[pair])
        return same
