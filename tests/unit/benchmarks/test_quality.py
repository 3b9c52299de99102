import json
from pathlib import Path

import pytest

from benchmarks import quality
from benchmarks.__main__ import main
from benchmarks.scoreboard.judging import LIBRARY
from netinterf.simulate import run, write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Fill a labelled folder with two captures."""
    root = tmp_path / "folder"
    root.mkdir()
    for name, seed in (("tcp.reset", 7), ("benign.tcp.traffic", 7)):
        write(run(name, seed), root / f"{name}.pcap")
    return root


def test_sources_are_measured_together(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Simulator and folder stand in one run, beside the rivals."""
    plan = quality.Plan(captures=(folder,), simulator=True, pattern="*traffic*", seeds=1, long_run=500, jobs=1)
    found = quality.run(plan, listing=True)
    assert found["failed"] == {}
    assert all(found["false_alarms"][name]["together"]["units"] > 0 for name in ("simulator", "folder"))
    assert found["long_run"]["relived"]["subjects"] >= 500
    assert LIBRARY in found["rivals"]["tcp.reset"]
    printed = capsys.readouterr().out
    assert all(title in printed for title in ("== Mechanisms ==", "== By condition ==", "== Long run ==", "failures"))


def test_the_command_takes_folders(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is named is all that is measured, nothing failed, and the results are written as JSON."""
    out = tmp_path / "results" / "quality.json"
    words = ["--jobs", "1", "--no-rivals", "--quick", "--json", str(out)]
    status = main(["quality", "--captures", str(folder), *words])
    printed = capsys.readouterr().out
    written = json.loads(out.read_text())
    assert status == 0
    assert written["mechanisms"]["tcp.reset"]["found"] > 0
    assert written["ran_on"]["versions"]["numpy"]
    assert "captures                2," in printed
    assert "== Rivals ==" not in printed


def test_a_folder_filled_by_the_lab_is_one_more_source(folder: Path) -> None:
    """Captures of the lab are timed; patterns are for folders and scenarios."""
    jobs = quality.jobs_of(quality.Plan(simulator=True, seeds=3, pattern="*traffic"), lab=folder)
    assert [(job.source, job.timed) for job in jobs[:2]] == [("lab", True)] * 2
    assert [(job.scenario, job.seed, job.timed) for job in jobs[2:]] == [
        ("benign.tcp.traffic", quality.FIRST_SEED + seed, seed < quality.TIMED_SEEDS) for seed in range(3)
    ]


def test_worker_processes_change_nothing(folder: Path) -> None:
    """Results come in the order of the captures, whoever judged them."""
    jobs = quality.jobs_of(quality.Plan(captures=(folder,), rivals=False))
    alone, shared = (list(quality.judge_all(jobs, count)) for count in (1, 2))
    assert [one.capture for one in shared] == ["benign.tcp.traffic.pcap", "tcp.reset.pcap"]
    assert [one.units for one in alone] == [one.units for one in shared]
