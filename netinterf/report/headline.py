"""A capture in one sentence: how many of its connections were interfered with, in which way, and which names were hit.

Counts stand beside what they are counted among, and "always" is said of names only where no connection or question of
theirs came through. What is only possible is called a hint, and never counted among what was shown; what is likely is
called so.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from netinterf.arrays import I64
from netinterf.engine.judged import Judged, Summary
from netinterf.mechanisms import were_hit, what_happened
from netinterf.report.digest import MOST_EXAMPLES, names_of, rows_of_outcome
from netinterf.schema import Grade, Outcome, SubjectKind
from netinterf.writing import count_of
from netinterf.written.ledger import Ledger
from netinterf.written.words import happened

__all__ = ["headline", "joined", "many_hit", "of_all"]

MOST_CLAUSES = 3
"""Ways of interference that one sentence can hold; the rest is counted."""

NOUNS = {SubjectKind.FLOW: "connection", SubjectKind.EXCHANGE: "DNS question"}


def headline(judged: Judged) -> str:
    """Put a capture into one sentence, final dot included."""
    ledger, counts = judged.ledger, judged.summary.outcomes
    hit = rows_of_outcome(ledger, Outcome.INTERFERED)
    if len(hit):
        return f"{interfered_words(ledger, hit)} ({sure_words(ledger, hit)})."
    groups = [group for group in ledger.group_verdicts() if group.outcome is Outcome.INTERFERED]
    if groups:
        surest = max(groups, key=lambda group: group.probability)
        return f"{happened(surest)} ({surest.grade.value})."
    hints = int(np.count_nonzero(ledger.verdicts.grade == list(Grade).index(Grade.POSSIBLE)))
    if hints or len(ledger.groups):
        of = f": {of_all(hints, sum(counts.values()), 'conversation')}" if hints else ""
        return f"Nothing is shown, but there are hints of interference{of}."
    return nothing_words(judged.summary)


def interfered_words(ledger: Ledger, hit: I64) -> str:
    """Say what was done to how many, the most frequent first."""
    table = ledger.verdicts
    mechanism, kind = table.mechanism[hit], table.subject_kind[hit]
    pairs = Counter(zip(mechanism.tolist(), kind.tolist(), strict=True))
    ordered = sorted(pairs.items(), key=lambda entry: (-entry[1], entry[0]))
    clauses = []
    for (what, whom), count in ordered[:MOST_CLAUSES]:
        among = int(np.count_nonzero(table.subject_kind == whom))
        clause = many_hit(of_all(count, among, NOUNS[SubjectKind(whom)]), count, table.mechanisms[what])
        clauses.append(clause + names_words(ledger, hit[(mechanism == what) & (kind == whom)]))
    if len(ordered) > MOST_CLAUSES:
        clauses.append(f"{sum(count for _, count in ordered[MOST_CLAUSES:]):,} more in other ways")
    sentence = "; ".join(clauses)
    return sentence[:1].upper() + sentence[1:]


def sure_words(ledger: Ledger, hit: I64) -> str:
    """Say how sure that is, in the words of the grades: a headline must not sound surer than what stands below it."""
    confirmed = int(np.count_nonzero(ledger.verdicts.grade[hit] == list(Grade).index(Grade.CONFIRMED)))
    if confirmed in {0, len(hit)}:
        return (Grade.CONFIRMED if confirmed else Grade.LIKELY).value
    return f"{confirmed:,} {Grade.CONFIRMED.value}, {len(hit) - confirmed:,} {Grade.LIKELY.value}"


def names_words(ledger: Ledger, hit: I64) -> str:
    """Say which names were hit, and whether always; nothing where there are no names."""
    names = Counter(filter(None, (ledger.verdicts.name[row] for row in hit.tolist())))
    if not names:
        return ""
    always = "always " if len(hit) > 1 and not names_of(ledger, Outcome.OK) & set(names) else ""
    return f", {always}for {joined([name for name, _ in names.most_common()], 'name')}"


def joined(words: Sequence[str], noun: str) -> str:
    """List words as a sentence does, ``a, b and c``; of many a few, and how many more of what there are."""
    listed, more = list(words[:MOST_EXAMPLES]), len(words) - MOST_EXAMPLES
    listed += [count_of(more, f"more {noun}")] if more > 0 else []
    return " and ".join(filter(None, [", ".join(listed[:-1]), *listed[-1:]]))


def many_hit(who: str, count: int, mechanism: str) -> str:
    """Say of so many what a mechanism did to them."""
    return what_happened(mechanism).format(who=who) if count == 1 else f"{who} {were_hit(mechanism)}"


def of_all(count: int, among: int, noun: str) -> str:
    """Write a count among all: ``6 of 10 connections``, ``the only connection``, ``all 4 connections``."""
    if count == among:
        return f"the only {noun}" if among == 1 else f"all {among:,} {noun}s"
    return f"{count:,} of {count_of(among, noun)}"


def nothing_words(summary: Summary) -> str:
    """Say of a capture without findings how far that carries."""
    counts = summary.outcomes
    total, well = sum(counts.values()), counts[Outcome.OK.value]
    failed, unknown = counts[Outcome.DOWN.value], counts[Outcome.INSUFFICIENT.value]
    if not total:
        return "There is nothing to judge in this capture."
    parts = [f"{of_all(well, total, 'conversation')} worked"] if well else []
    parts += [f"{failed:,} failed without a sign of it"] if failed else []
    parts += [f"{unknown:,} could not be judged"] if unknown else []
    start = "Nothing suggests interference" if well else "Nothing worked, and nothing suggests interference"
    if unknown == total:
        start = "Too little was captured to say"
    return f"{start}: {joined(parts, 'part')}."
