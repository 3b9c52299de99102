"""What the company of a suspect reply says: names that never share an address, and servers that answer nothing else.

All only corroborate: they are looked at for replies that are suspects already.
"""

import numpy as np

from netinterf.analyzers.dns_poisoning import rules
from netinterf.analyzers.dns_poisoning.answered import address_numbers, records_answered
from netinterf.analyzers.dns_poisoning.content import Content
from netinterf.analyzers.dns_poisoning.replies import Replies
from netinterf.analyzers.signs import weight_of
from netinterf.arrays import F64, I64, Mask
from netinterf.context.domains import domain_numbers
from netinterf.context.special import Special, special_bits
from netinterf.numbering import combined, distinct, joined, numbered, numbered_text
from netinterf.trace import Trace

__all__ = ["concentration", "never_answers", "pooled"]

FEW_DOMAINS, MANY_DOMAINS, FEW_WEIGHT = 2, 5, 3.0
"""Unrelated domains on one listed address: from two on it is evidence, from five on full evidence (CERTainty's and
Censored Planet's rule of thumb for block pages: more than five registrable domains). What one company hosts below its
own name (``github.io``) is related: it shares addresses."""

SHARED = 0.9
"""Share of an injector's answers that its other answers share: it draws from a pool, often of one address."""

UNANSWERED = 0.12
"""Share of queries that stay unanswered for harmless reasons (Brandhorst, Pras 2006)."""

SILENT_NAMES = 2
"""Names that must have stayed unanswered before a server can be called none."""


def concentration(trace: Trace, replies: Replies, rows: I64, listed: Mask) -> tuple[F64, I64]:
    """Weigh that a listed address was given for several unrelated names.

    Args:
        trace: The capture.
        replies: All replies.
        rows: Suspects.
        listed: Which suspects hold an address on the list of forged answers.

    Returns:
        Weights and numbers of domains, aligned with *rows*.
    """
    places = np.flatnonzero(listed)
    domain = domain_numbers(trace.exchanges.name.take(replies.exchange[rows[places]]), private=False)
    records = records_answered(trace, replies.message[rows[places]], trace.answers.low != 0)
    address, owner = address_numbers(trace, records.values), records.parents()
    shared = np.bincount(distinct(address << 32 | domain[owner]) >> 32)
    counts = np.zeros(len(rows), np.int64)
    np.maximum.at(counts, places[owner], shared[address])
    full = np.where(counts >= MANY_DOMAINS, weight_of(rules.CONCENTRATION), FEW_WEIGHT)
    return np.where(counts >= FEW_DOMAINS, full, 0.0), counts


def pooled(trace: Trace, replies: Replies, content: Content, rows: I64, clean: I64) -> tuple[F64, I64]:
    """Weigh that contradicted answers about unrelated names share an address, which no other answer gives.

    Names at one host or delivery network share addresses as well. How often they do, the capture's other answers tell:
    with a share *p* of their domains, *d* domains on one address weigh ``(d - 1) ln(0.9 / p)``.

    Args:
        trace: The capture.
        replies: All replies.
        content: What they answer.
        rows: Replies that others contradict.
        clean: Replies under no suspicion.

    Returns:
        Weights and numbers of domains, aligned with *rows*.
    """
    weight, most = np.zeros(len(rows)), np.zeros(len(rows), np.int64)
    if len(rows) < FEW_DOMAINS:
        return weight, most
    pool = np.concatenate([rows, clean])
    addresses = content.addresses.take(pool)
    high, low = trace.answers.high[addresses.values], trace.answers.low[addresses.values]
    place, first = numbered(replies.exchange[pool])
    domain = domain_numbers(trace.exchanges.name.take(replies.exchange[pool[first]]), private=False)[place]
    owner = addresses.parents()
    address, mine = combined(high.view(np.int64), low.view(np.int64)), owner < len(rows)
    reachable = special_bits(high, low) & np.uint16(Special.BOGON | Special.TEREDO) == 0

    def domains(where: Mask) -> I64:
        given = address[where]
        _, first = numbered(joined((given, len(address)), (domain[owner][where], len(domain)))[0])
        return np.bincount(given[first], minlength=int(address.max(initial=-1)) + 1)[address]

    here, elsewhere = domains(mine & reachable), domains(~mine)
    clean_domains = distinct(domain[owner[~mine]])
    sharing = distinct(domain[owner[~mine & (elsewhere > 1)]])
    usual = min(SHARED, (len(sharing) + 0.5) / (len(clean_domains) + 1.0))
    pick = mine & reachable & (elsewhere == 0) & (here >= FEW_DOMAINS)
    np.maximum.at(most, owner[pick], here[pick])
    weight = np.maximum(most - 1, 0) * np.log(SHARED / usual)
    return np.minimum(weight, weight_of(rules.POOLED)), most


def never_answers(trace: Trace, replies: Replies, rows: I64, suspect_or_disputed: Mask) -> tuple[F64, I64]:
    """Weigh that the server answers suspect names and nothing else: no resolver lives there.

    Triplet Censors asks a target for a harmless name before it is called a non-resolver. Each name that stayed
    unanswered weighs ``ln(0.98 / 0.12)``; one unsuspicious answer ends the suspicion.

    Returns:
        Weights and numbers of unanswered names, aligned with *rows*.
    """
    exchanges, flows = trace.exchanges, trace.flows
    answered = np.zeros(len(trace.hosts), np.bool_)
    answered[replies.server[~suspect_or_disputed]] = True
    silent = np.flatnonzero((exchanges.queries.lengths > 0) & (exchanges.replies.lengths == 0))
    silent = silent[~answered[flows.server[exchanges.flow[silent]]]]
    server = np.concatenate([flows.server[exchanges.flow[silent]], replies.server[rows]]).astype(np.int64)
    name, _ = numbered_text(exchanges.name.take(np.concatenate([silent, replies.exchange[rows]])))
    question, first = numbered(joined((server, len(trace.hosts)), (name, len(name)))[0])
    suspect = np.zeros(len(first), np.bool_)
    suspect[question[len(silent) :]] = True
    names = np.bincount(server[first[~suspect]], minlength=len(trace.hosts))[replies.server[rows]]
    enough = names >= SILENT_NAMES
    weight = np.minimum(names * np.log(0.98 / UNANSWERED), weight_of(rules.NO_RESOLVER))
    return np.where(enough, weight, 0.0), np.where(enough, names, 0)
