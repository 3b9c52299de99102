"""From the wire packets of a direction to what they say: bucket, queue, chance, or the ends themselves."""

from collections.abc import Sequence
from functools import cached_property
from itertools import islice, pairwise

import numpy as np

from netinterf.analyzers.throttling.candidates import Candidate, find_candidates
from netinterf.analyzers.throttling.limits import SenderLimits, sender_limits
from netinterf.analyzers.throttling.series import Series
from netinterf.analyzers.throttling.units import LEAST_LOSSES
from netinterf.analyzers.throttling.unseen import Numbering
from netinterf.analyzers.throttling.waiting import (
    SPACED,
    Waiting,
    measure_arrivals,
    measure_waiting,
)
from netinterf.analyzers.throttling.ways import Direction
from netinterf.arrays import F64, I64
from netinterf.stats.bucket.fit import DROPS, BucketFit, fit_bucket
from netinterf.stats.bucket.following import Fates, SeriesBatch
from netinterf.stats.bucket.search import search_buckets
from netinterf.stats.robust import middle
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["FEW", "LEAST_LLR", "Judged", "Tested", "judge_directions", "strength"]

LEAST_LLR = 3.0
"""Log-likelihood ratio of bucket against harmless causes that counts, twenty to one after paying for the search; chance
stays below -13 in laboratory traces."""

INFO_STEPS = ((0.3, 1.0), (0.15, 0.6))
"""Share of the weight by explained deviance. A bucket explains 0.96 of it for a policed laboratory transfer (median),
0.24 and more for two together, and 0.04 for chance. Steps at 0.4 and 0.2 would miss 17 of 735 policed flows of the
simulator that are found (development seeds), and accuse one flow less of 17 among 12,961 of look-alikes."""

BELOW_STEPS = ((0.8, 1.0), (DROPS, 0.6))
"""Share of the weight by the share of packets that were lost when the bucket did not hold their size. An empty bucket
drops everything (Flach et al., §3.2, allow 3 % of passed packets there): 95 % of policed laboratory transfers lose 0.86
and more there, while a queue that is full most of the time still lets through what it serves."""

TIMER_RATE = 5.0
"""Packets a second that a sender's timer makes by itself at most: it repeats what was lost after a second (RFC 6298,
§2.4), or after a fifth of one (Linux), each time after twice as long (§5.5), and where next to nothing gets through,
that is what passes. A bucket of such a rate or a lower one looks the same."""

BEYOND_TIMER = 2.0, 0.5, 0.95
"""A timer lets one packet through at a time. A bucket is told from it when it let so many packets through at once, and
explains such a share of the deviance while it drops such a share of what does not find its size. Of all benign and
silenced transfers of the simulator (eight development seeds), only those of plans of such rates do."""

FEW = 0.2
"""Share of a direction's rate of loss up to which a flow lost next to nothing: it is not what is limited."""


@frozen(eq=False, kw_only=True)
class Tested:
    """One unit and what was found in it."""

    unit: Series
    fit: BucketFit
    waiting: Waiting
    timed: bool  # the rate may be that of the sender's timer

    @property
    def queued(self) -> int:
        """1 when packets queued before the drops, -1 when none did, 0 when it cannot be told."""
        return self.waiting.queued

    @property
    def bucket(self) -> bool:
        """Whether a token bucket explains the losses better than harmless causes."""
        return self.fit.llr > LEAST_LLR and not self.timed


@frozen(eq=False, kw_only=True)
class Judged:
    """One direction and what was found in it."""

    direction: Direction
    series: Series
    tested: list[Tested]
    limits: SenderLimits

    @cached_property
    def bucket(self) -> Tested | None:
        """The unit that shows a token bucket best, if any does: the clearest kind of fit first, then no queue."""
        tests = [test for test in self.tested if test.bucket]
        return max(tests, key=lambda test: (strength(test.fit), -test.queued, test.fit.llr)) if tests else None

    @property
    def rank(self) -> tuple[float, float, float]:
        """How well a bucket explains the direction: what the fit earns, the share of its losses it explains in fifths.

        Only then the likelihood ratio, which grows with the number of packets and so prefers buckets taken together.
        """
        best = self.bucket
        return (strength(best.fit), round(5 * best.fit.info), best.fit.llr) if best else (0.0, 0.0, 0.0)

    @cached_property
    def losing(self) -> I64:
        """The lossy flows in the units that count: those with a bucket if any has one."""
        units = [test.unit for test in self.tested if test.bucket] or [test.unit for test in self.tested]
        lossy = []
        for unit in units:
            flows, place = np.unique(unit.flow, return_inverse=True)
            share = np.bincount(place, unit.lost) / np.bincount(place)
            lossy.append(flows[share > FEW * np.mean(unit.lost)])
        return np.unique(np.concatenate(lossy))

    @property
    def queued(self) -> int:
        """What most units say of a queue."""
        return int(np.sign(sum(test.queued for test in self.tested)))

    @property
    def may_queue(self) -> bool:
        """Whether packets queued before the drops, or came spaced as if they had."""
        return self.queued > 0 or any(test.waiting.spaced >= SPACED for test in self.tested)

    @property
    def held_by_ends(self) -> bool:
        """Whether the receiver's window or the application limited most of the transfer."""
        return bool(np.fmax(self.limits.window, self.limits.idle) >= 0.5)


def strength(fit: BucketFit) -> float:
    """Give the share of the weight that a fit earns: by the deviance it explains, and by dropping all when empty."""
    explains = next((share for least, share in INFO_STEPS if fit.info > least), 0.0)
    drops = next((share for least, share in BELOW_STEPS if fit.below > least), 0.0)
    return min(explains, drops)


def judge_directions(
    trace: Trace, directions: Sequence[Direction], numbering: Numbering, least: int = LEAST_LOSSES
) -> tuple[list[Judged], I64]:
    """Test the units of directions. Their buckets are searched all at once, which is by far the quickest.

    Args:
        trace: The capture.
        directions: Which directions.
        numbering: What the IP identifications tell.
        least: Losses below which nothing is said.

    Returns:
        What was found in those that say something: enough losses, long enough, and no lossy capture; and the flows
        that were recorded with too much missing, rows in Flows.
    """
    found = find_candidates(trace, directions, numbering, least)
    candidates = found.candidates
    fates = [unit.fates for candidate in candidates for unit in candidate.units]
    fits = search_buckets(fates)
    followed = iter(zip(fits, followed_each(fates, fits), strict=True))
    judged = []
    for candidate in candidates:
        tested = weigh_units(trace, candidate, list(islice(followed, len(candidate.units))))
        longest = max((part.unit for part in tested), key=len)
        limits = (
            SenderLimits() if candidate.direction.acks else sender_limits(trace, longest, candidate.direction.outbound)
        )
        judged.append(Judged(direction=candidate.direction, series=candidate.series, tested=tested, limits=limits))
    return judged, found.missed


def followed_each(series: Sequence[Fates], fits: Sequence[BucketFit]) -> list[F64]:
    """Follow the bucket of each series: what each packet would leave in it, bytes."""
    beside = SeriesBatch(series)
    left = beside.follow(np.array([fit.rate for fit in fits]), np.array([fit.depth for fit in fits]))
    return [left[begin:end] for begin, end in pairwise(beside.steps.first.tolist())]


def weigh_units(trace: Trace, candidate: Candidate, followed: Sequence[tuple[BucketFit, F64]]) -> list[Tested]:
    """Say what the bucket of each unit worth testing tells, and measure whether its packets waited.

    Args:
        trace: The capture.
        candidate: The units.
        followed: The bucket of each, and what each packet would leave in it.
    """
    tested: list[Tested] = []
    for unit, (fit, left) in zip(candidate.units, followed, strict=True):
        waiting = measure_waiting(unit, candidate.least_delay, candidate.opened, fit, left)
        if (
            unit.upstream
            and np.isnan(waiting.share)
            and strength(fit) > 0
            and not trace.recording.offloaded[unit.flow].any()
        ):
            waiting = measure_arrivals(unit, fit, left)
        timed = not candidate.direction.acks and by_timer(unit, fit)  # nobody repeats an acknowledgement
        tested.append(Tested(unit=unit, fit=fit, waiting=waiting, timed=timed))
    return tested + same_bucket(tested, candidate.short)


def same_bucket(tested: list[Tested], short: list[Series]) -> list[Tested]:
    """Test units that are too short for a search: does the bucket of the others, as it is, tell what they lost?"""
    with_bucket = [test for test in tested if test.bucket]
    if not with_bucket:
        return []
    best = max(with_bucket, key=lambda test: (strength(test.fit), test.fit.llr))
    rates, depths = np.array([best.fit.rate]), np.array([best.fit.depth])
    fits = [fit_bucket(unit.time, unit.size, unit.lost, rates=rates, depths=depths) for unit in short]
    tests = [Tested(unit=unit, fit=fit, waiting=Waiting(), timed=False) for unit, fit in zip(short, fits, strict=True)]
    return [test for test in tests if test.bucket and strength(test.fit) > 0]


def by_timer(unit: Series, fit: BucketFit) -> bool:
    """Say whether so few packets a second passed that the sender's timer may have set their pace."""
    packet = middle(unit.size)
    depth, info, below = BEYOND_TIMER
    beyond_timer = fit.depth >= depth * packet and fit.info > info and fit.below > below
    return bool(fit.rate / packet <= TIMER_RATE and not beyond_timer)
