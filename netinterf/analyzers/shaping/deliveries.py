"""What of each sizeable transfer came out of the path when, and how long it had waited on the way.

Two views serve, because the tap may sit on either side of a queue. Before it, acknowledgements tell what was delivered,
and round trips above the least one tell the waiting. Behind it, the arrivals themselves are what left the queue, and
the sender's timestamps tell the waiting (RFC 7323; Paxson, "End-to-End Internet Packet Dynamics", 1997, §5): arrival
less timestamp, above the least of the transfer. All transfers of a capture are laid out at once.
"""

import numpy as np

from netinterf.analyzers.sides import running_top
from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import distinct
from netinterf.schema import Mark, RttKind, TcpFlag, TcpOption
from netinterf.stats.robust import group_quantile
from netinterf.table import spans
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["ACKS", "ARRIVALS", "LEAST_BYTES", "Deliveries", "deliveries", "sizeable"]

TCP = 6

ACKS, ARRIVALS = 0, 1
"""The views: told by acknowledgements, and seen to arrive."""

LEAST_BYTES = 30_000
"""Payload below which a transfer is too small to have a rate: it ends in slow start."""

CLOCKS = np.array([10.0, 100.0, 250.0, 1000.0, 1e6])
"""Timestamp clocks in use, ticks a second (RFC 7323 §5.4 allows 1 ms … 1 s; some stacks tick in µs)."""

CLOCK_ERROR = 0.4
"""How far, in the logarithm, a measured clock may lie from the nearest in use: those lie 0.9 and more apart."""

LIFETIME = 120.0
"""Seconds that a packet lives at most (RFC 9293 §3.4.1); what seems to have waited longer has another clock."""

DRIFT = 1e-4
"""Two clocks drift apart by no more than that share of the time (Kohno, Broido, Claffy, "Remote physical device
fingerprinting", 2005, Figure 1: all of some thousand hosts within 100 ppm)."""


@frozen(eq=False, kw_only=True)
class Deliveries:
    """Deliveries of some transfers, sorted by transfer, then time. The columns are aligned."""

    lane: I64  # which transfer in which view: 2 · side + view
    row: I64  # row in Packets that shows it
    time: F64  # seconds since the first packet of the capture
    size: F64  # bytes on the wire that it delivered
    wait: F64  # seconds above the least delay of the way, NaN where unknown
    clock_error: F64  # how much waiting may be an error of the clocks, seconds

    def __len__(self) -> int:
        return len(self.lane)

    def take(self, rows: Mask | I64 | slice) -> "Deliveries":
        """Select deliveries, in the order given."""
        if isinstance(rows, np.ndarray) and rows.dtype == np.bool_:
            rows = np.flatnonzero(rows)
        return Deliveries(
            **{name: getattr(self, name)[rows] for name in ("lane", "row", "time", "size", "wait", "clock_error")}
        )

    def count(self, lanes: I64) -> I64:
        """Count the deliveries of some lanes; of a table in the order of lanes only."""
        count: I64 = np.searchsorted(self.lane, lanes, "right") - np.searchsorted(self.lane, lanes)
        return count

    def of(self, lanes: I64) -> "Deliveries":
        """Select the deliveries of some lanes, lane by lane; of a table in the order of lanes only."""
        begin, end = np.searchsorted(self.lane, lanes), np.searchsorted(self.lane, lanes, "right")
        return self.take(spans(begin, end - begin))


def sizeable(trace: Trace) -> I64:
    """List the rows in Sides of transfers that moved enough to have a rate."""
    return np.flatnonzero(trace.sides.payload_bytes >= LEAST_BYTES)


def deliveries(trace: Trace, sides: I64) -> Deliveries:
    """Lay out the deliveries of some sides in both views.

    Args:
        trace: The capture.
        sides: Rows in Sides, ascending.

    Returns:
        All of them; acknowledgements of TCP only, waiting where round trips or timestamps tell it.
    """
    packets = trace.packets
    flows = distinct(sides >> 1)
    rows = trace.by_flow.values[spans(trace.by_flow.offsets[flows], trace.by_flow.lengths[flows])]
    rows = rows[packets.marks[rows] & Mark.DUPLICATE_FRAME == 0].astype(np.int64)
    side = 2 * packets.flow[rows].astype(np.int64) + ~packets.outbound[rows]
    wanted = np.zeros(len(trace.sides), np.bool_)
    wanted[sides] = True
    payload = packets.payload_length[rows]
    data = wanted[side] & (payload > 0) & (packets.marks[rows] & Mark.KEEP_ALIVE == 0)
    acks = wanted[side ^ 1] & (packets.tcp_flags[rows] & (TcpFlag.ACK | TcpFlag.SYN | TcpFlag.RST) == TcpFlag.ACK)
    acks &= packets.protocol[rows] == TCP
    parts = [
        arrived(trace, *by_side(rows[data], side[data])),
        acknowledged(trace, *by_side(rows[acks], side[acks] ^ 1)),
    ]
    lane, row, size, wait, clock_error = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort(lane, kind="stable")
    time = (packets.time[row] - trace.began) / 1e9
    delivered = Deliveries(lane=lane, row=row, time=time, size=size, wait=wait, clock_error=clock_error)
    return delivered.take(order)


def by_side(rows: I64, side: I64) -> tuple[I64, I64]:
    """Bring packets that lie flow by flow into the order of sides, and of time within."""
    order = np.argsort(side, kind="stable")
    return rows[order], side[order]


Columns = tuple[I64, I64, F64, F64, F64]


def arrived(trace: Trace, rows: I64, side: I64) -> Columns:
    """Measure how late each data packet came, beside its sender's clock; a flow's clock starts anywhere."""
    packets = trace.packets
    headers = packets.payload_at[rows].astype(np.int64) - packets.ip_at[rows]
    size = (headers + packets.payload_length[rows]).astype(np.float64)  # as queues count: links frame differently
    wait, clock_error = np.full(len(rows), np.nan), np.zeros(len(rows))
    stamped = packets.tcp_options[rows] & TcpOption.TIMESTAMPS != 0
    stamped &= trace.recording.timing_informative[packets.flow[rows]]
    if stamped.any():
        own, of = rows[stamped], side[stamped]
        starts = first_of(of)
        group = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(of)))
        ticks = (packets.tsval[own] - packets.tsval[own[starts]][group]).astype(np.int32).astype(np.float64)
        since = (packets.time[own] - packets.time[own[starts]][group]) / 1e9
        ends = np.append(starts[1:], len(of)) - 1
        lasting = since[ends]
        with np.errstate(divide="ignore", invalid="ignore"):
            pace = np.log(ticks[ends] / lasting)
            away = np.abs(pace[:, None] - np.log(CLOCKS))
        clock = np.where(
            np.nanmin(np.where(np.isfinite(away), away, np.inf), axis=1) < CLOCK_ERROR,
            CLOCKS[np.argmin(np.where(np.isfinite(away), away, np.inf), axis=1)],
            np.nan,
        )
        late = since - ticks / clock[group]
        wait[stamped] = late - np.minimum.reduceat(late, starts)[group]
        clock_error[stamped] = (DRIFT * lasting + 2 / clock)[group]
    wait[wait > LIFETIME] = np.nan
    silent = ~np.isin(side, side[stamped])
    wait[silent] = repaired(trace, rows[silent], side[silent])
    return 2 * side + ARRIVALS, rows, size, wait, np.nan_to_num(clock_error)


def repaired(trace: Trace, rows: I64, side: I64) -> F64:
    """Tell waiting without timestamps: how long it took until what was lost came again.

    The sender repeats a packet when three later ones were reported (RFC 5681 §3.2), so the repeat comes a round trip
    after the third, queue included. Only the first repeat after a hole opened counts, and only when packets went on
    arriving until it came: a repeat by the sender's timer waits for that.

    Args:
        trace: The capture.
        rows: Data packets without timestamps, sorted by side, then time.
        side: The side of each.

    Returns:
        The median for all packets of a side, NaN for those with fewer than two such repeats.
    """
    wait = np.full(len(rows), np.nan)
    marks, time = trace.packets.marks[rows], trace.packets.time[rows] / 1e9
    filled = np.flatnonzero((marks & Mark.FILL != 0) & (marks & Mark.REORDERED == 0))
    holes = np.flatnonzero(marks & Mark.GAP_BEFORE != 0)
    if len(filled) == 0 or len(holes) == 0:
        return wait
    begin = np.searchsorted(side, side[filled])
    begin[1:] = np.maximum(begin[1:], filled[:-1] + 1)
    opened = holes[np.minimum(np.searchsorted(holes, begin), len(holes) - 1)]
    third = opened + 2
    keep = (opened >= begin) & (third < filled)
    keep[keep] &= time[filled[keep]] - time[filled[keep] - 1] < STEADY_GAP * (time[filled[keep]] - time[opened[keep]])
    filled, third = filled[keep], third[keep]
    whole = np.maximum(trace.sides.rtt.reshape(-1, 2), 0).sum(axis=1)[side[filled] >> 1] / 1e9
    took = np.where(whole > 0, time[filled] - time[third] - whole, np.nan)
    count = len(trace.sides)
    usual = group_quantile(took, side[filled], count, 0.5)
    usual[np.bincount(side[filled], minlength=count) < LEAST_REPAIRS] = np.nan
    return np.maximum(usual, 0.0)[side]


LEAST_REPAIRS = 2
"""Losses repaired in time below which nothing is said of the waiting."""

STEADY_GAP = 0.25
"""A repeat came in time when the pause before it is below that share of the time since the hole opened."""


def acknowledged(trace: Trace, rows: I64, side: I64) -> Columns:
    """Measure what each acknowledgement says was delivered, and its round trip above the flow's least."""
    packets = trace.packets
    reached = running_top(packets.relative_ack[rows], side)
    more = np.diff(reached, prepend=0)
    more[first_of(side)] = 0
    again = (packets.marks[rows] & Mark.DUP_ACK != 0) & (more == 0)
    keep = (more > 0) | again
    rows, side, more, again = rows[keep], side[keep], more[keep], again[keep]
    segment = full_segment(trace)[side]
    moved = credited_early(side, more, again, segment)
    wait = round_trips(trace)[rows] - least_trip(trace)[side]
    single = 2 * more < 3 * segment
    wait[single] = np.where(wait[single] > DELAYED_ACK, wait[single] - DELAYED_ACK, np.nan)
    wait[~trace.recording.timing_informative[packets.flow[rows]]] = np.nan  # somebody else acknowledges
    size = np.rint(moved * (1 + HEADERS / segment))  # whole bytes add up to the same whatever they are added with
    return 2 * side + ACKS, rows, size, wait, np.zeros(len(rows))


def full_segment(trace: Trace) -> I64:
    """Give the payload of a full packet of each side: the smaller of what both ends announced, less timestamps."""
    mss = trace.sides.mss.reshape(-1, 2).astype(np.int64)
    least = np.maximum(np.where(mss > 0, mss, MSS).min(axis=1), LEAST_MSS) - STAMPS
    return np.repeat(least, 2)


def credited_early(side: I64, more: I64, again: Mask, segment: I64) -> F64:
    """Count a packet for each duplicate acknowledgement, and take it off what later ones say was delivered.

    While packets are missing, the acknowledgements stand still or advance from hole to hole although others arrive;
    each of these is reported by a duplicate (RFC 5681 §2). What was counted early and is still to be taken off is a sum
    reflected at zero, a side apart.

    Args:
        side: Side of each acknowledgement, those of a side together.
        more: Bytes by which it advances; 0 for duplicates.
        again: Which ones are duplicates.
        segment: Bytes of a full packet.

    Returns:
        Bytes that each tells of for the first time.
    """
    if len(side) == 0:
        return np.empty(0)
    starts = first_of(side)
    number = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(side)))
    step = np.where(again, segment, -more)
    level = np.cumsum(step) - (number << SIDE_BITS)
    lowest = level.copy()
    lowest[starts] = np.minimum(level, level - step)[starts]  # a side begins at zero
    early = level - np.minimum.accumulate(lowest)
    before = np.concatenate([[0], early[:-1]])
    before[starts] = 0
    moved: F64 = np.where(again, segment, more + early - before).astype(np.float64)
    return moved


SIDE_BITS = 40
"""Room for the bytes of a side (a terabyte) below its number in one falling sum."""


LEAST_MSS = 48
"""Segments smaller than this are not sent, whatever was announced (Linux ip-sysctl, tcp_min_snd_mss)."""

MSS, STAMPS, HEADERS = 1460, 12, 66
"""Segment size that is usual on Ethernet, bytes that timestamps take of it, and headers of such a packet on the wire
(Ethernet 14, IP 20, TCP 32)."""

DELAYED_ACK = 0.2
"""Seconds for which a receiver may hold the acknowledgement of a single packet back: RFC 1122 §4.2.3.2 allows 0.5, and
no stack in use takes more than 0.2. A second full packet is acknowledged at once."""


def round_trips(trace: Trace) -> F64:
    """Give the round trip that each packet ended as an answer, in seconds; NaN for packets that ended none."""
    trips = np.full(len(trace.packets), np.nan)
    rtts = trace.rtts
    for kind in (RttKind.TIMESTAMP, RttKind.DATA):  # the packet that an answer is paired with by its number is nearer
        chosen = rtts.kind == kind
        trips[rtts.packet[chosen]] = rtts.value[chosen] / 1e9
    return trips


def least_trip(trace: Trace) -> F64:
    """Give the least round trip from the tap over the receiver of each side in seconds, NaN where unknown.

    Of each flow alone: names at one address may be served at different places.
    """
    answering = trace.sides.rtt.reshape(-1, 2)[:, ::-1].reshape(-1)  # the other side answers
    return np.where(answering >= 0, answering / 1e9, np.nan)


def first_of(groups: I64) -> I64:
    """Place of the first of each run of equal numbers."""
    return np.flatnonzero(np.diff(groups, prepend=-1) != 0)
