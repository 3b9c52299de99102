"""Findings as text: in full, or in a line each where they are only suspected or many, and groups in a sentence."""

from collections.abc import Sequence

from netinterf.arrays import I64
from netinterf.mechanisms import settled_by
from netinterf.report.digest import (
    common_of,
    end_of,
    frame_of,
    frames_of,
    ordered_evidence,
    resembles,
    span_of,
    strongest_frames,
)
from netinterf.report.folding import MOST_EVIDENCE, Places, Told
from netinterf.report.lines import Line, Lines, field
from netinterf.writing import count_of, readable
from netinterf.written.record import Verdict, iso_time
from netinterf.written.words import happened, percent, who

__all__ = ["alike_lines", "finding_lines", "group_lines", "list_of", "one_line", "suspicion_lines"]

MOST_GROUPS = 20


def finding_lines(verdict: Verdict) -> Lines:
    """Write one finding that is shown: what, who, when, trigger, how sure, what shows it, and where to look."""
    sure = f"{verdict.grade}, probability {percent(verdict.probability)}"
    yield f"INTERFERED: {verdict.mechanism} ({sure})"
    yield Line(f"{happened(verdict)}.", "  ", "  ")
    yield field("when", _when(verdict.start, verdict.end))
    if verdict.trigger is not None:
        shown = verdict.trigger.frame
        frame = "" if shown is None else f" in frame {frame_of(shown, verdict.files)}"
        yield field("trigger", f"{verdict.trigger.kind} {verdict.trigger.value}{frame}")
    for further in verdict.also:
        yield field("also", f"{further.mechanism} (probability {percent(further.probability)})")
    if verdict.selective is not None:
        yield field("selective", "others were spared" if verdict.selective else "everything was limited alike")
    for place, sign in enumerate(ordered_evidence(verdict)[:MOST_EVIDENCE]):
        weight = round(sign.llr, 1) + 0.0  # which makes 0 of -0
        side = "" if weight >= 0 else "against: "
        yield field("" if place else "evidence", f"- {side}{sign.says} [{sign.rule}, {weight:+.1f}]")
    more = len(verdict.evidence) - MOST_EVIDENCE
    if more > 0:
        yield field("", f"  and {more} more")
    if (alike := resembles(verdict)) is not None:
        known, likeness = alike
        yield field("resembles", f"{known.name} [{known.id}, {percent(likeness.score)}]")
        yield field("", f"by {', '.join(likeness.matched[:MOST_EVIDENCE])}")
    if verdict.frames:
        yield field("frames", frames_of(verdict.frames, verdict.files))
    elif frames := strongest_frames(verdict):
        yield field("shown by", frames_of(frames, verdict.files))
    yield field("Wireshark", verdict.flow_filter, whole=True)


def alike_lines(told: Told) -> Lines:
    """Write what is folded into a finding that is shown, if anything is."""
    if told.alike:
        yield field("like it", alike_of(told))


def alike_of(told: Told) -> str:
    """Say how many more are like a finding, and what they are about."""
    return f"{told.alike:,} more: {list_of(told.places)}; --all shows each"


def list_of(places: Places) -> str:
    """List what findings are about, and how often."""
    listed = ", ".join(f"{name} ({times:,})" for name, times in places.listed)
    return listed + (f" and {count_of(places.more, 'other name')}" if places.more else "")


def suspicion_lines(suspicions: Sequence[Told]) -> Lines:
    """Write what is suspected and what would settle it, by mechanism, one line for each kind, the likeliest first."""
    ranked = sorted(suspicions, key=lambda told: -told.verdict.probability)
    for mechanism in dict.fromkeys(told.verdict.mechanism or "" for told in ranked):
        yield ""
        yield Line(f"Suspected: {mechanism}, would be settled by {settled_by(mechanism)}.", "", "  ")
        before = ""
        for told in (told for told in ranked if told.verdict.mechanism == mechanism):
            verdict = told.verdict
            because = next((sign.says for sign in ordered_evidence(verdict) if sign.llr > 0), "")
            first = verdict.subject.first_frame
            frame = "" if first is None else f", frame {frame_of(first, verdict.files)}"
            again = "the same" if because == before else because
            yield Line(f"{percent(verdict.probability)}{frame}, {who(verdict.subject)}: {again}", "  ", "    ")
            if told.alike:
                yield Line(f"like it {alike_of(told)}", "    ", "    ")
            before = because


def group_lines(title: str, ledger: Sequence[Verdict], rows: I64) -> Lines:
    """Write what many conversations show together, one sentence a group, the surest first."""
    if not len(rows):
        return
    yield ""
    yield title
    for row in rows[:MOST_GROUPS].tolist():
        verdict = ledger[row]
        sure = f"{verdict.grade}, probability {percent(verdict.probability)}"
        yield Line(f"{verdict.mechanism}, {common_of(verdict)} ({sure})", "  ", "      ")
        yield Line(f"{happened(verdict)}.", "      ", "      ")
        yield Line(_when(verdict.start, verdict.end), "      ", "      ")
    if len(rows) > MOST_GROUPS:
        yield f"  and {len(rows) - MOST_GROUPS:,} more"


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


def _when(start: int, end: int) -> str:
    """Write when it happened: the day and time in UTC, and how long it took."""
    exact = iso_time(start)
    return f"{exact[:10]} {exact[11:23]} UTC, for {span_of(end - start)}" if exact else "at an unknown time"
