"""From slow handshakes, and those beside them, to evidence about flows."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.base import Scope, join
from netinterf.analyzers.handshakes import rules
from netinterf.analyzers.handshakes.delayed import find_delayed
from netinterf.analyzers.handshakes.slowed import CLEAR, SlowedName, alone, slowed_names
from netinterf.analyzers.handshakes.timing import (
    LEAST_NS,
    Handshakes,
    Resent,
    count_resent,
    durations,
    find_handshakes,
)
from netinterf.analyzers.handshakes.visits import Visits
from netinterf.analyzers.signs import Cases, Sign, by_rule, each_once, record, record_each, sign
from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import combined, ordered
from netinterf.schema import Evidence, Rule
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["SlowHandshakes"]

LIKELY_ENDS = 3.0
"""Nats against a box, one in twenty: of 250 simulated handshakes that a box slowed by 3 s and more one went without a
repeat, of those that ends slowed nearly all."""

LONG_NS = 3_000_000_000
"""How long a handshake must take for it to be worth saying that the ends took the time (RFC 6298 §2.1: three first
timeouts)."""


@frozen(kw_only=True)
class SlowHandshakes:
    """Find TLS handshakes that somebody slows because of a name.

    What it looks for: handshakes that had to wait for segments which came again or late, visit after visit with one
    name, or with one address for a while after it, while the server's other names, the client's other servers and the
    rest of the way lose less.

    Why: a box that delays or loses the packets of a handshake makes the ends repeat them; neither a server that is
    busy nor a client that thinks does so, and a bad way or line is bad for all that goes there.

    Also looks like this: lossy ways and lines, single lost hellos, queues of seconds, far and busy servers, slow
    clients, full accept queues, narrow paths. Each has company that shares it.

    References: OONI, methodology dd-007; net4people/bbs 155, 382; ntc.party 1724; RFC 6298.
    """

    name: ClassVar[str] = "handshakes"
    scope: ClassVar[Scope] = Scope.CAPTURE  # only others show that a slow handshake is no bad way
    rules: ClassVar[tuple[Rule, ...]] = rules.RULES

    def __call__(self, trace: Trace, /) -> Evidence:
        """Write down whose handshakes were slow, and what speaks for somebody on the path or against it."""
        handshakes = find_handshakes(trace)
        if not len(handshakes):
            return Evidence.empty(rules=self.rules)
        two_way: Mask = np.all(trace.sides.packets.reshape(-1, 2)[handshakes.flow] > 0, axis=1)
        handshakes = handshakes.take(two_way)
        again = trace.sides.repeats.astype(np.int64) + trace.sides.fills
        flow_resent = again.reshape(-1, 2).sum(axis=1)[handshakes.flow]
        time, trip = trace.packets.time, round_trips(trace, handshakes)
        tables = self.ends(trace, handshakes, flow_resent)
        suspect = (
            (time[handshakes.over] - time[handshakes.hello] >= LEAST_NS + trip)
            & (handshakes.done >= 0)
            & (flow_resent > 0)
        )
        if suspect.any():
            client = trace.flows.client[handshakes.flow]
            chosen = np.isin(client, client[suspect])
            tables.append(self.judged(trace, handshakes.take(chosen), trip[chosen], flow_resent[chosen]))
        return join(tables or [Evidence.empty(rules=self.rules)])

    def judged(self, trace: Trace, handshakes: Handshakes, trip: I64, flow_resent: I64) -> Evidence:
        """Weigh the handshakes of clients of which some were slow, client by client."""
        resent = count_resent(trace, handshakes, flow_resent > 0)
        visits = visits_of(trace, handshakes, trip, resent, flow_resent)
        client = trace.flows.client[handshakes.flow]
        rows = by_client(client, visits.slow & visits.finished)
        names = slowed_names([visits.take(own) for own in rows])
        places = [own[name.rows] for own, of_client in zip(rows, names, strict=True) for name in of_client]
        slowed = [name for of_client in names for name in of_client]
        shown = each_once(visits.hello, resent.first, resent.last)
        told = []
        for name, place, single in zip(slowed, places, alone(slowed), strict=True):
            time = trace.packets.time[resent.first[place]]
            cases = Cases(subject=visits.flow[place], time=time, witness=shown.take(place))
            told.append((cases, by_rule(slow_signs(visits, resent, name, single, place))))
        return record_each(self, told)

    def ends(self, trace: Trace, handshakes: Handshakes, flow_resent: I64) -> list[Evidence]:
        """Write down long handshakes in which nothing was kept."""
        took = trace.packets.time[handshakes.done] - trace.packets.time[handshakes.hello]
        pick = np.flatnonzero((handshakes.done >= 0) & (took >= LONG_NS) & (flow_resent == 0))
        if not len(pick):
            return []
        done = handshakes.done[pick]
        cases = Cases(
            subject=handshakes.flow[pick],
            time=trace.packets.time[done],
            witness=each_once(handshakes.hello[pick], done),
        )
        return record(self, cases, by_rule([sign(rules.ENDS, True, {"seconds": took[pick] / 1e9}, llr=-LIKELY_ENDS)]))


def by_client(client: NDArray[np.integer], suspect: Mask) -> list[I64]:
    """List the rows of each client that has a suspect one."""
    rows = np.flatnonzero((np.bincount(client, suspect) > 0)[client])
    rows = rows[ordered(client[rows])]
    return np.split(rows, np.flatnonzero(np.diff(client[rows])) + 1) if len(rows) else []


def slow_signs(visits: Visits, resent: Resent, slowed: SlowedName, single: F64, place: I64) -> list[Sign]:
    """Tell what each slow visit with one name, or an address after it, shows, and what the others beside it do.

    Args:
        visits: All visits.
        resent: What of each was sent again.
        slowed: The name.
        single: What each of its slow visits weighs by itself, nats.
        place: Which visits these are.
    """
    if slowed.compared <= 0:
        return [sign(rules.LOSSY, True, llr=max(slowed.compared, -rules.MOST))]
    seconds = (visits.end[place] - visits.begin[place]) / 1e9
    own = np.clip(single, 0.0, min(rules.MOST, max(slowed.compared, 0.0)))
    trips = 1e9 * seconds / np.maximum(visits.trip[place], 1)
    base = {"seconds": seconds, "round_trips": trips, "kept": resent.count[place]}
    counts = {"slow": slowed.slow, "visits": slowed.visits}
    more = np.maximum(slowed.pooled - own, 0.0)
    beside = {"others": slowed.others, "others_slow": slowed.others_slow}
    gain = slowed.compared - np.maximum(slowed.pooled, own)
    selective = 1.0 if slowed.compared >= CLEAR else np.nan
    listed = min(slowed.elsewhere, rules.MOST_ELSEWHERE) if slowed.contrast > 0 else 0.0
    return [
        sign(rules.KEPT, own > 0, base, llr=own),
        sign(rules.AGAIN, slowed.named & (more > 0), counts, llr=more),
        sign(rules.AFTER, ~slowed.named & (more > 0), counts, llr=more),
        sign(rules.SPARED, gain > 0, {**beside, "selective": selective}, llr=gain),
        sign(rules.SERVER, gain < 0, beside, llr=gain),
        sign(rules.FINISHED, ~visits.finished[place], llr=-min(slowed.compared, rules.MOST)),
        sign(rules.ELSEWHERE, listed > 0, llr=listed),
    ]


def round_trips(trace: Trace, handshakes: Handshakes) -> I64:
    """Give the least round trip between each handshake's client and server in any of their connections, 0 for none."""
    flows, rtt = trace.flows, trace.sides.rtt.reshape(-1, 2)
    pair = combined(flows.client, flows.server)
    least = np.full(int(pair.max(initial=0)) + 1, np.iinfo(np.int64).max)
    known = (rtt >= 0).all(axis=1)
    np.minimum.at(least, pair[known], rtt[known].sum(axis=1))
    trip = least[pair[handshakes.flow]]
    return np.where(trip == np.iinfo(np.int64).max, 0, trip)


def visits_of(trace: Trace, handshakes: Handshakes, trip: I64, resent: Resent, flow_resent: I64) -> Visits:
    """Describe handshakes as visits."""
    sides, begin, took = trace.sides, trace.packets.time[handshakes.hello], durations(trace, handshakes, resent)
    packets = sides.payload_packets.reshape(-1, 2).sum(axis=1)[handshakes.flow].astype(np.int64)
    rest = np.maximum(flow_resent - resent.count, 0)
    long = took >= LEAST_NS + trip
    return Visits(
        flow=handshakes.flow,
        server=trace.flows.server[handshakes.flow].astype(np.int64),
        network=trace.contacts.network[handshakes.flow],
        name=trace.contacts.name[handshakes.flow],
        hello=handshakes.hello,
        begin=begin,
        end=begin + took,
        trip=trip,
        finished=handshakes.done >= 0,
        slow=long & (resent.count > 0),
        quick=~long & (handshakes.done >= 0),
        delayed=find_delayed(trace, handshakes, trip, flow_resent > 0),
        rounds=resent.rounds,
        rest=rest,
        segments=np.maximum(packets - resent.count, rest),
    )
