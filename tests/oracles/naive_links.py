"""Slow, obvious twins of what stands before frames: 802.11, and the pseudo-headers of whoever recorded them.

Each gives what comes next, and where: ``"llc"``, ``"ip"`` with a family, or the number of a link type. None is nothing.
"""


def little(f, at, size):
    """Read a little-endian number; bytes that may not be read are zero."""
    return int.from_bytes(f.get(at, size).to_bytes(size, "big"), "little")


def check_sequence(f):
    """The frame ends 4 bytes earlier."""
    if f.measured:
        f.end -= 4
        f.stop = min(f.stop, f.end)


def ieee80211(f, at, padded=False):
    """A frame as it was in the air."""
    control, flags, sequence = f.get(at, 1), f.get(at + 1, 1), little(f, at + 22, 2)
    version, kind, subtype = control & 3, control >> 2 & 3, control >> 4
    to, by, more, protected, order = (flags >> bit & 1 for bit in (0, 1, 2, 6, 7))
    size, aggregated, mesh = 24, False, False
    if to and by:
        size += 6
    if subtype & 8:
        quality = little(f, at + size, 2)
        aggregated, mesh = bool(quality & 0x80), bool(to and by and quality & 0x100)
        size += 6 if order else 2
    if padded:
        size += -size % 4
    if mesh and f.get(at + size, 3) == 0xAAAA03:
        mesh = False
    if version or kind != 2 or subtype & 4 or protected or more or sequence & 15 or mesh:
        f.lacks(at, 2)
        return None
    if f.lacks(at, size):
        return None
    at += size
    if aggregated:
        if f.lacks(at, 14):
            return None
        end = at + 14 + f.get(at + 12, 2)
        f.end, f.stop = min(f.end, end), min(f.stop, end)
        at += 14
    return "llc", at


def radiotap(f, at):
    """The header of most drivers."""
    version, size, present = f.get(at, 1), little(f, at + 2, 2), little(f, at + 4, 4)
    if f.lacks(at, max(size, 8)):
        return None
    place, word, words = at + 8, present, 0
    while word >> 31 and words < 64:
        word, words = little(f, place, 4), words + 1
        place += 4
    if present & 1:
        place += -(place - at) % 8 + 8
    flags = f.get(place, 1) if present & 2 and place - at < size and not word >> 31 else 0
    if flags & 0x10:
        check_sequence(f)
    if version or size < 8 or flags & 0x40:
        return None
    return ieee80211(f, at + size, padded=bool(flags & 0x20))


def ppi(f, at):
    """Per-packet information."""
    version, aligned, size, number = f.get(at, 1), f.get(at + 1, 1) & 1, little(f, at + 2, 2), little(f, at + 4, 4)
    if f.lacks(at, max(size, 8)) or version or size < 8:
        return None
    if number == 105:
        place = 8
        for _ in range(64):
            if place + 4 > size:
                break
            kind, length = little(f, at + place, 2), little(f, at + place + 2, 2)
            if kind == 2:
                flags = little(f, at + place + 12, 2) if place + 14 <= size else 0
                if flags & 1:
                    check_sequence(f)
                if flags & 12:
                    return None
                break
            place += 4 + length
            place += -(4 + length) % 4 if aligned else 0
    return number, at + size


def prism(f, at):
    """Prism, or AVS."""
    code, length = f.get(at, 4), f.get(at + 4, 4)
    if code in (0x41000000, 0x44000000):
        length = little(f, at + 4, 4)
    elif code not in (0x41, 0x44) and code >> 12 != 0x80211:
        length = 0
    if f.lacks(at, max(length, 8)) or length < 8:
        return None
    return ieee80211(f, at + length)


def nflog(f, at):
    """A packet among attributes."""
    family, version = f.get(at, 1), f.get(at + 1, 1)
    if f.lacks(at, 4):
        return None
    read = f.get if little(f, at + 6, 2) > 255 else lambda place, size: little(f, place, size)
    place = at + 4
    for _ in range(64):
        length, kind = read(place, 2), read(place + 2, 2)
        if place + 4 > f.stop or length < 4:
            break
        if kind == 9:
            return None if version else (f"ip{family}", place + 4)
        place += length + -length % 4
    if len(f.data) < f.end:
        f.status.add("HEADER_CUT")
    return None


def pktap(f, at):
    """The packet tap of a Mac."""
    size, following, number = little(f, at, 4), little(f, at + 4, 4), little(f, at + 8, 4)
    if f.lacks(at, max(size, 12)) or size < 12 or following != 1:
        return None
    return number, at + size


TWINS = {105: ieee80211, 127: radiotap, 119: prism, 163: prism, 192: ppi, 239: nflog, 258: pktap}
"""By link type."""
