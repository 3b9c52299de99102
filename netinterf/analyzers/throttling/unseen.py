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

from netinterf.analyzers.throttling.resent import answers
from netinterf.analyzers.throttling.series import SEQ_BITS, UNKNOWN_RTT, Series, at_client, flow_rows, path_rtt
from netinterf.analyzers.wire import wire_pieces
from netinterf.arrays import F64, I64, Mask
from netinterf.schema import Mark, TcpFlag
from netinterf.trace import Trace

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


@attrs.frozen(eq=False, kw_only=True)
class Numbering:
    """What the IP identifications and the silences of each side tell; one entry per row of Sides."""

    counts: Mask  # identifications count the packets of this connection
    missing: I64  # packets that never came: by number where they are counted, else by the timer that ran meanwhile


@attrs.frozen(eq=False, kw_only=True)
class Holes:
    """Places where packets are missing between two that were captured, both rows in Packets."""

    before: I64
    behind: I64
    count: I64  # packets missing
    retries: I64  # of these, attempts of the retransmission timer; the others were dropped in a burst


def count_numbers(trace: Trace) -> Numbering:
    """Find the sides whose IP identifications count the packets of their connection, and what is missing of each."""
    count, packets = len(trace.sides), trace.packets
    usable = (trace.sides.payload_packets >= LEAST_CLEAN).reshape(-1, 2) & (trace.flows.protocol == TCP)[:, None]
    moves, wild, clean, right, skipped, silent = (np.zeros(count) for _ in range(6))
    trips = least_trips(trace)
    for outbound in (False, True):
        rows = sent_rows(trace, np.flatnonzero(usable[:, int(not outbound)]), outbound)
        before, behind, between = steps(trace, rows)
        side = 2 * packets.flow[behind].astype(np.int64) + (not outbound)
        far = (between < -1) | (between > LARGEST_STEP)
        data = (packets.payload_length[before] > 0) & (packets.payload_length[behind] > 0)
        quick = packets.time[behind] - packets.time[before] < 1e9 * LEAST_TIMEOUT
        line = data & quick & (packets.marks[behind] & OUT_OF_LINE == 0)
        moves += np.bincount(side, minlength=count)
        wild += np.bincount(side, far, count)
        clean += np.bincount(side, line, count)
        right += np.bincount(side, line & (between == 0), count)
        skipped += np.bincount(side, np.where(far, 0, np.maximum(between, 0)), count)
        silent += retries_in_silence(trace, rows, outbound, trips)
    counts = (clean >= LEAST_CLEAN) & (right >= CLEAN_SHARE * clean) & (wild <= WILD_SHARE * moves + 1)
    counts &= np.repeat(trace.recording.ip_id_informative & (packets.version[trace.flows.first_packet] == 4), 2)
    return Numbering(counts=counts, missing=np.where(counts, skipped, silent).astype(np.int64))


def retries_in_silence(trace: Trace, rows: I64, outbound: bool, trips: F64) -> I64:
    """Count for each side at least the packets that `silent_holes` finds missing in its flows, whoever is with them.

    Args:
        trace: The capture.
        rows: What one way of flows sent, flow by flow.
        outbound: Which way.
        trips: The least round trip that may be taken for each flow, seconds.
    """
    packets = trace.packets
    data = rows[(packets.payload_length[rows] > 0) & (packets.marks[rows] & Mark.KEEP_ALIVE == 0)]
    before, behind = data[:-1], data[1:]
    silent = (packets.flow[before] == packets.flow[behind]) & (packets.tcp_flags[before] & TcpFlag.PSH == 0)
    silent &= packets.time[behind] - packets.time[before] >= 1e9 * LEAST_TIMEOUT
    before, behind = before[silent], behind[silent]
    if len(before):
        flows = np.unique(packets.flow[before]).astype(np.int64)
        vain = no_gap_with_room(trace, before, behind, answers(trace, flows, outbound))
        before, behind = before[vain], behind[vain]
    flow = packets.flow[before].astype(np.int64)
    lost = timer_runs(trace, before, behind, trips[flow]) + 1
    return np.bincount(2 * flow + (not outbound), lost, len(trace.sides)).astype(np.int64)


def least_trips(trace: Trace) -> F64:
    """Give the least round trip in seconds that `path_rtt` may find for any direction that a flow is in, by flow."""
    client = trace.flows.client
    halves = trace.sides.rtt.reshape(-1, 2)
    whole = np.maximum(halves, 0).sum(axis=1)
    whole[whole == 0] = int(1e9 * UNKNOWN_RTT)
    least = np.full(int(client.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(least, client, whole)
    return least[client] / 1e9


def sent_rows(trace: Trace, flows: I64, outbound: bool) -> I64:
    """List all packets of one way of some flows, flow by flow; SYNs and resets are often numbered apart."""
    rows, packets = flow_rows(trace, flows), trace.packets
    keep = (packets.outbound[rows] == outbound) & (packets.marks[rows] & Mark.DUPLICATE_FRAME == 0)
    ordinary: I64 = rows[keep & (packets.tcp_flags[rows] & (TcpFlag.SYN | TcpFlag.RST) == 0)]
    return ordinary


def steps(trace: Trace, rows: I64) -> tuple[I64, I64, I64]:
    """Follow the numbers of packets listed flow by flow: rows before, rows behind, numbers missing between."""
    packets = trace.packets
    before, behind = rows[:-1], rows[1:]
    same = packets.flow[before] == packets.flow[behind]
    before, behind = before[same], behind[same]
    ahead = (packets.ip_id[behind] - packets.ip_id[before]).view(np.int16).astype(np.int64)  # modulo 2**16
    return before, behind, ahead - wire_pieces(trace, before)[0]


def with_unseen_losses(trace: Trace, pieces: Series, flows: I64, outbound: bool, numbering: Numbering) -> Series:
    """Add what was lost before it reached the tap.

    Args:
        trace: The capture.
        pieces: Captured packets of one direction of the flows.
        flows: Rows in Flows.
        outbound: The direction.
        numbering: What the IP identifications tell.
    """
    if len(pieces) == 0:
        return pieces
    counted = numbering.counts[2 * flows + (not outbound)]
    rtt = path_rtt(trace, flows)
    spacing = usual_spacing(pieces, rtt)
    others = pieces.take(np.isin(pieces.flow, flows[~counted]))
    holes = numbered_holes(trace, flows[counted], outbound, rtt)
    silences = silent_holes(trace, np.unique(others.row), answers(trace, flows, outbound), rtt)
    lost = [dated(trace, pieces, missing, spacing) for missing in (holes, silences)]
    return pieces.joined([*lost, filled_later(trace, others, spacing)])


def numbered_holes(trace: Trace, flows: I64, outbound: bool, rtt: float) -> Holes:
    """Find where numbers are missing in flows that count.

    Args:
        trace: The capture.
        flows: Rows in Flows.
        outbound: The direction.
        rtt: Round trip of the path in seconds.
    """
    packets = trace.packets
    rows = sent_rows(trace, flows, outbound)
    ahead = np.zeros(len(rows), np.int64)
    ahead[1:] = (packets.ip_id[rows[1:]] - packets.ip_id[rows[:-1]]).view(np.int16)
    rows = rows[np.lexsort((np.cumsum(ahead), packets.flow[rows]))]  # as sent, whatever overtook what
    before, behind, between = steps(trace, rows)
    hole = (between > 0) & (between <= LARGEST_STEP)
    before, behind, between = before[hole], behind[hole], between[hole]
    tries = np.minimum(timer_runs(trace, before, behind, rtt), between - 1)
    return Holes(before=before, behind=behind, count=between, retries=tries)


def silent_holes(trace: Trace, rows: I64, acks: I64, rtt: float) -> Holes:
    """Find where senders fell silent in the middle, for longer than their timers.

    A silence proves nothing behind PSH, which marks the end of what a program has said, nor while the receiver does not
    answer or has no room: then the sender waits or repeats itself in vain.

    Args:
        trace: The capture.
        rows: Data packets of one direction, in time order.
        acks: Answers to them, in time order.
        rtt: Round trip of the path in seconds.
    """
    packets = trace.packets
    rows = rows[np.argsort(packets.flow[rows], kind="stable")]
    before, behind = rows[:-1], rows[1:]
    silent = (packets.flow[before] == packets.flow[behind]) & (packets.tcp_flags[before] & TcpFlag.PSH == 0)
    silent &= packets.time[behind] - packets.time[before] > 1e9 * (rtt + LEAST_TIMEOUT)
    before, behind = before[silent], behind[silent]
    vain = no_gap_with_room(trace, before, behind, acks)
    before, behind = before[vain], behind[vain]
    tries = timer_runs(trace, before, behind, rtt)
    fresh = packets.marks[behind] & FILLING == 0  # it repeats what was sent before, and nothing shows that yet
    return Holes(before=before, behind=behind, count=tries + fresh, retries=tries)


def no_gap_with_room(trace: Trace, before: I64, behind: I64, acks: I64) -> Mask:
    """Say between which packets none is missing, while their receiver answered and had room for more."""
    packets = trace.packets
    room = receiver_room(trace, before, behind, acks)
    vain: Mask = (packets.marks[behind] & Mark.GAP_BEFORE == 0) & (room >= packets.payload_length[before])
    return vain


def receiver_room(trace: Trace, before: I64, behind: I64, acks: I64) -> I64:
    """Give the lesser window in the first and in the last answer between two packets, bytes; -1 without an answer."""
    packets = trace.packets
    if len(acks) == 0:
        return np.full(len(before), -1)
    acks = acks[np.argsort(packets.flow[acks], kind="stable")]
    key, own = packets.flow[acks].astype(np.int64) << SEQ_BITS | acks, packets.flow[behind].astype(np.int64) << SEQ_BITS
    first, end = np.searchsorted(key, own | before), np.searchsorted(key, own | behind)
    shift = trace.sides.window_shift[2 * packets.flow[acks].astype(np.int64) + ~packets.outbound[acks]].astype(np.int64)
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


def dated(trace: Trace, pieces: Series, holes: Holes, spacing: float) -> Series:
    """List every missing packet at its time: within its burst, or when the timer ran out.

    Args:
        trace: The capture.
        pieces: Captured packets, for the usual size.
        holes: Where packets are missing.
        spacing: Seconds between packets of one burst.
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
    burst = np.minimum(begin[hole] + (place + 1) * spacing, end[hole])
    row = holes.behind[hole]
    return pieces.with_columns(
        {
            "time": np.where(attempt > 0, retry, burst),
            "size": np.full(len(hole), float(np.median(pieces.size))),
            "lost": np.ones(len(hole), np.bool_),
            "row": row,
            "flow": packets.flow[row].astype(np.int64),
            "start": packets.relative_seq[row] + place,
            "payload": np.zeros(len(hole), np.int64),
            "delay": np.full(len(hole), np.nan),
        }
    )


def filled_later(trace: Trace, pieces: Series, spacing: float) -> Series:
    """List a lost packet for every one that filled a hole later, behind the packet before the hole."""
    marks = trace.packets.marks[pieces.row]
    fills = np.flatnonzero((marks & Mark.FILL != 0) & (marks & Mark.REORDERED == 0))
    if len(fills) == 0:
        return pieces.take(fills)
    order = np.lexsort((np.arange(len(pieces)), pieces.flow))
    top = np.maximum.accumulate(pieces.flow[order] << SEQ_BITS | (pieces.start + pieces.payload)[order])
    wanted = pieces.flow[fills] << SEQ_BITS | pieces.start[fills]
    place = np.searchsorted(top, wanted, side="right")  # the first whose high-water mark is beyond the fill's start
    behind = order[np.minimum(place, len(order) - 1)]
    before = order[np.searchsorted(top, top[np.maximum(place - 1, 0)])]  # whoever raised the mark to the hole's edge
    known = (pieces.flow[behind] == pieces.flow[fills]) & (pieces.flow[before] == pieces.flow[fills]) & (behind < fills)
    fills, behind, before = fills[known], behind[known], before[known]
    nth = rank(behind, pieces.start[fills]) + 1
    time = np.minimum(pieces.time[before] + nth * spacing, pieces.time[behind])
    return attrs.evolve(pieces.take(fills), time=time, lost=np.ones(len(fills), np.bool_))


def usual_spacing(pieces: Series, rtt: float) -> float:
    """Give the median time in seconds between packets of one flow that were sent within half a round trip.

    What is missing between two was sent between them: behind a limit the gaps between what passed are too long.
    """
    order = np.argsort(pieces.flow, kind="stable")
    flow, start, end = pieces.flow[order], pieces.start[order], (pieces.start + pieces.payload)[order]
    ahead = start[1:] - end[:-1]
    gaps = np.diff(pieces.time[order])
    sent = 1 + np.round(ahead / max(float(np.median(pieces.payload)), 1.0)).astype(np.int64)
    near = (flow[1:] == flow[:-1]) & (ahead >= 0) & (gaps < rtt / 2)
    gaps, sent = gaps[near] / sent[near], sent[near]
    rising = np.argsort(gaps)
    share = np.cumsum(sent[rising])
    return float(gaps[rising[np.searchsorted(share, share[-1] / 2)]]) if len(gaps) else 0.0


def rank(group: I64, value: I64) -> I64:
    """Rank values within their group, from 0."""
    order = np.lexsort((value, group))
    opens = np.concatenate([[True], np.diff(group[order]) != 0])[: len(order)]
    first = np.maximum.accumulate(np.where(opens, np.arange(len(order)), 0))
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order)) - first
    return ranks
