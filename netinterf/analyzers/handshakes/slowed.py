"""Whose handshakes are slow: one name's, an address's after it, or everybody's?

Candidates are the names of which some handshake was slow and finished. In Türkiye the connections of a client to an
address stayed slow for a while after one with a listed name, whatever their own (net4people/bbs 155): so with every
name goes the question whether those that followed it within some time belong to it.
"""

from collections.abc import Sequence
from math import lgamma, log
from typing import NamedTuple

import attrs
import numpy as np

from netinterf.analyzers.handshakes.causes import (
    LATE_LINE,
    LATE_PATH,
    LATE_SERVER,
    LINE,
    Counts,
    against_all,
    against_loss,
    against_queues,
    against_server,
    against_way,
    losses_known,
    way_prior,
)
from netinterf.analyzers.handshakes.visits import Visits, counted
from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import combined
from netinterf.values import frozen

__all__ = ["CLEAR", "SlowedName", "alone", "slowed_names"]

MEMORIES_NS = (0, 20_000_000_000, 60_000_000_000)
"""How long an address may stay slow after a name that are tried: not at all, or about as long as in the examples that
were reported, whose handshakes took up to a minute (net4people/bbs 155)."""

NEVER = np.iinfo(np.int64).max

CLEAR = 5.0
"""Nats from which on ways and lines do not explain slow handshakes: none of 7,158 benign simulated pairs of client and
server had so many and a contrast besides."""

MOST_CANDIDATES = 15
"""Candidates of one client that are weighed, those with the most slow visits: where more are slow, it is no list."""

FEW = 4
"""Sites that were slow and may well be all listed; of more, the extreme one is so by chance, and that has its price."""

TOGETHER = 512
"""Candidates that are weighed at once: enough that no call is for a few, in a few megabytes."""


@frozen(eq=False, kw_only=True)
class Controls:
    """How much ways lose by what went beside some visits, and would share their trouble if its cause were harmless.

    Of what leads the same way and of the whole line there are two accounts, all of it and what is left without the
    other suspects: these may be listed as well, at the price of having chosen them.
    """

    ways: F64  # shape (…, 5, losses), as `losses_known` gives it: by the server's other visits, the way, what is left
    # of it, the line, and what is left of that
    price: F64 | float  # nats
    choices: F64 | float  # what it costs to have chosen the visits themselves, nats

    def against(self, suspects: Counts, contrast: F64 | float) -> F64:
        """Weigh visits against all harmless causes, with contrasts to the server's other names, nats."""
        losses = against_loss(suspects.along((..., None)), self.ways)
        server, way, way_left, line, line_left = np.moveaxis(losses, -1, 0)
        by_way = against_way(server, self.shared(way, way_left)) + against_queues(suspects, LATE_PATH)
        by_line = self.shared(line, line_left) + against_queues(suspects, LATE_LINE)
        return against_all(by_way, by_line, contrast + against_queues(suspects, LATE_SERVER)) - self.choices

    def shared(self, every: F64, left: F64) -> F64:
        """Weigh visits against losses that all others share, or all but the other suspects."""
        either: F64 = np.maximum(every, left - self.price)
        return either


@frozen(eq=False)
class Suspected:
    """What may be slowed: a name, or several of a server, and the address for a while after them."""

    visits: Visits  # all of the client
    server: int
    own: Mask  # those with the name
    target: Mask  # … and those that followed
    company: tuple[Mask, ...]  # what went beside them, in the order of `Controls`
    prior: F64  # how much such ways lose
    price: float  # what it costs to have chosen all that is suspected among all sites, nats
    choices: float  # … to have chosen these, nats


class Weighed(NamedTuple):
    """What may be slowed, and what it weighs."""

    suspected: Suspected
    ways: F64  # how much its ways lose: see `Controls`
    pooled: float  # see `SlowedName`
    compared: float
    contrast: float


@frozen(eq=False, kw_only=True)
class SlowedName:
    """One name whose handshakes were slow, or an address after it."""

    rows: I64  # of Visits: those that were slow
    named: Mask  # aligned: with the name itself; the others followed it
    slow: int
    visits: int
    others_slow: int  # handshakes under other names with the same server
    others: int
    single: Counts  # each slow visit by itself
    beside: Controls
    pooled: float  # log-likelihood ratio of all together
    compared: float  # … with the server's other names beside them
    contrast: float  # of these names against the server's others alone
    elsewhere: float = 0.0  # such contrasts at the client's other servers


def alone(names: Sequence[SlowedName]) -> list[F64]:
    """Weigh each slow visit of some names by itself: log-likelihood ratios, one for each row of each name."""
    if not names:
        return []
    count = [len(name.rows) for name in names]
    beside = Controls(
        ways=np.repeat(np.stack([name.beside.ways for name in names]), count, axis=0),
        price=np.repeat([name.beside.price for name in names], count),
        choices=np.repeat([name.beside.choices for name in names], count),
    )
    weight = beside.against(Counts.joined([name.single for name in names]), 0.0)
    return np.split(weight, np.cumsum(count)[:-1])


def slowed_names(clients: Sequence[Visits]) -> list[list[SlowedName]]:
    """Weigh every candidate of some clients; of the candidates of one server the likeliest is kept.

    Args:
        clients: The visits of each.

    Returns:
        What may be slowed, of each client.
    """
    suspected = [suspected_names(visits) for visits in clients]
    weighed = iter(weigh([one for own in suspected for one in own]))
    return [likeliest([next(weighed) for _ in own]) for own in suspected]


def likeliest(weighed: Sequence[Weighed]) -> list[SlowedName]:
    """Keep the likeliest candidate of each server of a client, and tell what its other servers show."""
    best: dict[int, Weighed] = {}
    for one in weighed:
        server = one.suspected.server
        if server not in best or one.compared > best[server].compared:
            best[server] = one
    kept = [slowed_name(one) for one in best.values()]
    contrasts = [max(slowed_name.contrast, 0.0) if slowed_name.pooled >= CLEAR else 0.0 for slowed_name in kept]
    return [
        attrs.evolve(slowed_name, elsewhere=sum(contrasts) - contrast)
        for slowed_name, contrast in zip(kept, contrasts, strict=True)
    ]


def suspected_names(visits: Visits) -> list[Suspected]:
    """List what may be slowed of one client."""
    site = combined(visits.server, visits.name)
    sites = int(site.max(initial=-1)) + 1
    times = np.bincount(site[visits.slow & visits.finished], minlength=sites)
    chosen, listed = np.flatnonzero(times), (times > 0)[site]
    worst = np.sort(chosen[np.argsort(-times[chosen], kind="stable")[:MOST_CANDIDATES]])
    price = log_choose(sites, len(chosen))
    suspected: list[Suspected] = []
    for own in candidates(visits, site, worst):
        here = site[visits.server == visits.server[own][0]]
        names = different(site[own])
        among = max(0.0, log(len(chosen) / FEW)) + (log_choose(different(here), names) if names > 1 else 0.0)
        suspected += suspect(visits, own, listed, price, among)
    return suspected


def different(numbers: I64) -> int:
    """Count different numbers, which are from 0 on and small."""
    return int(np.count_nonzero(np.bincount(numbers)))


def candidates(visits: Visits, site: I64, chosen: I64) -> list[Mask]:
    """List what may be slowed: each name that was slow at a server, and all such names of a server together."""
    single = [site == number for number in chosen.tolist()]
    servers, names = np.unique([int(visits.server[own][0]) for own in single], return_counts=True)
    listed: Mask = np.logical_or.reduce(single)
    return single + [listed & (visits.server == server) for server in servers[names > 1].tolist()]


def suspect(visits: Visits, own: Mask, listed: Mask, price: float, choices: float) -> list[Suspected]:
    """Say which visits a candidate may be about, with each memory that reaches others.

    Args:
        visits: Of one client.
        own: The visits with the name, or the names, to one server.
        listed: Visits of all candidates.
        price: What it costs to have chosen these candidates among all sites, nats.
        choices: What it costs to have chosen these names among all that were slow, nats.
    """
    server, network = visits.server[own][0], visits.network[own][0]
    here, there = visits.server == server, visits.network == network
    found: list[Suspected] = []
    late = behind(visits.begin[here], visits.begin[own], visits.end[own])
    for memory in MEMORIES_NS if len(late) > np.count_nonzero(own) else (0,):
        target = own.copy()
        target[here] |= (late <= memory) if memory else False
        if found and target.sum() == found[-1].target.sum():
            continue
        near = visits.near(target) & ~target
        company = (near & here, near & there, near & there & ~listed, near, near & ~listed)
        chosen = choices + (log(len(MEMORIES_NS) - 1) if memory else 0.0)
        prior = bad_ways(visits, near & ~here)
        found.append(Suspected(visits, int(server), own, target, company, prior, price, chosen))
    return found


def weigh(suspected: Sequence[Suspected]) -> list[Weighed]:
    """Weigh what may be slowed, of whichever clients, many at once."""
    weighed: list[Weighed] = []
    for start in range(0, len(suspected), TOGETHER):
        weighed += weigh_together(suspected[start : start + TOGETHER])
    return weighed


def weigh_together(suspected: Sequence[Suspected]) -> list[Weighed]:
    """Weigh some."""
    asked = [(one.visits, part) for one in suspected for part in (one.target, *one.company)]
    counts = counted(asked).along((np.arange(len(asked)).reshape(len(suspected), -1),))
    suspects, beside = counts.along((..., 0)), counts.along((..., slice(1, None)))
    priors = np.stack([[one.prior, one.prior, one.prior, LINE, LINE] for one in suspected])
    ways = losses_known(priors, beside)
    contrast = against_server(suspects, beside.along((..., 0)), priors[:, 0])
    price, choices = (np.array([[getattr(one, name)] for one in suspected]) for name in ("price", "choices"))
    every = Controls(ways=ways[:, None], price=price, choices=choices)
    weight = every.against(suspects.along((..., None)), np.stack([np.zeros(len(contrast)), contrast], axis=-1))
    return [
        Weighed(one, way, pooled, compared, against)
        for one, way, (pooled, compared), against in zip(
            suspected, ways, weight.tolist(), contrast.tolist(), strict=True
        )
    ]


def slowed_name(weighed: Weighed) -> SlowedName:
    """Describe what may be slowed, and what it weighs."""
    suspected = weighed.suspected
    visits, others = suspected.visits, suspected.company[0]
    rows = np.flatnonzero(suspected.target & visits.slow)
    return SlowedName(
        rows=rows,
        named=suspected.own[rows],
        slow=len(rows),
        visits=int(suspected.target.sum()),
        others_slow=int((others & visits.slow).sum()),
        others=int(others.sum()),
        single=visits.single(rows),
        beside=Controls(ways=weighed.ways, price=suspected.price, choices=suspected.choices),
        pooled=weighed.pooled,
        compared=weighed.compared,
        contrast=weighed.contrast,
    )


def bad_ways(visits: Visits, which: Mask) -> F64:
    """Give the prior of a way whose client has others: those of which most visits were slow are bad."""
    host = visits.host[which]
    known = np.bincount(host, weights=visits.slow[which] | visits.quick[which])
    slow = np.bincount(host, weights=visits.slow[which])
    return way_prior(int(np.count_nonzero(2 * slow > known)), int(np.count_nonzero(known)))


def log_choose(count: int, taken: int) -> float:
    """Give the logarithm of the number of ways to choose so many."""
    return lgamma(count + 1) - lgamma(taken + 1) - lgamma(count - taken + 1)


def behind(begin: I64, since: I64, until: I64) -> I64:
    """Say how long after the end of some spans each moment lies, of those that began before it; ns."""
    order = np.argsort(since)
    reach = np.maximum.accumulate(until[order])  # of all spans that began before
    begun = np.searchsorted(since[order], begin)
    return np.where(begun > 0, begin - reach[np.maximum(begun - 1, 0)], NEVER)
