"""Exchanges with more than one reply: do the answers contradict each other, and are there too many replies?

What counts is the excess of different replies over captured queries, not their number: a stub that asks again gets a
reply to each query, perhaps from another site of an anycast server. Byte-identical replies are duplicates of the
network or of the capture.
"""

import numpy as np

from netinterf.analyzers.dns_poisoning.content import Content
from netinterf.analyzers.dns_poisoning.contradictions import DISJOINT, IMPOSSIBLE_PAIR, SERVER_FLAGS, Pairs, weigh_pairs
from netinterf.analyzers.dns_poisoning.replies import Replies
from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import combined, distinct, ordered_within
from netinterf.table import Ragged, spans
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["Races", "compare_races"]

RETRANSMITTED, RETRANSMITTED_IMPOSSIBLE = 0.2, 0.5
"""Share of the weight when there are as many queries as replies: two sites of the server may have answered. An
unreachable address is not explained by a second site."""

ROTATING = 0.2
"""Share of the weight when the server gave either answer alone as well: it rotates, and the query may have been doubled
behind the tap."""

NO_QUERY = 1.5
"""Nats lost when no query was captured: the client may have asked twice."""

BURST_NS, BURST_SIZE = 500_000, 3
"""In over 90 % of cases three injectors answer within 0.2 ms of each other (Triplet Censors, FOCI 2020); here two of at
least three replies within half a millisecond."""

MOST = 16
"""Different replies of one exchange that are compared with each other."""


@frozen(eq=False, kw_only=True)
class Races:
    """Exchanges with several replies, m of them."""

    exchange: I64
    members: Ragged  # rows in Replies, one per different content, in time order
    weight: F64  # of the contradiction; 0 without
    pairs: Pairs  # which members contradict each other, by race
    different: I64  # number of replies with different bytes
    identical: Mask  # all replies are the same bytes
    cut_off: Mask  # the capture cut answers off: what was not read agrees with nothing
    flag_differences: I64  # bits (AA, RA) in which contradicting replies differ, counted

    @property
    def first(self) -> I64:
        """Row in Replies of the first member of each."""
        first: I64 = self.members.values[self.members.offsets[:-1]]
        return first


def compare_races(trace: Trace, replies: Replies, content: Content) -> Races:
    """Compare all replies of each exchange that drew more than one."""
    rows = _different(replies)
    exchange = distinct(replies.exchange[rows])
    different = np.bincount(replies.exchange[rows])[exchange] if len(rows) else exchange
    members = Ragged.from_lengths(different, rows)
    pairs = _pairs(members)
    weights = weigh_pairs(trace, replies, content, pairs)
    contradicting = pairs.take(weights > 0)
    weight = np.zeros(len(exchange))
    np.maximum.at(weight, pairs.race, weights)
    burst = (weight >= DISJOINT) & (different >= BURST_SIZE) & (_least_gap(trace, replies, members) <= BURST_NS)
    weight[burst] = np.maximum(weight[burst], IMPOSSIBLE_PAIR)
    weight = _as_asked(weight, different, replies.queries[members.values[members.offsets[:-1]]])
    weight[(weight < IMPOSSIBLE_PAIR) & _rotates(trace, replies, content, contradicting, len(exchange))] *= ROTATING
    differing = np.bitwise_count(
        (replies.flags[contradicting.left] ^ replies.flags[contradicting.right]) & SERVER_FLAGS
    )
    flag_differences = np.zeros(len(exchange), np.int64)
    np.maximum.at(flag_differences, contradicting.race, differing)
    return Races(
        exchange=exchange,
        members=members,
        weight=weight,
        pairs=contradicting,
        different=different,
        identical=different == 1,
        cut_off=np.bincount(members.parents(), replies.cut_off[rows], len(exchange)) > 0,
        flag_differences=flag_differences,
    )


def _different(replies: Replies) -> I64:
    """List the replies that did not come alone, of those with equal bytes the first only; rising."""
    rows = np.flatnonzero(~replies.alone)
    content = combined(replies.exchange[rows], replies.digest[rows].view(np.int64))
    first = np.empty(int(content.max(initial=-1)) + 1, np.int64)
    first[content[::-1]] = rows[::-1]  # the last write wins: the first of equal ones
    return distinct(first)


def _pairs(members: Ragged) -> Pairs:
    """Pair the first `MOST` members of each race, the earlier on the left."""
    race, place = members.parents(), np.arange(len(members.values))
    end = members.offsets[:-1] + np.minimum(members.lengths, MOST)
    after = np.maximum(end[race] - 1 - place, 0)
    left, right = np.repeat(place, after), spans(place + 1, after)
    return Pairs(race=race[left], left=members.values[left], right=members.values[right])


def _least_gap(trace: Trace, replies: Replies, members: Ragged) -> I64:
    """Find the least time between two members of each race, ns."""
    race, time = members.parents(), trace.packets.time[replies.packet[members.values]]
    gap = np.diff(time[ordered_within(race, time)])
    inside = np.diff(race) == 0
    least = np.full(len(members), np.iinfo(np.int64).max)
    np.minimum.at(least, race[1:][inside], gap[inside])
    return least


def _as_asked(weight: F64, different: I64, queries: I64) -> F64:
    """Lessen contradictions between no more replies than queries, or of a question that nobody saw."""
    share = np.where(weight >= IMPOSSIBLE_PAIR, RETRANSMITTED_IMPOSSIBLE, RETRANSMITTED)
    asked = np.where(different <= queries, weight * share, weight)
    return np.where(queries == 0, np.maximum(weight - NO_QUERY, 0.0), asked)


def _rotates(trace: Trace, replies: Replies, content: Content, pairs: Pairs, count: int) -> Mask:
    """Say in which of *count* races the server gave the answers of every contradicting reply alone at another time."""
    race, rows = np.tile(pairs.race, 2), np.concatenate([pairs.left, pairs.right])
    replied = distinct(rows)
    alone = np.flatnonzero(replies.alone & replies.to_questions_of(replied))
    given = content.addresses.take(np.concatenate([alone, replied]))
    owner, high, low = given.parents(), trace.answers.high[given.values], trace.answers.low[given.values]
    reply = np.concatenate([alone, replied])[owner]
    number = combined(
        replies.server[reply], replies.question[reply].view(np.int64), high.view(np.int64), low.view(np.int64)
    )
    raced = owner >= len(alone)
    known = np.zeros(len(replied), np.bool_)
    known[owner[raced][np.isin(number[raced], number[~raced])] - len(alone)] = True
    rotating = np.bincount(race, minlength=count) > 0
    rotating[race[~known[np.searchsorted(replied, rows)]]] = False
    return rotating
