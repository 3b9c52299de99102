import gzip
import json
import sys
from pathlib import Path

import pytest

from benchmarks import bombs
from benchmarks.capture import SLOTS, write_capture
from benchmarks.examples import EXAMPLES, FOLDER, LABELS, build
from benchmarks.hostile import complaint
from benchmarks.machine import describe, table
from benchmarks.watch import Cost, run_watched
from netinterf.capture import open_capture
from netinterf.decode import decode
from netinterf.errors import UnknownFormat
from netinterf.simulate import Labels


def test_the_shipped_examples_equal_their_seeds() -> None:
    """Captures and labels in the package are what their scenarios give."""
    captures, labels = build()
    assert (FOLDER / LABELS).read_text(encoding="utf-8") == labels
    for name, content in captures.items():
        assert gzip.decompress((FOLDER / f"{name}.pcap.gz").read_bytes()) == content


def test_the_shipped_examples_are_small_and_labelled() -> None:
    """Together they stay below 200 kB, and each has its mechanism in the labels."""
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 200_000
    labels = json.loads((FOLDER / LABELS).read_text(encoding="utf-8"))
    for name in EXAMPLES:
        found = {truth.mechanism for truth in Labels.from_dict(labels[name]).truths} - {None}
        assert found == (set() if name == "benign" else {name})


def test_the_speed_capture_is_readable(tmp_path: Path) -> None:
    """Its packets decode without a complaint, whole or cut, in order of time."""
    for snaplen in (262_144, 96):
        path = tmp_path / f"{snaplen}.pcap"
        count = write_capture(path, connections=20, snaplen=snaplen)
        capture = open_capture(path)
        packets = decode(capture.buffer, capture.records, [1]).packets
        assert len(packets) == count == 20 * SLOTS
        assert (
            packets.captured_length if hasattr(packets, "captured_length") else capture.records.captured
        ).max() <= 1514
        assert (capture.records.captured.max() <= 96) == (snaplen == 96)


def test_a_watched_program_is_measured_and_ended() -> None:
    """Time, status and memory are seen; one that takes too long or too much is ended."""
    cost = run_watched([sys.executable, "-c", "x = bytearray(80 << 20); import time; time.sleep(0.2)"])
    assert cost.status == 0
    assert cost.processor > 0
    assert cost.anonymous is None or cost.anonymous > 80 << 20
    assert run_watched([sys.executable, "-c", "while True: pass"], timeout=0.2).status != 0


@pytest.mark.parametrize(
    ("cost", "says"),
    [
        (Cost(1.0, 0.5, 0, 1, 1, ""), ""),
        (Cost(1.0, 0.5, 3, 1, 1, "x: no capture"), ""),
        (Cost(11.0, 0.5, 0, 1, 1, ""), "took"),
        (Cost(1.0, 0.5, 0, 600 << 20, 1, ""), "used"),
        (Cost(1.0, 0.5, 1, 1, 1, "Traceback (most recent call last):\nValueError: no"), "ValueError: no"),
        (Cost(1.0, 0.5, -11, 1, 1, ""), "exit status -11"),
    ],
)
def test_misbehaviour_is_named(cost: Cost, says: str) -> None:
    """Tracebacks, hangs, memory and odd exit statuses are complaints; refusals are not."""
    assert complaint(cost).startswith(says)
    assert bool(complaint(cost)) == bool(says)


def test_results_say_what_they_ran_on() -> None:
    """Machine, versions and commit are there."""
    assert {"machine", "python", "versions", "commit"} <= set(describe())


def test_tables_line_up() -> None:
    """Numbers go to the right, missing ones become a dash."""
    assert table(["name", "n"], [["a", 1000], ["long", None]]).splitlines()[2:] == ["a     1,000", "long      -"]


def test_bombs_are_small_and_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each weighs next to nothing, and is a capture that goes on with one thing."""
    monkeypatch.setattr(bombs, "SIZE", 2 << 20)
    *paths, twice = bombs.write_bombs(tmp_path)
    assert len(paths) == len(bombs.BOMBS)
    for path, (head, unit) in zip(paths, bombs.BOMBS.values(), strict=True):
        whole = gzip.decompress(path.read_bytes())
        assert whole.startswith(head + unit * 2)
        assert path.stat().st_size < 10_000
        assert open_capture(path).format.endswith("+gzip")
    with pytest.raises(UnknownFormat):
        open_capture(twice)
