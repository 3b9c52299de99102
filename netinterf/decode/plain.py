"""Plain frames, decoded one by one in C: nearly all of nearly all captures.

A frame is plain when all its headers are there and right, and are IPv4 or IPv6 with TCP or UDP, in Ethernet or bare.
Nothing is decided here: of a plain frame ``decode.c`` writes what the decoders of this package write, and all others
are left to these.
"""

from typing import Self

import attrs
import numpy as np

from netinterf.arrays import I64, U8, U32
from netinterf.compiled import call, is_there
from netinterf.decode.block import Columns
from netinterf.values import frozen

__all__ = ["Frames", "plain"]


@frozen(eq=False)
class Frames:
    """Frames to decode, n of them."""

    data: U8  # what they lie in
    at: I64  # where each begins
    captured: I64  # bytes of each that there are, all of them inside the data
    length: U32  # bytes on the wire
    kinds: U8  # `Kind` of the first header of each

    def take(self, rows: I64) -> Self:
        """Select frames by number."""
        return type(self)(self.data, self.at[rows], self.captured[rows], self.length[rows], self.kinds[rows])


def plain(frames: Frames, out: Columns) -> I64:
    """Decode the plain frames.

    Args:
        frames: The frames.
        out: As many rows, as allocated; those of plain frames are written.

    Returns:
        Which frames are left, ascending: all, where nothing is compiled.
    """
    count = len(frames.at)
    if not is_there():
        return np.arange(count)
    left, found = np.empty(count, np.int64), np.zeros(1, np.int64)
    columns = tuple(getattr(out, field.name) for field in attrs.fields(Columns))
    places = map(np.ascontiguousarray, (frames.at, frames.captured, frames.length, frames.kinds))
    call("decode", count, frames.data, *places, columns, left, found)
    return left[: int(found[0])]
