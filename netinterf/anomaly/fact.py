"""What is told of a conversation so that it can be compared with others: a fact takes one of a few values.

Facts are read for all conversations of a kind at once. A value of -1 says that the fact is unknown for that
conversation, or that its recording is blind for it: then it counts neither for nor against anybody.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.anomaly.view import View
from netinterf.arrays import I64, Mask
from netinterf.values import frozen

__all__ = ["UNKNOWN", "Fact", "binned", "steps", "tallies"]

Values = I64

UNKNOWN = -1


@frozen(kw_only=True)
class Fact:
    """One thing by which conversations of a kind are compared."""

    id: str  # "hops.server": public, never changes its meaning
    says: tuple[str, ...]  # what each value means, as "it …" goes on; their number is the number of values
    read: Callable[[View], Values]  # the value of every row, -1 where unknown
    blind: tuple[str, ...] = ()  # flags of Recording under which it says nothing


def binned(numbers: NDArray[Any], borders: Sequence[float], known: Mask | None = None) -> Values:
    """Say between which borders numbers lie: 0 below the first, and so on; -1 where not *known*."""
    values, place = np.asarray(numbers, np.float64), np.zeros(len(numbers), np.int8)
    for border in borders:  # a handful: quicker than searching for each number
        place += ~(values < border)
    if known is not None:
        place[~known] = UNKNOWN
    return place.astype(np.int64)


def steps(what: str, borders: Sequence[float]) -> tuple[str, ...]:
    """Put what lies between borders of a quantity into words: less than the first, between two, the last or more."""
    words = [f"{border:,.10g}" for border in borders]
    between = [f"{low} to {high}" for low, high in pairwise(words)]
    return tuple(what.format(span) for span in [f"less than {words[0]}", *between, f"{words[-1]} or more"])


def tallies(what: str, noun: str, borders: Sequence[int]) -> tuple[str, ...]:
    """Put what lies between borders of a count into words, from the first border on."""
    ends = [*(border - 1 for border in borders[1:]), None]
    spans = [
        f"{low:,} or more {noun}s" if high is None
        else f"{low:,} {noun}{'' if low == 1 else 's'}" if low == high
        else f"{low:,} to {high:,} {noun}s"
        for low, high in zip(borders, ends, strict=True)
    ]  # fmt: skip
    return tuple(what.format(span) for span in spans)
