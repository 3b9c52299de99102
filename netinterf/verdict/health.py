"""What happened when nobody interfered: did it work, was it broken, or was too little seen?

Plain rules over the tables, none of them statistical. They run from "not enough of it was captured" over "it failed"
to "it worked", and the first that applies decides. A failure is only called one when the capture ran long enough for
an answer and holds the side that would have shown it.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from netinterf.analyzers.unanswered.unfinished import unfinished
from netinterf.arrays import I64, U8, Mask
from netinterf.context.special import Special, is_ipv4
from netinterf.decode.link import broadcast
from netinterf.numbering import distinct, one_of
from netinterf.schema import Mark, Status, TcpFlag, TlsKind
from netinterf.verdict.reasons import CATALOGUE, Bits, Reason
from netinterf.verdict.unread import cut_away

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["exchange_reasons", "flow_reasons", "one_direction", "outcomes", "unheard"]

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58

SILENCE_NS = 3_000_000_000
"""How long a TCP answer is waited for: three times the first retransmission timeout of 1 s (RFC 6298 §2.1)."""

DNS_SILENCE_NS = 5_000_000_000
"""How long a DNS answer is waited for: the default timeout of the stub resolver (resolv.conf(5), RES_TIMEOUT)."""

MANY_REPEATS = 3
"""Retransmissions of the same data that mean more than bad luck: at 1 % loss three in a row have chance 8e-6."""

EVERYBODY = Special.MULTICAST | Special.BROADCAST
"""Addresses of no single host: groups (RFC 5771, RFC 4291 §2.7), and all that are on the link (RFC 919)."""

REFUSALS = (403, 451)
"""Status codes by which a server refuses, and by which boxes refuse in its name (RFC 9110 §15.5.4, RFC 7725)."""

NOERROR, SERVFAIL, NXDOMAIN, REFUSED = 0, 2, 3, 5
"""Response codes (RFC 1035 §4.1.1)."""


def outcomes(bits: Bits) -> U8:
    """Name the outcome that reasons stand for.

    Args:
        bits: Reason bits, any number.

    Returns:
        0 ok, 1 down, 3 insufficient (places in the enumeration Outcome), decided by the lowest bit.
    """
    lowest = bits & -bits
    result = np.zeros(len(bits), np.uint8)
    for reason in distinct(lowest[lowest > 0]).tolist():
        result[lowest == reason] = {"down": 1, "insufficient": 3}[CATALOGUE[Reason(reason)].outcome.value]
    return result


def flow_reasons(trace: "Trace") -> Bits:
    """Say for every flow why it is down or cannot be judged; no bit means that it worked."""
    flows, sides, packets = trace.flows, trace.sides, trace.packets
    count = len(flows)
    bits = np.zeros(count, np.int64)
    if count == 0:
        return bits
    client_sent, server_sent = sides.packets[0::2] > 0, sides.packets[1::2] > 0
    tcp, udp = flows.protocol == TCP, flows.protocol == UDP
    echo = (flows.protocol == ICMP) | (flows.protocol == ICMP6)
    message = np.zeros(count, np.bool_)
    quoting = packets.flow[trace.quotes.packet]
    message[quoting[quoting >= 0]] = True
    _set(bits, ~(tcp | udp | echo), Reason.OTHER_PROTOCOL)
    _set(bits, echo & message, Reason.ICMP_MESSAGE)
    _set(bits, echo & ~message & ~(client_sent & server_sent), Reason.ICMP_UNANSWERED)
    _set(bits, udp & ~(client_sent & server_sent), Reason.UDP_UNANSWERED)
    bits = one_direction(bits, unheard(trace)[0], trace.recording.one_way)
    _quoted(bits, trace, (tcp & ~_carried(trace)) | (udp & ~server_sent) | (echo & ~server_sent & ~message))
    _set(bits, _fragments_only(trace), Reason.FRAGMENTARY)
    bits[tcp] |= _tcp(trace)[tcp]
    return np.where(_to_everybody(trace), Reason.LINK_ONLY, _settle(bits))


def _to_everybody(trace: "Trace") -> Mask:
    """Say which flows go to groups or to all hosts of a link; who answers one answers from an address of its own."""
    flows = trace.flows
    special = trace.hosts.special & np.uint16(EVERYBODY) != 0
    result: Mask = special[flows.server] | special[flows.client]
    silent = np.flatnonzero(
        (flows.protocol == UDP) & (trace.sides.packets[1::2] == 0) & ~result & _last_of_subnet(trace)
    )
    link_types = [interface.link_type for interface in trace.interfaces]
    result[silent] = broadcast(trace.buffer, trace.packets, flows.first_packet[silent], link_types)
    return result


def _last_of_subnet(trace: "Trace") -> Mask:
    """Say which flows go to an address that may be the last of a subnet, of 4 or more, that holds the client too.

    Alone that proves nothing, as the size of the subnet is not known (RFC 919 §7). Nor does a frame to everybody: made
    captures have that for whatever host.
    """
    hosts, flows = trace.hosts, trace.flows
    client, server = hosts.low[flows.client], hosts.low[flows.server]
    ones = server & ~(server + np.uint64(1))  # those at its end
    four = is_ipv4(hosts.high, hosts.low)[flows.server] & is_ipv4(hosts.high, hosts.low)[flows.client]
    result: Mask = four & (ones >= 3) & (((client ^ server) & ~ones) == 0)
    return result


def _set(bits: Bits, where: Mask, reason: Reason) -> None:
    bits |= np.where(where, reason, 0)


def _carried(trace: "Trace") -> Mask:
    """Say in which flows the server sent payload."""
    result: Mask = trace.sides.payload_packets[1::2] > 0
    return result


def _quoted(bits: Bits, trace: "Trace", failed: Mask) -> None:
    """Mark failed flows about which an ICMP error came back (RFC 792, RFC 4443): unreachable, or out of hops."""
    kind = trace.packets.icmp[trace.quotes.packet] >> 8
    version = trace.packets.version[trace.quotes.packet]
    flow = trace.quotes.flow
    unreachable = np.where(version == 6, kind == 1, kind == 3)
    exceeded = np.where(version == 6, kind == 3, kind == 11)
    for matches, reason in ((unreachable, Reason.UNREACHABLE), (exceeded, Reason.TIME_EXCEEDED)):
        about = np.zeros(len(failed), np.bool_)
        about[flow[matches & (flow >= 0)]] = True
        _set(bits, about & failed, reason)


def _settle(bits: Bits) -> Bits:
    """Stop waiting for an answer where ICMP said that none will come."""
    reported = (bits & (Reason.UNREACHABLE | Reason.TIME_EXCEEDED)) != 0
    return np.where(reported, bits & ~Reason.ENDED_EARLY, bits)


def _fragments_only(trace: "Trace") -> Mask:
    """Say which flows consist of later fragments alone."""
    status, flow = trace.packets.status, trace.packets.flow
    whole = np.flatnonzero((flow >= 0) & ((status & Status.FRAGMENT_LATER) == 0))
    result = np.ones(len(trace.flows), np.bool_)
    result[flow[whole]] = False
    return result


def _tcp(trace: "Trace") -> Bits:
    """Apply the rules for TCP to every flow (the caller keeps those that are)."""
    sides, packets, flows = trace.sides, trace.packets, trace.flows
    bits = np.zeros(len(flows), np.int64)
    client, server = slice(0, None, 2), slice(1, None, 2)
    client_sent, server_sent = sides.packets[client] > 0, sides.packets[server] > 0
    two_way = client_sent & server_sent
    request, reply = sides.payload_packets[client] > 0, sides.payload_packets[server] > 0
    opened = (sides.syn[client] >= 0) | (sides.syn[server] >= 0)
    syn_ack = sides.syn[server] >= 0
    reset = sides.rst[server] >= 0
    closed = (sides.fin[client] >= 0) | (sides.fin[server] >= 0)
    waited = trace.heard_until(flows.first) - flows.first >= SILENCE_NS
    only_syn = client_sent & ~server_sent & (_syn_count(trace) == sides.packets[client])

    _set(bits, (client_sent ^ server_sent) & ~only_syn, Reason.ONE_DIRECTION)
    _set(bits, cut_away(trace), Reason.SNAPLEN)
    _set(bits, only_syn & waited, Reason.SYN_UNANSWERED)
    _set(bits, only_syn & ~waited, Reason.ENDED_EARLY)
    _set(bits, two_way & (sides.syn[client] >= 0) & ~syn_ack & reset & ~reply, Reason.REFUSED)
    _set(bits, two_way & ~opened, Reason.MID_STREAM)
    carried = two_way & opened & ~(reset & ~syn_ack & ~reply)
    unanswered = carried & syn_ack & request & ~reply & ~reset
    _set(bits, unanswered & _abandoned(trace), Reason.REQUEST_UNANSWERED)
    unanswered &= ~_delivered(trace, closed)
    asked = packets.time[sides.first_payload[client]]
    waited = trace.heard_until(asked) - asked >= SILENCE_NS
    _set(bits, unanswered & waited, Reason.REQUEST_UNANSWERED)
    _set(bits, unanswered & ~waited, Reason.ENDED_EARLY)
    _set(bits, carried & syn_ack & reset & ~closed & (request | reply), Reason.RESET_UNEXPLAINED)
    _set(bits, carried & request & reply & _stalled(trace), Reason.STALLED)
    silent = carried & ~request & ~reply
    half_open = silent & (sides.packets[client] <= _syn_count(trace))
    _set(bits, half_open, Reason.HANDSHAKE_UNFINISHED)
    _set(bits, silent & ~half_open, Reason.NO_PAYLOAD)
    _set(bits, carried & (bits == 0) & (request ^ reply) & ~_delivered(trace, closed), Reason.TOO_FEW)
    for refused, reason in _refused(trace):
        _set(bits, refused & (bits == 0), reason)
    return bits


def _refused(trace: "Trace") -> Iterator[tuple[Mask, Reason]]:
    """Say which requests were refused in the clear, or were not served though somebody answered.

    Anybody on the path can write a FIN, an alert or a page.
    """
    sides, tls, http, none = trace.sides, trace.tls, trace.http, np.zeros(len(trace.flows), np.bool_)
    client_fin, server_fin = sides.fin[0::2], sides.fin[1::2]
    requested, alert, server_hello, refused = _requested(trace), none.copy(), none.copy(), none.copy()
    yield (
        requested
        & (sides.payload_packets[1::2] == 0)
        & (server_fin >= 0)
        & ((client_fin < 0) | (server_fin < client_fin)),
        Reason.CLOSED_UNEXPLAINED,
    )
    alert[tls.flow[~tls.outbound & (tls.kind == TlsKind.ALERT)]] = True
    server_hello[tls.flow[~tls.outbound & (tls.kind == TlsKind.SERVER_HELLO)]] = True
    yield requested & alert & ~server_hello, Reason.ALERT_UNEXPLAINED
    answer = sides.first_payload[1::2]
    acknowledged = trace.packets.relative_ack[np.maximum(answer, 0)] if len(trace.packets) else answer
    handshake = server_hello & (answer >= 0) & (sides.sent[0::2] - (client_fin >= 0) <= acknowledged)
    yield _cut_short(trace, handshake), Reason.STALLED  # it was not the client that left
    yield handshake, Reason.TLS_UNFINISHED
    answers = np.flatnonzero(~http.outbound & (http.status > 0))
    _, first = np.unique(http.flow[answers], return_index=True)
    first = answers[first]
    refused[http.flow[first[one_of(http.status[first], REFUSALS)]]] = True
    yield refused, Reason.REFUSAL_UNEXPLAINED


def _cut_short(trace: "Trace", handshake: Mask) -> Mask:
    """Say in which flows an answer stopped in its middle, and what the client sent then was never acknowledged.

    Args:
        trace: The capture.
        handshake: Flows whose TLS handshake was not finished.
    """
    sides = trace.sides
    client, server = slice(0, None, 2), slice(1, None, 2)
    in_vain = (sides.acked[client] < sides.sent[client]) & (sides.repeats[client] >= MANY_REPEATS)
    in_vain &= (trace.flows.protocol == TCP) & (sides.payload_packets[server] > 0)
    flow = np.flatnonzero(in_vain & ~handshake)
    result: Mask = in_vain & handshake
    result[flow] = unfinished(trace, 2 * flow)
    return result


def _requested(trace: "Trace") -> Mask:
    """Say in which flows the client asked for something (TLS, HTTP)."""
    result = np.zeros(len(trace.flows), np.bool_)
    for messages in (trace.tls, trace.http):
        result[messages.flow[messages.outbound]] = True
    return result


def _syn_count(trace: "Trace") -> I64:
    """Count the SYNs (without ACK) that each flow's client sent; a copy of a frame was not sent."""
    packets = trace.packets
    flags = packets.tcp_flags & (TcpFlag.SYN | TcpFlag.ACK)
    sent = packets.outbound & (packets.flow >= 0) & (packets.marks & Mark.DUPLICATE_FRAME == 0)
    syn = np.flatnonzero(sent & (flags == TcpFlag.SYN) & (packets.protocol == TCP))
    return np.bincount(packets.flow[syn], minlength=len(trace.flows))


def _abandoned(trace: "Trace") -> Mask:
    """Say in which flows the client asked (TLS, HTTP), waited for an answer, and left without one."""
    sides, time = trace.sides, trace.packets.time
    request = sides.first_payload[0::2]
    result = _requested(trace) & (request >= 0) & (sides.fin[0::2] >= 0)
    flow = np.flatnonzero(result)
    result[flow] = time[sides.fin[2 * flow]] - time[request[flow]] >= SILENCE_NS
    return result


def _delivered(trace: "Trace", closed: Mask) -> Mask:
    """Say which one-way transfers ended in order: closed, and all payload of both sides acknowledged."""
    sides = trace.sides
    payload = sides.payload_packets > 0
    whole = ~payload | (sides.acked >= sides.sent - (sides.fin >= 0))
    result: Mask = closed & whole[0::2] & whole[1::2]
    return result


def _stalled(trace: "Trace") -> Mask:
    """Say in which flows data was sent again and again without being acknowledged."""
    sides = trace.sides
    outstanding = (sides.sent - (sides.fin >= 0)) > sides.acked
    stuck = (sides.payload_packets > 0) & (sides.acked >= 0) & outstanding & (sides.repeats >= MANY_REPEATS)
    result: Mask = stuck[0::2] | stuck[1::2]
    return result


def exchange_reasons(trace: "Trace", flow_bits: Bits) -> Bits:
    """Say for every DNS exchange why it is down or cannot be judged; no bit means that it was answered.

    Args:
        trace: The capture.
        flow_bits: What `flow_reasons` found, for errors that ICMP reported about the carrying flow.
    """
    exchanges, dns, packets = trace.exchanges, trace.dns, trace.packets
    bits = np.zeros(len(exchanges), np.int64)
    if len(exchanges) == 0:
        return bits
    queries, replies = exchanges.queries.lengths > 0, exchanges.replies.lengths > 0
    parent, row = exchanges.replies.parents(), exchanges.replies.values
    code = dns.flags[row] & 0xF
    readable = (dns.error[row] == 0) | (dns.questions[row] > 0)
    good = _any(parent, readable & ((code == NOERROR) | (code == NXDOMAIN)), len(bits))
    query_time = np.full(len(bits), np.iinfo(np.int64).max)
    np.minimum.at(query_time, exchanges.queries.parents(), packets.time[dns.packet[exchanges.queries.values]])
    waited = trace.heard_until(query_time) - DNS_SILENCE_NS >= query_time
    _set(bits, ~queries, Reason.QUERY_MISSING)
    silent = unheard(trace)[1]
    bits = one_direction(bits, silent, trace.recording.one_way[exchanges.flow])
    _set(bits, silent & ~waited, Reason.ENDED_EARLY)
    _set(bits, silent & waited, Reason.DNS_UNANSWERED)
    reported = Reason.UNREACHABLE | Reason.TIME_EXCEEDED
    bits[silent] |= flow_bits[exchanges.flow[silent]] & reported
    bad = queries & replies & ~good
    _set(bits, bad & ~_any(parent, readable, len(bits)), Reason.DNS_UNREADABLE)
    _set(bits, bad & _any(parent, readable & (code == SERVFAIL), len(bits)), Reason.DNS_SERVFAIL)
    _set(bits, bad & _any(parent, readable & (code == REFUSED), len(bits)), Reason.DNS_REFUSED)
    other = readable & ~np.isin(code, [NOERROR, NXDOMAIN, SERVFAIL, REFUSED])
    _set(bits, bad & _any(parent, other, len(bits)), Reason.DNS_ERROR)
    return _settle(bits)


def unheard(trace: "Trace") -> tuple[Mask, Mask]:
    """Say which UDP flows nobody was heard to answer, and which DNS exchanges.

    Whether nobody answered, or nobody recorded it, depends on what others on the path show (`one_direction`).
    """
    sent, exchanges = trace.sides.packets > 0, trace.exchanges
    flows: Mask = (trace.flows.protocol == UDP) & sent[0::2] & ~sent[1::2]
    return flows, (exchanges.queries.lengths > 0) & (exchanges.replies.lengths == 0)


def one_direction(reasons: Bits, unheard: Mask, one_way: Mask) -> Bits:
    """Say of those that nobody was heard to answer whether only one direction was captured.

    Args:
        reasons: Of some subjects.
        unheard: Which of them nobody was heard to answer.
        one_way: Which of their paths were recorded where only one direction passes.
    """
    bit = Reason.ONE_DIRECTION
    bits: Bits = np.where(unheard, np.where(one_way, reasons | bit, reasons & ~bit), reasons)
    return bits


def _any(parent: I64, holds: Mask, count: int) -> Mask:
    """Say for which parents it holds at least once."""
    result = np.zeros(count, np.bool_)
    result[parent[holds]] = True
    return result
