"""Find frames that were captured twice: mirror ports that copy both directions, and the "any" device.

A copy agrees with its original in everything that the sender writes, the IP identification included, has the same TTL
or one changed by a single router, and follows within a millisecond. Where the sender numbers its packets that is
decisive. Resets and packets without identification (IPv6, or 0 as RFC 6864 §4.1 allows) agree easily without being
copies: injectors send identical resets in volleys, receivers identical acknowledgements. These, and all datagrams
(programs ask twice at once, injectors answer twice), count as copies only where everything else that went the same way,
to or from the same client, is visibly doubled. Mirror ports and devices may double one direction alone, and another
client's packets took another way.

Packets that circle between two routers pass a tap between them again and again, each time with fewer hops left (RFC
1812 §5.3.1). Whoever sends something once more writes another identification or a later timestamp, and takes no hops
away.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I32, I64, Mask
from netinterf.flows.blocks import TcpBlock, tcp_blocks, usable
from netinterf.flows.datagrams import COPY_NS, REACH, UDP, far_apart
from netinterf.flows.grouping import FIRST_MULTIPLIER, SECOND_MULTIPLIER
from netinterf.flows.segments import with_copies
from netinterf.schema import Flows, Packets, TcpFlag
from netinterf.table import Ragged

__all__ = ["COPY_NS", "NO_ROWS", "duplicate_rows"]

NO_ROWS = np.empty(0, np.int64)

COPIED_SHARE = 0.2
"""Share of copies among segments with data, SYN or FIN, and datagrams, from which all that goes that way counts as
doubled; capturing everything twice gives one half."""

CIRCLE_NS = 200_000_000
"""Longest time for one way around between two routers: the least timeout after which anything is sent again (Linux,
TCP_RTO_MIN; RFC 6298 §2.4 says 1 s)."""


def duplicate_rows(packets: Packets, flows: Flows, by_flow: Ragged, datagrams: I64 = NO_ROWS) -> I32:
    """List the second and later copies of TCP and UDP packets.

    Args:
        packets: Packets with flow and outbound.
        flows: Their flows.
        by_flow: Rows of packets of each flow.
        datagrams: UDP packets that repeat one just before (`repeated_datagrams`).

    Returns:
        Rows in Packets, in no particular order.
    """
    decisive, weak, ways = [np.empty(0, np.int32)], [np.empty(0, np.int32)], [np.empty(0, np.int64)]
    count = 2 * (int(flows.client.max(initial=-1)) + 1)
    telling = telling_packets(packets)
    sent = np.bincount(ways_of(packets, flows, np.flatnonzero(telling)), minlength=count)
    repeated = np.bincount(ways_of(packets, flows, datagrams), minlength=count)
    for block in tcp_blocks(packets, by_flow.take(with_copies(packets, by_flow))):
        copied, circled = copies(packets, block)
        rows = block.rows[copied]
        way = ways_of(packets, flows, rows)
        repeated += np.bincount(way[telling[rows]], minlength=count)
        sure = (packets.ip_id[rows] != 0) | circled & (packets.tsval[rows] != 0)
        sure &= packets.tcp_flags[rows] & TcpFlag.RST.value == 0
        decisive.append(rows[sure])
        weak.append(rows[~sure])
        ways.append(way[~sure])
    weak.append(datagrams.astype(np.int32))
    ways.append(ways_of(packets, flows, datagrams))
    return np.concatenate([*decisive, np.concatenate(weak)[doubled(sent, repeated)[np.concatenate(ways)]]])


def telling_packets(packets: Packets) -> Mask:
    """Say which packets tell whether all that goes their way is doubled: segments that carry something, datagrams."""
    carries = packets.payload_length > 0
    carries |= packets.tcp_flags & (TcpFlag.SYN.value | TcpFlag.FIN.value) != 0
    carries &= packets.tcp_flags & TcpFlag.RST.value == 0
    carries &= usable(packets)
    telling: Mask = carries | ((packets.protocol == UDP) & (packets.flow >= 0) & (packets.payload_length > 0))
    return telling


def ways_of(packets: Packets, flows: Flows, row: NDArray[np.integer[Any]]) -> I64:
    """Number the way of some packets: twice the client, plus one for what it sent."""
    way: I64 = 2 * flows.client[packets.flow[row]].astype(np.int64) + packets.outbound[row]
    return way


def doubled(segments: I64, copied: I64) -> Mask:
    """Say of each way (twice the client, plus one for what it sent) whether all that went there was captured twice.

    Where nothing that can tell went one way, the client's other direction speaks for it.
    """
    both_ways = segments.reshape(-1, 2).sum(axis=1).repeat(2), copied.reshape(-1, 2).sum(axis=1).repeat(2)
    segments, copied = (
        np.where(segments > 0, own, all_) for own, all_ in zip((segments, copied), both_ways, strict=True)
    )
    captured_twice: Mask = (copied >= COPIED_SHARE * segments) & (copied > 0)
    return captured_twice


def copies(packets: Packets, block: TcpBlock) -> tuple[I64, Mask]:
    """List the places in a block whose packet agrees with one shortly before it, and say which of these circled."""
    rows = block.rows
    mixed = packets.seq.take(rows).astype(np.uint64) << np.uint64(32)
    mixed |= packets.ack.take(rows)
    mixed *= FIRST_MULTIPLIER
    rest = packets.ip_id.take(rows).astype(np.uint64) << np.uint64(48)
    rest |= packets.payload_length.take(rows).astype(np.uint64) << np.uint64(17)
    rest += packets.tcp_flags.take(rows)
    rest ^= block.side.astype(np.uint64) << np.uint64(20)
    mixed ^= rest * SECOND_MULTIPLIER
    copied, circled = np.zeros(len(rows), np.bool_), np.zeros(len(rows), np.bool_)

    def note(places: I64, earlier: I64) -> None:
        same = written_alike(packets, rows[places], rows[earlier])
        places, earlier = places[same], earlier[same]
        twice, around = passed_again(packets, rows[places], rows[earlier])
        copied[places[twice | around]] = True
        circled[places[around]] = True

    for lag in range(1, min(REACH, len(rows) - 1) + 1):
        places = np.flatnonzero(mixed[lag:] == mixed[:-lag]) + lag
        if len(places):
            note(places, places - lag)
    if copied.any():
        note(*far_apart(block.flow, mixed, copied))
    places = np.flatnonzero(copied)
    return places, circled[places]


def written_alike(packets: Packets, row: I32, other: I32) -> Mask:
    """Compare pairs of packets in everything that their sender writes."""
    same = np.ones(len(row), np.bool_)
    columns = ("flow", "outbound", "seq", "ack", "tcp_flags", "window", "payload_length", "ip_id", "tcp_options")
    for name in (*columns, "tsval", "tsecr"):
        values = getattr(packets, name)
        same &= values[row] == values[other]
    return same


def passed_again(packets: Packets, row: I32, other: I32) -> tuple[Mask, Mask]:
    """Say which pairs of packets written alike are one that was captured twice at one place, or one that circled.

    Resets and FINs are left out of the second: who forges some writes them alike, with any hop limit.
    """
    later = packets.time[row] - packets.time[other]
    hops = packets.ttl[row].astype(np.int16) - packets.ttl[other].astype(np.int16)
    twice = (later <= COPY_NS) & (np.abs(hops) <= 1)
    around = ~twice & (later <= CIRCLE_NS) & (hops < 0) & (packets.payload_length[row] > 0)
    around &= packets.tcp_flags[row] & (TcpFlag.RST.value | TcpFlag.FIN.value) == 0
    return twice, around
