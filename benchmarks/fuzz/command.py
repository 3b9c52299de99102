"""``python -m benchmarks fuzz``: rounds of one target after the other, what they found, and what they reached."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import attrs

from benchmarks.fuzz.shrunk import literal, shrunk
from benchmarks.fuzz.targets import TARGETS, gather_seeds
from benchmarks.machine import write_json

__all__ = ["CORPUS", "Report", "again", "run"]

CORPUS = Path(__file__).resolve().parents[1] / ".cache" / "fuzz"
"""Where inputs are kept from one run to the next: no part of the repository."""

MISSING = "fuzzing needs atheris: pip install 'netinterf[fuzz]' (Linux and macOS)"

ROUND = 600.0
"""Seconds after which a new process goes on; it ends earlier when it has tried what its memory allows."""

MOST_SEEDS, SEEDS_PER_SECOND = 400, 5
"""Inputs to begin with: all are tried first, so a short run has few of them."""

KINDS = 20
"""Kinds of findings after which a target is left: then something is wrong with everything."""

LOOKED_AT = 0.1
"""Share of the time, on top, for finding out which lines were reached."""


@attrs.define
class Report:
    """What came of one target."""

    target: str
    inputs: int = 0
    parts: int = 0
    seconds: float = 0.0
    busy: float = 0.0
    reached: int = 0
    lines: int = 0
    corpus: int = 0
    found: list[str] = attrs.field(factory=list)

    def __str__(self) -> str:
        rate = self.inputs / max(self.busy, 1e-9)
        share = 100 * self.reached / max(self.lines, 1)
        return (
            f"{self.target}: {self.inputs:,} inputs with {self.parts:,} parts in {self.seconds:,.0f} s, "
            f"{rate:,.0f} inputs per second of processor time; "
            f"{self.reached:,} of {self.lines:,} lines ({share:.0f} %), {self.corpus:,} inputs kept; "
            f"{len(self.found)} kinds of findings"
        )


def run(
    names: Sequence[str],
    *,
    seconds: float,
    captures: Path | None = None,
    corpus: Path = CORPUS,
    seed: int | None = None,
    out: Path | None = None,
) -> int:
    """Fuzz targets for some processor time in all, and print what came of each; give the exit status: 1 for findings.

    Args:
        names: Which targets, in this order; each gets the same time.
        seconds: How long in all, of processor time.
        captures: A folder of captures of which inputs are made besides.
        corpus: Where inputs are kept.
        seed: Where chance begins; None takes the time.
        out: JSON file for the numbers.
    """
    if find_spec("atheris") is None:
        print(MISSING, file=sys.stderr)
        return 2
    share = seconds / len(names)
    for name, inputs in gather_seeds(names, captures, min(MOST_SEEDS, max(8, int(share * SEEDS_PER_SECOND)))).items():
        for place in ("corpus", "found"):
            (corpus / name / place).mkdir(parents=True, exist_ok=True)
        for data in inputs:
            (corpus / name / "corpus" / sha256(data).hexdigest()[:40]).write_bytes(data)
    reports = []
    for name in names:
        report = fuzzed(name, share, corpus / name, time.time_ns() % 10**9 if seed is None else seed)
        reports.append(report)
        print(report, flush=True)
        print(*report.found, sep="\n", end="\n" if report.found else "", flush=True)
        if out is not None:
            write_json(out, {"benchmark": "fuzz", "targets": [attrs.asdict(one) for one in reports]})
    return 1 if any(report.found for report in reports) else 0


def fuzzed(name: str, seconds: float, held: Path, seed: int) -> Report:
    """Fuzz one target round by round, each with another seed."""
    report, began = Report(name), time.monotonic()
    before = {path.name: path.stat().st_mtime_ns for path in (held / "found").iterdir()}
    while (left := seconds - report.busy) > 0:
        tried = report.inputs
        done = python("rounds", name, held, min(left, ROUND), seed)
        seed += 1
        counted = count_round(report, held / "round.json")
        stuck = report.inputs == tried or (done.returncode and not counted)
        if stuck or len(list(new_findings(held, before))) >= KINDS:
            report.found += [done.stderr[-2000:]] if done.returncode else []
            break
    report.seconds = time.monotonic() - began
    looked = python("reached", name, held / "corpus", max(2.0, LOOKED_AT * seconds))
    seen: Counter[str] = Counter(json.loads(looked.stdout.splitlines()[-1]))
    report.reached, report.lines, report.corpus = seen["reached"], seen["lines"], seen["corpus"]
    report.found += [told(name, path) for path in new_findings(held, before)]
    return report


def python(module: str, *words: object) -> "subprocess.CompletedProcess[str]":
    """Run a module of this package in a process of its own."""
    whole = [sys.executable, "-m", f"benchmarks.fuzz.{module}", *map(str, words)]
    return subprocess.run(whole, capture_output=True, text=True, check=False)


def count_round(report: Report, path: Path) -> bool:
    """Add what a process did; False where it did nothing."""
    if not path.exists():
        return False
    done = json.loads(path.read_text())
    path.unlink()
    report.inputs += done["inputs"]
    report.parts += done["parts"]
    report.busy += done["busy"]
    return True


def new_findings(held: Path, before: dict[str, int]) -> Iterator[Path]:
    """List inputs that were found since; those that libFuzzer kept have no ending."""
    for path in sorted((held / "found").iterdir()):
        if path.suffix in ("", ".input") and before.get(path.name) != path.stat().st_mtime_ns:
            yield path


def told(name: str, path: Path) -> str:
    """Say what an input does, made small where that can be done in this process, as a line of a test."""
    if path.suffix != ".input":  # a crash below Python, or a hang: it would end this process, too
        return f"{name}: {path.name}: {path}"
    return again(name, path)


def again(name: str, path: Path) -> str:
    """Try an input that was found once more, make it small, and give it as a line of a test."""
    try:
        data, found = shrunk(name, path.read_bytes())
    except ValueError as error:
        return f"{error}, and did not before: {path}"
    path.with_suffix(".small").write_bytes(data)
    where = f"at {found.place}; {len(data)} bytes, {TARGETS[name].parts(data)} parts: {path}"
    return f"{name}: {found.what}\n    {where}\n{literal(name, data, found)}"
