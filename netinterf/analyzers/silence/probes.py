"""Requests that were sent once, with growing hop limits: beyond which router do they die, and everything with them?

Measurement tools that write their own packets send a request once and wait (CenTrace: Sundara Raman et al., CoNEXT
2022). A single unanswered request is nothing. But where requests that expire early leave a healthy connection (its end
is answered), and requests that get beyond some hop leave a dead one (nothing is answered any more, though each
connection had been opened), something at that hop read them. The split is tested exactly (Fisher), and the search for
the hop is paid for.

Tools count their hop limits up, so that a server which stops listening in the middle of a sweep looks alike. Two things
tell it apart: what the hop limit explains better than any span of time, and the routers. Where they report the expired
requests of healthy connections and of no dead one, and no request had arrived before, such a server would have had to
stop in the very moment when the routers did.

Whether it was the server's own doing is another question. What says that it was not: the hop lies well before the
server, by the hop limit of its own packets, or requests for another name passed there and left healthy connections.
"""

import math
from collections.abc import Iterator
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.unanswered.silences import TCP, waiting_shown
from netinterf.arrays import F64, I64, U8, Mask
from netinterf.numbering import combined
from netinterf.recording import INITIAL_TTLS
from netinterf.stats.contrast import contingency_log_p
from netinterf.stats.rates import LEAST_PROBABILITY
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["DeadBeyondHop", "find_dead_beyond_hop", "in_a_sweep", "way_back"]

PATIENCE_NS = 2_000_000_000
"""How long an answer to a request that is sent once is waited for; CenTrace waits three seconds, others less."""

FEWEST, MOST = 3, 1_024
"""Connections on either side of the hop, and in all: a sweep of 64 hop limits is repeated up to 11 times (CenTrace).
More are no sweep, and all spans of time are tried."""

ASYMMETRY = 3.2
"""Hops by which the way to a server and the way back differ: standard deviation of 25 pairs of hosts in public route
traces (``python -m benchmarks hops``)."""

FARTHEST = 30
"""Hops that hosts lie apart at most (Jin, Wang, Shin, "Hop-Count Filtering", CCS 2003, which guesses the initial hop
limit so): what seems farther began at another value than common stacks do, and its distance is not known."""

MENTION = 1.0
"""Nats below which a witness is "not worth more than a bare mention" (Kass and Raftery, JASA 1995, section 3.2): it is
not mentioned, since a second sign lets the first accuse."""


@frozen(eq=False, kw_only=True)
class DeadBeyondHop:
    """One row per connection that died beyond a hop."""

    flow: I64
    row: I64  # rows in Packets: the request
    last_of_healthy: I64  # rows in Packets: the last packet of a connection whose request had expired before
    hop: I64  # hop limit of requests from which on connections died
    died_beyond: I64  # how many of them
    lived_below: I64  # how many lived whose requests had a smaller one
    llr: F64
    distance: I64  # hop limit that a request needs to get to the server, by the hop limit of its packets; 0 unknown
    llr_before_server: F64  # log-likelihood ratio that the hop lies before the server
    requests_passed_for_other_names: (
        I64  # requests for other names that got beyond the hop, and left healthy connections
    )
    llr_by_name: F64  # log-likelihood ratio that the name decides who dies there

    def take(self, rows: I64 | Mask) -> "DeadBeyondHop":
        """Select rows."""
        return DeadBeyondHop(**{name: column[rows] for name, column in attrs.asdict(self, recurse=False).items()})


@frozen(eq=False)
class Sweep:
    """The connections of one client to one server under one name, in the order of their requests."""

    flow: I64
    row: I64  # rows in Packets: the request
    last: I64  # rows in Packets: the last packet of the server
    alive: Mask  # the server spoke after the request
    ttl: I64  # hop limit of the request
    reported: Mask  # a router reported that the request had expired
    arrived: Mask  # the server acknowledged the request
    same_hops: Mask  # the server's last packet crossed as many hops as its greeting
    distance: I64  # hop limit that gets to the server, by that of its greeting; 0 where hop limits mean nothing

    def take(self, rows: I64) -> "Sweep":
        """Select rows."""
        return Sweep(*(getattr(self, field.name)[rows] for field in attrs.fields(Sweep)))


def single_request(trace: Trace) -> Mask:
    """Say which connections opened and sent a single request, where the client's waiting can be seen."""
    sides, flows = trace.sides, trace.flows
    once = (sides.first_payload[0::2] >= 0) & (sides.payload_packets[0::2] == 1) & (sides.syn[1::2] >= 0)
    single: Mask = once & (flows.protocol == TCP) & waiting_shown(trace)[:, 0]
    return single


def in_a_sweep(trace: Trace) -> Mask:
    """Say which connections belong to a sweep: enough to one server under one name, with several hop limits."""
    flow, flows = np.flatnonzero(single_request(trace)), trace.flows
    swept = np.zeros(len(flows), np.bool_)
    if not len(flow):
        return swept
    group = trace.contacts.of("client", "server", "name")[flow]
    ttl = trace.packets.ttl[trace.sides.first_payload[2 * flow]].astype(np.int64)
    swept[flow] = (np.bincount(group)[group] >= 2 * FEWEST) & (different(group, ttl)[group] >= FEWEST)
    return swept


def different(group: I64, value: I64) -> I64:
    """Count the different values of each group, groups numbered from 0."""
    return np.bincount(np.unique(np.stack([group, value]), axis=1)[0], minlength=int(group.max(initial=-1)) + 1)


def find_dead_beyond_hop(trace: Trace) -> DeadBeyondHop:
    """Find, for each client, server and name, the hop limit beyond which connections die with their request."""
    packets, sides = trace.packets, trace.sides
    request = sides.first_payload[0::2].astype(np.int64)
    flow = np.flatnonzero(single_request(trace))
    if len(flow) < 2 * FEWEST:
        return joined([])
    row, last = request[flow], sides.last[2 * flow + 1].astype(np.int64)
    rst = sides.rst[2 * flow].astype(np.int64)
    until = np.where(rst >= 0, packets.time[np.maximum(rst, 0)], trace.ended)
    until = np.minimum(until, trace.heard_until(packets.time[row]))
    alive, waited = last > row, until - packets.time[row] >= PATIENCE_NS
    keep = np.flatnonzero(alive | waited)
    flow, row, last, alive = flow[keep], row[keep], last[keep], alive[keep]
    name, ends = trace.contacts.name[flow], trace.contacts.of("client", "server")[flow]
    group, ttl = combined(ends, name), packets.ttl[row].astype(np.int64)
    died = np.bincount(group, ~alive, minlength=int(group.max(initial=-1)) + 1)
    lived = np.bincount(group, alive, minlength=len(died))
    swept = (died >= FEWEST) & (lived >= FEWEST) & (died + lived <= MOST) & (different(group, ttl) > 1)
    if not swept.any():
        return joined([])
    reported = np.isin(flow, trace.quotes.flow[trace.quotes.flow >= 0])
    arrived = sides.acked[2 * flow] >= packets.relative_seq[row] + packets.payload_length[row]
    synack, informative = sides.syn[2 * flow + 1].astype(np.int64), trace.recording.ttl_informative[flow]
    same_hops = (packets.ttl[last] == packets.ttl[synack]) & informative
    distance = np.where(informative, way_back(packets.ttl[synack]), 0)
    probes = Sweep(flow, row, last, alive, ttl, reported, arrived, same_hops, distance)
    pairs = beside_each_other(group, ends, name, row, np.flatnonzero(swept))
    splits = [split(probes.take(here), probes.take(others)) for here, others in pairs]
    return joined([beyond for beyond in splits if beyond is not None])


def beside_each_other(group: I64, ends: I64, name: I64, row: I64, swept: I64) -> Iterator[tuple[I64, I64]]:
    """List the connections of each group that was *swept*, in order, and those of its ends under other known names."""
    in_order, by_ends = np.lexsort((row, group)), np.argsort(ends, kind="stable")
    groups, hosts = group[in_order], ends[by_ends]
    first, after = (np.searchsorted(groups, swept, side=side) for side in ("left", "right"))
    pair = ends[in_order[first]]
    begin, end = (np.searchsorted(hosts, pair, side=side) for side in ("left", "right"))
    for place in range(len(swept)):
        here, near = in_order[first[place] : after[place]], by_ends[begin[place] : end[place]]
        known = (name[near] != name[here[0]]) & (name[near] >= 0) & (name[here[0]] >= 0)
        yield here, near[known]


def way_back(ttl: U8) -> I64:
    """Say which hop limit a packet needs to get to a sender, were the way there as long as the way back."""
    first = INITIAL_TTLS[np.searchsorted(INITIAL_TTLS, ttl)].astype(np.int64)
    return first - ttl + 1


def split(sweep: Sweep, others: Sweep) -> DeadBeyondHop | None:
    """Find the hop limit that separates the dead from the living best; None when chance or time do it as well.

    Args:
        sweep: Connections to one server under one name.
        others: Those under other names.
    """
    alive, ttl = sweep.alive, sweep.ttl
    hops = np.unique(ttl)[1:]
    if not len(hops):
        return None
    below = ttl[:, None] < hops
    p = fisher(
        dead_above=np.sum(~below & ~alive[:, None], axis=0),
        above=np.sum(~below, axis=0),
        dead=int(np.sum(~alive)),
        count=len(ttl),
    )
    best = int(np.argmin(p))
    by_hop = evidence_of_p(float(p[best]), len(hops))
    llr = max(by_hop - by_time(alive), min(by_hop, by_routers(sweep, int(hops[best]))))
    hit = np.flatnonzero((ttl >= hops[best]) & ~alive)
    healthy = np.flatnonzero((ttl < hops[best]) & alive)
    if len(hit) < FEWEST or len(healthy) < FEWEST or llr <= 0:
        return None
    ones = np.ones(len(hit), np.int64)
    distance = int(np.median(sweep.distance))
    passed = int(np.sum(others.alive & (others.ttl >= hops[best])))
    return DeadBeyondHop(
        flow=sweep.flow[hit],
        row=sweep.row[hit],
        last_of_healthy=sweep.last[healthy[-1]] * ones,
        hop=hops[best] * ones,
        died_beyond=len(hit) * ones,
        lived_below=len(healthy) * ones,
        llr=np.full(len(hit), llr),
        distance=distance * ones,
        llr_before_server=np.full(len(hit), weigh_before_server(distance, int(hops[best]))),
        requests_passed_for_other_names=passed * ones,
        llr_by_name=np.full(len(hit), weigh_name(sweep, others, int(hops[best]))),
    )


def weigh_before_server(distance: int, hop: int) -> float:
    """Weigh that requests die on the way rather than at their server, nats; 0 where its hops cannot be told.

    On the way, any hop is as likely. The server's own stands where its packets come from, but for how uneven ways are.
    """
    if not hop < distance <= FARTHEST:
        return 0.0
    off = (distance - hop) / ASYMMETRY
    own = float(np.exp(-(off**2) / 2) / (ASYMMETRY * np.sqrt(2 * np.pi)))
    return worth_mention(-float(np.log(distance * max(own, 1e-300))))


def weigh_name(sweep: Sweep, others: Sweep, hop: int) -> float:
    """Weigh that the name decides who dies beyond the hop, nats: an exact test against other names there (Fisher)."""
    here, there = sweep.ttl >= hop, others.ttl >= hop
    dead = int(np.sum(here & ~sweep.alive))
    p = fisher(
        dead_above=np.array([dead]),
        above=np.array([np.sum(here)]),
        dead=dead + int(np.sum(there & ~others.alive)),
        count=int(np.sum(here) + np.sum(there)),
    )
    return worth_mention(evidence_of_p(float(p[0]), 1))


def worth_mention(llr: float) -> float:
    """Give a log-likelihood ratio, 0 where it is below `MENTION`."""
    return llr if llr >= MENTION else 0.0


def evidence_of_p(p: float, tried: int) -> float:
    """Bound the log-likelihood ratio of a test of which the best of some was taken, 0 where chance does as well.

    Sellke, Bayarri, Berger, The American Statistician 2001: at most 1 / (-e p ln p) against the hypothesis.
    """
    q = min(1.0, p * tried)
    return -float(np.log(-math.e * q * np.log(q))) if q < 1 / math.e else 0.0


def by_time(alive: Mask) -> float:
    """Say how well one span of time explains who died, connections in order: a server that did not listen for a while.

    The number of spans tried is not corrected for, in favour of the harmless cause.
    """
    died, count = np.append(0, np.cumsum(~alive)), len(alive)
    first, last = np.triu_indices(count + 1, 1)
    p = fisher(dead_above=died[last] - died[first], above=last - first, dead=int(died[-1]), count=count)
    return evidence_of_p(float(p.min()), 1)


def by_routers(sweep: Sweep, hop: int) -> float:
    """Say how unlikely a server is that stopped listening just when the routers stopped reporting, nats.

    It may have stopped at any request; had it been earlier, routers would report expired requests of dead connections,
    had it been later, requests would have arrived. 0 where one did either, where too few routers report anything, and
    where somebody else greets for the server (RFC 4987 §3.8), who may keep requests to himself once it is gone.
    """
    expired = sweep.reported & sweep.alive & (sweep.ttl < hop)
    if np.any(sweep.reported & ~sweep.alive) or np.any(sweep.arrived) or np.sum(expired) < FEWEST:
        return 0.0
    if np.any(sweep.alive & ~sweep.same_hops):
        return 0.0
    moments = hop - int(sweep.ttl[expired].max())  # at which it would have had to stop, one for each hop limit between
    return max(0.0, float(np.log(len(sweep.ttl) / moments)))


def fisher(*, dead_above: I64, above: I64, dead: int, count: int) -> F64:
    """Chance that so many of the dead, or more, lie above by accident (hypergeometric tail), for each hop."""
    dead_below = dead - dead_above
    p = np.exp(contingency_log_p(dead_above, above - dead_above, dead_below, count - above - dead_below))
    return np.maximum(p, LEAST_PROBABILITY)


def joined(parts: list[DeadBeyondHop]) -> DeadBeyondHop:
    """Put what was found together."""
    names, weights = [field.name for field in attrs.fields(DeadBeyondHop)], ("llr", "llr_before_server", "llr_by_name")
    empty: dict[str, NDArray[Any]] = {name: np.empty(0, np.float64 if name in weights else np.int64) for name in names}
    return DeadBeyondHop(
        **{name: np.concatenate([empty[name], *(getattr(part, name) for part in parts)]) for name in names}
    )
