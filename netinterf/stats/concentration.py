"""Did connections stop at a common count, as a counter makes them, or wherever something broke?

A failure strikes with the same hazard at every packet, so where connections fail is geometric: most of them early,
with a long tail; or it strikes transfers that are alike when they are about so large. A counter lets all of them come
to its limit, and none much beyond. What got farther without being stopped counts as well: under a hazard it is what is
usual, under a limit it is what a limit excludes.

Failures come in company, though: one bad server, or one bad line, makes many. So the harmless explanation may take any
server for bad, and give it the hazard that explains it best, or the whole line; each at the price of its rarity. The
limit is averaged over a grid of places, widths and units (packets or bytes), which pays for the search; half of the
belief lies about the limits that others reported. At each site
(a server under one name) it holds or not, both being equally probable.

Sources: Cox and Oakes, "Analysis of Survival Data", 1984, §1.4 (hazards and censored lives); MacKay, "Information
Theory, Inference, and Learning Algorithms", 2003, ch. 28 (averaging pays for the search).
"""

from collections.abc import Sequence
from functools import cache, cached_property
from itertools import pairwise
from typing import NamedTuple, Self

import attrs
import numpy as np

from netinterf.arrays import F64, I64, Mask
from netinterf.stats.levels import row_blocks
from netinterf.stats.losses import price
from netinterf.values import frozen

__all__ = ["CommonLimit", "Lives", "find_common_limit", "find_common_limits"]

PACKETS: F64 = np.geomspace(13.0, 400.0, 90)
BYTES: F64 = np.geomspace(8e3, 3e5, 95)
"""Limits that are tried, some 4 % apart. Reported are about 25 packets of both directions, and 12 to 69 kB
(dpi-checkers; dpi-detector; Cloudflare 2025-06-26). Whatever falls silent within eight packets of its hello, twelve in
all, was dropped for what it said (Xue et al., TSPU, IMC 2022: five to eight packets after the trigger)."""

WIDTHS: F64 = np.array([0.03, 0.06, 0.12])
"""Standard deviations of the limit, as shares of it (judgement): counters are exact, observers of them are not. A width
of 0.3 explained failures as well as a limit: clients that left after 18 to 27 kB had reached seven nats by it."""

REPORTED = ((25.0, 0.3), (20e3, 0.4))
"""Where limits have been seen, packets and bytes, and their spread in the logarithm: about 25 packets
(dpi-checkers), 12 to 34 kB (Cloudflare 2025-06-26: 16; net4people/bbs 490: 15 to 20; dpi-detector: 14 to 34). Half of
the belief lies there, half anywhere (judgement)."""

LEAST_WIDTH = (1.0, 700.0)
"""Least standard deviation, packets and bytes: about one packet more or less may have passed unseen, half of one in
bytes."""

EXACT = 0.25
"""How often a connection was stopped by the last packet that is known to have passed, where later ones of a burst may
have passed as well. With 0.5, 0.25 and 0.1 simulated limits are placed within two packets in 42, 45 and 45 of 68 cases
(``python -m benchmarks freezes``)."""

LEAK = 0.05
"""Share of the connections of a limited site that the limit does not hold for (reference for all such rules: between
two and three in a hundred measurements of one pair differ; net4people/bbs 630)."""

USUAL_HAZARD = 1e-5
"""Chance per packet that a connection of a healthy server is stopped for good while its client is alive. Public
captures without interference show 4e-5 (``python -m benchmarks freezes``: 13 stops in 325,604 packets), those of bad
servers included, which have a hazard of their own; so a quarter of it (judgement)."""

LOOSE = 0.3
"""Least spread of the sizes, in the logarithm, at which transfers break that are alike without being counted: five
times what is taken for an exact count, so that a third more or less is no count (judgement)."""

BAD_SERVER, BAD_LINE = 0.01, 0.005
"""Chance that a server, or a client's line, stops connections with a hazard of its own. Of 1,060 pairs of hosts in
public captures without interference nine had one (``python -m benchmarks freezes``); lines are taken for half as often
bad (judgement)."""

MANY, MANY_BAD = 0.1, 0.2
"""In one capture in ten destinations break in numbers, as many as one in five (crawlers, peers, old lists, a region
that is down): then a few that broke at similar places are no wonder. Both are judgement, between the 1 % above and the
shares of dead destinations that scans find."""

BAD_CLIENT = 0.02
"""Chance that a client that is alive leaves a server so. Of 527 pairs of hosts in public captures that could show it
three did, all of one capture and within seven packets (``python -m benchmarks freezes``); taken for three times as
often, since these captures hold few phones (judgement)."""


TOGETHER = 256
"""Connections that are held against all limits at once, and more only of one client: they fit the cache of a core."""


@frozen(eq=False, kw_only=True)
class Lives:
    """How far connections got, one row each; counts have a column for each of `PLACES` that the counter may have."""

    packets: I64  # that had passed, at least: shape (n, places)
    packets_most: I64  # that had passed, at most
    bytes: I64  # of payload from the server that had passed, at least
    bytes_most: I64
    stopped: Mask  # it was stopped there, rather than ended by itself
    site: I64  # numbers from 0
    server: I64  # numbers from 0; a site belongs to one server
    client_left: Mask  # the client was no longer heard, rather than the server

    def counts(self, in_bytes: bool) -> tuple[I64, I64]:
        """Give how much had passed in one unit, at least and at most."""
        return (self.bytes, self.bytes_most) if in_bytes else (self.packets, self.packets_most)

    @cached_property
    def ages(self) -> F64:
        """How many packets each connection lived, wherever the counter stands."""
        middle: F64 = np.maximum(np.median(self.packets, axis=1), 1.0)
        return middle


class CommonLimit(NamedTuple):
    """The limit that explains where connections stopped."""

    llr: float  # log-likelihood ratio of a limit, whichever, against failures; nats
    packets: float  # where it lies if packets are counted: the posterior mean
    bytes: float  # the same if bytes are
    in_packets: float  # log-likelihood ratio that packets are counted, not bytes; nats
    log_odds: F64  # for each connection, log-odds that the limit stopped it; -inf for those that were not stopped


@frozen(eq=False)
class Crowd:
    """The lives of several clients, one client after the other; sites and servers have numbers of one client each."""

    lives: Lives
    edges: list[int]  # where the lives of each client begin, and after the last where all end

    @classmethod
    def of(cls, clients: Sequence[Lives]) -> Self:
        """Put clients side by side."""
        columns = {field.name: [getattr(own, field.name) for own in clients] for field in attrs.fields(Lives)}
        for name in ("site", "server"):
            above = np.cumsum([0, *(int(numbers.max(initial=-1)) + 1 for numbers in columns[name])])
            columns[name] = [numbers + first for numbers, first in zip(columns[name], above.tolist(), strict=False)]
        edges = np.cumsum([0, *(len(own.stopped) for own in clients)]).tolist()
        return cls(Lives(**{name: np.concatenate(column) for name, column in columns.items()}), edges)

    @property
    def client(self) -> I64:
        """The place of each life's client."""
        return np.repeat(np.arange(len(self.edges) - 1), np.diff(self.edges))

    def parts(self, rows: I64) -> list[tuple[int, int]]:
        """Say where those of each client begin and end among some lives, which stand client by client."""
        return list(pairwise(np.searchsorted(rows, self.edges).tolist()))


class CandidateLimits(NamedTuple):
    """All limits of one unit, held against the connections of the sites at which something stopped."""

    centre: F64  # limits at every place, m of them
    belief: F64  # log-probability of each before
    total: F64  # log-likelihood of all connections of each client, each site being limited or not; shape (clients, m)

    @property
    def average(self) -> F64:
        """Log-likelihood of all connections of each client under some limit."""
        whole: F64 = np.logaddexp.reduce(self.total + self.belief, axis=1)
        return whole

    @property
    def mean(self) -> F64:
        """Where the limit of each client lies on average."""
        weight = np.exp(self.total + self.belief - self.average[:, None])
        centre: F64 = np.sum(weight * self.centre, axis=1)
        return centre

    @property
    def likeliest(self) -> I64:
        """Which limit explains the connections of each client best."""
        best: I64 = np.argmax(self.total + self.belief, axis=1)
        return best


def find_common_limit(lives: Lives) -> CommonLimit:
    """Weigh a common limit against failures.

    Args:
        lives: Connections of one client, those that were stopped and those that were not.

    Returns:
        The limit; ``llr`` is 0 when nothing was stopped.
    """
    return find_common_limits([lives])[0]


def find_common_limits(clients: Sequence[Lives]) -> list[CommonLimit]:
    """Weigh a common limit of each client against failures, as `find_common_limit` does, many clients at once."""
    struck = [own for own in clients if own.stopped.any()]
    load = np.cumsum([0, *(len(own.stopped) for own in struck)])[:-1] // TOGETHER
    begins = np.flatnonzero(np.diff(load, prepend=-1)).tolist()
    weighed = iter(
        [limit for begin, end in pairwise([*begins, len(struck)]) for limit in _weighed(Crowd.of(struck[begin:end]))]
    )
    return [
        next(weighed)
        if own.stopped.any()
        else CommonLimit(0.0, np.nan, np.nan, 0.0, np.full(len(own.stopped), -np.inf))
        for own in clients
    ]


def _weighed(crowd: Crowd) -> list[CommonLimit]:
    """Weigh the limits of some clients, of each of which something was stopped."""
    lives, client = crowd.lives, crowd.client
    usual = lifetimes(lives, np.full(len(lives.stopped), USUAL_HAZARD))
    struck = np.isin(lives.site, lives.site[lives.stopped])
    mine = np.flatnonzero(struck)
    rest = np.array([usual[begin:end][~struck[begin:end]].sum() for begin, end in pairwise(crowd.edges)])
    packets, size = (try_limits(crowd, mine, usual[mine], in_bytes) for in_bytes in (False, True))
    by_packets, by_bytes = packets.average, size.average
    log_odds = np.full(len(lives.stopped), -np.inf)
    for in_bytes, tried in ((False, packets), (True, size)):
        own = mine[(by_bytes > by_packets)[client[mine]] == in_bytes]
        odds = chance_under(lives, own, tried.likeliest[client[own]], in_bytes) - usual[own] + np.log(1.0 / LEAK - 1.0)
        log_odds[own] = np.where(lives.stopped[own], odds, -np.inf)
    llr = (np.logaddexp(by_packets, by_bytes) - np.log(2.0) + rest) - failures(crowd, usual)
    told = zip(llr.tolist(), packets.mean.tolist(), size.mean.tolist(), (by_packets - by_bytes).tolist(), strict=True)
    return [
        CommonLimit(*values, log_odds[begin:end])
        for values, (begin, end) in zip(told, pairwise(crowd.edges), strict=True)
    ]


def try_limits(crowd: Crowd, mine: I64, usual: F64, in_bytes: bool) -> CandidateLimits:
    """Hold all limits of one unit against some connections.

    Args:
        crowd: All connections.
        mine: Those of the sites at which something stopped.
        usual: Their log-likelihoods without a limit.
        in_bytes: The unit.
    """
    centre, _, belief = limits(in_bytes)
    lives = crowd.lives
    sites, first, site = np.unique(lives.site[mine], return_index=True, return_inverse=True)
    without = np.bincount(site, usual, len(sites))[:, None]
    under = np.zeros((len(PLACES), len(sites), len(centre)))
    for rows in row_blocks(len(mine), len(PLACES) * len(centre)):
        held, which = held_against(lives, mine[rows], usual[rows], in_bytes)
        for turn in _turns(site[rows]):
            under[:, site[rows][turn]] += held[which[turn].T]
    either = np.logaddexp(under, without) - np.log(2.0)
    total = [either[:, begin:end].sum(axis=1).reshape(-1) for begin, end in crowd.parts(mine[first])]
    centre, belief = np.tile(centre, len(PLACES)), np.tile(belief, len(PLACES)) - np.log(len(PLACES))
    return CandidateLimits(centre, belief, np.stack(total))


def _turns(site: I64) -> list[I64]:
    """Part lives so that each part has one of a site at most: the first of every site, the second, and so on."""
    order = np.argsort(site, kind="stable")
    opens = np.flatnonzero(np.diff(site[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(opens, np.diff(opens, append=len(order)))
    by_rank = np.argsort(rank, kind="stable")
    return np.split(order[by_rank], np.flatnonzero(np.diff(rank[by_rank])) + 1)


def held_against(lives: Lives, mine: I64, usual: F64, in_bytes: bool) -> tuple[F64, I64]:
    """Hold all limits of one unit against some connections; most have the same counts at several places.

    Args:
        lives: All connections.
        mine: Some of them, n.
        usual: Their log-likelihoods without a limit.
        in_bytes: The unit.

    Returns:
        Log-likelihoods, shape (different counts, limits); and which counts each has at each place, shape (n, places).
    """
    centre, width, _ = limits(in_bytes)
    low, high = (counts[mine] for counts in lives.counts(in_bytes))
    new = np.ones(low.shape, np.bool_)
    new[:, 1:] = (low[:, 1:] != low[:, :-1]) | (high[:, 1:] != high[:, :-1])
    life = np.nonzero(new)[0]
    chance = chances(low[new], high[new], lives.stopped[mine[life]], centre, width, in_bytes)
    held: F64 = np.logaddexp(np.log1p(-LEAK) + chance, np.log(LEAK) + usual[life, None])
    return held, np.cumsum(new).reshape(new.shape) - 1


@cache
def limits(in_bytes: bool) -> tuple[F64, F64, F64]:
    """Lay out the limits that are tried: centres, standard deviations and log-probabilities before, of equal length."""
    tried, (usual, spread) = BYTES if in_bytes else PACKETS, REPORTED[in_bytes]
    centre, width = np.repeat(tried, len(WIDTHS)), np.tile(WIDTHS, len(tried))
    reported = np.exp(-0.5 * (np.log(centre / usual) / spread) ** 2)
    belief = 0.5 / len(centre) + 0.5 * reported / reported.sum()
    return centre, np.maximum(width * centre, LEAST_WIDTH[in_bytes]), np.log(belief)


def failures(crowd: Crowd, usual: F64) -> F64:
    """Give the log-likelihood of all lives of each client without a limit: servers are healthy or bad, or the line is.

    Args:
        crowd: All connections.
        usual: The log-likelihood of each with a healthy server and line.
    """
    lives, client = crowd.lives, crowd.client
    _, first, server = np.unique(lives.server, return_index=True, return_inverse=True)
    well, bad = np.bincount(server, usual), broken(lives, server, client[first], client)
    left = np.bincount(server, lives.stopped & lives.client_left) > 0
    rare, often = (np.where(left, max(BAD_CLIENT, share), share) for share in (BAD_SERVER, MANY_BAD))
    each = [np.logaddexp(np.log1p(-prior) + well, np.log(prior) + bad) for prior in (rare, often)]
    single, many = (np.array([one[begin:end].sum() for begin, end in crowd.parts(first)]) for one in each)
    single = np.logaddexp(np.log1p(-MANY) + single, np.log(MANY) + many)
    line = broken(lives, client, np.arange(len(single)), client)
    whole: F64 = np.logaddexp(np.log1p(-BAD_LINE) + single, np.log(BAD_LINE) + line)
    return whole


def broken(lives: Lives, group: I64, owner: I64, client: I64) -> F64:
    """Give the log-likelihood of lives where something is broken, each group by itself: the better of two ways.

    Either there is a hazard at every packet, or transfers of about one size break, and a share of what gets there.

    Args:
        lives: All connections.
        group: The group of each, 0 to g - 1.
        owner: The client of each group, g of them.
        client: The client of each connection.
    """
    from scipy.special import ndtr

    stopped, age = lives.stopped, lives.ages
    died = np.bincount(group, stopped)
    events, size, most = np.bincount(client, stopped)[owner], np.log(age), np.maximum(died, 1)
    hazard = np.clip(died / np.bincount(group, age), USUAL_HAZARD, 0.5)[group]
    steady = np.bincount(group, lifetimes(lives, hazard)) - price(1, events)
    middle = (np.bincount(group, np.where(stopped, size, 0.0)) / most)[group]
    off = np.where(stopped, size - middle, 0.0)
    spread = np.maximum(np.sqrt(np.bincount(group, off**2) / most), LOOSE)[group]
    reached = ndtr((size - middle) / spread)
    share = (died / np.maximum(np.bincount(group, np.where(stopped, 1.0, reached)), 1e-9))[group]
    density = -size - np.log(spread) - 0.5 * np.log(2 * np.pi) - 0.5 * (off / spread) ** 2
    likelihoods = np.where(
        stopped, np.log(np.maximum(share, 1e-9)) + density, np.log1p(-np.minimum(share * reached, 0.999))
    )
    sized = np.bincount(group, likelihoods) - price(3, events)
    worst: F64 = np.where(died > 0, np.maximum(steady, sized), steady)
    return worst


def lifetimes(lives: Lives, hazard: F64) -> F64:
    """Give the log-likelihood of each life under a hazard per packet: it stopped at its age, or not up to it."""
    likelihood: F64 = lives.ages * np.log1p(-hazard) + np.where(lives.stopped, np.log(hazard), 0.0)
    return likelihood


def chance_under(lives: Lives, mine: I64, which: I64, in_bytes: bool) -> F64:
    """Give the log-probability of some lives, each under one of the limits that `try_limits` lists."""
    centre, width, _ = limits(in_bytes)
    place, limit = np.divmod(which, len(centre))
    low, high = (counts[mine, place] for counts in lives.counts(in_bytes))
    return chances(low, high, lives.stopped[mine], centre[limit, None], width[limit, None], in_bytes)[:, 0]


def chances(low: I64, high: I64, stopped: Mask, centre: F64, width: F64, in_bytes: bool) -> F64:
    """Give the log-probability of lives under each limit, shape (lives, limits).

    A limit in bytes lies within the packet that reached it, so what stopped it lies at most one packet below. Where it
    is not known which of several packets reached it, it was any of them, or the last that is known to have passed: a
    burst is cut in the middle, or what it set off used up the rest.

    Args:
        low: What had passed of each at least.
        high: … at most.
        stopped: It was stopped there, rather than ended by itself.
        centre: The limits, m of them; or of each life its own, shape (lives, m).
        width: Their standard deviations.
        in_bytes: The unit.
    """
    from scipy.special import log_ndtr, ndtr

    log_chance = np.empty((len(low), centre.shape[-1]))
    (centre_of, width_of), (centre, width) = (
        [limit if limit.ndim == 1 else limit[rows] for limit in (centre, width)] for rows in (~stopped, stopped)
    )
    log_chance[~stopped] = log_ndtr((centre_of - low[~stopped, None]) / width_of)
    step, above = (SEGMENT, 0.0) if in_bytes else (1.0, 0.5)
    least, most = low[stopped, None], high[stopped, None]
    below = ndtr((least + above - step - centre) / width)
    exact = ndtr((least + above - centre) / width) - below
    several = ndtr((most + above - centre) / width) - below
    between = EXACT * exact + (1.0 - EXACT) * several * step / (step + most - least)
    log_chance[stopped] = np.log(np.maximum(between, LEAST))
    return np.maximum(log_chance, np.log(LEAST))


PLACES: F64 = np.linspace(0.0, 1.0, 5)
"""Where the counter may stand: its way to the client and back, as a share of the whole round trip."""

SEGMENT = 1460.0
"""Payload of a full packet (RFC 6691 §2: 1500 bytes less both headers)."""

LEAST = 1e-300
"""Probabilities are not taken below: about the smallest double."""
