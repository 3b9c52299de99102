"""When did most of what is tried begin to fail, and when did that end?

An e-detector over networks notices that fewer pass than usual (`netinterf.stats.sequential`); without its alarm there
is nothing to date. PELT cuts the time where the share that passes changes (`netinterf.stats.changes`), and stretches in
which most fail are taken to be closed. Then each beginning and end is found anew from the networks that fell silent
alone.
"""

import numpy as np

from netinterf.analyzers.isolation.attempts import ROWS, Attempts
from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import combined
from netinterf.stats.changes import best_split, binomial_cost, pelt, split_p
from netinterf.stats.diurnal import hourly_share
from netinterf.stats.sequential import e_detector
from netinterf.values import frozen

__all__ = [
    "FEWEST_SILENT",
    "Units",
    "closed_spans",
    "onset_p",
    "sharpened",
    "spans_of",
    "time_to_notice",
    "units_of",
    "whole_bins",
    "within",
]

BIN_NS = 60_000_000_000
"""Time that counts as once: a network tried twice within a minute with the same outcome is one
observation, and home is well at the same time when it is in the same minutes. Judgement: clients that fail try again
within seconds, so that attempts in one minute are one event."""

FEWEST_SILENT = 5
"""Networks that must have failed while it seemed closed: what few of them do says nothing of a border."""

ALARM = float(np.log(100.0))
"""The e-detector's bar: by mistake once in a hundred networks at the most. It only opens the question."""

DROP = 0.9
"""Less than this share of what is usual is fewer than usual. Judgement: one in ten fewer shows in ten places."""

USUAL = 0.9
"""The share of networks that answer, where a capture is too short to show it: the mean of "nearly all"."""

MOST_PLACES = 1_500
"""Observations that are searched one by one; more are put together by the minute, and minutes further."""

PENALTY = 2.0
"""Times ``ln n`` that a change costs, as in Killick et al. 2012; what is found is paid for once more in the end."""

HALF_CLOSED = 0.6
"""Below this share of networks a stretch is taken to be closed: lists that let more pass look like any other day."""

HOUR_NS = 3_600_000_000_000
LONG_NS = 48 * HOUR_NS
"""Captures as long show what is usual at an hour."""


@frozen(eq=False, kw_only=True)
class Units:
    """Observations: a network and protocol with one outcome in one minute; aligned, in the order of time."""

    time: I64
    unit: I64  # number of network and protocol
    passed: Mask


def spans_of(attempts: Attempts, rows: I64) -> tuple[I64, I64, int]:
    """Find when these attempts were stopped; no spans where an e-detector notices nothing."""
    observed = units_of(attempts, rows)
    if len(rows):
        noticed, _ = e_detector(observed.passed, usual_share(observed) * DROP)
        if (noticed >= ALARM).any():
            return closed_spans(observed)
    return np.empty(0, np.int64), np.empty(0, np.int64), 0


def units_of(attempts: Attempts, rows: I64) -> Units:
    """Turn attempts into observations: equal outcomes of one network and protocol within a minute count once."""
    unit = combined(attempts.cluster[rows], attempts.row[rows])
    passed = attempts.passed[rows] == 1
    minute = (attempts.time[rows] - attempts.time[0]) // BIN_NS
    _, first = np.unique(combined(unit, minute, passed.astype(np.int64)), return_index=True)
    first = first[np.argsort(attempts.time[rows][first], kind="stable")]
    return Units(time=attempts.time[rows][first], unit=unit[first], passed=passed[first])


def usual_share(observed: Units) -> F64:
    """Say of each observation which share is usual: at this hour on other days, or what is usual at all."""
    if observed.time[-1] - observed.time[0] < LONG_NS:
        return np.full(len(observed.time), USUAL)
    hour = observed.time // HOUR_NS
    by_hour, place = np.unique(hour, return_inverse=True)
    hits, tried = np.bincount(place, observed.passed), np.bincount(place)
    return np.clip(hourly_share(hits, tried, by_hour - by_hour[0] // 24 * 24), 0.5, USUAL)[place]


def closed_spans(observed: Units) -> tuple[I64, I64, int]:
    """Find when most of what is tried fails.

    Returns:
        Beginnings and ends, ns (a span that reaches the end of the capture ends after it), and the number of places
        where a change was looked for.
    """
    count = len(observed.time)
    width = 1
    if count > MOST_PLACES:
        minute = (observed.time - observed.time[0]) // BIN_NS
        width = 1 + int(minute[-1]) // MOST_PLACES
        _, start = np.unique(minute // width, return_index=True)
    else:
        start = np.arange(count)
    hits = np.add.reduceat(observed.passed.astype(np.float64), start)
    tried = np.diff(np.append(start, count)).astype(np.float64)
    changes = pelt(binomial_cost(hits, tried), len(start), PENALTY * float(np.log(len(start) + 1)))
    edge = np.concatenate([[0], changes, [len(start)]])
    rate = np.add.reduceat(hits, edge[:-1]) / np.add.reduceat(tried, edge[:-1])
    closed = rate < HALF_CLOSED
    from_here = closed & ~np.concatenate([[False], closed[:-1]])
    to_here = closed & ~np.concatenate([closed[1:], [False]])
    times = np.append(observed.time[start], np.iinfo(np.int64).max)
    return times[edge[:-1][from_here]], times[edge[1:][to_here]], len(start)


def within(time: I64, begins: I64, ends: I64) -> Mask:
    """Say which moments lie in one of some rising spans that do not overlap."""
    place = np.searchsorted(begins, time, side="right") - 1
    inside: Mask = (place >= 0) & (time < ends[np.maximum(place, 0)])
    return inside


def whole_bins(attempts: Attempts, begins: I64, ends: I64) -> tuple[I64, I64]:
    """Widen spans to the bins that they touch; spans that then meet become one."""
    origin = int(attempts.time[0])
    low = (begins - origin) // BIN_NS * BIN_NS + origin
    high = np.minimum(ends, int(attempts.time[-1]) + 1)
    high = -((origin - high) // BIN_NS) * BIN_NS + origin
    apart = np.flatnonzero(low[1:] > high[:-1])
    return low[np.append(0, apart + 1)], high[np.append(apart, len(high) - 1)]


def sharpened(attempts: Attempts, far: I64, begins: I64, ends: I64) -> tuple[I64, I64]:
    """Find beginnings and ends anew from those alone that fell silent: what passes anyhow, or never, only blurs them.

    Each is the best single split of what these networks did from one span to the next (`netinterf.stats.changes`), and
    the middle between the last attempt before it and the first after, since it may have happened anywhere between them.
    Networks that were tried on one side only count where most of their protocol fails, unless they did the contrary
    again and again.
    """
    closed = within(attempts.time[far], begins, ends)
    unit, passed = combined(attempts.cluster[far], attempts.row[far]), attempts.passed[far] == 1
    then, otherwise = np.stack([np.bincount(unit, passed * part) for part in (closed, ~closed)])
    tried, else_tried = (np.bincount(unit, part) for part in (closed, ~closed))
    torn = (then < tried / 2) & (otherwise > else_tried / 2)
    row = attempts.row[far]
    stopped = (np.bincount(row, passed * closed, ROWS) < np.bincount(row, closed, ROWS) / 2)[row]
    contrary = (then > tried / 2) | (otherwise < else_tried / 2)
    plain = ((tried == 0) | (else_tried == 0)) & ~(contrary & (tried + else_tried > 1))
    telling = torn[unit] | (plain[unit] & stopped)
    if len(np.unique(unit[telling])) < FEWEST_SILENT:
        return begins, ends
    observed = units_of(attempts, far[telling])
    time, good = observed.time, observed.passed.astype(np.float64)
    start, until = begins.copy(), ends.copy()
    passing = attempts.time[far[passed & stopped]], unit[passed & stopped]
    for place in range(len(begins)):  # few
        before = ends[place - 1] if place else np.iinfo(np.int64).min
        after = begins[place + 1] if place + 1 < len(begins) else np.iinfo(np.int64).max
        for edge, low, high, falls in ((start, before, ends[place], True), (until, start[place], after, False)):
            rows = np.flatnonzero((time >= low) & (time < high))
            split = best_split(binomial_cost(good[rows], np.ones(len(rows))), len(rows))
            left, right = rows[: split.at], rows[split.at :]
            clear = split.gain > PENALTY * np.log(len(rows) + 1)
            if clear and (good[left].mean() > good[right].mean()) == falls:
                shut = (time[right[0]], ends[place]) if falls else (start[place], time[left[-1]] + 1)
                edge[place] = between(int(time[left[-1]]), int(time[right[0]]), *passing, shut)
    return start, until


def between(low: int, high: int, time: I64, unit: I64, shut: tuple[int, int]) -> int:
    """Find the middle of the time in which it closed or opened: nothing passed in it but what passes when it is shut.

    Args:
        low: The last attempt before it.
        high: The first one after it.
        time: When attempts passed.
        unit: Of which network and protocol.
        shut: From when until when it is certainly shut, on one side of it.
    """
    spared = unit[(time >= shut[0]) & (time < shut[1])]
    open_still = time[(time > low) & (time < high) & ~np.isin(unit, spared)]
    if len(open_still) and shut[0] >= high:
        low = int(open_still[-1])
    elif len(open_still):
        high = int(open_still[0])
    return (low + high + 1) // 2


def time_to_notice(attempts: Attempts, rows: I64) -> int:
    """Count the networks abroad that were tried from when it closed until the e-detector passed its bar; 0 if never."""
    observed = units_of(attempts, rows)
    noticed, _ = e_detector(observed.passed, USUAL * DROP)
    alarm = np.flatnonzero(noticed >= ALARM)
    return len(np.unique(observed.unit[: alarm[0] + 1])) if len(alarm) else 0


def onset_p(attempts: Attempts, abroad: Mask, begins: I64, ends: I64) -> float:
    """Test by shuffling whether anything changed when the border closed; NaN where it was closed from the start."""
    rows = np.flatnonzero(abroad & (attempts.passed >= 0) & (attempts.time < ends[0]))
    if not len(rows) or attempts.time[rows[0]] >= begins[0]:
        return float("nan")
    passed = units_of(attempts, rows).passed.astype(np.float64)[-MOST_PLACES:]
    return split_p(binomial_cost, (passed, np.ones(len(passed))))
