"""Does the side that seems to have reset go on as if it had not?

An injector cannot remove what the real host sends, and the host, who knows of no reset, goes on (Weaver, Sommer,
Paxson, NDSS 2009). What comes right behind a reset may have been sent before it and been overtaken, unless the numbers
of both say which was written first.
"""

import numpy as np

from netinterf.analyzers.forgery.order import counted_first, stamped_first
from netinterf.analyzers.forgery.sequence import REORDER_NS, acceptable, lossy, reorder_margin
from netinterf.analyzers.forgery.suspects import Suspects
from netinterf.arrays import F64, I64, Mask
from netinterf.schema import TcpFlag
from netinterf.trace import Trace

__all__ = ["alive_after", "alive_at_once", "kernel_beside_program"]

AT_ONCE_NS = 1_000_000_000
"""How soon a client acknowledges a SYN/ACK that it waited for: before it would repeat its SYN (RFC 6298 §2.1)."""


def alive_after(trace: Trace, suspects: Suspects, foreign: Mask) -> tuple[F64, I64]:
    """Find a claimed sender that goes on as if it had never reset (DATA_SEQ_RST of Weaver et al.).

    The later packet must bring something new (a byte or an acknowledgement beyond all before, or its own SYN/ACK) and
    be no SYN: a client that resets a half-open connection dials again. Nor does it count that a server greets who had
    refused before, when it was asked once more in between: it may have begun to listen (Windows asks three times, half
    a second apart). It must also come later than reordering
    explains, or hold bytes from the reset's own number on behind a reset with ACK: that one carries the number of the
    next byte (RFC 9293 §3.10.5), so that these were not sent before it, however close both came.

    Args:
        trace: The capture.
        suspects: Its resets.
        foreign: Resets whose header is not their sender's: two devices wrote, so only 3 ms of reordering are allowed.

    Returns:
        Gap to that packet in ms, NaN where there is none, and its row in Packets, -1 for none.
    """
    packets = trace.packets
    margin = np.where(foreign, REORDER_NS, reorder_margin(trace, suspects.side))
    row = first_new(trace, suspects, margin)
    at_once = data_behind(trace, suspects)
    row = np.where((at_once >= 0) & ((row < 0) | (at_once < row)), at_once, row)
    alive = (row >= 0) & acceptable(trace, suspects) & ~syn_again(trace, suspects, row)
    alive &= ~kernel_beside_program(trace, suspects) & ~greets_again(trace, suspects, row)
    gap = packets.time[np.maximum(row, 0)] - packets.time[suspects.row]
    return np.where(alive, gap / 1e6, np.nan), np.where(alive, row, -1)


def greets_again(trace: Trace, suspects: Suspects, row: I64) -> Mask:
    """Say whether a greeting (*row*, -1 for none) had been acknowledged before the reset, and is only sent again.

    So does a server whose queue is full, which resets what clients send meanwhile. The first one was not captured. A
    greeting with another number was never acknowledged: what the client took was a forged one.
    """
    packets, base = trace.packets, suspects.base
    if not len(packets):
        return row >= 0
    first = np.maximum(row, 0)
    greeting = (packets.tcp_flags[first] & TcpFlag.SYN != 0) & (packets.relative_seq[first] == 0)
    heard = base.at(base.acked, suspects.previous_other, missing=0)
    again: Mask = (row >= 0) & greeting & (suspects.side % 2 == 1) & (heard == 1)  # relative to this greeting's number
    return again


def alive_at_once(trace: Trace, suspects: Suspects, alive: Mask) -> I64:
    """Find a claimed sender's next packet so close behind its reset that both may have been swapped on the way.

    It must bring something new and be no SYN. Neighbours seldom change places: in 0.1 to 2 % of packets (Paxson,
    End-to-End Internet Packet Dynamics, SIGCOMM 1997). Silent where that is known (*alive*) or its numbers or IP IDs
    say that it was sent first.

    Returns:
        Its row in Packets, -1 for none.
    """
    row = first_new(trace, suspects, np.zeros(len(suspects), np.int64))
    first = np.maximum(row, 0)
    swapped = (row >= 0) & ~alive & acceptable(trace, suspects) & (suspects.previous >= 0)
    if len(trace.packets):
        swapped &= ~counted_first(trace, first, suspects.row) & ~stamped_first(trace, first, suspects.row)
        swapped &= trace.packets.time[first] - trace.packets.time[suspects.row] <= reorder_margin(trace, suspects.side)
    return np.where(swapped, row, -1)


def kernel_beside_program(trace: Trace, suspects: Suspects) -> Mask:
    """Say which resets a kernel may have written that knows nothing of a program which writes its own packets.

    Such a program sends a SYN, and its host's kernel refuses the SYN/ACK, for which it has no connection: with its
    number and without an acknowledgement (RFC 9293 §3.10.7.1). The program goes on when it likes, scanners seconds
    later. A client that is cut off has acknowledged the SYN/ACK before, or does at once, since it knows of no reset.
    """
    packets, base, sides = trace.packets, suspects.base, trace.sides
    first, synack = base.at(base.row, suspects.previous), sides.syn[suspects.other].astype(np.int64)
    by_client = (suspects.side % 2 == 0) & (first >= 0) & (first == sides.syn[suspects.side])
    kernel: Mask = ~suspects.acks & by_client & (synack >= 0) & (synack < suspects.row)
    if len(packets):
        later = np.searchsorted(packets.time, packets.time[suspects.row] + AT_ONCE_NS, side="right")
        goes_on = base.at(base.row, base.before(suspects.side, later)) > suspects.row
        kernel &= (packets.relative_seq[suspects.row] == 1) & ~goes_on
    return kernel


def first_new(trace: Trace, suspects: Suspects, margin: I64) -> I64:
    """Row of the first packet of a suspect's side with something new, *margin* ns and more later; -1 for none."""
    packets, base = trace.packets, suspects.base
    later = np.searchsorted(packets.time, packets.time[suspects.row] + margin, side="right")
    later = np.where(margin > 0, later, suspects.row)
    known = base.before(suspects.side, later)
    data = base.first_above(base.top, suspects.side, np.maximum(base.at(base.top, known), 0))
    acks = base.first_above(base.acked, suspects.side, np.maximum(base.at(base.acked, known), 0))
    # data below the reset's own number were on their way before it
    data = np.where(base.at(base.end, data) > packets.relative_seq[suspects.row], data, -1)
    place = np.where((data < 0) | ((acks >= 0) & (acks < data)), acks, data)
    row = base.at(base.row, place)
    flags = packets.tcp_flags[np.maximum(row, 0)]
    dials = (flags & (TcpFlag.SYN | TcpFlag.ACK)) == TcpFlag.SYN
    return np.where(dials, -1, row)


def syn_again(trace: Trace, suspects: Suspects, row: I64) -> Mask:
    """Say whether a SYN/ACK (*row*, -1 for none) answers a SYN that was sent after the suspect had refused one."""
    packets, base = trace.packets, suspects.base
    syn = base.at(base.row, base.before(suspects.other, np.maximum(row, 0)))
    if not len(row):
        return np.zeros(0, np.bool_)
    synack = packets.tcp_flags[np.maximum(row, 0)] & TcpFlag.SYN != 0
    dialled = packets.tcp_flags[np.maximum(syn, 0)] & (TcpFlag.SYN | TcpFlag.ACK) == TcpFlag.SYN
    again: Mask = (row >= 0) & synack & dialled & (syn > suspects.row)
    return again


def data_behind(trace: Trace, suspects: Suspects) -> I64:
    """Row of the first bytes behind each reset with ACK that begin at its number or later and are new; -1 for none.

    Blind where the capture holes hide what was sent before, and where a window that was full holds the number back:
    a host resets at the end of the window then.
    """
    packets, base = trace.packets, suspects.base
    here = packets.relative_seq[suspects.row]
    sent = np.maximum(base.at(base.top, suspects.previous), here)
    place = base.first_above(base.top, suspects.side, sent)
    row = base.at(base.row, place)
    first = np.maximum(row, 0)
    edge = base.at(base.edge, suspects.previous_other)
    behind = suspects.acks & (suspects.previous >= 0) & (row > suspects.row) & ~lossy(trace, suspects)
    if len(packets):
        plain = packets.tcp_flags[first] & (TcpFlag.SYN | TcpFlag.RST) == 0
        behind &= plain & (packets.payload_length[first] > 0) & (packets.relative_seq[first] >= here)
        behind &= (edge < 0) | (here < edge)
    return np.where(behind, row, -1)
