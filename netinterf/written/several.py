"""Verdicts of one or several ledgers as one sequence: written out when asked for, since mostly few are."""

from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import attrs
import numpy as np

from netinterf.arrays import I64
from netinterf.values import frozen
from netinterf.written.ledger import Ledger
from netinterf.written.record import Verdict

__all__ = ["Part", "SeveralVerdicts"]


Part = tuple[Ledger, I64]
"""A ledger, and the rows that are meant."""


def telling(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Let go of ledgers of which nothing is meant."""
    return tuple((ledger, rows) for ledger, rows in parts if len(rows))


@frozen(eq=False)
class SeveralVerdicts(Sequence[Verdict]):  # noqa: PLW1641 - it has no hash, as a list has none
    """Some verdicts of each of some ledgers, one after the other; it may be added to a list, and equals one."""

    parts: tuple[Part, ...] = attrs.field(default=(), repr=False, converter=telling)

    @classmethod
    def of(cls, ledgers: Sequence[Ledger]) -> "SeveralVerdicts":
        """Take all verdicts of ledgers."""
        return cls((ledger, np.arange(len(ledger))) for ledger in ledgers)

    def __len__(self) -> int:
        return sum(len(rows) for _, rows in self.parts)

    def __iter__(self) -> Iterator[Verdict]:
        for ledger, rows in self.parts:
            yield from ledger.written(rows)

    @overload
    def __getitem__(self, row: int) -> Verdict: ...
    @overload
    def __getitem__(self, row: slice) -> tuple[Verdict, ...]: ...
    def __getitem__(self, row: int | slice) -> Verdict | tuple[Verdict, ...]:
        if isinstance(row, slice):
            return tuple(self.written(np.arange(len(self))[row]))
        place = row + len(self) if row < 0 else row
        for ledger, rows in self.parts:
            if 0 <= place < len(rows):
                return ledger.write(int(rows[place]))
            place -= len(rows)
        raise IndexError(f"verdict {row} of {len(self)}")

    def __reversed__(self) -> Iterator[Verdict]:
        return self.written(np.arange(len(self))[::-1])

    def written(self, places: I64) -> Iterator[Verdict]:
        """Write out some, as many at a time as are of one ledger."""
        edges = np.cumsum([0, *(len(rows) for _, rows in self.parts)])
        part = np.searchsorted(edges, places, side="right") - 1
        for run in np.split(np.arange(len(places)), np.flatnonzero(np.diff(part)) + 1):
            for number in part[run[:1]].tolist():
                ledger, rows = self.parts[number]
                yield from ledger.written(rows[places[run] - edges[number]])

    def __add__(self, others: Sequence[Verdict]) -> list[Verdict]:
        return [*self, *others]

    def __radd__(self, others: Sequence[Verdict]) -> list[Verdict]:
        return [*others, *self]

    def __eq__(self, others: object) -> bool:
        if not isinstance(others, Sequence):
            return NotImplemented
        return len(self) == len(others) and all(mine == other for mine, other in zip(self, others, strict=True))
