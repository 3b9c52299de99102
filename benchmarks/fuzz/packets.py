"""Frames of an input: times, bytes, and changes that leave them packets, so that they reach what lies deep.

An input is one byte that chooses the link type, then one part per frame: a byte that says how long after the frame
before (low four bits) and whether it was cut (high bit), and the frame.
"""

import struct
from collections.abc import Callable
from random import Random
from typing import Self

import numpy as np

from benchmarks.fuzz.parts import changed_parts, pack, scrambled, unpack
from netinterf.decode.headers import LINK_KINDS
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["Frames", "changed_frames", "mended", "packed_frames"]

LINKS = tuple(LINK_KINDS)
IP_AT = {1: 14, 12: 0, 14: 0, 101: 0, 228: 0, 229: 0, 0: 4, 108: 4, 113: 16, 276: 20, 9: 4, 50: 4, 104: 4, 105: 32}
"""Bytes before the IP header, by link type, where no further header lies between."""

STEPS = tuple(int(step * 1e6) for step in (0, 0.001, 0.1, 1, 5, 20, 50, 200, 500, 1e3, 3e3, 1e4, 6e4, 3e5, 1e7, -1))
"""Ns between frames; the last is a clock that went back."""

CUT, CUT_BYTES = 0x80, 100
BEGAN = 1_700_000_000 * 10**9
TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58


@frozen
class Frames:
    """What an input holds."""

    link_type: int
    times: tuple[int, ...]  # ns
    frames: tuple[bytes, ...]
    lengths: tuple[int, ...]  # on the wire

    @classmethod
    def of(cls, data: bytes) -> Self:
        """Read an input."""
        parts = [one for one in unpack(data[1:]) if one]
        times = BEGAN + np.cumsum([STEPS[one[0] & 15] for one in parts], dtype=np.int64)
        lengths = tuple(len(one) - 1 + (CUT_BYTES if one[0] & CUT else 0) for one in parts)
        link_type = LINKS[data[0] % len(LINKS)] if data else 1
        return cls(link_type, tuple(times.tolist()), tuple(one[1:] for one in parts), lengths)

    def part(self, rows: slice) -> Self:
        """Take some of the frames."""
        return type(self)(self.link_type, self.times[rows], self.frames[rows], self.lengths[rows])

    def pcap(self) -> bytes:
        """Write a capture with nanoseconds."""
        made = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262_144, self.link_type)]
        for time, frame, length in zip(self.times, self.frames, self.lengths, strict=True):
            made += [struct.pack("<IIII", *divmod(time, 10**9), len(frame), length), frame]
        return b"".join(made)


def packed_frames(trace: Trace, rows: "np.ndarray[tuple[int], np.dtype[np.int64]]", most: int) -> bytes:
    """Make an input of some packets of a capture, of each at most *most* bytes."""
    packets, parts = trace.packets, []
    steps = np.diff(packets.time[rows], prepend=packets.time[rows[:1]])
    codes = np.abs(steps[:, None] - np.array(STEPS)).argmin(axis=1).tolist()
    link_type = trace.interfaces[int(packets.interface[rows[0]])].link_type if len(rows) else 1
    for row, code in zip(rows.tolist(), codes, strict=True):
        at, size = int(packets.at[row]), int(packets.captured[row])
        cut = size > most or packets.length[row] > size
        parts.append(bytes([code | (CUT if cut else 0)]) + trace.buffer[at : at + min(size, most)].tobytes())
    return bytes([LINKS.index(link_type) if link_type in LINKS else 0]) + pack(parts)


def changed_frames(data: bytes, rng: Random) -> bytes:
    """Change an input: times, headers field by field, payloads, order; lengths and checksums are mended mostly."""
    head = data[:1] or b"\x01"
    if rng.random() < 0.02:
        head = bytes([rng.randrange(len(LINKS))])
    at = IP_AT.get(LINKS[head[0] % len(LINKS)], 0)

    def change(part: bytes, rng: Random) -> bytes:
        if not part or rng.random() < 0.1:
            return bytes([rng.randrange(256)]) + part[1:]
        return part[:1] + changed_frame(part[1:], at, rng)

    return head + pack(changed_parts(unpack(data[1:]), rng, change))


def changed_frame(frame: bytes, at: int, rng: Random) -> bytes:
    """Change one frame whose IP header begins at a place."""
    way = rng.random()
    if way < 0.15 or len(frame) < at + 20:
        return scrambled(frame, rng)
    made = bytearray(frame)
    transport = at + (40 if made[at] >> 4 == 6 else 4 * (made[at] & 15))
    protocol = made[at + 6] if made[at] >> 4 == 6 else made[at + 9]
    payload = transport + (8 if protocol != TCP or len(made) < transport + 13 else 4 * (made[transport + 12] >> 4))
    if way < 0.4 and len(made) > payload:
        made[payload:] = scrambled(bytes(made[payload:]), rng)
    elif way < 0.55:
        made = bytearray(rng.choice(WRAPS)(made, at))
    else:
        fields = FIELDS_V6 if made[at] >> 4 == 6 else FIELDS_V4
        place, form = rng.choice(fields if rng.random() < 0.4 or protocol not in (TCP, UDP) else
                                 [(transport - at + place, form) for place, form in FIELDS_TCP])  # fmt: skip
        change_field(made, at + place, form, rng)
        if rng.random() < 0.2:
            turn(made, at, transport)
    return bytes(made) if way > 0.95 else mended(bytes(made), at)


FIELDS_V4 = [(0, "B"), (1, "B"), (4, "H"), (6, "H"), (8, "B"), (9, "B"), (12, "I"), (16, "I")]
"""Place and width of version and header length, DSCP, id, fragment, TTL, protocol, addresses (RFC 791 §3.1)."""
FIELDS_V6 = [(0, "I"), (6, "B"), (7, "B"), (20, "I"), (36, "I")]  # RFC 8200 §3
FIELDS_TCP = [(0, "H"), (2, "H"), (4, "I"), (4, "I"), (8, "I"), (8, "I"), (12, "B"), (13, "B"), (13, "B"), (14, "H"),
              (18, "H"), (20, "I"), (24, "I"), (28, "I")]  # fmt: skip
"""Ports, numbers (twice: they decide most), offset, flags, window, urgent pointer, options (RFC 9293 §3.1)."""


def change_field(made: bytearray, at: int, form: str, rng: Random) -> None:
    """Change a number: by little, by a segment, by half of its range, or to anything."""
    size = struct.calcsize(form)
    if at + size > len(made):
        return
    (value,) = struct.unpack_from(">" + form, made, at)
    top = 1 << 8 * size
    value += rng.choice((1, -1, 2, 1000, -1000, 1460, 65_535, top // 2, top // 2 - 1, rng.randrange(top), -value))
    struct.pack_into(">" + form, made, at, value % top)


def turn(made: bytearray, at: int, transport: int) -> None:
    """Send a packet the other way."""
    ends = ((at + 8, 16),) if made[at] >> 4 == 6 else ((at + 12, 4),)
    for place, size in (*ends, (transport, 2)):
        if place + 2 * size <= len(made):
            made[place : place + 2 * size] = made[place + size : place + 2 * size] + made[place : place + size]


def mended(frame: bytes, at: int) -> bytes:
    """Make lengths and checksums of IP, TCP and UDP right again, where the header is one."""
    made, room = bytearray(frame), len(frame) - at
    version = made[at] >> 4 if room > 0 else 0
    if version == 4 and room >= (size := max(4 * (made[at] & 15), 20)):
        struct.pack_into(">H", made, at + 2, min(room, 0xFFFF))
        made[at + 10 : at + 12] = bytes(2)
        made[at + 10 : at + 12] = ones_complement(bytes(made[at : at + size]))
        protocol, ends = made[at + 9], made[at + 12 : at + 20]
    elif version == 6 and room >= (size := 40):
        struct.pack_into(">H", made, at + 4, min(room - 40, 0xFFFF))
        protocol, ends = made[at + 6], made[at + 8 : at + 40]
    else:
        return frame
    body = at + size
    place = {TCP: 16, UDP: 6, ICMP: 2, ICMPV6: 2}.get(protocol)
    fragment = version == 4 and made[at + 6] & 0x3F | made[at + 7]
    if place is None or len(made) < body + place + 2 or fragment:
        return bytes(made)
    if protocol == UDP:
        struct.pack_into(">H", made, body + 4, min(len(made) - body, 0xFFFF))
    made[body + place : body + place + 2] = bytes(2)
    pseudo = b"" if protocol == ICMP else bytes(ends) + struct.pack(">II", len(made) - body, protocol)
    made[body + place : body + place + 2] = ones_complement(pseudo + bytes(made[body:]))
    return bytes(made)


def ones_complement(data: bytes) -> bytes:
    """Compute a checksum (RFC 1071)."""
    total = int.from_bytes(data + bytes(len(data) % 2), "big")
    return struct.pack(">H", 0xFFFF - (total % 0xFFFF or (0xFFFF if total else 0)))


def in_ipv4(made: bytearray, at: int) -> bytes:
    """Carry a packet in another (RFC 2003)."""
    inner = made[at:]
    protocol = 41 if inner[0] >> 4 == 6 else 4
    outer = struct.pack(">BBHHHBBHII", 0x45, 0, 20 + len(inner), 1, 0, 64, protocol, 0, 0xC6336401, 0xC6336402)
    return bytes(made[:at]) + outer + bytes(inner)


def in_gre(made: bytearray, at: int) -> bytes:
    """Carry a packet in GRE (RFC 2784)."""
    kind = 0x86DD if made[at] >> 4 == 6 else 0x0800
    outer = struct.pack(">BBHHHBBHII", 0x45, 0, 0, 1, 0, 64, 47, 0, 0xC6336401, 0xC6336402)
    return bytes(made[:at]) + outer + struct.pack(">HH", 0, kind) + bytes(made[at:])


def in_vlan(made: bytearray, at: int) -> bytes:
    """Tag an Ethernet frame (IEEE 802.1Q)."""
    return bytes(made) if at != 14 else bytes(made[:12]) + b"\x81\x00\x00\x07" + bytes(made[12:])


def quoted(made: bytearray, at: int) -> bytes:
    """Answer a packet with an ICMP error that quotes it (RFC 792)."""
    body = struct.pack(">BBHI", 3, 13, 0, 0) + bytes(made[at : at + 48])
    ends = bytes(made[at + 16 : at + 20] + made[at + 12 : at + 16]) if len(made) >= at + 20 else bytes(8)
    return bytes(made[:at]) + struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, 1, 0) + ends + body


def with_hops(made: bytearray, at: int) -> bytes:
    """Put an extension header in (RFC 8200 §4.3), or options."""
    if made[at] >> 4 == 6 and len(made) >= at + 40:
        header = bytes([made[at + 6], 0, 1, 4, 0, 0, 0, 0])
        return bytes(made[: at + 6]) + b"\x00" + bytes(made[at + 7 : at + 40]) + header + bytes(made[at + 40 :])
    if made[at] == 0x45:
        return bytes(made[:at]) + b"\x46" + bytes(made[at + 1 : at + 20]) + b"\x01\x01\x01\x00" + bytes(made[at + 20 :])
    return bytes(made)


WRAPS: tuple[Callable[[bytearray, int], bytes], ...] = (in_ipv4, in_gre, in_vlan, quoted, with_hops)
"""Ways to put a packet into something else."""
