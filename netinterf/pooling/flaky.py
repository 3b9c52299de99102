"""What comes and goes: servers that are overloaded wherever they are asked, and lines that lose one transport.

A block lets nearly all fail, and the same each time. Where others are answered sometimes, failing is what the thing
does; and where names that are answered at other times fail now over one transport, it is what that does. So attempts
fail by themselves at least as often as these do.
"""

import numpy as np

from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import combined, numbered, totals
from netinterf.observations.line import STRENGTH, USUAL
from netinterf.observations.table import Observations
from netinterf.verdict.keys import BIN_NS

__all__ = ["comes_and_goes", "loses"]


def comes_and_goes(table: Observations) -> F64:
    """Give the log-share of visits that fail in other places, of what was tried; -inf where none does.

    Places that were never answered tell of a block, of a refusal or of an outage, and not of this; and what a scan
    holds to be struck did not fail by itself. A server without a name is one that did not open.

    Args:
        table: Observations of any places.

    Returns:
        One entry per observation.
    """
    opened = table.alive + table.failed.astype(np.int64) - table.at_opening
    by_unit = share_elsewhere(table, table.unit, table.alive, table.silent.astype(np.int64) + table.broken)
    by_server = share_elsewhere(table, table.service, opened, np.where(table.named, 0, table.at_opening))
    return np.where(table.named, by_unit, by_server)


def share_elsewhere(table: Observations, what: I64, passed: I64, lost: I64) -> F64:
    """Count visits in all other places where any passes: those that fail, of all and one more, as logarithms."""
    ever = np.zeros(int(what.max(initial=-1)) + 1, np.bool_)
    ever[what[lost > 0]] = True
    rows = np.flatnonzero(ever[what])
    visit, first = numbered(combined(what[rows], table.place[rows], table.capture[rows], table.time[rows] // BIN_NS))
    passes, fails = (totals(visit, values[rows], len(first)) > 0 for values in (passed, lost))
    cell, head = numbered(combined(what[rows][first], table.place[rows][first]))
    thing, _ = numbered(what[rows][first][head])
    answered, failed = totals(cell, passes, len(head)), totals(cell, fails & ~passes, len(head))
    failed[answered == 0] = 0
    failed, answered = (totals(thing, counts, len(head))[thing] - counts for counts in (failed, answered))
    result = np.full(len(what), -np.inf)
    with np.errstate(divide="ignore"):
        result[rows] = np.log(failed / (failed + answered + 1))[cell[visit]]
    return result


def loses(table: Observations, step: I64) -> tuple[F64, F64]:
    """Give the log-share of visits that fail over the same transport in that place and hour; -inf where none does.

    What is lost at random fails as often before what passes as behind it. What is on a list does not: where it begins,
    nothing that fails passes next, and where it ends, nothing that fails has passed last. So the lower of both counts.

    Args:
        table: Observations of any places.
        step: Hour of each.

    Returns:
        One entry per observation, from all other things over its transport: no less than that; and no more than half
        way between that and the usual share, where as many tell as the latter counts for.
    """
    cell, _ = numbered(combined(table.place, table.unit))
    visit, first = numbered(combined(cell, table.capture, table.time // BIN_NS))
    alive, failed = (totals(visit, values, len(first)) > 0 for values in (table.alive, table.silent.astype(np.int64)))
    of = cell[first]
    order = np.lexsort((table.time[first], of))
    same = np.diff(of[order]) == 0
    ahead, behind = np.zeros(len(first), np.bool_), np.zeros(len(first), np.bool_)
    ahead[order[:-1]], behind[order[1:]] = same & alive[order][1:], same & alive[order][:-1]
    hour, head = numbered(combined(of, step[first], table.transport[first], table.version[first]))
    at = first[head]
    way, _ = numbered(combined(table.place[at], step[at], table.transport[at], table.version[at]))

    def others(mask: Mask) -> F64:
        """Count visits of all other things over that transport."""
        counts = totals(hour, mask, len(head))
        return totals(way, counts, len(head))[way] - counts

    least, most = np.ones(len(head)), np.ones(len(head))
    for beside in (ahead, behind):
        lost, passed = others(failed & ~alive & beside), others(alive & beside)
        tried = lost + passed
        least = np.minimum(least, lost / (tried + 1))
        known = tried >= STRENGTH
        most = np.where(known, np.minimum(most, (lost / np.maximum(tried, 1) + USUAL) / 2), most)
    with np.errstate(divide="ignore"):
        return np.log(least)[hour[visit]], np.log(most)[hour[visit]]
