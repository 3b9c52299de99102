"""Datagrams that got no answer, of QUIC and others: openings that nobody answers, and talks answered no more."""

import numpy as np

from netinterf.analyzers.unanswered.silences import WAIT_NS, Kind, Silences, waiting_shown
from netinterf.arrays import I64
from netinterf.schema import Mark
from netinterf.trace import Trace

__all__ = ["LEAST_TRIES", "find_datagrams", "find_quic"]

LEAST_TRIES = 3
"""Datagrams without an answer. A probe timeout is three times the round-trip estimate, and begins at 1 s
(RFC 9002 §6.2); a client that still hopes sends two probes each time."""

TURN_NS = 50_000_000
"""What is sent within such a time is one try: the acknowledgements of what came last, which may be held back for 25 ms
(RFC 9000 §18.2), and the two probes of one timeout. Acknowledgements and a farewell, which nobody answers, are two."""

PATIENCE_NS = 900_000_000
"""How long they must have gone unanswered: the first probe timeout before a round trip is known is 1 s."""


def find_quic(trace: Trace, *, both_ways: bool = False) -> Silences:
    """Find QUIC conversations whose client went on sending and got nothing back, or got nothing at all.

    Args:
        trace: The capture.
        both_ways: Whether servers that are left without an answer count as well. What a client that went away does to
            its server looks alike.
    """
    if not len(trace.quic):
        return Silences.none()
    return find_datagrams(trace, trace.quic.flow.astype(np.int64), both_ways=both_ways, turn=TURN_NS)


def find_datagrams(trace: Trace, flow: I64, *, both_ways: bool = False, turn: int) -> Silences:
    """Find conversations over UDP whose client went on sending and got nothing back, or got nothing at all.

    Args:
        trace: The capture.
        flow: Rows in Flows of those to look at.
        both_ways: See `find_quic`.
        turn: What is sent within so many ns of the datagram before is one try with it.
    """
    observable = waiting_shown(trace)[flow]
    side = np.concatenate([2 * flow[observable[:, place]] + place for place in range(1 + both_ways)])
    packets, sides = trace.packets, trace.sides
    rows = trace.by_flow.take(side // 2)
    owner, row = rows.parents(), rows.values.astype(np.int64)
    heard = sides.last[side ^ 1].astype(np.int64)
    after = (packets.outbound[row] == (side[owner] % 2 == 0)) & (row > heard[owner]) & (packets.payload_length[row] > 0)
    after &= packets.marks[row] & Mark.DUPLICATE_FRAME == 0
    owner, row = owner[after], row[after]
    place, first, tries = np.unique(owner, return_index=True, return_counts=True)
    again = np.diff(packets.time[row], prepend=0) >= turn
    again[first] = True
    turns = np.bincount(owner, again)[place]
    begin, side, heard = row[first], side[place], heard[place]
    last = sides.last[side].astype(np.int64)
    trying, end = packets.time[last] - packets.time[begin], trace.heard_until(packets.time[last])
    lasted = np.minimum(trying + PATIENCE_NS, end - packets.time[begin])
    once = (heard < 0) & (end - packets.time[last] >= WAIT_NS)
    persisted = np.where(heard < 0, tries, turns) >= LEAST_TRIES
    keep = once | (persisted & (trying >= PATIENCE_NS))
    keep &= trace.heard_throughout(packets.time[begin], packets.time[last])
    side, heard, begin, last, tries, lasted = (part[keep] for part in (side, heard, begin, last, tries, lasted))
    return Silences(
        flow=side // 2,
        side=side,
        kind=np.where(heard < 0, Kind.INITIAL, Kind.DATAGRAM).astype(np.int64),
        row=begin,
        last=last,
        since=packets.time[begin],
        until=packets.time[begin] + lasted,
        tries=tries.astype(np.int64),
        unanswered_payload=packets.payload_length[begin].astype(np.int64),
        first_data=heard < 0,
        heard_deaf=np.full(len(side), -1),
        paused=np.where(heard >= 0, packets.time[begin] - packets.time[np.maximum(heard, 0)], 0)
        if len(side)
        else np.zeros(0, np.int64),
    )
