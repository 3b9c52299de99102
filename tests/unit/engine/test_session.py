"""Sessions: the verdicts of a scan while everything fits the window, and each subject once when it does not."""

import gzip
import io
import tracemalloc
import zlib
from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import attrs
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP

import netinterf
from benchmarks.bombs import BOMBS
from benchmarks.joined import cut
from netinterf import simulate
from netinterf.capture import open_capture, write_pcap
from netinterf.capture.stream import CaptureStream
from netinterf.engine import session as session_module
from netinterf.engine.judge import judge
from netinterf.engine.judged import Judged
from netinterf.engine.release import ANSWERED_NS, answered_questions, closed_flows, leaving
from netinterf.engine.session import Session
from netinterf.errors import CaptureError, ParameterError, UnsupportedLinkType, UsageError
from netinterf.export.jsonl import lines
from netinterf.schema import Outcome, Records, TcpFlag
from netinterf.written.record import Verdict
from tests.oracles import containers as c

SECOND = 10**9
START = 1_700_000_000 * SECOND
CLEAN = simulate.Conditions.clean(ip=4)

Frames = list[tuple[int, bytes]]


@cache
def played(scenario: str, seed: int) -> simulate.Simulated:
    """Play a scenario under a faithful recorder."""
    return simulate.run(scenario, seed, CLEAN)


def one_after_the_other(scenarios: Sequence[str], apart: int = 30) -> Frames:
    """Play scenarios, each so many seconds after the one before; Ethernet frames with times in ns."""
    found: Frames = []
    for place, name in enumerate(scenarios):
        capture = played(name, place)
        times = np.asarray(capture.times)
        found += zip((times - times.min() + START + place * apart * SECOND).tolist(), capture.frames, strict=True)
    return sorted(found, key=lambda frame: frame[0])


def as_pcap(frames: Frames) -> bytes:
    """Write frames as a pcap file."""
    file = io.BytesIO()
    write_pcap(file, [time for time, _ in frames], [frame for _, frame in frames], 1)
    return file.getvalue()


def fed(data: bytes, size: int = 4096, **options: int) -> tuple[Session, list[Verdict]]:
    """Feed a session in pieces, and close it; give all verdicts."""
    session = Session(**options)
    found = [verdict for at in range(0, len(data), size) for verdict in session.feed(data[at : at + size])]
    return session, found + session.close()


def keys(verdicts: Sequence[Verdict]) -> list[tuple[str, int | None]]:
    """Tell the flows and exchanges apart."""
    return sorted((v.subject.kind, v.subject.first_frame or 0) for v in verdicts if v.group is None)


def in_batch(data: bytes) -> Judged:
    """Judge a capture as a scan does."""
    return judge(io.BytesIO(data), name="-")


KINDS = ["tcp.reset", "tcp.reset.benign", "dns.injection", "tcp.drop.generic", "http.blockpage.generic", "dns.forged"]


@pytest.fixture(scope="module")
def crowded() -> bytes:
    """A capture of many conversations, some of them interfered with, over a quarter of an hour."""
    return as_pcap(one_after_the_other(KINDS * 5))


@pytest.fixture(scope="module")
def judged(crowded: bytes) -> Judged:
    """That capture as a scan judges it."""
    return in_batch(crowded)


@pytest.mark.parametrize("name", ["tcp.reset", "dns.injection", "rate.policing"])
def test_packets_give_what_reading_them_gives(name: str) -> None:
    """A session fed with packets says what the steps of a scan say of the same packets."""
    example = netinterf.example(name)
    rows = example.packets
    frames = [bytes(example.buffer[at : at + size]) for at, size in zip(rows.at, rows.captured, strict=True)]
    session, link_type = Session(name="memory"), example.interfaces[0].link_type
    for at in range(0, len(frames), 7):
        assert session.feed_packets(rows.time[at : at + 7], frames[at : at + 7], link_type) == []
    trace = netinterf.read(times=rows.time, frames=frames, link_type=link_type)
    evidence = netinterf.analyze(trace)
    assert list(netinterf.explain(netinterf.classify(evidence, trace), evidence, trace)) == session.close()


def test_what_is_known_so_far_changes_nothing(crowded: bytes, judged: Judged) -> None:
    """Asked in between, a session tells what a scan of the first part would, and closes as if it had not been asked."""
    session, half = Session(), len(crowded) // 2
    assert session.so_far().summary.packets == 0
    session.feed(crowded[:half])
    first = session.so_far()
    part = in_batch(crowded[:half])
    assert list(part.ledger) == list(first.ledger)
    cut, *others = part.summary.diagnostics  # a scan says that the part is cut off
    assert cut.code == "capture.cut"
    assert attrs.evolve(part.summary, diagnostics=tuple(others)) == first.summary
    session.feed(crowded[half:])
    assert list(judged.ledger) == session.close()
    assert judged.summary == session.summary


def test_a_small_window_tells_every_subject_once(crowded: bytes, judged: Judged) -> None:
    """What left the window and what stayed are all flows and exchanges, each once, and the counts add up."""
    session, found = fed(crowded, max_packets=len(judged.ledger) * 2)
    summary = session.summary
    assert keys(list(judged.ledger)) == keys(found)
    assert summary.outcomes == Counter(verdict.outcome.value for verdict in found if verdict.group is None) | {
        outcome.value: 0 for outcome in Outcome if summary.outcomes[outcome.value] == 0
    }
    for name in ("packets", "flows", "exchanges", "bytes", "first", "last", "link_types"):
        assert getattr(judged.summary, name) == getattr(summary, name), name
    notes = {note.code: note.count for note in summary.diagnostics if not note.code.startswith("recording.")}
    assert set(notes) == {"session.released"}
    assert 0 < notes["session.released"] < summary.flows


def test_a_small_window_finds_what_a_scan_finds(crowded: bytes, judged: Judged) -> None:
    """Interference is found in a window that holds a few conversations, and the harmless are not accused."""
    _, found = fed(crowded, max_packets=len(judged.ledger) * 2)
    accused = set(keys([verdict for verdict in found if verdict.outcome is Outcome.INTERFERED]))
    in_scan = set(keys([verdict for verdict in judged.ledger if verdict.outcome is Outcome.INTERFERED]))
    assert len(accused & in_scan) >= 0.9 * len(in_scan) > 50
    times = open_capture(crowded).records.time
    plays = [KINDS[(times[frame - 1] - START) // (30 * SECOND) % len(KINDS)] for _, frame in accused - in_scan]
    assert "tcp.reset.benign" not in plays


@pytest.mark.parametrize("size", [300, 1000])
def test_windows_accuse_nobody(size: int) -> None:
    """Harmless traffic is harmless in pieces: losing company at the border of a window makes no finding."""
    kinds = [name.name for name in simulate.scenarios() if name.mechanism is None and not name.name.startswith("rate")]
    data = as_pcap(one_after_the_other(kinds[::18]))
    accused = keys([verdict for verdict in in_batch(data).ledger if verdict.outcome is Outcome.INTERFERED])
    session, found = fed(data, max_packets=size)
    assert session.summary.packets > 5 * size
    assert set(keys([verdict for verdict in found if verdict.outcome is Outcome.INTERFERED])) <= set(accused)


@pytest.mark.parametrize("seed", range(3))
def test_a_plan_is_no_interference_in_pieces(seed: int) -> None:
    """Where the others that share a plan's bucket are not held, dropping to its rate is no accusation."""
    capture = played("benign.rate.plan-policer", seed)
    data = as_pcap(list(zip(np.asarray(capture.times).tolist(), capture.frames, strict=True)))
    session, _ = fed(data, max_packets=len(capture.frames) // 3)
    assert session.summary.outcomes["interfered"] == in_batch(data).summary.outcomes["interfered"] == 0


def long_download() -> Frames:
    """One connection of many packets that is reset at its end, long after others would have been let go."""
    capture = played("rate.policing", 3)
    times = np.asarray(capture.times)
    return list(zip((times - times.min() + START).tolist(), capture.frames, strict=True))


def test_a_conversation_larger_than_the_window_is_cut_once() -> None:
    """It has one verdict, by what the window held of it; what follows is counted, but is no subject."""
    data = as_pcap(long_download())
    batch = in_batch(data)
    session, found = fed(data, max_packets=len(long_download()) // 20)
    assert keys(list(batch.ledger)) == keys(found)
    assert batch.summary.flows == session.summary.flows
    assert batch.summary.packets == session.summary.packets
    assert "session.cut" in [note.code for note in session.summary.diagnostics]


def test_the_window_keeps_its_limits(crowded: bytes) -> None:
    """Between two calls no more is held than the limits allow, in packets and in bytes."""
    for packets, size in ((2000, 10**9), (10**9, 300_000)):
        session = Session(["rst_injection"], max_packets=packets, max_bytes=size)
        for at in range(0, len(crowded), 400_000):
            session.feed(crowded[at : at + 400_000])
            held = session.so_far().ledger.flows
            assert len(held) <= session._window.packets <= packets
            assert session._window.bytes <= size
    assert session.so_far().summary.packets > 5 * session._window.packets


def test_verdicts_do_not_depend_on_how_much_comes_at_once(crowded: bytes) -> None:
    """Whoever is behind feeds more at a time, and a window lets go at the same places all the same."""
    told = []
    for size in (1 << 16, 3 << 16, 1 << 20):
        session, found = fed(crowded, size, max_packets=300, max_bytes=200_000)
        told.append((session.summary, [str(verdict) for verdict in found]))
    assert told[0] == told[1] == told[2]
    assert "session.released" in [note.code for note in told[0][0].diagnostics]


@pytest.mark.parametrize("place", [-1, -2, 3, 0])
def test_late_packets_are_no_new_subject(place: int) -> None:
    """A packet of a connection that left, even its SYN sent again, makes no second subject."""
    first = one_after_the_other(["tcp.reset.benign"] * 12, apart=200)
    late = [(time + 170 * SECOND, frame) for time, frame in first[place : place + 1 or None]]
    frames = sorted(first + late, key=lambda row: row[0])
    session, found = fed(as_pcap(frames), max_packets=60)
    assert len(in_batch(as_pcap(frames)).ledger.flows) == session.summary.flows
    assert len(keys(found)) == len(set(keys(found)))


def test_only_findings_are_written_when_asked(crowded: bytes, judged: Judged) -> None:
    """With everything=False findings come alone, and what was held for one so far is settled."""
    session = Session(everything=False)
    found = session.feed(crowded) + session.close()
    assert list(judged.ledger.findings()) == found
    example = netinterf.example("tcp.reset")
    data = as_pcap([(int(t), bytes(example.buffer[a : a + n])) for t, a, n in zip(
        example.packets.time, example.packets.at, example.packets.captured, strict=True)])  # fmt: skip
    doubted = Session(["rst_injection"], everything=False)
    doubted.feed(data)
    assert {v.subject.first_frame for v in doubted.so_far().ledger.findings()} <= {
        v.subject.first_frame for v in doubted.close()
    }


def test_lost_packets_are_told(crowded: bytes) -> None:
    """What the owner of the loop says was lost is in the diagnostics."""
    session = Session()
    session.feed(crowded)
    session.lost(3)
    session.lost(17)
    session.close()
    assert [(one.code, one.count) for one in session.summary.diagnostics if "recording." not in one.code] == [
        ("session.lost", 17)
    ]


def test_unknown_link_types_are_counted_over_windows() -> None:
    """Frames of a link type that is not decoded are told as in a scan, whatever was let go in between."""
    example = netinterf.example("tcp.reset")
    rows = example.packets
    data = c.section("<") + c.interface("<", link_type=1) + c.interface("<", link_type=147)
    for place, (at, size) in enumerate(zip(rows.at.tolist(), rows.captured.tolist(), strict=True)):
        frame = bytes(example.buffer[at : at + size])
        data += c.enhanced("<", int(rows.time[place]) // 1000, frame, face=int(place % 3 == 0))
    session, _ = fed(data, max_packets=len(rows) // 4)
    batch = {note.code: note for note in in_batch(data).summary.diagnostics}
    found = {note.code: note for note in session.summary.diagnostics}
    assert batch["decode.link_type"] == found["decode.link_type"]


def test_nothing_but_unknown_link_types_is_an_error() -> None:
    """As in a scan, a capture of which nothing can be decoded is refused, so far and at the end."""
    session = Session()
    session.feed(c.pcap_header(link_type=147) + c.pcap_record("<", 1, 1, bytes(60)) * 3)
    with pytest.raises(UnsupportedLinkType):
        session.so_far()
    with pytest.raises(UnsupportedLinkType):
        session.close()


def test_wrong_use_is_refused() -> None:
    """Bytes after packets, packets after bytes, either after the end, and limits that hold nothing are errors."""
    session = Session()
    session.feed_packets([1], [bytes(60)], 1)
    with pytest.raises(UsageError, match="either"):
        session.feed(b"bytes")
    session = Session()
    session.feed(b"bytes")
    with pytest.raises(UsageError, match="either"):
        session.feed_packets([1], [bytes(60)], 1)
    session.__exit__(None, None, None)
    for call in (lambda: session.feed(b""), lambda: session.feed_packets([1], [b""], 1), session.so_far):
        with pytest.raises(UsageError, match="closed"):
            call()
    for name in ("max_packets", "max_bytes"):
        with pytest.raises(ParameterError, match=name):
            Session(**{name: 0})


def test_what_is_no_capture_is_refused_at_once() -> None:
    """Junk is told by its first bytes, without waiting for the end."""
    with pytest.raises(CaptureError, match="neither pcap nor pcapng"):
        Session().feed(b"this is a text and no capture at all" * 3)


@pytest.mark.captures
def test_shared_captures_frame_by_frame(captures_dir: Path) -> None:
    """A third of the shared captures have the same frames and notes in pieces, of a size that differs by file."""
    paths = sorted(path for path in captures_dir.rglob("*") if path.is_file())[::3]
    for path in paths:
        data = path.read_bytes()
        size = 1 << zlib.crc32(path.name.encode()) % 17 + 4
        stream, parts = CaptureStream(str(path)), []
        try:
            whole = open_capture(path)
            for at in range(0, len(data), size):
                stream.feed(data[at : at + size])
                if stream.ripe:
                    parts.append(stream.frames())
            parts.append(stream.close())
        except CaptureError as error:
            with pytest.raises(type(error)):
                fed(data, size)
            continue
        records = Records.concat([attrs.evolve(one.records, at=one.records.at + one.before) for one in parts])
        assert whole.records.equals(records), path
        assert (whole.interfaces, whole.diagnostics) == (stream.interfaces, stream.diagnostics), path


@pytest.mark.captures
def test_shared_captures_verdict_by_verdict(captures_dir: Path) -> None:
    """A sample of the shared captures is judged alike by a scan and by a session (the benchmark takes all)."""
    paths = sorted(path for path in captures_dir.rglob("*") if path.is_file() and path.stat().st_size < 200_000)[::120]
    for path in paths:
        data = path.read_bytes()
        try:
            batch = judge(path)
        except CaptureError:
            with pytest.raises(CaptureError):
                fed(data)
            continue
        session = Session(name=str(path))
        for at in range(0, len(data), 977):
            session.feed(data[at : at + 977])
        session.close()
        assert list(lines(batch, everything=True)) == list(lines(session.judged, everything=True)), path


def test_open_conversations_are_cut_only_as_far_as_room_is_needed() -> None:
    """Those that are over or closed leave until a quarter of the window stays; open ones until half of it does."""
    frames = one_after_the_other(["browsing"] * 4, apart=1)
    trace = netinterf.read(times=[time for time, _ in frames], frames=[frame for _, frame in frames], link_type=1)
    rows = trace.by_flow.lengths
    nobody = np.zeros(len(rows), np.bool_)
    assert closed_flows(trace).all()
    most = int(rows.sum()) // 2
    left = leaving(trace, nobody, most, 1 << 40)
    stay = rows.sum() - rows[left.flows].sum()
    assert left.cut == 0
    assert most // 2 - rows.max() <= stay <= most // 2
    ends = trace.packets.tcp_flags & (TcpFlag.FIN | TcpFlag.RST) != 0
    kept = [frames[number - 1] for number in trace.packets.frame[~ends].tolist()]
    open_ones = netinterf.read(times=[time for time, _ in kept], frames=[frame for _, frame in kept], link_type=1)
    rows = open_ones.by_flow.lengths
    assert not closed_flows(open_ones).any()
    most = int(rows.sum()) // 2
    left = leaving(open_ones, np.zeros(len(rows), np.bool_), most, 1 << 40)
    stay = rows.sum() - rows[left.flows].sum()
    assert left.cut > 0
    assert most - rows.max() <= stay <= most
    assert rows[left.flows].min() >= rows[~left.flows].max()  # the largest first


def test_answered_questions_leave_once_no_other_answer_may_come() -> None:
    """A question of DNS is over some time after it was answered, not while others may answer."""
    capture = played("dns.injection", 3)
    trace = netinterf.read(times=capture.times, frames=capture.frames, link_type=capture.link_type)
    udp = trace.flows.protocol[trace.exchanges.flow] == 17
    heard = trace.exchanges.replies.lengths > 0
    answered = answered_questions(trace)
    assert answered[trace.exchanges.flow[udp & heard]].any()
    assert not answered[trace.exchanges.flow[~heard]].any()
    assert not answered[trace.flows.protocol == 6].any()
    nobody, waiting = np.zeros(len(trace.flows), np.bool_), trace.ended - trace.flows.last < ANSWERED_NS
    assert (answered & waiting).any()
    whole = leaving(trace, nobody, 0, 1 << 40)
    over = ~waiting & (answered | closed_flows(trace)) | closed_flows(trace)
    over |= trace.ended - trace.flows.last >= 120 * SECOND
    assert whole.flows.all()
    assert whole.over == np.count_nonzero(over)


def test_frames_that_cannot_be_numbered_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where frame numbers end, the session says so instead of giving wrong ones."""
    monkeypatch.setattr(session_module, "MOST_FRAMES", 5)
    session = Session()
    session.feed_packets(range(5), [bytes(60)] * 5, 1)
    session.so_far()
    session.feed_packets([9], [bytes(60)], 1)
    with pytest.raises(CaptureError, match="more than 5 frames"):
        session.so_far()


def test_a_window_holds_as_many_bytes_of_frames_as_it_may() -> None:
    """Headers between frames are no bytes of theirs: what fits is judged like a file."""
    frames = [
        bytes(IP(src="10.0.0.1", dst="192.0.2.1") / UDP(sport=4000, dport=9) / (b"x" * 1_400)) for _ in range(180)
    ]
    file = io.BytesIO()
    write_pcap(file, np.arange(180) * 10**6, frames, 101)
    session = Session(max_bytes=sum(map(len, frames)))
    assert not session.feed(file.getvalue())
    session.close()
    assert not {note.code for note in session.summary.diagnostics} & {"session.cut", "session.released"}


@pytest.mark.parametrize("size", [1000, 1 << 20])
def test_rotated_files_are_one_recording(tmp_path: Path, size: int) -> None:
    """Files that are fed one after the other are judged as joined ones are, whatever comes at a time."""
    (tmp_path / "whole.pcap").write_bytes(as_pcap(one_after_the_other(["tcp.reset", "dns.drop", "benign.tcp.traffic"])))
    paths = []
    for number, piece in enumerate(cut(tmp_path / "whole.pcap", 6)):
        paths.append(str(tmp_path / f"t{number}.pcap"))
        Path(paths[-1]).write_bytes(piece)
    with Session(name=paths[0]) as session:
        for path in paths:
            found = list(session.next_file(path))
            data = Path(path).read_bytes()
            for at in range(0, len(data), size):
                found += session.feed(data[at : at + size])
            assert found == []
            assert len(session.so_far().summary.files) == (0 if path == paths[0] else paths.index(path) + 1)
        session.close()
    assert list(lines(session.judged, everything=True)) == list(lines(judge(paths), everything=True))


def test_rotated_files_count_through_where_the_window_is_small() -> None:
    """Frames of the third file are numbered behind those of the first two, also when these are long gone."""
    frames = one_after_the_other(["benign.tcp.traffic"])
    third = len(frames) // 3
    with Session(max_packets=50) as session:
        found = [*session.feed(as_pcap(frames[:third]))]
        for name, begin, end in (("b", third, 2 * third), ("c", 2 * third, len(frames))):
            found += [*session.next_file(name), *session.feed(as_pcap(frames[begin:end]))]
        found += session.close()
    assert [file.first_frame for file in session.summary.files] == [1, third + 1, 2 * third + 1]
    assert session.summary.packets == len(frames)
    latest = max(found, key=lambda verdict: verdict.subject.first_frame or 0)
    assert frames[(latest.subject.first_frame or 0) - 1][0] == latest.start
    with pytest.raises(UsageError):
        session.next_file("d")


def test_packets_have_no_files() -> None:
    """A session that is fed with packets has no next file, and a file that is no capture is an error."""
    with Session() as session:
        session.feed_packets([START], [bytes(60)], 1)
        with pytest.raises(UsageError, match="bytes of a capture or with packets"):
            session.next_file("b")
    with Session() as session:
        session.feed(as_pcap(one_after_the_other(["tcp.reset"])))
        session.next_file("b")
        with pytest.raises(CaptureError, match="b: neither"):
            session.feed(bytes(1000))


def damaged(data: bytes, draw: np.random.Generator, places: int) -> bytes:
    """Overwrite headers of a classic capture, wholly or their captured length alone."""
    at, hurt = open_capture(data).records.at, bytearray(data)
    for frame in at[np.linspace(1, len(at) - 5, places, dtype=np.int64)].tolist():
        begin, size = ((frame - 16, 16), (frame - 8, 4))[int(draw.integers(2))]
        hurt[begin : begin + size] = (b"\xff" * 16, draw.bytes(16), (200_000).to_bytes(4, "little") * 4)[
            int(draw.integers(3))
        ][:size]
    return bytes(hurt)


@given(st.integers(0, 1000), st.lists(st.integers(0, 10**6), max_size=8), st.sampled_from(KINDS))
@settings(max_examples=6, phases=[Phase.explicit, Phase.generate])  # each takes long: what fails is not made smaller
def test_behind_ten_damaged_places_a_session_says_what_a_scan_says(seed: int, cuts: list[int], kind: str) -> None:
    """Verdicts and what was skipped are those of the whole, wherever the bytes are cut; so is what is known so far."""
    data = damaged(as_pcap(one_after_the_other([kind])), np.random.default_rng(seed), 10)
    session, found = Session(), list[Verdict]()
    ends = sorted(cut % len(data) for cut in cuts)
    for begin, end in pairwise([0, *ends, len(data)]):
        found += session.feed(data[begin:end])
        if begin < len(data) // 2 < end:
            session.so_far()
    so_far = session.so_far()
    found += session.close()
    whole = in_batch(data)
    assert sum(note.count for note in whole.summary.diagnostics if note.code == "capture.damaged") >= 8
    assert list(lines(session.judged, everything=True)) == list(lines(whole, everything=True))
    cut = [note for note in whole.summary.diagnostics if note.code != "capture.cut"]
    assert list(so_far.summary.diagnostics) == cut
    assert [one.outcome for one in so_far.ledger.findings()] == [one.outcome for one in whole.ledger.findings()]


def test_a_wrong_length_is_not_waited_for() -> None:
    """What comes behind it is told while the stream is idle, though the bytes that it promises never come."""
    data = as_pcap(one_after_the_other(["dns.injection"]))
    promise = data[24:28] + (5).to_bytes(4, "little") + (200_000).to_bytes(4, "little") + (90).to_bytes(4, "little")
    session = Session()
    session.feed(data[:24] + promise + bytes(90) + data[24:])
    so_far = session.so_far()
    assert (
        [one.mechanism for one in so_far.ledger.findings()]
        == [one.mechanism for one in in_batch(data).ledger.findings()]
        != []
    )
    assert "106 bytes were skipped" in so_far.summary.diagnostics[0].message
    assert session.so_far().ledger is so_far.ledger, "nothing came, so nothing is judged again"


def test_a_piece_is_listed_while_it_is_expanded() -> None:
    """What a few kilobytes expand to is never held as a whole, in whatever pieces they are fed."""
    head, unit = BOMBS["blocks of unknown type"]
    bomb = gzip.compress(head + unit * ((48 << 20) // len(unit)))
    session = Session()
    tracemalloc.start()
    try:
        session.feed(bomb)
        session.close()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(bomb) < 200_000
    assert peak < 24 << 20
