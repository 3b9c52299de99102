"""What the company of a suspect reply says: names that never share an address, and servers that answer nothing else.

Both only corroborate: they are looked at for replies that are suspects already.
"""

import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.dns_poisoning.replies import Replies
from netinterf.analyzers.dns_poisoning.rules import WEIGHTS
from netinterf.context.domains import registrable
from netinterf.trace import Trace

__all__ = ["concentration", "never_answers"]

FEW_DOMAINS, MANY_DOMAINS, FEW_WEIGHT = 2, 5, 3.0
"""Unrelated domains on one listed address: from two on it is evidence, from five on full evidence (CERTainty's and
Censored Planet's rule of thumb for block pages: more than five registrable domains)."""

UNANSWERED = 0.12
"""Share of queries that stay unanswered for harmless reasons (Brandhorst, Pras 2006)."""

SILENT_NAMES = 2
"""Names that must have stayed unanswered before a server can be called none."""


def concentration(
    trace: Trace, replies: Replies, rows: NDArray[np.int64], listed: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Weigh that a listed address was given for several unrelated names.

    Args:
        trace: The capture.
        replies: All replies.
        rows: Suspects.
        listed: Which suspects hold an address on the list of forged answers.

    Returns:
        Weights and numbers of domains, aligned with *rows*.
    """
    answers = trace.answers
    held: list[list[tuple[int, int]]] = [[] for _ in rows]
    domains: dict[tuple[int, int], set[str]] = {}
    for place in np.flatnonzero(listed).tolist():
        message = replies.message[rows[place]]
        name = registrable(trace.exchanges.name[int(replies.exchange[rows[place]])])
        for record in range(int(replies.record_at[message]), int(replies.record_at[message + 1])):
            if answers.section[record] == 1 and answers.low[record]:
                address = int(answers.high[record]), int(answers.low[record])
                held[place].append(address)
                domains.setdefault(address, set()).add(name)
    counts = np.array([max((len(domains[one]) for one in mine), default=0) for mine in held], np.int64)
    full = np.where(counts >= MANY_DOMAINS, WEIGHTS["concentration"], FEW_WEIGHT)
    return np.where(counts >= FEW_DOMAINS, full, 0.0), counts


def never_answers(
    trace: Trace, replies: Replies, rows: NDArray[np.int64], suspicious: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Weigh that the server answers suspect names and nothing else: no resolver lives there.

    Triplet Censors asks a target for a harmless name before it is called a non-resolver. Each name that stayed
    unanswered weighs ``ln(0.98 / 0.12)``; one unsuspicious answer ends the suspicion.

    Returns:
        Weights and numbers of unanswered names, aligned with *rows*.
    """
    exchanges, flows = trace.exchanges, trace.flows
    silent = np.flatnonzero((exchanges.queries.lengths > 0) & (exchanges.replies.lengths == 0))
    weight, counts = np.zeros(len(rows)), np.zeros(len(rows), np.int64)
    if not len(silent) or not len(rows):
        return weight, counts
    target = flows.server[exchanges.flow[silent]]
    answered = np.unique(replies.server[~suspicious])
    struck = {int(replies.server[row]): set[str]() for row in rows}
    for row in rows.tolist():
        struck[int(replies.server[row])].add(trace.exchanges.name[int(replies.exchange[row])])
    for server, listed in struck.items():
        if server in answered:
            continue
        names = {exchanges.name[row] for row in silent[target == server].tolist()} - listed
        if len(names) >= SILENT_NAMES:
            here = replies.server[rows] == server
            counts[here] = len(names)
            weight[here] = min(len(names) * float(np.log(0.98 / UNANSWERED)), WEIGHTS["no_resolver"])
    return weight, counts
