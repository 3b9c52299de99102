"""When did it begin and end? The window of time whose members are affected more often than those outside it.

A block that begins and ends within a capture (a curfew, a shutdown, a rule that was switched on) is a bump between two
equal levels, which a search for one split misses; so all windows are tried, and the search is paid for.

Sources: Kulldorff, "A spatial scan statistic", 1997 (all windows, each against its outside); Kass and Raftery, JASA
1995 (the Bayes factor; a uniform prior over windows costs the logarithm of their number).
"""

from typing import NamedTuple

import numpy as np

from netinterf.arrays import F64
from netinterf.errors import ParameterError
from netinterf.stats.contrast import contrast
from netinterf.stats.levels import row_blocks
from netinterf.stats.mixture import checked_rows

__all__ = ["MOST_BINS", "Window", "best_window"]

MOST_BINS = 500
"""Most bins that are searched: 125,000 windows, a second of work. More bins are a capture to be cut more coarsely."""


class Window(NamedTuple):
    """A run of bins that differs from the rest."""

    begin: int  # first bin
    end: int  # the bin after the last
    llr: float  # log Bayes factor in nats against "the same share inside as outside", paid for the search; at least 0


def best_window(loglik: F64, grid: F64) -> Window:
    """Find the run of bins in which a larger share is affected than outside.

    Every window but the whole is contrasted with its outside (`netinterf.stats.contrast.contrast`), and the logarithm
    of the number of windows is subtracted. Sums over windows are differences of running sums.

    Args:
        loglik: Log-likelihoods of the shares in each bin of time, shape (bins, points), as
            `netinterf.stats.mixture.log_likelihoods` gives them with the bin as group; finite.
        grid: The shares, rising.

    Returns:
        The best window, the shortest of equals; the whole range with llr 0 when no window is better than that, which
        holds for one bin, for bins without evidence and for none.

    Raises:
        ParameterError: There are more than :data:`MOST_BINS` bins, the shape does not fit the grid, or a
            log-likelihood is not finite.
    """
    rows = checked_rows(loglik, len(grid), "loglik")
    bins = len(rows)
    if bins > MOST_BINS:
        raise ParameterError("bins", bins, f"at most {MOST_BINS}")
    if not np.isfinite(rows).all():
        raise ParameterError("loglik", float(rows.min()), "finite")
    summed = np.concatenate([np.zeros((1, len(grid))), np.cumsum(rows, axis=0)])
    begin, end = np.triu_indices(bins + 1, 1)
    short_first = np.argsort(end - begin, kind="stable")[:-1]  # the whole range is the last
    begin, end = begin[short_first], end[short_first]
    best = Window(0, bins, 0.0)
    for block in row_blocks(len(begin), 8 * (len(grid) + 1)):
        inside = summed[end[block]] - summed[begin[block]]
        outside = summed[begin[block]] + (summed[-1] - summed[end[block]])  # exactly 0 where nothing is outside
        llr = contrast(inside, outside, grid) - np.log(len(begin))
        top = int(np.argmax(llr))
        if llr[top] > best.llr:
            best = Window(int(begin[block][top]), int(end[block][top]), float(llr[top]))
    return best
