"""Resets of one kind in the name of many: what an injector does, and no device in front of one server can.

A load balancer or a firewall that resets on behalf of a server does so for that server. When resets of the same kind,
at the same stage, also come in the name of unrelated servers (another network, another name) of the same client, only
something on their common path explains them all. That may still be harmless: a firewall on the client itself, its NAT,
a captive portal, a tunnel that levels headers, or a dead uplink. Those hit all servers alike, so nothing is said when
nearly all servers of the client are hit: being selective is what sets a censor apart from a fault.
"""

import numpy as np

from netinterf.analyzers.forgery.suspects import Suspects
from netinterf.arrays import F64, I64, Mask
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["ResetsElsewhere", "find_elsewhere"]

BY_CHANCE = 0.053 * 0.257
"""Chance that a reset which looks like this comes from an unrelated server by itself: the share of all connections
that end after the client's first data, interference included (Sundara Raman et al., SIGCOMM 2023, table 1). That most
genuine ones carry no foreign sign (Weaver et al. 2009) is left out, so this is an upper bound."""

NEARLY_ALL = 0.8
"""Hit share of the sites at which the client's own side may be the cause: with fewer spared than one in five, a
handful of sites that were up before a fault, or were left over from a cache, would look like a choice."""

MOST = 5.0
"""Nats that company may give: what the resets look like must speak for itself too."""


@frozen(eq=False, kw_only=True)
class ResetsElsewhere:
    """One entry per chosen reset."""

    servers: F64  # unrelated servers in whose name a reset like it came to the same client
    spared: F64  # sites of that client that answered and were not reset
    llr: F64


def find_elsewhere(trace: Trace, suspects: Suspects, chosen: I64, suspicious: Mask, signs: Mask) -> ResetsElsewhere:
    """Count, for each chosen reset, the unrelated servers whose resets are like it.

    Two resets are alike when both came at the same stage (to a SYN, to the first request, later), both with ACK or
    both without, and share a sign.

    Args:
        trace: The capture.
        suspects: Its resets.
        chosen: The reset of each flow, places among the suspects.
        suspicious: Chosen resets that are so by their own signs; only these count and only these are judged.
        signs: Signs (columns) that each chosen reset (rows) shows.

    Returns:
        Counts and weights, 0 where there is no company, where no site was spared, and where nearly all were hit.
    """
    flow, flows = suspects.flow[chosen], trace.flows
    network, name = trace.contacts.network, trace.contacts.name
    site = np.stack([flows.client.astype(np.int64), network, name], axis=1)
    client = flows.client[flow].astype(np.int64)
    tcp_answered = (trace.sides.first_payload[1::2] >= 0) & (flows.protocol == TCP)
    hit = np.zeros(len(flows), np.bool_)
    hit[flow[suspicious]] = True
    accused = np.unique(site[hit], axis=0)
    answered = np.unique(site[tcp_answered & ~hit], axis=0)
    answered = answered[~rows_in(answered, accused)]
    count = len(trace.hosts)
    spared = np.bincount(answered[:, 0], minlength=count)[client]
    reset_sites = np.bincount(accused[:, 0], minlength=count)[client]
    stage = stages(trace, suspects, chosen)
    others = np.zeros(len(chosen), np.int64)
    for sign in range(signs.shape[1]):
        mine = np.flatnonzero(suspicious & signs[:, sign])
        if len(mine) < 2:
            continue  # nobody else shows it
        alike = client[mine] * 6 + stage[mine]
        least = np.full(len(mine), np.iinfo(np.int64).max)
        for label in (network[flow[mine]], name[flow[mine]]):  # another network and another name
            pairs = np.unique(np.stack([alike, label], axis=1), axis=0)
            kinds, number = np.unique(pairs[:, 0], return_counts=True)
            least = np.minimum(least, number[np.searchsorted(kinds, alike)] - 1)
        others[mine] = np.maximum(others[mine], least)
    fits = suspicious & (others > 0) & (spared > 0) & (reset_sites < NEARLY_ALL * (reset_sites + spared))
    llr, tried = np.zeros(len(chosen)), np.maximum(reset_sites + spared - 1, others)
    if fits.any():
        llr[fits] = minus_log_tail(others[fits], tried[fits])
    return ResetsElsewhere(servers=others.astype(np.float64), spared=spared.astype(np.float64), llr=llr)


TCP = 6


def minus_log_tail(hit: I64, of: I64) -> F64:
    """Weigh that *hit* or more *of* unrelated sites are reset by chance: minus the log of the binomial tail, capped."""
    from scipy.special import betainc

    tail = betainc(hit, of - hit + 1, BY_CHANCE)
    weight: F64 = np.minimum(MOST, -np.log(np.maximum(tail, 1e-300)))
    return weight


def stages(trace: Trace, suspects: Suspects, chosen: I64) -> I64:
    """Number stage and form of each chosen reset: to a SYN, before any answer, later; twice, with and without ACK."""
    answered = trace.sides.first_payload[suspects.side[chosen]]
    early = (answered < 0) | (answered >= suspects.row[chosen])
    stage = np.where(suspects.previous[chosen] < 0, 0, np.where(early, 1, 2))
    numbered: I64 = 2 * stage + suspects.acks[chosen]
    return numbered


def rows_in(rows: I64, wanted: I64) -> Mask:
    """Say of each row whether it is among the *wanted* rows."""
    if not len(rows) or not len(wanted):
        return np.zeros(len(rows), np.bool_)
    _, number = np.unique(np.concatenate([rows, wanted]), axis=0, return_inverse=True)
    number = number.reshape(-1)
    return np.isin(number[: len(rows)], number[len(rows) :])
