"""Searching grids of token buckets without trying all of them.

What is in a bucket never falls when its rate or its depth rises: what is granted rises, so does what it holds at most,
and setting the level right keeps the order. So of all buckets of a box, rates from r to r' and depths from d to d', the
least (r, d) shows the most packets that do not find their size, and the greatest (r', d') the fewest. A bucket explains
losses the better the more of what was lost did not find its size, and of what passed did. Hence none in the box
explains them better than losses graded as by the least bucket and passes graded as by the greatest would, and where
these two grade alike, all between grade so.

Boxes that cannot hold the best bucket are dropped, others halved both ways, until nothing is left: branch and bound
(Land and Doig, "An automatic method of solving discrete programming problems", Econometrica 1960). The best bucket, and
all that are as good, are found as if each were tried.
"""

from typing import Self

import attrs
import numpy as np

from netinterf.arrays import F64, I32, I64, Mask
from netinterf.stats.bucket.fit import PLATEAU, CandidateBuckets, graded, greatest_likelihood, is_made, try_buckets
from netinterf.stats.bucket.following import SeriesBatch
from netinterf.values import frozen

__all__ = ["Grids"]

FEW = 16_000
"""Buckets that are tried all at once: each further round of halving costs as much as following thousands more."""


@frozen(eq=False, kw_only=True)
class Grids:
    """Buckets of many rates and depths for each of some series, and what is known of them; both rise along the grid.

    Besides the depths given, each rate has one of its own, the least that lets all pass that passed: it is exact to a
    byte where nothing was miscounted, which a deep bucket needs and no grid offers.
    """

    series: SeriesBatch
    owner: I64  # the series of each grid, G
    rates: F64  # bytes a second, shape (G, R)
    depths: F64  # bytes, shape (G, R, D + 1): the least ones last, NaN until they are found
    counts: I32 = attrs.field(init=False)  # packets by class and bucket, shape (3, G·R·(D + 1))
    losses: I32 = attrs.field(init=False)
    gain: F64 = attrs.field(init=False)  # log-likelihood of the losses less its price; -inf where it is not tried
    known: Mask = attrs.field(init=False)

    @counts.default
    def _no_counts(self) -> I32:
        return np.zeros((3, self.depths.size), np.int32)

    @losses.default
    def _no_losses(self) -> I32:
        return np.zeros((3, self.depths.size), np.int32)

    @gain.default
    def _no_gain(self) -> F64:
        return np.full(self.depths.size, -np.inf)

    @known.default
    def _none_known(self) -> Mask:
        return np.zeros(self.depths.size, np.bool_)

    @classmethod
    def of(cls, series: SeriesBatch, owner: I64, rates: F64, depths: F64) -> Self:
        """Lay out grids of rates, shape (G, R), and depths, shape (G, D)."""
        every = np.full((*rates.shape, depths.shape[1] + 1), np.nan)
        every[..., :-1] = depths[:, None]
        return cls(series=series, owner=owner, rates=rates, depths=every)

    def search(self, every: I64, rows: I64, columns: I64, stride: tuple[int, int], best: F64) -> None:
        """Try what may be the best bucket of each series.

        Args:
            every: Which grids.
            rows: Which rates, rising.
            columns: Which depths, rising; the least ones are tried in any case.
            stride: Rates and depths of the first boxes.
            best: Log-likelihood, less its price, that is reached already, by series; raised to what is found.
        """
        least = self._least(every, rows)
        if len(every) * len(rows) * len(columns) <= FEW:
            nodes = self._nodes(every[:, None, None], rows[:, None], columns).reshape(-1)
            self._try(np.append(nodes, least), best)
            return
        boxes = _first_boxes(every, len(rows), len(columns), stride)
        while boxes.shape[1]:
            corners = self._corners(boxes, rows, columns)
            self._try(np.append(corners, least), best)
            _, low, high, left, right = boxes
            wide = (high - low > 1) | (right - left > 1)
            boxes, corners = boxes[:, wide], corners[:, wide]
            # twice the plateau: equals of the best are kept, and rounding cannot lose one
            kept = self._bound(boxes[0], corners) >= best[self.owner[boxes[0]]] - 2 * PLATEAU
            boxes, parent = _halved(boxes[:, kept])
            lowest, highest = corners[0, kept][parent], corners[3, kept][parent]
            same = np.all(self.counts[:, lowest] == self.counts[:, highest], axis=0)
            same &= np.all(self.losses[:, lowest] == self.losses[:, highest], axis=0)
            self._copy(self._corners(boxes[:, same], rows, columns), lowest[same])

    @property
    def candidates(self) -> CandidateBuckets:
        """What is known of the buckets that may explain losses."""
        return self._candidates_at(np.flatnonzero(np.isfinite(self.gain)))

    @property
    def least(self) -> CandidateBuckets:
        """What is known of those with the least depths."""
        nodes = np.arange(self.depths.shape[2] - 1, self.depths.size, self.depths.shape[2])
        return self._candidates_at(nodes[np.isfinite(self.gain[nodes])])

    def _candidates_at(self, nodes: I64) -> CandidateBuckets:
        """Give what is known of the buckets at some nodes."""
        counts, losses = self.counts[:, nodes].astype(np.int64), self.losses[:, nodes].astype(np.int64)
        return CandidateBuckets(*self._buckets(nodes), counts, losses, self.gain[nodes])

    def _buckets(self, nodes: I64) -> tuple[I64, F64, F64]:
        """Give the series, the rate and the depth of nodes."""
        row = nodes // self.depths.shape[2]
        return self.owner[row // self.rates.shape[1]], self.rates.reshape(-1)[row], self.depths.reshape(-1)[nodes]

    def _try(self, nodes: I64, best: F64) -> None:
        """Try the buckets at some nodes, unless they are known, and raise what is reached."""
        wanted = np.zeros(len(self.known), np.bool_)
        wanted[nodes] = True
        nodes = np.flatnonzero(wanted & ~self.known)
        candidates = try_buckets(self.series, *self._buckets(nodes))
        self.counts[:, nodes], self.losses[:, nodes], self.gain[nodes] = (
            candidates.counts,
            candidates.losses,
            candidates.gain,
        )
        self.known[nodes] = True
        np.maximum.at(best, candidates.owner, candidates.gain)

    def _least(self, every: I64, rows: I64) -> I64:
        """Find the least depth for some rates of some grids, and give their nodes."""
        new = np.isnan(self.depths[every[:, None], rows, -1])
        grid, row = np.repeat(every, len(rows))[new.reshape(-1)], np.tile(rows, len(every))[new.reshape(-1)]
        self.depths[grid, row, -1] = self.series.burst_heights(self.owner[grid], self.rates[grid, row])
        return self._nodes(every[:, None], rows, self.depths.shape[2] - 1).reshape(-1)

    def _nodes(self, grid: I64, row: I64, column: I64 | int) -> I64:
        nodes: I64 = (grid * self.rates.shape[1] + row) * self.depths.shape[2] + column
        return nodes

    def _corners(self, boxes: I64, rows: I64, columns: I64) -> I64:
        """Give the nodes at the corners of boxes, shape (4, boxes): the least bucket first, the greatest last."""
        grid, low, high, left, right = boxes
        return np.stack(
            [self._nodes(grid, rows[row], columns[column]) for row in (low, high) for column in (left, right)]
        )

    def _bound(self, grid: I64, corners: I64) -> F64:
        """Give what no bucket of boxes exceeds: losses graded as by the least, passes as by the greatest.

        It is -inf where none is deep enough to be made, not even the deepest and slowest.
        """
        least, deepest, _, greatest = corners
        losses, passed = self.losses[:, least], self.counts[:, greatest] - self.losses[:, greatest]
        bound = greatest_likelihood(losses + passed, losses, self.series.lengths[self.owner[grid]])
        return np.where(is_made(self.series, *self._buckets(deepest)), bound, -np.inf)

    def _copy(self, nodes: I64, source: I64) -> None:
        """Know unknown nodes, shape (4, n), to be as others are, n of them."""
        source = np.broadcast_to(source, nodes.shape)[~self.known[nodes]]
        nodes = nodes[~self.known[nodes]]
        self.counts[:, nodes], self.losses[:, nodes] = self.counts[:, source], self.losses[:, source]
        counts, losses = self.counts[:, source].astype(np.int64), self.losses[:, source].astype(np.int64)
        self.gain[nodes], self.known[nodes] = graded(self.series, *self._buckets(nodes), counts, losses).gain, True


def _first_boxes(grids: I64, rows: int, columns: int, stride: tuple[int, int]) -> I64:
    """Cover grids with boxes: grid, first and last row, first and last column; shape (5, boxes)."""
    across, along = (
        np.unique(np.append(np.arange(0, many, step), many - 1))
        for many, step in zip((rows, columns), stride, strict=True)
    )
    grid, row, column = np.indices((len(grids), len(across) - 1, len(along) - 1)).reshape(3, -1)
    return np.stack([grids[grid], across[row], across[row + 1], along[column], along[column + 1]])


def _halved(boxes: I64) -> tuple[I64, I64]:
    """Halve boxes both ways, where they are longer than 1; give the parts, and which box each was part of."""
    grid, low, high, left, right = boxes
    middle, centre = (low + high) // 2, (left + right) // 2
    parts = [
        np.stack([grid, *row, *column])
        for row in ((low, middle), (middle, high))
        for column in ((left, centre), (centre, right))
    ]
    every = np.concatenate(parts, axis=1)
    real = (every[1] < every[2]) & (every[3] < every[4])
    return every[:, real], np.tile(np.arange(boxes.shape[1]), 4)[real]
