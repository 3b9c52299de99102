"""How well limits that drop are found: ``python -m benchmarks limits``.

Simulated captures only, since only there is it known what a limit dropped of each flow. What counts is a flow, or the
flows of a client and a server together, of which a limit dropped at least 15 packets one way: fewer prove nothing
(Flach et al., SIGCOMM 2016, §3.2). Recall is told by scenario, by the sender's congestion control (all senders of a
capture made to use it) and by round trip; false alarms are told with what was seen. Where a bucket was measured, its
rate and depth are held against the truth.
"""

import fnmatch
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from benchmarks.decidable.rules import LEAST_DROPS
from benchmarks.machine import table, write_json
from benchmarks.matching import Verdict, accused, pair
from benchmarks.scoreboard.judging import library
from benchmarks.scoreboard.labels import LabelledCapture, of_labels
from netinterf.capture import write_pcap
from netinterf.simulate import Scenario, scenarios
from netinterf.simulate.catalogue import perform
from netinterf.trace import Trace, read

__all__ = [
    "CONGESTION",
    "Limited",
    "chooses_congestion",
    "judge_limits",
    "limiting",
    "played",
    "round_trips",
    "run",
    "told",
]

POLICING = "rate.policing"

FAMILIES = ("rate.policing*", "benign.rate.*")

CONGESTION = ("cubic", "reno", "bbr")


@attrs.frozen(kw_only=True)
class Limited:
    """One flow: what a limit did to it, and what was said of it."""

    scenario: str
    seed: int
    frame: int  # its first
    vantage: str
    congestion: str  # that all senders were made to use; empty: as the scenario draws
    conditions: dict[str, Any]
    interfered: bool
    drops: int  # of it, one way
    shared: int  # of all flows of its client and server, the same way
    rate: float  # bit/s of the limit; 0: none
    bucket: float  # bytes
    rtt: float  # seconds, as far as the tap tells; NaN: unknown
    said: tuple[str, ...]
    probability: float
    rules: tuple[tuple[str, float], ...]  # what was seen, with its weight
    measured: tuple[float, float] = (np.nan, np.nan)  # bit/s and bytes, where a bucket was measured
    inside: tuple[bool, bool] = (False, False)  # whether the true ones lie in the intervals given

    @property
    def found(self) -> bool:
        """Whether it was called policed, or limited in a way that includes it."""
        return any(word == POLICING or POLICING.startswith(f"{word}.") for word in self.said)

    @property
    def counts(self) -> bool:
        """Whether it was limited on purpose and lost enough to show it."""
        return self.interfered and max(self.drops, self.shared) >= LEAST_DROPS


def with_congestion(play: Scenario, congestion: str) -> Scenario:
    """Make all senders of a policed scenario use one congestion control; others stay as they are."""
    made = play.play
    form = made.keywords.get("form") if isinstance(made, partial) else None
    if not isinstance(made, partial) or form is None or not congestion:
        return play
    return attrs.evolve(play, play=partial(made.func, form=attrs.evolve(form, congestion=(congestion,))))


def judge_limits(case: tuple[str, int, str]) -> list[Limited]:
    """Simulate one scenario at one seed with one congestion control (empty: its own), and judge every flow."""
    trace, labels = played(case)
    _, verdicts = library(trace)
    return list(told(case, trace, labels, verdicts))


def played(case: tuple[str, int, str]) -> tuple[Trace, LabelledCapture]:
    """Simulate one scenario at one seed with one congestion control (empty: its own), and read the capture."""
    name, seed, congestion = case
    play = next(one for one in scenarios() if one.name == name)
    simulated = perform(with_congestion(play, congestion), seed)
    held = io.BytesIO()
    write_pcap(held, simulated.times, simulated.frames, simulated.link_type, lengths=simulated.lengths)
    return read(held.getvalue()), of_labels(simulated.labels)


def round_trips(trace: Trace) -> dict[int, float]:
    """Give the round trip of every flow as far as the tap tells, seconds, by the number of its first frame."""
    trips = trace.sides.rtt.reshape(-1, 2)
    return {
        int(trace.packets.frame[first]): float(np.maximum(trips[flow], 0).sum()) / 1e9
        for flow, first in enumerate(trace.flows.first_packet.tolist())
    }


def told(
    case: tuple[str, int, str], trace: Trace, labels: LabelledCapture, verdicts: Sequence[Verdict]
) -> Iterable[Limited]:
    """Put truth and verdict of every flow of a capture side by side."""
    rtt = round_trips(trace)
    shared: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in labels.rows:
        for way in (0, 1):
            shared[row.truth.client, row.truth.server][way] += int(row.truth.limit[2 + way])
    matched = pair(labels.rows, verdicts)
    for number, row in enumerate(labels.rows):
        truth = row.truth
        verdict = verdicts[matched[number]] if number in matched else {}
        evidence = verdict.get("evidence") or []
        bucket = next((one["measured"] for one in evidence if "bucket_bytes" in one["measured"]), None)
        way = int(truth.limit[3] >= truth.limit[2])
        yield Limited(
            scenario=labels.scenario, seed=case[1], frame=truth.first_frame, vantage=labels.vantage,
            congestion=case[2], conditions=labels.conditions, interfered=POLICING in row.mechanisms,
            drops=int(truth.limit[2 + way]),
            shared=shared[truth.client, truth.server][way] if max(truth.limit[2:]) else 0,
            rate=truth.limit[0], bucket=truth.limit[1], rtt=rtt.get(truth.first_frame, np.nan) or np.nan,
            said=accused(verdict), probability=verdict.get("probability") or 0.0,
            rules=tuple((one["rule"], one["llr"]) for one in evidence if one["rule"].startswith("rate.")),
            measured=(bucket["rate_bps"], bucket["bucket_bytes"]) if bucket else (np.nan, np.nan),
            inside=holds(bucket, truth.limit) if bucket else (False, False),
        )  # fmt: skip


def holds(bucket: dict[str, float], limit: tuple[float, float, int, int]) -> tuple[bool, bool]:
    """Say whether the intervals of a measured bucket hold the true rate and depth."""
    return (
        bucket["rate_low_bps"] <= limit[0] <= bucket["rate_high_bps"],
        bucket["bucket_low_bytes"] <= limit[1] <= bucket["bucket_high_bytes"],
    )


def share(units: Sequence[Limited]) -> str:
    """Write how many of some units were found."""
    found = sum(one.found for one in units)
    return f"{found} of {len(units)} ({found / len(units):.3f})" if units else "none"


def parted(units: Sequence[Limited], key: Callable[[Limited], str]) -> list[list[str]]:
    """Tell recall by kind."""
    parts: defaultdict[str, list[Limited]] = defaultdict(list)
    for one in units:
        parts[key(one)].append(one)
    return [[name, share(parts[name])] for name in sorted(parts)]


def thirds(units: Sequence[Limited]) -> Callable[[Limited], str]:
    """Name the third of the round trips that a unit lies in."""
    known = [one.rtt for one in units if one.rtt > 0]
    edges = np.quantile(known, (1 / 3, 2 / 3)) if known else np.zeros(2)
    names = (f"below {1e3 * edges[0]:.0f} ms", "between", f"above {1e3 * edges[1]:.0f} ms")
    return lambda one: names[int(np.searchsorted(edges, one.rtt))] if one.rtt > 0 else "unknown"


def errors(units: Sequence[Limited]) -> list[list[str]]:
    """Tell the errors of rates and depths of the units that were found."""
    found = [one for one in units if one.found and one.rate > 0 and np.isfinite(one.measured[0])]
    if not found:
        return []
    truth = np.array([(one.rate, one.bucket) for one in found])
    off = np.abs(np.array([one.measured for one in found]) / truth - 1)
    told = []
    for place, word in enumerate(("rate", "depth")):
        middle, most = np.quantile(off[:, place], (0.5, 0.9))
        inside = np.mean([one.inside[place] for one in found])
        told.append([f"error of the {word}", f"median {middle:.3f}, 90 % below {most:.3f}, in interval {inside:.2f}"])
    return told


def run(
    *, first: int, seeds: int, pattern: str = "*", jobs: int = 2, out: Path | None = None, details: bool = False
) -> dict[str, Any]:
    """Measure and print.

    Args:
        first: First seed.
        seeds: Captures per scenario.
        pattern: Which scenarios of the families of rates.
        jobs: Processes.
        out: Where to write the results as JSON.
        details: List misses with what was seen.
    """
    names = [name for name in limiting() if fnmatch.fnmatch(name, pattern)]
    cases = [(name, seed, "") for seed in range(first, first + seeds) for name in names]
    cases += [
        (name, seed, control)
        for seed in range(first, first + seeds)
        for name in names
        for control in CONGESTION
        if chooses_congestion(name)
    ]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        every = [one for part in pool.map(judge_limits, cases, chunksize=4) for one in part]
    units = [one for one in every if not one.congestion]
    counted = [one for one in units if one.counts]
    forced = [one for one in every if one.congestion and one.counts]
    untouched = [one for one in every if not one.interfered]
    alarms = [one for one in untouched if one.said]
    rows = [
        ["all", share(counted)],
        *parted(counted, lambda one: one.vantage),
        *parted(counted, lambda one: one.scenario),
        *parted(forced, lambda one: f"all senders {one.congestion}"),
        *parted(counted, thirds(counted)),
        *errors(counted),
        ["untouched flows accused", f"{len(alarms)} of {len(untouched)}"],
    ]
    print(table(["limited flows with at least 15 drops", "found"], rows))
    for one in alarms:
        print("accused", one.scenario, one.seed, one.frame, one.vantage, one.said, one.rules)
    if details:
        for one in counted:
            if not one.found:
                print("missed", one.scenario, one.seed, one.frame, one.vantage, one.drops, one.shared, one.rules)
    results = {"rows": rows, "alarms": [(one.scenario, one.seed, one.frame, one.rules) for one in alarms]}
    if out is not None:
        write_json(out, results)
    return results


def limiting() -> list[str]:
    """Name the scenarios of the families of rates."""
    return [one.name for one in scenarios() if any(fnmatch.fnmatch(one.name, family) for family in FAMILIES)]


def chooses_congestion(name: str) -> bool:
    """Say whether the senders of a scenario can be made to use one congestion control."""
    play = next(one for one in scenarios() if one.name == name)
    return with_congestion(play, "bbr") is not play
