"""Without a table of networks: destinations that fell silent together, or never answered, while others go on.

Nobody can say whether they lie abroad, so this is a hint at best, and is reported as such.
"""

import numpy as np

from netinterf.analyzers.isolation.attempts import Attempts
from netinterf.analyzers.isolation.causes import HIGH
from netinterf.analyzers.isolation.spans import closed_spans, units_of, within
from netinterf.analyzers.unanswered.silences import TCP
from netinterf.analyzers.unanswered.waiting import find_unanswered_syns
from netinterf.arrays import F64, I64, Mask
from netinterf.context.special import Special, is_ipv4, special_bits
from netinterf.numbering import combined, numbered
from netinterf.stats.rates import beta_binomial_tail
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["FEWEST_TOGETHER", "Together", "Unreached", "fell_together", "find_unreached"]

FEWEST_TOGETHER = 10
"""Networks that must fall silent together, and half as many that must go on. Judgement: of ten independent networks
that answer nine times of ten, all fall silent by chance once in 10^10 times."""

FEWEST_UNREACHED, STEADY = 5, 2
"""Networks that must never have answered, and others that must have meanwhile: with fewer a dead host or two decide."""

WEB = (80, 443)
"""Nearly all that a client tries there is alive; see ``CHOSEN`` of the causes."""

UNREACHABLE = Special.BOGON | Special.LOOPBACK | Special.PRIVATE | Special.LINK_LOCAL | Special.MULTICAST


@frozen(eq=False, kw_only=True)
class Together:
    """Networks that fell silent together."""

    begins: I64  # ns
    ends: I64  # ns
    struck: Mask  # attempts that got no answer
    silent: int  # networks that fell silent
    steady: int  # networks that went on meanwhile


def fell_together(attempts: Attempts) -> Together | None:
    """Find networks that answer at other times and fell silent together; None where too few did, or all.

    Networks that never answered may be dead.

    A network belongs to them when it never answers while they are silent, and always does otherwise.
    """
    known = np.flatnonzero(attempts.passed >= 0)
    passed = attempts.passed[known] == 1
    place, first = numbered(attempts.cluster[known])

    def count(mask: Mask) -> I64:
        return np.bincount(place[mask], minlength=len(first))

    intermittent = (count(passed) > 0) & (count(~passed) > 0)
    if np.sum(intermittent) < FEWEST_TOGETHER:
        return None
    begins, ends, _ = closed_spans(units_of(attempts, known[intermittent[place]]))
    closed = within(attempts.time[known], begins, ends) if len(begins) else np.zeros(len(known), np.bool_)
    silent = (count(closed & ~passed) > 0) & (count(closed & passed) == 0)
    silent &= (count(~closed & passed) > 0) & (count(~closed & ~passed) == 0)
    steady = (count(closed & passed) > 0) & (count(~passed) == 0)
    if np.sum(silent) < FEWEST_TOGETHER or np.sum(steady) < FEWEST_TOGETHER // 2:
        return None
    struck = np.zeros(len(attempts), np.bool_)
    struck[known[closed & ~passed & silent[place]]] = True
    return Together(begins=begins, ends=ends, struck=struck, silent=int(np.sum(silent)), steady=int(np.sum(steady)))


@frozen(eq=False, kw_only=True)
class Unreached:
    """One row per connection that was never greeted; aligned."""

    flow: I64
    first: I64  # rows in Packets: its first SYN
    last: I64  # … and its last
    silent: I64  # networks that never answered the same client over the same address family
    steady: I64  # those that did meanwhile
    surprise: F64  # nats: how unlikely so many dead ones are where nearly all are well (`causes.HIGH`)

    def __len__(self) -> int:
        return len(self.flow)

    @classmethod
    def none(cls) -> "Unreached":
        """Give no connection."""
        rows = np.empty(0, np.int64)
        return cls(flow=rows, first=rows, last=rows, silent=rows, steady=rows, surprise=np.empty(0))


def find_unreached(trace: Trace) -> Unreached:
    """Find connections to web servers of many networks that never answered while others did.

    Single web servers are seldom dead, so that many of them at once are no chance. Addresses that no name led to do not
    count: scanners and peers try dead ones all day. Each address family is looked at by itself, as broken IPv6 is
    common.
    """
    silences = find_unanswered_syns(trace)
    if not len(silences):
        return Unreached.none()
    flows, sides = trace.flows, trace.sides
    flow, row, last = silences.flow, silences.row, silences.last
    counted = named(trace) & (flows.protocol == TCP) & np.isin(flows.server_port, WEB)
    counted &= ~trace.recording.at_server
    six = (~is_ipv4(trace.hosts.high, trace.hosts.low))[flows.server]
    group = combined(flows.client, six.astype(np.int64))
    place = combined(group, trace.contacts.network)
    heard = sides.packets[1::2] > 0
    keep = counted[flow] & ~np.isin(place[flow], place[heard])
    keep &= ~np.isin(flow, trace.quotes.flow[trace.quotes.flow >= 0])
    flow, row, last = flow[keep], row[keep], last[keep]
    silent, tried, steady = beside(trace, flow, last, group, place, counted & heard)
    enough = (silent >= FEWEST_UNREACHED) & (steady >= STEADY)
    flow, row, last, silent, tried, steady = (column[enough] for column in (flow, row, last, silent, tried, steady))
    surprise = -beta_binomial_tail(silent, tried, *HIGH[::-1])
    return Unreached(flow=flow, first=row, last=last, silent=silent, steady=steady, surprise=surprise)


def named(trace: Trace) -> Mask:
    """Say which flows lead to an address that a name led to: by an answer of the capture that was the only one.

    Forged answers lead to addresses where nobody is, and mostly the true one comes as well.
    """
    answers, hosts, exchanges = trace.answers, trace.hosts, trace.exchanges
    single = np.append(exchanges.replies.lengths, 0) == 1
    given = ((answers.high != 0) | (answers.low != 0)) & single[trace.dns.exchange[answers.message]]
    number = combined(
        np.concatenate([answers.high[given], hosts.high]), np.concatenate([answers.low[given], hosts.low])
    )
    count = int(np.count_nonzero(given))
    led = np.isin(number[count:], number[:count])
    led &= special_bits(hosts.high, hosts.low) & np.uint16(UNREACHABLE) == 0
    by_name: Mask = led[trace.flows.server]
    return by_name


def beside(trace: Trace, flow: I64, last: I64, group: I64, place: I64, alive: Mask) -> tuple[I64, I64, I64]:
    """Count, for each flow, the networks of its client that were silent, that were tried, and that answered meanwhile.

    *Meanwhile* is from the client's first opening in vain to its last, and answers are packets, not connections.
    """
    time, zero = trace.packets.time, np.zeros(0, np.int64)
    if not len(flow):
        return zero, zero, zero
    _, ends = np.unique(place[flow], return_index=True)
    size = int(group.max()) + 1
    silent = np.bincount(group[flow[ends]], minlength=size)
    begin, until = np.full(size, np.iinfo(np.int64).max), np.zeros(size, np.int64)
    np.minimum.at(begin, group[flow], trace.flows.first[flow])
    np.maximum.at(until, group[flow], time[last])
    living = np.flatnonzero(alive)
    _, firsts = np.unique(place[living], return_index=True)
    tried = silent + np.bincount(group[living[firsts]], minlength=size)
    heard = time[trace.sides.last[2 * living + 1]]
    inside = living[(heard >= begin[group[living]]) & (trace.flows.first[living] <= until[group[living]])]
    _, once = np.unique(place[inside], return_index=True)
    steady = np.bincount(group[inside[once]], minlength=size)
    mine = group[flow]
    return silent[mine], tried[mine], steady[mine]
