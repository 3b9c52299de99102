"""Whether contradictions keep to some names: a rule is about names, an accident or a habit is not.

Doubled queries, anycast and loss strike any lookup alike, and a forwarder that passes on the answers of two upstreams
does so for all names. An injector strikes every lookup of a listed name and none of the others. So the lookups of one
name at one server count together, against the rate at which the server's other names draw several replies: where
queries are doubled behind the tap, a name with one address draws the same reply twice, and only names with many
addresses seem to contradict themselves. Contradictions that questions sent again explain are no lookups here at all: a
name that is slow to resolve is always asked again.
"""

import numpy as np

from netinterf.analyzers.dns_poisoning import rules
from netinterf.analyzers.dns_poisoning.race import Races
from netinterf.analyzers.dns_poisoning.replies import COPY_NS, Replies
from netinterf.analyzers.signs import weight_of
from netinterf.arrays import F64, I64, Mask
from netinterf.numbering import hash_rows, numbered
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["Repeats", "weigh_repeats"]

STRUCK = 0.9
"""Share of lookups of a listed name that an injector answers: nearly all (FOCI 2014), but captures lose
replies."""

BASE_SHARE = 0.5
"""Names of which no more lookups than this are contradicted tell how often accidents happen."""

ACCIDENT = float(np.exp(-weight_of(rules.SINGLE_REPLY_NORM)))
"""Share of the harmless contradictions with more replies than questions that come from servers without the habit."""


@frozen(eq=False, kw_only=True)
class Repeats:
    """One entry per row of Races; 0 where nothing is to be said."""

    llr: F64  # that other lookups of the same name at the same server drew a contradiction as well
    struck: I64  # contradicted lookups of the name
    single_reply_norm: F64  # that other names' lookups drew one reply each
    others: I64  # those lookups


def weigh_repeats(trace: Trace, replies: Replies, races: Races) -> Repeats:
    """Weigh what the other lookups at the same server say of each contradiction with more replies than questions.

    With *c* of a name's *n* lookups contradicted and a rate *p* among other names, repetition weighs
    ``(c - 1) ln(0.9 / p) + (n - c) ln(0.1 / (1 - p))``, *p* the share of other names' lookups that drew several
    replies, with a Jeffreys prior; never negative, and 0 where others draw as many: a spared lookup is no sign.

    Where none of *m* other lookups drew several replies, a server with the habit would show so with probability
    ``1 / (m + 1)`` (any share of its answers being doubled is as likely as another), and the weight is
    ``-ln(ACCIDENT + (1 - ACCIDENT) / (m + 1))``.
    """
    count = len(races.exchange)
    queries = replies.queries[races.first]
    # Where no question was captured, nobody knows how often it was asked.
    disputed, excess = races.weight > 0, (queries > 0) & (races.different > queries)
    if not (disputed & excess).any():
        zero = np.zeros(count)
        return Repeats(llr=zero, struck=zero.astype(np.int64), single_reply_norm=zero, others=zero.astype(np.int64))
    exchange, first = np.unique(replies.exchange, return_index=True)
    counted = ~np.isin(exchange, races.exchange[disputed & ~excess])
    exchange, server = exchange[counted], replies.server[first[counted]]
    contradicted = np.isin(exchange, races.exchange[disputed])
    name = hash_rows(trace.exchanges.name)[exchange]
    group, _ = numbered(name ^ server.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    lookups, hits = np.bincount(group), np.bincount(group, contradicted)
    spilled = np.bincount(group, contradicted | several(trace, replies)[exchange])
    host = np.empty(len(lookups), np.int64)
    host[group] = server
    base = hits <= BASE_SHARE * lookups
    many, more = (
        np.bincount(host, counted * base)[host] - counted * base  # of the server's other names
        for counted in (lookups, spilled)
    )
    rate = np.minimum(STRUCK, (more + 0.5) / (many + 1.0))
    llr = (hits - 1) * np.log(STRUCK / rate) + (lookups - hits) * np.log((1 - STRUCK) / (1 - rate))
    norm = np.where(more > 0, 0.0, -np.log(ACCIDENT + (1 - ACCIDENT) / (many + 1)))
    told = np.isin(races.exchange, exchange[contradicted])
    mine = group[np.minimum(np.searchsorted(exchange, races.exchange), len(exchange) - 1)]
    return Repeats(
        llr=np.where(told, np.clip(llr, 0.0, weight_of(rules.REPEATED))[mine], 0.0),
        struck=np.where(told, hits[mine], 0).astype(np.int64),
        single_reply_norm=np.where(told, norm[mine], 0.0),
        others=np.where(told, many[mine], 0).astype(np.int64),
    )


def several(trace: Trace, replies: Replies) -> Mask:
    """Say which exchanges drew more than one reply, second captures of one reply left out."""
    time = trace.packets.time[replies.packet]
    copy = np.zeros(len(replies), np.bool_)
    copy[1:] = (np.diff(replies.exchange) == 0) & (np.diff(replies.digest) == 0) & (np.diff(time) <= COPY_NS)
    drawn = np.bincount(replies.exchange[~copy], minlength=len(trace.exchanges))
    multiple: Mask = drawn > 1
    return multiple
