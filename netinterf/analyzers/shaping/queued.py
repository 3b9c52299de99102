"""Which transfers were queued to a rate: their packets waited, and while they waited what came through kept one rate.

A queue of a fixed rate is work-conserving: as long as anybody waits in it, it delivers at its rate, neither more nor
less (Kleinrock, "Queueing Systems" II, 1976, §3.4). So the two are looked at together, in windows of some packets. The
queue of a line that many share delivers at its rate as well, but not to one of them: the rest of the rate belongs to
others, and what is left changes from window to window. A rate that stays the same while packets wait therefore also
says that nobody else's packets were in that queue. What shares a queue is not known beforehand: one transfer, those of
one server, or all of the client that waited are candidates, and the steadiest is believed.
"""

from collections.abc import Iterator
from functools import partial
from itertools import pairwise

import numpy as np

from netinterf.analyzers.shaping.deliveries import ACKS, Deliveries, first_of, least_trip
from netinterf.arrays import F64, I64, Mask
from netinterf.stats.robust import middle, quantile_of
from netinterf.table import Ragged
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = [
    "CEILING",
    "LEAST_EVEN",
    "LEAST_STEADY",
    "LEAST_TIME",
    "LEAST_WINDOWS",
    "Queued",
    "Windows",
    "above_after",
    "candidates",
    "cut_windows",
    "find_queued",
    "merged",
    "merged_each",
    "near",
    "steadiest",
    "waiting_lanes",
]


WINDOW, SMALLEST, ENOUGH = 12_000.0, 4_500.0, 20
"""Bytes of a window: some eight full packets, so that one delayed acknowledgement does not make a rate. Transfers that
would have fewer than twenty windows have smaller ones, of three packets at least: small transfers that count are slow
ones, whose packets come apart."""

BLOCK = 16_384
"""Deliveries that are cut together, about: so many take two megabytes, and more at once cost as much one by one."""

LEAST_WAIT = 0.005
"""Seconds of waiting that count, of the packet of a window that waited least: what managed queues aim at (RFC 8289,
§4.3)."""

LEAST_EVEN = 0.7
"""Share of the bytes of a window that must come within a factor of two of their own time at its rate, and of the
waiting windows that must be so. A queue lets packets out one after the other, but for the pauses of its sender; radio
links that sleep or wait for slots hold packets and deliver them in bunches."""

LEAST_TIME = 0.3
"""Seconds that a queue must be busy: what is over sooner is a burst that crosses a line, not a transfer held to it."""

NEARLY = 1 - 1e-9
"""What the last digits of a sum leave of it: they depend on the order in which seconds are added."""

LEAST_WINDOWS = 5
"""Windows with waiting packets below which nothing is steady."""

LEAST_SHARE = 0.08
"""Share of a transfer's time with waiting packets from which on the queue is what holds it."""

STEADY = 0.12
"""How far, in the logarithm, the rate of a window may lie from the usual one and still be the same: a packet more or
less in a window of eight."""

CEILING = 0.03
"""How far, in the logarithm, windows at the very rate of a queue may lie from it: half the size of one packet in a
window. Such windows were full, whether or not their packets were seen to wait."""

LEAST_PART = 0.25
"""Share of the bytes of a transfer that came while the queue kept its rate, at least, for it to be one of those in it.
Of ordinary transfers a few per cent come at any one rate, and while one passes by, the sum does not keep it."""

FILLED, LEAST_TRIPS = 1.2, 3
"""How much round trips through a queue grow, at least, and windows that tell them, where nothing but round trips tells
of the queue: what a sender has under way fills it, and at a rate that stays the same the round trip grows with it
(Little's law), from the slow tenth to the quick one, or from the first window to most. A receiver that answers late
keeps the rate of a window as well, at a round trip that stays the same. Real stacks behind a shaper
(`rate.shaping.names.brief` of the lab) show 1.8 and more, and 65 of 71 candidates behind simulated ones pass
(development seeds); the two false alarms there, a sleeping client and a plan's own burst, show 1.18 and one window."""

LEAST_STEADY, LEAST_ALIKE = 0.6, 0.45
"""Share of the waiting time at the usual rate from which on a queue is the transfer's own, and from which on it may be
one of a rate that another shows better. Queues that others use as well stay below the first (simulated shared lines,
development seeds), but a sender that repairs losses blurs what its acknowledgements tell."""


COLUMNS = ("group", "begin", "end", "rate", "waiting", "wait", "even", "row")


@frozen(eq=False, kw_only=True)
class Windows:
    """Windows of deliveries, group by group, in time order."""

    group: I64
    begin: F64  # seconds: the end of the window before
    end: F64
    rate: F64  # bytes a second
    waiting: Mask  # every packet of it that is known to have waited or not has waited
    wait: F64  # the least wait, seconds; NaN where none is known
    even: F64  # share of the bytes that came at their own time: neither bunched nor late
    row: I64  # row in Packets of the last delivery

    def take(self, rows: Mask | I64 | slice) -> "Windows":
        """Select windows."""
        return Windows(**{name: getattr(self, name)[rows] for name in COLUMNS})

    def each(self, groups: I64) -> Iterator["Windows"]:
        """Part off the windows of some groups, which number them from 0."""
        begin, end = np.searchsorted(self.group, groups), np.searchsorted(self.group, groups, side="right")
        return (self.take(slice(low, high)) for low, high in zip(begin.tolist(), end.tolist(), strict=True))

    @property
    def lasting(self) -> F64:
        """Seconds of each window."""
        return self.end - self.begin


@frozen(eq=False, kw_only=True)
class Queued:
    """Transfers of one client that went through one queue."""

    lanes: I64
    windows: Windows  # those with waiting packets, and others at the rate
    rate: float  # bytes a second, on the wire
    steady: float  # share of the waiting time at that rate; of all windows where no delay was measured
    sure: bool  # steady enough to be a queue of its own

    @property
    def sides(self) -> I64:
        """Rows in Sides."""
        return self.lanes >> 1

    @property
    def flows(self) -> I64:
        """Rows in Flows."""
        return self.lanes >> 2

    @property
    def view(self) -> int:
        """Which of the views."""
        return int(self.lanes[0] & 1)

    @property
    def wait(self) -> float:
        """Usual waiting in seconds, NaN where no delay was measured."""
        return middle(self.windows.wait[self.windows.waiting]) if self.windows.waiting.any() else float("nan")


def cut_windows(delivered: Deliveries, group: I64) -> Windows:
    """Cut deliveries into windows of about :data:`WINDOW` bytes, from the last delivery of one to that of the next.

    Args:
        delivered: Deliveries, sorted by group, then time.
        group: The group of each.

    Returns:
        The windows; the first of each group, whose beginning is unknown, is left out.
    """
    starts = first_of(group)
    total = np.cumsum(delivered.size)
    length = np.diff(starts, append=len(group))
    before = total[starts] - delivered.size[starts]
    window = np.clip(np.diff(before, append=total[-1:]) / ENOUGH, SMALLEST, WINDOW)
    number = ((total - np.repeat(before, length)) // np.repeat(window, length)).astype(np.int64)
    opens = np.flatnonzero((np.diff(group, prepend=-1) != 0) | (np.diff(number, prepend=-1) != 0))
    if len(opens) == 0:
        nothing = np.empty(0)
        none = np.empty(0, np.int64)
        return Windows(
            group=none, begin=nothing, end=nothing, rate=nothing, waiting=none > 0, wait=nothing, even=nothing, row=none
        )
    last = np.append(opens[1:], len(group)) - 1
    least = np.minimum.reduceat(np.where(np.isnan(delivered.wait), np.inf, delivered.wait), opens)
    follows = np.flatnonzero(group[opens[1:]] == group[opens[:-1]]) + 1
    end, begin = delivered.time[last[follows]], delivered.time[last[follows - 1]]
    moved = total[last[follows]] - total[last[follows - 1]]
    rate = moved / np.maximum(end - begin, 1e-6)
    due = np.full(len(opens), np.nan)
    due[follows] = 1 / rate
    ratio = np.diff(delivered.time, prepend=0) / np.maximum(
        delivered.size * np.repeat(due, np.diff(opens, append=len(group))), 1e-12
    )
    even = np.add.reduceat(delivered.size * (np.abs(np.log2(np.maximum(ratio, 1e-6))) <= 1), opens)[follows]
    wait = np.where(np.isinf(least), np.nan, least)[follows]
    return Windows(
        group=group[opens[follows]],
        begin=begin,
        end=end,
        rate=rate,
        waiting=wait > LEAST_WAIT + delivered.clock_error[last[follows]],
        wait=wait,
        even=even / moved,
        row=delivered.row[last[follows]],
    )


def waiting_lanes(delivered: Deliveries) -> I64:
    """List the lanes whose packets waited during much of their time; most have hardly a packet that did."""
    late = np.bincount(delivered.lane, delivered.wait > LEAST_WAIT)
    delivered = delivered.take(late[delivered.lane] >= LEAST_WINDOWS)
    windows = cut_windows(delivered, delivered.lane)
    lanes, place = np.unique(windows.group, return_inverse=True)
    whole = np.bincount(place, windows.lasting, minlength=len(lanes))
    waited = np.bincount(place, windows.lasting * windows.waiting, minlength=len(lanes))
    count = np.bincount(place, windows.waiting, minlength=len(lanes))
    return lanes[(count >= LEAST_WINDOWS) & (waited >= LEAST_SHARE * whole)]


def find_queued(trace: Trace, delivered: Deliveries, lanes: I64) -> list[Queued]:
    """Find what went through queues of their own, among lanes whose packets waited.

    Args:
        trace: The capture.
        delivered: All deliveries.
        lanes: The lanes that waited.

    Returns:
        One entry for each queue that may be steady enough; a transfer is in one at most.
    """
    tried = []
    for groups, windows in merged_each(delivered, candidates(trace, lanes)):
        busy = may_be_queued(windows, len(groups))
        queues = map(partial(try_queue, delivered), groups.take(busy), windows.each(busy))
        tried += [queue for queue in queues if queue]
    trip = least_trip(trace)
    return steadiest([queue for queue in tried if filled(queue, trip)])


def may_be_queued(windows: Windows, count: int) -> I64:
    """List those of *count* groups whose windows may have waited long enough, one packet after the other."""
    waited = np.bincount(windows.group, windows.waiting, count)
    even = np.bincount(windows.group, windows.waiting & (windows.even >= LEAST_EVEN), count)
    busy = np.bincount(windows.group, windows.waiting * windows.lasting, count) >= NEARLY * LEAST_TIME
    return np.flatnonzero(busy & (waited >= LEAST_WINDOWS) & (even >= np.maximum(LEAST_WINDOWS, LEAST_EVEN * waited)))


def filled(queued: Queued, trip: F64) -> bool:
    """Say whether the round trip grew with what was under way, where only acknowledgements tell of the queue.

    Args:
        queued: What may be a queue.
        trip: Least round trip over the receiver of each side, seconds.
    """
    if queued.view != ACKS:
        return True
    windows = queued.windows
    at_rate = np.flatnonzero(windows.waiting & near(windows.rate, queued.rate, STEADY))
    if len(at_rate) < LEAST_TRIPS:
        return False
    took = np.nanmin(trip[queued.sides]) + windows.wait[at_rate]
    return bool(quantile_of(took, 0.9) >= FILLED * quantile_of(took, 0.1) or middle(took) >= FILLED * took[0])


def steadiest(tried: list[Queued], taken: I64 | None = None) -> list[Queued]:
    """Choose queues so that no side is in two, nor in *taken*: the steadiest first, of equals the largest."""
    taken_sides = set() if taken is None else set(taken.tolist())
    chosen = []
    for queue in sorted(tried, key=lambda queue: (round(queue.steady, 1), len(queue.lanes)), reverse=True):
        if not taken_sides & set(queue.sides.tolist()):
            taken_sides |= set(queue.sides.tolist())
            chosen.append(queue)
    return chosen


def candidates(trace: Trace, lanes: I64) -> Ragged:
    """List what may share a queue: a lane alone, those of two hosts, all of a client; one direction and view each.

    Args:
        trace: The capture.
        lanes: Which, ascending.

    Returns:
        Lists of lanes, no two alike.
    """
    flow = lanes >> 2
    client, server = trace.flows.client[flow].astype(np.int64), trace.flows.server[flow].astype(np.int64)
    listed, alike = [Ragged.from_lengths(np.ones(len(lanes), np.int64), lanes)], np.ones(len(lanes), np.int64)
    for key in (client << 34 | server << 2 | lanes & 3, client << 2 | lanes & 3):
        _, first, number, count = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
        whole = Ragged.from_lengths(count, lanes[np.argsort(number, kind="stable")])
        listed.append(whole.take(count != alike[first]))  # else it is listed, as those of one server or alone
        alike = count[number]
    return Ragged.concat(listed)


def try_queue(delivered: Deliveries, lanes: I64, windows: Windows) -> Queued | None:
    """Measure how steady some lanes came together while they waited; None when they hardly did, or were not steady.

    Lanes that came at other times than those at the rate are left out.

    Args:
        delivered: All deliveries.
        lanes: The lanes.
        windows: Those of all of them together.
    """
    lasting, waited, even = windows.lasting, windows.waiting, windows.even >= LEAST_EVEN
    count = np.count_nonzero(waited)
    if count < LEAST_WINDOWS or lasting[waited].sum() < LEAST_TIME:
        return None
    if np.count_nonzero(waited & even) < max(LEAST_WINDOWS, LEAST_EVEN * count):
        return None
    unknown = waited | np.isnan(windows.wait)  # while losses are repaired, no delay is known
    rate, steady = steadiness(windows.rate[waited & even], lasting[waited & even])
    if np.count_nonzero(unknown & even) > np.count_nonzero(waited & even):
        whole = steadiness(windows.rate[unknown & even], lasting[unknown & even])
        rate, steady = whole if whole[1] > steady else (rate, steady)
    if len(lanes) > 1:
        members = lanes[part_of(delivered, lanes, windows, rate) >= LEAST_PART]
        if 0 < len(members) < len(lanes):
            return try_queue(delivered, members, merged(delivered, members))
    if steady < LEAST_ALIKE:
        return None
    return Queued(
        lanes=lanes,
        windows=windows.take(windows.waiting | near(windows.rate, rate, CEILING)),
        rate=rate,
        steady=steady,
        sure=steady >= LEAST_STEADY,
    )


def part_of(delivered: Deliveries, lanes: I64, windows: Windows, rate: float) -> F64:
    """Give the share of the bytes of each lane that came in windows of about a rate."""
    mine = delivered.of(lanes)
    window = np.minimum(np.searchsorted(windows.end, mine.time), len(windows.end) - 1)
    place = np.searchsorted(lanes, mine.lane)
    at_rate = np.bincount(place, mine.size * near(windows.rate, rate, STEADY)[window], minlength=len(lanes))
    share: F64 = at_rate / np.bincount(place, mine.size, minlength=len(lanes))
    return share


def near(rates: F64, rate: float | F64, far: float) -> Mask:
    """Say which rates of windows are some rate, within *far* in the logarithm."""
    close: Mask = np.abs(np.log(rates / rate)) <= far
    return close


def above_after(windows: Windows, close: Mask, rate: float | F64) -> Mask:
    """Say which windows lie above a rate after the first of their group that had it: a fast start is no exception.

    Args:
        windows: Windows, group by group.
        close: Which of them had the rate.
        rate: Bytes a second, of all or of each.
    """
    starts = first_of(windows.group)
    length = np.diff(starts, append=len(close))
    close_count = np.cumsum(close)
    before: I64 = np.repeat(close_count[starts] - close[starts], length)
    above: Mask = (windows.rate > rate * (1 + 2 * CEILING)) & (close_count > before)
    return above


def merged(delivered: Deliveries, lanes: I64) -> Windows:
    """Cut the deliveries of some lanes, taken together, into windows."""
    return next(iter(merged_each(delivered, Ragged.from_lengths([len(lanes)], lanes))))[1]


def merged_each(delivered: Deliveries, groups: Ragged) -> Iterator[tuple[Ragged, Windows]]:
    """Cut the deliveries of each of some groups of lanes, taken together, into windows.

    Yields:
        Some of the groups after others, and their windows; the *group* of a window is its place among these.
    """
    count = delivered.count(groups.values)
    size = np.add.reduceat(count, groups.offsets[:-1]) if len(groups) else count  # none is empty
    for begin, end in pairwise([*first_of(np.cumsum(size) // BLOCK).tolist(), len(groups)]):
        some = groups.take(slice(begin, end))
        owner = np.repeat(some.parents(), delivered.count(some.values))
        mine = delivered.of(some.values)
        order = np.lexsort((mine.time, owner))
        yield some, cut_windows(mine.take(order), owner[order])


def steadiness(rates: F64, lasting: F64) -> tuple[float, float]:
    """Give the median over time of the rates of windows, bytes a second, and the share of the time at about that."""
    order = np.argsort(rates)
    until = np.cumsum(lasting[order])
    rate = float(rates[order[np.searchsorted(until, until[-1] / 2)]])
    return rate, float(lasting[near(rates, rate, STEADY)].sum() / until[-1])
