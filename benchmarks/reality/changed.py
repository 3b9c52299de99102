"""``python -m benchmarks reality --changed``: what moves when captures are changed."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import attrs

from benchmarks.reality.changes import NEUTRAL, WORSE, as_pcap, as_pcapng, frames_of
from benchmarks.reality.looking import LIMIT, Case
from benchmarks.scoreboard.judging import limited
from benchmarks.scoreboard.tables import Section
from netinterf.analyzers.run import analyze
from netinterf.errors import NetinterfError
from netinterf.trace import Trace, read
from netinterf.verdict.combine import classify
from netinterf.written.ledger import Ledger, explain
from netinterf.written.parts import subject

__all__ = ["Flip", "flips_of", "measure", "sections"]

LEAST_CHANGE = 1e-6
"""Difference of two probabilities from which they are not the same."""


@attrs.frozen(kw_only=True)
class Flip:
    """A subject whose verdict moved."""

    change: str
    file: str
    subject: str
    before: str
    after: str
    rules: tuple[str, ...]  # what weighs most after


@attrs.frozen(kw_only=True)
class Moved:
    """What changes of one capture did."""

    subjects: Counter[str]  # compared, by change
    flips: tuple[Flip, ...] = ()


def measure(cases: Sequence[Case], processes: int) -> dict[str, Any]:
    """Change captures in every way, and count by change how many subjects were compared and which verdicts moved."""
    subjects: Counter[str] = Counter()
    flips: list[Flip] = []
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for one in pool.map(flips_of, cases, chunksize=2):
            subjects.update(one.subjects)
            flips += one.flips
    return {
        "subjects": {name: subjects[name] for name in (*NEUTRAL, *WORSE)},
        "flips": [attrs.asdict(flip) for flip in flips],
    }


def flips_of(case: Case) -> Moved:
    """Change one capture in every way; what cannot be read, or changed, gives nothing."""
    subjects: Counter[str] = Counter()
    flips: list[Flip] = []
    try:
        with limited(LIMIT * len((*NEUTRAL, *WORSE))):
            trace = read(case.path)
            frames = frames_of(trace)
            if frames is None:
                return Moved(subjects=subjects)
            before = told(trace)
            for name, change in (NEUTRAL | WORSE).items():
                changed = change(frames)
                if not len(changed):
                    continue
                write = as_pcapng if name == "as pcapng" else as_pcap
                after = told(read(write(changed)))
                by_place = name == "clients readdressed"
                count, found = compare(case.file, name, before, after, by_place=by_place, neutral=name in NEUTRAL)
                subjects[name] += count
                flips += found
    except (NetinterfError, TimeoutError):
        pass
    return Moved(subjects=subjects, flips=tuple(flips))


def told(trace: Trace) -> Ledger:
    """Judge a trace."""
    evidence = analyze(trace)
    return explain(classify(evidence, trace), evidence, trace)


def compare(
    file: str, change: str, before: Ledger, after: Ledger, *, by_place: bool, neutral: bool
) -> tuple[int, list[Flip]]:
    """Hold the verdicts of a changed capture against those of the capture; groups are not compared.

    Returns:
        How many subjects both have, and those that differ (neutral changes), or are accused only now (the others).
    """
    known, found = keyed(before, by_place), []
    shared = [(known[key], row) for key, row in keyed(after, by_place).items() if key in known]
    for old, new in shared:
        left, right = before.verdicts, after.verdicts
        accused = right.grade[new] <= 1 < left.grade[old]
        moved = left.grade[old] != right.grade[new] or left.outcome[old] != right.outcome[new]
        moved |= word(before, old) != word(after, new)
        moved |= abs(float(left.probability[old] - right.probability[new])) > LEAST_CHANGE
        if moved if neutral else accused:
            found.append(flip(file, change, before, old, after, new))
    return len(shared), found


def word(ledger: Ledger, row: int) -> str:
    """Name the mechanism of a verdict, empty for none."""
    code = int(ledger.verdicts.mechanism[row])
    return ledger.verdicts.mechanisms[code] if code >= 0 else ""


def keyed(ledger: Ledger, by_place: bool) -> dict[tuple[Any, ...], int]:
    """Name every subject: by place, or by ends and question, equal ones by their order."""
    seen: Counter[tuple[Any, ...]] = Counter()
    found = {}
    for row in range(len(ledger.verdicts)):
        key: tuple[Any, ...] = (row,)
        if not by_place:
            told = attrs.astuple(attrs.evolve(subject(ledger, row), first_frame=None))
            seen[told] += 1
            key = (*told, seen[told])
        found[key] = row
    return found


def flip(file: str, change: str, before: Ledger, old: int, after: Ledger, new: int) -> Flip:
    """Write down what moved."""
    first, second = before.write(old), after.write(new)
    who = first.subject
    ends = f"{who.client}:{who.client_port} {who.server}:{who.server_port}"
    return Flip(
        change=change,
        file=file,
        subject=f"{who.kind} {who.protocol} {ends} {who.name or ''}",
        before=f"{first.outcome} {first.grade} {first.mechanism or ''} {first.probability:.4f}",
        after=f"{second.outcome} {second.grade} {second.mechanism or ''} {second.probability:.4f}",
        rules=tuple(f"{one.rule} {one.llr:+.1f}" for one in second.evidence[:5]),
    )


def sections(found: dict[str, Any]) -> list[Section]:
    """Lay out flips by change, and list them."""
    flips = found["flips"]
    by_change = Counter(one["change"] for one in flips)
    files = {name: len({one["file"] for one in flips if one["change"] == name}) for name in by_change}
    rows = [
        [name, "neutral" if name in NEUTRAL else "worse", str(count), str(by_change[name]), str(files.get(name, 0))]
        for name, count in found["subjects"].items()
    ]
    listed = [
        [one["change"], one["file"], one["subject"], one["before"], one["after"], ", ".join(one["rules"])]
        for one in flips
    ]
    return [
        Section(
            title="Captures changed",
            says="Neutral changes must move nothing (outcome, mechanism, grade, probability); of the others only new "
            "accusations count.",
            head=["change", "kind", "subjects", "moved", "files"],
            rows=rows,
        ),
        Section(
            title="What moved",
            says="Every one.",
            head=["change", "file", "subject", "before", "after", "evidence"],
            rows=listed,
        ),
    ]
