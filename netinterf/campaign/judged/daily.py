"""Cells day by day: what was tried on each day, and how sure it is that it was blocked then.

A block that began on the tenth day was not at work on the ninth: the chance of a day is that of the cell, times that
its span holds the day.
"""

from collections.abc import Iterator, Sequence

import attrs
import numpy as np

from netinterf.arrays import F64, I64
from netinterf.campaign.judged.record import Cell, CellCounts
from netinterf.campaign.judged.report import OUTCOMES, Report
from netinterf.campaign.judged.words import reasons_of, says
from netinterf.numbering import combined, numbered, totals
from netinterf.pooling.grades import Finding
from netinterf.schema import Grade, Outcome
from netinterf.values import frozen

__all__ = ["by_day"]

DAY_NS = 24 * 3600 * 10**9
STATES = ("answered", "heard", "broken", "silent", "struck", "unknown")


def by_day(report: Report, findings: Sequence[Finding | str] = ()) -> Iterator[Cell]:
    """Write out cells of some findings, one for each day on which they were tried, cell by cell.

    Args:
        report: What a campaign shows.
        findings: Of whole cells; all where none is named.
    """
    rows = report.rows(*findings)
    days = Days.of(report, rows)
    for row, cell in zip(rows.tolist(), report.written(rows), strict=True):
        for place in range(*np.searchsorted(days.cell, [row, row + 1])):
            yield of_day(report, cell, days, place)


@frozen(eq=False)
class Days:
    """What was tried of some cells on each day, one entry per cell and day, in this order."""

    cell: I64
    counts: I64  # shape (entries, captures, failing, states, what could not be read and what was cut off)
    start: I64
    end: I64
    active: F64  # probability that a block was at work, were there one
    captures: list[list[int]]
    settled: I64  # captures in which anything is settled

    @classmethod
    def of(cls, report: Report, rows: I64) -> "Days":
        """Add observations up by day."""
        table, of = report.loaded.observations, report.cells.tallies.cell
        wanted = np.zeros(len(report), np.bool_)
        wanted[rows] = True
        mine = np.flatnonzero(wanted[of])
        mine = mine[np.lexsort((table.time[mine], of[mine]))]
        day = table.time[mine] // DAY_NS
        fresh = np.append(True, (np.diff(of[mine]) != 0) | (np.diff(day) != 0)) if len(mine) else np.zeros(0, np.bool_)
        first, group = np.flatnonzero(fresh), np.cumsum(fresh) - 1
        count = len(first)
        _, one = numbered(combined(group, table.capture[mine]))
        failing = table.failed[mine] > 0
        _, bad = numbered(combined(group[failing], table.capture[mine][failing]))
        settled = np.isin(mine, report.settling.row)
        _, once = numbered(combined(group[settled], table.capture[mine][settled]))
        columns = [totals(group[one], None, count), totals(group[failing][bad], None, count)]
        columns += [totals(group, getattr(table, name)[mine], count) for name in (*STATES, "unread")]
        columns.append(totals(group, report.loaded.cut_off[mine], count))
        ends = np.append(first[1:], len(mine))[:count]
        return cls(
            of[mine][first],
            np.stack(columns, axis=1).astype(np.int64),
            table.time[mine][first],
            table.time[mine][ends - 1] if count else first,
            at_work(report, of[mine][first], day[first]),
            [
                sorted(set(table.capture[mine[a:b]].tolist()))
                for a, b in zip(first.tolist(), ends.tolist(), strict=True)
            ],
            totals(group[settled][once], None, count).astype(np.int64),
        )


def at_work(report: Report, cell: I64, day: I64) -> F64:
    """Give the probability that a block of each cell, if any, was at work on a day: in the surest hour of it."""
    episodes, failing = report.cells.episodes, report.cells.failing
    owner, of_day = failing[episodes.cell], episodes.time // DAY_NS
    both = combined(np.concatenate([owner, cell]), np.concatenate([of_day, day]))
    surest = np.full(int(both.max(initial=-1)) + 1, -np.inf)
    np.maximum.at(surest, both[: len(owner)], report.cells.worth.spans.active)
    found = surest[both[len(owner) :]]
    return np.where(np.isfinite(found), found, 1.0)


def of_day(report: Report, cell: Cell, days: Days, place: int) -> Cell:
    """Write out one day of a cell."""
    captures, failing, *states, unread, cut_off = days.counts[place].tolist()
    here = CellCounts(
        captures=captures,
        failing=failing,
        attempts=sum(states),
        unread=unread,
        cut_off=cut_off,
        **dict(zip(STATES, states, strict=True)),
    )
    probability = cell.probability * float(days.active[place])
    finding, grade = found(report, cell, here, probability)
    paths = {report.path_of(capture) for capture in days.captures[place]}
    day = attrs.evolve(
        cell,
        here=here,
        probability=probability,
        finding=finding,
        grade=grade,
        outcome=OUTCOMES.get(finding, Outcome.INSUFFICIENT),
        mechanism=cell.mechanism if finding in {Finding.BLOCKED, Finding.SUSPECTED} else None,
        began=None,
        ended=None,
        start=int(days.start[place]),
        end=int(days.end[place]),
        settled=int(days.settled[place]),
        settles=tuple(one for one in cell.settles if one.start // DAY_NS == int(days.start[place]) // DAY_NS),
        shown=tuple(shown for shown in cell.shown if shown.capture in paths),
    )
    return attrs.evolve(day, reasons=reasons_of(day), explanation=says(day))


def found(report: Report, cell: Cell, here: CellCounts, probability: float) -> tuple[Finding, Grade]:
    """Say what is found of a cell on one day: no more than of the whole."""
    if cell.finding is Finding.BLOCKED and probability >= report.model.likely:
        return Finding.BLOCKED, cell.grade
    if cell.finding in {Finding.BLOCKED, Finding.SUSPECTED} and probability >= report.model.possible:
        return Finding.SUSPECTED, Grade.POSSIBLE
    if not here.known:
        return Finding.NOT_SHOWN, Grade.INSUFFICIENT
    if here.answered > here.failed:
        return (Finding.NOT_SHOWN, Grade.INSUFFICIENT) if here.blind else (Finding.CLEAR, Grade.NONE)
    return (Finding.DOWN, Grade.NONE) if cell.finding is Finding.DOWN else (Finding.FAILS, Grade.INSUFFICIENT)
