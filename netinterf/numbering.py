"""What is equal, as whole numbers: keys, combinations of columns, and strings.

Columns of a million rows are numbered by hashing into a table and checking what was hit, several times faster than
sorting them; nothing rests on that hash being free of collisions.
"""

from collections.abc import Iterable, Iterator, Sized
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, U8, U64, Mask
from netinterf.compiled import call, is_there
from netinterf.table import Text

__all__ = [
    "among",
    "combined",
    "distinct",
    "distinct_rows",
    "hash_rows",
    "joined",
    "numbered",
    "numbered_text",
    "offsets",
    "one_of",
    "order_of_different",
    "ordered",
    "ordered_within",
    "risen",
    "totals",
]

Table = NDArray[np.signedinteger[Any]]

MOST = 2**62
"""Largest number of combinations that are held in one 64-bit number."""

DENSE = 4
"""Numbers whose range is so many times as large as they are many, or smaller, have a place each in a table."""

SPARSE = 32
"""The same where a place takes one byte."""

RUN = 256
"""Length of rising runs from which merging them is faster than sorting."""

GOLDEN_RATIO = np.uint64(0x9E3779B97F4A7C15)  # multiplicative hashing by the golden ratio (Knuth, TAOCP vol. 3, 6.4)


def numbered(keys: NDArray[Any]) -> tuple[I64, I64]:
    """Number equal keys alike.

    Args:
        keys: n whole numbers of 64 bits.

    Returns:
        For each key a number from 0 without gaps, and for each number the position of one key that has it.

    Raises:
        TypeError: They have other than 64 bits: read as such they would be half as many.
    """
    if keys.dtype.itemsize != 8:
        raise TypeError(f"keys of 64 bits are wanted, not {keys.dtype}")
    words = np.ascontiguousarray(keys).view(np.uint64)
    low, high = (int(words.min()), int(words.max())) if len(words) else (0, 0)
    dense, bits = high - low <= DENSE * len(words), max(8, (4 * len(words)).bit_length())
    size = high - low + 1 if dense else 1 << bits
    table: Table = np.empty(size, np.int32 if len(words) < 2**31 else np.int64)  # (the less of the cache it takes)
    if is_there() and table.dtype == np.int32:
        number, first, found = np.empty(len(words), np.int64), np.empty(len(words), np.int64), np.zeros(1, np.int64)
        if dense:
            call("number_small_keys", len(words), words, low, table, number, first, found)
        else:
            call("number_keys", len(words), words, bits, table, np.empty(len(words), np.int32), number, first, found)
        return number, first[: int(found[0])].copy()
    return _by_value((words - np.uint64(low)).view(np.int64), table) if dense else _by_hash(words, bits, table)


def _by_hash(words: U64, bits: int, table: Table) -> tuple[I64, I64]:
    """Number keys alike with a table of ``2**bits`` places."""
    shift, factor = np.uint64(64 - bits), int(GOLDEN_RATIO)
    number, firsts, count = np.empty(len(words), np.int64), [np.empty(0, np.int64)], 0
    left, own = np.arange(len(words)), words
    while len(left):
        slot = ((own * np.uint64(factor)) >> shift).view(np.int64)
        table[slot] = left  # the last write wins
        owner = table[slot].astype(np.int64)
        new = left[owner == left]
        number[new] = count + np.arange(len(new))
        firsts.append(new)
        count += len(new)
        number[left] = number[owner]
        other = np.flatnonzero(words[owner] != own)
        left, own = left[other], own[other]
        factor = factor * int(GOLDEN_RATIO) % 2**64  # another hash for keys that met a different one
    return number, np.concatenate(firsts)


def _by_value(keys: I64, table: Table) -> tuple[I64, I64]:
    """Number keys alike, each of which has a place of its own in a table."""
    place = np.arange(len(keys))
    table[keys] = place  # the last write wins
    first = np.flatnonzero(table[keys] == place)
    table[keys[first]] = np.arange(len(first))
    return table[keys].astype(np.int64), first


def joined(*columns: tuple[NDArray[Any], int]) -> tuple[I64, int]:
    """Join columns of small numbers into one: equal only where all are.

    Args:
        columns: Pairs of a column, from 0, and how many values it can have.

    Returns:
        The joined column and how many values it can have.
    """
    first, size = columns[0]
    result: I64 = first.astype(np.int64)
    for column, width in columns[1:]:
        if size * width >= MOST:
            result, size = numbered(result)[0], len(result) + 1
        if size * width >= MOST:
            column, width = numbered(column.astype(np.int64))[0], len(column) + 1  # noqa: PLW2901
        result *= width
        result += column
        size *= width
    return result, size


def distinct(keys: NDArray[np.integer[Any]]) -> I64:
    """List the different numbers, rising."""
    low, high = (int(keys.min()), int(keys.max())) if len(keys) else (0, 0)
    if high - low <= SPARSE * len(keys):
        there = np.zeros(high - low + 1, np.bool_)
        there[keys.astype(np.int64) - low] = len(keys) > 0
        return np.flatnonzero(there) + low
    rising = risen(keys.astype(np.int64))
    is_new = np.ones(len(rising), np.bool_)
    is_new[1:] = rising[1:] != rising[:-1]
    return rising[is_new]


def risen(keys: I64) -> I64:
    """Sort numbers; those that come in long rising runs, as whatever was put together does, are merged."""
    falls = np.count_nonzero(keys[1:] < keys[:-1])
    return np.sort(keys, kind="stable" if falls * RUN < len(keys) else None) if falls else keys


def ordered(keys: NDArray[np.integer[Any]]) -> I64:
    """Order whole numbers from 0 on, equal ones as they stand: a stable ``argsort``, sixteen bits at a time."""
    if (keys[1:] >= keys[:-1]).all():
        return np.arange(len(keys))
    most = int(keys.max())
    if most >= 2**32:
        return np.argsort(keys, kind="stable")
    order = np.argsort(keys.astype(np.uint16), kind="stable")  # numpy counts keys of sixteen bits instead of comparing
    if most >= 2**16:
        order = order[np.argsort((keys[order] >> 16).astype(np.uint16), kind="stable")]
    return order


def ordered_within(group: NDArray[np.integer[Any]], *keys: NDArray[Any]) -> I64:
    """Order rows by their groups, and in each by some keys, the first one first; what is equal stays as it stands.

    Args:
        group: Numbers from 0, below a small multiple of how many rows there are.
        keys: Whole numbers or floats of 64 bits, aligned with *group*; NaN comes last.
    """
    if not is_there() or not len(group):
        return np.lexsort((*reversed(keys), group))
    rows, first = np.empty(len(group), np.int64), np.zeros(int(group.max()) + 2, np.int64)
    columns = tuple(map(_rising, keys))
    spare = np.empty(len(group), np.int64)
    call("order_within", len(rows), len(first) - 1, group.astype(np.int64), len(keys), columns, first, rows, spare)
    return rows


def _rising(key: NDArray[Any]) -> I64:
    """Give whole numbers that are in order as the keys are."""
    if key.dtype.kind != "f":
        return np.ascontiguousarray(key, np.int64)
    bits = np.where(np.isnan(key), np.nan, key + 0.0).view(np.int64)  # the one NaN, and the one zero
    return bits ^ (bits >> 63 & np.int64(2**63 - 1))


def order_of_different(keys: NDArray[np.integer[Any]]) -> I64:
    """Order whole numbers from 0 that are all different, and below a small multiple of how many they are."""
    place = np.full(int(keys.max(initial=-1)) + 1, -1)
    place[keys] = np.arange(len(keys))
    return place[place >= 0]


def distinct_rows(rows: I64) -> tuple[I64, I64]:
    """List the different rows of a matrix, in rising order, and the place there of each row: few of many."""
    number, first = numbered(joined(*map(_from_zero, rows.T))[0])
    different, place = np.unique(rows[first], axis=0, return_inverse=True)
    return different, place.reshape(-1)[number]


def among(keys: NDArray[np.integer[Any]], rising: I64) -> Mask:
    """Say which numbers are among others, which are rising."""
    if not len(rising):
        return np.zeros(len(keys), np.bool_)
    there: Mask = rising[np.minimum(np.searchsorted(rising, keys), len(rising) - 1)] == keys
    return there


def one_of(values: NDArray[np.integer[Any]], few: Iterable[int]) -> Mask:
    """Say which numbers are one of a few: `numpy.isin` takes long to see that they are."""
    found = np.zeros(values.shape, np.bool_)
    for number in few:
        found |= values == number
    return found


def combined(*columns: NDArray[np.integer[Any]]) -> I64:
    """Number the distinct combinations of some columns, from 0 without gaps."""
    return numbered(joined(*map(_from_zero, columns))[0])[0]


def totals(group: NDArray[np.integer[Any]], values: NDArray[Any] | None, count: int) -> NDArray[np.float64]:
    """Add values up by group, or count members; numpy gives whole numbers for the latter, and for nothing.

    Args:
        group: Numbers from 0, below *count*.
        values: Aligned with it; None counts.
        count: How many groups there are.
    """
    return np.bincount(group, values, count).astype(np.float64)


def offsets(tables: Iterable[Sized]) -> I64:
    """Say at which row each of some tables begins where they are put one behind the other."""
    return np.cumsum([0, *map(len, tables)], dtype=np.int64)[:-1]


def _from_zero(column: NDArray[np.integer[Any]]) -> tuple[I64, int]:
    """Give a column in numbers from 0 on, and how many values it can have."""
    whole = column.astype(np.int64, copy=False)
    low, high = (int(whole.min()), int(whole.max())) if len(whole) else (0, 0)
    if high - low >= MOST:
        number, first = numbered(whole)
        return number, len(first)
    return whole - low if low else whole, high - low + 1


def hash_rows(column: Text) -> U64:
    """Mix the bytes of every string into one 64-bit number, once; equal strings get equal numbers."""
    if "hash" in column.told:
        return column.told["hash"]
    hashes = column.lengths.astype(np.uint64)
    if is_there():
        call("hash_texts", len(column), *_bytes(column), hashes)
    else:
        for rows, words in _words(column):
            # every step can be undone: different words stay different
            mixed = (words ^ (words >> np.uint64(32))) * GOLDEN_RATIO
            mixed ^= mixed >> np.uint64(29)
            hashes[rows] = (hashes[rows] + mixed) * GOLDEN_RATIO
    hashes.flags.writeable = False
    column.told["hash"] = hashes
    return hashes


def numbered_text(column: Text) -> tuple[I64, Text]:
    """Number equal strings alike.

    Returns:
        For each row a number from 0 without gaps, and the different strings by number.
    """
    if len(column) < 2:
        return np.zeros(len(column), np.int64), column
    number, first = numbered(hash_rows(column))
    same = _are_equal(column, first[number])
    if not same.all():  # two strings with one hash: tell them apart by themselves
        wrong = np.flatnonzero(~same)
        more, again = numbered_text(column.take(wrong))
        number[wrong] = len(first) + more
        return number, Text.concat([column.take(first), again])
    column.told["number"] = number
    return number, column.take(first)


def _are_equal(column: Text, others: I64) -> Mask:
    """Say whether strings equal those of *others*: by their numbers once they have some, before by their bytes."""
    if "number" in column.told:
        known: Mask = column.told["number"][others] == column.told["number"]
        return known
    same: Mask = column.lengths[others] == column.lengths
    if is_there():
        call("compare_texts", len(column), *_bytes(column), np.ascontiguousarray(others), same)
        return same
    for (rows, words), (_, theirs) in zip(_words(column), _words(column, others), strict=True):
        same[rows[words != theirs]] = False
    return same


def _bytes(column: Text) -> tuple[I64, U8]:
    """Give where each string begins, and all bytes, as C reads them."""
    return np.ascontiguousarray(column.offsets), np.ascontiguousarray(column.values)


def _words(column: Text, taken: I64 | None = None) -> Iterator[tuple[I64, U64]]:
    """Walk through all strings eight bytes at a time: rows that are longer, and their next bytes as one number.

    With *taken*, the bytes come from those rows instead, cut to the length of the own.
    """
    padded = np.append(column.values, np.zeros(8, np.uint8))
    at_any_byte = np.ndarray(len(padded) - 7, "<u8", padded.data, strides=(1,))
    mask = np.array([(1 << 8 * size) - 1 for size in range(9)], np.uint64)
    lengths, begin = column.lengths, column.offsets[:-1] if taken is None else column.offsets[taken]
    rows = np.flatnonzero(lengths > 0)
    for step in range(0, int(lengths.max(initial=0)), 8):
        rows = rows[lengths[rows] > step]
        place = np.minimum(begin[rows] + step, len(column.values))
        yield rows, at_any_byte[place] & mask[np.minimum(lengths[rows] - step, 8)]
