"""How the same thing stands in other places over the whole time: blocked there as well, or fine.

A block list is kept by somebody for some networks; so what is blocked here may be blocked in other places, of the same
country above all. A server that refuses a country refuses all of its networks alike. Both are told from each other by
which of them fail.
"""

from typing import Self

import numpy as np

from netinterf.arrays import F64, I64
from netinterf.numbering import combined, numbered, totals
from netinterf.pooling.episodes import Company
from netinterf.pooling.witnesses import MOST, Witnesses, lookup
from netinterf.values import frozen

__all__ = ["Standing", "blocked_in", "over_shares", "standing_of", "sums"]

ELSEWHERE = (0.05, 0.95)
"""Beta prior of the share of other places in which what is blocked here is blocked as well: mostly none, and then often
many, since lists are kept by country and some names are on many (judgement)."""

LISTED = (0.5, 0.5)
"""Beta prior of the share of other networks of the country in which what is blocked here is blocked as well: all or
none of them, mostly, and nobody knows which (Jeffreys): boxes and lists differ from provider to provider (Ramesh et
al., "Decentralized Control", NDSS 2020)."""

UNLISTED, ANYWHERE = (0.5, 1.5), 0.05
"""The same of what is not blocked here, if it is blocked in the country at all; and how often it is
(judgement)."""

SHARES = (np.arange(40) + 0.5) / 40
"""Shares over which both are integrated."""

FALSE = 0.02
"""Share of accusations that are false, at most: what a scan holds to be struck elsewhere in the country is no refusal
(measured on captures that nobody had tuned to: 2.2 % of benign files)."""

LEAST = -700.0
"""Log-likelihoods are kept above this: a double knows nothing smaller."""


@frozen(eq=False, kw_only=True)
class Standing:
    """What other places say of failing cells, log-likelihoods in nats against all of them being fine."""

    elsewhere: F64  # blocked in some share of the places that are not known to be of the same country
    siblings: F64  # blocked in some share of the other places of the country, as it is blocked here
    siblings_alone: F64  # blocked in some share of them, though not here
    country: F64  # refused in all of these; 0 where none tells anything


def standing_of(company: Company, countries: I64) -> Standing:
    """Ask other places about failing cells.

    Args:
        company: What cells are about, and what places show of that.
        countries: Country of each place, by its number; -1 where it is not known.
    """
    nation = np.where(countries >= 0, countries, len(countries) + np.arange(len(countries)))  # unknown: of its own
    nations = int(nation.max(initial=0)) + 1
    seen, key, place = Throughout.of(company.witnesses), company.key, company.place
    theirs, inside = nation[seen.place], key * nations + nation[place]
    at_home = seen.key * nations + theirs
    elsewhere = less(seen.key, theirs, blocked_in(seen.blind), key, nation[place])
    siblings = less(at_home, seen.place, blocked_in(seen.seeing), inside, place)
    country = less(at_home, seen.place, (seen.seeing + seen.false)[:, None], inside, place)
    alone = np.logaddexp(np.log1p(-ANYWHERE), np.log(ANYWHERE) + over_shares(siblings, UNLISTED))
    return Standing(
        elsewhere=over_shares(elsewhere, ELSEWHERE),
        siblings=over_shares(siblings, LISTED),
        siblings_alone=alone,
        country=country[:, 0],
    )


@frozen(eq=False)
class Throughout:
    """What each place shows of each thing over the whole time."""

    key: I64
    place: I64
    blind: F64  # out throughout, less fine; of what a scan holds to be struck nothing is said
    seeing: F64  # the same with what was struck among the failures
    false: F64  # what it costs to hold those that were struck for refused

    @classmethod
    def of(cls, witnesses: Witnesses) -> Self:
        """Add hours up, those in which it was out for everybody for as little as they say."""
        number, first = numbered(combined(witnesses.key, witnesses.place))
        spared = 1 - witnesses.out()

        def add(values: F64) -> F64:
            return totals(number, values, len(first))

        return cls(
            witnesses.key[first],
            witnesses.place[first],
            add(spared * witnesses.worth),
            add(spared * witnesses.seeing),
            np.minimum(add(witnesses.struck), MOST) * np.log(FALSE),
        )


def less(key: I64, part: I64, values: F64, wanted: I64, but: I64) -> F64:
    """Add rows up by key, all parts but one.

    Args:
        key: Of each row, from 0.
        part: Of each row, from 0.
        values: Rows of numbers.
        wanted: Keys to add up, n of them.
        but: The part that is left out of each.

    Returns:
        n rows of sums.
    """
    parts = int(max(part.max(initial=0), but.max(initial=0))) + 1
    pairs, number = np.unique(key * parts + part, return_inverse=True)
    own = sums(number, values, len(pairs))
    keys, group = np.unique(pairs // parts, return_inverse=True)
    return lookup(keys, wanted, sums(group, own, len(keys))) - lookup(pairs, wanted * parts + but, own)


def sums(group: I64, values: F64, count: int) -> F64:
    """Add rows up by group, column by column."""
    return np.stack([totals(group, column, count) for column in values.T], axis=1)


def blocked_in(outage: F64) -> F64:
    """Give the log-likelihood of each witness where a share of places is blocked, one column per share."""
    return np.asarray(np.logaddexp(np.log1p(-SHARES), np.log(SHARES) + np.maximum(outage, LEAST)[:, None]))


def over_shares(logs: F64, prior: tuple[float, float]) -> F64:
    """Integrate log-likelihoods over a Beta prior of shares, row by row."""
    from scipy.special import logsumexp
    from scipy.stats import beta

    weight = np.diff(beta.cdf(np.arange(len(SHARES) + 1) / len(SHARES), *prior))
    return np.asarray(logsumexp(logs, b=weight, axis=1))
