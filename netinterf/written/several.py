"""Verdicts of one or several ledgers as one sequence."""

from collections.abc import Iterable, Iterator, Sequence

import attrs
import numpy as np

from netinterf.arrays import I64
from netinterf.notebook import MOST_ROWS, html_table
from netinterf.values import frozen
from netinterf.writing import count_of
from netinterf.written.ledger import Ledger
from netinterf.written.record import Verdict
from netinterf.written.sequence import Written

__all__ = ["Part", "SeveralVerdicts"]


Part = tuple[Ledger, I64]
"""A ledger, and the rows that are meant."""


def telling(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Let go of ledgers of which nothing is meant."""
    return tuple((ledger, rows) for ledger, rows in parts if len(rows))


@frozen(eq=False)
class SeveralVerdicts(Written[Verdict]):  # noqa: PLW1641 - it has no hash, as a list has none
    """Some verdicts of each of some ledgers, one after the other; it may be added to a list, and equals one."""

    parts: tuple[Part, ...] = attrs.field(default=(), repr=False, converter=telling)

    @classmethod
    def of(cls, ledgers: Sequence[Ledger]) -> "SeveralVerdicts":
        """Take all verdicts of ledgers."""
        return cls((ledger, np.arange(len(ledger))) for ledger in ledgers)

    def __repr__(self) -> str:
        return f"<{count_of(len(self), 'verdict')}; iterating writes them out>"

    def _repr_html_(self) -> str:
        head = ("outcome", "mechanism", "grade", "probability", "client", "server", "name", "first frame")
        return html_table(head, map(cells, self[:MOST_ROWS]), len(self) - MOST_ROWS)

    def __len__(self) -> int:
        return sum(len(rows) for _, rows in self.parts)

    def written(self, rows: I64) -> Iterator[Verdict]:
        """Write out some, as many at a time as are of one ledger."""
        edges = np.cumsum([0, *(len(meant) for _, meant in self.parts)])
        part = np.searchsorted(edges, rows, side="right") - 1
        for run in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(part)) + 1):
            for number in part[run[:1]].tolist():
                ledger, meant = self.parts[number]
                yield from ledger.written(meant[rows[run] - edges[number]])

    def __add__(self, others: Sequence[Verdict]) -> list[Verdict]:
        return [*self, *others]

    def __radd__(self, others: Sequence[Verdict]) -> list[Verdict]:
        return [*others, *self]

    def __eq__(self, others: object) -> bool:
        if not isinstance(others, Sequence):
            return NotImplemented
        return len(self) == len(others) and all(mine == other for mine, other in zip(self, others, strict=True))


def cells(verdict: Verdict) -> list[object]:
    """Give what a table shows of a verdict."""
    subject, what = verdict.subject, [verdict.outcome.value, verdict.mechanism, verdict.grade.value]
    return [*what, f"{verdict.probability:.3g}", subject.client, subject.server, subject.name, subject.first_frame]
