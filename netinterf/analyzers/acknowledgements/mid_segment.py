"""Where a client acknowledges to the middle of what its server sent: bytes of another length had come before.

A receiver takes segments whole, so that it acknowledges where one ends. A forged answer has ends of its own, and the
first acknowledgement of its victim may tell where, even when it comes after the server has sent more than that.
"""

import numpy as np

from netinterf.analyzers.acknowledgements.premature import first_acknowledgements
from netinterf.analyzers.acknowledgements.unsent import lost_packets
from netinterf.arrays import I64
from netinterf.numbering import combined
from netinterf.schema import TcpFlag
from netinterf.table import spans
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["MidSegmentAcks", "find_mid_segment_acks"]


DEFAULT_MSS, MOST_OPTIONS = 536, 40
"""Bytes of the segments into which a packet is cut after its capture: at least the default, or what both ends agreed
on, less the options that each carries (RFC 9293 §3.7.1, RFC 6691)."""

FEWEST = 5
"""Connections of one client, all alike, from which their first acknowledgements show a habit. Judgement, not fitted."""


@frozen(eq=False, kw_only=True)
class MidSegmentAcks:
    """One row per flow; the columns are aligned."""

    row: I64  # rows in Packets: the client's acknowledgement
    within: I64  # rows in Packets: the server's packet to whose middle it reaches
    length: I64  # bytes acknowledged, the end of the stream counted as one


def find_mid_segment_acks(trace: Trace) -> MidSegmentAcks:
    """Find first acknowledgements of a server's bytes that end where no packet of the server did.

    Blind near the client, without both greetings, where the capture lost packets, and where an offload may have cut the
    packet after its capture: there only an end before the least segment size counts. A client all of
    whose first acknowledgements to a port end so has a proxy that takes bytes as they fit.
    """
    packets, flows = trace.packets, trace.flows
    row, data = first_acknowledgements(trace)
    if lost_packets(trace) or not len(row):
        return MidSegmentAcks(row=row[:0], within=row[:0], length=row[:0])
    ack, flow = packets.relative_ack[row], packets.flow[row].astype(np.int64)
    service = combined(flows.client[flow], flows.server_port[flow])
    acks = np.bincount(service)
    partial = np.flatnonzero(ack != packets.relative_seq[data] + packets.payload_length[data])
    row, data, ack, service = row[partial], data[partial], ack[partial], service[partial]
    if not len(row):
        return MidSegmentAcks(row=row, within=row, length=row)
    within = reached_within(trace, row, data)
    pick = within >= 0
    partials = np.bincount(service[pick], minlength=len(acks))
    pick &= ~((partials >= FEWEST) & (partials == acks))[service]
    return MidSegmentAcks(row=row[pick], within=within[pick], length=(ack - packets.relative_seq[data])[pick])


def reached_within(trace: Trace, row: I64, data: I64) -> I64:
    """Find the server's packet to whose middle each acknowledgement reaches, -1 where it reaches the end of one."""
    packets, sides = trace.packets, trace.sides
    ack = packets.relative_ack[row]
    owner, sent = sent_before(trace, row, data)
    begin = packets.relative_seq[sent]
    end = begin + packets.payload_length[sent]
    closing = packets.tcp_flags[sent] & TcpFlag.FIN != 0
    reached = (ack[owner] == end) | (closing & (ack[owner] == end + 1))
    flow = packets.flow[row].astype(np.int64)
    agreed = np.minimum(sides.mss[2 * flow], sides.mss[2 * flow + 1]).astype(np.int64)[owner]
    piece = np.where(agreed > 0, agreed, DEFAULT_MSS) - MOST_OPTIONS
    inside = (begin < ack[owner]) & (ack[owner] < end)
    inside &= (end - begin <= piece) | (ack[owner] - begin < np.minimum(piece, DEFAULT_MSS))
    within = np.full(len(row), -1)
    within[owner[inside]] = sent[inside]
    within[owner[reached]] = -1
    return within


def sent_before(trace: Trace, row: I64, data: I64) -> tuple[I64, I64]:
    """List what servers sent from packet *data* to packet *row* of the same flow.

    Returns:
        Place among *row* and row in Packets of each packet with payload.
    """
    packets, none = trace.packets, np.empty(0, np.int64)
    if not len(row):
        return none, none
    flow = packets.flow[row].astype(np.int64)
    keys = trace.by_flow.parents() << 32 | trace.by_flow.values
    low, high = (np.searchsorted(keys, flow << 32 | which) for which in (data, row))
    owner = np.repeat(np.arange(len(row)), high - low)
    sent = trace.by_flow.values[spans(low, high - low)].astype(np.int64)
    keep = ~packets.outbound[sent] & (packets.payload_length[sent] > 0)
    return owner[keep], sent[keep]
