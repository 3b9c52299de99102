"""Every rival beside the library on its home task: recall, precision, false alarms, frames and time.

The home task of a rival are the labelled units with a mechanism that it claims to find, and the benign ones to which
such a mechanism could happen. The library is counted on the same units.
"""

import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import attrs

from benchmarks.machine import table, write_json
from benchmarks.matching import Verdict
from benchmarks.quality import Plan, jobs_of
from benchmarks.rivals import RIVALS, Rival, verdicts
from benchmarks.rivals.base import unjudged
from benchmarks.rivals.ooni import OONI, ooni, untouched_controls
from benchmarks.scoreboard.counts import ratio, tally
from benchmarks.scoreboard.judging import LIBRARY, Job, held_against, library, opened, unlabelled
from benchmarks.scoreboard.labels import LabelledCapture
from benchmarks.scoreboard.mechanisms import applies, touches
from benchmarks.scoreboard.units import Unit
from netinterf.errors import NetinterfError
from netinterf.trace import Trace

__all__ = ["Weighed", "compare", "run", "weigh"]

TOLD = attrs.evolve(OONI, name="OONI consistency, controls from labels")
"""OONI's comparison with what it needs and a capture lacks: a control that is known to be true."""

HEAD = ["rival", "home", "units", "recall", "library", "ahead", "behind", "frames", "benign", "alarms", "library",
        "precision", "library", "s", "library"]  # fmt: skip


@attrs.frozen(kw_only=True)
class Weighed:
    """One capture put before every judge."""

    source: str
    units: tuple[Unit, ...] = ()
    seconds: dict[str, float] = attrs.field(factory=dict)  # by judge, reading aside
    failed: str = ""


def weigh(job: Job) -> Weighed:
    """Read a capture once and put it before the library and every rival."""
    try:
        trace, labels = opened(job)
        unjudged(trace)  # made once and kept, so that no rival's time holds it
        judged: dict[str, list[Verdict]] = {}
        seconds: dict[str, float] = {}
        for name, ask in judges(labels).items():
            begin = time.perf_counter()
            judged[name] = ask(trace, job.name)
            seconds[name] = time.perf_counter() - begin
    except NetinterfError:
        return Weighed(source=job.source)
    except Exception:
        return Weighed(source=job.source, failed=f"{job.name}: {traceback.format_exc()}")
    rows = labels.rows
    if not labels.interfered:
        rows = (*rows, *unlabelled(rows, judged[LIBRARY]))
    units, _ = held_against(trace, labels, rows, job, judged)
    return Weighed(source=job.source, units=units, seconds=seconds)


def judges(labels: LabelledCapture) -> dict[str, Callable[[Trace, str], list[Verdict]]]:
    """List who is asked about a capture, by name."""
    forged = {frame for row in labels.rows for frame in row.truth.forged}

    def told(trace: Trace, name: str) -> list[Verdict]:
        judge = partial(ooni, controls=untouched_controls(trace, forged))
        return verdicts(attrs.evolve(TOLD, judge=judge), trace, name)

    asked: dict[str, Callable[[Trace, str], list[Verdict]]] = {LIBRARY: lambda trace, _: library(trace)[1]}
    return asked | {rival.name: partial(verdicts, rival) for rival in RIVALS} | {TOLD.name: told}


def home_units(units: Iterable[Unit], rival: Rival) -> list[Unit]:
    """Pick the units of a rival's home task."""
    return [
        unit
        for unit in units
        if any(word in rival.home for word in unit.mechanisms)
        or (not unit.mechanisms and any(applies(word, unit.kind, unit.protocol) for word in rival.home))
    ]


def compare(units: Sequence[Unit], rival: Rival, seconds: Counter[str]) -> dict[str, Any]:
    """Count a rival and the library on the rival's home task.

    Precision is that of this mix of captures; at the base rates of real traffic it is far lower.

    Args:
        units: All units of one source.
        rival: The rival.
        seconds: What every judge took.
    """
    home = home_units(units, rival)
    row: dict[str, Any] = {"rival": rival.name, "source": rival.source, "home": list(rival.home)}
    found: dict[str, set[int]] = {}
    positive, benign = ([unit for unit in home if bool(unit.mechanisms) is wanted] for wanted in (True, False))
    for who in (rival.name, LIBRARY):
        found[who] = {place for place, unit in enumerate(positive) if right_at_home(unit, who, rival.home)}
        right, wrong = len(found[who]), sum(alarmed(unit, who, rival.home) for unit in benign)
        frames = tally(positive, who).rates()
        row[who if who == LIBRARY else "itself"] = {
            "units": len(positive),
            "found": right,
            "recall": ratio(right, len(positive)),
            "frame_recall": frames["frame_recall"],
            "frame_precision": frames["frame_precision"],
            "benign": len(benign),
            "alarms": wrong,
            "alarms_per_unit": ratio(wrong, len(benign)),
            "spared": sum(bool(unit.answers[who].spared) for unit in benign),  # silence where no peer is documented
            "precision": ratio(right, right + wrong),
            "seconds": seconds[who],
        }
    own, ours = found[rival.name], found[LIBRARY]
    row["ahead"] = [named(positive[place]) for place in sorted(own - ours)]
    row["behind"] = [named(positive[place]) for place in sorted(ours - own)]
    return row


def right_at_home(unit: Unit, who: str, home: Sequence[str]) -> bool:
    """Say whether a judge named a mechanism at work that belongs to the home task; others at work do not count."""
    hits = unit.answers[who].hits or (False,) * len(unit.mechanisms)
    return any(hit for word, hit in zip(unit.mechanisms, hits, strict=True) if word in home)


def alarmed(unit: Unit, who: str, home: Sequence[str]) -> bool:
    """Say whether a judge accuses somebody of a mechanism of the home task."""
    return any(touches(unit.answers[who].said, word) for word in home)


def named(unit: Unit) -> str:
    """Name a unit for people."""
    return f"{unit.capture} #{unit.first_frame} {unit.name} {'+'.join(unit.mechanisms)}"


def run(
    captures: Sequence[Path], *, seeds: int, pattern: str = "*", out: Path | None = None, jobs: int = 2, details: bool
) -> dict[str, Any]:
    """Measure, print and write.

    Args:
        captures: Labelled folders.
        seeds: Simulated captures per scenario; 0 for none.
        pattern: Which captures and scenarios, as a shell pattern.
        out: Where to write JSON.
        jobs: Processes.
        details: List the units on which a rival is ahead.
    """
    asked = jobs_of(Plan(captures=tuple(captures), simulator=seeds > 0, pattern=pattern, seeds=seeds))
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        weighed = list(pool.map(weigh, asked, chunksize=4))
    results: dict[str, Any] = {"failed": [one.failed for one in weighed if one.failed]}
    for source in dict.fromkeys(one.source for one in weighed):
        part = [one for one in weighed if one.source == source]
        seconds: Counter[str] = Counter()
        for one in part:
            seconds.update(one.seconds)
        units = [unit for one in part for unit in one.units]
        rows = [compare(units, rival, seconds) for rival in (*RIVALS, TOLD)]
        results[source] = rows
        print(f"{source}: {len(part)} captures, {len(units)} units\n{table(HEAD, list(map(line, rows)))}\n")
        for row in rows if details else ():
            print("".join(f"{row['rival']} is ahead: {unit}\n" for unit in row["ahead"]), end="")
    print(f"{len(results['failed'])} failed", *results["failed"][:3], sep="\n")
    if out is not None:
        write_json(out, {"benchmark": "rivals", **results})
    return results


def line(row: dict[str, Any]) -> list[Any]:
    """Write one comparison as a line of the table."""
    own, ours = row["itself"], row[LIBRARY]
    frames = "/".join("–" if own[name] is None else f"{own[name]:.2f}" for name in ("frame_recall", "frame_precision"))
    return [
        row["rival"], " ".join(row["home"]), own["units"], own["recall"], ours["recall"], len(row["ahead"]),
        len(row["behind"]), frames, own["benign"], own["alarms"], ours["alarms"], own["precision"], ours["precision"],
        own["seconds"], ours["seconds"],
    ]  # fmt: skip
