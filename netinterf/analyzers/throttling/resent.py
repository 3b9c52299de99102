"""Losses before the limit, at the sender's side of the tap: which of several transmissions got lost.

Every packet is seen leaving, and a lost one is sent again. The first report of its bytes, by acknowledgement or by
SACK, answers the last transmission that is at least a round trip older: those before it were lost. Those after it were
needless. A receiver that tells of duplicates (RFC 2883) tells which of all these arrived as well; with one that does
not, the needless ones are taken to have arrived. Some tell only of what they have acknowledged, not of what they hold
beyond a hole: the fate of needless ones there is unknown, and they are left out. The idea is that of Allman, Eddy and
Ostermann (PER 31(3), 2003): counting repeats as losses overstates them, and what the receiver said corrects that.
"""

import attrs
import numpy as np

from netinterf.analyzers.throttling.series import SEQ_BITS, Series, flow_rows
from netinterf.arrays import I64, Mask
from netinterf.schema import TcpOption
from netinterf.trace import Trace

__all__ = ["Reports", "sack_reports", "with_lost_transmissions"]

NEVER = np.iinfo(np.int64).max

SOON = 0.9
"""Share of the least round trip in which no report can answer a transmission; the rest allows for clocks."""


@attrs.frozen(eq=False, kw_only=True)
class Reports:
    """SACK blocks of the answers to one direction, in time order; relative sequence numbers."""

    row: I64  # row in Packets
    left: I64
    right: I64
    first: Mask  # the block tells what just arrived (RFC 2018 §4)
    again: Mask  # it tells of bytes that had arrived before (RFC 2883 §4)
    beyond: Mask  # which are not acknowledged yet: bytes before them are missing

    def take(self, rows: Mask) -> "Reports":
        """Select reports."""
        return Reports(**{field.name: getattr(self, field.name)[rows] for field in attrs.fields(Reports)})


def sack_reports(trace: Trace, flows: I64, outbound: bool) -> Reports:
    """Read the SACK blocks of every answer to one direction."""
    packets = trace.packets
    rows = answers(trace, flows, outbound)
    rows = rows[packets.tcp_options[rows] & TcpOption.SACK != 0]
    blocks = trace.sack_blocks(rows)
    count = blocks.lengths // 2
    row = np.repeat(rows, count)
    place = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    at = np.repeat(blocks.offsets[:-1], count) + 2 * place
    ahead = [(blocks.values[at + edge] - packets.ack[row]).astype(np.int32) for edge in (0, 1)]  # modulo 2**32
    left, right = (packets.relative_ack[row] + edge for edge in ahead)
    below = right <= packets.relative_ack[row]
    within = np.zeros(len(row), np.bool_)  # the first block lies in the second (RFC 2883 §4.2)
    within[:-1] = (place[:-1] == 0) & (place[1:] == 1) & (left[:-1] >= left[1:]) & (right[:-1] <= right[1:])
    return Reports(row=row, left=left, right=right, first=place == 0, again=below | within, beyond=within & ~below)


def answers(trace: Trace, flows: I64, outbound: bool) -> I64:
    """List the packets that acknowledge one direction of some flows, in time order."""
    rows, packets = flow_rows(trace, flows), trace.packets
    return np.sort(rows[(packets.outbound[rows] != outbound) & (packets.relative_ack[rows] >= 0)])


def with_lost_transmissions(trace: Trace, pieces: Series, flows: I64, outbound: bool) -> Series:
    """Mark what got lost among the captured packets of one direction, and leave out those whose fate is not known.

    What was never acknowledged is left out where acknowledgements were captured at all: its fate is not known. The
    other end may be gone, and then its last segment is sent again and again (RFC 6298 §5.5).
    """
    acked = trace.sides.acked[2 * pieces.flow + (not outbound)]
    pieces = pieces.take((acked <= 0) | (pieces.start < acked))
    copies, opens = sent_again(pieces)
    if len(copies) == 0:
        return pieces
    group = np.cumsum(opens) - 1
    sent = trace.packets.time[pieces.row[copies]]
    trip = np.maximum(trace.sides.rtt[2 * pieces.flow[copies] + outbound], 0)
    ready = sent + (SOON * trip).astype(np.int64)  # reports from then on may answer it
    reports = sack_reports(trace, flows, outbound)
    acked = first_acked(trace, pieces.take(copies), answers(trace, flows, outbound))
    heard = first_heard(trace, pieces.take(copies), acked, reports)
    heard = np.minimum.reduceat(heard, np.flatnonzero(opens))[group]
    place = np.arange(len(copies))
    arrived = np.zeros(int(group[-1]) + 1, np.int64)
    np.maximum.at(arrived, group, np.where((ready <= heard) | opens, place, 0))
    missing = place != arrived[group]
    duplicates = reported_twice(trace, pieces.take(copies), missing, ready, reports)
    flow, needless = pieces.flow[copies], place > arrived[group]
    missing[duplicates] = False
    missing[needless & ~np.isin(flow, flow[duplicates])] = False  # this receiver does not tell of duplicates
    tells_more = np.isin(flow, trace.packets.flow[reports.row[reports.beyond]])
    unknown = missing & needless & (ready < acked) & ~tells_more
    lost, known = np.zeros(len(pieces), np.bool_), np.ones(len(pieces), np.bool_)
    lost[copies[missing]] = True
    known[copies[unknown]] = False
    return attrs.evolve(pieces, lost=lost).take(known)


def sent_again(pieces: Series) -> tuple[I64, Mask]:
    """Find the packets whose bytes were sent more than once.

    Returns:
        Their places, by flow, bytes and time of sending, and which of them are the first with their bytes.
    """
    order = np.lexsort((pieces.row, pieces.flow << SEQ_BITS | pieces.start))
    end = (pieces.start + pieces.payload)[order]
    overlaps = np.zeros(len(order), np.bool_)  # the packet before it in this order
    overlaps[1:] = (pieces.flow[order[1:]] == pieces.flow[order[:-1]]) & (pieces.start[order[1:]] < end[:-1])
    several = overlaps.copy()
    several[:-1] |= overlaps[1:]
    return order[several], ~overlaps[several]


def first_acked(trace: Trace, copies: Series, acks: I64) -> I64:
    """Give the time of the first answer that acknowledges each packet's bytes; the end of time without one.

    Args:
        trace: The capture.
        copies: The packets.
        acks: Answers, in time order.
    """
    packets = trace.packets
    acked = np.full(len(copies), NEVER)
    acks = acks[np.argsort(packets.flow[acks], kind="stable")]
    top = np.maximum.accumulate(packets.flow[acks].astype(np.int64) << SEQ_BITS | packets.relative_ack[acks])
    place = np.searchsorted(top, copies.flow << SEQ_BITS | (copies.start + copies.payload))
    inside = place < len(acks)
    inside[inside] = packets.flow[acks[place[inside]]] == copies.flow[inside]
    acked[inside] = packets.time[acks[place[inside]]]
    return acked


def first_heard(trace: Trace, copies: Series, acked: I64, reports: Reports) -> I64:
    """Give the time of the first answer that reports each packet's bytes; the end of time without one.

    Args:
        trace: The capture.
        copies: The packets, sorted by flow and bytes.
        acked: When they were acknowledged.
        reports: SACK blocks.
    """
    packets, heard = trace.packets, acked.copy()
    fresh = reports.take(~reports.again)
    key, own = copies.flow << SEQ_BITS | copies.start, packets.flow[fresh.row].astype(np.int64) << SEQ_BITS
    begin, end = np.searchsorted(key, own | fresh.left), np.searchsorted(key, own | fresh.right)
    covers = np.flatnonzero(begin < end)[::-1]  # the earliest last
    for low, high, time in zip(begin[covers], end[covers], packets.time[fresh.row[covers]], strict=True):
        np.minimum(heard[low:high], time, out=heard[low:high])
    return heard


def reported_twice(trace: Trace, copies: Series, missing: Mask, ready: I64, reports: Reports) -> I64:
    """Find transmissions that arrived although their bytes were there: the last that each report can answer.

    Args:
        trace: The capture.
        copies: Transmissions, sorted by flow, bytes and time.
        missing: All but the one of each that arrived first.
        ready: From when on a report may answer each.
        reports: SACK blocks.
    """
    twice = reports.take(reports.again & reports.first)
    own = trace.packets.flow[twice.row].astype(np.int64) << SEQ_BITS | twice.left
    key, left = copies.flow << SEQ_BITS | copies.start, missing.copy()
    begin, end = np.searchsorted(key, own), np.searchsorted(key, own, side="right")
    arrived = []
    for low, high, time in zip(begin, end, trace.packets.time[twice.row], strict=True):
        fits = np.flatnonzero(left[low:high] & (ready[low:high] <= time))
        if len(fits):
            arrived.append(low + fits[-1])
            left[arrived[-1]] = False
    return np.array(arrived, np.int64)
