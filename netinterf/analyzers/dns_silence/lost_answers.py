"""Questions that are asked again although they were answered: near the resolver, a swallowed answer shows like this.

A stub that got its answer is quiet (RFC 1035 §7.3), so one that repeats its question by the same port did not get it.
Answers get lost now and then; those about one name alone do not.
"""

import numpy as np

from netinterf.analyzers.dns_silence.questions import Lookups, first_and_last
from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import combined, ordered_within
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["LostAnswers", "find_lost_answers"]

CROSSING_NS = 500_000_000
"""Time after an answer from which a question cannot have crossed it: stubs wait for a second at least before they ask
again (RFC 1123 §6.1.3.3 wants more), and half of that is beyond the round trips of all but satellites."""

TIMEOUTS_NS = 10_000_000_000
"""Time within which the same question by the same port is a repetition: twice the default of resolv.conf(5)."""

FEWEST = 3
"""Answered questions about other names that a name is held against."""

STRUCK = 0.9
"""Share of its answers that a box swallows: those of all documented systems, less some that the capture missed."""


@frozen(eq=False, kw_only=True)
class LostAnswers:
    """One row per exchange whose answer did not seem to arrive."""

    exchange: I64  # rows in Exchanges
    repeats: I64  # exchanges about the name that were repeated so
    others: I64  # answered exchanges about other names at the same resolver
    repeated: I64  # of these, how many were repeated so
    llr: F64  # for a box that swallows answers about the name, against the resolver's usual rate


def find_lost_answers(trace: Trace, lookups: Lookups, most: float) -> LostAnswers:
    """Find answered questions that are asked again, about a name more often than about others.

    Args:
        trace: The capture.
        lookups: Its exchanges.
        most: Nats that all repetitions may carry together.
    """
    counted = lookups.answered & lookups.over_udp & (lookups.since > 0)
    again = counted & repeated(trace, lookups)
    server, name = lookups.of("client", "server"), lookups.of("client", "server", "name")
    mine, all_mine = per_group(name, again), per_group(name, counted)
    others, struck = per_group(server, counted) - all_mine, per_group(server, again) - mine
    usual = (struck + 0.5) / (others + 1.0)  # Jeffreys
    usual = np.minimum(usual, STRUCK)
    llr = mine * np.log(STRUCK / usual) + (all_mine - mine) * np.log((1 - STRUCK) / (1 - usual))
    pick = np.flatnonzero(again & (others >= FEWEST) & (llr > 0))
    return LostAnswers(
        exchange=pick, repeats=mine[pick], others=others[pick], repeated=struck[pick], llr=np.minimum(llr[pick], most)
    )


def per_group(group: I64, where: Mask) -> I64:
    """Count, for each row, the rows of its group that *where* holds for."""
    counts: I64 = np.bincount(group[where], minlength=int(group.max(initial=-1)) + 1)[group]
    return counts


def repeated(trace: Trace, lookups: Lookups) -> Mask:
    """Say which exchanges were asked again after their first reply, in themselves or as the next by the same port."""
    exchanges, dns, time = trace.exchanges, trace.dns, trace.packets.time
    _, last = first_and_last(exchanges.queries, time[dns.packet[exchanges.queries.values]])
    replied, _ = first_and_last(exchanges.replies, time[dns.packet[exchanges.replies.values]])
    known = (exchanges.queries.lengths > 0) & (exchanges.replies.lengths > 0)
    again: Mask = known & (last > replied + CROSSING_NS)
    question = combined(exchanges.flow.astype(np.int64), lookups.name, lookups.kind)
    order = ordered_within(question, lookups.since)
    first, second = order[:-1], order[1:]
    pair = (question[first] == question[second]) & known[first] & (lookups.since[first] > 0)
    pair &= lookups.since[second] > replied[first] + CROSSING_NS
    pair &= lookups.since[second] - lookups.since[first] < TIMEOUTS_NS
    again[first[pair]] = True
    return again
