"""Whose the destinations are, by the user's table of networks, and which country is home.

A class is never guessed: what the table does not list is unknown, and takes no part. Home is the country of the
client's own network. Where that is private or not listed, every country whose destinations answer is tried as home, the
search is paid for (little by the one with the shortest round trips), and the evidence says that home was assumed.
"""

import attrs
import numpy as np

from netinterf.analyzers.isolation.attempts import Attempts
from netinterf.analyzers.isolation.observed import Observed
from netinterf.arrays import I64
from netinterf.context.networks import KnownNetworks
from netinterf.numbering import numbered

__all__ = ["FEWEST_AT_HOME", "candidates", "own_country", "place"]

FEWEST_AT_HOME = 5
"""Networks at home that must have answered: with fewer nothing shows that home is well (judgement)."""

NEAREST = 0.9
"""How likely the country with the shortest round trips is home: nearly always, but where neighbours lie nearer than the
next exchange at home, or big hosters answer from close by (judgement)."""


def countries(observed: Observed, networks: KnownNetworks, host: I64) -> tuple[I64, I64]:
    """Look up the autonomous system and the country of hosts, as numbers; -1 where nobody tells."""
    number, first = numbered(host)
    unique = host[first]
    owners = networks.whose(observed.hosts.high[unique], observed.hosts.low[unique])
    known = (column.astype(np.int64) for column in (owners.asn, owners.country))
    system, country = (np.where(column > 0, column, -1)[number] for column in known)
    return system, country


def place(observed: Observed, networks: KnownNetworks) -> Attempts:
    """Fill in systems and countries."""
    system, country = countries(observed, networks, observed.origins.host)
    return attrs.evolve(observed.attempts, system=system, country=country)


def own_country(observed: Observed, networks: KnownNetworks) -> int | None:
    """Find the country that the networks of all listed clients are in; None without one, or with several."""
    _, country = countries(observed, networks, np.unique(observed.origins.client))
    known = np.unique(country[country >= 0])
    return int(known[0]) if len(known) == 1 else None


def candidates(attempts: Attempts) -> dict[int, float]:
    """List the countries that may be home, those in which enough networks answered, and how likely each is, log."""
    good = (attempts.passed == 1) & (attempts.country >= 0)
    pairs = np.unique(np.stack([attempts.country[good], attempts.cluster[good]]), axis=1)
    country, count = np.unique(pairs[0], return_counts=True)
    homes = [int(code) for code in country[count >= FEWEST_AT_HOME]]
    measured = good & (attempts.trip > 0)
    trips = [median_of(attempts.trip[measured & (attempts.country == home)]) for home in homes]
    if len(homes) < 2 or not np.isfinite(trips).all():
        return dict.fromkeys(homes, -float(np.log(max(len(homes), 1))))
    others = float(np.log1p(-NEAREST) - np.log(len(homes) - 1))
    return {home: float(np.log(NEAREST)) if place == np.argmin(trips) else others for place, home in enumerate(homes)}


def median_of(trips: I64) -> float:
    """Compute the median, infinite for none."""
    return float(np.median(trips)) if len(trips) else np.inf
