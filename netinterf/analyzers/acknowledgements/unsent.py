"""Where a client acknowledges what its server had not said, as the server's own next number shows.

It needs a tap that what was forged did not pass: at the server, or between the server and the box. There a packet of
the server that begins below what its client has acknowledged shows that the server had not sent those bytes; that the
capture lost them is excluded, for then the server would be further by itself.
"""

import numpy as np

from netinterf.analyzers.forgery.sequence import reorder_margin
from netinterf.analyzers.sides import SidePackets, side_packets
from netinterf.arrays import I64, Mask
from netinterf.schema import Mark, TcpFlag
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["AckedUnsent", "find_acked_unsent"]


@frozen(eq=False, kw_only=True)
class AckedUnsent:
    """One row per flow; the columns are aligned."""

    flow: I64  # rows in Flows, each once
    row: I64  # rows in Packets: the client's acknowledgement
    witness: I64  # rows in Packets: the server's later packet that begins below it
    length: I64  # bytes acknowledged that the server had not sent, the end of the stream counted as one
    bare: Mask  # that packet is a mere acknowledgement: nobody sends one again with an old number

    def __len__(self) -> int:
        return len(self.flow)


def find_acked_unsent(trace: Trace) -> AckedUnsent:
    """Find the first acknowledgement of each flow that reaches beyond what the server had sent, as the server shows.

    The server's packet must come later than reordering explains. Bytes of its own show it only where the capture lost
    nothing. Blind near the client, where all that is forged is captured, and behind a proxy.
    """
    packets = trace.packets
    row, sent, base = overreaching(trace)
    if not len(row):
        return AckedUnsent(flow=row, row=row, witness=row, length=row, bare=row > 0)
    server = 2 * packets.flow[row].astype(np.int64) + 1
    witness = first_below(trace, base, row, server, sent)
    bare = (packets.tcp_flags[witness] & TcpFlag.FIN == 0) & (packets.payload_length[witness] == 0)
    pick = (witness >= 0) & (bare | (not lost_packets(trace)))
    return AckedUnsent(
        flow=server[pick] // 2,
        row=row[pick],
        witness=witness[pick],
        length=(packets.relative_ack[row] - sent)[pick],
        bare=bare[pick],
    )


def overreaching(trace: Trace) -> tuple[I64, I64, SidePackets]:
    """Find the first acknowledgement of each flow that reaches beyond all that its server was captured to send.

    It must lie in the room that the client had offered, since nobody takes more than that (RFC 9293 §3.4).

    Returns:
        Rows in Packets by flow, how far the server had got, and the packets of those flows.
    """
    packets = trace.packets
    unseen = (packets.marks & (Mark.ACKED_UNSEEN | Mark.DUPLICATE_FRAME) == Mark.ACKED_UNSEEN) & packets.outbound
    unseen &= (packets.flow >= 0) & (packets.tcp_flags & (TcpFlag.SYN | TcpFlag.RST) == 0)
    row = np.flatnonzero(unseen)
    flow = packets.flow[row]
    row = row[~trace.recording.at_client[flow] & trace.recording.timing_informative[flow]]
    if not len(row):
        return row, row, SidePackets.none()
    base = side_packets(trace, np.unique(packets.flow[row]).astype(np.int64))
    server = 2 * packets.flow[row].astype(np.int64) + 1
    before, ack = base.before(server, row), packets.relative_ack[row]
    sent, room = base.at(base.top, before), base.at(base.edge, base.before(server - 1, row))
    fits = np.flatnonzero((before >= 0) & (ack > sent) & (ack <= room))
    _, first = np.unique(server[fits], return_index=True)
    return row[fits[first]], sent[fits[first]], base


def lost_packets(trace: Trace) -> bool:
    """Say whether the capture lost packets, as servers show that acknowledge what no client was captured to send.

    Bytes that it lost once and the network once more look as if they had been acknowledged before they were sent.
    """
    packets = trace.packets
    return bool(np.any((packets.marks & Mark.ACKED_UNSEEN != 0) & ~packets.outbound))


def first_below(trace: Trace, base: SidePackets, row: I64, server: I64, sent: I64) -> I64:
    """Find the server's first later packet that begins where it had got to, below what packet *row* acknowledges.

    One that ends just there shows nothing: it is what was acknowledged, and the path or the capture swapped the two.

    Returns:
        Rows in Packets, -1 for none.
    """
    packets = trace.packets
    witness = np.full(len(row), -1)
    place = np.flatnonzero(np.isin(base.side, server))
    owner, later = np.searchsorted(server, base.side[place]), base.row[place]
    begins = packets.relative_seq[later]
    fits = (begins >= sent[owner]) & (begins < packets.relative_ack[row[owner]])
    took = packets.payload_length[later] + (packets.tcp_flags[later] & TcpFlag.FIN != 0)
    fits &= begins + took != packets.relative_ack[row[owner]]
    fits &= packets.time[later] - packets.time[row[owner]] > reorder_margin(trace, server)[owner]
    witness[owner[fits][::-1]] = later[fits][::-1]  # the last write wins, and that is the first packet
    return witness
