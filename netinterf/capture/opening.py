"""Open a capture: from a source to the list of its frames."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from netinterf.arrays import I64, U8
from netinterf.capture.counting import Counting, in_file
from netinterf.capture.formats import Interface, Reader
from netinterf.capture.gaps import Gap, find_gaps, gap_notes, in_order
from netinterf.capture.joined import Whole, join
from netinterf.capture.readers import reader_of
from netinterf.capture.source import Content, Progress, Source, load
from netinterf.errors import DamagedCapture, ParameterError
from netinterf.schema import Diagnostic, Files, Records
from netinterf.values import frozen

__all__ = ["DAMAGE", "Capture", "Listing", "from_memory", "open_capture"]

PART = 1 << 25
"""Bytes in which frames are listed at once: twice the longest block that is read whole (16 MiB). Of the smallest frames
that is two million, which take 150 MB while they are listed; a quarter as many parts would save a seventh of the time
(measured), since every part begins with a guess of how large frames are."""

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
        files: The files that it was joined from, in the order of their frames; none where it is one file.
        gaps: Between which of them packets are missing, or within them.
    """

    source: str
    format: str
    buffer: U8 = attrs.field(repr=False)
    records: Records = attrs.field(repr=False)
    interfaces: tuple[Interface, ...]
    diagnostics: tuple[Diagnostic, ...]
    files: Files = attrs.field(factory=Files)
    gaps: tuple[Gap, ...] = ()

    @property
    def measured(self) -> bool:
        """Whether it is known how long frames were on the wire: files tell, programs with frames in memory do not."""
        return self.format != "memory"


class Listing:
    """A capture whose frames are listed part by part, so that not all of them need be held at once.

    Args:
        source: See `open_capture`, also for errors.
        strict: Raise on damage.
        progress: Called with bytes done and bytes in all.
    """

    def __init__(
        self, source: Source | Sequence[Source], *, strict: bool = False, progress: Progress | None = None
    ) -> None:
        self._joined = isinstance(source, list | tuple)
        self._whole = (
            join(source, strict=strict, progress=progress)
            if isinstance(source, list | tuple)
            else alone(load(cast("Source", source), progress=progress))
        )
        self._strict, self._progress = strict, progress
        self._gaps: tuple[Gap, ...] = ()  # once all files are listed
        self._begun: list[tuple[Content, Reader]] = []
        self._counting = Counting(joined=self._joined)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What was damaged, cut or left out so far; of joined files, with their names and offsets in them."""
        notes = list(self._whole.diagnostics)
        for content, reader in self._begun:
            found = content.diagnostics + reader.diagnostics
            notes += in_file(content.name, found) if self._joined else found
        return (*notes, *gap_notes(self._gaps))

    def parts(self) -> Iterator[Records]:
        """List the frames once, file by file; offsets and frames count from the beginning of the first.

        Raises:
            DamagedCapture: At the end, where the capture is damaged and *strict* is set.
            UnreadableSource: Its header is cut off.
            UnknownFormat: Its version is not known.
        """
        for content, before in zip(self._whole.files, self._whole.at, strict=True):
            reader = reader_of(content.format, content.name)
            self._begun.append((content, reader))
            self._counting.begin(content.name)
            for records in self._listed(content, reader, before):
                yield self._counting.number(records, reader.interfaces, before, reader.behind)
        self._gaps = find_gaps(self._counting.files, self._whole.left_out)
        total = len(self._whole.buffer)
        if self._progress is not None:
            self._progress(total, total)
        for content, reader in self._begun:
            for note in content.diagnostics + reader.diagnostics:
                if self._strict and note.code in DAMAGE:
                    raise DamagedCapture(content.name, note.message, note.offset)

    @property
    def name(self) -> str:
        """What the source is called in messages; of joined files, what the first of them is."""
        return self._whole.files[0].name

    @property
    def path(self) -> str | None:
        """Where it can be mapped again as it is; None for what was copied: expanded, from a pipe, or joined."""
        return None if self._joined else self._whole.files[0].path

    def capture(self, parts: Sequence[Records]) -> Capture:
        """Take some of its frames as a capture: those of some parts, or all."""
        records = parts[0] if len(parts) == 1 else Records.concat(parts)
        kinds = dict.fromkeys(
            f"{content.format}+{content.compression}" if content.compression else content.format
            for content in self._whole.files
        )
        return Capture(
            self.name,
            ", ".join(kinds),
            self._whole.buffer,
            records,
            self._counting.interfaces,
            self.diagnostics,
            self._counting.files,
            in_order(self._gaps, self._counting.damaged),
        )

    def _listed(self, content: Content, reader: Reader, before: int) -> Iterator[Records]:
        """List the frames of a file, part by part; offsets count from the beginning of the file."""
        at, size, total = 0, PART, len(content.buffer)
        while True:
            until = min(at + size, total)
            part = content.buffer[at:until]
            records, done = reader.take(part, at, last=until == total, progress=self._within(before + at))
            yield attrs.evolve(records, at=records.at + at) if at else records
            if until == total:
                return
            at, size = at + done, PART if done else 2 * size

    def _within(self, at: int) -> Progress | None:
        """Count progress in a part as progress in the whole."""
        tell, total = self._progress, len(self._whole.buffer)
        return None if tell is None else lambda done, _: tell(at + done, total)


def alone(content: Content) -> Whole:
    """Take a file that is joined to nothing."""
    return Whole(content.buffer, (content,))


def open_capture(
    source: Source | Sequence[Source], *, strict: bool = False, progress: Progress | None = None
) -> Capture:
    """Open a capture and list its frames.

    Args:
        source: A path, ``"-"`` for standard input, the bytes of a capture, or a binary file object; or a list of
            these, the files of one recording.
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
