"""What could not be read is said in every form that an answer can have, beside what could."""

import json
from pathlib import Path
from typing import Any

import pytest

import netinterf
from netinterf import export, report, simulate
from netinterf.capture import write_pcap
from netinterf.cli.exit_status import EXIT_NO_INPUT
from netinterf.cli.formats import FORMATS
from tests.cli.here import Run, run_here

CODES = {
    "absent.pcap": "capture.unreadable",
    "empty.pcap": "capture.unreadable",
    "text.pcap": "capture.unknown_format",
    "usb.pcap": "capture.link_type",
}
"""What is wrong with each file, by the codes of the lines."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One capture that can be read, and one file for each way in which one cannot; one is not there."""
    folder = tmp_path_factory.mktemp("mixed")
    played = simulate.run("tcp.reset", 1)
    simulate.write(played, folder / "reset.pcap")
    (folder / "empty.pcap").touch()
    (folder / "text.pcap").write_text("Dear reader, this is no capture.\n", encoding="utf-8")
    write_pcap(folder / "usb.pcap", played.times, played.frames, 189)
    return folder


def scan(folder: Path, *options: str, good: bool = True) -> Run:
    """Scan what cannot be read, with or without a capture that can."""
    return run_here("scan", *options, *(folder / name for name in CODES), *([folder / "reset.pcap"] if good else []))


def lines(told: str) -> list[dict[str, Any]]:
    """Read JSON lines."""
    return [json.loads(line) for line in told.splitlines()]


def told_of(errors: list[dict[str, Any]], folder: Path) -> None:
    """Check that lines tell of each file once, with its code and a sentence."""
    assert {Path(line["capture"]).name: line["code"] for line in errors} == CODES
    assert len(errors) == len(CODES)
    assert all(set(line) == {"type", "schema", "capture", "code", "message"} for line in errors)
    assert all(line["message"] and str(folder) not in line["message"] for line in errors)


def test_every_form_tells(folder: Path, tmp_path: Path) -> None:
    """Whatever the form, whoever has only the answer knows which files are missing in it."""
    for form in FORMATS:
        done = scan(folder, "--format", form, "--out", str(tmp_path / form))
        assert done.returncode == 0
        said = (tmp_path / form).read_bytes().decode("utf-8", "replace")
        assert [name for name in CODES if name not in said] == []


def test_json_lines_have_a_line_for_each(folder: Path) -> None:
    """Behind the captures, and the last line counts them; also where nothing could be read, as the status says."""
    found = lines(scan(folder, "--format", "jsonl").stdout)
    told_of([line for line in found if line["type"] == "error"], folder)
    assert (found[0]["type"], found[-1]["captures"], found[-1]["errors"]) == ("capture", 1, len(CODES))
    done = scan(folder, "--format", "jsonl", good=False)
    assert done.returncode == EXIT_NO_INPUT
    told_of(lines(done.stdout)[:-1], folder)


def test_people_read_it_below(folder: Path) -> None:
    """The text has them last, with the reasons, which are on standard error as well."""
    done = scan(folder)
    _, below = done.stdout.split("\nCould not be read:\n")
    assert "INTERFERED" not in below
    assert all(str(folder / name) in below.replace("\n    ", "") for name in CODES)
    assert sum(line.count(str(folder)) for line in done.stderr.splitlines()) == len(CODES)


def test_parquet_has_them_in_its_metadata(folder: Path, tmp_path: Path) -> None:
    """Rows are verdicts."""
    parquet = pytest.importorskip("pyarrow.parquet")
    scan(folder, "--format", "parquet", "--out", str(tmp_path / "found.parquet"))
    metadata = parquet.read_metadata(tmp_path / "found.parquet").metadata
    told_of(json.loads(metadata[export.parquet.__globals__["ERRORS"].encode()]), folder)


def test_a_comparison_tells_of_both_sides(folder: Path) -> None:
    """Of captures on either side."""
    words = [
        "compare",
        folder / "reset.pcap",
        folder / "text.pcap",
        "--against",
        folder / "reset.pcap",
        folder / "usb.pcap",
    ]
    found = [line for line in lines(run_here(*words, "--format", "jsonl").stdout) if line["type"] == "error"]
    assert [Path(line["capture"]).name for line in found] == ["text.pcap", "usb.pcap"]
    below = run_here(*words).stdout.partition("Could not be read:")[2]
    assert "text.pcap" in below
    assert "usb.pcap" in below


def test_what_is_watched_and_cannot_be_read_is_a_line() -> None:
    """A pipe that holds no capture."""
    error, end = lines(run_here("watch", "--format", "jsonl", "-", stdin=b"Dear reader, " * 9).stdout)
    assert (error["type"], error["code"], end["errors"]) == ("error", "capture.unknown_format", 1)


def test_redacted_it_tells_no_path(folder: Path) -> None:
    """The kind of problem is kept, the name and what the reason quotes are not."""
    done = scan(folder, "--format", "jsonl", "--redact")
    errors = [line for line in lines(done.stdout) if line["type"] == "error"]
    assert sorted(line["code"] for line in errors) == sorted(CODES.values())
    assert str(folder) not in done.stdout


def test_functions_tell_what_a_result_knows(folder: Path, tmp_path: Path) -> None:
    """Who has the result needs to hand over nothing else."""
    result = netinterf.scan([str(folder / name) for name in (*CODES, "reset.pcap")])
    export.jsonl(result, tmp_path / "found.jsonl")
    told_of([line for line in lines((tmp_path / "found.jsonl").read_text("utf-8")) if line["type"] == "error"], folder)
    assert "Could not be read:" in report.text(result)
