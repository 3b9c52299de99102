"""What a watcher has told, and what is new: a subject is told again only when its verdict changed."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from netinterf.arrays import I64
from netinterf.cli.output import Output
from netinterf.cli.telling import Listener
from netinterf.engine.judged import Judged, Summary
from netinterf.errors import CaptureError
from netinterf.report.findings import finding_lines, group_lines, one_line, suspicion_lines
from netinterf.report.folding import Told
from netinterf.report.lines import Lines
from netinterf.report.text import note_line, summary_lines
from netinterf.schema import Grade, Outcome, SubjectKind
from netinterf.values import frozen
from netinterf.writing import dump
from netinterf.written.format import capture_line, end_line, error_line, verdict_line
from netinterf.written.ledger import Ledger
from netinterf.written.record import Verdict

__all__ = ["FORMS", "ChangeWriter", "Form"]

Key = tuple[str, int | None]  # kind of subject and its first frame
State = tuple[str, str, str | None]  # outcome, grade and mechanism

OUTCOMES, GRADES = tuple(Outcome), tuple(Grade)
NOBODY: Iterator[Verdict] = iter(())
POSSIBLE = GRADES.index(Grade.POSSIBLE)
AT_ONCE = 256  # findings between two looks at the clock: some hundredths of a second
KINDS = {int(kind): kind.name.lower() for kind in SubjectKind}


@frozen
class Form:
    """How a watcher writes.

    Args:
        verdict: Gives the lines of a verdict; told whether it is final.
        end: Gives the last lines; told how many verdicts were written, and the capture or why it could not be read.
        every: Whether a final verdict is written although it is the one that was told before.
    """

    verdict: Callable[[Verdict, bool], Lines]
    end: Callable[[int, Summary | CaptureError], Lines]
    every: bool


def text_lines(verdict: Verdict, final: bool) -> Lines:
    """Write a verdict for people; one that is no finding while more may come was one before."""
    if verdict.group is not None:
        yield from group_lines("Taken together:", [verdict], np.zeros(1, np.int64))
    elif verdict.outcome is Outcome.INTERFERED:
        yield ""
        yield from finding_lines(verdict)
    elif verdict.found:
        yield from suspicion_lines([Told(verdict=verdict)])
    else:
        yield one_line(verdict) if final else f"withdrawn: {one_line(verdict)}"


def text_end(_: int, outcome: Summary | CaptureError) -> Lines:
    """Write the end for people."""
    if isinstance(outcome, Summary):
        yield ""
        yield from summary_lines(outcome)
        yield from map(note_line, outcome.diagnostics)


def json_lines(verdict: Verdict, final: bool) -> Lines:
    """Write a verdict for programs."""
    yield dump({**verdict_line(verdict), "final": final})


def json_end(verdicts: int, outcome: Summary | CaptureError) -> Lines:
    """Write the capture's own line, and the last one."""
    read = isinstance(outcome, Summary)
    yield dump(capture_line(outcome) if isinstance(outcome, Summary) else error_line(outcome))
    yield dump(end_line(int(read), verdicts, int(not read)))


FORMS: Mapping[str, Form] = {
    "text": Form(text_lines, text_end, every=False),
    "jsonl": Form(json_lines, json_end, every=True),
}


class ChangeWriter:
    """Write verdicts as they change.

    Args:
        form: How.
        output: Where.
        everything: Write a final verdict for every flow and exchange, not only for findings.
        listeners: Who else is told of findings that are new or changed.
    """

    def __init__(self, form: Form, output: Output, everything: bool, listeners: Sequence[Listener] = ()) -> None:
        self.output = output
        self._listeners = listeners
        self._form = form
        self._everything = everything
        self._states: dict[Key, State] = {}  # of subjects that were told and are not final
        self._count = 0  # verdicts that were told
        self._waiting = NOBODY  # final verdicts that are not written yet

    def so_far(self, judged: Judged, until: float = float("inf")) -> None:
        """Write findings that are new or changed, and what became of those that are none any more.

        Those of the latest packets come first where there are many, and what is not written at such a time of the
        monotonic clock is so the next time: a flood of findings keeps nobody from hearing of what happens now. Groups
        are told when they are final, since they come and go with every member.
        """
        ledger = judged.ledger
        rows = np.flatnonzero(ledger.verdicts.grade <= POSSIBLE)
        gone = set(self._states) - set(keys_of(ledger, rows))
        others = np.flatnonzero(np.isin(ledger.first_frame, [frame for _, frame in gone if frame is not None]))
        those = [row for row, key in zip(others.tolist(), keys_of(ledger, others), strict=True) if key in gone]
        rows = np.append(rows, np.array(those, np.int64))
        told = [self._states.get(key) for key in keys_of(ledger, rows)]
        changed = np.array(
            [state != before for state, before in zip(states_of(ledger, rows), told, strict=True)], np.bool_
        )
        new = by_latest_packet(ledger, rows[changed])
        for end in range(len(new), 0, -AT_ONCE):
            for verdict in ledger.written(new[max(end - AT_ONCE, 0) : end]):
                self._states[subject_key(verdict)] = state_of(verdict)
                self._tell(verdict, final=False)
                self._announce(verdict)
            if time.monotonic() >= until:
                break

    def final(self, verdicts: Sequence[Verdict]) -> None:
        """Take verdicts that will not change any more, to write them when there is time; those of before are written.

        Of most that is said what was said before, so whatever is new comes first.
        """
        if verdicts:
            self.catch_up()
            self._waiting = iter(verdicts)

    @property
    def behind(self) -> bool:
        """Whether final verdicts may be waiting."""
        return self._waiting is not NOBODY

    def catch_up(self, until: float = float("inf")) -> None:
        """Write final verdicts that wait, until such a time of the monotonic clock."""
        while self.behind and time.monotonic() < until:
            verdict = next(self._waiting, None)
            if verdict is None:
                self._waiting = NOBODY
            else:
                self._final(verdict)

    def _final(self, verdict: Verdict) -> None:
        before = self._states.pop(subject_key(verdict), None) if verdict.group is None else None
        if before is None and not (verdict.found or self._everything):
            return
        if self._form.every or before != state_of(verdict):
            self._tell(verdict, final=True)
        if before != state_of(verdict):
            self._announce(verdict)

    def end(self, verdicts: Sequence[Verdict], summary: Summary) -> None:
        """Write the last verdicts, and the capture as a whole."""
        self.final(verdicts)
        self.catch_up()
        self.output.write(self._form.end(self._count, summary))

    def fail(self, error: CaptureError) -> None:
        """Write the end of what could not be read."""
        self.catch_up()
        self.output.write(self._form.end(self._count, error))

    def _announce(self, verdict: Verdict) -> None:
        if verdict.found:
            for listener in self._listeners:
                listener.tell(verdict)

    def _tell(self, verdict: Verdict, *, final: bool) -> None:
        self._count += 1
        self.output.write(self._form.verdict(verdict, final))


def subject_key(verdict: Verdict) -> Key:
    """Tell subjects apart, whatever more becomes known of them."""
    return verdict.subject.kind, verdict.subject.first_frame


def state_of(verdict: Verdict) -> State:
    """Give what makes a verdict worth telling again."""
    return verdict.outcome, verdict.grade, verdict.mechanism


def by_latest_packet(ledger: Ledger, rows: I64) -> I64:
    """Sort rows of verdicts by the last packet that they hold to be forged, or the first of their subject."""
    last, forged = ledger.verdicts.first_packet[rows].copy(), ledger.verdicts.forged.take(rows)
    np.maximum.at(last, forged.parents(), forged.values)
    return rows[np.argsort(last, kind="stable")]


def keys_of(ledger: Ledger, rows: I64) -> list[Key]:
    """Give the keys of subjects (`subject_key`) whose verdicts stand in some rows."""
    kinds, frames = ledger.verdicts.subject_kind[rows].tolist(), ledger.first_frame[rows].tolist()
    return [(KINDS[kind], frame if frame >= 0 else None) for kind, frame in zip(kinds, frames, strict=True)]


def states_of(ledger: Ledger, rows: I64) -> list[State]:
    """Give the states (`state_of`) of the verdicts in some rows."""
    table, names = ledger.verdicts, (*ledger.verdicts.mechanisms, None)  # -1 is none
    columns = (table.outcome[rows].tolist(), table.grade[rows].tolist(), table.mechanism[rows].tolist())
    return [(OUTCOMES[one], GRADES[two], names[code]) for one, two, code in zip(*columns, strict=True)]
