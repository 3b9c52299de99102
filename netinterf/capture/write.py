"""Write classic pcap files (draft-ietf-opsawg-pcap), for examples, tests and extracts."""

import os
from collections.abc import Iterator, Sequence
from struct import pack
from typing import BinaryIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netinterf.arrays import I64, U8, U32
from netinterf.capture.formats import MAX_FRAME, frame_limit
from netinterf.capture.opening import from_memory
from netinterf.errors import ParameterError
from netinterf.pieces import overlapping
from netinterf.table import spans
from netinterf.writing import opened

__all__ = ["write_pcap", "write_records"]

PIECE = 4 << 20  # bytes of frames put together at a time


def write_pcap(
    target: str | os.PathLike[str] | BinaryIO,
    times: ArrayLike,
    frames: Sequence[bytes],
    link_type: int,
    *,
    nanoseconds: bool = True,
    lengths: ArrayLike | None = None,
    big_endian: bool = False,
) -> None:
    """Write frames to a pcap file.

    Args:
        target: A path (replaced when the file is whole) or a binary file object.
        times: Nanoseconds since 1970 UTC, one per frame, in the order to write.
        frames: Bytes of each frame.
        link_type: LINKTYPE number of all frames.
        nanoseconds: Keep nanoseconds; otherwise time is cut to microseconds.
        lengths: Bytes each frame had on the wire, when more than are given.
        big_endian: Byte order of the file.

    Raises:
        ParameterError: Numbers of times, frames and lengths differ, or a value does not fit the format.
    """
    capture = from_memory(times, frames, link_type)
    rows = capture.records
    length = rows.length.astype(np.int64) if lengths is None else np.asarray(lengths, np.int64).reshape(-1)
    write_records(
        target,
        capture.buffer,
        rows.at,
        rows.captured,
        length,
        rows.time,
        link_type,
        nanoseconds=nanoseconds,
        big_endian=big_endian,
    )


def write_records(
    target: str | os.PathLike[str] | BinaryIO,
    buffer: U8,
    at: NDArray[np.integer],
    captured: NDArray[np.integer],
    length: NDArray[np.integer],
    time: NDArray[np.integer],
    link_type: int,
    *,
    nanoseconds: bool = True,
    big_endian: bool = False,
) -> None:
    """Write frames that lie in a buffer to a pcap file, in the order of the rows.

    Args:
        target: A path (replaced when the file is whole) or a binary file object.
        buffer: The bytes of a capture.
        at: Offset of each frame in it.
        captured: Bytes of each frame.
        length: Bytes each frame had on the wire.
        time: Nanoseconds since 1970 UTC.
        link_type: LINKTYPE number of all frames.
        nanoseconds: Keep nanoseconds; otherwise time is cut to microseconds.
        big_endian: Byte order of the file.

    Raises:
        ParameterError: The columns are of unequal length, or a value does not fit the format.
    """
    at, captured, length, time = (np.asarray(part, np.int64).reshape(-1) for part in (at, captured, length, time))
    _check(len(buffer), at, captured, length, time, link_type)
    order, ticks = (">" if big_endian else "<"), (1_000_000_000 if nanoseconds else 1_000_000)
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    snaplen = max(MAX_FRAME, int(captured.max(initial=0)))
    head = pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, link_type)
    fields = np.empty((len(at), 4), order + "u4")
    second = time // 1_000_000_000
    fields[:, 0] = second
    fields[:, 1] = (time - second * 1_000_000_000) // (1_000_000_000 // ticks)
    fields[:, 2], fields[:, 3] = captured, length
    pieces = _pieces(buffer, at, captured, fields)
    with opened(target) as file:
        file.write(head)
        for piece in pieces:
            file.write(piece)


def _pieces(buffer: U8, at: I64, captured: I64, fields: U32) -> Iterator[bytes]:
    """Put records together, some megabytes at a time."""
    sizes = captured + 16
    ends = np.cumsum(sizes)
    begin = 0
    while begin < len(at):
        base = int(ends[begin] - sizes[begin])
        end = max(int(np.searchsorted(ends, base + PIECE, side="right")), begin + 1)
        part = slice(begin, end)
        places = ends[part] - sizes[part] - base
        out = np.empty(int(ends[end - 1]) - base, np.uint8)
        overlapping(out, 16)[places] = np.ascontiguousarray(fields[part]).view("V16")[:, 0]
        out[spans(places + 16, captured[part])] = buffer[spans(at[part], captured[part])]
        yield out.tobytes()
        begin = end


def _check(
    size: int,
    at: I64,
    captured: I64,
    length: I64,
    time: I64,
    link_type: int,
) -> None:
    """Refuse what the format cannot hold or no reader would accept."""
    if len({len(at), len(captured), len(length), len(time)}) != 1:
        counts = f"{len(at)}, {len(captured)}, {len(length)} and {len(time)}"
        raise ParameterError("columns", counts, "equally many offsets, sizes, lengths and times")
    if not 0 <= link_type <= 0xFFFF:
        raise ParameterError("link_type", link_type, "a 16-bit LINKTYPE number")
    if len(at) == 0:
        return
    if time.min() < 0 or time.max() >= (1 << 32) * 1_000_000_000:
        raise ParameterError("times", [int(time.min()), int(time.max())], "within 1970 and 2106, which pcap can hold")
    limit = frame_limit(link_type)
    if captured.min() < 0 or captured.max() > limit:
        raise ParameterError("frames", f"a frame of {int(captured.max())} bytes", f"at most {limit} bytes each")
    if length.min() < 0 or length.max() > 0xFFFFFFFF:
        raise ParameterError("lengths", [int(length.min()), int(length.max())], "32-bit unsigned numbers")
    if at.min() < 0 or (at + captured).max() > size:
        raise ParameterError("at", [int(at.min()), int(at.max())], f"frames inside the buffer of {size} bytes")
