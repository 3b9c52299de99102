"""Attempts to reach somebody, one row each, with the outcome of both stages: was it opened, was it served?

A handshake that completes is not yet reachability: borders are known that answer SYNs, or let them pass, and swallow
what follows (Iran 2026, mobile networks in Russia 2025). So an attempt is *opened* when the far end gave any sign of
life, and *served* when something came back after the client's first data. Where nothing can be told, because the
capture ended too soon, ICMP explains it or the other end hung up, nothing is said.
"""

from enum import IntEnum
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from netinterf.analyzers.isolation.stalls import OPEN_NS, TRIES, Stalls, permanent_stalls, temporary_stalls, together
from netinterf.arrays import I8, I64, U8, Mask
from netinterf.context.special import is_ipv4
from netinterf.flows.contacts import networks
from netinterf.schema import SubjectKind
from netinterf.trace import Trace
from netinterf.values import frozen

__all__ = ["IPV6_ROWS", "ROWS", "Attempts", "Origins", "Row", "list_attempts"]


TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58

SERVE_NS = 5_000_000_000
"""How long the answer to the first data is waited for, and that to a DNS question (resolv.conf(5), RES_TIMEOUT)."""

HALF_HEARD = 4
"""Datagrams of the client per one of the server from which nobody can tell whether they are answered or leak
through."""


class Row(IntEnum):
    """Protocols that borders are known to treat alike; those over IPv6 are `IPV6_ROWS` further."""

    WEB = 0  # TCP/443, and its clear-text twin TCP/80
    TCP = 1  # other TCP
    QUIC = 2  # UDP/443
    DNS = 3  # UDP/53
    UDP = 4  # other UDP
    PING = 5  # ICMP echo


IPV6_ROWS = len(Row)
ROWS = 2 * IPV6_ROWS


@frozen(eq=False, kw_only=True)
class Attempts:
    """One row per attempt; all columns are aligned. What the statistics need, and nothing about packets."""

    time: I64  # ns since 1970 UTC when it began, or fell silent
    row: I64  # Row, plus IPV6_ROWS over IPv6
    cluster: I64  # number of the server's /24 or /48
    system: I64  # number of its autonomous system
    country: I64  # number of its country, -1 where the table does not tell
    opened: I8  # 1 the far end gave a sign of life, 0 it did not, -1 nobody can tell
    passed: I8  # 1 served, 0 not opened or not served, -1 nobody can tell
    trip: I64  # ns of the round trip, -1 where it was not measured

    def __len__(self) -> int:
        return len(self.time)

    def take(self, rows: NDArray[np.integer[Any]] | Mask) -> "Attempts":
        """Select rows."""
        return Attempts(**{name: column[rows] for name, column in attrs.asdict(self, recurse=False).items()})


@frozen(eq=False, kw_only=True)
class Origins:
    """What each attempt is in the trace, aligned with `Attempts`."""

    subject: I64  # rows in Flows or Exchanges
    kind: U8  # SubjectKind codes
    host: I64  # rows in Hosts: the server
    client: I64  # rows in Hosts
    first: I64  # rows in Packets: what got no answer, or began it
    last: I64  # rows in Packets: the last packet of the client
    since: I64  # ns since 1970 UTC when the first of them was captured
    filtered: Mask  # recorded without acknowledgements: what is missing was not lost

    def take(self, rows: NDArray[np.integer[Any]] | Mask) -> "Origins":
        """Select rows."""
        return Origins(**{name: column[rows] for name, column in attrs.asdict(self, recurse=False).items()})


def list_attempts(trace: Trace) -> tuple[Attempts, Origins]:
    """List attempts whose outcome can be told, kind by kind; systems and countries are left to `places`.

    What was recorded next to a server shows no attempt of its own.
    """
    temporary = temporary_stalls(trace)
    parts = [conversations(trace, temporary), stalled(trace, temporary), revived(trace, temporary), questions(trace)]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    flow = np.where(columns[1] == SubjectKind.FLOW, columns[0], 0)
    is_exchange = columns[1] == SubjectKind.EXCHANGE
    flow[is_exchange] = trace.exchanges.flow[columns[0][is_exchange]]
    observed = ~trace.recording.at_server[flow]
    subject, kind, time, base, opened, passed, first, last, flow = (column[observed] for column in (*columns, flow))
    host = trace.flows.server[flow].astype(np.int64)
    six = ~is_ipv4(trace.hosts.high, trace.hosts.low)[host]
    unknown = np.full(len(flow), -1)
    attempts = Attempts(
        time=time,
        row=base + IPV6_ROWS * six,
        cluster=networks(trace.hosts)[host],
        system=unknown,
        country=unknown,
        opened=opened.astype(np.int8),
        passed=passed.astype(np.int8),
        trip=np.where(trace.flows.protocol[flow] == TCP, trace.sides.rtt[2 * flow + 1], -1),
    )
    origins = Origins(
        subject=subject,
        kind=kind.astype(np.uint8),
        host=host,
        client=trace.flows.client[flow].astype(np.int64),
        first=first,
        last=last,
        since=trace.packets.time[first],
        filtered=trace.recording.filtered[flow],
    )
    return attempts, origins


Columns = tuple[NDArray[Any], ...]

NONE: Columns = (np.empty(0, np.int64),) * 8
"""What a kind of which there is no attempt gives, column by column."""


def conversations(trace: Trace, temporary: Stalls) -> Columns:
    """Say of every flow that its client began whether it was opened and served; flows of DNS speak by `questions`."""
    flows, sides, packets = trace.flows, trace.sides, trace.packets
    sent, answered = sides.packets[0::2].astype(np.int64), sides.packets[1::2] > 0
    protocol, port = flows.protocol, flows.server_port
    tcp, udp = protocol == TCP, protocol == UDP
    echo = (protocol == ICMP) | (protocol == ICMP6)
    begun = np.where(tcp, sides.syn[0::2] >= 0, sent > 0)
    begun &= tcp | (udp & (port != 53)) | echo
    explained = np.zeros(len(flows), np.bool_)
    explained[trace.quotes.flow[trace.quotes.flow >= 0]] = True
    waited = (trace.heard_until(flows.first) - flows.first >= OPEN_NS) & (sent >= TRIES)
    opened = np.where(answered, 1, np.where(waited & ~explained, 0, -1))
    served, row = serve(trace)
    half_heard = sides.packets[1::2] * HALF_HEARD < sent
    passed = np.where(opened == 1, np.where(tcp, served, np.where(half_heard, -1, 1)), opened)
    base, began = protocols(trace), flows.first.copy()
    late = temporary.take(~temporary.served)
    began[late.flow] = packets.time[late.heard]  # what came of it in the end, it did then
    flow = np.flatnonzero(begun & ((opened >= 0) | (passed >= 0)))
    first = np.where((opened == 1) & (passed == 0), row, flows.first_packet)
    kind = np.full(len(flow), SubjectKind.FLOW)
    return (
        flow, kind, began[flow], base[flow], opened[flow], passed[flow], first[flow].astype(np.int64),
        sides.last[2 * flow].astype(np.int64),
    )  # fmt: skip


def serve(trace: Trace) -> tuple[I64, I64]:
    """Say of each flow whether payload of the server followed the client's first: 1, 0, or -1 where nobody can tell.

    Returns:
        The outcomes, and the packets with the client's first payload (-1 for none).
    """
    sides, packets = trace.sides, trace.packets
    request, response = sides.first_payload[0::2].astype(np.int64), sides.first_payload[1::2].astype(np.int64)
    spoke = request >= 0
    when = packets.time[np.maximum(request, 0)]
    served = spoke & (response > request)
    early = np.flatnonzero(spoke & (response >= 0) & (response < request))  # the server spoke first: did it go on?
    if len(early):
        rows = trace.by_flow.take(early)
        owner, row = early[rows.parents()], rows.values.astype(np.int64)
        later = (row > request[owner]) & ~packets.outbound[row] & (packets.payload_length[row] > 0)
        served[owner[later]] = True
    ended = np.zeros(len(spoke), np.bool_)
    for column in (sides.fin[1::2], sides.rst[1::2]):
        row = column.astype(np.int64)
        ended |= (row >= 0) & (packets.time[np.maximum(row, 0)] < when + SERVE_NS)
    refused = (sides.rst[1::2] >= 0) & (sides.syn[1::2] < 0)  # a closed port: the host is alive
    waited = trace.heard_until(when) - when >= SERVE_NS
    outcome = np.where(served | refused, 1, np.where(spoke & waited & ~ended, 0, -1))
    return outcome.astype(np.int64), request


def stalled(trace: Trace, temporary: Stalls) -> Columns:
    """Count flows that fell silent, for good or for a while, as attempts of that moment, which failed."""
    silent = together(permanent_stalls(trace), temporary)
    if not len(silent):
        return NONE
    kind, opened = np.full(len(silent), SubjectKind.FLOW), silent.opened.astype(np.int64)
    base, time = protocols(trace)[silent.flow], trace.packets.time[silent.first]
    return silent.flow, kind, time, base, opened, np.zeros(len(silent), np.int64), silent.first, silent.last


def revived(trace: Trace, temporary: Stalls) -> Columns:
    """Count flows that had been served and were heard again as attempts of that moment, which passed."""
    again = temporary.take(temporary.served)
    if not len(again):
        return NONE
    kind, ones = np.full(len(again), SubjectKind.FLOW), np.ones(len(again), np.int64)
    base, time = protocols(trace)[again.flow], trace.packets.time[again.heard]
    return again.flow, kind, time, base, ones, ones, again.heard, again.heard


def protocols(trace: Trace) -> I64:
    """Say which `Row` each flow is of, IPv6 left out."""
    protocol, port = trace.flows.protocol, trace.flows.server_port
    tcp, udp = protocol == TCP, protocol == UDP
    return np.select(
        [tcp & ((port == 443) | (port == 80)), tcp, udp & (port == 443), udp], [Row.WEB, Row.TCP, Row.QUIC, Row.UDP],
        Row.PING,
    )  # fmt: skip


def questions(trace: Trace) -> Columns:
    """Say of every DNS exchange over UDP whether it was answered; what was answered late failed first."""
    exchanges, dns, packets = trace.exchanges, trace.dns, trace.packets
    if not len(exchanges):
        return NONE
    queried, answered = exchanges.queries.lengths > 0, exchanges.replies.lengths > 0
    over = (trace.flows.protocol[exchanges.flow] == UDP) & (trace.flows.server_port[exchanges.flow] == 53) & queried
    reported = np.isin(exchanges.flow, trace.quotes.flow[trace.quotes.flow >= 0])
    row = np.flatnonzero(over)
    queries = exchanges.queries.take(row)
    first = dns.packet[queries.values[queries.offsets[:-1]]].astype(np.int64)
    last = dns.packet[queries.values[queries.offsets[1:] - 1]].astype(np.int64)
    waited = trace.heard_until(packets.time[first]) - packets.time[first] >= SERVE_NS
    passed = np.where(answered[row], 1, np.where(waited & ~reported[row], 0, -1))
    replied = row[passed == 1]
    reply = first.copy()
    reply[passed == 1] = dns.packet[exchanges.replies.values[exchanges.replies.offsets[replied]]]
    late = np.flatnonzero(packets.time[reply] - packets.time[first] >= SERVE_NS)
    row, first, last = (np.concatenate([column, column[late]]) for column in (row, first, last))
    time, passed = packets.time[first], np.append(passed, 0 * late)
    time[late] = packets.time[reply[late]]
    known = passed >= 0
    row, first, last, time, passed = row[known], first[known], last[known], time[known], passed[known]
    kind, base = np.full(len(row), SubjectKind.EXCHANGE), np.full(len(row), Row.DNS)
    return row, kind, time, base, passed, passed, first, last
