"""Answers that one network gives and no other: one address for many names that have nothing in common elsewhere.

A forged answer alone is an address like any other. But whoever forges draws from a few addresses, and gives them for
whatever is on a list. Names at one host or delivery network share addresses as well, and get others in each network: so
whether names belong together is asked in the other networks. Where they do not, and one network gives them one address,
that address was not theirs.

A resolver that somebody chose because it filters answers so, too. That is no interference, so it weighs little unless
the resolver is the network's own, or answers otherwise in other networks, or another network of the country whose
clients chose nothing gives the same names the same addresses though it asks elsewhere, or the odd answers come from
another place than all others.

A denial (NXDOMAIN) of names that exist in other networks at that time is an answer like any other.

Sources: Niaki et al., "ICLab", IEEE S&P 2020 (unrelated names, one network); Tsai et al., "CERTainty", PoPETs 2023;
Pearce et al., "Global Measurement of DNS Manipulation" (Iris), USENIX Security 2017 (consistency between places).
"""

from typing import Self

import attrs
import numpy as np

from netinterf.arrays import F64, I64, Mask
from netinterf.columns import spans
from netinterf.numbering import combined, numbered, totals
from netinterf.observations.attempts import DNS
from netinterf.observations.table import Observations
from netinterf.pooling.alike import less_alike
from netinterf.pooling.episodes import NEVER
from netinterf.values import frozen

__all__ = ["Answered", "Forged", "forged_weight"]

SHARED = 0.9
"""Share of a forger's answers that its other answers share (as within one capture: rule ``dns.pooled``)."""

MOST, CHOSEN = 8.0, 3.0
"""Nats at most: what an observation that is no proof may weigh, and what one may that a resolver somebody chose for its
filter makes as well (rule ``dns.one_place``)."""


FEW = 20
"""Answers beside odd ones from which their hop limits are known: a path that one in twenty takes shows in them with
a chance of two in three (judgement)."""


@frozen(eq=False, kw_only=True)
class Answered:
    """What names resolved to: one entry per place, name and address."""

    place: I64
    unit: I64
    address: I64  # numbers that are equal for equals
    denied: Mask  # it leads nowhere: there is no such name, or no host has that address
    least: F64  # hop limits that it came with, NaN where they are not known
    most: F64
    first: I64  # when it was first given, ns
    last: I64  # and last

    def distinct(self) -> tuple[Self, I64]:
        """Keep each once, and say which of these each of all is."""
        number, head = numbered(combined(self.place, self.unit, self.address))
        once = self.take(head)
        for ends, values in ((once.first, self.first), (once.least, self.least)):
            np.fmin.at(ends, number, values)
        for ends, values in ((once.last, self.last), (once.most, self.most)):
            np.fmax.at(ends, number, values)
        return once, number

    def take(self, rows: I64 | Mask) -> Self:
        """Select some."""
        return attrs.evolve(self, **{field.name: getattr(self, field.name)[rows] for field in attrs.fields(type(self))})

    def of_same_name(self, other: "Answered") -> tuple[I64, I64]:
        """Pair entries of one name: rows of these, and rows of others."""
        order = np.argsort(other.unit, kind="stable")
        begin, end = (np.searchsorted(other.unit[order], self.unit, side) for side in ("left", "right"))
        return np.repeat(np.arange(len(self.unit)), end - begin), order[spans(begin, end - begin)]


@frozen(eq=False, kw_only=True)
class Forged:
    """What answers weigh that no other place gives, one entry per place and name."""

    place: I64
    unit: I64
    llr: F64  # nats
    chosen: Mask  # somebody may have chosen a resolver that filters
    after: I64  # last other answer before the first of these, ns; `NEVER` where there was none before
    first: I64  # first of these

    @classmethod
    def nothing(cls) -> Self:
        """Give no entry."""
        none = np.zeros(0, np.int64)
        return cls(place=none, unit=none, llr=np.zeros(0), chosen=np.zeros(0, np.bool_), after=none, first=none)


def forged_weight(given: Answered, table: Observations, own: Mask, countries: I64) -> Forged:
    """Weigh that a network gives unrelated names an address that few others give, or denies them.

    Args:
        given: Answers of all places, as often as they were given.
        table: Observations of all places.
        own: Which of these are of a resolver in the network of the client.
        countries: Country of each place, by its number; -1 where it is not known.
    """
    answered, number = given.distinct()
    strange = is_odd(answered)
    plain = given.take(~strange[number])
    odd = answered.take(strange)
    number, first = numbered(combined(odd.place, odd.address))
    several = np.bincount(number, minlength=len(first)) > 1
    rows = np.flatnonzero(several[number])
    if not len(rows):
        return Forged.nothing()
    odd, group = odd.take(rows), numbered(number[rows])[0]
    obliged = not_chosen(table, own, np.unique(odd.place))
    obliged |= as_obliged(odd.take(~odd.denied), table, obliged, countries)
    obliged[from_elsewhere(odd, answered.take(~strange))] = True
    groups, usual = unrelated(answered, odd, group)
    weight = np.minimum(np.maximum(groups - 1, 0) * np.log(SHARED / usual), MOST)
    weight = less_alike(weight, groups_of(given, odd, group), given.place, given.unit, given.first)
    cell, head = numbered(combined(odd.place, odd.unit))
    most, place, unit = np.zeros(len(head)), odd.place[head], odd.unit[head]
    np.maximum.at(most, cell, weight[group])
    first, chosen = np.full(len(head), NEVER), ~obliged[place]
    np.minimum.at(first, cell, odd.first)
    return Forged(
        place=place, unit=unit, llr=np.where(chosen, np.minimum(most, CHOSEN), most), chosen=chosen,
        after=before(plain, place, unit, first), first=first,
    )  # fmt: skip


def groups_of(given: Answered, odd: Answered, group: I64) -> I64:
    """Say of answers which group of odd ones they belong to, -1 for none: the same address, in the same place."""
    key, _ = numbered(combined(np.concatenate([given.place, odd.place]), np.concatenate([given.address, odd.address])))
    found = np.full(int(key.max(initial=-1)) + 1, -1)
    found[key[len(given.place) :]] = group
    return found[key[: len(given.place)]]


def before(plain: Answered, place: I64, unit: I64, first: I64) -> I64:
    """Give the last time at which names were answered otherwise before odd answers began, `NEVER` for none."""
    cell = combined(np.concatenate([plain.place, place]), np.concatenate([plain.unit, unit]))
    count = len(plain.place)
    began = np.full(int(cell.max(initial=-1)) + 1, -NEVER)
    began[cell[count:]] = first
    last = np.full(len(began), -NEVER)
    for time in (plain.first, plain.last):
        rows = np.flatnonzero(time < began[cell[:count]])
        np.maximum.at(last, cell[rows], time[rows])
    found = last[cell[count:]]
    return np.where(found == -NEVER, NEVER, found)


def is_odd(answered: Answered) -> Mask:
    """Say which addresses are given, for whatever name, in few places beside those that know the name.

    That there is no such name all places say of some. So a denial is held against what others say of the same name at
    the same time: names come and go.
    """
    unit, _ = numbered(answered.unit)
    _, head = numbered(combined(answered.place, answered.unit))
    places = totals(unit[head], None, int(unit.max(initial=-1)) + 1)[unit]
    address, _ = numbered(answered.address)
    _, one = numbered(combined(answered.address, answered.place))
    givers = totals(address[one], None, int(address.max(initial=-1)) + 1)[address]
    result = np.asarray(givers * 2 <= places)
    rows = np.flatnonzero(answered.denied)
    row, other = answered.take(rows).of_same_name(answered)
    meanwhile = (answered.first[other] <= answered.last[rows[row]]) & (
        answered.last[other] >= answered.first[rows[row]]
    )
    row, other = row[meanwhile], other[meanwhile]
    _, once = numbered(combined(row, answered.place[other], answered.denied[other].astype(np.int64)))
    denies = answered.denied[other[once]]
    deniers, knowing = (totals(row[once], mask, len(rows)) for mask in (denies, ~denies))
    result[rows] = deniers <= knowing
    return result


def from_elsewhere(odd: Answered, plain: Answered) -> I64:
    """List the places in which odd answers came from elsewhere than all others: with hop limits beyond those of others.

    A resolver that somebody chose answers what it filters from where it answers everything.
    """
    odd, plain = (one.take(np.isfinite(one.least)) for one in (odd, plain))
    count = int(max(odd.place.max(initial=-1), plain.place.max(initial=-1))) + 1
    least, most = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(least, plain.place, plain.least)
    np.maximum.at(most, plain.place, plain.most)
    apart = (odd.most < least[odd.place]) | (odd.least > most[odd.place])
    strange, beyond = totals(odd.place, None, count), totals(odd.place, apart, count)
    known = (strange > 0) & (totals(plain.place, None, count) >= FEW)
    return np.flatnonzero(known & (beyond >= SHARED * strange))


def not_chosen(table: Observations, own: Mask, odd: I64) -> Mask:
    """Say in which places nobody chose the resolver for its filter: it is the network's, or others use it as well.

    Of each but a few lookups, that is: which of several resolvers gave the odd answers is not known.

    Args:
        table: Observations.
        own: Which are of a resolver in the network of the client.
        odd: Places that give odd answers.
    """
    count = int(table.place.max(initial=-1)) + 1
    lookups = np.flatnonzero(table.transport == DNS)
    place, service = table.place[lookups].astype(np.int64), table.service[lookups]
    plain = np.zeros(int(service.max(initial=-1)) + 1, np.bool_)
    plain[service[~np.isin(place, odd)]] = True
    asked = totals(place, None, count)
    return np.asarray((totals(place, own[lookups] | plain[service], count) >= SHARED * asked) & (asked > 0))


def as_obliged(odd: Answered, table: Observations, obliged: Mask, countries: I64) -> Mask:
    """Say which places give a name an odd address that another place of the country gives it, by other resolvers.

    Two filters that people chose by themselves do not agree on an address; a list that the country obliges to does.

    Args:
        odd: Odd answers.
        table: Observations.
        obliged: Places in which nobody chose the resolver for its filter.
        countries: Country of each place.
    """
    from scipy.sparse import csr_array

    def held(place: I64, what: I64) -> csr_array:
        """Say what places have, as a matrix of places by things."""
        shape = len(obliged), int(what.max(initial=-1)) + 1
        return csr_array((np.ones(len(place), np.int32), (place, what)), shape=shape)

    lookups = np.flatnonzero(table.transport == DNS)
    place, site = table.place[lookups].astype(np.int64), table.site[lookups]
    _, first = numbered(combined(place, site))
    asks = held(place[first], numbered(site[first])[0])
    odd = odd.take(countries[odd.place] >= 0)
    gives = held(odd.place, numbered(combined(odd.unit, odd.address, countries[odd.place]))[0])
    rows = np.flatnonzero(obliged)
    agree, same_resolver = gives @ gives[rows].T, asks @ asks[rows].T
    apart = agree.astype(np.bool_) > same_resolver.astype(np.bool_)
    return np.asarray(np.diff(apart.tocsr().indptr) > 0)


def unrelated(answered: Answered, odd: Answered, group: I64) -> tuple[F64, F64]:
    """Ask other places whether names that share an address in one place have anything in common.

    Args:
        answered: Answers of all places.
        odd: Rows of names that share an odd address in their place.
        group: Number of the place and address of each.

    Returns:
        Of each group, how many of its names have nothing in common in other places, the median of these, and which
        share of them shares addresses there with others of the group.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = int(group.max()) + 1
    known = answered.take(~answered.denied)
    owner, row = odd.of_same_name(known)
    # places that give the odd address as well, whatever for, are left out
    name = np.where(answered.denied, answered.unit, -1)  # which all places deny some of
    mine = np.where(odd.denied, odd.unit, -1)
    pair = combined(
        np.concatenate([answered.address, odd.address[owner]]),
        np.concatenate([name, mine[owner]]),
        np.concatenate([answered.place, known.place[row]]),
    )
    gives = np.zeros(int(pair.max(initial=-1)) + 1, np.bool_)
    gives[pair[: len(answered.place)]] = True
    elsewhere = ~gives[pair[len(answered.place) :]]
    owner, row = owner[elsewhere], row[elsewhere]
    if not len(owner):
        return np.ones(count), np.full(count, SHARED)
    view = combined(group[owner], known.place[row])  # one group, seen in one other place
    name, first = numbered(combined(view, odd.unit[owner]))
    key, _ = numbered(combined(view, known.address[row]))
    names, keys = len(first), int(key.max()) + 1
    edges = coo_array((np.ones(len(name), np.int8), (name, names + key)), shape=(names + keys, names + keys))
    _, label = connected_components(edges, directed=False)
    label = label[:names]
    size = np.bincount(label)[label]
    seen, head = numbered(view[first])
    components = np.bincount(seen[np.unique(label, return_index=True)[1]], minlength=len(head)).astype(np.float64)
    sharing, members = totals(seen, size > 1, len(head)), totals(seen, None, len(head))
    of_group = group[owner[first[head]]]
    groups, usual = np.ones(count), np.full(count, SHARED)
    ranked = np.lexsort((components, of_group))
    edge = np.searchsorted(of_group[ranked], np.arange(count + 1))
    there = np.diff(edge) > 0
    groups[there] = components[ranked[(edge[:-1] + edge[1:] - 1)[there] // 2]]
    share = (totals(of_group, sharing, count) + 0.5) / (totals(of_group, members, count) + 1.0)
    usual[there] = np.minimum(share[there], SHARED)
    return groups, usual
