"""How common blocks are in a place, and refusals of its country: learned from all its cells together.

A network that blocks twenty names is likelier to block the next one than a network that blocks none; so the prior of a
cell is that of its place, drawn towards the model's by as much as twenty cells tell. But a country whose networks are
refused by many servers, as sanctions ask for, shows the same: many cells that fail there only. So how common refusals
by country are is learned beside it, and what could be either stays as even as it was: only what tells both apart
(siblings in the country that are spared, packets that a box wrote) lets one of them grow. Unrelated operators do not
agree on one network, so refusals of single networks stay as rare as they are.

Source: Efron, "Large-Scale Inference", 2010, ch. 1 and 5 (empirical Bayes, local false discovery rates); Dempster,
Laird and Rubin, JRSS B 1977 (EM).
"""

import numpy as np

from netinterf.arrays import F64, I64
from netinterf.numbering import combined, numbered, totals
from netinterf.observations.attempts import DNS, QUIC
from netinterf.pooling.causes import BY_COUNTRY, COUNTRY, FAILING, SHARES, Cause
from netinterf.pooling.cells import Cells

__all__ = ["learn_rates"]

STRENGTH = 20.0
"""Cells that the model's prior counts for (judgement): a place with fewer servers than that learns little."""

ROUNDS, CLOSE = 100, 1e-6
"""Rounds at most, and the change of a rate at which they end."""


def learn_rates(cells: Cells) -> Cells:
    """Judge cells under how common blocks and refusals are found to be in each place.

    Cells of one network of servers in one place count as one: whoever is turned away there is so by one hand. Servers
    at which names failed count for nothing: what follows a blocked name there is no block of its own.

    Args:
        cells: As `pool` gives them.
    """
    tallies, failing = cells.tallies, cells.failing
    if not len(cells):
        return cells
    how = how_reached(cells)
    group = combined(tallies.place, how)
    weight = np.where(cells.residual, 0.0, 1.0 / sizes(combined(group, cells.site)))
    count, members = int(group.max()) + 1, totals(group, weight, int(group.max()) + 1)
    usual = 1.0 / (1.0 + np.exp(-cells.prior))
    usual = totals(group, usual, count) / totals(group, None, count)
    own = group[failing]
    refused = FAILING * SHARES[cells.worth.kind][:, [Cause.REFUSED_ADDRESS, Cause.REFUSED_NAME]].sum(axis=1) * COUNTRY
    seldom = totals(own, refused, count) / np.maximum(totals(own, None, count), 1)
    seldom[seldom == 0] = 1.0  # nothing failed
    rate, refusal, result = usual, seldom, cells
    for _ in range(ROUNDS):
        common = np.zeros(cells.worth.harmless.shape)
        common[:, list(BY_COUNTRY)] = np.log(refusal / seldom)[own][:, None]
        result = cells.under(np.log(rate / (1 - rate))[group], common)
        chance, by_country = result.probability, np.zeros(len(cells))
        by_country[failing] = (1 - chance[failing]) * cells.worth.shares(common)[:, list(BY_COUNTRY)].sum(axis=1)
        known = (STRENGTH * usual + totals(group, weight * chance, count)) / (STRENGTH + members)
        found = (STRENGTH * seldom + totals(group, weight * by_country, count)) / (STRENGTH + members)
        moved = max(np.abs(known - rate).max(), np.abs(found - refusal).max())
        rate, refusal = known, found
        if moved < CLOSE:
            break
    return result


def how_reached(cells: Cells) -> I64:
    """Number the ways of reaching that boxes treat as different trades: lookups, QUIC, servers, and all other names."""
    transport = cells.tallies.transport
    return np.select([transport == DNS, transport == QUIC, ~cells.tallies.named], [0, 1, 2], 3)


def sizes(group: I64) -> F64:
    """Give for each row how many rows are in its group."""
    number, first = numbered(group)
    return np.asarray(totals(number, None, len(first))[number])
