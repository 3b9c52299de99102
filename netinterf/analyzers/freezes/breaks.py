"""Where connections were broken off in the middle, for good: silences after which there was more to say.

A silence of `netinterf.analyzers.unanswered` counts when the connection had got going and had not paused. What passed
last is the last packet with which the other end went on.
"""

from collections.abc import Sequence

import attrs
import numpy as np

from netinterf.analyzers.sides import side_packets
from netinterf.analyzers.unanswered.datagrams import find_quic
from netinterf.analyzers.unanswered.silences import TCP, Kind, Silences, one_per_flow, unexplained_by_icmp
from netinterf.analyzers.unanswered.sizes import large_only
from netinterf.analyzers.unanswered.unacked import find_unacked
from netinterf.analyzers.unanswered.unfinished import unfinished
from netinterf.analyzers.unanswered.waiting import find_waiting
from netinterf.arrays import I64, Mask
from netinterf.schema import Mark, TcpFlag
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["LATE_NS", "Breaks", "find_ends", "joined_breaks", "under_way"]

IDLE_NS = 20_000_000_000
"""A pause after which a translator may have forgotten a connection (RFC 4787 §4.3 asks for two minutes, many keep
thirty seconds and less): what falls silent then says nothing."""

LATE_NS, LATE_TRIPS = 1_000_000_000, 3
"""How long what passed before the stop may still be heard of afterwards: a second, or three round trips."""


@frozen(eq=False, kw_only=True)
class Breaks:
    """One row per time that a connection was broken off; all columns are aligned."""

    flow: I64  # rows in Flows
    side: I64  # rows in Sides: who was left waiting
    began: I64  # rows in Packets: the first packet since the connection moved (again)
    passed: I64  # rows in Packets: the last packet of the other side with which it went on
    last: I64  # rows in Packets: the last packet of the side that waited
    until: I64  # ns since 1970: until when it is known to have lasted
    resumed: I64  # rows in Packets: the packet with which the other side went on later, -1 for none
    heard: I64  # rows in Packets: a packet of the other side that shows that it lived on, unreached; -1 for none

    def __len__(self) -> int:
        return len(self.flow)

    @classmethod
    def none(cls) -> "Breaks":
        """Give no break."""
        return cls(**dict.fromkeys((field.name for field in attrs.fields(cls)), np.empty(0, np.int64)))

    def take(self, rows: I64 | Mask) -> "Breaks":
        """Select rows."""
        return Breaks(**{name: column[rows] for name, column in attrs.asdict(self, recurse=False).items()})


def joined_breaks(parts: Sequence[Breaks]) -> Breaks:
    """Put breaks together, by flow and time: each once, and counted from where the one before had moved again."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return Breaks.none()
    names = [field.name for field in attrs.fields(Breaks)]
    table = Breaks(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})
    table = table.take(np.lexsort((table.resumed, table.passed, table.flow)))
    again = np.maximum.accumulate(table.flow << 32 | np.maximum(table.resumed, 0))  # of this flow or an earlier one
    before = np.append(0, again[:-1])
    later = np.where(before >> 32 == table.flow, before & 0xFFFFFFFF, 0)
    table = attrs.evolve(table, began=np.maximum(table.began, later))
    return table.take((later == 0) | (table.passed >= later))


def find_ends(trace: Trace) -> Breaks:
    """Find the connections that were broken off in the middle for good."""
    silences = unexplained_by_icmp(
        trace, one_per_flow([find_unacked(trace), find_waiting(trace), find_quic(trace, both_ways=True)])
    )
    silences = silences.take(midway(trace, silences)) if len(silences) else silences
    if not len(silences):
        return Breaks.none()
    return Breaks(
        flow=silences.flow,
        side=silences.side,
        began=trace.flows.first_packet[silences.flow].astype(np.int64),
        passed=last_passed(trace, silences),
        last=silences.last,
        until=silences.until,
        resumed=np.full(len(silences), -1),
        heard=silences.heard_deaf,
    )


def midway(trace: Trace, silences: Silences) -> Mask:
    """Say which silences stopped a connection that was captured from its beginning and had got going.

    Left out are those of the first flight, of data packets larger than any that ever passed, of farewells, and of sides
    that had closed their window; and those of connections that had paused, unless they did so in the middle of an
    answer.
    """
    sides, flow, datagrams = trace.sides, silences.flow, silences.is_kind(Kind.DATAGRAM)
    stopped = datagrams | silences.is_kind(Kind.UNACKED_DATA, Kind.UNACKED_FIN, Kind.BROKEN_OFF)
    begun = datagrams | ((sides.syn[2 * flow] >= 0) & (sides.syn[2 * flow + 1] >= 0))
    unacked = silences.is_kind(Kind.UNACKED_DATA)
    first_flight = unacked & (sides.acked[silences.side] <= 1)
    narrow, _ = large_only(trace, silences)
    idle = (silences.paused >= IDLE_NS) & ~mid_answer(trace, silences)
    unanswered = ~(silences.is_kind(Kind.UNACKED_FIN) | only_end_unacked(trace, silences)) | mid_answer(trace, silences)
    broken: Mask = stopped & begun & under_way(trace)[flow] & ~first_flight & ~(narrow & unacked) & ~idle & unanswered
    return broken & ~closed_window(trace, silences)


def closed_window(trace: Trace, silences: Silences) -> Mask:
    """Say whether the side that waits had no room for more: nobody may send to it (RFC 9293 §3.8.6.1)."""
    packets = trace.packets
    near = trace.by_flow.take(silences.flow)
    owner, row = near.parents(), near.values.astype(np.int64)
    quiet = packets.tcp_flags[row] & (TcpFlag.SYN | TcpFlag.FIN | TcpFlag.RST) == 0
    mine = (packets.outbound[row] == (silences.side[owner] % 2 == 0)) & (packets.protocol[row] == TCP) & quiet
    closed = np.zeros(len(silences), np.bool_)
    closed[owner[mine]] = packets.marks[row[mine]] & Mark.ZERO_WINDOW != 0  # the last write wins: the last packet
    return closed


def only_end_unacked(trace: Trace, silences: Silences) -> Mask:
    """Say whether only the last packet of the side that waits and its FIN are unheard: a farewell asks for nothing."""
    sides, side = trace.sides, silences.side
    left = sides.sent[side] - sides.acked[side]
    only_end: Mask = (
        silences.is_kind(Kind.UNACKED_DATA) & (sides.fin[side] >= 0) & (left <= silences.unanswered_payload + 1)
    )
    return only_end


def under_way(trace: Trace) -> Mask:
    """Say which flows got going: the server answered, or took some of what the client sent."""
    sides = trace.sides
    going: Mask = (sides.payload_packets[1::2] > 0) | (sides.acked[0::2] > 1)
    return going


def mid_answer(trace: Trace, silences: Silences) -> Mask:
    """Say whether the other end had more to say: its last data had no PSH (RFC 9293 §3.9.1.2), or it announced more."""
    last = trace.sides.last[silences.side ^ 1]
    if not len(last):
        return np.zeros(0, np.bool_)
    without_push: Mask = (last >= 0) & (trace.packets.payload_length[last] > 0)
    without_push &= trace.packets.tcp_flags[last] & TcpFlag.PSH == 0
    return (without_push | unfinished(trace, silences.side)) & ~silences.is_kind(Kind.DATAGRAM)


def last_passed(trace: Trace, silences: Silences) -> I64:
    """Find the last packet with which the other end of each silence went on: new bytes, or a new acknowledgement.

    Where packets vanish in one direction only, the other end is heard afterwards as well, but does not go on.
    """
    packets, tcp = trace.packets, np.flatnonzero(~silences.is_kind(Kind.DATAGRAM))
    base = side_packets(trace, np.unique(silences.flow[tcp]))
    opens = np.diff(base.side, prepend=-1) != 0
    forward = opens | (np.diff(base.top, prepend=0) > 0) | (np.diff(base.acked, prepend=0) > 0)
    owner = np.full(len(trace.sides), -1)
    owner[silences.side[tcp] ^ 1] = tcp
    mine = owner[base.side]
    patience = np.maximum(LATE_NS, LATE_TRIPS * np.maximum(trace.sides.rtt[silences.side ^ 1], 0))
    due = silences.since + patience
    progress = forward & (mine >= 0) & (packets.time[base.row] <= due[mine])
    passed = silences.row.copy()
    passed[mine[progress]] = base.row[progress]  # rows of a side lie in order, and the last write wins
    datagrams = np.flatnonzero(silences.is_kind(Kind.DATAGRAM))
    passed[datagrams] = trace.sides.last[silences.side[datagrams] ^ 1]
    return passed
