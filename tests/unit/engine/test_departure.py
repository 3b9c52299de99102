"""What leaves a session: the packets of each finding, in company enough for the same verdict."""

import io
from collections.abc import Sequence

import numpy as np
import pytest

from netinterf import simulate
from netinterf.capture import open_capture
from netinterf.engine import departure
from netinterf.engine.departure import Departure, Exhibit, exhibits
from netinterf.engine.extract import packets_of
from netinterf.engine.judge import judge
from netinterf.engine.session import Session
from netinterf.written.record import Verdict

CLEAN = simulate.Conditions.clean(ip=4)
Kept = list[tuple[Exhibit, bytes]]


def watched(scenario: str, seed: int = 3, **limits: int) -> tuple[Kept, list[Verdict], list[Departure]]:
    """Feed what is played some packets at a time; give what left, written, and all verdicts."""
    played = simulate.run(scenario, seed, CLEAN)
    kept, left = Kept(), list[Departure]()

    def leave(gone: Departure) -> None:
        left.append(gone)
        for one in exhibits(gone):
            file = io.BytesIO()
            one.write(file)
            kept.append((one, file.getvalue()))

    session = Session(on_leaving=leave, **limits)
    found: list[Verdict] = []
    for at in range(0, len(played.times), 20):
        part = slice(at, at + 20)
        found += session.feed_packets(played.times[part], played.frames[part], played.link_type)
    return kept, found + session.close(), left


def told(verdicts: Sequence[Verdict]) -> set[tuple[str, int | None, str | None, str]]:
    """List what was found of single subjects: kind, first frame, mechanism and outcome."""
    return {
        (one.subject.kind, one.subject.first_frame, one.mechanism, one.outcome.value)
        for one in verdicts
        if one.found and one.group is None
    }


def told_by(kept: Kept) -> set[tuple[str, int | None, str | None, str]]:
    """Judge each file by itself; give what was found of its mechanism, with frames as in the stream."""
    found = set()
    for one, content in kept:
        frames = one.trace.packets.frame[one.packets]
        for kind, frame, mechanism, outcome in told(list(judge(io.BytesIO(content), name="-").ledger)):
            if mechanism == one.mechanism:
                found.add((kind, int(frames[(frame or 0) - 1]), mechanism, outcome))
    return found


SCENARIOS = [
    "tcp.reset",
    "dns.injection",
    "dns.forged.pl.gambling",
    "tcp.drop.iran-muted",
    "tcp.drop.cn-mb-new",
    "http.blockpage.sweep",
    "rate.freeze.bytes",
    "rate.shaping",
]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_file_is_judged_as_the_session_judged(scenario: str) -> None:
    """Each finding of a session is found in a file, by itself, with its mechanism and outcome."""
    kept, verdicts, _ = watched(scenario)
    assert told(verdicts) <= told_by(kept)
    assert told(verdicts)


@pytest.mark.parametrize("scenario", ["tcp.reset", "dns.injection", "tcp.drop.iran-muted"])
def test_so_it_is_where_conversations_leave_early(scenario: str) -> None:
    """With a window that is full again and again: what a finding was told of is in its file."""
    kept, verdicts, left = watched(scenario, max_packets=200)
    assert len(left) > 1
    assert told(verdicts) <= told_by(kept)


@pytest.mark.parametrize("limits", [{}, {"max_packets": 150}])
def test_files_hold_the_frames_of_their_conversations(limits: dict[str, int]) -> None:
    """As they came, byte by byte, all that the window held of each, and in order of time."""
    played = simulate.run("dns.injection", 3, CLEAN)
    kept, _, left = watched("dns.injection", **limits)
    for one, content in kept:
        capture = open_capture(content)
        numbers = one.trace.packets.frame[one.packets]
        assert len(capture.records) == len(numbers)
        for number, at, size in zip(numbers, capture.records.at, capture.records.captured, strict=True):
            assert bytes(capture.buffer[at : at + size]) == played.frames[number - 1]
        assert (np.diff(capture.records.time) >= 0).all()
    for gone in left:
        for verdict in gone.ledger.written(gone.rows):
            if verdict.found and verdict.group is None:
                own = set(packets_of(gone.trace, verdict).tolist())
                files = [one for one, _ in kept if one.trace is gone.trace and one.mechanism == verdict.mechanism]
                assert any(own <= set(one.packets.tolist()) for one in files)


def test_company_is_bounded_and_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without room, a file holds the conversations of findings, and those that their evidence points at."""
    whole = sum(len(one.packets) for one, _ in watched("tcp.reset")[0])
    monkeypatch.setattr(departure, "COMPANY", 20)
    some, verdicts, _ = watched("tcp.reset")
    monkeypatch.setattr(departure, "COMPANY", 0)
    none, _, _ = watched("tcp.reset")
    sizes = [sum(len(one.packets) for one, _ in kept) for kept in (none, some)]
    assert sizes[0] <= sizes[1] <= sizes[0] + 20 * len(some)
    assert sizes[1] < whole
    assert told(verdicts)


def test_of_a_flood_the_last_file_holds_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many clients a mechanism meets at once, files are few, and each finding is in one."""
    monkeypatch.setattr(departure, "MOST_CLIENTS", 1)
    kept, verdicts, _ = watched("dns.injection")
    mechanisms = [one.mechanism for one, _ in kept if one.verdicts[0].group is None]
    assert len(mechanisms) == len(set(mechanisms))
    assert told(verdicts) <= told_by(kept)


def test_who_finds_nothing_keeps_nothing() -> None:
    """Ordinary traffic leaves no file."""
    kept, verdicts, left = watched("browsing")
    assert (kept, told(verdicts)) == ([], set())
    assert left


def test_a_group_of_no_findings_has_a_file_of_its_own() -> None:
    """Where only many conversations together show something, all of them are kept, and judged the same again."""
    kept, verdicts, _ = watched("rate.shaping.delayed")
    groups = {verdict.mechanism for verdict in verdicts if verdict.group is not None}
    assert (told(verdicts), len(groups)) == (set(), 1)
    ((one, content),) = kept
    again = [verdict for verdict in judge(io.BytesIO(content), name="-").ledger.findings() if verdict.group is not None]
    assert {verdict.mechanism for verdict in again} == groups == {one.mechanism}
