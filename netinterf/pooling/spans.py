"""From when to when a cause was at work in a cell: one span of its hours, all of them, or from or until some time.

What is blocked stays so for long, and dead names stay dead; so a cause explains one span and leaves the hours before
and behind it to chance. Where the span begins and ends is integrated over, and its posterior says when it began.

Source of the form: Barry and Hartigan, "Product partition models for change point problems", Annals of Statistics 1992,
with two changes at most; Carlin, Gelfand and Smith, Applied Statistics 1992 (posterior of the time of a change).
"""

from collections.abc import Sequence
from typing import Self

import numpy as np

from netinterf.arrays import F64, I64
from netinterf.values import frozen

__all__ = ["BLOCK_HOURS", "OUTAGE_HOURS", "Spans", "span_evidence"]

FROM_THE_FIRST = 0.6
"""How often what was ever at work was so from the first hour: judgement, since campaigns are short beside blocks."""

FOREVER = 0.5
"""Share of spans that do not end: names that are dead stay so, and so does most that is blocked (judgement)."""

OUTAGE_HOURS = 6.0
"""Mean time that a passing outage goes on (judgement)."""

BLOCK_HOURS = 90 * 24.0
"""The same of a block that is lifted, or of a refusal (judgement: from weeks of protests to lists that are revised)."""

LEVEL = 0.95
"""Mass of the intervals."""

LARGEST = 1 << 21
"""Entries of one matrix of cells by hours (memory)."""

COLUMNS = (
    "throughout",  # probability that it was at work from the first hour to the last
    "began",  # that it began after the first
    "ended",  # that it ended before the last
    "first",  # likeliest first hour at work, given that it began meanwhile; places among the cell's hours, from 0
    "first_low",  # its 95 % interval
    "first_high",
    "last",  # likeliest last hour at work, given that it ended meanwhile
    "last_low",
    "last_high",
)
"""What is told of the span of each cell."""


@frozen(eq=False)
class Spans:
    """When a cause was at work, one row per cell."""

    columns: F64  # shape (cells, COLUMNS)
    active: F64  # probability that it was at work, one entry per hour of each cell

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """Join spans of different cells."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("columns", "active")))

    def __getattr__(self, name: str) -> F64:
        """Give a column of `COLUMNS`."""
        if name not in COLUMNS:
            raise AttributeError(name)
        return np.asarray(self.columns[:, COLUMNS.index(name)])


def span_evidence(begin: I64, hour: F64, gain: F64, lasts: float) -> tuple[F64, Spans]:
    """Integrate over the span of a cause.

    Args:
        begin: Where the hours of each cell begin, and the end of the last; cells + 1.
        hour: When they are.
        gain: Log-likelihood of each with the cause at work, less without.
        lasts: Mean time that a cause which passes goes on, hours.

    Returns:
        Log-likelihood ratio of each cell, the cause against nothing, and where its span lies.
    """
    lengths, count = np.diff(begin), len(begin) - 1
    evidence, columns, active = np.zeros(count), np.zeros((count, len(COLUMNS))), np.zeros(len(gain))
    order, at = np.argsort(lengths, kind="stable"), 0
    while at < count:  # once for each number of hours
        width = int(lengths[order[at]])
        same = int(np.searchsorted(lengths[order], width, side="right"))
        cells = order[at : min(same, at + max(LARGEST // width, 1))]
        rows = begin[cells][:, None] + np.arange(width)
        evidence[cells], columns[cells], active[rows] = _of_width(gain[rows], hour[rows] / lasts)
        at += len(cells)
    return evidence, Spans(columns, active)


def _of_width(gain: F64, time: F64) -> tuple[F64, F64, F64]:
    """Integrate over spans of cells that have equally many hours.

    A span that begins at hour j and ends behind hour i weighs what it is likely beforehand, times what it explains;
    both are products of what hangs on j and what hangs on i, so that sums over all spans are running sums.

    Args:
        gain: Shape (cells, hours).
        time: When, in mean times that a passing cause goes on; same shape.
    """
    cells, width = gain.shape
    if width == 1:
        return gain[:, 0], np.eye(1, len(COLUMNS)).repeat(cells, axis=0), np.ones((cells, 1))
    total = np.cumsum(gain, axis=1)
    gap = np.diff(time, axis=1)
    share = np.log(1 - FROM_THE_FIRST) + np.log(gap / gap.sum(axis=1)[:, None])  # of beginning between two hours
    starts = np.concatenate([np.full((cells, 1), np.log(FROM_THE_FIRST)), share - total[:, :-1]], axis=1)
    passes, stays = np.log1p(-FOREVER), np.log(FOREVER)
    ends = passes - time[:, :-1] + np.log(-np.expm1(-gap)) + total[:, :-1]  # behind each hour but the last
    left = time - time[:, -1:]
    open_end = np.logaddexp(stays, passes + left) + total[:, -1:]  # for each begin: never, or not yet
    running = starts + time  # what a begin brings into a span that ends
    later = np.logaddexp.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    earlier = np.logaddexp.accumulate(running, axis=1)
    none = np.full((cells, 1), -np.inf)
    first = np.logaddexp(starts + open_end, running + np.concatenate([later, none], axis=1))
    last = ends + earlier[:, :-1]
    evidence = _sum(first)
    throughout = starts[:, 0] + open_end[:, 0]
    shares = [np.exp(part - evidence) for part in (throughout, _sum(first[:, 1:]), _sum(last))]
    began = (place + 1 for place in _interval(first[:, 1:]))
    started, ended = (np.cumsum(np.exp(part - evidence[:, None]), axis=1) for part in (first, last))
    active = np.clip(started - np.concatenate([np.zeros((cells, 1)), ended], axis=1), 0.0, 1.0)
    return evidence, np.stack([*shares, *began, *_interval(last)], axis=1), active


def _sum(logs: F64) -> F64:
    """Add up along the last axis, in logarithms."""
    return np.asarray(np.logaddexp.reduce(logs, axis=1))


def _interval(logs: F64) -> tuple[F64, F64, F64]:
    """Find the likeliest place and the equal-tailed interval of a distribution over places, row by row."""
    reached = np.cumsum(np.exp(logs - _sum(logs)[:, None]), axis=1)
    tail, last = (1 - LEVEL) / 2, logs.shape[1] - 1
    low, high = ((reached < share).sum(axis=1).clip(max=last) for share in (tail, 1 - tail))
    return logs.argmax(axis=1).astype(np.float64), low.astype(np.float64), high.astype(np.float64)
