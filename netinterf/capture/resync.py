"""Find where records go on behind damage, and keep account of what was skipped.

Records are chained by length, so one damaged header hides all that follow. Behind it every offset is tried as a start:
it counts as proved when records that look right follow each other from there (`FOLLOW`), each beginning where the one
before it ends. Among all starts, the one whose proof ends first is taken. So it does not matter how much of the capture
is at hand: what was proved by the bytes up to some place stays the first proof, whatever comes behind it.

A start whose trail leads past the bytes at hand waits for more, but never for more than `SPAN` of them.
"""

from typing import Protocol

import attrs
import numpy as np

from netinterf.arrays import I64, U8, Mask
from netinterf.capture.formats import MAX_FRAME
from netinterf.schema import Diagnostic
from netinterf.values import define

__all__ = ["FIRST_REGION", "Gaps", "Signs", "resume"]

Buffer = U8
Offsets = I64

FOLLOW = 3
"""Records that must follow a start, as in `records.guess`: chance makes a header in a million, and no four in a row."""

SPAN = 4 * (MAX_FRAME + (1 << 16))
"""Bytes that a trail may lead over: so many of the largest frames, with options as long as a length can say."""

FIRST_REGION = 1 << 17
"""Bytes walked at once behind damage, before it grows again: a walk that meets damage was in vain behind it."""

FIRST_LOOK, LOOK, GROWTH = 1 << 12, 1 << 20, 4
"""Bytes looked at together, at first and at most, and how they grow: the next record is near most of the time."""

MOST_GAPS, ROOM = 4096, 1 << 16
"""Gaps that are closed in one capture, and bytes for each further one: as many as are listed at once
(`stream.BATCH_BYTES`), so that a gap costs no more than they do. A damaged file has a handful, a stream of weeks more;
a hostile one could have one every 64 bytes, each at the price of some array operations."""

MOST_DESCRIBED = 8  # gaps that are described one by one; of others their number and bytes are given

NEVER = 1 << 62


class Signs(Protocol):
    """What records of one format look like where nothing leads to them."""

    @property
    def head(self) -> int:
        """Bytes of a record that are looked at."""
        ...

    def candidates(self, buffer: Buffer, first: int, until: int) -> Offsets:
        """List the offsets from *first* to before *until* where a record seems to begin, ascending."""
        ...

    def sizes(self, buffer: Buffer, at: Offsets) -> Offsets:
        """Read how long records claim to be, header included."""
        ...

    def closed(self, buffer: Buffer, at: Offsets, after: Offsets) -> Mask:
        """Say of records that end in the buffer whether they end as they should."""
        ...

    def linked(self, buffer: Buffer, at: Offsets, after: Offsets) -> Mask:
        """Say whether a record at *after* could follow the one at *at*."""
        ...

    def sure(self, buffer: Buffer, at: Offsets) -> Mask:
        """Say which records need no others to be believed."""
        ...


def resume(buffer: Buffer, start: int, signs: Signs, *, last: bool) -> tuple[bool, int]:
    """Find the record whose proof ends first.

    Args:
        buffer: The bytes at hand.
        start: Where to begin to look.
        signs: What records look like.
        last: Nothing follows the buffer: a trail that leads to its end is taken where there is no better one.

    Returns:
        Whether there is one, and where; else the first byte that is needed to go on looking.
    """
    end = max(len(buffer) - signs.head + 1, start)
    at, look, best, record, needed = start, FIRST_LOOK, NEVER, -1, end
    while at < min(end, best):
        until = min(at + look, end)
        starts = signs.candidates(buffer, at, until)
        proofs, waiting = follow(buffer, starts, signs, last=last)
        if len(starts) and int(proofs.min()) < best:
            best, record = int(proofs.min()), int(starts[np.argmin(proofs)])
        if waiting.any():
            needed = min(needed, int(starts[np.argmax(waiting)]))
        at, look = until, min(look * GROWTH, LOOK)
    if record >= 0:
        return True, record
    return False, len(buffer) if last else needed


def follow(buffer: Buffer, starts: Offsets, signs: Signs, *, last: bool) -> tuple[Offsets, Mask]:
    """Follow the trails from all starts, record by record.

    Returns:
        Where the proof of each ends, `NEVER` without one; and which lead past the buffer.
    """
    size, count = len(buffer), len(starts)
    proofs, waiting = np.full(count, NEVER), np.zeros(count, np.bool_)
    rows, place = np.arange(count), starts.copy()
    for step in range(FOLLOW + 1):
        done = signs.sure(buffer, place[rows]) if step < FOLLOW else np.ones(len(rows), np.bool_)
        proofs[rows[done]] = place[rows[done]] + signs.head
        rows = rows[~done]
        if not len(rows):
            break
        after = place[rows] + signs.sizes(buffer, place[rows])
        fits = after - starts[rows] <= SPAN
        inside = np.flatnonzero(fits & (after <= size))
        fits[inside] = signs.closed(buffer, place[rows[inside]], after[inside])
        ahead = after + signs.head <= size
        ended = rows[fits & ~ahead]
        if last:  # ordered behind all proofs that are whole: first what ends with the capture, then what is cut off
            exact = after[fits & ~ahead] == size
            proofs[ended[exact]] = size + 1
            proofs[ended[~exact]] = size + 2 if step else NEVER
        else:
            waiting[ended] = True
        rows, after = rows[fits & ahead], after[fits & ahead]
        linked = signs.linked(buffer, place[rows], after)
        rows = rows[linked]
        place[rows] = after[linked]
    return proofs, waiting


@define
class Gaps:
    """What was skipped in one capture.

    Attributes:
        what: Reason of the gap that is not closed yet, empty for none.
        begin: Where it begins.
        count: How many gaps there were.
        behind: Numbers of the frames that come first behind gaps in which frames are missing, ascending.
    """

    what: str = ""
    begin: int = 0
    count: int = 0
    behind: list[int] = attrs.field(factory=list)
    _described: list[Diagnostic] = attrs.field(factory=list)
    _further_bytes: int = 0  # bytes of gaps that are not described one by one
    _further_begin: int = 0  # where the first of these begins
    _further_last: int = 0  # where the last of them does

    @property
    def exhausted(self) -> bool:
        """Whether there are too many to go on."""
        return self.count > MOST_GAPS + self.begin // ROOM

    def open(self, what: str, begin: int) -> None:
        """Note that nothing can be read from *begin* on, and why."""
        self.what, self.begin = what, begin
        self.count += 1

    def close(self, end: int, frames: int | None, nevertheless: str = "") -> None:
        """Note that records go on at *end*.

        Args:
            end: Where they do.
            frames: How many there were before; None where none can be missing.
            nevertheless: What the skipped bytes described, if it was an interface: no frame is missing then either.
        """
        skipped = end - self.begin
        if frames is not None and not nevertheless and self.behind[-1:] != [frames + 1]:
            self.behind.append(frames + 1)
        if len(self._described) < MOST_DESCRIBED:
            message = f"{self.what}; {skipped:,} bytes were skipped to where records go on{nevertheless}"
            self._described.append(Diagnostic("capture.damaged", message, self.begin))
        else:
            self._further_begin = self._further_begin or self.begin
            self._further_last = self.begin
            self._further_bytes += skipped
        self.what = ""

    @property
    def notes(self) -> list[Diagnostic]:
        """Say what was skipped: the first gaps one by one, further ones together, and what is behind the last."""
        notes, more = list(self._described), self.count - len(self._described) - bool(self.what)
        if more:
            places = "further place is" if more == 1 else "further places are"
            where = f"{more:,} {places} damaged, the last at byte {self._further_last:,}"
            message = f"{where}; {self._further_bytes:,} bytes were skipped there"
            notes.append(Diagnostic("capture.damaged", message, self._further_begin, count=more))
        if self.what:
            many = f"more than {self.count - 1:,} places are damaged, and reading stopped there"
            why = many if self.exhausted else "no record was found behind it"
            notes.append(Diagnostic("capture.damaged", f"{self.what}; {why}", self.begin))
        return notes
