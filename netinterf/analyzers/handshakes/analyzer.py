"""From slow handshakes and their company to evidence about flows."""

from typing import ClassVar

import attrs
import numpy as np
from numpy.typing import ArrayLike, NDArray

from netinterf.analyzers.base import Scope, join, observe
from netinterf.analyzers.handshakes.company import Found, Visits, slowed_names
from netinterf.analyzers.handshakes.rules import MOST, MOST_ELSEWHERE, RULES
from netinterf.analyzers.handshakes.timing import LEAST_NS, Handshakes, Kept, count_kept, find_handshakes
from netinterf.analyzers.sites import flow_name_ids
from netinterf.numbering import combined
from netinterf.schema import Evidence, Rule
from netinterf.table import Ragged
from netinterf.trace import Trace

__all__ = ["SlowHandshakes"]

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

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

    name: ClassVar[str] = "slow_handshakes"
    scope: ClassVar[Scope] = Scope.CAPTURE  # only others show that a slow handshake is no bad way
    needs: ClassVar[frozenset[str]] = frozenset({"packets", "flows", "sides", "segments", "tls", "http", "quic"})
    rules: ClassVar[tuple[Rule, ...]] = RULES

    def __call__(self, trace: Trace, /) -> Evidence:
        """Write down whose handshakes were slow, and what speaks for somebody on the path or against it."""
        made = find_handshakes(trace)
        told = (trace.sides.packets[2 * made.flow] > 0) & (trace.sides.packets[2 * made.flow + 1] > 0)
        made = made.take(told)
        if not (made.lasted >= LEAST_NS).any():
            return Evidence.empty(rules=self.rules)
        trip = round_trips(trace, made)
        long = made.lasted >= LEAST_NS + trip
        rough = trace.sides.repeats.reshape(-1, 2).sum(axis=1) + trace.sides.fills.reshape(-1, 2).sum(axis=1)
        suspect = long & (made.done >= 0) & (rough[made.flow] > 0)
        tables = []
        clients = trace.flows.client[made.flow]
        chosen = np.isin(clients, clients[suspect])
        if suspect.any():
            tables += self.judged(trace, made.take(chosen), trip[chosen], rough)
        tables += self.ends(trace, made, trip, rough)
        return join([table for table in tables if len(table)] or [Evidence.empty(rules=self.rules)])

    def judged(self, trace: Trace, made: Handshakes, trip: I64, rough: I64) -> list[Evidence]:
        """Weigh the handshakes of clients of which some were slow, client by client."""
        again = np.flatnonzero(rough[made.flow] > 0)
        found = count_kept(trace, made.take(again))
        kept = Kept(**{name: spread(column, again, len(made)) for name, column in attrs.asdict(found, recurse=False).items()})
        visits = visits_of(trace, made, trip, kept, rough)
        client, tables = trace.flows.client[made.flow], []
        for one in np.unique(client[visits.slow & visits.finished]).tolist():
            rows = np.flatnonzero(client == one)
            mine = Visits(**{name: column[rows] for name, column in attrs.asdict(visits, recurse=False).items()})
            for slowed in slowed_names(mine):
                place = rows[slowed.rows]
                shown = np.stack([made.hello[place], kept.first[place], kept.last[place]], axis=1)
                tables += self.slowed(trace, made, trip, kept, slowed, place, shown)
        return tables

    def slowed(
        self, trace: Trace, made: Handshakes, trip: I64, kept: Kept, found: Found, place: I64, shown: I64
    ) -> list[Evidence]:
        """Write down one name, or an address after it."""
        flow, time = made.flow[place], trace.packets.time[shown[:, 1]]
        witness = Ragged.of([np.unique(rows) for rows in shown], np.int32)

        def write(name: str, llr: ArrayLike, which: Mask, measured: dict[str, ArrayLike]) -> Evidence:
            pick = np.flatnonzero(which)
            values = {key: np.broadcast_to(value, (len(flow),))[pick] for key, value in measured.items()}
            weight = np.broadcast_to(llr, (len(flow),))[pick]
            return observe(
                self, f"handshake.{name}", subject=flow[pick], time=time[pick], llr=weight,
                witness=witness.take(pick), measured=values,
            )  # fmt: skip

        every = np.ones(len(flow), np.bool_)
        own = np.clip(found.alone, 0.0, min(MOST, max(found.compared, 0.0)))
        seconds = made.lasted[place] / 1e9
        base = {
            "seconds": seconds,
            "round_trips": made.lasted[place] / np.maximum(trip[place], 1),
            "kept": kept.count[place],
        }
        tables = [write("kept", own, own > 0, base)]
        if found.compared <= 0:
            return [write("lossy", max(found.compared, -MOST), every, {})]
        counts = {"slow": found.slow, "visits": found.visits}
        more = np.maximum(found.pooled - own, 0.0)
        tables.append(write("again", more, found.named & (more > 0), counts))
        tables.append(write("after", more, ~found.named & (more > 0), counts))
        beside = {"others": found.others, "others_slow": found.others_slow}
        gain = found.compared - np.maximum(found.pooled, own)
        tables.append(write("spared", gain, gain > 0, {**beside, "selective": 1.0}))
        tables.append(write("server", gain, gain < 0, beside))
        listed = min(found.elsewhere, MOST_ELSEWHERE) if found.contrast > 0 else 0.0
        tables.append(write("elsewhere", listed, every & (listed > 0), {}))
        return tables

    def ends(self, trace: Trace, made: Handshakes, trip: I64, rough: I64) -> list[Evidence]:
        """Write down long handshakes in which nothing was kept."""
        pick = np.flatnonzero((made.lasted >= LONG_NS + trip) & (made.done >= 0) & (rough[made.flow] == 0))
        if not len(pick):
            return []
        shown = np.sort(np.stack([made.hello[pick], made.done[pick]], axis=1)).astype(np.int32)
        return [
            observe(
                self, "handshake.ends", subject=made.flow[pick], time=trace.packets.time[made.done[pick]], llr=-3.0,
                witness=shown.tolist(), measured={"seconds": made.lasted[pick] / 1e9},
            )  # fmt: skip
        ]


def spread(column: I64, rows: I64, count: int) -> I64:
    """Lay a column out among *count* rows, the others -1."""
    whole = np.full(count, -1)
    whole[rows] = column
    return whole


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
    """Describe handshakes as visits, in time order of their flows."""
    sides, begin = trace.sides, trace.packets.time[made.hello]
    count = np.maximum(kept.count, 0)
    said = sides.payload_packets.reshape(-1, 2).sum(axis=1)[made.flow].astype(np.int64)
    long = made.lasted >= LEAST_NS + trip
    rest = np.maximum(rough[made.flow].astype(np.int64) - count, 0)
    return Visits(
        flow=made.flow,
        server=trace.flows.server[made.flow].astype(np.int64),
        name=flow_name_ids(trace)[made.flow],
        begin=begin,
        end=begin + made.lasted,
        finished=made.done >= 0,
        slow=long & (count > 0),
        quick=~long & (made.done >= 0),
        rounds=np.maximum(kept.rounds, 0),
        rest=rest,
        segments=np.maximum(said - count, rest),
    )
