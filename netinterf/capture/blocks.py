"""Read what pcapng says about interfaces, and turn their time stamps into nanoseconds.

Section numbers refer to draft-ietf-opsawg-pcapng.
"""

from struct import unpack_from

import numpy as np

from netinterf.arrays import I64, U64
from netinterf.capture.formats import Interface
from netinterf.values import frozen

__all__ = ["Clock", "nanoseconds", "read_interface"]

IF_NAME, IF_TSRESOL, IF_TSOFFSET = 2, 9, 14  # §4.2, table of interface description options
MAX_OPTIONS = 256  # options read of one block; real blocks have a dozen, a hostile one millions
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
    """Read an interface description block (§4.2).

    Options that run past the block end the list; what was read until then counts.

    Args:
        block: The whole block, at least 20 bytes.
        order: Byte order of its section, ``"<"`` or ``">"``.
    """
    link_type, _, snaplen = unpack_from(order + "HHI", block, 8)
    name, resolution, offset = "", MICROSECONDS, 0
    at, end = 16, len(block) - 4
    for _ in range(MAX_OPTIONS):
        if at + 4 > end:
            break
        code, length = unpack_from(order + "HH", block, at)
        value = block[at + 4 : at + 4 + length]
        if code == 0 or at + 4 + length > end:
            break
        if code == IF_NAME:
            name = value.rstrip(b"\0").decode("utf-8", "backslashreplace")
        elif code == IF_TSRESOL and length == 1:
            resolution = value[0]
        elif code == IF_TSOFFSET and length == 8:
            (offset,) = unpack_from(order + "q", value)
        at += 4 + (length + 3) // 4 * 4
    clock = Clock(resolution, offset)
    return Interface(link_type, snaplen, clock.ticks_per_second, name), clock


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
