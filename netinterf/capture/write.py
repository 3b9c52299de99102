"""Write capture files: classic pcap (draft-ietf-opsawg-pcap) and pcapng (draft-ietf-opsawg-pcapng)."""

import os
from collections.abc import Iterator, Mapping, Sequence
from struct import pack
from types import MappingProxyType
from typing import BinaryIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netinterf.arrays import I64, U8, U32
from netinterf.capture.formats import MAX_FRAME, Interface, frame_limit
from netinterf.capture.opening import from_memory
from netinterf.errors import ParameterError
from netinterf.pieces import overlapping
from netinterf.table import spans
from netinterf.writing import opened

__all__ = ["write_pcap", "write_pcapng", "write_records"]

PIECE = 4 << 20  # bytes of frames put together at a time
COMMENT, MOST_OPTION = 1, 0xFFFF  # opt_comment, and what a 16-bit length can say (draft-ietf-opsawg-pcapng §3.5)
NOTHING_SAID: Mapping[int, tuple[int, bytes]] = MappingProxyType({})
NANOSECONDS = 9  # if_tsresol (draft-ietf-opsawg-pcapng §4.2): a power of ten


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
    pieces = _pieces(buffer, at, captured, fields, np.zeros(len(at), np.int64))
    with opened(target) as file:
        file.write(head)
        for piece in pieces:
            file.write(piece)


def write_pcapng(
    target: str | os.PathLike[str] | BinaryIO,
    buffer: U8,
    at: NDArray[np.integer],
    captured: NDArray[np.integer],
    length: NDArray[np.integer],
    time: NDArray[np.integer],
    interface: NDArray[np.integer],
    interfaces: Sequence[Interface],
    comments: Mapping[int, str] | None = None,
) -> None:
    """Write frames that lie in a buffer to a pcapng file of one section, in the order of the rows, to the nanosecond.

    Args:
        target: A path (replaced when the file is whole) or a binary file object.
        buffer: The bytes of a capture.
        at: Offset of each frame in it.
        captured: Bytes of each frame.
        length: Bytes each frame had on the wire.
        time: Nanoseconds since 1970 UTC.
        interface: Where each was captured, as a row of *interfaces*.
        interfaces: Their link types and names.
        comments: What is said of frames, by row.

    Raises:
        ParameterError: The columns are of unequal length, or a value does not fit the format.
    """
    columns = (at, captured, length, time, interface)
    at, captured, length, time, interface = (np.asarray(part, np.int64).reshape(-1) for part in columns)
    if len(interface) != len(at) or (len(at) and not 0 <= interface.min() <= interface.max() < len(interfaces)):
        raise ParameterError("interface", interface.tolist()[:5], f"one of {len(interfaces)} interfaces per frame")
    for number, face in enumerate(interfaces):
        of = interface == number
        _check(len(buffer), at[of], captured[of], length[of], time[of], face.link_type)
    padding = -captured % 4
    options = {row: _options([(COMMENT, text.encode("utf-8", "replace"))]) for row, text in (comments or {}).items()}
    behind = padding.copy()
    behind[list(options)] += np.fromiter(map(len, options.values()), np.int64, len(options))
    fields = np.empty((len(at), 7), "<u4")  # §4.3
    fields[:, 0], fields[:, 1], fields[:, 2] = 6, 32 + captured + behind, interface
    fields[:, 3], fields[:, 4] = time >> 32, time & 0xFFFFFFFF
    fields[:, 5], fields[:, 6] = captured, length
    heads = [_block(0x0A0D0D0A, pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)), *map(_description, interfaces)]  # §4.1, §4.2
    with opened(target) as file:
        file.writelines(heads)
        said = {row: (int(padding[row]), option) for row, option in options.items()}
        for piece in _pieces(buffer, at, captured, fields, behind, fields[:, 1], said):
            file.write(piece)


def _description(interface: Interface) -> bytes:
    """Describe an interface (§4.2), named where it has a name."""
    name = interface.name.encode("utf-8", "replace")
    options = [(2, name)] * bool(name) + [(9, bytes([NANOSECONDS]))]
    return _block(1, pack("<HHI", interface.link_type, 0, 0) + _options(options))


def _options(options: Sequence[tuple[int, bytes]]) -> bytes:
    """Write options by code, each as far as its length can say, and their end (§3.5)."""
    parts = [(code, value[:MOST_OPTION]) for code, value in options]
    return b"".join(
        pack("<HH", code, len(value)) + value + bytes(-len(value) % 4) for code, value in [*parts, (0, b"")]
    )


def _block(kind: int, body: bytes) -> bytes:
    """Frame one pcapng block (§3.1)."""
    size = pack("<I", len(body) + 12)
    return pack("<I", kind) + size + body + size


def _pieces(
    buffer: U8,
    at: I64,
    captured: I64,
    heads: U32,
    padding: I64,
    tails: U32 | None = None,
    said: Mapping[int, tuple[int, bytes]] = NOTHING_SAID,
) -> Iterator[bytes]:
    """Put records together, some megabytes at a time: head, frame, zeros, and what stands behind them.

    Args:
        buffer: The bytes of a capture.
        at: Offset of each frame in it.
        captured: Bytes of each frame.
        heads: What stands before each.
        padding: Bytes behind each.
        tails: What stands behind these.
        said: What stands in the padding of some rows, and from where on.
    """
    before, behind = heads.shape[1] * 4, 0 if tails is None else 4
    sizes = before + captured + padding + behind
    ends, spoken = np.cumsum(sizes), sorted(said, reverse=True)
    begin = 0
    while begin < len(at):
        base = int(ends[begin] - sizes[begin])
        end = max(int(np.searchsorted(ends, base + PIECE, side="right")), begin + 1)
        part = slice(begin, end)
        places = ends[part] - sizes[part] - base
        out = np.zeros(int(ends[end - 1]) - base, np.uint8)
        overlapping(out, before)[places] = np.ascontiguousarray(heads[part]).view(f"V{before}")[:, 0]
        out[spans(places + before, captured[part])] = buffer[spans(at[part], captured[part])]
        while spoken and spoken[-1] < end:
            row = spoken.pop()
            skipped, option = said[row]
            place = int(places[row - begin] + before + captured[row]) + skipped
            out[place : place + len(option)] = np.frombuffer(option, np.uint8)
        if tails is not None:
            overlapping(out, 4)[ends[part] - base - 4] = np.ascontiguousarray(tails[part]).view("V4")
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
