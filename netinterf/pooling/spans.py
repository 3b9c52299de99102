"""From when to when a cause was at work in a cell: one span of its episodes, all of them, or from or until some time.

What is blocked stays so for long, and dead names stay dead; so a cause explains one run of episodes and leaves those
before and behind to chance. Where the span begins and ends is integrated over, and its posterior says when it began.

Source of the form: Barry and Hartigan, "Product partition models for change point problems", Annals of Statistics 1992,
with two changes at most; Carlin, Gelfand and Smith, Applied Statistics 1992 (posterior of the time of a change).
"""

import numpy as np

from netinterf.arrays import F64
from netinterf.pooling.episodes import Episodes
from netinterf.values import frozen

__all__ = ["Spans", "span_evidence"]

THROUGHOUT, BEGAN, ENDED, PASSED = 0.5, 0.25, 0.125, 0.125
"""How often a cause that was ever at work was so throughout, began meanwhile, ended meanwhile, or did both: judgement,
since campaigns are short beside blocks and most that change is new."""

LEVEL = 0.95
"""Mass of the intervals."""

PLACES = (
    "throughout",  # probability that it was at work from the first episode to the last
    "began",  # that it began after the first
    "ended",  # that it ended before the last
    "first",  # likeliest first episode at work, given that it began meanwhile; places count from 0
    "first_low",  # its 95 % interval
    "first_high",
    "last",  # likeliest last episode at work, given that it ended meanwhile
    "last_low",
    "last_high",
)
"""What is told of the span of each cell."""

LARGEST = 1 << 21
"""Entries of one matrix of cells by episodes (memory)."""


@frozen(eq=False)
class Spans:
    """When a cause was at work, one row per cell."""

    columns: F64  # shape (cells, PLACES)

    def __getattr__(self, name: str) -> F64:
        """Give a column of `PLACES`."""
        if name not in PLACES:
            raise AttributeError(name)
        return np.asarray(self.columns[:, PLACES.index(name)])


def span_evidence(episodes: Episodes, gain: F64) -> tuple[F64, Spans]:
    """Integrate over the span of a cause.

    Args:
        episodes: Cells in time.
        gain: Log-likelihood of each episode with the cause at work, less without.

    Returns:
        Log-likelihood ratio of each cell, the cause against nothing, and where its span lies.
    """
    count = len(episodes.begin) - 1
    lengths = np.diff(episodes.begin)
    evidence, places = np.zeros(count), np.zeros((count, len(PLACES)))
    order, at = np.argsort(lengths, kind="stable"), 0
    while at < count:  # once for each number of episodes
        width = int(lengths[order[at]])
        same = int(np.searchsorted(lengths[order], width, side="right"))
        cells = order[at : min(same, at + max(LARGEST // width, 1))]
        rows = episodes.begin[cells][:, None] + np.arange(width)
        evidence[cells], places[cells] = _of_width(gain[rows])
        at += len(cells)
    return evidence, Spans(places)


def _of_width(gain: F64) -> tuple[F64, F64]:
    """Integrate over spans of cells that have equally many episodes, shape (cells, episodes)."""
    cells, width = gain.shape
    total = np.cumsum(gain, axis=1)
    whole = total[:, -1]
    if width == 1:
        return whole, np.eye(1, len(PLACES)).repeat(cells, axis=0)
    before, behind = -total[:, :-1], total[:, :-1]  # spans that begin at 1 … width - 1, and that end behind these
    throughout, began, ended, passed = np.log([THROUGHOUT, BEGAN, ENDED, PASSED])
    if width == 2:  # no span has room on both sides
        throughout, began, ended = np.array([throughout, began, ended]) - np.log1p(-PASSED)
    inner_first, inner_last = _inner(before, behind)
    first = np.logaddexp(began - np.log(width - 1) + before + whole[:, None], passed + inner_first)
    only_ended = ended - np.log(width - 1) + behind
    last = np.logaddexp(only_ended, passed + inner_last)
    evidence = np.logaddexp(np.logaddexp(throughout + whole, _sum(first)), _sum(only_ended))
    shares = [np.exp(part - evidence) for part in (throughout + whole, _sum(first), _sum(last))]
    return evidence, np.stack([*shares, *(place + 1 for place in _interval(first)), *_interval(last)], axis=1)


def _inner(before: F64, behind: F64) -> tuple[F64, F64]:
    """Weigh spans with room on both sides: sums over their ends for each begin, and over their begins for each end."""
    cells, places = before.shape
    nothing = np.full((cells, 1), -np.inf)
    if places < 2:
        return np.full_like(before, -np.inf), np.full_like(behind, -np.inf)
    spans = np.log(places * (places - 1) / 2)
    later = np.logaddexp.accumulate(behind[:, ::-1], axis=1)[:, ::-1]  # ends at this place or later
    earlier = np.logaddexp.accumulate(before, axis=1)
    starts = before + np.concatenate([later[:, 1:], nothing], axis=1) - spans
    ends = behind + np.concatenate([nothing, earlier[:, :-1]], axis=1) - spans
    return starts, ends


def _sum(logs: F64) -> F64:
    """Add up along the last axis, in logarithms."""
    return np.asarray(np.logaddexp.reduce(logs, axis=1))


def _interval(logs: F64) -> tuple[F64, F64, F64]:
    """Find the likeliest place and the equal-tailed interval of a distribution over places, row by row."""
    reached = np.cumsum(np.exp(logs - _sum(logs)[:, None]), axis=1)
    tail, last = (1 - LEVEL) / 2, logs.shape[1] - 1
    low, high = ((reached < share).sum(axis=1).clip(max=last) for share in (tail, 1 - tail))
    return logs.argmax(axis=1).astype(np.float64), low.astype(np.float64), high.astype(np.float64)
