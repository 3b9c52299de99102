"""Hold-On: a DNS reply counts only when its TTL and its time fit the resolver.

Source: Duan, Weaver, Zhao, Hu, Liang, Jiang, Li, Paxson, "Hold-On: Protecting Against On-Path DNS Poisoning", SATIN
2012. There the resolver's TTL and round trip are learnt actively, from queries for names that nobody censors. A
capture has no such queries, so both are learnt from the exchanges of the same resolver that got exactly one reply.
"""

import attrs
import numpy as np

from benchmarks.rivals.base import Call, Rival
from benchmarks.rivals.replies import frames_of
from netinterf.arrays import F64, I64
from netinterf.trace import Trace

__all__ = ["HOLD_ON", "hold_on"]

TTL_TOLERANCE = 1  # hops; Duan et al. 2012. The later tool takes 3
TIME_SHARE = 0.5  # of the learnt round trip; a reply before that is rejected
TTLS = 256


@attrs.frozen(eq=False)
class Learnt:
    """What the exchanges with one reply tell of every server."""

    ttl: I64  # TTL of the reply of each exchange, -1 where there is not exactly one
    wait: F64  # ns from query to reply of each exchange, infinite where there is not exactly one
    server: I64  # place of each exchange's server in the two below
    ttls: I64  # how often each TTL was seen, per server
    waits: F64  # the two least waits per server, infinite where there are fewer

    @classmethod
    def of(cls, trace: Trace) -> "Learnt":
        """Learn from the exchanges with one query and one reply."""
        packets, exchanges = trace.packets, trace.exchanges
        single = np.flatnonzero((exchanges.replies.lengths == 1) & (exchanges.queries.lengths == 1))
        query, reply = (
            trace.dns.packet[column.values[column.offsets[single]]] for column in (exchanges.queries, exchanges.replies)
        )
        ttl, wait = np.full(len(exchanges), -1), np.full(len(exchanges), np.inf)
        ttl[single], wait[single] = packets.ttl[reply], packets.time[reply] - packets.time[query]
        hosts, server = np.unique(trace.flows.server[exchanges.flow], return_inverse=True)
        ttls = np.zeros((len(hosts), TTLS), np.int64)
        np.add.at(ttls, (server[single], ttl[single]), 1)
        waits = np.full((len(hosts), 2), np.inf)
        order = single[np.lexsort((wait[single], server[single]))]
        _, starts = np.unique(server[order], return_index=True)
        rank = np.arange(len(order)) - np.repeat(starts, np.diff(starts, append=len(order)))
        least = rank < waits.shape[1]
        waits[server[order[least]], rank[least]] = wait[order[least]]
        return cls(ttl, wait, server, ttls, waits)

    def without(self, row: int) -> tuple[int, float] | None:
        """Give the commonest TTL and the least wait (ns) of an exchange's server, itself left out; None for nothing."""
        counts, (least, second) = self.ttls[self.server[row]].copy(), self.waits[self.server[row]]
        if self.ttl[row] >= 0:
            counts[self.ttl[row]] -= 1
        wait = second if self.wait[row] == least else least
        return (int(counts.argmax()), float(wait)) if counts.any() else None


def hold_on(trace: Trace) -> list[Call]:
    """Call every exchange with a reply that the stub would not accept: it came too early, or its TTL is another.

    The exchange under judgement is left out of what is learnt of its server; a server of which nothing else was seen
    is not judged. One rejected reply among several is an injection; a rejected reply alone is a forged one.
    """
    packets, dns, exchanges = trace.packets, trace.dns, trace.exchanges
    learnt, calls = Learnt.of(trace), []
    for row in np.flatnonzero((exchanges.queries.lengths > 0) & (exchanges.replies.lengths > 0)).tolist():
        known = learnt.without(row)
        if known is None:
            continue
        ttl, wait = known
        replies = exchanges.replies[row]
        at, asked = dns.packet[replies], packets.time[dns.packet[exchanges.queries[row][0]]]
        early = packets.time[at] - asked < TIME_SHARE * wait
        odd = np.abs(packets.ttl[at].astype(np.int64) - ttl) > TTL_TOLERANCE
        if not (early | odd).any():
            continue
        calls.append(
            Call(
                kind="exchange",
                row=row,
                mechanism="dns.injection" if len(replies) > 1 else "dns.forged",
                frames=frames_of(trace, replies[early | odd].tolist()),
                says=" and ".join(word for word, seen in (("too early", early), ("another TTL", odd)) if seen.any()),
            )
        )
    return calls


HOLD_ON = Rival(
    name="Hold-On",
    source="Duan et al., SATIN 2012",
    home=("dns.injection", "dns.forged"),
    judge=hold_on,
)
