"""Slow, obvious writers and readers of capture containers: one record at a time, no numpy."""

from fractions import Fraction
from struct import pack, unpack_from
from typing import NamedTuple

MARK = 0x1A2B3C4D


class Frame(NamedTuple):
    """One frame as a reader should see it."""

    number: int
    time: int
    at: int
    captured: int
    length: int
    interface: int


def pcap_header(order="<", magic=0xA1B2C3D4, link_type=1, snaplen=65535, version=(2, 4)):
    """Write a pcap file header."""
    return pack(order + "IHHiIII", magic, *version, 0, 0, snaplen, link_type)


def pcap_record(order, second, fraction, data, length=None, extra=b""):
    """Write a pcap record."""
    return pack(order + "IIII", second, fraction, len(data), len(data) if length is None else length) + extra + data


def block(order, kind, body):
    """Write a pcapng block around a body, padded to 32 bits."""
    body += bytes(-len(body) % 4)
    return pack(order + "II", kind, len(body) + 12) + body + pack(order + "I", len(body) + 12)


def option(order, code, value):
    """Write a pcapng option."""
    return pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order, options=b""):
    """Write a section header block."""
    return block(order, 0x0A0D0D0A, pack(order + "IHHq", MARK, 1, 0, -1) + options)


def interface(order, link_type=1, snaplen=0, resolution=None, offset=None, name=None):
    """Write an interface description block."""
    options = b""
    if name is not None:
        options += option(order, 2, name.encode())
    if resolution is not None:
        options += option(order, 9, bytes([resolution]))
    if offset is not None:
        options += option(order, 14, pack(order + "q", offset))
    if options:
        options += option(order, 0, b"")
    return block(order, 1, pack(order + "HHI", link_type, 0, snaplen) + options)


def enhanced(order, ticks, data, length=None, face=0, options=b""):
    """Write an enhanced packet block."""
    length = len(data) if length is None else length
    head = pack(order + "IIIII", face, ticks >> 32, ticks & 0xFFFFFFFF, len(data), length)
    return block(order, 6, head + data + bytes(-len(data) % 4) + options)


def obsolete(order, ticks, data, length=None, face=0):
    """Write an obsolete packet block."""
    length = len(data) if length is None else length
    head = pack(order + "HHIIII", face, 0xFFFF, ticks >> 32, ticks & 0xFFFFFFFF, len(data), length)
    return block(order, 2, head + data)


def simple(order, data, length=None):
    """Write a simple packet block."""
    return block(order, 3, pack(order + "I", len(data) if length is None else length) + data)


def read_pcap(data):
    """Read the frames of a pcap file; stops quietly at the first record that is cut or absurd."""
    magics = {0xA1B2C3D4: (10**6, 16), 0xA1B23C4D: (10**9, 16), 0xA1B2CD34: (10**6, 24)}
    order = ">" if data[0] == 0xA1 else "<"
    ticks, size = magics[unpack_from(order + "I", data)[0]]
    at, frames = 24, []
    while at + size <= len(data):
        second, fraction, captured, length = unpack_from(order + "IIII", data, at)
        if captured > 262144 or at + size + captured > len(data):
            break
        time = second * 10**9 + fraction * 10**9 // ticks
        frames.append(Frame(len(frames) + 1, time, at + size, captured, length, 0))
        at += size + captured
    return frames


def read_pcapng(data):
    """Read the frames of a pcapng file; stops quietly at the first block that is cut or contradicts itself."""
    at, number, frames, faces, base, order = 0, 0, [], [], 0, "<"
    while at + 12 <= len(data):
        if data[at : at + 4] == b"\x0a\x0d\x0d\x0a":
            order = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}.get(bytes(data[at + 8 : at + 12]))
            base = len(faces)
            if order is None:
                break
        kind, total = unpack_from(order + "II", data, at)
        if total < 12 or total % 4 or total > 16 << 20 or at + total > len(data):
            break
        if unpack_from(order + "I", data, at + total - 4)[0] != total:
            break
        if kind == 0x0A0D0D0A and total < 28:
            break
        if kind == 1:
            if total < 20:
                break
            faces.append(_face(data[at : at + total], order))
        elif kind in {2, 3, 6}:
            frame = _packet(data, at, total, kind, order, faces, base, number + 1)
            if frame is None:
                break
            frames.append(frame)
        number += kind in {2, 3, 6, 9, 0xBAD, 0x40000BAD, 0x204, 0x216, 0x221}
        at += total
    return frames


def _face(data, order):
    snaplen = unpack_from(order + "I", data, 12)[0]
    resolution, offset, at = 6, 0, 16
    while at + 4 <= len(data) - 4:
        code, size = unpack_from(order + "HH", data, at)
        if code == 0 or at + 4 + size > len(data) - 4:
            break
        if code == 9 and size == 1:
            resolution = data[at + 4]
        if code == 14 and size == 8:
            offset = unpack_from(order + "q", data, at + 4)[0]
        at += 4 + size + -size % 4
    power = resolution & 127
    return snaplen, (2**power if resolution & 128 else 10**power), offset


def _packet(data, at, total, kind, order, faces, base, number):
    head = 16 if kind == 3 else 32
    if total < head:
        return None
    if kind == 3:
        face, (length,) = 0, unpack_from(order + "I", data, at + 8)
    elif kind == 2:
        face, _, high, low, captured, length = unpack_from(order + "HHIIII", data, at + 8)
    else:
        face, high, low, captured, length = unpack_from(order + "IIIII", data, at + 8)
    if base + face >= len(faces):
        return None
    snaplen, ticks, offset = faces[base + face]
    if kind == 3:
        captured, time = min(length, snaplen or 262144), 0
    else:
        time = int(Fraction((high << 32) + low, ticks) * 10**9 // 1) + offset * 10**9
    if captured > total - head or captured > 262144:
        return None
    return Frame(number, time, at + head - 4, captured, length, base + face)
