"""How the same thing stands in other places over the whole time: blocked there as well, or fine.

A block list is kept by somebody for some networks; so what is blocked here may be blocked in other places, of the same
country above all. A server that refuses a country refuses all of its networks alike. Both are told from each other by
which of them fail.
"""

from typing import Self

import numpy as np

from netinterf.arrays import F64, I64
from netinterf.numbering import combined, numbered, totals
from netinterf.observations.table import Observations
from netinterf.pooling.episodes import EPISODE_NS
from netinterf.pooling.others import MOST, Others, by_place_and_time, outage
from netinterf.pooling.tallies import Tallies
from netinterf.values import frozen

__all__ = ["Standing", "standing_of"]

ELSEWHERE = (0.05, 0.95)
"""Beta prior of the share of other places in which what is blocked here is blocked as well: mostly none, and then often
many, since lists are kept by country and some names are on many (judgement)."""

SAME_COUNTRY = (0.5, 0.5)
"""The same of other places in the country: all of them or none, mostly, and nobody knows which (Jeffreys)."""

SHARES = (np.arange(40) + 0.5) / 40
"""Shares over which both are integrated."""

LEAST = -700.0
"""Log-likelihoods are kept above this: a double knows nothing smaller."""

FALSE = 0.02
"""Share of accusations that are false, at most: what a scan holds to be struck elsewhere in the country is no refusal
(measured on captures that nobody had tuned to: 2.2 % of benign files)."""


@frozen(eq=False, kw_only=True)
class Standing:
    """What other places say of failing cells, log-likelihoods in nats against all of them being fine."""

    elsewhere: F64  # blocked in some share of the places that are not known to be of the same country
    siblings: F64  # blocked in some share of the other places of the country
    country: F64  # refused in all of these


def standing_of(observations: Observations, tallies: Tallies, cells: I64, countries: I64) -> Standing:
    """Ask other places about failing cells.

    Args:
        observations: Of any places.
        tallies: What came of their cells.
        cells: Which cells; a server that never opened is asked about whatever was tried there.
        countries: Country of each place, by its number; -1 where it is not known.
    """
    table, result = observations, np.zeros((3, len(cells)))
    nation = np.where(countries >= 0, countries, len(countries) + np.arange(len(countries)))  # unknown: of its own
    service = np.zeros(len(tallies), np.int64)
    service[tallies.cell] = table.service
    unopened = ~tallies.named & (tallies.at_opening > 0) & (tallies.at_opening == tallies.failed)
    for server, key, of_cell in ((False, table.unit, tallies.unit), (True, table.service, service)):
        at = np.flatnonzero(unopened[cells] == server)
        witnesses = Witnesses.of(table, tallies, key, of_cell[cells[at]])
        result[:, at] = witnesses.about(of_cell[cells[at]], tallies.place[cells[at]], nation)
    elsewhere, siblings, country = result
    return Standing(elsewhere=elsewhere, siblings=siblings, country=country)


@frozen(eq=False)
class Witnesses:
    """What each place shows of each key over the whole time."""

    key: I64
    place: I64
    blind: F64  # out throughout, less fine; of what the scan holds to be struck nothing is said
    seeing: F64  # the same with what was struck among the failures
    false: F64  # what it costs to hold those that were struck for refused

    @classmethod
    def of(cls, table: Observations, tallies: Tallies, key: I64, asked: I64) -> Self:
        """Add up what is said of the keys that are asked about."""
        wanted = np.zeros(int(key.max(initial=-1)) + 1, np.bool_)
        wanted[asked] = True
        rows = np.flatnonzero(wanted[key])
        place, period = table.place[rows].astype(np.int64), table.time[rows] // EPISODE_NS
        alive, failed = table.alive[rows].astype(np.float64), table.failed[rows].astype(np.float64)
        struck = np.where(tallies.struck[tallies.cell[rows]] > 0, failed, 0.0)
        keys, places, _, lived, died = by_place_and_time(key[rows], place, period, alive, failed)
        _, _, _, _, held = by_place_and_time(key[rows], place, period, alive, struck)
        number, first = numbered(combined(keys, places))

        def add(values: F64) -> F64:
            return totals(number, values, len(first))

        return cls(
            keys[first],
            places[first],
            add(outage(lived, died - held)),
            add(outage(lived, died)),
            np.minimum(add(held), MOST) * np.log(FALSE),
        )

    def about(self, key: I64, place: I64, nation: I64) -> tuple[F64, F64, F64]:
        """Say how keys stand in other places than one; see `Standing`.

        Args:
            key: Keys, n of them.
            place: Whose others are asked.
            nation: Number of each place's country.
        """
        nations = int(nation.max(initial=0)) + 1
        theirs = nation[self.place]
        abroad = Others.of(self.key, theirs, blocked_in(self.blind))
        elsewhere, _ = abroad.but(key, nation[place])
        at_home = Others.of(self.key * nations + theirs, self.place, blocked_in(self.seeing))
        refused = Others.of(self.key * nations + theirs, self.place, self.seeing + self.false)
        inside = key * nations + nation[place]
        siblings, _ = at_home.but(inside, place)
        country, _ = refused.but(inside, place)
        return over_shares(elsewhere, ELSEWHERE), over_shares(siblings, SAME_COUNTRY), country


def blocked_in(outage: F64) -> F64:
    """Give the log-likelihood of each witness where a share of places is blocked, one column per share."""
    return np.asarray(np.logaddexp(np.log1p(-SHARES), np.log(SHARES) + np.maximum(outage, LEAST)[:, None]))


def over_shares(logs: F64, prior: tuple[float, float]) -> F64:
    """Integrate log-likelihoods over a Beta prior of shares, row by row."""
    from scipy.special import logsumexp
    from scipy.stats import beta

    weight = np.diff(beta.cdf(np.arange(len(SHARES) + 1) / len(SHARES), *prior))
    return np.asarray(logsumexp(logs, b=weight, axis=1))
