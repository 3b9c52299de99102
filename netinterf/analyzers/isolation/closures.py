"""When was the border closed, and does that explain it best? Attempts in, one finding out; nothing here sees packets.

1. An e-detector over networks abroad notices that fewer pass than usual (`netinterf.stats.sequential`). Without its
   alarm
   there is nothing to explain, and the work ends.
2. PELT cuts the time where the share that passes changes (`netinterf.stats.changes`). Stretches in which most fail are
   taken to be closed.
3. All networks, at home and abroad, closed and otherwise, are matched against closed borders and harmless causes
   (`causes`). Causes that began or ended meanwhile pay the logarithm of the number of places where that could have
   been.
"""

from functools import partial
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.isolation.attempts import ROWS, SIX, Attempts, Row
from netinterf.analyzers.isolation.causes import Counts, Match, match
from netinterf.analyzers.isolation.places import FEWEST_AT_HOME
from netinterf.numbering import combined
from netinterf.stats.changes import best_split, binomial_cost, pelt, split_p
from netinterf.stats.diurnal import hourly_share
from netinterf.stats.sequential import e_detector

__all__ = [
    "BIN_NS",
    "FEWEST_ABROAD",
    "FEWEST_SYSTEMS",
    "Closure",
    "Units",
    "closed_spans",
    "judge",
    "onset_p",
    "units_of",
]

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

BIN_NS = 60_000_000_000
"""Time that counts as once: a network tried twice within a minute with the same outcome is one observation."""

FEWEST_ABROAD, FEWEST_SILENT, FEWEST_SYSTEMS = 20, 5, 3
"""Networks abroad that must have been tried (reference design, 3.6), and how many of them, in how many autonomous
systems, must have failed while it seemed closed: what few of them do says nothing of a border."""

ENOUGH, ENOUGH_SYSTEMS = 15, 6
"""With fewer networks abroad that were tried while it seemed closed it stays a hint (the reference design wants 20, and
an alarm by then); and, where nothing at all passes, with fewer autonomous systems: these may hang on one cable."""

HINT = 7.0
"""Nats of a hint: ``possible`` by the packaged priors, and never ``likely`` (0.22 % beforehand times e to the 7th is
0.7)."""

ALARM = float(np.log(100.0))
"""The e-detector's bar: by mistake once in a hundred networks at the most. It only opens the question."""

DROP = 0.9
"""Less than this share of what is usual is fewer than usual (reference design, 3.6)."""

USUAL = 0.9
"""The share of networks that answer, where a capture is too short to show it: the mean of "nearly all"."""

MOST_PLACES = 1_500
"""Observations that are searched one by one; more are put together by the minute, and minutes further."""

PENALTY = 2.0
"""Times ``ln n`` that a change costs, as in Killick et al. 2012; what is found is paid for once more in the end."""

HALF_CLOSED = 0.6
"""Below this share of networks a stretch is taken to be closed: lists that let more pass look like any other day."""

PASSING = (Row.WEB, Row.DNS)
"""Protocols that borders let pass that decide by protocol (reference design, 3.3); so time is cut by the others as
well."""

HOUR_NS = 3_600_000_000_000
LONG_NS = 48 * HOUR_NS
"""Captures as long show what is usual at an hour."""

FARTHER, FARTHER_NS, PAIRS = 1.3, 20_000_000, 1
"""Networks that are still reached are slower when their median round trip grew by so much, in at least so many."""


@attrs.frozen(eq=False, kw_only=True)
class Units:
    """Observations: a network and protocol with one outcome in one minute; aligned, in the order of time."""

    time: I64
    unit: I64  # number of network and protocol
    passed: Mask


@attrs.frozen(eq=False, kw_only=True)
class Closure:
    """What explains best that networks abroad did not answer."""

    match: Match
    llr: float  # nats against harmless causes, capped where too little was tried
    begins: I64  # ns: from when on it was closed, each time
    ends: I64  # ns: until when
    struck: Mask  # attempts that the border stopped
    silent: int  # networks abroad that did not answer while it was closed
    tried: int  # networks abroad that were tried meanwhile
    systems: int  # autonomous systems that the silent ones are in
    answered: int  # networks at home that answered meanwhile
    home: int  # networks at home that were tried meanwhile
    passing: int  # networks abroad that answered although it was closed
    opened: int  # networks abroad of the silent ones that completed handshakes
    fell: int  # networks abroad of the silent ones that had answered, or did later
    alarm: int  # networks abroad that it took to notice


def judge(attempts: Attempts, abroad: Mask, home: Mask) -> Closure | None:
    """Find out whether what lies abroad was cut off.

    Args:
        attempts: Attempts in the order of time.
        abroad: Which of them lead abroad.
        home: Which lead to places at home; what is neither takes no part.

    Returns:
        The best explanation, harmless or not; None where too little failed or too little was tried to say anything.
    """
    far, told = np.flatnonzero(abroad & (attempts.passed >= 0)), home & (attempts.passed >= 0)
    failed = far[attempts.passed[far] == 0]
    if (
        len(np.unique(attempts.cluster[far])) < FEWEST_ABROAD
        or len(np.unique(attempts.cluster[failed])) < FEWEST_SILENT
    ):
        return None
    if len(np.unique(attempts.system[failed])) < FEWEST_SYSTEMS:
        return None
    if len(np.unique(attempts.cluster[told & (attempts.passed == 1)])) < FEWEST_AT_HOME:
        return None
    odd = far[~np.isin(attempts.row[far] % SIX, PASSING)]
    found = [
        explain(attempts, far, np.flatnonzero(told), spans) for spans in map(partial(spans_of, attempts), (far, odd))
    ]
    return max((one for one in found if one is not None), key=lambda one: one.llr, default=None)


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


def sharpened(attempts: Attempts, far: I64, begins: I64, ends: I64) -> tuple[I64, I64]:
    """Find beginnings and ends anew from those alone that fell silent: what passes anyhow, or never, only blurs them.

    Each is the best single split of what these networks did from one span to the next (`netinterf.stats.changes`): from
    the first attempt that failed to the last.
    """
    closed = within(attempts.time[far], begins, ends)
    unit, passed = combined(attempts.cluster[far], attempts.row[far]), attempts.passed[far] == 1
    then, otherwise = np.stack([np.bincount(unit, passed * part) for part in (closed, ~closed)])
    tried, else_tried = (np.bincount(unit, part) for part in (closed, ~closed))
    torn = (then < tried / 2) & (otherwise > else_tried / 2)
    if np.sum(torn) < FEWEST_SILENT:
        return begins, ends
    observed = units_of(attempts, far[torn[unit]])
    time, good = observed.time, observed.passed.astype(np.float64)
    start, until = begins.copy(), ends.copy()
    for place in range(len(begins)):  # few
        before = ends[place - 1] if place else np.iinfo(np.int64).min
        after = begins[place + 1] if place + 1 < len(begins) else np.iinfo(np.int64).max
        for edge, low, high, falls in ((start, before, ends[place], True), (until, start[place], after, False)):
            rows = np.flatnonzero((time >= low) & (time < high))
            found = best_split(binomial_cost(good[rows], np.ones(len(rows))), len(rows))
            left, right = rows[: found.at], rows[found.at :]
            if found.gain > 0 and (good[left].mean() > good[right].mean()) == falls:
                edge[place] = time[right[0]] if falls else time[left[-1]] + 1
    return start, until


def explain(attempts: Attempts, far: I64, near: I64, spans: tuple[I64, I64, int]) -> Closure | None:
    """Match what was seen while it seemed closed, and at other times, against causes."""
    begins, ends, places = spans
    if not len(begins):
        return None
    begins, ends = sharpened(attempts, far, begins, ends)
    closed = within(attempts.time, begins, ends)
    shut, rest, home = far[closed[far]], far[~closed[far]], near[closed[near]]
    changes = int(np.sum(begins > attempts.time[far[0]])) + int(np.sum(ends <= attempts.time[far[-1]]))
    abroad = shares(attempts, shut)
    tcp = shut[np.isin(attempts.row[shut] % SIX, (Row.WEB, Row.TCP)) & (attempts.passed[shut] == 0)]
    opened = shares(attempts, tcp, attempts.opened)
    at_home, otherwise = shares(attempts, home), shares(attempts, rest)
    ever = Shares(*(np.concatenate([getattr(part, name) for part in (abroad, otherwise)]) for name in COLUMNS))
    seen = Counts(
        abroad=abroad.by_row(),
        home=at_home.by_row(),
        otherwise=otherwise.by_row(),
        networks=abroad.by(abroad.cluster),
        system=np.unique(abroad.system[np.unique(abroad.cluster, return_index=True)[1]], return_inverse=True)[1],
        networks_home=at_home.by(at_home.cluster),
        networks_rest=otherwise.by(otherwise.cluster),
        networks_ever=ever.by(ever.cluster),
        opened=np.array([opened.share.sum(), len(opened.share)]),
        moody=moods(attempts, shut),
        spans=len(begins),
        search=changes * float(np.log(places)),
        slower=became_slower(attempts, shut, rest),
    )
    found = match(seen)
    low = closed_rows(seen, found)
    struck = np.zeros(len(attempts), np.bool_)
    struck[shut] = (attempts.passed[shut] == 0) & low[attempts.row[shut]]
    answered = np.unique(attempts.cluster[home[attempts.passed[home] == 1]])
    silent = np.unique(attempts.cluster[struck])
    if len(silent) < FEWEST_SILENT or len(np.unique(attempts.system[struck])) < FEWEST_SYSTEMS:
        return None
    if len(answered) < FEWEST_AT_HOME:
        return None
    passing = np.setdiff1d(attempts.cluster[shut[attempts.passed[shut] == 1]], silent)
    tried, systems = len(np.unique(attempts.cluster[shut])), len(np.unique(attempts.system[struck]))
    too_few = tried < ENOUGH or (found.closed == "full" and systems < ENOUGH_SYSTEMS)
    return Closure(
        match=found,
        llr=min(found.llr, HINT) if too_few else found.llr,
        begins=begins,
        ends=ends,
        struck=struck,
        silent=len(silent),
        tried=tried,
        systems=systems,
        answered=len(answered),
        home=len(np.unique(attempts.cluster[home])),
        passing=len(passing),
        opened=len(np.unique(attempts.cluster[tcp[attempts.opened[tcp] == 1]])),
        fell=len(np.intersect1d(silent, attempts.cluster[rest[attempts.passed[rest] == 1]])),
        alarm=time_to_notice(attempts, shut, low),
    )


@attrs.frozen(eq=False)
class Shares:
    """One row per network and protocol: which share of its attempts came out well."""

    row: I64
    cluster: I64
    system: I64
    share: F64

    def by(self, group: I64) -> F64:
        """Add up per group, such as the systems: reached and tried, shape (2, groups)."""
        place = np.unique(group, return_inverse=True)[1]
        return np.stack([np.bincount(place, self.share), np.bincount(place).astype(np.float64)])

    def by_row(self) -> F64:
        """Add up per protocol: reached and tried, shape (2, ROWS)."""
        return np.stack(
            [np.bincount(self.row, self.share, ROWS), np.bincount(self.row, minlength=ROWS).astype(np.float64)]
        )


COLUMNS = tuple(field.name for field in attrs.fields(Shares))


def shares(attempts: Attempts, rows: I64, outcome: NDArray[Any] | None = None) -> Shares:
    """Give each network and protocol the share of its attempts that came out well."""
    rows = rows[(attempts.passed if outcome is None else outcome)[rows] >= 0]
    good = (attempts.passed if outcome is None else outcome)[rows] == 1
    unit = combined(attempts.cluster[rows], attempts.row[rows])
    first = np.unique(unit, return_index=True)[1]
    share = np.bincount(unit, good) / np.maximum(np.bincount(unit), 1) if len(rows) else np.empty(0)
    kept = rows[first]
    return Shares(attempts.row[kept], attempts.cluster[kept], attempts.system[kept], share)


def moods(attempts: Attempts, rows: I64) -> F64:
    """Count networks and protocols that were tried again: some attempts passed and some did not, and all of them."""
    unit = combined(attempts.cluster[rows], attempts.row[rows])
    tried, passed = np.bincount(unit), np.bincount(unit, attempts.passed[rows] == 1)
    again = tried > 1
    return np.array([np.sum(again & (passed > 0) & (passed < tried)), np.sum(again)], np.float64)


def closed_rows(seen: Counts, found: Match) -> Mask:
    """Say which protocols do not pass: all of them, unless it is the protocol that decides."""
    if found.closed != "protocols":
        return np.ones(ROWS, np.bool_)
    low: Mask = seen.abroad[0] < seen.abroad[1] / 2
    return low


def became_slower(attempts: Attempts, shut: I64, rest: I64) -> int:
    """Say whether networks that are reached while it is closed were nearer at other times: 1, 0, -1 unknown."""
    then, now = (rows[(attempts.passed[rows] == 1) & (attempts.trip[rows] > 0)] for rows in (rest, shut))
    both = np.intersect1d(attempts.cluster[then], attempts.cluster[now])
    if len(both) < PAIRS:
        return -1
    old, new = (
        np.array([np.median(attempts.trip[rows[attempts.cluster[rows] == one]]) for one in both.tolist()])
        for rows in (then, now)
    )
    return int(np.median(new / old) >= FARTHER and np.median(new - old) >= FARTHER_NS)


def time_to_notice(attempts: Attempts, shut: I64, low: Mask) -> int:
    """Count the networks abroad that were tried from when it closed until the e-detector passed its bar; 0 if never."""
    rows = shut[low[attempts.row[shut]]]
    observed = units_of(attempts, rows)
    noticed, _ = e_detector(observed.passed, USUAL * DROP)
    alarm = np.flatnonzero(noticed >= ALARM)
    return len(np.unique(observed.unit[: alarm[0] + 1])) if len(alarm) else 0


def onset_p(attempts: Attempts, abroad: Mask, closure: Closure) -> float:
    """Test by shuffling whether anything changed when the border closed; NaN where it was closed from the start."""
    rows = np.flatnonzero(abroad & (attempts.passed >= 0) & (attempts.time < closure.ends[0]))
    if not len(rows) or attempts.time[rows[0]] >= closure.begins[0]:
        return float("nan")
    passed = units_of(attempts, rows).passed.astype(np.float64)[-MOST_PLACES:]
    return split_p(binomial_cost, (passed, np.ones(len(passed))))
