"""What *possible* means: how many of the suspicions that are printed are true."""

from collections.abc import Sequence
from typing import Any

from benchmarks.scoreboard.counts import ratio
from benchmarks.scoreboard.intervals import precision, wilson
from benchmarks.scoreboard.judging import LIBRARY
from benchmarks.scoreboard.mechanisms import MECHANISMS, answers, applies
from benchmarks.scoreboard.units import Answer, Unit

__all__ = ["suspicions"]

RATE = 100
"""Benign subjects to one interfered at which suspicions are weighed: a capture in which somebody looks for them."""


def suspicions(units: Sequence[Unit]) -> dict[str, dict[str, Any]]:
    """Count, by the mechanism that is suspected without any accusation, whom the suspicions are about.

    Returns:
        For each mechanism, and for ``any``: how many are `printed`, `right` (it was at work), `other` (something else
        was) and `untouched`; the share of the subjects that it can happen to and nobody touched that are suspected;
        the share of right ones as counted with its 95 % interval, and at :data:`RATE`.
    """
    found = {word: about(units, word) for word in MECHANISMS}
    rows = {word: row for word, row in found.items() if row["printed"]}
    return {**rows, "any": about(units, "")} if rows else {}


def about(units: Sequence[Unit], mechanism: str) -> dict[str, Any]:
    """Count the suspicions of one mechanism; of any with an empty word, right where one of several is."""
    right = other = untouched = worked = benign = 0
    for unit in units:
        answer = unit.answers.get(LIBRARY, Answer())
        doubted = [word for word in answer.doubted if mechanism in ("", word)] if not answer.said else []
        if unit.mechanisms:
            true = answers(doubted, unit.mechanisms)
            worked += not mechanism or mechanism in unit.mechanisms
            right += true
            other += bool(doubted) and not true
        elif not mechanism or applies(mechanism, unit.kind, unit.protocol):
            benign += 1
            untouched += bool(doubted)
    printed = right + other + untouched
    return {
        "printed": printed, "right": right, "other": other, "untouched": untouched, "benign": benign,
        "untouched_share": ratio(untouched, benign),
        "right_share": ratio(right, printed),
        "right_interval": wilson(right, printed),
        f"right_share_{RATE}": precision(right / worked, untouched / benign, RATE) if worked and benign else None,
    }  # fmt: skip
