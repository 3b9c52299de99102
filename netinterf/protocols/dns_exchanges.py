"""Which queries and which replies belong to one question.

An exchange is everything with the same client, client port, server, server port, transport, identifier, name, type and
class, as long as no reply comes more than `WINDOW_NS` after the last query. All replies are kept, in order: pairing a
query with its first reply would throw away the second, and the second reply is the evidence of an injection
(net4people, passivedns and Hold-On all build on it; Duan et al., "Hold-On", SATIN 2012). Replies without a captured
query make exchanges of their own, so that captures of one direction work.

A reply whose question is damaged cannot match by name. It is tied to the query of the same four-tuple and identifier
that came last before it.
"""

import attrs
import numpy as np

from netinterf.arrays import I32, I64, Mask
from netinterf.numbering import among, combined, distinct, hash_rows, order_of_different, ordered
from netinterf.schema import Dns, Exchanges, Packets, ParseError
from netinterf.table import Ragged

__all__ = ["REPLY_BIT", "WINDOW_NS", "build_exchanges"]

WINDOW_NS = 10_000_000_000
"""How long after a query replies still belong to it: 5 s for the first and 5 s for a second one, as OONI's dnsping
waits (OONI spec, technique tq-002)."""

REPLY_BIT = 0x8000


def build_exchanges(dns: Dns, packets: Packets) -> tuple[Dns, Exchanges]:
    """Group messages into exchanges.

    Args:
        dns: Messages in time order.
        packets: Where their times are.

    Returns:
        The messages with ``exchange`` filled in, and the exchanges in order of their first message.
    """
    if not len(dns):
        return dns, Exchanges.empty()
    reply = dns.flags & REPLY_BIT != 0
    asker = dns.outbound ^ reply  # True: the flow's client asks
    source = _tie_damaged(dns, packets, reply, asker)  # message whose question counts, usually the message itself
    name = hash_rows(dns.name)
    keys = (dns.flow, asker, dns.id, dns.kind[source], dns.qclass[source], name[source], dns.name.lengths[source])
    question = combined(*(key.view(np.int64) if key.dtype == np.uint64 else key for key in keys))
    order = ordered(question)
    new = np.append(True, question[order][1:] != question[order][:-1])
    new |= _late(packets.time[dns.packet[order]], reply[order], np.cumsum(new) - 1)
    group = np.cumsum(new) - 1
    first = order[new]
    rank = np.empty(len(first), np.int64)
    rank[order_of_different(first)] = np.arange(len(first))
    exchange = np.empty(len(dns), np.int32)
    exchange[order] = rank[group]
    lead = source[distinct(first)]
    by_exchange = ordered(exchange).astype(np.int32)
    count = len(first)
    return attrs.evolve(dns, exchange=exchange), Exchanges(
        flow=dns.flow[lead],
        id=dns.id[lead],
        kind=dns.kind[lead],
        qclass=dns.qclass[lead],
        name=dns.name.take(lead),
        queries=_members(by_exchange[~reply[by_exchange]], exchange, count),
        replies=_members(by_exchange[reply[by_exchange]], exchange, count),
    )


def _members(messages: I32, exchange: I32, count: int) -> Ragged:
    return Ragged.from_lengths(np.bincount(exchange[messages], minlength=count), messages)


def _late(time: I64, reply: Mask, group: I64) -> Mask:
    """Mark messages that come too late for what precedes them in their group, so that they begin a new exchange.

    A reply is late by the last query before it, or by the message before it when there is none; a query is late by the
    message before it.
    """
    place = np.arange(len(time))
    last_query = np.where(reply, -1, place)
    last_query = np.maximum.accumulate(last_query)
    begins = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    since = np.repeat(begins, np.diff(np.append(begins, len(group))))
    before = np.maximum(place - 1, since)
    anchor = np.where(reply & (last_query >= since), last_query, before)
    late: Mask = time - time[anchor] > WINDOW_NS
    return late


def _tie_damaged(dns: Dns, packets: Packets, reply: Mask, asker: Mask) -> I64:
    """Name for each message the one whose question counts: for replies with a damaged question, the query before it."""
    source = np.arange(len(dns), dtype=np.int64)
    unreadable = (dns.questions == 0) | (dns.qclass == 0) | ((dns.error != ParseError.NONE) & (dns.name.lengths == 0))
    damaged = np.flatnonzero(reply & unreadable)
    queries = np.flatnonzero(~reply)
    if not len(damaged) or not len(queries):
        return source
    tie = (dns.flow.astype(np.int64) << 17) | (asker.astype(np.int64) << 16) | dns.id
    queries = queries[among(tie[queries], distinct(tie[damaged]))]
    queries = queries[np.argsort(tie[queries], kind="stable")]
    # Messages are in time order, so (tie, row) sorts by (tie, time) and the query wanted stands just before the reply.
    order = np.lexsort((np.append(queries, damaged), np.append(tie[queries], tie[damaged])))
    rows = np.append(queries, damaged)[order]
    is_query = ~reply[rows]
    before = np.maximum.accumulate(np.where(is_query, np.arange(len(rows)), -1))
    wanted = np.flatnonzero(~is_query & (before >= 0))
    query, answer = rows[before[wanted]], rows[wanted]
    time = packets.time[dns.packet]
    fits = (tie[query] == tie[answer]) & (time[answer] - time[query] <= WINDOW_NS)
    source[answer[fits]] = query[fits]
    return source
