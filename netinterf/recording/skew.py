"""Two directions recorded by clocks that disagree: answers that were captured before what they answer.

Nobody knows a number of 32 bits before it was sent. So a SYN/ACK that was captured before the SYN whose number it
acknowledges, or an acknowledgement before the SYN/ACK, tells that one direction's clock is ahead, by this much at
least. Data that were acknowledged before they were captured tell the same where handshakes are missing; a single such
conversation may as well be one whose client was told something else, so that many are asked for.
"""

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, Mask
from netinterf.flows.grouping import first_index
from netinterf.recording.grouped import Paths
from netinterf.schema import Flows, Mark, Packets, RttKind, RttSamples, Sides, TcpFlag
from netinterf.table import Ragged

__all__ = ["QUEUED_NS", "clocks_ahead", "skewed"]

TCP = 6

QUEUED_NS = 1_000_000
"""What packets may wait in one queue of a recorder while another is emptied: a millisecond, the longest time between a
frame and its copy; what lies further apart was told by another clock."""

AGAIN_NS = 1_000_000_000
"""What comes later than this was lost by the recorder and sent again (RFC 6298 §2.1: the first timeout is 1 s)."""

FLOWS = 3
"""Conversations with data that were acknowledged too early, from which it is no accident."""


def skewed(packets: Packets, flows: Flows, sides: Sides, rtts: RttSamples, by_flow: Ragged, paths: Paths) -> Mask:
    """Say of each flow whether times of its two directions cannot be compared.

    A conversation whose handshake shows it speaks for itself, and most of a path for all of it.
    """
    handshake_ahead, data_ahead = clocks_ahead(packets, sides, rtts, by_flow)
    spoke = (flows.protocol == TCP) & (sides.packets[0::2] > 0) & (sides.packets[1::2] > 0)
    early_handshake, early_data = handshake_ahead > 0, data_ahead > 0
    most = 2 * paths.total(early_handshake) > paths.total(spoke & (sides.syn[1::2] >= 0))
    many = (paths.total(early_data) >= FLOWS) & (2 * paths.total(early_data) > paths.total(spoke))
    skew: Mask = early_handshake | ((most & (paths.total(early_handshake) > 0)) | many)[paths.of]
    return skew


def clocks_ahead(packets: Packets, sides: Sides, rtts: RttSamples, by_flow: Ragged) -> tuple[I64, I64]:
    """Find how long answers were captured before what they answer.

    Returns:
        Two arrays, one entry per flow: by handshakes, and by acknowledgements of data; ns, 0 for not at all.
    """
    if not len(packets):
        none = np.zeros(len(by_flow), np.int64)
        return none, none
    return by_handshakes(packets, sides, rtts, by_flow), by_data(packets, by_flow)


def by_handshakes(packets: Packets, sides: Sides, rtts: RttSamples, by_flow: Ragged) -> I64:
    """Hold SYN, SYN/ACK and the first acknowledgement against each other."""
    syn, syn_ack = (column.astype(np.int64) for column in (sides.syn[0::2], sides.syn[1::2]))
    ahead = np.zeros(len(syn), np.int64)
    complete = np.flatnonzero((syn >= 0) & (syn_ack >= 0))
    acknowledging = packets.ack[syn_ack[complete]] - packets.seq[syn[complete]] == 1
    ahead[complete[acknowledging]] = (
        packets.time[syn[complete[acknowledging]]] - packets.time[syn_ack[complete[acknowledging]]]
    )
    timed = np.zeros(2 * len(syn), np.bool_)
    timed[rtts.side[rtts.kind == RttKind.HANDSHAKE]] = True
    timed = timed[0::2]
    untimed = np.flatnonzero((syn_ack >= 0) & ~timed)
    if not len(untimed):
        return beyond_queues(ahead)
    near = by_flow.take(untimed)
    owner, row = near.parents(), near.values.astype(np.int64)
    first = packets.outbound[row] & (packets.tcp_flags[row] & (TcpFlag.ACK | TcpFlag.RST) == TcpFlag.ACK)
    first &= packets.ack[row] - packets.seq[syn_ack[untimed[owner]]] == 1
    first_ack = first_index(owner[first], row[first], len(untimed)).astype(np.int64)
    untimed, first_ack = untimed[first_ack >= 0], first_ack[first_ack >= 0]
    late = packets.time[syn_ack[untimed]] - packets.time[first_ack]
    ahead[untimed] = np.maximum(ahead[untimed], late)
    return beyond_queues(ahead)


def by_data(packets: Packets, by_flow: Ragged) -> I64:
    """Find data that end where somebody had acknowledged before."""
    ahead = np.zeros(len(by_flow), np.int64)
    mark = packets.marks & (Mark.ACKED_UNSEEN | Mark.DUPLICATE_FRAME) == Mark.ACKED_UNSEEN
    acknowledged = np.flatnonzero(mark)
    if not len(acknowledged):
        return ahead
    row = by_flow.take(np.unique(packets.flow[acknowledged]).astype(np.int64)).values.astype(np.int64)
    row = row[(packets.payload_length[row] > 0) & (packets.marks[row] & (Mark.REPEAT | Mark.DUPLICATE_FRAME) == 0)]
    side = packets.flow[row].astype(np.int64) << 1 | packets.outbound[row]
    end = packets.relative_seq[row] + packets.payload_length[row]
    order = np.lexsort((row, end, side))
    row, side, end = row[order], side[order], end[order]
    sender = packets.flow[acknowledged].astype(np.int64) << 1 | ~packets.outbound[acknowledged]
    number = packets.relative_ack[acknowledged]
    place = np.searchsorted(pair(side, end), pair(sender, number))
    fits = place < len(row)
    acknowledged, sender, number, place = (part[fits] for part in (acknowledged, sender, number, place))
    fits = (side[place] == sender) & (end[place] == number)
    acknowledged, late = acknowledged[fits], packets.time[row[place[fits]]] - packets.time[acknowledged[fits]]
    np.maximum.at(ahead, packets.flow[acknowledged], beyond_queues(late))
    return ahead


def pair(side: I64, number: I64) -> NDArray[np.void]:
    """Put a side and a number of its stream into one value that sorts by both."""
    both = np.empty(len(side), [("side", ">i8"), ("number", ">i8")])
    both["side"], both["number"] = side, number
    return both


def beyond_queues(late: I64) -> I64:
    """Keep what is longer than queues, and shorter than the time after which it would have been sent again."""
    return np.where((late > QUEUED_NS) & (late < AGAIN_NS), late, 0)
