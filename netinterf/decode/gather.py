"""Read many headers at once: the only place where memory is looked at other than through plain arrays.

Headers begin at arbitrary bytes, so they are fetched by indexing an *overlapping view*: an array whose element ``i``
is the ``width`` bytes from byte ``i`` on. One index operation then copies a header per packet into a dense array, which
is split into columns through a structured dtype. Two invariants make this safe:

- the view has ``len(buffer) - width + 1`` elements, so every element lies inside the buffer whole, and numpy refuses
  any other index;
- a header is read through the view only when all its bytes are *room*, that is inside the captured frame. What is cut
  is copied byte by byte, and bytes behind the cut read as zero.

The elements are raw bytes (``V{width}``): numpy copies those as they are, while it would walk the fields of a
structured dtype one by one.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, U8

__all__ = ["Buffer", "as_bytes", "gather", "gather_bytes"]

Buffer = U8 | bytes | bytearray | memoryview
"""What a capture's bytes may lie in; a memory map is an array."""


def as_bytes(buffer: Buffer) -> U8:
    """Look at *buffer* as a flat array of bytes, without copying."""
    array = buffer if isinstance(buffer, np.ndarray) else np.frombuffer(buffer, np.uint8)
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).view(np.ndarray)


def _overlapping(buffer: U8, width: int) -> NDArray[Any]:
    """View *buffer* as the ``width`` bytes from each of its bytes on; empty when it is shorter than that."""
    count = max(len(buffer) - width + 1, 0)
    return np.ndarray((count,), np.dtype((np.void, width)), buffer if count else b"", 0, (1,))


def gather(buffer: U8, starts: I64, room: I64, layout: np.dtype[Any]) -> NDArray[Any]:
    """Copy one header per row out of the buffer.

    Args:
        buffer: The capture.
        starts: Offset of each header in the buffer.
        room: Bytes that may be read from there on, at most up to the end of the buffer; may be short, zero or negative.
        layout: Dtype of the header, packed.

    Returns:
        Array of *layout*, one per row; bytes beyond *room* are zero. Empty in, empty out.
    """
    width = layout.itemsize
    if len(starts) == 0:
        return np.empty(0, layout)
    if int(room.min()) >= width:
        return _overlapping(buffer, width)[starts].view(layout)
    headers = np.zeros(len(starts), np.dtype((np.void, width)))
    whole = np.flatnonzero(room >= width)
    headers[whole] = _overlapping(buffer, width)[starts[whole]]
    short = np.flatnonzero((room > 0) & (room < width))
    place = np.arange(width)
    valid = place < room[short, None]
    index = np.where(valid, starts[short, None] + place, 0)
    headers[short] = np.where(valid, buffer[index], np.uint8(0)).astype(np.uint8).view(headers.dtype).reshape(-1)
    return headers.view(layout)


def gather_bytes(buffer: U8, starts: I64, room: I64, width: int) -> U8:
    """Copy *width* bytes per row; like :func:`gather`, as a matrix of one row per header."""
    return gather(buffer, starts, room, np.dtype((np.void, width))).view(np.uint8).reshape(len(starts), width)
