"""Bytes with a fence behind them: reading one too far ends the process, instead of giving what lies there by chance.

What is compiled holds every place against the length of what was captured; this is how a slip would show.
"""

import ctypes
import mmap
from functools import cache
from typing import Any

import numpy as np

from netinterf.arrays import U8

__all__ = ["fenced"]

ROOM = 1 << 20
"""Bytes in front of the fence: more than any input."""


@cache
def arena() -> Any:
    """Map pages of which the last may not be touched (POSIX mprotect)."""
    room = mmap.mmap(-1, ROOM + mmap.PAGESIZE)
    begin = ctypes.addressof(ctypes.c_char.from_buffer(room))
    library = ctypes.CDLL(None, use_errno=True)
    if library.mprotect(ctypes.c_void_p(begin + ROOM), ctypes.c_size_t(mmap.PAGESIZE), 0):  # PROT_NONE
        raise OSError(ctypes.get_errno(), "mprotect")
    return room


def fenced(data: bytes) -> U8:
    """Put bytes right before the fence; those of the call before are gone."""
    room, begin = arena(), ROOM - len(data)
    room[begin:ROOM] = data
    return np.frombuffer(room, np.uint8, len(data), begin)
