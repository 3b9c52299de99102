"""A capture that comes piece by piece: what was fed so far, and the frames that are whole.

The rules of the containers are those of `open_capture`: one `Inlet` expands, one `Reader` lists frames. Reading a file
is one piece and the end of the stream.
"""

from collections.abc import Iterable, Iterator, Sequence
from copy import copy, deepcopy
from typing import Protocol, Self

import attrs
import numpy as np
from numpy.typing import ArrayLike

from netinterf.arrays import U8
from netinterf.capture.formats import Interface, Reader
from netinterf.capture.gaps import Gap
from netinterf.capture.inlet import Inlet
from netinterf.capture.opening import from_memory
from netinterf.capture.readers import reader_of
from netinterf.schema import Diagnostic, Files, Records
from netinterf.values import frozen

__all__ = ["BATCH_BYTES", "CaptureStream", "FrameBatch", "PacketStream", "Stream"]

BATCH_BYTES = 1 << 16
"""Bytes that are worth listing frames in: listing costs some array operations however few frames there are."""

BATCH_FRAMES = 1000  # the same in frames that are given one by one


@frozen(eq=False)
class FrameBatch:
    """Frames that became whole.

    Args:
        buffer: Bytes that hold them.
        records: Where in the buffer they lie.
        before: Bytes of the stream, expanded, before the buffer.
    """

    buffer: U8
    records: Records
    before: int

    def part(self, begin: int, end: int) -> "FrameBatch":
        """Give the frames from one on and before another."""
        whole = (begin, end) == (0, len(self.records))
        return self if whole else attrs.evolve(self, records=self.records.take(slice(begin, end)))


class Stream(Protocol):
    """What gives the frames of a capture as they come."""

    @property
    def format(self) -> str:
        """Format and compression as in `Capture.format`; empty while it is not known."""
        ...

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """Those described so far."""
        ...

    @property
    def missed(self) -> int | None:
        """Packets that the recorder says it missed, so far; None where it says nothing."""
        ...

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What was wrong so far."""
        ...

    @property
    def files(self) -> Files:
        """The files that are fed one after the other; none where it is one."""
        ...

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Between which of them packets are missing."""
        ...

    @property
    def ripe(self) -> bool:
        """Whether enough has come since frames were last listed to do so again; listing as often as that is cheap."""
        ...

    def frames(self) -> FrameBatch:
        """List the frames that became whole since the last call."""
        ...

    def close(self) -> FrameBatch:
        """End the stream; list the last frames."""
        ...

    def ended(self) -> tuple[Self, FrameBatch]:
        """Say what the stream would be if it ended now, and its frames since the last call of `frames`.

        The stream itself goes on as if nobody had asked. Behind damage, and behind a length that may be wrong, frames
        are held back until others follow that show which it is; where none come, this is how to know them.
        """
        ...


class CaptureStream:
    """List the frames of a capture that is fed in pieces cut anywhere.

    Frame numbers, times, interfaces and diagnostics are those of `open_capture` on the whole. What is kept between
    calls is less than one record, or one block of at most 16 MiB, and what was fed since `frames` was called.

    Args:
        name: What to call the stream in errors.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._inlet = Inlet(name)
        self._reader: Reader | None = None
        self._waiting: list[bytes] = []  # expanded, not yet listed
        self._size = 0  # of it
        self._looked_at = 0  # bytes of it that hold no whole frame
        self._before = 0  # expanded bytes that are done with
        self._goes_on = False  # though it was asked what it would be if it ended

    @property
    def format(self) -> str:
        """Format and compression as in `Capture.format`; empty while it is not known."""
        inlet = self._inlet
        return f"{inlet.format}+{inlet.compression}" if inlet.format and inlet.compression else inlet.format

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """Those described so far."""
        return () if self._reader is None else self._reader.interfaces

    @property
    def behind(self) -> Sequence[int]:
        """Numbers of the frames that come first behind damage; see `Reader.behind`."""
        return () if self._reader is None else self._reader.behind

    @property
    def missed(self) -> int | None:
        """Packets that the recorder says it missed, so far; None where it says nothing."""
        return None if self._reader is None else self._reader.missed

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What was wrong so far."""
        notes = self._inlet.diagnostics + (() if self._reader is None else self._reader.diagnostics)
        return tuple(note for note in notes if note.code != "capture.cut") if self._goes_on else notes

    @property
    def ripe(self) -> bool:
        """Whether listing frames pays: a lot has come, and as much again as was looked at in vain."""
        return self._size - self._looked_at >= max(BATCH_BYTES, self._looked_at)

    def feed(self, data: bytes) -> None:
        """Take in the next bytes; see `feeding` for the errors."""
        for _ in self.feeding(data):
            pass

    def feeding(self, data: bytes) -> Iterator[None]:
        """Take in the next bytes, and pause after each MiB that they expand to: frames can be listed there.

        Raises:
            UnknownFormat: The stream is no capture.
            MissingExtra: It is compressed with zstd and no module for that is installed.
        """
        for piece in self._inlet.feed(data):
            self._wait([piece])
            yield

    def frames(self) -> FrameBatch:
        """List the frames that became whole since the last call.

        Raises:
            UnknownFormat: The version of the format is not known.
        """
        return self._list(last=False)

    def close(self) -> FrameBatch:
        """End the stream, and list the last frames; what is not whole is cut off.

        Raises:
            UnreadableSource: There was nothing, nothing that could be expanded, or half of a file header.
            UnknownFormat: It is no capture, or of an unknown version.
            MissingExtra: See `feed`.
        """
        self._wait(self._inlet.close())
        return self._list(last=True)

    def ended(self) -> tuple[Self, FrameBatch]:
        """Say what the stream would be if it ended now (see `Stream`), but for what a compressor has not sent yet.

        Raises:
            UnknownFormat: See `frames`.
        """
        ended = copy(self)
        ended._reader, ended._goes_on = deepcopy(self._reader), True
        return ended, ended._list(last=bool(self._inlet.format))

    def _wait(self, pieces: Iterable[bytes]) -> None:
        """Hold expanded bytes until they are listed."""
        for piece in pieces:
            self._waiting.append(piece)
            self._size += len(piece)

    def _list(self, *, last: bool) -> FrameBatch:
        self._waiting = [b"".join(self._waiting)]  # which copies nothing where it is one piece
        buffer, before = np.frombuffer(self._waiting[0], np.uint8), self._before
        if self._reader is None:
            if not self._inlet.format:
                return FrameBatch(buffer, Records.empty(), before)
            self._reader = reader_of(self._inlet.format, self.name)
        records, done = self._reader.take(buffer, before, last=last)
        self._waiting = [self._waiting[0][done:]]
        self._looked_at = self._size = len(buffer) - done
        self._before += done
        return FrameBatch(buffer, records, before)


class PacketStream:
    """Number frames that a program has in memory, and their interfaces: one per name and link type."""

    missed: int | None = None

    def __init__(self) -> None:
        self.format = "memory"
        self.diagnostics: tuple[Diagnostic, ...] = ()
        self.files, self.gaps = Files(), tuple[Gap, ...]()
        self._faces: dict[tuple[str, int], Interface] = {}
        self._count = self._before = self._size = 0
        self._parts: list[tuple[U8, Records]] = []

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """One per name and link type, in the order in which they came."""
        return tuple(self._faces.values())

    @property
    def ripe(self) -> bool:
        """Whether as many frames or bytes have come as are worth listing."""
        return self._size >= BATCH_BYTES or len(self._parts) >= BATCH_FRAMES

    def feed(self, times: ArrayLike, frames: Sequence[bytes], link_type: int, interface: str = "") -> None:
        """Take in the next frames, of one interface; see `from_memory` for the other arguments and errors."""
        given = from_memory(times, frames, link_type)
        self._faces.setdefault((interface, link_type), attrs.evolve(given.interfaces[0], name=interface))
        records = attrs.evolve(
            given.records,
            frame=given.records.frame + np.uint32(self._count),
            at=given.records.at + self._size,
            interface=np.full(len(frames), list(self._faces).index((interface, link_type)), np.uint16),
        )
        self._count += len(frames)
        self._size += len(given.buffer)
        self._parts.append((given.buffer, records))

    def frames(self) -> FrameBatch:
        """List the frames that came since the last call."""
        empty = np.empty(0, np.uint8)
        buffer = np.concatenate([empty, *(part for part, _ in self._parts)])
        batch = FrameBatch(buffer, Records.concat([records for _, records in self._parts]), self._before)
        self._before += self._size
        self._parts, self._size = [], 0
        return batch

    def close(self) -> FrameBatch:
        """List the last frames."""
        return self.frames()

    def ended(self) -> tuple[Self, FrameBatch]:
        """Say what the stream would be if it ended now; no frame is held back."""
        ended = copy(self)
        return ended, ended.frames()
