"""What comes and goes wherever it is asked for: servers that are overloaded, or that answer every other time.

A block lets nearly all fail in one network, and others are answered. Where others are answered sometimes, failing is
what the thing does: so attempts fail by themselves at least as often as they do in other places that are answered, too.
"""

import numpy as np

from netinterf.arrays import F64, I64
from netinterf.numbering import combined, numbered, totals
from netinterf.observations.table import Observations
from netinterf.verdict.keys import BIN_NS

__all__ = ["comes_and_goes"]


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
