"""A comparison as text: tables by transport and by name, blocks with what shows them, changes, and what is missing."""

import math
from collections.abc import Collection, Sequence

import numpy as np

from netinterf.comparison.record import AttemptCounts, ComparedUnit
from netinterf.comparison.units import Finding, Side
from netinterf.engine.compare import Comparison
from netinterf.observations.attempts import TRANSPORTS
from netinterf.report.digest import frames_of
from netinterf.report.lines import Line, Lines, field
from netinterf.report.text import unread_lines
from netinterf.stats.rates import share_difference
from netinterf.writing import count_of, readable

__all__ = ["comparison_text"]

MOST_FRAMES = 12
MOST_SHOWN = 3
MOST_MISSING = 12
LONGEST = 34

FAILING = (Finding.BLOCKED, Finding.BOTH, Finding.SUSPECTED, Finding.ONLY_HERE, Finding.DOWN)
TITLES = {
    Finding.BLOCKED: "BLOCKED",
    Finding.BOTH: "INTERFERED ON BOTH SIDES",
    Finding.SUSPECTED: "possible",
    Finding.ONLY_HERE: "only here",
}
STATES = {
    "unknown": "not shown",
    "answered": "answered",
    "heard": "refused or ended early by the server",
    "broken": "reset",
    "silent": "no answer",
    "struck": "interfered with",
}
"""What came of an attempt, by the word that lines have for it (`State`)."""


def comparison_text(comparison: Comparison, *, everything: bool = False) -> Lines:
    """Write a comparison for people, line by line.

    Args:
        comparison: What two sides show together.
        everything: List names that work, too, and everything that could not be compared.
    """
    yield from head_lines(comparison)
    yield from transport_lines(comparison)
    units = list(comparison.units.of(*FAILING, *([Finding.CLEAR] if everything else [])))
    yield from name_lines(units)
    sides = {"here": comparison.here, "there": comparison.there}
    several = {side for side, result in sides.items() if len(result.judged) > 1}
    for unit in units:
        if unit.finding in TITLES:
            yield ""
            yield from unit_lines(unit, several)
    yield from change_lines(comparison)
    yield from missing_lines(list(comparison.units.of(Finding.NOT_COMPARED)), everything=everything)
    if errors := comparison.here.errors + comparison.there.errors:
        yield ""
        yield from unread_lines(errors)


def head_lines(comparison: Comparison) -> Lines:
    """Write what was compared, and how it came out."""
    attempts = comparison.judgement.attempts
    for side, result in ((Side.HERE, comparison.here), (Side.THERE, comparison.there)):
        captures, mine = result.captures, attempts.place == side
        count, units = int(mine.sum()), len(np.unique(attempts.unit[mine]))
        what = captures[0].capture if len(captures) == 1 else count_of(len(captures), "capture")
        line = f"{what}: {count_of(count, 'attempt')} at {units:,} names and servers"
        yield Line(line, f"{side.name.lower() + ':':6} ", "       ")
    findings = comparison.contrasts.finding.tolist()
    counts = [f"{findings.count(code):,} {finding.value}" for code, finding in enumerate(Finding)]
    yield "  " + " · ".join(counts)


def transport_lines(comparison: Comparison) -> Lines:
    """Write one line per transport: shares that failed on both sides over what was tried on both, and findings."""
    table, attempts = comparison.contrasts, comparison.judgement.attempts
    transport = np.zeros(int(attempts.unit.max(initial=-1)) + 1, np.int64)
    transport[attempts.unit] = attempts.transport
    transport = transport[table.unit]
    yield ""
    yield "By transport: what failed of what was tried on both sides"
    for code, word in enumerate(TRANSPORTS):
        mine = transport == code
        here_known, there_known = table.here_answered + table.here_failed, table.there_answered + table.there_failed
        both_sides = mine & (here_known > 0) & (there_known > 0)
        if not mine.any():
            continue
        failed, failed_there = int(table.here_failed[both_sides].sum()), int(table.there_failed[both_sides].sum())
        known, known_there = int(here_known[both_sides].sum()), int(there_known[both_sides].sum())
        interval = share_difference([failed], [known], [failed_there], [known_there])
        more = _more(*(float(end[0]) for end in interval))
        shares = "nothing was tried on both sides"
        if both_sides.any():
            shares = f"here {failed:,} of {known:,}, there {failed_there:,} of {known_there:,}, {more}"
        findings = table.finding[mine].tolist()
        words = [f"{findings.count(place):,} {kind.value}" for place, kind in enumerate(Finding) if place in findings]
        yield Line(f"{word:9} {shares}; {', '.join(words)}", "  ", "            ")


def name_lines(units: Sequence[ComparedUnit]) -> Lines:
    """Write the table of names."""
    yield ""
    if not units:
        yield "By name: nothing that was tried here failed."
        return
    yield "By name: attempts that failed"
    wide = min(LONGEST, max(len(_called(unit)) for unit in units))
    yield f"  {'':{wide}}  {'':8}  {'here':>9}  {'there':>9}  {'difference (95 %)':26}  finding"
    for unit in units:
        name, here, there = _called(unit), _share(unit.here), _share(unit.there)
        name = name if len(name) <= wide else name[: wide - 1] + "…"
        more = _more(unit.difference, unit.difference_low, unit.difference_high)
        yield f"  {name:{wide}}  {unit.transport:8}  {here:>9}  {there:>9}  {more:26}  {unit.finding}"


def unit_lines(unit: ComparedUnit, several: Collection[str]) -> Lines:
    """Write one failing unit: what is said of it, what it rests on, and where to look.

    Args:
        unit: What to write.
        several: Sides of more than one capture, which have to be named.
    """
    yield readable(f"{TITLES[unit.finding]}: {unit.subject}") + (f", {unit.mechanism}" if unit.mechanism else "")
    yield Line(unit.explanation, "  ", "  ")
    yield field("weighs", f"its own packets {unit.own:+.1f}, the comparison {unit.contrast:+.1f} nats")
    for side in Side:
        mine = [attempt for attempt in unit.shown if attempt.side == side.name.lower()]
        for attempt in mine[:MOST_SHOWN]:
            frames = attempt.frames or ((attempt.first_frame,) if attempt.first_frame is not None else ())
            some = frames_of(frames[:MOST_FRAMES], attempt.files) + (", …" if len(frames) > MOST_FRAMES else "")
            place = f" of {attempt.capture}" if attempt.side in several and not attempt.files else ""
            yield field(attempt.side, f"{STATES[attempt.state]}: frame{'s' * (len(frames) != 1)} {some}{place}")
    for why in unit.reasons:
        yield field("missing", why.says)


def change_lines(comparison: Comparison) -> Lines:
    """Write when names and servers began or ceased to fail."""
    if not comparison.changes:
        return
    yield ""
    yield "Changes:"
    for change in comparison.changes:
        yield Line(change.explanation, "  ", "      ")


def missing_lines(units: Sequence[ComparedUnit], *, everything: bool) -> Lines:
    """Write what could not be compared, and why."""
    if not units:
        return
    yield ""
    yield "Could not be compared:"
    for unit in units if everything else units[:MOST_MISSING]:
        why = unit.reasons[0].says if unit.reasons else unit.explanation
        yield Line(f"{unit.subject}: {why}", "  ", "      ")
    if not everything and len(units) > MOST_MISSING:
        yield f"  and {len(units) - MOST_MISSING:,} more (--all lists them)"


def _called(unit: ComparedUnit) -> str:
    return readable(unit.name) if unit.name else f"{unit.server} (no name)"


def _share(counts: AttemptCounts) -> str:
    known = counts.failed + counts.answered
    return f"{counts.failed:,} of {known:,}" if known else ("not shown" if counts.attempts else "-")


def _more(difference: float, low: float, high: float) -> str:
    if math.isnan(difference):  # one side is missing
        return "-"
    return f"{100 * difference:+.0f} % ({100 * low:+.0f} to {100 * high:+.0f} %)"
