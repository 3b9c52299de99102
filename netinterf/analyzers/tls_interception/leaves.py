"""What is odd about certificates next to those of others.

An interceptor signs for whatever is asked. Its certificates share an issuer that no browser knew, often a key, over
names that have nothing to do with each other, while other names of the same client, or the same name at another time,
show certificates of public authorities.
"""

import numpy as np

from netinterf.analyzers.tls_interception.flights import Flights, read_flights
from netinterf.arrays import I64, Mask
from netinterf.context.authorities import interceptor
from netinterf.context.domains import operator_domains
from netinterf.context.special import Special
from netinterf.numbering import combined, numbered_text
from netinterf.protocols.certificates import Certificate
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["Leaves", "find_leaves"]

INSIDE = Special.PRIVATE | Special.LOOPBACK | Special.LINK_LOCAL | Special.CGNAT
"""Servers at such addresses belong to the network of their clients, which may sign for them as it likes."""

UNDELEGATED = (".local", ".internal", ".lan", ".home", ".corp", ".localdomain", ".localhost", ".home.arpa")
"""Ends of names that no public authority may sign for (RFC 6761, RFC 6762, RFC 8375; ICANN, name collision, 2014)."""

NEAR_NS = 200_000
"""A round trip in which light in fibre comes 20 km far (ITU-T G.652: 5 µs/km): no place for servers of all kinds."""


@frozen(eq=False, kw_only=True)
class Leaves:
    """One row per TLS connection whose certificate could be read; all columns are aligned."""

    flow: I64  # rows in Flows
    row: I64  # rows in Packets where the certificate begins
    kind: tuple[str, ...]  # who signed it: state, product, local, vendor, or empty
    for_host: Mask  # to the host that was asked for
    public: Mask  # made out to the host, and it leads to a root that was public
    private: Mask  # its issuer is none of those that were public
    sites: I64  # unrelated names of the client for which the same private issuer signed
    keys: I64  # … and whose certificates, though not one, have one key
    spared: I64  # other names of the client that showed public certificates, in other domains
    differs: I64  # connections of the client for the same name that showed a public certificate
    near: Mask  # it was answered from the client's own machine or beside it, though it is not public
    missing: Mask  # its issuer gives no timestamps, though they are demanded and were asked for
    bare: Mask  # no extension but the names
    weak: Mask  # RSA with exponent 3

    def __len__(self) -> int:
        return len(self.flow)


def find_leaves(trace: Trace) -> Leaves | None:
    """Read the certificates of a capture and compare them; None when there is none."""
    flights = read_flights(trace)
    return None if flights is None else compare(trace, flights)


def compare(trace: Trace, flights: Flights) -> Leaves:
    """Hold certificates against each other, client by client."""
    client, server = (side[flights.flow].astype(np.int64) for side in (trace.flows.client, trace.flows.server))
    issuer = numbers([who_signed(leaf) for leaf in flights.leaves])[flights.leaf]
    key = numbers([leaf.key for leaf in flights.leaves])[flights.leaf]
    kind = known_by_name(flights)
    public = flights.rooted | flights.timestamps
    own = np.array([signer == "vendor" for signer in kind], np.bool_)
    private = any_of(issuer, flights.rootless | flights.missing) & ~any_of(issuer, public | own)
    domain = domains(flights)
    abroad = flights.for_host & (domain >= 0) & (trace.hosts.special[server] & np.uint16(INSIDE) == 0)
    counted = private & abroad
    of_issuer, of_key = combined(client, issuer), combined(client, key)
    several = distinct(of_key, flights.leaf, counted) > 1
    spare = public & flights.for_host & (domain >= 0)
    of_client = combined(client)
    named = flights.host >= 0
    of_name = combined(client, flights.host)
    return Leaves(
        flow=flights.flow,
        row=flights.row,
        kind=kind,
        for_host=flights.for_host,
        public=flights.rooted & flights.for_host,
        private=private,
        sites=unrelated(of_issuer, domain, server, counted),
        keys=np.where(several, unrelated(of_key, domain, server, counted), 0),
        spared=distinct(of_client, domain, spare),
        differs=np.where(named & private & flights.for_host, counts(of_name, public & flights.for_host), 0),
        near=counted & near_tap(trace, flights.flow),
        missing=private & abroad & any_of(of_issuer, flights.missing) & flights.must_be_logged,
        bare=~public & np.array([leaf.names_only for leaf in flights.leaves], np.bool_)[flights.leaf],
        weak=~public & np.array([leaf.exponent == 3 for leaf in flights.leaves], np.bool_)[flights.leaf],
    )


def near_tap(trace: Trace, flow: I64) -> Mask:
    """Say of connections whether what answers for the server is too near to be one; False where no trip was timed."""
    trip = trace.sides.rtt[2 * flow + 1]
    near: Mask = (trip >= 0) & (trip < NEAR_NS) & (trace.sides.rtt[2 * flow] < NEAR_NS)
    return near


def who_signed(leaf: Certificate) -> bytes:
    """Name the issuer: by its name, or by its key where a certificate vouches for itself (one name, many devices)."""
    return leaf.key if leaf.self_issued else leaf.issuer_der


def known_by_name(flights: Flights) -> tuple[str, ...]:
    """Look the issuers of certificates up, and who is above those; each pair once."""
    own = [leaf.issuer for leaf in flights.leaves]
    pairs = list(zip((own[place] for place in flights.leaf.tolist()), flights.top, strict=True))
    known = {pair: interceptor(pair[0]) or interceptor(pair[1]) for pair in set(pairs)}
    return tuple(known[pair] for pair in pairs)


def domains(flights: Flights) -> I64:
    """Number the registrable domains of the hosts; -1 where there is none or names of its kind are for inside use."""
    names = [flights.hosts[place] for place in range(len(flights.hosts))]
    inside = np.array([name.endswith(UNDELEGATED) or "." not in name for name in names], np.bool_)
    cut = operator_domains(flights.hosts)
    number, _ = numbered_text(cut)
    number = np.where(inside | (cut.lengths == 0), -1, number)
    return np.append(number, -1)[flights.host]


def numbers(values: list[bytes]) -> I64:
    """Number equal values."""
    known: dict[bytes, int] = {}
    return np.array([known.setdefault(value, len(known)) for value in values], np.int64)


def counts(group: I64, use: Mask) -> I64:
    """Count, for each row, the used rows of its group."""
    counted: I64 = np.bincount(group[use], minlength=int(group.max(initial=-1)) + 1)[group]
    return counted


def any_of(group: I64, use: Mask) -> Mask:
    """Say, for each row, whether some row of its group is used."""
    used: Mask = counts(group, use) > 0
    return used


def distinct(group: I64, label: I64, use: Mask) -> I64:
    """Count, for each row, the labels among the used rows of its group."""
    pairs = np.unique(np.stack([group, label], axis=1)[use], axis=0)
    counted: I64 = np.bincount(pairs[:, 0], minlength=int(group.max(initial=-1)) + 1)[group]
    return counted


def unrelated(group: I64, domain: I64, server: I64, use: Mask) -> I64:
    """Count, for each used row, the unrelated names of its group: of other domains, and at other servers."""
    return np.where(use, np.minimum(distinct(group, domain, use), distinct(group, server, use)), 0)
