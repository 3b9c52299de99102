"""Facts of DNS exchanges: how often it was asked, what came back, how fast, and from how far."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.anomaly.connections import REWRITTEN
from netinterf.anomaly.fact import Fact, Values, binned, steps, tallies
from netinterf.anomaly.view import View
from netinterf.arrays import I64, Mask
from netinterf.schema import IpFlag
from netinterf.stats import group_median

__all__ = ["EXCHANGES"]

AA, TC, RA, AD = 0x0400, 0x0200, 0x0080, 0x0020
"""Flags of a DNS message (RFC 1035 §4.1.1, RFC 4035 §3.2.3)."""

ANSWER = 1
A, AAAA = 1, 28
HOPS = (1, 2, 4, 8)
SECONDS = (0.001, 0.004, 0.016, 0.064, 0.256, 1, 5)
LIFE = (1, 61, 301, 3601, 86_401)
BYTES = (64, 128, 256, 512, 1024)


def at(column: NDArray[Any], row: I64) -> I64:
    """Read a column of Dns at some rows, 0 for row -1."""
    values: I64 = np.append(column.astype(np.int64), 0)[row]
    return values


def of_reply(view: View, column: NDArray[Any]) -> tuple[I64, Mask]:
    """Read a column of Dns at the first reply of each exchange, and say where there is one."""
    row = view.first_reply
    return at(column, row), row >= 0


def packet_of_reply(view: View) -> tuple[I64, Mask]:
    """Row in Packets of the first reply of each exchange (0 without), and whether there is one."""
    return of_reply(view, view.trace.dns.packet)


def tries(view: View) -> Values:
    """Count the queries."""
    return binned(view.trace.exchanges.queries.lengths, (1, 2, 3, 4))


def replies(view: View) -> Values:
    """Count the replies."""
    return binned(view.trace.exchanges.replies.lengths, (1, 2, 3))


def code(view: View) -> Values:
    """Give the response code of the first reply; 6 stands for all above."""
    word, there = of_reply(view, view.trace.dns.flags)
    return np.where(there, np.minimum(word & 15, 6), -1)


def records(view: View) -> Values:
    """Count the answers of the first reply."""
    answers, there = of_reply(view, view.trace.dns.answers)
    return binned(answers, (1, 2, 4, 8), there)


def life(view: View) -> Values:
    """Give the shortest time to live among the answers of the first reply."""
    table = view.trace.answers
    shortest = np.full(len(view.trace.dns) + 1, np.inf)
    own = table.section == ANSWER
    np.minimum.at(shortest, table.message[own].astype(np.int64), table.ttl[own].astype(np.float64))
    lifetime = shortest[view.first_reply]
    return binned(np.where(np.isfinite(lifetime), lifetime, 0), LIFE, np.isfinite(lifetime))


def addresses(view: View) -> Values:
    """Tell whether the first reply names an address that cannot be anybody's on the internet."""
    from netinterf.context.special import special_bits  # (loads its table)

    table = view.trace.answers
    own = np.flatnonzero((table.section == ANSWER) & ((table.kind == A) | (table.kind == AAAA)))
    special = special_bits(table.high[own], table.low[own]) != 0
    value = np.full(len(view.trace.dns) + 1, -1)
    value[table.message[own]] = 0
    value[table.message[own[special]]] = 1
    return value[view.first_reply]


def waited(view: View) -> Values:
    """Give the time from the first query to the first reply."""
    dns, time = view.trace.dns, view.trace.packets.time
    reply, there = packet_of_reply(view)
    query = view.first_query
    known = there & (query >= 0)
    took = np.full(len(known), -1.0)
    took[known] = (time[reply[known]] - time[at(dns.packet, query)[known]]) / 1e9
    return binned(took, SECONDS, took >= 0)


def hops(view: View) -> Values:
    """Give by how much the hop limit of the first reply differs from what the resolver's replies mostly have."""
    packet, there = packet_of_reply(view)
    flow = view.trace.exchanges.flow
    known = there & view.trace.recording.ttl_informative[flow]
    limit, server = np.full(len(flow), np.nan), view.trace.flows.server[flow].astype(np.int64)
    limit[known] = view.trace.packets.ttl[packet[known]]
    usual = group_median(limit, server, len(view.trace.hosts))
    return binned(np.abs(np.where(known, limit - usual[server], 0)), HOPS, known)


def flags(view: View) -> Values:
    """Give the flags AA, TC, RA and AD of the first reply."""
    word, there = of_reply(view, view.trace.dns.flags)
    bits = [(word & bit != 0).astype(np.int64) << place for place, bit in enumerate((AA, TC, RA, AD))]
    return np.where(there, np.sum(bits, axis=0), -1)


def extension(view: View) -> Values:
    """Tell whether query and first reply carry OPT (RFC 6891 §7: a reply to one carries one)."""
    answered, there = of_reply(view, view.trace.dns.opt)
    query = view.first_query
    return np.where(there & (query >= 0), at(view.trace.dns.opt, query) + 2 * answered, -1)


def size(view: View) -> Values:
    """Give the length of the first reply."""
    length, there = of_reply(view, view.trace.dns.length)
    return binned(length, BYTES, there)


def header(view: View) -> Values:
    """Tell whether the first reply may be fragmented, and whether its IP identification is 0 (IPv4)."""
    packets = view.trace.packets
    packet, there = packet_of_reply(view)
    value = np.full(len(there), -1)
    row = packet[there]
    whole = (packets.ip_flags[row] & IpFlag.DONT_FRAGMENT != 0).astype(np.int64)
    value[there] = np.where(packets.version[row] == 4, whole + 2 * (packets.ip_id[row] == 0), -1)
    return value


EXCHANGES = (
    Fact(id="tries", says=("holds no query", "was asked once", "was asked twice", "was asked three times",
                          "was asked four times or more"), read=tries, blind=("one_way",)),
    Fact(id="replies", read=replies, blind=("one_way",),
         says=("got no reply", "got one reply", "got two replies", "got three or more replies")),
    Fact(
        id="code",
        says=(
            "was answered NOERROR", "was answered FORMERR", "was answered SERVFAIL", "was answered NXDOMAIN",
            "was answered NOTIMP", "was answered REFUSED", "was answered with a rare response code",
        ),
        read=code,
    ),
    Fact(id="records", says=("got no answer record", *tallies("got {}", "answer record", (1, 2, 4, 8))), read=records),
    Fact(id="life", says=("may not be kept", *steps("may be kept for {} s", LIFE)[1:]), read=life),
    Fact(id="addresses", says=("got addresses of the internet", "got an address of no public network"), read=addresses),
    Fact(id="waited", says=steps("waited {} s for its first reply", SECONDS), read=waited, blind=("skewed", "made")),
    Fact(
        id="hops",
        says=(
            "was answered from as far as others", "was answered from 1 hop nearer or farther than others",
            "was answered from 2 or 3 hops nearer or farther than others",
            "was answered from 4 to 7 hops nearer or farther than others",
            "was answered from 8 or more hops nearer or farther than others",
        ),
        read=hops, blind=REWRITTEN,
    ),
    Fact(
        id="flags",
        says=tuple(
            "has a reply with " + (", ".join(named) if named else "neither AA, TC, RA nor AD")
            for value in range(16)
            for named in [[word for place, word in enumerate(("AA", "TC", "RA", "AD")) if value >> place & 1]]
        ),
        read=flags,
    ),
    Fact(
        id="extension",
        says=(
            "neither asked nor answered with OPT", "asked with OPT and was answered without",
            "asked without OPT and was answered with it", "asked and was answered with OPT",
        ),
        read=extension,
    ),
    Fact(id="size", says=steps("got a reply of {} bytes", BYTES), read=size),
    Fact(
        id="header",
        says=(
            "got a reply that may be fragmented", "got a reply that may not be fragmented",
            "got a reply that may be fragmented, of IP identification 0",
            "got a reply that may not be fragmented, of IP identification 0",
        ),
        read=header,
    ),
)  # fmt: skip
"""What exchanges are compared by."""
