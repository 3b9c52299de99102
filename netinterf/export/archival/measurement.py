"""One visit as one measurement: its operations in the format's own keys, and what we hold of it beside them.

Whatever the capture does not show with its end is left out of the operations and listed as unseen, because the format
has no word for it: a failure that is null says that the operation worked.

Source: github.com/ooni/spec df-000 (envelope, values of what is not shared), ts-027 (urlgetter).
"""

import base64
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netinterf.engine.judged import Judged
from netinterf.errors import CaptureError
from netinterf.export.archival.events import Events, connection_events, find_events
from netinterf.export.archival.lookups import lookup, replies
from netinterf.export.archival.outcomes import Outcomes, Steps, find_outcomes
from netinterf.export.archival.pages import find_heads, page_requests
from netinterf.export.archival.suites import suite_name, version_name
from netinterf.export.archival.visits import Visits, find_visits
from netinterf.schema import SubjectKind
from netinterf.table import Ragged
from netinterf.trace import Trace
from netinterf.values import frozen
from netinterf.verdict.subjects import Subjects
from netinterf.version import __version__
from netinterf.written.format import verdict_line

__all__ = ["NOTE", "CaptureView", "failed", "measurement", "view_capture"]

NOTE = "made from packets that somebody captured, not by a probe: for local use, not for submission to OONI"
"""Said in the annotations of every measurement."""

TEST_NAME, TEST_VERSION = "urlgetter", "0.2.0"
"""The experiment whose keys these are, and its version that has them all."""

TCP = 6
SECOND = 1_000_000_000
Operation = dict[str, Any]


@frozen(eq=False, kw_only=True)
class CaptureView:
    """What a capture shows, ready to be written visit by visit."""

    judged: Judged
    trace: Trace
    visits: Visits
    outcomes: Outcomes
    events: Events
    heads: Ragged  # rows in Http of each connection
    groups: Ragged  # groups that each subject is a member of

    @property
    def subjects(self) -> Subjects:
        """Who was judged."""
        return self.judged.ledger.subjects


def view_capture(judged: Judged, trace: Trace) -> CaptureView:
    """Find out all that the measurements of a capture are made of.

    Args:
        judged: The capture, judged.
        trace: Its packets.
    """
    subjects, members = judged.ledger.subjects, judged.ledger.groups.subjects
    order = np.argsort(members.values, kind="stable")
    return CaptureView(
        judged=judged,
        trace=trace,
        visits=find_visits(trace, subjects),
        outcomes=find_outcomes(trace, subjects),
        events=find_events(trace),
        heads=find_heads(trace),
        groups=Ragged.from_lengths(np.bincount(members.values, minlength=len(subjects)), members.parents()[order]),
    )


@frozen(kw_only=True)
class Part:
    """What one conversation or exchange adds to a measurement; times are ns since 1970 UTC."""

    queries: tuple[Operation, ...] = ()
    late: tuple[Operation, ...] = ()  # answers behind the first
    connects: tuple[Operation, ...] = ()
    handshakes: tuple[Operation, ...] = ()
    requests: tuple[Operation, ...] = ()
    events: tuple[Operation, ...] = ()
    unseen: tuple[str, ...] = ()  # operations without a known end
    left_out: int = 0  # events


def measurement(view: CaptureView, visit: int) -> dict[str, Any]:
    """Write one visit as a measurement.

    Args:
        view: What the capture shows.
        visit: Row in ``view.visits.subjects``.

    Returns:
        The object of one line: finite numbers, text, lists and mappings.
    """
    subjects = view.subjects
    rows = view.visits.subjects[visit]
    begin = int(subjects.start[rows].min()) // SECOND * SECOND  # dates have whole seconds, and t counts from there
    exchange = (subjects.kind[rows] == SubjectKind.EXCHANGE).tolist()
    parts = [
        _lookup_part(view, row) if asks else _connection_part(view, row)
        for row, asks in zip(rows.tolist(), exchange, strict=True)
    ]
    keys: dict[str, Any] = {
        "agent": None,  # whether redirects were followed, packets do not say
        **_failure(parts),
        "network_events": _gather([part.events for part in parts], begin),
        "queries": _gather([part.queries for part in parts], begin),
        "requests": _gather([part.requests for part in parts], begin),
        "socksproxy": None,
        "tcp_connect": _gather([part.connects for part in parts], begin),
        "tls_handshakes": _gather([part.handshakes for part in parts], begin),
        "x_dns_late_replies": _gather([part.late for part in parts], begin),
        "x_netinterf": _findings(view, rows, parts),
    }
    runtime = max(int(subjects.end[rows].max()) - begin, 0) / SECOND
    first = view.judged.summary.first
    began = begin if first is None else min(first, begin)
    return _envelope(begin, runtime, _input(view, rows), began) | {"test_keys": keys}


def failed(error: CaptureError) -> dict[str, Any]:
    """Write a capture that could not be read as a measurement that failed, of no known time (1970).

    Args:
        error: Which, and why.
    """
    empty = ("network_events", "queries", "requests", "tcp_connect", "tls_handshakes", "x_dns_late_replies")
    keys: dict[str, Any] = {key: [] for key in empty}
    keys |= {"failure": f"unknown_failure: {error.message}", "failed_operation": None}
    keys |= {"agent": None, "socksproxy": None}
    found = {"schema": 1, "capture": error.source, "client": None, "events_left_out": 0}
    keys["x_netinterf"] = found | {key: [] for key in ("verdicts", "groups", "unseen", "named_by_answer")}
    return _envelope(0, 0.0, None, 0) | {"test_keys": keys}


def _gather(parts: Iterable[tuple[Operation, ...]], begin: int) -> list[Operation]:
    """List operations of all parts, each with its number and with times in seconds since the measurement began."""
    return [
        operation
        | {key: None if operation[key] is None else (operation[key] - begin) / SECOND for key in ("t0", "t")}
        | {"transaction_id": number}
        for number, operations in enumerate(parts, start=1)
        for operation in operations
    ]


def _findings(view: CaptureView, rows: NDArray[np.integer[Any]], parts: list[Part]) -> dict[str, Any]:
    """Write what we hold of a visit, and what of it is not in the operations."""
    ledger = view.judged.ledger
    numbered = list(enumerate(rows.tolist(), start=1))
    groups = np.unique(view.groups.take(rows).values)
    return {
        "schema": 1,
        "capture": ledger.capture,
        "client": view.trace.address(int(view.subjects.client[rows[0]])),
        "verdicts": [{"transaction_id": number, **verdict_line(ledger[row])} for number, row in numbered],
        "groups": [verdict_line(ledger[len(ledger.verdicts) + int(group)]) for group in groups],
        "unseen": [
            {"transaction_id": number, "operation": operation}
            for number, part in enumerate(parts, start=1)
            for operation in part.unseen
        ],
        "events_left_out": sum(part.left_out for part in parts),
        "named_by_answer": [number for number, row in numbered if view.visits.naming_exchange[row] >= 0],
    }


def _envelope(begin: int, runtime: float, about: str | None, test_begin: int) -> dict[str, Any]:
    """Write what every measurement begins with; the probe is said to be unknown by the format's own values."""
    return {
        "annotations": {"engine_name": "netinterf", "engine_version": __version__, "origin": "capture", "note": NOTE},
        "data_format_version": "0.2.0",
        "extensions": {"dnst": 0, "httpt": 0, "netevents": 0, "tcpconnect": 0, "tlshandshake": 0},
        "input": about,
        "measurement_start_time": _date(begin),
        "options": [],
        "probe_asn": "AS0",
        "probe_cc": "ZZ",
        "probe_ip": "127.0.0.1",
        "probe_network_name": "",
        "report_id": "",
        "resolver_asn": "AS0",
        "resolver_ip": "127.0.0.2",
        "resolver_network_name": "",
        "software_name": "netinterf",
        "software_version": __version__,
        "test_name": TEST_NAME,
        "test_runtime": runtime,
        "test_start_time": _date(test_begin),
        "test_version": TEST_VERSION,
    }


def _lookup_part(view: CaptureView, row: int) -> Part:
    """Write a DNS exchange."""
    exchange = int(view.subjects.subject[row])
    query = lookup(view.trace, exchange, int(view.subjects.reasons[row]), view.outcomes.ending)
    if query is None:
        return Part(unseen=("resolve",))
    return Part(queries=(query,), late=tuple(replies(view.trace, exchange)))


def _connection_part(view: CaptureView, row: int) -> Part:
    """Write a connection, or a conversation over UDP: its opening, its handshake, its requests, its events."""
    trace, outcomes, flow = view.trace, view.outcomes, int(view.subjects.subject[row])
    host, port = trace.address(int(trace.flows.server[flow])), int(trace.flows.server_port[flow])
    address, tcp = _end(host, port), bool(trace.flows.protocol[flow] == TCP)
    connect, handshake = outcomes.connect, outcomes.handshake
    connect_known, handshake_known = bool(connect.known[flow]), bool(handshake.known[flow])
    unseen = ["connect"] * (tcp and not connect_known)
    if handshake.tried[flow] and not handshake_known:
        unseen.append("tls_handshake" if tcp else "quic_handshake")
    requests, unanswered = page_requests(trace, outcomes, view.heads, flow, address)
    unseen += ["http_round_trip"] * unanswered
    return Part(
        connects=(_connect(connect, flow, host, port),) if connect_known else (),
        handshakes=(_handshake(view, flow, address),) if handshake_known else (),
        requests=tuple(requests),
        events=tuple(connection_events(trace, outcomes, view.events, flow, address)),
        unseen=tuple(unseen),
        left_out=int(view.events.left_out[flow]),
    )


def _connect(connect: Steps, flow: int, host: str, port: int) -> Operation:
    """Write the opening of a TCP connection with a known end."""
    failure = connect.failed(flow)
    status = {"failure": failure, "success": failure is None}
    return {"ip": host, "port": port, "status": status, "t0": connect.began(flow), "t": int(connect.end[flow])}


def _handshake(view: CaptureView, flow: int, address: str) -> Operation:
    """Write a handshake with a known end; what the packets do not show of it is null."""
    trace, outcomes, tls = view.trace, view.outcomes, view.trace.tls
    rows = (outcomes.hello, outcomes.answer, outcomes.leaf, outcomes.quic)
    hello, answer, leaf, quic = (int(column[flow]) for column in rows)
    suite = version = alpn = None
    if answer >= 0:
        suite, version = suite_name(int(tls.cipher[answer])), version_name(int(tls.version[answer]))
        alpn = tls.alpn[answer] or (None if version == "TLSv1.3" else "")  # which hides it (RFC 8446 §4.3.1)
    ders = [tls.certificates.bytes(leaf)] if leaf >= 0 else []
    return {
        "address": address,
        "cipher_suite": suite,
        "failure": outcomes.handshake.failed(flow),
        "negotiated_protocol": alpn,
        "network": "tcp" if hello >= 0 else "udp",
        "no_tls_verify": None,
        "peer_certificates": [{"data": base64.b64encode(der).decode("ascii"), "format": "base64"} for der in ders],
        "server_name": (tls.name[hello] if hello >= 0 else trace.quic.name[quic]) or None,
        "t0": outcomes.handshake.began(flow),
        "t": int(outcomes.handshake.end[flow]),
        "tags": [],
        "tls_version": version,
    }


def _failure(parts: list[Part]) -> dict[str, str | None]:
    """Say how a visit failed: by the last kind of operation that was tried, unless one of that kind worked.

    Nothing is said where no operation has a known end.
    """
    handshakes = [handshake for part in parts for handshake in part.handshakes]
    ended: dict[str, list[str | None]] = {  # by the names of urlgetter, in the order in which a fetch needs them
        "resolve": [query["failure"] for part in parts for query in part.queries],
        "connect": [connect["status"]["failure"] for part in parts for connect in part.connects],
        "tls_handshake": [handshake["failure"] for handshake in handshakes if handshake["network"] == "tcp"],
        "quic_handshake": [handshake["failure"] for handshake in handshakes if handshake["network"] == "udp"],
        "http_round_trip": [request["failure"] for part in parts for request in part.requests],
    }
    for operation, failures in reversed(ended.items()):
        if failures:
            failed = None not in failures
            return {"failure": failures[0] if failed else None, "failed_operation": operation if failed else None}
    return {}


def _input(view: CaptureView, rows: NDArray[np.integer[Any]]) -> str:
    """Say what a visit was about, in the manner of the inputs that urlgetter takes."""
    subjects, outcomes, trace = view.subjects, view.outcomes, view.trace
    flows = rows[subjects.kind[rows] == SubjectKind.FLOW]
    named = [row for row in rows.tolist() if subjects.name.lengths[row]]
    flow = subjects.subject[flows].astype(np.int64)
    for scheme, usual, which in (
        ("https", 443, outcomes.handshake.tried[flow]),
        ("http", 80, view.heads.lengths[flow] > 0),
        ("tcpconnect", 0, trace.flows.protocol[flow] == TCP),
        ("udp", 0, np.ones(len(flow), np.bool_)),
    ):
        if which.any():
            row = int(flows[which][0])
            host = subjects.name[named[0]] if named else trace.address(int(subjects.server[row]))
            port = int(subjects.port[row])
            end = _end(host, port) if port != usual else f"[{host}]" if ":" in host else host
            return f"{scheme}://{end}{'/' if usual else ''}"
    return f"dnslookup://{subjects.name[named[0]] if named else '.'}"


def _end(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _date(time: int) -> str:
    """Write ns since 1970 UTC as the format does, in whole seconds."""
    return str(np.datetime64(time // SECOND, "s")).replace("T", " ")
