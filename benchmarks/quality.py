"""How well the library decides, beside its rivals: on simulated captures, in the lab, and on labelled folders.

Every capture is read once and put before all judges in a worker process; what comes back is counted by
`benchmarks.scoreboard`. The numbers go to the terminal, to JSON, and between two marks of the manual.
"""

import fnmatch
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import attrs

from benchmarks import longrun
from benchmarks.machine import ROOT, describe, write_json
from benchmarks.manual import put
from benchmarks.scoreboard.figure import draw
from benchmarks.scoreboard.folders import entries
from benchmarks.scoreboard.judging import Job, judge
from benchmarks.scoreboard.results import details, results
from benchmarks.scoreboard.tables import markdown, sections, text
from benchmarks.scoreboard.units import Judged

__all__ = ["Plan", "jobs_of", "judge_all", "run"]

FIRST_SEED = 1000
"""Seeds below are for tests and examples, so that what was looked at while building is not what is measured."""

LAB_SEED = 0x72CC781
"""First seed of the lab: the commit that wrote its short scenarios and the rule of what can be decided, before the
analyzers were changed for them."""

TIMED_SEEDS = 1
"""Captures of a scenario whose time to verdict is measured."""

PAGE, FIGURE = ROOT / "docs" / "project" / "benchmarks.md", "reliability.svg"


@attrs.frozen(kw_only=True)
class Plan:
    """What to measure."""

    captures: tuple[Path, ...] = ()  # labelled folders
    simulator: bool = False
    lab: bool = False
    pattern: str = "*"  # paths of folders, names of scenarios of simulator and lab
    seeds: int = 20  # of each simulated scenario
    first_seed: int = FIRST_SEED
    lab_seeds: int = 1
    rivals: bool = True
    long_run: int = 300_000  # flows of the long run, 0 for none
    jobs: int = 2

    @property
    def folders(self) -> dict[str, Path]:
        """Name the folders, each differently."""
        names: dict[str, Path] = {}
        for path in self.captures:
            name = path.resolve().name
            names[name if name not in names else str(path)] = path
        return names


def jobs_of(plan: Plan, lab: Path | None = None) -> list[Job]:
    """List every capture of a plan.

    Args:
        plan: What to measure.
        lab: Folder that the lab filled.

    Raises:
        FileNotFoundError: A folder holds no labels.
    """
    found = []
    for source, root in {**plan.folders, **({} if lab is None else {"lab": lab})}.items():
        pattern = "*" if source == "lab" else plan.pattern
        found += [
            Job(source=source, name=one.name, path=root / one.name, labels=one.labels,
                rivals=plan.rivals, timed=source == "lab")
            for one in entries(root, pattern)
        ]  # fmt: skip
    if plan.simulator:
        from netinterf.simulate import scenarios

        names = [scenario.name for scenario in scenarios() if fnmatch.fnmatch(scenario.name, plan.pattern)]
        found += [
            Job(source="simulator", name=f"{name}-{seed}", scenario=name, seed=seed, rivals=plan.rivals,
                timed=seed < plan.first_seed + TIMED_SEEDS)
            for seed in range(plan.first_seed, plan.first_seed + plan.seeds) for name in names
        ]  # fmt: skip
    return found


def judge_all(jobs: Sequence[Job], processes: int) -> Iterator[Judged]:
    """Judge captures in some processes; results come in the order given."""
    if processes <= 1:
        yield from (judge(job) for job in jobs)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(judge, jobs, chunksize=4)


def run(plan: Plan, *, out: Path | None = None, docs: bool = False, listing: bool = False) -> dict[str, Any]:
    """Measure, print and write.

    Args:
        plan: What to measure.
        out: Where to write JSON.
        docs: Write the tables and the figure into the manual.
        listing: Print every decision that deserves a look.
    """
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as held:
        lab, reason = lab_captures(plan, Path(held))
        jobs = jobs_of(plan, lab)
        judged = []
        for one in judge_all(jobs, plan.jobs):
            judged.append(one)
            progress(len(judged), len(jobs))
    found = results(judged, homes() if plan.rivals else {})
    if plan.long_run:
        found["long_run"] = longrun.measure([one.pool for one in judged if one.pool is not None], plan.long_run)
    found["seconds"] = round(time.perf_counter() - begin, 1)
    found["processor_seconds"] = round(sum(one.seconds for one in judged), 1)
    found["slowest"] = {one.capture: round(one.seconds, 2) for one in sorted(judged, key=lambda one: -one.seconds)[:5]}
    found["lab"] = reason or ("made" if plan.lab else "not asked for")
    tables = sections(found)
    print(text(tables), "\n\n" + summary(found))
    odd = details([unit for one in judged for unit in one.units])
    if listing:
        print("\n".join(map(in_one_line, odd)))
    if out is not None:
        write_json(out, {"benchmark": "quality", **found, "details": odd})
    if docs:
        write_page(PAGE, found)
    return found


def in_one_line(one: dict[str, Any]) -> str:
    """Write a decision that deserves a look."""
    where = f"{one['source']}: {one['capture']} #{one['first_frame']} {one['name']}"
    decided = f"{','.join(one['true'])} -> {','.join(one['said'])} p={one['probability']}"
    return f"{one['what']:16} {where} {decided} {' '.join(one['rules'])}"


def lab_captures(plan: Plan, folder: Path) -> tuple[Path | None, str]:
    """Let the lab make its captures; give their folder, or why there is none."""
    if not plan.lab:
        return None, ""
    from benchmarks.lab import available
    from benchmarks.lab.runner import make

    reason = available()
    if reason:
        print(f"no lab: {reason}", file=sys.stderr)
        return None, reason
    made = make(folder, range(LAB_SEED, LAB_SEED + plan.lab_seeds), plan.pattern)
    return (folder, "") if made else (None, "no scenario of that name")


def homes() -> dict[str, tuple[str, ...]]:
    """Name the rivals, each with the mechanisms that it claims to find."""
    from benchmarks.rivals import RIVALS

    return {rival.name: rival.home for rival in RIVALS}


def progress(done: int, total: int) -> None:
    """Show how far it is, on a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done}/{total} captures")
        sys.stderr.flush()


def summary(found: dict[str, Any]) -> str:
    """Write what concerns the run as a whole."""
    rows = found["false_alarms"]["all"]
    benign, beside = rows["in_benign_captures"], rows["beside_interference"]
    lines = [
        f"captures                {found['captures']:,}, {found['packets']:,} packets",
        f"time                    {found['seconds']} s, {found['processor_seconds']} s of processors judging",
        f"benign captures flagged {benign['captures_alarmed']}/{rows['benign_captures']}",
        f"benign units flagged    {benign['alarms']}/{benign['units']}  {listed(benign['said'])}",
        f"groups flagged          {rows['groups']} in benign captures",
        f"controls flagged        {beside['alarms']}/{beside['units']}  {listed(beside['said'])}",
        f"neither right nor wrong {rows['together']['spared']}",
        f"accused, truth unknown  {listed(found['stray']) or 'none'}",
        f"unreadable captures     {sum(found['unreadable'].values())}",
        f"failures                {len(found['failed'])}",
        f"lab                     {found['lab']}",
    ]
    return "\n".join([*lines, *failures(found["failed"])])


def failures(failed: dict[str, str]) -> list[str]:
    """List failures, equal ones together with the traceback of the first."""
    alike: dict[str, list[str]] = {}
    for where, error in failed.items():
        alike.setdefault(error, []).append(where)
    return [f"{len(places)} times, first at {places[0]}\n{error.strip()}" for error, places in alike.items()]


def listed(counts: dict[str, int]) -> str:
    """Write counts in one line."""
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def write_page(page: Path, found: dict[str, Any]) -> None:
    """Put the tables between the marks of a page of the manual, and the figure beside it.

    Raises:
        ValueError: The page has no marks.
    """
    reports = {
        "unseen seeds": found["calibration"]["built, prior as in the corpus"],
        "systems left out": found["left_out"].get("calibration", {}).get("built", {"units": 0}),
    }
    shown = {name: report["bins"] for name, report in reports.items() if report["units"]}
    ran = describe()
    about = (
        f"{found['captures']:,} captures with {found['packets']:,} packets in {found['seconds']:,.0f} s "
        f"({found['processor_seconds']:,.0f} s of processors judging); "
        f"{len(found['failed'])} failures; Python {ran['python']}, numpy {ran['versions']['numpy']}."
    )
    shape = f"![Reliability: probability said against share interfered with]({FIGURE})"
    put(page, "quality", f"{about}\n\n{markdown(sections(found))}\n\n{shape}")
    page.with_name(FIGURE).write_text(draw(shown), encoding="utf-8")
