"""Domain names on the wire, read for many messages at once.

All names advance in lock-step: one step reads one length byte of every name that has not ended yet, so the number of
numpy calls is the length of the longest name, not the number of names. A compression pointer must lead to a place
before the piece of the name that holds it (RFC 1035 §4.1.4 says "prior occurrence"); since every jump then goes
strictly backwards, no name can run in circles.

Names are written as their labels joined by dots, without escapes and without the final dot; the root is the empty name.
"""

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, U8
from netinterf.compiled import call, is_there
from netinterf.numbering import ordered
from netinterf.pieces import gather
from netinterf.schema import ParseError
from netinterf.table import Text
from netinterf.values import frozen

__all__ = ["MAX_NAME", "MAX_STEPS", "Names", "expand_names", "lowered", "skip_names"]

MAX_NAME = 255
"""Longest name on the wire, RFC 1035 §2.3.4."""

MAX_STEPS = 255
"""Labels and pointers read for one name; 127 labels are the most that fit, the rest is room for pointers."""

POINTER = 0xC0
DOT = 0x2E


@frozen(eq=False)
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
    reading = _Reading(data, at.astype(np.int64), start)
    row, place, limit, size = np.arange(len(at)), at.astype(np.int64), stop, np.zeros(len(at), np.int64)
    for _ in range(MAX_STEPS):
        if not len(row):
            break
        inside = place < limit
        lead = np.full(len(row), -1)
        lead[inside] = data[place[inside]]
        behind = place + 1 + lead
        size += np.where(lead < POINTER, lead + 1, 0)  # a pointer takes no room in the name it stands for
        label = (lead > 0) & (lead < 64) & (behind <= limit) & (size <= MAX_NAME)
        if label.all():
            reading.join(row, place)
            place = behind
            continue
        reading.join(row[label], place[label])
        root = (lead == 0) & (size <= MAX_NAME)
        reading.finish(row[root], place[root], place[root] + 1)
        behind[root] = -1
        other = np.flatnonzero(~(label | root))
        if len(other):
            behind[other] = reading.leave(row[other], place[other], limit[other], lead[other], size[other])
        go = behind >= 0
        row, place, limit, size = row[go], behind[go], limit[go], size[go]
    reading.fail(row, place, ParseError.TOO_LONG)
    return Names(reading.text(), reading.end, reading.error, reading.error_at)


class _Reading:
    """Names in the making: how each ended, and the runs of labels that it consists of, with pointers between them."""

    def __init__(self, data: U8, at: I64, start: I64) -> None:
        count = len(at)
        self.data, self.start = data, start
        self.end, self.error = np.full(count, -1, np.int64), np.zeros(count, np.uint8)
        self.error_at = np.full(count, -1, np.int64)
        self.run = at.copy()  # where the run that is being read begins, by name
        self.length = np.zeros(count, np.int64)  # of the text of the runs before it, with a dot behind each
        self.dots: list[tuple[I64, I64]] = [(at[:0], at[:0])]  # names, and places in their texts
        self.runs: list[tuple[I64, I64, I64]] = []  # names, where the text of a run begins in the data, its length

    def join(self, row: I64, place: I64) -> None:
        """Put a dot before labels that are not the first of their run."""
        begin = self.run[row]
        later = place > begin
        if later.any():
            self.dots.append((row[later], (self.length[row] + place - begin - 1)[later]))

    def close(self, row: I64, place: I64) -> None:
        """End runs, which may hold no label: no label follows."""
        begin = self.run[row]
        full = place > begin
        row, begin, length = row[full], begin[full], (place - begin)[full]
        self.runs.append((row, begin + 1, length - 1))
        self.length[row] += length

    def fail(self, row: I64, place: I64, code: NDArray[np.uint8] | ParseError) -> None:
        """End names where something is wrong."""
        self.close(row, place)
        self.error[row], self.error_at[row] = code, place

    def finish(self, row: I64, place: I64, end: I64) -> None:
        """End runs where nothing is wrong; where the name's own first run does, the name stands up to *end*."""
        self.close(row, place)
        first = self.end[row] < 0
        self.end[row[first]] = end[first]

    def leave(self, row: I64, place: I64, limit: I64, lead: I64, size: I64) -> I64:
        """Go on where a pointer leads, or end names where something is wrong.

        Args:
            row: The names.
            place: Where they are read.
            limit: Where their messages end.
            lead: The byte there, -1 where there is none.
            size: Bytes of each name, with the label that begins there.

        Returns:
            Where to read on, -1 for names that are over.
        """
        jump = (lead >= POINTER) & (place + 1 < limit)
        target = np.full(len(row), -1, np.int64)
        target[jump] = self.start[row[jump]] + ((lead[jump] & 0x3F) << 8 | self.data[place[jump] + 1])
        code = np.where((lead < 64) & (size > MAX_NAME), np.uint8(ParseError.TOO_LONG), np.uint8(ParseError.NONE))
        code[jump & (target >= self.run[row])] = ParseError.BAD_POINTER
        code[(lead >= 64) & (lead < POINTER)] = ParseError.BAD_VALUE
        cut = (lead < 0) | (lead < 64) & (place + 1 + lead > limit) | (lead >= POINTER) & ~jump
        code[cut] = ParseError.BAD_LENGTH
        bad = code != ParseError.NONE
        self.fail(row[bad], place[bad], code[bad])
        self.finish(row[~bad], place[~bad], place[~bad] + 2)
        target[bad] = -1
        self.run[row[~bad]] = target[~bad]
        return target

    def text(self) -> Text:
        """Copy runs together, row by row; the byte before a further label (its length) becomes the dot."""
        row, at, length = (np.concatenate(parts) for parts in zip(*self.runs, strict=True))
        order = ordered(row)
        row, at, length = row[order], at[order], length[order]
        follows = np.append(row[1:] == row[:-1], False)[: len(row)]
        values = gather(self.data, at, length + follows)
        values[np.cumsum(length + follows)[follows] - 1] = DOT
        sizes = np.maximum(self.length - 1, 0)
        begin = np.cumsum(sizes) - sizes
        row, place = (np.concatenate(parts) for parts in zip(*self.dots, strict=True))
        values[begin[row] + place] = DOT
        return Text.from_lengths(sizes, values)


def lowered(names: Text) -> Text:
    """Write names in lower case (ASCII letters only, RFC 4343 §3)."""
    values = names.values
    if is_there():
        lower, changed = np.empty(len(values), np.uint8), np.zeros(1, np.int64)
        call("lower_letters", len(values), np.ascontiguousarray(values), lower, changed)
        return Text(names.offsets, lower) if changed[0] else names
    upper = (values >= 0x41) & (values <= 0x5A)
    if not upper.any():
        return names
    return Text(names.offsets, np.where(upper, values | np.uint8(0x20), values))
