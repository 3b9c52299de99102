"""Whether only large packets die: the mark of a narrow path that tells nobody (RFC 4821 §1, RFC 2923 §2.1)."""

import numpy as np

from netinterf.analyzers.sides import side_packets
from netinterf.analyzers.unanswered.silences import TCP, Silences, apart
from netinterf.arrays import I64, Mask
from netinterf.schema import Mark, TcpFlag
from netinterf.trace import Trace

__all__ = ["LARGE", "large_only"]

LARGE = 1_000
"""Payload from which a packet may be too large for a path: links are hardly made for less than 1,280 bytes
(RFC 8200 §5), of which headers, options and a tunnel or two take at most 280."""

USUAL = 1_380
"""Payload that shows a path to be wide enough for all: 1,420 bytes of tunnel with IPv4 and TCP headers. What was
captured before segmentation, and a hole, may be many times as large."""

MANY_REPEATS = 4
"""Repeats of what was acknowledged that no slow acknowledgement explains: timeouts begin at 200 ms (Linux ip-sysctl,
tcp_rto_min_us) and are doubled (RFC 6298 §5.5), so that four span three seconds, more than queues hold."""


def large_only(trace: Trace, silences: Silences) -> tuple[Mask, Mask]:
    """Say of each silence whether the packet that got no answer was large, and none as large ever passed.

    Where a small one was sent behind it and got no answer either, size is no reason: a narrow path lets it through, and
    the receiver acknowledges again what it still waits for (RFC 9293 §3.10.7.4). Nor is it where the other end never
    learned that it was heard itself: a narrow path lets acknowledgements through.

    Of bytes that the other end sent and that never arrived, *silences* are turned round: its side, their number.

    Returns:
        None passed between the same two hosts in that direction; and none passed in that direction of all the client's.
    """
    flows = trace.flows
    large = (silences.unanswered_payload >= LARGE) & ~small_unacked(trace, silences)
    large[large] = ~acks_lost(trace, silences.take(large))
    nothing = np.zeros(len(silences), np.bool_)
    if not large.any():
        return nothing, nothing.copy()
    largest_passed = largest_acknowledged(trace)
    side = np.flatnonzero(largest_passed)
    size = largest_passed[side]
    hosts, way = len(trace.hosts), side % 2
    client, server = flows.client[side // 2].astype(np.int64), flows.server[side // 2].astype(np.int64)
    own_client, own_server = (column[silences.flow].astype(np.int64) for column in (flows.client, flows.server))
    own_way = silences.side % 2
    none_passed = []
    for here, own in (
        ((client * hosts + server) * 2 + way, (own_client * hosts + own_server) * 2 + own_way),
        (client * 2 + way, own_client * 2 + own_way),
    ):
        key, number = np.unique(here, return_inverse=True)
        largest = np.zeros(len(key) + 1, np.int64)
        np.maximum.at(largest, number.reshape(-1), size)
        place = np.searchsorted(key, own)
        known = (place < len(key)) & (np.append(key, -1)[place] == own)
        none_passed.append(
            large
            & (
                np.where(known, largest[np.minimum(place, len(key))], 0)
                < np.minimum(silences.unanswered_payload, USUAL)
            )
        )
    return none_passed[0], none_passed[1]


def largest_acknowledged(trace: Trace) -> I64:
    """Find the largest packet of each side, from `LARGE` on, that was acknowledged; 0 without any."""
    packets = trace.packets
    rows = np.flatnonzero((packets.payload_length >= LARGE) & (packets.protocol == TCP) & (packets.flow >= 0))
    side, size = 2 * packets.flow[rows].astype(np.int64) + ~packets.outbound[rows], packets.payload_length[rows]
    passed = packets.relative_seq[rows] + size <= trace.sides.acked[side]
    largest = np.zeros(len(trace.sides), np.int64)
    np.maximum.at(largest, side[passed], size[passed])
    return largest


def small_unacked(trace: Trace, silences: Silences) -> Mask:
    """Say of each silence whether a small segment was sent behind what got no answer, and was not acknowledged."""
    packets, unacked = trace.packets, np.zeros(len(silences), np.bool_)
    near = trace.by_flow.take(silences.flow)
    owner, row = near.parents(), near.values.astype(np.int64)
    theirs = packets.outbound[row] != (silences.side[owner] % 2 == 0)
    size = packets.payload_length[row]
    small = ~theirs & (row > silences.row[owner]) & (size > 0) & (size < LARGE)
    small &= packets.relative_seq[row] > packets.relative_seq[silences.row[owner]]
    first = np.full(len(silences), len(packets))
    np.minimum.at(first, owner[small], row[small])
    unacked[owner[small]] = True
    flags = packets.tcp_flags[row] & (TcpFlag.SYN | TcpFlag.FIN | TcpFlag.RST)
    heard = theirs & (row > first[owner]) & (size == 0) & (flags == 0)
    unacked[owner[heard]] = False
    return unacked


def acks_lost(trace: Trace, silences: Silences) -> Mask:
    """Say of each silence whether the other end kept repeating what had been acknowledged: that died on its way, too.

    Behind the first try; a round trip or more after the acknowledgement, which would have been there by then; and so
    often that the acknowledgements are not merely late.
    """
    packets, rtt = trace.packets, trace.sides.rtt
    base = side_packets(trace, np.unique(silences.flow))
    own, time = base.side ^ 1, packets.time[base.row]
    begin = np.full(2 * len(trace.flows), len(packets))
    begin[silences.side] = silences.row
    acked_at = base.first_above(base.acked, own, base.end - 1)
    again = (base.row > begin[own]) & (packets.payload_length[base.row] > 0) & (acked_at >= 0)
    again &= time - base.at(time, acked_at) >= np.maximum(rtt[base.side], 0)
    again &= (packets.marks[base.row] & (Mark.REPEAT | Mark.KEEP_ALIVE)) == Mark.REPEAT
    side = own[again]
    times = np.bincount(side[apart(side, time[again], rtt[side ^ 1])], minlength=2 * len(trace.flows))
    lost: Mask = times[silences.side] >= MANY_REPEATS
    return lost
