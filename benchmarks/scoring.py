"""From verdicts and labels to counts: found, missed, wrong mechanism, false alarm."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import attrs

from benchmarks.matching import Unit, Verdict, mechanisms, pair, units
from benchmarks.truth import CatalogRow, FlowRow, answers

__all__ = ["Score", "Tally", "score_file"]

SILENT = ("tcp.drop", "tcp.connect.drop", "quic.drop", "dns.drop", "rate.freeze")
"""Mechanisms whose frames are the last before a silence: nothing is forged."""

UNANSWERED = ("unanswered_syn", "unanswered_data", "one_way_tcp", "unanswered_dns")
"""Words in a file's notes: some of its peers never answer, so silence there is not documented either way."""


@attrs.define
class Tally:
    """Counts of one label, or of several that stand together."""

    files: int = 0
    files_found: int = 0
    units: int = 0
    found: int = 0
    fully: int = 0  # every label answered
    possible: int = 0  # suspected with a right mechanism, not accused
    wrong: int = 0  # interfered, but another mechanism
    unmatched: int = 0  # no verdict speaks of it
    forged: int = 0  # labelled frames
    named: int = 0  # frames named by verdicts on these units
    hit: int = 0  # frames both labelled and named

    def rates(self) -> dict[str, float | None]:
        """Give recall of units, and recall and precision of forged frames."""
        return {
            "recall": ratio(self.found, self.units),
            "frame_recall": ratio(self.hit, self.forged),
            "frame_precision": ratio(self.hit, self.named),
        }


@attrs.define
class Score:
    """Everything counted over a folder."""

    positive: dict[str, Tally] = attrs.field(factory=dict)
    controls: int = 0  # labelled "none" in files with labels
    controls_flagged: Counter[str] = attrs.field(factory=Counter)
    benign_files: int = 0
    benign_files_flagged: Counter[str] = attrs.field(factory=Counter)
    benign_units: int = 0
    benign_units_flagged: Counter[str] = attrs.field(factory=Counter)
    silence_apart: Counter[str] = attrs.field(factory=Counter)
    rate_controls: int = 0
    rate_controls_policed: int = 0
    unlabelled_flagged: Counter[str] = attrs.field(factory=Counter)  # in positive files, flows without a label
    unreadable: Counter[str] = attrs.field(factory=Counter)
    failed: list[str] = attrs.field(factory=list)
    details: list[dict[str, Any]] = attrs.field(factory=list)

    def note(self, what: str, file: str, verdict: Verdict | None, unit: Unit | None = None) -> None:
        """Keep one decision that deserves a look."""
        subject = (verdict or {}).get("subject") or {}
        row = unit.rows[0] if unit else None
        self.details.append(
            {
                "what": what,
                "file": file,
                "labels": list(row.labels) if row else [],
                "trigger": row.trigger if row else None,
                "client": subject.get("client") or (row.client if row else None),
                "client_port": subject.get("client_port") or (row.client_port if row else None),
                "server": subject.get("server") or (row.server if row else None),
                "first_frame": subject.get("first_frame") or (row.first_frame if row else None),
                "mechanism": (verdict or {}).get("mechanism"),
                "probability": (verdict or {}).get("probability"),
                "rules": [one["rule"] for one in (verdict or {}).get("evidence") or []][:8],
            }
        )


def ratio(part: int, whole: int) -> float | None:
    """Divide, or say None when there is nothing to divide by."""
    return part / whole if whole else None


def score_file(
    score: Score,
    file: CatalogRow,
    rows: tuple[FlowRow, ...],
    verdicts: list[Verdict],
    single_replies: frozenset[int] = frozenset(),
) -> None:
    """Count one scanned file.

    Args:
        score: Where to count.
        file: What the catalogue says of it.
        rows: Its labelled flows.
        verdicts: All its verdicts.
        single_replies: First frames of the DNS exchanges that hold one reply.
    """
    if file.kind == "ambiguous" or "inconclusive" in file.expected:
        return
    count_controls(score, file, rows, verdicts)
    if file.kind == "positive" and "policing" in file.expected:
        count_policed(score, file, verdicts)
    elif file.kind == "positive":
        count_positive(score, file, rows, verdicts, single_replies)
    elif file.kind == "benign":
        count_benign(score, file, rows, verdicts)


def count_policed(score: Score, file: CatalogRow, verdicts: list[Verdict]) -> None:
    """Count a file that is policed as a whole: one accepted verdict is enough."""
    tally = score.positive.setdefault("policing", Tally())
    hit = any(answers(mechanisms(verdict), "policing") for verdict in verdicts)
    tally.files += 1
    tally.units += 1
    tally.files_found += hit
    tally.found += hit
    tally.fully += hit
    if not hit:
        tally.possible += any(suspected(verdict, ("policing",)) for verdict in verdicts)
        tally.wrong += any(mechanisms(verdict) for verdict in verdicts)
        score.note("missed", file.file, max(verdicts, key=lambda one: one.get("probability") or 0, default=None))


def suspected(verdict: Verdict, labels: Iterable[str]) -> bool:
    """Say whether a verdict names a right mechanism without accusing."""
    return verdict.get("grade") == "possible" and any(answers([verdict["mechanism"] or ""], label) for label in labels)


def count_positive(
    score: Score, file: CatalogRow, rows: tuple[FlowRow, ...], verdicts: list[Verdict], single_replies: frozenset[int]
) -> None:
    """Count the affected flows of a file, those with several labels by themselves."""
    kinds = {kind(row.labels) for row in rows if row.scored and row.labels}
    for name in kinds:
        score.positive.setdefault(name, Tally()).files += 1
    seen: set[str] = set()
    for unit in units(rows, verdicts):
        if not unit.labels:
            continue
        tally = score.positive[kind(unit.labels)]
        hits = {label for label in unit.labels if any(answered(one, label, single_replies) for one in unit.verdicts)}
        tally.units += 1
        tally.found += bool(hits)  # one of several labels is enough
        tally.fully += len(hits) == len(unit.labels)
        tally.unmatched += not unit.verdicts
        count_frames(tally, unit)
        if hits:
            seen.add(kind(unit.labels))
            continue
        wrong = any(mechanisms(one) for one in unit.verdicts)
        tally.wrong += wrong
        tally.possible += any(suspected(one, unit.labels) for one in unit.verdicts)
        best = max(unit.verdicts, key=lambda one: one.get("probability") or 0, default=None)
        score.note("wrong mechanism" if wrong else "missed", file.file, best, unit)
    for name in seen:
        score.positive[name].files_found += 1
    labelled = set(pair(rows, verdicts).values())
    for place, verdict in enumerate(verdicts):
        if place not in labelled and mechanisms(verdict) and verdict["subject"]["kind"] != "group":
            score.unlabelled_flagged[verdict["mechanism"]] += 1


def kind(labels: tuple[str, ...]) -> str:
    """Name what a unit is counted under."""
    return ";".join(sorted(labels))


def answered(verdict: Verdict, label: str, single_replies: frozenset[int]) -> bool:
    """Say whether a verdict answers a label."""
    single = verdict["subject"].get("first_frame") in single_replies
    return answers(mechanisms(verdict), label, single_reply=single)


def count_frames(tally: Tally, unit: Unit) -> None:
    """Compare the frames a verdict names with the labelled ones, where there are any."""
    forged = frozenset().union(*(row.forged for row in unit.rows))
    if not forged:
        return
    named: set[int] = set()
    for verdict in unit.verdicts:
        if any(one not in SILENT for one in mechanisms(verdict)):
            named.update(verdict.get("frames") or ())
    tally.forged += len(forged)
    tally.named += len(named)
    tally.hit += len(named & forged)


def count_controls(score: Score, file: CatalogRow, rows: tuple[FlowRow, ...], verdicts: list[Verdict]) -> None:
    """Count flows labelled "none" beside affected ones."""
    if file.kind != "positive":
        return
    for unit in units(rows, verdicts):
        if unit.labels:
            continue
        score.controls += 1
        for verdict in unit.verdicts:
            if mechanisms(verdict):
                score.controls_flagged[verdict["mechanism"]] += 1
                score.note("control flagged", file.file, verdict, unit)


def count_benign(score: Score, file: CatalogRow, rows: tuple[FlowRow, ...], verdicts: list[Verdict]) -> None:
    """Count false alarms; flows labelled inconclusive are left out, shaping is right on rate-limited controls."""
    rate_control = file.phenomenon == "hard_negative" and "policing" in file.notes.lower()
    left_out = {place for number, place in pair(rows, verdicts).items() if not rows[number].scored}
    flagged: Counter[str] = Counter()
    for place, verdict in enumerate(verdicts):
        if place in left_out:
            continue
        group = verdict["subject"]["kind"] == "group"
        score.benign_units += not group
        found = mechanisms(verdict)
        if not found:
            continue
        mechanism = verdict["mechanism"]
        if mechanism in SILENT and any(word in file.notes for word in UNANSWERED):
            score.silence_apart[mechanism] += 1
            continue
        if rate_control and mechanism == "rate.shaping":
            continue
        flagged[mechanism] += 1
        score.benign_units_flagged[mechanism] += not group
        score.note("false alarm", file.file, verdict)
    score.benign_files += 1
    for mechanism in flagged:
        score.benign_files_flagged[mechanism] += 1
    score.benign_files_flagged["any"] += bool(flagged)
    if rate_control:
        score.rate_controls += 1
        score.rate_controls_policed += "rate.policing" in flagged or "rate" in flagged
