"""Observations some places at a time: what takes much memory for all of them takes little for some."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I64
from netinterf.numbering import ordered

__all__ = ["by_place"]

TOGETHER = 1 << 19
"""Observations whose places are looked at together: what one of them takes is then memory that the last one had."""


def by_place(place: NDArray[np.integer[Any]]) -> Iterator[I64 | slice]:
    """List the rows of some places at a time, rising within each; no place is split.

    Rows that are all there are come as a slice, of which nothing is copied.

    Args:
        place: Number of the place of each row.
    """
    order, ends = ordered(place), np.cumsum(np.bincount(place))
    last = np.flatnonzero(np.diff(ends // TOGETHER, append=-1))
    for begin, end in pairwise([0, *ends[last].tolist()]):
        if end - begin == len(place) > 0:
            yield slice(None)
        elif end > begin:
            yield order[begin:end]
