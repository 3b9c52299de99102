"""Evidence that may be looked at at any time: its definition, and that it keeps what Ville promised."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.errors import ParameterError
from netinterf.stats.diurnal import hourly_share
from netinterf.stats.sequential import e_detector, e_of_p, share_e_process
from tests.oracles import naive_stats


@given(st.integers(0, 12), st.integers(0, 12), st.floats(0.1, 0.95))
def test_the_mixture_is_an_average_of_likelihood_ratios(hits, misses, bound):
    """The closed form equals the integral."""
    value = share_e_process(hits, hits + misses, bound)
    assert float(value) == pytest.approx(naive_stats.share_e_value(hits, hits + misses, bound), abs=1e-3)


@given(st.integers(0, 8), st.floats(0.3, 0.9), st.floats(0.0, 1.0))
def test_on_average_it_earns_nothing(tried, bound, above):
    """Under any share at or above the bound the e-value after n trials has mean 1 at most."""
    share = bound + (1 - bound) * above
    hits = np.arange(tried + 1)
    ways = np.array([float(np.prod((tried - np.arange(k)) / (1 + np.arange(k)))) for k in hits])
    chance = ways * share**hits * (1 - share) ** (tried - hits)
    assert float(chance @ np.exp(share_e_process(hits, tried, bound))) <= 1 + 1e-9


def test_looking_all_the_time_costs_nothing():
    """At the bound itself one process in a hundred ever passes 100, at the most."""
    rng = np.random.default_rng(6)
    passed = np.cumsum(rng.random((2000, 300)) < 0.9, axis=1)
    evidence = share_e_process(passed, np.arange(1, 301), 0.9)
    assert np.mean(evidence.max(axis=1) >= np.log(100)) <= 0.015


@given(st.lists(st.booleans(), max_size=25), st.integers(1, 30))
def test_the_detector_is_the_best_of_all_beginnings(seen, longest):
    """Evidence and beginning are those of two loops."""
    value, onset = e_detector(seen, 0.8, longest)
    for end in range(len(seen)):
        tried = {
            begin: float(share_e_process(sum(seen[begin : end + 1]), end + 1 - begin, 0.8))
            for begin in range(max(0, end + 1 - longest), end + 1)
        }
        assert value[end] == pytest.approx(max(0.0, *tried.values()), abs=1e-9)
        if value[end] > 0:
            assert tried[int(onset[end])] == pytest.approx(value[end], abs=1e-9)


def test_a_fall_is_noticed_at_once_and_dated():
    """After 200 observations at 95 % and then none, four misses are enough to notice, and it is known since when."""
    rng = np.random.default_rng(7)
    seen = np.append(rng.random(200) < 0.95, np.zeros(20, bool))
    value, onset = e_detector(seen, 0.81)
    first = int(np.flatnonzero(value >= np.log(100))[0])
    assert 202 <= first <= 206
    assert abs(int(onset[-1]) - 200) <= 2


def test_calibrated_p_values_are_e_values():
    """The mean of the e-value of a uniform p-value is 1."""
    p = (np.arange(100_000) + 0.5) / 100_000
    assert np.mean(e_of_p(p)) == pytest.approx(1.0, abs=0.01)


def test_what_is_wrong_is_named():
    """Counts, bounds and p-values that cannot be are refused."""
    with pytest.raises(ParameterError, match="hits"):
        share_e_process(3, 2, 0.5)
    with pytest.raises(ParameterError, match="bound"):
        share_e_process(1, 2, 1.0)
    with pytest.raises(ParameterError, match="p"):
        e_of_p([0.0])


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 71)), min_size=1, max_size=12))
def test_usual_shares_equal_the_loop(rows):
    """The same hour of other days, leaning on all other days by twenty pseudo-counts."""
    bins = [(min(hits, tried), tried, hour) for hits, tried, hour in rows]
    usual = hourly_share(*zip(*bins, strict=True))
    for place, (_, _, hour) in enumerate(bins):
        others = [one for one in bins if one[2] // 24 != hour // 24]
        base = others if sum(one[1] for one in others) else bins
        mean = (sum(one[0] for one in base) + 0.5) / (sum(one[1] for one in base) + 1)
        same = [one for one in others if one[2] % 24 == hour % 24]
        expected = (sum(one[0] for one in same) + 20 * mean) / (sum(one[1] for one in same) + 20)
        assert usual[place] == pytest.approx(expected)


def test_an_hour_is_compared_with_itself_on_other_days():
    """Evenings are worse every day; the evening that is worse than those is compared with those, not with itself."""
    hour = np.arange(10 * 24)
    tried = np.full(len(hour), 100)
    hits = np.where(hour % 24 >= 20, 70, 95)
    hits[9 * 24 + 20 :] = 0
    usual = hourly_share(hits, tried, hour)
    assert usual[9 * 24 + 22] == pytest.approx(0.70, abs=0.02)
    assert usual[9 * 24 + 3] == pytest.approx(0.95, abs=0.02)


def test_days_on_which_nothing_was_tried_change_nothing():
    """A clock that steps by centuries leaves the shares as they were, and needs no room for the days between."""
    hour = np.array([3, 20, 27, 44, 51])
    hits, tried = np.array([4, 1, 9, 2, 10]), np.full(5, 10)
    tracemalloc.start()
    stepped = hourly_share(hits, tried, hour + 24 * np.array([0, 0, 0, 0, 200_000]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000
    assert stepped.tolist() == hourly_share(hits, tried, hour).tolist()


def test_without_other_days_all_hours_count():
    """A single day is its own measure; without anything tried nothing is known."""
    assert hourly_share([5, 10], [10, 10], [1, 2]) == pytest.approx([0.68, 0.78], abs=0.12)
    assert hourly_share([0], [0], [5]) == pytest.approx([0.5])
    with pytest.raises(ParameterError, match="hour"):
        hourly_share([1], [1], [])
