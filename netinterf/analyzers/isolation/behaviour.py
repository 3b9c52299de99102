"""Without a table of networks: destinations that fall silent together while others go on.

Nobody can say whether they lie abroad, so this tells only of networks that are known to answer, because they do at
other times of the capture; networks that never answered may be dead. It is a hint at best, and is reported as such.
"""

import attrs
import numpy as np

from netinterf.analyzers.isolation.attempts import Attempts
from netinterf.analyzers.isolation.spans import closed_spans, units_of, within
from netinterf.arrays import I64, Mask

__all__ = ["FEWEST", "Together", "fell_together"]

FEWEST = 10
"""Networks that must fall silent together, and half as many that must go on. Judgement: of ten independent networks
that answer nine times of ten, all fall silent by chance once in 10^10 times."""


@attrs.frozen(eq=False, kw_only=True)
class Together:
    """Networks that fell silent together."""

    begins: I64  # ns
    ends: I64  # ns
    struck: Mask  # attempts that got no answer
    silent: int  # networks that fell silent
    steady: int  # networks that went on meanwhile


def fell_together(attempts: Attempts) -> Together | None:
    """Find networks that answer at other times and fell silent together; None where too few did, or all.

    A network belongs to them when it never answers while they are silent, and always does otherwise.
    """
    known = np.flatnonzero(attempts.passed >= 0)
    cluster, passed = attempts.cluster[known], attempts.passed[known] == 1
    intermittent = np.intersect1d(cluster[passed], cluster[~passed])
    if len(intermittent) < FEWEST:
        return None
    torn = known[np.isin(cluster, intermittent)]
    begins, ends, _ = closed_spans(units_of(attempts, torn))
    closed = within(attempts.time[known], begins, ends) if len(begins) else np.zeros(len(known), np.bool_)
    number, place = np.unique(cluster, return_inverse=True)

    def count(mask: Mask) -> I64:
        return np.bincount(place[mask], minlength=len(number))

    silent = (count(closed & ~passed) > 0) & (count(closed & passed) == 0)
    silent &= (count(~closed & passed) > 0) & (count(~closed & ~passed) == 0)
    steady = (count(closed & passed) > 0) & (count(~passed) == 0)
    if np.sum(silent) < FEWEST or np.sum(steady) < FEWEST // 2:
        return None
    struck = np.zeros(len(attempts), np.bool_)
    struck[known[closed & ~passed & silent[place]]] = True
    return Together(begins=begins, ends=ends, struck=struck, silent=int(np.sum(silent)), steady=int(np.sum(steady)))
