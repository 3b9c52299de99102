"""The wire packets of one direction between two hosts, and which of them the network lost.

Where losses show depends on where the tap sits. Before the limit, at the sender, every packet is seen leaving, and a
lost one is sent again: of two transmissions of the same bytes the earlier was lost, unless the second was needless
(its bytes had been acknowledged, or a duplicate SACK reports them, RFC 2883). Behind the limit, at the receiver, a lost
packet is never seen: the bytes are missing and arrive later as a FILL; the loss is dated by the packet that left the
gap. Both are the losses of the same bucket: its level depends on what passed, not on who watches.

Segmentation offload hands the capture packets that the wire never carried. They are cut into segments of the maximum
size before anything is counted.
"""

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.schema import Mark, TcpOption
from netinterf.table import spans
from netinterf.trace import Trace

__all__ = ["COLUMNS", "NOT_COUNTED", "SEQ_BITS", "Series", "data_rows", "direction_series", "first_blocks"]

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

NOT_COUNTED = Mark.KEEP_ALIVE | Mark.DUPLICATE_FRAME
"""Packets that move no data: probes of one old byte, and second captures of one packet."""

ETHERNET = 14
"""Bytes that a policer on an Ethernet port counts besides the IP packet (the laboratory's median rate estimate was
95.4 % of the configured rate from payload alone, and 1448/1514 = 95.6 %)."""

NEAR_SHARE = 0.1
"""A side is next to the tap when its half of the round trip is below this share of the whole."""

DEFAULT_MSS = 1460
TIMESTAMP_ROOM = 12

SEQ_BITS = 42
"""Room for a relative sequence number (4 TB) beside the number of the flow in one sortable key."""


COLUMNS = ("time", "size", "lost", "row", "flow", "start", "payload", "delay")


@attrs.frozen(eq=False, kw_only=True)
class Series:
    """Wire packets of one direction, in time order; a loss seen only by its gap stands before the packet behind it."""

    time: F64  # seconds since the first one
    size: F64  # bytes on the wire, Ethernet header included
    lost: Bool
    row: I64  # row in Packets; of a lost packet never seen, the row that brought its bytes later
    flow: I64  # row in Flows
    start: I64  # relative sequence number
    payload: I64
    delay: F64  # of its way in seconds, NaN where unknown; the zero is arbitrary at the receiver
    upstream: bool  # losses happened before the tap: it sits on the receiver's side of the limit

    def __len__(self) -> int:
        return len(self.time)

    def with_columns(self, columns: dict[str, NDArray[Any]]) -> "Series":
        """Replace columns, all of one length."""
        return Series(upstream=self.upstream, **columns)

    def take(self, rows: NDArray[np.bool_] | I64 | slice) -> "Series":
        """Select packets, in the order given."""
        return self.with_columns({name: getattr(self, name)[rows] for name in COLUMNS})


def data_rows(trace: Trace, flows: I64, outbound: bool) -> I64:
    """List the packets with payload of one direction of some flows, in time order."""
    rows = trace.by_flow.values[spans(trace.by_flow.offsets[flows], trace.by_flow.lengths[flows])].astype(np.int64)
    packets = trace.packets
    keep = (packets.outbound[rows] == outbound) & (packets.payload_length[rows] > 0)
    keep &= (packets.marks[rows] & NOT_COUNTED == 0) & (packets.relative_seq[rows] > 0)
    return np.sort(rows[keep])


def direction_series(trace: Trace, flows: I64, outbound: bool, by_sequence: bool = True) -> Series:
    """Lay out one direction of the flows between two hosts, with its losses.

    Args:
        trace: The capture.
        flows: Rows in Flows, all between the same two hosts.
        outbound: True for what the clients of the flows sent.
        by_sequence: Date losses that were never captured by their predecessor in sequence, else by the packet that
            arrived last before their gap. Which is nearer to the truth depends on how the sender recovers.

    Returns:
        The series.
    """
    rows = data_rows(trace, flows, outbound)
    pieces = _cut(trace, rows, outbound, upstream=behind_limit(trace, rows, flows, outbound))
    if pieces.upstream:
        return _with_gaps(trace, pieces, by_sequence)
    return _with_repeats(trace, _with_known_fate(trace, pieces, outbound), flows, outbound)


def _with_known_fate(trace: Trace, pieces: Series, outbound: bool) -> Series:
    """Leave out what was never acknowledged, where acknowledgements were captured at all.

    Whether it was lost is not known: the other end may be gone, and then its last segment is sent again and again
    (RFC 6298 §5.5), which says nothing of a rate.
    """
    acked = trace.sides.acked[2 * pieces.flow + (not outbound)]
    return pieces.take((acked <= 0) | (pieces.start < acked))


def behind_limit(trace: Trace, rows: I64, flows: I64, outbound: bool) -> bool:
    """Say whether the tap sits on the receiver's side, so that what was lost was never captured.

    The halves of the round trip tell where both are known and one is small; else the kind of mark that prevails.
    """
    sender = trace.sides.rtt[2 * flows + (not outbound)]
    receiver = trace.sides.rtt[2 * flows + outbound]
    known = (sender >= 0) & (receiver >= 0)
    if known.any():
        near_sender, near_receiver = int(sender[known].min()), int(receiver[known].min())
        if min(near_sender, near_receiver) < NEAR_SHARE * (near_sender + near_receiver):
            return near_receiver < near_sender
    marks = trace.packets.marks[rows]
    again = np.count_nonzero((marks & Mark.REPEAT != 0) & (marks & Mark.SPURIOUS == 0))
    filled = np.count_nonzero((marks & Mark.FILL != 0) & (marks & Mark.REORDERED == 0))
    return bool(filled > again)


def _cut(trace: Trace, rows: I64, outbound: bool, upstream: bool) -> Series:
    """Turn captured packets into wire packets: cut what offloading joined."""
    packets = trace.packets
    flow, payload = packets.flow[rows].astype(np.int64), packets.payload_length[rows].astype(np.int64)
    option = trace.sides.mss[2 * flow + outbound].astype(np.int64)  # the receiver's SYN limits the sender
    stamped = packets.tcp_options[rows] & TcpOption.TIMESTAMPS != 0
    most = np.where(option > 0, option, DEFAULT_MSS) - TIMESTAMP_ROOM * stamped
    pieces = np.where(payload > most + TIMESTAMP_ROOM, -(-payload // np.maximum(most, 1)), 1)
    parent = np.repeat(np.arange(len(rows)), pieces)
    place = np.arange(len(parent)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    cut = np.where(pieces[parent] > 1, most[parent], payload[parent])
    length = np.minimum(cut, payload[parent] - place * cut)
    header = (packets.payload_at[rows].astype(np.int64) - packets.ip_at[rows]) + ETHERNET
    time = packets.time[rows]
    return Series(
        time=((time - time[0]) / 1e9 if len(time) else np.empty(0))[parent],
        size=(length + header[parent]).astype(np.float64),
        lost=np.zeros(len(parent), np.bool_),
        row=rows[parent],
        flow=flow[parent],
        start=packets.relative_seq[rows][parent] + place * cut,
        payload=length,
        delay=np.full(len(parent), np.nan),
        upstream=upstream,
    )


def _with_repeats(trace: Trace, pieces: Series, flows: I64, outbound: bool) -> Series:
    """Mark every transmission lost whose bytes were sent again for a reason."""
    key = pieces.flow << SEQ_BITS | pieces.start
    order = np.lexsort((pieces.row, key))
    before, after = order[:-1], order[1:]
    inside = (pieces.flow[before] == pieces.flow[after]) & (pieces.row[before] < pieces.row[after])
    inside &= pieces.start[after] < pieces.start[before] + pieces.payload[before]
    needless = trace.packets.marks[pieces.row[after]] & Mark.SPURIOUS != 0
    lost = np.zeros(len(pieces), np.bool_)
    lost[before[inside & ~needless]] = True
    lost[_reported_twice(trace, pieces, flows, outbound, lost)] = False
    return attrs.evolve(pieces, lost=lost)


def first_blocks(trace: Trace, flows: I64, outbound: bool) -> tuple[I64, I64, I64]:
    """Read the first SACK block of every answer to one direction, the one that reports what just arrived (RFC 2018 §4).

    Returns:
        The answers' rows, and the relative sequence numbers of the block's left and right edge.
    """
    rows = trace.by_flow.values[spans(trace.by_flow.offsets[flows], trace.by_flow.lengths[flows])].astype(np.int64)
    packets = trace.packets
    answer = (packets.outbound[rows] != outbound) & (packets.tcp_options[rows] & TcpOption.SACK != 0)
    rows = np.sort(rows[answer & (packets.relative_ack[rows] >= 0)])
    blocks = trace.sack_blocks(rows)
    some = blocks.lengths >= 2
    rows, first = rows[some], blocks.offsets[:-1][some]
    ahead = [(blocks.values[first + edge] - packets.ack[rows]).astype(np.int32) for edge in (0, 1)]  # modulo 2**32
    left, right = (packets.relative_ack[rows] + edge for edge in ahead)
    return rows, left, right


def _reported_twice(trace: Trace, pieces: Series, flows: I64, outbound: bool, lost: Bool) -> I64:
    """Find losses that a duplicate SACK disproves: the latest earlier transmission of each reported segment."""
    row, left, right = first_blocks(trace, flows, outbound)
    twice = right <= trace.packets.relative_ack[row]  # RFC 2883 §4: at or below the acknowledgement
    row, wanted = row[twice], trace.packets.flow[row[twice]].astype(np.int64) << SEQ_BITS | left[twice]
    candidates = np.flatnonzero(lost)
    keys = pieces.flow[candidates] << SEQ_BITS | pieces.start[candidates]
    order = np.lexsort((pieces.row[candidates], keys))
    known = np.append(keys[order], -1)
    found = np.searchsorted(known[:-1], wanted, side="right") - 1
    right_one = known[found] == wanted
    chosen = candidates[order[found[right_one]]]
    return np.unique(chosen[pieces.row[chosen] < row[right_one]])


def _with_gaps(trace: Trace, pieces: Series, by_sequence: bool) -> Series:
    """Add a lost packet for every fill, dated behind the packet before its gap.

    Packets that follow in sequence are sent together: those of one gap are set behind their predecessor at the spacing
    usual within the flow, and no later than the packet that left the gap.
    """
    marks = trace.packets.marks[pieces.row]
    fills = np.flatnonzero((marks & Mark.FILL != 0) & (marks & Mark.REORDERED == 0))
    order = np.lexsort((np.arange(len(pieces)), pieces.flow))
    top = np.maximum.accumulate(pieces.flow[order] << SEQ_BITS | (pieces.start + pieces.payload)[order])
    wanted = pieces.flow[fills] << SEQ_BITS | pieces.start[fills]
    place = np.searchsorted(top, wanted, side="right")  # the first whose high-water mark is beyond the fill's start
    behind = order[np.minimum(place, len(order) - 1)]
    before = np.maximum(place - 1, 0)
    if by_sequence:
        before = np.searchsorted(top, top[before])  # whoever raised the mark to the gap's left edge
    before = order[before]
    dated = (pieces.flow[behind] == pieces.flow[fills]) & (pieces.flow[before] == pieces.flow[fills]) & (behind < fills)
    fills, behind, before = fills[dated], behind[dated], before[dated]
    nth = _rank(behind, pieces.start[fills]) + 1
    time = np.minimum(pieces.time[before] + nth * usual_spacing(pieces), pieces.time[behind])
    unseen = attrs.evolve(pieces.take(fills), time=time, lost=np.ones(len(fills), np.bool_))
    joined = {name: np.concatenate([getattr(unseen, name), getattr(pieces, name)]) for name in COLUMNS}
    sort = np.lexsort((np.concatenate([nth, np.full(len(pieces), len(pieces))]), joined["time"]))
    return pieces.with_columns({name: column[sort] for name, column in joined.items()})


def usual_spacing(pieces: Series) -> float:
    """Give the median time in seconds between packets of one flow that follow each other in sequence."""
    order = np.argsort(pieces.flow, kind="stable")
    flow, start, end = pieces.flow[order], pieces.start[order], (pieces.start + pieces.payload)[order]
    follows = (flow[1:] == flow[:-1]) & (start[1:] == end[:-1])
    gaps = np.diff(pieces.time[order])[follows]
    return float(np.median(gaps)) if len(gaps) else 0.0


def _rank(group: I64, value: I64) -> I64:
    """Rank values within their group, from 0."""
    order = np.lexsort((value, group))
    opens = np.concatenate([[True], np.diff(group[order]) != 0])[: len(order)]
    first = np.maximum.accumulate(np.where(opens, np.arange(len(order)), 0))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - first
    return rank
