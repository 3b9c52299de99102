"""What else went on: counted questions on who contacted whom, and when.

A silence, a reset or a slow handshake says little by itself; whom it spares says much. *Spared* is who has something in
common with what was hit (the client, mostly the server), differs in what a box would go by (mostly the name), and fared
better near it in time.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64
from netinterf.numbering import combined, ordered, risen

__all__ = ["NEAR_NS", "Contrast", "Grouped", "Grouping", "around"]

NEAR_NS = 60_000_000_000
"""How near in time another connection must lie to be compared: a minute (Kakhki et al., IMC 2015)."""

MOMENT_BITS = 41
"""Milliseconds since 1970 take 41 bits until 2039; groups have the other 22."""


class Grouped(Protocol):
    """Something whose rows can be grouped by what they have in common: contacts, or questions asked of resolvers."""

    def of(self, *columns: str) -> I64:
        """Number the distinct combinations of some columns."""
        ...


class Grouping:
    """Rows with some columns of numbers, for what is grouped neither by contact nor by question."""

    def __init__(self, **columns: I64) -> None:
        """Name the columns, aligned with each other."""
        self._groups: dict[tuple[str, ...], I64] = {(name,): column for name, column in columns.items()}

    def of(self, *columns: str) -> I64:
        """Number the distinct combinations of some columns; one column has its own numbers."""
        if columns not in self._groups:
            self._groups[columns] = combined(*(self._groups[(column,)] for column in columns))
        return self._groups[columns]


class Contrast:
    """Rows of a table to which something happened, each at its time, to be counted beside others.

    Spans are counted to the millisecond, both ends included.
    """

    def __init__(self, table: Grouped, rows: NDArray[np.integer], time: I64) -> None:
        """Name what happened.

        Args:
            table: Contacts, or questions.
            rows: Rows of it to which something happened, any of them also several times.
            time: When, ns since 1970, aligned with *rows*.
        """
        self._table, self._rows, self._time = table, rows, milliseconds(time)
        self._keys: dict[tuple[str, ...], I64] = {}

    def count(self, rows: NDArray[np.integer], *shared: str, begin: I64 | None = None, end: I64 | None = None) -> I64:
        """Count what happened to rows that have something in common with those asked about.

        Args:
            rows: Rows of the table.
            *shared: Columns that must be equal.
            begin: From when on, ns since 1970, aligned with *rows*; from ever when left out.
            end: Until when.
        """
        if not len(self._rows):
            return np.zeros(len(rows), np.int64)
        if begin is None and end is None:
            counts: I64 = self._counts(shared)[self._table.of(*shared)[rows]]
            return counts
        keys, group = self._sorted_keys(shared), self._table.of(*shared)[rows]
        first = np.zeros(1, np.int64) if begin is None else milliseconds(begin)
        last = np.full(1, (1 << MOMENT_BITS) - 1) if end is None else milliseconds(end)
        order = ordered(group)  # what is asked for in order is found faster
        counted = np.empty(len(group), np.int64)
        counted[order] = np.searchsorted(keys, moments(group, last)[order], side="right")
        counted[order] -= np.searchsorted(keys, moments(group, first)[order])
        return np.maximum(counted, 0)  # a span that ends before it begins holds nothing

    def others(
        self, rows: NDArray[np.integer], *shared: str, but: str, begin: I64 | None = None, end: I64 | None = None
    ) -> I64:
        """Count the same, without what is equal in one more column."""
        equal = self.count(rows, *shared, but, begin=begin, end=end)
        return self.count(rows, *shared, begin=begin, end=end) - equal

    def last(self, rows: NDArray[np.integer], *shared: str, before: I64) -> I64:
        """When something last happened to such rows before a time (ns since 1970), 0 where it never did."""
        keys, group = self._sorted_keys(shared), self._table.of(*shared)[rows]
        place = np.searchsorted(keys, moments(group, milliseconds(before))) - 1
        latest = keys[np.maximum(place, 0)] if len(keys) else np.zeros(len(group), np.int64)
        same = (place >= 0) & (latest >> MOMENT_BITS == group)
        return np.where(same, (latest & ((1 << MOMENT_BITS) - 1)) * 1_000_000, 0)

    def first(self, rows: NDArray[np.integer], *shared: str, since: I64) -> I64:
        """When something first happened to such rows from a time on (ns since 1970), the largest number where never."""
        keys, group = self._sorted_keys(shared), self._table.of(*shared)[rows]
        place = np.searchsorted(keys, moments(group, milliseconds(since)))
        earliest = keys[np.minimum(place, len(keys) - 1)] if len(keys) else np.zeros(len(group), np.int64)
        same = (place < len(keys)) & (earliest >> MOMENT_BITS == group)
        return np.where(same, (earliest & ((1 << MOMENT_BITS) - 1)) * 1_000_000, np.iinfo(np.int64).max)

    def _counts(self, shared: tuple[str, ...]) -> I64:
        """Count what happened at any time, by the numbers of one grouping."""
        group = self._table.of(*shared)
        return np.bincount(group[self._rows], minlength=int(group.max(initial=-1)) + 1)

    def _sorted_keys(self, shared: tuple[str, ...]) -> I64:
        """Sort what happened by one grouping, once."""
        if shared not in self._keys:
            self._keys[shared] = risen(moments(self._table.of(*shared)[self._rows], self._time))
        return self._keys[shared]


def moments(group: I64, time: I64) -> I64:
    """Put group and time into one number that sorts by both."""
    return group << MOMENT_BITS | time


def milliseconds(time: I64) -> I64:
    """Count milliseconds since 1970; clocks that claim to be beyond 2039 or before 1970 stand at the edge."""
    return np.clip(time // 1_000_000, 0, (1 << MOMENT_BITS) - 1)


def around(begin: I64, end: I64) -> tuple[I64, I64]:
    """Widen spans by `NEAR_NS` on either side, as far as clocks go."""
    return np.maximum(begin, 0) - NEAR_NS, np.minimum(end, np.iinfo(np.int64).max - NEAR_NS) + NEAR_NS
