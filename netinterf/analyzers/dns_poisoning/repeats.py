"""Whether contradictions keep to some names: a rule is about names, an accident is not.

Doubled queries, anycast and loss strike any lookup alike. An injector strikes every lookup of a listed name and none of
the others. So the lookups of one name at one server count together, against the rate at which the server's other names
draw several replies: where queries are sent again or doubled behind the tap, a name with one address draws the same
reply twice, and only names with many addresses seem to contradict themselves.
"""

import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.dns_poisoning.race import Races
from netinterf.analyzers.dns_poisoning.replies import COPY_NS, Replies
from netinterf.analyzers.dns_poisoning.rules import WEIGHTS
from netinterf.numbering import hash_rows
from netinterf.trace import Trace

__all__ = ["repeat_weights"]

STRUCK = 0.9
"""Share of lookups of a listed name that an injector answers: nearly all (FOCI 2014), but captures lose
replies."""

BASE_SHARE = 0.5
"""Names of which no more lookups than this are contradicted tell how often accidents happen."""


def repeat_weights(trace: Trace, replies: Replies, races: Races) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Weigh, for each contradiction, that other lookups of the same name at the same server drew one as well.

    With *c* of *n* lookups contradicted and a rate *p* among other names, the weight is that of the repeats:
    ``(c - 1) ln(0.9 / p) + (n - c) ln(0.1 / (1 - p))``, *p* the share of other names' lookups that drew several
    replies, with a Jeffreys prior; never negative, and 0 where others draw as many: a spared lookup is no sign.

    Returns:
        Weights and numbers of contradicted lookups, aligned with *races*.
    """
    weight, struck = np.zeros(len(races.exchange)), np.zeros(len(races.exchange), np.int64)
    disputed = races.weight > 0
    if not disputed.any():
        return weight, struck
    exchange, first = np.unique(replies.exchange, return_index=True)
    server = replies.server[first].astype(np.uint64)
    name = hash_rows(trace.exchanges.name)[exchange]
    contradicted = np.isin(exchange, races.exchange[disputed])
    lookup = name ^ server * np.uint64(0x9E3779B97F4A7C15)
    _, group = np.unique(lookup, return_inverse=True)
    lookups, hits = np.bincount(group), np.bincount(group, contradicted)
    spilled = np.bincount(group, contradicted | several(trace, replies)[exchange])
    for one in np.unique(server[contradicted]):
        groups = np.unique(group[server == one])
        base = groups[hits[groups] <= BASE_SHARE * lookups[groups]]
        for mine in groups[hits[groups] >= 2]:
            others = base[base != mine]
            rate = min(STRUCK, (spilled[others].sum() + 0.5) / (lookups[others].sum() + 1.0))
            missed = lookups[mine] - hits[mine]
            value = (hits[mine] - 1) * np.log(STRUCK / rate) + missed * np.log((1 - STRUCK) / (1 - rate))
            rows = np.isin(races.exchange, exchange[(group == mine) & contradicted])
            weight[rows] = np.clip(value, 0.0, WEIGHTS["repeated"])
            struck[rows] = int(hits[mine])
    return weight, struck


def several(trace: Trace, replies: Replies) -> NDArray[np.bool_]:
    """Say which exchanges drew more than one reply, second captures of one reply left out."""
    time = trace.packets.time[replies.packet]
    copy = np.zeros(len(replies), np.bool_)
    copy[1:] = (np.diff(replies.exchange) == 0) & (np.diff(replies.digest) == 0) & (np.diff(time) <= COPY_NS)
    drawn = np.bincount(replies.exchange[~copy], minlength=len(trace.exchanges))
    found: NDArray[np.bool_] = drawn > 1
    return found
