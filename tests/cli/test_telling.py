"""Who is told of findings while a capture is watched: a command, and the system's log."""

import json
import socket
import stat
import sys
from pathlib import Path

import pytest

import netinterf
from netinterf import simulate
from netinterf.capture import write_pcap
from netinterf.cli.main import main
from netinterf.cli.telling import Command, SystemLog
from netinterf.errors import ParameterError
from netinterf.written.record import Verdict
from tests.cli.here import run_here

HOSTILE = b";$(touch own"
"""What a shell would obey, as a label of a name."""


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Play connections that are cut off because of a name that a shell would obey."""
    path = tmp_path_factory.mktemp("watched") / "a.pcap"
    played = simulate.run("tcp.reset", 1)
    write_pcap(path, played.times, played.frames, played.link_type)
    labels = {name.split(".")[0].encode() for name in netinterf.read(path).tls.name}
    frames = list(played.frames)
    for label in labels:
        frames = [frame.replace(label, (HOSTILE * 9)[: len(label)]) for frame in frames]
    write_pcap(path, played.times, frames, played.link_type)
    return path


def findings(capture: Path) -> list[Verdict]:
    """List what is found of single conversations."""
    return [verdict for verdict in netinterf.scan(capture).findings if verdict.group is None]


def keeping(folder: Path) -> Path:
    """Write a command that keeps what it is told, a line each."""
    script = folder / "keep"
    script.write_text(
        f"#!{sys.executable}\nimport sys\nopen(sys.argv[1], 'a').write(sys.stdin.read())\n", encoding="utf-8"
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script


def test_a_command_is_run_for_each_finding(capture: Path, tmp_path: Path) -> None:
    """It gets the line of the verdict; names are data to it, and nothing was run by a shell."""
    kept = tmp_path / "a file;$(touch own)"
    ran = run_here(
        "watch", "-", "--on-finding", f"{keeping(tmp_path)} '{kept}'", stdin=capture.read_bytes(), cwd=tmp_path
    )
    assert (ran.returncode, len(ran.stderr.splitlines())) == (0, 2)  # that it listens, and what it saw
    told = [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()]
    single = {line["subject"]["first_frame"] for line in told if line["group"] is None}
    assert single == {verdict.subject.first_frame for verdict in findings(capture)}
    assert any(";$(" in str(line["subject"]["name"]) for line in told)
    assert {path.name for path in tmp_path.iterdir()} == {"keep", kept.name}


@pytest.mark.parametrize("words", ["", "no-such-command-anywhere", "'unclosed"])
def test_what_cannot_be_run_is_refused(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is read."""
    assert main(["watch", "-", "--on-finding", words]) == 2
    assert capsys.readouterr().err.startswith("netinterf: --on-finding ")


def test_a_command_that_fails_is_said_once(capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And costs nothing else."""
    command = Command(f"{sys.executable} -c 'raise SystemExit(7)'")
    for verdict in findings(capture) * 2:
        command.tell(verdict)
    command.close()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("exit status 7 (said once)")


def test_a_command_that_is_too_slow_misses_findings_and_holds_nobody_up(
    capture: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it misses is counted."""
    monkeypatch.setattr("netinterf.cli.telling.WAITING", 2)
    monkeypatch.setattr("netinterf.cli.telling.PARTING", 0.2)
    command = Command(f"{sys.executable} -c 'import time; time.sleep(3)'")
    (verdict, *_) = findings(capture)
    for _ in range(9):
        command.tell(verdict)
    command.close()
    assert "findings were not handed over" in capsys.readouterr().err


def test_the_log_gets_a_line_for_each(capture: Path) -> None:
    """A datagram each, with facility and severity, that a terminal can show (RFC 3164)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as log:
        log.bind(("127.0.0.1", 0))
        log.settimeout(5)
        listener = SystemLog(f"127.0.0.1:{log.getsockname()[1]}")
        for verdict in findings(capture):
            listener.tell(verdict)
            line = log.recv(4096)
            assert line.startswith(b"<28>netinterf: ")  # daemon, warning
            assert line.decode()[4:].isprintable()
            assert verdict.mechanism in line.decode()
            assert len(line) <= 1024
        listener.close()


def test_a_log_that_is_not_there_is_said(tmp_path: Path) -> None:
    """Before anything is read."""
    with pytest.raises(ParameterError, match="a socket"):
        SystemLog(str(tmp_path / "none"))
