"""What packets are wrapped in: other link layers, a tunnel, bytes behind them."""

import attrs
import numpy as np

from netinterf.arrays import I64, U8, Mask
from netinterf.errors import ParameterError
from netinterf.numbering import one_of
from netinterf.schema import Status
from netinterf.transform.frames import OFFSETS, Frames
from netinterf.transform.headers import header_sum, put, replace_word

__all__ = ["LINKS", "link_type", "trail", "tunnel"]

NULL, ETHERNET, RAW, SLL = 0, 1, 101, 113
RAWS = (RAW, 12, 14)

LINKS = (NULL, ETHERNET, RAW, SLL)
"""Link types that packets can be given: BSD loopback, Ethernet, raw IP, Linux "cooked" (tcpdump group's registry)."""

ETHER_TYPES = (b"\x08\x00", b"\x86\xdd")
FAMILIES = (b"\x02\x00\x00\x00", b"\x18\x00\x00\x00")  # AF_INET, and AF_INET6 of NetBSD, little-endian

HEADERS = {
    RAW: (b"", b""),
    NULL: FAMILIES,
    ETHERNET: tuple(bytes.fromhex("020000000002 020000000001") + kind for kind in ETHER_TYPES),
    SLL: tuple(bytes.fromhex("0000 0001 0006 020000000001 0000") + kind for kind in ETHER_TYPES),
}
"""Link headers of IPv4 and IPv6, by link type."""

GRE = 47
OUTER = bytes.fromhex("4500 0000 0000 0000 ff2f 0000 c6120001 c6120002 0000")
"""An IPv4 header between two test routers (198.18.0.0/15, RFC 2544) and the first half of GRE's (RFC 2784 §2.1)."""


def link_type(frames: Frames, number: int) -> Frames:
    """Put IP packets behind the link header of another link type; frames without IP are left out.

    Args:
        frames: Frames of Ethernet without tags, or raw IP.
        number: One of `LINKS`.

    Raises:
        ParameterError: The link type is another, or frames are: tags may tell packets apart.
    """
    if number not in LINKS:
        raise ParameterError("number", number, f"one of {', '.join(map(str, LINKS))}")
    kept = frames.take(frames.packets.version > 0)
    packets, size = kept.packets, link_header(kept)
    six = first_version(kept, size) == 6
    headers = np.stack([np.frombuffer(header, np.uint8) for header in HEADERS[number]])
    changed = kept.spliced(np.zeros(len(packets), np.int64), size, headers[six.astype(np.int64)])
    faces = tuple(attrs.evolve(face, link_type=number, snaplen=0) for face in frames.interfaces)
    return attrs.evolve(changed, interfaces=faces)


def tunnel(frames: Frames) -> Frames:
    """Send IP packets through a tunnel: behind an IPv4 and a GRE header (RFC 2784); other frames stay.

    Args:
        frames: Frames of Ethernet without tags, or raw IP.

    Raises:
        ParameterError: Frames are of another link type, or their packets too long.
    """
    inside = frames.packets.version > 0
    kept, others = frames.take(inside), frames.take(~inside)
    size = link_header(kept)
    headers = np.tile(np.frombuffer(OUTER + bytes(2), np.uint8), (len(kept), 1))
    kinds = np.frombuffer(b"".join(ETHER_TYPES), np.uint8).reshape(2, 2)[(first_version(kept, size) == 6).astype(int)]
    length = kept.packets.length - size + len(OUTER) + 2
    if int(length.max(initial=0)) > 0xFFFF:
        raise ParameterError(
            "frames", f"a packet of {int(length.max())} bytes", "at most 65,535 with the tunnel's headers"
        )
    headers[:, 22:24] = kinds
    changed = kept.spliced(size, np.zeros(len(kept), np.int64), headers)
    at, end = changed.packets.at + size, changed.packets.at + changed.captured
    sums = (header_sum(np.full(len(kept), 4, np.uint8), at),)
    ethernet = changed.packets.at[changed.link_types == ETHERNET]
    put(changed.buffer, ethernet + 12, np.full(len(ethernet), 0x0800))
    replace_word(changed.buffer, at + 10, np.full(len(kept), checksum_of(OUTER[:20])), end, ())
    replace_word(changed.buffer, at + 2, length, end, sums)
    both = changed.beside(others)
    return both.take(np.argsort(both.packets.frame, kind="stable"))


def trail(frames: Frames, size: int = 4) -> Frames:
    """Put zeros behind each Ethernet frame, as padding and frame check sequences stand there.

    Args:
        frames: Ethernet frames; those that were cut off are longer on the wire, and hold no more.
        size: How many bytes.

    Raises:
        ParameterError: Frames are of another link type.
    """
    if (frames.link_types != ETHERNET).any():
        raise ParameterError("frames", "frames of another link type", "Ethernet frames")
    zeros = np.zeros((len(frames), size), np.uint8)
    uncut = np.where(frames.captured >= frames.packets.length, frames.captured, frames.captured + 1)  # behind the cut
    changed = frames.spliced(uncut, np.zeros(len(frames), np.int64), zeros)
    same = {name: getattr(frames.packets, name) for name in OFFSETS}
    return attrs.evolve(changed, packets=attrs.evolve(changed.packets, **same))


def link_header(frames: Frames) -> I64:
    """Measure what stands before the outermost IP packet of frames that have one.

    Raises:
        ParameterError: That is more, or something else, than an Ethernet header.
    """
    kinds, packets = frames.link_types, frames.packets
    tagged = (packets.status & np.uint16(Status.TAGGED)) != 0
    plain = one_of(kinds, (ETHERNET, *RAWS)) & ~tagged
    if plain.all():
        size = np.where(kinds == ETHERNET, 14, 0)
        first = first_version(frames, size)
        plain = one_of(first, (4, 6)) & (packets.ip_at >= size)
        plain &= (kinds != ETHERNET) | typed(frames)
    if not plain.all():
        row = int(np.flatnonzero(~plain)[0])
        wanted = "frames of Ethernet without tags, or raw IP"
        raise ParameterError("frames", f"frame {int(packets.frame[row])} of link type {int(kinds[row])}", wanted)
    return size


def typed(frames: Frames) -> Mask:
    """Say which Ethernet frames name IP as what follows at once."""
    at = np.minimum(frames.packets.at, len(frames.buffer) - 14)
    kind = frames.buffer[at + 12].astype(np.int64) << 8 | frames.buffer[at + 13]
    return one_of(kind, (0x0800, 0x86DD))


def first_version(frames: Frames, size: I64) -> U8:
    """Read the IP version in the first byte behind the link header."""
    at = np.minimum(frames.packets.at + size, len(frames.buffer) - 1)
    version: U8 = frames.buffer[at] >> np.uint8(4)
    return version


def checksum_of(header: bytes) -> int:
    """Sum a header (RFC 1071)."""
    total = int(np.frombuffer(header, ">u2").astype(np.int64).sum())
    total = (total & 0xFFFF) + (total >> 16)
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
