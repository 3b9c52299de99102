"""Observations in pieces: what takes much memory for all of them takes little for some."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from netinterf.arrays import I64
from netinterf.numbering import combined, ordered
from netinterf.observations.table import Observations

__all__ = ["pieces"]

TOGETHER = 1 << 19
"""Observations that are looked at together: what one piece takes is then memory that the last one had."""


def pieces(observations: Observations) -> Iterator[I64 | slice]:
    """List the rows of some transports in some places at a time, rising within each of them, none of which is split.

    Each unit has one transport, so all rows of it in one place are in one piece. Rows that are all there are come as a
    slice, of which nothing is copied.
    """
    number = combined(observations.place, observations.transport)
    order, ends = ordered(number), np.cumsum(np.bincount(number))
    del number
    last = np.flatnonzero(np.diff(ends // TOGETHER, append=-1))
    for begin, end in pairwise([0, *ends[last].tolist()]):
        if end - begin == len(order) > 0:
            yield slice(None)
        elif end > begin:
            yield order[begin:end]
