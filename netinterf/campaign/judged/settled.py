"""Which verdicts of single captures all of them settle: attempts that failed, and their own capture cannot say why.

A silence is no more than a suspicion in its own capture. Where its cell is shown to be blocked, it was interfered with
if the block was at work in that hour, and if it did not fail by itself as attempts on that line do. The product of
these is what all captures together say of it; those that reach the bar of an accusation are settled.

Only failures such as the block makes are settled by it: silences by whoever silences, resets by whoever resets.
Attempts that their own capture accuses need nobody else.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import numpy as np

from netinterf.arrays import F64, I64, Mask
from netinterf.campaign.judged.record import Settled
from netinterf.mechanisms import Written, known_as
from netinterf.numbering import combined
from netinterf.observations.attempts import State
from netinterf.observations.table import Observations
from netinterf.pooling.causes import STEADY
from netinterf.pooling.cells import Cells, chance
from netinterf.pooling.witnesses import HOUR_NS, Hours
from netinterf.values import frozen

__all__ = ["Frames", "Settling", "lets_fail"]

Frames = dict[int, tuple[list[int], list[str]]]
"""First frames of attempts and what came of them, by observation."""

AT_A_TIME = 1 << 17
"""Observations that are looked up at a time, some hundred bytes each; every time the store is read once."""


def lets_fail(mechanism: str) -> State | None:
    """Say how attempts fail that somebody interferes with and that show no trace of it; None where nothing is so."""
    known = known_as(mechanism)
    if known is None:
        return None
    return State.BROKEN if known.written is Written.RESET else State.SILENT if known.silent else None


@frozen(eq=False)
class Settling:
    """Observations with attempts that are settled, cell by cell and in the order of time."""

    row: I64
    cell: I64
    attempts: I64  # that are settled
    probability: F64  # that somebody interfered with these

    def __len__(self) -> int:
        return len(self.row)

    @classmethod
    def of(cls, table: Observations, cells: Cells, probability: F64, ways: I64, bar: float) -> Self:
        """Say what is settled.

        Args:
            table: All observations.
            cells: Their cells.
            probability: Of each cell, that it is blocked.
            ways: How attempts fail there by the block: a `State`, and any other number where nobody is accused.
            bar: From which probability on somebody is.
        """
        of = cells.tallies.cell
        attempts = np.select([ways[of] == State.BROKEN, ways[of] == State.SILENT], [table.broken, table.silent], 0)
        rows = np.flatnonzero(attempts)
        sure = probability[of[rows]] * by_the_block(table, cells, rows)
        rows, sure = rows[sure >= bar], sure[sure >= bar]
        order = np.lexsort((table.time[rows], of[rows]))
        rows = rows[order]
        return cls(rows, of[rows], attempts[rows].astype(np.int64), sure[order])

    def take(self, rows: I64 | Mask) -> Self:
        """Select some."""
        return type(self)(self.row[rows], self.cell[rows], self.attempts[rows], self.probability[rows])

    def first(self, cells: I64, most: int) -> Self:
        """Take the first few of some cells."""
        rank = np.arange(len(self)) - np.searchsorted(self.cell, self.cell)
        return self.take((rank < most) & np.isin(self.cell, cells))

    def pieces(self) -> Iterator[Self]:
        """Cut into pieces of a bounded size."""
        for begin in range(0, len(self), AT_A_TIME):
            yield self.take(np.arange(begin, min(begin + AT_A_TIME, len(self))))

    def written(
        self, table: Observations, frames: Frames, where: Callable[..., dict[str, Any]], mechanisms: Mapping[int, str]
    ) -> Iterator[tuple[int, Settled]]:
        """Write out what is settled, each with its cell.

        Args:
            table: All observations.
            frames: Of these.
            where: Gives the path of a capture by its number, and numbers in it as frames or lines.
            mechanisms: What is done in each cell.
        """
        mine = table.take(self.row)
        names = {cell: (mechanism, lets_fail(mechanism)) for cell, mechanism in mechanisms.items()}
        for at, (row, cell) in enumerate(zip(self.row.tolist(), self.cell.tolist(), strict=True)):
            mechanism, way = names[cell]
            word = "" if way is None else way.name.lower()
            told = [(frame, state) for frame, state in zip(*frames[row], strict=True) if state == word]
            yield (
                cell,
                Settled(
                    **where(int(mine.capture[at]), [frame for frame, _ in told]),
                    start=int(mine.time[at]),
                    attempts=int(self.attempts[at]),
                    states=tuple(state for _, state in told),
                    mechanism=mechanism,
                    probability=float(self.probability[at]),
                    alone=None if mine.struck[at] else float(chance(mine.log_odds[at])),
                ),
            )


def by_the_block(table: Observations, cells: Cells, rows: I64) -> F64:
    """Give the probability that a block of their cell, were there one, was at work and let attempts fail.

    A block lets pass what it lets pass in that hour. That others fail as well makes it no surer, since a line that is
    out lets fail all of them.

    Args:
        table: All observations.
        cells: Their cells.
        rows: Observations, each with a failure.
    """
    hour = hour_of(table, cells, rows)
    let_fail, let_pass = STEADY[0], STEADY[1] + cells.episodes.answered[hour]
    by_itself = np.exp(table.chance[rows] / table.failed[rows])
    return np.asarray(cells.worth.spans.active[hour] * let_fail / (let_fail + let_pass * by_itself))


def hour_of(table: Observations, cells: Cells, rows: I64) -> I64:
    """Find the hour of its cell that each of some observations lies in, as a place among the `Episodes`."""
    episodes, hours = cells.episodes, Hours.of(table.time)
    step = np.rint(episodes.hour * (HOUR_NS / hours.width)).astype(np.int64)
    owner = cells.failing[episodes.cell]
    both = combined(np.concatenate([owner, cells.tallies.cell[rows]]), np.concatenate([step, hours.step[rows]]))
    place = np.zeros(int(both.max(initial=-1)) + 1, np.int64)
    place[both[: len(owner)]] = np.arange(len(owner))
    return place[both[len(owner) :]]
