"""One real capture, read and looked at once: what is kept lets it be judged by any model, without its packets."""

import pickle
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import attrs
import numpy as np

from benchmarks import truth
from benchmarks.matching import pair
from benchmarks.reality.exposure import Count, count
from benchmarks.reality.reserve import home_of, reserved
from benchmarks.scoreboard.folders import of_catalogue
from benchmarks.scoreboard.judging import limited, single_replies
from benchmarks.scoreboard.labels import LabelledCapture
from netinterf.analyzers.run import analyze
from netinterf.arrays import Mask
from netinterf.errors import NetinterfError
from netinterf.trace import read
from netinterf.verdict.combine import judge
from netinterf.verdict.subjects import list_subjects
from netinterf.written.ledger import Ledger, explain
from netinterf.written.parts import subject

__all__ = ["Case", "Seen", "cases", "look", "look_at_all"]

LIMIT = 120.0
"""Seconds of processor time for one capture: an ordinary one takes a tenth of one."""


@attrs.frozen(kw_only=True)
class Case:
    """A labelled capture file."""

    file: str  # path below the folder
    path: Path
    repository: str
    kind: str  # positive or benign
    expected: tuple[str, ...]  # labels in the catalogue's words
    labels: LabelledCapture

    @property
    def home(self) -> str:
        """What it is left out together with."""
        return home_of(self.repository)

    @property
    def reserved(self) -> bool:
        """Whether its repository is in the reserve."""
        return reserved(self.repository)


@attrs.frozen(eq=False, kw_only=True)
class Seen:
    """What looking at one capture gave."""

    case: Case
    failure: str = ""  # why it could not be judged
    ledger: Ledger | None = None
    counts: dict[str, Count] = attrs.field(factory=dict)  # by rule, over benign subjects
    single: frozenset[int] = frozenset()  # first frames of DNS exchanges with one reply
    packets: int = 0


def cases(folder: Path) -> list[Case]:
    """List the captures of a labelled folder that are scored."""
    known = truth.load(folder)
    return [
        Case(
            file=row.file, path=folder / row.file, repository=row.repo, kind=row.kind, expected=row.expected,
            labels=of_catalogue(row, known.flows.get(row.file, ())).labels or unlabelled_capture(),
        )
        for row in known.files if row.kind in {"positive", "benign"}
    ]  # fmt: skip


def unlabelled_capture() -> LabelledCapture:
    """Give the labels of a capture about which nothing is known."""
    return LabelledCapture(scenario="", family="", rows=(), interfered=False)


def look(case: Case) -> Seen:
    """Read and look at one capture; what cannot be read, or takes too long, says so."""
    try:
        with limited(LIMIT):
            return looked_at(case)
    except (NetinterfError, TimeoutError) as error:
        return Seen(case=case, failure=f"{type(error).__name__}: {error}")


def looked_at(case: Case) -> Seen:
    """Read and look at one capture."""
    trace = read(case.path)
    evidence = analyze(trace)
    subjects = list_subjects(trace, evidence)
    ledger = explain(judge(evidence, subjects), evidence, trace, subjects=subjects)
    labels = case.labels
    benign = spared(labels, ledger)
    return Seen(
        case=case,
        ledger=attrs.evolve(ledger, capture=case.file),
        counts=count(trace, subjects, evidence, benign, labels.tolerated),
        single=single_replies(trace),
        packets=len(trace.packets),
    )


def spared(labels: LabelledCapture, ledger: Ledger) -> Mask:
    """Say of each subject whether nobody interfered with it, as far as the labels know."""
    told = [{"subject": attrs.asdict(subject(ledger, row))} for row in range(len(ledger.verdicts))]
    benign = np.full(len(told), not labels.interfered)
    for number, place in pair(labels.rows, told).items():
        row = labels.rows[number]
        benign[place] = row.scored and not row.right
    return benign


def look_at_all(wanted: Sequence[Case], processes: int, cache: Path | None = None) -> Iterator[Seen]:
    """Look at captures in some processes, in the order given; or take what an earlier run kept in a folder."""
    if cache is not None:
        cache.mkdir(parents=True, exist_ok=True)
    held = [None if cache is None else cache / (case.file.replace("/", "~") + ".pickle") for case in wanted]
    missing = [case for case, kept in zip(wanted, held, strict=True) if kept is None or not kept.exists()]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        fresh = pool.map(look, missing, chunksize=4)
        for kept in held:
            if kept is not None and kept.exists():
                yield pickle.loads(kept.read_bytes())
                continue
            seen = next(fresh)
            if kept is not None:
                kept.write_bytes(pickle.dumps(seen))
            yield seen
