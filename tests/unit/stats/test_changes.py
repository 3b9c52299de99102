"""When a series changed: against trying everything, and silent where it does not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.errors import ParameterError
from netinterf.stats.changes import best_split, binomial_cost, cusum, gaussian_cost, pelt, poisson_cost, split_p
from tests.oracles import naive_stats

SMALL = st.integers(0, 6)
BINS = st.lists(st.tuples(SMALL, SMALL), min_size=1, max_size=9)


def prepared(kind, rows):
    """Give the costs of a random series, and its columns for the twin."""
    first, second = (np.array(column, float) for column in zip(*rows, strict=True))
    columns = {
        "binomial": (np.minimum(first, second), second),
        "poisson": (first, second + 1),
        "gaussian": (first, 1.5),
    }[kind]
    return {"binomial": binomial_cost, "poisson": poisson_cost, "gaussian": gaussian_cost}[kind](*columns), columns


@given(st.sampled_from(["binomial", "poisson", "gaussian"]), BINS)
def test_costs_are_those_of_the_best_level(kind, rows):
    """Every segment costs what the definition says."""
    _, columns = prepared(kind, rows)
    if kind == "binomial":
        cost = binomial_cost(*columns)
    else:
        cost = poisson_cost(*columns) if kind == "poisson" else gaussian_cost(*columns)
    begin, end = np.triu_indices(len(rows) + 1)
    for one, other, value in zip(begin.tolist(), end.tolist(), cost(begin, end).tolist(), strict=True):
        assert value == pytest.approx(naive_stats.segment_costs(kind, columns, one, other), abs=1e-9)


@given(st.sampled_from(["binomial", "poisson", "gaussian"]), BINS, st.floats(0.2, 6))
def test_pelt_is_exact(kind, rows, penalty):
    """No other segmentation of a short series costs less."""
    cost, columns = prepared(kind, rows)
    found = pelt(cost, len(rows), penalty)
    edges = [0, *found.tolist(), len(rows)]
    total = sum(cost(np.array(edges[:-1]), np.array(edges[1:]))) + penalty * len(found)
    best, _ = naive_stats.best_segmentation(
        lambda begin, end: naive_stats.segment_costs(kind, columns, begin, end), len(rows), penalty
    )
    assert total == pytest.approx(best, abs=1e-6)


@given(st.sampled_from(["binomial", "poisson", "gaussian"]), BINS, st.integers(1, 3))
def test_the_best_split_is_the_best_of_all(kind, rows, least):
    """No other place gains more, and the gain is what two levels save."""
    cost, columns = prepared(kind, rows)

    def naive(begin, end):
        return naive_stats.segment_costs(kind, columns, begin, end)

    gains = {
        at: naive(0, len(rows)) - naive(0, at) - naive(at, len(rows)) for at in range(least, len(rows) - least + 1)
    }
    found = best_split(cost, len(rows), least)
    assert found.gain == pytest.approx(max(gains.values(), default=0.0), abs=1e-9)
    assert not gains or gains[found.at] == pytest.approx(found.gain, abs=1e-9)


def test_one_change_is_found_where_it_is():
    """Shares fall from 0.9 to 0.1 at bin 60 of 100; the single split and PELT say so, and the test is sure."""
    rng = np.random.default_rng(3)
    tried = rng.integers(5, 20, 100)
    hits = rng.binomial(tried, np.where(np.arange(100) < 60, 0.9, 0.1))
    cost = binomial_cost(hits, tried)
    assert abs(best_split(cost, 100).at - 60) <= 1
    assert np.abs(pelt(cost, 100, 3 * np.log(100)) - 60).max() <= 1
    assert split_p(binomial_cost, (hits, tried)) == pytest.approx(1 / 200)


def test_a_bump_between_equal_levels_is_two_changes():
    """PELT finds what begins and ends, which one split cannot say."""
    rng = np.random.default_rng(4)
    level = np.where((np.arange(200) >= 80) & (np.arange(200) < 110), 3.0, 0.0)
    found = pelt(gaussian_cost(rng.normal(level, 1.0)), 200, 3 * np.log(200))
    assert np.abs(found - [80, 110]).max() <= 1


def test_a_chosen_split_is_tested_honestly():
    """Of series without a change one in ten has a p-value below a tenth, though each splits somewhere."""
    rng = np.random.default_rng(5)
    values = [split_p(gaussian_cost, (rng.normal(size=40),), shuffles=39, least=3) for _ in range(200)]
    assert np.mean(np.array(values) <= 0.1) == pytest.approx(0.1, abs=0.05)
    gains = [best_split(gaussian_cost(rng.normal(size=40), 1.0), 40, 3).gain for _ in range(200)]
    assert np.mean(np.array(gains) > 1.92) > 0.25  # what a test of one given place would call significant at 5 %


@given(st.lists(st.integers(-12, 12), max_size=30))
def test_cusum_is_a_reflected_sum(quarters):
    """The closed form equals stepping, and says where the rise began."""
    llr = [quarter / 4 for quarter in quarters]
    value, begun = cusum(llr)
    for place, (expected, onset) in enumerate(naive_stats.cusum(llr)):
        assert value[place] == pytest.approx(expected, abs=1e-9)
        assert value[place] < 1e-6 or begun[place] == onset


def test_what_is_wrong_is_named():
    """More hits than trials, unequal columns, infinite values and free changes are refused."""
    with pytest.raises(ParameterError, match="hits"):
        binomial_cost([2], [1])
    with pytest.raises(ParameterError, match="exposure"):
        poisson_cost([1, 2], [1])
    with pytest.raises(ParameterError, match="counts"):
        poisson_cost([1], [0])
    with pytest.raises(ParameterError, match="values"):
        gaussian_cost([np.inf])
    with pytest.raises(ParameterError, match="penalty"):
        pelt(gaussian_cost([1.0, 2.0]), 2, 0.0)


@pytest.mark.parametrize("count", [0, 1])
def test_short_series_do_not_change(count):
    """Nothing and one bin have no changes."""
    cost = gaussian_cost(np.zeros(count))
    assert best_split(cost, count) == (0, 0.0)
    assert not len(pelt(cost, count, 1.0))
