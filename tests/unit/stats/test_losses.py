"""How likely losses are without a limit: closed forms and vectorised sums against loops."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinterf.stats.losses import (
    BAD_SHARES,
    LOST_IN_BAD,
    LOST_IN_GOOD,
    RATES,
    binomial_likelihood,
    chance_likelihood,
    chance_likelihoods,
    fading_likelihood,
    harmless_likelihood,
    harmless_likelihoods,
    price,
)
from tests.oracles import naive_stats

packets = st.lists(st.tuples(st.floats(0, 2), st.booleans()), max_size=12)


def columns(rows):
    """Lay generated packets out as columns; some share their time with the one before."""
    time = np.cumsum([gap if gap > 0.3 else 0.0 for gap, _ in rows]) if rows else np.empty(0)
    return time, np.array([lost for _, lost in rows], bool)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=8))
def test_binomial_likelihoods_equal_the_loop(parts):
    """Each pair of hits and misses has the likelihood of its own share; no trials have none."""
    hits, misses = (np.array([part[place] for part in parts], np.int64) for place in range(2))
    found = binomial_likelihood(hits, hits + misses)
    expected = [naive_stats.bernoulli(hit, hit + miss) if hit + miss else 0.0 for hit, miss in parts]
    np.testing.assert_allclose(found, expected, atol=1e-9)


@given(packets)
@settings(max_examples=30)
def test_a_fading_link_equals_the_loop(rows):
    """The best of all links of the grid, each walked by itself; nothing without time or with too few packets."""
    time, lost = columns(rows)
    if len(rows) < 3 or time[-1] == time[0]:
        assert fading_likelihood(time, lost) == -np.inf
        return
    span = time[-1] - time[0]
    grid = itertools.product(np.geomspace(1 / span, len(rows) / span, RATES), BAD_SHARES, LOST_IN_BAD, LOST_IN_GOOD)
    expected = max(naive_stats.fading(time, lost, *link) for link in grid)
    assert fading_likelihood(time, lost) == pytest.approx(expected)


@given(packets)
def test_harmless_is_the_better_of_both_at_its_price(rows):
    """Chance pays for one number, fading for four; what holds no losses or nothing else needs no fading."""
    time, lost = columns(rows)
    count, losses = len(rows), int(lost.sum())
    chance = naive_stats.bernoulli(losses, count) - math.log(count) / 2 if count else 0.0
    expected = chance if losses in (0, count) else max(chance, fading_likelihood(time, lost) - 2 * math.log(count))
    assert harmless_likelihood(time, lost) == pytest.approx(expected)
    assert harmless_likelihood(time, lost) <= 0


def test_the_chance_of_many_series_is_that_of_each():
    """To the last bit, as evidence shows it."""
    rng = np.random.default_rng(8)
    lost = [rng.random(count) < rng.random() for count in (0, 1, 2, 40, 333, 2000)]
    found = chance_likelihoods(np.array([one.sum() for one in lost]), np.array([len(one) for one in lost]))
    assert found.tolist() == [chance_likelihood(one) for one in lost]


def test_series_side_by_side_are_each_what_they_are_alone():
    """Series of any length are followed at once, through several logarithms; each has the likelihood it has alone."""
    rng = np.random.default_rng(3)
    series = [
        (np.cumsum(rng.exponential(0.01, count)), rng.random(count) < share)
        for count, share in ((100, 0.2), (7, 0.5), (2, 0.5), (64, 0.0), (33, 0.3), (32, 0.1), (150, 1.0))
    ]
    found = harmless_likelihoods(series)
    assert found == pytest.approx([harmless_likelihood(*one) for one in series])
    assert harmless_likelihoods([]).tolist() == []
    time, lost = series[0]
    links = itertools.product(np.geomspace(1, 100, RATES) / (time[-1] - time[0]), BAD_SHARES, LOST_IN_BAD, LOST_IN_GOOD)
    fading = max(naive_stats.fading(time, lost, *link) for link in links) - 2 * math.log(100)
    assert found[0] == pytest.approx(max(fading, naive_stats.bernoulli(int(lost.sum()), 100) - math.log(100) / 2))


def test_a_price_is_half_the_logarithm_for_each_number():
    """Schwarz's criterion; nothing costs nothing."""
    assert price(4, 100) == pytest.approx(2 * math.log(100))
    assert price(0, 100) == price(3, 1) == price(3, 0) == 0.0


def test_fading_beats_chance_where_losses_come_in_runs():
    """Runs speak for a link that fades, scattered losses for chance."""
    rng = np.random.default_rng(4)
    time = np.arange(600) * 0.01
    runs = (np.searchsorted(np.cumsum(rng.exponential(0.3, 100)), time) % 2 == 1) & (rng.random(600) < 0.8)
    scattered = rng.permutation(runs)
    chance = naive_stats.bernoulli(int(runs.sum()), 600) - math.log(600) / 2
    assert harmless_likelihood(time, runs) > chance + 50
    assert harmless_likelihood(time, scattered) == pytest.approx(chance)
