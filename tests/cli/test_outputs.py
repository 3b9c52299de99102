"""What the command writes is whole or not there, whatever ends it: signals, full disks, nothing to read."""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

import netinterf
from netinterf import simulate
from netinterf.capture import find_captures, write_pcap
from netinterf.cli.arguments import Target
from netinterf.cli.formats import FORMATS
from netinterf.cli.main import main
from netinterf.writing import ASIDE
from tests.cli.every import arguments_of, forms_of, of_type, verbs
from tests.cli.here import ROOT


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write two captures and a store of them."""
    pytest.importorskip("pyarrow")
    place = tmp_path_factory.mktemp("outputs")
    for name, scenario in (("reset", "tcp.reset"), ("harmless", "tcp.reset.benign")):
        played = simulate.run(scenario, 1)
        write_pcap(place / f"{name}.pcap", played.times, played.frames, played.link_type)
    netinterf.Campaign(place / "store").collect(place / "reset.pcap")
    return place


def status_of(*arguments: object) -> int:
    """Run the command in this process."""
    return main([str(argument) for argument in arguments])


def writing(folder: Path, out: Path | str) -> Iterator[list[str]]:
    """Give arguments by which each verb that takes ``--out`` writes there in each of its forms."""
    needed = {"paths": str(folder / "reset.pcap"), "path": str(folder / "reset.pcap"), "flow": "1"}
    needed |= {"against": str(folder / "harmless.pcap"), "store": str(folder / "store")}
    for verb, parser in verbs():
        if any(action.dest == "out" for action in of_type(parser, Target)):
            for form in forms_of(parser):
                given = {"out": str(out)} | ({"format": form} if form else {})
                given |= {"scenario": "tcp.reset"} if verb == "simulate" else {}
                yield [*verb.split(), *arguments_of(parser, given, needed)]


@contextmanager
def full_disk(room: int) -> Iterator[None]:
    """Let no file grow beyond so many bytes: a write fails then as on a full disk (setrlimit(2))."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_the_old_file(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every verb and form: one line, the status of what cannot be written, the old file, and nothing beside it."""
    report = tmp_path / "report"
    report.write_text("old", encoding="utf-8")
    for words in writing(folder, report):
        with full_disk(64):
            status = status_of(*words)
        problems = [line for line in capsys.readouterr().err.splitlines() if "no --key" not in line]
        assert (status, len(problems)) == (74, 1), (words, problems)
        assert report.read_text(encoding="utf-8") == "old", words
        assert os.listdir(tmp_path) == ["report"], words


def test_what_takes_no_byte_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A device that is full is one line and the same status."""
    for words in writing(folder, "/dev/full"):
        if words[0] != "simulate":  # which writes files beside it
            assert status_of(*words) == 74, words
            assert "No space left" in capsys.readouterr().err


COMMAND = [sys.executable, "-m", "netinterf"]


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)


def test_a_signal_leaves_the_old_file(folder: Path, tmp_path: Path) -> None:
    """In the midst of writing; what SIGKILL leaves beside it is taken for no capture, and all else leaves nothing."""
    reports = [tmp_path / number.name / "report" for number in SIGNALS]
    with ExitStack() as held:
        running = [held.enter_context(scanning(folder / "reset.pcap", report)) for report in reports]
        for number, process, report in zip(SIGNALS, running, reports, strict=True):
            while not any(path.stat().st_size for path in report.parent.glob(f"{ASIDE}*")):
                assert process.poll() is None
                time.sleep(0.02)
            process.send_signal(number)
            assert process.wait() in {128 + number, -number}
            assert report.read_text(encoding="utf-8") == "old"
            assert len(os.listdir(report.parent)) == 1 + (number == signal.SIGKILL)
    (left,) = tmp_path.rglob(f"{ASIDE}*")
    left.write_bytes((folder / "reset.pcap").read_bytes())
    assert find_captures(tmp_path).captures == ()


ASKED = '''
import enum, signal, time
import numpy as np
from netinterf.__main__ import end

signal.signal(signal.{name}, end)
names = []
source = """
def asked(cls, name):
    names.append(name)
    if len(names) == 1:
        signal.raise_signal(signal.{name})
    raise AttributeError(name)
"""
exec(compile(source, enum.__file__, "exec"))
flag = type("Kind", (type,), {{"__getattr__": asked}})("Flag", (int,), {{}})(4)
try:
    np.arange(8, dtype=np.uint8) & flag
    time.sleep(60)
except {error}:
    print("ended")
'''
"""A number whose class numpy asks for an attribute while one signal comes, by a function that seems to be of `enum`."""


@pytest.mark.parametrize(("name", "error"), [("SIGINT", "KeyboardInterrupt"), ("SIGTERM", "SystemExit")])
def test_no_signal_is_taken_for_a_missing_attribute(name: str, error: str) -> None:
    """What numpy does not pass on comes again behind it, and wakes who sleeps for a minute."""
    words = [sys.executable, "-c", ASKED.format(name=name, error=error)]
    ran = subprocess.run(words, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=45)
    assert (ran.stdout, ran.stderr) == ("ended\n", "")


@contextmanager
def scanning(capture: Path, report: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Scan a capture, and wait for a second one, with an old report in the place of the new one."""
    report.parent.mkdir()
    report.write_text("old", encoding="utf-8")
    words = ["scan", "--all", "--format", "jsonl", "--out", report, capture, "-"]
    with subprocess.Popen([*COMMAND, *map(str, words)], stdin=subprocess.PIPE, env=ENVIRONMENT) as process:
        yield process


def test_an_old_report_survives_a_scan_that_reads_nothing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing read, wrong arguments, or an error on the way: the old report stands, and nothing lies beside it."""
    report_file = tmp_path / "report"
    report_file.write_text("old", encoding="utf-8")
    absent, capture = tmp_path / "absent.pcap", folder / "reset.pcap"
    for form in FORMATS:
        assert status_of("scan", "--format", form, "--out", report_file, absent) == 3
    stream = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert stream == []
    assert status_of("scan", "--format", "jsonl", absent) == 3
    end = {"type": "end", "schema": 1, "captures": 0, "verdicts": 0, "errors": 1}
    error, last = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (error["type"], error["capture"], last) == ("error", str(absent), end)
    assert status_of("scan", "--analyzers", "horoscope", "--out", report_file, capture) == 2
    assert status_of("compare", "--out", report_file, capture, "--against", absent) == 3
    assert status_of("explain", "--out", report_file, absent, "1") == 3
    assert status_of("explain", "--out", report_file, capture, "999999") == 2
    assert status_of("redact", "--out", report_file, absent) == 3
    for form in ("text", "html", "jsonl", "parquet"):
        assert status_of("campaign", "report", "--format", form, "--out", report_file, tmp_path / "absent") == 2
    assert report_file.read_text(encoding="utf-8") == "old"
    assert os.listdir(tmp_path) == ["report"]
    assert status_of("scan", "--out", report_file, absent, capture) == 0
    assert "INTERFERED" in report_file.read_text(encoding="utf-8")
    assert os.listdir(tmp_path) == ["report"]


def test_pipes_are_outputs(folder: Path, tmp_path: Path) -> None:
    """A named pipe takes an answer as it comes, and so does what stands for standard output."""
    pipe, heard = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: heard.append(pipe.read_bytes()))
    reader.start()
    assert status_of("scan", "--format", "jsonl", "--out", pipe, folder / "reset.pcap") == 0
    reader.join()
    assert b'"type": "capture"' in heard[0]
    assert status_of("scan", "--out", os.devnull, folder / "reset.pcap") == 0
