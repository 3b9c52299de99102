"""What the end of a recording left off in its middle: bytes sent again, half an answer, one that came before its time.

A block, a freeze and a limit begin like that, and so does bad luck. What tells them apart comes later: more tries, more
of a silence. A conversation that nobody recorded up to there has not failed yet, and did not work either.
"""

from typing import TYPE_CHECKING

import numpy as np

from netinterf.analyzers.unanswered.silences import FIRST_TIMEOUT_NS, TCP, UDP, WAIT_NS
from netinterf.analyzers.unanswered.unfinished import unfinished
from netinterf.arrays import I64, Mask
from netinterf.numbering import numbered
from netinterf.schema import Mark, TcpFlag

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["cut_short", "left_off"]

STANDS_STILL = 2
"""Round trips after which a sender that hears nothing begins to ask what became of its data (RFC 8985 §7.2)."""

ANSWERS = 3
"""Answers of a resolver from which on another one is sooner than all of them with a chance that is worth a mention: a
resolver that takes as long each time is the quickest once in four times, less than once in √10 (Jeffreys, Theory of
Probability, 1961, appendix B)."""


def left_off(trace: "Trace") -> Mask:
    """Say in which TCP flows something was under way, and had faltered, when the recording ended or had a gap.

    What anybody closed or reset is over, and of what was waited for long enough analyzers speak.
    """
    sides, tcp = trace.sides, trace.flows.protocol == TCP
    over = ((sides.fin >= 0) | (sides.rst >= 0)).reshape(-1, 2).any(axis=1)
    result: Mask = tcp & ~over & (sides.acked >= 0).reshape(-1, 2).all(axis=1)
    flow = np.flatnonzero(result)
    result[flow] = _repeated(trace)[flow] | _stands_still(trace, flow)
    return result


def cut_short(trace: "Trace") -> Mask:
    """Say for which DNS questions the recording ended sooner than the resolver ever answered this client by UDP.

    What answers a question first may be forged, and what tells is the resolver's own answer (Duan et al., "Hold-On",
    SATIN 2012). It is measured where the recording went on for as long as any of them took, `ANSWERS` times at least.
    """
    exchanges, flows, time = trace.exchanges, trace.flows, trace.packets.time[trace.dns.packet]
    asked, answered = np.full(len(exchanges), np.iinfo(np.int64).max), np.full(len(exchanges), -1)
    np.minimum.at(asked, exchanges.queries.parents(), time[exchanges.queries.values])
    np.maximum.at(answered, exchanges.replies.parents(), time[exchanges.replies.values])
    row = np.flatnonzero((flows.protocol[exchanges.flow] == UDP) & (answered >= asked))
    server, client = (side[exchanges.flow[row]].astype(np.int64) for side in (flows.server, flows.client))
    path, _ = numbered(client * len(trace.hosts) + server)
    delay = answered[row] - asked[row]
    heard = trace.heard_until(asked[row]) - asked[row]
    longest, least = np.zeros(len(row), np.int64), np.zeros(len(row), np.int64)
    np.maximum.at(longest, path, delay)
    known = heard >= longest[path]
    least[np.bincount(path[known], minlength=len(row)) >= ANSWERS] = np.iinfo(np.int64).max
    np.minimum.at(least, path[known], delay[known])
    result = np.zeros(len(exchanges), np.bool_)
    result[row] = ~known & (heard < least[path])
    return result


def _repeated(trace: "Trace") -> Mask:
    """Say in which flows bytes were repeated just before the end, and acknowledged neither before nor after."""
    packets = trace.packets
    again = packets.marks & (Mark.REPEAT | Mark.KEEP_ALIVE | Mark.DUPLICATE_FRAME) == Mark.REPEAT
    row = np.flatnonzero(again & (packets.payload_length > 0) & (packets.flow >= 0))
    side = 2 * packets.flow[row].astype(np.int64) + ~packets.outbound[row]
    row = row[packets.relative_seq[row] + packets.payload_length[row] > trace.sides.acked[side]]
    time = packets.time[row]
    result = np.zeros(len(trace.flows), np.bool_)
    result[packets.flow[row[trace.heard_until(time) - time < WAIT_NS]]] = True
    return result


def _stands_still(trace: "Trace", flow: I64) -> Mask:
    """Say which flows' servers had stopped in the middle of what they say, though all of it was acknowledged.

    Args:
        trace: The capture.
        flow: Rows in Flows, of TCP.
    """
    packets, sides, server = trace.packets, trace.sides, 2 * flow + 1
    last = sides.last[server].astype(np.int64)
    silent = trace.heard_until(packets.time[last]) - packets.time[last]
    trips = sides.rtt.reshape(-1, 2)[flow]
    trip = np.where((trips >= 0).all(axis=1), trips.sum(axis=1), 0)
    still = (silent >= np.where(trip > 0, STANDS_STILL * trip, FIRST_TIMEOUT_NS)) & (silent < WAIT_NS)
    still &= (sides.payload_packets[server] > 0) & (sides.acked[server] >= sides.sent[server])
    more: Mask = still & (packets.payload_length[last] > 0) & (packets.tcp_flags[last] & TcpFlag.PSH == 0)
    place = np.flatnonzero(still & ~more)
    more[place] = unfinished(trace, server[place] - 1)
    return more
