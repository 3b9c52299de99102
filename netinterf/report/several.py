"""A whole result as text. Of several captures each tells what is new in it, and a screen at the end sums all up.

Three hundred captures of one line say the same three hundred times. A finding that is like one of an earlier capture
takes a line, what could not be judged is counted for all of them together, and what interferes where stands at the end,
the surest first, where a terminal shows it.
"""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from netinterf.arrays import I64
from netinterf.engine.judged import Judged
from netinterf.errors import CaptureError
from netinterf.mechanisms import settled_by
from netinterf.report.digest import (
    APART,
    apart,
    apart_words,
    common_of,
    frame_of,
    ordered_evidence,
    place_of,
    rows_by_reason,
    rows_of_outcome,
)
from netinterf.report.findings import alike_lines, finding_lines, list_of
from netinterf.report.folding import MOST_EVIDENCE, Places, Told, folded, numbered_places, places_of
from netinterf.report.lines import WIDTH, Line, Lines, laid_out
from netinterf.report.text import capture_text, injector_lines, note_line, shared_lines, summary_lines, unread_lines
from netinterf.schema import Grade, Outcome
from netinterf.verdict.reasons import CATALOGUE, Reason
from netinterf.writing import count_of
from netinterf.written.ledger import Ledger
from netinterf.written.record import Verdict
from netinterf.written.words import percent

if TYPE_CHECKING:
    from netinterf.engine.scan import Result

__all__ = ["Several", "text"]

MOST_FOUND, MOST_HINTS, MOST_NAMES = 8, 3, 3
"""What fits the last screen: mechanisms that are shown and that are hinted at, and names of each."""

Kind = tuple[object, ...]


def text(result: "Result | Iterable[Judged]", *, everything: bool = False, width: int = WIDTH) -> str:
    """Write a whole result for people.

    Args:
        result: A scan's result, or the captures of one.
        everything: Write each finding, those that are alike as well, and besides one line for every flow and exchange.
        width: Columns that lines are broken at.
    """
    from netinterf.engine.scan import captures_of  # (whoever has a result has it; the command has captures)

    captures = list(captures_of(result))
    errors = tuple(getattr(result, "errors", ()))
    told = Several(alone=len(captures) + len(errors) <= 1, everything=everything)
    lines = [line for judged in captures for line in told.capture(judged)]
    return "\n".join(laid_out([*lines, *told.end(errors)], width))


class Found:
    """What was found of one mechanism, in all captures so far."""

    def __init__(self) -> None:
        self.captures = self.count = 0
        self.surest = (len(Grade), 0.0)  # place of the grade, and minus the probability
        self.places = Counter[str]()

    def add(self, sure: Iterable[tuple[int, float]], places: Mapping[str, int]) -> None:
        """Add what one capture shows: how sure each finding is, and what they are about."""
        self.captures += 1
        self.count += sum(places.values())
        self.surest = min(self.surest, *sure)
        self.places.update(places)


class Several:
    """Tells captures one after the other.

    Args:
        alone: Whether there is only one, which is told in full.
        everything: Tell each in full.
    """

    def __init__(self, *, alone: bool, everything: bool = False) -> None:
        self._whole = alone or everything
        self._alone, self._everything = alone, everything
        self._count = self._hit = self._hinted = 0
        self._told: dict[Kind, str] = {}  # the capture that a kind of finding was told of first
        self._notes: Counter[str] = Counter()
        self._found: dict[Outcome, dict[str, Found]] = {Outcome.INTERFERED: {}, Outcome.INSUFFICIENT: {}}
        self._reasons: dict[Outcome, Counter[Reason]] = {Outcome.DOWN: Counter(), Outcome.INSUFFICIENT: Counter()}
        self._apart: Counter[Reason] = Counter()

    def capture(self, judged: Judged) -> Lines:
        """Tell a capture, line by line, an empty one before it if there were others."""
        yield from [""] * bool(self._count)
        self._count += 1
        if not self._alone:
            self._sum_up(judged.ledger)
        if self._whole:
            yield from capture_text(judged, everything=self._everything)
        else:
            yield from self._news(judged)

    def end(self, errors: Sequence[CaptureError] = ()) -> Lines:
        """Tell what could not be read, and of several captures what all of them show."""
        if errors:
            yield from [""] * bool(self._count)
            yield from unread_lines(errors)
        if self._alone or not self._count:
            return
        yield ""
        unread = f", and {len(errors):,} that could not be read" if errors else ""
        neither = self._count - self._hit - self._hinted
        yield Line(
            f"All together, {count_of(self._count, 'capture')}{unread}: {self._hit:,} with interference, "
            f"{self._hinted:,} with hints of it alone, {neither:,} with neither.",
            "",
            "  ",
        )
        yield from found_lines("Interference, the surest first:", self._found[Outcome.INTERFERED], MOST_FOUND)
        yield from found_lines(
            "Hints, which accuse nobody:", self._found[Outcome.INSUFFICIENT], MOST_HINTS, settle=True
        )
        yield from reason_lines("Did not work, without a sign of interference:", self._reasons[Outcome.DOWN])
        yield from reason_lines("Could not be judged:", self._reasons[Outcome.INSUFFICIENT])
        if self._apart:
            yield ""
            yield Line(f"Others, which are no conversations of two hosts: {apart_words(self._apart)}.", "", "  ")

    def _sum_up(self, ledger: Ledger) -> None:
        """Count what a capture shows."""
        surely, perhaps = ledger.rows_of_groups()
        hit = self._add(ledger, Outcome.INTERFERED, rows_of_outcome(ledger, Outcome.INTERFERED), surely)
        hint = self._add(ledger, Outcome.INSUFFICIENT, ledger.rows_suspected(), perhaps)
        self._hit += hit
        self._hinted += hint and not hit
        for outcome, counts in self._reasons.items():
            rows = rows_by_reason(ledger, outcome)
            counts.update({reason: len(alike) for reason, alike in rows.items() if reason not in APART})
        self._apart.update(apart(ledger))

    def _add(self, ledger: Ledger, outcome: Outcome, rows: I64, groups: I64) -> bool:
        """Count findings by mechanism, and groups of mechanisms that no single one is of; say whether there are any."""
        table, found = ledger.verdicts, self._found[outcome]
        mechanism, place = table.mechanism[rows], numbered_places(ledger, rows)
        for code in sorted(set(mechanism.tolist())):
            mine = mechanism == code
            sure = list(zip(table.grade[rows[mine]].tolist(), (-table.probability[rows[mine]]).tolist(), strict=True))
            places = dict(places_of(ledger, rows[mine], place[mine], None).listed)
            found.setdefault(table.mechanisms[code], Found()).add(sure, places)
        single = {table.mechanisms[code] for code in set(mechanism.tolist())}
        for group in ledger.written(groups):
            if group.mechanism and group.mechanism not in single:
                sure = [(list(Grade).index(group.grade), -group.probability)]
                found.setdefault(group.mechanism, Found()).add(sure, {common_of(group): 1})
        return bool(len(rows) or len(groups))

    def _news(self, judged: Judged) -> Lines:
        """Tell what is new in a capture, and what is like before in a line each."""
        ledger, capture = judged.ledger, judged.summary.capture
        interfered, suspected = rows_of_outcome(ledger, Outcome.INTERFERED), ledger.rows_suspected()
        yield from summary_lines(judged.summary, suspected=len(suspected), others=sum(apart(ledger).values()))
        for note in judged.summary.diagnostics:
            if not self._notes[note.code]:
                yield note_line(note)
            self._notes[note.code] += 1
        surely, perhaps = ledger.rows_of_groups()
        for group in ledger.written(surely):
            yield Line(
                f"TOGETHER: {group.mechanism}, {common_of(group)} ({graded(group.grade, group.probability)})", "", "  "
            )
        yield from shared_lines(judged)
        yield from injector_lines(ledger.injectors)
        for told in folded(ledger, interfered):
            first = self._told.setdefault(kind_of(told.verdict), capture)
            if first == capture:
                yield ""
                yield from finding_lines(told.verdict)
                yield from alike_lines(told)
            else:
                yield Line(f"INTERFERED: {in_short(told)}; like that of {os.path.basename(first)}", "", "  ")
        for told in folded(ledger, suspected):
            yield Line(f"Suspected: {in_short(told)}", "", "  ")
        for group in ledger.written(perhaps):
            yield Line(
                f"Perhaps together: {group.mechanism}, {common_of(group)} ({graded(group.grade, group.probability)})",
                "",
                "  ",
            )


def kind_of(verdict: Verdict) -> Kind:
    """Give what findings of different captures that are alike agree in, as those of one do (`folded`)."""
    trigger = None if verdict.trigger is None else verdict.trigger.kind
    signs = (sign.rule for sign in ordered_evidence(verdict)[:MOST_EVIDENCE])
    return (verdict.mechanism, verdict.grade, trigger, verdict.selective, *signs)


def graded(grade: Grade, probability: float) -> str:
    """Say how sure something is; what is only possible stands where that is said."""
    return percent(probability) if grade is Grade.POSSIBLE else f"{grade} {percent(probability)}"


def in_short(told: Told) -> str:
    """Put findings that are alike into one line: mechanism, how sure, how many, what about, and where to look."""
    verdict = told.verdict
    times = dict(told.places.listed)
    mine = place_of(verdict)
    listed = ((mine, times.pop(mine, 0) + 1), *times.items())
    names = list_of(Places(listed=listed, more=told.places.more)) if told.alike else mine
    first = next(iter(verdict.frames), verdict.subject.first_frame)
    frame = "" if first is None else f", frame {frame_of(first, verdict.files)}"
    return f"{verdict.mechanism} ({graded(verdict.grade, verdict.probability)}) {names}{frame}"


def found_lines(title: str, found: Mapping[str, Found], most: int, *, settle: bool = False) -> Lines:
    """Write what was found of each mechanism, the surest first, then those of most captures."""
    if not found:
        return
    yield ""
    yield title
    ranked = sorted(found.items(), key=lambda entry: (entry[1].surest[0], -entry[1].captures, entry[1].surest[1]))
    for mechanism, of in ranked[:most]:
        names = Places(listed=tuple(of.places.most_common(MOST_NAMES)), more=max(len(of.places) - MOST_NAMES, 0))
        sure = graded(list(Grade)[of.surest[0]], -of.surest[1])
        counts = f"{of.count:,} in {count_of(of.captures, 'capture')}"
        would = f"; would be settled by {settled_by(mechanism)}" if settle else ""
        yield Line(f"{mechanism}, {sure}: {counts}: {list_of(names)}{would}", "  ", "      ")
    if len(ranked) > most:
        yield f"  and {count_of(len(ranked) - most, 'further mechanism')}"


def reason_lines(title: str, reasons: Counter[Reason]) -> Lines:
    """Write how many did not work or could not be judged for each reason, the most frequent first."""
    if reasons:
        counts = ", ".join(f"{count:,} × {CATALOGUE[reason].code}" for reason, count in reasons.most_common())
        yield ""
        yield Line(f"{title} {counts}.", "", "  ")
