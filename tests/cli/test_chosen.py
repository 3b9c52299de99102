"""Captures that are listed instead of named, only the new ones, several at a time, and forms that names tell."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from netinterf import simulate
from netinterf.capture import write_pcap

DAY = 86_400


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three captures, one with a line end in its name, the last of them old."""
    place = tmp_path_factory.mktemp("chosen")
    played = simulate.run("tcp.reset.benign", 1)
    for name in ("a.pcap", "b\nc.pcap", "old.pcap"):
        write_pcap(place / name, played.times, played.frames, played.link_type)
    os.utime(place / "old.pcap", (DAY, DAY))
    return place


def scan(*arguments: object, given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    """Run a scan, with something on standard input."""
    command = [sys.executable, "-m", "netinterf", "scan", *map(str, arguments)]
    return subprocess.run(command, input=given, capture_output=True, check=False)


def judged(done: "subprocess.CompletedProcess[bytes]") -> list[str]:
    """List the captures that JSON lines are about."""
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return [os.path.basename(line["capture"]) for line in lines if line["type"] == "capture"]


def test_captures_come_from_a_list(folder: Path, tmp_path: Path) -> None:
    """A file of lines, standard input, and names that only null bytes can end; named ones come first."""
    lines = f"{folder}/a.pcap\n\n{folder}/old.pcap\n".encode()
    (tmp_path / "list").write_bytes(lines)
    for done in (
        scan("--format", "jsonl", "--files-from", tmp_path / "list"),
        scan("--format", "jsonl", "--files-from", "-", given=lines),
        scan("--format", "jsonl", "--files-from", "-", folder / "a.pcap", given=lines),
    ):
        assert judged(done) == ["a.pcap", "old.pcap"]
    ended = b"\0".join(os.fsencode(path) for path in sorted(folder.iterdir())) + b"\0"
    assert judged(scan("--format", "jsonl", "--files-from", "-", "-0", given=ended)) == [
        "a.pcap",
        "b\nc.pcap",
        "old.pcap",
    ]


def test_only_new_captures_are_read(folder: Path, tmp_path: Path) -> None:
    """Since a day, a time or a file; where nothing is new nothing is wrong."""
    (mark := tmp_path / "mark").write_bytes(b"")
    os.utime(mark, (2 * DAY, 2 * DAY))
    for when in ("1970-01-10", "1970-01-10T12:00:00+03:30", mark):
        done = scan("--format", "jsonl", "--newer-than", when, folder)
        assert judged(done) == ["a.pcap", "b\nc.pcap"]
        assert f"1 capture is not newer than {when}" in done.stderr.decode()
    done = scan("--format", "jsonl", "--newer-than", "2999-01-01", folder)
    assert (done.returncode, judged(done)) == (0, [])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "name captures"),
        (["-0", "a.pcap"], "-0 goes with --files-from"),
        (["--files-from", "-", "-"], "standard input holds either"),
        (["--files-from", "/no/list"], "--files-from /no/list: expected a file to read"),
        (["--newer-than", "yesterday", "a.pcap"], "--newer-than yesterday: expected a day"),
        (["--jobs", "0", "a.pcap"], "1 or more"),
    ],
)
def test_wrong_usage_is_one_line(arguments: list[str], says: str) -> None:
    """It says what was expected."""
    done = scan(*arguments)
    assert done.returncode == 2
    (line,) = done.stderr.decode().splitlines()
    assert says in line


def test_a_list_is_never_written_onto(folder: Path, tmp_path: Path) -> None:
    """It is an input like others, and so is what it names."""
    (listed := tmp_path / "list").write_text(f"{folder}/a.pcap\n")
    before = listed.read_bytes(), (folder / "a.pcap").read_bytes()
    for target in (listed, folder / "a.pcap"):
        assert scan("--files-from", listed, "--out", target).returncode == 2
    assert before == (listed.read_bytes(), (folder / "a.pcap").read_bytes())


def test_jobs_say_the_same(folder: Path) -> None:
    """Captures come as they are done; each of them is told alike."""
    alone, beside = (
        scan("--format", "jsonl", "--all", *jobs, folder).stdout.splitlines() for jobs in ([], ["--jobs", "2"])
    )
    assert sorted(alone) == sorted(beside)


@pytest.mark.parametrize(
    ("name", "begins"),
    [("page.html", b"<!doctype"), ("lines.jsonl", b'{"type"'), ("cells.parquet", b"PAR1"), ("x.txt", b"/")],
)
def test_the_name_of_the_output_tells_its_form(folder: Path, tmp_path: Path, name: str, begins: bytes) -> None:
    """Unless a form is asked for."""
    assert scan("--out", tmp_path / name, folder / "a.pcap").returncode == 0
    assert (tmp_path / name).read_bytes().startswith(begins)
    assert scan("--format", "jsonl", "--out", tmp_path / name, folder / "a.pcap").returncode == 0
    assert (tmp_path / name).read_bytes().startswith(b'{"type"')
