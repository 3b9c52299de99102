"""What connections found at the addresses that suspect answers gave.

A certificate for the name on the answered address is the best false-alarm killer that needs no further data: the
consistency checks of former studies were wrong in 72 % of their positives, and certificates put them right (Tsai et
al., CERTainty, PoPETs 2023). Forged addresses belong to somebody else, or to nobody, so that what follows fails.
"""

import numpy as np

from netinterf.analyzers.dns_poisoning import rules
from netinterf.analyzers.dns_poisoning.content import Content
from netinterf.analyzers.dns_poisoning.corroborations import Corroborations
from netinterf.analyzers.dns_poisoning.replies import Replies
from netinterf.arrays import I64, U64, Mask
from netinterf.numbering import combined, numbered_text
from netinterf.schema import TlsKind
from netinterf.table import Text, spans
from netinterf.trace import Trace

__all__ = ["tls_at_answered", "tried_in_vain"]

TCP = 6
FATAL = 2

SOON_NS = 60_000_000_000
"""Within a minute of an answer, before it or after, a connection may be led by it or by an earlier one like it:
browsers hold answers that long (Jackson et al., CCS 2007)."""

WAIT_NS = 5_000_000_000
"""How long the capture must go on for a connection without an answer to count as failed."""


def tried_in_vain(trace: Trace, replies: Replies, content: Content, suspects: I64) -> Corroborations:
    """Find suspects whose addresses the client tried in vain, while others that this server gave it served it.

    A connection failed when its server sent no data: it was not there, closed, hung up, or was swallowed.
    """
    flows, sides = trace.flows, trace.sides
    tcp = np.flatnonzero((flows.protocol == TCP) & (sides.syn[0::2] >= 0))
    ends = flows.client[tcp].astype(np.int64) << 32 | flows.server[tcp]
    order = np.lexsort((flows.first[tcp], ends))
    tcp, ends = tcp[order], ends[order]
    served = sides.payload_packets[1::2][tcp] > 0
    cut = (sides.rst[1::2][tcp] >= 0) | (sides.fin[1::2][tcp] >= 0)
    failed = ~served & (cut | (trace.heard_until(flows.last[tcp]) - flows.last[tcp] >= WAIT_NS))

    led, destination = leads(trace, replies, content, suspects)
    low, high = np.searchsorted(ends, destination), np.searchsorted(ends, destination, side="right")
    flow, owner = spans(low, high - low), np.repeat(led, high - low)
    waited = flows.first[tcp[flow]] - trace.packets.time[replies.packet[owner]]
    soon = np.abs(waited) <= SOON_NS
    flow, owner = flow[soon], owner[soon]
    tried, first, place, counts = np.unique(owner, return_index=True, return_inverse=True, return_counts=True)
    lost = np.bincount(place.reshape(-1), failed[flow], len(tried)) == counts
    lost &= np.isin(replies.server[tried], serving(trace, replies, content, suspects, ends[served]))
    packets = flows.first_packet[tcp[flow[first[lost]]]].astype(np.int64)
    return Corroborations(rule=rules.DEAD_END, replies=tried[lost], packets=packets)


def leads(trace: Trace, replies: Replies, content: Content, rows: I64) -> tuple[I64, I64]:
    """Pair replies with the hosts of the capture that their answers name.

    Returns:
        Rows in Replies, and the client that got each with the host as one number (rows in Hosts, 32 bits each).
    """
    addresses = content.addresses.take(rows)
    known = address_keys(trace.hosts.high, trace.hosts.low)
    order = np.argsort(known)
    named = address_keys(trace.answers.high[addresses.values], trace.answers.low[addresses.values])
    place = np.minimum(np.searchsorted(known[order], named), max(len(known) - 1, 0))
    there = known[order][place] == named
    owner, host = rows[addresses.parents()[there]], order[place[there]]
    flow, outward = trace.dns.flow[replies.message[owner]], trace.dns.outbound[replies.message[owner]]
    client = np.where(outward, trace.flows.server[flow], trace.flows.client[flow]).astype(np.int64)
    return owner, client << 32 | host


def address_keys(high: U64, low: U64) -> U64:
    """Mix both halves of addresses into one number."""
    mixed: U64 = high * np.uint64(0x9E3779B97F4A7C15) ^ low * np.uint64(0xD6E8FEB86659FD93)
    return mixed


def serving(trace: Trace, replies: Replies, content: Content, suspects: I64, served: I64) -> I64:
    """List the name servers (rows in Hosts) some of whose other answers led to a host that served the client."""
    others = np.isin(replies.server, replies.server[suspects])
    others[suspects] = False
    owner, pair = leads(trace, replies, content, np.flatnonzero(others))
    return np.unique(replies.server[owner[np.isin(pair, served)]])


def tls_at_answered(trace: Trace, replies: Replies, content: Content, suspects: I64) -> list[Corroborations]:
    """Find TLS handshakes for the asked name with an address that a suspect reply gave, whoever made them and when.

    An address that answers for a name is that name's, whether or not this answer led there.
    """
    tls = trace.tls
    hellos = _finished(trace)
    lists = content.addresses.take(suspects)
    owner = suspects[lists.parents()]
    server = trace.flows.server[tls.flow[hellos]]
    high, low = (
        np.concatenate([host[server], answered[lists.values]]).view(np.int64)
        for host, answered in ((trace.hosts.high, trace.answers.high), (trace.hosts.low, trace.answers.low))
    )
    asked = trace.exchanges.name.take(replies.exchange[owner])
    number = combined(high, low, numbered_text(Text.concat([tls.name.take(hellos), asked]))[0])
    mine, wanted = np.split(number, [len(hellos)])
    order = np.argsort(mine, kind="stable")
    begin, end = (np.searchsorted(mine[order], wanted, side) for side in ("left", "right"))
    hello, owner = hellos[order[spans(begin, end - begin)]], np.repeat(owner, end - begin)
    certified = _certified(trace, hello)
    packet = tls.packet[hello].astype(np.int64)
    return [
        Corroborations(rule=rule, replies=owner[which], packets=packet[which])
        for rule, which in ((rules.TLS_FOLLOWED, ~certified), (rules.CERTIFICATE_FOLLOWED, certified))
    ]


def _finished(trace: Trace) -> I64:
    """List the client hellos, rows in Tls, that name a server which answered and did not refuse."""
    tls = trace.tls
    replied, refused = (np.zeros(len(trace.flows) + 1, np.bool_) for _ in range(2))
    replied[tls.flow[(tls.kind == TlsKind.SERVER_HELLO) & ~tls.outbound]] = True
    refused[tls.flow[(tls.kind == TlsKind.ALERT) & (tls.alert >> 8 == FATAL)]] = True
    named = (tls.kind == TlsKind.CLIENT_HELLO) & tls.outbound & (tls.name.lengths > 0)
    return np.flatnonzero(named & (replied & ~refused)[tls.flow])


def _certified(trace: Trace, hellos: I64) -> Mask:
    """Say after which hellos a certificate followed for the name, or with the wildcard that covers it.

    The leaf is searched for the encoded string, which is exact enough here: the name was chosen by the client, not by
    whoever made the certificate. The chain is not verified.
    """
    tls = trace.tls
    rows = np.flatnonzero((tls.kind == TlsKind.CERTIFICATE) & ~tls.outbound)
    rows = rows[np.argsort(tls.flow[rows], kind="stable")]
    hello, place = np.unique(hellos, return_inverse=True)
    begin, end = (np.searchsorted(tls.flow[rows], tls.flow[hello], side) for side in ("left", "right"))
    holding = [  # few: suspects whose addresses showed certificates
        any(_holds(tls.certificates.bytes(row).lower(), tls.name[one]) for row in rows[low:high].tolist())
        for one, low, high in zip(hello.tolist(), begin, end, strict=True)
    ]
    return np.array(holding, np.bool_)[place.reshape(-1)]


def _holds(leaf: bytes, name: str) -> bool:
    """Say whether a certificate in lower case holds a name or its wildcard as a DNS name (RFC 5280 §4.2.1.6)."""
    names = (wanted.encode("utf-8", "backslashreplace") for wanted in (name, "*." + name.partition(".")[2]))
    return any(len(wanted) < 128 and bytes((0x82, len(wanted))) + wanted in leaf for wanted in names)
