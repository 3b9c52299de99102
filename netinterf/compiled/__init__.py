"""What is written in C: loops in which each step needs the one before, and those that look at every packet.

The build compiles these files into one library where it finds a compiler (``hatch_build.py``). Elsewhere, and wherever
the environment sets ``NETINTERF_PURE``, numpy does the same: whoever calls a function here stands beside its twin in
numpy, and hands over to it what the function leaves. Answers are equal to the last bit.
"""

import os
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["call", "is_there", "library", "sources"]

FOLDER = Path(__file__).parent

NAME = "kernels.so"  # of the same name on every system, as Python finds it by its path


def sources() -> list[Path]:
    """List what is compiled, headers as well."""
    return sorted(FOLDER.glob("*.[ch]"))


@cache
def library() -> Any:
    """Load what was compiled: a `ctypes.CDLL`, or None.

    None says that there is none, or none for this system, or one of another state of the sources, or that it is not
    wanted: ``NETINTERF_PURE`` is set.
    """
    if os.environ.get("NETINTERF_PURE"):
        return None
    try:
        from ctypes import CDLL, c_uint32

        found = CDLL(str(FOLDER / NAME))
        state = zlib.crc32(b"".join(path.read_bytes() for path in sources()))
        return found if c_uint32.in_dll(found, "source").value == state else None
    except (ImportError, OSError, ValueError):
        return None


def is_there() -> bool:
    """Say whether there is a library to call."""
    return library() is not None


def call(name: str, *arguments: Any) -> None:
    """Call a function with whole numbers, arrays, and tuples of arrays; it writes its answer into some of them.

    Args:
        name: Which one.
        arguments: Arrays are contiguous and of the numbers that C has there; of a tuple C gets their addresses.
    """
    from ctypes import c_int64, c_void_p

    _function(name)(
        *(
            c_void_p(_address(one))
            if isinstance(one, np.ndarray)
            else (c_void_p * len(one))(*map(_address, one))
            if isinstance(one, tuple)
            else c_int64(one)
            for one in arguments
        )
    )


@cache
def _function(name: str) -> Any:
    """Find a function, which returns nothing."""
    function = getattr(library(), name)
    function.restype = None
    return function


def _address(array: Any) -> int:
    """Say where an array begins.

    Raises:
        ValueError: It is not contiguous.
    """
    if not array.flags.c_contiguous:
        raise ValueError(f"an array of shape {array.shape} is not contiguous")
    return int(array.__array_interface__["data"][0])
