"""Captures that come piece by piece one after the other, and are one recording."""

from collections.abc import Iterator
from copy import copy, deepcopy
from typing import Self

import attrs

from netinterf.capture.counting import Counting, in_file
from netinterf.capture.formats import Interface
from netinterf.capture.gaps import Gap, find_gaps, gap_notes, in_order
from netinterf.capture.stream import CaptureStream, FrameBatch
from netinterf.schema import Diagnostic, Files

__all__ = ["RotatedStream"]


class RotatedStream:
    """List the frames of files that are fed one after the other; of a single one those of `CaptureStream`.

    Files are counted in the order in which they are fed.

    Args:
        name: What to call the first file.
    """

    def __init__(self, name: str) -> None:
        self._counting = Counting()
        self._stream = CaptureStream(name)
        self._begun = False  # whether any of its bytes came
        self._over: list[CaptureStream] = []  # streams of the files before
        self._before = self._size = 0  # expanded bytes of those, and of the file that is fed

    @property
    def format(self) -> str:
        """Formats and compressions, each once; empty while none is known."""
        kinds = [stream.format for stream in (*self._over, self._stream)]
        return ", ".join(dict.fromkeys(kind for kind in kinds if kind))

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """Those described so far, in any file."""
        return self._counting.interfaces

    @property
    def files(self) -> Files:
        """The files so far; none while there is one."""
        return self._counting.files

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Between which of them packets are missing, or within them."""
        return in_order(find_gaps(self.files), self._counting.damaged)

    @property
    def missed(self) -> int | None:
        """Packets that the recorder says it missed, in all files; None where it says nothing."""
        told = [missed for stream in (*self._over, self._stream) if (missed := stream.missed) is not None]
        return sum(told) if told else None

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What was wrong so far; where there are several files, in which."""
        if not self._over:
            return self._stream.diagnostics
        notes = [note for stream in (*self._over, self._stream) for note in in_file(stream.name, stream.diagnostics)]
        return (*notes, *gap_notes(find_gaps(self.files)))

    @property
    def ripe(self) -> bool:
        """Whether enough has come to list frames again."""
        return self._stream.ripe

    def feeding(self, data: bytes) -> Iterator[None]:
        """Take in the next bytes of a file, piece by piece; see `CaptureStream.feeding`."""
        if not self._begun and data:
            self._counting.begin(self._stream.name)
            self._begun = True
        yield from self._stream.feeding(data)

    def next_file(self, name: str) -> FrameBatch:
        """End a file, and list its last frames; what is fed from now on is of the next one.

        A file of which nothing was fed is none.

        Raises:
            CaptureError: See `CaptureStream.close`.
        """
        batch = self.close() if self._begun else self.frames()
        if self._begun:
            self._over.append(self._stream)
            self._before, self._size, self._begun = self._before + self._size, 0, False
        self._stream = CaptureStream(name)
        return batch

    def frames(self) -> FrameBatch:
        """List the frames that became whole since the last call; see `CaptureStream.frames` for the errors."""
        return self._numbered(self._stream.frames())

    def close(self) -> FrameBatch:
        """End the last file, and list its last frames; see `CaptureStream.close` for the errors."""
        return self._numbered(self._stream.close() if self._begun or not self._over else self._stream.frames())

    def ended(self) -> tuple[Self, FrameBatch]:
        """Say what the stream would be if it ended now; see `CaptureStream.ended`."""
        ended = copy(self)
        ended._counting = deepcopy(self._counting)
        ended._stream, batch = self._stream.ended()
        return ended, ended._numbered(batch)

    def _numbered(self, batch: FrameBatch) -> FrameBatch:
        """Count the frames of a file among those of all."""
        self._size = batch.before + len(batch.buffer)
        records = batch.records
        if self._begun:
            records = self._counting.number(records, self._stream.interfaces, 0, self._stream.behind)
        return attrs.evolve(batch, records=records, before=self._before + batch.before)
