"""Copying many spans of bytes at once."""

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, U8

__all__ = ["gather"]

LARGEST_PIECE = 1024  # bytes copied at a time; larger ones gain nothing over plain memory speed


def gather(buffer: U8, starts: I64, lengths: I64) -> U8:
    """Copy many spans of bytes, one after the other, into one new array.

    A span is copied in two pieces of the largest power of two that fits, one at its begin and one at its end, which
    overlap in the middle; what is longer is cut into pieces of `LARGEST_PIECE` first. So all spans are copied in a few
    rounds, each moving pieces of one size between overlapping views of both arrays. That is several times faster than
    an index per byte or a slice per span.

    Args:
        buffer: Where the bytes are.
        starts: First byte of each span.
        lengths: Length of each span; all spans lie inside the buffer.
    """
    left, source = lengths.astype(np.int64), starts.astype(np.int64)
    out = np.empty(int(left.sum()), np.uint8)
    target = np.cumsum(left) - left
    size = LARGEST_PIECE
    while len(rows := np.flatnonzero(left >= 2 * size)):
        pieces(out, size)[target[rows]] = pieces(buffer, size)[source[rows]]
        left[rows] -= size
        source[rows] += size
        target[rows] += size
    most = int(left.max(initial=0))
    while size:
        rows = np.flatnonzero((left >= size) & (left < 2 * size)) if most >= size else np.empty(0, np.int64)
        if len(rows):
            there, here, rest = source[rows], target[rows], left[rows] - size
            pieces(out, size)[here] = pieces(buffer, size)[there]
            more = np.flatnonzero(rest)
            pieces(out, size)[(here + rest)[more]] = pieces(buffer, size)[(there + rest)[more]]
        size >>= 1
    return out


def pieces(data: U8, size: int) -> NDArray[np.void]:
    """View bytes as overlapping pieces of *size* bytes, one beginning at each byte; *data* holds at least one."""
    return np.ndarray((len(data) - size + 1,), f"V{size}", data, 0, (1,))
