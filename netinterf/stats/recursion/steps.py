"""What a bucket that is followed along a series meets, packet by packet."""

import attrs
import numpy as np

from netinterf.arrays import F64, I64, Mask

__all__ = ["Steps"]


@attrs.frozen(eq=False)
class Steps:
    """Packets of several series, end to end: n packets, s series."""

    gap: F64  # seconds since the packet before; 0 for the first of a series; n
    size: F64  # bytes on the wire, n
    lost: Mask  # n
    first: I64  # where each series begins, and after the last where all end; s + 1
    edge: F64  # bytes of which less is not enough for another packet, s
    slack: F64  # bytes: a loss that would leave so much had another cause, s
    after: F64 = attrs.field(init=False)  # bytes that are there at most after a loss: less than it needed, n

    @after.default
    def _less_than_needed(self) -> F64:
        after: F64 = np.nextafter(self.size, 0.0)
        return after
