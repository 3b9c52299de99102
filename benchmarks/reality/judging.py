"""Captures judged by weights that never saw their repository, and what was said held against their labels."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from benchmarks.matching import Verdict, accused, gather, match, pair
from benchmarks.reality.bounds import bounds_of, support_of
from benchmarks.reality.looking import Seen
from benchmarks.scoreboard.folders import RIGHT
from benchmarks.scoreboard.judging import answer, unlabelled
from benchmarks.scoreboard.labels import Row
from benchmarks.scoreboard.units import Answer
from netinterf.verdict.model import Model
from netinterf.written.format import verdict_line

__all__ = ["Accusation", "Told", "Unit", "judge_all", "models_of", "told"]


@attrs.frozen(kw_only=True)
class Unit:
    """What is scored as one: a flow, an exchange, a series of probes, or a capture that is labelled as a whole."""

    family: str  # the catalogue's word for what was done to it, empty for nothing
    answer: Answer
    forged: int  # frames somebody on the path made


@attrs.frozen(kw_only=True)
class Accusation:
    """An accusation of somebody whom nobody interfered with, and the evidence that carried it."""

    subject: str
    mechanism: str
    grade: str
    probability: float
    evidence: tuple[tuple[str, float], ...]  # rule and weight, strongest first


@attrs.frozen(kw_only=True)
class Told:
    """What the library said of one capture."""

    file: str
    home: str
    repository: str
    kind: str
    expected: tuple[str, ...]
    reserved: bool
    units: tuple[Unit, ...] = ()
    accused: tuple[Accusation, ...] = ()
    contradicted: int = 0  # labels that others of the same capture contradict
    failure: str = ""


def models_of(seen: Sequence[Seen], model: Model) -> dict[str, Model]:
    """Make a model for each home whose bounds never saw it; the reserve is in no bound.

    Returns:
        By home; "" is bounded by all that is open.
    """
    open_ones = [one for one in seen if not one.case.reserved]
    homes = {"", *(one.case.home for one in seen)}
    return {
        home: attrs.evolve(
            model,
            bounds=bounds_of(
                support_of((one.case.home, one.counts) for one in open_ones if one.case.home != home), model.factors
            ),
        )
        for home in sorted(homes)
    }


def judge_all(seen: Sequence[Seen], models: Mapping[str, Model]) -> list[Told]:
    """Judge every capture by the model of its home."""
    return [told(one, models[one.case.home]) for one in seen]


def told(seen: Seen, model: Model) -> Told:
    """Judge one capture, and hold what is said against its labels."""
    case = seen.case
    about: dict[str, Any] = {
        "file": case.file, "home": case.home, "repository": case.repository, "kind": case.kind,
        "expected": case.expected, "reserved": case.reserved,
    }  # fmt: skip
    if seen.ledger is None:
        return Told(**about, failure=seen.failure)
    lines = [verdict_line(verdict) for verdict in seen.ledger.under(model)]
    rows, contradicted = consistent(case.labels.rows, lines)
    if not case.labels.interfered:
        rows = (*rows, *unlabelled(rows, lines))
    members = gather(rows)
    spoken = match(rows, members, lines)
    units = []
    for places, said in zip(members, spoken, strict=True):
        mine = [rows[place] for place in places]
        found = answer(mine, said, seen.single, case.labels.tolerated)
        forged = len({frame for row in mine for frame in row.truth.forged})
        units.append(Unit(family=family_of(mine[0]), answer=found, forged=forged))
    named = accusations(case.labels.tolerated, rows, lines)
    return Told(**about, units=tuple(units), accused=tuple(named), contradicted=contradicted)


def consistent(rows: Sequence[Row], lines: Sequence[Verdict]) -> tuple[tuple[Row, ...], int]:
    """Leave out labels that contradict others of the same capture.

    Where one label calls a whole exchange or flow untouched, and another calls a frame of it forged, the latter is the
    closer look.

    Returns:
        The labels that are left, and how many are left out.
    """
    forged = {frame for row in rows if row.right for frame in row.truth.forged}
    wrong = {
        number
        for number, place in pair(rows, lines).items()
        if not rows[number].right and forged & set(lines[place].get("frames") or ())
    }
    return tuple(row for number, row in enumerate(rows) if number not in wrong), len(wrong)


def family_of(row: Row) -> str:
    """Name what was done to a unit in the words of the catalogue, empty for nothing."""
    if not row.right:
        return ""
    return WORDS.get(row.right[0], row.right[0][0])


WORDS = {words: label for label, words in RIGHT.items()}
"""Labels by the mechanisms that answer them."""


def accusations(tolerated: Sequence[str], rows: Sequence[Row], lines: Sequence[Verdict]) -> list[Accusation]:
    """List the accusations of subjects that nobody interfered with, groups of wholly benign captures included."""
    placed = {place: rows[number] for number, place in pair(rows, lines).items()}
    clean = not any(row.right for row in rows)
    found = []
    for place, line in enumerate(lines):
        group = line["subject"]["kind"] == "group"
        row = placed.get(place)
        innocent = clean if group else row is not None and row.scored and not row.right
        if innocent and any(word not in tolerated for word in accused(line)):
            found.append(accusation(line))
    return found


def accusation(line: Verdict) -> Accusation:
    """Write an accusation down."""
    subject: dict[str, Any] = line["subject"]
    who = " ".join(
        str(subject[word]) for word in ("kind", "protocol", "client", "server", "server_port", "name") if subject[word]
    )
    return Accusation(
        subject=who, mechanism=line["mechanism"] or "", grade=line["grade"], probability=line["probability"],
        evidence=tuple((one["rule"], round(one["llr"] or 0.0, 2)) for one in line["evidence"]),
    )  # fmt: skip
