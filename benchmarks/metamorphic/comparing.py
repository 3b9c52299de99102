"""Two judgements of the same traffic, subject by subject, whatever became of addresses and frame numbers."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

import attrs
import numpy as np

from netinterf.analyzers.run import analyze
from netinterf.arrays import I64
from netinterf.schema import Evidence, Grade, Outcome, SubjectKind, Verdicts
from netinterf.trace import Trace
from netinterf.transform import Kind
from netinterf.verdict.combine import classify
from netinterf.verdict.listing import forged_of_accused
from netinterf.written.ledger import explain
from netinterf.written.record import Verdict

__all__ = ["GONE", "UNSEEN", "About", "Compared", "Flip", "Looked", "added", "compare", "look"]

LEAST_CHANGE = 1e-6
"""Difference of two probabilities from which they are not the same."""

OUTCOMES, GRADES = tuple(Outcome), tuple(Grade)
ACCUSED, POSSIBLE = GRADES.index(Grade.LIKELY), GRADES.index(Grade.POSSIBLE)
INTERFERED = OUTCOMES.index(Outcome.INTERFERED)
INSUFFICIENT = OUTCOMES.index(Outcome.INSUFFICIENT)

GONE = "gone"
"""What became of a subject that the changed capture does not show."""

UNSEEN = ", forged frames lost"
"""What is said of a finding of which the changed capture holds nothing."""

MOST_RULES = 5


@attrs.frozen(eq=False)
class Looked:
    """A trace and what is concluded of it."""

    trace: Trace
    evidence: Evidence
    verdicts: Verdicts
    forged: tuple[frozenset[int], ...]  # frame numbers, by verdict

    def write(self, row: int) -> Verdict:
        """Write one verdict out."""
        return explain(self.verdicts, self.evidence, self.trace).write(row)

    def mechanism(self, row: int) -> str:
        """Name the mechanism of a verdict, empty for none."""
        code = int(self.verdicts.mechanism[row])
        return self.verdicts.mechanisms[code] if code >= 0 else ""


def look(trace: Trace) -> Looked:
    """Judge a trace."""
    evidence = analyze(trace)
    verdicts = classify(evidence, trace)
    forged = forged_of_accused(verdicts)
    frames = trace.packets.frame[forged.values].tolist()
    by_row = tuple(frozenset(frames[begin:end]) for begin, end in pairwise(forged.offsets.tolist()))
    return Looked(trace, evidence, verdicts, by_row)


@attrs.frozen(kw_only=True)
class About:
    """Which change of which capture."""

    change: str
    kind: Kind
    file: str
    simulated: bool


@attrs.frozen(kw_only=True)
class Flip:
    """A subject whose verdict moved in a way that it must not, or that is worth a name."""

    change: str
    file: str
    simulated: bool
    what: str  # accused, differs, new, or what a finding became
    subject: str
    before: str
    after: str
    rules: tuple[str, ...]  # what weighs most after, or before where it is gone


@attrs.frozen(kw_only=True)
class Compared:
    """What one change did to one capture."""

    subjects: int
    transitions: Counter[tuple[str, str]]  # outcomes before and after, GONE for none
    flips: tuple[Flip, ...] = ()


def compare(before: Looked, after: Looked, numbers: I64, about: About) -> Compared:
    """Hold the verdicts of a changed capture against those of the capture; groups are not compared.

    Args:
        before: The capture.
        after: The changed one.
        numbers: Which frame of the capture each frame of the changed one was, by number; 0 for one of another capture.
        about: What is compared.
    """
    became, new = matched(before, after, numbers)
    outcomes = [OUTCOMES[code].value for code in after.verdicts.outcome.tolist()]
    transitions = Counter(
        (OUTCOMES[code].value, outcomes[row] if row >= 0 else GONE)
        for code, row in zip(before.verdicts.outcome.tolist(), became.tolist(), strict=True)
    )
    present = set(numbers.tolist())
    found = []
    for old, row in enumerate(became.tolist()):
        said = (
            differing(before, old, after, row, numbers, present)
            if about.kind is Kind.NEUTRAL
            else worse(before, old, after, row, present)
        )
        if said:
            found.append((said, old, row))
    if about.kind is Kind.NEUTRAL:
        found += [("new", -1, row) for row in new.tolist()]
    flips = tuple(told(about, what, before, old, after, row) for what, old, row in found)
    return Compared(subjects=len(before.verdicts), transitions=transitions, flips=flips)


def matched(before: Looked, after: Looked, numbers: I64) -> tuple[I64, I64]:
    """Find what became of each subject: that of its kind whose first frame was one of its own.

    Where a conversation fell apart, the part that is accused most counts.

    Returns:
        Row after for each row before (-1: gone), and rows after that were no subject before.
    """
    verdicts = after.verdicts
    frame = after.trace.packets.frame[verdicts.first_packet].astype(np.int64)
    number = numbers[frame - 1]
    was = np.full(len(verdicts), -1)
    flows = flow_of(before)
    is_flow = verdicts.subject_kind == SubjectKind.FLOW
    inside = (number > 0) & (number < len(flows))
    was[is_flow & inside] = flows[number[is_flow & inside]]
    exchanges = exchanges_of(before)
    asked: Counter[int] = Counter()
    for row in np.flatnonzero(~is_flow & inside).tolist():
        here = exchanges.get(int(number[row]), [])
        if here:
            was[row] = here[min(asked[int(number[row])], len(here) - 1)]
            asked[int(number[row])] += 1
    became = np.full(len(before.verdicts), -1)
    order = np.lexsort((np.arange(len(was)), verdicts.grade))[::-1]  # the first written last stays
    order = order[was[order] >= 0]
    became[was[order]] = order
    return became, np.flatnonzero((was < 0) & (number > 0))


def flow_of(looked: Looked) -> I64:
    """Give the verdict about the flow of each frame number, -1 for none."""
    trace, verdicts = looked.trace, looked.verdicts
    rows = np.full(len(trace.flows) + 1, -1)
    is_flow = np.flatnonzero(verdicts.subject_kind == SubjectKind.FLOW)
    rows[verdicts.subject[is_flow]] = is_flow
    found = np.full(int(trace.packets.frame.max(initial=0)) + 1, -1)
    found[trace.packets.frame] = rows[trace.packets.flow]
    return found


def exchanges_of(looked: Looked) -> dict[int, list[int]]:
    """List the verdicts about the exchanges of each frame number, in the order of their messages."""
    trace, verdicts = looked.trace, looked.verdicts
    rows = np.full(len(trace.exchanges) + 1, -1)
    is_exchange = np.flatnonzero(verdicts.subject_kind == SubjectKind.EXCHANGE)
    rows[verdicts.subject[is_exchange]] = is_exchange
    found: dict[int, list[int]] = defaultdict(list)
    frames = trace.packets.frame[trace.dns.packet].tolist()
    for number, row in zip(frames, rows[trace.dns.exchange].tolist(), strict=True):
        if row >= 0 and row not in found[number]:
            found[number].append(row)
    return found


def differing(before: Looked, old: int, after: Looked, row: int, numbers: I64, present: set[int]) -> str:
    """Say whether a verdict is another one."""
    if row < 0:
        return GONE
    left, right = before.verdicts, after.verdicts
    same = left.grade[old] == right.grade[row] and left.outcome[old] == right.outcome[row]
    same &= before.mechanism(old) == after.mechanism(row)
    same &= abs(float(left.probability[old] - right.probability[row])) <= LEAST_CHANGE
    if not same:
        return "differs"
    shown = {int(numbers[frame - 1]) for frame in after.forged[row]}
    return "" if shown == before.forged[old] & present else "other frames"


def worse(before: Looked, old: int, after: Looked, row: int, present: set[int]) -> str:
    """Say whether a verdict became an accusation, or a finding vanished into something else than *insufficient*.

    Where all frames that were forged are missing, nothing is left to be seen: that is said, and counted apart.
    """
    if row < 0:
        return ""
    left, right = before.verdicts, after.verdicts
    if right.grade[row] <= ACCUSED < left.grade[old]:
        return "accused"
    outcome = int(right.outcome[row])
    if left.outcome[old] == INTERFERED and outcome not in (INTERFERED, INSUFFICIENT):
        became = f"interfered → {OUTCOMES[outcome].value}"
        forged = before.forged[old]
        return f"{became}{UNSEEN}" if forged and not forged & present else became
    return ""


def told(about: About, what: str, before: Looked, old: int, after: Looked, row: int) -> Flip:
    """Write down what moved."""
    first = before.write(old) if old >= 0 else None
    second = after.write(row) if row >= 0 else None
    subject = (first or second or before.write(0)).subject
    ends = f"{subject.client}:{subject.client_port} {subject.server}:{subject.server_port}"
    weighed = next((one.evidence for one in (second, first) if one is not None and one.evidence), ())
    return Flip(
        change=about.change,
        file=about.file,
        simulated=about.simulated,
        what=what,
        subject=f"{subject.kind} {subject.protocol} {ends} {subject.name or ''} frame {subject.first_frame}",
        before=said(first),
        after=said(second),
        rules=tuple(f"{one.rule} {one.llr:+.1f}" for one in weighed[:MOST_RULES]),
    )


def said(verdict: Verdict | None) -> str:
    """Write a verdict in a line."""
    if verdict is None:
        return GONE
    return f"{verdict.outcome} {verdict.grade} {verdict.mechanism or ''} {verdict.probability:.4f}"


def added(parts: Sequence[Compared]) -> Compared:
    """Add up what a change did to several captures."""
    transitions: Counter[tuple[str, str]] = Counter()
    for one in parts:
        transitions.update(one.transitions)
    flips = tuple(flip for one in parts for flip in one.flips)
    return Compared(subjects=sum(one.subjects for one in parts), transitions=transitions, flips=flips)
