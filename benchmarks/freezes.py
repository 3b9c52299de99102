"""Freezes against the simulator's limits, and what stops by itself: ``python -m benchmarks freezes``.

A group is one client's capture in which at least three connections were frozen. It is found when one of them is named,
and placed when unit (packets or bytes) and position of the limit are right within two packets. With a labelled folder
it also counts how often connections of captures without interference stop in the middle, which is where the hazards of
`netinterf.stats.concentration` come from.
"""

import csv
import fnmatch
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest import mock

import attrs
import numpy as np

from benchmarks.machine import table
from benchmarks.reality.reserve import home_of, reserved
from benchmarks.scoreboard.judging import Job, library, opened
from benchmarks.scoreboard.labels import LabelledCapture
from netinterf.analyzers.freezes.courses import find_stops, follow_courses
from netinterf.analyzers.freezes.rules import LIMIT
from netinterf.analyzers.unanswered.silences import waiting_shown
from netinterf.arrays import I64
from netinterf.errors import NetinterfError
from netinterf.schema import Evidence, TcpFlag
from netinterf.simulate import scenarios
from netinterf.simulate.boxes.freezer import Freezer
from netinterf.simulate.plays import rate_freezes
from netinterf.trace import Trace, read

__all__ = ["FEWEST", "TOLERANCE", "Group", "measure"]

MECHANISM = "rate.freeze"
FEWEST = 3
"""Frozen connections of a group."""

DECIDED = 6.0
"""Nats from which the evidence is taken to say that packets, or bytes, are counted, and not either."""

TCP, MANY, FULL, ENOUGH = 6, 20, (1200, 1460), 100
"""Transfers in which PSH is counted, by their segments; sizes of full segments, bytes; segments of a repository."""

TOLERANCE = {"packets": 2.0, "bytes": 2 * 1460.0}
"""How far from the limit counts as right: two packets."""


@attrs.frozen(kw_only=True)
class Group:
    """What came of one capture."""

    scenario: str
    vantage: str
    frozen: int  # connections
    named: int  # of them, called so
    wrong: int  # others that were called so
    unit: bool | None = None  # right, where a limit is named
    placed: bool | None = None


def played(scenario: str, seed: int) -> tuple[Trace, LabelledCapture, str, list[int]]:
    """Play a scenario; give its capture and labels, the unit of its freezer and the limits that this drew."""
    boxes: list[Freezer] = []

    class Watched(Freezer):
        """A freezer that is remembered."""

        def __attrs_post_init__(self) -> None:
            boxes.append(self)

    with mock.patch.object(rate_freezes, "Freezer", attrs.define(eq=False, kw_only=True)(Watched)):
        trace, labels = opened(Job(source="simulator", name=f"{scenario}-{seed}", scenario=scenario, seed=seed))
    box = boxes[0] if boxes else None
    return trace, labels, box.unit if box else "", list(box.limits.values()) if box else []


def judged(job: tuple[str, int]) -> Group:
    """Judge one capture."""
    trace, labels, unit, limits = played(*job)
    evidence, said = library(trace)
    truths = [row.truth for row in labels.rows]
    truth = {(one.client_port, one.server, one.server_port): one.mechanism for one in truths}
    hit = Counter[bool]()
    for line in said:
        subject = line["subject"]
        if subject["kind"] == "flow" and line["mechanism"] == MECHANISM and line["outcome"] == "interfered":
            hit[truth.get((subject["client_port"], subject["server"], subject["server_port"])) == MECHANISM] += 1
    frozen = sum(word == MECHANISM for word in truth.values())
    told = limit_of(evidence)
    right, placed = None, None
    if told and limits:
        right = unit in told
        placed = right and abs(told[unit] - float(np.median(limits))) <= TOLERANCE[unit]
    return Group(
        scenario=job[0], vantage=labels.vantage, frozen=frozen, named=hit[True], wrong=hit[False],
        unit=right, placed=placed,
    )  # fmt: skip


def limit_of(evidence: Evidence) -> dict[str, float]:
    """Read where the evidence says that the limit lies, by unit: one, or both where it cannot tell; empty without."""
    for row in range(len(evidence)):
        rule = evidence.rules[evidence.rule[row]]
        if rule == LIMIT:
            measured = dict(zip(rule.measures, evidence.measured[row].tolist(), strict=True))
            told, packets = {unit: measured[f"limit_{unit}"] for unit in TOLERANCE}, measured["in_packets"]
            if abs(packets) >= DECIDED:
                del told["bytes" if packets > 0 else "packets"]
            return told
    return {}


def usual_stops(folder: Path) -> str:
    """Count stops in the captures of a folder that nobody interfered with."""
    counts = Counter[str]()
    pushes: defaultdict[str, I64] = defaultdict(lambda: np.zeros(2, np.int64))
    with (folder / "CATALOG.csv").open(encoding="utf-8") as text:
        files = [row for row in csv.DictReader(text) if row["kind"] == "benign" and not reserved(row["repo"])]
    for row in files:
        try:
            trace = read(folder / row["file"])
        except NetinterfError:
            continue
        stops = find_stops(trace)
        courses = follow_courses(trace, stops)
        stops = stops.take(stops.client_alive)
        pair = trace.flows.client.astype(np.int64) << 32 | trace.flows.server
        pairs = len(np.unique(pair[courses.flow]))
        counts.update(
            connections=len(np.unique(courses.flow)), packets=int(courses.packets.sum()), stops=len(stops),
            pairs=pairs, struck=len(np.unique(pair[stops.flow])), telling=pairs * bool(waiting_shown(trace)[1]),
            left=len(np.unique(pair[stops.flow[stops.client_left]])),
        )  # fmt: skip
        pushes[home_of(row["repo"])] += pushed_segments(trace)
    shares = [some / every for some, every in pushes.values() if every >= ENOUGH] or [math.nan]
    return (
        f"{counts['stops']} stops in {counts['packets']:,} packets of {counts['connections']:,} connections; "
        f"{counts['struck']} of {counts['pairs']:,} pairs of hosts; clients left {counts['left']} of the "
        f"{counts['telling']:,} that could show it; PSH on {np.mean(shares):.2f} of full segments, the mean of "
        f"{len(shares)} repositories"
    )


def pushed_segments(trace: Trace) -> I64:
    """Count full segments of servers that sent many segments: with PSH, and all."""
    packets = trace.packets
    many = trace.sides.payload_packets[1::2] >= MANY
    row = np.flatnonzero((packets.flow >= 0) & ~packets.outbound & (packets.protocol == TCP))
    size = packets.payload_length[row]
    row = row[many[packets.flow[row]] & (size >= FULL[0]) & (size <= FULL[1])]
    return np.array([np.count_nonzero(packets.tcp_flags[row] & TcpFlag.PSH), len(row)])


def measure(
    *, seeds: int, first_seed: int, processes: int, files: str = "rate.freeze*,benign.*", captures: Path | None = None
) -> dict[str, Any]:
    """Judge simulated captures, and print what came of it."""
    names = [one.name for one in scenarios() if any(fnmatch.fnmatch(one.name, part) for part in files.split(","))]
    jobs = [(name, seed) for name in names for seed in range(first_seed, first_seed + seeds)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        groups = list(pool.map(judged, jobs, chunksize=4))
    print(report(groups))
    if captures is not None:
        print(usual_stops(captures))
    return {"groups": [attrs.asdict(group) for group in groups]}


def report(groups: Sequence[Group]) -> str:
    """Lay out what was found, by scenario."""
    rows = []
    large = [group for group in groups if group.frozen >= FEWEST]
    for name in [*sorted({group.scenario for group in large}), "all"]:
        mine = [group for group in large if name in (group.scenario, "all")]
        told = [group for group in mine if group.unit is not None]
        rows.append(
            [
                name, ratio(sum(group.named > 0 for group in mine), len(mine)),
                ratio(sum(group.named for group in mine), sum(group.frozen for group in mine)),
                ratio(sum(bool(group.unit) for group in told), len(told)),
                ratio(sum(bool(group.placed) for group in told), len(told)),
            ]
        )  # fmt: skip
    untouched = [group for group in groups if not group.frozen]
    wrong = f"captures without a freeze that name one: {sum(group.wrong > 0 for group in untouched)}/{len(untouched)}"
    return (
        table(["", "groups found", "connections named", "unit right", "placed within 2 packets"], rows) + "\n" + wrong
    )


def ratio(part: int, whole: int) -> str:
    """Write a share of a count."""
    return f"{part}/{whole} ({part / whole:.3f})" if whole else "–"
