"""Everything known about one conversation: the verdict, all that speaks for it and against it, and its packets.

For somebody who must answer for a verdict, or doubts it: what was seen, how much that weighs, where it is written that
it means something, what else looks the same, what was missing, and the packets themselves.
"""

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np

from netinterf.analyzers.base import Analyzer
from netinterf.engine.judged import Judged
from netinterf.report.digest import frame_of, frames_of
from netinterf.report.figures.gather import rows_of
from netinterf.report.figures.ladder import chosen, describe
from netinterf.report.lines import Line, Lines, field
from netinterf.schema import Files, Rule, SubjectKind
from netinterf.trace import Trace
from netinterf.values import frozen
from netinterf.writing import printable
from netinterf.written.format import SCHEMA, verdict_line
from netinterf.written.group_words import group_happened
from netinterf.written.record import Observation, Verdict, iso_time
from netinterf.written.remedies import CAVEAT, NO_REMEDY, Block, block_against
from netinterf.written.words import percent

__all__ = ["MOST_PACKETS", "Explained", "Step", "explain_subject", "explained_line", "explained_text"]

MOST_PACKETS = 40
"""Packets of the ladder: what fits on a screen or two (judgement)."""

LOOK_ALIKES = "Also looks like this:"
"""Begins the part of an analyzer's description that names harmless causes (`analyzers.check` demands it)."""

GAP_NS = 1_000_000_000
"""A pause from which the ladder has an empty line, as in the picture."""


@frozen(kw_only=True)
class Step:
    """One packet of the ladder."""

    frame: int
    time_ns: int  # since the conversation's first packet
    outbound: bool
    what: str
    length: int  # bytes on the wire
    forged: bool  # held to be forged, or the last before a silence
    rules: tuple[str, ...]  # that it is evidence of
    place: int  # in the conversation, from 0


@frozen(kw_only=True)
class Explained:
    """What is known about one conversation or DNS exchange."""

    verdict: Verdict
    rules: dict[str, Rule]  # of the evidence, by id
    look_alikes: dict[str, str]  # harmless causes that were weighed, by analyzer
    groups: tuple[Verdict, ...]  # findings that it is a member of
    steps: tuple[Step, ...]
    packets: int  # that the conversation has


def explain_subject(judged: Judged, trace: Trace, row: int, analyzers: Sequence[Analyzer]) -> Explained:
    """Gather all that is known about one subject.

    Args:
        judged: The capture, judged.
        trace: Its packets.
        row: Row of the ledger: a flow or an exchange.
        analyzers: Who was asked.
    """
    ledger = judged.ledger
    verdict = ledger[row]
    used = {sign.rule for sign in verdict.evidence}
    members = ledger.groups.subjects
    groups = np.unique(members.parents()[members.values == row]) + len(ledger.verdicts)
    rows = _packets(trace, ledger.subjects.kind[row], int(ledger.subjects.subject[row]))
    return Explained(
        verdict=verdict,
        rules={rule.id: rule for rule in ledger.evidence.rules if rule.id in used},
        look_alikes={
            analyzer.name: look_alikes(analyzer)
            for analyzer in analyzers
            if used & {rule.id for rule in analyzer.rules} and look_alikes(analyzer)
        },
        groups=tuple(ledger[int(group)] for group in groups),
        steps=_steps(trace, verdict, rows),
        packets=len(rows),
    )


def look_alikes(analyzer: Analyzer) -> str:
    """Read from an analyzer's description what else looks like what it looks for; empty where it does not say."""
    described = type(analyzer).__doc__ or ""
    _, _, text = described.partition(LOOK_ALIKES)
    return " ".join(text.partition("\n\n")[0].split())


def _packets(trace: Trace, kind: int, subject: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """List the packets of a flow or exchange, in order."""
    if kind == SubjectKind.FLOW:
        return np.asarray(trace.by_flow[subject], np.int64)
    messages = np.concatenate([trace.exchanges.queries[subject], trace.exchanges.replies[subject]])
    return np.unique(trace.dns.packet[messages]).astype(np.int64)


def _steps(trace: Trace, verdict: Verdict, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> tuple[Step, ...]:
    """Describe the packets of a ladder."""
    if not len(rows):
        return ()
    packets = trace.packets
    forged = set(rows_of(trace, verdict.frames).tolist())
    shows: dict[int, list[str]] = {}
    for sign in verdict.evidence:
        for frame in sign.frames:
            shows.setdefault(frame, []).append(sign.rule)
    witnesses = rows_of(trace, tuple(shows)).tolist()
    begin = int(packets.time[rows[0]])
    return tuple(
        Step(
            frame=int(packets.frame[row]),
            time_ns=int(packets.time[row]) - begin,
            outbound=bool(packets.outbound[row]),
            what=describe(trace, row),
            length=int(packets.length[row]),
            forged=row in forged,
            rules=tuple(shows.get(int(packets.frame[row]), ())),
            place=place,
        )
        for place, row in (
            (place, int(rows[place])) for place in chosen(rows, forged or witnesses, MOST_PACKETS).tolist()
        )
    )


def explained_line(explained: Explained) -> dict[str, Any]:
    """Build the object of one line: the verdict as in other lines, and what stands around it."""
    verdict = explained.verdict
    return {
        "type": "explanation",
        "schema": SCHEMA,
        "verdict": verdict_line(verdict),
        "references": {name: list(rule.references) for name, rule in explained.rules.items()},
        "look_alikes": explained.look_alikes,
        "block": block_fields(block_against(verdict)),
        "groups": [verdict_line(group) for group in explained.groups],
        "packets": explained.packets,
        "ladder": [attrs.asdict(step) | {"rules": list(step.rules)} for step in explained.steps],
        "wireshark": verdict.wireshark,
    } | ({"wireshark_in": verdict.wireshark_in} if verdict.files else {})


def block_fields(block: Block | None) -> dict[str, Any] | None:
    """Build the part that says what kind of block it is, and what is known to help against its kind."""
    if block is None:
        return None
    remedies = [{"says": remedy.says, "sources": list(remedy.sources)} for remedy in block.remedies]
    return {"kind": block.kind, "says": block.says, "remedies": remedies, "caveat": CAVEAT}


def explained_text(explained: Explained) -> Lines:
    """Write one explanation for people, line by line."""
    verdict = explained.verdict
    yield Line(verdict.explanation)
    yield ""
    yield from _outcome_lines(verdict)
    yield from _listed(
        "Together with others:", [f"{group_happened(group)} ({group.grade})." for group in explained.groups]
    )
    if verdict.evidence:
        yield ""
        yield "Evidence, strongest first (natural logarithms of likelihood ratios):"
        for sign in verdict.evidence:
            yield from _evidence_lines(sign, explained.rules[sign.rule], verdict.files)
    yield from _listed(
        "Harmless causes that were weighed:", [f"{causes} [{name}]" for name, causes in explained.look_alikes.items()]
    )
    yield from _listed(
        "What was missing, and what would settle it:", [f"{reason.says} [{reason.code}]" for reason in verdict.reasons]
    )
    yield from _block_lines(block_against(verdict))
    yield ""
    yield from _ladder_lines(explained)
    yield ""
    for path, shown in (verdict.wireshark_in or {"": verdict.wireshark}).items():
        file = f" in {path}" if path else ""
        yield printable(f"Wireshark{file}: {shown}")  # in one line, to be copied


def _block_lines(block: Block | None) -> Lines:
    """Say what kind of block it is, what is known to help against its kind, and that nothing is promised."""
    if block is None:
        return
    yield ""
    yield Line(f"What kind of block this is: {block.says}")
    if not block.remedies:
        yield Line(NO_REMEDY)
        return
    yield "Known to help against its kind, and no promise:"
    for remedy in block.remedies:
        yield Line(f"{remedy.says} [{'; '.join(remedy.sources)}]", "  - ", "    ")
    yield Line(CAVEAT)


def _outcome_lines(verdict: Verdict) -> Lines:
    """Write what the verdict says, field by field."""
    mechanism = f" by {verdict.mechanism}" if verdict.mechanism else ""
    fields = [
        ("outcome", f"{verdict.outcome}{mechanism} ({verdict.grade})"),
        ("how sure", f"probability {percent(verdict.probability)}, q-value {verdict.q_value:.2g}"),
        ("when", f"{iso_time(verdict.start)} to {iso_time(verdict.end)}"),
    ]
    if verdict.trigger is not None:
        shown = verdict.trigger.frame
        frame = "" if shown is None else f" in frame {frame_of(shown, verdict.files)}"
        fields.append(("trigger", f"{verdict.trigger.kind} {verdict.trigger.value}{frame}"))
    if verdict.ja4 is not None:
        fields.append(("client", f"JA4 {verdict.ja4}"))
    fields += [
        ("also", f"{further.mechanism} (probability {percent(further.probability)})") for further in verdict.also
    ]
    if verdict.selective is not None:
        fields.append(("selective", "others were spared" if verdict.selective else "everything was limited alike"))
    for attributed in verdict.attribution:
        fields.append(
            ("resembles", f"{attributed.system} ({percent(attributed.score)}) by {', '.join(attributed.matched)}")
        )
    if verdict.frames:
        fields.append(("frames", frames_of(verdict.frames, verdict.files, most=len(verdict.frames))))
    yield from (field(label, value) for label, value in fields)


def _evidence_lines(sign: Observation, rule: Rule, files: Files) -> Lines:
    """Write one observation: what, how much it weighs, its numbers, its frames, and where that is documented."""
    weight = round(sign.llr, 1) + 0.0  # which makes 0 of -0
    side = "for " if weight > 0 else "against " if weight < 0 else "about "
    about = rule.mechanism or "any mechanism"
    yield Line(f"{weight:+6.1f}  {sign.says} [{rule.id}: {side}{about}]", "  ", " " * 10)
    numbers = [f"{name} {'unknown' if value is None else f'{value:.6g}'}" for name, value in sign.measured.items()]
    frames = frames_of(sign.frames, files, most=len(sign.frames))
    for label, value in (("measured", ", ".join(numbers)), ("frames", frames), ("see", "; ".join(rule.references))):
        if value:
            yield Line(f"{label}: {value}", " " * 10, " " * 12)


def _ladder_lines(explained: Explained) -> Lines:
    """Write the packets, one a line, each with the rules that it is evidence of."""
    count = len(explained.steps)
    more = "" if count == explained.packets else f", {count} of them shown"
    yield f"Packets ({explained.packets:,}{more}): > from the client, < from the server, ! forged or the last"
    before: Step | None = None
    files, file = explained.verdict.files, ""
    for step in explained.steps:
        left = step.place - (before.place + 1 if before else 0)
        if left:
            yield f"         … {left:,} more"
        elif before and step.time_ns - before.time_ns >= GAP_NS:
            yield ""
        frame = step.frame
        if files:
            there, frame = files.placed(frame)
            if there.path != file:
                file = there.path
                yield printable(f"  of {files.called(there)}:")
        mark, way = "!" if step.forged else " ", ">" if step.outbound else "<"
        row = f"{mark} {frame:>7} {step.time_ns / 1e9:>12.6f} {way} {step.what:<29}{step.length:>6}"
        shows = list(dict.fromkeys(step.rules))
        others = f", {len(shows) - 1} more" if len(shows) > 1 else ""
        yield f"{row}  {shows[0] if shows else ''}{others}".rstrip()
        before = step
    if before and (left := explained.packets - 1 - before.place):
        yield f"         … {left:,} more"


def _listed(title: str, entries: Sequence[str]) -> Lines:
    """Write a title and its entries, nothing without entries."""
    if entries:
        yield ""
        yield title
        for entry in entries:
            yield Line(entry, "  - ", "    ")
