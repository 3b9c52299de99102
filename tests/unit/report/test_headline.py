"""The sentence of a capture: counts beside what they are counted among, and no more certainty than there is."""

from pathlib import Path

import attrs
import pytest

import netinterf
from netinterf.engine.judged import Judged
from netinterf.engine.scan import scan
from netinterf.report.headline import headline, joined, many_hit, nothing_words, of_all
from netinterf.schema import Grade, Outcome

EXAMPLES = Path(str(netinterf.__path__[0])) / "data" / "examples"
GRADES, OUTCOMES = list(Grade), list(Outcome)


@pytest.fixture(scope="module")
def reset() -> Judged:
    """Judge the example with forged resets: three for each of two names, and no name of theirs came through."""
    return scan(EXAMPLES / "tcp.reset.pcap.gz").judged[0]


def with_rows(judged: Judged, chosen: slice, grade: Grade, outcome: Outcome) -> Judged:
    """Give some of the findings another grade and outcome."""
    table = judged.ledger.verdicts
    rows = (table.outcome == OUTCOMES.index(Outcome.INTERFERED)).nonzero()[0][chosen]
    grades, outcomes = table.grade.copy(), table.outcome.copy()
    grades[rows], outcomes[rows] = GRADES.index(grade), OUTCOMES.index(outcome)
    changed = attrs.evolve(table, grade=grades, outcome=outcomes)
    return attrs.evolve(judged, ledger=attrs.evolve(judged.ledger, verdicts=changed))


def test_always_is_said_where_nothing_came_through(reset: Judged) -> None:
    """One connection that worked under a name that was hit, and it is not always."""
    assert headline(reset) == (
        "6 of 10 connections were cut off by forged resets, always for maps10.example.net and shop26.example.com "
        "(likely)."
    )
    changed = headline(with_rows(reset, slice(0, 1), Grade.NONE, Outcome.OK))
    assert changed.startswith("5 of 10 connections were cut off by forged resets, for ")
    assert "always" not in changed


def test_how_sure_it_is_stands_in_the_sentence(reset: Judged) -> None:
    """Confirmed, likely, or how many of each."""
    assert headline(with_rows(reset, slice(None), Grade.CONFIRMED, Outcome.INTERFERED)).endswith(" (confirmed).")
    some = headline(with_rows(reset, slice(0, 2), Grade.CONFIRMED, Outcome.INTERFERED))
    assert some.endswith(" (2 confirmed, 4 likely).")


def test_one_is_said_in_the_singular(reset: Judged) -> None:
    """A single finding is one connection, and says nothing of always."""
    one = headline(with_rows(reset, slice(1, None), Grade.NONE, Outcome.DOWN))
    assert one.startswith("1 of 10 connections was cut off by a forged reset, for ")


def test_hints_are_not_counted_as_shown(reset: Judged) -> None:
    """What is only possible is no interference, and the sentence says that nothing is shown."""
    said = headline(with_rows(reset, slice(None), Grade.POSSIBLE, Outcome.INSUFFICIENT))
    assert said == "Nothing is shown, but there are hints of interference: 6 of 10 conversations."


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((0, 10, 0, 0), "Nothing suggests interference: all 10 conversations worked."),
        ((0, 1, 0, 0), "Nothing suggests interference: the only conversation worked."),
        ((0, 2, 0, 4), "Nothing suggests interference: 2 of 6 conversations worked and 4 could not be judged."),
        ((0, 0, 3, 0), "Nothing worked, and nothing suggests interference: 3 failed without a sign of it."),
        ((0, 0, 0, 5), "Too little was captured to say: 5 could not be judged."),
        ((0, 0, 0, 0), "There is nothing to judge in this capture."),
    ],
)
def test_without_findings_it_says_how_far_that_carries(reset: Judged, counts: tuple[int, ...], said: str) -> None:
    """What worked clears nobody where most could not be judged, so all are counted."""
    order = (Outcome.INTERFERED, Outcome.OK, Outcome.DOWN, Outcome.INSUFFICIENT)
    outcomes = {outcome.value: count for outcome, count in zip(order, counts, strict=True)}
    assert nothing_words(attrs.evolve(reset.summary, outcomes=outcomes)) == said


def test_lists_are_sentences() -> None:
    """Commas, an and, and of many how many more."""
    said = {0: "", 1: "a", 2: "a and b", 3: "a, b and c", 4: "a, b, c and 1 more name", 5: "a, b, c and 2 more names"}
    assert {count: joined("abcde"[:count], "name") for count in said} == said


def test_counts_stand_beside_what_they_are_counted_among() -> None:
    """All and the only one are said so; an unknown mechanism is told by its nearest known prefix."""
    assert of_all(1, 1, "flow") == "the only flow"
    assert of_all(2, 2, "flow") == "all 2 flows"
    assert of_all(1, 2, "flow") == "1 of 2 flows"
    assert many_hit("2 flows", 2, "tcp.reset.late") == "2 flows were cut off by forged resets"
    assert many_hit("1 flow", 1, "magic") == "1 flow was interfered with (magic)"
