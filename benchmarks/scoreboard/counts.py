"""From units and answers to counts and rates, for any judge and any part of the units."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import attrs

from benchmarks.scoreboard.intervals import clustered_upper, precision, upper_bound, wilson
from benchmarks.scoreboard.mechanisms import MECHANISMS, applies, built, forges, touches
from benchmarks.scoreboard.units import Answer, Unit

__all__ = [
    "BASE_RATES",
    "Alarms",
    "Tally",
    "alarms",
    "alarms_by",
    "benign_units",
    "by_mechanism",
    "found_by",
    "grouped",
    "rates_at",
    "tally",
]

BASE_RATES = (1, 100, 10_000)
"""Benign subjects to one interfered; a detector that shines at balance can be useless at 1 in 1,000 and less."""

NOTHING = Answer()


@attrs.define
class Tally:
    """What one judge did with the units that one mechanism was at work on."""

    units: int = 0
    found: int = 0
    possible: int = 0  # suspected, not accused
    wrong: int = 0  # accused of other mechanisms only
    unmatched: int = 0  # no verdict speaks of it
    forged: int = 0  # frames
    named: int = 0
    hit: int = 0
    captures: set[tuple[str, str]] = attrs.field(factory=set)
    captures_found: set[tuple[str, str]] = attrs.field(factory=set)

    def rates(self) -> dict[str, Any]:
        """Give counts and rates as plain values; a rate without a denominator is None."""
        low, high = wilson(self.found, self.units)
        counts = attrs.asdict(self, filter=lambda attribute, _: not attribute.name.startswith("captures"))
        return {
            **counts,
            "captures": len(self.captures),
            "captures_found": len(self.captures_found),
            "recall": ratio(self.found, self.units),
            "recall_low": low if self.units else None,
            "recall_high": high if self.units else None,
            "frame_recall": ratio(self.hit, self.forged),
            "frame_precision": ratio(self.hit, self.named),
        }


@attrs.define
class Alarms:
    """What one judge did with units that nobody interfered with."""

    units: int = 0
    alarms: int = 0
    spared: int = 0  # accusations that the labels call neither right nor wrong
    said: Counter[str] = attrs.field(factory=Counter)
    captures: Counter[tuple[str, str]] = attrs.field(factory=Counter)
    captures_alarmed: Counter[tuple[str, str]] = attrs.field(factory=Counter)

    def rates(self) -> dict[str, Any]:
        """Give counts, the rate per million and its one-sided bounds: independent units, and captures as clusters."""
        sizes = list(self.captures.values())
        wrong = [self.captures_alarmed[capture] for capture in self.captures]
        return {
            "units": self.units,
            "alarms": self.alarms,
            "spared": self.spared,
            "captures": len(self.captures),
            "captures_alarmed": len(self.captures_alarmed),
            "per_million": None if self.units == 0 else 1e6 * self.alarms / self.units,
            "upper_per_million": 1e6 * upper_bound(self.alarms, self.units),
            "clustered_upper_per_million": 1e6 * clustered_upper(wrong, sizes),
            "said": dict(self.said.most_common()),
        }


def ratio(part: int, whole: int) -> float | None:
    """Divide, or say None when there is nothing to divide by."""
    return part / whole if whole else None


def grouped(units: Iterable[Unit], key: Callable[[Unit], str]) -> dict[str, list[Unit]]:
    """Part units by what *key* says of them, in order of the keys; those with an empty key are left out."""
    parts: dict[str, list[Unit]] = {}
    for unit in units:
        parts.setdefault(key(unit), []).append(unit)
    return {name: parts[name] for name in sorted(parts) if name}


def tally(units: Iterable[Unit], judge: str, mechanism: str | None = None) -> Tally:
    """Count how a judge did on interfered units.

    Args:
        units: Any units; benign ones are passed over.
        judge: Whose answers.
        mechanism: Only units it was at work on, found when it is named; None counts all, found when any is named.
    """
    found = Tally()
    for unit in units:
        if not unit.mechanisms or (mechanism is not None and mechanism not in unit.mechanisms):
            continue
        answer = unit.answers.get(judge, NOTHING)
        place = None if mechanism is None else unit.mechanisms.index(mechanism)
        right = answer.right if place is None else bool(answer.hits[place : place + 1] == (True,))
        capture = (unit.source, unit.capture)
        found.units += 1
        found.found += right
        found.possible += answer.possible and not right
        found.wrong += bool(answer.said) and not answer.right
        found.unmatched += not answer.matched
        found.captures.add(capture)
        if right:
            found.captures_found.add(capture)
        if mechanism is None or forges(mechanism):
            found.forged += unit.forged
            found.named += answer.named
            found.hit += answer.hit
    return found


def benign_units(units: Iterable[Unit]) -> list[Unit]:
    """Pick the units that nobody interfered with."""
    return [unit for unit in units if not unit.mechanisms]


def alarms(units: Iterable[Unit], judge: str, mechanism: str | None = None) -> Alarms:
    """Count how often a judge accuses where nobody interfered.

    Args:
        units: Any units; interfered ones are passed over.
        judge: Whose answers.
        mechanism: Only accusations of it, among subjects that it can happen to; None counts all.
    """
    found = Alarms()
    for unit in units:
        if unit.mechanisms or (mechanism is not None and not applies(mechanism, unit.kind, unit.protocol)):
            continue
        answer = unit.answers.get(judge, NOTHING)
        said = [word for word in answer.said if mechanism is None or touches((word,), mechanism)]
        capture = (unit.source, unit.capture)
        found.units += 1
        found.captures[capture] += 1
        found.spared += bool(answer.spared)
        if said:
            found.alarms += 1
            found.said[said[0]] += 1
            found.captures_alarmed[capture] += 1
    return found


def by_mechanism(units: Sequence[Unit], judge: str) -> dict[str, dict[str, Any]]:
    """Give one row of rates per mechanism of the verdict format, with precision at every base rate.

    The precision is given as measured, and as what the counts show at least: with the lower end of the recall interval
    and the upper bound of the rate of false alarms, subjects taken as independent or captures as clusters. The last
    row, ``any``, is about interference of whatever kind that the library has an analyzer for.
    """
    rows = {
        mechanism: {
            "built": mechanism in built(),
            **rates_at(tally(units, judge, mechanism), alarms(units, judge, mechanism)),
        }
        for mechanism in MECHANISMS
    }
    able = [unit for unit in units if built() & set(unit.mechanisms)]
    rows["any"] = {"built": True, **rates_at(tally(able, judge), alarms(units, judge))}
    return rows


def rates_at(found: Tally, wrong: Alarms) -> dict[str, Any]:
    """Put the rates of found units and of false alarms into one row, with what they mean at every base rate."""
    counts, errors = found.rates(), wrong.rates()
    rates = ("per_million", "upper_per_million", "clustered_upper_per_million")
    row = {**counts, "benign": errors["units"], "alarms": errors["alarms"]}
    row.update({f"alarms_{name}": errors[name] for name in rates})
    for benign in BASE_RATES:
        row[f"precision_{benign}"] = precision_at(counts, errors, benign)
        row[f"precision_{benign}_bound"] = precision_at(counts, errors, benign, bound="upper")
        row[f"precision_{benign}_clustered_bound"] = precision_at(counts, errors, benign, bound="clustered_upper")
    return row


def found_by(units: Sequence[Unit], judge: str, key: Callable[[Unit], str]) -> dict[str, dict[str, Any]]:
    """Give the recall of every part of the interfered units, among those whose mechanism is built and among all."""
    rows = {}
    for name, part in grouped((unit for unit in units if unit.mechanisms), key).items():
        able = [unit for unit in part if any(word in built() for word in unit.mechanisms)]
        counts = tally(part, judge).rates()
        known = tally(able, judge).rates()
        rows[name] = {
            **counts,
            "mechanisms": sorted({unit.mechanisms[0] for unit in part}),
            "built_units": known["units"],
            "built_found": known["found"],
            "built_recall": known["recall"],
            "built_recall_low": known["recall_low"],
        }
    return rows


def alarms_by(units: Sequence[Unit], judge: str, key: Callable[[Unit], str]) -> dict[str, dict[str, Any]]:
    """Give the false alarms of every part of the benign units."""
    return {name: alarms(part, judge).rates() for name, part in grouped(benign_units(units), key).items()}


def precision_at(
    counts: dict[str, Any], wrong: dict[str, Any], benign_per_positive: float, *, bound: str = ""
) -> float | None:
    """Compute precision at a base rate from the rates of a `Tally` and of `Alarms`; None when either has no units.

    Args:
        counts: Rates of the interfered units.
        wrong: Rates of the benign ones.
        benign_per_positive: Benign subjects to one interfered.
        bound: Take the ends of the intervals that make it least, ``upper`` or ``clustered_upper`` for the false alarms.
    """
    if counts["recall"] is None or wrong["per_million"] is None:
        return None
    recall = counts["recall_low" if bound else "recall"]
    false_rate = wrong[f"{bound}_per_million" if bound else "per_million"] / 1e6
    return precision(recall, false_rate, benign_per_positive)
