"""Who stands out: read from captures, scored, listed, and said."""

import json
from pathlib import Path

import attrs
import jsonschema
import numpy as np
import pytest
from scapy.all import IP

from netinterf import Session, export, scan
from netinterf.anomaly.kinds import CONNECTION, KINDS, QUESTION, Kind
from netinterf.anomaly.score import LISTED, members_of
from netinterf.anomaly.view import View
from netinterf.capture import write_pcap
from netinterf.engine.judged import judge_trace
from netinterf.export.jsonl import jsonl
from netinterf.report.several import text
from netinterf.schema import Evidence, Grade, Recording
from netinterf.simulate import Conditions, run, scenarios
from netinterf.trace import Trace, read
from netinterf.verdict.subjects import list_subjects
from tests.analyzers.talk import Talk

ODD = "dns.injection.gfw-triplet"
"""Resolvers without a second answer to most questions, and with three to some."""


def played(scenario: str, path: Path, seed: int = 71_004) -> Path:
    """Write a simulated capture."""
    found = run(scenario, seed, Conditions.clean(ip=4, vantage="client"))
    write_pcap(path, found.times, found.frames, found.link_type)
    return path


def cut_off(talk: Talk, at: float, host: str = "a.example") -> None:
    """Play a connection that a reset from elsewhere ends."""
    sent, end = talk.request(talk.open(at), f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    talk.send("S", "R", 901, end, at=sent + 20, ttl=talk.ttl["S"] + 20)


def facts_of(trace: Trace, kind: str) -> dict[str, list[int]]:
    """Read the facts of all subjects of a kind."""
    subjects = list_subjects(trace, Evidence.empty())
    about = (subjects.subject, subjects.kind, subjects.flow, subjects.name)
    (found,) = [one for one in members_of(trace, *about) if one.kind.id == kind]
    return {fact.id: column.tolist() for fact, column in zip(found.kind.facts, found.values.T, strict=True)}


@pytest.mark.parametrize("scenario", [one.name for one in scenarios()][::9])
def test_every_value_has_its_words(scenario: str) -> None:
    """No fact takes a value that it has no sentence for, on any kind of traffic."""
    found = run(scenario, 71_005)
    trace = read(times=found.times, frames=found.frames, link_type=found.link_type)
    view = View(trace)
    for kind in KINDS:
        for fact in kind.facts:
            values = fact.read(view)
            assert len(values) == len(trace.exchanges if kind is QUESTION else trace.flows)
            assert values.min(initial=-1) >= -1
            assert values.max(initial=-1) < len(fact.says), fact.id


def test_an_empty_capture_has_no_facts() -> None:
    """Nothing to read, nothing to say."""
    judged = judge_trace(read(times=[], frames=[], link_type=1), "empty")
    assert len(judged.ledger.anomalies) == 0
    assert list(judged.ledger.unexplained()) == []


def test_facts_of_a_connection() -> None:
    """A healthy one, and one that a reset from elsewhere ends."""
    talk = Talk()
    talk.healthy(0.0)
    cut_off(talk, 5000.0)
    facts = facts_of(talk.trace(), "connection")
    assert [CONNECTION.facts[0].says[value] for value in facts["opening"]] == ["opened with SYN and SYN/ACK"] * 2
    assert facts["ending"][1] in {5, 6}
    assert facts["resets.server"] == [0, 1]
    assert facts["hops.server"] == [0, 4]
    assert facts["talk"][0] == 3


@pytest.mark.parametrize("side", ["C", "S"])
def test_what_was_not_recorded_says_nothing(side: str) -> None:
    """Of one direction alone, nothing is known of answers, and nobody went silent."""
    talk = Talk()
    for place in range(4):
        talk.server, talk.port = f"203.0.113.{20 + place}", 40_000 + 10 * place
        talk.healthy(4000.0 * place)
    whole = talk.trace()
    mine = "198.51.100.7"
    talk.frames = [(at, frame) for at, frame in talk.frames if (IP(frame).src == mine) == (side == "C")]
    half = talk.trace()
    assert half.recording.one_way.all()
    facts = facts_of(half, "connection")
    blinded = ("opening", "talk", "ending", "unheard.client", "unheard.server", "volume", "tls", "http")
    assert all(set(facts[name]) == {-1} for name in blinded)
    assert -1 not in {value for name in ("opening", "talk", "ending") for value in facts_of(whole, "connection")[name]}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.id)
def test_every_blindness_is_a_flag_of_the_recording(kind: Kind) -> None:
    """A misspelt one would fail only on captures that have such facts."""
    known = {column.name for column in Recording.schema() if column.dtype == "bool"}
    assert {flag for fact in kind.facts for flag in fact.blind} <= known


def test_alone_nobody_is_scored() -> None:
    """Without peers there is nothing to differ from."""
    talk = Talk()
    talk.healthy(0.0)
    (verdict,) = judge_trace(talk.trace(), "alone").ledger
    assert verdict.anomaly is None


def test_like_its_peers_it_does_not_stand_out() -> None:
    """What all of a capture show is no anomaly, however rare it is elsewhere; a verdict may still name it."""
    talk = Talk()
    for place in range(12):
        talk.server, talk.port = f"203.0.113.{20 + place}", 40_000 + place
        cut_off(talk, 4000.0 * place, f"host{place}.example")
    scores = [
        verdict.anomaly for verdict in judge_trace(talk.trace(), "alike").ledger if verdict.subject.kind == "flow"
    ]
    assert max(score for score in scores if score is not None) < 0.9


def test_the_odd_one_out_is_listed_when_no_analyzer_explains_it(tmp_path: Path) -> None:
    """Forged answers, with the analyzer left out that knows of them."""
    path = played(ODD, tmp_path / "odd.pcap")
    without = scan(path, analyzers=["throttling"])
    odd = without.unexplained
    assert odd
    frames = {verdict.subject.first_frame for verdict in scan(path).findings if verdict.subject.kind == "exchange"}
    assert {one.subject.first_frame for one in odd} <= frames
    for one in odd:
        assert one.anomaly >= LISTED
        assert 1 <= len(one.facts) <= 2
        assert all(0 < fact.ordinary < 0.02 for fact in one.facts)
        assert all(2 * fact.alike <= fact.peers + 2 for fact in one.facts)
    assert scan(path).unexplained == ()  # all of them are explained


def test_it_is_said_in_every_form(tmp_path: Path) -> None:
    """A line of its own that keeps the schema, one line of text, names with everything, a column of every frame."""
    result = scan(played(ODD, tmp_path / "odd.pcap"), analyzers=["throttling"])
    jsonl(result, tmp_path / "odd.jsonl")
    told = [json.loads(line) for line in (tmp_path / "odd.jsonl").read_text(encoding="utf-8").splitlines()]
    lines = [line for line in told if line["type"] == "anomaly"]
    assert len(lines) == len(result.unexplained)
    for line in lines:
        jsonschema.validate(line, export.json_schema())
    assert "Unexplained: " in text(result)
    assert "--all names" in " ".join(text(result).split())
    whole = text(result, everything=True)
    assert "--all names" not in whole
    assert all(f"frame {one.subject.first_frame}, " in whole for one in result.unexplained)
    scores = result.to_arrow().column("anomaly").to_pylist()
    assert scores == [verdict.anomaly for verdict in result.verdicts]
    assert any(score is not None and score >= LISTED for score in scores)


def test_it_changes_no_verdict_and_survives_another_model(tmp_path: Path) -> None:
    """A score is no evidence: judged again, or redacted, it stays with its subject."""
    (judged,) = scan(played(ODD, tmp_path / "odd.pcap")).judged
    found = judged.ledger.verdicts.grade <= tuple(Grade).index(Grade.POSSIBLE)
    again = judged.under(attrs.evolve(__import__("netinterf").Model.load()))
    assert [one.anomaly for one in again.ledger] == [one.anomaly for one in judged.ledger]
    bare = attrs.evolve(
        judged.ledger, anomalies=attrs.evolve(judged.ledger.anomalies, score=np.full(len(found), np.nan))
    )
    assert [one.probability for one in bare] == [one.probability for one in judged.ledger]


def test_a_session_scores_as_a_scan_does(tmp_path: Path) -> None:
    """A stream that fits into the window."""
    path = played(ODD, tmp_path / "odd.pcap")
    session = Session(name=str(path))
    verdicts = session.feed(path.read_bytes())
    verdicts += session.close()
    assert [one.anomaly for one in verdicts] == [one.anomaly for one in scan(path).verdicts]
