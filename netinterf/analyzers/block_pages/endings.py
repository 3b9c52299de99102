"""How a connection ends after an answer: boxes end it at once, miscount, or never let it end."""

import numpy as np

from netinterf.analyzers.block_pages.answers import Answers
from netinterf.analyzers.forgery.followers import with_same_writer
from netinterf.analyzers.forgery.sequence import goes_on
from netinterf.analyzers.forgery.suspects import beside
from netinterf.analyzers.sides import segment_end, side_packets
from netinterf.arrays import F64, I64, Mask
from netinterf.schema import TcpFlag
from netinterf.trace import Trace

__all__ = ["ends_at_once", "ends_off_by_one", "goes_on_behind", "left_alone"]

AT_ONCE_NS = 1_000_000
"""Published pages are followed by a FIN or RST within 0.1 ms, or carry the FIN themselves."""

ENOUGH_TRIES = 3
"""FINs of the client that nobody acknowledged: at 1 % loss each way three in a row have chance 8e-6."""


def closer(trace: Trace, answers: Answers) -> I64:
    """Row of the first FIN or RST of the server, -1 for none."""
    side = answers.suspects.side
    fin, rst = (column[side].astype(np.int64) for column in (trace.sides.fin, trace.sides.rst))
    both = (fin >= 0) & (rst >= 0)
    return np.where(both, np.minimum(fin, rst), np.maximum(fin, rst))


def ends_at_once(trace: Trace, answers: Answers) -> tuple[F64, Mask]:
    """Find answers of one packet with which, or within a millisecond of which, the server ended the connection.

    Returns:
        Time between the two in ms (NaN without an end), and whether it is that short.
    """
    packets, row, end = trace.packets, answers.suspects.row, closer(trace, answers)
    gap = np.where(end >= 0, packets.time[np.maximum(end, 0)] - packets.time[row], -1)
    at_once = (end >= row) & (gap <= AT_ONCE_NS) & (trace.sides.payload_packets[answers.suspects.side] <= 2)
    return np.where(end >= 0, gap / 1e6, np.nan), at_once


def ends_off_by_one(trace: Trace, answers: Answers) -> Mask:
    """Find FINs and RSTs that acknowledge exactly one byte more than the client had sent before."""
    packets, end, base = trace.packets, closer(trace, answers), answers.suspects.base
    sent = base.at(base.top, base.before(answers.suspects.other, np.maximum(end, 0)))
    acks = packets.tcp_flags[np.maximum(end, 0)] & TcpFlag.ACK != 0
    fin = trace.sides.fin[answers.suspects.other]
    ack = packets.relative_ack[np.maximum(end, 0)]
    off_by_one: Mask = (end >= 0) & acks & (sent > 0) & ((fin < 0) | (fin > end)) & (ack == sent + 1)
    return off_by_one


def goes_on_behind(trace: Trace, answers: Answers) -> tuple[F64, I64]:
    """Find answers that ended the stream at once, and behind whose end the server sent new bytes all the same.

    Returns:
        Gap from that end to those bytes in ms, NaN where there are none, and their row in Packets, -1 for none.
    """
    packets, sides, suspects = trace.packets, trace.sides, answers.suspects
    fin = sides.fin[suspects.side].astype(np.int64)
    gap, after = np.full(len(answers), np.nan), np.full(len(answers), -1)
    at_once = (fin >= suspects.row) & (packets.time[np.maximum(fin, 0)] - packets.time[suspects.row] <= AT_ONCE_NS)
    pick = np.flatnonzero(at_once & (sides.sent[suspects.side] > segment_end(packets, np.maximum(fin, 0))))
    if len(pick):
        own = with_same_writer(trace, suspects.row[pick]).values
        base = side_packets(trace, np.sort(suspects.flow[pick]), without=TcpFlag.RST | TcpFlag.FIN, but=own)
        gap[pick], after[pick] = goes_on(trace, beside(trace, fin[pick], base))
    return gap, after


def left_alone(trace: Trace, answers: Answers) -> Mask:
    """Find conversations whose client ended them again and again after the answer, and nobody took notice."""
    packets, sides, other = trace.packets, trace.sides, answers.suspects.other
    fin = np.flatnonzero((packets.tcp_flags & (TcpFlag.FIN | TcpFlag.RST) == TcpFlag.FIN) & (packets.flow >= 0))
    tries = np.bincount(2 * packets.flow[fin] + ~packets.outbound[fin], minlength=len(sides))[other]
    ignored: Mask = (tries >= ENOUGH_TRIES) & (sides.acked[other] < sides.sent[other])
    return ignored
