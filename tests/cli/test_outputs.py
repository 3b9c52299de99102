"""What the command writes is whole or not there, is never what it read, and obeys nobody who wrote a name."""

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

import netinterf
from netinterf import export, report, simulate
from netinterf.capture import write_pcap
from netinterf.cli.formats import FORMATS
from netinterf.cli.main import main
from netinterf.errors import ParameterError

HOSTILE = "\x1b]0;x\x07\x9b2J\u202egnp.\u2066evil\u200f.example"
"""A name that would set a terminal's title, clear it, and turn the direction of what follows."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write two captures, and the networks and answers that are read with them."""
    place = tmp_path_factory.mktemp("outputs")
    for name, scenario in (("reset", "tcp.reset"), ("harmless", "tcp.reset.benign")):
        played = simulate.run(scenario, 1)
        write_pcap(place / f"{name}.pcap", played.times, played.frames, played.link_type)
    (place / "networks.csv").write_text("prefix,asn,country\n192.0.2.0/24,64496,XX\n", encoding="utf-8")
    (place / "answers.csv").write_text("name,address\nexample.org,192.0.2.1\n", encoding="utf-8")
    (place / "secret").write_bytes(bytes(range(32)))
    return place


BYTES = {"parquet"}
"""Formats that are refused to a terminal."""


def status_of(*arguments: object) -> int:
    """Run the command in this process."""
    return main([str(argument) for argument in arguments])


@pytest.mark.parametrize(
    "arguments",
    [
        ["scan", "--out", "CAPTURE", "CAPTURE"],
        ["scan", "--out", "CAPTURE", "FOLDER"],
        ["scan", "--out", "CAPTURE", "FOLDER/*.pcap"],
        ["scan", "--out", "hard.pcap", "CAPTURE"],
        ["scan", "--out", "soft.pcap", "CAPTURE"],
        ["scan", "--out", "CAPTURE", "soft.pcap"],
        *(["scan", "--format", form, "--out", "CAPTURE", "CAPTURE"] for form in FORMATS),
        ["scan", "--networks", "FOLDER/networks.csv", "--out", "FOLDER/networks.csv", "CAPTURE"],
        ["scan", "--answers", "FOLDER/answers.csv", "--out", "FOLDER/answers.csv", "CAPTURE"],
        ["scan", "--redact", "--key", "FOLDER/secret", "--out", "FOLDER/secret", "CAPTURE"],
        ["compare", "--out", "CAPTURE", "CAPTURE", "--against", "FOLDER/harmless.pcap"],
        ["compare", "--out", "CAPTURE", "FOLDER/harmless.pcap", "--against", "CAPTURE"],
        ["explain", "--out", "CAPTURE", "CAPTURE", "1"],
        ["redact", "--out", "hard.pcap", "CAPTURE"],
        ["redact", "--key", "FOLDER/secret", "--out", "FOLDER/secret", "CAPTURE"],
    ],
)
def test_no_verb_writes_onto_what_it_reads(
    arguments: list[str], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the verb, the form and the way to the file: one clear line, status 2, and every input as it was."""
    capture, hard, soft = folder / "reset.pcap", tmp_path / "hard.pcap", tmp_path / "soft.pcap"
    os.link(capture, hard)
    soft.symlink_to(capture)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    places = {"CAPTURE": capture, "hard.pcap": hard, "soft.pcap": soft}
    named = [str(places.get(word, word.replace("FOLDER", str(folder)))) for word in arguments]
    assert status_of(*named) == 2
    told = capsys.readouterr()
    assert "--out" in told.err
    assert "another file than what is read" in told.err.splitlines()[-1]
    assert told.out == ""
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_no_function_writes_onto_what_it_reads(folder: Path) -> None:
    """Programs are refused as the command is, also where results are redacted or come one by one."""
    path = folder / "reset.pcap"
    before = path.read_bytes()
    result = netinterf.scan(path)
    for one in (result, result.redacted(bytes(range(32))), iter(result.judged)):
        for write in (export.jsonl, export.parquet, export.ooni, report.html):
            if write is export.parquet:
                pytest.importorskip("pyarrow")
            with pytest.raises(ParameterError, match="another file"):
                write(one if not hasattr(one, "__next__") else iter(result.judged), path)
    with pytest.raises(ParameterError, match="another file"):
        result.extract(result.findings[0], path)
    assert path.read_bytes() == before
    assert not [name for name in os.listdir(folder) if name.startswith(".")]


def test_an_old_report_survives_a_scan_that_reads_nothing(folder: Path, tmp_path: Path) -> None:
    """Nothing read, wrong arguments, or an error on the way: the old report stands, and nothing lies beside it."""
    report_file = tmp_path / "report"
    report_file.write_text("old", encoding="utf-8")
    absent, capture = tmp_path / "absent.pcap", folder / "reset.pcap"
    for form in FORMATS:
        assert status_of("scan", "--format", form, "--out", report_file, absent) == 3
    assert status_of("scan", "--analyzers", "horoscope", "--out", report_file, capture) == 2
    assert status_of("compare", "--out", report_file, capture, "--against", absent) == 3
    assert status_of("explain", "--out", report_file, absent, "1") == 3
    assert status_of("explain", "--out", report_file, capture, "999999") == 2
    assert status_of("redact", "--out", report_file, absent) == 3
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


def hostile(path: Path, scenario: str) -> Path:
    """Play a scenario in which every name is followed by what a terminal obeys, as plain HTTP carries it."""
    played = simulate.run(scenario, 1)
    name = HOSTILE.encode()
    frames = [swapped(frame, name) for frame in played.frames]
    write_pcap(path, played.times, frames, played.link_type)
    return path


def swapped(frame: bytes, name: bytes) -> bytes:
    """Overwrite a Host field with a hostile name of the same size."""
    begin = frame.find(b"Host: ") + 6
    end = frame.find(b"\r\n", begin)
    if begin < 6 or end < 0:
        return frame
    return frame[:begin] + (name * (1 + (end - begin) // len(name)))[: end - begin] + frame[end:]


def test_no_name_reaches_the_terminal_alive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every verb and form shows names from the wire as they are safe to show; JSON keeps what they were."""
    path = hostile(tmp_path / "a.pcap", "http.blockpage.generic")
    host = next(name for name in netinterf.read(path).http.host if "\x1b" in name)
    runs: list[list[Any]] = [
        *(["scan", "--all", "--format", form, path] for form in FORMATS if form not in BYTES),
        *(["compare", "--all", "--format", form, path, "--against", path] for form in ("text", "jsonl")),
        *(["explain", "--format", form, path, "1"] for form in ("text", "jsonl")),
    ]
    seen = 0
    for arguments in runs:
        main([str(word) for word in arguments])
        told = capsys.readouterr().out
        assert all(line.isprintable() for line in told.split("\n")), arguments
        if "jsonl" in arguments:
            seen += sum(json.dumps(host)[1:-1].lower() in json.dumps(json.loads(line)) for line in told.splitlines())
    assert seen
