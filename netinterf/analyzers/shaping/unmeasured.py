"""Queues behind which no delay can be measured: what arrives tells them by itself.

At the receiver's side of a queue and without timestamps, nobody sees packets wait. But what leaves a queue does so one
packet after the other, at the link's time for each. So the rate has a ceiling that much of the transfer keeps to within
a few per cent, and that nothing exceeds. A sender that paces its packets keeps a rate as well. Three things tell the
queue from it: several transfers of which each comes as it likes keep a common ceiling; what was lost was repeated late,
though packets went on arriving (see `deliveries`); or the very first flights, which senders emit at once, came spread
at that rate (packet dispersion: Dovrolis, Ramanathan, Moore, "What do packet dispersion techniques measure?", INFOCOM
2001).
"""

import numpy as np

from netinterf.analyzers.shaping.deliveries import ARRIVALS, Deliveries, first_of
from netinterf.analyzers.shaping.queued import (
    CEILING,
    LEAST_EVEN,
    LEAST_TIME,
    LEAST_WINDOWS,
    NEARLY,
    Queued,
    Windows,
    above_after,
    candidates,
    merged,
    merged_each,
    near,
    steadiest,
)
from netinterf.arrays import F64, I64
from netinterf.table import Ragged
from netinterf.trace import Trace

__all__ = ["find_unmeasured"]


LEAST_AT, MOST_ABOVE = 0.35, 0.05
"""Shares of the windows at the ceiling, at least, and above it, at most. Of ordinary transfers, whose rate follows
their window, a few per cent keep any one rate so closely."""

LEAST_BUSY = 0.15
"""Share of the time at the ceiling, at least: bursts come at the rate of some line, whatever holds the transfer."""

EARLY, LEAST_SPREAD = 24, 6
"""Packets of a transfer that count as its beginning, and of these at least so many that follow another at the
ceiling's own distance. None may follow sooner."""

TOO_NEAR, SAME = 0.8, 0.1
"""Share of the ceiling's distance between two packets that is too near, and how far from 1 is still the same."""

OWN_SHARE = 0.5
"""A transfer alone keeps less than that share of what all of a queue together keep of the ceiling, where they share
it."""


def find_unmeasured(trace: Trace, delivered: Deliveries, waiting: I64, taken: I64) -> list[Queued]:
    """Find queues behind which no delay could be measured.

    Args:
        trace: The capture.
        delivered: All deliveries.
        waiting: Lanes whose packets are known to have waited.
        taken: Sides that need no further explanation.

    Returns:
        Queues, with the windows at their ceiling.
    """
    arrivals = delivered.take(delivered.lane & 1 == ARRIVALS)
    lanes, first = np.unique(arrivals.lane, return_index=True)
    known = np.add.reduceat(~np.isnan(arrivals.wait), first) if len(lanes) else np.empty(0, np.int64)
    mute = lanes[((known == 0) | np.isin(lanes, waiting)) & ~np.isin(lanes >> 1, taken)]
    tried = []
    for groups, windows in merged_each(arrivals, long_enough(arrivals, candidates(trace, mute))):
        promising, rates = may_have_ceiling(windows)
        for members, own, rate in zip(groups.take(promising), windows.each(promising), rates.tolist(), strict=True):
            tried.append(try_ceiling(trace, arrivals, members, own, rate, waiting))
    return steadiest([queue for queue in tried if queue], taken)


def long_enough(arrivals: Deliveries, groups: Ragged) -> Ragged:
    """Leave out the groups whose packets all came within less time than a queue must be busy."""
    if not len(groups):
        return groups
    first = first_of(arrivals.lane)
    place = np.searchsorted(arrivals.lane[first], groups.values)
    begin, end = arrivals.time[first][place], arrivals.time[np.append(first[1:], len(arrivals.lane)) - 1][place]
    opens = groups.offsets[:-1]  # none is empty
    span = np.maximum.reduceat(end, opens) - np.minimum.reduceat(begin, opens)
    return groups.take(np.flatnonzero(span >= NEARLY * LEAST_TIME))


def may_have_ceiling(windows: Windows) -> tuple[I64, F64]:
    """List the groups with a rate that enough windows keep to, for long enough, and few exceed; give the rates, too."""
    starts = first_of(windows.group)
    length, rates = np.diff(starts, append=len(windows.group)), ceilings_of(windows)
    if not len(starts):
        return starts, rates
    rate = np.repeat(rates, length)
    at = near(windows.rate, rate, CEILING)
    above = np.add.reduceat(above_after(windows, at, rate), starts, dtype=np.int64)
    hits = np.add.reduceat(at, starts, dtype=np.int64)
    even = np.add.reduceat(at & (windows.even >= LEAST_EVEN), starts, dtype=np.int64)
    busy, lasting = (np.add.reduceat(time, starts) for time in (np.where(at, windows.lasting, 0), windows.lasting))
    keep = (hits >= LEAST_WINDOWS) & (hits >= LEAST_AT * length) & (above <= MOST_ABOVE * length)
    keep &= even >= LEAST_EVEN * hits  # what a timer sends at once comes at one rate as well, and not one by one
    keep &= (busy >= LEAST_TIME) & (busy >= LEAST_BUSY * lasting)
    return windows.group[starts[keep]], rates[keep]


def try_ceiling(
    trace: Trace, delivered: Deliveries, lanes: I64, windows: Windows, rate: float, waiting: I64
) -> Queued | None:
    """Ask whether the ceiling that some lanes have together (`may_have_ceiling`) is a queue's.

    Args:
        trace: The capture.
        delivered: Arrivals.
        lanes: Which came together.
        windows: Those of all of them together.
        rate: The ceiling.
        waiting: Lanes whose packets are known to have waited.
    """
    at = near(windows.rate, rate, CEILING)
    steady = int(np.count_nonzero(at)) / len(at)
    queue = len(np.intersect1d(lanes, waiting)) > 0 or common(delivered, lanes, rate, steady)
    if not queue and not any(spread_early(trace, delivered, lane, rate) for lane in lanes.tolist()):
        return None
    return Queued(lanes=lanes, windows=windows.take(at), rate=rate, steady=steady, sure=True)


def ceilings_of(windows: Windows) -> F64:
    """Find the rate that most windows of each group keep to, group by group."""
    starts, place = first_of(windows.group), np.arange(len(windows.group))
    rates = np.log(windows.rate)
    rates = rates[np.lexsort((rates, windows.group))]  # windows lie group by group
    ends = np.concatenate([rates, rates + 2 * CEILING])
    order = np.lexsort((ends, np.tile(windows.group, 2)))  # stable: of equal ones the rate comes first
    reached = np.empty(len(ends), np.int64)
    reached[order] = np.cumsum(order < len(rates))
    count = reached[len(rates) :] - place
    most = np.maximum.reduceat(count, starts) if len(starts) else starts
    best = np.flatnonzero(count == np.repeat(most, np.diff(starts, append=len(count))))
    best = best[first_of(windows.group[best])]
    middle: F64 = (rates[best + (most - 1) // 2] + rates[best + most // 2]) / 2
    return np.exp(middle)


def common(delivered: Deliveries, lanes: I64, rate: float, together: float) -> bool:
    """Say whether lanes keep a ceiling together that none of them keeps alone."""
    if len(lanes) < 2:
        return False
    alone = [merged(delivered, np.array([lane])) for lane in lanes.tolist()]
    shares = [np.mean(near(windows.rate, rate, CEILING)) for windows in alone if len(windows.rate)]
    return bool(max(shares, default=1.0) < OWN_SHARE * together)


def spread_early(trace: Trace, delivered: Deliveries, lane: int, rate: float) -> bool:
    """Say whether the first full packets of a lane, captured from its SYN on, came spread at the rate."""
    if trace.sides.syn[lane >> 1] < 0:
        return False
    mine = delivered.of(np.array([lane]))
    size, gap = mine.size[:EARLY], np.diff(mine.time[:EARLY])
    large = size >= 0.95 * size.max(initial=0.0)
    full, size = large[1:] & large[:-1], size[1:]
    share = gap[full] * rate / size[full]
    return bool(np.all(share >= TOO_NEAR) and np.count_nonzero(np.abs(share - 1) <= SAME) >= LEAST_SPREAD)
