"""How many blocks a comparison finds in simulated pairs of places, and whom it accuses wrongly."""

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from io import BytesIO
from multiprocessing import get_context
from typing import Any

import attrs

from benchmarks.compare.places import HOUR, KINDS, UNTOLD, Kind, play_pair
from benchmarks.machine import table
from netinterf.capture import write_pcap
from netinterf.comparison.units import Finding
from netinterf.engine.compare import compared
from netinterf.engine.judge import judge
from netinterf.engine.scan import Result
from netinterf.schema import Grade
from netinterf.simulate import Simulated
from netinterf.simulate.network.packet import Address
from netinterf.trace import host_text

__all__ = ["Score", "measure", "report", "score_pair"]

ACCUSED = (Finding.BLOCKED, Finding.BOTH)


@attrs.frozen(kw_only=True)
class Score:
    """What came of one pair: units by truth and finding, and what a scan alone had said."""

    kind: str
    hours: int  # between both captures
    troubled: dict[str, int]  # findings of the names in trouble
    others: dict[str, int]  # findings of all others
    scan_found: int  # names in trouble that a scan of this side alone accuses somebody of
    scan_false: int  # others of which it does


def score_pair(kind: Kind, seed: int) -> Score:
    """Play a pair, compare it, and hold the findings against the truth."""
    pair, here, there = play_pair(kind, seed)
    comparison = compared(scanned(here, "here"), scanned(there, "there"))
    servers = set(map(_written, pair.servers))
    mine, others = Counter[str](), Counter[str]()
    for unit in comparison.units:
        listed = unit.name in pair.troubled or (unit.name is None and unit.server in servers)
        (mine if listed else others)[unit.finding.value] += 1
    found = {
        (verdict.subject.name, verdict.subject.server)
        for verdict in comparison.here.findings
        if verdict.group is None and verdict.grade in {Grade.LIKELY, Grade.CONFIRMED}
    }
    hit = {name or server for name, server in found if name in pair.troubled or (name is None and server in servers)}
    missed = {name or server for name, server in found} - hit
    return Score(
        kind=kind.name,
        hours=pair.apart // HOUR,
        troubled=dict(mine),
        others=dict(others),
        scan_found=len(hit),
        scan_false=len(missed),
    )


def scanned(simulated: Simulated, name: str) -> Result:
    """Scan what was played."""
    file = BytesIO()
    write_pcap(file, simulated.times, simulated.frames, simulated.link_type, lengths=simulated.lengths)
    file.seek(0)
    return Result(judged=(judge(file, name=name),))


def _written(place: Address) -> str:
    return host_text(*place)


def scored(job: tuple[str, int]) -> Score:
    """Score one pair by the name of its kind."""
    kind = next(kind for kind in (*KINDS, UNTOLD) if kind.name == job[0])
    return score_pair(kind, job[1])


def measure(*, seeds: int, first_seed: int, processes: int) -> list[dict[str, Any]]:
    """Score pairs of every kind."""
    jobs = [(kind.name, seed) for kind in (*KINDS, UNTOLD) for seed in range(first_seed, first_seed + seeds)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return [attrs.asdict(score) for score in pool.map(scored, jobs, chunksize=4)]


def report(scores: list[dict[str, Any]]) -> str:
    """Lay out findings by kind."""
    rows = []
    for kind in (*KINDS, UNTOLD):
        mine = [score for score in scores if score["kind"] == kind.name]
        troubled, others = (_sum(mine, word) for word in ("troubled", "others"))
        accused = sum(troubled[finding] for finding in ACCUSED)
        at_once = _sum([score for score in mine if score["hours"] == 0], "troubled")
        quick = f"{sum(at_once[finding] for finding in ACCUSED)} of {sum(at_once.values())}"
        rest = [troubled[word] for word in (Finding.SUSPECTED, Finding.ONLY_HERE, Finding.DOWN)]
        truth = "block" if kind.blocked else "-"
        wrong = sum(others[finding] for finding in ACCUSED)
        alone = [sum(score[word] for score in mine) for word in ("scan_found", "scan_false")]
        total, beside = sum(troubled.values()), sum(others.values())
        rows.append([kind.name, truth, total, accused, quick, *rest, beside, wrong, *alone])
    head = [
        "here", "truth", "units in trouble", "called blocked", "of those captured at once", "suspected", "only here",
        "down", "others", "called blocked", "scan alone: in trouble", "others",
    ]  # fmt: skip
    return table(head, rows)


def _sum(scores: list[dict[str, Any]], word: str) -> Counter[str]:
    total = Counter[str]()
    for score in scores:
        total.update(score[word])
    return total
