"""Packet blocks of pcapng files: their fields, their times, and how blocks follow each other.

Section numbers refer to draft-ietf-opsawg-pcapng.
"""

import numpy as np

from netinterf.arrays import I64, U8, U32, U64, Mask
from netinterf.capture.blocks import Clock, nanoseconds
from netinterf.capture.records import Chain, headers
from netinterf.capture.signs import ENHANCED, MARK, MAX_BLOCK, PACKET, SIMPLE

__all__ = ["MOST_OPTIONS", "chain_of", "overstated", "packet_fields", "times_of"]

MOST_OPTIONS = 1 << 16
"""Bytes of options that a packet is believed to have: as many as the length of one of them can say (§3.5)."""

Buffer = U8
Offsets = I64


def packet_fields(
    buffer: Buffer, starts: Offsets, kinds: U32, totals: Offsets, order: str
) -> tuple[dict[str, Offsets], U64, Mask]:
    """Read the fixed fields of packet blocks (§4.3, 4.4, appendix A), the time, and which are too short."""
    simple = kinds == SIMPLE
    short = totals < np.where(simple, 16, 32)
    data = buffer if len(buffer) >= 28 else np.pad(buffer, (0, 28))
    safe = np.minimum(starts, len(data) - 28)  # a short last block
    words = headers(data, safe, 28, order + "u4")
    moved = simple & (safe != starts)
    lengths = words[:, 6].astype(np.int64)
    lengths[simple] = words[simple, 2]
    if moved.any():
        lengths[moved] = headers(buffer, starts[moved] + 8, 4, order + "u4")[:, 0]
    interface = words[:, 2].astype(np.int64)
    old = kinds == PACKET
    interface[old] = interface[old] >> 16 if order == ">" else interface[old] & 0xFFFF
    interface[simple] = 0
    ticks = (words[:, 3].astype(np.uint64) << np.uint64(32)) | words[:, 4]
    fields = {
        "interface": interface,
        "captured": words[:, 5].astype(np.int64),
        "length": lengths,
        "at": starts + np.where(simple, 12, 28),
        "room": totals - np.where(simple, 16, 32),
    }
    return fields, ticks, short


def times_of(ticks: U64, interface: Offsets, untimed: Mask, clocks: list[Clock]) -> I64:
    """Turn time stamps into nanoseconds, one resolution after the other; *interface* points into *clocks*."""
    times = np.zeros(len(ticks), np.int64)
    if len(ticks) == 0:
        return times
    resolutions = np.array([clock.resolution for clock in clocks], np.uint8)
    offsets = np.array([clock.offset for clock in clocks], np.int64)
    if (resolutions == resolutions[0]).all():
        times = nanoseconds(ticks, int(resolutions[0]), offsets[interface])
    else:
        for resolution in np.unique(resolutions[interface]).tolist():
            rows = np.flatnonzero(resolutions[interface] == resolution)
            times[rows] = nanoseconds(ticks[rows], resolution, offsets[interface[rows]])
    times[untimed] = 0
    return times


def overstated(buffer: Buffer, starts: Offsets, order: str) -> Mask:
    """Say which blocks are packets, and longer than any packet of their size: more than options could be long."""
    kind, total, *_, captured = headers(buffer, starts, 24, order + "u4").astype(np.int64).T
    packet = (kind == ENHANCED) | (kind == PACKET)
    result: Mask = packet & (total > 32 + captured + 3 + MOST_OPTIONS)
    return result


def chain_of(order: str) -> Chain:
    """Describe the blocks of a section to the walker (§3.1)."""
    number = order + "u4"

    def plausible(data: Buffer, at: Offsets) -> Mask:
        kind, total = headers(data, at, 8, number).T
        right = (total >= 12) & (total <= MAX_BLOCK) & (total % 4 == 0)
        close = np.where(right, at + total - 4, 0)
        right &= close <= len(data) - 4
        closing = headers(data, np.minimum(close, len(data) - 4), 4, number)[:, 0]
        result: Mask = right & (closing == total) & (kind != 0)
        return result

    def candidates(data: Buffer, first: int, stride: int, rows: int, width: int) -> Offsets:
        """Look for the types of packet blocks; blocks begin at multiples of four bytes."""
        first, width = first // 4 * 4, width // 4 * 4
        windows = np.ndarray((rows, width // 4), number, data, first, (stride, 4))
        row, column = np.nonzero((windows == ENHANCED) | (windows == PACKET) | (windows == SIMPLE))
        starts = first + row * stride + column * 4
        starts = starts[starts <= len(data) - 12]
        return starts[plausible(data, starts)]

    return Chain(
        order=order,
        field=4,
        base=0,
        header=12,
        least=12,
        most=MAX_BLOCK,
        multiple=4,
        candidates=candidates,
        plausible=plausible,
        fence=b"\x0a\x0d\x0d\x0a",
        own=MARK[order],
    )
