"""One recording in many files: rotated by the recorder, cut afterwards, or of several taps at once.

All bytes are copied one file after the other, so that what a trace points into is one buffer; files that are rotated
are often compressed at once, and are copied anyway. Files are put in the order of their first packets: names begin anew
in a ring of files, and shells sort ``trace10`` before ``trace2``. Packets of several taps need no more, since a trace
sorts its packets by time.
"""

from collections.abc import Iterator, Sequence

import attrs
import numpy as np

from netinterf.arrays import U8
from netinterf.capture.gaps import natural
from netinterf.capture.readers import reader_of
from netinterf.capture.source import PIECE, Content, Progress, Source, copied, load
from netinterf.errors import CaptureError, ParameterError
from netinterf.schema import Diagnostic
from netinterf.values import frozen

__all__ = ["LEFT_OUT", "Whole", "join"]

LEFT_OUT = "capture.left_out"
"""Code of the diagnostic that names a file that could not be read."""

LOOK = 1 << 16  # bytes in which a first packet is looked for; four times as many where there is none


@frozen(eq=False)
class Whole:
    """Files that are one recording.

    Args:
        buffer: All bytes, expanded, one file after the other.
        files: Each file, in the order of first packets; their bytes are parts of the buffer.
        at: Where each begins in the buffer.
        diagnostics: Files that could not be read.
        left_out: Their names.
    """

    buffer: U8
    files: tuple[Content, ...]
    at: tuple[int, ...] = (0,)
    diagnostics: tuple[Diagnostic, ...] = ()
    left_out: tuple[str, ...] = ()


def join(sources: Sequence[Source], *, strict: bool = False, progress: Progress | None = None) -> Whole:
    """Load files as one.

    Args:
        sources: The files, in any order.
        strict: Raise where one cannot be read; else it is left out, which a diagnostic says.
        progress: Called with bytes done, and 0 as nobody knows how many there will be.

    Raises:
        CaptureError: None can be read, or one with *strict*; or there is no room for them.
        ParameterError: There is no source, or one is of no type that can be read.
    """
    if not sources:
        raise ParameterError("source", sources, "at least one file")
    loaded, sizes, errors = list[Content](), list[int](), list[CaptureError]()

    def pieces() -> Iterator[bytes]:
        done = 0
        for source in sources:
            try:
                content = load(source)
            except CaptureError as error:
                if strict:
                    raise
                errors.append(error)
                continue
            loaded.append(attrs.evolve(content, buffer=np.empty(0, np.uint8)))  # which lets go of the file
            sizes.append(len(content.buffer))
            for at in range(0, sizes[-1], PIECE):
                if progress is not None:
                    progress(done + at, 0)
                yield content.buffer[at : at + PIECE].tobytes()
            done += sizes[-1]

    buffer, notes = copied(pieces(), "files that are joined")
    if errors and not loaded:
        raise errors[0]
    ends = np.cumsum([0, *sizes]).tolist()
    files = [
        (attrs.evolve(content, buffer=buffer[at:end]), at)
        for content, at, end in zip(loaded, ends, ends[1:], strict=False)
    ]
    files.sort(key=lambda pair: (first_time(pair[0]), natural(pair[0].name)))
    return Whole(
        buffer,
        tuple(content for content, _ in files),
        tuple(at for _, at in files),
        (*notes, *(Diagnostic(LEFT_OUT, f"left out: {error}") for error in errors)),
        tuple(error.source for error in errors),
    )


def first_time(content: Content) -> float:
    """Tell when the first packet of a file was recorded, ns; infinity of one without packets."""
    size = LOOK
    while True:
        part = content.buffer[:size]
        last = len(part) == len(content.buffer)
        records, _ = reader_of(content.format, content.name).take(part, 0, last=last)
        if len(records) or last:
            return int(records.time[0]) if len(records) else float("inf")
        size *= 4
