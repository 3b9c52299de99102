"""The verb that compares, as a user runs it."""

import json
from pathlib import Path

import pytest

from benchmarks.compare.places import KINDS, play_pair
from netinterf.capture import write_pcap
from tests.cli.here import Run, run_here


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with captures of a place that swallows hellos, and of one that does not."""
    folder = tmp_path_factory.mktemp("pair")
    _, here, there = play_pair(next(kind for kind in KINDS if kind.name == "hello swallowed"), 103)
    for name, played in (("here", here), ("there", there)):
        write_pcap(folder / f"{name}.pcap", played.times, played.frames, played.link_type, lengths=played.lengths)
    return folder


def run(folder: Path, *arguments: str) -> Run:
    """Run the command."""
    return run_here("compare", *arguments, cwd=folder)


def test_blocks_are_named_and_the_exit_status_tells(pair: Path) -> None:
    """Text for people; 0 whatever was found, 1 when asked to fail on it, and 0 the other way round."""
    done = run(pair, "here.pcap", "--against", "there.pcap")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("here:  here.pcap: ")
    assert "BLOCKED: site0.example.com over tcp/tls, tcp.drop" in done.stdout
    assert run(pair, "here.pcap", "--against", "there.pcap", "--fail-on", "interfered").returncode == 1
    assert run(pair, "there.pcap", "--against", "here.pcap", "--fail-on", "interfered").returncode == 0


def test_lines_go_to_a_file(pair: Path) -> None:
    """With --out nothing is printed, and each line is an object."""
    done = run(pair, "here.pcap", "--against", "there.pcap", "--format", "jsonl", "--out", "found.jsonl", "--all")
    assert (done.returncode, done.stdout) == (0, "")
    lines = [json.loads(line) for line in (pair / "found.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines[0]["type"] == "compared"
    assert lines[0]["findings"]["blocked"] == sum(line.get("finding") == "blocked" for line in lines) == 2


def test_redacted_sides_compare_alike(pair: Path) -> None:
    """Addresses and names are replaced alike on both sides, so the findings are those of the originals."""
    words = ("here.pcap", "--against", "there.pcap", "--format", "jsonl", "--all")
    plain, hidden = (run(pair, *words, *more).stdout for more in ((), ("--redact",)))
    assert "example.com" in plain
    assert "example.com" not in hidden
    assert "here.pcap" not in hidden
    told = [[json.loads(line) for line in text.splitlines()] for text in (plain, hidden)]
    assert told[0][0]["findings"] == told[1][0]["findings"]
    end = {"type": "end", "schema": 1, "captures": 2, "verdicts": len(told[0]) - 2, "errors": 0}
    assert told[0][-1] == told[1][-1] == end
    numbers = [[(one["finding"], one["grade"], one["difference"]) for one in lines[1:-1]] for lines in told]
    assert sorted(map(str, numbers[0])) == sorted(map(str, numbers[1]))


def test_a_side_that_cannot_be_read_is_one_line(pair: Path) -> None:
    """The file and the reason are named, and the exit status is that of no input."""
    done = run(pair, "here.pcap", "--against", "absent.pcap")
    assert (done.returncode, done.stdout) == (3, "")
    assert [line.split(":")[1].strip() for line in done.stderr.splitlines()] == [
        "absent.pcap", "nothing to compare against",
    ]  # fmt: skip


def test_without_a_control_it_is_wrong_usage(pair: Path) -> None:
    """The control is not optional."""
    done = run(pair, "here.pcap")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "--against" in done.stderr
