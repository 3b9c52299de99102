"""What came of a suspect answer: the connections that went where it led, and what they found there.

A certificate for the name on the answered address is the best false-alarm killer that needs no further data: the
consistency checks of former studies were wrong in 72 % of their positives, and certificates put them right (Tsai et
al., CERTainty, PoPETs 2023). Forged addresses belong to somebody else, or to nobody, so that what follows fails.
"""

import numpy as np

from netinterf.analyzers.dns_poisoning import rules
from netinterf.analyzers.dns_poisoning.content import Content
from netinterf.analyzers.dns_poisoning.corroborations import Address, Corroboration
from netinterf.analyzers.dns_poisoning.replies import Replies
from netinterf.arrays import I64, U64
from netinterf.schema import TlsKind
from netinterf.table import spans
from netinterf.trace import Trace

__all__ = ["tls_after", "tried_in_vain"]

TCP = 6
FATAL = 2

SOON_NS = 60_000_000_000
"""Within a minute of an answer, before it or after, a connection may be led by it or by an earlier one like it:
browsers hold answers that long (Jackson et al., CCS 2007)."""

WAIT_NS = 5_000_000_000
"""How long the capture must go on for a connection without an answer to count as failed."""


def tried_in_vain(trace: Trace, replies: Replies, content: Content, suspects: I64) -> list[Corroboration]:
    """Find suspects whose addresses the client tried in vain, while others that this server gave it served it.

    A connection failed when its server sent no data: it was not there, closed, hung up, or was swallowed.
    """
    flows, sides = trace.flows, trace.sides
    tcp = np.flatnonzero((flows.protocol == TCP) & (sides.syn[0::2] >= 0))
    if not len(tcp) or not len(suspects):
        return []
    ends = flows.client[tcp].astype(np.int64) << 32 | flows.server[tcp]
    order = np.lexsort((flows.first[tcp], ends))
    tcp, ends = tcp[order], ends[order]
    served = sides.payload_packets[1::2][tcp] > 0
    cut = (sides.rst[1::2][tcp] >= 0) | (sides.fin[1::2][tcp] >= 0)
    failed = ~served & (cut | (trace.packets.time.max() - flows.last[tcp] >= WAIT_NS))

    led, destination = leads(trace, replies, content, suspects)
    low, high = np.searchsorted(ends, destination), np.searchsorted(ends, destination, side="right")
    flow, owner = spans(low, high - low), np.repeat(led, high - low)
    waited = flows.first[tcp[flow]] - trace.packets.time[replies.packet[owner]]
    soon = np.abs(waited) <= SOON_NS
    flow, owner = flow[soon], owner[soon]
    tried, place, counts = np.unique(owner, return_inverse=True, return_counts=True)
    lost = np.bincount(place.reshape(-1), failed[flow], len(tried)) == counts
    tried = tried[lost & np.isin(replies.server[tried], serving(trace, replies, content, suspects, ends[served]))]
    return [
        Corroboration(
            rule=rules.DEAD_END,
            reply=int(reply),
            packet=int(flows.first_packet[tcp[flow[owner == reply][0]]]),
        )
        for reply in tried.tolist()
    ]


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


def tls_after(trace: Trace, replies: Replies, content: Content, suspects: I64) -> list[Corroboration]:
    """Find TLS handshakes for the asked name with an address that a suspect reply gave."""
    tls, flows, hosts = trace.tls, trace.flows, trace.hosts
    hellos = np.flatnonzero((tls.kind == TlsKind.CLIENT_HELLO) & tls.outbound & (tls.name.lengths > 0))
    if not len(hellos):
        return []
    server = flows.server[tls.flow[hellos]]
    answered: dict[Address, list[int]] = {}
    for row, high, low in zip(hellos, hosts.high[server].tolist(), hosts.low[server].tolist(), strict=True):
        answered.setdefault((high, low), []).append(int(row))
    replied = np.zeros(len(flows) + 1, np.bool_)
    replied[tls.flow[(tls.kind == TlsKind.SERVER_HELLO) & ~tls.outbound]] = True
    refused = np.zeros(len(flows) + 1, np.bool_)
    refused[tls.flow[(tls.kind == TlsKind.ALERT) & (tls.alert >> 8 == FATAL)]] = True
    controls = []
    for reply in suspects:
        name = trace.exchanges.name[replies.exchange[reply]]
        addresses = content.addresses[reply]
        for address in zip(trace.answers.high[addresses].tolist(), trace.answers.low[addresses].tolist(), strict=True):
            for hello in answered.get(address, ()):
                flow = int(tls.flow[hello])
                if tls.name[hello] != name or not replied[flow] or refused[flow]:
                    continue
                rule = rules.CERTIFICATE_FOLLOWED if _certified(trace, flow, name) else rules.TLS_FOLLOWED
                controls.append(Corroboration(rule=rule, reply=int(reply), packet=int(tls.packet[hello])))
    return controls


def _certified(trace: Trace, flow: int, name: str) -> bool:
    """Say whether the flow's certificate holds the name, or the wildcard that covers it, as a DNS name.

    The leaf is searched for the encoded string, which is exact enough here: the name was chosen by the client, not by
    whoever made the certificate. The chain is not verified.
    """
    tls = trace.tls
    wildcard = "*." + name.partition(".")[2]
    for row in np.flatnonzero((tls.flow == flow) & (tls.kind == TlsKind.CERTIFICATE) & ~tls.outbound):
        leaf = tls.certificates.bytes(int(row)).lower()
        for wanted in (name, wildcard):
            encoded = wanted.encode("utf-8", "backslashreplace")
            if len(encoded) < 128 and bytes((0x82, len(encoded))) + encoded in leaf:  # dNSName, RFC 5280 §4.2.1.6
                return True
    return False
