"""From ranges of addresses to prefixes: the fewest that hold exactly the addresses from a first to a last one.

A range is taken apart from both its ends, one bit after the other. Before the turn of bit k, what is left begins at a
multiple of 2^k and ends just before one. Where the first address has the bit, a block of 2^k begins there that none
larger can hold; where the last one has it not, such a block ends there. Both are given away. So a turn costs a few
operations on arrays, no range has more than two prefixes of one length, and nothing can overflow: a range is done when
what was given away is all that was left.
"""

import numpy as np

from netinterf.arrays import I64, U8, U64, Mask
from netinterf.values import frozen

__all__ = ["Prefixes", "prefixes_of_ranges"]

BITS = 128
WORD = 64
ONE = np.uint64(1)


@frozen(eq=False)
class Prefixes:
    """Prefixes of ranges, by range and then by length."""

    high: U64
    low: U64
    length: U8  # of 128 bits: IPv4 lies in its mapped form
    row: I64  # which range each is a part of


def prefixes_of_ranges(first_high: U64, first_low: U64, last_high: U64, last_low: U64) -> Prefixes:
    """Cover ranges of addresses by prefixes, the fewest that hold nothing else.

    Args:
        first_high: Upper halves of the first addresses, n of them (IPv4 as mapped).
        first_low: Lower halves.
        last_high: Upper halves of the last addresses, none before the first of its range.
        last_low: Lower halves.

    Returns:
        At least one prefix per range. Empty in, empty out.
    """
    found: list[tuple[U64, U64, U8, I64]] = []
    row = np.arange(len(first_high))
    first, last = np.stack([first_high, first_low]), np.stack([last_high, last_low])
    for bit in range(BITS):
        if not len(row):
            break
        half, size = 1 - bit // WORD, ONE << np.uint64(bit % WORD)
        below = np.array([(1 << bit) - 1 >> WORD, (1 << bit) - 1 & (1 << WORD) - 1], np.uint64)[:, None]
        begins = first[half] & size != 0
        found.append(_given(first, row, begins, bit))
        left = ~(begins & (first | below == last).all(axis=0))
        first = _moved(first, begins, half, size, up=True)
        ends = left & (last[half] & size == 0)
        found.append(_given(last & ~below, row, ends, bit))
        left &= ~(ends & (last & ~below == first).all(axis=0))
        last = _moved(last, ends, half, size, up=False)
        first, last, row = first[:, left], last[:, left], row[left]
    found.append(_given(first, row, np.ones(len(row), np.bool_), BITS))  # everything
    high, low, length, owner = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((length, owner))
    return Prefixes(high[order], low[order], length[order], owner[order])


def _given(start: U64, row: I64, chosen: Mask, bit: int) -> tuple[U64, U64, U8, I64]:
    """Give blocks of 2^bit addresses away, by where they start."""
    high, low = start[:, chosen]
    return high, low, np.full(len(high), BITS - bit, np.uint8), row[chosen]


def _moved(address: U64, chosen: Mask, half: int, size: np.uint64, *, up: bool) -> U64:
    """Move chosen addresses by a power of two, with what is carried from the lower half to the upper one."""
    moved = address.copy()
    step = np.where(chosen, size, np.uint64(0))
    moved[half] = address[half] + step if up else address[half] - step
    if half:
        carried = moved[1] < address[1] if up else moved[1] > address[1]
        moved[0] = address[0] + carried if up else address[0] - carried
    return moved
