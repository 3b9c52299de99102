"""What lies in columns, as a sequence of objects that are written out when asked for, since mostly few are."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TypeVar, overload

import numpy as np

from netinterf.arrays import I64

__all__ = ["Written"]

Item = TypeVar("Item")


class Written(Sequence[Item]):
    """A sequence of which a class says how long it is, and how some of it are written out."""

    @abstractmethod
    def written(self, rows: I64) -> Iterator[Item]:
        """Write out some, by their places."""

    def write(self, row: int) -> Item:
        """Write out one."""
        return next(self.written(np.array([row])))

    def __iter__(self) -> Iterator[Item]:
        return self.written(np.arange(len(self)))

    def __reversed__(self) -> Iterator[Item]:
        return self.written(np.arange(len(self))[::-1])

    @overload
    def __getitem__(self, row: int) -> Item: ...
    @overload
    def __getitem__(self, row: slice) -> tuple[Item, ...]: ...
    def __getitem__(self, row: int | slice) -> Item | tuple[Item, ...]:
        if isinstance(row, slice):
            return tuple(self.written(np.arange(len(self))[row]))
        if not -len(self) <= row < len(self):
            raise IndexError(f"row {row} of {len(self)}")
        return self.write(row % len(self))
