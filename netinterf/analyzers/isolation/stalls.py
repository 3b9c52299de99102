"""Conversations in which a client asked again and again in vain: for good, or until it was heard once more.

A border that closes for a while leaves no connection that failed: SYNs, data and hellos are repeated until they get
through. That they were in vain for seconds is what it does leave: what is silent for longer than stacks need to repeat
themselves twice (RFC 6298 §2.4 and §5.5) is silent, whatever comes of it later.
"""

import attrs
import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.flows.grouping import first_index
from netinterf.schema import Mark, TcpFlag
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["OPEN_NS", "TRIES", "Stalls", "permanent_stalls", "temporary_stalls", "together"]


TCP, UDP = 6, 17

OPEN_NS = 4_000_000_000
"""How long a sign of life is waited for: the SYNs of the first three seconds are over by then (RFC 6298 §2.1, §5.5)."""

TRIES = 2
"""Packets without an answer from which an attempt counts as meant: scanners that write their own packets send one."""


@frozen(eq=False, kw_only=True)
class Stalls:
    """Times in which what a client asked for got no answer; aligned."""

    flow: I64
    first: I64  # rows in Packets: what got no answer
    last: I64  # rows in Packets: the last packet of the client that got none
    heard: I64  # rows in Packets: what was heard in the end, -1 for nothing
    opened: Mask  # something had been heard before
    served: Mask  # payload had been heard before

    def __len__(self) -> int:
        return len(self.flow)

    def take(self, rows: Mask) -> "Stalls":
        """Select rows."""
        return Stalls(**{name: column[rows] for name, column in attrs.asdict(self, recurse=False).items()})


def together(*parts: Stalls) -> Stalls:
    """Put tables below each other."""
    names = [field.name for field in attrs.fields(Stalls)]
    return Stalls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def stalls(trace: Trace, flow: I64, first: I64, last: I64, heard: I64) -> Stalls:
    """Add what had been heard before."""
    sides = trace.sides
    opened, served = (
        (column[1::2][flow] >= 0) & (column[1::2][flow] < first) for column in (sides.first, sides.first_payload)
    )
    return Stalls(flow=flow, first=first, last=last, heard=heard, opened=opened, served=served)


def permanent_stalls(trace: Trace) -> Stalls:
    """Find flows that had been served and then fell silent while their client went on asking."""
    flows, sides, packets = trace.flows, trace.sides, trace.packets
    heard, last_sent = sides.last[1::2].astype(np.int64), sides.last[0::2].astype(np.int64)
    unanswered = (heard >= 0) & (last_sent > heard)
    tcp, udp = flows.protocol == TCP, (flows.protocol == UDP) & (flows.server_port != 53)
    spoke = sides.payload_packets[1::2] > 0
    stuck = tcp & spoke & (sides.sent[0::2] > sides.acked[0::2]) & (sides.repeats[0::2] >= TRIES)
    stuck &= (sides.fin[1::2] < 0) & (sides.rst[1::2] < 0)
    flow = np.flatnonzero(unanswered & (stuck | (udp & spoke)))
    since, until = packets.time[heard[flow]], packets.time[last_sent[flow]]
    flow = flow[(until - since >= OPEN_NS) & trace.heard_throughout(since, until)]
    if not len(flow):
        return stalls(trace, flow, flow, flow, flow)
    flow_rows = trace.by_flow.take(flow)
    owner, row = flow_rows.parents(), flow_rows.values.astype(np.int64)
    after = packets.outbound[row] & (row > heard[flow[owner]]) & (packets.tcp_flags[row] & TcpFlag.RST == 0)
    after &= packets.marks[row] & Mark.DUPLICATE_FRAME == 0
    tries = np.bincount(owner[after], minlength=len(flow))
    first = first_index(owner[after], row[after], len(flow)).astype(np.int64)
    keep = (tries > TRIES) & (first >= 0)
    flow, first = flow[keep], first[keep]
    return stalls(trace, flow, first, last_sent[flow], np.full(len(flow), -1))


def temporary_stalls(trace: Trace) -> Stalls:
    """Find times in which a client repeated something in vain until it was heard again.

    Between two packets of the server it asked several times, TCP with the same bytes; datagrams count before the first
    answer only, since later on nobody can tell which of them want one.
    """
    flows, sides, packets = trace.flows, trace.sides, trace.packets
    tcp, udp = flows.protocol == TCP, (flows.protocol == UDP) & (flows.server_port != 53)
    patient = (tcp & (sides.repeats[0::2] >= TRIES)) | (udp & (sides.packets[0::2] > TRIES))
    flow = np.flatnonzero(patient & (flows.last - flows.first >= OPEN_NS) & (sides.packets[1::2] > 0))
    if not len(flow):
        return stalls(trace, flow, flow, flow, flow)
    flow_rows = trace.by_flow.take(flow)
    owner, row = flow_rows.parents(), flow_rows.values.astype(np.int64)
    once = packets.marks[row] & Mark.DUPLICATE_FRAME == 0
    owner, row = owner[once], row[once]
    heard, reliable = ~packets.outbound[row], tcp[flow[owner]]
    pause = np.cumsum(heard) + owner  # a number for each time between two packets of a server
    flags, payload = packets.tcp_flags[row], packets.payload_length[row] > 0
    control = reliable & (flags & (TcpFlag.SYN | TcpFlag.FIN) != 0)
    asks = ~heard & (payload | control) & ~(reliable & (flags & TcpFlag.RST != 0))
    count = int(pause[-1]) + 1 if len(pause) else 0
    first = first_index(pause[asks], row[asks], count).astype(np.int64)
    last, answer = np.full((2, count), -1)
    last[pause[asks]] = row[asks]  # of repeated indices the last assignment stays
    answer[pause[heard] - 1] = row[heard]  # what ends a pause was counted already
    again = asks & (~reliable | (packets.marks[row] & Mark.REPEAT != 0))
    tries = np.bincount(pause[again], minlength=count)
    stalled = np.flatnonzero((first >= 0) & (answer >= 0))
    since, until = packets.time[first[stalled]], packets.time[answer[stalled]]
    stalled = stalled[(until - since >= OPEN_NS) & trace.heard_throughout(since, until)]
    mine = packets.flow[first[stalled]]
    tries = tries[stalled] + tcp[mine]  # what is repeated was sent once before
    unheard = first[stalled] < sides.first[2 * mine + 1]
    keep = (tries > TRIES) & (tcp[mine] | unheard)
    stalled = stalled[keep]
    return stalls(trace, mine[keep].astype(np.int64), first[stalled], last[stalled], answer[stalled])
