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

from netinterf.analyzers.throttling.series import Series
from netinterf.analyzers.throttling.ways import SEQ_BITS, Ways, answers
from netinterf.arrays import I64, Mask
from netinterf.schema import TcpOption
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["sack_reports", "with_lost_transmissions"]

NEVER = np.iinfo(np.int64).max

SOON = 0.9
"""Share of the least round trip in which no report can answer a transmission; the rest allows for clocks."""


@frozen(eq=False, kw_only=True)
class Reports:
    """SACK blocks of the answers to lanes, lane by lane and in time order; relative sequence numbers."""

    row: I64  # row in Packets
    lane: I64
    left: I64
    right: I64
    first: Mask  # the block tells what just arrived (RFC 2018 §4)
    again: Mask  # it tells of bytes that had arrived before (RFC 2883 §4)
    beyond: Mask  # which are not acknowledged yet: bytes before them are missing

    def take(self, rows: Mask) -> "Reports":
        """Select reports."""
        return Reports(**{field.name: getattr(self, field.name)[rows] for field in attrs.fields(Reports)})


def sack_reports(trace: Trace, ways: Ways, lanes: I64) -> Reports:
    """Read the SACK blocks of every answer to some lanes."""
    packets = trace.packets
    rows, lane = answers(trace, ways, lanes)
    told = packets.tcp_options[rows] & TcpOption.SACK != 0
    rows, lane = rows[told], lane[told]
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
    return Reports(
        row=row,
        lane=np.repeat(lane, count),
        left=left,
        right=right,
        first=place == 0,
        again=below | within,
        beyond=within & ~below,
    )


def with_lost_transmissions(trace: Trace, pieces: Series, ways: Ways) -> Series:
    """Mark what got lost among the captured packets of directions, and leave out those whose fate is not known.

    What was never acknowledged is left out where acknowledgements were captured at all: its fate is not known. The
    other end may be gone, and then its last segment is sent again and again (RFC 6298 §5.5).
    """
    acked = trace.sides.acked[ways.sender[pieces.lane]]
    pieces = pieces.take((acked <= 0) | (pieces.start < acked))
    places, opens = sent_again(pieces)
    if len(places) == 0:
        return pieces
    group, copies = np.cumsum(opens) - 1, pieces.take(places)
    lane, lanes = copies.lane, np.unique(copies.lane)
    trip = np.maximum(trace.sides.rtt[ways.receiver[lane]], 0)
    ready = trace.packets.time[copies.row] + (SOON * trip).astype(np.int64)  # reports from then on may answer it
    reports = sack_reports(trace, ways, lanes)
    acked = first_acked(trace, copies, *answers(trace, ways, lanes))
    heard = first_heard(trace, copies, acked, reports)
    heard = np.minimum.reduceat(heard, np.flatnonzero(opens))[group]
    place = np.arange(len(copies))
    arrived = np.zeros(int(group[-1]) + 1, np.int64)
    np.maximum.at(arrived, group, np.where((ready <= heard) | opens, place, 0))
    missing = place != arrived[group]
    duplicates = reported_twice(trace, copies, missing, ready, reports)
    needless = place > arrived[group]
    missing[duplicates] = False
    missing[needless & ~np.isin(lane, lane[duplicates])] = False  # this receiver does not tell of duplicates
    tells_more = np.isin(lane, reports.lane[reports.beyond])
    unknown = missing & needless & (ready < acked) & ~tells_more
    lost, known = np.zeros(len(pieces), np.bool_), np.ones(len(pieces), np.bool_)
    lost[places[missing]] = True
    known[places[unknown]] = False
    return attrs.evolve(pieces, lost=lost).take(known)


def sent_again(pieces: Series) -> tuple[I64, Mask]:
    """Find the packets whose bytes were sent more than once.

    Returns:
        Their places, by lane, bytes and time of sending, and which of them are the first with their bytes.
    """
    order = np.lexsort((pieces.row, pieces.lane << SEQ_BITS | pieces.start))
    end = (pieces.start + pieces.payload)[order]
    overlaps = np.zeros(len(order), np.bool_)  # the packet before it in this order
    overlaps[1:] = (pieces.lane[order[1:]] == pieces.lane[order[:-1]]) & (pieces.start[order[1:]] < end[:-1])
    several = overlaps.copy()
    several[:-1] |= overlaps[1:]
    return order[several], ~overlaps[several]


def first_acked(trace: Trace, copies: Series, acks: I64, answered: I64) -> I64:
    """Give the time of the first answer that acknowledges each packet's bytes; the end of time without one.

    Args:
        trace: The capture.
        copies: The packets.
        acks: Answers, lane by lane and in time order.
        answered: The lane of each.
    """
    acked = np.full(len(copies), NEVER)
    top = np.maximum.accumulate(answered << SEQ_BITS | trace.packets.relative_ack[acks])
    place = np.searchsorted(top, copies.lane << SEQ_BITS | (copies.start + copies.payload))
    inside = place < len(acks)
    inside[inside] = answered[place[inside]] == copies.lane[inside]
    acked[inside] = trace.packets.time[acks[place[inside]]]
    return acked


def first_heard(trace: Trace, copies: Series, acked: I64, reports: Reports) -> I64:
    """Give the time of the first answer that reports each packet's bytes; the end of time without one.

    Args:
        trace: The capture.
        copies: The packets, sorted by lane and bytes.
        acked: When they were acknowledged.
        reports: SACK blocks.
    """
    packets, heard = trace.packets, acked.copy()
    fresh = reports.take(~reports.again)
    key, own = copies.lane << SEQ_BITS | copies.start, fresh.lane << SEQ_BITS
    begin, end = np.searchsorted(key, own | np.maximum(fresh.left, 0)), np.searchsorted(key, own | fresh.right)
    covers = np.flatnonzero(begin < end)[::-1]  # the earliest last
    for low, high, time in zip(begin[covers], end[covers], packets.time[fresh.row[covers]], strict=True):
        np.minimum(heard[low:high], time, out=heard[low:high])
    return heard


def reported_twice(trace: Trace, copies: Series, missing: Mask, ready: I64, reports: Reports) -> I64:
    """Find transmissions that arrived although their bytes were there: the last that each report can answer.

    Args:
        trace: The capture.
        copies: Transmissions, sorted by lane, bytes and time.
        missing: All but the one of each that arrived first.
        ready: From when on a report may answer each.
        reports: SACK blocks.
    """
    twice = reports.take(reports.again & reports.first)
    own = twice.lane << SEQ_BITS | twice.left
    key, left = copies.lane << SEQ_BITS | copies.start, missing.copy()
    begin, end = np.searchsorted(key, own), np.searchsorted(key, own, side="right")
    arrived = []
    for low, high, time in zip(begin, end, trace.packets.time[twice.row], strict=True):
        fits = np.flatnonzero(left[low:high] & (ready[low:high] <= time))
        if len(fits):
            arrived.append(low + fits[-1])
            left[arrived[-1]] = False
    return np.array(arrived, np.int64)
