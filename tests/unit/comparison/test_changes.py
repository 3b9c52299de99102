"""Changes in time: found with the interval that holds them, and not made up."""

import numpy as np
import pytest

from netinterf.comparison.changes import ENOUGH, find_changes
from netinterf.comparison.written import changes_of
from tests.unit.observations.attempts import SECOND, attempts, several

ONSET = [*["answered"] * 12, *["silent"] * 10]


def test_an_onset_is_named_with_its_interval():
    """Answers until some moment, silence from then on: the change lies between the two attempts around it."""
    (shift,) = find_changes(attempts(*several("here", "name", 1, ONSET)))
    assert (shift.failed_before, shift.known_before, shift.failed_after, shift.known_after) == (0, 12, 10, 10)
    assert shift.low <= 110 * SECOND < 120 * SECOND <= shift.high


def test_before_and_after_are_one_series():
    """Sides that do not overlap in time are joined; sides that do are two places, of which ours is looked at."""
    later = several("here", "name", 1, ["silent"] * 6, begin=1000)
    before = several("there", "name", 1, ["answered"] * 6)
    (change,) = changes_of(attempts(*later, *before))
    assert "name over tcp/tls began to fail between 1970-01-01 00:00:50 UTC" in change.explanation
    assert change.attempts_before == change.attempts_after == 6
    at_once = several("there", "name", 1, ["answered"] * 6, begin=1000)
    assert changes_of(attempts(*later, *at_once)) == ()


def test_a_server_changes_whatever_is_asked_of_it():
    """Names that fail from one moment on are one change of their server, and the last request before is named."""
    rows = [("here", f"n{place % 5}", 1, place, state) for place, state in enumerate(ONSET)]
    (change,) = changes_of(attempts(*rows))
    assert (change.kind, change.server, change.last_name) == ("server", "203.0.113.1", "n1")


@pytest.mark.parametrize("states", [ONSET[-ENOUGH + 2 : -1], ["answered"] * 20, ["silent"] * 20])
def test_too_little_says_nothing(states):
    """Few attempts, or such that never change, have no onset."""
    assert find_changes(attempts(*several("here", "name", 1, states))) == ()


def test_random_failures_seldom_have_an_onset():
    """Of a hundred names that fail at random, the false discoveries are as bounded as they are said to be."""
    rng = np.random.default_rng(3)
    rows = [
        row
        for number in range(100)
        for row in several("here", f"n{number}", number, rng.choice(["answered", "silent"], 12).tolist())
    ]
    assert len(find_changes(attempts(*rows))) <= 1
