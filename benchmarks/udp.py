"""UDP that falls silent, QUIC and DNS apart: found where it can be, accused where nobody interferes?

``python -m benchmarks udp`` plays every block of tunnels and calls, and every harmless cause that looks alike; with
``--captures`` it judges the public captures in which nobody interferes as well. Nothing was fitted to any of them.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from benchmarks.decidable import decidable
from benchmarks.machine import table
from benchmarks.scoreboard.intervals import upper_bound
from benchmarks.scoreboard.labels import Row
from benchmarks.truth import load
from netinterf.analyzers.silence.udp.talks import conversations, look
from netinterf.engine.scan import scan
from netinterf.errors import NetinterfError
from netinterf.schema import Outcome
from netinterf.simulate import run, scenarios
from netinterf.trace import Trace, read

__all__ = ["Tally", "on_public", "played", "run_udp"]

POSSIBLE = 0.5  # where the verdict format begins to suspect
BLOCK = "udp.drop"


@attrs.frozen(kw_only=True)
class Tally:
    """Conversations that are neither DNS nor QUIC, and what was said of them."""

    conversations: int = 0  # harmless ones, or blocked ones
    decidable: int = 0  # blocked, with three tries and a control
    suspected: int = 0  # possible or better; of blocked ones, only those that are decidable count
    undecidable: int = 0  # blocked and not decidable, possible or better all the same
    accused: int = 0  # likely or better; in harmless captures, groups included

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(**{name: value + getattr(other, name) for name, value in attrs.asdict(self).items()})


def judged_flows(trace: Trace) -> set[int]:
    """List the first frames of the conversations in question."""
    mine = look(trace, conversations(trace)).judged
    return set(trace.packets.frame[trace.flows.first_packet[mine]].tolist())


def played(case: tuple[str, int]) -> tuple[str, Tally]:
    """Play one scenario, and count what is said of its conversations."""
    name, seed = case
    made = run(name, seed)
    capture: dict[str, Any] = {"times": made.times, "frames": made.frames, "link_type": made.link_type}
    trace = read(**capture)
    rows = [
        Row(truth=truth, right=((truth.mechanism,),) if truth.mechanism else ())
        for truth in made.labels.truths
        if truth.kind == "flow"
    ]
    can = dict(zip((row.truth.first_frame for row in rows), decidable(trace, rows, made.labels.vantage), strict=True))
    struck = {row.truth.first_frame for row in rows if row.truth.mechanism == BLOCK}
    mine, verdicts = judged_flows(trace), list(scan(**capture).verdicts)
    if not name.startswith(BLOCK):
        return name, harmless(mine, verdicts)
    told = [one for one in verdicts if one.subject.kind == "flow" and one.subject.first_frame in struck]
    possible = [can[one.subject.first_frame or 0] for one in told if one.probability >= POSSIBLE]
    return name, Tally(
        conversations=len(struck),
        decidable=sum(can[frame] for frame in struck),
        suspected=sum(possible),
        undecidable=possible.count(False),
        accused=sum(one.outcome is Outcome.INTERFERED for one in told),
    )


def harmless(mine: set[int], verdicts: Sequence[Any]) -> Tally:
    """Count what is said of conversations that nobody interfered with."""
    told = [one for one in verdicts if one.subject.kind == "flow" and one.subject.first_frame in mine]
    groups = [one for one in verdicts if one.subject.kind == "group" and str(one.mechanism).startswith("udp")]
    return Tally(
        conversations=len(told),
        suspected=sum(one.probability >= POSSIBLE for one in told),
        accused=sum(one.outcome is Outcome.INTERFERED for one in [*told, *groups]),
    )


def on_public(path: Path) -> Tally:
    """Count what is said of conversations of one public capture that were answered."""
    try:
        trace = read(path)
        answered = trace.packets.frame[trace.flows.first_packet[trace.sides.packets[1::2] > 0]]
        mine = judged_flows(trace) & set(np.asarray(answered).tolist())
        return harmless(mine, list(scan(path).verdicts)) if mine else Tally()
    except (NetinterfError, FileNotFoundError):
        return Tally()


def run_udp(captures: Path | None, *, seeds: int, first_seed: int, jobs: int) -> list[tuple[str, Tally]]:
    """Count, and print; one row for each scenario, and one for the public captures."""
    names = [play.name for play in scenarios() if play.name.startswith((BLOCK, "benign.udp."))]
    cases = [(name, first_seed + number) for name in names for number in range(seeds)]
    found = {name: Tally() for name in names}
    with ProcessPoolExecutor(jobs) as pool:
        for name, tally in pool.map(played, cases, chunksize=16):
            found[name] += tally
        if captures is not None:
            files = [captures / row.file for row in load(captures).files if row.kind == "benign"]
            found["public captures"] = total(pool.map(on_public, files, chunksize=16))
    head = ["scenario", *(field.name for field in attrs.fields(Tally))]
    print(table(head, [[name, *attrs.astuple(one)] for name, one in found.items()]))
    blocks = total(one for name, one in found.items() if name.startswith(BLOCK) and "adaptive" not in name)
    spared = total(one for name, one in found.items() if name.startswith("benign."))
    print(f"possible or better: {blocks.suspected} of {blocks.decidable} that can be decided, adaptive boxes apart")
    most = 1e6 * upper_bound(spared.accused, spared.conversations)
    print(f"accused: {spared.accused} of {spared.conversations} harmless ones, at most {most:.0f} in a million")
    return list(found.items())


def total(parts: Iterable[Tally]) -> Tally:
    """Add up."""
    return sum(parts, Tally())
