"""Inputs: parts behind their lengths, and how they are changed."""

import struct
from collections.abc import Callable, Sequence
from random import Random

__all__ = ["LONGEST", "MOST", "Change", "changed_parts", "pack", "scrambled", "unpack"]

MOST, LONGEST = 32, 4000  # parts of an input, and bytes of each
"""Parts side by side cost hardly more than one: a call of numpy costs the same for a few as for one."""

TELLING = (0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 191, 192, 254, 255)
"""Bytes at which parsers turn: ends of ranges, and 192, where pointers in DNS names begin (RFC 1035 §4.1.4)."""

Change = Callable[[bytes, Random], bytes]
"""Makes another part or input of one."""


def pack(parts: Sequence[bytes]) -> bytes:
    """Write parts behind their lengths."""
    return b"".join(struct.pack(">H", len(one)) + one for one in parts)


def unpack(data: bytes) -> list[bytes]:
    """Read parts behind lengths; the last may be shorter than it says."""
    found, at = list[bytes](), 0
    while at + 2 <= len(data) and len(found) < MOST:
        (length,) = struct.unpack_from(">H", data, at)
        length = min(length, LONGEST)
        found.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    return found


def scrambled(data: bytes, rng: Random) -> bytes:
    """Change some bytes: other values, bits, numbers of two and four bytes, pieces doubled, moved or gone."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        kind, at = rng.randrange(8), rng.randrange(len(made) + 1)
        size = min(rng.choice((1, 2, 4, 8, 32)), len(made) - at)
        if kind == 0:
            made[at:at] = rng.randbytes(rng.choice((1, 2, 4, 16)))
        elif kind == 1:
            del made[at : at + rng.choice((1, 2, 4, 16, 1000))]
        elif kind == 2:
            other = rng.randrange(len(made) + 1)
            made[other:other] = made[at : at + size]
        elif kind == 3:
            other = rng.randrange(len(made) + 1)
            made[at : at + size] = made[other : other + size]
        elif kind == 4 and at < len(made):
            made[at] = rng.choice(TELLING)
        elif kind == 5 and at < len(made):
            made[at] ^= 1 << rng.randrange(8)
        elif kind == 6 and at + 2 <= len(made):  # a length, one more or less, or what is left behind it
            (number,) = struct.unpack_from(">H", made, at)
            number = rng.choice((number + 1, number - 1, len(made) - at - 2, len(made) - at, 0, 0xFFFF))
            struct.pack_into(">H", made, at, number & 0xFFFF)
        elif at + 4 <= len(made):
            number = rng.choice((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, rng.getrandbits(32)))
            struct.pack_into(">I", made, at, number)
    return bytes(made[:LONGEST])


def changed_parts(parts: Sequence[bytes], rng: Random, change: Change) -> list[bytes]:
    """Change about half of the parts, and which there are: doubled, gone, elsewhere, joined of two, or many more."""
    made = [change(one, rng) if rng.random() < 0.5 else one for one in parts] or [change(b"", rng)]
    for _ in range(rng.choice((0, 1, 1, 2))):
        kind, at, other = rng.randrange(5), rng.randrange(len(made)), rng.randrange(len(made))
        if kind == 0 and len(made) < MOST:
            made.insert(other, change(made[at], rng))
        elif kind == 1 and len(made) > 1:
            del made[at]
        elif kind == 2:
            made[at], made[other] = made[other], made[at]
        elif kind == 3:
            made[at] = (made[at][: rng.randrange(len(made[at]) + 1)] + made[other])[:LONGEST]
        else:
            made += [change(rng.choice(made), rng) for _ in range(rng.randrange(MOST))]
    return made[:MOST]
