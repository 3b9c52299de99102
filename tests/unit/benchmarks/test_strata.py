"""Strata part what they are told to part, and fits can leave each out."""

import pytest

from benchmarks import strata
from benchmarks.limits import CONGESTION, chooses_congestion, limiting


@pytest.mark.parametrize("trip", [0.001, 0.02, 0.03, 0.05, 0.5])
def test_a_round_trip_lies_in_one_third(trip):
    """Every known round trip belongs to one third, an unknown one to none."""
    thirds = [holds for word, holds in strata.strata_of([0.02, 0.05]).items() if word not in CONGESTION]
    assert sum(holds("cubic", trip) for holds in thirds) == 1
    assert not any(holds("cubic", unknown) for holds in thirds for unknown in (0.0, float("nan")))


def test_senders_lie_in_the_stratum_of_their_control():
    """Captures that are played with one congestion control are left out together, and no others."""
    parts = strata.strata_of([0.02, 0.05])
    for control in CONGESTION:
        assert [other for other in CONGESTION if parts[other](control, 0.01)] == [control]


def test_a_case_is_looked_at_with_the_senders_it_asks_for():
    """What a fit needs of a capture comes with its senders, and with a round trip where a limit dropped enough."""
    name = next(name for name in limiting() if name == "rate.policing.turkey" and chooses_congestion(name))
    seen = strata.look((name, 452_000, "bbr"))
    assert seen.congestion == "bbr"
    assert seen.sample.scenario == name
    assert 0.001 < seen.rtt < 1.0
