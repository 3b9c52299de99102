"""The verb watch as a user runs it: what is known is told while packets come, what is final at the end."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from netinterf import simulate
from netinterf.capture import open_capture, write_pcap
from netinterf.cli.troubles import LONG, Troubles
from netinterf.cli.watch import period
from tests.cli.here import ROOT, run_here
from tests.oracles import containers as c

COMMAND = [sys.executable, "-X", "dev", "-W", "error", "-m", "netinterf"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A capture with forged resets."""
    path = tmp_path_factory.mktemp("watch") / "reset.pcap"
    played = simulate.run("tcp.reset", 1)
    write_pcap(path, played.times, played.frames, played.link_type)
    return path


LISTENING = "netinterf: listening on standard input"


def run(*arguments: object, stdin: bytes = b"") -> tuple[int, str, list[str]]:
    """Run the command to its end: exit status, output, and problems, each of which is one line.

    That it listens, and what it saw in the end, are no problems.
    """
    done = run_here(*arguments, stdin=stdin)
    told = done.stderr.splitlines()
    assert all(line.startswith("netinterf: ") for line in told), told
    problems = [line for line in told if line != LISTENING and "; its recorder" not in line]
    return done.returncode, done.stdout, problems


@contextmanager
def watching(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start the command, and end it."""
    with subprocess.Popen(
        [*COMMAND, "watch", *arguments, "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=ENVIRONMENT,
    ) as process:
        late = threading.Timer(60, process.kill)
        late.start()
        try:
            assert process.stderr is not None
            assert process.stderr.readline().decode().rstrip() == LISTENING
            yield process
        finally:
            late.cancel()
            process.kill()


def told(process: subprocess.Popen[bytes]) -> dict[str, object]:
    """Wait for the next line of JSON."""
    assert process.stdout is not None
    line: dict[str, object] = json.loads(process.stdout.readline())
    return line


def test_findings_come_before_the_pipe_ends(capture: Path) -> None:
    """A finding is told while the pipe is open; when it ends, verdicts are final and the capture comes last."""
    with watching("--format", "jsonl") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(capture.read_bytes())
        process.stdin.flush()
        first = told(process)
        assert (first["type"], first["outcome"], first["final"]) == ("verdict", "interfered", False)
        process.stdin.close()
        rest = [json.loads(line) for line in process.stdout]
        assert process.wait() == 0
    *verdicts, last, end = rest
    assert end == {"type": "end", "schema": 1, "captures": 1, "verdicts": 1 + len(verdicts), "errors": 0}
    assert last["type"] == "capture"
    assert last["capture"] == "-"
    again = [line for line in verdicts if line["subject"] == first["subject"]]
    assert [line["final"] for line in again if line["final"]] == [True]
    assert last["outcomes"]["interfered"] == sum(
        line["final"] and line["outcome"] == "interfered" and line["group"] is None for line in verdicts
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_it_closes_properly(capture: Path, number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end it as the end of the pipe does: with final verdicts, the capture, and status 0."""
    with watching("--format", "jsonl") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(capture.read_bytes())
        process.stdin.flush()
        told(process)
        process.send_signal(number)
        lines = [json.loads(line) for line in process.stdout]
        assert process.wait() == 0
    assert [line["type"] for line in lines[-2:]] == ["capture", "end"]
    assert lines[-1]["verdicts"] == len(lines) - 1  # one was read before
    assert any(line["final"] and line["outcome"] == "interfered" for line in lines[:-2])


def test_all_verdicts_are_those_of_a_scan(capture: Path) -> None:
    """With --all, the final lines are the lines of a scan."""
    data = capture.read_bytes()
    status, output, problems = run("watch", "--all", "--format", "jsonl", "-", stdin=data)
    lines = [json.loads(line) for line in output.splitlines()]
    final = [{key: value for key, value in line.items() if key != "final"} for line in lines if line.get("final", True)]
    _, scanned, _ = run("scan", "--all", "--format", "jsonl", "-", stdin=data)
    first, *verdicts, _ = [json.loads(line) for line in scanned.splitlines()]
    assert (status, problems) == (0, [])
    assert [*verdicts, first] == final[:-1]
    assert final[-1] == {"type": "end", "schema": 1, "captures": 1, "verdicts": len(lines) - 2, "errors": 0}


def test_text_tells_people(capture: Path) -> None:
    """People read the findings as a scan shows them, then the summary; --fail-on sets the exit status."""
    status, output, problems = run("watch", "--fail-on", "interfered", "-", stdin=capture.read_bytes())
    assert (status, problems) == (1, [])
    assert "INTERFERED: tcp.reset" in output
    assert "Wireshark" in output
    summary = output.split("\n\n")[-1]
    assert summary.startswith("-: ")
    assert "interfered" in summary


def test_a_cut_stream_is_judged(capture: Path) -> None:
    """What came before the stream was cut is judged, and the capture says that it is cut."""
    data = capture.read_bytes()
    status, output, problems = run("watch", "--format", "jsonl", "-", stdin=data[: len(data) - 7])
    lines = [json.loads(line) for line in output.splitlines()]
    assert (status, problems) == (0, [])
    assert [note["code"] for note in lines[-2]["diagnostics"]] == ["capture.cut"]
    assert any(line["type"] == "verdict" for line in lines)


@pytest.mark.parametrize(
    ("arguments", "stdin", "status", "reason"),
    [
        (["-"], b"", 3, "standard input: there are no bytes"),
        (["-"], b"certainly no capture " * 9, 3, "standard input: neither pcap nor pcapng"),
        (["no-such-interface-0"], b"", 3, "no-such-interface-0: cannot be listened on"),
        (["README.md"], b"", 3, "README.md: it is a file: netinterf scan README.md judges it"),
        (["--analyzers", "none_such", "-"], b"", 2, "--analyzers none_such"),
        (["--format", "parquet", "-"], b"", 2, "parquet"),
        ([], b"", 2, "SOURCE"),
        (["-", "lo"], b"", 2, "- is watched alone"),
    ],
)
def test_problems_are_one_line(arguments: list[str], stdin: bytes, status: int, reason: str) -> None:
    """A source that cannot be read and wrong arguments are one clear line and their exit status."""
    found, output, problems = run("watch", *arguments, stdin=stdin)
    assert (status, "") == (found, output)
    assert len(problems) == 1
    assert reason in problems[0]


def test_junk_is_refused_while_the_pipe_is_open() -> None:
    """What is no capture ends the command at once, not when the pipe does."""
    with watching() as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(b"x" * 100)
        process.stdin.flush()
        assert b"neither pcap nor pcapng" in process.stderr.readline()
        assert process.wait() == 3


def listens(process: int) -> bool:
    """Say whether a process holds a packet socket (packet(7); Linux lists them)."""
    with suppress(OSError):  # it has just ended
        held = {os.readlink(entry) for entry in Path(f"/proc/{process}/fd").iterdir()}
        sockets = Path("/proc/net/packet").read_text(encoding="ascii").splitlines()[1:]
        return any(f"socket:[{line.split()[-1]}]" in held for line in sockets)
    return False


@pytest.mark.skipif(not Path("/proc/net/packet").exists(), reason="the system does not list packet sockets")
def test_an_interface_is_watched_until_stopped() -> None:
    """Where the process may listen, an interface without a packet to judge ends with a summary when it is stopped."""
    command = [*COMMAND, "watch", "--format", "jsonl", "lo"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=ENVIRONMENT
    ) as process:
        while process.poll() is None and not listens(process.pid):
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        output, problems = process.communicate(timeout=30)
    if b"cannot be listened on" in problems:
        pytest.skip("no right to listen")
    first, end = problems.decode().splitlines()
    assert (process.returncode, first) == (0, "netinterf: listening on lo")
    assert re.fullmatch(r"netinterf: lo: [\d,]+ packets?; the system dropped none(; [\d,]+ more .*)?", end)
    last = json.loads(output.splitlines()[-2])
    assert (last["type"], last["capture"], last["link_types"]) == ("capture", "lo", [1])


def test_damage_in_a_pipe_is_told_and_passed(capture: Path) -> None:
    """Behind one damaged record header findings come as before; what was skipped is told while the pipe is open."""
    data = capture.read_bytes()
    second = 24 + 16 + int.from_bytes(data[32:36], "little")
    with watching("--format", "jsonl") as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(data[:second] + b"\xff" * 16 + data[second + 16 :])
        process.stdin.flush()
        first = told(process)
        problem = process.stderr.readline().decode()
        assert (first["type"], first["outcome"]) == ("verdict", "interfered")
        assert f"at byte {second:,}: record 2 claims 4294967295 captured bytes" in problem
        assert "bytes were skipped to where records go on" in problem
        process.stdin.close()
        *_, last, _ = [json.loads(line) for line in process.stdout or ()]
        assert [note["code"] for note in last["diagnostics"]].count("capture.damaged") == 1


def test_ten_damaged_places_are_each_told(capture: Path) -> None:
    """Place by place while the pipe is open, also those that the diagnostics sum up; what is behind them is found."""
    data = capture.read_bytes()
    size = 16 + int.from_bytes(data[32:36], "little")
    record = data[24 : 24 + size]
    with watching("--format", "jsonl") as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(data[:24] + 4 * record)  # so many show where records go on
        for place in range(10):
            process.stdin.write(b"\xff" * 16 + record[16:] + 4 * record)
            process.stdin.flush()
            problem = process.stderr.readline().decode()
            assert (f"; {size:,} bytes were skipped" if place < 8 else f"{place - 7} further place") in problem
            assert f"at byte {24 + (5 * place + 4) * size:,}" in problem
        process.stdin.write(data[24:])
        process.stdin.flush()
        assert told(process)["outcome"] == "interfered"


def as_pcapng(data: bytes) -> tuple[bytes, int]:
    """Write a capture as pcapng, to which more blocks may be added; say how many packets it has."""
    records = open_capture(data).records
    frames = [data[at : at + size] for at, size in zip(records.at, records.captured, strict=True)]
    blocks = [c.enhanced("<", time // 1000, frame) for time, frame in zip(records.time.tolist(), frames, strict=True)]
    return c.section("<") + c.interface("<", name="eth0") + b"".join(blocks), len(frames)


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        (None, "its recorder does not tell whether it missed any"),
        ({8: 99_000}, "its recorder does not tell whether it missed any"),
        ({5: 0}, "its recorder says that it missed none"),
        ({5: 2, 7: 1_200}, "its recorder says that it missed 1,202"),
    ],
)
def test_it_says_that_it_listens_and_what_it_saw(capture: Path, counts: dict[int, int] | None, told: str) -> None:
    """On standard error, first and last; standard output holds nothing but what was found."""
    data, packets = as_pcapng(capture.read_bytes())
    stdin = data if counts is None else data + c.statistics("<", 0, counts)
    done = run_here("watch", "--format", "jsonl", "-", stdin=stdin)
    first, *_, last = done.stderr.splitlines()
    assert (first, last) == (LISTENING, f"netinterf: standard input: {packets:,} packets; {told}")
    assert all(json.loads(line) for line in done.stdout.splitlines())


def test_what_the_recorder_missed_is_told(capture: Path) -> None:
    """Counts of a pcapng stream are told when they come, and stand in the diagnostics."""
    data, _ = as_pcapng(capture.read_bytes())
    with watching("--format", "jsonl") as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(data)
        process.stdin.write(c.statistics("<", 0, {5: 2, 7: 1_200, 8: 99_000}))
        process.stdin.flush()
        problem = process.stderr.readline().decode()
        assert "the recorder says that it missed 1,202 packets of interface 0 (eth0)" in problem
        process.stdin.close()
        *_, told, _ = [json.loads(line) for line in process.stdout or ()]
        assert [note["count"] for note in told["diagnostics"] if note["code"] == "capture.dropped"] == [1_202]


def test_a_source_that_says_nothing_for_long_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Silence, or what cannot be read, is told when it lasts as long as anybody waits for packets; so is its end."""
    troubles = Troubles(100.0)
    for now, fed, packets in ((101, 50, 5), (101 + LONG - 1, 50, 5), (101 + LONG, 50, 5), (102 + LONG, 50, 5)):
        troubles.silent(now, fed, packets)
    troubles.silent(101 + 2 * LONG, 60, 6)
    for now, fed in ((2.5, 70), (3, 80), (4, 90)):
        troubles.silent(101 + now * LONG, fed, 6)
    assert capsys.readouterr().err.splitlines() == [
        "netinterf: nothing came for 120 s; what came before is judged, and watching goes on",
        "netinterf: packets come again, after 240 s without any",
        (
            "netinterf: something came, but no packet that can be read, for 120 s; what came before is judged, and "
            "watching goes on"
        ),
    ]


@pytest.mark.parametrize(
    ("took", "read", "told_within"),
    [
        (0.01, 0.0, 0.52),
        (0.3, 0.1, 1.2),
        (0.5, 0.2, 2.0),
        (0.7, 0.3, 2.0),
        (1.0, 0.0, 2.0),
        (1.0, 0.1, 2.2),
        (2.0, 0.2, 4.4),
        (1.0, 5.0, 4.0),
    ],
)
def test_judging_is_as_frequent_as_telling_within_two_seconds_takes_and_leaves_time_to_read(
    took: float, read: float, told_within: float
) -> None:
    """A packet that just missed a judgement waits for the next to begin, and to end; what comes is read meanwhile."""
    pause = period(took, read)
    assert pause + took <= told_within + 1e-9
    assert pause - took >= min(read, took) - 1e-9
