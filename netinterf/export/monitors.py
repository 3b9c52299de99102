"""Findings as other monitors write theirs, so that whatever reads those reads these beside them.

Suricata's alerts (EVE), Zeek's notices and the field names of Elastic (ECS). Each finding is one record; conversations
have the Community ID by which the same conversation is found in the monitors' own logs. What was not found is no alert,
so there is none for it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from ipaddress import ip_address
from itertools import chain
from typing import Any, TypeVar
from zlib import crc32

from netinterf.engine.judged import Judged
from netinterf.engine.scan import Result, captures_of
from netinterf.errors import CaptureError
from netinterf.schema import Grade
from netinterf.version import __version__
from netinterf.writing import TextTarget, dump, readable, write_lines
from netinterf.written.format import verdict_line
from netinterf.written.record import Verdict, iso_time

__all__ = ["MONITORS", "ecs", "ecs_event", "eve", "eve_event", "zeek", "zeek_notice"]

Line = TypeVar("Line")

SEVERITY = {Grade.CONFIRMED: 1, Grade.LIKELY: 2, Grade.POSSIBLE: 3}
"""Suricata's priorities, the highest first."""

LOCAL_RULES = 1_000_000
"""Signature identifiers from here on, as many, are for rules of one's own (sidallocation.org)."""

ECS_VERSION = "8.11.0"
"""The version of the schema whose names are used; they have not changed since."""

ZEEK_FIELDS = {
    "ts": "time", "uid": "string", "id.orig_h": "addr", "id.orig_p": "port", "id.resp_h": "addr", "id.resp_p": "port",
    "proto": "enum", "note": "enum", "msg": "string", "sub": "string", "src": "addr", "dst": "addr", "p": "port",
    "n": "count", "peer_descr": "string", "actions": "set[enum]", "suppress_for": "interval", "community_id": "string",
}  # fmt: skip
"""Fields of Zeek's notice.log, and the one that its package for Community IDs adds."""


def ip_only(text: str | None) -> str | None:
    """Give an address as it is, and nothing in place of what stands for one that was taken out: fields have types."""
    try:
        return None if text is None else str(ip_address(text))
    except ValueError:
        return None


def eve_event(verdict: Verdict) -> dict[str, Any]:
    """Write a finding as an alert of Suricata's EVE output; the whole verdict stands under ``netinterf``."""
    subject, mechanism = verdict.subject, verdict.mechanism or ""
    event = {
        "timestamp": f"{(iso_time(verdict.start) or '')[:26]}+0000",
        "event_type": "alert",
        "pcap_filename": verdict.capture,
        "pcap_cnt": verdict.frames[0] if verdict.frames else subject.first_frame,
        "src_ip": ip_only(subject.client),
        "src_port": subject.client_port,
        "dest_ip": ip_only(subject.server),
        "dest_port": subject.server_port,
        "proto": subject.protocol.upper() if subject.protocol else None,
        "community_id": verdict.community_id,
        "alert": {
            "action": "allowed",
            "gid": 1,
            "signature_id": signature_id(mechanism),
            "rev": 1,
            "signature": f"netinterf {mechanism} ({verdict.grade.value})",
            "category": "Interference on the path",
            "severity": SEVERITY[verdict.grade],
        },
        "netinterf": verdict_line(verdict),
    }
    return known(event)


def signature_id(mechanism: str) -> int:
    """Number a mechanism, the same in every version and whatever others there are."""
    return LOCAL_RULES + crc32(mechanism.encode()) % LOCAL_RULES


def ecs_event(verdict: Verdict) -> dict[str, Any]:
    """Write a finding under the names of the Elastic Common Schema; the whole verdict stands under ``netinterf``."""
    subject, mechanism = verdict.subject, verdict.mechanism or ""
    return known(
        {
            "@timestamp": iso_time(verdict.start),
            "ecs": {"version": ECS_VERSION},
            "message": verdict.explanation,
            "event": {
                "kind": "alert",
                "category": ["network"],
                "type": ["info"],
                "module": "netinterf",
                "dataset": "netinterf.finding",
                "action": mechanism,
                "severity": SEVERITY[verdict.grade],
                "risk_score": round(100 * verdict.probability, 2),
                "start": iso_time(verdict.start),
                "end": iso_time(verdict.end),
                "reason": verdict.explanation,
            },
            "rule": {"ruleset": "netinterf", "name": mechanism, "version": __version__},
            "source": {"address": subject.client, "ip": ip_only(subject.client), "port": subject.client_port},
            "destination": {
                "address": subject.server,
                "ip": ip_only(subject.server),
                "port": subject.server_port,
                "domain": subject.name if subject.kind == "flow" else None,
            },
            "network": {
                "transport": subject.protocol,
                "type": f"ipv{verdict.ip_version}" if subject.client or subject.server else None,
                "community_id": verdict.community_id,
            },
            "dns": {"question": {"name": subject.name if subject.kind == "exchange" else None}},
            "log": {"file": {"path": verdict.capture}},
            "netinterf": verdict_line(verdict),
        }
    )


def zeek_notice(verdict: Verdict) -> str:
    """Write a finding as a line of Zeek's notice.log, in the order of `ZEEK_FIELDS`."""
    subject, mechanism = verdict.subject, verdict.mechanism or ""
    client, server = ip_only(subject.client), ip_only(subject.server)
    whole, part = divmod(verdict.start, 10**9)
    words = "_".join(word.capitalize() for word in mechanism.split("."))
    values = (
        f"{whole}.{part // 1000:06}", None, client, subject.client_port, server, subject.server_port,
        subject.protocol, f"NetInterf::{words}", verdict.explanation,
        " ".join((verdict.grade.value, f"{verdict.probability:.4f}", *(sign.rule for sign in verdict.evidence))),
        client, server, subject.server_port,
        1 if verdict.group is None else verdict.group.affected, "netinterf", "Notice::ACTION_LOG", "0.000000",
        verdict.community_id,
    )  # fmt: skip
    return "\t".join(map(zeek_value, values))


def zeek_value(value: object) -> str:
    """Write a value of Zeek's ASCII logs: ``-`` where there is none."""
    if value is None:
        return "-"
    text = readable(str(value)).replace("\\", "\\\\")
    return {"": "(empty)", "-": "\\x2d", "(empty)": "\\x28empty)"}.get(text, text)


def known(event: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is unknown, and objects that nothing is left of; the verdict itself keeps all its keys."""
    if event.get("type") == "verdict":
        return event
    left = {key: known(inner) if isinstance(inner, dict) else inner for key, inner in event.items()}
    return {key: inner for key, inner in left.items() if inner is not None and inner != {}}


def eve_error(error: CaptureError) -> dict[str, Any]:
    """Write what could not be read as an event of the engine, as Suricata does of its own troubles."""
    engine = {"error": error.code, "message": error.message}
    return {"event_type": "engine", "pcap_filename": error.source, "engine": engine}


def ecs_error(error: CaptureError) -> dict[str, Any]:
    """Write what could not be read as an error on the way to the data."""
    return {
        "ecs": {"version": ECS_VERSION},
        "message": str(error),
        "event": {"kind": "pipeline_error", "module": "netinterf", "dataset": "netinterf.finding"},
        "error": {"code": error.code, "message": error.message},
        "log": {"file": {"path": error.source}},
    }


def zeek_error(error: CaptureError) -> str:
    """Write what could not be read as a notice that is about no conversation."""
    known = {"note": "NetInterf::Unread_Capture", "msg": str(error), "sub": error.code, "peer_descr": "netinterf"}
    values = (known.get(field) for field in ZEEK_FIELDS)
    return "\t".join(map(zeek_value, values))


def eve(result: Result | Iterable[Judged], target: TextTarget, *, errors: Sequence[CaptureError] = ()) -> None:
    """Write all findings as lines of ``eve.json`` (Suricata), and last what could not be read.

    Args:
        result: A scan's result, or the captures of one.
        target: A path (replaced when the file is whole) or a text file object.
        errors: What could not be read, where *result* does not know; it may grow while captures come.

    Raises:
        ParameterError: The target is one of the captures.
        OSError: The target cannot be written.
    """
    write_lines(target, map(dump, told(result, target, errors, eve_event, eve_error)))


def ecs(result: Result | Iterable[Judged], target: TextTarget, *, errors: Sequence[CaptureError] = ()) -> None:
    """Write all findings as JSON lines with the field names of Elastic; otherwise as `eve`."""
    write_lines(target, map(dump, told(result, target, errors, ecs_event, ecs_error)))


def zeek(result: Result | Iterable[Judged], target: TextTarget, *, errors: Sequence[CaptureError] = ()) -> None:
    """Write all findings as a ``notice.log`` (Zeek), with its header; otherwise as `eve`."""
    header = ("#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", "#path\tnotice")
    fields = ("\t".join(("#fields", *ZEEK_FIELDS)), "\t".join(("#types", *ZEEK_FIELDS.values())))
    write_lines(target, chain(header, fields, told(result, target, errors, zeek_notice, zeek_error)))


def told(
    result: Result | Iterable[Judged],
    target: TextTarget,
    errors: Sequence[CaptureError],
    finding: Callable[[Verdict], Line],
    problem: Callable[[CaptureError], Line],
) -> Iterator[Line]:
    """Walk the findings of captures, then what could not be read."""
    for judged in captures_of(result, target):
        yield from map(finding, judged.ledger.findings())
    yield from map(problem, result.errors if isinstance(result, Result) else errors)


MONITORS = {"eve": eve, "zeek": zeek, "ecs": ecs}
"""What writes findings for each monitor."""
