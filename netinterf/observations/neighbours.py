"""What else happened around each failure: to others at the same server, and to others in the same minute.

Counts in windows of time come from running sums over sorted rows, and neighbours from the runs in them, so that a
million attempts cost a few sorts.
"""

import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.numbering import combined
from netinterf.observations.attempts import Attempts
from netinterf.values import frozen
from netinterf.verdict.keys import BIN_NS

__all__ = ["Neighbours", "in_window", "nearest_others", "neighbours_of"]

MINUTE_NS = 60_000_000_000
"""How far an outage of the access link reaches: what else failed within a minute counts against a block (judgement:
roaming and handovers take seconds, a router's restart about a minute)."""


@frozen(eq=False, kw_only=True)
class Neighbours:
    """What happened around each attempt, all of it to other units than its own."""

    alive: I64  # of the nearest before and behind at the address (of servers: and port), within five minutes
    dead: I64  # … those that failed
    around: I64  # others of the same capture within a minute of which it is known what came of them
    lost: I64  # the same that failed with nobody held to have done it


def neighbours_of(attempts: Attempts) -> Neighbours:
    """Look around each attempt.

    Args:
        attempts: What was tried.
    """
    dead, alive = attempts.dead, attempts.alive
    capture = attempts.capture.astype(np.int64)
    by_address, by_service = (
        nearest_others(combined(attempts.place, key), attempts.unit, attempts.time, dead | alive, BIN_NS)
        for key in (attempts.host, attempts.service)
    )
    beside = np.where(attempts.name.lengths > 0, by_address, by_service)  # one port may be shut alone
    there = beside >= 0
    return Neighbours(
        alive=np.count_nonzero(alive[beside] & there, axis=0),
        dead=np.count_nonzero(dead[beside] & there, axis=0),
        around=_others(attempts, capture, dead | alive),
        lost=_others(attempts, capture, dead),
    )


def _others(attempts: Attempts, key: I64, counted: Mask) -> I64:
    """Count for each attempt those of other units with the same key, within a minute."""
    own = combined(key, attempts.unit)
    return in_window(key, attempts.time, counted, MINUTE_NS) - in_window(own, attempts.time, counted, MINUTE_NS)


def in_window(key: I64, time: I64, counted: Mask, reach: int) -> I64:
    """Count for each row the rows with the same key that are counted and at most *reach* away in time.

    Args:
        key: Small whole numbers, n of them.
        time: Of each row, ns.
        counted: Which rows count.
        reach: ns, either way.

    Returns:
        n counts.
    """
    return _until(key, time, counted, time + reach, True) - _until(key, time, counted, time - reach, False)


def _until(key: I64, time: I64, counted: Mask, moment: I64, inclusive: bool) -> I64:
    """Count rows that come before (key, moment), those at it included or not; only differences of one key mean much."""
    count = len(key)
    later = np.repeat([not inclusive, inclusive], count)  # of equal times, what sorts first: rows if they count
    order = np.lexsort((later, np.concatenate([time, moment]), np.concatenate([key, key])))
    total = np.cumsum(np.concatenate([counted, np.zeros(count, np.bool_)])[order])
    result = np.empty(2 * count, np.int64)
    result[order] = total
    return result[count:]


def nearest_others(key: I64, unit: I64, time: I64, counted: Mask, reach: int) -> I64:
    """Find for each row the nearest before and behind it of those with the same key, another unit, and that count.

    Args:
        key: What both share, n whole numbers.
        unit: What they must not share.
        time: Of each row, ns.
        counted: Which rows can be found.
        reach: Farthest that one may be, ns.

    Returns:
        Shape (2, n): rows before and rows behind, -1 where there is none.
    """
    count = len(key)
    order = np.lexsort((np.arange(count), time, key))
    place, group, moment = key[order], unit[order], time[order]
    result = np.full((2, count), -1, np.int64)
    for side, step in enumerate((1, -1)):  # looking back, then ahead
        rows = np.arange(count)[::step]
        last = _last_other(place[::step], group[::step], counted[order][::step])
        known = np.flatnonzero(last >= 0)
        mine, other = rows[known], rows[last[known]]
        near = np.abs(moment[mine] - moment[other]) <= reach
        result[side, order[mine[near]]] = order[other[near]]
    return result


def _last_other(place: I64, group: I64, counted: Mask) -> I64:
    """Find for each row the last counted one before it with the same place and another group, -1 for none."""
    rows = np.flatnonzero(counted)
    if not len(rows):
        return np.full(len(place), -1, np.int64)
    before = np.cumsum(counted) - counted - 1  # place among the counted of the last one before each row
    fresh = np.append(True, (place[rows][1:] != place[rows][:-1]) | (group[rows][1:] != group[rows][:-1]))
    start = np.maximum.accumulate(np.where(fresh, np.arange(len(rows)), 0))  # where the run of each counted one begins
    at = np.maximum(before, 0)
    same = group[rows[at]] == group
    at = np.where(same & (place[rows[at]] == place), start[at] - 1, before)
    good = (at >= 0) & (place[rows[np.maximum(at, 0)]] == place)
    return np.where(good, rows[np.maximum(at, 0)], -1)
