"""How much the answers of two replies to one question contradict each other; 0 where both can be true.

Different selections or orders of the same addresses are rotation (RFC 1794), and what the capture cut off cannot be
compared: only what the headers say of the server is left.
"""

import numpy as np

from netinterf.analyzers.dns_poisoning.answered import address_numbers, records_answered
from netinterf.analyzers.dns_poisoning.content import Content, Feature
from netinterf.analyzers.dns_poisoning.profile import HOP_TOLERANCE
from netinterf.analyzers.dns_poisoning.replies import Replies
from netinterf.arrays import F64, I64, Mask
from netinterf.context.networks import network_numbers
from netinterf.numbering import combined, distinct, numbered_text
from netinterf.protocols.dns_messages import RecordType
from netinterf.table import Ragged, Text
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["CUT_OFF_DISAGREE", "DISJOINT", "IMPOSSIBLE_PAIR", "SERVER_FLAGS", "Pairs", "weigh_pairs"]

IMPOSSIBLE_PAIR, DISJOINT, ANSWER_AGAINST_NONE = 6.0, 5.0, 5.0
"""Weights of a pair of answers: unreachable against global, disjoint, addresses against none (NXDOMAIN or empty)."""

CUT_OFF_DISAGREE = 2.0
"""Weight of a pair whose answers cannot be compared because the capture cut one off, and whose headers disagree on what
the server is (AA, RA), on how far it is away, or on whether the name exists. Number of records and length say nothing:
rotation selects. The fit weighs it (``python -m benchmarks fit``); here it begins as a failure code does."""

SAME_NETWORK, SAME_CHAIN, FAILURE = 1.0, 0.5, 2.0
"""Weights of pairs with harmless explanations: both in one network (or records of other types that differ), both behind
one CNAME, a failure code on one side."""

SERVER_FLAGS = 0x0480
"""AA and RA (RFC 1035 §4.1.1): one server answers one question with one value of each."""

NOERROR, NXDOMAIN = 0, 3


@frozen(eq=False, kw_only=True)
class Pairs:
    """Pairs of different replies to one question, p of them."""

    race: I64  # row in Races
    left: I64  # rows in Replies
    right: I64

    def take(self, which: Mask) -> "Pairs":
        """Keep some."""
        return Pairs(race=self.race[which], left=self.left[which], right=self.right[which])

    def share(self, rows: I64, lists: Ragged) -> Mask:
        """Say which pairs have something in common.

        Pairs are of the first few members of a race only, so that one word of bits holds who of them has a value, and
        none is looked at more than once.

        Args:
            rows: The replies of all pairs, rows in Replies, rising.
            lists: Whole numbers that each of them holds.
        """
        left, right = (np.searchsorted(rows, side) for side in (self.left, self.right))
        race = np.zeros(len(rows), np.int64)
        race[left], race[right] = self.race, self.race
        order = np.argsort(race, kind="stable")
        member = np.empty(len(rows), np.int64)
        member[order] = np.arange(len(rows)) - np.searchsorted(race[order], race[order])
        owner = lists.parents()
        value = combined(race[owner], lists.values)
        holders = np.zeros(int(value.max(initial=-1)) + 1, np.int64)
        np.bitwise_or.at(holders, value, 1 << member[owner])
        beside = np.zeros(len(rows), np.int64)
        np.bitwise_or.at(beside, owner, holders[value])
        sharing: Mask = beside[left] >> member[right] & 1 != 0
        return sharing


def weigh_pairs(trace: Trace, replies: Replies, content: Content, pairs: Pairs) -> F64:
    """Weigh how much the answers of each pair contradict each other, nats; 0 where both can be true."""
    rows = distinct(np.concatenate([pairs.left, pairs.right]))
    others = _other_records(trace, replies, rows)
    left, right = (content.has(Feature.ADDRESS)[side] for side in (pairs.left, pairs.right))
    truncated, cut_off = (which[pairs.left] | which[pairs.right] for which in (replies.truncated, replies.cut_off))
    return np.select(
        [truncated, cut_off, left & right, left | right],
        [
            0.0,
            _unread(trace, replies, pairs),
            _both_answered(trace, replies, content, pairs, rows),
            _one_answered(replies, np.where(left, pairs.right, pairs.left), rows, others),
        ],
        _none_answered(replies, pairs, rows, others),
    )


def _unread(trace: Trace, replies: Replies, pairs: Pairs) -> F64:
    """Weigh pairs by their headers alone."""
    codes, flags = replies.rcode, replies.flags & np.uint16(SERVER_FLAGS)
    hops = replies.ttl * trace.recording.ttl_informative[replies.flow]
    left, right = pairs.left, pairs.right
    exists = (codes[left] != codes[right]) & ((codes[left] == NXDOMAIN) | (codes[right] == NXDOMAIN))
    apart = np.abs(hops[left] - hops[right]) > HOP_TOLERANCE
    apart &= ~_usual_hops(replies, np.stack([left, right])).all(axis=0)
    return np.where(exists | apart | (flags[left] != flags[right]), CUT_OFF_DISAGREE, 0.0)


def _usual_hops(replies: Replies, rows: I64) -> Mask:
    """Say which replies have about the hop limit of others that came alone: that of one of their server's sites."""
    alone = np.flatnonzero(replies.alone)
    known = distinct(replies.server[alone] << 10 | replies.ttl[alone] + HOP_TOLERANCE)
    wanted = replies.server[rows] << 10 | replies.ttl[rows]
    usual: Mask = np.searchsorted(known, wanted + 2 * HOP_TOLERANCE, "right") > np.searchsorted(known, wanted)
    return usual


def _both_answered(trace: Trace, replies: Replies, content: Content, pairs: Pairs, rows: I64) -> F64:
    """Weigh pairs that both hold addresses; *rows* are the replies of all pairs."""
    addresses = content.addresses.take(rows)
    high, low = trace.answers.high[addresses.values], trace.answers.low[addresses.values]
    networks = Ragged(addresses.offsets, network_numbers(trace.outside.networks, high, low))
    aliases = records_answered(trace, replies.message[rows], trace.answers.kind == RecordType.CNAME)
    chain = Ragged(aliases.offsets, numbered_text(trace.answers.target.take(aliases.values))[0])
    same = Ragged(addresses.offsets, address_numbers(trace, addresses.values))
    reachable = content.has(Feature.GLOBAL)
    unreachable = content.has(Feature.ADDRESS) & ~content.has(Feature.GLOBAL | Feature.SINKHOLE)
    impossible = (unreachable[pairs.left] & reachable[pairs.right]) | (reachable[pairs.left] & unreachable[pairs.right])
    return np.select(
        [pairs.share(rows, same), impossible, pairs.share(rows, networks), pairs.share(rows, chain)],
        [0.0, IMPOSSIBLE_PAIR, SAME_NETWORK, SAME_CHAIN],
        DISJOINT,
    )


def _one_answered(replies: Replies, empty: I64, rows: I64, others: Text) -> F64:
    """Weigh pairs one of which has no address; *empty* is that one's row."""
    elsewise = others.lengths[np.searchsorted(rows, empty)] > 0
    weight = np.where(np.isin(replies.rcode[empty], (NOERROR, NXDOMAIN)), ANSWER_AGAINST_NONE, FAILURE)
    return np.where(elsewise, DISJOINT, weight)


def _none_answered(replies: Replies, pairs: Pairs, rows: I64, others: Text) -> F64:
    """Weigh pairs without an address."""
    codes, (number, _) = replies.rcode, numbered_text(others)
    left, right = codes[pairs.left], codes[pairs.right]
    failed = np.where((left == NXDOMAIN) | (right == NXDOMAIN), FAILURE, 0.0)
    differ = number[np.searchsorted(rows, pairs.left)] != number[np.searchsorted(rows, pairs.right)]
    return np.where(left != right, failed, np.where(differ, SAME_NETWORK, 0.0))


def _other_records(trace: Trace, replies: Replies, rows: I64) -> Text:
    """Write kind and length of all records that are neither addresses nor aliases as bytes, in rising order."""
    kind = trace.answers.kind
    other = (kind != RecordType.A) & (kind != RecordType.AAAA) & (kind != RecordType.CNAME)
    records = records_answered(trace, replies.message[rows], other)
    shape = kind[records.values].astype(np.uint32) << np.uint32(16) | trace.answers.length[records.values]
    shape = shape[np.lexsort((shape, records.parents()))]
    return Text.from_lengths(records.lengths * shape.itemsize, shape.view(np.uint8))
