"""Exports: captures from which packets were left out on purpose.

A receiver acknowledges at least every second full segment, at once (RFC 5681 §4.2), and one that joins what arrives
together at least every 64 KiB. Where long runs of data were captured, both ways, and not one acknowledgement without
data among them, somebody kept packets with data only. What is missing from such a recording was not lost.
"""

import numpy as np

from netinterf.arrays import Mask
from netinterf.recording.grouped import Paths
from netinterf.schema import Flows, Packets, Sides
from netinterf.table import Ragged

__all__ = ["left_out"]

TCP = 6

UNACKNOWLEDGED = 45
"""Data packets behind another of their side that somebody acknowledged in between: the full segments of 64 KiB, the
most that receivers join before they acknowledge (IPv4's largest packet, RFC 791 §3.1, by segments of 1,448 bytes)."""


def left_out(packets: Packets, flows: Flows, sides: Sides, by_flow: Ragged, paths: Paths) -> Mask:
    """Say of each flow whether acknowledgements without data were left out of the recording of its path."""
    sent, data = sides.packets.astype(np.int64), sides.payload_packets.astype(np.int64)
    for ends in (sides.syn, sides.fin, sides.rst):
        sent -= ends >= 0
    bare = np.maximum(sent - data, 0).reshape(-1, 2).sum(axis=1)
    tcp = flows.protocol == TCP
    two_way = tcp & (data.reshape(-1, 2) > 0).all(axis=1)
    without = (paths.total(bare * tcp) == 0) & (paths.total(two_way) > 0)
    chosen = np.flatnonzero(without[paths.of] & tcp)
    if not len(chosen):
        return np.zeros(len(flows), np.bool_)
    row = by_flow.take(chosen).values
    row = row[packets.payload_length[row] > 0]
    side = 2 * packets.flow[row].astype(np.int64) + ~packets.outbound[row]
    again = side[1:] == side[:-1]
    runs = np.bincount(paths.of[side[1:][again] // 2], minlength=paths.count)
    filtered: Mask = (without & (runs >= UNACKNOWLEDGED))[paths.of]
    return filtered
