"""DNS exchanges as lookups: the question, the answer that arrived first, and those that came after it.

A client takes the first answer to its question, so that is what a lookup got; further ones, which are the sign of an
injector, are told apart as OONI's web tests do (``x_dns_late_replies``).

Source: github.com/ooni/spec df-002 and df-007; ts-017 for late replies.
"""

import base64
from typing import Any

import numpy as np

from netinterf.export.archival.outcomes import Steps
from netinterf.schema import ParseError
from netinterf.trace import Trace, host_text
from netinterf.verdict.reasons import Reason
from netinterf.written.parts import QUERY_TYPES

__all__ = ["lookup", "record_type", "replies"]

A, AAAA = 1, 28  # RR types (RFC 1035 §3.2.2, RFC 3596 §2.1)
SIZES = {A: 4, AAAA: 16}
ANY = 255  # a question for all types (RFC 1035 §3.2.3)
TRUNCATED = 0x0200  # the TC bit (RFC 1035 §4.1.1)
TCP = 6
ANSWER = 1  # section of `Answers`

RCODES = {2: "dns_servfail_error", 3: "dns_nxdomain_error", 5: "dns_refused_error"}
"""Failures by response code (RFC 1035 §4.1.1); others are ``dns_server_misbehaving``."""

Operation = dict[str, Any]


def lookup(trace: Trace, exchange: int, reasons: int, ending: Steps) -> Operation | None:
    """Write one exchange as a lookup; None when the capture does not show how it ended.

    Args:
        trace: The capture.
        exchange: Row in Exchanges.
        reasons: Reason bits of the exchange: whether an answer was waited for.
        ending: How reading from servers ended, by row in Flows: a lookup over TCP shares the end of its connection.

    Returns:
        An object of ``queries`` with times in ns since 1970 UTC.
    """
    first = next((reply for row in trace.exchanges.replies[exchange] if (reply := _reply(trace, exchange, row))), None)
    if first is not None:
        return first
    if not len(trace.exchanges.queries[exchange]):
        return None
    flow, last = int(trace.exchanges.flow[exchange]), _last(trace, exchange)
    if ending.known[flow] and ending.end[flow] >= last:
        return _query(trace, exchange) | {"failure": ending.failed(flow), "t": int(ending.end[flow])}
    if reasons & Reason.ONE_DIRECTION:
        return None
    for reason, failure in ((Reason.UNREACHABLE, "host_unreachable"), (Reason.DNS_UNANSWERED, "generic_timeout_error")):
        if reasons & reason:
            return _query(trace, exchange) | {"failure": failure, "t": last}
    return None


def replies(trace: Trace, exchange: int) -> list[Operation]:
    """Write all answers but the first to one question, in order of time."""
    every = [_reply(trace, exchange, row) for row in trace.exchanges.replies[exchange]]
    return [reply for reply in every if reply is not None][1:]


def record_type(code: int) -> str:
    """Name a record type; unknown ones as RFC 3597 §5 says."""
    return QUERY_TYPES.get(code, f"TYPE{code}")


def _query(trace: Trace, exchange: int) -> Operation:
    """Write the question."""
    exchanges, flow = trace.exchanges, int(trace.exchanges.flow[exchange])
    queries = exchanges.queries[exchange]
    host, port = trace.address(int(trace.flows.server[flow])), int(trace.flows.server_port[flow])
    return {
        "answers": None,
        "engine": "tcp" if trace.flows.protocol[flow] == TCP else "udp",
        "failure": None,
        "hostname": exchanges.name[exchange] or ".",
        "query_type": record_type(int(exchanges.kind[exchange])),
        "raw_response": None,
        "rcode": None,
        "resolver_address": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "t0": int(trace.packets.time[trace.dns.packet[queries[0]]]) if len(queries) else None,
    }


def _reply(trace: Trace, exchange: int, row: int) -> Operation | None:
    """Write one answer; None when so little of it was captured that it cannot be told whether it failed."""
    dns = trace.dns
    error, code = ParseError(int(dns.error[row])), int(dns.flags[row]) & 0xF
    cut = error is ParseError.CUT
    if cut and not dns.questions[row]:
        return None
    answers, kind = _answers(trace, row), int(trace.exchanges.kind[exchange])
    wanted = record_type(kind)
    if code:
        failure = RCODES.get(code, "dns_server_misbehaving")
    elif error not in {ParseError.NONE, ParseError.TRAILING, ParseError.CUT}:
        failure = "dns_server_misbehaving"
    elif any(answer["answer_type"] == wanted or kind in {0, ANY} for answer in answers):
        failure = None
    elif cut or dns.flags[row] & TRUNCATED:  # the rest was not captured, or is asked for over TCP
        return None
    else:
        failure = "dns_no_answer"
    at, length = int(dns.at[row]), int(dns.length[row])
    raw = None if at < 0 or cut else base64.b64encode(trace.buffer[at : at + length].tobytes()).decode("ascii")
    return _query(trace, exchange) | {
        "answers": answers or None,
        "failure": failure,
        "raw_response": raw,
        "rcode": code,
        "t": int(trace.packets.time[dns.packet[row]]),
    }


def _answers(trace: Trace, row: int) -> list[Operation]:
    """List the records in the answer section of one message."""
    table = trace.answers
    begin, end = np.searchsorted(table.message, [row, row + 1])
    return [_record(trace, place) for place in range(int(begin), int(end)) if table.section[place] == ANSWER]


def _record(trace: Trace, place: int) -> Operation:
    """Write one resource record: an address or a name, where it has one."""
    table, kind = trace.answers, int(trace.answers.kind[place])
    record: Operation = {"answer_type": record_type(kind), "ttl": int(table.ttl[place])}
    if kind in SIZES and table.length[place] == SIZES[kind]:
        record["ipv4" if kind == A else "ipv6"] = host_text(int(table.high[place]), int(table.low[place]))
    if name := table.target[place]:
        record["hostname"] = name
    return record


def _last(trace: Trace, exchange: int) -> int:
    """Give the time of the last query: until then at least nothing was answered."""
    return int(trace.packets.time[trace.dns.packet[trace.exchanges.queries[exchange]]].max())
