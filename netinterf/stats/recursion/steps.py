"""What a bucket that is followed along a series meets, packet by packet."""

from functools import partial
from typing import Any

import attrs
import numpy as np

from netinterf.arrays import F64, I64, Mask

__all__ = ["Steps"]


def laid_out(kind: Any) -> Any:
    """Declare a column that is laid out as C has it, whatever kind of numbers it is given."""
    return attrs.field(converter=partial(np.ascontiguousarray, dtype=kind))


@attrs.frozen(eq=False)
class Steps:
    """Packets of several series, end to end: n packets, s series."""

    gap: F64 = laid_out(np.float64)  # seconds since the packet before; 0 for the first of a series; n
    size: F64 = laid_out(np.float64)  # bytes on the wire, n
    lost: Mask = laid_out(np.bool_)  # n
    first: I64 = laid_out(np.int64)  # where each series begins, and after the last where all end; s + 1
    edge: F64 = laid_out(np.float64)  # bytes of which less is not enough for another packet, s
    slack: F64 = laid_out(np.float64)  # bytes: a loss that would leave so much had another cause, s
    after: F64 = attrs.field(init=False)  # bytes that are there at most after a loss: less than it needed, n

    @after.default
    def _less_than_needed(self) -> F64:
        after: F64 = np.nextafter(self.size, 0.0)
        return after
