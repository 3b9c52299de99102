"""The verb of many captures, as a user runs it."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from netinterf import Campaign
from tests.cli.here import ROOT, Run, run_here
from tests.unit.campaign.captures import entries, observations, write


def run(folder: Path, *words: object) -> Run:
    """Run the command."""
    return run_here("campaign", "collect", *words, cwd=folder)


def test_captures_are_collected_and_counted(tmp_path: Path) -> None:
    """One line says what was added; problems are lines, and do not change the exit status."""
    write(tmp_path / "in", 2)
    (tmp_path / "in" / "notes.txt").write_text("x", encoding="utf-8")
    done = run(tmp_path, "in", "gone.pcap", "--into", "s", "--jobs", 1)
    assert (done.returncode, done.stdout) == (
        0, "s: 2 captures added, 1 that cannot be read, 1 that are no captures\n",
    )  # fmt: skip
    assert done.stderr == "netinterf: gone.pcap: there is no such file or folder\n"
    shutil.copy(tmp_path / "in" / "0000.pcap", tmp_path / "copy.pcap")
    done = run(tmp_path, "in", "copy.pcap", "--into", "s", "--jobs", 1)
    assert done.stdout == (
        "s: 0 captures added, 1 with a content that was there, 2 there before, 1 that are no captures\n"
    )
    assert done.stderr == "netinterf: copy.pcap: its content is in the store already, and counts once\n"


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        ((), 2, "name captures"),
        (("x", "--manifest", "m"), 2, "name captures"),
        (("--manifest", "m", "--place", "p"), 2, "--place goes with captures"),
        (("--manifest", "absent"), 2, "--manifest absent: expected a readable CSV file"),
        (("x", "--jobs", "0"), 2, "--jobs 0: expected 1 or more"),
        (("x", "--jobs", "1", "--scheduler", "tcp://127.0.0.1:1"), 2, "do not go with --scheduler"),
        (("x", "--names", "absent"), 2, "--names absent: expected a readable text file"),
        (("x", "--place", "a\tb"), 2, "--place"),
        (("x",), 3, "x: there is no such file or folder"),
    ],
)
def test_wrong_usage_is_one_line(tmp_path: Path, words: tuple[str, ...], status: int, says: str) -> None:
    """What is wrong, and the exit status that says whose fault it is."""
    done = run(tmp_path, *words, "--into", "s")
    assert (done.returncode, len(done.stderr.splitlines())) == (status, 1)
    assert says in done.stderr


def started(folder: Path, *words: str, limit: int = 0) -> subprocess.Popen[str]:
    """Start the command in a process of its own, which can write no file longer than *limit*, if told."""
    program = "from netinterf.cli.main import main; import sys; sys.exit(main())"
    if limit:
        program = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit})); {program}"
    return subprocess.Popen(
        [sys.executable, "-c", program, "campaign", "collect", *words],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="processes are ended otherwise there")
def test_a_killed_collect_is_readable_and_resumed(tmp_path: Path) -> None:
    """Ended without warning in the middle, its workers end as well; the next call does the rest, once."""
    write(tmp_path / "in", 24)
    process = started(tmp_path, "in", "--into", "s", "--jobs", "1")
    while len(list((tmp_path / "s").glob("captures/*.parquet"))) < 2:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    _, problems = process.communicate()  # which ends when the last worker has let go of standard error
    assert "Traceback" not in problems
    there = len(entries(tmp_path / "s"))
    assert 2 <= there < 24
    Campaign(tmp_path / "whole").collect(tmp_path / "in")
    assert set(observations(tmp_path / "s")) <= set(observations(tmp_path / "whole"))
    assert run(tmp_path, "in", "--into", "s", "--jobs", 1).stdout.startswith("s: ")
    assert observations(tmp_path / "s") == observations(tmp_path / "whole")
    assert len(entries(tmp_path / "s")) == 24


@pytest.mark.skipif(os.name == "nt", reason="there is no limit of this kind")
def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    """What was collected before stays readable, and the exit status is that of an output that cannot be written."""
    paths = write(tmp_path / "in", 2)
    Campaign(tmp_path / "s").collect(paths[0])
    before = observations(tmp_path / "s")
    process = started(tmp_path, "in", "--into", "s", "--jobs", "1", limit=9000)
    output, problems = process.communicate()
    assert (process.returncode, output) == (74, "")
    assert re.fullmatch(r"netinterf: s: .*; what was collected before is in the store", problems.splitlines()[-1])
    assert observations(tmp_path / "s") == before
    assert run(tmp_path, "in", "--into", "s", "--jobs", 1).returncode == 0
    assert len(observations(tmp_path / "s")) == 2 * len(before)


def test_small_parts_are_merged(tmp_path: Path) -> None:
    """One line says how many there were and are; what is no store is one line as well."""
    for path in write(tmp_path / "in", 2):
        run(tmp_path, path, "--into", "s", "--jobs", 1)
    before = observations(tmp_path / "s")
    done = run_here("campaign", "compact", "s", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "s: 2 parts, now 1\n")
    assert observations(tmp_path / "s") == before
    done = run_here("campaign", "compact", "in", cwd=tmp_path)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
