"""Domain names on the wire, read for many messages at once.

All names advance in lock-step: one step reads one length byte of every name that has not ended yet, so the number of
numpy calls is the length of the longest name, not the number of names. A compression pointer must lead to a place
before the piece of the name that holds it (RFC 1035 §4.1.4 says "prior occurrence"); since every jump then goes
strictly backwards, no name can run in circles.

Names are written as their labels joined by dots, without escapes and without the final dot; the root is the empty name.
"""

import attrs
import numpy as np

from netinterf.arrays import I64, U8, Mask
from netinterf.pieces import gather
from netinterf.schema import ParseError
from netinterf.table import Text

__all__ = ["MAX_NAME", "MAX_STEPS", "Names", "expand_names", "lowered", "skip_names"]

MAX_NAME = 255
"""Longest name on the wire, RFC 1035 §2.3.4."""

MAX_STEPS = 255
"""Labels and pointers read for one name; 127 labels are the most that fit, the rest is room for pointers."""

POINTER = 0xC0
DOT = 0x2E


@attrs.frozen(eq=False)
class Names:
    """Names read from messages, n of them."""

    text: Text  # letter case as sent
    end: I64  # position behind the name where it stands, -1 when it does not end
    error: U8  # ParseError code; BAD_LENGTH also where captured bytes ended
    error_at: I64  # position where reading stopped, -1 for none


def skip_names(data: U8, at: I64, stop: I64) -> tuple[I64, U8]:
    """Find where names end without following pointers.

    Args:
        data: Bytes.
        at: Position of each name.
        stop: End of the message that holds it.

    Returns:
        Position behind each name (where reading stopped, for those that do not end) and `ParseError` codes.
    """
    end, error = at.copy(), np.zeros(len(at), np.uint8)
    row, place, limit = np.arange(len(at)), at.copy(), stop
    for _ in range(MAX_STEPS):
        inside = place < limit
        error[row[~inside]] = ParseError.BAD_LENGTH
        row, place, limit = row[inside], place[inside], limit[inside]
        if not len(row):
            return end, error
        lead = data[place].astype(np.int64)
        pointer = (lead >= POINTER) & (place + 1 < limit)
        odd = (lead >= 64) & ~pointer
        error[row[odd]] = np.where(lead[odd] >= POINTER, ParseError.BAD_LENGTH, ParseError.BAD_VALUE)
        end[row] = place + np.where(odd, 0, np.where(pointer, 2, 1))
        go = (lead > 0) & (lead < 64)
        row, place, limit = row[go], place[go] + 1 + lead[go], limit[go]
    error[row] = ParseError.TOO_LONG
    return end, error


def expand_names(data: U8, at: I64, start: I64, stop: I64) -> Names:
    """Read names, following pointers.

    Args:
        data: Bytes.
        at: Position of each name, n of them.
        start: Where the message of each begins.
        stop: Where it ends.

    Returns:
        The names; a broken one keeps the labels before the break.
    """
    count = len(at)
    end, error, error_at = np.full(count, -1, np.int64), np.zeros(count, np.uint8), np.full(count, -1, np.int64)
    size = np.zeros(count, np.int64)
    pieces: list[tuple[I64, I64, I64]] = []
    row, place, floor = np.arange(count, dtype=np.int64), at.astype(np.int64), at.astype(np.int64)

    def fail(which: Mask, code: ParseError) -> Mask:
        error[row[which]], error_at[row[which]] = code, place[which]
        return ~which

    for _ in range(MAX_STEPS):
        if not len(row):
            break
        limit = stop[row]
        inside = place < limit
        lead = np.zeros(len(row), np.int64)
        lead[inside] = data[place[inside]]
        jump = (lead >= POINTER) & (place + 1 < limit)
        target = np.full(len(row), -1, np.int64)
        target[jump] = start[row[jump]] + ((lead[jump] & 0x3F) << 8 | data[place[jump] + 1])
        size[row] += lead + 1
        over = ~inside | (lead < 64) & (place + 1 + lead > limit) | (lead >= POINTER) & ~jump
        good = fail(over, ParseError.BAD_LENGTH)
        good &= fail((lead >= 64) & (lead < POINTER), ParseError.BAD_VALUE)
        good &= fail(jump & (target >= floor), ParseError.BAD_POINTER)
        good &= fail(good & (lead < 64) & (size[row] > MAX_NAME), ParseError.TOO_LONG)
        size[row[jump]] -= lead[jump] + 1  # a pointer takes no room in the name it stands for
        ended = good & (jump | (lead == 0)) & (end[row] < 0)
        end[row[ended]] = place[ended] + np.where(jump[ended], 2, 1)
        label = good & (lead > 0) & (lead < 64)
        pieces.append((row[label], place[label] + 1, lead[label]))
        go = good & (lead > 0)
        floor = np.where(jump, target, floor)[go]
        row, place = row[go], np.where(jump, target, place + 1 + lead)[go]
    if len(row):
        fail(np.ones(len(row), np.bool_), ParseError.TOO_LONG)
    return Names(_joined(data, count, pieces), end, error, error_at)


def _joined(data: U8, count: int, pieces: list[tuple[I64, I64, I64]]) -> Text:
    """Copy labels together, row by row; the byte behind a label (the next length) becomes the dot."""
    empty = np.empty(0, np.int64)
    row, at, length = (
        (np.concatenate([empty, *parts]) for parts in zip(*pieces, strict=True)) if pieces else (empty,) * 3
    )
    order = np.argsort(row, kind="stable")
    row, at, length = row[order], at[order], length[order]
    last = np.append(row[1:] != row[:-1], True) if len(row) else np.empty(0, np.bool_)
    taken = length + ~last
    values = gather(data, at, taken)
    values[np.cumsum(taken)[~last] - 1] = DOT
    sizes = np.zeros(count, np.int64)
    np.add.at(sizes, row, taken)
    return Text.from_lengths(sizes, values)


def lowered(names: Text) -> Text:
    """Write names in lower case (ASCII letters only, RFC 4343 §3)."""
    values = names.values
    upper = (values >= 0x41) & (values <= 0x5A)
    return Text(names.offsets, np.where(upper, values | np.uint8(0x20), values))
