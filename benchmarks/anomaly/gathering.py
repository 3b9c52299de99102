"""Facts and labels of the conversations of many captures, without a look at any evidence."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import attrs
import numpy as np
from numpy.typing import NDArray

from benchmarks.matching import pair
from benchmarks.reality.looking import LIMIT, cases
from benchmarks.scoreboard.judging import Job, limited, opened
from benchmarks.scoreboard.labels import LabelledCapture
from netinterf.anomaly.score import Members, members_of
from netinterf.errors import NetinterfError
from netinterf.schema import Anomalies, Evidence
from netinterf.simulate import scenarios
from netinterf.verdict.combine import judge
from netinterf.verdict.subjects import list_subjects
from netinterf.written.ledger import explain
from netinterf.written.parts import subject

__all__ = ["BENIGN", "UNKNOWN", "Gathered", "gather", "lab", "real", "simulated"]

BENIGN, UNKNOWN = "", "?"
"""Labels of conversations that nobody interfered with, and of those about which nothing is known."""


@attrs.frozen(eq=False, kw_only=True)
class Gathered:
    """What one capture holds."""

    source: str  # real, simulated or lab
    file: str
    home: str  # what is left out together
    members: list[Members]
    labels: list[NDArray[np.str_]]  # of each of the members: the first mechanism at work, BENIGN or UNKNOWN


@attrs.frozen(kw_only=True)
class Source:
    """A capture to read."""

    source: str
    home: str
    job: Job


def real(folder: Path, *, reserve: bool = False) -> list[Source]:
    """List the public captures that are not kept in reserve, or those that are."""
    return [
        Source(
            source="real", home=case.home, job=Job(source="real", name=case.file, path=case.path, labels=case.labels)
        )
        for case in cases(folder)
        if case.reserved == reserve
    ]


def simulated(seeds: Sequence[int]) -> list[Source]:
    """List simulated captures."""
    return [
        Source(source="simulated", home=one.name,
               job=Job(source="simulator", name=f"{one.name}-{seed}", scenario=one.name, seed=seed))
        for seed in seeds for one in scenarios()
    ]  # fmt: skip


def lab(folder: Path) -> list[Source]:
    """List the captures of a folder that the lab filled."""
    paths = sorted(folder.glob("*.pcap"))
    return [Source(source="lab", home=path.name, job=Job(source="lab", name=path.name, path=path)) for path in paths]


def gather(sources: Sequence[Source], processes: int) -> Iterator[Gathered]:
    """Read captures in some processes; what cannot be read is left out."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from filter(None, pool.map(_gather, sources, chunksize=8))


def _gather(source: Source) -> Gathered | None:
    """Read one capture."""
    try:
        with limited(LIMIT):
            trace, labels = opened(source.job)
            nothing = Evidence.empty()
            subjects = list_subjects(trace, nothing)
            nobody = Anomalies(score=np.full(len(subjects), np.nan))  # also where what is ordinary is being made anew
            ledger = explain(judge(nothing, subjects), nothing, trace, subjects=subjects, anomalies=nobody)
            members = members_of(trace, subjects.subject, subjects.kind, subjects.flow, subjects.name)
    except (NetinterfError, TimeoutError):
        return None
    told = [{"subject": attrs.asdict(subject(ledger, row))} for row in range(len(subjects))]
    label = labels_of(labels, told)
    return Gathered(
        source=source.source, file=source.job.name, home=source.home, members=members,
        labels=[label[one.row] for one in members],
    )  # fmt: skip


def labels_of(labels: LabelledCapture, told: list[dict[str, dict[str, object]]]) -> NDArray[np.str_]:
    """Label each subject."""
    found = np.full(len(told), UNKNOWN if labels.interfered else BENIGN, "U40")
    for number, place in pair(labels.rows, told).items():
        row = labels.rows[number]
        found[place] = (row.mechanisms or (BENIGN,))[0] if row.scored else UNKNOWN
    return found
