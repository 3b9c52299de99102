"""The verb that makes captures: what it writes, what it lists, and how it complains."""

import json
from pathlib import Path

import pytest

from netinterf import read
from netinterf.simulate import scenarios
from tests.cli.here import Run, run_here


def run(*arguments: object, cwd: Path) -> Run:
    """Run the command; it never fails with a traceback."""
    done = run_here("simulate", *arguments, cwd=cwd)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_a_capture_and_its_truth_are_written(tmp_path: Path) -> None:
    """The capture can be read, the labels name forged frames of it, and one line says what was made."""
    done = run("tcp.reset", "--seed", 4, "--vantage", "client", "--clean", "--out", "out.pcap", cwd=tmp_path)
    assert done.returncode == 0
    trace = read(tmp_path / "out.pcap")
    labels = json.loads((tmp_path / "out.labels.json").read_text())
    assert labels["vantage"] == "client"
    assert labels["conditions"]["ip"] == 4
    forged = [frame for truth in labels["truths"] for frame in truth["forged"]]
    assert forged
    assert max(forged) <= len(trace.packets)
    assert f"{len(trace.packets):,} packets" in done.stdout
    assert f"{len(forged)} forged packets" in done.stdout


def test_without_a_file_the_name_tells_scenario_and_seed(tmp_path: Path) -> None:
    """The default name holds what is needed to make the capture again, and the same words make the same bytes."""
    for _ in range(2):
        assert run("dns.injection", "--seed", 2, "--ip", 6, cwd=tmp_path).returncode == 0
        made = (tmp_path / "dns.injection.2.pcap").read_bytes()
        (tmp_path / "dns.injection.2.pcap").rename(tmp_path / "first.pcap")
    assert (tmp_path / "first.pcap").read_bytes() == made


def test_the_list_has_a_line_for_every_scenario(tmp_path: Path) -> None:
    """All names are listed with what they do; a part of a name narrows the list."""
    lines = run("--list", cwd=tmp_path).stdout.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == [play.name for play in scenarios()]
    assert lines[-1].startswith(f"{len(scenarios())} scenarios")
    some = run("--list", "tcp.fin", cwd=tmp_path).stdout.splitlines()
    assert 1 < len(some) < len(lines)
    assert all("tcp.fin" in line for line in some[:-1])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nothing"], "no scenario is named nothing (all: netinterf simulate --list)"),
        (["tcp.fin"], "tcp.fin.generic"),
        ([], "name a scenario"),
        (["tcp.reset", "--seed", "-1"], "from 0 on"),
        (["tcp.reset", "--ip", "5"], "invalid choice"),
    ],
)
def test_wrong_usage_is_one_clear_line(words: list[str], says: str, tmp_path: Path) -> None:
    """The exit status is 2 and the only line says what would be right."""
    done = run(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert says in done.stderr


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The file's name and the reason are told."""
    done = run("tcp.reset", "--out", "missing/out.pcap", cwd=tmp_path)
    assert done.returncode == 74
    assert "missing/out.pcap" in done.stderr


def test_a_campaign_is_written(tmp_path: Path) -> None:
    """One line says what was made; what is of a scenario alone is refused, and the other way round."""
    done = run("campaign", "--seed", 3, "--networks", 2, "--names", 4, "--runs", 1, "--jobs", 1, cwd=tmp_path)
    assert done.returncode == 0
    assert "campaign.3: 2 captures of 2 networks and 4 names" in done.stdout
    assert len(list((tmp_path / "campaign.3").rglob("*.pcap"))) == 2
    for words, says in (
        (["campaign", "--snaplen", 0], "--snaplen is for a scenario"),
        (["tcp.reset", "--runs", 0], "--runs is for campaign"),
        (["campaign", "--jobs", 0], "jobs 0"),
        (["campaign", "--seed", 4, "--out", "campaign.3"], "campaign.3: expected an empty one"),
    ):
        done = run(*words, cwd=tmp_path)
        assert done.returncode == 2
        assert says in done.stderr
