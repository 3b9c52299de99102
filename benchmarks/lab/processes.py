"""Starts the programs and recorders of a run and ends them together."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.lab.netns import DEVICE

__all__ = ["Programs", "urgent"]

ROOT = Path(__file__).resolve().parents[2]
SNAPLEN = 2_048  # more than any frame here; the recorder's buffer is cut into slots of this size
BUFFER = 32_768  # kibibytes
FILTER = "(ip or ip6) and not ether multicast"
DROPPED = re.compile(r"(\d+) packets? dropped by kernel")


def urgent(process: int) -> None:
    """Let a process come before everybody else's work: who keeps the time or the record may not wait (0: this one)."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(process, os.SCHED_FIFO, os.sched_param(1))


class Programs:
    """Programs under way, ended together."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: list[tuple[str, subprocess.Popen[str]]] = []

    def start(self, name: str, namespace: str, words: Sequence[str], sign: str = "") -> subprocess.Popen[str]:
        """Start a program, in a namespace unless that is empty; wait until it prints *sign*."""
        place = ["ip", "netns", "exec", namespace] if namespace else []
        said = (self.folder / f"{name}.err").open("w+", encoding="utf-8")
        one = subprocess.Popen(
            [*place, *words],
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        said.close()
        self.running.append((name, one))
        limit = time.monotonic() + 20
        while sign and sign not in self.said(name):
            if one.poll() is not None or time.monotonic() > limit:
                raise RuntimeError(f"{name} did not start: {self.said(name)}")
            time.sleep(0.01)
        return one

    def python(self, name: str, namespace: str, module: str, spec: Any, *, ready: bool = True) -> subprocess.Popen[str]:
        """Start a program of the lab with its specification."""
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(spec), encoding="utf-8")
        one = self.start(name, namespace, [sys.executable, "-m", f"benchmarks.lab.{module}", str(path)])
        if ready and (one.stdout is None or one.stdout.readline().strip() != "ready"):
            raise RuntimeError(f"{name} did not start: {self.said(name)}")
        return one

    def capture(self, side: str, namespace: str) -> None:
        """Record what crosses the wire of a host, into ``SIDE.pcap``."""
        words = f"tcpdump -i {DEVICE} -n -p --immediate-mode -s {SNAPLEN} -B {BUFFER} -Z root -w".split()
        path = str(self.folder / f"{side}.pcap")
        recorder = self.start(f"capture-{side}", namespace, [*words, path, FILTER], sign="listening on")
        urgent(recorder.pid)

    def lost(self) -> int:
        """Count the packets that the recorders missed, once they have ended."""
        found = [DROPPED.findall(path.read_text(encoding="utf-8")) for path in self.folder.glob("capture-*.err")]
        return sum(int(numbers[-1]) for numbers in found if numbers)

    def said(self, name: str) -> str:
        """Give what a program wrote to standard error."""
        return (self.folder / f"{name}.err").read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """End every program, the captures after the rest, the box last."""
        for name, one in sorted(self.running, key=lambda item: (item[0].startswith("capture"), item[0] == "box")):
            with contextlib.suppress(ProcessLookupError):
                one.send_signal(signal.SIGINT if name.startswith("capture") else signal.SIGTERM)
            try:
                one.wait(5)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()
            if one.stdout is not None:
                one.stdout.close()
        self.running.clear()
