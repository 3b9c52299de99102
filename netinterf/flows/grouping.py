"""Find equal rows fast and exactly: a 64-bit mix packed with the row number, one sort, and a check.

Grouping rows by several columns with a lexicographic sort costs one sort per column. Here the columns are mixed into
64 bits, the low bits are replaced by the row number, and the resulting integers are sorted once: equal rows become
neighbours, in row order. Two different keys may share the remaining hash bits, so neighbours are compared by the true
columns; wherever they differ, that stretch alone is sorted again by the columns themselves. The result is therefore
exact whatever the mix, and an adversary who finds collisions only makes it slower.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I32, I64, U64, Mask
from netinterf.table import spans
from netinterf.values import frozen

__all__ = ["Groups", "first_index", "group_rows", "mix"]


# Odd multipliers of splitmix64 (Steele, Lea & Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014).
FIRST_MULTIPLIER = np.uint64(0xBF58476D1CE4E5B9)
SECOND_MULTIPLIER = np.uint64(0x94D049BB133111EB)
BLOCK = 1 << 17  # rows per step, so that temporaries stay in cache


def mix(values: U64) -> U64:
    """Scatter 64-bit values one to one (the finaliser of splitmix64)."""
    mixed = (values ^ (values >> np.uint64(30))) * FIRST_MULTIPLIER
    mixed = (mixed ^ (mixed >> np.uint64(27))) * SECOND_MULTIPLIER
    scattered: U64 = mixed ^ (mixed >> np.uint64(31))
    return scattered


@frozen(eq=False)
class Groups:
    """Rows sorted by group, ascending inside each, and where each group begins."""

    rows: I32
    starts: I64

    @property
    def lengths(self) -> I64:
        """Number of rows of each group."""
        return np.diff(self.starts, append=len(self.rows))


def group_rows(mixed: U64, columns: Callable[[NDArray[np.integer[Any]]], Sequence[NDArray[Any]]]) -> Groups:
    """Group rows whose columns agree.

    Args:
        mixed: A hash of the columns, one per row; equal rows must have equal hashes.
        columns: Gives the true key columns of the rows it is asked for.

    Returns:
        Every row, in groups ordered by hash; empty in, empty out.
    """
    count = len(mixed)
    if count == 0:
        return Groups(np.empty(0, np.int32), np.empty(0, np.int64))
    bits = np.uint64(max(count - 1, 1).bit_length())
    packed = (mixed >> bits) << bits
    packed |= np.arange(count, dtype=np.uint64)
    packed.sort()
    rows = (packed & ((np.uint64(1) << bits) - np.uint64(1))).astype(np.int32)
    packed >>= bits
    fresh = np.empty(count, np.bool_)
    fresh[0] = True
    np.not_equal(packed[1:], packed[:-1], out=fresh[1:])
    del packed
    collisions = hash_collisions(rows, fresh, columns)
    if len(collisions):
        sort_collisions(rows, fresh, collisions, columns)
    return Groups(rows, np.flatnonzero(fresh))


def hash_collisions(
    rows: I32,
    fresh: Mask,
    columns: Callable[[NDArray[np.integer[Any]]], Sequence[NDArray[Any]]],
) -> I64:
    """List positions that share the hash of the row before them but not its columns."""
    collisions = [np.empty(0, np.int64)]
    for start in range(0, len(rows), BLOCK):
        low = max(start - 1, 0)
        stop = min(start + BLOCK, len(rows))
        differ = np.zeros(stop - low - 1, np.bool_)
        for values in columns(rows[low:stop]):
            differ |= values[1:] != values[:-1]
        differ &= ~fresh[low + 1 : stop]
        if differ.any():
            collisions.append(np.flatnonzero(differ) + low + 1)
    return np.concatenate(collisions)


def sort_collisions(
    rows: I32,
    fresh: Mask,
    collisions: I64,
    columns: Callable[[NDArray[np.integer[Any]]], Sequence[NDArray[Any]]],
) -> None:
    """Sort the groups that hold different keys by their columns, in place, and split them."""
    starts = np.flatnonzero(fresh)
    lengths = np.diff(starts, append=len(rows))
    bad = np.unique(np.searchsorted(starts, collisions, side="right") - 1)
    places = spans(starts[bad], lengths[bad])
    owner = np.repeat(bad, lengths[bad])
    members = rows[places]
    keys = [owner, *columns(members)]
    order = np.lexsort((members, *reversed(keys)))
    rows[places] = members[order]
    split = np.zeros(len(places), np.bool_)
    split[0] = True
    for key in keys:
        ordered = key[order]
        split[1:] |= ordered[1:] != ordered[:-1]
    fresh[places] = split


def first_index(keys: NDArray[np.integer[Any]], places: NDArray[np.integer[Any]], count: int) -> I32:
    """Give the first place at which each key occurs.

    Args:
        keys: Numbers below *count*, in the order of *places*.
        places: What to report for each entry.
        count: How many keys there may be.

    Returns:
        One entry per key, -1 where it does not occur.
    """
    first = np.full(count, -1, np.int32)
    first[keys[::-1]] = places[::-1]  # of repeated indices the last assignment stays: the first entry
    return first
