"""Units and changes written out: from rows of tables to objects in words, on demand."""

from collections.abc import Iterator
from typing import Any

import attrs
import numpy as np

from netinterf.arrays import I64
from netinterf.comparison.changes import Shift, find_changes
from netinterf.comparison.judge import FINDINGS, GRADES, Contrasts, Judgement
from netinterf.comparison.record import AttemptCounts, AttemptFrames, Change, ComparedUnit
from netinterf.comparison.units import Finding, Side
from netinterf.comparison.words import change_says, reasons_of, says
from netinterf.mechanisms import reset_of, silence_of
from netinterf.observations.attempts import TRANSPORTS, Attempts, State
from netinterf.pooling.causes import CAUSES
from netinterf.schema import Grade, Outcome
from netinterf.trace import host_text
from netinterf.values import frozen
from netinterf.written.ledger import Ledger
from netinterf.written.sequence import Written

__all__ = ["Units", "changes_of"]

OUTCOMES = {
    Finding.BLOCKED: Outcome.INTERFERED,
    Finding.BOTH: Outcome.INTERFERED,
    Finding.DOWN: Outcome.DOWN,
    Finding.CLEAR: Outcome.OK,
}
"""Outcome of each finding in the words of the verdict format; of the others nothing can be said."""

SHOWN = 6
"""Attempts of each side that are named as those to look at, failures first."""


@frozen(eq=False)
class Units(Written[ComparedUnit]):
    """All units of a comparison, written out when asked for: the surest blocks first."""

    judgement: Judgement = attrs.field(repr=False)
    ledgers: tuple[Ledger, ...] = attrs.field(repr=False)  # in the order that Attempts.capture counts
    order: np.ndarray = attrs.field(init=False, repr=False)
    bounds: np.ndarray = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        unit = self.judgement.attempts.unit
        order = np.lexsort((self.judgement.attempts.time, unit))
        object.__setattr__(self, "order", order)
        object.__setattr__(self, "bounds", np.searchsorted(unit[order], np.arange(len(self) + 1)))

    def __len__(self) -> int:
        return len(self.judgement.contrasts)

    def of(self, *findings: Finding) -> Iterator[ComparedUnit]:
        """Walk the units of some findings."""
        wanted = [FINDINGS.index(finding) for finding in findings]
        return self.written(np.flatnonzero(np.isin(self.judgement.contrasts.finding, wanted)))

    def written(self, rows: I64) -> Iterator[ComparedUnit]:
        """Write out some units."""
        return map(self.write, rows.tolist())

    def write(self, row: int) -> ComparedUnit:
        """Write out one unit."""
        table, attempts = self.judgement.contrasts, self.judgement.attempts
        number = int(table.unit[row])
        rows = self.order[self.bounds[number] : self.bounds[number + 1]]
        finding = FINDINGS[table.finding[row]]
        grade = GRADES[table.grade[row]]
        cause = int(table.cause[row])
        unit = ComparedUnit(
            **called(attempts, rows),
            finding=finding,
            outcome=OUTCOMES.get(finding, Outcome.INSUFFICIENT),
            grade=grade,
            mechanism=self.mechanism(rows) if grade in {Grade.CONFIRMED, Grade.LIKELY, Grade.POSSIBLE} else None,
            probability=float(table.probability[row]),
            q_value=float(table.q_value[row]),
            here=counted(table, "here", row),
            there=counted(table, "there", row),
            difference=float(table.difference[row]),
            difference_low=float(table.difference_low[row]),
            difference_high=float(table.difference_high[row]),
            own=float(table.own[row]),
            contrast=float(table.contrast[row]),
            cause=CAUSES[cause] if cause >= 0 else None,
            reasons=(),
            shown=tuple(self.shown(rows)),
            start=int(attempts.time[rows].min()),
            end=int(attempts.time[rows].max()),
        )
        reasons = reasons_of(unit) if unit.outcome is Outcome.INSUFFICIENT or not unit.there.attempts else ()
        return attrs.evolve(unit, reasons=reasons, explanation=says(unit))

    def mechanism(self, rows: np.ndarray) -> str:
        """Name what was done: what the surest attempt here was found to suffer, else what its failure is called."""
        attempts = self.judgement.attempts
        ours = rows[attempts.place[rows] == Side.HERE]
        surest = int(ours[np.argmax(attempts.log_odds[ours])])
        verdicts = self.ledgers[int(attempts.capture[surest])].verdicts
        named = int(verdicts.mechanism[attempts.row[surest]])
        if named >= 0:
            return str(verdicts.mechanisms[named])
        opening = bool(attempts.at_opening[surest])
        if attempts.abrupt[surest]:
            return reset_of(opening=opening)
        return silence_of(TRANSPORTS[attempts.transport[surest]], opening=opening)

    def shown(self, rows: np.ndarray) -> Iterator[AttemptFrames]:
        """Name attempts to look at, failures first, some of each side."""
        attempts = self.judgement.attempts
        for side in Side:
            mine = rows[attempts.place[rows] == side]
            for row in mine[np.argsort(-attempts.state[mine].astype(np.int64), kind="stable")][:SHOWN].tolist():
                ledger, place = self.ledgers[int(attempts.capture[row])], int(attempts.row[row])
                first = int(ledger.first_frame[place])
                yield AttemptFrames(
                    side=side.name.lower(),
                    capture=ledger.capture,
                    first_frame=first if first >= 0 else None,
                    frames=tuple(ledger.forged[place].tolist()),
                    state=State(int(attempts.state[row])).name.lower(),
                    files=ledger.files,
                )


def counted(table: Contrasts, side: str, row: int) -> AttemptCounts:
    """Count the attempts of one side."""
    answered, failed, other, unread = (
        int(getattr(table, f"{side}_{count}")[row]) for count in ("answered", "failed", "other", "unread")
    )
    return AttemptCounts(
        attempts=answered + failed + other, answered=answered, failed=failed, unknown=other, unread=unread
    )


def called(attempts: Attempts, rows: np.ndarray) -> dict[str, Any]:
    """Say what some attempts have in common: name, server and transport."""
    row = int(rows[0])
    name = attempts.name[row] or None
    same_server = np.ptp(attempts.high[rows]) == 0 and np.ptp(attempts.low[rows]) == 0
    return {
        "kind": "name" if name else "server",
        "name": name,
        "server": host_text(int(attempts.high[row]), int(attempts.low[row])) if same_server else None,
        "transport": TRANSPORTS[attempts.transport[row]],
    }


def changes_of(attempts: Attempts) -> tuple[Change, ...]:
    """Find and write out all changes, the earliest first."""
    return tuple(change(attempts, shift) for shift in sorted(find_changes(attempts), key=lambda shift: shift.high))


def change(attempts: Attempts, shift: Shift) -> Change:
    """Write out one change."""
    subject = called(attempts, np.array([shift.row]))
    whole = {"kind": "server", "name": None} if shift.unit < 0 else {}
    record = Change(
        **{**subject, **whole},
        failed_before=shift.failed_before,
        attempts_before=shift.known_before,
        failed_after=shift.failed_after,
        attempts_after=shift.known_after,
        last_name=attempts.name[shift.last] or None,
        after=shift.low,
        before=shift.high,
        q_value=shift.q_value,
    )
    return attrs.evolve(record, explanation=change_says(record))
