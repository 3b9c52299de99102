"""TCP options as endpoints here send and read them, and the ranges that SACK blocks report."""

from collections.abc import Iterable
from struct import Struct, pack, unpack, unpack_from

import attrs

from netinterf.values import frozen

__all__ = [
    "CLOCK",
    "Offered",
    "merged",
    "read_blocks",
    "read_clock",
    "read_options",
    "sack_option",
    "syn_options",
    "timestamp_option",
]

CLOCK = Struct("!III").pack
"""Packs two fillers with kind and length of the timestamps option (0x0101080a), TSval and TSecr."""

ORDINARY = b"\x01\x01\x08\x0a"
"""How the options of ordinary segments begin: two fillers and timestamps (RFC 7323 appendix A)."""


@frozen
class Offered:
    """What the options of a segment say."""

    mss: int = 536
    scale: int = -1
    sack: bool = False
    echo: int | None = None
    blocks: tuple[tuple[int, int], ...] = ()


def read_options(options: bytes) -> Offered:
    """Read well-formed TCP options."""
    offered = Offered()
    at = 0
    while at < len(options):
        kind = options[at]
        if kind == 0:
            break
        size = 1 if kind <= 1 else options[at + 1]
        body = options[at + 2 : at + size]
        if kind == 2:
            offered = attrs.evolve(offered, mss=int.from_bytes(body, "big"))
        elif kind == 3:
            offered = attrs.evolve(offered, scale=body[0])
        elif kind == 4:
            offered = attrs.evolve(offered, sack=True)
        elif kind == 8:
            offered = attrs.evolve(offered, echo=int.from_bytes(body[:4], "big"))
        elif kind == 5:
            edges = unpack(f"!{len(body) // 4}I", body)
            offered = attrs.evolve(offered, blocks=tuple(zip(edges[::2], edges[1::2], strict=True)))
        at += size
    return offered


def sack_option(isn: int, blocks: list[tuple[int, int]]) -> bytes:
    """Report up to three ranges, the newest first (RFC 2018 §4).

    Args:
        isn: Initial sequence number of the stream.
        blocks: Ranges as stream offsets.
    """
    edges = [(isn + edge) & 0xFFFFFFFF for block in blocks for edge in block]
    return pack(f"!BBBB{len(edges)}I", 1, 1, 5, 2 + 4 * len(edges), *edges)


def read_clock(options: bytes, otherwise: int) -> int:
    """Read TSval of an ordinary segment, or give *otherwise*."""
    if options[:4] == ORDINARY:
        return int.from_bytes(options[4:8], "big")
    value = read_options(options).echo
    return otherwise if value is None else value


def read_blocks(options: bytes, isn: int) -> tuple[tuple[int, int], ...]:
    """Read the ranges that SACK blocks report, as offsets of the stream that begins with *isn*."""
    if not options or options[:4] == ORDINARY:
        if len(options) <= 16:
            return ()
        edges = unpack_from(f"!{(len(options) - 16) // 4}I", options, 16)  # SACK behind timestamps, as written here
        blocks: Iterable[tuple[int, int]] = zip(edges[::2], edges[1::2], strict=True)
    else:
        blocks = read_options(options).blocks
    return tuple(((left - isn) & 0xFFFFFFFF, (right - isn) & 0xFFFFFFFF) for left, right in blocks)


def merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join touching ranges; the one that took the last range in goes to the end."""
    newest = ranges[-1]
    out: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if out and low <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], high))
        else:
            out.append((low, high))
    out.sort(key=lambda part: part[0] <= newest[0] < part[1])
    return out


def syn_options(
    mss: int, scale: int, value: int, echo: int, *, timestamps: bool = True, sack: bool = True, order: str = "linux"
) -> bytes:
    """Build the options of a SYN in the order of one family of stacks (RFC 9293 §3.7.1, RFC 7323, RFC 2018).

    Args:
        mss: Largest segment in bytes.
        scale: Window shift; negative leaves window scaling out.
        value: TSval.
        echo: TSecr.
        timestamps: Offer timestamps.
        sack: Offer selective acknowledgements.
        order: linux, windows or bsd (macOS and iOS too), as p0f's signatures list them (p0f.fp of p0f 3).
    """
    size = pack("!BBH", 2, 4, mss)
    permitted = b"\x04\x02" if sack else b""
    clock = pack("!BBII", 8, 10, value & 0xFFFFFFFF, echo & 0xFFFFFFFF) if timestamps else b""
    shift = pack("!BBBB", 1, 3, 3, scale) if scale >= 0 else b""
    if order == "windows":
        if clock:
            return size + shift + (permitted or b"\x01\x01") + clock
        return size + shift + (b"\x01\x01" + permitted if sack else b"")
    if order == "bsd":
        options = size + shift + (b"\x01\x01" + clock if clock else b"") + permitted
        return options + bytes(-len(options) % 4)
    if clock or sack:
        return size + (permitted or b"\x01\x01") + (clock or b"\x01\x01") + shift
    return size + shift


def timestamp_option(value: int, echo: int) -> bytes:
    """Build the options of an ordinary segment: two fillers and timestamps (RFC 7323 appendix A)."""
    return CLOCK(0x0101080A, value & 0xFFFFFFFF, echo & 0xFFFFFFFF)
