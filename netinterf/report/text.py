"""The terminal summary: what was found and what shows it, then what is suspected or open and what would settle it.

Plain text of at most 96 columns, without colours, so that it reads the same on screen, in a mail and in a file.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from netinterf.arrays import I64
from netinterf.attribute.injectors import Injector
from netinterf.engine.judged import Judged, Summary
from netinterf.errors import CaptureError
from netinterf.mechanisms import settled_by
from netinterf.numbering import distinct
from netinterf.report.digest import (
    MOST_EXAMPLES,
    common_of,
    count_of,
    end_of,
    examples_of,
    frame_of,
    frames_of,
    ordered_evidence,
    resembles,
    rows_of_outcome,
    shared_rules,
    span_of,
    strongest_frames,
    unjudged,
)
from netinterf.report.folding import MOST_EVIDENCE, Places, Told, folded, numbered_places, places_of
from netinterf.report.lines import wrapped
from netinterf.schema import Outcome
from netinterf.writing import readable
from netinterf.written.ledger import Ledger
from netinterf.written.record import Verdict, iso_time
from netinterf.written.words import happened, percent, who

if TYPE_CHECKING:
    from netinterf.engine.scan import Result

__all__ = [
    "capture_text",
    "finding_lines",
    "group_lines",
    "one_line",
    "summary_lines",
    "suspicion_lines",
    "text",
    "unexplained_lines",
    "unread_lines",
]

MOST_GROUPS = 20


def text(result: "Result | Iterable[Judged]", *, everything: bool = False) -> str:
    """Write a whole result for people.

    Args:
        result: A scan's result, or the captures of one.
        everything: Write each finding, those that are alike as well, and besides one line for every flow and exchange.
    """
    from netinterf.engine.scan import captures_of  # (whoever has a result has it; the command has captures)

    captures = ["\n".join(capture_text(judged, everything=everything)) for judged in captures_of(result)]
    unread = "\n".join(unread_lines(getattr(result, "errors", ())))
    return "\n\n".join([*captures, *([unread] if unread else [])])


def capture_text(judged: Judged, *, everything: bool = False) -> Iterator[str]:
    """Write one capture, line by line."""
    ledger = judged.ledger
    interfered, suspected = rows_of_outcome(ledger, Outcome.INTERFERED), ledger.rows_suspected()
    yield from summary_lines(judged.summary, suspected=len(suspected))
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
            yield from wrapped(one_line(verdict), "  ", "      ")


def unread_lines(errors: Iterable[CaptureError]) -> Iterator[str]:
    """Write what could not be read, and why."""
    for place, error in enumerate(errors):
        yield from [] if place else ["Could not be read:"]
        yield from wrapped(str(error), "  ", "    ")


def summary_lines(summary: Summary, *, suspected: int = 0) -> Iterator[str]:
    """Write what the capture is, how its conversations came out, and how many of the insufficient are suspected."""
    span = "" if summary.first is None or summary.last is None else f" over {span_of(summary.last - summary.first)}"
    yield from wrapped(
        f"{summary.capture}{others_of(summary)}: "
        f"{count_of(summary.packets, 'packet')}, {count_of(summary.flows, 'flow')}, "
        f"{count_of(summary.exchanges, 'DNS exchange')}{span}; seen from: {summary.vantage}",
        "",
        "  ",
    )
    counts = summary.outcomes
    words = [f"{counts[outcome.value]:,} {outcome.value}" for outcome in Outcome]
    hints = f", {suspected:,} of them suspected" if suspected else ""
    yield "  " + " · ".join([words[2], words[0], words[1], words[3] + hints])
    for note in summary.diagnostics:
        times = f" ({note.count:,} times)" if note.count > 1 else ""
        yield from wrapped(f"note: {note.message}{times}", "  ", "    ")


def others_of(summary: Summary) -> str:
    """Say how many files were joined besides the one that the capture is called by."""
    return f" and {count_of(len(summary.files) - 1, 'more file')}" if len(summary.files) > 1 else ""


def suspicion_lines(suspicions: Sequence[Told]) -> Iterator[str]:
    """Write what is suspected and what would settle it, by mechanism, one line for each kind, the likeliest first."""
    ranked = sorted(suspicions, key=lambda told: -told.verdict.probability)
    for mechanism in dict.fromkeys(told.verdict.mechanism or "" for told in ranked):
        yield ""
        yield from wrapped(f"Suspected: {mechanism}, would be settled by {settled_by(mechanism)}.", "", "  ")
        before = ""
        for told in (told for told in ranked if told.verdict.mechanism == mechanism):
            verdict = told.verdict
            because = next((sign.says for sign in ordered_evidence(verdict) if sign.llr > 0), "")
            first = verdict.subject.first_frame
            frame = "" if first is None else f", frame {frame_of(first, verdict.files)}"
            again = "the same" if because == before else because
            yield from wrapped(f"{percent(verdict.probability)}{frame}, {who(verdict.subject)}: {again}", "  ", "    ")
            if told.alike:
                yield from wrapped(f"like it {alike_of(told)}", "    ", "    ")
            before = because


def group_lines(title: str, ledger: Sequence[Verdict], rows: I64) -> Iterator[str]:
    """Write what many conversations show together, one sentence a group, the surest first."""
    if not len(rows):
        return
    yield ""
    yield title
    for row in rows[:MOST_GROUPS].tolist():
        verdict = ledger[row]
        sure = f"{verdict.grade}, probability {percent(verdict.probability)}"
        yield from wrapped(f"{verdict.mechanism}, {common_of(verdict)} ({sure})", "  ", "      ")
        yield from wrapped(f"{happened(verdict)}.", "      ", "      ")
        yield from wrapped(_when(verdict.start, verdict.end), "      ", "      ")
    if len(rows) > MOST_GROUPS:
        yield f"  and {len(rows) - MOST_GROUPS:,} more"


def overview_lines(ledger: Ledger, findings: I64) -> Iterator[str]:
    """Write, where there are several findings, how many of each mechanism there are and what they are about."""
    if len(findings) <= 1:
        return
    mechanism, words = ledger.verdicts.mechanism[findings], ledger.verdicts.mechanisms
    place = numbered_places(ledger, findings)
    for code in sorted(distinct(mechanism).tolist(), key=words.__getitem__):
        alike = np.flatnonzero(mechanism == code)
        named = f"{words[code]}: {list_of(places_of(ledger, findings[alike], place[alike]))}"
        yield from wrapped(f"interfered: {len(alike):,} × {named}", "  ", "    ")


def list_of(places: Places) -> str:
    """List what findings are about, and how often."""
    listed = ", ".join(f"{name} ({times:,})" for name, times in places.listed)
    return listed + (f" and {count_of(places.more, 'other name')}" if places.more else "")


def alike_of(told: Told) -> str:
    """Say how many more are like a finding, and what they are about."""
    return f"{told.alike:,} more: {list_of(told.places)}; --all shows each"


def alike_lines(told: Told) -> Iterator[str]:
    """Write what is folded into a finding that is shown, if anything is."""
    if told.alike:
        yield from _field("like it", alike_of(told))


def shared_lines(judged: Judged) -> Iterator[str]:
    """Write what the names that were hit have in common, and spared ones have not."""
    common = shared_rules(judged)
    spared = count_of(common.spared, "name")
    for rule in common.rules:
        some = ", ".join(rule.blocked[:MOST_EXAMPLES]) + (", …" if len(rule.blocked) > MOST_EXAMPLES else "")
        line = f"in common: {rule}, {len(rule.blocked)} names hit ({some}), none of the {spared} spared"
        yield from wrapped(line, "  ", "    ")


def injector_lines(injectors: Sequence[Injector]) -> Iterator[str]:
    """Write how many injectors can be told apart by what they write, where there are several."""
    if len(injectors) < 2:
        return
    line = f"forged DNS answers are by at least {len(injectors)} injectors, told apart by what they write:"
    yield from wrapped(line, "  ", "    ")
    for injector in injectors:
        yield from wrapped(f"{count_of(injector.questions, 'question')}: {injector}", "    - ", "      ")


def finding_lines(verdict: Verdict) -> Iterator[str]:
    """Write one finding that is shown: what, who, when, trigger, how sure, what shows it, and where to look."""
    sure = f"{verdict.grade}, probability {percent(verdict.probability)}"
    yield f"INTERFERED: {verdict.mechanism} ({sure})"
    yield from wrapped(f"{happened(verdict)}.", "  ", "  ")
    yield from _field("when", _when(verdict.start, verdict.end))
    if verdict.trigger is not None:
        shown = verdict.trigger.frame
        frame = "" if shown is None else f" in frame {frame_of(shown, verdict.files)}"
        yield from _field("trigger", f"{verdict.trigger.kind} {verdict.trigger.value}{frame}")
    for further in verdict.also:
        yield from _field("also", f"{further.mechanism} (probability {percent(further.probability)})")
    if verdict.selective is not None:
        yield from _field("selective", "others were spared" if verdict.selective else "everything was limited alike")
    for place, sign in enumerate(ordered_evidence(verdict)[:MOST_EVIDENCE]):
        weight = round(sign.llr, 1) + 0.0  # which makes 0 of -0
        side = "" if weight >= 0 else "against: "
        yield from _field("" if place else "evidence", f"- {side}{sign.says} [{sign.rule}, {weight:+.1f}]")
    more = len(verdict.evidence) - MOST_EVIDENCE
    if more > 0:
        yield from _field("", f"  and {more} more")
    if (alike := resembles(verdict)) is not None:
        known, likeness = alike
        yield from _field("resembles", f"{known.name} [{known.id}, {percent(likeness.score)}]")
        yield from _field("", f"by {', '.join(likeness.matched[:MOST_EVIDENCE])}")
    if verdict.frames:
        yield from _field("frames", frames_of(verdict.frames, verdict.files))
    elif frames := strongest_frames(verdict):
        yield from _field("shown by", frames_of(frames, verdict.files))
    yield from _field("Wireshark", verdict.flow_filter)


def unjudged_lines(judged: Judged) -> Iterator[str]:
    """Write what failed or could not be judged, by reason, with examples and what would settle it."""
    for outcome, title in (
        (Outcome.DOWN, "Did not work, without a sign of interference"),
        (Outcome.INSUFFICIENT, "Could not be judged"),
    ):
        entries = unjudged(judged.ledger, outcome)
        yield from ["", f"{title}:"] if entries else []
        for entry in entries:
            yield from wrapped(f"{entry.count:,} × {entry.cause.code}: {entry.cause.says}", "  ", "      ")
            yield from wrapped(examples_of(entry.examples, entry.count), "      ", "      ")


def unexplained_lines(ledger: Ledger, *, everything: bool = False) -> Iterator[str]:
    """Write how many stand out from their peers without a known cause; with *everything*, which and by what."""
    count = len(ledger.rows_unexplained())
    if not count:
        return
    many = f"{count_of(count, 'conversation')} {'stands' if count == 1 else 'stand'} out"
    hint = "" if everything else f"; --all names {'it' if count == 1 else 'them'}"
    yield ""
    yield from wrapped(f"Unexplained: {many} from others of this capture, which accuses nobody{hint}.", "", "  ")
    for anomaly in ledger.unexplained() if everything else ():
        first = anomaly.subject.first_frame
        frame = "" if first is None else f"frame {frame_of(first, anomaly.files)}, "
        yield from wrapped(f"{frame}{who(anomaly.subject)}: {'; '.join(map(str, anomaly.facts))}", "  ", "      ")


def one_line(verdict: Verdict) -> str:
    """Write one verdict in one line, however long."""
    if verdict.group is not None:
        return readable(f"{verdict.outcome} {verdict.mechanism} {percent(verdict.probability)}  {common_of(verdict)}")
    subject = verdict.subject
    what = f" {verdict.mechanism}" if verdict.mechanism else ""
    why = f" ({', '.join(reason.code for reason in verdict.reasons)})" if verdict.reasons else ""
    name = f" {subject.name}" if subject.name else ""
    first = "" if subject.first_frame is None else f"frame {frame_of(subject.first_frame, verdict.files)}: "
    query_type = f" {subject.query_type}" if subject.query_type else ""
    return readable(
        f"{first}{verdict.outcome}{what} {percent(verdict.probability)}{why}  "
        f"{subject.protocol or 'ip'} {end_of(subject.client, subject.client_port)} > "
        f"{end_of(subject.server, subject.server_port)}{name}{query_type}"
    )


def _field(label: str, value: str) -> Iterator[str]:
    yield from wrapped(value, f"  {label:<10}", " " * 12 + ("  " if value.startswith(("- ", "  ")) else ""))


def _when(start: int, end: int) -> str:
    """Write when it happened: the day and time in UTC, and how long it took."""
    return f"{iso_time(start)}, {span_of(end - start)}"
