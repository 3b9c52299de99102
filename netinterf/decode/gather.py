"""Read many headers at once.

Headers begin at arbitrary bytes. They are copied one per packet into a dense array (`pieces.gather_fields`, which
refuses what does not lie inside the buffer whole), which is split into columns through a structured dtype. A header is
copied whole only when all its bytes are *room*, that is inside the captured frame; what is cut is copied byte by byte,
and bytes behind the cut read as zero.

What is copied are raw bytes (``V{width}``): numpy moves those as they are, while it would walk the fields of a
structured dtype one by one.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64, U8
from netinterf.pieces import gather_fields

__all__ = ["Buffer", "as_bytes", "gather", "gather_bytes"]

Buffer = U8 | bytes | bytearray | memoryview
"""What a capture's bytes may lie in; a memory map is an array."""


def as_bytes(buffer: Buffer) -> U8:
    """Look at *buffer* as a flat array of bytes, without copying."""
    array = buffer if isinstance(buffer, np.ndarray) else np.frombuffer(buffer, np.uint8)
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).view(np.ndarray)


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
        return gather_fields(buffer, starts, width).view(layout)
    headers = np.zeros(len(starts), np.dtype((np.void, width)))
    whole = np.flatnonzero(room >= width)
    headers[whole] = gather_fields(buffer, starts[whole], width)
    short = np.flatnonzero((room > 0) & (room < width))
    place = np.arange(width)
    valid = place < room[short, None]
    index = np.where(valid, starts[short, None] + place, 0)
    headers[short] = np.where(valid, buffer[index], np.uint8(0)).astype(np.uint8).view(headers.dtype).reshape(-1)
    return headers.view(layout)


def gather_bytes(buffer: U8, starts: I64, room: I64, width: int) -> U8:
    """Copy *width* bytes per row; like :func:`gather`, as a matrix of one row per header."""
    return gather(buffer, starts, room, np.dtype((np.void, width))).view(np.uint8).reshape(len(starts), width)
