"""Columns whose rows differ in length: arrays, and strings."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from netinterf.arrays import I64, Mask
from netinterf.errors import SchemaError
from netinterf.pieces import gather
from netinterf.values import frozen

__all__ = ["Ragged", "Rows", "Text", "equal_values", "long_runs", "spans"]

LONG_RUN = 16
"""Rows in a row from which copying them as a whole is faster, on the average."""

Rows = NDArray[np.integer[Any]] | Mask | slice
"""What selects rows of a table: row numbers, a mask, or a slice."""


def spans(starts: NDArray[np.integer[Any]], lengths: NDArray[np.integer[Any]]) -> I64:
    """List the positions of many spans, one after the other.

    Args:
        starts: First position of each span.
        lengths: Length of each span, same length as *starts*, never negative.

    Returns:
        ``starts[0], starts[0]+1, …`` for each span in turn; ``lengths.sum()`` numbers. Empty in, empty out.
    """
    lengths = lengths.astype(np.int64)
    total = int(lengths.sum())
    if total == 0:
        return np.empty(0, np.int64)
    firsts = np.cumsum(lengths) - lengths
    return np.repeat(starts.astype(np.int64) - firsts, lengths) + np.arange(total, dtype=np.int64)


def row_numbers(rows: Rows, count: int) -> I64:
    """Number the rows that are selected out of *count*."""
    if isinstance(rows, np.ndarray) and rows.dtype.kind in "iu" and rows.min(initial=0) >= 0:
        return rows.astype(np.int64)
    return np.arange(count)[rows]


def long_runs(index: NDArray[np.integer[Any]], least: int) -> tuple[I64, I64] | None:
    """Say where row numbers rise by one, run after run, and where each run ends; None where runs are shorter.

    Args:
        index: Row numbers, none below 0.
        least: How long runs must be on the average.
    """
    breaks = np.flatnonzero(index[1:] != index[:-1] + 1) + 1
    if len(breaks) * least >= len(index):
        return None
    return index[np.append(0, breaks)].astype(np.int64), index[np.append(breaks, len(index)) - 1].astype(np.int64) + 1


@frozen(eq=False)
class Ragged:
    """A column whose rows are arrays of unequal length: one flat array and where each row begins.

    Row ``i`` is ``values[offsets[i]:offsets[i + 1]]``. ``offsets`` has one entry more than there are rows, starts at
    zero and never falls.
    """

    offsets: I64
    values: NDArray[Any]

    def __attrs_post_init__(self) -> None:
        if self.offsets.dtype != np.int64 or self.offsets.ndim != 1 or len(self.offsets) == 0:
            raise SchemaError(f"offsets must be a 1-D int64 array of at least one entry, not {self.offsets!r:.60}")
        if self.offsets[0] != 0 or self.offsets[-1] != len(self.values):
            raise SchemaError("offsets must run from 0 to the number of values")
        self.offsets.flags.writeable = False
        self.values.flags.writeable = False

    @classmethod
    def of(cls, rows: Iterable[ArrayLike], dtype: DTypeLike) -> Self:
        """Build from one sequence per row; no rows give an empty column."""
        parts = [np.asarray(row, dtype=dtype).reshape(-1) for row in rows]
        return cls.from_lengths([len(part) for part in parts], np.concatenate([np.empty(0, dtype), *parts]))

    @classmethod
    def from_lengths(cls, lengths: ArrayLike, values: NDArray[Any]) -> Self:
        """Build from the length of each row and all values in row order."""
        sizes = np.asarray(lengths, dtype=np.int64).reshape(-1)
        offsets = np.zeros(len(sizes) + 1, np.int64)
        sizes.cumsum(out=offsets[1:])
        return cls(offsets, values)

    @classmethod
    def empty(cls, count: int, dtype: DTypeLike) -> Self:
        """Build a column of *count* empty rows."""
        return cls(np.zeros(count + 1, np.int64), np.empty(0, dtype))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> Any:
        """Return one row: an array view here, ``str`` in :class:`Text`."""
        return self._row(*self._span(row))

    def __iter__(self) -> Iterator[Any]:
        return (self._row(begin, end) for begin, end in pairwise(self.offsets.tolist()))

    def _span(self, row: int) -> tuple[int, int]:
        """Where a row begins and ends."""
        row = row + len(self) if row < 0 else row
        if not 0 <= row < len(self):
            raise IndexError(f"row {row} of {len(self)}")
        return int(self.offsets[row]), int(self.offsets[row + 1])

    def _row(self, begin: int, end: int) -> Any:
        """Read the row that lies there."""
        return self.values[begin:end]

    @property
    def lengths(self) -> I64:
        """Length of each row."""
        lengths: I64 = self.offsets[1:] - self.offsets[:-1]
        return lengths

    def take(self, rows: Rows) -> Self:
        """Select rows, in the order given."""
        index = row_numbers(rows, len(self))
        whole = len(index) == len(self) and (index == np.arange(len(self))).all()
        return self if whole else self._taken(index)

    def _taken(self, index: I64) -> Self:
        """Select rows by their numbers; long runs of them are copied as a whole."""
        if not len(index):
            return self.empty(0, self.values.dtype)
        lengths = self.offsets[index + 1] - self.offsets[index]
        runs = long_runs(index, LONG_RUN)
        if runs is None:
            return type(self).from_lengths(lengths, self._copied(self.offsets[index], lengths))
        begins, ends = (self.offsets[border].tolist() for border in runs)
        copied = [self.values[begin:end] for begin, end in zip(begins, ends, strict=True)]
        return type(self).from_lengths(lengths, np.concatenate(copied))

    def _copied(self, starts: I64, lengths: I64) -> NDArray[Any]:
        """Copy spans of the values, one after the other."""
        return self.values[spans(starts, lengths)]

    def parents(self) -> I64:
        """Name the row of each value, aligned with ``values``."""
        return np.repeat(np.arange(len(self), dtype=np.int64), self.lengths)

    def equals(self, other: "Ragged") -> bool:
        """Say whether both hold the same rows (NaN equals NaN)."""
        return np.array_equal(self.offsets, other.offsets) and equal_values(self.values, other.values)

    @classmethod
    def concat(cls, parts: Sequence["Ragged"]) -> Self:
        """Join columns one after the other; needs at least one."""
        return cls.from_lengths(
            np.concatenate([part.lengths for part in parts]), np.concatenate([part.values for part in parts])
        )


class Text(Ragged):
    """A ragged column of UTF-8 bytes; a row reads as ``str`` (undecodable bytes become backslash escapes)."""

    def __getitem__(self, row: int) -> str:
        return self._row(*self._span(row))

    def _row(self, begin: int, end: int) -> str:
        """Read the row that lies there."""
        return self.values[begin:end].tobytes().decode("utf-8", "backslashreplace")

    @classmethod
    def concat(cls, parts: Sequence[Ragged]) -> Self:
        """Join columns one after the other, at least one; where all others are empty, it is the one as it stands."""
        full = [part for part in parts if len(part)]
        return full[0] if len(full) == 1 and isinstance(full[0], cls) else super().concat(parts)

    def bytes(self, row: int) -> bytes:
        """Return one row as raw bytes."""
        begin, end = self._span(row)
        return self.values[begin:end].tobytes()

    @cached_property
    def told(self) -> dict[str, NDArray[Any]]:
        """What was found out by name: one number for each row, equal for equal rows. Selected rows keep it."""
        return {}

    def _taken(self, index: I64) -> Self:
        """Select rows by their numbers, with what was found out."""
        taken = super()._taken(index)
        taken.told.update((name, column[index]) for name, column in self.told.items())
        return taken

    def _copied(self, starts: I64, lengths: I64) -> NDArray[Any]:
        """Copy spans of the bytes, one after the other."""
        return gather(self.values, starts, lengths)

    @classmethod
    def of(cls, rows: Iterable[Any], dtype: DTypeLike = np.uint8) -> Self:
        """Build from ``str`` or ``bytes`` rows."""
        raw = [row.encode("utf-8", "surrogateescape") if isinstance(row, str) else bytes(row) for row in rows]
        return cls.from_lengths([len(row) for row in raw], np.frombuffer(b"".join(raw), dtype).copy())


def equal_values(left: NDArray[Any], right: NDArray[Any]) -> bool:
    """Say whether two arrays hold the same (NaN equals NaN)."""
    return np.array_equal(left, right, equal_nan=left.dtype.kind == "f")
