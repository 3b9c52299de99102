"""Find frames that were captured twice: mirror ports that copy both directions, and the "any" device.

A copy agrees with its original in everything that the sender writes, the IP identification included, has the same TTL
or one changed by a single router, and follows within a millisecond. Where the sender numbers its packets that is
decisive. Resets and packets without identification (IPv6, or 0 as RFC 6864 §4.1 allows) agree easily without being
copies: injectors send identical resets in volleys, receivers identical acknowledgements. These count as copies only in
recordings that visibly hold copies of everything that went the same way: a mirror port or a device may double what one
end sends and not what it gets.
"""

import numpy as np
from numpy.typing import NDArray

from netinterf.flows.blocks import TcpBlock, tcp_blocks
from netinterf.flows.grouping import FIRST, SECOND
from netinterf.schema import Flows, Packets, TcpFlag
from netinterf.table import Ragged

__all__ = ["COPY_NS", "duplicate_rows"]

COPY_NS = 1_000_000
"""Longest time between original and copy; far below the least retransmission timeout (RFC 6298 §2.4: 1 s)."""

REACH = 8  # rows of the flow between which a copy is looked for: a burst may be copied as a whole

COPIED_SHARE = 0.2
"""Share of copies among a path's segments with data, SYN or FIN of one direction from which that counts as doubled;
capturing everything twice gives one half."""


def duplicate_rows(packets: Packets, flows: Flows, by_flow: Ragged) -> NDArray[np.int32]:
    """List the second and later copies of TCP packets.

    Args:
        packets: Packets with flow and outbound.
        flows: Their flows, with paths.
        by_flow: Rows of packets of each flow.

    Returns:
        Rows in Packets, in no particular order.
    """
    decisive, weak = [np.empty(0, np.int32)], [np.empty(0, np.int32)]
    ways = 2 * (int(flows.path.max(initial=-1)) + 1)
    segments, copied = np.zeros(ways, np.int64), np.zeros(ways, np.int64)
    for block in tcp_blocks(packets, by_flow):
        flags = packets.tcp_flags.take(block.rows)
        carries = packets.payload_length.take(block.rows) > 0
        carries |= flags & (TcpFlag.SYN.value | TcpFlag.FIN.value) != 0
        carries &= flags & TcpFlag.RST.value == 0
        way = 2 * flows.path[block.first_flow + block.flow].astype(np.int64) + block.outbound
        segments += np.bincount(way[carries], minlength=ways)
        found = copies(packets, block)
        if len(found) == 0:
            continue
        copied += np.bincount(way[found][carries[found]], minlength=ways)
        rows = block.rows[found]
        sure = (packets.ip_id[rows] != 0) & (flags[found] & TcpFlag.RST.value == 0)
        decisive.append(rows[sure])
        weak.append(rows[~sure])
    rest = np.concatenate(weak)
    way = 2 * flows.path[packets.flow[rest]].astype(np.int64) + packets.outbound[rest]
    doubled = (copied > 0) & (copied >= COPIED_SHARE * segments)
    return np.concatenate([*decisive, rest[doubled[way]]])


def copies(packets: Packets, block: TcpBlock) -> NDArray[np.int64]:
    """List the places in a block whose packet agrees with one shortly before it."""
    rows = block.rows
    mixed = packets.seq.take(rows).astype(np.uint64) << np.uint64(32)
    mixed |= packets.ack.take(rows)
    mixed *= FIRST
    rest = packets.ip_id.take(rows).astype(np.uint64) << np.uint64(48)
    rest |= packets.payload_length.take(rows).astype(np.uint64) << np.uint64(17)
    rest += packets.tcp_flags.take(rows)
    rest ^= block.side.astype(np.uint64) << np.uint64(20)
    mixed ^= rest * SECOND
    found = np.zeros(len(rows), np.bool_)
    for lag in range(1, min(REACH, len(rows) - 1) + 1):
        places = np.flatnonzero(mixed[lag:] == mixed[:-lag]) + lag
        if len(places):
            places = places[agree(packets, rows[places], rows[places - lag])]
            found[places] = True
    return np.flatnonzero(found)


def agree(packets: Packets, row: NDArray[np.int32], other: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Compare pairs of packets in everything that a copy shares with its original."""
    same = np.ones(len(row), np.bool_)
    columns = ("flow", "outbound", "seq", "ack", "tcp_flags", "window", "payload_length", "ip_id", "tcp_options")
    for name in (*columns, "tsval", "tsecr"):
        values = getattr(packets, name)
        same &= values[row] == values[other]
    same &= packets.time[row] - packets.time[other] <= COPY_NS
    hops = packets.ttl[row].astype(np.int16) - packets.ttl[other].astype(np.int16)
    same &= np.abs(hops) <= 1
    return same
