"""The frames that a session holds: added as they come, handed out as a capture, dropped when they are let go."""

from collections.abc import Iterable

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, U8
from netinterf.capture import Capture
from netinterf.capture.stream import FrameBatch, Stream
from netinterf.pieces import gather
from netinterf.schema import Diagnostic, Records
from netinterf.values import frozen

__all__ = ["MOST_FRAMES", "Window"]

MOST_FRAMES = (1 << 31) - 1  # verdicts hold frame numbers in 32 bits, with a sign


BETWEEN = 1 / 16
"""Share of a buffer between frames, like their headers, for which copying the frames out of it does not pay."""


@frozen(eq=False)
class Part:
    """Some frames: their bytes one after the other, where they lie, and their offsets in the stream."""

    buffer: U8
    records: Records
    origins: I64
    size: int  # bytes of the frames; the buffer may hold a little more

    @classmethod
    def of(cls, buffer: U8, records: Records, origins: I64) -> "Part":
        """Copy frames out of a buffer, or keep it where it holds little else."""
        captured = records.captured.astype(np.int64)
        size = int(captured.sum())
        if len(buffer) - size <= len(buffer) * BETWEEN:
            return cls(buffer, records, origins, size)
        packed = attrs.evolve(records, at=np.cumsum(captured) - captured)
        return cls(gather(buffer, records.at, captured), packed, origins, size)


class Window:
    """Frames and their bytes, in the order of the capture."""

    def __init__(self) -> None:
        self._parts: list[Part] = []

    @property
    def packets(self) -> int:
        """How many frames are held."""
        return sum(len(part.records) for part in self._parts)

    @property
    def bytes(self) -> int:
        """How many bytes of them are held."""
        return sum(part.size for part in self._parts)

    def add(self, batch: FrameBatch) -> None:
        """Hold more frames; hardly more than their own bytes is kept."""
        self._parts.append(Part.of(batch.buffer, batch.records, batch.records.at + batch.before))

    def capture(self, source: str, stream: Stream) -> Capture:
        """Hand out what is held as a capture of its own.

        Args:
            source: What to call it in errors.
            stream: Where the frames came from.
        """
        part = self._join()
        return Capture(source, stream.format, part.buffer, part.records, stream.interfaces, stream.diagnostics)

    def in_stream(self, notes: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
        """Turn the offsets of notes about the held bytes into offsets in the stream, as those of a file are."""
        part, shifted = self._join(), []
        for note in notes:
            row = None if note.offset is None else int(np.searchsorted(part.records.at, note.offset))
            shifted.append(note if row is None else attrs.evolve(note, offset=int(part.origins[row])))
        return tuple(shifted)

    def keep(self, frames: NDArray[np.integer]) -> None:
        """Hold on to the frames of these numbers, and drop all others."""
        part = self._join()
        rows = np.searchsorted(part.records.frame, np.sort(frames))
        self._parts = [Part.of(part.buffer, part.records.take(rows), part.origins[rows])]

    def _join(self) -> Part:
        """Put everything held into one piece."""
        if len(self._parts) != 1:
            parts = self._parts
            before = np.cumsum([0, *(len(part.buffer) for part in parts)])
            records = [
                attrs.evolve(part.records, at=part.records.at + shift)
                for part, shift in zip(parts, before, strict=False)
            ]
            buffer = np.concatenate([np.empty(0, np.uint8), *(part.buffer for part in parts)])
            origins = np.concatenate([np.empty(0, np.int64), *(part.origins for part in parts)])
            self._parts = [Part(buffer, Records.concat(records), origins, self.bytes)]
        return self._parts[0]
