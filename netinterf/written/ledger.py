"""Verdicts written out: a judgement as a sequence of objects in words, made on demand."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from netinterf.arrays import I64
from netinterf.schema import Anomalies, Evidence, Grade, Outcome, Verdicts
from netinterf.values import frozen
from netinterf.verdict.judgement import Judgement
from netinterf.verdict.model import Model
from netinterf.verdict.subjects import Subjects
from netinterf.written.group_record import write_group
from netinterf.written.record import Verdict
from netinterf.written.sequence import Written
from netinterf.written.unexplained import Unexplained, unexplained
from netinterf.written.verdict_record import write_verdicts

if TYPE_CHECKING:
    from netinterf.trace import Trace

__all__ = ["Ledger", "explain"]

OUTCOMES, GRADES = tuple(Outcome), tuple(Grade)

BLOCK = 1024
"""Verdicts that are written at a time, since few may be asked for."""


@frozen(eq=False, kw_only=True)
class Ledger(Judgement, Written[Verdict]):
    """The verdicts of one capture, written out when asked for: flows, exchanges, then groups that were found."""

    def __len__(self) -> int:
        return len(self.verdicts) + len(self.groups)

    def findings(self) -> Iterator[Verdict]:
        """Walk only the verdicts that are interfered or possibly so."""
        yield from self.written(self.rows_found())
        yield from self.group_verdicts()

    def rows_found(self) -> I64:
        """List the rows of verdicts that are interfered or possibly so."""
        return np.flatnonzero(self.verdicts.grade <= GRADES.index(Grade.POSSIBLE))

    def rows_suspected(self) -> I64:
        """List the rows of verdicts that are possible, and not interfered."""
        return np.flatnonzero(self.verdicts.grade == GRADES.index(Grade.POSSIBLE))

    def rows_unexplained(self) -> I64:
        """List the rows of subjects that are listed as anomalies and name no mechanism."""
        listed = self.anomalies.fact.lengths > 0
        return np.flatnonzero(listed & (self.verdicts.grade > GRADES.index(Grade.POSSIBLE)))

    def unexplained(self) -> Iterator[Unexplained]:
        """Walk the subjects that are listed as anomalies and name no mechanism, the one that stands out most first."""
        rows = self.rows_unexplained()
        rows = rows[np.argsort(-self.anomalies.score[rows], kind="stable")]
        return (unexplained(self, int(row)) for row in rows)

    def rows_of_groups(self) -> tuple[I64, I64]:
        """List the rows of groups that are interfered with, and of those that perhaps are."""
        interfered = self.groups.outcome == OUTCOMES.index(Outcome.INTERFERED)
        return len(self.verdicts) + np.flatnonzero(interfered), len(self.verdicts) + np.flatnonzero(~interfered)

    def group_verdicts(self) -> Iterator[Verdict]:
        """Walk only the groups."""
        return self.written(np.arange(len(self.verdicts), len(self)))

    def written(self, rows: I64) -> Iterator[Verdict]:
        """Write out some verdicts, a block of them at a time."""
        count = len(self.verdicts)
        for at in range(0, len(rows), BLOCK):
            block = rows[at : at + BLOCK]
            verdicts = iter(write_verdicts(self, block[block < count]))
            yield from (next(verdicts) if row < count else write_group(self, row - count) for row in block.tolist())


def explain(
    verdicts: Verdicts,
    evidence: Evidence,
    trace: "Trace",
    *,
    model: Model | None = None,
    subjects: Subjects | None = None,
    anomalies: Anomalies | None = None,
) -> Ledger:
    """Conclude what verdicts mean together, and put all into words: the last step after read, analyze and classify.

    What is returned holds on to what is needed to write them out, and lets go of the packets.

    Args:
        verdicts: What `classify` returned for *evidence* and *trace*.
        evidence: The evidence.
        trace: The capture.
        model: What the verdicts were reached with; None takes the model that ships with the library.
        subjects: Who was judged; None lists them once more.
        anomalies: How far each of them stands out; None finds it out.
    """
    return Ledger.of(verdicts, evidence, trace, model=model, subjects=subjects, anomalies=anomalies)
