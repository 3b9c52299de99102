"""Slow, obvious writers and readers of capture containers: one record at a time, no numpy."""

from fractions import Fraction
from functools import partial
from struct import pack, unpack_from
from typing import NamedTuple

MARK = 0x1A2B3C4D
ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
MAX_FRAME, LARGEST, DAY, FOLLOW = 262_144, 131_070, 86_400, 3
SPAN = 4 * (MAX_FRAME + 65_536)


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


def statistics(order, face, counts):
    """Write an interface statistics block: counts of 64 bits by option code."""
    options = b"".join(option(order, code, pack(order + "Q", count)) for code, count in counts.items())
    return block(order, 5, pack(order + "III", face, 0, 0) + options + option(order, 0, b""))


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


def first_proof(data, start, proof):
    """Try every offset from *start* on, and give the one whose proof ends first."""
    proofs = [(end, at) for at in range(start, len(data)) if (end := proof(at)) is not None]
    return min(proofs)[1] if proofs else None


def read_pcap(data):
    """Read the frames of a pcap file; behind damage, go on where records follow each other again."""
    magics = {0xA1B2C3D4: (10**6, 16), 0xA1B23C4D: (10**9, 16), 0xA1B2CD34: (10**6, 24)}
    order = ">" if data[0] == 0xA1 else "<"
    ticks, size = magics[unpack_from(order + "I", data)[0]]

    def fields(at):
        return unpack_from(order + "IIII", data, at)

    def right(at):
        _, fraction, captured, length = fields(at)
        return fraction < ticks and captured <= length and 0 < length <= LARGEST

    def proof(at, until=None):
        place = at
        if at + size > len(data) or not right(at):
            return None
        for step in range(FOLLOW):
            after = place + size + fields(place)[2]
            if after - at > SPAN or (until is not None and after + size > until):
                return None
            if after + size > len(data):
                return len(data) + 1 if after == len(data) else len(data) + 2 if step else None
            if not right(after) or abs(fields(after)[0] - fields(place)[0]) > DAY:
                return None
            place = after
        return place + size

    at, frames, doubted = 24, [], []
    while at < len(data):
        if doubted and at - (begin := doubted[0].at - size) >= MAX_FRAME:
            inside = first_proof(data[: begin + MAX_FRAME], begin + 1, partial(proof, until=begin + MAX_FRAME))
            at = at if inside is None else inside
            old = [frame for frame in doubted if frame.at - size < begin + MAX_FRAME]
            frames += old if inside is None else []
            doubted = doubted[len(old) :] if inside is None else []
            continue
        whole = at + size <= len(data)
        absurd = whole and fields(at)[2] > MAX_FRAME
        if absurd or not whole or at + size + fields(at)[2] > len(data):
            lost = doubted[0].at - size if doubted else at
            astray = absurd or doubted or (whole and not right(at))
            found = first_proof(data, lost + 1, proof) if astray else None
            if found is None:
                frames += [] if absurd else doubted
                doubted = []
                break
            at, doubted = found, []
            continue
        second, fraction, captured, length = fields(at)
        doubted.append(Frame(0, second * 10**9 + fraction * 10**9 // ticks, at + size, captured, length, 0))
        sure, at = right(at), at + size + captured
        if sure:
            frames, doubted = frames + doubted, []
    return [frame._replace(number=place) for place, frame in enumerate(frames + doubted, 1)]


def sure(data, at):
    """Tell a section header."""
    return data[at : at + 4] == b"\x0a\x0d\x0d\x0a" and data[at + 8 : at + 12] in ORDERS


def could_be_block(data, at, order, known):
    """Say whether a block that matters seems to begin here."""
    if at + 16 > len(data):
        return False
    kind, total, face, _ = unpack_from(order + "IIII", data, at)
    halves = unpack_from(order + "HH", data, at + 8)
    fits = {
        6: total >= 32 and face <= known,
        2: total >= 32 and halves[0] <= known,
        3: total >= 16,
        1: total >= 20 and halves[1] == 0,
    }
    return sure(data, at) or (fits.get(kind, False) and total % 4 == 0 and total <= 16 << 20)


def block_proof(data, at, order, known):
    """Follow blocks from a start; give where the proof ends, None without one."""
    place = at
    if not could_be_block(data, at, order, known):
        return None
    for step in range(FOLLOW):
        if sure(data, place):
            break
        after = place + unpack_from(order + "I", data, place + 4)[0]
        if after - at > SPAN or (after <= len(data) and data[place + 4 : place + 8] != data[after - 4 : after]):
            return None
        if after + 16 > len(data):
            return len(data) + 1 if after == len(data) else len(data) + 2 if step else None
        kind, total = unpack_from(order + "II", data, after)
        if not sure(data, after) and (kind == 0 or not 12 <= total <= 16 << 20 or total % 4):
            return None
        place = after
    return place + 16


def read_pcapng(data):
    """Read the frames of a pcapng file; behind damage, go on where blocks follow each other again."""
    at, number, frames, faces, base, order = 0, 0, [], [], 0, "<"

    while at + 12 <= len(data):
        section_here, damaged = data[at : at + 4] == b"\x0a\x0d\x0d\x0a", False
        if section_here:
            damaged = not sure(data, at)
            order = ORDERS.get(bytes(data[at + 8 : at + 12]), order)
        kind, total = unpack_from(order + "II", data, at)
        damaged |= total < 12 or total % 4 != 0 or total > 16 << 20 or overstated(data, at, order)
        cut = not damaged and at + total > len(data)
        if not damaged and not cut:
            damaged = unpack_from(order + "I", data, at + total - 4)[0] != total or (section_here and total < 28)
        header = section_here or bytes(data[at + 8 : at + 12]) in ORDERS
        if damaged:
            order = ORDERS.get(bytes(data[at + 8 : at + 12]), order)
        if damaged or cut:
            known = len(faces) - base
            begin = behind_packet(data, at, order) if cut else at + 1
            found = first_proof(data, begin, partial(block_proof, data, order=order, known=known))
            if found is not None and cut:
                found = first_proof(data, at + 1, partial(block_proof, data, order=order, known=known))
            if found is None:
                break
            if header and unpack_from(order + "I", data, found)[0] == 1:
                base = len(faces)
            whole = None if header else _salvaged(data[at:found], order, len(faces) - base)
            if whole or unpack_from(order + "I", data, at)[0] == 1:
                faces.append(whole)
            at = found
            continue
        if section_here:
            base = len(faces)
        if kind == 1:
            faces.append(_face(data[at : at + total], order) if total >= 20 else None)
        elif kind in {2, 3, 6}:
            frame = _packet(data, at, total, kind, order, faces, base, number + 1)
            frames += [] if frame is None else [frame]
        number += kind in {2, 3, 6, 9, 0xBAD, 0x40000BAD, 0x204, 0x216, 0x221}
        at += total
    return frames


def overstated(data, at, order):
    """Say whether a packet block is longer than its packet and 64 KiB of options."""
    if at + 24 > len(data):
        return False
    kind, total, _, _, _, captured = unpack_from(order + "IIIIII", data, at)
    return kind in {2, 6} and total > 32 + captured + 3 + (1 << 16)


def behind_packet(data, at, order):
    """Say from where on blocks can follow that are no part of the packet in a block."""
    if at + 24 > len(data):
        return at + 1
    kind, total, _, _, _, captured = unpack_from(order + "IIIIII", data, at)
    return at + 28 + captured if kind in {2, 6} and captured <= min(total, MAX_FRAME) else at + 1


def _salvaged(block, order, known):
    """Read the interface description that was skipped, if its body is whole."""
    if len(block) < 20 or len(block) % 4 or unpack_from(order + "H", block, 10)[0]:
        return None
    right = [unpack_from(order + "I", block, 4 * place)[0] == value for place, value in ((0, 1), (1, len(block)))]
    if sum(right) + (unpack_from(order + "I", block, len(block) - 4)[0] == len(block)) < (2 if known else 1):
        return None
    at = 16
    while at < len(block) - 4:
        code, size = unpack_from(order + "HH", block, at)
        if code == 0:
            return _face(block, order) if at == len(block) - 8 and size == 0 else None
        at += 4 + size + -size % 4
    return _face(block, order) if at == len(block) - 4 else None


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
    if base + face >= len(faces) or faces[base + face] is None:
        return None
    snaplen, ticks, offset = faces[base + face]
    if kind == 3:
        captured, time = min(length, snaplen or 262144), 0
    else:
        time = int(Fraction((high << 32) + low, ticks) * 10**9 // 1) + offset * 10**9
    if captured > total - head or captured > 262144:
        return None
    return Frame(number, time, at + head - 4, captured, length, base + face)
