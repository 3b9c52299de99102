"""The matrix: names and servers over transports by networks, and what is packed of them for the script.

A row has the cells of networks in which it was tried, and most are tried in few, so cells lie row by row, each with its
column. What is needed to draw any part of the matrix is unpacked at once, a few bytes for each cell. Counts, and the
words of cells that have some, lie in pieces that are unpacked when somebody asks for one of their cells.
"""

from collections.abc import Iterator

import numpy as np

from netinterf.arrays import I64
from netinterf.campaign.judged.loading import EVERYTHING
from netinterf.campaign.judged.record import Cell
from netinterf.mechanisms import known_as, sign_of
from netinterf.observations.attempts import TRANSPORTS
from netinterf.pooling.grades import FINDINGS, Finding
from netinterf.report.campaign_page.packed import narrow, packed, packed_json, width_of
from netinterf.report.campaign_page.view import GRADES, View
from netinterf.report.campaign_page.words import SAYS, looks, weighed
from netinterf.schema import Grade
from netinterf.values import frozen
from netinterf.writing import printable

__all__ = ["COUNTS", "Grid", "State", "data_of", "grid_of"]

MOST_CELLS, MOST_UNITS = 4_000_000, 400_000
"""Cells and rows of a matrix: it takes 2 bytes for each cell and 40 px for each row, and browsers draw nothing beyond
some 17 million pixels. Rows that find no room are the last ones, in which nothing was found."""

COUNTS = (
    "captures", "failing", "answered", "heard", "broken", "silent", "struck", "unknown", "others_answered",
    "others_failed",
)  # fmt: skip
"""Columns of tallies that a cell is told by, in the order in which the script reads them."""

PIECE, WRITTEN = 1 << 15, 400
"""Cells whose counts, and whose words, are unpacked at once."""


@frozen
class State:
    """What a cell of the matrix shows."""

    finding: Finding
    grade: Grade
    mechanism: str = ""  # empty of cells that are neither blocked nor suspected

    @property
    def sign(self) -> str:
        """What is written into it."""
        if self.mechanism:
            return sign_of(self.mechanism) + ("?" if self.finding is Finding.SUSPECTED else "")
        return {Finding.FAILS: "×", Finding.DOWN: "–", Finding.CLEAR: "·"}.get(self.finding, "?")

    @property
    def kind(self) -> str:
        """How it is painted: classes of the style."""
        return f"{self.finding} {self.grade} {self.mechanism.partition('.')[0]}".rstrip()

    @property
    def says(self) -> str:
        """What it stands for."""
        record = known_as(self.mechanism)
        how = f", {self.mechanism}: {record.one.format(who='the request')}" if record else ""
        return f"{SAYS[self.finding]}{f' ({self.grade})' if self.mechanism else ''}{how}"


@frozen(eq=False, kw_only=True)
class Grid:
    """Cells row by row; those of a row in the order of their columns."""

    cells: I64  # of the report
    begin: I64  # where the cells of each row begin, and the end of the last; rows + 1
    column: I64  # of each cell
    state: I64  # of each cell, place in states
    states: tuple[State, ...]
    units: I64  # what each row is about
    left_out: int  # units that found no room


def grid_of(view: View) -> Grid:
    """Lay cells out: whole networks first, then most blocked, most suspected, most failing, and by name."""
    report, tallies = view.report, view.report.cells.tallies
    count = len(view.called)
    findings = np.bincount(tallies.unit * len(FINDINGS) + report.graded.finding, minlength=count * len(FINDINGS))
    blocked, suspected, fails = findings.reshape(count, len(FINDINGS))[:, :3].T
    names = sorted(range(count), key=view.called.__getitem__)
    order = np.array(names, np.int64)
    part = report.loaded.unit_name[order] != EVERYTHING
    order = order[np.lexsort((-fails[order], -suspected[order], -blocked[order], part))]
    sizes = np.bincount(tallies.unit, minlength=count)[order]
    kept = min(int(np.searchsorted(np.cumsum(sizes), MOST_CELLS, side="right")), MOST_UNITS, count)
    row, column = np.empty(count, np.int64), np.empty(len(view.networks), np.int64)
    row[order], column[view.networks] = np.arange(count), np.arange(len(view.networks))
    cells = np.lexsort((column[tallies.place], row[tallies.unit]))
    begin = np.concatenate([[0], np.cumsum(sizes[:kept])])
    cells = cells[: begin[-1]]
    state, states = states_of(view, cells)
    return Grid(
        cells=cells, begin=begin, column=column[tallies.place[cells]], state=state, states=states,
        units=order[:kept], left_out=count - kept,
    )  # fmt: skip


def states_of(view: View, cells: I64) -> tuple[I64, tuple[State, ...]]:
    """Number what cells show, the gravest first; how sure it is counts where somebody is accused."""
    graded, mechanism = view.report.graded, view.mechanism[cells] + 1
    grade = np.where(mechanism > 0, graded.grade[cells], GRADES.index(Grade.NONE))
    code = (graded.finding[cells] * len(GRADES) + grade) * (len(view.mechanisms) + 1) + mechanism
    known, number = np.unique(code, return_inverse=True)
    words = ("", *view.mechanisms)
    states = [
        State(
            FINDINGS[one // len(words) // len(GRADES)], GRADES[one // len(words) % len(GRADES)], words[one % len(words)]
        )
        for one in known.tolist()
    ]
    return number, tuple(states)


def data_of(view: View, grid: Grid) -> Iterator[str]:
    """Pack all that the script needs, piece by piece."""
    rows = np.array(sorted(view.written), np.int64)
    place = np.full(len(view.report), -1, np.int64)
    place[grid.cells] = np.arange(len(grid.cells))
    places = np.sort(place[rows][place[rows] >= 0])
    pieces = [places[at : at + WRITTEN] for at in range(0, len(places), WRITTEN)]
    transport = np.zeros(len(view.called), np.int64)
    transport[view.report.cells.tallies.unit] = view.report.cells.tallies.transport
    widths = width_of(view.labels), width_of(grid.states)
    about = {
        "networks": [view.labels[at] for at in view.networks.tolist()],
        "states": [[one.finding, one.mechanism, one.sign, one.kind, one.says] for one in grid.states],
        "transports": list(TRANSPORTS),
        "widths": widths,
        "piece": PIECE,
        "written": [int(piece[0]) for piece in pieces],
    }
    yield packed_json("about", about)
    yield packed("names", "\n".join(view.called[unit] for unit in grid.units.tolist()).encode("utf-8"))
    yield packed("transport", narrow(transport[grid.units], 1))
    yield packed("begin", narrow(grid.begin, 4))
    yield packed("column", narrow(grid.column, widths[0]))
    yield packed("state", narrow(grid.state, widths[1]))
    for at in range(0, len(grid.cells), PIECE):
        cells = grid.cells[at : at + PIECE]
        columns = [getattr(view.report.cells.tallies, word)[cells] for word in COUNTS]
        yield packed(f"counts-{at // PIECE}", narrow(np.stack(columns), 4))
    for number, piece in enumerate(pieces):
        told = {int(at): told_of(view.written[int(grid.cells[at])]) for at in piece}
        yield packed_json(f"written-{number}", told)


def told_of(cell: Cell) -> list[object]:
    """Tell a cell in words: the sentences, what bears on it, and where to look."""
    return [printable(cell.explanation), list(weighed(cell)), list(looks(cell))]
