"""Are the targets affected more often than the controls?

Interference with one name, address or minute shows as a difference between those and what is otherwise alike. Two
ways to weigh it: a Bayes factor over the shares of both (members with graded evidence), and the exact test of a 2×2
table (members that were hit or spared).

Sources: Kass and Raftery, "Bayes factors", JASA 1995; Klugkist, Laudy and Hoijtink, Psychological Methods 2005 (ordered
hypotheses); Fisher, "The Design of Experiments", 1935, §11 (the exact test).
"""

import numpy as np
from numpy.typing import ArrayLike

from netinterf.arrays import F64
from netinterf.errors import ParameterError
from netinterf.stats.levels import row_blocks
from netinterf.stats.mixture import checked_rows, log_mean_exp

__all__ = ["contingency_log_p", "contrast"]

STEPS = 64
"""Terms of the hypergeometric tail that are added at once."""

NEGLIGIBLE = 40.0
"""The tail ends where its terms fall that many nats below its sum: 4e-18 of it, less than a double rounds off."""


def contrast(target: F64, control: F64, grid: F64) -> F64:
    """Weigh "the target's share is higher than the control's" against "both have the same share".

    Under the first hypothesis all pairs ``θ_target > θ_control`` are equally probable, under the second all common
    shares, where 0 is a share as well: nobody is affected. Log-likelihoods are concave in θ, so this prior makes the
    Bayes factor monotone: affected targets raise it and affected controls lower it.

    No prior makes such a factor neutral to one side alone (pairs with ``θ_target > θ_control`` have a larger mean on
    one side, equal pairs have not), so a side without any evidence gives 0 by definition. A side that is merely weak
    can lend at most ln 2.

    Args:
        target: Log-likelihoods of the shares among the targets, shape (count, points), as
            `netinterf.stats.mixture.log_likelihoods` gives them.
        control: The same among the controls, on the same grid.
        grid: The shares, rising.

    Returns:
        Log Bayes factor per row in nats; exactly 0 where the row of either side is all zeros.

    Raises:
        ParameterError: The shapes do not fit, or a log-likelihood is NaN or +inf.
    """
    points = len(grid)
    targets, controls = checked_rows(target, points, "target"), checked_rows(control, points, "control")
    if len(targets) != len(controls):
        raise ParameterError("control", len(controls), f"as many rows as target ({len(targets)})")
    result = np.zeros(len(targets))
    informative = np.flatnonzero(np.any(targets != 0, axis=1) & np.any(controls != 0, axis=1))
    for block in row_blocks(len(informative), 6 * (points + 1)):
        rows = informative[block]
        hit, beside = targets[rows], np.pad(controls[rows], ((0, 0), (1, 0)))  # share 0 in front
        below = np.logaddexp.accumulate(beside, axis=1)[:, :-1]  # all smaller shares of the control
        same = np.pad(hit + beside[:, 1:], ((0, 0), (1, 0)))
        pairs = (points + 1) / 2  # points · (points + 1) / 2 of them, in sums over `points` targets
        result[rows] = log_mean_exp(hit + below) - np.log(pairs) - log_mean_exp(same)
    return result


def contingency_log_p(hit: ArrayLike, spared: ArrayLike, control_hit: ArrayLike, control_spared: ArrayLike) -> F64:
    """Compute Fisher's exact one-sided p-value of 2×2 tables: so many hits or more among the targets by chance.

    The hypergeometric tail is summed from its largest term outwards; where it holds more than about half of the
    distribution the other tail is summed instead.

    Args:
        hit: Targets that were hit, n counts; the four arguments are broadcast.
        spared: Targets that were not.
        control_hit: Controls that were hit.
        control_spared: Controls that were not.

    Returns:
        Natural logarithm of the p-value, n of them, at most 0; 0 for tables without hits, targets or controls.

    Raises:
        ParameterError: A count is negative, no whole number or not finite.
    """
    table = np.broadcast_arrays(
        *(np.asarray(count, np.float64) for count in (hit, spared, control_hit, control_spared))
    )
    cells = np.array([counts.reshape(-1) for counts in table])
    whole = np.isfinite(cells) & (cells >= 0) & (np.floor(cells) == cells)
    if not whole.all():
        raise ParameterError("counts", cells[~whole][0], "whole numbers of at least 0")
    a, b, c, d = cells
    total = np.maximum(cells.sum(axis=0), 1)
    upper = a > (a + b) * (a + c) / total  # beyond the mean, where terms fall
    result = np.zeros(len(a))
    result[upper] = _tail(a[upper], b[upper], c[upper], d[upper])
    rest = np.flatnonzero(~upper & (a > 0) & (d > 0))  # hits can be fewer only where one may move to the controls
    lower = np.minimum(_tail(c[rest] + 1, d[rest] - 1, a[rest] - 1, b[rest] + 1), 0.0)
    with np.errstate(divide="ignore"):
        result[rest] = np.where(lower > -1e-3, np.log(-np.expm1(lower)), np.log1p(-np.exp(lower)))
    return np.minimum(result, 0.0)


def _tail(a: F64, b: F64, c: F64, d: F64) -> F64:
    """Sum the hypergeometric terms from *a* hits upwards, in blocks of steps; give the logarithm."""
    first = _log_choose(a, b) + _log_choose(c, d) - _log_choose(a + c, b + d)
    last = np.minimum(b, c)  # steps until a margin is used up
    total, term, done = np.ones(len(a)), np.zeros(len(a)), np.zeros(len(a))
    active = np.flatnonzero(last > 0)
    while len(active):
        step = done[active, None] + np.arange(STEPS)
        left = step < last[active, None]
        b_left, c_left = b[active, None] - step, c[active, None] - step
        up = np.where(left, b_left * c_left, 1.0)
        down = (a[active, None] + step + 1) * (d[active, None] + step + 1)
        logs = term[active, None] + np.cumsum(np.log(up) - np.log(down), axis=1)
        total[active] += np.sum(np.where(left, np.exp(np.minimum(logs, 700.0)), 0.0), axis=1)
        term[active], done[active] = logs[:, -1], done[active] + STEPS
        active = active[left[:, -1] & (logs[:, -1] > np.log(total[active]) - NEGLIGIBLE)]
    return np.asarray(first + np.log(total))


def _log_choose(taken: F64, left: F64) -> F64:
    """Compute the logarithm of the binomial coefficient; the beta function does not cancel as factorials do."""
    from scipy.special import betaln

    return np.asarray(-betaln(taken + 1, left + 1) - np.log(taken + left + 1))
