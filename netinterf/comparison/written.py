"""Units and changes written out: from rows of tables to objects in words, on demand."""

from collections.abc import Iterator, Sequence
from typing import Any, overload

import attrs
import numpy as np

from netinterf.comparison.attempts import TRANSPORTS, Attempts, Side, State
from netinterf.comparison.causes import CAUSES
from netinterf.comparison.changes import Shift, find_changes
from netinterf.comparison.judge import FINDINGS, GRADES, Judgement
from netinterf.comparison.record import Change, Compared, Counted, Shown
from netinterf.comparison.units import Finding
from netinterf.comparison.words import change_says, reasons_of, says
from netinterf.mechanisms import reset_of, silence_of
from netinterf.schema import Grade, Outcome
from netinterf.trace import host_text
from netinterf.written.ledger import Ledger

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


@attrs.frozen(eq=False)
class Units(Sequence[Compared]):
    """All units of a comparison, written out when asked for: the surest blocks first."""

    judgement: Judgement = attrs.field(repr=False)
    ledgers: tuple[Ledger, ...] = attrs.field(repr=False)  # in the order that Attempts.capture counts
    order: np.ndarray = attrs.field(init=False, repr=False)
    bounds: np.ndarray = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        unit = self.judgement.tried.unit
        order = np.lexsort((self.judgement.tried.time, unit))
        object.__setattr__(self, "order", order)
        object.__setattr__(self, "bounds", np.searchsorted(unit[order], np.arange(len(self) + 1)))

    def __len__(self) -> int:
        return len(self.judgement.contrasts)

    @overload
    def __getitem__(self, row: int) -> Compared: ...
    @overload
    def __getitem__(self, row: slice) -> tuple[Compared, ...]: ...
    def __getitem__(self, row: int | slice) -> Compared | tuple[Compared, ...]:
        if isinstance(row, slice):
            return tuple(self.write(place) for place in range(*row.indices(len(self))))
        if not -len(self) <= row < len(self):
            raise IndexError(f"unit {row} of {len(self)}")
        return self.write(row % len(self))

    def of(self, *findings: Finding) -> Iterator[Compared]:
        """Walk the units of some findings."""
        wanted = [FINDINGS.index(finding) for finding in findings]
        return (self.write(int(row)) for row in np.flatnonzero(np.isin(self.judgement.contrasts.finding, wanted)))

    def write(self, row: int) -> Compared:
        """Write out one unit."""
        table, tried = self.judgement.contrasts, self.judgement.tried
        number = int(table.unit[row])
        rows = self.order[self.bounds[number] : self.bounds[number + 1]]
        finding = FINDINGS[table.finding[row]]
        grade = GRADES[table.grade[row]]
        cause = int(table.cause[row])
        unit = Compared(
            **called(tried, rows),
            finding=finding,
            outcome=OUTCOMES.get(finding, Outcome.INSUFFICIENT),
            grade=grade,
            mechanism=self.mechanism(rows) if grade in {Grade.CONFIRMED, Grade.LIKELY, Grade.POSSIBLE} else None,
            probability=float(table.probability[row]),
            q_value=float(table.q_value[row]),
            here=counted(table.here_answered[row], table.here_failed[row], table.here_other[row]),
            there=counted(table.there_answered[row], table.there_failed[row], table.there_other[row]),
            difference=float(table.difference[row]),
            difference_low=float(table.difference_low[row]),
            difference_high=float(table.difference_high[row]),
            own=float(table.own[row]),
            contrast=float(table.contrast[row]),
            cause=CAUSES[cause] if cause >= 0 else None,
            reasons=(),
            shown=tuple(self.shown(rows)),
            start=int(tried.time[rows].min()),
            end=int(tried.time[rows].max()),
        )
        reasons = reasons_of(unit) if unit.outcome is Outcome.INSUFFICIENT or not unit.there.attempts else ()
        return attrs.evolve(unit, reasons=reasons, explanation=says(unit))

    def mechanism(self, rows: np.ndarray) -> str:
        """Name what was done: what the surest attempt here was found to suffer, else what its failure is called."""
        tried = self.judgement.tried
        ours = rows[tried.side[rows] == Side.HERE]
        surest = int(ours[np.argmax(tried.log_odds[ours])])
        verdicts = self.ledgers[int(tried.capture[surest])].verdicts
        named = int(verdicts.mechanism[tried.row[surest]])
        if named >= 0:
            return str(verdicts.mechanisms[named])
        opening = bool(tried.at_opening[surest])
        if tried.abrupt[surest]:
            return reset_of(opening=opening)
        return silence_of(TRANSPORTS[tried.transport[surest]], opening=opening)

    def shown(self, rows: np.ndarray) -> Iterator[Shown]:
        """Name attempts to look at, failures first, some of each side."""
        tried = self.judgement.tried
        for side in Side:
            mine = rows[tried.side[rows] == side]
            for row in mine[np.argsort(-tried.state[mine].astype(np.int64), kind="stable")][:SHOWN].tolist():
                ledger, place = self.ledgers[int(tried.capture[row])], int(tried.row[row])
                first = int(ledger.first_frame[place])
                yield Shown(
                    side=side.name.lower(),
                    capture=ledger.capture,
                    first_frame=first if first >= 0 else None,
                    frames=tuple(ledger.forged[place].tolist()),
                    state=State(int(tried.state[row])).name.lower(),
                )


def counted(answered: int, failed: int, other: int) -> Counted:
    """Count the attempts of one side."""
    told = int(answered), int(failed), int(other)
    return Counted(attempts=sum(told), answered=told[0], failed=told[1], unknown=told[2])


def called(tried: Attempts, rows: np.ndarray) -> dict[str, Any]:
    """Say what some attempts have in common: name, server and transport."""
    row = int(rows[0])
    name = tried.name[row] or None
    one = np.ptp(tried.high[rows]) == 0 and np.ptp(tried.low[rows]) == 0
    return {
        "kind": "name" if name else "server",
        "name": name,
        "server": host_text(int(tried.high[row]), int(tried.low[row])) if one else None,
        "transport": TRANSPORTS[tried.transport[row]],
    }


def changes_of(tried: Attempts) -> tuple[Change, ...]:
    """Find and write out all changes, the earliest first."""
    return tuple(change(tried, shift) for shift in sorted(find_changes(tried), key=lambda shift: shift.high))


def change(tried: Attempts, shift: Shift) -> Change:
    """Write out one change."""
    told = called(tried, np.array([shift.row]))
    whole = {"kind": "server", "name": None} if shift.unit < 0 else {}
    found = Change(
        **{**told, **whole},
        failed_before=shift.failed_before,
        attempts_before=shift.known_before,
        failed_after=shift.failed_after,
        attempts_after=shift.known_after,
        last_name=tried.name[shift.last] or None,
        after=shift.low,
        before=shift.high,
        q_value=shift.q_value,
    )
    return attrs.evolve(found, explanation=change_says(found))
