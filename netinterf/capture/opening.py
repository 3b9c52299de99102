"""Open a capture: from a source to the list of its frames."""

from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from netinterf.arrays import I64, U8
from netinterf.capture.formats import Interface, Reader
from netinterf.capture.pcap import PcapReader
from netinterf.capture.pcapng import PcapngReader
from netinterf.capture.source import Progress, Source, load
from netinterf.errors import DamagedCapture, ParameterError
from netinterf.schema import Diagnostic, Records
from netinterf.values import frozen

__all__ = ["DAMAGE", "Capture", "Listing", "from_memory", "open_capture", "reader_of"]

PART = 1 << 27
"""Bytes in which frames are listed at once: eight times the longest block that is read whole (16 MiB), since every part
begins with a guess of how large frames are."""

DAMAGE = frozenset(
    {
        "capture.cut",
        "capture.damaged",
        "capture.compressed_cut",
        "capture.compressed_damaged",
        "capture.expansion_limit",
        "capture.stream_limit",
    }
)
"""Codes of diagnostics that say that frames are missing; ``strict`` turns them into errors."""


@frozen(eq=False)
class Capture:
    """Frames and where they lie.

    Args:
        source: Name of the source.
        format: ``"pcap"``, ``"pcapng"`` (with ``+gzip`` and the like when compressed) or ``"memory"``.
        buffer: All bytes of the capture, read-only; `Records.at` points into it. It may be a mapped file: the file
            must not be shortened while it is in use.
        records: One row per frame, in file order.
        interfaces: Where frames were captured; `Records.interface` points at it.
        diagnostics: What was damaged, cut or left out.
    """

    source: str
    format: str
    buffer: U8 = attrs.field(repr=False)
    records: Records = attrs.field(repr=False)
    interfaces: tuple[Interface, ...]
    diagnostics: tuple[Diagnostic, ...]


class Listing:
    """A capture whose frames are listed part by part, so that not all of them need be held at once.

    Args:
        source: See `open_capture`, also for errors.
        strict: Raise on damage.
        progress: Called with bytes done and bytes in all.
    """

    def __init__(self, source: Source, *, strict: bool = False, progress: Progress | None = None) -> None:
        self._content = load(source, progress=progress)
        self._reader = reader_of(self._content.format, self._content.name)
        self._strict, self._progress = strict, progress

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What was damaged, cut or left out so far."""
        return self._content.diagnostics + self._reader.diagnostics

    def parts(self) -> Iterator[Records]:
        """List the frames once, in file order; offsets count from the beginning of the capture.

        Raises:
            DamagedCapture: At the end, where the capture is damaged and *strict* is set.
            UnreadableSource: Its header is cut off.
            UnknownFormat: Its version is not known.
        """
        buffer, progress = self._content.buffer, self._progress
        at, size, total = 0, PART, len(self._content.buffer)
        while True:
            until = min(at + size, total)
            records, done = self._reader.take(buffer[at:until], at, last=until == total, progress=self._within(at))
            yield attrs.evolve(records, at=records.at + at) if at else records
            if until == total:
                break
            at, size = at + done, PART if done else 2 * size
        if progress is not None:
            progress(total, total)
        for note in self.diagnostics:
            if self._strict and note.code in DAMAGE:
                raise DamagedCapture(self._content.name, note.message, note.offset)

    @property
    def name(self) -> str:
        """What the source is called in messages."""
        return self._content.name

    @property
    def path(self) -> str | None:
        """Where it can be mapped again as it is; None for what was expanded or came by a pipe."""
        return self._content.path

    def capture(self, parts: Sequence[Records]) -> Capture:
        """Take some of its frames as a capture: those of some parts, or all."""
        content, records = self._content, parts[0] if len(parts) == 1 else Records.concat(parts)
        name = f"{content.format}+{content.compression}" if content.compression else content.format
        return Capture(content.name, name, content.buffer, records, self._reader.interfaces, self.diagnostics)

    def _within(self, at: int) -> Progress | None:
        """Count progress in a part as progress in the whole."""
        tell, total = self._progress, len(self._content.buffer)
        return None if tell is None else lambda done, _: tell(at + done, total)


def open_capture(source: Source, *, strict: bool = False, progress: Progress | None = None) -> Capture:
    """Open a capture and list its frames.

    Args:
        source: A path, ``"-"`` for standard input, the bytes of a capture, or a binary file object.
        strict: Raise on damage instead of returning what was readable.
        progress: Called with bytes done and bytes in all (0 when unknown); they are equal when all is read.

    Raises:
        ParameterError: The source is of no type that can be read.
        UnreadableSource: It is missing, empty, a directory, cannot be read, or its header is cut off.
        UnknownFormat: It is neither pcap nor pcapng, compressed or not.
        DamagedCapture: It is damaged or cut off, and *strict* is set.
        MissingExtra: It is compressed with zstd and no module for that is installed.
    """
    listing = Listing(source, strict=strict, progress=progress)
    return listing.capture(list(listing.parts()))


def reader_of(kind: str, name: str) -> Reader:
    """Choose what lists the frames of ``"pcap"`` or ``"pcapng"``; *name* is for errors."""
    return PcapReader(name) if kind == "pcap" else PcapngReader(name)


def from_memory(times: ArrayLike, frames: Sequence[bytes], link_type: int) -> Capture:
    """Make a capture of frames that are in memory already.

    Args:
        times: Nanoseconds since 1970 UTC, integers or ``datetime64``, one per frame.
        frames: Bytes of each frame, from the link layer on.
        link_type: LINKTYPE number of all frames.

    Raises:
        ParameterError: *times* are no whole numbers, or not as many as *frames*, or *frames* are no bytes.
    """
    stamps = whole_nanoseconds(times)
    if len(stamps) != len(frames):
        raise ParameterError("times", f"{len(stamps)} of them", f"one per frame, of which there are {len(frames)}")
    if any(isinstance(frame, str) or not hasattr(frame, "__len__") for frame in frames):
        raise ParameterError("frames", f"a sequence with {type(frames[0]).__name__}", "bytes of each frame")
    sizes = np.fromiter((len(frame) for frame in frames), np.int64, len(frames))
    buffer = np.frombuffer(b"".join(frames), np.uint8)
    records = Records(
        frame=np.arange(1, len(frames) + 1, dtype=np.uint32),
        time=stamps,
        at=np.cumsum(sizes) - sizes,
        captured=sizes.astype(np.uint32),
        length=sizes.astype(np.uint32),
    )
    face = Interface(link_type=link_type, snaplen=0, ticks_per_second=1_000_000_000)
    return Capture("memory", "memory", buffer, records, (face,), ())


def whole_nanoseconds(times: ArrayLike) -> I64:
    """Take times as integers of nanoseconds; float seconds cannot hold them and are refused."""
    array: NDArray[Any] = np.asarray(times)
    if array.dtype.kind == "M":
        array = array.astype("datetime64[ns]").astype(np.int64)
    if array.size and (array.dtype.kind not in "iu" or int(array.max()) >= 1 << 63):
        raise ParameterError("times", f"an array of {array.dtype}", "whole nanoseconds since 1970 UTC, in 64 bits")
    return array.astype(np.int64).reshape(-1)
