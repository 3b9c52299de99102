"""Labelled evidence without packets: what every subject of a capture showed, and what had really happened to it."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import attrs
import numpy as np
from numpy.typing import NDArray

from benchmarks.matching import pair
from benchmarks.scoreboard.judging import Job, limited, opened
from benchmarks.scoreboard.labels import LabelledCapture, Row
from benchmarks.scoreboard.left_out import origin_of
from netinterf.analyzers.base import join
from netinterf.analyzers.run import analyze
from netinterf.arrays import I64, Mask
from netinterf.schema import Evidence
from netinterf.simulate import Truth
from netinterf.stats.calibration import rule_of_three
from netinterf.table import Ragged
from netinterf.trace import Trace
from netinterf.verdict.combine import judge
from netinterf.verdict.model import SUBJECTS
from netinterf.verdict.reasons import causes
from netinterf.verdict.same_path import paths_of
from netinterf.verdict.subjects import list_subjects, row_of
from netinterf.written.ledger import explain
from netinterf.written.parts import subject

__all__ = ["LIMIT", "Corpus", "Sample", "collect", "gather", "sample_of", "total_caps"]

LIMIT = 20.0
"""Seconds of processor time for one capture: an ordinary one takes a tenth of one."""

NOBODY = Row(truth=Truth(kind="flow", protocol="", client="", client_port=0, server="", server_port=0, name="",
                         first_frame=0))  # fmt: skip


@attrs.frozen(eq=False, kw_only=True)
class Sample:
    """One capture; only subjects whose truth is known."""

    scenario: str
    evidence: Evidence  # subject: place in the arrays below; no packets
    kind: I64  # place in SUBJECTS
    server: I64  # servers of the capture, numbered
    path: I64  # pairs of its hosts, and kinds of subject between them, numbered
    happened: tuple[str, ...]  # "ok", or the code of the deciding reason
    mechanisms: tuple[tuple[str, ...], ...]  # at work; empty when nobody interfered
    series: Mask  # decidable only together with others
    system: tuple[str, ...]
    confounder: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.kind)


@attrs.frozen(eq=False, kw_only=True)
class Corpus:
    """All samples in one table."""

    evidence: Evidence
    kind: I64
    site: I64  # one number per server of each capture
    path: I64  # one number per path of each capture (`netinterf.verdict.same_path`)
    happened: NDArray[np.str_]
    mechanisms: tuple[tuple[str, ...], ...]
    benign: Mask
    series: Mask
    origin: NDArray[np.str_]  # system, else look-alike, else scenario: what is left out together
    captures: int

    def __len__(self) -> int:
        return len(self.kind)

    def count(self, kind: str, mechanism: str | None = None) -> int:
        """Count the subjects of a kind that nobody interfered with, or that *mechanism* worked on alone decidably."""
        mine = self.kind == SUBJECTS.index(kind)
        if mechanism is None:
            return int(np.sum(mine & self.benign))
        worked = np.array([mechanism in words for words in self.mechanisms], np.bool_)
        return int(np.sum(mine & worked & ~self.series))


def total_caps(corpus: Corpus) -> dict[str, float]:
    """Say how many nats the untouched subjects of each kind support: none of n more often than 3 / n."""
    caps = {kind: rule_of_three(corpus.count(kind)) for kind in SUBJECTS}
    return {kind: round(cap, 2) for kind, cap in caps.items() if cap > 1.0}


def attempt(job: Job) -> Sample | str:
    """Look at one capture; one that takes longer than `LIMIT` seconds of processor time gives its name instead."""
    try:
        with limited(LIMIT):
            return sample(job)
    except TimeoutError as late:
        return f"{job.name} {late}"


def sample(job: Job) -> Sample:
    """Look at one capture with all analyzers, and put the labels beside what they saw."""
    return sample_of(*opened(job))


def sample_of(trace: Trace, labels: LabelledCapture) -> Sample:
    """Look at a capture that was read already."""
    evidence = analyze(trace)
    subjects = list_subjects(trace, evidence)
    ledger = explain(judge(evidence, subjects), evidence, trace)
    told = [{"subject": attrs.asdict(subject(ledger, row))} for row in range(len(subjects))]
    truth = {place: labels.rows[number] for number, place in pair(labels.rows, told).items()}
    known = [row for row in range(len(subjects)) if row in truth or not labels.interfered]
    rows = [truth.get(row, NOBODY) for row in known]
    place = np.full(len(subjects) + 1, -1, np.int64)
    place[known] = np.arange(len(known))
    about = place[row_of(evidence, subjects)]
    kept = np.flatnonzero(about >= 0)
    _, server = np.unique(subjects.server[known], return_inverse=True)
    _, path = np.unique(paths_of(subjects)[known], return_inverse=True)
    lowest = [causes(int(bits))[:1] for bits in subjects.reasons[known]]
    return Sample(
        scenario=labels.scenario,
        evidence=attrs.evolve(
            evidence.take(kept), subject=about[kept].astype(np.int32), witness=Ragged.empty(len(kept), np.int32),
            forged=Ragged.empty(len(kept), np.int32),
        ),
        kind=subjects.prior_kind[known],
        server=server.reshape(-1),
        path=path.reshape(-1),
        happened=tuple(cause[0].code if cause else "ok" for cause in lowest),
        mechanisms=tuple(row.mechanisms for row in rows),
        series=np.array([row.truth.series for row in rows], np.bool_),
        system=tuple(row.truth.system for row in rows),
        confounder=tuple(row.truth.confounder for row in rows),
    )  # fmt: skip


def collect(jobs: Sequence[Job], processes: int) -> Iterator[Sample | str]:
    """Look at captures in some processes; samples, or names of captures that took too long, in the order given."""
    if processes <= 1:
        yield from map(attempt, jobs)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(attempt, jobs, chunksize=4)


def gather(samples: Sequence[Sample]) -> Corpus:
    """Put samples together."""
    sizes = np.array([len(one) for one in samples], np.int64)
    starts = np.cumsum(sizes) - sizes
    tables = [
        attrs.evolve(one.evidence, subject=(one.evidence.subject + start).astype(np.int32))
        for one, start in zip(samples, starts.tolist(), strict=True)
    ]
    servers, paths = (
        np.cumsum([0, *(int(column.max(initial=-1)) + 1 for column in columns)]).tolist()
        for columns in ([one.server for one in samples], [one.path for one in samples])
    )
    origin = [
        origin_of(system, confounder, one.scenario)
        for one in samples
        for system, confounder in zip(one.system, one.confounder, strict=True)
    ]
    mechanisms = tuple(words for one in samples for words in one.mechanisms)
    return Corpus(
        evidence=join(tables),
        kind=np.concatenate([one.kind for one in samples]),
        site=np.concatenate([one.server + first for one, first in zip(samples, servers, strict=False)]),
        path=np.concatenate([one.path + first for one, first in zip(samples, paths, strict=False)]),
        happened=np.array([word for one in samples for word in one.happened]),
        mechanisms=mechanisms,
        benign=np.array([not words for words in mechanisms], np.bool_),
        series=np.concatenate([one.series for one in samples]),
        origin=np.array(origin),
        captures=len(samples),
    )
