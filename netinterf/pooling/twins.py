"""The same name over another transport in the same place: who blocks it there may block it here.

Some censors have one list for all transports, others do not: where names are cut off by their TLS hello, QUIC reached
nearly all of them in China and Iran (Elmenhorst et al., "Web Censorship Measurements of HTTP/3 over QUIC", IMC 2021),
China's list for QUIC is another one (Zohaib et al., USENIX Security 2025), and Russia's is the same (Heitmann et al.,
FOCI 2026). So each place tells which kind it is, by the names of which it is known.

So a name that fails here and that no other place tried, of which nothing else is known, is as likely blocked as those
in its place that are blocked over another transport, if it is one of them. What is harmless to one may be so to both: a
name that is gone is so over any transport. So nothing gets surer than it is over the other.
"""

import attrs
import numpy as np

from netinterf.arrays import F64, I64
from netinterf.numbering import combined, numbered, totals
from netinterf.observations.attempts import DNS
from netinterf.observations.table import Observations
from netinterf.pooling.cells import Cells

__all__ = ["by_twins"]

SHARED, STRENGTH = 0.1, 2.0
"""How often what is blocked over one transport is so over another, before a place tells, and how many names that counts
for: most studies find next to none, one all of them (judgements)."""


def by_twins(observations: Observations, cells: Cells) -> Cells:
    """Judge what no other place tried under what is known of the same name over other transports, lookups left out.

    Args:
        observations: What the cells are of.
        cells: Judged under how common blocks are in each place (`netinterf.pooling.rates`).
    """
    from scipy.special import expit, logit

    tallies, called = cells.tallies, np.full(len(cells), -1)
    called[tallies.cell] = observations.called
    web = np.flatnonzero((called >= 0) & (tallies.transport != DNS) & (tallies.known > 0))
    alone = cells.unwitnessed[web]
    chance = np.where(tallies.failed[web] > 0, cells.probability[web], 0.0)
    twin = surest_other(combined(called[web], tallies.place[web]), chance)
    way, _ = numbered(combined(tallies.place[web], tallies.transport[web]))
    count, tells = int(way.max(initial=-1)) + 1, np.where(alone, 0.0, twin)
    shared = (STRENGTH * SHARED + totals(way, tells * chance, count)) / (STRENGTH + totals(way, tells, count))
    usual = expit(cells.prior[web])
    prior = logit(np.maximum(usual, twin * shared[way] + (1 - twin) * usual))
    gain = np.where(alone & ~cells.chosen[web], prior - cells.prior[web], 0.0)
    log_odds = cells.log_odds[web]
    gain = np.clip(logit(twin) - log_odds, 0.0, gain)
    return attrs.evolve(cells, prior=added(cells.prior, web, gain), log_odds=added(cells.log_odds, web, gain))


def added(values: F64, rows: I64, gain: F64) -> F64:
    """Add to some of many."""
    result = values.copy()
    result[rows] += gain
    return result


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
