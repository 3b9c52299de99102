"""Whose handshakes are slow: one name's, an address's after it, or everybody's?

Candidates are the names of which some handshake was slow and finished. In Türkiye the connections of a client to an
address stayed slow for a while after one with a listed name, whatever their own (net4people/bbs 155): so with every
name goes the question whether those that followed it within some time belong to it.
"""

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

    def take(self, rows: I64) -> "Visits":
        """Select rows."""
        return Visits(**{field.name: getattr(self, field.name)[rows] for field in attrs.fields(Visits)})

    def counted(self, which: Mask) -> Counts:
        """Add up visits; those that are one event count once."""
        rows = np.flatnonzero(which)
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

    def single(self, row: int) -> Counts:
        """Give the company that one slow visit is to itself."""
        more = min(int(self.rounds[row]) - 1, MOST_ROUNDS)
        resent, segments = float(self.rest[row]), float(self.segments[row])
        delayed = float(self.delayed[row])
        return Counts(slow=1.0, visits=1.0, delayed=delayed, more=float(more), resent=resent, segments=segments)

    def near(self, which: Mask) -> Mask:
        """Say which visits began within a minute of the time that some took."""
        begin, end = self.begin[which].min() - NEAR_NS, self.end[which].max() + NEAR_NS
        nearby: Mask = (self.begin >= begin) & (self.begin <= end)
        return nearby


def overlaps(begin: I64, end: I64) -> I64:
    """Count the spans that overlap each, itself included: what one disturbance may have hit.

    Once a handshake was over, the way had worked again.
    """
    started = np.searchsorted(np.sort(begin), end, side="right")
    overlapping: I64 = started - np.searchsorted(np.sort(end), begin)
    return overlapping


@attrs.frozen(eq=False, kw_only=True)
class Controls:
    """How much ways lose by what went beside some visits, and would share their trouble if its cause were harmless.

    Of what leads the same way and of the whole line there are two accounts, all of it and what is left without the
    other suspects: these may be listed as well, at the price of having chosen them.
    """

    server: F64  # by the server's other visits; all as `losses_known` gives it
    way: tuple[F64, F64]
    line: tuple[F64, F64]
    price: float  # nats
    choices: float  # what it costs to have chosen the visits themselves, nats

    def against(self, suspects: Counts, contrast: float) -> float:
        """Weigh visits against all harmless causes, with a contrast to the server's other names."""
        alone = against_loss(suspects, self.server)
        by_way = against_way(alone, self.shared(suspects, self.way)) + against_queues(suspects, LATE_PATH)
        by_line = self.shared(suspects, self.line) + against_queues(suspects, LATE_LINE)
        return against_all(by_way, by_line, contrast + against_queues(suspects, LATE_SERVER)) - self.choices

    def shared(self, suspects: Counts, ways: tuple[F64, F64]) -> float:
        """Weigh visits against losses that all others share, or all but the other suspects."""
        every, left = (against_loss(suspects, way) for way in ways)
        return max(every, left - self.price)


@attrs.frozen(eq=False, kw_only=True)
class SlowedName:
    """One name whose handshakes were slow, or an address after it."""

    rows: I64  # of Visits: those that were slow
    named: Mask  # aligned: with the name itself; the others followed it
    slow: int
    visits: int
    others_slow: int  # handshakes under other names with the same server
    others: int
    single: tuple[Counts, ...]  # each slow visit by itself
    beside: Controls
    pooled: float  # log-likelihood ratio of all together
    compared: float  # … with the server's other names beside them
    contrast: float  # of these names against the server's others alone
    elsewhere: float = 0.0  # such contrasts at the client's other servers

    def alone(self) -> F64:
        """Weigh each slow visit by itself: log-likelihood ratios, one for each row."""
        return np.array([self.beside.against(visit, 0.0) for visit in self.single])


def slowed_names(visits: Visits) -> list[SlowedName]:
    """Weigh every candidate of one client; of the candidates of one server the likeliest is kept."""
    site = combined(visits.server, visits.name)
    chosen, times = np.unique(site[visits.slow & visits.finished], return_counts=True)
    listed = np.isin(site, chosen)
    worst = np.sort(chosen[np.argsort(-times, kind="stable")[:MOST_CANDIDATES]])
    sites = int(site.max(initial=-1)) + 1
    best: dict[int, SlowedName] = {}
    for own in candidates(visits, site, worst):
        server = int(visits.server[own][0])
        here = site[visits.server == server]
        names = len(np.unique(site[own]))
        among = max(0.0, log(len(chosen) / FEW)) + (log_choose(len(np.unique(here)), names) if names > 1 else 0.0)
        for memory in MEMORIES_NS:
            slowed = weigh(visits, own, memory, listed, log_choose(sites, len(chosen)), among)
            if slowed and (server not in best or slowed.compared > best[server].compared):
                best[server] = slowed
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


def weigh(visits: Visits, own: Mask, memory: int, listed: Mask, price: float, choices: float) -> SlowedName | None:
    """Weigh one candidate; None where a memory changes nothing.

    Args:
        visits: Of one client.
        own: The visits with the name, or the names, to one server.
        memory: How long the address stays slow after one of them, ns.
        listed: Visits of all candidates.
        price: What it costs to have chosen these candidates among all sites, nats.
        choices: What it costs to have chosen these names among all that were slow, nats.
    """
    here, there = (column == column[own][0] for column in (visits.server, visits.network))
    target = own.copy()
    target[here] |= followed(visits.begin[here], visits.begin[own], visits.end[own], memory)
    if memory and target.sum() == own.sum():
        return None
    near = visits.near(target) & ~target
    prior, others = bad_ways(visits, near & ~here), visits.counted(near & here)

    def known(like: F64, part: Mask) -> tuple[F64, F64]:
        return losses_known(like, visits.counted(part)), losses_known(like, visits.counted(part & ~listed))

    beside = Controls(
        server=losses_known(prior, others),
        way=known(prior, near & there),
        line=known(LINE, near),
        price=price,
        choices=choices + (log(len(MEMORIES_NS) - 1) if memory else 0.0),
    )
    suspects, rows = visits.counted(target), np.flatnonzero(target & visits.slow)
    contrast = against_server(suspects, others, prior)
    return SlowedName(
        rows=rows,
        named=own[rows],
        slow=len(rows),
        visits=int(target.sum()),
        others_slow=int((near & here & visits.slow).sum()),
        others=int((near & here).sum()),
        single=tuple(map(visits.single, rows.tolist())),
        beside=beside,
        pooled=beside.against(suspects, 0.0),
        compared=beside.against(suspects, contrast),
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
