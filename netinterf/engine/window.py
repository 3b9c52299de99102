"""The frames that a session holds: added as they come, handed out as a capture, dropped when they are let go."""

from collections.abc import Iterable
from sys import getrefcount

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, U8
from netinterf.capture import Capture
from netinterf.capture.stream import BATCH_BYTES, FrameBatch, Stream
from netinterf.pieces import gather
from netinterf.schema import Diagnostic, Records

__all__ = ["MOST_FRAMES", "Window"]

MOST_FRAMES = (1 << 31) - 1  # verdicts hold frame numbers in 32 bits, with a sign


BETWEEN = 1 / 16
"""Share of a buffer between frames, like their headers, for which copying the frames out of it does not pay."""


UNSEEN = 2
"""References to a buffer of which there is no view: the window's, and the one that asks."""


class Window:
    """Frames and their bytes, in the order of the capture.

    The bytes lie in one buffer with room behind them, so that each is copied once when it comes. What is handed out are
    views of that buffer: while there are any, only what is behind them is written.
    """

    def __init__(self) -> None:
        self.packets = 0  # frames held
        self.bytes = 0  # bytes of them
        self._buffer = np.empty(0, np.uint8)
        self._used = 0  # bytes of the buffer; a little more than those of the frames
        self._records: list[Records] = []
        self._origins: list[I64] = []  # offsets of the frames in the stream

    def full_at(self, batch: FrameBatch, begin: int, packets: int, size: int) -> int:
        """Say how many frames of a batch to have added, from one on, when to look whether this holds too much.

        Where it will, that is at the next multiple of `BATCH_BYTES` in the stream, however many bytes come together: so
        what a window holds does not depend on that.
        """
        ends = batch.before + batch.records.at + batch.records.captured
        held = self.bytes + np.cumsum(batch.records.captured[begin:], dtype=np.int64)
        full = begin + min(max(packets - self.packets, 0), int(np.searchsorted(held, size, side="right")))
        if full >= len(ends):
            return len(ends)
        return int(np.searchsorted(ends, -(-int(ends[full]) // BATCH_BYTES) * BATCH_BYTES, side="right"))

    def add(self, batch: FrameBatch) -> None:
        """Hold more frames; hardly more than their own bytes is kept."""
        self._put(batch.buffer, batch.records, batch.records.at + batch.before)

    def with_more(self, batch: FrameBatch) -> "Window":
        """Hold more frames in a copy; this one stays as it is."""
        window = Window()
        records, origins = self._join()
        window._put(self._buffer[: self._used], records, origins)
        window.add(batch)
        return window

    def capture(self, source: str, stream: Stream) -> Capture:
        """Hand out what is held as a capture of its own.

        Args:
            source: What to call it in errors.
            stream: Where the frames came from.
        """
        buffer = self._buffer[: self._used]
        told = (stream.interfaces, stream.diagnostics, stream.files, stream.gaps)
        return Capture(source, stream.format, buffer, self._join()[0], *told)

    def in_stream(self, notes: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
        """Turn the offsets of notes about the held bytes into offsets in the stream, as those of a file are."""
        (records, origins), shifted = self._join(), []
        for note in notes:
            row = None if note.offset is None else int(np.searchsorted(records.at, note.offset))
            shifted.append(note if row is None else attrs.evolve(note, offset=int(origins[row])))
        return tuple(shifted)

    def keep(self, frames: NDArray[np.integer]) -> None:
        """Hold on to the frames of these numbers, and drop all others; their room is used again if nobody looks at it.

        The kernel clears memory before it hands it out, which takes longer than copying what comes into it.
        """
        (records, origins), held = self._join(), self._buffer[: self._used]
        rows = np.searchsorted(records.frame, np.sort(frames))
        if getrefcount(self._buffer) > UNSEEN + 1:  # (*held* is a view as well)
            self._buffer = np.empty(len(self._buffer), np.uint8)
        self._records, self._origins = [], []
        self._used = self.packets = self.bytes = 0
        self._put(held, records.take(rows), origins[rows])

    def _put(self, buffer: U8, records: Records, origins: I64) -> None:
        """Copy frames behind those that are held."""
        captured = records.captured.astype(np.int64)
        size, at = int(captured.sum()), records.at
        if len(buffer) - size > len(buffer) * BETWEEN:
            buffer, at = gather(buffer, at, captured), np.cumsum(captured) - captured
        used = self._used + len(buffer)
        if used > len(self._buffer):
            roomier = np.empty(2 * used, np.uint8)
            roomier[: self._used] = self._buffer[: self._used]
            self._buffer = roomier
        self._buffer[self._used : used] = buffer
        self._records.append(attrs.evolve(records, at=at + self._used))
        self._origins.append(origins)
        self._used, self.packets, self.bytes = used, self.packets + len(records), self.bytes + size

    def _join(self) -> tuple[Records, I64]:
        """Put the rows of everything held into one table."""
        if len(self._records) != 1:
            self._records = [Records.concat(self._records)]
            self._origins = [np.concatenate([np.empty(0, np.int64), *self._origins])]
        return self._records[0], self._origins[0]
