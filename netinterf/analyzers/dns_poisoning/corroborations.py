"""What else in the capture speaks for or against a suspect answer: other transports, and other servers."""

import attrs
import numpy as np

from netinterf.analyzers.dns_poisoning import rules
from netinterf.analyzers.dns_poisoning.content import LOCAL, Content
from netinterf.analyzers.dns_poisoning.replies import Replies, question_keys
from netinterf.arrays import I64, Mask
from netinterf.context.networks import network_numbers
from netinterf.protocols.dns_messages import RecordType
from netinterf.schema import Rule
from netinterf.trace import Trace

__all__ = ["Address", "Corroboration", "agreeing_servers", "transport_contrasts"]

TCP = 6
NXDOMAIN = 3
GEOGRAPHIC = 0.5
"""Share of the weight for disjoint addresses over both transports: servers near each other may answer differently."""

WITNESSES = 50
"""Replies of other servers looked at per suspect."""

Address = tuple[int, int]


@attrs.frozen(kw_only=True)
class Corroboration:
    """One observation about one reply, made elsewhere in the capture."""

    rule: Rule
    reply: int  # row in Replies
    packet: int  # row in Packets that shows it
    strength: float = 1.0


def _addresses(trace: Trace, replies: Replies, message: int) -> frozenset[Address]:
    """Collect the addresses of a message's answer section."""
    answers = trace.answers
    rows = np.arange(replies.record_at[message], replies.record_at[message + 1])
    rows = rows[(answers.section[rows] == 1) & np.isin(answers.kind[rows], (RecordType.A, RecordType.AAAA))]
    return frozenset(zip(answers.high[rows].tolist(), answers.low[rows].tolist(), strict=True))


def _networks(trace: Trace, addresses: frozenset[Address]) -> frozenset[int]:
    high, low = np.array(list(addresses), np.uint64).reshape(-1, 2).T
    return frozenset(network_numbers(trace.outside.networks, high, low).tolist())


def transport_contrasts(trace: Trace, replies: Replies) -> list[Corroboration]:
    """Find UDP replies that say something else than the same server says over TCP for the same name and type."""
    exchanges, flows, dns = trace.exchanges, trace.flows, trace.dns
    over_tcp = np.flatnonzero((flows.protocol[exchanges.flow] == TCP) & (exchanges.replies.lengths > 0))
    if not len(over_tcp) or not len(replies):
        return []
    questions, truncated = question_keys(trace), replies.truncated
    corroborations = []
    for exchange in over_tcp.tolist():
        message = int(exchanges.replies[exchange][0])
        truth = _addresses(trace, replies, message)
        if not truth or dns.error[message]:
            continue
        same = replies.asking(questions[exchange])
        same = same[(replies.server[same] == flows.server[exchanges.flow[exchange]]) & ~truncated[same]]
        for reply in same.tolist():
            addresses = _addresses(trace, replies, int(replies.message[reply]))
            share = 0.0
            if addresses and not addresses & truth and not _networks(trace, addresses) & _networks(trace, truth):
                share = GEOGRAPHIC
            elif not addresses and int(replies.rcode[reply]) == NXDOMAIN:
                share = 1.0
            if share:
                packet = int(dns.packet[message])
                corroborations.append(
                    Corroboration(rule=rules.TRANSPORT_CONTRAST, reply=reply, packet=packet, strength=share)
                )
    return corroborations


def agreeing_servers(
    trace: Trace, replies: Replies, content: Content, suspects: I64, suspect_or_disputed: Mask
) -> list[Corroboration]:
    """Find suspects whose addresses another public server gave as well, for the same name and type.

    Servers in the client's network relay what others say and do not count; neither do replies under suspicion.
    """
    local = trace.hosts.special[replies.server] & LOCAL != 0
    corroborations = []
    for reply in suspects:
        addresses = _addresses(trace, replies, int(replies.message[reply]))
        if not addresses or content.bogus[reply] or content.listed[reply]:
            continue
        other = replies.asking(replies.question[reply])
        other = other[~suspect_or_disputed[other] & ~local[other] & (replies.server[other] != replies.server[reply])]
        for witness in other[:WITNESSES].tolist():
            if addresses & _addresses(trace, replies, int(replies.message[witness])):
                packet = int(replies.packet[witness])
                corroborations.append(Corroboration(rule=rules.AGREES_ELSEWHERE, reply=int(reply), packet=packet))
                break
    return corroborations
