"""Data or a FIN that was sent again and again and never acknowledged, though the connection was open."""

import numpy as np

from netinterf.analyzers.sides import SidePackets, side_packets
from netinterf.analyzers.unanswered.silences import (
    FIRST_TIMEOUT_NS,
    TCP,
    WAIT_NS,
    Kind,
    Silences,
    apart,
    waiting_shown,
)
from netinterf.arrays import I64, Mask
from netinterf.schema import Mark, TcpFlag
from netinterf.trace import Trace

__all__ = ["LEAST_TRIES", "find_unacked"]

LEAST_TRIES = 3
"""Transmissions of which none was acknowledged: at 1 % loss each way three in a row have chance 8e-6."""

MANY_TRIES = 4
"""Transmissions after which nothing more is waited for: the first repeat may be a probe, two round trips after its
original (RFC 8985 §7.2); with the timeouts of 1 and 2 behind it they span ten round trips and more."""

TRICKLE = 256
"""Bytes of room below which a receiver hardly takes part: half of the least segment size (RFC 9293 §3.7.1)."""


def find_unacked(trace: Trace) -> Silences:
    """Find sides that repeated unacknowledged bytes: `MANY_TRIES` in all, or `LEAST_TRIES` over `WAIT_NS`.

    Which bytes they repeat is up to them: senders probe with the last segment first (RFC 8985 §7).
    Left out are bytes for which the other end had said that it has no room (zero windows, window probes), and
    connections that the other end had reset before, or closed and reset when more came.
    """
    side = stuck_sides(trace)
    if not len(side):
        return Silences.none()
    base = side_packets(trace, np.unique(side // 2))
    packets, sides = trace.packets, trace.sides
    acked = sides.acked[base.side].astype(np.int64)
    data = packets.payload_length[base.row] > 0
    stuck = np.isin(base.side, side) & (base.end > acked) & (data | (packets.tcp_flags[base.row] & TcpFlag.FIN != 0))
    stuck &= packets.marks[base.row] & Mark.KEEP_ALIVE == 0
    oldest = stuck & (packets.relative_seq[base.row] <= acked)
    place = np.flatnonzero(oldest)
    which, begin = np.unique(base.side[place], return_index=True)
    tries, place = 1 + repeats(trace, base, np.flatnonzero(stuck), which), place[begin]
    row, last = base.row[place], last_of(base, np.flatnonzero(stuck), which)
    since = packets.time[row]
    end, other = trace.heard_until(packets.time[last]), which ^ 1
    until = np.where(packets.time[last] - since >= WAIT_NS, packets.time[last], np.minimum(since + WAIT_NS, end))
    keep = (tries >= MANY_TRIES) | ((tries >= LEAST_TRIES) & (until - since >= WAIT_NS))
    keep &= had_room(base, place, other) & trace.heard_throughout(since, packets.time[last])
    keep &= ~((sides.rst[other] >= 0) & (packets.time[sides.rst[other]] < since + WAIT_NS))
    keep &= ~refuses(trace, base, which)
    size = packets.payload_length[row].astype(np.int64)
    first = packets.relative_seq[row] <= first_flight(trace, which)
    opening = first & (size > 0) & (which % 2 == 0) & (trace.sides.syn[which] >= 0)
    silences = Silences(
        flow=which // 2,
        side=which,
        kind=np.where(size > 0, Kind.UNACKED_DATA, Kind.UNACKED_FIN).astype(np.int64),
        row=row,
        last=last,
        since=since,
        until=until,
        tries=tries.astype(np.int64),
        unanswered_payload=size,
        first_data=first,
        heard_deaf=still_heard(trace, base, which, row, np.where(opening, np.iinfo(np.int32).max, last)),
        paused=pause_before(trace, base, row, which),
    ).take(keep)
    return silences.take(np.lexsort((silences.side, silences.kind)))


def refuses(trace: Trace, base: SidePackets, side: I64) -> Mask:
    """Say whether the other end of each side closed, and reset at once what came then: it hears, and nobody reads.

    Its program is gone (RFC 9293 §3.10.7.1). A reset that no packet provoked within two round trips is of a timer.
    """
    packets, sides = trace.packets, trace.sides
    reset = sides.rst[side ^ 1].astype(np.int64)
    last = base.at(base.row, base.before(side, reset))
    closed = (sides.fin[side ^ 1] >= 0) & (reset > sides.fin[side ^ 1]) & (last >= 0)
    if not closed.any():
        return np.zeros(len(side), np.bool_)
    trip = sides.rtt[side ^ 1]
    wait = packets.time[np.maximum(reset, 0)] - packets.time[np.maximum(last, 0)]
    refused: Mask = closed & (wait <= np.where(trip > 0, 2 * trip, FIRST_TIMEOUT_NS))
    return refused


def repeats(trace: Trace, base: SidePackets, places: I64, which: I64) -> I64:
    """Count how often each side in *which* came back to what nobody acknowledged, among its packets at *places*.

    What it repeats within one round trip of the repeat before is the same try: a flight goes out at once.
    """
    packets = trace.packets
    again = places[packets.marks[base.row[places]] & Mark.REPEAT != 0]
    side = base.side[again]
    side = side[apart(side, packets.time[base.row[again]], trace.sides.rtt[side ^ 1])]
    counted: I64 = np.searchsorted(side, which, side="right") - np.searchsorted(side, which)
    return counted


def stuck_sides(trace: Trace) -> I64:
    """Select sides that repeated themselves and were not acknowledged to the end, where the capture can tell.

    What is said behind a SYN that nobody greeted belongs to no connection: the other end answers for another one, or
    asks whether it was meant (a challenge, RFC 5961 §4).
    """
    sides, flows = trace.sides, trace.flows
    two_way = (sides.packets[0::2] > 0) & (sides.packets[1::2] > 0) & (flows.protocol == TCP)
    two_way &= (sides.syn[0::2] < 0) | (sides.syn[1::2] >= 0)
    keep = (sides.sent > sides.acked) & (sides.acked >= 1) & (sides.repeats >= LEAST_TRIES - 1)
    keep &= np.repeat(two_way, 2)
    keep &= waiting_shown(trace).reshape(-1)
    return np.flatnonzero(keep)


def last_of(base: SidePackets, places: I64, which: I64) -> I64:
    """Row of the last of the packets at *places* of each side in *which*."""
    last = np.searchsorted(base.side[places], which, side="right") - 1
    rows: I64 = base.row[places[np.maximum(last, 0)]] if len(places) else np.empty(0, np.int64)
    return rows


def had_room(base: SidePackets, place: I64, other: I64) -> Mask:
    """Say whether the other end had announced room for the packet, and more than a trickle.

    A FIN needs no room. A window of a few bytes is a tarpit, or a program that does not read: no sender would use it
    (RFC 9293 §3.8.6.2.1 has them wait for a full segment or half the window).
    """
    last = base.before(other, np.full(len(other), np.iinfo(np.int32).max))
    edge, acked = base.at(base.edge, last), base.at(base.acked, last)
    room: Mask = (base.end[place] <= edge + 1) & (edge - acked >= TRICKLE)
    return room


def first_flight(trace: Trace, side: I64) -> I64:
    """Relative number behind which data of a side is not its first: what it sent before it had got any payload."""
    packets, sides = trace.packets, trace.sides
    answer = sides.first_payload[side ^ 1].astype(np.int64)
    heard: I64 = np.where(answer >= 0, packets.relative_ack[np.maximum(answer, 0)], np.iinfo(np.int64).max >> 1)
    return heard - 1 if len(packets) else heard


def still_heard(trace: Trace, base: SidePackets, side: I64, row: I64, before: I64) -> I64:
    """Find a packet that the other end sent long after it should have got what it never acknowledged, -1 for none.

    Long after: a second or three round trips. And before what it never acknowledged was sent for the last time: one
    that is heard only later may have been away all the while, or the way to it. Only a client's first request may be
    over by then: both ends and the way had just opened the connection, and servers wait longer than clients try. A
    repeated SYN/ACK shows a server that is not ready: it does not count. Nor does an acknowledgement that says no more:
    it answers something that did arrive (RFC 5681 §4.2).

    Args:
        trace: The capture.
        base: Packets of both sides of these connections.
        side: Who was never acknowledged.
        row: Its first try.
        before: Row in Packets before which the other end must be heard.
    """
    packets = trace.packets
    if not len(row):
        return row
    rtt = np.maximum(trace.sides.rtt[side ^ 1], 0)
    late = np.searchsorted(packets.time, packets.time[row] + np.maximum(1_000_000_000, 3 * rtt), side="right")
    own = packets.tcp_flags[base.row] & TcpFlag.FIN != 0
    own |= (packets.payload_length[base.row] > 0) | (packets.marks[base.row] & Mark.KEEP_ALIVE != 0)
    spoken = base.take(own & (packets.tcp_flags[base.row] & TcpFlag.SYN == 0))
    last_heard = spoken.at(spoken.row, spoken.before(side ^ 1, before))
    return np.where(last_heard >= late, last_heard, -1)


def pause_before(trace: Trace, base: SidePackets, row: I64, side: I64) -> I64:
    """Time in ns in which neither side had spoken before packet *row*."""
    packets = trace.packets
    own, theirs = (base.at(base.row, base.before(which, row)) for which in (side, side ^ 1))
    before = np.maximum(own, theirs)
    if not len(row):
        return row
    pause: I64 = np.where(before >= 0, packets.time[row] - packets.time[np.maximum(before, 0)], 0)
    return pause
