"""Sequence tests: what the numbers in a reset or a FIN say about who wrote it.

An end-host knows its own state: it resets at the next byte it would send, never behind or beyond, and is silent
afterwards. An injector on the path guesses, sends several guesses, and cannot remove the packets that the real host
sends later (Weaver, Sommer, Paxson, NDSS 2009).
"""

import numpy as np

from netinterf.analyzers.forgery.order import stamped_first
from netinterf.analyzers.forgery.suspects import SEVERAL, TCP, Suspects, left_over
from netinterf.analyzers.sides import side_packets
from netinterf.arrays import F64, I64, Mask
from netinterf.schema import Mark, TcpFlag, TcpOption
from netinterf.trace import Trace

__all__ = [
    "REORDER_NS",
    "acceptable",
    "ack_unsent",
    "behind_data",
    "echoes_unseen",
    "first_echoed",
    "goes_on",
    "lossy",
    "may_answer",
    "reorder_margin",
    "seq_change",
    "sprayed",
]

SEQ_CHANGE_WINDOW_NS = 2_000_000_000  # Weaver et al. 2009, appendix A: two resets within 2 s
SLACK = 2  # the same: absorbs the counts of SYN and FIN
TICK_NS = 1_000_000  # the shortest tick of a timestamp clock (RFC 7323 §5.4)
REORDER_NS, REORDER_SHARE = 3_000_000, 0.1  # 3 ms is Wireshark's out-of-order window; a tenth of the round trip


def reorder_margin(trace: Trace, side: I64) -> I64:
    """Time in which two packets may have swapped places on the way: 3 ms or a tenth of the round trip, by side."""
    whole = np.maximum(trace.sides.rtt[side], 0) + np.maximum(trace.sides.rtt[side ^ 1], 0)
    margin: I64 = np.maximum(REORDER_NS, (REORDER_SHARE * whole).astype(np.int64))
    return margin


def lossy(trace: Trace, suspects: Suspects) -> Mask:
    """Say of each suspect whether its flow has holes that the capture, not the network, may have made."""
    packets = trace.packets
    holes = np.bincount(
        packets.flow[(packets.flow >= 0) & ((packets.marks & (Mark.ACKED_UNSEEN | Mark.GAP_BEFORE)) != 0)],
        minlength=len(trace.flows),
    )
    holes[suspects.flow[echoes_unseen(trace, suspects)]] = 1
    return holes[suspects.flow] > 0


def echoes_unseen(trace: Trace, suspects: Suspects) -> Mask:
    """Find packets that echo a later timestamp than the capture holds of the other side: it lacks what they answer.

    Timestamps climb by no more than one a millisecond (RFC 7323 §5.4), so that other numbers are an invention.
    """
    packets, base = trace.packets, suspects.base
    row, last = suspects.row, base.at(base.row, suspects.previous_other)
    if not len(packets):
        return last >= 0
    end = trace.sides.fin[suspects.other].astype(np.int64)  # which the base may be without
    last = np.where((end < row) & (end > last), end, last)
    known = np.maximum(last, 0)
    stamped = packets.tcp_options[row] & packets.tcp_options[known] & TcpOption.TIMESTAMPS != 0
    ahead = packets.tsecr[row].astype(np.int64) - packets.tsval[known] & 0xFFFFFFFF
    ticks = (packets.time[row] - packets.time[known]) // TICK_NS + 1
    unseen: Mask = (last >= 0) & stamped & (ahead > 0) & (ahead <= ticks)
    return unseen


def goes_on(trace: Trace, fins: Suspects) -> tuple[F64, I64]:
    """Find a claimed sender that sends new bytes behind its own end of stream (RFC 9293 §3.6: nothing follows a FIN).

    Acknowledgements may follow, so only bytes count that begin at the FIN's own number or later, reach beyond all that
    its side had sent, and come later than reordering explains, or were sent later by their sender's own timestamps.

    Returns:
        Gap to that packet in ms, NaN where there is none, and its row in Packets, -1 for none.
    """
    packets = trace.packets
    if not len(fins):
        return np.empty(0), np.empty(0, np.int64)
    late = np.searchsorted(packets.time, packets.time[fins.row] + reorder_margin(trace, fins.side), side="right")
    soon, row = new_behind(trace, fins, fins.row), new_behind(trace, fins, late)
    row = np.where((soon >= 0) & stamped_first(trace, fins.row, np.maximum(soon, 0)), soon, row)
    gap = (packets.time[np.maximum(row, 0)] - packets.time[fins.row]) / 1e6
    return np.where(row >= 0, gap, np.nan), row


def new_behind(trace: Trace, fins: Suspects, later: I64) -> I64:
    """Find the first bytes from packet *later* on beyond the end that each FIN gives and all that its side had sent.

    Returns:
        Rows in Packets, -1 for none.
    """
    packets, base = trace.packets, fins.base
    end = packets.relative_seq[fins.row] + packets.payload_length[fins.row]
    known = np.maximum(base.at(base.top, base.before(fins.side, later)), end + 1)  # the FIN itself takes a number
    row = base.at(base.row, base.first_above(base.top, fins.side, known))
    return np.where((row >= 0) & (packets.payload_length[np.maximum(row, 0)] > 0), row, -1)


def acceptable(trace: Trace, suspects: Suspects) -> Mask:
    """Say whether the receiver would have believed a reset by its number (RFC 9293 §3.10.7.4, RFC 5961 §3).

    A host ignores one below everything that it had acknowledged or beyond its window, or an answer to another SYN, and
    that the conversation goes on is natural.
    """
    packets, base = trace.packets, suspects.base
    here, opening = packets.relative_seq[suspects.row], suspects.previous < 0
    taken = np.maximum(base.at(base.acked, suspects.previous_other), 0)
    fits: Mask = np.where(opening, ~suspects.acks | (packets.relative_ack[suspects.row] == 1), here >= taken - SLACK)
    return fits & (opening | ~outside(suspects, here))


def outside(suspects: Suspects, here: I64) -> Mask:
    """Say of each suspect whether its number lies beyond all that its receiver had room for."""
    edge = suspects.base.at(suspects.base.edge, suspects.previous_other)
    beyond: Mask = (edge >= 0) & (here > edge)
    return beyond


def behind_data(trace: Trace, suspects: Suspects) -> Mask:
    """Find resets below the end of what their side had sent (RST_SEQ_DATA of Weaver et al.).

    A bare R repeats the ack field of the segment that it answers (RFC 9293 §3.10.7.1), which may be old; such a number
    is not held against it. Blind where the capture has holes, and for a bare R where it lacks the other side.
    """
    packets, base = trace.packets, suspects.base
    sent = base.at(base.top, suspects.previous)
    here = packets.relative_seq[suspects.row]
    answered = may_answer(trace, suspects)
    late = suspects.gap > reorder_margin(trace, suspects.side)
    return (sent > 0) & (here < sent) & (here >= 0) & late & ~answered & ~lossy(trace, suspects)


def may_answer(trace: Trace, suspects: Suspects) -> Mask:
    """Say whether a reset may answer a segment with an old ack field: one was seen, or, for a bare R, none could be.

    One that was seen later counts as well: the stream has an edge there, and whoever writes its number did not guess.
    """
    may: Mask = (first_echoed(trace, suspects) >= 0) | (~suspects.acks & (suspects.previous_other < 0))
    return may


def first_echoed(trace: Trace, suspects: Suspects) -> I64:
    """Find the first packet of the other side that carries just this number in its ack field; -1 for none."""
    packets, base = trace.packets, suspects.base
    if not len(base.row):
        return np.full(len(suspects), -1)
    number = np.maximum(packets.relative_ack[base.row], 0) & ((1 << 40) - 1)
    keys = base.side << 40 | number
    order = np.lexsort((base.row, keys))  # of equal numbers the first one leads
    keys, rows = keys[order], base.row[order]
    wanted = suspects.other << 40 | np.maximum(packets.relative_seq[suspects.row], 0) & ((1 << 40) - 1)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, rows[place], -1).astype(np.int64)


def ack_unsent(trace: Trace, suspects: Suspects) -> Mask:
    """Find resets that acknowledge bytes which the other side never sent (RST_ACK_CHANGE). Blind with holes."""
    sent = suspects.base.at(suspects.base.top, suspects.previous_other)
    ack = trace.packets.relative_ack[suspects.row]
    beyond: Mask = suspects.acks & (sent >= 1) & (ack > sent + SLACK) & ~lossy(trace, suspects)
    return beyond & acceptable(trace, suspects)


def seq_change(trace: Trace, suspects: Suspects) -> Mask:
    """Find the second of two resets whose numbers climb beyond all that was sent and acknowledged.

    RST_SEQ_CHANGE of Weaver et al., with the conditions of its public re-implementation: within 2 s, more than 2
    above the first, above everything its side sent and the other acknowledged, no FIN and no opposite reset before.
    """
    packets, base = trace.packets, suspects.base
    seq, time = packets.relative_seq[suspects.row], packets.time[suspects.row]
    order = np.lexsort((suspects.row, suspects.side))
    first, second = order[:-1], order[1:]
    pair = suspects.side[first] == suspects.side[second]
    pair &= (time[second] - time[first] < SEQ_CHANGE_WINDOW_NS) & (seq[second] > seq[first] + SLACK)
    sent = base.at(base.top, suspects.previous, missing=0)
    acked = base.at(base.acked, suspects.previous_other, missing=0)
    pair &= (seq[second] > sent[second]) & (seq[second] > acked[second] + SLACK)
    fin = trace.sides.fin
    rst = trace.sides.rst
    for side in (suspects.side[first], suspects.other[first]):
        pair &= ~((fin[side] >= 0) & (fin[side] < suspects.row[first]))
    opposite = rst[suspects.other[first]]
    pair &= ~((opposite >= 0) & (opposite < suspects.row[first]))
    climbs = np.zeros(len(suspects), np.bool_)
    climbs[second[pair]] = True
    # with one direction only, nothing is beyond anything
    two_way = (suspects.previous >= 0) & (suspects.previous_other >= 0)
    return climbs & two_way & ~lossy(trace, suspects)


def sprayed(trace: Trace, *, resets: bool) -> tuple[I64, I64]:
    """Find packets of one side that lie outside the stream at places which have nothing to do with each other.

    Who cannot read a connection must guess its sequence number, and tries one place after the other until one lies in
    the window (Watson, Slipping in the Window, CanSecWest 2004; RFC 5961 §1). A host never sends beyond the room that
    the other side has offered (RFC 9293 §3.8.6), and what is left over from an older connection on the same ports is
    one stream, each piece of which begins where another ended.

    `SEVERAL` places and more count, all of them further apart than the longest of the packets is long. Only flows with
    both greetings are asked, since else neither room nor beginning is known.

    Args:
        trace: The capture.
        resets: Whether resets are looked for, or else data without an end.

    Returns:
        Rows in Packets, in order, and to how many places its side was sprayed.
    """
    packets, sides = trace.packets, trace.sides
    none = np.empty(0, np.int64)
    ends = packets.tcp_flags & (TcpFlag.RST | TcpFlag.SYN | TcpFlag.FIN)
    kind = ends == TcpFlag.RST if resets else (ends == 0) & (packets.payload_length > 0)
    apart = (packets.marks & Mark.GAP_BEFORE != 0) | (packets.relative_seq < 0) | resets
    once = packets.marks & Mark.DUPLICATE_FRAME == 0
    row = np.flatnonzero(kind & apart & once & (packets.protocol == TCP) & (packets.flow >= 0))
    flow = packets.flow[row].astype(np.int64)
    often = np.bincount(flow, minlength=len(trace.flows)) >= SEVERAL
    row = row[(often & (sides.syn[0::2] >= 0) & (sides.syn[1::2] >= 0))[flow]]
    if not len(row):
        return none, none
    row = row[left_over(trace, side_packets(trace, np.unique(packets.flow[row]).astype(np.int64)), row)]
    side = 2 * packets.flow[row].astype(np.int64) + ~packets.outbound[row]
    places = np.unique(np.stack([side, packets.relative_seq[row]]), axis=1)
    longest = np.zeros(len(sides), np.int64)
    np.maximum.at(longest, side, np.maximum(packets.payload_length[row].astype(np.int64), 1))
    beside = places[0, 1:] == places[0, :-1]
    touching = np.zeros(len(sides), np.bool_)
    touching[places[0, 1:][beside & (np.diff(places[1]) <= longest[places[0, 1:]])]] = True
    count = np.where(touching, 0, np.bincount(places[0], minlength=len(sides)))
    scattered = count[side] >= SEVERAL
    return row[scattered], count[side[scattered]]
