"""The same name over another transport in the same place: who blocks it there may block it here.

Some censors have one list for all transports, others do not: where names are cut off by their TLS hello, QUIC reached
nearly all of them in China and Iran (Elmenhorst et al., "Web Censorship Measurements of HTTP/3 over QUIC", IMC 2021),
China's list for QUIC is another one (Zohaib et al., USENIX Security 2025), and Russia's is the same (Heitmann et al.,
FOCI 2026). So each place tells which kind it is, by the names of which it is known.

What is harmless to one may be so to both: a name that is gone is so over any transport. So this makes nothing surer
than it is over the other transport.
"""

import attrs
import numpy as np

from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import combined, numbered, totals
from netinterf.observations.attempts import DNS
from netinterf.observations.table import Observations
from netinterf.pooling.cells import Cells

__all__ = ["by_twins"]

SHARED, STRENGTH = 0.25, 2.0
"""How often what is blocked over one transport is so over another, before a place tells, and how many names that counts
for (judgements, between the studies above)."""


def by_twins(observations: Observations, cells: Cells, unwitnessed: Mask) -> Cells:
    """Judge failing cells under what is known of the same name over other transports.

    Args:
        observations: What the cells are of.
        cells: As `netinterf.pooling.rates` gives them.
        unwitnessed: Which tell nothing of how often names are shared.
    """
    tallies = cells.tallies
    called = np.full(len(cells), -1)
    called[tallies.cell] = observations.called
    web = np.flatnonzero((called >= 0) & (tallies.transport != DNS) & (tallies.known > 0))
    failed = tallies.failed[web] > 0
    chance = np.where(failed, cells.probability[web], 0.0)
    twin = surest_other(combined(called[web], tallies.place[web]), chance)
    group, _ = numbered(combined(tallies.place[web], tallies.transport[web]))
    tells, count = np.where(unwitnessed[web], 0.0, twin), int(group.max(initial=-1)) + 1
    shared = (STRENGTH * SHARED + totals(group, tells * chance, count)) / (STRENGTH + totals(group, tells, count))
    usual = 1 / (1 + np.exp(-cells.prior[web]))
    prior = np.maximum(usual, twin * shared[group] + (1 - twin) * usual)
    gain = np.where(failed & ~cells.chosen[web], np.log(prior / (1 - prior)) - cells.prior[web], 0.0)
    with np.errstate(divide="ignore"):
        bound = np.log(twin) - np.log1p(-np.minimum(twin, 1 - 1e-12))
    log_odds, priors = cells.log_odds.copy(), cells.prior.copy()
    log_odds[web] = np.maximum(log_odds[web], np.minimum(log_odds[web] + gain, bound))
    priors[web] += gain
    return attrs.evolve(cells, log_odds=log_odds, prior=priors)


def surest_other(key: I64, chance: F64) -> F64:
    """Give for each row the highest chance of the others with its key; 0 where there is none."""
    order = np.lexsort((-chance, key))
    number, first = numbered(key)
    top, second = np.zeros(len(first)), np.zeros(len(first))
    ranked = number[order]
    new = np.diff(ranked, prepend=-1) != 0
    top[ranked[new]] = chance[order][new]
    follows = np.zeros(len(key), np.bool_)
    follows[1:] = new[:-1] & ~new[1:]
    second[ranked[follows]] = chance[order][follows]
    best = np.zeros(len(key), np.bool_)
    best[order[new]] = True
    return np.where(best, second[number], top[number])
