"""Several interfaces watched as one: what two of them saw counts once, and one that fails stops no other."""

import errno
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from netinterf import simulate
from netinterf.bridge.scapy_packets import Frames
from netinterf.capture import write_pcapng
from netinterf.capture.formats import Interface
from netinterf.cli import intake
from netinterf.cli.intake import Interfaces
from netinterf.engine.judge import judge
from netinterf.engine.session import Session
from netinterf.errors import UnreadableSource
from tests.cli.here import ROOT, run_here

ETHERNET, RAW_IP = 1, 101
CLEAN = simulate.Conditions.clean(ip=4)
LATER = 40_000  # ns from one tap to the other


class Played:
    """Stands for a listener: hears packets, some at a time, and then nothing any more, or fails."""

    def __init__(self, name: str, batches: list[Frames], end: OSError | None, dropped: int | None = 0) -> None:
        self.interface, self.link_type, self.dropped = name, ETHERNET, dropped
        self._batches, self._end = list(batches), end

    def read(self, seconds: float) -> Frames:
        """Give the next packets."""
        if self._batches:
            return self._batches.pop(0)
        if self._end is not None:
            raise self._end
        time.sleep(min(seconds, 0.01))
        return Frames.of([], [], ETHERNET)


def opening(monkeypatch: pytest.MonkeyPatch, *listeners: Played) -> None:
    """Have these be all interfaces that there are."""
    known = {listener.interface: listener for listener in listeners}

    def opened(name: str) -> Played:
        if name not in known:
            raise UnreadableSource(name, "cannot be listened on: No such device")
        return known[name]

    monkeypatch.setattr(intake, "Listener", opened)


def batches(played: simulate.Simulated, later: int = 0) -> list[Frames]:
    """Cut what was played into batches."""
    times = np.asarray(played.times) + later
    cuts = range(0, len(times), 5)
    return [Frames.of(times[at : at + 5].tolist(), list(played.frames[at : at + 5]), ETHERNET) for at in cuts]


def gone(name: str) -> OSError:
    """Say that an interface is down, as a listener does."""
    return OSError(errno.ENETDOWN, os.strerror(errno.ENETDOWN), name)


def test_what_two_interfaces_saw_counts_once() -> None:
    """As in a file of two interfaces with the same packets: same verdicts, and the recording is said to be doubled."""
    played = simulate.run("tcp.reset", 3, CLEAN)
    session, times = Session(name="-"), np.asarray(played.times)
    for at, frame in zip(times.tolist(), played.frames, strict=True):
        for place, name in enumerate(("eth0", "wlan0")):
            session.feed_packets([at + place * LATER], [frame], ETHERNET, interface=name)
    live = list(session.close())
    frames = [frame for frame in played.frames for _ in range(2)]
    sizes = np.array(list(map(len, frames)))
    file = io.BytesIO()
    write_pcapng(
        file, np.frombuffer(b"".join(frames), np.uint8), np.cumsum(sizes) - sizes, sizes, sizes,
        np.repeat(times, 2) + np.tile([0, LATER], len(times)), np.tile([0, 1], len(times)),
        [Interface(ETHERNET, 0, 10**9, "eth0"), Interface(ETHERNET, 0, 10**9, "wlan0")],
    )  # fmt: skip
    filed = judge(io.BytesIO(file.getvalue()), name="-")
    assert live == list(filed.ledger)
    assert any(verdict.mechanism == "tcp.reset" for verdict in live)
    assert "recording.doubled" in {note.code for note in session.summary.diagnostics}


def test_frames_are_of_the_interface_that_saw_them() -> None:
    """Each name and link type is one interface, in the order in which they came; names count, not calls."""
    session = Session()
    for name, link_type in (("eth0", 1), ("tun0", 101), ("eth0", 1), ("eth0", 101)):
        session.feed_packets([1], [bytes(60)], link_type, interface=name)
    session.so_far()
    assert session._stream is not None
    assert [(face.name, face.link_type) for face in session._stream.interfaces] == [
        ("eth0", 1), ("tun0", 101), ("eth0", 101)
    ]  # fmt: skip
    assert session._window.capture("-", session._stream).records.interface.tolist() == [0, 1, 0, 2]


def test_one_that_cannot_be_opened_is_told_and_the_others_are_watched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its line stands before what is listened on, and the interface that failed while it was watched is named."""
    played = simulate.run("tcp.reset", 3, CLEAN)
    opening(
        monkeypatch,
        Played("eth0", batches(played), gone("eth0"), 7),
        Played("wlan0", batches(played, LATER), gone("wlan0"), None),
    )
    done = run_here("watch", "--format", "jsonl", "eth0", "none0", "wlan0")
    *told, last, seen = done.stderr.splitlines()
    assert told[:2] == [
        "netinterf: none0: cannot be listened on: No such device",
        "netinterf: listening on eth0, wlan0",
    ]
    failed = [line for line in told if "Network is down" in line]
    assert [line.partition("; ")[2] for line in failed] == [
        "watching goes on without it", "what came before is judged"
    ]  # fmt: skip
    assert (last, seen) == (
        f"netinterf: eth0: {len(played.times)} packets; the system dropped 7",
        f"netinterf: wlan0: {len(played.times)} packets; the system does not tell whether it dropped any",
    )
    *verdicts, capture, _ = map(json.loads, done.stdout.splitlines())
    assert (capture["capture"], capture["packets"]) == ("eth0, none0, wlan0", 2 * len(played.times))
    assert any(verdict["mechanism"] == "tcp.reset" for verdict in verdicts)
    assert done.returncode == 3  # nothing is left that could be watched


def test_where_none_can_be_opened_that_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is named, and nothing is judged."""
    opening(monkeypatch)
    done = run_here("watch", "none0", "none1")
    assert done.returncode == 3
    assert [line.split(": ")[1] for line in done.stderr.splitlines()] == ["none0", "none1"]


def test_the_same_interface_twice_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or all its packets would be doubled."""
    opening(monkeypatch, Played("eth0", [], gone("eth0")))
    assert Interfaces(["eth0", "eth0"]).name == "eth0"


def ip(*words: str) -> None:
    """Change an interface of this machine."""
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def wires() -> Iterator[list[tuple[str, str]]]:
    """Two pairs of virtual Ethernet devices, where the process may make them."""
    if shutil.which("ip") is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("making interfaces needs Linux, root and iproute2")
    ends = [(f"ni{os.getpid() % 10**6}{side}0", f"ni{os.getpid() % 10**6}{side}1") for side in "ab"]
    try:
        for end, other in ends:
            ip("link", "add", end, "type", "veth", "peer", "name", other)
            for device in (end, other):
                Path(f"/proc/sys/net/ipv6/conf/{device}/disable_ipv6").write_text("1", encoding="ascii")
                ip("link", "set", device, "up")
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"virtual interfaces cannot be made: {error}")
    try:
        yield ends
    finally:
        for end, _ in ends:
            with suppress(subprocess.CalledProcessError):
                ip("link", "del", end)


@contextmanager
def watching(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Start the command, wait until it listens, and end it."""
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "netinterf", "watch", "--format", "jsonl", *arguments]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        try:
            assert process.stderr is not None
            assert "listening on" in process.stderr.readline()
            yield process
        finally:
            process.kill()


def send(device: str, frames: list[bytes]) -> None:
    """Put frames on a wire."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((device, 0))
        for frame in frames:
            sender.send(frame)


def test_two_wires_are_watched_and_one_is_cut(wires: list[tuple[str, str]]) -> None:
    """Real interfaces: what is sent on each is counted there; one that goes away is told, and the other is watched."""
    (one, its_end), (other, others_end) = wires
    frames = [frame for frame in simulate.run("tcp.reset", 3, CLEAN).frames if len(frame) <= 1514]
    with watching(one, other) as process:
        assert process.stderr is not None
        send(its_end, frames[:40])
        time.sleep(0.5)
        ip("link", "set", one, "down")
        assert process.stderr.readline() == (f"netinterf: {one}: Network is down; watching goes on without it\n")
        send(others_end, frames)
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        output, problems = process.communicate(timeout=30)
    assert process.returncode == 0
    assert problems.splitlines() == [
        f"netinterf: {one}: 40 packets; the system dropped none",
        f"netinterf: {other}: {len(frames)} packets; the system dropped none",
    ]
    *_, capture, _ = map(json.loads, output.splitlines())
    assert (capture["capture"], capture["packets"]) == (f"{one}, {other}", 40 + len(frames))


def test_what_is_found_on_a_wire_is_kept(wires: list[tuple[str, str]], tmp_path: Path) -> None:
    """Resets that are forged on a real interface are told, and a scan of the ring's file tells them again."""
    (one, its_end), _ = wires
    frames = [frame for frame in simulate.run("tcp.reset", 3, CLEAN).frames if len(frame) <= 1514]
    with watching("--ring", str(tmp_path / "ring"), "--keep", "1MB", one) as process:
        send(its_end, frames)
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        output, problems = process.communicate(timeout=30)
    assert (process.returncode, problems.count("files of findings written") + problems.count("1 file of")) == (0, 1)
    ends = ("client", "client_port", "server")

    def found(lines: str) -> set[tuple[object, ...]]:
        told = [json.loads(line) for line in lines.splitlines()]
        single = [one for one in told if one["type"] == "verdict" and one["group"] is None and one.get("final", True)]
        return {(one["mechanism"], *(one["subject"][end] for end in ends)) for one in single}

    kept = sorted((tmp_path / "ring").glob("*.pcapng"))
    assert found(output) == set().union(*(found(run_here("scan", "--format", "jsonl", path).stdout) for path in kept))
    assert found(output)
