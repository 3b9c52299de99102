"""What a report says of a capture, whatever its form: kinds of findings, what they share, what could not be judged.

The terminal summary and the page are two ways of writing this down. Nothing here wraps, escapes or paints.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from netinterf.arrays import I64
from netinterf.attribute.catalogue import System, systems
from netinterf.engine.judged import Judged
from netinterf.numbering import distinct, numbered_text
from netinterf.schema import Files, Outcome
from netinterf.stats.names import NameRule, name_rules
from netinterf.values import frozen
from netinterf.verdict.attribution import Attributed
from netinterf.verdict.reasons import CATALOGUE, Cause, Reason
from netinterf.written.ledger import Ledger
from netinterf.written.record import Observation, Verdict
from netinterf.written.words import is_about

__all__ = [
    "MOST_EXAMPLES",
    "Common",
    "Kind",
    "Unjudged",
    "apart",
    "apart_words",
    "common_of",
    "end_of",
    "examples_of",
    "frame_of",
    "frames_of",
    "kinds_of",
    "names_of",
    "ordered_evidence",
    "place_of",
    "resembles",
    "rows_by_reason",
    "rows_of_outcome",
    "shared_rules",
    "span_of",
    "strongest_frames",
    "unjudged",
]

MOST_EXAMPLES = 3
MOST_FRAMES = 12
SPANS = ((31_557_600, "years"), (86400, "days"), (3600, "hours"), (60, "minutes"))
"""Units of time, s, that two of are told in."""
LOOKED_AT = 50
"""Subjects of one reason among which examples are sought: the first ones tell what kind they are."""


APART = {
    Reason.LINK_ONLY: "to everybody on a link (multicast, broadcast)",
    Reason.ICMP_MESSAGE: "reporting about other packets (ICMP)",
}
"""Reasons of what no other capture would settle: between no two hosts, there is nothing to judge."""


@frozen(kw_only=True)
class Kind:
    """Findings of one mechanism, either shown or only possible."""

    mechanism: str
    doubtful: bool  # possible, not interfered
    findings: tuple[Verdict, ...]

    @property
    def names(self) -> tuple[tuple[str, int], ...]:
        """What they are about, and how often each, the most frequent first."""
        return tuple(Counter(map(place_of, self.findings)).most_common())


@frozen(kw_only=True)
class Common:
    """What the names that were hit have in common."""

    rules: tuple[NameRule, ...]
    spared: int  # names that were spared, none of which falls under a rule


@frozen(kw_only=True)
class Unjudged:
    """Subjects that failed or could not be judged for one reason."""

    cause: Cause
    count: int
    examples: tuple[str, ...]  # different ones, a few


def kinds_of(findings: Iterable[Verdict]) -> tuple[Kind, ...]:
    """Sort findings by what happened: those that are shown before those that are possible, then by mechanism."""
    by_kind: dict[tuple[bool, str], list[Verdict]] = {}
    for verdict in findings:
        by_kind.setdefault((verdict.outcome is not Outcome.INTERFERED, verdict.mechanism or ""), []).append(verdict)
    return tuple(
        Kind(mechanism=mechanism, doubtful=doubtful, findings=tuple(alike))
        for (doubtful, mechanism), alike in sorted(by_kind.items(), key=lambda entry: entry[0])
    )


def names_of(ledger: Ledger, outcome: Outcome) -> set[str]:
    """List the names of all subjects of one outcome; subjects without a name count as an empty one."""
    return set(numbered_text(ledger.verdicts.name.take(rows_of_outcome(ledger, outcome)))[1])


def rows_of_outcome(ledger: Ledger, outcome: Outcome) -> I64:
    """List the rows of verdicts of one outcome."""
    return np.flatnonzero(ledger.verdicts.outcome == list(Outcome).index(outcome))


def shared_rules(judged: Judged) -> Common:
    """Find what the names that were hit share, and spared ones have not."""
    hit = names_of(judged.ledger, Outcome.INTERFERED)
    well = names_of(judged.ledger, Outcome.OK) if hit else set[str]()
    return Common(rules=name_rules(hit, well - hit), spared=len(well - hit))


def rows_by_reason(ledger: Ledger, outcome: Outcome) -> dict[Reason, I64]:
    """Sort the subjects of one outcome by their deciding reason, the most frequent first; findings are left out."""
    table = ledger.verdicts
    rows = rows_of_outcome(ledger, outcome)
    rows = rows[(table.mechanism[rows] < 0) & (table.reasons[rows] > 0)]
    bits = table.reasons[rows].astype(np.int64)
    deciding = bits & -bits
    groups = {Reason(code): rows[deciding == code] for code in distinct(deciding).tolist()}
    return dict(sorted(groups.items(), key=lambda entry: (-len(entry[1]), entry[0])))


def unjudged(ledger: Ledger, outcome: Outcome) -> tuple[Unjudged, ...]:
    """List the reasons of subjects of one outcome that ask for another capture, the most frequent first."""
    return tuple(
        Unjudged(
            cause=CATALOGUE[reason],
            count=len(alike),
            examples=tuple(dict.fromkeys(map(place_of, ledger.written(alike[:LOOKED_AT]))))[:MOST_EXAMPLES],
        )
        for reason, alike in rows_by_reason(ledger, outcome).items()
        if reason not in APART
    )


def apart(ledger: Ledger) -> dict[Reason, int]:
    """Count what is no conversation with somebody elsewhere (`APART`), the most frequent first."""
    groups = rows_by_reason(ledger, Outcome.INSUFFICIENT)
    return {reason: len(rows) for reason, rows in groups.items() if reason in APART}


def apart_words(counts: Mapping[Reason, int]) -> str:
    """Say what was counted apart: ``8 to everybody on their link (multicast, broadcast)``."""
    return ", ".join(f"{count:,} {APART[reason]}" for reason, count in counts.items())


def ordered_evidence(verdict: Verdict) -> list[Observation]:
    """Put what bears on the mechanism first, the strongest on top, and what was seen of others last."""
    return sorted(verdict.evidence, key=lambda sign: not is_about(sign, verdict.mechanism or ""))


def strongest_frames(verdict: Verdict) -> tuple[int, ...]:
    """List the frames of the strongest sign that has any, for a verdict that holds no packet to be forged."""
    return next((sign.frames for sign in verdict.evidence if sign.llr > 0 and sign.frames), ())


def resembles(verdict: Verdict) -> tuple[System, Attributed] | None:
    """Name the documented system that a finding looks like most, and why; None where nothing fits."""
    for likeness in verdict.attribution[:1]:
        return next(system for system in systems() if system.id == likeness.system), likeness
    return None


def place_of(verdict: Verdict) -> str:
    """Name what a subject wanted: a name, else an address and port."""
    subject = verdict.subject
    return subject.name or end_of(subject.server, subject.server_port)


def common_of(verdict: Verdict) -> str:
    """Name what the members of a group have in common."""
    subject = verdict.subject
    value = subject.name or subject.server or subject.client or subject.protocol
    return f"{subject.by} {value}" if value else f"{subject.by}"


def end_of(host: str | None, port: int | None) -> str:
    """Write an address and port."""
    if port is None:
        return host or "?"
    return f"[{host}]:{port}" if host and ":" in host else f"{host}:{port}"


def frames_of(frames: Sequence[int], files: Files, *, most: int = MOST_FRAMES) -> str:
    """List frame numbers, of many the first; of joined files by file, with the numbers that frames have there."""
    first, more = frames[:most], len(frames) - most
    listed = ", ".join(map(str, first))
    if files:
        apart = files.apart(first).items()
        listed = "; ".join(f"{', '.join(map(str, numbers))} of {files.called(file)}" for file, numbers in apart)
    return f"{listed} and {more:,} more" if more > 0 else listed


def frame_of(frame: int, files: Files) -> str:
    """Write the number of one frame, ``5``, or ``5 of trace2.pcap`` where there are several files."""
    if not files:
        return f"{frame}"
    file, number = files.placed(frame)
    return f"{number} of {files.called(file)}"


def examples_of(some: Sequence[str], count: int) -> str:
    """List a few of many, and how many more there are."""
    listed = some[:MOST_EXAMPLES]
    return ", ".join(listed) + (f" and {count - len(listed):,} more" if count > len(listed) else "")


def span_of(duration_ns: int) -> str:
    """Write how long something took in a unit that suits it."""
    seconds = duration_ns / 1e9
    for size, unit in SPANS:
        if seconds >= 2 * size:
            return f"{round(seconds / size, 1):g} {unit}"
    return f"{seconds:.1f} s" if seconds >= 0.1 else f"{1000 * seconds:.3g} ms"
