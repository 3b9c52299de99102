"""Count sequence numbers from the initial one, without the wrap at 32 bits.

The rule, row by row along a side: a number stands for the 64-bit value nearest to the last sound one (serial number
arithmetic, RFC 1982; RFC 9293 §3.4), the first row being measured from the initial sequence number. A row is sound when
it lies within 2**30 of the last sound one, the largest window TCP can have (RFC 7323 §2.3), and inside `BOUNDS`; resets
are never sound, because theirs are the numbers that are made up. What is not sound still gets a number, but moves
nothing.

Nearly every side stays within 2**29 of its start, and there the rule is plain subtraction. Sides that move further are
summed up step by step, still without a loop; only sides with a wild number outside a reset are walked row by row.
"""

import numpy as np

from netinterf.arrays import I64, U32, Mask

__all__ = ["BOUNDS", "REACH", "sound_rows", "unwrap"]

REACH = 1 << 30
"""Largest step between sound numbers of one side: the largest window of TCP (RFC 7323 §2.3)."""

BOUNDS = -(1 << 39), 1 << 44
"""Between which numbers lie that are sound: 16 TB. Some ten thousand crafted segments lead farther, and `blocks.packed`
has no room for what lies there."""


def unwrap(raw: U32, side: I64, moves: Mask) -> tuple[I64, Mask]:
    """Unwrap numbers that are already counted from their side's initial one.

    Args:
        raw: Numbers minus the initial number of their side, modulo 2**32; in time order along each side.
        side: Side of each row, in any interleaving.
        moves: Rows that may be sound (no resets, no second copies).

    Returns:
        64-bit numbers, and which rows are sound; empty in, empty out.
    """
    numbers = raw.view(np.int32).astype(np.int64)
    far = np.abs(numbers) > REACH // 2
    if not far.any():
        return numbers, moves
    rows = rows_of(side, far)
    number, sound = unwrap_far(raw[rows], side[rows], moves[rows])
    numbers[rows] = number
    moves = moves.copy()
    moves[rows] = sound
    return numbers, moves


def rows_of(side: I64, chosen: Mask) -> I64:
    """List all rows of the sides that have a chosen row, side by side and in order along each."""
    table = np.zeros(int(side.max()) + 1, np.bool_)
    table[side[chosen]] = True
    rows = np.flatnonzero(table[side])
    return rows[np.argsort(side[rows], kind="stable")]


def unwrap_far(raw: U32, side: I64, moves: Mask) -> tuple[I64, Mask]:
    """Unwrap by summing steps; rows come side by side."""
    movers = np.flatnonzero(moves)
    value, owner = raw[movers], side[movers]
    first = np.ones(len(movers), np.bool_)
    first[1:] = owner[1:] != owner[:-1]
    step = value.copy()
    step[1:] -= np.where(first[1:], np.uint32(0), value[:-1])
    steps = step.view(np.int32).astype(np.int64)
    total = np.cumsum(steps)
    starts = np.flatnonzero(first)
    total -= np.repeat((total - steps)[starts], np.diff(starts, append=len(movers)))
    sound = np.ones(len(movers), np.bool_)
    wild = np.unique(owner[(np.abs(steps) > REACH) | is_outside(total)])
    for begin, end in zip(np.searchsorted(owner, wild), np.searchsorted(owner, wild, side="right"), strict=True):
        total[begin:end], sound[begin:end] = walk(value[begin:end])
    numbers = np.empty(len(raw), np.int64)
    numbers[movers] = total
    base = np.full(len(raw), -1, np.int64)
    base[movers[sound]] = movers[sound]
    base = np.maximum.accumulate(base)
    reference = np.where((base >= 0) & (side[base] == side), numbers[base], 0)
    others = np.ones(len(raw), np.bool_)
    others[movers] = False
    offset = (raw[others] - reference[others].astype(np.uint32)).view(np.int32)
    numbers[others] = reference[others] + offset
    accepted = np.zeros(len(raw), np.bool_)
    accepted[movers] = sound
    return numbers, accepted


def walk(raw: U32) -> tuple[I64, Mask]:
    """Unwrap one side row by row: the rule itself."""
    numbers, sound = np.empty(len(raw), np.int64), np.empty(len(raw), np.bool_)
    last = 0
    for row, value in enumerate(raw.tolist()):
        step = ((value - last + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)
        numbers[row] = last + step
        sound[row] = abs(step) <= REACH and not is_outside(numbers[row])
        last = last + step if sound[row] else last
    return numbers, sound


def is_outside(numbers: I64) -> Mask:
    """Say which numbers lie outside `BOUNDS`."""
    lowest, highest = BOUNDS
    outside: Mask = (numbers < lowest) | (numbers > highest)
    return outside


def sound_rows(numbers: I64, side: I64, moves: Mask) -> Mask:
    """Tell again which rows are sound, from numbers that are already unwrapped.

    Args:
        numbers: Unwrapped numbers, in time order along each side.
        side: Side of each row.
        moves: Rows that may be sound.
    """
    far = (np.abs(numbers) > REACH // 2) & moves
    if not far.any():
        return moves
    rows = rows_of(side, far)
    rows = rows[moves[rows]]
    value, owner = numbers[rows], side[rows]
    first = np.ones(len(rows), np.bool_)
    first[1:] = owner[1:] != owner[:-1]
    before = np.zeros(len(rows), np.int64)
    before[1:] = np.where(first[1:], 0, value[:-1])
    sound = np.ones(len(rows), np.bool_)
    outside = is_outside(value)
    wild = np.unique(owner[(np.abs(value - before) > REACH) | outside])
    for begin, end in zip(np.searchsorted(owner, wild), np.searchsorted(owner, wild, side="right"), strict=True):
        last = 0
        for row, number in enumerate(value[begin:end].tolist(), int(begin)):
            sound[row] = abs(number - last) <= REACH and not outside[row]
            last = number if sound[row] else last
    kept = moves.copy()
    kept[rows] = sound
    return kept
