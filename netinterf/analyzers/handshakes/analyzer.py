"""From slow handshakes, and those beside them, to evidence about flows."""

from typing import ClassVar

import attrs
import numpy as np

from netinterf.analyzers.base import Scope, join
from netinterf.analyzers.handshakes import rules
from netinterf.analyzers.handshakes.held import find_held
from netinterf.analyzers.handshakes.slowed import CLEAR, Found, Visits, slowed_names
from netinterf.analyzers.handshakes.timing import (
    LEAST_NS,
    Handshakes,
    Kept,
    count_kept,
    find_handshakes,
    lasted,
)
from netinterf.analyzers.signs import Cases, Sign, each_once, gathered, record, sign
from netinterf.arrays import I64, Mask
from netinterf.numbering import combined
from netinterf.schema import Evidence, Rule
from netinterf.trace import Trace

__all__ = ["SlowHandshakes"]

LIKELY_ENDS = 3.0
"""Nats against a box, one in twenty: of 250 simulated handshakes that a box slowed by 3 s and more one went without a
repeat, of those that ends slowed nearly all."""

LONG_NS = 3_000_000_000
"""How long a handshake must take for it to be worth saying that the ends took the time (RFC 6298 §2.1: three first
timeouts)."""


@attrs.frozen(kw_only=True)
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
        made = find_handshakes(trace)
        both: Mask = np.all(trace.sides.packets.reshape(-1, 2)[made.flow] > 0, axis=1)
        made = made.take(both)
        again = trace.sides.repeats.astype(np.int64) + trace.sides.fills
        rough = again.reshape(-1, 2).sum(axis=1)[made.flow]
        time, trip = trace.packets.time, round_trips(trace, made)
        tables = self.ends(trace, made, rough)
        suspect = (time[made.over] - time[made.hello] >= LEAST_NS + trip) & (made.done >= 0) & (rough > 0)
        if suspect.any():
            client = trace.flows.client[made.flow]
            chosen = np.isin(client, client[suspect])
            tables += self.judged(trace, made.take(chosen), trip[chosen], rough[chosen])
        return join(tables or [Evidence.empty(rules=self.rules)])

    def judged(self, trace: Trace, made: Handshakes, trip: I64, rough: I64) -> list[Evidence]:
        """Weigh the handshakes of clients of which some were slow, client by client."""
        kept = count_kept(trace, made, rough > 0)
        visits = visits_of(trace, made, trip, kept, rough)
        client, tables = trace.flows.client[made.flow], []
        for one in np.unique(client[visits.slow & visits.finished]).tolist():
            rows = np.flatnonzero(client == one)
            for found in slowed_names(visits.take(rows)):
                tables += self.slowed(trace, visits, kept, found, rows[found.rows])
        return tables

    def slowed(self, trace: Trace, visits: Visits, kept: Kept, found: Found, place: I64) -> list[Evidence]:
        """Write down one name, or an address after it."""
        first, last = kept.first[place], kept.last[place]
        cases = Cases(
            subject=visits.flow[place],
            time=trace.packets.time[first],
            witness=each_once(visits.hello[place], first, last),
        )
        if found.compared <= 0:
            lossy = sign(rules.LOSSY, True, llr=max(found.compared, -rules.MOST))
            return record(self, cases, gathered([lossy]))
        return record(self, cases, gathered(slow_signs(visits, kept, found, place)))

    def ends(self, trace: Trace, made: Handshakes, rough: I64) -> list[Evidence]:
        """Write down long handshakes in which nothing was kept."""
        took = trace.packets.time[made.done] - trace.packets.time[made.hello]
        pick = np.flatnonzero((made.done >= 0) & (took >= LONG_NS) & (rough == 0))
        done = made.done[pick]
        cases = Cases(subject=made.flow[pick], time=trace.packets.time[done], witness=each_once(made.hello[pick], done))
        return record(self, cases, gathered([sign(rules.ENDS, True, {"seconds": took[pick] / 1e9}, llr=-LIKELY_ENDS)]))


def slow_signs(visits: Visits, kept: Kept, found: Found, place: I64) -> list[Sign]:
    """Tell what each slow visit with one name shows, and what the others beside it do."""
    seconds = (visits.end[place] - visits.begin[place]) / 1e9
    own = np.clip(found.alone, 0.0, min(rules.MOST, max(found.compared, 0.0)))
    trips = 1e9 * seconds / np.maximum(visits.trip[place], 1)
    base = {"seconds": seconds, "round_trips": trips, "kept": kept.count[place]}
    counts = {"slow": found.slow, "visits": found.visits}
    more = np.maximum(found.pooled - own, 0.0)
    beside = {"others": found.others, "others_slow": found.others_slow}
    gain = found.compared - np.maximum(found.pooled, own)
    selective = 1.0 if found.compared >= CLEAR else np.nan
    listed = min(found.elsewhere, rules.MOST_ELSEWHERE) if found.contrast > 0 else 0.0
    return [
        sign(rules.KEPT, own > 0, base, llr=own),
        sign(rules.AGAIN, found.named & (more > 0), counts, llr=more),
        sign(rules.AFTER, ~found.named & (more > 0), counts, llr=more),
        sign(rules.SPARED, gain > 0, {**beside, "selective": selective}, llr=gain),
        sign(rules.SERVER, gain < 0, beside, llr=gain),
        sign(rules.FINISHED, ~visits.finished[place], llr=-min(found.compared, rules.MOST)),
        sign(rules.ELSEWHERE, listed > 0, llr=listed),
    ]


def round_trips(trace: Trace, made: Handshakes) -> I64:
    """Give the least round trip between each handshake's client and server in any of their connections, 0 for none."""
    flows, rtt = trace.flows, trace.sides.rtt.reshape(-1, 2)
    pair = combined(flows.client, flows.server)
    least = np.full(int(pair.max(initial=0)) + 1, np.iinfo(np.int64).max)
    known = (rtt >= 0).all(axis=1)
    np.minimum.at(least, pair[known], rtt[known].sum(axis=1))
    trip = least[pair[made.flow]]
    return np.where(trip == np.iinfo(np.int64).max, 0, trip)


def visits_of(trace: Trace, made: Handshakes, trip: I64, kept: Kept, rough: I64) -> Visits:
    """Describe handshakes as visits."""
    sides, begin, took = trace.sides, trace.packets.time[made.hello], lasted(trace, made, kept)
    said = sides.payload_packets.reshape(-1, 2).sum(axis=1)[made.flow].astype(np.int64)
    rest = np.maximum(rough - kept.count, 0)
    long = took >= LEAST_NS + trip
    return Visits(
        flow=made.flow,
        server=trace.flows.server[made.flow].astype(np.int64),
        network=trace.contacts.network[made.flow],
        name=trace.contacts.name[made.flow],
        hello=made.hello,
        begin=begin,
        end=begin + took,
        trip=trip,
        finished=made.done >= 0,
        slow=long & (kept.count > 0),
        quick=~long & (made.done >= 0),
        held=find_held(trace, made, trip, rough > 0),
        rounds=kept.rounds,
        rest=rest,
        segments=np.maximum(said - kept.count, rest),
    )
