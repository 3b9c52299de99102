"""Is a closed border noticed, when, and what is mistaken for one? ``python -m benchmarks isolation``.

Tables of attempts are made up (`benchmarks.attempts`) and put before the very function that the analyzer calls, so that
thousands of hours are a matter of minutes. Captures of the simulator with its table of networks, and without, show the
whole way from packets to verdicts.
"""

from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from ipaddress import ip_network
from multiprocessing import get_context
from typing import Any

import attrs
import numpy as np

from benchmarks.attempts import BORDERS, HARMLESS, HOME, MINUTE, draw_world, play
from benchmarks.machine import table
from benchmarks.scoreboard.judging import LIBRARY, Job, held_against, library
from benchmarks.scoreboard.labels import of_labels
from netinterf.analyzers.isolation.attempts import Attempts, Row
from netinterf.analyzers.isolation.closures import Closure, judge
from netinterf.analyzers.isolation.places import FEWEST_AT_HOME
from netinterf.arrays import I64
from netinterf.context.networks import Network
from netinterf.context.outside import Outside
from netinterf.simulate import run, scenarios
from netinterf.trace import read
from netinterf.verdict.model import default_model

__all__ = ["borders", "harmless", "measure"]

CLUSTERS = 20
"""Networks abroad within which a closed border must be noticed (judgement: what a person tries in some minutes)."""

ASKED = (8, 12, 16, CLUSTERS)
"""Networks abroad after which it is asked."""

BINS = 2
"""Bins by which a beginning may be off. A bin is a minute, or as long as it takes to try ten networks abroad that
the border stops (judgement)."""

TEN = 10

ISOLATION = "reach.isolation"


def bar(*, possible: bool = False) -> float:
    """Say how much evidence makes a verdict ``likely`` at the packaged priors, or ``possible``, nats."""
    model = default_model()
    grade = model.possible if possible else model.likely
    return float(np.log(grade / (1 - grade)) - model.priors["tcp", ISOLATION])


def asked(attempts: Attempts) -> Closure | None:
    """Put a table before the analyzer's own judgement."""
    return judge(attempts, attempts.country != HOME, attempts.country == HOME)


def borders(trials: int, first_seed: int = 0) -> list[dict[str, Any]]:
    """Close borders, each kind *trials* times; ask again after every few networks abroad, and in the end."""
    least, found = bar(), []
    for kind in BORDERS:
        for trial in range(trials):
            rng = np.random.default_rng([first_seed + trial, list(BORDERS).index(kind)])
            hours = 72.0 if kind == "curfew" else float(rng.uniform(2, 6))
            world = draw_world(rng, hours=hours, pace=float(rng.uniform(4, 15)))
            attempts, event = play(world, kind, rng)
            abroad = attempts.country != HOME
            met = np.flatnonzero(abroad & (attempts.time >= event.begin))
            new = met[np.sort(np.unique(attempts.cluster[met], return_index=True)[1])]
            told = {count: asked(attempts.take(np.arange(new[count - 1] + 1))) for count in ASKED if count <= len(new)}
            early = [(count, one.llr) for count, one in told.items() if one is not None]
            noticed = next((count for count, llr in early if llr >= least), 0)
            suspected = next((count for count, llr in early if llr >= bar(possible=True)), 0)
            last = asked(attempts)
            said = last is not None and last.llr >= least
            off = float(np.min(np.abs(last.begins - event.begin))) if last is not None and said else np.nan
            struck = abroad & ((kind != "protocols") | ~np.isin(attempts.row, (Row.WEB, Row.DNS)))
            width = max(MINUTE, bin_width(attempts.time[struck], attempts.cluster[struck], event.begin))
            shape = "" if last is None or not said else ("full" if last.match.closed == "full" else "listed")
            by_then = (attempts.time >= event.begin) & (attempts.time <= attempts.time[new[:CLUSTERS][-1]])
            well = np.unique(attempts.cluster[by_then & ~abroad & (attempts.passed == 1)])
            beginning = {"bins": off / width, "minutes": off / MINUTE}
            grades = {"suspected": suspected, "noticed": noticed, "said": said}
            found.append({"kind": kind, "shape": shape, "well": len(well) > FEWEST_AT_HOME, **grades, **beginning})
    return found


def bin_width(time: I64, cluster: I64, begin: int) -> int:
    """Measure how long it takes to try ten networks from some moment on, ns."""
    first = np.searchsorted(time, begin)
    new = np.sort(np.unique(cluster[first:], return_index=True)[1])[:TEN]
    return int(time[first + new[-1]] - begin) if len(new) else 0


def harmless(hours: float, first_seed: int = 0) -> list[dict[str, Any]]:
    """Let harmless things happen for so many hours in all; ask in the end and in the middle."""
    least, found, watched, trial = bar(), [], 0.0, 0
    while watched < hours:
        for place, kind in enumerate(HARMLESS):
            rng = np.random.default_rng([first_seed + trial, 100 + place])
            length = float(rng.choice([1.0, 2.0, 4.0, 12.0, 48.0], p=[0.3, 0.3, 0.25, 0.1, 0.05]))
            world = draw_world(rng, hours=length, pace=float(rng.uniform(4, 15)))
            attempts, _ = play(world, kind, rng)
            parts = [asked(attempts.take(np.arange(len(attempts) * share // 4))) for share in (2, 3, 4)]
            strongest = max((one.llr for one in parts if one is not None), default=-np.inf)
            found.append({"kind": kind, "hours": length, "accused": strongest >= least, "llr": strongest})
            watched += length
        trial += 1
    return found


@attrs.define
class Judged:
    """What came of the captures of one scenario."""

    units: int = 0
    found: int = 0  # units whose mechanism was named
    named: int = 0  # units for which isolation of some kind was named
    untouched: int = 0
    accused: int = 0  # untouched units of which isolation was said
    captures: int = 0


def captures_of(job: tuple[str, int, bool]) -> Judged:
    """Judge one simulated capture, with its table of networks or without."""
    scenario, seed, with_table = job
    played = run(scenario, seed)
    trace = read(times=played.times, frames=played.frames, link_type=played.link_type)
    if with_table:
        networks = [Network(ip_network(prefix), asn, country) for prefix, asn, country in played.labels.networks]
        trace = attrs.evolve(trace, outside=Outside.of(networks))
    labels, counts = of_labels(played.labels), Judged(captures=1)
    said = library(trace)[1]
    name = Job(source="simulator", name=f"{scenario}-{seed}", scenario=scenario, seed=seed, rivals=False)
    for unit in held_against(trace, labels, labels.rows, name, {LIBRARY: said})[0]:
        answer = unit.answers[LIBRARY]
        isolated = any(word.startswith(ISOLATION) for word in answer.said)
        if unit.mechanisms:
            counts.units += 1
            counts.found += all(answer.hits)
            counts.named += isolated
        else:
            counts.untouched += 1
            counts.accused += isolated
    return counts


def judged(seeds: range, processes: int) -> dict[str, list[Judged]]:
    """Judge the captures of all scenarios of reach, with tables and without."""
    names = [play.name for play in scenarios() if play.name.startswith(("reach.", "benign.reach."))]
    jobs = [(name, seed, table) for name in names for seed in seeds for table in (True, False)]
    totals = {name: [Judged(), Judged()] for name in names}
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for (name, _, with_table), counts in zip(jobs, pool.map(captures_of, jobs, chunksize=8), strict=True):
            total = totals[name][not with_table]
            for field in attrs.fields(Judged):
                setattr(total, field.name, getattr(total, field.name) + getattr(counts, field.name))
    return totals


def measure(*, trials: int, hours: float, seeds: int, processes: int, first_seed: int) -> dict[str, Any]:
    """Measure everything, and print it."""
    closed, open_ones = borders(trials, first_seed), harmless(hours, first_seed)
    print(report_borders(closed))
    print(report_harmless(open_ones))
    packets = judged(range(first_seed, first_seed + seeds), processes)
    print(report_captures(packets))
    by_name = {name: [attrs.asdict(one) for one in ways] for name, ways in packets.items()}
    return {"borders": closed, "harmless": open_ones, "captures": by_name}


def report_borders(found: list[dict[str, Any]]) -> str:
    """Lay out when closed borders were noticed, and as what; "if home answered": in more networks than are needed."""
    rows = []
    for kind in BORDERS:
        mine = [one for one in found if one["kind"] == kind]
        said = [one for one in mine if one["said"]]
        right = "full" if kind in {"full", "curfew"} else "listed"
        early = [
            "–" if kind == "protocols" else part(sum(one[grade] > 0 for one in mine), len(mine))
            for grade in ("suspected", "noticed")
        ]
        known = [one for one in mine if one["well"]]
        early.append("–" if kind == "protocols" else part(sum(one["noticed"] > 0 for one in known), len(known)))
        rows.append(
            [
                kind, *early, part(len(said), len(mine)),
                part(sum(one["shape"] == right for one in said), len(said)),
                *(part(sum(one[unit] <= BINS for one in said), len(said)) for unit in ("bins", "minutes")),
            ]
        )  # fmt: skip
    head = [
        "border", f"possible within {CLUSTERS} networks", f"accused within {CLUSTERS}", "if home answered",
        "in the end", "named rightly", f"begins within {BINS} bins", f"within {BINS} min",
    ]  # fmt: skip
    return table(head, rows)


def report_harmless(found: list[dict[str, Any]]) -> str:
    """Lay out what was mistaken for a closed border."""
    rows = []
    for kind in HARMLESS:
        mine = [one for one in found if one["kind"] == kind]
        rows.append(
            [
                kind, f"{sum(one['hours'] for one in mine):,.0f}", str(sum(one["accused"] for one in mine)),
                str(sum(one["llr"] >= bar(possible=True) for one in mine)),
                f"{max((one['llr'] for one in mine), default=-np.inf):.1f}",
            ]
        )  # fmt: skip
    total = sum(one["hours"] for one in found)
    rows.append(["together", f"{total:,.0f}", str(sum(one["accused"] for one in found)), "", f"(bar {bar():.1f})"])
    return table(["harmless", "capture-hours", "accused", "possible", "strongest, nats"], rows)


def report_captures(found: dict[str, list[Judged]]) -> str:
    """Lay out what was named in simulated captures, with a table of networks and without."""
    rows = [
        [
            name,
            *(f"{part(one.found, one.units)}; {part(one.named, one.units)}" for one in ways),
            *(str(one.accused) for one in ways),
        ]
        for name, ways in found.items()
    ]
    rows.append(["untouched, accused", "", "", *(totals(ways.accused for ways in each) for each in columns(found))])
    return table(["scenario", "with networks", "without", "accused with", "without"], rows)


def columns(found: dict[str, list[Judged]]) -> list[list[Judged]]:
    """Turn scenarios of ways into ways of scenarios."""
    return [[ways[place] for ways in found.values()] for place in range(2)]


def totals(numbers: Iterable[int]) -> str:
    """Write a sum."""
    return str(sum(numbers))


def part(count: int, whole: int) -> str:
    """Write a share."""
    return f"{count}/{whole} ({count / whole:.3f})" if whole else "–"
