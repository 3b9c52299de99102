"""The recursions as compiled from `recursion.c` when the package was built (see ``hatch_build.py``)."""

import os
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from netinterf.arrays import F64, I64, Mask
from netinterf.stats.recursion.arrays import Steps

__all__ = ["bursts", "count_under", "fade", "follow", "library"]

SOURCE = Path(__file__).with_name("recursion.c")

STRETCHES = 32
"""Stretches between two logarithms that fading links follow in one call (2 MB)."""


@cache
def library() -> Any:
    """Load what was compiled: a `ctypes.CDLL`, or None.

    None says that there is none, or none for this system, or one of another state of the source, or that it is not
    wanted: ``NETINTERF_PURE`` is set.
    """
    if os.environ.get("NETINTERF_PURE"):
        return None
    try:
        from ctypes import CDLL, c_int64, c_uint32

        found = CDLL(str(SOURCE.with_suffix(".so")))
        if c_uint32.in_dll(found, "recursion_source").value != zlib.crc32(SOURCE.read_bytes()):
            return None
    except (ImportError, OSError, ValueError):
        return None
    numbers, indices, marks = (
        np.ctypeslib.ndpointer(kind, flags="C_CONTIGUOUS") for kind in (np.float64, np.int64, np.bool_)
    )
    packets = [indices, numbers, numbers, numbers, marks, numbers]
    found.follow.argtypes = [c_int64, *packets, numbers, numbers, numbers]
    found.count_under.argtypes = [c_int64, indices, numbers, numbers, *packets, numbers, indices]
    found.bursts.argtypes = [*[c_int64] * 2, *[numbers] * 5]
    found.fade.argtypes = [*[c_int64] * 4, numbers, numbers, marks, numbers, numbers, numbers]
    for function in (found.follow, found.count_under, found.bursts, found.fade):
        function.restype = None
    return found


def follow(steps: Steps, rate: F64, depth: F64) -> F64:
    """See `netinterf.stats.recursion.follow`."""
    left = np.empty(len(steps.gap))
    library().follow(len(rate), *_packets(steps), *_numbers(rate, depth), left)
    return left


def count_under(steps: Steps, owner: I64, rate: F64, depth: F64) -> I64:
    """See `netinterf.stats.recursion.count_under`."""
    under = np.empty((2, 2, len(owner)), np.int64)
    owners = np.ascontiguousarray(owner, np.int64)
    library().count_under(len(owner), owners, *_numbers(rate, depth), *_packets(steps), steps.edge, under)
    return under


def bursts(rate: F64, since: F64, total: F64, before: F64) -> F64:
    """See `netinterf.stats.recursion.bursts`."""
    height = np.empty(len(rate))
    library().bursts(len(rate), len(since), *_numbers(rate, since, total, before), height)
    return height


def fade(stay: Sequence[F64], lost: Sequence[Mask], share: F64, likelier: F64, total: F64, every: int) -> None:
    """See `netinterf.stats.recursion.fade`."""
    _, links, cells = total.shape
    stretch = STRETCHES * every
    for one, (stays, missing) in enumerate(zip(stay, lost, strict=True)):
        here = np.tile(np.repeat(share, stays.shape[1]), (links, 1))
        for start in range(0, len(stays), stretch):
            part, gone = (
                stays[start : start + stretch, None],
                np.ascontiguousarray(missing[start : start + stretch], np.bool_),
            )
            turn = np.ascontiguousarray(share[:, None] * (1.0 - part))
            unchanged = np.ascontiguousarray(np.broadcast_to(part, turn.shape))
            seen = np.empty((-(-len(part) // every), links, cells))
            library().fade(len(part), every, links, cells, unchanged, turn, gone, likelier, here, seen)
            for logarithms in np.log(seen):
                total[one] += logarithms


def _numbers(*columns: F64) -> tuple[F64, ...]:
    """Lay out columns of numbers, of whatever kind, as C has them."""
    return tuple(np.ascontiguousarray(column, np.float64) for column in columns)


def _packets(steps: Steps) -> tuple[Any, ...]:
    return steps.first, steps.gap, steps.size, steps.after, steps.lost, steps.slack
