"""Findings of made-up attempts: who is named, who is cleared, and what is left open."""

from functools import partial

import attrs
import numpy as np
import pytest

from netinterf.comparison.judge import FINDINGS, judge_attempts
from netinterf.comparison.words import CAUSE_SAYS
from netinterf.pooling.causes import CAUSES
from netinterf.verdict.model import default_model
from tests.unit.observations.attempts import attempts
from tests.unit.observations.attempts import several as at_intervals

several = partial(at_intervals, step=70.0)  # too far apart to be tries of one visit
BESIDE = several("here", "other", 1, ["answered"] * 6, begin=5)
THERE = several("there", "name", 1, ["answered"] * 3)


def judged(*rows, **told):
    """Give the finding and the row of the unit of the first attempt."""
    judgement = judge_attempts(attempts(*rows, **told), default_model())
    table = judgement.contrasts
    row = int(np.flatnonzero(table.unit == judgement.attempts.unit[0])[0])
    return FINDINGS[table.finding[row]].value, table.take(np.array([row]))


def test_silence_here_and_answers_there_with_spared_neighbours_is_a_block():
    """A name that fails each time here while others at its server and the control are answered."""
    finding, row = judged(*several("here", "name", 1, ["silent"] * 4), *BESIDE, *THERE)
    assert finding == "blocked"
    assert row.probability[0] >= 0.9
    assert row.difference[0] == 1.0


def test_tries_of_one_visit_are_no_four_visits():
    """They share a fate: whatever let the first fail lets all fail."""
    finding, _ = judged(*several("here", "name", 1, ["silent"] * 4, step=5.0), *BESIDE, *THERE)
    assert finding in {"suspected", "only-here"}


@pytest.mark.parametrize(
    ("finding", "rows"),
    [
        ("down", [*several("here", "name", 1, ["silent"] * 4), *BESIDE, *several("there", "name", 1, ["silent"] * 3)]),
        ("clear", [*several("here", "name", 1, ["answered"] * 4), *THERE]),
        ("clear", [*several("here", "name", 1, ["answered", "answered", "answered", "silent"]), *BESIDE, *THERE]),
        ("not-compared", [*several("here", "name", 1, ["silent"] * 4), *BESIDE]),
        ("not-compared", [*several("here", "name", 1, ["unknown"] * 4), *THERE]),
        ("not-compared", THERE),
        ("only-here", [*several("here", "name", 1, ["broken"] * 4), *BESIDE, *THERE]),
        ("only-here", [("here", "name", 1, 0, "silent"), *several("there", "name", 2, ["answered"] * 3)]),
    ],
)
def test_what_is_no_block(finding, rows):
    """Failures on both sides, now and then, by resets alone, or with nothing to hold them against."""
    assert judged(*rows)[0] == finding


def test_a_line_that_is_out_blocks_nothing():
    """Where everything fails in the same minutes, nothing is accused."""
    rows = [row for server in range(6) for row in several("here", f"n{server}", server, ["silent"] * 3, begin=server)]
    control = [row for server in range(6) for row in several("there", f"n{server}", server, ["answered"] * 3)]
    judgement = judge_attempts(attempts(*rows, *control), default_model())
    found = {FINDINGS[code].value for code in judgement.contrasts.finding}
    assert found == {"only-here"}


def test_both_sides_are_judged_alike():
    """What the packets show on both sides is interference on both, and tells nothing about an outage."""
    struck = [("here", "name", 1, 0, "struck", 6.0, 10.0), ("there", "name", 1, 0, "struck", 6.0, 10.0)]
    assert judged(*struck)[0] == "both"
    assert judged(struck[0], *THERE)[0] == "blocked"
    assert judged(*THERE, struck[0])[1].probability_there[0] < 0.1


def test_more_names_need_more():
    """The same silence is a finding among few names and none among hundreds: false discoveries are bounded."""
    rows = [*several("here", "name", 1, ["silent"] * 4), *BESIDE, *THERE]
    crowd = [row for number in range(1500) for row in several("here", f"n{number}", 7 + number, ["answered"])]
    assert judged(*rows)[0] == "blocked"
    finding, row = judged(*rows, *crowd)
    assert (finding, row.q_value[0] > 0.05) == ("suspected", True)


def test_an_address_that_never_answers_is_a_hint_at_most():
    """Firewalls of servers turn addresses away without a word, so that no comparison accuses anybody of it."""
    rows = [*several("here", "", 1, ["silent"] * 9), *several("there", "name", 1, ["answered"] * 9)]
    finding, row = judged(*rows)
    assert finding in {"suspected", "only-here"}
    assert (row.there_answered[0], row.difference[0]) == (9, 1.0)


def test_requests_without_a_name_are_no_address():
    """Where connections open and requests without a name fail, what is said there by name is another matter."""
    own = ("here", "", 1, 0, "struck", 6.0, 10.0)
    judgement = judge_attempts(opened(attempts(own, *BESIDE, *THERE)), default_model())
    row = judgement.contrasts.take(judgement.contrasts.unit == judgement.attempts.unit[0])
    assert (row.here_failed[0], row.here_answered[0], row.there_answered[0]) == (1, 0, 0)
    assert FINDINGS[row.finding[0]] == "blocked"


def opened(tried):
    """Let all connections have opened."""
    return attrs.evolve(tried, at_opening=np.zeros(len(tried), bool))


def test_order_does_not_matter():
    """The same attempts in any order give the same findings."""
    rows = [*several("here", "name", 1, ["silent"] * 4), *BESIDE, *THERE]
    table = judge_attempts(attempts(*rows), default_model()).contrasts
    other = judge_attempts(attempts(*rows[::-1]), default_model()).contrasts
    assert table.finding.tolist() == other.finding.tolist()
    assert table.probability == pytest.approx(other.probability)


def test_nothing_gives_nothing():
    """No attempts, no units."""
    assert len(judge_attempts(attempts(), default_model()).contrasts) == 0


def test_every_cause_that_a_comparison_names_has_words():
    """No other network of a country tells, so nothing is said of countries."""
    rows = [*several("here", "name", 1, ["silent"] * 4), *BESIDE, *THERE]
    rows += [
        row for number in range(40) for row in several("here", f"n{number}", 9 + number, ["silent"] * (number % 5))
    ]
    rows += [*several("here", "", 60, ["silent"] * 9), *several("there", "other", 60, ["answered"] * 9)]
    table = judge_attempts(attempts(*rows), default_model()).contrasts
    causes = {CAUSES[code] for code in table.cause[table.cause >= 0]}
    assert causes
    assert causes <= set(CAUSE_SAYS)
