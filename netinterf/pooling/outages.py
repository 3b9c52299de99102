"""When a thing was out for everybody: whatever befalls a cell in these hours, others tell why.

Servers pause and names die whether or not somebody blocks them. So the hours in which a thing is out elsewhere tell
nothing of a block, in no direction; and that there are such hours is no reason to believe in an outage at all others.

Source: Rabiner, "A Tutorial on Hidden Markov Models", Proceedings of the IEEE 1989 (forward and backward passes).
"""

import numpy as np

from netinterf.arrays import F64, I64
from netinterf.pooling.spans import LARGEST, OUTAGE_HOURS

__all__ = ["outages"]

PAUSES, DIES = 0.01, 0.001
"""How often something that lives is out by the next look at it, for a while and for good (judgements: services that
promise 99 % of the time hold it about; lists of popular names lose some percent a year)."""

FINE, PAUSED, DEAD = range(3)


def outages(begin: I64, hour: F64, out: F64) -> tuple[F64, F64]:
    """Find the hours in which others show that a thing was out.

    Args:
        begin: Where the hours of each cell begin, and the end of the last; cells + 1.
        hour: When they are.
        out: What others show in each: the thing being out, less it being fine, nats.

    Returns:
        Log-likelihood ratio of all that others show of each cell, as outages come and go against none ever; and the
        chance that it was out, one entry per hour.
    """
    lengths = np.diff(begin)
    shown, chance = np.zeros(len(lengths)), np.zeros(len(out))
    order, at = np.argsort(lengths, kind="stable"), 0
    while at < len(lengths):  # once for each number of hours
        width = int(lengths[order[at]])
        same = int(np.searchsorted(lengths[order], width, side="right"))
        cells = order[at : min(same, at + max(LARGEST // max(width, 1), 1))]
        if width:
            rows = begin[cells][:, None] + np.arange(width)
            shown[cells], chance[rows] = _of_width(out[rows], hour[rows])
        at += len(cells)
    return shown, chance


def _of_width(out: F64, hour: F64) -> tuple[F64, F64]:
    """Walk forth and back over the hours of cells that have equally many; both have the shape (cells, hours)."""
    cells, width = out.shape
    seen = np.stack([np.zeros_like(out), out, out])
    stays = np.exp(-np.diff(hour, axis=1) / OUTAGE_HOURS)
    forward = np.empty((width, 3, cells))
    forward[0] = np.log([1 - PAUSES - DIES, PAUSES, DIES])[:, None] + seen[:, :, 0]
    for step in range(1, width):
        forward[step] = _next(forward[step - 1], stays[:, step - 1]) + seen[:, :, step]
    back = np.zeros((3, cells))
    chance = np.empty_like(out)
    shown = np.logaddexp.reduce(forward[-1], axis=0)
    for step in range(width - 1, -1, -1):
        chance[:, step] = 1 - np.exp(forward[step, FINE] + back[FINE] - shown)
        if step:
            back = _before(back + seen[:, :, step], stays[:, step - 1])
    return shown, np.clip(chance, 0.0, 1.0)


def _next(state: F64, stays: F64) -> F64:
    """Move from one look to the next."""
    fine = np.logaddexp(state[FINE], state[PAUSED] + np.log1p(-np.minimum(stays, 1 - 1e-12)))
    with np.errstate(divide="ignore"):
        paused = np.logaddexp(fine + np.log(PAUSES), state[PAUSED] + np.log(stays))
    dead = np.logaddexp(fine + np.log(DIES), state[DEAD])
    return np.stack([fine + np.log1p(-PAUSES - DIES), paused, dead])


def _before(later: F64, stays: F64) -> F64:
    """Move from one look to the one before."""
    fine = np.logaddexp.reduce(
        [later[FINE] + np.log1p(-PAUSES - DIES), later[PAUSED] + np.log(PAUSES), later[DEAD] + np.log(DIES)]
    )
    with np.errstate(divide="ignore"):
        paused = np.logaddexp(later[PAUSED] + np.log(stays), fine + np.log1p(-np.minimum(stays, 1 - 1e-12)))
    return np.stack([fine, paused, later[DEAD]])
