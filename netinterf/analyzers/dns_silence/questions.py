"""DNS questions that were never answered, one row each."""

import attrs
import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.context.domains import domain_numbers
from netinterf.context.networks import network_numbers
from netinterf.context.resolvers import public_resolver
from netinterf.numbering import combined, hash_rows, ordered_within
from netinterf.protocols.dns_messages import RecordType
from netinterf.protocols.dns_names import lowered
from netinterf.table import Ragged
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["WAIT_NS", "Lookups", "first_and_last", "list_lookups"]

UDP, TCP = 17, 6
TRUNCATED = 0x0200
NOERROR, NXDOMAIN = 0, 3
"""Response codes that answer a question (RFC 1035 §4.1.1)."""

WAIT_NS = 5_000_000_000
"""How long an answer is waited for: the default timeout of the stub resolver (resolv.conf(5), RES_TIMEOUT)."""

AGAIN_NS = 1_000_000_000
"""A client that asks the same again so long after has given the first question up, though the capture may end sooner:
no stub asks again within a second (RFC 1123 §6.1.3.3 wants more)."""


@frozen(eq=False, kw_only=True)
class Lookups:
    """One row per DNS exchange; all columns are aligned with ``trace.exchanges``."""

    client: I64  # rows in Hosts
    server: I64  # rows in Hosts
    name: I64  # hash of the name
    domain: I64  # number of its registrable domain
    kind: I64  # QTYPE
    over_udp: Mask
    since: I64  # when it was first asked, ns since 1970 UTC; 0 where the question was not captured
    tries: I64  # how often it was asked
    heard: I64  # when its last reply came, ns since 1970 UTC; 0 without any
    silent: Mask  # asked over UDP, waited for, and nothing came, not even an ICMP error
    answered: Mask  # some reply answers it
    failed: Mask  # some reply came, and none answers it
    truncated: Mask  # some reply is cut short and sends the client to TCP
    known: Mask  # the user knows addresses of the name, of the type asked for
    confirmed: Mask  # some reply gives an address that the user knows the name to have, or another of its network
    servfail_norm: Mask  # silent, and the resolver is a public one, that says so when it reaches no server of a name

    _groups: dict[tuple[str, ...], I64] = attrs.field(factory=dict, init=False, repr=False)

    def of(self, *columns: str) -> I64:
        """Number the distinct combinations of some columns, each once."""
        if columns not in self._groups:
            self._groups[columns] = combined(*(getattr(self, column) for column in columns))
        return self._groups[columns]


def list_lookups(trace: Trace) -> Lookups:
    """Say of every exchange who asked whom for what, and what came of it."""
    exchanges, flows, dns, packets = trace.exchanges, trace.flows, trace.dns, trace.packets
    flow, queried = exchanges.flow.astype(np.int64), exchanges.queries.lengths > 0
    replied = exchanges.replies.lengths > 0
    code = dns.flags[exchanges.replies.values] & 0xF
    readable = (dns.error[exchanges.replies.values] == 0) | (dns.questions[exchanges.replies.values] > 0)
    good = readable & ((code == NOERROR) | (code == NXDOMAIN))
    answered = np.zeros(len(exchanges), np.bool_)
    answered[exchanges.replies.parents()[good]] = True
    since, last = first_and_last(exchanges.queries, packets.time[dns.packet[exchanges.queries.values]])
    over_udp = flows.protocol[flow] == UDP
    reported = np.isin(flow, trace.quotes.flow[trace.quotes.flow >= 0])
    client, kind = flows.client[flow].astype(np.int64), exchanges.kind.astype(np.int64)
    name = (hash_rows(lowered(exchanges.name)) >> np.uint64(1)).astype(np.int64)
    heard = trace.heard_until(last)
    waited = heard - last >= WAIT_NS
    again = np.minimum(next_time(combined(client, name, kind), since), heard)
    waited |= np.maximum(np.minimum(last, trace.heard_until(since)) - since, again - last) >= AGAIN_NS
    server, vain = flows.server[flow].astype(np.int64), over_udp & queried & ~replied & ~reported
    pair, question = combined(client, server), combined(client, server, name, kind)
    slowest = np.zeros(int(pair.max(initial=-1)) + 1, np.int64)
    quick = over_udp & queried & replied
    np.maximum.at(slowest, pair[quick], first_and_last(exchanges.replies, reply_times(trace))[0][quick] - since[quick])
    waited |= given_up(question, vain & waited) & (heard - last >= slowest[pair])
    silent = vain & waited
    return Lookups(
        client=client,
        server=server,
        name=name,
        domain=domain_numbers(exchanges.name, private=True),
        kind=kind,
        over_udp=over_udp,
        since=since,
        tries=exchanges.queries.lengths.astype(np.int64),
        heard=first_and_last(exchanges.replies, reply_times(trace))[1],
        silent=silent,
        answered=answered,
        failed=replied & ~answered,
        truncated=is_truncated(trace),
        known=is_known(trace),
        confirmed=is_confirmed(trace),
        servfail_norm=has_servfail_norm(trace, server, silent & (trace.heard_until(since) - since >= WAIT_NS)),
    )


def reply_times(trace: Trace) -> I64:
    """When each reply of `Exchanges.replies` came, ns since 1970 UTC."""
    times: I64 = trace.packets.time[trace.dns.packet[trace.exchanges.replies.values]]
    return times


def given_up(question: I64, vain: Mask) -> Mask:
    """Say which lookups are of a question that was given up at least once in vain."""
    abandoned: Mask = np.isin(question, question[vain])
    return abandoned


def is_known(trace: Trace) -> Mask:
    """Say of which exchanges the user knows that the name has addresses of the type asked for."""
    known, kind = trace.outside.answers, trace.exchanges.kind
    has_addresses = np.zeros(len(trace.exchanges), np.bool_)
    if len(known):
        row = known.find(lowered(trace.exchanges.name))
        six = known.high != 0  # IPv4 as mapped has no upper half
        has = [np.zeros(len(known) + 1, np.bool_) for _ in range(2)]
        for place, family in enumerate((~six, six)):
            has[place][known.addresses.parents()[family[known.addresses.values]]] = True
        has_addresses = (kind == RecordType.A) & has[0][row] | (kind == RecordType.AAAA) & has[1][row]
    return has_addresses


def is_truncated(trace: Trace) -> Mask:
    """Say which exchanges hold a reply with the TC bit (RFC 1035 §4.1.1)."""
    replies = trace.exchanges.replies
    truncated = np.zeros(len(replies), np.bool_)
    truncated[replies.parents()[trace.dns.flags[replies.values] & TRUNCATED != 0]] = True
    return truncated


def is_confirmed(trace: Trace) -> Mask:
    """Say of which exchanges an answer lies where the user knows the name to be, by address or network."""
    known, answers, networks = trace.outside.answers, trace.answers, trace.outside.networks
    confirmed = np.zeros(len(trace.exchanges), np.bool_)
    if len(known):
        rows = np.flatnonzero((answers.section == 1) & np.isin(answers.kind, (RecordType.A, RecordType.AAAA)))
        exchange = trace.dns.exchange[answers.message[rows]].astype(np.int64)
        name = known.find(lowered(trace.exchanges.name))[exchange]
        given = network_numbers(networks, answers.high[rows], answers.low[rows])
        expected = network_numbers(networks, known.high, known.low)[known.addresses.values]
        pairs = combined(np.append(name, known.addresses.parents()), np.append(given, expected))
        confirmed[exchange[(name >= 0) & np.isin(pairs[: len(rows)], pairs[len(rows) :])]] = True
    return confirmed


def has_servfail_norm(trace: Trace, server: I64, silent: Mask) -> Mask:
    """Say which silent exchanges were put to a resolver of a public operator; nothing is asked of the others.

    What one says of dead names may come as late as a stub would wait, though its client asks again earlier.
    """
    public = [host for host in np.unique(server[silent]).tolist() if public_resolver(trace.address(host)) is not None]
    norm: Mask = silent & np.isin(server, np.array(public, np.int64))
    return norm


def next_time(group: I64, since: I64) -> I64:
    """When the next row of each row's group begins; 0 for the last."""
    order = ordered_within(group, since)
    later = np.zeros(len(group), np.int64)
    same = group[order[:-1]] == group[order[1:]]
    later[order[:-1][same]] = since[order[1:][same]]
    return later


def first_and_last(lists: Ragged, values: I64) -> tuple[I64, I64]:
    """First and last value of each list, 0 where it is empty."""
    full = lists.lengths > 0
    first, last = np.zeros(len(lists), np.int64), np.zeros(len(lists), np.int64)
    first[full] = values[lists.offsets[:-1][full]]
    last[full] = values[lists.offsets[1:][full] - 1]
    return first, last
