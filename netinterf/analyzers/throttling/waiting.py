"""Did packets wait before the next one was dropped? A full queue makes them, an empty token bucket does not.

The delay of a packet is its round trip (at the sender's side of the limit), or the time of its arrival less its TCP
timestamp (at the receiver's side; RFC 7323). What it waited is the delay above the direction's least. What it would
have waited is known from the fit: the tokens missing from a full bucket are the bytes standing in a queue of the same
rate. The share of the two is 1 for a queue, 0 for a bucket, and between for a shaper that lets a burst through before
it queues; such a shaper still queues before it drops, so the packets nearest to the drops decide. The lower quartile
is taken, because delayed acknowledgements lengthen some round trips at random but a queue lengthens all.
"""

from itertools import pairwise

import attrs
import numpy as np

from netinterf.analyzers.throttling.resent import sack_reports
from netinterf.analyzers.throttling.series import Series
from netinterf.analyzers.throttling.ways import SEQ_BITS, Ways
from netinterf.arrays import F64, I64, Mask
from netinterf.schema import RttKind, TcpOption
from netinterf.stats.bucket.fit import BucketFit
from netinterf.stats.levels import burst_curve
from netinterf.stats.robust import middle, quantile_of, theil_sen
from netinterf.table import spans
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["SPACED", "Waiting", "least_delay", "measure_arrivals", "measure_waiting", "with_delays"]

LEAST_SAMPLES = 10
"""Delays of a direction below which its least delay is not known well enough."""

NEAR_SAMPLES, MOST_NEAR = 3, 20
"""Packets nearest to the drops that are compared: at least and at most so many."""

NEAR_SHARE, NEAR_EMPTY = 0.5, 10
"""None of them may have met a bucket fuller than this share, nor one that held more than so many packets: a shaper that
lets a large burst through queues only after it, and its queue may be short beside the burst."""

NOTHING, NONE_BELOW, QUEUE_ABOVE = 0.05, 0.1, 0.2
"""Shares of the expected waiting that speak for no queue (the middle one only when less than one packet waited) and for
a queue. Laboratory policers stay below 0.02, shapers above 0.3, even one that lets half of its depth through at once.
A burst that crosses the links before the limit at their own, higher rates waits a little as well."""

LONGEST = 0.01
"""Seconds of waiting that a path adds by itself; a sender's burst on links before the limit, and radio, make no more.
Flach et al. (§3.2) take 20 ms beside 1.3 times the least round trip for a queue."""

LEAST_DEPTH = 4
"""Packets of depth below which little waiting does not exclude a queue, since most packets find such a one empty."""

LEAST_BURST = 6
"""Packets beyond the rate that no queue lets arrive at once; more than a handful, since links bunch a few."""

SPENT, SAME, SPACED = 0.9, 0.1, 0.7
"""Of the packets that passed a bucket spent down to a tenth, the share that follow another at the rate's own distance,
within a tenth of it (Dovrolis, Ramanathan, Moore, INFOCOM 2001): from 0.7 on something spaces them, and bursts do not
exclude a queue, as behind a shaper that lets a burst through. Such shapers show 0.77 and more (simulated plans on
development seeds, laboratory buckets); of 18 units of policed transfers 15 at most 0.38, and three, of senders that
pace, 0.50 to 0.64."""

CLOCKS = np.array([10.0, 100.0, 250.0, 1000.0, 1e4, 1e5, 1e6])
"""Timestamp clocks in use, ticks a second (RFC 7323 §5.4 allows 1 ms … 1 s; some stacks tick in µs)."""


@frozen(kw_only=True)
class Waiting:
    """How long the packets just before the drops waited."""

    share: float = np.nan  # of what they would have waited in a queue; NaN when it cannot be told
    depth: float = np.nan  # of the bucket, in packets
    packets: float = np.nan  # in service times of one packet
    seconds: float = np.nan
    inflation: float = np.nan  # their round trip as a multiple of the least one; NaN without round trips
    burst: float = np.nan  # without delays: the most packets that arrived beyond the rate; at the receiver's side only
    spaced: float = np.nan  # … share of packets that came at the rate's own distance
    samples: int = 0

    @property
    def queued(self) -> int:
        """Say 1 for a queue, -1 for none, 0 when it cannot be told.

        A queue that drops holds at least one packet, so waiting less than that excludes one. Where a packet takes less
        time than the path's own jitter, only waiting that is next to nothing beside the depth does. A queue also
        spaces what leaves it: behind one, packets cannot arrive in bursts beyond its rate. Where most come spaced all
        the same, it may be a shaper that lets bursts through, or a line of about that rate.
        """
        if np.isnan(self.share):
            return -int(self.burst >= LEAST_BURST and not self.spaced >= SPACED)
        short = self.share <= NOTHING or (self.share <= NONE_BELOW and self.packets <= 1.0)
        short &= self.depth >= LEAST_DEPTH and self.seconds <= LONGEST
        return int(self.share >= QUEUE_ABOVE) - int(short)


def with_delays(trace: Trace, series: Series, ways: Ways, slopes: dict[int, float]) -> Series:
    """Measure the delay of each wire packet of directions: its round trip, or at the receiver its way from the sender.

    Nothing is measured where somebody else acknowledges, for timestamps are that somebody's there.

    Args:
        trace: The capture.
        series: The packets.
        ways: The directions.
        slopes: Timestamps a second by row in Sides, as far as they are known; what is measured is added.
    """
    way = ways.way[series.lane]
    foreign = np.bincount(way[~trace.recording.timing_informative[series.flow]], minlength=len(ways)) > 0
    told = np.flatnonzero(~foreign[way])
    delay, measured = series.delay.copy(), series.take(told)
    delay[told] = _one_way(trace, measured, ways, slopes) if series.upstream else _compared(trace, measured, ways)
    return attrs.evolve(series, delay=delay)


def _compared(trace: Trace, series: Series, ways: Ways) -> F64:
    """Take round trips, and bring those of a direction to several servers to one least value: far ones are no queue."""
    delay = _round_trips(trace, series, ways)
    pairs, pair = np.unique(ways.way << 32 | trace.flows.server[ways.flow], return_inverse=True)
    least, first = np.full(len(pairs), np.nan), np.full(len(ways), np.nan)
    np.fmin.at(least, pair[series.lane], delay)
    np.fmin.at(first, pairs >> 32, least)
    level: F64 = delay - least[pair[series.lane]] + first[ways.way[series.lane]]
    return level


def least_delay(trace: Trace, series: Series) -> tuple[float, bool]:
    """Give the least delay of a direction in seconds, and whether it was measured before anything could queue.

    The minimum is taken, not a quantile: where one packet takes longer than the round trip, the queue of a bulk
    transfer is empty only for its first packets. The delay is NaN when too few are known.
    """
    known = series.delay[~np.isnan(series.delay)]
    opened = bool((trace.sides.syn.reshape(-1, 2)[np.unique(series.flow)] >= 0).any(axis=1).all())
    return (float(known.min()) if len(known) >= LEAST_SAMPLES else float("nan")), opened


def _round_trips(trace: Trace, series: Series, ways: Ways) -> F64:
    """Take the round trips of packets sent once: those of the trace, and the first report of each by SACK.

    A policed flow misses packets most of the time, so cumulative acknowledgements alone say little; selective ones
    report what arrived last whatever is missing (RFC 2018 §4).
    """
    delay, packets = np.full(len(series), np.nan), trace.packets
    ends = series.lane << SEQ_BITS | series.start + series.payload
    order = np.lexsort((series.row, ends))
    ends = ends[order]
    single = np.ones(len(order), np.bool_)
    single[1:] &= ends[1:] != ends[:-1]
    single[:-1] &= ends[1:] != ends[:-1]
    ends, order = ends[single], order[single]
    sent, lanes = packets.time[series.row], np.unique(series.lane)
    reports = sack_reports(trace, ways, lanes)
    reports = reports.take(reports.first)
    _match(delay, sent, order, ends, reports.lane << SEQ_BITS | reports.right, packets.time[reports.row])
    samples, lane = _samples(trace, ways, lanes)
    asked = trace.rtts.asked[samples]
    end = packets.relative_seq[asked] + packets.payload_length[asked]
    _match(delay, sent, order, ends, lane << SEQ_BITS | end, packets.time[trace.rtts.packet[samples]])
    return delay


def _samples(trace: Trace, ways: Ways, lanes: I64) -> tuple[I64, I64]:
    """List the round trips of the flows of lanes, lane by lane: rows in those of the trace, and lanes."""
    rtts = trace.rtts
    flow = rtts.side // 2
    chosen = np.flatnonzero((rtts.kind != RttKind.HANDSHAKE) & np.isin(flow, ways.flow[lanes]))
    chosen = chosen[np.argsort(flow[chosen], kind="stable")]
    edges = np.searchsorted(flow[chosen], [ways.flow[lanes], ways.flow[lanes] + 1])
    samples = chosen[spans(edges[0], edges[1] - edges[0])]
    return samples, np.repeat(lanes, edges[1] - edges[0])


def _match(
    delay: F64,
    sent: I64,
    order: I64,
    ends: I64,
    wanted: I64,
    answered: I64,
) -> None:
    """Enter the least time from each packet, known by its end, to an answer that reports this end."""
    if len(ends) == 0 or len(wanted) == 0:
        return
    place = np.minimum(np.searchsorted(ends, wanted), len(ends) - 1)
    hit = ends[place] == wanted
    packet = order[place[hit]]
    took = (answered[hit] - sent[packet]) / 1e9
    np.fmin.at(delay, packet, np.where(took >= 0, took, np.nan))


def _one_way(trace: Trace, series: Series, ways: Ways, slopes: dict[int, float]) -> F64:
    """Compare arrivals with the sender's timestamps, flow by flow; a flow's clock starts anywhere."""
    delay, packets = np.full(len(series), np.nan), trace.packets
    stamped = np.flatnonzero((packets.tcp_options[series.row] & TcpOption.TIMESTAMPS != 0) & ~series.lost)
    stamped = stamped[np.argsort(series.lane[stamped], kind="stable")]
    value, time = packets.tsval[series.row[stamped]], series.time[stamped]
    opens = np.flatnonzero(np.diff(series.lane[stamped], prepend=-1))
    for begin, end in pairwise([*opens.tolist(), len(stamped)]):
        ticks = (value[begin:end] - value[begin]).astype(np.int32).astype(np.float64)  # modulo 2**32 as the field is
        side = int(ways.sender[series.lane[stamped[begin]]])
        if side not in slopes:
            slopes[side] = theil_sen(time[begin:end], ticks)
        if not slopes[side] > 0:
            continue
        clock = CLOCKS[np.argmin(np.abs(np.log(CLOCKS / slopes[side])))]
        late = time[begin:end] - ticks / clock
        delay[stamped[begin:end]] = late - late.min()
    return delay


def nearly_empty(missing: F64, fit: BucketFit, packet: float) -> Mask:
    """Say of each packet whether the bucket was nearly empty behind it, given the bytes missing and the usual size."""
    near: Mask = missing >= max(NEAR_SHARE * fit.depth, fit.depth - NEAR_EMPTY * packet)
    return near


def measure_arrivals(unit: Series, fit: BucketFit, left: F64) -> Waiting:
    """Measure how packets arrived next to a nearly empty bucket, where their delays are not known.

    A queue spaces what leaves it, so behind one none arrive at once beyond the rate, and most follow another at the
    rate's own distance; before it is filled, bursts may pass.

    Args:
        unit: The wire packets that were fitted, at the receiver's side.
        fit: The fitted bucket.
        left: What each packet would leave in it, bytes.
    """
    packet, missing = middle(unit.size), fit.depth - left
    passed = np.flatnonzero(~unit.lost)
    near, spent = nearly_empty(missing[passed], fit, packet), missing[passed] >= SPENT * fit.depth
    time, size = unit.time[passed], unit.size[passed]
    distance = np.diff(time)[spent[1:]] * fit.rate / size[1:][spent[1:]]
    return Waiting(
        burst=float(burst_curve(time[near], size[near], np.array([fit.rate]))[0][0]) / packet,
        spaced=float(np.mean(np.abs(distance - 1) <= SAME)) if len(distance) else np.nan,
    )


def measure_waiting(unit: Series, least: float, opened: bool, fit: BucketFit, left: F64) -> Waiting:
    """Measure how long the packets next to the drops of a unit waited.

    Args:
        unit: The wire packets that were fitted, with delays.
        least: Least delay of the direction in seconds, NaN when unknown.
        opened: Whether the flows were captured from their beginning.
        fit: The fitted bucket.
        left: What each packet would leave in it, bytes.

    Returns:
        The waiting; unknown with too few delays, in all or next to the drops.
    """
    packet = middle(unit.size)
    if np.isnan(least) or not np.isfinite(fit.rate) or (not opened and packet / fit.rate > least):
        return Waiting()
    missing = fit.depth - left  # it waits for itself, too
    known = np.flatnonzero(~unit.lost & ~np.isnan(unit.delay) & nearly_empty(missing, fit, packet))
    losses = np.flatnonzero(unit.lost)
    ahead = np.append(losses, len(unit) + len(losses))[np.searchsorted(losses, known)] - known
    near = known[np.argsort(ahead, kind="stable")[:MOST_NEAR]]
    if len(near) < NEAR_SAMPLES:
        return Waiting()
    waited = np.maximum(0.0, unit.delay[near] - least)
    lower = quantile_of(waited, 0.25)
    return Waiting(
        share=quantile_of(waited * fit.rate / missing[near], 0.25),
        depth=fit.depth / packet,
        packets=lower * fit.rate / packet,
        seconds=lower,
        inflation=np.nan if unit.upstream or least <= 0 else (least + lower) / least,
        samples=len(near),
    )
