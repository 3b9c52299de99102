"""Where a client acknowledges its server's first bytes sooner than they can have reached it.

It had got bytes at their place from somebody nearer. The round trip from the tap to the client is the least of all but
these first acknowledgements, of which forged bytes would make it look shorter. A proxy that acknowledges for its
clients does so in all their connections to a port; one that went well beside it shows that none does.
"""

import numpy as np

from netinterf.analyzers.acknowledgements.unsent import lost_packets
from netinterf.analyzers.forgery.timing import LEAST_GAP_NS, PREMATURE_MANY, PREMATURE_ONE, SYN_AGAIN_NS
from netinterf.arrays import I64
from netinterf.numbering import combined
from netinterf.schema import Mark, RttKind, TcpFlag
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["PrematureAcks", "find_premature_acks", "first_acknowledgements"]

TCP = 6


@frozen(eq=False, kw_only=True)
class PrematureAcks:
    """One row per flow; the columns are aligned."""

    flow: I64  # rows in Flows, each once
    row: I64  # rows in Packets: the client's acknowledgement
    data: I64  # rows in Packets: the server's first bytes, or its end, which it acknowledges
    length: I64  # bytes acknowledged, the end of the stream counted as one
    waited: I64  # ns between the two
    rtt: I64  # least round trip to the client, ns
    samples: I64  # round trips behind it


def find_premature_acks(trace: Trace) -> PrematureAcks:
    """Find first acknowledgements of a server's bytes that came in a fraction of the round trip to the client.

    Counted from the server's first byte, so that the true wait is shorter still. Blind near the client, without both
    greetings, where no other connection of the client to that port took its time, and where the capture lost packets:
    the bytes that were acknowledged may have come first in one of those.
    """
    packets, flows = trace.packets, trace.flows
    row, data = first_acknowledgements(trace)
    flow = packets.flow[row].astype(np.int64)
    if not len(row) or lost_packets(trace):
        flow = row = data = np.empty(0, np.int64)
        return PrematureAcks(flow=flow, row=row, data=row, length=row, waited=row, rtt=row, samples=row)
    waited = packets.time[row] - packets.time[data]
    least, samples = (column[flows.client[flow]] for column in client_rtt(trace, row))
    limit = np.where(samples >= 2, PREMATURE_MANY, PREMATURE_ONE)
    known = (least > 0) & (least < SYN_AGAIN_NS)
    early = known & (waited < limit * least) & (least - waited >= LEAST_GAP_NS)
    service = combined(flows.client[flow], flows.server_port[flow])
    usual = np.bincount(service[known & (waited >= least)], minlength=len(flow))
    premature = np.bincount(service[early], minlength=len(flow))
    pick = early & (usual > premature)[service]
    return PrematureAcks(
        flow=flow[pick],
        row=row[pick],
        data=data[pick],
        length=(packets.relative_ack[row] - packets.relative_seq[data])[pick],
        waited=waited[pick],
        rtt=least[pick],
        samples=samples[pick],
    )


def first_acknowledgements(trace: Trace) -> tuple[I64, I64]:
    """Find, in flows whose greetings were captured, the client's first acknowledgement of what its server said.

    Returns:
        Rows in Packets of the acknowledgement, and of the first that it acknowledges.
    """
    packets, sides = trace.packets, trace.sides
    if not len(packets):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    data, end = (column[1::2].astype(np.int64) for column in (sides.first_payload, sides.fin))
    first = np.where((data < 0) | ((end >= 0) & (end < data)), end, data)
    handshake = (sides.syn[0::2] >= 0) & (sides.syn[1::2] >= 0) & (first >= 0) & ~trace.recording.at_client
    acks = (packets.protocol == TCP) & packets.outbound & (packets.flow >= 0) & (packets.relative_ack > 1)
    acks &= packets.tcp_flags & (TcpFlag.ACK | TcpFlag.SYN | TcpFlag.RST) == TcpFlag.ACK
    if not handshake.any():
        return np.empty(0, np.int64), np.empty(0, np.int64)
    row = np.flatnonzero(acks & (packets.marks & Mark.DUPLICATE_FRAME == 0))
    flow, place = np.unique(packets.flow[row], return_index=True)
    row, acked = row[place], first[flow]
    keep = handshake[flow] & (acked < row) & (packets.relative_ack[row] > packets.relative_seq[acked])
    return row[keep], acked[keep]


def client_rtt(trace: Trace, but: I64) -> tuple[I64, I64]:
    """Least time from the tap to each host as a client and back, ns (-1: none), and the number of samples.

    Args:
        trace: The capture.
        but: Rows in Packets that are not to count as answers.
    """
    rtts, hosts = trace.rtts, len(trace.hosts)
    left = np.zeros(len(trace.packets), np.bool_)
    left[but] = True
    kinds = (rtts.kind == RttKind.HANDSHAKE) | (rtts.kind == RttKind.DATA)
    pick = np.flatnonzero(kinds & (rtts.side % 2 == 0))
    pick = pick[~left[rtts.packet[pick]]]
    client = trace.flows.client[rtts.side[pick] // 2]
    least = np.full(hosts, np.iinfo(np.int64).max)
    np.minimum.at(least, client, rtts.value[pick])
    least[least == np.iinfo(np.int64).max] = -1
    return least, np.bincount(client, minlength=hosts)
