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

from netinterf.analyzers.sites import networks
from netinterf.context.special import is_ipv4
from netinterf.flows.facts import Vantage
from netinterf.schema import SubjectKind, TcpFlag
from netinterf.trace import Trace

__all__ = ["ROWS", "SIX", "Attempts", "Row", "list_attempts"]

I64 = NDArray[np.int64]
I8 = NDArray[np.int8]
Mask = NDArray[np.bool_]

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58

OPEN_NS = 4_000_000_000
"""How long a sign of life is waited for: the SYNs of the first three seconds are over by then (RFC 6298 §2.1, §5.5)."""

SERVE_NS = 5_000_000_000
"""How long the answer to the first data is waited for, and that to a DNS question (resolv.conf(5), RES_TIMEOUT)."""

TRIES = 2
"""Packets without an answer from which an attempt counts as meant: scanners that write their own packets send one."""

HALF_HEARD = 4
"""Datagrams of the client per one of the server from which nobody can tell whether they are answered or leak
through."""


class Row(IntEnum):
    """Protocols that borders are known to treat alike; those over IPv6 are `SIX` further."""

    WEB = 0  # TCP/443, and its clear-text twin TCP/80
    TCP = 1  # other TCP
    QUIC = 2  # UDP/443
    DNS = 3  # UDP/53
    UDP = 4  # other UDP
    PING = 5  # ICMP echo


SIX = len(Row)
ROWS = 2 * SIX


@attrs.frozen(eq=False, kw_only=True)
class Attempts:
    """One row per attempt; all columns are aligned. What the statistics need, and nothing about packets."""

    time: I64  # ns since 1970 UTC when it began, or fell silent
    row: I64  # Row, plus SIX over IPv6
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


@attrs.frozen(eq=False, kw_only=True)
class Origins:
    """What each attempt is in the trace, aligned with `Attempts`."""

    subject: I64  # rows in Flows or Exchanges
    kind: NDArray[np.uint8]  # SubjectKind codes
    host: I64  # rows in Hosts: the server
    client: I64  # rows in Hosts
    first: I64  # rows in Packets: what got no answer, or began it
    last: I64  # rows in Packets: the last packet of the client


def list_attempts(trace: Trace) -> tuple[Attempts, Origins] | None:
    """List attempts whose outcome can be told, in the order of time; systems and countries are left to `places`.

    None where no attempt failed, or where the capture shows nothing but one direction: then nothing is unreachable.
    """
    if trace.facts.vantage is Vantage.SERVER or not len(trace.flows):
        return None
    parts = [conversations(trace), stalled(trace), questions(trace)]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    subject, kind, time, base, opened, passed, first, last = columns
    if not (passed == 0).any() or not (passed == 1).any():
        return None
    order = np.lexsort((subject, kind, time))
    subject, kind, time, base, opened, passed, first, last = (column[order] for column in columns)
    flow = np.where(kind == SubjectKind.FLOW, subject, 0)
    asked = kind == SubjectKind.EXCHANGE
    flow[asked] = trace.exchanges.flow[subject[asked]]
    host = trace.flows.server[flow].astype(np.int64)
    six = ~is_ipv4(trace.hosts.high, trace.hosts.low)[host]
    unknown = np.full(len(flow), -1)
    attempts = Attempts(
        time=time,
        row=base + SIX * six,
        cluster=networks(trace)[flow],
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
    )
    return attempts, origins


Columns = tuple[NDArray[Any], ...]


def conversations(trace: Trace) -> Columns:
    """Say of every flow that its client began whether it was opened and served; flows of DNS speak by `questions`."""
    flows, sides, packets = trace.flows, trace.sides, trace.packets
    end = int(packets.time.max(initial=0))
    asked, answered = sides.packets[0::2].astype(np.int64), sides.packets[1::2] > 0
    protocol, port = flows.protocol, flows.server_port
    tcp, udp = protocol == TCP, protocol == UDP
    echo = (protocol == ICMP) | (protocol == ICMP6)
    begun = np.where(tcp, sides.syn[0::2] >= 0, asked > 0)
    begun &= tcp | (udp & (port != 53)) | echo
    explained = np.zeros(len(flows), np.bool_)
    explained[trace.quotes.flow[trace.quotes.flow >= 0]] = True
    waited = (end - flows.first >= OPEN_NS) & (asked >= TRIES)
    opened = np.where(answered, 1, np.where(waited & ~explained, 0, -1))
    served, row = serve(trace, end)
    half_heard = sides.packets[1::2] * HALF_HEARD < asked
    passed = np.where(opened == 1, np.where(tcp, served, np.where(half_heard, -1, 1)), opened)
    base = np.select(
        [tcp & ((port == 443) | (port == 80)), tcp, udp & (port == 443), udp], [Row.WEB, Row.TCP, Row.QUIC, Row.UDP],
        Row.PING,
    )  # fmt: skip
    flow = np.flatnonzero(begun & ((opened >= 0) | (passed >= 0)))
    first = np.where((opened == 1) & (passed == 0), row, flows.first_packet)
    kind = np.full(len(flow), SubjectKind.FLOW)
    return (
        flow, kind, flows.first[flow], base[flow], opened[flow], passed[flow], first[flow].astype(np.int64),
        sides.last[2 * flow].astype(np.int64),
    )  # fmt: skip


def serve(trace: Trace, end: int) -> tuple[I64, I64]:
    """Say of each flow whether payload of the server followed the client's first: 1, 0, or -1 where nobody can tell.

    Returns:
        The outcomes, and the packets with the client's first payload (-1 for none).
    """
    sides, packets = trace.sides, trace.packets
    asked, said = sides.first_payload[0::2].astype(np.int64), sides.first_payload[1::2].astype(np.int64)
    spoke = asked >= 0
    when = packets.time[np.maximum(asked, 0)]
    served = spoke & (said > asked)
    early = np.flatnonzero(spoke & (said >= 0) & (said < asked))  # the server spoke first: did it go on?
    if len(early):
        rows = trace.by_flow.take(early)
        owner, row = early[rows.parents()], rows.values.astype(np.int64)
        later = (row > asked[owner]) & ~packets.outbound[row] & (packets.payload_length[row] > 0)
        served[owner[later]] = True
    ended = np.zeros(len(spoke), np.bool_)
    for column in (sides.fin[1::2], sides.rst[1::2]):
        row = column.astype(np.int64)
        ended |= (row >= 0) & (packets.time[np.maximum(row, 0)] < when + SERVE_NS)
    refused = (sides.rst[1::2] >= 0) & (sides.syn[1::2] < 0)  # a closed port: the host is alive
    waited = end - when >= SERVE_NS
    outcome = np.where(served | refused, 1, np.where(spoke & waited & ~ended, 0, -1))
    return outcome.astype(np.int64), asked


def stalled(trace: Trace) -> Columns:
    """Find flows that had been served and then fell silent while their client went on asking."""
    flows, sides, packets = trace.flows, trace.sides, trace.packets
    heard, said = sides.last[1::2].astype(np.int64), sides.last[0::2].astype(np.int64)
    both = (heard >= 0) & (said > heard)
    tcp, udp = flows.protocol == TCP, (flows.protocol == UDP) & (flows.server_port != 53)
    spoke = sides.payload_packets[1::2] > 0
    stuck = tcp & spoke & (sides.sent[0::2] > sides.acked[0::2]) & (sides.repeats[0::2] >= TRIES)
    stuck &= (sides.fin[1::2] < 0) & (sides.rst[1::2] < 0)
    flow = np.flatnonzero(both & (stuck | (udp & spoke)))
    flow = flow[packets.time[said[flow]] - packets.time[heard[flow]] >= OPEN_NS]
    base = np.where(tcp[flow], np.where(np.isin(flows.server_port[flow], (80, 443)), Row.WEB, Row.TCP), Row.UDP)
    base[udp[flow] & (flows.server_port[flow] == 443)] = Row.QUIC
    flow_rows = trace.by_flow.take(flow)
    owner, row = flow_rows.parents(), flow_rows.values.astype(np.int64)
    after = packets.outbound[row] & (row > heard[flow[owner]]) & (packets.tcp_flags[row] & TcpFlag.RST == 0)
    tries = np.bincount(owner[after], minlength=len(flow))
    first = np.full(len(flow), -1)
    first[owner[after][::-1]] = row[after][::-1]  # the last write wins: the earliest packet
    kept = (tries > TRIES) & (first >= 0)
    flow, base, first = flow[kept], base[kept], first[kept]
    kind, ones = np.full(len(flow), SubjectKind.FLOW), np.ones(len(flow), np.int64)
    return flow, kind, packets.time[first], base, ones, 0 * ones, first, said[flow]


def questions(trace: Trace) -> Columns:
    """Say of every DNS exchange over UDP whether it was answered."""
    exchanges, dns, packets = trace.exchanges, trace.dns, trace.packets
    asked, answered = exchanges.queries.lengths > 0, exchanges.replies.lengths > 0
    over = (trace.flows.protocol[exchanges.flow] == UDP) & (trace.flows.server_port[exchanges.flow] == 53) & asked
    reported = np.isin(exchanges.flow, trace.quotes.flow[trace.quotes.flow >= 0])
    row = np.flatnonzero(over)
    queries = exchanges.queries.take(row)
    first = dns.packet[queries.values[queries.offsets[:-1]]].astype(np.int64)
    last = dns.packet[queries.values[queries.offsets[1:] - 1]].astype(np.int64)
    waited = int(packets.time.max(initial=0)) - packets.time[first] >= SERVE_NS
    passed = np.where(answered[row], 1, np.where(waited & ~reported[row], 0, -1))
    told = passed >= 0
    row, first, last, passed = row[told], first[told], last[told], passed[told]
    kind = np.full(len(row), SubjectKind.EXCHANGE)
    base = np.full(len(row), Row.DNS)
    return row, kind, packets.time[first], base, passed, passed, first, last
