"""After whom a finding is named: by what it shows itself, else by its peers.

What one client meets of one mechanism in one capture mostly comes from one box, and a burst that was cut off shows
little of it. So a finding that shows too little is named like its peers, if all that are named are named
alike and it shows nothing that rules their system out.
"""

import numpy as np

from netinterf.arrays import F64, I64, Mask
from netinterf.attribute.catalogue import Background
from netinterf.attribute.score import posterior
from netinterf.numbering import numbered
from netinterf.values import frozen

__all__ = ["NOBODY", "SURE", "Names", "name_findings"]

NOBODY = -1

SURE = 0.7
"""Probability from which a system is named. Measured (``python -m benchmarks attribution``, seeds 100,300 to 100,307):
from 0.5 on 7 % of simulated findings are named wrongly, from 0.7 on 3 %, at the cost of 2 % of those named rightly."""


@frozen(eq=False, kw_only=True)
class Names:
    """One entry per finding."""

    system: I64  # column of the catalogue, `NOBODY` for none
    chance: F64  # of that system: its own, or the mean over its peers; 0 for none
    own: Mask  # by what it shows itself

    @classmethod
    def none(cls) -> "Names":
        """Name no findings."""
        return cls(system=np.empty(0, np.int64), chance=np.empty(0), own=np.empty(0, np.bool_))


def name_findings(llr: F64, look: I64, peers: I64, common: Background) -> Names:
    """Name findings.

    Args:
        llr: Log-likelihood ratios against an undocumented system, shape (looks, systems).
        look: What each finding looks like: a row of *llr*.
        peers: Numbers of what belongs together, one per finding.
        common: How common traits are.
    """
    if not len(look):
        return Names.none()
    chance = posterior(llr, common)[:, :-1]
    best = chance.argmax(axis=1)
    sure = chance[np.arange(len(llr)), best]
    own, best, sure = (sure > SURE)[look], best[look], sure[look]
    system = np.where(own, best, NOBODY)
    group, first = numbered(peers)
    low, high = np.full(len(first), len(llr[0])), np.full(len(first), NOBODY)
    np.minimum.at(low, group[own], system[own])
    np.maximum.at(high, group[own], system[own])
    shared = np.where(low == high, high, NOBODY)[group]
    follows = ~own & (shared != NOBODY) & (llr[look, shared] > -np.inf)
    system = np.where(follows, shared, system)
    mean = np.bincount(group, chance[look, shared]) / np.bincount(group)
    return Names(system=system, chance=np.where(own, sure, np.where(follows, mean[group], 0.0)), own=own)
