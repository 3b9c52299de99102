"""One recording in many files: rotated by the recorder, cut afterwards, or of several taps at once.

All bytes are copied one file after the other, so that what a trace points into is one buffer; files that are rotated
are often compressed at once, and are copied anyway. Packets of several taps need no more, since a trace sorts its
packets by time.

Files are put in the order in which they were written. Where their names differ in numbers only, that is the order of
these (shells sort ``trace10`` before ``trace2``), begun where a ring of files began anew, if the times agree; else that
of their first packets. Times alone mislead where a recorder writes packets down a little out of their order: a file may
then begin before the one that it follows.
"""

from collections.abc import Iterator, Sequence

import attrs
import numpy as np

from netinterf.arrays import U8
from netinterf.capture.numbered import by_number, natural
from netinterf.capture.readers import reader_of
from netinterf.capture.source import PIECE, Content, Progress, Source, copied, load
from netinterf.errors import CaptureError, ParameterError
from netinterf.schema import Diagnostic
from netinterf.values import frozen

__all__ = ["LEFT_OUT", "Whole", "join"]

LEFT_OUT = "capture.left_out"
"""Code of the diagnostic that names a file that could not be read."""

NEVER = float("inf")
"""Time of the first packet of a file without any."""

ASTRAY = 0.1
"""Share of files that may begin before the one that they follow (judgement): half do where numbers say nothing of the
time, and next to none where they count it."""

LOOK = 1 << 16  # bytes in which a first packet is looked for; four times as many where there is none


@frozen(eq=False)
class Whole:
    """Files that are one recording.

    Args:
        buffer: All bytes, expanded, one file after the other.
        files: Each file, in the order in which they were written; their bytes are parts of the buffer.
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
    order = written([content.name for content, _ in files], [begin(content) for content, _ in files])
    return Whole(
        buffer,
        tuple(files[place][0] for place in order),
        tuple(files[place][1] for place in order),
        (*notes, *(Diagnostic(LEFT_OUT, f"left out: {error}") for error in errors)),
        tuple(error.source for error in errors),
    )


def written(names: Sequence[str], begins: Sequence[tuple[float, float]]) -> list[int]:
    """Put files in the order in which they were written.

    Args:
        names: What they are called.
        begins: Time of the first packet of each, and the latest among its first ones; infinity where there is none.
    """
    empty = [place for place, (first, _) in enumerate(begins) if first == NEVER]
    full = sorted(set(range(len(names))) - set(empty))
    numbered = by_number([names[place] for place in full])
    begun = None if numbered is None else first_of([begins[full[place]] for place in numbered])
    if numbered is None or begun is None:
        return sorted(range(len(names)), key=lambda place: (begins[place], natural(names[place])))
    return [*(full[place] for place in numbered[begun:] + numbered[:begun]), *empty]


def first_of(ring: Sequence[tuple[float, float]]) -> int | None:
    """Find which file of a ring was written first; None where times do not follow its numbers.

    From one number to the next, time goes back where neither the first packet nor the latest of the first ones is later
    than before, and one is earlier. In the order in which files were written that happens once, from the last to the
    first, and otherwise only where packets out of order are all that is looked at.

    Args:
        ring: Time of the first packet of each, and the latest among its first ones, in the order of the numbers.
    """
    back = [
        max(first - next_first, latest - next_latest) if first >= next_first and latest >= next_latest else 0
        for (first, latest), (next_first, next_latest) in zip(ring, (*ring[1:], *ring[:1]), strict=True)
    ]
    if sum(step > 0 for step in back) > 1 + ASTRAY * len(back):
        return None
    last = max(range(len(back)), key=back.__getitem__, default=-1)
    return (last + 1) % len(back) if back and back[last] > 0 else 0


def begin(content: Content) -> tuple[float, float]:
    """Tell when the first packet of a file was recorded, and the latest of its first ones, ns; infinity without any."""
    size = LOOK
    while True:
        part = content.buffer[:size]
        last = len(part) == len(content.buffer)
        records, _ = reader_of(content.format, content.name).take(part, 0, last=last)
        if len(records):
            return int(records.time[0]), int(records.time.max())
        if last:
            return NEVER, NEVER
        size *= 4
