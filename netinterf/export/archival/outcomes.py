"""How the operations of connections ended, seen from the client: opened, refused, reset, closed, never answered.

An end is told only where the packets show it. Success is what the next step proves: who sends data has opened the
connection, who is answered to data behind the handshake has finished it. What came later than that is no failure of the
operation. A reset counts for what its receiver makes of it, whoever wrote it; who wrote it is asked by the verdicts.

Sources: failures by github.com/ooni/spec df-007; TLS alerts by RFC 8446 §6 and how OONI Probe sorts those of QUIC.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.arrays import I8, I32, I64, Mask
from netinterf.schema import Mark, ParseError, TcpFlag, TlsKind
from netinterf.trace import Trace
from netinterf.values import frozen
from netinterf.verdict.health import SILENCE_NS
from netinterf.verdict.reasons import Reason
from netinterf.verdict.subjects import Subjects
from netinterf.verdict.trigger import first_of

__all__ = ["FAILURES", "NEVER", "UNKNOWN", "Outcomes", "Steps", "find_outcomes"]


TCP, UDP = 6, 17
UNKNOWN, NONE = -1, 0

FAILURES: tuple[str | None, ...] = (
    None,
    "generic_timeout_error",
    "connection_refused",
    "connection_reset",
    "eof_error",
    "host_unreachable",
    "network_unreachable",
    "ssl_failed_handshake",
    "ssl_invalid_hostname",
    "ssl_unknown_authority",
    "ssl_invalid_certificate",
)
"""Failures by code; 0 is success, and what is not known has code `UNKNOWN` and is not written."""

TIMEOUT, REFUSED, RESET, CLOSED, NO_HOST, NO_NETWORK, ALERT, HOSTNAME, AUTHORITY, CERTIFICATE = range(1, len(FAILURES))

ALERTS = {112: HOSTNAME, 48: AUTHORITY, **dict.fromkeys((42, 43, 44, 45, 46), CERTIFICATE)}
"""TLS alerts that say what is wrong with a certificate or name (RFC 8446 §6.2, RFC 6066 §3); others are `ALERT`."""

NEVER = int(np.iinfo(np.int64).max)

Step = tuple[Any, Any, Any]
"""By flow: where it applies, the failure (or one for all), and when it happened."""


@frozen(eq=False)
class Steps:
    """One operation of every connection, by row in Flows; times are ns since 1970 UTC."""

    begin: I64  # when it began, `NEVER` where that was not captured
    end: I64  # when it was decided
    failure: I8  # place in `FAILURES`, `UNKNOWN` where the capture does not show how it ended
    tried: Mask  # whether there was one

    @property
    def known(self) -> Mask:
        """Say where an operation was captured with its end."""
        known: Mask = self.tried & (self.failure != UNKNOWN)
        return known

    def began(self, flow: int) -> int | None:
        """Give the time that one began, None where that was not captured."""
        time = int(self.begin[flow])
        return None if time == NEVER else time

    def failed(self, flow: int) -> str | None:
        """Name the failure of one whose end is known, None for success."""
        return FAILURES[int(self.failure[flow])]


@frozen(eq=False, kw_only=True)
class Outcomes:
    """How connections came out, by row in Flows."""

    connect: Steps
    handshake: Steps  # of TLS, and of QUIC on UDP
    hello: I32  # row in Tls of the ClientHello that counts, -1 for none
    answer: I32  # row in Tls of the ServerHello that counts, -1 for none
    leaf: I32  # row in Tls of the server's certificate, -1 for none
    quic: I32  # row in Quic, -1 for none
    ending: Steps  # how reading from the server ended: a reset, an end of the stream, silence


def find_outcomes(trace: Trace, subjects: Subjects) -> Outcomes:
    """Say of every connection how its opening, its handshake and its reading ended.

    Args:
        trace: The capture.
        subjects: Who was judged in it; their reasons say whether silence was waited for.
    """
    view = _ClientView(trace, subjects)
    tls, count = trace.tls, len(trace.flows)
    readable = (tls.error != ParseError.MISSING) & (trace.flows.protocol[tls.flow] == TCP)
    hello = _where(readable & tls.outbound & (tls.kind == TlsKind.CLIENT_HELLO), tls.flow, count)
    answered = np.flatnonzero(readable & ~tls.outbound & (tls.kind == TlsKind.SERVER_HELLO))
    answer = np.full(count, -1, np.int32)
    answer[tls.flow[answered]] = answered  # the last one: those before it asked for another hello (RFC 8446 §4.1.4)
    leaf = _where(~tls.outbound & (tls.kind == TlsKind.CERTIFICATE) & (tls.certificates.lengths > 0), tls.flow, count)
    quic = _where(np.ones(len(trace.quic), np.bool_), trace.quic.flow, count)
    connect, ending = view.opening(), view.ending()
    return Outcomes(
        connect=connect,
        handshake=_either(view.tls_handshake(hello, answer), view.quic_handshake(quic)),
        hello=hello,
        answer=answer,
        leaf=leaf,
        quic=quic,
        ending=ending,
    )


class _ClientView:
    """A capture, looked at from the clients of its connections."""

    def __init__(self, trace: Trace, subjects: Subjects) -> None:
        self.trace, self.count = trace, len(trace.flows)
        self.tcp = trace.flows.protocol == TCP
        sides, packets = trace.sides, trace.packets
        self.time = np.append(packets.time, NEVER)  # row -1 reads the appended one
        bits = np.append(subjects.reasons, 0)[subjects.by_flow]  # flows without a verdict are DNS alone
        self.bits = bits.astype(np.int64)
        self.last = trace.flows.last
        self.waited = trace.heard_until(trace.flows.first) - trace.flows.first >= SILENCE_NS
        fresh = packets.marks & (Mark.REPEAT | Mark.DUPLICATE_FRAME) == 0
        read = packets.tcp_flags & TcpFlag.RST == 0  # what a reset carries is read by nobody
        self.carries = (packets.payload_length > 0) & read & fresh & (packets.flow >= 0)
        ways = [np.where(rows < 0, len(packets), rows) for rows in (sides.fin[0::2], sides.rst[0::2])]
        left = np.minimum(*ways)  # the client left of its own accord: what came later, it was not told
        request_time = self.time[sides.first_payload[0::2]]
        self.stayed = (left == len(packets)) | (self.time[left] - request_time >= SILENCE_NS)
        reset, closed = sides.rst[1::2], sides.fin[1::2]
        self.reset = np.where(self.survived(reset) | (reset > left), -1, reset)
        self.closed = np.where(closed > left, -1, closed)

    def survived(self, reset: I32) -> Mask:
        """Say which clients took no notice of a reset (row in Packets): they acknowledged what was sent after it."""
        packets = self.trace.packets
        last = np.append(np.where(reset < 0, len(packets), reset), len(packets))
        later = self.carries & ~packets.outbound & (np.arange(len(packets)) > last[packets.flow])
        first = _where(later, packets.flow, self.count)
        number = np.append(packets.relative_seq, NEVER)[first]
        return np.asarray(self.trace.sides.acked[1::2] > number)

    def has(self, reason: Reason) -> Mask:
        """Say which flows have a reason, or one of several."""
        return np.asarray(self.bits & int(reason) != 0)

    def opening(self) -> Steps:
        """Say how connections opened (TCP)."""
        sides = self.trace.sides
        syn, syn_ack = sides.syn[0::2], sides.syn[1::2]
        spoke = sides.first_payload.reshape(-1, 2)
        first = np.where(spoke < 0, NEVER, self.time[spoke]).min(axis=1, initial=NEVER)
        began = self.time[syn]
        answered = (syn_ack >= 0) & (sides.acked[1::2] >= 1)  # the client acknowledged the server's SYN
        worked = ((syn >= 0) | (syn_ack >= 0)) & (answered | ((first > began) & (first < NEVER)))
        end = np.where(syn_ack >= 0, self.time[syn_ack], first)
        steps = [
            (worked, NONE, end),
            (self.reset >= 0, REFUSED, self.time[self.reset]),  # what a reset means to who has only sent a SYN
            *self.unreachable(),
            (self.has(Reason.SYN_UNANSWERED), TIMEOUT, self.last),
        ]
        return self.decide(self.tcp & ((syn >= 0) | (syn_ack >= 0)), began, steps)

    def tls_handshake(self, hello: I32, answer: I32) -> Steps:
        """Say how TLS handshakes ended that begin with *hello* and are answered by *answer* (rows in Tls)."""
        trace, tls = self.trace, self.trace.tls
        began = np.append(tls.packet, -1)[hello]
        hello_end = np.where(answer >= 0, np.append(tls.last_packet, -1)[answer], len(trace.packets))
        client, server, flow = (
            self.carries & trace.packets.outbound,
            self.carries & ~trace.packets.outbound,
            trace.packets.flow,
        )
        row = np.arange(len(flow))
        finished = _where(client & (row > np.append(hello_end, 0)[flow]), flow, self.count)
        number = np.append(trace.packets.relative_seq, NEVER)[finished]
        accepted = _where(server & (trace.packets.relative_ack > np.append(number, NEVER)[flow]), flow, self.count)
        alert = _where((tls.alert > 0) & (tls.packet >= np.append(began, 0)[tls.flow]), tls.flow, self.count)
        alert_code = np.append(tls.alert & 0xFF, 0)[alert]
        alert_failure = np.select([alert_code == number for number in ALERTS], list(ALERTS.values()), ALERT)
        success = accepted >= 0
        ends = [np.append(tls.packet, -1)[alert], self.reset, self.closed]
        ends = [np.where((end < 0) | (end < began), len(trace.packets), end) for end in ends]
        first = np.minimum.reduce([*ends, np.full(self.count, len(trace.packets))])
        over = first < len(trace.packets)
        at = self.time[np.where(over, first, -1)]
        steps: list[Step] = [(success, NONE, self.time[finished])]
        codes: tuple[Any, ...] = (alert_failure, RESET, CLOSED)
        steps += [(over & (first == end), code, at) for end, code in zip(ends, codes, strict=True)]
        steps.append((self.silent(), TIMEOUT, self.last))
        return self.decide(hello >= 0, self.time[began], steps)

    def quic_handshake(self, quic: I32) -> Steps:
        """Say how QUIC handshakes ended: short headers are for keys that it makes (RFC 9000 §17.3, RFC 9001 §5.7)."""
        trace, packets = self.trace, self.trace.packets
        began = np.append(trace.quic.packet, -1)[quic]
        mine = np.flatnonzero(self.carries & packets.outbound & (np.append(quic, -1)[packets.flow] >= 0))
        mine = mine[packets.payload_captured[mine] > 0]
        short = mine[trace.buffer[packets.payload_start[mine]] & 0x80 == 0]
        through = np.full(self.count, -1)
        through[packets.flow[short][::-1]] = short[::-1]
        answered = trace.sides.packets[1::2] > 0
        steps = [
            ((through >= 0) & answered, NONE, self.time[through]),
            *self.unreachable(),
            (~answered & self.waited & ~self.has(Reason.ONE_DIRECTION), TIMEOUT, self.last),
        ]
        return self.decide(quic >= 0, self.time[began], steps)

    def ending(self) -> Steps:
        """Say how reading from servers ended (TCP), in the order of time."""
        reset, closed = self.time[self.reset], self.time[self.closed]
        steps = [
            ((self.reset >= 0) & (reset <= closed), RESET, reset),
            (self.closed >= 0, CLOSED, closed),
            (self.silent(), TIMEOUT, self.last),
        ]
        opened = self.trace.sides.payload_packets.reshape(-1, 2).sum(axis=1) > 0
        return self.decide(self.tcp & opened, self.trace.flows.first, steps)

    def silent(self) -> Mask:
        """Say which servers were waited for in vain after the connection had opened."""
        return np.asarray(self.has(Reason.REQUEST_UNANSWERED | Reason.STALLED) & self.stayed)

    def unreachable(self) -> list[Step]:
        """Say about which flows ICMP reported that they cannot arrive (RFC 792, RFC 4443 §3.1)."""
        quotes, packets = self.trace.quotes, self.trace.packets
        kind, code = packets.icmp[quotes.packet] >> 8, packets.icmp[quotes.packet] & 0xFF
        six = packets.version[quotes.packet] == 6
        about = np.where(six, kind == 1, kind == 3) & (quotes.flow >= 0) & quotes.outbound
        port = np.where(six, code == 4, code == 3)
        network = code == 0  # no route (IPv6), net unreachable (IPv4)
        silent = self.trace.sides.packets[1::2] == 0
        steps: list[Step] = []
        for which, failure in ((port, REFUSED), (network, NO_NETWORK), (~port & ~network, NO_HOST)):
            at = _where(about & which, quotes.flow, self.count)
            steps.append(((at >= 0) & silent, failure, self.time[np.append(quotes.packet, -1)[at]]))
        return steps

    def decide(self, tried: Mask, begin: I64, steps: list[Step]) -> Steps:
        """Take for every flow the first step that applies."""
        which = [step[0] for step in steps]
        failure = np.select(which, [np.broadcast_to(step[1], self.count) for step in steps], UNKNOWN)
        end = np.select(which, [step[2] for step in steps], self.last)
        known = end < NEVER
        failure = np.where(tried & known, failure, UNKNOWN).astype(np.int8)
        return Steps(begin, np.where(known, end, self.last), failure, tried)


def _where(mask: Mask, flow: NDArray[np.integer], count: int) -> I32:
    """Find the first row of each flow that *mask* holds for, -1 for none."""
    rows = np.flatnonzero(mask)
    return np.append(rows, -1)[first_of(flow[rows], count)].astype(np.int32)


def _either(first: Steps, second: Steps) -> Steps:
    """Join operations of two kinds; no flow has both."""
    return Steps(
        begin=np.where(first.tried, first.begin, second.begin),
        end=np.where(first.tried, first.end, second.end),
        failure=np.where(first.tried, first.failure, second.failure),
        tried=first.tried | second.tried,
    )
