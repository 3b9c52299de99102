"""Data in a server's name worth a question: odd, and no web page (those are read by another analyzer).

Injectors strike where the word stands that they look for: in a first request, or in the midst of a conversation. There
one odd packet among many alike is a question; where most are unlike the greeting, somebody else greets. `PADDING` bytes
and fewer may fill a frame, and be no payload.
"""

import numpy as np

from netinterf.analyzers.forgery.ack_regression import ack_regressions
from netinterf.analyzers.forgery.followers import with_same_writer
from netinterf.analyzers.forgery.header import PADDING
from netinterf.analyzers.forgery.oddity import begins_page, too_early, unlike_synack
from netinterf.analyzers.forgery.suspects import TCP, Suspects, arrived, beside
from netinterf.analyzers.sides import segment_end, side_packets
from netinterf.arrays import Mask
from netinterf.schema import Mark, TcpFlag
from netinterf.trace import Trace

__all__ = ["find_first_data", "find_later_data"]

FEW = 0.25
"""Share of a server's data packets up to which those unlike its greeting are few: a route that changes moves all that
follow (Paxson, ToN 1997), so that half of them are unlike at the median. Judgement, not fitted."""


def find_first_data(trace: Trace) -> Suspects:
    """Select the packets with which servers began to answer, where those are odd.

    Odd is what looks unlike its sender's greeting, comes too early or is taken back. Where only the server's direction
    was captured nobody knows what was asked, and what looks like a page is left to who reads pages, as are flows in
    which HTTP was asked for. Payload on a FIN or a reset is asked about as an end. The base is what both sides sent but
    endings, the server's payload, and what the same writer sent next.
    """
    packets, sides, flows = trace.packets, trace.sides, trace.flows
    request, answer = sides.first_payload[0::2].astype(np.int64), sides.first_payload[1::2].astype(np.int64)
    web = np.zeros(len(flows), np.bool_)
    web[trace.http.flow[trace.http.outbound]] = True
    client_unseen = sides.packets[0::2] == 0
    answers = np.where(client_unseen, answer >= 0, (request >= 0) & (answer > request))
    flow = np.flatnonzero((flows.protocol == TCP) & answers & ~web)
    row = answer[flow]
    if not len(row):
        return Suspects.none()
    row = row[~client_unseen[packets.flow[row]] | ~begins_page(trace, row)]
    row = row[np.isin(row, arrived(trace, row)) & (packets.payload_length[row] > PADDING)]
    row = row[packets.tcp_flags[row] & (TcpFlag.RST | TcpFlag.FIN) == 0]
    side = 2 * packets.flow[row].astype(np.int64) + 1
    row = row[unlike_synack(trace, row, side) | too_early(trace, row, side) | ack_regressions(trace, row).any]
    row = row[trace.checksum_ok(row)]
    if not len(row):
        return Suspects.none()
    chosen, own = np.unique(packets.flow[row]).astype(np.int64), with_same_writer(trace, row).values
    base = side_packets(trace, chosen, without=TcpFlag.RST | TcpFlag.FIN, answers=False, but=own)
    return beside(trace, row, base)


def find_later_data(trace: Trace) -> Suspects:
    """Select, in each flow, the first data packet behind the server's first that is odd.

    Odd is what is unlike the greeting where few data packets of its side are (`FEW`), or what the server takes back,
    later than packets change places. The base is what both sides sent but endings, and what the same writer sent next.
    """
    packets, sides = trace.packets, trace.sides
    data = (packets.payload_length > PADDING) & ~packets.outbound & (packets.protocol == TCP) & (packets.flow >= 0)
    row = np.flatnonzero(data & (packets.tcp_flags & (TcpFlag.RST | TcpFlag.FIN | TcpFlag.SYN) == 0))
    if not len(row):
        return Suspects.none()
    side = 2 * packets.flow[row].astype(np.int64) + 1
    unlike = unlike_synack(trace, row, side)
    unlike_packets = np.bincount(side[unlike], minlength=len(sides))
    few = unlike & (unlike_packets <= FEW * sides.payload_packets)[side]
    denied = np.zeros(len(row), np.bool_)
    if len(stepped := np.flatnonzero(steps_back(trace)[side // 2])):  # only there can anything be taken back
        denied[stepped] = ack_regressions(trace, row[stepped]).late >= 0
    row = row[(few | denied) & (row != sides.first_payload[side])]
    row = arrived(trace, row)
    if not len(row):
        return Suspects.none()
    row = row[trace.checksum_ok(row) & ~begins_page(trace, row)]
    flow, first = np.unique(packets.flow[row], return_index=True)
    row = np.sort(row[first])
    own = with_same_writer(trace, row).values
    base = side_packets(trace, flow.astype(np.int64), without=TcpFlag.RST | TcpFlag.FIN, but=own)
    return beside(trace, row, base)


def steps_back(trace: Trace) -> Mask:
    """Say in which flows a bare packet of the server lies below the end of the server's packet before it."""
    packets = trace.packets
    stepping = np.zeros(len(trace.flows), np.bool_)
    row = trace.by_flow.values.astype(np.int64)
    row = row[~packets.outbound[row] & (packets.protocol[row] == TCP)]
    place = 1 + np.flatnonzero(packets.payload_length[row[1:]] == 0)  # few packets of servers are bare
    bare, before = row[place], row[place - 1]
    back = (packets.flow[bare] == packets.flow[before]) & (packets.marks[bare] & Mark.DUPLICATE_FRAME == 0)
    back &= packets.relative_seq[bare] < segment_end(packets, before)
    stepping[packets.flow[bare[back]]] = True
    return stepping
