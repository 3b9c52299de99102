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

import attrs
import numpy as np

from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import combined, numbered, totals
from netinterf.observations.attempts import ALL, DNS, QUIC
from netinterf.observations.table import Observations
from netinterf.pooling.causes import BY_COUNTRY, COUNTRY, FAILING, ONE_NETWORK, SHARES
from netinterf.pooling.cells import Cells

__all__ = ["learn_rates"]

STRENGTH = 20.0
"""Cells that the model's prior counts for (judgement): a place with fewer servers than that learns little."""

SURER = 200.0
"""The same for refusals of a country by servers: no country is known to be refused by more than about one in a hundred
popular sites (McDonald et al., "403 Forbidden", IMC 2018), while censors block none of them or a fifth. So a country in
which a fifth of all servers does not answer is rather one that blocks than one that is refused."""

OWN_LIST, LISTS = 0.1, 40.0
"""How often a list is a network's own, of which others of its country have nothing, whatever they have of one as a rule
(`standing.LISTED`); and cells that this counts for (judgements): lists differ from provider to provider (Ramesh et al.,
"Decentralized Control", NDSS 2020), so that what is sure tells of what is not."""

LOOKUPS, SERVERS = 0, 2
"""Number of the way of reaching a server that no name was seen of; see `how_reached`."""

ROUNDS, CLOSE = 100, 1e-6
"""Rounds at most, and the change of a rate at which they end."""


def learn_rates(observations: Observations, cells: Cells) -> Cells:
    """Judge cells under how common blocks and refusals are found to be in each place.

    Cells of one network of servers in one place count as one: whoever is turned away there is so by one hand. Servers
    are counted among all that were reached or not, and those at which names failed count for nothing: what follows a
    blocked name there is no block of its own.

    Args:
        observations: What the cells are of.
        cells: As `pool` gives them.
    """
    if not len(cells):
        return cells
    failing, how = cells.failing, how_reached(cells.tallies.transport, cells.tallies.named)
    group = combined(cells.tallies.place, how)
    weight, members = company(observations, cells, group, how)
    count = len(members)
    usual = 1.0 / (1.0 + np.exp(-cells.prior))
    usual = totals(group, usual, count) / totals(group, None, count)
    own = group[failing]
    refused = FAILING * SHARES[cells.worth.kind][:, ONE_NETWORK].sum(axis=1) * COUNTRY
    seldom = totals(own, refused, count) / np.maximum(totals(own, None, count), 1)
    seldom[seldom == 0] = 1.0  # nothing failed
    place = cells.tallies.place[failing]
    places = int(place.max(initial=-1)) + 1
    rate, refusal, alone, result = usual, seldom, np.full(places, OWN_LIST), cells
    for _ in range(ROUNDS):
        common = np.zeros(cells.worth.harmless.shape)
        common[:, BY_COUNTRY] = np.log(refusal / seldom)[own][:, None]
        worth = cells.worth.where_lists_are_own(alone[place])
        result = attrs.evolve(cells, worth=worth).under(np.log(rate / (1 - rate))[group], common)
        chance, by_country = result.probability, np.zeros(len(cells))
        by_country[failing] = (1 - chance[failing]) * cells.worth.shares(common)[:, BY_COUNTRY].sum(axis=1)
        known = (STRENGTH * usual + totals(group, weight * chance, count)) / (STRENGTH + members)
        found = (SURER * seldom + totals(group, weight * by_country, count)) / (SURER + members)
        told = (weight * chance)[failing] * cells.worth.siblings
        own_list = totals(place, told * cells.worth.own_list(alone[place]), places)
        lists = (LISTS * OWN_LIST + own_list) / (LISTS + totals(place, told, places))
        moved = max(np.abs(known - rate).max(), np.abs(found - refusal).max(), np.abs(lists - alone).max(initial=0.0))
        rate, refusal, alone = known, found, lists
        if moved < CLOSE:
            break
    return result


def how_reached(transport: I64, named: Mask) -> I64:
    """Number the ways of reaching that boxes treat as different trades: lookups, QUIC, servers, and all other names."""
    return np.select([transport == DNS, transport == QUIC, transport == ALL, ~named], [LOOKUPS, 1, 4, SERVERS], 3)


def company(table: Observations, cells: Cells, group: I64, how: I64) -> tuple[F64, F64]:
    """Say how much each cell counts, and how many count in each group.

    Args:
        table: What the cells are of.
        cells: The cells.
        group: Place and way of reaching of each, numbered from 0.
        how: Way of reaching of each.
    """
    place, site = cells.tallies.place, cells.site
    lookup = how == LOOKUPS
    weight = 1.0 / np.where(lookup, 1.0, sizes(combined(group, site)))
    members = totals(group, weight, int(group.max()) + 1)
    tcp = np.flatnonzero((table.transport != DNS) & (table.transport != QUIC))
    _, first = numbered(combined(table.place[tcp], table.service[tcp]))
    at, owner = table.place[tcp][first].astype(np.int64), table.site[tcp][first]
    both = combined(np.concatenate([place, at]), np.concatenate([site, owner]))
    of_cell, of_server = both[: len(place)], both[len(place) :]
    servers = totals(of_server, None, int(both.max()) + 1)
    shut = how == SERVERS
    weight[shut] = 1.0 / np.maximum(servers[of_cell[shut]], 1)
    weight[residual(table, cells) | cells.chosen | unwitnessed(cells)] = 0.0
    _, one = numbered(of_server)
    sites = totals(at[one], None, int(max(at.max(initial=0), place.max())) + 1)
    members[group[shut]] = sites[place[shut]]
    return weight, members


def unwitnessed(cells: Cells) -> Mask:
    """Say which cells failed, with nothing that tells why: no other place tried, and no packet speaks for a block.

    They are as likely blocked as others are found to be, so they must not tell how likely that is.
    """
    tallies = cells.tallies
    others = tallies.others_answered + tallies.others_failed
    return np.asarray((tallies.failed > 0) & (others == 0) & (cells.own <= 0))


def residual(table: Observations, cells: Cells) -> Mask:
    """Say which cells are servers at which names failed in the same place."""
    key, first = numbered(combined(table.place, table.service))
    hit = np.zeros(len(first), np.bool_)
    hit[key[table.named & table.fails]] = True
    result = np.zeros(len(cells), np.bool_)
    result[cells.tallies.cell] = hit[key] & ~table.named
    return result


def sizes(group: I64) -> F64:
    """Give for each row how many rows are in its group."""
    number, first = numbered(group)
    return np.asarray(totals(number, None, len(first))[number])
