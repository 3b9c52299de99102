"""Captures as text: what was found and what shows it, then what is suspected or open and what would settle it.

Plain lines, so that they read the same on screen, in a mail and in a file; whoever shows them lays them out.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from netinterf.arrays import I64
from netinterf.attribute.injectors import Injector
from netinterf.engine.judged import Judged, Summary
from netinterf.errors import CaptureError
from netinterf.numbering import distinct
from netinterf.report.digest import (
    MOST_EXAMPLES,
    apart,
    apart_words,
    examples_of,
    frame_of,
    rows_of_outcome,
    shared_rules,
    span_of,
    unjudged,
)
from netinterf.report.findings import alike_lines, finding_lines, group_lines, list_of, one_line, suspicion_lines
from netinterf.report.folding import folded, numbered_places, places_of
from netinterf.report.lines import Line, Lines
from netinterf.schema import Diagnostic, Outcome
from netinterf.writing import count_of
from netinterf.written.ledger import Ledger
from netinterf.written.words import who

__all__ = ["capture_text", "injector_lines", "note_line", "shared_lines", "summary_lines", "unread_lines"]


def capture_text(judged: Judged, *, everything: bool = False) -> Lines:
    """Write one capture, line by line."""
    ledger = judged.ledger
    interfered, suspected = rows_of_outcome(ledger, Outcome.INTERFERED), ledger.rows_suspected()
    yield from summary_lines(judged.summary, suspected=len(suspected), others=sum(apart(ledger).values()))
    yield from map(note_line, judged.summary.diagnostics)
    surely, perhaps = ledger.rows_of_groups()
    yield from group_lines("Taken together:", ledger, surely)
    yield from overview_lines(ledger, interfered)
    yield from shared_lines(judged)
    yield from injector_lines(ledger.injectors)
    for told in folded(ledger, interfered, apart=everything):
        yield ""
        yield from finding_lines(told.verdict)
        yield from alike_lines(told)
    yield from suspicion_lines(folded(ledger, suspected, apart=everything))
    yield from group_lines("Perhaps together:", ledger, perhaps)
    yield from unjudged_lines(judged)
    yield from unexplained_lines(ledger, everything=everything)
    if everything:
        yield ""
        yield "All conversations:"
        for verdict in ledger:
            yield Line(one_line(verdict), "  ", "      ")


def unread_lines(errors: Iterable[CaptureError]) -> Lines:
    """Write what could not be read, and why."""
    for place, error in enumerate(errors):
        yield from [] if place else ["Could not be read:"]
        yield Line(str(error), "  ", "    ")


def summary_lines(summary: Summary, *, suspected: int = 0, others: int = 0) -> Lines:
    """Write what the capture is, and how its conversations came out.

    Args:
        summary: The capture.
        suspected: How many of the insufficient are suspected.
        others: How many of the insufficient are no conversations that could be judged (`digest.APART`).
    """
    span = "" if summary.first is None or summary.last is None else f" over {span_of(summary.last - summary.first)}"
    yield Line(
        f"{summary.capture}{others_of(summary)}: "
        f"{count_of(summary.packets, 'packet')}, {count_of(summary.flows, 'flow')}, "
        f"{count_of(summary.exchanges, 'DNS exchange')}{span}; seen from: {summary.vantage}",
        "",
        "  ",
    )
    counts = summary.outcomes | {Outcome.INSUFFICIENT.value: summary.outcomes[Outcome.INSUFFICIENT.value] - others}
    words = [f"{counts[outcome.value]:,} {outcome.value}" for outcome in Outcome]
    hints = f", {suspected:,} of them suspected" if suspected else ""
    yield "  " + " · ".join([words[2], words[0], words[1], words[3] + hints, *[f"{others:,} others"] * bool(others)])


def note_line(note: Diagnostic) -> Line:
    """Write what a reader must know of how the capture could be read."""
    times = f" ({note.count:,} times)" if note.count > 1 else ""
    return Line(f"note: {note.message}{times}", "  ", "    ")


def others_of(summary: Summary) -> str:
    """Say how many files were joined besides the one that the capture is called by."""
    return f" and {count_of(len(summary.files) - 1, 'more file')}" if len(summary.files) > 1 else ""


def overview_lines(ledger: Ledger, findings: I64) -> Lines:
    """Write, where there are several findings, how many of each mechanism there are and what they are about."""
    if len(findings) <= 1:
        return
    mechanism, words = ledger.verdicts.mechanism[findings], ledger.verdicts.mechanisms
    place = numbered_places(ledger, findings)
    for code in sorted(distinct(mechanism).tolist(), key=words.__getitem__):
        alike = np.flatnonzero(mechanism == code)
        named = f"{words[code]}: {list_of(places_of(ledger, findings[alike], place[alike]))}"
        yield Line(f"interfered: {len(alike):,} × {named}", "  ", "    ")


def shared_lines(judged: Judged) -> Lines:
    """Write what the names that were hit have in common, and spared ones have not."""
    common = shared_rules(judged)
    spared = count_of(common.spared, "name")
    for rule in common.rules:
        some = ", ".join(rule.blocked[:MOST_EXAMPLES]) + (", …" if len(rule.blocked) > MOST_EXAMPLES else "")
        line = f"in common: {rule}, {len(rule.blocked)} names hit ({some}), none of the {spared} spared"
        yield Line(line, "  ", "    ")


def injector_lines(injectors: Sequence[Injector]) -> Lines:
    """Write how many injectors can be told apart by what they write, where there are several."""
    if len(injectors) < 2:
        return
    line = f"forged DNS answers are by at least {len(injectors)} injectors, told apart by what they write:"
    yield Line(line, "  ", "    ")
    for injector in injectors:
        yield Line(f"{count_of(injector.questions, 'question')}: {injector}", "    - ", "      ")


def unjudged_lines(judged: Judged) -> Lines:
    """Write what failed or could not be judged, by reason, with examples and what would settle it."""
    for outcome, title in (
        (Outcome.DOWN, "Did not work, without a sign of interference"),
        (Outcome.INSUFFICIENT, "Could not be judged"),
    ):
        entries = unjudged(judged.ledger, outcome)
        yield from ["", f"{title}:"] if entries else []
        for entry in entries:
            yield Line(f"{entry.count:,} × {entry.cause.code}: {entry.cause.says}", "  ", "      ")
            yield Line(examples_of(entry.examples, entry.count), "      ", "      ")
    if others := apart(judged.ledger):
        yield ""
        yield Line(f"Others, which are no conversations of two hosts: {apart_words(others)}.", "", "  ")


def unexplained_lines(ledger: Ledger, *, everything: bool = False) -> Lines:
    """Write how many stand out from their peers without a known cause; with *everything*, which and by what."""
    count = len(ledger.rows_unexplained())
    if not count:
        return
    many = f"{count_of(count, 'conversation')} {'stands' if count == 1 else 'stand'} out"
    hint = "" if everything else f"; --all names {'it' if count == 1 else 'them'}"
    yield ""
    yield Line(f"Unexplained: {many} from others of this capture, which accuses nobody{hint}.", "", "  ")
    for anomaly in ledger.unexplained() if everything else ():
        first = anomaly.subject.first_frame
        frame = "" if first is None else f"frame {frame_of(first, anomaly.files)}, "
        yield Line(f"{frame}{who(anomaly.subject)}: {'; '.join(map(str, anomaly.facts))}", "  ", "      ")
