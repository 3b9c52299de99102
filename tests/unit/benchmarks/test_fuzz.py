"""The fuzzer: sound inputs pass, what is wrong is found and made small, and changed packets are packets."""

import subprocess
import sys
import warnings
from pathlib import Path
from random import Random
from typing import Any

import attrs
import numpy as np
import pytest

from benchmarks.fuzz import command, fence, guard, messages, parts, reached, rounds, shrunk, targets, traffic, twice
from benchmarks.fuzz.packets import IP_AT, LINKS, Frames, changed_frames, mended
from netinterf import compiled
from netinterf.simulate import Conditions, run
from netinterf.trace import Trace, read


@pytest.fixture(scope="module")
def trace() -> Trace:
    """Give a capture with lookups, and connections that speak TLS, HTTP and QUIC."""
    made = run("reach.isolation", 1)
    whole = read(times=made.times, frames=made.frames, link_type=made.link_type)
    kinds = (whole.exchanges.flow[:3], whole.tls.flow[:4], whole.http.flow[:2], whole.quic.flow[:2])
    return whole.select(np.unique(np.concatenate(kinds)))


@pytest.mark.parametrize("some", [[], [b""], [b"a"], [b"abc", b"", b"x" * 300]])
def test_inputs_are_parts_behind_their_lengths(some: list[bytes]) -> None:
    """What is packed comes out again."""
    assert parts.unpack(parts.pack(some)) == some


def test_an_input_may_end_anywhere() -> None:
    """The last part is shorter than it says."""
    assert parts.unpack(b"\x00\x09abc") == [b"abc"]
    assert parts.unpack(b"\x00") == []


@pytest.mark.parametrize("name", targets.TARGETS)
def test_sound_inputs_pass(name: str, trace: Trace) -> None:
    """Inputs of a capture and changed ones, the same each time: nothing is found, and something is said of them."""
    target, rng, said = targets.TARGETS[name], Random(1), twice.Told()
    made = [one for one in target.seeds(trace) if one][:2]
    if name == "certificates":  # TLS 1.3 hides them
        session = run("tls.interception.generic", 1)
        made = list(target.seeds(read(times=session.times, frames=session.frames, link_type=session.link_type)))[:2]
    assert made
    for data in [*made, *(target.change(rng.choice(made), rng) for _ in range(3))]:
        told = guard.examine(target.check, data)
        assert not isinstance(told, guard.Finding), told
        said |= told
    assert said


@pytest.mark.parametrize("name", targets.TARGETS)
def test_any_bytes_are_an_input(name: str) -> None:
    """Whatever the search makes up is read and changed without an error."""
    target, rng = targets.TARGETS[name], Random(2)
    for data in (b"", b"\x01", b"\x00\x03abc", rng.randbytes(40)):
        assert not isinstance(guard.examine(target.check, data), guard.Finding)
        assert isinstance(target.change(data, rng), bytes)


@pytest.fixture(scope="module")
def sound() -> bytes:
    """Give an input whose checksums are right: they were taken on the way, not where a card has yet to write them."""
    made = run("tcp.fin.generic", 1, Conditions.clean(vantage="middle"))
    trace = read(times=made.times, frames=made.frames, link_type=made.link_type)
    return next(iter(traffic.seeds_of(trace, most=20, size=1500)))


def test_changed_packets_keep_their_checksums(sound: bytes) -> None:
    """Most changed packets are still whole packets, so that changes reach what lies behind the headers."""
    rng, right = Random(3), list[bool]()
    for _ in range(20):
        found = read(Frames.of(changed_frames(sound, rng)).pcap())
        right += found.checksum_ok(np.flatnonzero(found.packets.protocol == 6)).tolist()
    assert len(right) > 100
    assert np.mean(right) > 0.7


def test_mending_leaves_sound_packets_alone(sound: bytes) -> None:
    """Lengths and checksums that were right stay; those that were not are made so."""
    frames = Frames.of(sound)
    at = IP_AT[frames.link_type]
    whole = [one for one in frames.frames if int.from_bytes(one[at + 2 : at + 4], "big") == len(one) - at]
    assert len(whole) > 5  # the others have bytes behind the packet
    for frame in whole:
        assert mended(frame, at) == frame
        wrong = bytearray(frame)
        wrong[at + 10] ^= 255
        assert mended(bytes(wrong), at) == frame


def test_inputs_hold_times_and_what_was_cut() -> None:
    """The low bits of a part's first byte are a time, the high one says that more was on the wire."""
    frames = Frames.of(bytes([LINKS.index(101)]) + parts.pack([b"\x00abc", b"\x83defg"]))
    assert (frames.link_type, frames.frames, frames.lengths) == (101, (b"abc", b"defg"), (3, 104))
    assert frames.times[1] - frames.times[0] == 10**6


@pytest.fixture
def mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a parser that mixes messages up when there are several."""
    right = messages.parse_messages

    def wrong(*words: Any) -> Any:
        found, answers = right(*words)
        return attrs.evolve(found, id=found.id[::-1]), answers

    monkeypatch.setattr(messages, "parse_messages", wrong)


@pytest.mark.usefixtures("mixed")
def test_a_reading_that_depends_on_its_neighbours_is_found_and_made_small(trace: Trace, tmp_path: Path) -> None:
    """Two headers that differ in their first bytes are all that it takes; the test that holds it is one line."""
    data = parts.pack([one for some in messages.seeds_dns(trace) for one in parts.unpack(some)][:6])
    found = guard.examine(messages.check_dns, data)
    assert isinstance(found, guard.Finding)
    assert "alone is read otherwise" in found.what
    small, again = shrunk.shrunk("dns", data)
    assert again.kind == found.kind
    assert len(small) < len(data) / 4
    path = tmp_path / "one.input"
    path.write_bytes(data)
    assert f'("dns", "{small.hex()}"' in command.again("dns", path)


def test_an_input_that_passes_is_not_made_small() -> None:
    """Nothing to hold in a test."""
    with pytest.raises(ValueError, match="this input passes"):
        shrunk.shrunk("dns", b"\x00\x01a")


def test_the_smallest_input_of_each_kind_is_kept(tmp_path: Path) -> None:
    """Findings in one place are one."""
    finding = guard.Finding("ValueError: 1", "here")
    for data in (b"long", b"s", b"longer"):
        rounds.keep(tmp_path, data, finding)
    rounds.keep(tmp_path, b"other", guard.Finding("ValueError: 2", "there"))
    assert sorted(path.read_bytes() for path in tmp_path.glob("*.input")) == [b"other", b"s"]


def test_warnings_and_errors_of_the_library_are_findings() -> None:
    """Also errors that it raises on purpose, where the check did not expect them: then the check says which it does."""

    def numbers(data: bytes) -> twice.Told:
        return {(float(np.float64(len(data)) / np.float64(0)),)}

    with warnings.catch_warnings():
        guard.quiet()
        found = guard.examine(numbers, b"a")
    assert isinstance(found, guard.Finding)
    assert found.what.startswith("RuntimeWarning: divide by zero")


def test_what_takes_long_or_much_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits of time and memory hold for each input."""
    monkeypatch.setattr(guard, "SECONDS", 0.0)
    slow = guard.examine(lambda _: {(sum(range(10_000)),)}, b"")
    assert isinstance(slow, guard.Finding)
    assert slow.what.startswith("slow")
    monkeypatch.setattr(guard, "SECONDS", 60.0)
    monkeypatch.setattr(guard, "MEMORY", -1)
    assert isinstance(guard.examine(lambda _: set(), b""), guard.Finding)


def test_two_answers_are_told_apart_by_column() -> None:
    """The first difference is named, down to the column."""
    first = read(times=[0], frames=[bytes(60)], link_type=1).packets
    assert not twice.differing((first, 1), (first, 1))
    assert twice.differing((first, 1), (first, 2)) == "1 and 2"
    other = attrs.evolve(first, ttl=first.ttl + np.uint8(1))
    assert twice.differing([first], [other]) == "Packets: ttl"


def test_one_input_in_some_is_read_without_what_is_compiled() -> None:
    """Both ways are gone, and what is compiled is there again behind it."""
    ways: list[bool] = []
    for number in range(20):
        twice.twice(bytes([number]), lambda: ways.append(compiled.library() is None))
    assert ways.count(False) == 20
    assert compiled.library() is not None or not compiled.is_there()
    if compiled.is_there():
        assert 1 <= ways.count(True) < 20


def test_nothing_can_be_read_behind_an_input() -> None:
    """A byte too far ends the process."""
    assert fence.fenced(b"abc").tobytes() == b"abc"
    words = "from benchmarks.fuzz.fence import fenced; import ctypes; at = fenced(b'abc').ctypes.data; "
    for far, ends in ((2, False), (3, True)):
        done = subprocess.run([sys.executable, "-c", words + f"ctypes.string_at(at + {far}, 1)"], check=False)
        assert (done.returncode != 0) is ends


def test_lines_are_counted_inside_functions() -> None:
    """A call reaches some lines of the target's modules, and no others."""
    every, seen = reached.lines_of("http"), set[tuple[str, int]]()
    files = {file for file, _ in every}
    assert all(Path(file).name in ("http.py", "opening.py") for file in files)
    reached.traced(lambda: messages.check_http(parts.pack([b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"])), files, seen)
    assert 20 < len(seen & every) < len(every)


def test_seeds_come_from_a_folder_as_well(tmp_path: Path, trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be read is left out, each input is there once, and no more than asked for."""
    monkeypatch.setattr(targets, "SCENARIOS", ())
    frames = Frames.of(next(iter(traffic.seeds_of(trace, most=20, size=1500))))
    (tmp_path / "a.pcap").write_bytes(frames.pcap())
    (tmp_path / "b.pcap").write_bytes(frames.pcap())
    (tmp_path / "c.pcap").write_bytes(frames.pcap()[:10])
    found = targets.gather_seeds(["flows", "dns"], tmp_path, 3)
    assert 1 <= len(found["flows"]) <= 3
    assert len(set(found["flows"])) == len(found["flows"])


def test_without_atheris_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the exit status is that of a wrong call."""
    monkeypatch.setattr(command, "find_spec", lambda _: None)
    assert command.run(["dns"], seconds=1) == 2
    assert "pip install 'netinterf[fuzz]'" in capsys.readouterr().err
