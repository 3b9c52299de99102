"""Waiting for what never came: an answer, the rest of one, or a greeting."""

import numpy as np

from netinterf.analyzers.unanswered.silences import (
    FIRST_TIMEOUT_NS,
    TCP,
    WAIT_NS,
    Kind,
    Silences,
    waiting_shown,
)
from netinterf.analyzers.unanswered.unfinished import unfinished
from netinterf.arrays import I64
from netinterf.schema import TcpFlag
from netinterf.trace import Trace

__all__ = ["find_unanswered_syns", "find_waiting"]

SLOW_ROUND_TRIPS = 10
"""Round trips that an answer may take without being missed: healthy servers sent theirs within 0.3 of one after their
acknowledgement (captures of an open measurement project in Russia, 2025), which calls ten of them silence."""

SYN_TRIES = 2
"""SYNs without an answer: the second comes a second behind the first, many round trips, and a third only after two more
(RFC 6298 §2.1, §5.5), when many have given up."""


def find_waiting(trace: Trace) -> Silences:
    """Find requests that were acknowledged and never answered, and answers that stopped midway.

    A side stopped midway when the last that it sent was data without PSH, since its stack had more in its buffer
    (RFC 9293 §3.9.1.2), or when it had announced more. A request can only be told from chatter when the client made
    it. What the other end says to a client that gave up is no answer.
    """
    packets, sides, flows = trace.packets, trace.sides, trace.flows
    two_way = (sides.packets[0::2] > 0) & (sides.packets[1::2] > 0) & (flows.protocol == TCP)
    two_way &= trace.ended - flows.first >= WAIT_NS
    side = np.flatnonzero(two_way[:, None] & waiting_shown(trace))
    if not len(side):
        return Silences.none()
    other = side ^ 1
    left, ended = gave_up(trace, side), gave_up(trace, other)
    open_ended = (ended < 0) | ((left >= 0) & (left < ended))
    side, other, left = side[open_ended], other[open_ended], left[open_ended]
    all_acked = sides.acked[side] >= sides.sent[side] - (sides.fin[side] >= 0)
    mute = (side % 2 == 0) & all_acked & (sides.payload_packets[side] > 0) & (sides.payload_packets[other] == 0)
    last = last_until(trace, other, np.where(mute, left, -1))
    until = np.where(left >= 0, packets.time[np.maximum(left, 0)], trace.ended)
    until = np.minimum(until, trace.heard_until(packets.time[last]))
    silent = until - packets.time[last]
    keep = silent >= np.maximum(WAIT_NS, SLOW_ROUND_TRIPS * sides.rtt[other])
    cut = (packets.payload_length[last] > 0) & (packets.tcp_flags[last] & TcpFlag.PSH == 0)
    long = np.flatnonzero(keep & ~mute & ~cut)
    cut[long] = unfinished(trace, side[long])
    keep &= mute | cut
    request = sides.first_payload[side].astype(np.int64)
    keep &= ~mute | trace.heard_throughout(packets.time[request], packets.time[last])
    row = np.where(mute, request, last)[keep]
    return Silences(
        flow=side[keep] // 2,
        side=side[keep],
        kind=np.where(mute[keep], Kind.UNANSWERED_REQUEST, Kind.BROKEN_OFF).astype(np.int64),
        row=row,
        last=sides.last[side[keep]].astype(np.int64),
        since=packets.time[last[keep]],
        until=until[keep],
        tries=np.ones(len(row), np.int64),
        unanswered_payload=packets.payload_length[row].astype(np.int64),
        first_data=mute[keep],
        heard_deaf=np.full(len(row), -1),
        paused=np.zeros(len(row), np.int64),
    )


def last_until(trace: Trace, side: I64, row: I64) -> I64:
    """Row of the last packet of each side before packet *row* (-1: at all)."""
    last = trace.sides.last[side].astype(np.int64)
    late = np.flatnonzero((row >= 0) & (last > row))
    if len(late):
        near = trace.by_flow.take(side[late] // 2)
        owner, other = late[near.parents()], near.values.astype(np.int64)
        keep = (trace.packets.outbound[other] == (side[owner] % 2 == 0)) & (other < row[owner])
        last[owner[keep]] = other[keep]  # rows of a flow lie in order, and the last write wins
    return last


def gave_up(trace: Trace, side: I64) -> I64:
    """Row of the packet with which a side ended its waiting (FIN or RST), -1 for none."""
    fin, rst = (column[side].astype(np.int64) for column in (trace.sides.fin, trace.sides.rst))
    both = (fin >= 0) & (rst >= 0)
    return np.where(both, np.minimum(fin, rst), np.maximum(fin, rst))


def find_unanswered_syns(trace: Trace) -> Silences:
    """Find connections of which nothing was captured but SYNs.

    Where a client has no connection with both directions in the capture, nobody can tell.
    """
    packets, sides, flows = trace.packets, trace.sides, trace.flows
    syns, answered = sides.packets[0::2].astype(np.int64), sides.packets[1::2] > 0
    tcp = flows.protocol == TCP
    keep = tcp & ~answered & (syns >= SYN_TRIES) & (sides.syn[0::2] >= 0) & waiting_shown(trace)[:, 0]
    keep &= sides.sent[0::2] <= 1
    if not keep.any():
        return Silences.none()
    keep &= np.isin(flows.client, flows.client[tcp & answered & (syns > 0)])
    flow = np.flatnonzero(keep)
    end = trace.heard_until(packets.time[sides.last[2 * flow]])
    waited = end - packets.time[sides.last[2 * flow]] >= farthest(trace)[flows.client[flow]]
    waited |= (end - flows.first[flow] >= WAIT_NS) | (syns[flow] > SYN_TRIES)  # those before the last have waited
    flow, end = flow[waited], end[waited]
    row, last = sides.syn[2 * flow].astype(np.int64), sides.last[2 * flow].astype(np.int64)
    since = packets.time[row]
    return Silences(
        flow=flow,
        side=2 * flow,
        kind=np.full(len(flow), Kind.UNANSWERED_SYN, np.int64),
        row=row,
        last=last,
        since=since,
        until=np.maximum(packets.time[last], np.minimum(since + WAIT_NS, end)),
        tries=syns[flow],
        unanswered_payload=np.zeros(len(flow), np.int64),
        first_data=np.ones(len(flow), np.bool_),
        heard_deaf=np.full(len(flow), -1),
        paused=np.zeros(len(flow), np.int64),
    )


def farthest(trace: Trace) -> I64:
    """Longest round trip that each host measured as a client, ns: how long its last SYN must have waited.

    The first timeout where none was measured (RFC 6298 §2.1).
    """
    trip = np.zeros(len(trace.hosts), np.int64)
    np.maximum.at(trip, trace.flows.client, trace.sides.rtt[1::2])
    return np.where(trip > 0, trip, FIRST_TIMEOUT_NS)
