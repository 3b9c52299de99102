"""From the wire packets of a direction to what they say: bucket, queue, chance, or the ends themselves."""

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.throttling.limits import SenderLimits, sender_limits
from netinterf.analyzers.throttling.series import COLUMNS, Series, direction_series
from netinterf.analyzers.throttling.units import LEAST_LOSSES, Direction, split_units
from netinterf.analyzers.throttling.waiting import LEAST_BURST, Waiting, least_delay, measure_waiting, with_delays
from netinterf.stats.levels import bucket_levels
from netinterf.stats.ratelimit import BucketFit, search_bucket
from netinterf.trace import Trace

__all__ = ["Judged", "Tested", "judge_direction", "strength"]

I64 = NDArray[np.int64]

LEAST_LLR = 10.0
"""Log-likelihood ratio of bucket against chance that counts: chance loss stays below -13 in laboratory traces."""

INFO_STEPS = ((0.7, 1.0), (0.4, 0.6))
"""Share of the weight by explained deviance: policed transfers explain 0.75 … 1, shapers 0.3 … 1 (median 0.64), chance
below 0.12; flows whose neighbours in the same bucket went unseen 0.1 … 0.4."""

BELOW_STEPS = ((0.8, 1.0), (0.6, 0.6))
"""Share of the weight by the share of packets that were lost below the threshold. An empty bucket drops everything
(Flach et al., §3.2, allow 3 % of passed packets there): 95 % of policed laboratory transfers lose 0.86 and more there,
while a queue that is full most of the time still lets through what it serves."""

LEAST_SLICES = 3
"""Round trips with losses that a limit must last for (Flach et al., §3.2)."""

LEAST_BYTES, LEAST_SECONDS = 30_000, 5.0
"""What must have been transferred before a rate means anything."""

CAPTURE_LOSS = 0.01
"""Share of the acknowledged bytes that the capture missed, from which on its losses are worthless."""

UNKNOWN_RTT = 0.1
"""Seconds taken for a round trip that was not measured."""


@attrs.frozen(eq=False, kw_only=True)
class Tested:
    """One unit and what was found in it."""

    unit: Series
    fit: BucketFit
    waiting: Waiting

    @property
    def queued(self) -> int:
        """1 when packets queued before the drops, -1 when none did, 0 when it cannot be told."""
        return self.waiting.queued

    @property
    def bucket(self) -> bool:
        """Whether a token bucket explains the losses better than chance."""
        return bool(self.fit.llr > LEAST_LLR) and not self.outage

    @property
    def outage(self) -> float:
        """Packets that the fitted bucket would have let through while all were lost; 0 unless most losses fell then.

        An empty bucket still passes its rate, a dead link passes nothing. In the longest run of losses policers of the
        simulator would have granted at most 1.1 packets where the run held half of the losses, outages 11 and more.
        """
        lost = np.flatnonzero(self.unit.lost)
        opens = np.concatenate([[0], np.flatnonzero(np.diff(lost) != 1) + 1, [len(lost)]])
        longest = int(np.argmax(np.diff(opens)))
        first, last = lost[opens[longest]], lost[opens[longest + 1] - 1]
        granted = float(self.fit.rate * (self.unit.time[last] - self.unit.time[first]) / np.median(self.unit.size))
        return granted if 2 * (last - first + 1) > len(lost) and granted > LEAST_BURST else 0.0


@attrs.frozen(eq=False, kw_only=True)
class Judged:
    """One direction and what was found in it."""

    direction: Direction
    series: Series
    tested: list[Tested]
    limits: SenderLimits

    @property
    def bucket(self) -> Tested | None:
        """The unit that shows a token bucket best, if any does: the clearest kind of fit first, then no queue."""
        found = [one for one in self.tested if one.bucket]
        return max(found, key=lambda one: (strength(one.fit), -one.queued, one.fit.llr)) if found else None

    @property
    def rank(self) -> tuple[float, float]:
        """How well a bucket explains the direction: what the fit earns, then its likelihood ratio."""
        best = self.bucket
        return (strength(best.fit), best.fit.llr) if best else (0.0, 0.0)

    @property
    def losing(self) -> I64:
        """The flows that lost packets in the units that count: those with a bucket when there are any."""
        units = [one.unit for one in self.tested if one.bucket] or [one.unit for one in self.tested]
        return np.unique(np.concatenate([unit.flow[unit.lost] for unit in units]))

    @property
    def queued(self) -> int:
        """What most units say of a queue."""
        return int(np.sign(sum(one.queued for one in self.tested)))

    @property
    def held_by_ends(self) -> bool:
        """Whether the receiver's window or the application limited most of the transfer."""
        return bool(np.fmax(self.limits.window, self.limits.idle) >= 0.5)


def strength(fit: BucketFit) -> float:
    """Give the share of the weight that a fit earns: by the deviance it explains, and by dropping all when empty."""
    explains = next((share for least, share in INFO_STEPS if fit.info > least), 0.0)
    drops = next((share for least, share in BELOW_STEPS if fit.below > least), 0.0)
    return min(explains, drops)


def judge_direction(trace: Trace, direction: Direction, least: int = LEAST_LOSSES) -> Judged | None:
    """Test the units of one direction.

    Returns:
        What was found; None when the direction says nothing: too few losses, too short, or a lossy capture.
    """
    series = direction_series(trace, direction.flows, direction.outbound)
    if int(np.count_nonzero(series.lost)) < least or misses_packets(trace, direction, series):
        return None
    tested = try_units(trace, direction, series, least)
    if series.upstream:  # unseen losses can be dated in two ways; the one that explains more is taken
        other = direction_series(trace, direction.flows, direction.outbound, by_sequence=False)
        again = try_units(trace, direction, other, least)
        first, second = series, other
        if explained(again) > explained(tested):
            series, tested = other, again
        if tested and max(one.fit.llr for one in tested) > LEAST_LLR:
            mixed = redated(first, second, max(tested, key=lambda one: one.fit.llr).fit)
            again = try_units(trace, direction, mixed, least)
            if explained(again) > explained(tested):
                series, tested = mixed, again
    if not tested:
        return None
    limits = sender_limits(trace, max((one.unit for one in tested), key=len), direction.outbound)
    return Judged(direction=direction, series=series, tested=tested, limits=limits)


def redated(first: Series, second: Series, fit: BucketFit) -> Series:
    """Date each unseen loss where, of two possible places, a fitted bucket was emptier."""
    whole = first.with_columns(
        {name: np.concatenate([getattr(one, name) for one in (first, second)]) for name in COLUMNS}
    )
    from_second = np.arange(len(whole)) >= len(first)
    candidates = whole.take(kept := np.flatnonzero(whole.lost | ~from_second))
    origin = from_second[kept]
    order = np.argsort(candidates.time, kind="stable")
    candidates, origin = candidates.take(order), origin[order]
    rate = np.array([fit.rate])
    level = bucket_levels(candidates.time, candidates.size, ~candidates.lost, rate, 0.0, fit.headroom)[0]
    by_loss = np.lexsort((origin, level, candidates.start, candidates.row, ~candidates.lost))
    losses = by_loss[: int(np.count_nonzero(candidates.lost))]
    same = (np.diff(candidates.row[losses]) == 0) & (np.diff(candidates.start[losses]) == 0)
    worse = losses[np.concatenate([[False], same])] if len(losses) else losses
    keep = np.ones(len(candidates), np.bool_)
    keep[worse] = False
    return candidates.take(keep)


def try_units(trace: Trace, direction: Direction, series: Series, least: int) -> list[Tested]:
    """Fit a bucket to each unit worth testing, and measure whether its packets waited."""
    series = with_delays(trace, series)
    least_known, opened = least_delay(trace, series)
    rtt = path_rtt(trace, direction)
    tested = []
    for unit in split_units(trace, direction, series, least):
        if not worth_testing(unit, rtt):
            continue
        fit = search_bucket(unit.time, unit.size, unit.lost)
        waiting = measure_waiting(unit, least_known, opened, fit)
        if unit.upstream and np.isnan(waiting.share) and strength(fit) > 0 and not trace.facts.offloaded:
            waiting = Waiting(burst=fit.depth / float(np.median(unit.size)))
        tested.append(Tested(unit=unit, fit=fit, waiting=waiting))
    return tested


def explained(tested: list[Tested]) -> float:
    """Sum up what the fits of several units explain."""
    return sum(max(one.fit.llr, 0.0) for one in tested)


def path_rtt(trace: Trace, direction: Direction) -> float:
    """Give the round trip between the two hosts in seconds: both halves at the tap; 0.1 when unknown."""
    halves = trace.sides.rtt.reshape(-1, 2)[direction.flows]
    known = (halves >= 0).any(axis=1)
    whole = np.maximum(halves[known], 0).sum(axis=1)
    return float(whole.min()) / 1e9 if len(whole) and whole.min() > 0 else UNKNOWN_RTT


def worth_testing(unit: Series, rtt: float) -> bool:
    """Say whether a unit transferred enough, and lost packets in enough different round trips."""
    passed = int(unit.payload[~unit.lost].sum())
    if passed < LEAST_BYTES and unit.time[-1] - unit.time[0] < LEAST_SECONDS:
        return False
    if int(np.count_nonzero(~unit.lost)) < LEAST_LOSSES:
        return False
    losses = unit.time[unit.lost]
    slices, end = 0, -np.inf
    while slices < LEAST_SLICES:
        later = np.searchsorted(losses, end, side="right")
        if later == len(losses):
            return False
        slices, end = slices + 1, losses[later] + rtt
    return True


def misses_packets(trace: Trace, direction: Direction, series: Series) -> bool:
    """Say whether the receiver acknowledged bytes that the capture missed, so that its losses mean nothing."""
    flow, place = np.unique(series.flow, return_inverse=True)
    order = np.lexsort((series.payload, series.start, place))
    last = np.append((np.diff(series.start[order]) != 0) | (np.diff(place[order]) != 0), True)
    seen = np.bincount(place[order[last]], weights=series.payload[order[last]])
    side = 2 * flow + (not direction.outbound)
    from_start = trace.sides.syn[side] >= 0
    acked = np.maximum(trace.sides.acked[side] - 2, 0)  # less SYN and FIN
    missing = np.maximum(acked - seen, 0)[from_start]
    return float(missing.sum()) > CAPTURE_LOSS * max(float(acked[from_start].sum()), 1.0)
