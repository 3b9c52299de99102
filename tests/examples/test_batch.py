"""The manual's batch judges a folder with processes of its own, and says what a plain scan says."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import netinterf
from netinterf.engine.examples import FOLDER

ROOT = Path(__file__).resolve().parents[2]
BATCH = ROOT / "docs" / "examples" / "batch.py"


def test_a_folder_is_judged_on_all_cores(tmp_path: Path) -> None:
    """Verdicts come in the order of the paths, progress and files that cannot be read go to standard error."""
    folder = tmp_path / "captures"
    folder.mkdir()
    for name in ("benign.pcap.gz", "dns.injection.pcap.gz", "tcp.reset.pcap.gz"):
        shutil.copy(str(FOLDER / name), folder)
    (folder / "cut.pcap").write_bytes(bytes.fromhex("d4c3b2a1"))
    words = [sys.executable, "-X", "dev", "-W", "error", BATCH, folder, tmp_path / "found.jsonl"]
    done = subprocess.run(
        words, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    told = done.stderr.splitlines()
    assert [line.split(":")[0] for line in told[:-1]] == ["0 of 4", "1 of 4", "2 of 4", "3 of 4", "4 of 4"]
    assert told[-1].startswith(f"{folder / 'cut.pcap'}: ")
    found = [json.loads(line) for line in (tmp_path / "found.jsonl").read_text("utf-8").splitlines()]
    result = netinterf.scan(folder)
    expected = [(verdict.capture, verdict.outcome, verdict.probability) for verdict in result.verdicts]
    assert [
        (one["capture"], one["outcome"], one["probability"]) for one in found if one["type"] == "verdict"
    ] == expected
    assert done.stdout.splitlines()[0] == f"3 captures, {len(expected)} verdicts"
