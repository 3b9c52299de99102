"""Losses behind the limit, at the receiver's side of the tap: packets that were never captured.

Three witnesses, best first. Many senders number the packets of a connection in the IP header (RFC 6864 leaves how to
the sender; Linux counts by socket, the segments of one offloaded send included): every number that never arrived is a
packet that was dropped between its neighbours. Where nothing is counted, bytes that arrive late filled a hole: each
segment of them was lost once at least. And a sender that stops in the middle of what it has to say, and goes on after
no less than its retransmission timer, was repeating itself in between: its attempts are dated by that timer, which
doubles (RFC 6298 §5).

Packets that follow in sequence are sent together, so what a burst lost is set behind the packet before the hole, at
the spacing usual within bursts.
"""

import attrs
import numpy as np

from netinterf.analyzers.throttling.series import Series, at_client
from netinterf.analyzers.throttling.ways import SEQ_BITS, UNKNOWN_RTT, Direction, Ways, answers, path_rtt
from netinterf.analyzers.wire import wire_pieces
from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import distinct
from netinterf.schema import Mark, TcpFlag
from netinterf.stats.robust import group_median
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["Numbering", "count_numbers", "with_unseen_losses"]

TCP = 6

UNKNOWN_SHIFT = 255

LEAST_TIMEOUT = 0.2
"""Seconds by which a retransmission timer exceeds the round trip at least (Linux TCP_RTO_MIN; RFC 6298 §2.4 says 1)."""

CLEAN_SHARE, LEAST_CLEAN = 0.95, 3
"""Numbers count this connection when so many of its packets that follow each other in the stream, and at least so many,
are numbered one by one. A counter of the whole host also counts what it sent to others in between."""

WILD_SHARE, LARGEST_STEP = 0.02, 2_000
"""Numbers that jump further than this, or back, may be so frequent: packets overtake each other."""

OUT_OF_LINE = Mark.GAP_BEFORE | Mark.FILL | Mark.REPEAT | Mark.PARTIAL_REPEAT | Mark.KEEP_ALIVE
FILLING = Mark.FILL | Mark.REPEAT | Mark.PARTIAL_REPEAT


@frozen(eq=False, kw_only=True)
class Numbering:
    """What the IP identifications and the silences of each side tell; one entry per row of Sides."""

    counts: Mask  # identifications count the packets of this connection
    missing: I64  # packets that never came: by number where they are counted, else by the timer that ran meanwhile


@frozen(eq=False, kw_only=True)
class Holes:
    """Places where packets are missing between two that were captured, both rows in Packets."""

    lane: I64
    before: I64
    behind: I64
    count: I64  # packets missing
    retries: I64  # of these, attempts of the retransmission timer; the others were dropped in a burst


def count_numbers(trace: Trace) -> Numbering:
    """Find the sides whose IP identifications count the packets of their connection, and what is missing of each."""
    count, packets = len(trace.sides), trace.packets
    usable = (trace.sides.payload_packets >= LEAST_CLEAN).reshape(-1, 2) & (trace.flows.protocol == TCP)[:, None]
    if not usable.any():
        return Numbering(counts=np.zeros(count, np.bool_), missing=np.zeros(count, np.int64))
    moves, wild, clean, right, skipped, silent = (np.zeros(count) for _ in range(6))
    trips = least_trips(trace)
    for outbound in (False, True):
        if not usable[:, int(not outbound)].any():
            continue
        ways = Ways.of([Direction(flows=np.flatnonzero(usable[:, int(not outbound)]), outbound=outbound)])
        sent = sent_rows(trace, ways, np.arange(len(ways.flow)))
        before, behind, between, lane = steps(trace, *sent)
        side = ways.sender[lane]
        far = (between < -1) | (between > LARGEST_STEP)
        data = (packets.payload_length[before] > 0) & (packets.payload_length[behind] > 0)
        quick = packets.time[behind] - packets.time[before] < 1e9 * LEAST_TIMEOUT
        line = data & quick & (packets.marks[behind] & OUT_OF_LINE == 0)
        moves += np.bincount(side, minlength=count)
        wild += np.bincount(side, far, count)
        clean += np.bincount(side, line, count)
        right += np.bincount(side, line & (between == 0), count)
        skipped += np.bincount(side, np.where(far, 0, np.maximum(between, 0)), count)
        silent += retries_in_silence(trace, *sent, ways, trips)
    counts = (clean >= LEAST_CLEAN) & (right >= CLEAN_SHARE * clean) & (wild <= WILD_SHARE * moves + 1)
    counts &= np.repeat(trace.recording.ip_id_informative & (packets.version[trace.flows.first_packet] == 4), 2)
    return Numbering(counts=counts, missing=np.where(counts, skipped, silent).astype(np.int64))


def retries_in_silence(trace: Trace, rows: I64, lane: I64, ways: Ways, trips: F64) -> I64:
    """Count for each side at least the packets that `silent_holes` finds missing in its flows, whoever is with them.

    Args:
        trace: The capture.
        rows: What one way of flows sent, lane by lane.
        lane: The lane of each.
        ways: The way of all flows.
        trips: The least round trip that may be taken for each flow, seconds.
    """
    packets = trace.packets
    data = (packets.payload_length[rows] > 0) & (packets.marks[rows] & Mark.KEEP_ALIVE == 0)
    before, behind, lane = unpushed(trace, rows[data], lane[data])
    long = packets.time[behind] - packets.time[before] >= 1e9 * LEAST_TIMEOUT
    before, behind, lane = in_vain(trace, ways, before[long], behind[long], lane[long])
    lost = timer_runs(trace, before, behind, trips[ways.flow[lane]]) + 1
    return np.bincount(ways.sender[lane], lost, len(trace.sides)).astype(np.int64)


def least_trips(trace: Trace) -> F64:
    """Give the least round trip in seconds that `path_rtt` may find for any direction that a flow is in, by flow."""
    client = trace.flows.client
    halves = trace.sides.rtt.reshape(-1, 2)
    whole = np.maximum(halves, 0).sum(axis=1)
    whole[whole == 0] = int(1e9 * UNKNOWN_RTT)
    least = np.full(int(client.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(least, client, whole)
    return least[client] / 1e9


def sent_rows(trace: Trace, ways: Ways, lanes: I64) -> tuple[I64, I64]:
    """List all packets of some lanes, lane by lane: rows, and their lanes; SYNs and resets are often numbered apart."""
    (rows, lane, along), packets = ways.packets(trace, lanes), trace.packets
    ordinary = along & (packets.marks[rows] & Mark.DUPLICATE_FRAME == 0)
    ordinary &= packets.tcp_flags[rows] & (TcpFlag.SYN | TcpFlag.RST) == 0
    return rows[ordinary], lane[ordinary]


def steps(trace: Trace, rows: I64, lane: I64) -> tuple[I64, I64, I64, I64]:
    """Follow the numbers of packets listed lane by lane: rows before, rows behind, numbers missing between, lanes."""
    packets = trace.packets
    same = lane[1:] == lane[:-1]
    before, behind = rows[:-1][same], rows[1:][same]
    ahead = (packets.ip_id[behind] - packets.ip_id[before]).view(np.int16).astype(np.int64)  # modulo 2**16
    return before, behind, ahead - wire_pieces(trace, before)[0], lane[1:][same]


def with_unseen_losses(trace: Trace, pieces: Series, ways: Ways, numbering: Numbering) -> Series:
    """Add what was lost before it reached the tap.

    Args:
        trace: The capture.
        pieces: Captured packets of directions behind the limit.
        ways: The directions.
        numbering: What the IP identifications tell.
    """
    if len(pieces) == 0:
        return pieces
    way = ways.way[pieces.lane]
    here = np.bincount(way, minlength=len(ways)) > 0
    counted = numbering.counts[ways.sender] & here[ways.way]
    rtt = path_rtt(trace, ways)
    spacing = usual_spacing(pieces, ways, rtt)
    size = group_median(pieces.size, way, len(ways))
    others = pieces.take(~counted[pieces.lane])
    holes = numbered_holes(trace, ways, np.flatnonzero(counted), rtt)
    quiet = silent_holes(trace, ways, others, rtt)
    lost = [
        dated(trace, pieces, missing, size[ways.way[missing.lane]], spacing[ways.way[missing.lane]])
        for missing in (holes, quiet)
    ]
    return pieces.joined([*lost, filled_later(trace, others, ways, spacing)], ways)


def numbered_holes(trace: Trace, ways: Ways, lanes: I64, rtt: F64) -> Holes:
    """Find where numbers are missing in lanes that count.

    Args:
        trace: The capture.
        ways: The directions.
        lanes: Which of their lanes.
        rtt: Round trip of the path of each direction, seconds.
    """
    packets = trace.packets
    rows, lane = sent_rows(trace, ways, lanes)
    ahead = np.zeros(len(rows), np.int64)
    ahead[1:] = (packets.ip_id[rows[1:]] - packets.ip_id[rows[:-1]]).view(np.int16)
    order = np.lexsort((np.cumsum(ahead), lane))  # as sent, whatever overtook what
    before, behind, between, lane = steps(trace, rows[order], lane[order])
    hole = np.flatnonzero((between > 0) & (between <= LARGEST_STEP))
    before, behind, between, lane = before[hole], behind[hole], between[hole], lane[hole]
    tries = np.minimum(timer_runs(trace, before, behind, rtt[ways.way[lane]]), between - 1)
    return Holes(lane=lane, before=before, behind=behind, count=between, retries=tries)


def silent_holes(trace: Trace, ways: Ways, pieces: Series, rtt: F64) -> Holes:
    """Find where senders fell silent in the middle, for longer than their timers.

    A silence proves nothing behind PSH, which marks the end of what a program has said, nor while the receiver does not
    answer or has no room: then the sender waits or repeats itself in vain.

    Args:
        trace: The capture.
        ways: The directions.
        pieces: Data packets of some of their lanes.
        rtt: Round trip of the path of each direction, seconds.
    """
    packets, key = trace.packets, np.unique(pieces.lane << SEQ_BITS | pieces.row)
    lane, rows = key >> SEQ_BITS, key & ((1 << SEQ_BITS) - 1)
    before, behind, lane = unpushed(trace, rows, lane)
    trip = rtt[ways.way[lane]]
    long = packets.time[behind] - packets.time[before] > 1e9 * (trip + LEAST_TIMEOUT)
    before, behind, lane = in_vain(trace, ways, before[long], behind[long], lane[long])
    tries = timer_runs(trace, before, behind, rtt[ways.way[lane]])
    fresh = packets.marks[behind] & FILLING == 0  # it repeats what was sent before, and nothing shows that yet
    return Holes(lane=lane, before=before, behind=behind, count=tries + fresh, retries=tries)


def unpushed(trace: Trace, rows: I64, lane: I64) -> tuple[I64, I64, I64]:
    """Pair packets listed lane by lane with the next, unless what was said ends between: rows, rows behind, lanes."""
    pair = np.flatnonzero((lane[1:] == lane[:-1]) & (trace.packets.tcp_flags[rows[:-1]] & TcpFlag.PSH == 0))
    return rows[pair], rows[pair + 1], lane[pair]


def in_vain(trace: Trace, ways: Ways, before: I64, behind: I64, lane: I64) -> tuple[I64, I64, I64]:
    """Keep the pairs between which no packet is missing, while their receiver answered and had room for more."""
    packets = trace.packets
    room = receiver_room(trace, ways, before, behind, lane)
    vain = (packets.marks[behind] & Mark.GAP_BEFORE == 0) & (room >= packets.payload_length[before])
    return before[vain], behind[vain], lane[vain]


def receiver_room(trace: Trace, ways: Ways, before: I64, behind: I64, lane: I64) -> I64:
    """Give the lesser window in the first and in the last answer between two packets, bytes; -1 without an answer."""
    packets = trace.packets
    acks, answered = answers(trace, ways, distinct(lane))
    if len(acks) == 0:
        return np.full(len(before), -1)
    key, own = answered << SEQ_BITS | acks, lane << SEQ_BITS
    first, end = np.searchsorted(key, own | before), np.searchsorted(key, own | behind)
    shift = trace.sides.window_shift[ways.receiver[answered]].astype(np.int64)
    room = packets.window[acks].astype(np.int64) << np.where(shift == UNKNOWN_SHIFT, 0, shift)
    window = np.minimum(room[np.minimum(first, len(acks) - 1)], room[np.maximum(end - 1, 0)])
    least: I64 = np.where(first < end, window, -1)
    return least


def timer_runs(trace: Trace, before: I64, behind: I64, rtt: float | F64) -> I64:
    """Count how often a timer that doubles ran out in vain before the packet behind a silence was sent."""
    silence = (trace.packets.time[behind] - trace.packets.time[before]) / 1e9
    runs = np.round(np.log2(np.maximum(silence, 0.0) / (rtt + LEAST_TIMEOUT) + 1.0)).astype(np.int64) - 1
    tries: I64 = np.maximum(runs, 0)
    return tries


def dated(trace: Trace, pieces: Series, holes: Holes, size: F64, spacing: F64) -> Series:
    """List every missing packet at its time: within its burst, or when the timer ran out.

    Args:
        trace: The capture.
        pieces: A series of the same kind.
        holes: Where packets are missing, n of them.
        size: Usual bytes of a packet there, n.
        spacing: Seconds between packets of one burst there, n.
    """
    packets = trace.packets
    hole = np.repeat(np.arange(len(holes.count)), holes.count)
    place = np.arange(len(hole)) - np.repeat(np.cumsum(holes.count) - holes.count, holes.count)
    begin, end = at_client(trace, holes.before), at_client(trace, holes.behind)
    end = np.maximum(begin, end)
    bursts = (holes.count - holes.retries)[hole]
    attempt = np.maximum(place - bursts + 1, 0)
    silence = (end - begin)[hole]
    retry = begin[hole] + silence * (2.0**attempt - 1.0) / (2.0 ** (holes.retries[hole] + 1) - 1.0)
    burst = np.minimum(begin[hole] + (place + 1) * spacing[hole], end[hole])
    row = holes.behind[hole]
    return pieces.with_columns(
        {
            "time": np.where(attempt > 0, retry, burst),
            "size": size[hole],
            "lost": np.ones(len(hole), np.bool_),
            "row": row,
            "flow": packets.flow[row].astype(np.int64),
            "start": packets.relative_seq[row] + place,
            "payload": np.zeros(len(hole), np.int64),
            "delay": np.full(len(hole), np.nan),
            "lane": holes.lane[hole],
        }
    )


def filled_later(trace: Trace, pieces: Series, ways: Ways, spacing: F64) -> Series:
    """List a lost packet for every one that filled a hole later, behind the packet before the hole.

    Args:
        trace: The capture.
        pieces: Captured packets.
        ways: The directions.
        spacing: Seconds between packets of one burst of each direction.
    """
    marks = trace.packets.marks[pieces.row]
    fills = np.flatnonzero((marks & Mark.FILL != 0) & (marks & Mark.REORDERED == 0))
    if len(fills) == 0:
        return pieces.take(fills)
    order = np.argsort(pieces.lane, kind="stable")
    top = np.maximum.accumulate((pieces.lane << SEQ_BITS | (pieces.start + pieces.payload))[order])
    wanted = pieces.lane[fills] << SEQ_BITS | pieces.start[fills]
    place = np.searchsorted(top, wanted, side="right")  # the first whose high-water mark is beyond the fill's start
    behind = order[np.minimum(place, len(order) - 1)]
    way = ways.way[pieces.lane]
    edge = np.maximum(place - 1, np.searchsorted(way, way[fills]))  # or the first packet of the direction
    before = order[np.searchsorted(top, top[edge])]  # whoever raised the mark to the hole's edge
    known = (pieces.lane[behind] == pieces.lane[fills]) & (pieces.lane[before] == pieces.lane[fills]) & (behind < fills)
    fills, behind, before = fills[known], behind[known], before[known]
    nth = rank(behind, pieces.start[fills]) + 1
    time = np.minimum(pieces.time[before] + nth * spacing[way[fills]], pieces.time[behind])
    return attrs.evolve(pieces.take(fills), time=time, lost=np.ones(len(fills), np.bool_))


def usual_spacing(pieces: Series, ways: Ways, rtt: F64) -> F64:
    """Give the median time in seconds between packets of one flow that were sent within half a round trip.

    What is missing between two was sent between them: behind a limit the gaps between what passed are too long.

    Args:
        pieces: Captured packets of directions, in time order.
        ways: The directions.
        rtt: Round trip of the path of each, seconds.

    Returns:
        One number for each direction, 0 where none were sent so.
    """
    payload = np.maximum(group_median(pieces.payload, ways.way[pieces.lane], len(ways)), 1.0)
    order = np.argsort(pieces.lane, kind="stable")
    lane, start, end = pieces.lane[order], pieces.start[order], (pieces.start + pieces.payload)[order]
    ahead, gaps, way = start[1:] - end[:-1], np.diff(pieces.time[order]), ways.way[lane[1:]]
    near = np.flatnonzero((lane[1:] == lane[:-1]) & (ahead >= 0) & (gaps < rtt[way] / 2))
    way = way[near]
    sent = 1 + np.round(ahead[near] / payload[way]).astype(np.int64)
    gaps = gaps[near] / sent
    rising = np.lexsort((gaps, way))
    share = np.append(0, np.cumsum(sent[rising]))
    edges = np.searchsorted(way, np.arange(len(ways) + 1))
    some = np.flatnonzero(np.diff(edges))
    low, high = share[edges[some]], share[edges[some + 1]]
    spacing = np.zeros(len(ways))
    spacing[some] = gaps[rising[np.searchsorted(share[1:], low + (high - low) / 2)]]
    return spacing


def rank(group: I64, value: I64) -> I64:
    """Rank values within their group, from 0."""
    order = np.lexsort((value, group))
    opens = np.concatenate([[True], np.diff(group[order]) != 0])[: len(order)]
    first = np.maximum.accumulate(np.where(opens, np.arange(len(order)), 0))
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order)) - first
    return ranks
