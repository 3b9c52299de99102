"""Who acknowledged the request that was never answered: its server, or somebody on the way?

A box that swallows a request can keep its client quiet with an acknowledgement in the server's name, without one byte
of payload (Iran, 2025: a bare PSH/ACK with the hop limit, window and numbers of what it answers). A host acknowledges
with the stack that wrote its greeting, and not before it got anything.
"""

import numpy as np

from netinterf.analyzers.forgery.oddity import too_early, unlike_synack
from netinterf.analyzers.forgery.suspects import Suspects, arrived, beside
from netinterf.analyzers.sides import side_packets
from netinterf.analyzers.unanswered.silences import Kind, Silences
from netinterf.schema import TcpFlag
from netinterf.trace import Trace

__all__ = ["find_bare_acks"]


def find_bare_acks(trace: Trace, silences: Silences) -> Suspects:
    """Select, of requests that were acknowledged and never answered, the first acknowledgement where it is odd.

    Odd is what looks unlike its sender's greeting, or comes before its sender can have got what it acknowledges.
    """
    packets = trace.packets
    unanswered = silences.take(silences.is_kind(Kind.UNANSWERED_REQUEST) & silences.first_data)
    near = trace.by_flow.take(unanswered.flow)
    request, row = unanswered.row[near.parents()], near.values.astype(np.int64)
    acks = ~packets.outbound[row] & (packets.relative_ack[row] > packets.relative_seq[request]) & (row > request)
    acks &= packets.tcp_flags[row] & (TcpFlag.ACK | TcpFlag.SYN | TcpFlag.RST | TcpFlag.FIN) == TcpFlag.ACK
    flow, first = np.unique(packets.flow[row[acks]], return_index=True)
    row = row[acks][first]
    keep = np.isin(row, arrived(trace, row)) & trace.checksum_ok(row)
    side = 2 * flow.astype(np.int64) + 1
    keep &= unlike_synack(trace, row, side) | too_early(trace, row, side)
    row = row[keep]
    base = side_packets(
        trace, packets.flow[row].astype(np.int64), without=TcpFlag.RST | TcpFlag.FIN, answers=False, but=row
    )
    return beside(trace, row, base)
