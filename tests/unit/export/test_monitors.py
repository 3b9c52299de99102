"""Findings as Suricata, Zeek and Elastic have them: fields, numbers, and nothing alive in them."""

import io
import json
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

import netinterf
from netinterf import simulate
from netinterf.capture import write_pcap
from netinterf.engine.scan import Result
from netinterf.errors import ParameterError
from netinterf.export.monitors import MONITORS, ZEEK_FIELDS, ecs_event, eve_event, signature_id, zeek_notice
from netinterf.mechanisms import MECHANISMS
from netinterf.written.record import iso_time
from tests.cli.here import run_here

SCENARIOS = ("tcp.reset", "dns.injection", "http.blockpage.generic", "quic.drop.generic", "rate.policing")


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Judge captures with findings of many kinds, groups among them."""
    folder = tmp_path_factory.mktemp("captures")
    for name in SCENARIOS:
        played = simulate.run(name, 1)
        write_pcap(folder / f"{name}.pcap", played.times, played.frames, played.link_type)
    return netinterf.scan(folder)


def written(result: Result, form: str) -> list[str]:
    """Write a result in a form."""
    stream = io.StringIO()
    MONITORS[form](result, stream)
    return stream.getvalue().splitlines()


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Name all values of an object by their paths, as Elastic does."""
    if not isinstance(value, dict):
        return {path: value}
    return {
        name: leaf for key, inner in value.items() for name, leaf in leaves(inner, f"{path}.{key}".strip(".")).items()
    }


def test_each_finding_is_one_record(result: Result) -> None:
    """As many as there are, in their order; nothing for what is no finding."""
    found = result.findings
    assert any(verdict.group is not None for verdict in found)
    assert [json.loads(line) for line in written(result, "eve")] == json.loads(json.dumps([*map(eve_event, found)]))
    assert [json.loads(line) for line in written(result, "ecs")] == json.loads(json.dumps([*map(ecs_event, found)]))
    assert [line for line in written(result, "zeek") if line[0] != "#"] == [*map(zeek_notice, found)]


def test_an_alert_has_what_readers_of_suricata_look_for(result: Result) -> None:
    """Both ends, the frame, and an alert with a number of its own; the verdict stands beside it, whole."""
    for event, verdict in zip(map(json.loads, written(result, "eve")), result.findings, strict=True):
        assert event["event_type"] == "alert"
        assert event["timestamp"] == f"{iso_time(verdict.start)[:26]}+0000"
        assert event["alert"]["severity"] in {1, 2, 3}
        assert 1_000_000 <= event["alert"]["signature_id"] < 2_000_000
        assert event["netinterf"]["mechanism"] == verdict.mechanism
        assert verdict.group is not None or event["src_ip"] == verdict.subject.client
        assert event.get("community_id") == verdict.community_id
        assert None not in event.values()


def test_what_stands_for_an_address_is_none(result: Result) -> None:
    """Readers take nothing but addresses there; the verdict beside them has what was put in its place."""
    redacted = result.redacted(bytes(range(32)))
    places = [place for place, kind in enumerate(ZEEK_FIELDS.values()) if kind == "addr"]
    for verdict in redacted.findings:
        notice = zeek_notice(verdict).split("\t")
        told = [notice[place] for place in places if notice[place] != "-"]
        told += [value for key, value in eve_event(verdict).items() if key in {"src_ip", "dest_ip"}]
        told += [value for key, value in leaves(ecs_event(verdict)).items() if key in {"source.ip", "destination.ip"}]
        assert all(ip_address(value) for value in told)
        assert eve_event(verdict)["netinterf"]["subject"]["client"] == verdict.subject.client
    assert any(eve_event(verdict).get("src_ip") for verdict in result.findings)


def test_no_two_mechanisms_have_one_number() -> None:
    """Rules of one's own are told apart by it."""
    paths = list(MECHANISMS)
    assert len({signature_id(path) for path in paths}) == len(paths) > 20


def test_names_are_those_of_the_schema(result: Result) -> None:
    """Every field outside of our own is one that Elastic's schema has."""
    known = {
        "@timestamp", "ecs.version", "message", "event.kind", "event.category", "event.type", "event.module",
        "event.dataset", "event.action", "event.severity", "event.risk_score", "event.start", "event.end",
        "event.reason", "rule.ruleset", "rule.name", "rule.version", "source.address", "source.ip", "source.port",
        "destination.address", "destination.ip", "destination.port", "destination.domain", "network.transport",
        "network.type", "network.community_id", "dns.question.name", "log.file.path",
    }  # fmt: skip
    used = {
        name for verdict in result.findings for name in leaves(ecs_event(verdict)) if not name.startswith("netinterf.")
    }
    assert used == known
    assert {ecs_event(verdict)["event"]["kind"] for verdict in result.findings} == {"alert"}


def test_a_notice_has_a_value_for_each_field(result: Result) -> None:
    """The header names fields and types, tabs part values, and what is unknown is a dash."""
    lines = written(result, "zeek")
    header = {line.split("\t")[0]: line.split("\t")[1:] for line in lines if line.startswith("#")}
    assert header["#fields"] == [*ZEEK_FIELDS]
    assert len(header["#types"]) == len(ZEEK_FIELDS)
    for line, verdict in zip((line for line in lines if line[0] != "#"), result.findings, strict=True):
        row = dict(zip(ZEEK_FIELDS, line.split("\t"), strict=True))
        assert float(row["ts"]) == pytest.approx(verdict.start / 1e9, abs=1e-6)
        assert row["note"].lower() == f"netinterf::{verdict.mechanism.replace('.', '_')}"
        assert row["id.resp_h"] == (verdict.subject.server or "-")
        assert row["msg"].isprintable()


@pytest.mark.parametrize("form", sorted(MONITORS))
def test_the_command_writes_them_and_nothing_else(form: str, tmp_path: Path) -> None:
    """What is no finding is no alert: ``--all`` is refused."""
    played = simulate.run("tcp.reset", 1)
    write_pcap(tmp_path / "a.pcap", played.times, played.frames, played.link_type)
    ran = run_here("scan", "--format", form, tmp_path / "a.pcap")
    assert ran.returncode == 0
    assert ran.stdout.splitlines() == written(netinterf.scan(tmp_path / "a.pcap"), form)
    assert run_here("scan", "--all", "--format", form, tmp_path / "a.pcap").returncode == 2


def test_the_capture_is_never_written_over(tmp_path: Path) -> None:
    """As for every other writer."""
    played = simulate.run("tcp.reset", 1)
    write_pcap(tmp_path / "a.pcap", played.times, played.frames, played.link_type)
    result = netinterf.scan(tmp_path / "a.pcap")
    for write in MONITORS.values():
        with pytest.raises(ParameterError, match="another file"):
            write(result, tmp_path / "a.pcap")
