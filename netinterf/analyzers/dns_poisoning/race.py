"""Exchanges with more than one reply: do the answers contradict each other, and are there too many replies?

What counts is the excess of different replies over captured queries, not their number: a stub that asks again gets a
reply to each query, perhaps from another site of an anycast server. Byte-identical replies are duplicates of the
network or of the capture. Different selections or orders of the same addresses are rotation (RFC 1794).
"""

import attrs
import numpy as np

from netinterf.analyzers.dns_poisoning.content import Content, Feature
from netinterf.analyzers.dns_poisoning.profile import HOP_TOLERANCE
from netinterf.analyzers.dns_poisoning.replies import Replies
from netinterf.arrays import F64, I64, Mask
from netinterf.context.networks import network_numbers
from netinterf.protocols.dns_messages import RecordType
from netinterf.trace import Trace

__all__ = ["CUT_OFF_DISAGREE", "DISJOINT", "Races", "compare_races"]

IMPOSSIBLE_PAIR, DISJOINT, ANSWER_AGAINST_NONE = 6.0, 5.0, 5.0
"""Weights of a pair of answers: unreachable against global, disjoint, addresses against none (NXDOMAIN or empty)."""

CUT_OFF_DISAGREE = 2.0
"""Weight of a pair whose answers cannot be compared because the capture cut one off, and whose headers disagree on what
the server is (AA, RA), on how far it is away, or on whether the name exists. Number of records and length say nothing:
rotation selects. The fit weighs it (``python -m benchmarks fit``); here it begins as a failure code does."""

SAME_NETWORK, SAME_CHAIN, FAILURE = 1.0, 0.5, 2.0
"""Weights of pairs with harmless explanations: both in one network (or records of other types that differ), both behind
one CNAME, a failure code on one side."""

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

SERVER_FLAGS = 0x0480
"""AA and RA (RFC 1035 §4.1.1): one server answers one question with one value of each."""

NXDOMAIN = 3
TRUNCATED = 0x0200


@attrs.frozen(eq=False, kw_only=True)
class Races:
    """Exchanges with several replies, m of them."""

    exchange: I64
    members: list[I64]  # rows in Replies, one per different content, in time order
    weight: F64  # of the contradiction; 0 without
    pairs: list[set[tuple[int, int]]]  # which members contradict each other
    different: I64  # number of replies with different bytes
    identical: Mask  # all replies are the same bytes
    cut_off: Mask  # the capture cut answers off: what was not read agrees with nothing
    flag_differences: I64  # bits (AA, RA) in which contradicting replies differ, counted


def compare_races(trace: Trace, replies: Replies, content: Content) -> Races:
    """Compare all replies of each exchange that drew more than one."""
    counts = np.bincount(replies.exchange, minlength=len(trace.exchanges))
    rows = np.flatnonzero(counts[replies.exchange] > 1) if len(replies) else np.empty(0, np.int64)
    alone, sites = _given_alone(trace, replies, content, counts, rows), _hops_alone(replies, counts, rows)
    exchanges, starts = np.unique(replies.exchange[rows], return_index=True)
    edges = np.append(starts, len(rows))
    members, weights, pairs = [], [], []
    for place in range(len(exchanges)):  # few: an ordinary exchange has one reply
        mine = rows[edges[place] : edges[place + 1]]
        _, first = np.unique(replies.digest[mine], return_index=True)
        distinct = mine[np.sort(first)]
        weight, contradicting = _contradiction(trace, replies, content, distinct, sites)
        if weight < IMPOSSIBLE_PAIR and contradicting and _rotates(trace, replies, content, alone, contradicting):
            weight *= ROTATING
        members.append(distinct)
        weights.append(weight)
        pairs.append(contradicting)
    different = np.array([len(rows) for rows in members], np.int64)
    return Races(
        exchange=exchanges,
        members=members,
        weight=np.array(weights, np.float64),
        pairs=pairs,
        different=different,
        identical=different == 1,
        cut_off=np.array([bool(replies.cut_off[rows].any()) for rows in members], np.bool_),
        flag_differences=np.array([_flag_differences(replies, contradicting) for contradicting in pairs], np.int64),
    )


def _flag_differences(replies: Replies, pairs: set[tuple[int, int]]) -> int:
    """Count the flags that a server sets by its own nature in which two contradicting replies differ."""
    differing = [int(replies.flags[left] ^ replies.flags[right]) & SERVER_FLAGS for left, right in pairs]
    return max((bits.bit_count() for bits in differing), default=0)


def _given_alone(
    trace: Trace, replies: Replies, content: Content, counts: I64, rows: I64
) -> dict[tuple[int, int], set[tuple[int, int]]]:
    """Collect, per server and raced question, the addresses given where one reply came alone."""
    given: dict[tuple[int, int], set[tuple[int, int]]] = {}
    single = (counts[replies.exchange] == 1) & np.isin(replies.question, replies.question[rows])
    for row in np.flatnonzero(single).tolist():
        key = int(replies.server[row]), int(replies.question[row])
        given.setdefault(key, set()).update(_addresses(trace, content, row))
    return given


def _hops_alone(replies: Replies, counts: I64, rows: I64) -> dict[int, I64]:
    """Collect, per server of raced questions, the hop limits of replies that came alone: those of its sites."""
    single = counts[replies.exchange] == 1
    return {
        server: np.unique(replies.ttl[single & (replies.server == server)])
        for server in np.unique(replies.server[rows[replies.cut_off[rows]]]).tolist()
    }


def _addresses(trace: Trace, content: Content, row: int) -> set[tuple[int, int]]:
    """List the addresses of one reply."""
    records = content.addresses[row]
    return set(zip(trace.answers.high[records].tolist(), trace.answers.low[records].tolist(), strict=True))


def _rotates(
    trace: Trace,
    replies: Replies,
    content: Content,
    alone: dict[tuple[int, int], set[tuple[int, int]]],
    pairs: set[tuple[int, int]],
) -> bool:
    """Say whether the server gave the answers of every contradicting reply alone at another time."""
    row = next(iter(pairs))[0]
    known = alone.get((int(replies.server[row]), int(replies.question[row])), set())
    return all(known & _addresses(trace, content, member) for pair in pairs for member in pair)


def _contradiction(
    trace: Trace,
    replies: Replies,
    content: Content,
    rows: I64,
    sites: dict[int, I64],
) -> tuple[float, set[tuple[int, int]]]:
    """Weigh the strongest contradiction between different replies of one exchange."""
    best, pairs = 0.0, set()
    usual = sites.get(int(replies.server[rows[0]]), np.empty(0, np.int64))
    answers = [_Answer.of(trace, replies, content, int(row), usual) for row in rows[:16]]
    for left in range(len(answers)):
        for right in range(left + 1, len(answers)):
            weight = answers[left].against(answers[right])
            if weight > 0:
                pairs.add((int(rows[left]), int(rows[right])))
                best = max(best, weight)
    if best >= DISJOINT and len(rows) >= BURST_SIZE:
        times = np.sort(trace.packets.time[replies.packet[rows]])
        best = max(best, IMPOSSIBLE_PAIR if np.diff(times).min() <= BURST_NS else best)
    queries = int(replies.queries[rows[0]])
    if queries == 0:
        best = max(best - NO_QUERY, 0.0)
    elif len(rows) <= queries:
        best *= RETRANSMITTED_IMPOSSIBLE if best >= IMPOSSIBLE_PAIR else RETRANSMITTED
    return best, pairs


@attrs.frozen(kw_only=True)
class _Answer:
    """The answer of one reply, brought into a form that can be compared."""

    addresses: frozenset[tuple[int, int]]
    networks: frozenset[int]
    chain: frozenset[str]
    rcode: int
    truncated: bool
    cut_off: bool
    server_flags: int  # AA and RA
    ttl: int  # hop limit, 0 where that tells nothing
    usual: bool  # its server's replies have about that hop limit when they come alone
    reachable: bool  # has a global address
    unreachable: bool  # has only addresses that are not
    shape: tuple[tuple[int, int], ...]  # kind and length of answer records of other types

    @classmethod
    def of(cls, trace: Trace, replies: Replies, content: Content, row: int, usual: I64) -> "_Answer":
        answers = trace.answers
        message = int(replies.message[row])
        first, last = replies.record_at[message], replies.record_at[message + 1]
        records = content.addresses[row]
        high, low = answers.high[records], answers.low[records]
        section = [place for place in range(first, last) if answers.section[place] == 1]
        other = [p for p in section if answers.kind[p] not in {RecordType.A, RecordType.AAAA, RecordType.CNAME}]
        features = Feature(int(content.features[row]))
        return cls(
            addresses=frozenset(zip(high.tolist(), low.tolist(), strict=True)),
            networks=frozenset(network_numbers(trace.outside.networks, high, low).tolist()),
            chain=frozenset(answers.target[p] for p in section if answers.kind[p] == RecordType.CNAME),
            rcode=int(replies.flags[row]) & 0xF,
            truncated=bool(replies.flags[row] & TRUNCATED),
            cut_off=bool(replies.cut_off[row]),
            server_flags=int(replies.flags[row]) & SERVER_FLAGS,
            ttl=int(replies.ttl[row]) * int(trace.recording.ttl_informative[replies.flow[row]]),
            usual=bool(np.any(np.abs(usual - replies.ttl[row]) <= HOP_TOLERANCE)),
            reachable=Feature.GLOBAL in features,
            unreachable=Feature.ADDRESS in features
            and Feature.GLOBAL not in features
            and Feature.SINKHOLE not in features,
            shape=tuple(sorted((int(answers.kind[p]), int(answers.length[p])) for p in other)),
        )

    def against(self, other: "_Answer") -> float:
        """Weigh how much two answers contradict each other; 0 when they can both be true."""
        if self.truncated or other.truncated:
            return 0.0
        if self.cut_off or other.cut_off:
            exists = NXDOMAIN in {self.rcode, other.rcode} and self.rcode != other.rcode
            apart = abs(self.ttl - other.ttl) > HOP_TOLERANCE and not (self.usual and other.usual)
            return CUT_OFF_DISAGREE if exists or apart or self.server_flags != other.server_flags else 0.0
        if self.addresses and other.addresses:
            return self.disjoint(other)
        if self.addresses or other.addresses:
            empty = other if self.addresses else self
            if empty.shape:
                return DISJOINT
            return ANSWER_AGAINST_NONE if empty.rcode in {0, NXDOMAIN} else FAILURE
        if self.rcode != other.rcode:
            return FAILURE if NXDOMAIN in {self.rcode, other.rcode} else 0.0
        return SAME_NETWORK if self.shape != other.shape else 0.0

    def disjoint(self, other: "_Answer") -> float:
        """Weigh two answers that both hold addresses."""
        if self.addresses & other.addresses:
            return 0.0
        if (self.unreachable and other.reachable) or (self.reachable and other.unreachable):
            return IMPOSSIBLE_PAIR
        if self.networks & other.networks:
            return SAME_NETWORK
        return SAME_CHAIN if self.chain & other.chain else DISJOINT
