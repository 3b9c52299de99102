"""``netinterf wireshark`` writes a profile by which Wireshark shows what is said of packets."""

import os
import subprocess
from pathlib import Path

import pytest

import netinterf
from netinterf import simulate
from netinterf.capture import write_pcap
from tests.cli.here import run_here

SCENARIOS = {"tcp.reset": 1, "dns.injection": 1, "tcp.reset.benign": 1}


def shown(path: Path, settings: Path, *options: str) -> list[str]:
    """Have tshark show a file as Wireshark does with the profile."""
    run = subprocess.run(
        ["tshark", "-C", "netinterf", "-n", "-r", os.fspath(path), *options],
        env={**os.environ, "WIRESHARK_CONFIG_DIR": os.fspath(settings)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not [line for line in run.stderr.splitlines() if "root" not in line]  # every line of the profile is taken
    return run.stdout.splitlines()


@pytest.mark.tshark
@pytest.mark.usefixtures("tshark")
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_frames_have_the_colour_of_what_is_said_of_them(scenario: str, tmp_path: Path) -> None:
    """By the grade of the verdict where they show it, as evidence where they speak for or against, else none."""
    played = simulate.run(scenario, SCENARIOS[scenario])
    write_pcap(tmp_path / "capture.pcap", played.times, played.frames, played.link_type)
    result = netinterf.scan(tmp_path / "capture.pcap")
    verdict = max(result.verdicts, key=lambda one: (one.found, len(one.evidence)))
    result.extract(verdict, tmp_path / "proof.pcapng")
    assert run_here("wireshark", tmp_path / "settings").returncode == 0
    fields = ("-T", "fields", "-e", "frame.coloring_rule.name", "-e", "frame.comment", "--color")
    rules = dict.fromkeys(("evidence", str(verdict.grade)), 0)
    for line in shown(tmp_path / "proof.pcapng", tmp_path / "settings", *fields):
        rule, comment = line.split("\t")
        grade = str(verdict.grade) if ": shows " in comment else "evidence"
        assert rule == (f"netinterf: {grade}" if comment else "")
        rules[grade] += bool(comment)
    assert bool(rules["evidence"] or rules[str(verdict.grade)]) is bool(verdict.evidence)
    assert bool(rules[str(verdict.grade)]) is verdict.found
    columns = shown(tmp_path / "proof.pcapng", tmp_path / "settings")
    assert sum("netinterf, frame " in line for line in columns) == sum(rules.values())


def test_it_goes_where_wireshark_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder that is named, that of the environment, the old one where only that is there, or the new one."""
    monkeypatch.delenv("WIRESHARK_CONFIG_DIR", raising=False)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", os.fspath(tmp_path))
    monkeypatch.setenv("USERPROFILE", os.fspath(tmp_path))
    expected = [tmp_path / ".wireshark", tmp_path / ".config" / "wireshark", tmp_path / "own", tmp_path / "named"]
    expected[0].mkdir()
    for number, folder in enumerate(expected):
        if number == 1:
            folder.mkdir(parents=True)
        if number == 2:
            monkeypatch.setenv("WIRESHARK_CONFIG_DIR", os.fspath(folder))
        run = run_here("wireshark", *([folder] if number == 3 else []))
        assert (run.returncode, run.stderr) == (0, "")
        written = {path.name for path in (folder / "profiles" / "netinterf").iterdir()}
        assert written == {"colorfilters", "dfilter_buttons", "preferences"}
        assert f"{folder}" in run.stdout


def test_where_nothing_can_be_written_it_says_so(tmp_path: Path) -> None:
    """One line, and the exit status of an answer that could not be written."""
    (tmp_path / "file").write_bytes(b"")
    run = run_here("wireshark", tmp_path / "file")
    assert (run.returncode, run.stdout) == (74, "")
    assert run.stderr.count("\n") == 1
