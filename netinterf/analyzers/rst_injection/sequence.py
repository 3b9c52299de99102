"""Sequence tests: what the numbers in a reset say about who wrote it.

An end-host knows its own state: it resets at the next byte it would send, never behind or beyond, and is silent
afterwards. An injector on the path guesses, sends several guesses, and cannot remove the packets that the real host
sends later (Weaver, Sommer, Paxson, NDSS 2009).
"""

import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.rst_injection.suspects import Suspects
from netinterf.schema import Mark, TcpFlag
from netinterf.trace import Trace

__all__ = ["ack_unsent", "alive_after", "behind_data", "reorder_margin", "seq_change"]

SEQ_CHANGE_WINDOW_NS = 2_000_000_000  # Weaver et al. 2009, appendix A: two resets within 2 s
SLACK = 2  # the same: absorbs the counts of SYN and FIN
REORDER_NS, REORDER_SHARE = 3_000_000, 0.1  # 3 ms is Wireshark's out-of-order window; a tenth of the round trip


def reorder_margin(trace: Trace, suspects: Suspects) -> NDArray[np.int64]:
    """Time in which two packets may have swapped places on the way: 3 ms or a tenth of the round trip."""
    whole = np.maximum(trace.sides.rtt[suspects.side], 0) + np.maximum(trace.sides.rtt[suspects.other], 0)
    return np.maximum(REORDER_NS, (REORDER_SHARE * whole).astype(np.int64))


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
    come later than reordering explains, and be no SYN: a client that resets a half-open connection dials again.

    Args:
        trace: The capture.
        suspects: Its resets.
        foreign: Resets whose header is not their sender's: two devices wrote, so only 3 ms of reordering are allowed.

    Returns:
        Gap to that packet in ms, NaN where there is none, and its row in Packets, -1 for none.
    """
    packets, base = trace.packets, suspects.base
    place = suspects.following
    row = base.at(base.row, place)
    gap = np.where(row >= 0, packets.time[np.maximum(row, 0)] - packets.time[suspects.row], -1)
    new_data = base.at(base.end, place) > np.maximum(base.at(base.top, suspects.previous), 0)
    new_ack = base.at(base.acked, place) > np.maximum(base.at(base.acked, suspects.previous), 0)
    flags = packets.tcp_flags[np.maximum(row, 0)]
    dials = (flags & (TcpFlag.SYN | TcpFlag.ACK)) == TcpFlag.SYN
    margin = np.where(foreign, REORDER_NS, reorder_margin(trace, suspects))
    found = (row >= 0) & (gap > margin) & (new_data | new_ack) & ~dials
    return np.where(found, gap / 1e6, np.nan), np.where(found, row, -1)


def behind_data(trace: Trace, suspects: Suspects) -> NDArray[np.bool_]:
    """Find resets below the end of what their side had sent (RST_SEQ_DATA of Weaver et al.).

    A bare R repeats the ack field of the segment that it answers (RFC 9293 §3.10.7.1), which may be old; such a number
    is not held against it. Blind where the capture has holes.
    """
    packets, base = trace.packets, suspects.base
    sent = base.at(base.top, suspects.previous)
    here = packets.relative_seq[suspects.row]
    answered = echoes_ack(trace, suspects)
    late = suspects.gap > reorder_margin(trace, suspects)
    return (sent > 0) & (here < sent) & (here >= 0) & late & ~answered & ~lossy(trace, suspects)


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
    return suspects.acks & (sent >= 1) & (ack > sent + SLACK) & ~lossy(trace, suspects)


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
    return found & ~lossy(trace, suspects)
