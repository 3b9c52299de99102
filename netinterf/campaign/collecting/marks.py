"""Marks of captures: certificates, answers, handwriting and rates, counted by what was tried and five minutes.

They add up like observations, and say whether what two places met is the same: one key, one answer, one system.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import numpy as np

from netinterf.arrays import F64, I32, I64, Mask
from netinterf.campaign.collecting.facts import Facts, Kind
from netinterf.campaign.stored.keys import keyed
from netinterf.campaign.stored.schema import MARKS
from netinterf.engine.judged import Judged
from netinterf.numbering import combined, numbered, numbered_text, offsets
from netinterf.observations.attempts import Attempts
from netinterf.schema import SubjectKind, Verdicts
from netinterf.table import Table, Text, column, text
from netinterf.values import frozen
from netinterf.verdict.keys import BIN_NS

__all__ = ["Marks", "Seen", "mark_table", "marked"]

KINDS = [kind.name.lower() for kind in Kind]


@frozen(eq=False)
class Seen:
    """What is known of a capture that was judged, until it is added up."""

    capture: str  # hash of its content
    judged: Judged
    facts: Facts  # what its packets say beside


@frozen(eq=False, kw_only=True)
class Marks(Table):
    """One row per mark of a verdict."""

    capture: I64 = column("i8", "number of the capture")
    row: I64 = column("i8", "row in Verdicts of all captures, -1 for the whole capture", missing=True)
    kind: I32 = column("i4", "Kind code")
    value: Text = text("what was seen")
    hidden: Mask = column("?", "who knows it may find the name of the server")
    number: F64 = column("f8", "what was measured, NaN for nothing")
    frame: I32 = column("i4", "frame that shows it, -1 for none", missing=True)
    count: I64 = column("i8", "how often")


def marked(captures: Sequence[Seen]) -> Marks:
    """List the marks of captures: those that their packets showed, and those that their verdicts hold."""
    marks = [of_facts(captures)]
    for number, (seen, first) in enumerate(zip(captures, offsets(verdicts_of(captures)).tolist(), strict=True)):
        held = [*of_systems(seen.judged), *of_rates(seen.judged), *of_injectors(seen.judged)]
        marks += [moved(table, number, first) for table in held]
    return Marks.concat(marks)


def verdicts_of(captures: Sequence[Seen]) -> Iterator[Verdicts]:
    """Give the verdicts of each capture."""
    return (seen.judged.ledger.verdicts for seen in captures)


def moved(marks: Marks, capture: int, first: int) -> Marks:
    """Say of which capture marks are, whose verdicts begin at a row."""
    row = np.where(marks.row >= 0, marks.row + first, -1)
    return attrs.evolve(marks, capture=np.full(len(marks), capture), row=row)


def marks_of(rows: I64, kind: Kind, values: Text, judged: Judged, number: F64 | None = None) -> Marks:
    """Mark verdicts, or with row -1 the whole capture, with values that may be told."""
    return Marks(
        capture=np.zeros(len(rows), np.int64),
        row=rows.astype(np.int64),
        kind=np.full(len(rows), kind, np.int32),
        value=values,
        hidden=np.zeros(len(rows), np.bool_),
        number=np.full(len(rows), np.nan) if number is None else number,
        frame=np.append(judged.ledger.first_frame, np.int32(-1))[rows],
        count=np.ones(len(rows), np.int64),
    )


def of_facts(captures: Sequence[Seen]) -> Marks:
    """Say of which verdicts facts are; those of conversations without one are left out."""
    facts = Facts.concat([seen.facts for seen in captures])
    capture = np.repeat(np.arange(len(captures)), [len(seen.facts) for seen in captures])
    subjects = [seen.judged.ledger.subjects for seen in captures]
    row = np.full(len(facts), -1, np.int64)
    for subject, rows in (
        (facts.flow, [one.by_flow for one in subjects]),
        (facts.exchange, [one.by_exchange for one in subjects]),
    ):
        about = np.flatnonzero(subject >= 0)
        row[about] = np.concatenate(rows)[offsets(rows)[capture[about]] + subject[about]]
    there = np.flatnonzero(row >= 0)
    facts, row, capture = facts.take(there), row[there], capture[there]
    return Marks(
        capture=capture,
        row=row + offsets(verdicts_of(captures))[capture],
        kind=facts.kind.astype(np.int32),
        value=facts.value,
        hidden=facts.hidden,
        number=facts.number,
        frame=facts.frame,
        count=np.ones(len(row), np.int64),
    )


def of_systems(judged: Judged) -> Iterator[Marks]:
    """Name the system that each finding looks like by itself."""
    rows = judged.ledger.attributions.row
    if len(rows):
        likely = judged.ledger.attributions.each(rows)
        named = np.array([len(systems) > 0 for systems in likely], np.bool_)
        yield marks_of(rows[named], Kind.SYSTEM, Text.of(systems[0].system for systems in likely if systems), judged)


def of_rates(judged: Judged) -> Iterator[Marks]:
    """Tell the rate that each transfer was held to, bit/s, of findings alone: of others it means little."""
    evidence, subjects = judged.ledger.evidence, judged.ledger.subjects
    for code in evidence.rules_seen:
        rule = evidence.rules[code]
        if RATE not in rule.measures:
            continue
        rows = np.flatnonzero(evidence.rule == code)
        measured = evidence.measured.values[evidence.measured.offsets[rows] + rule.measures.index(RATE)]
        flows = evidence.subject_kind[rows] == SubjectKind.FLOW
        subject = evidence.subject[rows]
        row = np.where(flows, subjects.by_flow[np.where(flows, subject, 0)], -1)
        there = (row >= 0) & np.isfinite(measured) & (judged.ledger.verdicts.mechanism[row] >= 0)
        values = Text.of([rule.mechanism] * int(np.count_nonzero(there)))
        yield marks_of(row[there], Kind.RATE, values, judged, measured[there])


RATE = "rate_bps"
"""How rules name it."""


def of_injectors(judged: Judged) -> Iterator[Marks]:
    """Describe the hands that wrote forged DNS replies of the capture."""
    if hands := judged.ledger.injectors:
        marks = marks_of(np.full(len(hands), -1), Kind.INJECTOR, Text.of(map(str, hands)), judged)
        yield attrs.evolve(marks, count=np.array([hand.questions for hand in hands], np.int64))


def mark_table(
    marks: Marks,
    attempts: Attempts,
    row: I64,
    unit: I64,
    asn: I64,
    place: str,
    captures: Sequence[tuple[str, int]],
    secret: bytes,
) -> tuple[Any, I64, list[str]]:
    """Count the marks of captures by what was tried and five minutes.

    Args:
        marks: Those of all captures.
        attempts: What was tried in them.
        row: Of each attempt, among the verdicts of all captures.
        unit: Number of what was tried, under the key, of each attempt.
        asn: AS of the client of each attempt, -1 where it is not known.
        place: Where their clients are.
        captures: Hash of the content of each, and when it began, ns.
        secret: Key of the store.

    Returns:
        A ``pyarrow.Table`` of `schema.MARKS`, and which numbers stand for which hidden values.
    """
    attempt = np.full(int(max(marks.row.max(initial=-1), row.max(initial=-1))) + 2, -1, np.int64)  # -1 finds the last
    attempt[row] = np.arange(len(attempts))
    of = attempt[marks.row]
    marks, of = marks.take((of >= 0) | (marks.row < 0)), of[(of >= 0) | (marks.row < 0)]
    value, different = numbered_text(marks.value)
    what, first = numbered(combined(value, marks.kind))
    texts = [different.bytes(row) for row in value[first].tolist()]
    kinds = [KINDS[code] for code in marks.kind[first].tolist()]
    keys = keyed(secret, "netinterf.value", (f"{kind} ".encode() + one for kind, one in zip(kinds, texts, strict=True)))
    began = np.array([time for _, time in captures], np.int64)[marks.capture]
    time = np.where(of >= 0, np.append(attempts.time, 0)[of], began) // BIN_NS
    units, whose = np.append(unit, 0)[of], np.append(asn, -1)[of]
    group, member = numbered(combined(marks.capture, (of >= 0).astype(np.int64), units, whose, time, what))
    hidden = marks.hidden[member]
    told = [None if hide else text.decode("utf-8", "replace") for text, hide in
            zip((texts[row] for row in what[member].tolist()), hidden.tolist(), strict=True)]  # fmt: skip
    number = np.bincount(group, marks.number, len(member)) / np.bincount(group, minlength=len(member))
    count = np.bincount(group, marks.count, len(member)).astype(np.int64)
    columns = {
        "capture": [captures[number][0] for number in marks.capture[member].tolist()],
        "place": [place] * len(member),
        "asn": np.ma.masked_array(whose[member], whose[member] < 0),
        "bin": time[member] * BIN_NS,
        "unit": np.ma.masked_array(units[member], of[member] < 0),
        "kind": [kinds[row] for row in what[member].tolist()],
        "key": keys[what[member]] if len(keys) else what,
        "value": told,
        "number": np.ma.masked_invalid(number),
        "count": np.minimum(count, np.iinfo(np.int32).max).astype(np.int32),
        "frame": np.ma.masked_array(marks.frame[member], marks.frame[member] < 0),
    }
    secretly = np.flatnonzero(marks.hidden[first])
    return MARKS.table(columns), keys[secretly], [texts[row].decode("utf-8", "replace") for row in secretly.tolist()]
