"""Bring the bytes of a capture into one read-only buffer, wherever they come from.

Plain files are mapped. Pipes and compressed data are copied to an unlinked temporary file which is then mapped, so
memory does not grow with the capture; small ones stay in memory. The first bytes are looked at before anything is
copied: an endless device or a bomb that is no capture is refused at once.

A mapping outlives the file object that it was made from. On Windows it has a handle of its own, and the temporary file,
which cannot be unlinked there while it is open, goes with the last handle (`tempfile.TemporaryFile`).
"""

import io
import mmap
import os
import stat
import sys
from collections.abc import Callable, Iterator
from itertools import chain as chained
from typing import Any, BinaryIO

import attrs
import numpy as np

from netinterf.arrays import U8
from netinterf.capture.formats import compression_of
from netinterf.capture.inlet import HEAD, Inlet, known_format
from netinterf.errors import NetinterfError, ParameterError, UnknownFormat, UnreadableSource
from netinterf.schema import Diagnostic
from netinterf.values import frozen

__all__ = ["PIECE", "Content", "Progress", "Source", "copied", "load", "name_of", "peek", "peek_into", "standard_input"]

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO
"""A path, ``"-"`` for standard input, the bytes of a capture, or a binary file object."""

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all (0 when unknown); copying, where needed, and indexing count anew."""

PIECE = 1 << 20  # bytes read at a time
MEMORY_LIMIT = 16 << 20  # bytes of a stream kept in memory before a temporary file takes over
POPULATE_LIMIT = 2 << 30  # bytes: what any machine that runs numpy on captures can hold in its page cache
MAX_STREAM = 256 << 30  # bytes copied from a pipe or expanded, at most: no disk is meant to hold more


@frozen(eq=False)
class Content:
    """The bytes of a capture: expanded, in one buffer.

    Args:
        name: What to call the source in messages.
        buffer: The bytes, read-only.
        format: ``"pcap"`` or ``"pcapng"``.
        compression: How they were compressed, empty for not at all.
        diagnostics: What went wrong on the way.
        path: The file that is mapped, None for a copy.
    """

    name: str
    buffer: U8
    format: str
    compression: str
    diagnostics: tuple[Diagnostic, ...]
    path: str | None = None


def name_of(source: object) -> str:
    """Name a source for messages.

    Raises:
        ParameterError: It is of no type that can be read.
    """
    if isinstance(source, str | os.PathLike):
        path = os.fspath(source)
        return "standard input" if path == "-" else os.fsdecode(path)
    if isinstance(source, bytes | bytearray | memoryview):
        return "bytes"
    if hasattr(source, "read") and not isinstance(source, io.TextIOBase):
        name = getattr(source, "name", "")
        return name if isinstance(name, str) and name else "file object"
    raise ParameterError("source", source, "a path, '-', bytes, or a file object opened in binary mode")


def load(source: Source, *, progress: Progress | None = None) -> Content:
    """Read a source into one buffer.

    Args:
        source: Where the capture comes from.
        progress: Called while a pipe or compressed data are copied.

    Raises:
        ParameterError: The source is of no type that can be read.
        UnreadableSource: It is missing, empty, a directory, or cannot be read.
        UnknownFormat: It is no capture.
        MissingExtra: It is compressed with zstd and no module for that is installed.
    """
    name = name_of(source)
    try:
        if isinstance(source, bytes | bytearray | memoryview):
            data = memoryview(source)
            return _from_buffer(np.frombuffer(data if data.contiguous else bytes(data), np.uint8), name, progress)
        if isinstance(source, str | os.PathLike):
            if os.fspath(source) == "-":
                return _from_stream(standard_input(name), name, progress)
            return _from_path(os.fspath(source), name, progress)
        return _from_stream(source, name, progress)
    except NetinterfError:  # some are ValueErrors as well
        raise
    except (OSError, ValueError) as cause:
        reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
        raise UnreadableSource(name, f"cannot be read: {reason}") from cause


def standard_input(name: str) -> Any:
    """Take standard input as bytes.

    Raises:
        UnreadableSource: It is closed, or a terminal, where one would wait for ever.
    """
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None or stream.closed:
        raise UnreadableSource(name, "it is closed, or not open for bytes")
    if stream.isatty():
        raise UnreadableSource(name, "it is a terminal; pipe a capture into it, e.g. tcpdump -w - | …")
    return stream


def peek(path: str) -> str:
    """Tell the format of a regular file from its first (expanded) bytes, empty when it is no capture.

    Raises:
        UnreadableSource: It cannot be read.
        MissingExtra: See `load`.
    """
    try:
        with open(path, "rb") as file:
            return peek_into(file, path)
    except NetinterfError:
        raise
    except (OSError, ValueError) as cause:
        raise UnreadableSource(path, f"cannot be read: {cause}") from cause


def peek_into(file: BinaryIO, name: str) -> str:
    """Tell the format of a file that is open; see `peek`.

    Raises:
        MissingExtra: See `load`.
        OSError: It cannot be read.
    """
    inlet = Inlet(name)
    try:
        for _ in inlet.through(_pieces(file, name, HEAD)):
            break
    except (UnknownFormat, UnreadableSource):
        return ""
    return inlet.format


def _from_path(path: str, name: str, progress: Progress | None) -> Content:
    """Map a regular file; read anything else as a stream."""
    with open(path, "rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            return _from_stream(file, name, progress)
        if status.st_size == 0:
            raise UnreadableSource(name, "the file is empty", 0)
        mapped = _map(file.fileno(), status.st_size)
    content = _from_buffer(np.frombuffer(mapped, np.uint8), name, progress)
    return content if content.compression else attrs.evolve(content, path=os.path.abspath(path))


def _map(handle: int, size: int) -> mmap.mmap:
    """Map a file, read-only.

    Headers lie on nearly every page, and faulting pages in one by one took ten times as long as letting the kernel
    enter them all at once (0.4 s against 0.04 s for 870 MB). Files that may not fit into memory are left to demand.
    """
    populate = getattr(mmap, "MAP_POPULATE", 0) if size <= POPULATE_LIMIT else 0  # Linux only
    if not populate:
        return mmap.mmap(handle, 0, access=mmap.ACCESS_READ)
    return mmap.mmap(handle, 0, flags=mmap.MAP_SHARED | populate, prot=mmap.PROT_READ)


def _from_buffer(buffer: U8, name: str, progress: Progress | None) -> Content:
    """Use bytes as they are, or expand them."""
    head = buffer[:HEAD].tobytes()
    if not compression_of(head):
        return _content(buffer, name, "", ())
    total = len(buffer)

    def pieces() -> Iterator[bytes]:
        for at in range(0, total, PIECE):
            if progress is not None:
                progress(at, total)
            yield buffer[at : at + PIECE].tobytes()

    return _spooled(pieces(), name)


def _from_stream(stream: Any, name: str, progress: Progress | None) -> Content:
    """Copy a stream."""
    done = 0

    def pieces() -> Iterator[bytes]:
        nonlocal done
        for piece in _pieces(stream, name, PIECE):
            done += len(piece)
            if progress is not None:
                progress(done, 0)
            yield piece

    return _spooled(pieces(), name)


def _pieces(stream: Any, name: str, size: int) -> Iterator[bytes]:
    """Read a stream to its end."""
    while True:
        piece = stream.read(size)
        if piece is None:
            raise UnreadableSource(name, "the stream does not block and has no data yet")
        if not isinstance(piece, bytes | bytearray | memoryview):
            raise ParameterError("source", stream, "a file object that was opened in binary mode")
        if len(piece) == 0:
            return
        yield bytes(piece)


def _spooled(pieces: Iterator[bytes], name: str) -> Content:
    """Expand if need be, look at the first bytes, and copy the rest."""
    inlet = Inlet(name)
    buffer, notes = copied(inlet.through(pieces), name)
    return _content(buffer, name, inlet.compression, inlet.diagnostics + notes)


def copied(pieces: Iterator[bytes], name: str) -> tuple[U8, tuple[Diagnostic, ...]]:
    """Collect pieces in memory, or in a temporary file when they are many; a diagnostic says where a limit was hit.

    Raises:
        UnreadableSource: The temporary file cannot be written.
    """
    buffered = bytearray()
    for piece in pieces:
        buffered += piece
        if len(buffered) >= MEMORY_LIMIT:
            break
    else:
        return np.frombuffer(bytes(buffered), np.uint8), ()
    import tempfile  # (few captures are copied)

    with tempfile.TemporaryFile(prefix="netinterf-") as file:
        size = 0
        for piece in chained([bytes(buffered)], pieces):
            buffered.clear()
            try:
                file.write(piece)
            except OSError as cause:
                raise UnreadableSource(name, f"no room for a temporary copy: {cause.strerror}", size) from cause
            size += len(piece)
            if size >= MAX_STREAM:
                break
        file.flush()
        mapped = np.frombuffer(_map(file.fileno(), size), np.uint8)
    if size < MAX_STREAM:
        return mapped, ()
    return mapped, (Diagnostic("capture.stream_limit", f"only the first {size} bytes were read", size),)


def _content(buffer: U8, name: str, compression: str, notes: tuple[Diagnostic, ...]) -> Content:
    """Tell the format and put the pieces together."""
    capture_format = known_format(buffer, name, compression)
    buffer = buffer.view()
    buffer.flags.writeable = False
    return Content(name, buffer, capture_format, compression, notes)
