"""Read what pcapng says about interfaces and what they dropped, and turn their time stamps into nanoseconds.

Section numbers refer to draft-ietf-opsawg-pcapng.
"""

from collections.abc import Iterator
from struct import unpack_from

import numpy as np

from netinterf.arrays import I64, U64
from netinterf.capture.formats import Interface
from netinterf.capture.signs import INTERFACE
from netinterf.values import frozen

__all__ = ["Clock", "Statistics", "nanoseconds", "read_interface", "read_statistics", "salvage_interface"]

IF_NAME, IF_TSRESOL, IF_TSOFFSET = 2, 9, 14  # §4.2, table of interface description options
ISB_IFDROP, ISB_OSDROP, ISB_USRDELIV = 5, 7, 8  # §4.6, table of interface statistics options
UNKNOWN = (1 << 64) - 1  # a counter that the recorder does not know (Wireshark, wiretap/pcapng.c)
MAX_OPTIONS = 64  # options read of one block; real blocks have a dozen, a hostile one millions
MICROSECONDS = 6  # if_tsresol when the option is absent (§4.2)
LAST_SECOND = 9_223_372_035  # s; the last whole one but one that fits into signed 64-bit nanoseconds


@frozen
class Clock:
    """How an interface counts time: the if_tsresol byte, and seconds to add (if_tsoffset)."""

    resolution: int
    offset: int

    @property
    def ticks_per_second(self) -> int:
        """Resolution as a frequency (§4.2: a set top bit means a power of two, else of ten)."""
        power = self.resolution & 0x7F
        return 1 << power if self.resolution & 0x80 else 10**power


def read_interface(block: bytes, order: str) -> tuple[Interface, Clock]:
    """Read an interface description block (§4.2); what its options say up to one that runs past it counts.

    Args:
        block: The whole block, at least 20 bytes.
        order: Byte order of its section, ``"<"`` or ``">"``.
    """
    link_type, _, snaplen = unpack_from(order + "HHI", block, 8)
    name, resolution, offset = "", MICROSECONDS, 0
    for _, code, value in options(block, 16, order):
        if code == IF_NAME:
            name = value.rstrip(b"\0").decode("utf-8", "backslashreplace")
        elif code == IF_TSRESOL and len(value) == 1:
            resolution = value[0]
        elif code == IF_TSOFFSET and len(value) == 8:
            (offset,) = unpack_from(order + "q", value)
    clock = Clock(resolution, offset)
    return Interface(link_type, snaplen, clock.ticks_per_second, name), clock


def salvage_interface(block: bytes, order: str, *, first: bool) -> tuple[Interface, Clock] | None:
    """Read an interface description block of which a length or the type is damaged; None where more than that is.

    Args:
        block: All bytes between the block before and the block behind.
        order: Byte order of its section.
        first: The section has described none, so that it cannot be a packet: type and length may both be damaged.
    """
    size = len(block)
    if size < 20 or size % 4:
        return None
    kind, total, _, reserved = unpack_from(order + "IIHH", block)
    (closing,) = unpack_from(order + "I", block, size - 4)
    end = 16
    for after, _, _ in options(block, 16, order):
        end = after
    ended = end == size - 4 or block[end : size - 4] == bytes(4)  # opt_endofopt (§3.5)
    framed = (kind == INTERFACE) + (total == size) + (closing == size) >= (1 if first else 2)
    return read_interface(block, order) if framed and ended and reserved == 0 else None


@frozen
class Statistics:
    """What an interface counted since the recording began (§4.6); None where it does not say."""

    dropped: int | None  # by the interface, for want of resources
    crowded_out: int | None  # by the operating system
    delivered: int | None  # to the recorder

    @property
    def tells(self) -> bool:
        """Whether it says what was lost, be it nothing."""
        return self.dropped is not None or self.crowded_out is not None

    @property
    def lost(self) -> int:
        """Packets that came and were not recorded."""
        return (self.dropped or 0) + (self.crowded_out or 0)


def read_statistics(block: bytes, order: str) -> Statistics:
    """Read an interface statistics block (§4.6), at least 24 bytes."""
    counts: dict[int, int] = {}
    for _, code, value in options(block, 20, order):
        if len(value) == 8:
            (count,) = unpack_from(order + "Q", value)
            if count != UNKNOWN:
                counts[code] = count
    return Statistics(counts.get(ISB_IFDROP), counts.get(ISB_OSDROP), counts.get(ISB_USRDELIV))


def options(block: bytes, at: int, order: str) -> Iterator[tuple[int, int, bytes]]:
    """List the options of a block (§3.5): where the next begins, code, value; one that runs past the block ends them.

    Args:
        block: The whole block.
        at: Where its options begin.
        order: Byte order of its section.
    """
    end = len(block) - 4
    for _ in range(MAX_OPTIONS):
        if at + 4 > end:
            break
        code, length = unpack_from(order + "HH", block, at)
        value = block[at + 4 : at + 4 + length]
        if code == 0 or at + 4 + length > end:
            break
        at += 4 + (length + 3) // 4 * 4
        yield at, code, value


def nanoseconds(ticks: U64, resolution: int, offset: I64) -> I64:
    """Turn time stamps into nanoseconds since 1970, rounding down; what does not fit is clipped.

    Args:
        ticks: Time stamps in units of the resolution.
        resolution: The if_tsresol byte.
        offset: Seconds to add, one per time stamp.
    """
    power, billion = resolution & 0x7F, 1_000_000_000
    if resolution & 0x80:
        second, rest = _split_binary(ticks, power)
    else:
        if power > 9:
            divisor = 10 ** (power - 9)
            ticks = ticks // np.uint64(divisor) if divisor < 1 << 64 else np.zeros_like(ticks)
        unit = 10 ** min(power, 9)
        second = ticks // np.uint64(unit)
        rest = (ticks - second * np.uint64(unit)) * np.uint64(billion // unit)
    whole = np.minimum(second, np.uint64(LAST_SECOND)).astype(np.int64)
    whole = np.clip(whole + np.clip(offset, -2 * LAST_SECOND, 2 * LAST_SECOND), -LAST_SECOND, LAST_SECOND)
    result: I64 = whole * billion + rest.astype(np.int64)
    return result


def _split_binary(ticks: U64, power: int) -> tuple[U64, U64]:
    """Split counts of 2**-power seconds into seconds and nanoseconds, exactly and within 64 bits.

    The fraction f of a second is f * 10**9 >> power nanoseconds. For large powers f is cut into an upper and a lower
    half of 32 bits: each product fits into 64 bits, and rounding down twice is rounding down once.
    """
    billion = np.uint64(1_000_000_000)
    if power > 63:
        second, rest = np.zeros_like(ticks), ticks
    else:
        second = ticks >> np.uint64(power)
        rest = ticks & np.uint64((1 << power) - 1)
    if power <= 32:
        return second, (rest * billion) >> np.uint64(power)
    upper, lower = rest >> np.uint64(32), rest & np.uint64(0xFFFFFFFF)
    return second, (upper * billion + ((lower * billion) >> np.uint64(32))) >> np.uint64(min(power - 32, 63))
