"""Every key and type of the verdict format, on every line that is printed."""

import json
import math
import re
from pathlib import Path
from typing import Any

import attrs
import pytest

from netinterf import simulate
from netinterf.capture import write_pcap
from netinterf.engine.scan import scan
from netinterf.export.jsonl import jsonl
from netinterf.report.lines import WIDTH
from netinterf.report.several import text
from netinterf.schema import Diagnostic
from netinterf.written import format as written
from netinterf.written.format import verdict_line

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")
MECHANISM = re.compile(r"(tcp|http|tls|dns|quic|udp|rate|protocol|reach)(\.[a-z]+)*")

number = (int, float)
null = type(None)
CAPTURE = {
    "type": str, "schema": int, "capture": str, "packets": int, "flows": int, "exchanges": int, "outcomes": dict,
    "first": (str, null), "last": (str, null), "bytes": int, "vantage": str, "link_types": list, "diagnostics": list,
    "version": str, "model": str,
}  # fmt: skip
DIAGNOSTIC = {"code": str, "message": str, "offset": (int, null), "count": int}
VERDICT = {
    "type": str,
    "schema": int,
    "capture": str,
    "subject": dict,
    "outcome": str,
    "grade": str,
    "mechanism": (str, null),
    "probability": number,
    "also": list,
    "q_value": number,
    "evidence": list,
    "reasons": list,
    "frames": list,
    "trigger": (dict, null),
    "selective": (bool, null),
    "group": (dict, null),
    "attribution": list,
    "start": str,
    "end": str,
    "explanation": str,
    "anomaly": (*number, null),
    "community_id": (str, null),
    "ja4": (str, null),
}
ANOMALY = {
    "type": str,
    "schema": int,
    "capture": str,
    "subject": dict,
    "anomaly": number,
    "facts": list,
    "start": str,
    "end": str,
}
ODD_FACT = {"fact": str, "says": str, "given": (str, null), "ordinary": number, "alike": int, "peers": int}  # fmt: skip
SUBJECT = {
    "kind": str, "protocol": (str, null), "client": (str, null), "client_port": (int, null), "server": (str, null),
    "server_port": (int, null), "name": (str, null), "first_frame": (int, null), "query_type": (str, null),
    "query_id": (int, null), "by": (str, null),
}  # fmt: skip
EVIDENCE = {"rule": str, "says": str, "llr": number, "frames": list, "measured": dict, "was": (str, null)}
REASON = {"code": str, "says": str}
ALSO = {"mechanism": str, "probability": number}
TRIGGER = {"kind": str, "value": str, "frame": (int, null)}
TRIGGERS = {"tls.sni", "tls.ech", "http.host", "http.url", "dns.qname", "quic.sni", "bytes.class", "address", "port"}


def has(document: dict[str, Any], keys: dict[str, Any]) -> None:
    """Check that an object has exactly these keys, with values of these types."""
    assert set(keys) == set(document)
    for key, kinds in keys.items():
        assert isinstance(document[key], kinds), (key, document[key])
        assert not (isinstance(document[key], bool) and kinds in (int, number)), key


def check_capture(line: dict[str, Any]) -> None:
    """Check a capture's own line."""
    has(line, CAPTURE)
    assert (line["type"], line["schema"]) == ("capture", 1)
    assert set(line["outcomes"]) == {"ok", "down", "interfered", "insufficient"}
    assert line["vantage"] in {"client", "server", "middle", "unknown"}
    assert all(isinstance(kind, int) for kind in line["link_types"])
    for note in line["diagnostics"]:
        has(note, DIAGNOSTIC)
    for key in ("first", "last"):
        assert line[key] is None or TIME.fullmatch(line[key])


def check_verdict(line: dict[str, Any]) -> None:
    """Check one verdict's line."""
    has(line, VERDICT)
    has(line["subject"], SUBJECT)
    assert (line["type"], line["schema"]) == ("verdict", 1)
    assert line["subject"]["kind"] in {"flow", "exchange", "group"}
    assert line["subject"]["protocol"] in {"tcp", "udp", "icmp", None}
    assert line["outcome"] in {"ok", "down", "interfered", "insufficient"}
    assert line["grade"] in {"confirmed", "likely", "possible", "none", "insufficient"}
    assert (line["outcome"] == "interfered") == (line["grade"] in {"likely", "confirmed"})
    assert (line["mechanism"] is not None) == (line["grade"] in {"possible", "likely", "confirmed"})
    assert line["mechanism"] is None or MECHANISM.fullmatch(line["mechanism"])
    assert 0 <= line["probability"] <= 1
    assert (line["probability"] >= 0.9) == (line["outcome"] == "interfered")
    assert 0 <= line["q_value"] <= 1
    assert line["anomaly"] is None or 0 <= line["anomaly"] <= 1
    assert TIME.fullmatch(line["start"])
    assert TIME.fullmatch(line["end"])
    assert line["start"] <= line["end"]
    assert bool(line["reasons"]) == (line["outcome"] in {"down", "insufficient"})
    weights = [abs(seen["llr"]) for seen in line["evidence"]]
    assert weights == sorted(weights, reverse=True)
    for keys, entries in ((EVIDENCE, line["evidence"]), (REASON, line["reasons"]), (ALSO, line["also"])):
        for entry in entries:
            has(entry, keys)
    for seen in line["evidence"]:
        assert all(isinstance(value, (int, float, null)) for value in seen["measured"].values())
        assert all(isinstance(frame, int) and frame >= 1 for frame in seen["frames"])
    assert all(isinstance(frame, int) and frame >= 1 for frame in line["frames"])
    if line["trigger"] is not None:
        has(line["trigger"], TRIGGER)
        assert line["trigger"]["kind"] in TRIGGERS
    assert re.fullmatch(r"[A-Z].*[.]", line["explanation"], re.DOTALL)


def check_anomaly(line: dict[str, Any]) -> None:
    """Check the line of what stands out and has no mechanism."""
    has(line, ANOMALY)
    has(line["subject"], SUBJECT)
    assert line["subject"]["kind"] in {"flow", "exchange"}
    assert 0 <= line["anomaly"] <= 1
    for fact in line["facts"]:
        has(fact, ODD_FACT)
    assert TIME.fullmatch(line["start"])
    assert TIME.fullmatch(line["end"])


def some_of_each_kind() -> list[str]:
    """Name every fourth scenario of each mechanism and family: their lines differ by what happened, not by system."""
    kinds: dict[tuple[str | None, str], list[str]] = {}
    for scenario in simulate.scenarios():
        kinds.setdefault((scenario.mechanism, scenario.family), []).append(scenario.name)
    return [name for names in kinds.values() for name in names[::4]]


@pytest.mark.parametrize("scenario", some_of_each_kind())
def test_every_line_keeps_the_contract(scenario: str, tmp_path: Path) -> None:
    """Each printed object has exactly the verdict format's keys, types and words, and survives strict JSON."""
    played = simulate.run(scenario, 3)
    path = tmp_path / "played.pcap"
    write_pcap(path, played.times, played.frames, played.link_type)
    result = scan(path)
    assert result.errors == ()
    jsonl(result, tmp_path / "all.jsonl", everything=True)
    raw = (tmp_path / "all.jsonl").read_bytes().decode("utf-8").splitlines()
    first, *others, end = [json.loads(line, parse_constant=refuse) for line in raw]
    check_capture(first)
    verdicts = [line for line in others if line["type"] == "verdict"]
    assert end == {"type": "end", "schema": 1, "captures": 1, "verdicts": len(verdicts), "errors": 0}
    for line in verdicts:
        check_verdict(line)
    assert all(line["type"] == "anomaly" for line in others[len(verdicts) :])
    for line in others[len(verdicts) :]:
        check_anomaly(line)
    kinds = [line["subject"]["kind"] for line in verdicts]
    assert kinds == sorted(kinds, key=["flow", "exchange", "group"].index)
    assert sum(first["outcomes"].values()) == len(kinds) - kinds.count("group")
    jsonl(result, tmp_path / "found.jsonl")
    found = (tmp_path / "found.jsonl").read_text(encoding="utf-8").splitlines()
    grades = (None, "possible", "likely", "confirmed")
    assert [line for line in raw[:-1] if json.loads(line).get("grade") in grades] == found[:-1]
    for line in text(result, everything=True).splitlines():
        copied = line.startswith("  Wireshark ")
        assert len(line) <= WIDTH or copied or " " not in line.strip(), line


def refuse(word: str) -> None:
    """Refuse what strict JSON does not know."""
    raise AssertionError(word)


def test_numbers_json_cannot_hold_become_null(tmp_path: Path) -> None:
    """Not-a-number and infinities are null, and text that is no UTF-8 is escaped."""
    played = simulate.run("tcp.reset.benign", 1)
    path = tmp_path / "a\udcff.pcap"
    write_pcap(path, played.times, played.frames, played.link_type)
    result = scan(path)
    judged = result.judged[0]
    summary = attrs.evolve(judged.summary, diagnostics=(Diagnostic("a.b", "odd"),), first=None)
    jsonl([attrs.evolve(judged, summary=summary)], tmp_path / "x.jsonl", everything=True)
    first, *_ = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text(encoding="utf-8").splitlines()]
    check_capture(first)
    assert first["diagnostics"] == [{"code": "a.b", "message": "odd", "offset": None, "count": 1}]
    line = verdict_line(attrs.evolve(result.verdicts[0], q_value=math.nan, start=-(2**63)))
    assert line["start"] is None
    assert written.line("capture", summary, written.CAPTURE)["first"] is None


def test_an_empty_capture_is_a_capture(tmp_path: Path) -> None:
    """A capture without packets gives its line, zeros and no verdict."""
    path = tmp_path / "none.pcap"
    write_pcap(path, [], [], 1)
    result = scan(path)
    assert result.errors == ()
    line = written.line("capture", result.captures[0], written.CAPTURE)
    check_capture(json.loads(json.dumps(line)))
    assert (line["packets"], line["flows"], line["first"]) == (0, 0, None)
    assert "0 packets" in text(result)
