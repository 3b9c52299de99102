"""Shaping with and without a contrast, the library beside Wehe's test: ``python -m benchmarks shaping``.

A slow link queues as well, so shaping can be told only where the capture holds a transfer of the same client, the same
way, that was spared: the contrast. Simulated captures say who was limited; which transfers are a contrast is counted
from what the capture holds. Benign captures of every kind tell the false alarms, counted by flow.
"""

import argparse
import fnmatch
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import attrs

from benchmarks.machine import write_json
from benchmarks.matching import gather
from benchmarks.scoreboard.judging import LIBRARY, Job, held_against, library, opened
from benchmarks.scoreboard.labels import LabelledCapture
from netinterf.simulate import scenarios
from netinterf.trace import Trace

__all__ = ["Held", "Judged", "judge", "run"]

SHAPING = "rate.shaping"

LIMITED, SPARED = 30_000, 20_000
"""Bytes that a limited transfer must have moved to be told from a slow start, and a spared one to be a contrast."""


@attrs.frozen(kw_only=True)
class Held:
    """One shaped unit, what the capture holds of it, and who named it."""

    capture: str
    scenario: str
    vantage: str
    contrast: str  # meanwhile, elsewhen, none, or small: the limited transfer itself moved too little
    one_server: bool  # all limited transfers of the capture were one server's, and nothing else was
    named: dict[str, bool]  # by judge
    rules: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Judged:
    """What one capture gave."""

    shaped: tuple[Held, ...] = ()
    untouched: int = 0  # flows that nobody interfered with
    alarms: tuple[tuple[str, str], ...] = ()  # judge and flow, of those that were said to be shaped all the same


def judge(task: tuple[str, int]) -> Judged:
    """Simulate one capture and put it before the library and Wehe's test."""
    from benchmarks.rivals.base import verdicts
    from benchmarks.rivals.wehe import WEHE

    name, seed = task
    job = Job(source="simulator", name=f"{name}-{seed}", scenario=name, seed=seed, rivals=False)
    trace, labels = opened(job)
    spoken = {LIBRARY: library(trace)[1], WEHE.name: verdicts(WEHE, trace, job.name)}
    units, _ = held_against(trace, labels, labels.rows, job, spoken)
    members = gather(labels.rows)
    flows = flows_of(trace, labels)
    shaped = [
        Held(
            capture=job.name,
            scenario=name,
            vantage=labels.vantage,
            contrast=contrast(trace, labels, flows, [flows[place] for place in places]),
            one_server=one_server(trace, labels, flows),
            named={who: told.right or "rate" in told.said for who, told in unit.answers.items()},
            rules=unit.answers[LIBRARY].rules,
        )
        for unit, places in zip(units, members, strict=True)
        if SHAPING in unit.mechanisms
    ]
    clear = [unit for unit in units if not unit.mechanisms and unit.kind == "flow"]
    alarms = [
        (who, f"{unit.capture} {unit.name} {' '.join(told.rules)}")
        for unit in clear
        for who, told in unit.answers.items()
        if {SHAPING, "rate"} & set(told.said)
    ]
    return Judged(shaped=tuple(shaped), untouched=len(clear), alarms=tuple(alarms))


def flows_of(trace: Trace, labels: LabelledCapture) -> list[int]:
    """Give the row in Flows of each label, -1 where the capture holds none."""
    first = {int(frame): flow for flow, frame in enumerate(trace.packets.frame[trace.flows.first_packet].tolist())}
    return [first.get(row.truth.first_frame, -1) for row in labels.rows]


def contrast(trace: Trace, labels: LabelledCapture, flows: list[int], mine: list[int]) -> str:
    """Say whether the capture holds a spared transfer of the same client, the same way, and when."""
    moved, table = trace.sides.payload_bytes, trace.flows
    spared = [flow for flow, row in zip(flows, labels.rows, strict=True) if flow >= 0 and not row.right]
    limited = [(flow, way) for flow in mine if flow >= 0 for way in (0, 1) if moved[2 * flow + way] >= LIMITED]
    found = {
        (table.first[other] < table.last[flow]) and (table.last[other] > table.first[flow])
        for flow, way in limited
        for other in spared
        if table.client[other] == table.client[flow] and moved[2 * other + way] >= SPARED
    }
    return "small" if not limited else "meanwhile" if True in found else "elsewhen" if found else "none"


def one_server(trace: Trace, labels: LabelledCapture, flows: list[int]) -> bool:
    """Say whether one server alone was limited, with no other name at its address: its own line may be slow."""
    rows = list(zip(flows, labels.rows, strict=True))
    limited = {int(trace.flows.server[flow]) for flow, row in rows if flow >= 0 and SHAPING in sum(row.right, ())}
    others = {int(trace.flows.server[flow]) for flow, row in rows if flow >= 0 and not row.right}
    return len(limited) == 1 and not limited & others


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Judge captures, print the tables, and give the numbers.

    Args:
        options: ``seeds``, ``first_seed``, ``jobs``, ``only`` (globs of scenarios, comma separated), ``details`` and
            ``json``.
    """
    wanted = options.only.split(",")
    names = [one.name for one in scenarios() if any(fnmatch.fnmatch(one.name, glob) for glob in wanted)]
    tasks = [(name, seed) for seed in range(options.first_seed, options.first_seed + options.seeds) for name in names]
    if options.jobs == 1:
        judged = list(map(judge, tasks))
    else:
        with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
            judged = list(pool.map(judge, tasks, chunksize=4))
    shaped = [held for one in judged for held in one.shaped]
    alarms = [alarm for one in judged for alarm in one.alarms]
    untouched = sum(one.untouched for one in judged)
    report(shaped, alarms, untouched, details=options.details)
    result = {
        "captures": len(tasks),
        "untouched": untouched,
        "alarms": dict(Counter(who for who, _ in alarms)),
        "shaped": [attrs.asdict(held) for held in shaped],
    }
    if options.json:
        write_json(options.json, {"benchmark": "shaping", **result})
    return result


def report(shaped: list[Held], alarms: list[tuple[str, str]], untouched: int, *, details: bool) -> None:
    """Print recalls by contrast, scenario and vantage, and the false alarms."""
    contrasted = [held for held in shaped if held.contrast in ("meanwhile", "elsewhen")]
    for title, chosen, key in (
        ("contrast", shaped, lambda held: held.contrast),
        ("where the queue may be a server's own (with contrast)", contrasted, lambda held: str(held.one_server)),
        ("scenario (with contrast)", contrasted, lambda held: held.scenario),
        ("vantage (with contrast)", contrasted, lambda held: held.vantage),
    ):
        print(f"\nRecall by {title}")
        for value in sorted({key(held) for held in chosen}):
            print(f"  {value:34}" + recalls([held for held in chosen if key(held) == value]))
        print(f"  {'all':34}" + recalls(chosen))
    counts = Counter(who for who, _ in alarms)
    print(f"\nFlows nobody interfered with: {untouched}; said to be shaped: {dict(counts) or 'none'}")
    if details:
        for held in shaped:
            if not held.named[LIBRARY]:
                print(
                    "  missed", held.capture, held.vantage, held.contrast, "one server" * held.one_server, *held.rules
                )
        for who, flow in alarms:
            if who == LIBRARY:
                print("  alarm", flow)


def recalls(chosen: list[Held]) -> str:
    """Write how many each judge named."""
    judges = chosen[0].named if chosen else ()
    parts = (f"{who} {sum(held.named[who] for held in chosen)}/{len(chosen)}" for who in judges)
    return "  ".join(f"{part:32}" for part in parts)
