"""The certificates that servers showed, one row per connection, and what can be said of each by itself.

A certificate is *public* when it leads to a root that browsers trusted then, or carries timestamps of transparency
logs, in whichever way they came. That it does neither is no evidence: servers leave certificates out, and timestamps
were not asked for before 2018. It counts as *rootless* only when everything up to an unknown root was shown, and its
timestamps as *missing* only when browsers demanded them, the client left both other ways open and all of the server's
flight was seen.
"""

import numpy as np

from netinterf.arrays import I64, Mask
from netinterf.context.authorities import public_roots
from netinterf.numbering import combined, numbered_text
from netinterf.protocols.certificates import (
    Certificate,
    certificates_behind,
    has_stapled_timestamps,
    read_certificate,
)
from netinterf.protocols.chains import Signatures, is_for, is_rooted, top_of
from netinterf.schema import ParseError, Tls, TlsKind
from netinterf.table import Text
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["Flights", "read_flights"]


STATUS_REQUEST, TIMESTAMPS = 5, 18  # extensions: RFC 6066 §8, RFC 6962 §3.3.1
DEMANDED = 1_525_132_800
"""2018-05-01: Chrome demands timestamps of certificates that begin after April 2018 (Chrome 68 and its policy of
certificate transparency)."""


@frozen(eq=False, kw_only=True)
class Flights:
    """One row per TLS connection whose server's certificate could be read; all columns are aligned."""

    flow: I64  # rows in Flows
    row: I64  # rows in Packets where the certificate begins
    leaf: I64  # places in leaves
    top: tuple[str, ...]  # who signed the highest certificate that was shown
    host: I64  # places in hosts, -1 where the client named none
    leaves: tuple[Certificate, ...]
    hosts: Text
    for_host: Mask  # the certificate is made out to the host
    rooted: Mask  # it leads to a root that was public, and all of the way was valid
    rootless: Mask  # what was shown leads up to a root that never was
    timestamps: Mask  # it came with timestamps of transparency logs
    must_be_logged: Mask  # browsers demand timestamps of certificates that began then
    missing: Mask  # it came without, and the client had left all ways open

    def __len__(self) -> int:
        return len(self.flow)


def read_flights(trace: Trace) -> Flights | None:
    """Read the certificates of servers; None when there is none."""
    tls = trace.tls
    rows = np.flatnonzero((tls.kind == TlsKind.CERTIFICATE) & ~tls.outbound & (tls.certificates.lengths > 0))
    if not len(rows):
        return None
    _, first = np.unique(tls.flow[rows], return_index=True)
    rows = rows[first]
    number, ders = numbered_text(tls.certificates.take(rows))
    read = [read_certificate(ders.bytes(place)) for place in range(len(ders))]
    readable = np.array([leaf is not None for leaf in read], np.bool_)
    if not readable.any():
        return None
    rows, number = rows[readable[number]], (np.cumsum(readable) - 1)[number[readable[number]]]
    leaves = tuple(leaf for leaf in read if leaf is not None)
    flow = tls.flow[rows].astype(np.int64)
    host, hosts = asked_hosts(tls, flow, len(trace.flows))
    rooted, rootless, top = judge_paths(tls, rows, number, leaves)
    begins = np.array([leaf.not_before for leaf in leaves])[number]
    carried = np.array([leaf.timestamps for leaf in leaves])[number] | timestamps_beside(tls, len(trace.flows))[flow]
    return Flights(
        flow=flow,
        row=tls.packet[rows].astype(np.int64),
        leaf=number,
        top=top,
        host=host,
        leaves=leaves,
        hosts=hosts,
        for_host=names_host(leaves, number, host, hosts),
        rooted=rooted,
        rootless=rootless,
        timestamps=carried,
        must_be_logged=begins >= DEMANDED,
        missing=(begins >= DEMANDED) & timestamps_possible(tls, rows, len(trace.flows)) & ~carried,
    )


def asked_hosts(tls: Tls, flow: I64, flows: int) -> tuple[I64, Text]:
    """Find the name that the client of each connection asked for, as a number (-1: none), and the names by number."""
    rows = np.flatnonzero((tls.kind == TlsKind.CLIENT_HELLO) & tls.outbound & (tls.name.lengths > 0))[::-1]
    number, hosts = numbered_text(tls.name.take(rows))
    host = np.full(flows, -1)
    host[tls.flow[rows]] = number
    return host[flow], hosts


def judge_paths(tls: Tls, rows: I64, leaf: I64, leaves: tuple[Certificate, ...]) -> tuple[Mask, Mask, tuple[str, ...]]:
    """Climb from each certificate over what came with it; each combination once.

    Returns:
        Whether it leads to a root that was public when it was issued, whether it leads up to an unknown one, and
        who signed the highest certificate.
    """
    behind, chains = numbered_text(tls.chain.take(rows))
    pair = combined(leaf, behind)
    _, first = np.unique(pair, return_index=True)
    read: dict[bytes, Certificate | None] = {}
    roots, signatures = public_roots(), Signatures()
    rooted, unknown, tops = np.zeros(len(first), np.bool_), np.zeros(len(first), np.bool_), []
    for place, row in enumerate(first.tolist()):
        sent = []
        for der in certificates_behind(chains.bytes(int(behind[row]))):
            if der not in read:
                read[der] = read_certificate(der)
            if (certificate := read[der]) is not None:
                sent.append(certificate)
        own = leaves[leaf[row]]
        rooted[place], top = is_rooted(own, sent, roots, signatures), top_of(own, sent, signatures)
        unknown[place] = not rooted[place] and top.issuer_der not in roots and (top.self_issued or top is not own)
        tops.append(top.issuer)
    return rooted[pair], unknown[pair], tuple(tops[number] for number in pair.tolist())


def timestamps_beside(tls: Tls, flows: int) -> Mask:
    """Say in which connections timestamps came beside the certificate: in the ServerHello, or stapled."""
    timestamped = np.zeros(flows, np.bool_)
    hello = (tls.kind == TlsKind.SERVER_HELLO) & ~tls.outbound & having(tls, TIMESTAMPS)
    timestamped[tls.flow[hello]] = True
    rows = np.flatnonzero((tls.stapled.lengths > 0) & ~tls.outbound)
    number, responses = numbered_text(tls.stapled.take(rows))
    stapled = np.array([has_stapled_timestamps(responses.bytes(place)) for place in range(len(responses))], np.bool_)
    timestamped[tls.flow[rows[stapled[number]]]] = True
    return timestamped


def timestamps_possible(tls: Tls, rows: I64, flows: int) -> Mask:
    """Say of connections whether timestamps could have come by either way, and would have been seen."""
    requested, hello_seen, complete = (np.zeros(flows, np.bool_) for _ in range(3))
    requested[tls.flow[tls.outbound & having(tls, STATUS_REQUEST) & having(tls, TIMESTAMPS)]] = True
    hello_seen[tls.flow[(tls.kind == TlsKind.SERVER_HELLO) & ~tls.outbound & (tls.error == ParseError.NONE)]] = True
    complete[tls.flow[rows[tls.followed[rows] & (tls.error[rows] == ParseError.NONE)]]] = True
    complete[tls.flow[(tls.kind == TlsKind.CERTIFICATE_STATUS) & (tls.error != ParseError.NONE)]] = False
    return (requested & hello_seen & complete)[tls.flow[rows]]


def having(tls: Tls, extension: int) -> Mask:
    """Say which hellos have an extension."""
    hellos = np.zeros(len(tls), np.bool_)
    hellos[tls.extensions.parents()[tls.extensions.values == extension]] = True
    return hellos


def names_host(leaves: tuple[Certificate, ...], leaf: I64, host: I64, hosts: Text) -> Mask:
    """Say which certificates are made out to the host that was asked for; each combination once."""
    for_host = np.zeros(len(leaf), np.bool_)
    named = np.flatnonzero(host >= 0)
    pair = combined(leaf[named], host[named])
    _, first = np.unique(pair, return_index=True)
    fits = [is_for(leaves[leaf[row]], hosts[int(host[row])]) for row in named[first].tolist()]
    for_host[named] = np.array(fits, np.bool_)[pair]
    return for_host
