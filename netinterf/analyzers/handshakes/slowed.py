"""Whose handshakes are slow: one name's, an address's after it, or everybody's?

Candidates are the names of which some handshake was slow and finished. In Türkiye the connections of a client to an
address stayed slow for a while after one with a listed name, whatever their own (net4people/bbs 155): so with every
name goes the question whether those that followed it within some time belong to it.
"""

from collections.abc import Sequence
from math import lgamma, log

import attrs
import numpy as np

from netinterf.analyzers.contrast import NEAR_NS
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
from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import combined

__all__ = ["CLEAR", "SlowedName", "Visits", "slowed_names"]

MEMORIES_NS = (0, 20_000_000_000, 60_000_000_000)
"""How long an address may stay slow after a name that are tried: not at all, or about as long as in the examples that
were reported, whose handshakes took up to a minute (net4people/bbs 155)."""

CLEAR = 5.0
"""Nats from which on ways and lines do not explain slow handshakes: none of 7,158 benign simulated pairs of client and
server had so many and a contrast besides."""

MOST_CANDIDATES = 15
"""Candidates of one client that are weighed, those with the most slow visits: where more are slow, it is no list."""

FEW = 4
"""Sites that were slow and may well be all listed; of more, the extreme one is so by chance, and that has its price."""

MOST_ROUNDS = 4
"""Further rounds that count for one visit: timers double, so 5 s of outage are as many (RFC 6298 §5.5)."""


@attrs.frozen(eq=False, kw_only=True)
class Visits:
    """Handshakes of one client, in time order; all columns are aligned."""

    flow: I64
    server: I64
    network: I64  # of the server, /24 or /48: the way leads there
    name: I64
    hello: I64  # rows in Packets
    begin: I64  # ns
    end: I64
    trip: I64  # ns, the least round trip
    finished: Mask
    slow: Mask
    quick: Mask  # the others took long, and nothing shows whose time it was
    delayed: Mask  # a segment was late for a second and yet not lost
    rounds: I64  # times at which segments of the handshake were sent again
    rest: I64  # … in the rest of the connection
    segments: I64  # of the rest

    counts: dict[bytes, Counts] = attrs.field(init=False, factory=dict)  # of companies that were asked for

    def take(self, rows: I64) -> "Visits":
        """Select rows."""
        return Visits(**{field.name: getattr(self, field.name)[rows] for field in attrs.fields(Visits) if field.init})

    def counted(self, which: Mask) -> Counts:
        """Add up visits; those that are one event count once. Many candidates have the same company."""
        key = which.tobytes()
        if key not in self.counts:
            self.counts[key] = self._counted(np.flatnonzero(which))
        return self.counts[key]

    def _counted(self, rows: I64) -> Counts:
        begin, end, slow = self.begin[rows], self.end[rows], self.slow[rows]
        weight = np.empty(len(rows))
        for part in (slow, ~slow):
            weight[part] = 1.0 / overlaps(begin[part], end[part])
        hit = weight * slow
        known = weight * (self.quick[rows] | self.slow[rows])
        more = np.clip(self.rounds[rows] - 1, 0, MOST_ROUNDS)
        return Counts(
            slow=float(hit.sum()),
            visits=float(known.sum()),
            delayed=float((hit * self.delayed[rows]).sum()),
            more=float((hit * more).sum()),
            resent=float(self.rest[rows].sum()),
            segments=float(self.segments[rows].sum()),
        )

    def single(self, rows: I64) -> Counts:
        """Give the company that each of some slow visits is to itself."""
        one = np.ones(len(rows))
        return Counts(
            slow=one,
            visits=one,
            delayed=self.delayed[rows].astype(np.float64),
            more=np.minimum(self.rounds[rows] - 1, MOST_ROUNDS).astype(np.float64),
            resent=self.rest[rows].astype(np.float64),
            segments=self.segments[rows].astype(np.float64),
        )

    def near(self, which: Mask) -> Mask:
        """Say which visits began within a minute of the time that some took."""
        begin, end = self.begin[which].min() - NEAR_NS, self.end[which].max() + NEAR_NS
        nearby: Mask = (self.begin >= begin) & (self.begin <= end)
        return nearby


def overlaps(begin: I64, end: I64) -> I64:
    """Count the spans that overlap each, itself included: what one disturbance may have hit.

    Once a handshake was over, the way had worked again.
    """
    if len(begin) < 2:
        return np.ones(len(begin), np.int64)
    started = np.searchsorted(np.sort(begin), end, side="right")
    overlapping: I64 = started - np.searchsorted(np.sort(end), begin)
    return overlapping


@attrs.frozen(eq=False, kw_only=True)
class Controls:
    """How much ways lose by what went beside some visits, and would share their trouble if its cause were harmless.

    Of what leads the same way and of the whole line there are two accounts, all of it and what is left without the
    other suspects: these may be listed as well, at the price of having chosen them.
    """

    ways: F64  # shape (…, 5, losses), as `losses_known` gives it: by the server's other visits, the way, what is left
    # of it, the line, and what is left of that
    price: float  # nats
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


@attrs.frozen(eq=False)
class Suspected:
    """What may be slowed: a name, or several of a server, and the address for a while after them."""

    server: int
    own: Mask  # of all visits of the client: those with the name
    target: Mask  # … and those that followed
    company: tuple[Mask, ...]  # what went beside them, in the order of `Controls`
    prior: F64  # how much such ways lose
    choices: float  # what it costs to have chosen them, nats


@attrs.frozen(eq=False, kw_only=True)
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

    def alone(self) -> F64:
        """Weigh each slow visit by itself: log-likelihood ratios, one for each row."""
        return self.beside.against(self.single, np.zeros(len(self.rows)))


def slowed_names(visits: Visits) -> list[SlowedName]:
    """Weigh every candidate of one client; of the candidates of one server the likeliest is kept."""
    site = combined(visits.server, visits.name)
    chosen, times = np.unique(site[visits.slow & visits.finished], return_counts=True)
    listed = np.isin(site, chosen)
    worst = np.sort(chosen[np.argsort(-times, kind="stable")[:MOST_CANDIDATES]])
    suspected: list[Suspected] = []
    for own in candidates(visits, site, worst):
        here = site[visits.server == visits.server[own][0]]
        names = len(np.unique(site[own]))
        among = max(0.0, log(len(chosen) / FEW)) + (log_choose(len(np.unique(here)), names) if names > 1 else 0.0)
        suspected += suspect(visits, own, listed, among)
    best: dict[int, SlowedName] = {}
    price = log_choose(int(site.max(initial=-1)) + 1, len(chosen))
    for one, slowed in zip(suspected, weigh(visits, suspected, price), strict=True):
        if one.server not in best or slowed.compared > best[one.server].compared:
            best[one.server] = slowed
    likeliest = list(best.values())
    contrasts = [max(slowed_name.contrast, 0.0) if slowed_name.pooled >= CLEAR else 0.0 for slowed_name in likeliest]
    return [
        attrs.evolve(slowed_name, elsewhere=sum(contrasts) - contrast)
        for slowed_name, contrast in zip(likeliest, contrasts, strict=True)
    ]


def candidates(visits: Visits, site: I64, chosen: I64) -> list[Mask]:
    """List what may be slowed: each name that was slow at a server, and all such names of a server together."""
    single = [site == number for number in chosen.tolist()]
    servers, names = np.unique([int(visits.server[own][0]) for own in single], return_counts=True)
    listed = np.isin(site, chosen)
    return single + [listed & (visits.server == server) for server in servers[names > 1].tolist()]


def suspect(visits: Visits, own: Mask, listed: Mask, choices: float) -> list[Suspected]:
    """Say which visits a candidate may be about, with each memory that reaches others.

    Args:
        visits: Of one client.
        own: The visits with the name, or the names, to one server.
        listed: Visits of all candidates.
        choices: What it costs to have chosen these names among all that were slow, nats.
    """
    server, network = visits.server[own][0], visits.network[own][0]
    here, there = visits.server == server, visits.network == network
    found: list[Suspected] = []
    for memory in MEMORIES_NS:
        target = own.copy()
        target[here] |= followed(visits.begin[here], visits.begin[own], visits.end[own], memory)
        if found and target.sum() == found[-1].target.sum():
            continue
        near = visits.near(target) & ~target
        company = (near & here, near & there, near & there & ~listed, near, near & ~listed)
        chosen = choices + (log(len(MEMORIES_NS) - 1) if memory else 0.0)
        prior = bad_ways(visits, near & ~here)
        found.append(Suspected(int(server), own, target, company, prior, chosen))
    return found


def weigh(visits: Visits, suspected: Sequence[Suspected], price: float) -> list[SlowedName]:
    """Weigh what may be slowed, all of one client at once.

    Args:
        visits: Of the client.
        suspected: What may be slowed.
        price: What it costs to have chosen these candidates among all sites, nats.
    """
    suspects = Counts.stacked([visits.counted(one.target) for one in suspected])
    company = Counts.stacked([Counts.stacked(list(map(visits.counted, one.company))) for one in suspected])
    priors = np.stack([[one.prior, one.prior, one.prior, LINE, LINE] for one in suspected])
    ways, choices = losses_known(priors, company), np.array([one.choices for one in suspected])
    contrast = against_server(suspects, company.along((..., 0)), priors[:, 0])
    every = Controls(ways=ways[:, None], price=price, choices=choices[:, None])
    weight = every.against(suspects.along((..., None)), np.stack([np.zeros(len(contrast)), contrast], axis=-1))
    return [
        slowed_name(visits, one, Controls(ways=way, price=price, choices=one.choices), pooled, compared, alone)
        for one, way, (pooled, compared), alone in zip(suspected, ways, weight.tolist(), contrast.tolist(), strict=True)
    ]


def slowed_name(
    visits: Visits, suspected: Suspected, beside: Controls, pooled: float, compared: float, contrast: float
) -> SlowedName:
    """Describe what may be slowed, and what it weighs."""
    others, rows = suspected.company[0], np.flatnonzero(suspected.target & visits.slow)
    return SlowedName(
        rows=rows,
        named=suspected.own[rows],
        slow=len(rows),
        visits=int(suspected.target.sum()),
        others_slow=int((others & visits.slow).sum()),
        others=int(others.sum()),
        single=visits.single(rows),
        beside=beside,
        pooled=pooled,
        compared=compared,
        contrast=contrast,
    )


def bad_ways(visits: Visits, which: Mask) -> F64:
    """Give the prior of a way whose client has others: those of which most visits were slow are bad."""
    _, place = np.unique(visits.server[which], return_inverse=True)
    known = np.bincount(place, weights=visits.slow[which] | visits.quick[which])
    slow = np.bincount(place, weights=visits.slow[which])
    return way_prior(int(np.count_nonzero(2 * slow > known)), int(np.count_nonzero(known)))


def log_choose(count: int, taken: int) -> float:
    """Give the logarithm of the number of ways to choose so many."""
    return lgamma(count + 1) - lgamma(taken + 1) - lgamma(count - taken + 1)


def followed(begin: I64, since: I64, until: I64, memory: int) -> Mask:
    """Say which moments lie after the begin of one of some spans and at most *memory* after its end."""
    if not memory:
        return np.zeros(len(begin), np.bool_)
    order = np.argsort(since)
    reach = np.maximum.accumulate(until[order])  # of all spans that began before
    begun = np.searchsorted(since[order], begin)
    follows: Mask = (begun > 0) & (begin - memory <= reach[np.maximum(begun - 1, 0)])
    return follows
