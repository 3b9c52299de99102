"""Sequence tests: what the numbers in a reset or a FIN say about who wrote it.

An end-host knows its own state: it resets at the next byte it would send, never behind or beyond, and is silent
afterwards. An injector on the path guesses, sends several guesses, and cannot remove the packets that the real host
sends later (Weaver, Sommer, Paxson, NDSS 2009).
"""

import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.forgery.suspects import Suspects
from netinterf.schema import Mark, TcpFlag
from netinterf.trace import Trace

__all__ = ["ack_unsent", "alive_after", "behind_data", "goes_on", "lossy", "reorder_margin", "seq_change"]

SEQ_CHANGE_WINDOW_NS = 2_000_000_000  # Weaver et al. 2009, appendix A: two resets within 2 s
SLACK = 2  # the same: absorbs the counts of SYN and FIN
REORDER_NS, REORDER_SHARE = 3_000_000, 0.1  # 3 ms is Wireshark's out-of-order window; a tenth of the round trip


def reorder_margin(trace: Trace, side: NDArray[np.int64]) -> NDArray[np.int64]:
    """Time in which two packets may have swapped places on the way: 3 ms or a tenth of the round trip, by side."""
    whole = np.maximum(trace.sides.rtt[side], 0) + np.maximum(trace.sides.rtt[side ^ 1], 0)
    margin: NDArray[np.int64] = np.maximum(REORDER_NS, (REORDER_SHARE * whole).astype(np.int64))
    return margin


def lossy(trace: Trace, suspects: Suspects) -> NDArray[np.bool_]:
    """Say of each suspect whether its flow has holes that the capture, not the network, may have made."""
    packets = trace.packets
    holes = np.bincount(
        packets.flow[(packets.flow >= 0) & ((packets.marks & (Mark.ACKED_UNSEEN | Mark.GAP_BEFORE)) != 0)],
        minlength=len(trace.flows),
    )
    return holes[suspects.flow] > 0


def alive_after(
    trace: Trace, suspects: Suspects, foreign: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Find a claimed sender that goes on as if it had never reset (DATA_SEQ_RST of Weaver et al.).

    The later packet must bring something new (a byte or an acknowledgement beyond all before, or its own SYN/ACK),
    come later than reordering explains, and be no SYN: a client that resets a half-open connection dials again. Nor
    does it count that a server greets who had refused before, when it was asked once more in between: it may have begun
    to listen (Windows asks three times, half a second apart).

    Args:
        trace: The capture.
        suspects: Its resets.
        foreign: Resets whose header is not their sender's: two devices wrote, so only 3 ms of reordering are allowed.

    Returns:
        Gap to that packet in ms, NaN where there is none, and its row in Packets, -1 for none.
    """
    packets, base = trace.packets, suspects.base
    margin = np.where(foreign, REORDER_NS, reorder_margin(trace, suspects.side))
    later = np.searchsorted(packets.time, packets.time[suspects.row] + margin, side="right")
    known = base.before(suspects.side, later)
    data = base.first_above(base.top, suspects.side, np.maximum(base.at(base.top, known), 0))
    acks = base.first_above(base.acked, suspects.side, np.maximum(base.at(base.acked, known), 0))
    # data below the reset's own number were on their way before it
    data = np.where(base.at(base.end, data) > packets.relative_seq[suspects.row], data, -1)
    place = np.where((data < 0) | ((acks >= 0) & (acks < data)), acks, data)
    row = base.at(base.row, place)
    flags = packets.tcp_flags[np.maximum(row, 0)]
    dials = (flags & (TcpFlag.SYN | TcpFlag.ACK)) == TcpFlag.SYN
    found = (row >= 0) & ~dials & acceptable(trace, suspects) & ~asked_again(trace, suspects, row)
    gap = packets.time[np.maximum(row, 0)] - packets.time[suspects.row]
    return np.where(found, gap / 1e6, np.nan), np.where(found, row, -1)


def asked_again(trace: Trace, suspects: Suspects, row: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say whether a SYN/ACK (*row*, -1 for none) answers a SYN that was sent after the suspect had refused one."""
    packets, base = trace.packets, suspects.base
    asked = base.at(base.row, base.before(suspects.other, np.maximum(row, 0)))
    if not len(row):
        return np.zeros(0, np.bool_)
    greets = packets.tcp_flags[np.maximum(row, 0)] & TcpFlag.SYN != 0
    dialled = packets.tcp_flags[np.maximum(asked, 0)] & (TcpFlag.SYN | TcpFlag.ACK) == TcpFlag.SYN
    found: NDArray[np.bool_] = (row >= 0) & greets & dialled & (asked > suspects.row)
    return found


def goes_on(trace: Trace, fins: Suspects) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Find a claimed sender that sends new bytes behind its own end of stream (RFC 9293 §3.6: nothing follows a FIN).

    Acknowledgements may follow, so only bytes count that begin at the FIN's own number or later, reach beyond all that
    its side had sent, and come later than reordering explains.

    Returns:
        Gap to that packet in ms, NaN where there is none, and its row in Packets, -1 for none.
    """
    packets, base = trace.packets, fins.base
    later = np.searchsorted(packets.time, packets.time[fins.row] + reorder_margin(trace, fins.side), side="right")
    end = packets.relative_seq[fins.row] + packets.payload_length[fins.row]
    known = np.maximum(base.at(base.top, base.before(fins.side, later)), end + 1)  # the FIN itself takes a number
    row = base.at(base.row, base.first_above(base.top, fins.side, known))
    said = packets.payload_length[np.maximum(row, 0)] > 0 if len(row) else np.empty(0, np.bool_)
    row = np.where(said, row, -1)
    gap = (packets.time[np.maximum(row, 0)] - packets.time[fins.row]) / 1e6 if len(row) else np.empty(0)
    return np.where(row >= 0, gap, np.nan), row


def acceptable(trace: Trace, suspects: Suspects) -> NDArray[np.bool_]:
    """Say whether the receiver would have believed a reset by its number (RFC 9293 §3.10.7.4, RFC 5961 §3).

    A host ignores one below everything that it had acknowledged, or an answer to another SYN, and that the
    conversation goes on is natural. Those beyond its window are no suspects.
    """
    packets, base = trace.packets, suspects.base
    here, opening = packets.relative_seq[suspects.row], suspects.previous < 0
    taken = np.maximum(base.at(base.acked, suspects.asked), 0)
    fits: NDArray[np.bool_] = np.where(
        opening, ~suspects.acks | (packets.relative_ack[suspects.row] == 1), here >= taken - SLACK
    )
    return fits


def behind_data(trace: Trace, suspects: Suspects) -> NDArray[np.bool_]:
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


def may_answer(trace: Trace, suspects: Suspects) -> NDArray[np.bool_]:
    """Say whether a reset may answer a segment with an old ack field: one was seen, or, for a bare R, none could be."""
    may: NDArray[np.bool_] = echoes_ack(trace, suspects) | (~suspects.acks & (suspects.asked < 0))
    return may


def echoes_ack(trace: Trace, suspects: Suspects) -> NDArray[np.bool_]:
    """Say whether a packet of the other side carried just this number in its ack field before."""
    packets, base = trace.packets, suspects.base
    keys = np.sort(base.side << 40 | np.maximum(packets.relative_ack[base.row], 0) & ((1 << 40) - 1))
    wanted = suspects.other << 40 | np.maximum(packets.relative_seq[suspects.row], 0) & ((1 << 40) - 1)
    place = np.searchsorted(keys, wanted)
    return (place < len(keys)) & (keys[np.minimum(place, max(len(keys) - 1, 0))] == wanted if len(keys) else False)


def ack_unsent(trace: Trace, suspects: Suspects) -> NDArray[np.bool_]:
    """Find resets that acknowledge bytes which the other side never sent (RST_ACK_CHANGE). Blind with holes."""
    sent = suspects.base.at(suspects.base.top, suspects.asked)
    ack = trace.packets.relative_ack[suspects.row]
    beyond: NDArray[np.bool_] = suspects.acks & (sent >= 1) & (ack > sent + SLACK) & ~lossy(trace, suspects)
    return beyond & acceptable(trace, suspects)


def seq_change(trace: Trace, suspects: Suspects) -> NDArray[np.bool_]:
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
    acked = base.at(base.acked, suspects.asked, missing=0)
    pair &= (seq[second] > sent[second]) & (seq[second] > acked[second] + SLACK)
    fin = trace.sides.fin
    rst = trace.sides.rst
    for side in (suspects.side[first], suspects.other[first]):
        pair &= ~((fin[side] >= 0) & (fin[side] < suspects.row[first]))
    opposite = rst[suspects.other[first]]
    pair &= ~((opposite >= 0) & (opposite < suspects.row[first]))
    found = np.zeros(len(suspects), np.bool_)
    found[second[pair]] = True
    seen = (suspects.previous >= 0) & (suspects.asked >= 0)  # with one direction only, nothing is beyond anything
    return found & seen & ~lossy(trace, suspects)
