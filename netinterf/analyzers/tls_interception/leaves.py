"""The leaf certificate of each TLS connection, and what is odd about it next to the leaves of others.

An interceptor signs for whatever is asked. Its certificates share an issuer, often a key, over sites that have nothing
to do with each other; they are in no transparency log; and the same site shows another issuer where nobody stands
between.
"""

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.sites import flow_name_ids, networks
from netinterf.context.domains import operator_domains
from netinterf.context.interceptors import interceptor
from netinterf.errors import MissingExtra
from netinterf.protocols.certificates import Leaf, read_leaf
from netinterf.schema import TlsKind
from netinterf.table import Text
from netinterf.trace import Trace

__all__ = ["Leaves", "find_leaves"]

Mask = NDArray[np.bool_]
I64 = NDArray[np.int64]

UNRELATED = 2
"""Sites over which one key, and one more over which one unlogged issuer, is no coincidence: operators share both within
their own sites, so sites count by network and by what somebody registered with a registry; what a company hosts below
its own name is its own."""


@attrs.frozen(eq=False, kw_only=True)
class Leaves:
    """One row per TLS connection whose certificate could be read; all columns are aligned."""

    flow: I64  # rows in Flows
    row: I64  # rows in Packets where the certificate begins
    one_key: I64  # unrelated sites whose certificate has the same key
    one_issuer: I64  # unrelated sites whose certificate is signed by the same issuer, none of them logged
    unlogged: Mask  # without timestamps of transparency logs, while leaves of others have them
    differs: I64  # other connections for the same name whose certificate is signed by another issuer
    bare: Mask  # no extension but the names
    weak: Mask  # RSA with exponent 3
    kind: tuple[str, ...]  # who signed it: state, product, local, or empty
    spared: I64  # sites of the same client with logged certificates

    def __len__(self) -> int:
        return len(self.flow)


def find_leaves(trace: Trace) -> Leaves | None:
    """Read the certificates of a capture and compare them; None without the means to read any."""
    tls = trace.tls
    rows = np.flatnonzero((tls.kind == TlsKind.CERTIFICATE) & ~tls.outbound & (tls.certificates.lengths > 0))
    _, first = np.unique(tls.flow[rows], return_index=True)
    rows = rows[first]
    known: dict[bytes, Leaf | None] = {}
    read: list[tuple[int, Leaf]] = []
    try:
        for row in rows.tolist():
            der = tls.certificates.bytes(row)
            if der not in known:
                known[der] = read_leaf(der)
            leaf = known[der]
            if leaf is not None:
                read.append((row, leaf))
    except MissingExtra:
        return None
    rows, leaves = np.array([row for row, _ in read], np.int64), [leaf for _, leaf in read]
    flow = tls.flow[rows].astype(np.int64)
    return compare(trace, flow, tls.packet[rows].astype(np.int64), leaves)


def compare(trace: Trace, flow: I64, row: I64, leaves: list[Leaf]) -> Leaves:
    """Hold leaves against each other, client by client."""
    client, network = trace.flows.client[flow].astype(np.int64), networks(trace)[flow]
    name = flow_name_ids(trace)[flow]
    named_first = operator_domains(Text.of([leaf.names[0] if leaf.names else "" for leaf in leaves]))
    domain = numbers([domain or leaf.subject for domain, leaf in zip(named_first, leaves, strict=True)])
    key, issuer = numbers([leaf.key for leaf in leaves]), numbers([leaf.issuer for leaf in leaves])
    logged = np.array([leaf.logged for leaf in leaves], np.bool_)
    every = np.ones(len(leaves), np.bool_)
    signed = np.zeros(int(issuer.max(initial=-1)) + 1, np.bool_)
    signed[issuer[logged]] = True  # issuers of whom some certificate is logged
    of_client = np.stack([client, domain], axis=1)
    spared = np.unique(of_client[logged], axis=0)[:, 0] if logged.any() else np.empty(0, np.int64)
    named = name >= 0
    return Leaves(
        flow=flow,
        row=row,
        one_key=sites(key, client, domain, network, every),
        one_issuer=sites(issuer, client, domain, network, ~signed[issuer]),
        unlogged=~logged & np.isin(client, spared),
        differs=np.where(named, others(np.stack([client, name], axis=1), issuer), 0),
        bare=np.array([leaf.bare for leaf in leaves], np.bool_),
        weak=np.array([leaf.exponent == 3 for leaf in leaves], np.bool_),
        kind=tuple(interceptor(leaf.issuer) for leaf in leaves),
        spared=np.array([np.sum(spared == one) for one in client], np.int64),
    )


def numbers(values: list[str] | list[bytes]) -> I64:
    """Number equal values."""
    known: dict[str | bytes, int] = {}
    return np.array([known.setdefault(value, len(known)) for value in values], np.int64)


def sites(what: I64, client: I64, domain: I64, network: I64, use: Mask) -> I64:
    """Count, for each leaf, the unrelated sites with the same *what* at its client: other domains in other networks."""
    group = grouped(np.stack([what, client], axis=1))
    least = np.minimum(distinct(group, domain, use), distinct(group, network, use))
    return np.where(use, least, 0)


def distinct(group: I64, label: I64, use: Mask) -> I64:
    """Count, for each row, the labels among the used rows of its group."""
    pairs = np.unique(np.stack([group, label], axis=1)[use], axis=0)
    counted: I64 = np.bincount(pairs[:, 0], minlength=int(group.max(initial=-1)) + 1)[group]
    return counted


def grouped(rows: I64) -> I64:
    """Number equal rows."""
    if not len(rows):
        return np.empty(0, np.int64)
    _, number = np.unique(rows, axis=0, return_inverse=True)
    return number.reshape(-1).astype(np.int64)


def others(group: I64, what: I64) -> I64:
    """Count, for each leaf, the leaves of its group with another *what*."""
    number = grouped(group)
    same = grouped(np.stack([number, what], axis=1))
    counted: I64 = np.bincount(number)[number] - np.bincount(same)[same]
    return counted
