"""Whether only large packets die: the mark of a narrow path that tells nobody (RFC 4821 §1, RFC 2923 §2.1)."""

import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.unanswered.silences import TCP, Silences
from netinterf.trace import Trace

__all__ = ["LARGE", "large_only"]

LARGE = 1_000
"""Payload from which a packet may be too large for a path: links are hardly made for less than 1,280 bytes
(RFC 8200 §5), of which headers, options and a tunnel or two take at most 280."""

USUAL = 1_380
"""Payload that shows a path to be wide enough for all: 1,420 bytes of tunnel with IPv4 and TCP headers. What was
captured before segmentation, and a hole, may be many times as large."""


def large_only(trace: Trace, silences: Silences) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Say of each silence whether the packet that got no answer was large, and none as large ever passed.

    Of bytes that the other end sent and that never arrived, *silences* are turned round: its side, their number.

    Returns:
        None passed between the same two hosts in that direction; and none passed to or from the client at all.
    """
    packets, sides, flows = trace.packets, trace.sides, trace.flows
    large = silences.size >= LARGE
    nothing = np.zeros(len(silences), np.bool_)
    if not large.any():
        return nothing, nothing.copy()
    rows = np.flatnonzero((packets.protocol == TCP) & (packets.payload_length >= LARGE) & (packets.flow >= 0))
    side = 2 * packets.flow[rows].astype(np.int64) + ~packets.outbound[rows]
    end = packets.relative_seq[rows] + packets.payload_length[rows]
    passed = end <= sides.acked[side]
    rows, side = rows[passed], side[passed]
    size = packets.payload_length[rows].astype(np.int64)
    hosts, way = len(trace.hosts), side % 2
    client, server = flows.client[side // 2].astype(np.int64), flows.server[side // 2].astype(np.int64)
    own_client, own_server = (column[silences.flow].astype(np.int64) for column in (flows.client, flows.server))
    own_way = silences.side % 2
    found = []
    for here, own in (
        ((client * hosts + server) * 2 + way, (own_client * hosts + own_server) * 2 + own_way),
        (client * 2 + way, own_client * 2 + own_way),
    ):
        key, number = np.unique(here, return_inverse=True)
        largest = np.zeros(len(key) + 1, np.int64)
        np.maximum.at(largest, number.reshape(-1), size)
        place = np.searchsorted(key, own)
        known = (place < len(key)) & (np.append(key, -1)[place] == own)
        found.append(
            large & (np.where(known, largest[np.minimum(place, len(key))], 0) < np.minimum(silences.size, USUAL))
        )
    return found[0], found[1]
