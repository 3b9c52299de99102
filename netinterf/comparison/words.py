"""What a comparison says, in one or two plain sentences: no certainty that the grade does not carry."""

from netinterf.comparison.record import AttemptCounts, Change, ComparedUnit
from netinterf.comparison.units import Finding
from netinterf.mechanisms import known_as
from netinterf.verdict.reasons import Reason
from netinterf.written.record import Why, iso_time, whys
from netinterf.written.words import SURE, percent

__all__ = ["CAUSE_SAYS", "change_says", "reasons_of", "says"]

CAUSE_SAYS = {
    "gone": "it may have been out of service at the time",
    "server": "the server as a whole may have been down at the time",
    "access": "the line may have lost the packets, as others failed around then or there were too few attempts",
    "refused-address": "the server may turn this place away by itself",
    "refused-name": "the server may refuse this name to this place by itself",
}
"""Harmless causes, in words; what would settle each is in `SETTLES`."""

SETTLES = {
    "gone": "a capture from another place at the same time",
    "server": "other names at the same server, and a capture from another place, both at the same time",
    "access": "more attempts, spread over hours",
    "refused-address": "captures at the client and at the server at the same time",
    "refused-name": "captures at the client and at the server at the same time",
}


def says(unit: ComparedUnit) -> str:
    """Put what was found about one unit into sentences."""
    here, there = f"here {_counted(unit.here)}", f"there {_counted(unit.there)}"
    sure = f"{SURE.get(unit.grade, '')} (probability {percent(unit.probability)})"
    record = known_as(unit.mechanism or "")
    how = f": {record.one.format(who='the request')}" if record else ""
    verb = "blocked" if record is None or record.blocks else "interfered with"
    also = f"; apart from a block, {CAUSE_SAYS[unit.cause]}" if unit.cause else ""
    sentences = {
        Finding.BLOCKED: f"{unit.subject} is {verb} here: {here}, {there}. {sure}{how}.",
        Finding.BOTH: f"{unit.subject} is interfered with on both sides: {here}, {there}. {sure}{how}.",
        Finding.SUSPECTED: f"{unit.subject} may be {verb} here: {here}, {there}. {sure}{how}{also}.",
        Finding.ONLY_HERE: f"{unit.subject} fails here and works there: {here}, {there}. This is no proof of a block"
        f"{also}.",
        Finding.DOWN: f"{unit.subject} fails on both sides with no sign of interference: {here}, {there}. It is down.",
        Finding.CLEAR: f"{unit.subject} works here: {here}, {there}.",
        Finding.NOT_COMPARED: f"{unit.subject} cannot be compared: {here}, {there}.",
    }
    return sentences[unit.finding]


def _counted(counts: AttemptCounts) -> str:
    if not counts.attempts:
        return "it was never tried"
    if not counts.failed + counts.answered:
        return f"what came of {counts.attempts:,} attempt{'s' * (counts.attempts > 1)} is not shown"
    return f"{counts.failed:,} of {counts.failed + counts.answered:,} attempts failed"


def reasons_of(unit: ComparedUnit) -> tuple[Why, ...]:
    """Say what was missing, and which capture would settle it."""
    reasons: list[Why] = []
    for side, counts in (("here", unit.here), ("there", unit.there)):
        if not counts.attempts:
            other = "the place that is asked about" if side == "here" else "the control"
            text = f"It was never tried {side}; a capture of {unit.subject} at {other} would settle it."
            reasons.append(Why(code=f"compare.not_tried_{side}", says=text))
        elif not counts.failed + counts.answered:
            text = f"What came of it {side} is not shown; a capture of whole connections at the client would settle it."
            reasons.append(Why(code=f"compare.not_shown_{side}", says=text))
    if unit.finding is Finding.NOT_COMPARED and unit.here.blind:
        reasons.extend(whys(Reason.SNAPLEN))
    if unit.finding in {Finding.ONLY_HERE, Finding.SUSPECTED} and unit.cause:
        text = f"Apart from a block, {CAUSE_SAYS[unit.cause]}; {SETTLES[unit.cause]} would settle it."
        reasons.append(Why(code=f"compare.{unit.cause.replace('-', '_')}", says=text))
    return tuple(reasons)


def change_says(change: Change) -> str:
    """Put a change into a sentence."""
    what = f"{change.name or change.server} over {change.transport}"
    worse = change.failed_after * change.attempts_before > change.failed_before * change.attempts_after
    last = ""
    if change.kind == "server" and change.last_name:
        last = f" The last attempt before asked for {change.last_name}."
    return (
        f"{what} {'began to fail' if worse else 'began to work'} between {_when(change.after)} and "
        f"{_when(change.before)}: {change.failed_before:,} of {change.attempts_before:,} attempts failed before, "
        f"{change.failed_after:,} of {change.attempts_after:,} after.{last}"
    )


def _when(time: int) -> str:
    return f"{(iso_time(time) or '')[:19].replace('T', ' ')} UTC"
