"""Copying many spans of bytes at once: of any lengths, or all of one width.

In C each is copied by itself. In numpy spans of one width are elements of an *overlapping view*, an array whose element
``i`` is the bytes from byte ``i`` on; it has no element that would not lie inside the bytes whole.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, U8
from netinterf.compiled import call, is_there

__all__ = ["gather", "gather_fields", "overlapping"]

LARGEST_PIECE = 1024  # bytes copied at a time; larger ones gain nothing over plain memory speed


def gather(buffer: U8, starts: I64, lengths: I64) -> U8:
    """Copy many spans of bytes, one after the other, into one new array.

    In numpy a span is copied in two pieces of the largest power of two that fits, one at its begin and one at its end,
    which overlap in the middle; what is longer is cut into pieces of `LARGEST_PIECE` first. So all spans are copied in
    a few rounds, each moving pieces of one size between overlapping views of both arrays. That is several times faster
    than an index per byte or a slice per span.

    Args:
        buffer: Where the bytes are.
        starts: First byte of each span.
        lengths: Length of each span; all that have bytes lie inside the buffer.

    Raises:
        IndexError: One does not.
    """
    out = np.empty(max(int(lengths.sum()), 0), np.uint8)
    if is_there():
        _copy("copy_spans", buffer, starts, np.ascontiguousarray(lengths, np.int64), out)
        return out
    left, source = lengths.astype(np.int64), starts.astype(np.int64)
    if len(wrong := np.flatnonzero((left < 0) | (source < 0) & (left > 0))):  # numpy would count from the end
        raise _outside(buffer, source, int(wrong[0]))
    target = np.cumsum(left) - left
    size = LARGEST_PIECE
    while len(rows := np.flatnonzero(left >= 2 * size)):
        overlapping(out, size)[target[rows]] = overlapping(buffer, size)[source[rows]]
        left[rows] -= size
        source[rows] += size
        target[rows] += size
    most = int(left.max(initial=0))
    while size:
        rows = np.flatnonzero((left >= size) & (left < 2 * size)) if most >= size else np.empty(0, np.int64)
        if len(rows):
            there, here, rest = source[rows], target[rows], left[rows] - size
            overlapping(out, size)[here] = overlapping(buffer, size)[there]
            more = np.flatnonzero(rest)
            overlapping(out, size)[(here + rest)[more]] = overlapping(buffer, size)[(there + rest)[more]]
        size >>= 1
    return out


def gather_fields(buffer: U8, starts: I64, width: int) -> NDArray[np.void]:
    """Copy *width* bytes from each of some places, one void of so many bytes for each.

    Raises:
        IndexError: One does not lie inside the buffer whole.
    """
    if is_there():
        out = np.empty(len(starts), f"V{width}")
        _copy("copy_fields", buffer, starts, width, out)
        return out
    if len(wrong := np.flatnonzero(starts < 0)):  # numpy would count from the end
        raise _outside(buffer, starts, int(wrong[0]))
    copied: NDArray[np.void] = overlapping(buffer, width)[starts]
    return copied


def overlapping(data: U8, width: int) -> NDArray[np.void]:
    """View bytes as overlapping pieces of *width* bytes, one beginning at each byte; none where there are fewer."""
    return np.ndarray((max(len(data) - width + 1, 0),), f"V{width}", data if len(data) >= width else b"", 0, (1,))


def _copy(name: str, buffer: U8, starts: I64, size: Any, out: NDArray[Any]) -> None:
    """Copy in C."""
    wrong = np.full(1, -1)
    places = np.ascontiguousarray(starts, np.int64)
    call(name, len(places), len(buffer), buffer, places, size, out.nbytes, out, wrong)
    if wrong[0] >= 0:
        raise _outside(buffer, places, int(wrong[0]))


def _outside(buffer: U8, starts: I64, number: int) -> IndexError:
    """Say which piece does not lie in the buffer."""
    return IndexError(f"piece {number} begins at byte {starts[number]} and does not lie in {len(buffer)} bytes")
