"""What two greetings with different numbers to one SYN show besides: whose they are, and what became of them.

Somebody who races a server, or takes over its handshake, sits elsewhere, writes with another stack, and is not there
when the connection goes on; the server, who never gave the number that the client took, refuses it (RFC 9293
§3.10.7.4). Two machines that answer for one address because a switch sent them the same SYN are equally far away and
set up alike, and one of them goes on with the connection.
"""

import numpy as np

from netinterf.analyzers.forgery.timing import LEAST_GAP_NS, PREMATURE_ONE
from netinterf.analyzers.rst_injection.contradiction import Contradictions, empty
from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import combined
from netinterf.schema import TcpFlag
from netinterf.trace import Trace

__all__ = ["byte_swapped_ports", "other_stacks", "raced", "refused"]


def byte_swapped_ports(trace: Trace) -> Contradictions:
    """Find SYN/ACKs that acknowledge a connection's SYN, from and to its ports in the other byte order.

    They make a flow of their own. The acknowledged number is one of four thousand million, so that no chance brings the
    two together. Ports that read the same either way show nothing, and neither do greetings without the server's own
    beside them: a program that forgets the byte order answers so by itself, but nobody answers both ways.

    Returns:
        Pairs by the flow of the SYN: the foreign greeting, and the server's own.
    """
    packets, flows = trace.packets, trace.flows
    synack = TcpFlag.SYN | TcpFlag.ACK
    row = np.flatnonzero(
        (packets.tcp_flags & (synack | TcpFlag.RST) == synack) & (packets.flow >= 0) & ~packets.outbound
    )
    row = row[trace.sides.syn[2 * packets.flow[row]] < 0]  # nobody had asked from there
    if not len(row):
        return empty()
    syn = trace.sides.syn[0::2].astype(np.int64)
    own = trace.sides.syn[1::2].astype(np.int64)
    flow = np.flatnonzero((syn >= 0) & (own >= 0) & (flows.client_port != flows.client_port.byteswap()))
    swapped_flow = packets.flow[row]
    columns = (
        np.append(flows.client[flow], flows.client[swapped_flow]),
        np.append(flows.server[flow], flows.server[swapped_flow]),
        np.append(flows.client_port[flow].byteswap(), flows.client_port[swapped_flow]),
        np.append(flows.server_port[flow].byteswap(), flows.server_port[swapped_flow]),
        np.append((packets.seq[syn[flow]].astype(np.int64) + 1) % 2**32, packets.ack[row]).astype(np.int64),
    )
    wanted, given = np.split(combined(*columns), [len(flow)])
    _, mine, other = np.intersect1d(wanted, given, return_indices=True)
    flow = flow[mine]
    no = np.zeros(len(flow), np.bool_)
    return Contradictions(flow=flow, forged=row[other], genuine=own[flow], http=no, fin=no, maybe_one_sender=no)


def latest(trace: Trace, pairs: Contradictions) -> I64:
    """Find, for each pair, the greeting whose number was the last to come: more than one may be forged.

    Returns:
        Rows in Packets: where that number came first.
    """
    packets = trace.packets
    near = trace.by_flow.take(pairs.flow)
    owner, row = near.parents(), near.values.astype(np.int64)
    synack = TcpFlag.SYN | TcpFlag.ACK
    synacks = (packets.tcp_flags[row] & (synack | TcpFlag.RST) == synack) & ~packets.outbound[row]
    owner, row = owner[synacks], row[synacks]
    _, first = np.unique(owner << 32 | packets.seq[row], return_index=True)  # rows of a flow lie in order
    last = pairs.genuine.copy()
    np.maximum.at(last, owner[first], row[first])
    return last


def raced(trace: Trace, pairs: Contradictions) -> tuple[Mask, dict[str, F64]]:
    """Say where the first greeting came in a fraction of the time that another took, and how long both took in ms."""
    packets = trace.packets
    syn = trace.sides.syn[2 * pairs.flow].astype(np.int64)
    sent = packets.time[np.maximum(syn, 0)] if len(packets) else syn
    waited, other = packets.time[pairs.forged] - sent, packets.time[latest(trace, pairs)] - sent
    informative = (syn >= 0) & (syn < pairs.forged) & trace.recording.timing_informative[pairs.flow]
    early = informative & (waited < PREMATURE_ONE * other) & (other - waited >= LEAST_GAP_NS)
    return early, {"waited_ms": waited / 1e6, "other_ms": other / 1e6}


def other_stacks(trace: Trace, pairs: Contradictions) -> Mask:
    """Say where two carry different options: they answer the same offer, and machines of one service are alike."""
    options = trace.packets.tcp_options
    differs = options[pairs.forged] != options[pairs.genuine]
    other: Mask = differs | (options[pairs.forged] != options[latest(trace, pairs)])
    return other


def refused(trace: Trace, pairs: Contradictions) -> I64:
    """Find who refuses the number that the client took: a reset at that number, or another greeting once more.

    The client must have acknowledged the greeting that is held to be forged, and nobody may go on where that began.

    Returns:
        Rows in Packets, -1 for none.
    """
    packets = trace.packets
    denial = np.full(len(pairs.flow), -1)
    if not len(denial):
        return denial
    first, second = pairs.forged, latest(trace, pairs)
    near = trace.by_flow.take(pairs.flow)
    owner, row = near.parents(), near.values.astype(np.int64)
    later = row > first[owner]
    owner, row = owner[later], row[later]
    flags, mine = packets.tcp_flags[row], packets.outbound[row]
    given = (packets.seq[first].astype(np.int64) + 1)[owner] % 2**32
    took = mine & (flags & (TcpFlag.SYN | TcpFlag.RST | TcpFlag.ACK) == TcpFlag.ACK) & (packets.ack[row] == given)
    since = np.full(len(denial), np.iinfo(np.int64).max)
    np.minimum.at(since, owner[took], row[took])
    plain = ~mine & (flags & (TcpFlag.SYN | TcpFlag.RST) == 0) & (packets.seq[row] == given)
    served = np.bincount(owner[plain], minlength=len(denial)) > 0
    denies = ~mine & (flags & TcpFlag.RST != 0) & (packets.seq[row] == given)
    synacks = ~mine & (flags & TcpFlag.SYN != 0) & (packets.seq[row] == packets.seq[second][owner])
    shows = (denies | (synacks & (row > second[owner]))) & (row > since[owner]) & ~served[owner]
    denial[owner[shows][::-1]] = row[shows][::-1]
    return denial
