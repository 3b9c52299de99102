"""What else in the capture speaks for or against a suspect answer: other transports, and other servers."""

import attrs
import numpy as np

from netinterf.analyzers.dns_poisoning import rules
from netinterf.analyzers.dns_poisoning.answered import addresses_answered
from netinterf.analyzers.dns_poisoning.content import LOCAL, Content
from netinterf.analyzers.dns_poisoning.replies import Replies, question_keys
from netinterf.arrays import F64, I64, Mask
from netinterf.context.networks import network_numbers
from netinterf.numbering import among, combined, distinct, ordered, risen
from netinterf.schema import Rule
from netinterf.table import Ragged, spans
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["Corroborations", "agreeing_servers", "transport_contrasts"]

TCP = 6
NXDOMAIN = 3
GEOGRAPHIC = 0.5
"""Share of the weight for disjoint addresses over both transports: servers near each other may answer differently."""

WITNESSES = 50
"""Replies of other servers looked at per suspect."""


@frozen(eq=False, kw_only=True)
class Corroborations:
    """Observations of one kind about replies, made elsewhere in the capture, k of them."""

    rule: Rule
    replies: I64  # rows in Replies
    packets: I64  # rows in Packets that show them
    strength: F64 = attrs.field()  # share of the rule's weight

    @strength.default
    def _full(self) -> F64:
        return np.ones(len(self.replies))


def transport_contrasts(trace: Trace, replies: Replies) -> Corroborations:
    """Find UDP replies that say something else than the same server says over TCP for the same name and type."""
    exchanges, flows, dns, answers = trace.exchanges, trace.flows, trace.dns, trace.answers
    over_tcp = np.flatnonzero((flows.protocol[exchanges.flow] == TCP) & (exchanges.replies.lengths > 0))
    none = np.empty(0, np.int64)
    if not len(over_tcp):
        return Corroborations(rule=rules.TRANSPORT_CONTRAST, replies=none, packets=none)
    message = exchanges.replies.values[exchanges.replies.offsets[over_tcp]].astype(np.int64)
    truths, given = (addresses_answered(trace, some) for some in (message, replies.message))
    lengths, rows, packets, shares = given.lengths, [none], [none], [np.empty(0)]
    alike, number = by_question(trace, replies, np.flatnonzero(~replies.truncated), over_tcp)
    places = np.flatnonzero((truths.lengths > 0) & (dns.error[message] == 0) & (alike.lengths[number] > 0))
    compared = np.append(truths.values, given.take(alike.take(distinct(number[places])).values).values)
    network, codes = np.zeros(len(answers), np.int64), replies.rcode
    network[compared] = network_numbers(trace.outside.networks, answers.high[compared], answers.low[compared])
    for place in places.tolist():
        same = alike[int(number[place])]
        counts, records = lengths[same], given.values[spans(given.offsets[same], lengths[same])]
        agreeing = np.repeat(np.arange(len(same)), counts)[among(network[records], np.sort(network[truths[place]]))]
        elsewhere = (counts > 0) & (np.bincount(agreeing, minlength=len(same)) == 0)
        denied = (counts == 0) & (codes[same] == NXDOMAIN)
        rows.append(same[elsewhere | denied])
        packets.append(np.full(len(rows[-1]), dns.packet[message[place]], np.int64))
        shares.append(np.where(elsewhere, GEOGRAPHIC, 1.0)[elsewhere | denied])
    return Corroborations(
        rule=rules.TRANSPORT_CONTRAST,
        replies=np.concatenate(rows),
        packets=np.concatenate(packets),
        strength=np.concatenate(shares),
    )


def by_question(trace: Trace, replies: Replies, rows: I64, exchange: I64) -> tuple[Ragged, I64]:
    """List some replies, in order, by what was asked of whom; and name the list that stands beside each exchange."""
    number = combined(
        np.concatenate([replies.question[rows], question_keys(trace)[exchange]]).view(np.int64),
        np.concatenate([replies.server[rows], trace.flows.server[trace.exchanges.flow[exchange]]]),
    )
    mine, wanted = number[: len(rows)], number[len(rows) :]
    sizes = np.bincount(mine, minlength=int(number.max(initial=-1)) + 1)
    return Ragged.from_lengths(sizes, rows[ordered(mine)]), wanted


def agreeing_servers(
    trace: Trace, replies: Replies, content: Content, suspects: I64, suspect_or_disputed: Mask
) -> Corroborations:
    """Find suspects whose addresses another public server gave as well, for the same name and type.

    Servers in the client's network relay what others say and do not count; neither do replies under suspicion. Of the
    others the first `WITNESSES` to each question are looked at.
    """
    suspects = suspects[(content.bogus[suspects] == 0) & (content.listed[suspects] == 0)]
    local = trace.hosts.special[replies.server] & LOCAL != 0
    witnesses = np.flatnonzero(~suspect_or_disputed & ~local & replies.to_questions_of(suspects))
    agreeing = _first_agreeing(trace, replies, suspects, witnesses)
    suspects, agreeing = suspects[agreeing >= 0], agreeing[agreeing >= 0]
    question, server = replies.question_number, replies.server
    before = _earlier(question, witnesses, suspects, agreeing)
    before -= _earlier(combined(question, server), witnesses, suspects, agreeing)
    suspects, agreeing = suspects[before < WITNESSES], agreeing[before < WITNESSES]
    return Corroborations(rule=rules.AGREES_ELSEWHERE, replies=suspects, packets=replies.packet[agreeing])


def _first_agreeing(trace: Trace, replies: Replies, suspects: I64, witnesses: I64) -> I64:
    """Find for each suspect the first witness of another server that gave one of its addresses, -1 for none."""
    answers, rows = trace.answers, np.concatenate([witnesses, suspects])
    lists = addresses_answered(trace, replies.message[rows])
    row, suspect = rows[lists.parents()], lists.parents() - len(witnesses)
    high, low = answers.high[lists.values].view(np.int64), answers.low[lists.values].view(np.int64)
    number = combined(replies.question_number[row], high, low)
    seen, server, nobody = suspect < 0, np.append(replies.server, -1), len(replies)
    first, other = (np.full(int(number.max(initial=-1)) + 1, nobody) for _ in range(2))
    np.minimum.at(first, number[seen], row[seen])
    elsewhere = seen & (server[row] != server[first[number]])
    np.minimum.at(other, number[elsewhere], row[elsewhere])  # the first of another server than the first one's
    asking, number, suspect = row[~seen], number[~seen], suspect[~seen]
    found = np.where(server[first[number]] != server[asking], first[number], other[number])
    agreeing = np.full(len(suspects), nobody)
    np.minimum.at(agreeing, suspect, found)
    return np.where(agreeing < nobody, agreeing, -1)


def _earlier(group: I64, witnesses: I64, suspects: I64, before: I64) -> I64:
    """Count, for each suspect, the witnesses of its group before a reply; *group* is aligned with Replies."""
    keys = risen(group[witnesses] * len(group) + witnesses)
    begin = group[suspects] * len(group)
    return np.searchsorted(keys, begin + before) - np.searchsorted(keys, begin)
