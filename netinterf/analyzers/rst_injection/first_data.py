"""The first data of servers worth a question: odd, and no web page (those are read by another analyzer)."""

import numpy as np

from netinterf.analyzers.forgery.ack_regression import ack_regressions
from netinterf.analyzers.forgery.followers import with_same_writer
from netinterf.analyzers.forgery.header import PADDING
from netinterf.analyzers.forgery.oddity import begins_page, too_early, unlike_synack
from netinterf.analyzers.forgery.suspects import TCP, Suspects, arrived, beside
from netinterf.analyzers.sides import side_packets
from netinterf.schema import TcpFlag
from netinterf.trace import Trace

__all__ = ["find_first_data"]


def find_first_data(trace: Trace) -> Suspects:
    """Select the packets with which servers began to answer, where those are odd.

    Odd is what looks unlike its sender's greeting, comes too early or is taken back. Where only the server's direction
    was captured nobody knows what was asked, and what looks like a page is left to who reads pages. Words on a FIN are
    asked about as an end, and a few bytes may be padding that the recorder took for payload. Beside them stands what
    else their side sent but payload and endings.
    """
    packets, sides, flows = trace.packets, trace.sides, trace.flows
    request, answer = sides.first_payload[0::2].astype(np.int64), sides.first_payload[1::2].astype(np.int64)
    web = np.zeros(len(flows), np.bool_)
    web[trace.http.flow[trace.http.outbound]] = True
    client_unseen = sides.packets[0::2] == 0
    answers = np.where(client_unseen, answer >= 0, (request >= 0) & (answer > request))
    flow = np.flatnonzero((flows.protocol == TCP) & answers & ~web)
    row = answer[flow]
    row = row[~client_unseen[packets.flow[row]] | ~begins_page(trace, row)]
    row = row[np.isin(row, arrived(trace, row)) & (packets.payload_length[row] > PADDING)]
    row = row[packets.tcp_flags[row] & (TcpFlag.RST | TcpFlag.FIN) == 0]
    side = 2 * packets.flow[row].astype(np.int64) + 1
    row = row[unlike_synack(trace, row, side) | too_early(trace, row, side) | ack_regressions(trace, row).any]
    row = row[trace.checksum_ok(row)]
    chosen, own = np.unique(packets.flow[row]).astype(np.int64), with_same_writer(trace, row).values
    base = side_packets(trace, chosen, without=TcpFlag.RST | TcpFlag.FIN, answers=False, but=own)
    return beside(trace, row, base)
