"""Which connections and DNS questions belong together: what one client did about one name within a short time."""

import numpy as np

from netinterf.arrays import I64
from netinterf.numbering import combined, joined, numbered_text
from netinterf.schema import SubjectKind
from netinterf.table import Ragged
from netinterf.trace import Trace
from netinterf.values import frozen
from netinterf.verdict.subjects import Subjects

__all__ = ["QUIET_NS", "Visits", "find_visits"]

TCP, UDP = 6, 17
A, AAAA = 1, 28  # RR types (RFC 1035 §3.2.2, RFC 3596 §2.1)
ANSWER = 1  # section of `Answers`

QUIET_NS = 60_000_000_000
"""A name that nobody began anything about for so long is visited anew: a minute (judgement). Retries, second addresses
and the resources of a page follow within seconds; a measurement that ran for hours would say nothing about when."""


@frozen(eq=False)
class Visits:
    """What belongs together, in the order of its beginnings."""

    subjects: Ragged  # rows in Subjects of each visit, in order of time
    naming_exchange: I64  # by subject: row in Exchanges whose answer a nameless connection is named by, -1 for none


def find_visits(trace: Trace, subjects: Subjects) -> Visits:
    """Group TCP and UDP conversations and DNS exchanges by client, name and time.

    A conversation that shows no name is taken to be about the name whose answer last told its client the server's
    address; without such an answer it is about that address and port. Conversations of other protocols are left out.

    Args:
        trace: The capture.
        subjects: Who was judged in it.
    """
    rows = np.flatnonzero(np.isin(subjects.protocol, (TCP, UDP)))
    naming_exchange = _naming_exchanges(trace, subjects)
    answered = np.append(subjects.by_exchange, -1)[naming_exchange]
    owner = np.where(naming_exchange >= 0, answered, np.arange(len(subjects)))  # whose name it is
    name, _ = numbered_text(subjects.name)
    nameless = subjects.name.lengths[owner] == 0
    nameless &= subjects.kind == SubjectKind.FLOW
    target = combined(
        subjects.client,
        np.where(nameless, -1, name[owner]),
        np.where(nameless, subjects.server, -1),
        np.where(nameless, subjects.port, -1),
        np.where(nameless, subjects.protocol, 0),
    )[rows]
    start = subjects.start[rows]
    order = np.lexsort((rows, start, target))
    target, start, rows = target[order], start[order], rows[order]
    opens = np.ones(len(rows), np.bool_)
    opens[1:] = (target[1:] != target[:-1]) | (start[1:] - start[:-1] > QUIET_NS)
    first = np.flatnonzero(opens)
    grouped = Ragged.from_lengths(np.diff(np.append(first, len(rows))), rows)
    return Visits(grouped.take(np.lexsort((rows[first], start[first]))), naming_exchange)


def _naming_exchanges(trace: Trace, subjects: Subjects) -> I64:
    """Find the exchange whose answer last told the client of each conversation without a name its server's address."""
    result = np.full(len(subjects), -1, np.int64)
    asking = np.flatnonzero(
        (subjects.kind == SubjectKind.FLOW) & (subjects.name.lengths == 0) & np.isin(subjects.protocol, (TCP, UDP))
    )
    answers, dns, hosts = trace.answers, trace.dns, trace.hosts
    exchange = dns.exchange[answers.message]
    useful = (answers.section == ANSWER) & np.isin(answers.kind, (A, AAAA)) & (exchange >= 0)
    useful &= (trace.exchanges.name.lengths > 0)[np.maximum(exchange, 0)] if len(trace.exchanges) else useful
    known = np.flatnonzero(useful)
    if not len(asking) or not len(known):
        return result
    exchange, message = exchange[known].astype(np.int64), answers.message[known]
    address = combined(
        *(
            np.concatenate([own, answer]).astype(np.uint64).view(np.int64)
            for own, answer in ((hosts.high, answers.high[known]), (hosts.low, answers.low[known]))
        )
    )
    client = np.concatenate([subjects.client[asking], trace.flows.client[dns.flow[message]]])
    server = np.concatenate([address[subjects.server[asking]], address[len(hosts) :]])
    time = np.concatenate([subjects.start[asking], trace.packets.time[dns.packet[message]]])
    is_flow = np.repeat(np.array([1, 0]), [len(asking), len(known)])  # at one time, answers come first
    rank = np.empty(len(time), np.int64)
    rank[np.lexsort((is_flow, time))] = np.arange(len(time))
    pair = combined(client, server)
    key, _ = joined((pair, int(pair.max()) + 1), (rank, len(rank)))
    order = len(asking) + np.argsort(key[len(asking) :])
    place = np.searchsorted(key[order], key[: len(asking)]) - 1
    last = order[np.maximum(place, 0)]
    same = (place >= 0) & (pair[last] == pair[: len(asking)])
    result[asking[same]] = exchange[last[same] - len(asking)]
    return result
