"""``netinterf watch`` beside a run of the lab: how long after a forged packet its finding is told."""

import contextlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import attrs
import numpy as np

from benchmarks.lab.netns import DEVICE
from benchmarks.lab.plays import SCENARIOS
from benchmarks.lab.processes import ROOT
from benchmarks.lab.runner import perform
from benchmarks.lab.scenario import Stage
from benchmarks.watch import ENVIRONMENT
from netinterf.capture import open_capture

__all__ = ["Told", "told_in"]

PIECE = 1 << 16
WARM = 4.0  # s in which the watcher loads what it needs, before anybody interferes


@attrs.frozen
class Told:
    """When the first finding of a run was told.

    Args:
        scenario: What the lab played.
        mechanism: What was found; None for nothing.
        seconds: From the capture of the first packet held to be forged to the line that says so.
        by_tcpdump: Of these, until tcpdump had handed the packet over.
        by_evidence: Until the capture of the last packet that the finding names: before, it could not be told.
    """

    scenario: str
    mechanism: str | None
    seconds: float
    by_tcpdump: float
    by_evidence: float


class Watcher:
    """A tcpdump in a namespace, piped into a watcher, with the time of everything that passes."""

    def __init__(self, namespace: str) -> None:
        self.lines: list[tuple[float, dict[str, Any]]] = []
        self.passed: list[tuple[float, bytes]] = []
        record = f"ip netns exec {namespace} tcpdump -i {DEVICE} -n -p -U --immediate-mode -Z root -w -".split()
        judge = [sys.executable, "-m", "netinterf", "watch", "--format", "jsonl", "-"]
        self.judge = subprocess.Popen(
            judge, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env={**ENVIRONMENT, "PYTHONPATH": str(ROOT)}
        )
        self.record = subprocess.Popen(record, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.threads = [
            threading.Thread(target=self.hand_over, args=(self.record.stdout, self.judge.stdin)),
            threading.Thread(target=self.listen, args=(self.judge.stdout,)),
        ]
        for one in self.threads:
            one.start()

    def hand_over(self, source: IO[bytes], target: IO[bytes]) -> None:
        """Pass on what tcpdump writes."""
        while piece := source.read1(PIECE):  # type: ignore[attr-defined]
            self.passed.append((time.time(), piece))
            target.write(piece)
            target.flush()
        target.close()

    def listen(self, source: IO[bytes]) -> None:
        """Keep what the watcher tells, with the time."""
        for line in source:
            self.lines.append((time.time(), json.loads(line)))

    def end(self) -> None:
        """End tcpdump, and wait for the watcher."""
        self.record.terminate()
        for one in (self.record, self.judge):
            one.wait(30)
        for thread in self.threads:
            thread.join(30)


def told_in(scenario: str, seed: int) -> Told:
    """Play a scenario of the lab while a watcher listens at its client.

    Raises:
        RuntimeError: A program did not start.
    """
    play = next(one for one in SCENARIOS if one.name == scenario)
    watchers: list[Watcher] = []

    @contextlib.contextmanager
    def beside(namespace: str) -> Iterator[None]:
        watchers.append(Watcher(namespace))
        time.sleep(WARM)
        try:
            yield
        finally:
            watchers[0].end()

    with tempfile.TemporaryDirectory(prefix="lab-") as held:
        stage = Stage(play, seed, Path(held))
        play.play(stage)
        perform(stage, beside)
    return first_told(scenario, watchers[0])


def first_told(scenario: str, watcher: Watcher) -> Told:
    """Find the first finding, and when its packet passed."""
    found = [(at, line) for at, line in watcher.lines if line.get("outcome") == "interfered"]
    if not found:
        return Told(scenario, None, float("nan"), float("nan"), float("nan"))
    at, line = found[0]
    records = open_capture(b"".join(piece for _, piece in watcher.passed)).records
    row = int((records.frame == min(line["frames"])).argmax())
    end = int(records.at[row]) + int(records.captured[row])
    ends = np.cumsum([len(piece) for _, piece in watcher.passed])
    handed = watcher.passed[int(np.searchsorted(ends, end))][0]
    named = {*line["frames"], *(frame for seen in line["evidence"] for frame in seen["frames"])}
    last = records.time[np.isin(records.frame, list(named))].max()
    captured = int(records.time[row]) / 1e9
    return Told(scenario, line["mechanism"], at - captured, handed - captured, int(last) / 1e9 - captured)
