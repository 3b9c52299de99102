"""The terminal summary: what was found and what shows it, then what could not be judged and what would settle it.

Plain text of at most 96 columns, without colours, so that it reads the same on screen, in a mail and in a file.
"""

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from netinterf.attribute.catalogue import systems
from netinterf.attribute.injectors import Injector
from netinterf.engine.judged import Judged, Summary
from netinterf.engine.scan import Result
from netinterf.numbering import numbered_text
from netinterf.schema import Outcome, Verdicts
from netinterf.stats.names import name_rules
from netinterf.verdict.reasons import causes
from netinterf.verdict.record import Verdict, iso_time
from netinterf.verdict.words import bears, happened, percent

__all__ = ["WIDTH", "capture_text", "text"]

WIDTH = 96
MOST_EVIDENCE = 3
MOST_FRAMES = 12
MOST_EXAMPLES = 3
MOST_GROUPS = 20


def text(result: Result | Iterable[Judged], *, everything: bool = False) -> str:
    """Write a whole result for people.

    Args:
        result: A scan's result, or the captures of one.
        everything: Write one line for every flow and exchange besides.
    """
    captures = result.judged if isinstance(result, Result) else result
    return "\n\n".join("\n".join(capture_text(judged, everything=everything)) for judged in captures)


def capture_text(judged: Judged, *, everything: bool = False) -> Iterator[str]:
    """Write one capture, line by line."""
    yield from summary_lines(judged.summary)
    groups = list(judged.ledger.found_groups())
    yield from group_lines("Taken together:", [one for one in groups if one.outcome is Outcome.INTERFERED])
    findings = [verdict for verdict in judged.ledger.findings() if verdict.group is None]
    yield from overview_lines(findings)
    yield from shared_lines(judged)
    yield from injector_lines(judged.ledger.injectors)
    for verdict in findings:
        yield ""
        yield from finding_lines(verdict)
    yield from group_lines("Perhaps together:", [one for one in groups if one.outcome is not Outcome.INTERFERED])
    yield from unjudged_lines(judged)
    if everything:
        yield ""
        yield "All conversations:"
        for verdict in judged.ledger:
            yield from _wrap(one_line(verdict), "  ", "      ")


def summary_lines(summary: Summary) -> Iterator[str]:
    """Write what the capture is and how its conversations came out."""
    span = "" if summary.first is None or summary.last is None else f" over {_span(summary.last - summary.first)}"
    yield from _wrap(
        f"{summary.capture}: {_count(summary.packets, 'packet')}, {_count(summary.flows, 'flow')}, "
        f"{_count(summary.exchanges, 'DNS exchange')}{span}; seen from: {summary.vantage}",
        "",
        "  ",
    )
    counts = summary.outcomes
    words = [f"{counts[outcome.value]:,} {outcome.value}" for outcome in Outcome]
    yield "  " + " · ".join([words[2], words[0], words[1], words[3]])
    for note in summary.diagnostics:
        times = f" ({note.count:,} times)" if note.count > 1 else ""
        yield from _wrap(f"note: {note.message}{times}", "  ", "    ")


def group_lines(title: str, groups: Sequence[Verdict]) -> Iterator[str]:
    """Write what many conversations show together, one sentence a group, the surest first."""
    if not groups:
        return
    yield ""
    yield title
    for verdict in groups[:MOST_GROUPS]:
        sure = f"{verdict.grade}, probability {percent(verdict.probability)}"
        yield from _wrap(f"{verdict.mechanism}, {_common(verdict)} ({sure})", "  ", "      ")
        yield from _wrap(f"{happened(verdict)}.", "      ", "      ")
        yield from _wrap(_when(verdict.start, verdict.end), "      ", "      ")
    if len(groups) > MOST_GROUPS:
        yield f"  and {len(groups) - MOST_GROUPS:,} more"


def overview_lines(findings: Sequence[Verdict]) -> Iterator[str]:
    """Write, where there are several findings, how many of each kind there are and what they are about."""
    if len(findings) < 2:
        return
    kinds = Counter((verdict.outcome is not Outcome.INTERFERED, verdict.mechanism or "") for verdict in findings)
    for (doubtful, mechanism), count in sorted(kinds.items()):
        alike = [
            v for v in findings if (v.outcome is not Outcome.INTERFERED, v.mechanism or "") == (doubtful, mechanism)
        ]
        names = Counter(_short(verdict) for verdict in alike).most_common()
        shown = ", ".join(f"{name} ({times:,})" for name, times in names[:MOST_EXAMPLES])
        rest = f" and {len(names) - MOST_EXAMPLES:,} more" if len(names) > MOST_EXAMPLES else ""
        word = "possible" if doubtful else "interfered"
        yield from _wrap(f"{word}: {count:,} × {mechanism}: {shown}{rest}", "  ", "    ")


def shared_lines(judged: Judged) -> Iterator[str]:
    """Write what the names that were hit have in common, and spared ones have not."""
    table = judged.ledger.verdicts
    hit, well = (
        set(numbered_text(table.name.take((table.outcome == list(Outcome).index(outcome)).nonzero()[0]))[1])
        for outcome in (Outcome.INTERFERED, Outcome.OK)
    )
    spared = _count(len(well - hit), "name")
    for rule in name_rules(hit, well - hit):
        some = ", ".join(rule.blocked[:MOST_EXAMPLES]) + (", …" if len(rule.blocked) > MOST_EXAMPLES else "")
        line = f"in common: {rule}, {len(rule.blocked)} names hit ({some}), none of the {spared} spared"
        yield from _wrap(line, "  ", "    ")


def injector_lines(injectors: Sequence[Injector]) -> Iterator[str]:
    """Write how many injectors can be told apart by what they write, where there are several."""
    if len(injectors) < 2:
        return
    line = f"forged DNS answers are by at least {len(injectors)} injectors, told apart by what they write:"
    yield from _wrap(line, "  ", "    ")
    for one in injectors:
        yield from _wrap(f"{_count(one.questions, 'question')}: {one}", "    - ", "      ")


def finding_lines(verdict: Verdict) -> Iterator[str]:
    """Write one finding: what, who, when, trigger, how sure, what shows it, and where to look."""
    sure = f"{verdict.grade}, probability {percent(verdict.probability)}"
    yield f"{'INTERFERED' if verdict.outcome is Outcome.INTERFERED else 'possible'}: {verdict.mechanism} ({sure})"
    yield from _wrap(f"{happened(verdict)}.", "  ", "  ")
    yield from _field("when", _when(verdict.start, verdict.end))
    if verdict.trigger is not None:
        frame = "" if verdict.trigger.frame is None else f" in frame {verdict.trigger.frame}"
        yield from _field("trigger", f"{verdict.trigger.kind} {verdict.trigger.value}{frame}")
    for further in verdict.also:
        yield from _field("also", f"{further.mechanism} (probability {percent(further.probability)})")
    if verdict.selective is not None:
        yield from _field("selective", "others were spared" if verdict.selective else "everything was limited alike")
    ordered = sorted(verdict.evidence, key=lambda seen: not bears(seen, verdict.mechanism or ""))  # of others last
    for place, seen in enumerate(ordered[:MOST_EVIDENCE]):
        weight = round(seen.llr, 1) + 0.0  # which makes 0 of -0
        side = "" if weight >= 0 else "against: "
        yield from _field("" if place else "evidence", f"- {side}{seen.says} [{seen.rule}, {weight:+.1f}]")
    more = len(verdict.evidence) - MOST_EVIDENCE
    if more > 0:
        yield from _field("", f"  and {more} more")
    for candidate in verdict.attribution[:1]:
        known = next(system for system in systems() if system.id == candidate.system)
        yield from _field("resembles", f"{known.name} [{known.id}, {percent(candidate.score)}]")
        yield from _field("", f"by {', '.join(candidate.matched[:MOST_EVIDENCE])}")
    if verdict.frames:
        yield from _field("frames", _frames(verdict.frames))
    elif shown := next((seen.frames for seen in verdict.evidence if seen.llr > 0 and seen.frames), ()):
        yield from _field("shown by", _frames(shown))
    yield from _field("Wireshark", verdict.flow_filter)


def unjudged_lines(judged: Judged) -> Iterator[str]:
    """Write what failed or could not be judged, by reason, with examples and what would settle it."""
    table = judged.ledger.verdicts
    for outcome, title in (
        (Outcome.DOWN, "Did not work, without a sign of interference"),
        (Outcome.INSUFFICIENT, "Could not be judged"),
    ):
        groups = _by_reason(table, outcome)
        if not groups:
            continue
        yield ""
        yield f"{title}:"
        for code, rows in sorted(groups.items(), key=lambda entry: (-len(entry[1]), entry[0])):
            cause = causes(code)[0]
            yield from _wrap(f"{len(rows):,} × {cause.code}: {cause.says}", "  ", "      ")
            names = Counter(_short(judged.ledger[row]) for row in rows[:50])
            shown = list(names)[:MOST_EXAMPLES]
            rest = f" and {len(rows) - len(shown):,} more" if len(rows) > len(shown) else ""
            yield from _wrap(", ".join(shown) + rest, "      ", "      ")


def _by_reason(table: Verdicts, outcome: Outcome) -> dict[int, list[int]]:
    """Group verdict rows of one outcome by their deciding reason; findings are left out."""
    groups: dict[int, list[int]] = {}
    rows = ((table.outcome == list(Outcome).index(outcome)) & (table.mechanism < 0)).nonzero()[0]
    for row in rows.tolist():
        bits = int(table.reasons[row])
        groups.setdefault(bits & -bits, []).append(row)
    groups.pop(0, None)
    return groups


def one_line(verdict: Verdict) -> str:
    """Write one verdict in one line."""
    if verdict.group is not None:
        return f"{verdict.outcome} {verdict.mechanism} {percent(verdict.probability)}  {_common(verdict)}"
    subject = verdict.subject
    what = f" {verdict.mechanism}" if verdict.mechanism else ""
    why = f" ({', '.join(reason.code for reason in verdict.reasons)})" if verdict.reasons else ""
    name = f" {subject.name}" if subject.name else ""
    first = "" if subject.first_frame is None else f"frame {subject.first_frame}: "
    asked = f" {subject.query_type}" if subject.query_type else ""
    return (
        f"{first}{verdict.outcome}{what} {percent(verdict.probability)}{why}  "
        f"{subject.protocol or 'ip'} {_end(subject.client, subject.client_port)} > "
        f"{_end(subject.server, subject.server_port)}{name}{asked}"
    )


def _short(verdict: Verdict) -> str:
    """Name a subject in few words."""
    subject = verdict.subject
    return subject.name or _end(subject.server, subject.server_port)


def _common(verdict: Verdict) -> str:
    """Name what the members of a group have in common."""
    subject = verdict.subject
    value = subject.name or subject.server or subject.client or subject.protocol
    return f"{subject.by} {value}" if value else f"{subject.by}"


def _end(host: str | None, port: int | None) -> str:
    if port is None:
        return host or "?"
    return f"[{host}]:{port}" if host and ":" in host else f"{host}:{port}"


def _frames(frames: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, frames[:MOST_FRAMES]))
    return shown if len(frames) <= MOST_FRAMES else f"{shown} and {len(frames) - MOST_FRAMES:,} more"


def _field(label: str, value: str) -> Iterator[str]:
    yield from _wrap(value, f"  {label:<10}", " " * 12 + ("  " if value.startswith(("- ", "  ")) else ""))


def _wrap(line: str, first: str, later: str) -> list[str]:
    printable = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in line)
    return textwrap.wrap(printable, WIDTH, initial_indent=first, subsequent_indent=later, break_on_hyphens=False) or [
        first.rstrip()
    ]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _span(duration_ns: int) -> str:
    seconds = duration_ns / 1e9
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def _when(start: int, end: int) -> str:
    """Write when it happened: the day and time in UTC, and how long it took."""
    return f"{iso_time(start)}, {_span(end - start)}"
