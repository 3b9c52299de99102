"""Captures as files: pcap and pcapng, compressed or not, read whole and in pieces."""

import bz2
import gzip
import lzma
import struct
import zlib
from collections.abc import Callable, Iterator
from itertools import pairwise
from random import Random
from typing import Any

import attrs

from benchmarks.fuzz.packets import Frames, packed_frames
from benchmarks.fuzz.parts import scrambled
from benchmarks.fuzz.twice import Told, twice
from netinterf.capture import open_capture
from netinterf.capture.stream import CaptureStream
from netinterf.errors import CaptureError, MissingExtra
from netinterf.schema import Records
from netinterf.trace import Trace

__all__ = ["changed_capture", "check_capture", "seeds_capture"]

PACKED: dict[bytes, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    b"\x1f\x8b": (gzip.decompress, lambda data: gzip.compress(data, 1, mtime=0)),
    b"BZh": (bz2.decompress, lambda data: bz2.compress(data, 1)),
    b"\xfd7zXZ": (lzma.decompress, lambda data: lzma.compress(data, preset=0)),
}
"""What unpacks and packs again, by how packed bytes begin."""

ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
"""Byte order of a section by its magic (draft-ietf-opsawg-pcapng §4.1)."""


def check_capture(data: bytes) -> Told:
    """Read a capture whole, with what is compiled and without, and in pieces, which must give the same."""
    whole = twice(data, lambda: read_whole(data))
    rng = Random(zlib.crc32(data))
    pieces = read_pieces(data, [rng.randrange(len(data) + 1) for _ in range(rng.choice((1, 2, 8)))], rng.getrandbits(9))
    assert whole == pieces, f"whole and in pieces differ: {told(whole)} and {told(pieces)}"
    return told(whole)


def read_whole(data: bytes) -> tuple[Any, ...]:
    """List what a capture holds, or why it cannot be read."""
    try:
        capture = open_capture(data)
    except (CaptureError, MissingExtra) as error:
        return type(error).__name__, str(error)
    rows = capture.records
    frames = [capture.buffer[at : at + size].tobytes() for at, size in zip(rows.at, rows.captured, strict=True)]
    return columns(rows), frames, capture.interfaces, capture.diagnostics


def read_pieces(data: bytes, cuts: list[int], looks: int) -> tuple[Any, ...]:
    """Feed a capture in pieces that end at *cuts*, and list frames after some of them."""
    stream, parts, frames = CaptureStream("bytes"), [Records.empty()], list[bytes]()
    try:
        for place, (begin, end) in enumerate(pairwise([0, *sorted(cuts), len(data)])):
            stream.feed(data[begin:end])
            last = end == len(data) and place == len(cuts)
            if not (last or looks >> place & 1):
                continue
            listed = stream.close() if last else stream.frames()
            rows = listed.records
            frames += [listed.buffer[at : at + size].tobytes() for at, size in zip(rows.at, rows.captured, strict=True)]
            parts.append(attrs.evolve(rows, at=rows.at + listed.before))
    except (CaptureError, MissingExtra) as error:
        return type(error).__name__, str(error)
    return columns(Records.concat(parts)), frames, stream.interfaces, stream.diagnostics


def columns(rows: Records) -> list[list[Any]]:
    """Turn records into lists."""
    return [getattr(rows, known.name).tolist() for known in Records.schema()]


def told(read: tuple[Any, ...]) -> Told:
    """Say what kind of capture it was."""
    if isinstance(read[0], str):
        return {(read[0], "".join(sign for sign in read[1] if not sign.isdigit())[:60])}
    _, frames, interfaces, notes = read
    faces: Told = {("interface", face.link_type, face.ticks_per_second, face.snaplen == 0) for face in interfaces}
    counts: Told = {("frames", len(frames).bit_length()), ("interfaces", len(interfaces))}
    return faces | counts | {(note.code, note.count.bit_length()) for note in notes}


def changed_capture(data: bytes, rng: Random) -> bytes:
    """Change a capture below its compression, at its records or blocks, or anywhere."""
    for magic, (unpack, again) in PACKED.items():
        if data.startswith(magic) and rng.random() < 0.7:
            try:
                return again(changed_capture(unpack(data)[: 1 << 16], rng))
            except (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error):
                return scrambled(data, rng)
    if rng.random() < 0.05:
        return rng.choice(list(PACKED.values()))[1](data)
    parts = list(cut(data))
    if len(parts) < 2 or rng.random() < 0.2:
        return scrambled(data, rng)
    for _ in range(rng.choice((1, 1, 2, 4))):
        kind, at, other = rng.randrange(8), rng.randrange(len(parts)), rng.randrange(len(parts))
        if kind < 4:
            parts[at] = changed_header(parts[at], rng)
        elif kind == 4:
            parts.insert(other, parts[at])
        elif kind == 5 and len(parts) > 2:
            del parts[at]
        elif kind == 6:
            parts[at] = scrambled(parts[at], rng)
        else:
            parts[at] = parts[at][: rng.randrange(len(parts[at]) + 1)]
    return b"".join(parts)


def cut(data: bytes) -> Iterator[bytes]:
    """Cut a capture into header and records, or blocks, as far as their lengths lead."""
    blocks = data[:4] == b"\x0a\x0d\x0d\x0a"
    order, at = ("<" if data[:1] in (b"\xd4", b"\x4d") else ">"), 0
    if not blocks:
        yield data[:24]
        at = 24
    while at < len(data):
        if blocks and data[at : at + 4] == b"\x0a\x0d\x0d\x0a":
            order = ORDERS.get(data[at + 8 : at + 12], order)
        place = at + (4 if blocks else 8)
        size = struct.unpack_from(order + "I", data, place)[0] if place + 4 <= len(data) else len(data)
        end = at + max(size if blocks else size + 16, 8)
        yield data[at:end]
        at = end


def changed_header(part: bytes, rng: Random) -> bytes:
    """Change one of the 32-bit numbers at the beginning of a record or block, or the last, in either byte order."""
    places = [at for at in (0, 4, 8, 12, 16, 20, 24, 28, len(part) - 4) if 0 <= at <= len(part) - 4]
    if not places:
        return part + bytes(4)
    made, at, order = bytearray(part), rng.choice(places), rng.choice("<<>")
    (value,) = struct.unpack_from(order + "I", made, at)
    other = rng.choice((value + 1, value - 1, value + 4, 0, 1, 6, len(part), 0xFFFFFFFF, 1 << rng.randrange(32)))
    struct.pack_into(order + "I", made, at, other & 0xFFFFFFFF)
    return bytes(made)


def seeds_capture(trace: Trace) -> Iterator[bytes]:
    """Write the first packets of a capture in every format, and some of them compressed."""
    rows = trace.packets.frame.argsort()[:8]
    if not len(rows):
        return
    frames = Frames.of(packed_frames(trace, rows, 120))
    plain = frames.pcap()
    yield plain
    yield big_endian(frames)
    for order in "<>":
        ng = blocks(frames, order)
        yield ng
        yield ng + blocks(frames, "<")
    yield from (again(plain) for _, again in PACKED.values())


def big_endian(frames: Frames) -> bytes:
    """Write the variant of Alexey Kuznetzov in big-endian order, with microseconds."""
    made = [struct.pack(">IHHiIII", 0xA1B2CD34, 2, 4, 0, 0, 65_535, frames.link_type)]
    for time, frame, length in zip(frames.times, frames.frames, frames.lengths, strict=True):
        made += [struct.pack(">IIIIIHBB", time // 10**9, time // 1000 % 10**6, len(frame), length, 0, 0, 0, 0), frame]
    return b"".join(made)


def blocks(frames: Frames, order: str) -> bytes:
    """Write pcapng with enhanced, simple and obsolete packets, a description of names and counts."""
    made = [block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)),
            block(order, 1, struct.pack(order + "HHIHHBxxxHH", frames.link_type, 0, 0, 9, 1, 9, 0, 0))]  # fmt: skip
    for place, (time, frame) in enumerate(zip(frames.times, frames.frames, strict=True)):
        high, low, size = time >> 32, time & 0xFFFFFFFF, len(frame)
        padded = frame + bytes(-size % 4)
        heads = ((6, struct.pack(order + "IIIII", 0, high, low, size, size)), (3, struct.pack(order + "I", size)),
                 (2, struct.pack(order + "HHIIII", 0, 7, high, low, size, size)))  # fmt: skip
        kind, head = heads[0 if place < 2 else place % 3]
        made.append(block(order, kind, head + padded))
    counts = struct.pack(order + "III", 0, 0, 0) + struct.pack(order + "HHqHHqHH", 4, 8, 100, 5, 8, 7, 0, 0)
    return b"".join([*made, block(order, 4, struct.pack(order + "HH", 0, 0)), block(order, 5, counts)])


def block(order: str, kind: int, body: bytes) -> bytes:
    """Write one block (draft-ietf-opsawg-pcapng §3.1)."""
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size
