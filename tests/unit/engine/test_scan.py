"""Scanning paths: every file on its own, errors kept, no packets kept, the same answer by every engine."""

import copy
import gc
import multiprocessing
import pickle
import shutil
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import attrs
import numpy as np
import pytest

from netinterf import simulate
from netinterf.analyzers.base import Scope, observe
from netinterf.capture import open_capture, write_pcap
from netinterf.engine import judged as judged_module
from netinterf.engine.each import IN_FLIGHT
from netinterf.engine.judged import Judged
from netinterf.engine.scan import Result, scan, scan_each
from netinterf.engine.session import Session
from netinterf.errors import CaptureError, NetinterfError, ParameterError, UsageError
from netinterf.export.jsonl import lines
from netinterf.schema import Evidence, Outcome, Rule
from netinterf.trace import Trace, decode_capture, read
from netinterf.verdict.model import default_model


@attrs.frozen(kw_only=True)
class Accuser:
    """Hold every packet that a flow's server sent to be forged."""

    name: ClassVar[str] = "accuser"
    scope: ClassVar[Scope] = Scope.FLOW
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(id="accuser.all", mechanism="tcp.reset", group="all", says="a server spoke", decisive=True),
    )
    fail: bool = False

    def __call__(self, trace: Trace, /) -> Evidence:
        """Accuse."""
        if self.fail:
            raise RuntimeError("out of order")
        packets = trace.packets
        rows = np.flatnonzero((packets.protocol == 6) & ~packets.outbound)
        return observe(
            self,
            "accuser.all",
            subject=packets.flow[rows],
            time=packets.time[rows],
            llr=13.0,
            forged=rows,
            witness=rows,
        )


MINE = [Accuser()]


def outcomes(result: Result) -> list[tuple[str, str, str | None, float]]:
    """List what a result says, without the places of its files."""
    return [
        (Path(verdict.capture).name, verdict.outcome.value, verdict.mechanism, verdict.probability)
        for verdict in result.verdicts
    ]


def test_each_file_is_one_capture(folder: Path) -> None:
    """A folder is searched by content, sorted, and files that are no captures are counted."""
    result = scan(folder, analyzers=MINE)
    assert [str(Path(s.capture).relative_to(folder)) for s in result.captures] == ["dns.pcap", "below/reset.pcap"]
    assert (result.skipped, result.errors) == (2, ())
    single = [verdict for verdict in result.verdicts if verdict.group is None]
    assert len(single) == sum(sum(s.outcomes.values()) for s in result.captures)
    assert len(result.evidence) == 2
    assert {verdict.mechanism for verdict in result.findings} == {"tcp.reset"}
    assert all(verdict.outcome is Outcome.INTERFERED for verdict in result.findings)


def test_verdicts_are_a_sequence(folder: Path) -> None:
    """Verdicts are written out when asked for, by row, slice or in turn."""
    verdicts = scan(folder, analyzers=MINE).verdicts
    assert list(verdicts) == [verdicts[row] for row in range(len(verdicts))] == list(verdicts[:])
    assert verdicts[-1] == verdicts[len(verdicts) - 1]
    with pytest.raises(IndexError):
        verdicts[len(verdicts)]
    with pytest.raises(IndexError):
        verdicts.parts[0][0][len(verdicts)]


def test_a_bad_path_does_not_stop_the_others(folder: Path) -> None:
    """Missing and broken files are kept as errors that name them, and the rest is judged."""
    (folder / "empty.pcap").touch()
    paths = [folder / "absent.pcap", folder / "empty.pcap", folder / "fake.pcap", folder / "dns.pcap"]
    result = scan(paths, analyzers=MINE)
    assert len(result.captures) == 1
    assert len(result.errors) == 3
    for name in ("absent.pcap", "empty.pcap", "fake.pcap"):
        assert any(name in str(error) for error in result.errors), name


def test_a_failing_analyzer_is_an_error_of_the_capture(folder: Path) -> None:
    """An analyzer that raises is named, with the capture and the cause."""
    result = scan(folder / "dns.pcap", analyzers=[Accuser(fail=True)])
    assert result.captures == ()
    message = str(result.errors[0])
    assert "dns.pcap" in message
    assert "'accuser'" in message
    assert "out of order" in message


def test_a_fault_of_our_own_costs_one_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anything unexpected is reported as an error of the capture; with ``strict`` it is raised."""

    def broken(*_: object, **__: object) -> None:
        raise KeyError("bug")

    monkeypatch.setattr(judged_module, "judge_subjects", broken)
    result = scan(folder, analyzers=MINE)
    assert len(result.errors) == 2
    assert "please report" in str(result.errors[0])
    with pytest.raises(KeyError):
        scan(folder, analyzers=MINE, strict=True)


def test_damage_is_an_error_only_when_strict(folder: Path) -> None:
    """A capture cut in the middle is analysed as far as it goes and says so; with ``strict`` it is refused."""
    whole = (folder / "dns.pcap").read_bytes()
    (folder / "dns.pcap").write_bytes(whole[:-5])
    summary = scan(folder / "dns.pcap", analyzers=MINE).captures[0]
    assert summary.diagnostics
    strict = scan(folder / "dns.pcap", analyzers=MINE, strict=True)
    assert (len(strict.captures), len(strict.errors)) == (0, 1)


def test_packets_are_let_go(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A result holds no trace and no capture buffer."""
    seen: list[weakref.ref[object]] = []

    def watched(*args: object, **options: object) -> Trace:
        trace = decode_capture(*args, **options)  # type: ignore[arg-type]
        seen.extend([weakref.ref(trace.buffer), weakref.ref(trace.packets.time)])
        return trace

    monkeypatch.setattr("netinterf.engine.judge.decode_capture", watched)
    result = scan(folder, analyzers=MINE)
    gc.collect()
    assert [reference() for reference in seen] == [None] * 4
    assert result.verdicts[0].explanation


@pytest.mark.parametrize("processes", [False, True])
def test_executors_change_nothing(folder: Path, processes: bool) -> None:
    """Captures judged side by side give the same results in the same order, errors included."""
    fresh = multiprocessing.get_context("spawn")  # forking a process with threads warns from Python 3.12 on
    pool = ProcessPoolExecutor(2, mp_context=fresh) if processes else ThreadPoolExecutor(2)
    (folder / "empty.pcap").touch()
    paths = [folder, folder / "empty.pcap"]
    analyzers = ["rst_injection"]
    with pool as executor:
        pooled = scan(paths, analyzers=analyzers, executor=executor)
        each = list(scan_each(paths, analyzers=analyzers, executor=executor))
    alone = scan(paths, analyzers=analyzers)
    assert outcomes(alone) == outcomes(pooled)
    assert [str(error) for error in alone.errors] == [str(error) for error in pooled.errors]
    assert sorted(str(one) for one in each if isinstance(one, CaptureError)) == sorted(map(str, alone.errors))
    assert same_captures(each, alone)
    assert all(one.evidence.rules == alone.evidence[0].rules for one in each if isinstance(one, Judged))


def same_captures(each: list[Judged | CaptureError], whole: Result) -> bool:
    """Say whether captures that came one by one are those of a scan, in whatever order."""
    told = [one.summary for one in each if isinstance(one, Judged)]
    return sorted(told, key=lambda summary: summary.capture) == sorted(whole.captures, key=lambda one: one.capture)


class Reversed(Executor):
    """Does what it was given last first, once it holds so many tasks or is asked to go on."""

    def __init__(self, holds: int) -> None:
        self.tasks: list[tuple[Future[object], object]] = []
        self.holds, self.most = holds, 0

    def submit(self, function, /, *arguments, **named):  # type: ignore[no-untyped-def]
        """Keep a task."""
        future: Future[object] = Future()
        self.tasks.append((future, lambda: function(*arguments, **named)))
        self.most = max(self.most, len(self.tasks))
        if len(self.tasks) == self.holds:
            for late, task in reversed([self.tasks.pop() for _ in range(self.holds)]):
                late.set_result(task())  # type: ignore[operator]
        return future


def test_captures_are_given_as_they_are_done(folder: Path) -> None:
    """No file waits for a slow one; a scan brings them into order again, and both hold a bounded number of tasks."""
    paths = [folder / "dns.pcap", Path(shutil.copy(folder / "dns.pcap", folder / "later.pcap"))]
    each = list(scan_each(paths, analyzers=MINE, executor=Reversed(2)))
    whole = scan(paths, analyzers=MINE, executor=Reversed(2))
    assert len(each) == len(whole.captures) == 2
    assert same_captures(each, whole)
    assert [summary.capture for summary in whole.captures] == list(map(str, paths))
    many = Reversed(IN_FLIGHT)
    copies = [shutil.copy(paths[0], folder / f"copy-{number}.pcap") for number in range(IN_FLIGHT)]
    assert len(list(scan_each(copies, analyzers=MINE, executor=many))) == IN_FLIGHT
    assert many.most == IN_FLIGHT


def test_who_stops_asking_stops_the_judging(folder: Path) -> None:
    """What an executor holds and has not begun is called off."""
    copies = [shutil.copy(folder / "dns.pcap", folder / f"copy-{number}.pcap") for number in range(4)]
    held = Reversed(len(copies) + 1)  # begins nothing by itself
    each = scan_each(copies, analyzers=MINE, executor=held)
    held.holds = 0
    threading.Timer(0.2, lambda: held.tasks[0][0].set_result(CaptureError("x", "was cut"))).start()
    assert isinstance(next(each), CaptureError)
    each.close()
    assert [future.cancelled() for future, _ in held.tasks] == [False, True, True, True]


def test_without_an_executor_nothing_is_kept(folder: Path) -> None:
    """Captures come one by one in the order of the paths: the next is not read before it is asked for."""
    paths = sorted(folder.glob("*.pcap"))[:2]
    outcomes_of_each = scan_each(paths, analyzers=MINE)
    first = next(outcomes_of_each)
    paths[1].unlink()
    second = next(outcomes_of_each)
    assert isinstance(first, Judged)
    assert isinstance(second, CaptureError)


def test_rules_travel_by_name(folder: Path) -> None:
    """What a task returns is small, and its rules are the built-in ones again."""
    judged = scan(folder).judged[0]
    sent = pickle.dumps(judged)
    again = pickle.loads(sent)
    says = max((rule.says for rule in judged.evidence.rules), key=len)
    assert says.encode() not in sent
    assert again.evidence.rules == judged.evidence.rules
    assert [verdict.explanation for verdict in again.ledger] == [verdict.explanation for verdict in judged.ledger]


def test_progress_counts_captures(folder: Path) -> None:
    """The callback is told which capture is done, and how many of how many."""
    told: list[tuple[int, int]] = []
    scan(folder, analyzers=MINE, progress=lambda _, done, total: told.append((done, total)))
    assert told == [(0, 2), (1, 2), (2, 2)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vantage": "moon"}, "vantage='moon'"),
        ({"analyzers": ["horoscope"]}, "horoscope"),
        ({"analyzers": []}, "at least one"),
        ({"networks": "absent.csv"}, "absent.csv"),
        ({"answers": "absent.csv"}, "absent.csv"),
    ],
)
def test_wrong_arguments_are_refused_before_reading(folder: Path, options: dict[str, object], message: str) -> None:
    """An argument out of range is an error of the call, not of a capture."""
    with pytest.raises(ParameterError, match=message):
        scan(folder, **options)  # type: ignore[arg-type]


def test_vantage_is_taken_from_the_user(folder: Path) -> None:
    """A given vantage stands in the summary."""
    assert scan(folder / "dns.pcap", analyzers=MINE, vantage="server").captures[0].vantage == "server"


def test_extract_writes_the_packets_of_a_verdict(folder: Path, tmp_path: Path) -> None:
    """A flow's or exchange's packets, and only those, are written with their times and bytes."""
    result = scan(folder, analyzers=MINE)
    for verdict in result.verdicts:
        written = result.extract(verdict, tmp_path / "proof.pcap")
        trace = read(tmp_path / "proof.pcap")
        assert written == len(trace.packets)
        assert int(trace.packets.time.min()) == verdict.start or verdict.group is not None
        assert int(trace.packets.time.max()) == verdict.end or verdict.group is not None
        assert len(trace.flows) == 1 or verdict.group is not None
    original = open_capture(folder / "dns.pcap")
    records = original.records
    frame = bytes(original.buffer[records.at[0] : records.at[0] + records.captured[0]])
    first = next(verdict for verdict in result.verdicts if verdict.subject.first_frame == 1)
    result.extract(first, tmp_path / "proof.pcap")
    assert frame in (tmp_path / "proof.pcap").read_bytes()


@pytest.mark.tshark
def test_an_extract_as_pcapng_says_of_frames_what_they_show(
    tshark: Callable[..., list[list[str]]], folder: Path, tmp_path: Path
) -> None:
    """Wireshark shows a comment at each frame that evidence names, with its rules; packets are those of the pcap."""
    played = simulate.run("tcp.reset", 1)
    write_pcap(folder / "reset.pcap", played.times, played.frames, played.link_type)
    result = scan(folder / "reset.pcap")
    (verdict,) = result.findings[:1]
    assert result.extract(verdict, tmp_path / "a.pcap") == result.extract(verdict, tmp_path / "a.pcapng")
    names = ("frame.time_epoch", "frame.len", "ip.id", "tcp.seq_raw")
    assert tshark(tmp_path / "a.pcapng", *names) == tshark(tmp_path / "a.pcap", *names)
    comments = [comment for (comment,) in tshark(tmp_path / "a.pcapng", "frame.comment") if comment]
    named = {frame for sign in verdict.evidence for frame in sign.frames} | set(verdict.frames)
    assert [int(comment.split("frame ")[1].split(":")[0]) for comment in comments] == sorted(named)
    (forged,) = [comment for comment in comments if f"frame {verdict.frames[0]}:" in comment]
    assert f"shows {verdict.mechanism} ({verdict.grade}" in forged
    assert all(sign.rule in forged for sign in verdict.evidence if verdict.frames[0] in sign.frames)


def test_extract_refuses_what_it_cannot_do(folder: Path, tmp_path: Path) -> None:
    """A verdict of another result, and a capture that changed, are errors that say so."""
    result = scan(folder, analyzers=MINE)
    verdict = result.verdicts[0]
    with pytest.raises(ParameterError, match="of this result"):
        result.extract(attrs.evolve(verdict, capture="other.pcap"), tmp_path / "x.pcap")
    gone = attrs.evolve(verdict, row=10**6, subject=attrs.evolve(verdict.subject, first_frame=10**6))
    with pytest.raises(ParameterError, match="as it was"):
        result.extract(gone, tmp_path / "x.pcap")
    Path(verdict.capture).unlink()
    with pytest.raises(CaptureError):
        result.extract(verdict, tmp_path / "x.pcap")


def test_errors_travel_between_processes() -> None:
    """Every error survives pickling with its message and fields."""
    for error in (CaptureError("a.pcap", "is odd", 7), ParameterError("n", 1, "two"), UsageError("no")):
        copy = pickle.loads(pickle.dumps(error))
        assert (type(error), str(error), vars(error)) == (type(copy), str(copy), vars(copy))


@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
def test_a_session_says_what_a_scan_says(folder: Path, size: int) -> None:
    """Fed in pieces of any size, a session closes with the verdicts of a scan of the same bytes."""
    path = folder / "below" / "reset.pcap"
    data = path.read_bytes()
    if size == 1:
        data = data[:3000]
        path.write_bytes(data)
    session = Session(MINE, name=str(path))
    for begin in range(0, len(data), size):
        assert session.feed(data[begin : begin + size]) == []
    assert list(scan(path, analyzers=MINE).verdicts) == session.close()
    assert session.close() == []
    batch = list(lines(scan(path, analyzers=MINE).judged[0], everything=True))
    assert batch == list(lines(session.judged, everything=True))
    assert session.summary.capture == str(path)


def test_a_session_keeps_its_order() -> None:
    """Feeding after the end, and asking before it, are errors; bytes that are no capture are too."""
    session = Session(MINE)
    with pytest.raises(UsageError, match="close"):
        session.judged  # noqa: B018
    with pytest.raises(NetinterfError):
        session.close()
    with pytest.raises(UsageError, match="closed"):
        session.feed(b"more")
    with Session(MINE) as session:
        session.feed(b"something")
    with pytest.raises(UsageError, match="closed"):
        session.feed(b"more")


@pytest.mark.tshark
def test_display_filters_select_what_extract_writes(
    folder: Path, tmp_path: Path, tshark: Callable[..., list[list[str]]]
) -> None:
    """Wireshark accepts each verdict's filter, and it shows the frames that extract writes."""
    result = scan(folder, analyzers=MINE)
    shown = [next(v for v in result.verdicts if v.subject.kind == kind) for kind in ("flow", "exchange")]
    for verdict in shown:
        rows = tshark(verdict.capture, "frame.number", options=("-Y", verdict.wireshark))
        frames = {int(row[0]) for row in rows}
        assert set(verdict.frames) <= frames
        assert result.extract(verdict, tmp_path / "proof.pcap") <= len(frames)
        assert verdict.subject.first_frame in frames


def test_judging_again_needs_no_capture(tmp_path: Path) -> None:
    """Under the same model nothing changes, under rarer interference less is said, and the capture may be gone."""
    path = tmp_path / "gone.pcap"
    played = simulate.run("tcp.reset", 1)
    write_pcap(path, played.times, played.frames, played.link_type)
    result = scan(path)
    path.unlink()
    again = result.under(default_model())
    assert [attrs.asdict(one) for one in again.verdicts] == [attrs.asdict(one) for one in result.verdicts]
    assert again.captures == result.captures
    rare = attrs.evolve(default_model(), priors=dict.fromkeys(default_model().priors, -40.0))
    spared = result.under(rare)
    assert len(spared.findings) == 0 < len(result.findings)
    assert spared.captures[0].outcomes["interfered"] == 0


def test_judgements_of_other_versions_are_refused(folder: Path) -> None:
    """Rules of another version may be others, so that what they said cannot be told."""
    judged = scan(folder / "dns.pcap").judged[0]
    old = attrs.evolve(judged, summary=attrs.evolve(judged.summary, version="0.0.1"))
    with pytest.raises(UsageError, match=r"judged by version 0\.0\.1"):
        pickle.loads(pickle.dumps(old))


@attrs.frozen(eq=False, kw_only=True)
class Labelled(Judged):
    """A judgement with more."""

    label: str


def test_more_travels_as_well(folder: Path) -> None:
    """What a program adds to a judgement comes through."""
    judged = scan(folder / "dns.pcap").judged[0]
    labelled = Labelled(summary=judged.summary, ledger=judged.ledger, source=judged.source, label="Monday")
    assert pickle.loads(pickle.dumps(labelled)).label == copy.copy(labelled).label == "Monday"
