"""What all parts of the page look at: who is accused of what in which network, as columns, and the cells in words."""

from functools import cached_property

import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.campaign.judged.record import Cell
from netinterf.campaign.judged.report import Report
from netinterf.pooling.grades import FINDINGS, Finding
from netinterf.schema import Grade
from netinterf.values import frozen
from netinterf.writing import printable

__all__ = ["GRADES", "View", "view_of"]

GRADES = tuple(Grade)

ROOM = {Finding.BLOCKED: 12_000, Finding.SUSPECTED: 4_000, Finding.FAILS: 2_000, Finding.DOWN: 2_000}
"""Cells of each finding that are put into words, the surest ones: they make a page of some megabytes, and are more than
anybody reads one by one. All others are told by their counts."""


@frozen(eq=False, kw_only=True)
class View:
    """A report, and what is found of it once for all parts of the page."""

    report: Report
    mechanism: I64  # of each cell, place in mechanisms; -1 of cells that are neither blocked nor suspected
    mechanisms: tuple[str, ...]  # that of most blocked cells first
    networks: I64  # those with most blocked cells first
    written: dict[int, Cell]  # some cells in words, the gravest and surest first

    def found(self, finding: Finding) -> Mask:
        """Say which cells are found to be so."""
        return np.asarray(self.report.graded.finding == FINDINGS.index(finding))

    @cached_property
    def blocked(self) -> I64:
        """List the cells that somebody interferes with."""
        rows: I64 = np.flatnonzero(self.found(Finding.BLOCKED))
        return rows

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Name all networks."""
        return tuple(printable(str(network)) for network in self.report.loaded.networks)

    @cached_property
    def called(self) -> tuple[str, ...]:
        """Name all units."""
        return tuple(map(printable, self.report.called))

    def cells(self, finding: Finding) -> list[Cell]:
        """List the cells of one finding that were put into words, the surest first."""
        return [cell for cell in self.written.values() if cell.finding is finding]

    def by_mechanism(self, place: int) -> I64:
        """List the blocked cells of one mechanism."""
        rows: I64 = self.blocked[self.mechanism[self.blocked] == place]
        return rows

    def grades(self, rows: I64) -> str:
        """Count cells by how sure they are: ``512 confirmed, 128 likely``."""
        counts = np.bincount(self.report.graded.grade[rows], minlength=len(GRADES)).tolist()
        return ", ".join(f"{count:,} {grade}" for grade, count in zip(GRADES, counts, strict=True) if count)


def view_of(report: Report) -> View:
    """Look at a report."""
    blocked, suspected = (report.rows(finding) for finding in (Finding.BLOCKED, Finding.SUSPECTED))
    accused = np.concatenate([blocked, suspected])
    kinds, number = np.unique(np.array(report.mechanisms_of(accused), np.str_), return_inverse=True)
    of_blocked = np.bincount(number[: len(blocked)], minlength=len(kinds))
    order = np.argsort(-of_blocked, kind="stable")
    mechanism = np.full(len(report), -1, np.int64)
    mechanism[accused] = np.argsort(order)[number]
    hits = np.bincount(report.cells.tallies.place[blocked], minlength=len(report.loaded.networks))
    rows = np.concatenate([report.rows(finding)[:room] for finding, room in ROOM.items()])
    return View(
        report=report,
        mechanism=mechanism,
        mechanisms=tuple(kinds[order].tolist()),
        networks=np.array(
            sorted(range(len(hits)), key=lambda at: (-hits[at], str(report.loaded.networks[at]))), np.int64
        ),
        written=dict(zip(rows.tolist(), report.written(rows), strict=True)),
    )
