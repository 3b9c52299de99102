"""Marks of a capture: certificates, answers, handwriting and rates, counted by what was tried and five minutes.

They add up like observations, and say whether what two places met is the same: one key, one answer, one system.
"""

from typing import Any

import numpy as np

from netinterf.arrays import F64, I32, I64, Mask
from netinterf.campaign.facts import Facts, Kind
from netinterf.campaign.keys import keyed
from netinterf.campaign.schema import MARKS
from netinterf.engine.judged import Judged
from netinterf.numbering import combined, numbered, numbered_text
from netinterf.observations.attempts import Attempts
from netinterf.schema import SubjectKind
from netinterf.table import Table, Text, column, text
from netinterf.values import frozen
from netinterf.verdict.keys import BIN_NS

__all__ = ["Marks", "marked"]

KINDS = [kind.name.lower() for kind in Kind]


@frozen(eq=False, kw_only=True)
class Marks(Table):
    """One row per mark of a verdict."""

    row: I32 = column("i4", "row in Verdicts, -1 for the whole capture", missing=True)
    kind: I32 = column("i4", "Kind code")
    value: Text = text("what was seen")
    hidden: Mask = column("?", "who knows it may find the name of the server")
    number: F64 = column("f8", "what was measured, NaN for nothing")
    frame: I32 = column("i4", "frame that shows it, -1 for none", missing=True)
    count: I64 = column("i8", "how often")


def marked(judged: Judged, facts: Facts) -> Marks:
    """List the marks of a capture: those that its packets showed, and those that its verdicts hold."""
    return Marks.concat([of_facts(judged, facts), of_systems(judged), of_rates(judged), of_injectors(judged)])


def marks_of(rows: I64, kind: Kind, values: Text, judged: Judged, number: F64 | None = None) -> Marks:
    """Mark verdicts with values that may be told."""
    return Marks(
        row=rows.astype(np.int32),
        kind=np.full(len(rows), kind, np.int32),
        value=values,
        hidden=np.zeros(len(rows), np.bool_),
        number=np.full(len(rows), np.nan) if number is None else number,
        frame=judged.ledger.first_frame[rows],
        count=np.ones(len(rows), np.int64),
    )


def of_facts(judged: Judged, facts: Facts) -> Marks:
    """Say of which verdicts facts are; those of conversations without one are left out."""
    subjects = judged.ledger.subjects
    of_flow, of_exchange = np.append(subjects.by_flow, -1), np.append(subjects.by_exchange, -1)
    row = np.where(facts.exchange >= 0, of_exchange[facts.exchange], of_flow[facts.flow])
    there = row >= 0
    facts, row = facts.take(there), row[there]
    return Marks(
        row=row.astype(np.int32),
        kind=facts.kind.astype(np.int32),
        value=facts.value,
        hidden=facts.hidden,
        number=facts.number,
        frame=facts.frame,
        count=np.ones(len(row), np.int64),
    )


def of_systems(judged: Judged) -> Marks:
    """Name the system that each finding looks like by itself."""
    rows = judged.ledger.attributions.row
    likely = judged.ledger.attributions.each(rows)
    named = np.array([len(systems) > 0 for systems in likely], np.bool_)
    return marks_of(rows[named], Kind.SYSTEM, Text.of(systems[0].system for systems in likely if systems), judged)


def of_rates(judged: Judged) -> Marks:
    """Tell the rate that each transfer was held to, bit/s, of findings alone: of others it means little."""
    evidence, subjects = judged.ledger.evidence, judged.ledger.subjects
    parts = [Marks.empty()]
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
        parts.append(marks_of(row[there], Kind.RATE, values, judged, measured[there]))
    return Marks.concat(parts)


RATE = "rate_bps"
"""How rules name it."""


def of_injectors(judged: Judged) -> Marks:
    """Describe the hands that wrote forged DNS replies of the capture."""
    hands = judged.ledger.injectors
    nobody = np.full(len(hands), -1, np.int32)
    return Marks(
        row=nobody,
        kind=np.full(len(hands), Kind.INJECTOR, np.int32),
        value=Text.of(map(str, hands)),
        hidden=np.zeros(len(hands), np.bool_),
        number=np.full(len(hands), np.nan),
        frame=nobody,
        count=np.array([hand.questions for hand in hands], np.int64),
    )


def mark_table(
    judged: Judged, marks: Marks, attempts: Attempts, unit: I64, asn: I64, about: dict[str, Any], secret: bytes
) -> tuple[Any, I64, list[str]]:
    """Count marks by what was tried and five minutes.

    Args:
        judged: The capture.
        marks: Its marks.
        attempts: What was tried in it.
        unit: Number of what was tried, under the key, of each attempt.
        asn: AS of the client of each attempt, -1 where it is not known.
        about: Columns that have one value for the capture.
        secret: Key of the store.

    Returns:
        A ``pyarrow.Table`` of `schema.MARKS`, and which numbers stand for which hidden values.
    """
    attempt = np.full(len(judged.ledger.verdicts) + 1, -1, np.int64)
    attempt[attempts.row] = np.arange(len(attempts))
    of = attempt[marks.row]
    marks, of = marks.take((of >= 0) | (marks.row < 0)), of[(of >= 0) | (marks.row < 0)]
    value, different = numbered_text(marks.value)
    what, first = numbered(combined(value, marks.kind))
    texts = [different.bytes(row) for row in value[first].tolist()]
    kinds = [KINDS[code] for code in marks.kind[first].tolist()]
    keys = keyed(secret, "netinterf.value", (f"{kind} ".encode() + one for kind, one in zip(kinds, texts, strict=True)))
    began = (judged.summary.first or 0) // BIN_NS
    time = np.where(of >= 0, np.append(attempts.time, 0)[of] // BIN_NS, began)
    units, whose = np.append(unit, 0)[of], np.append(asn, -1)[of]
    group, member = numbered(combined((of >= 0).astype(np.int64), units, whose, time, what))
    hidden = marks.hidden[member]
    told = [None if hide else one.decode("utf-8", "replace") for one, hide in
            zip((texts[row] for row in what[member].tolist()), hidden.tolist(), strict=True)]  # fmt: skip
    number = np.bincount(group, marks.number, len(member)) / np.bincount(group, minlength=len(member))
    count = np.bincount(group, marks.count, len(member)).astype(np.int64)
    columns = {name: [value] * len(member) for name, value in about.items()} | {
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
