"""Grouped order statistics against numpy, group by group."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.errors import ParameterError
from netinterf.stats.robust import (
    MAD_TO_SIGMA,
    MANY,
    SAMPLE,
    group_median,
    group_quantile,
    middle,
    quantile_of,
    quantiles_of,
    robust_scale,
    theil_sen,
)

grouped = st.lists(st.tuples(st.integers(0, 4), st.floats(-1e6, 1e6) | st.just(float("nan"))), max_size=40)


@given(grouped, st.floats(0, 1))
def test_quantiles_equal_numpy(rows, q):
    """Each group's quantile is numpy's; NaN values are left out; empty groups give NaN."""
    group = np.array([g for g, _ in rows], np.int64)
    values = np.array([v for _, v in rows], float)
    found = group_quantile(values, group, 5, q)
    for number in range(5):
        own = values[(group == number) & ~np.isnan(values)]
        expected = np.quantile(own, q) if len(own) else np.nan
        np.testing.assert_allclose(found[number], expected, rtol=1e-12, atol=1e-6)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.floats(0, 1))
def test_quantiles_of_a_few_numbers_are_to_the_bit_those_of_numpy(values, q):
    """They are what evidence shows, so that not even the last bit may depend on how they are computed."""
    numbers = np.array(values)
    assert middle(numbers) == np.median(numbers)
    assert quantile_of(numbers, q) == np.quantile(numbers, q)
    assert quantiles_of(numbers, np.array([0.0, q, 1.0])).tolist() == np.quantile(numbers, [0.0, q, 1.0]).tolist()


@given(st.integers(MANY + 1, 3 * MANY), st.integers(0, 99), st.sampled_from(["alike", "in order", "in turns", "few"]))
def test_the_middle_of_many_numbers_is_to_the_bit_that_of_numpy(count, seed, kind):
    """So it is however fair a sample is of them: of numbers in order, of two kinds in turns, of a few numbers."""
    drawn = np.random.default_rng(seed).normal(size=count)
    numbers = {
        "alike": drawn,
        "in order": np.sort(drawn),
        "in turns": np.where(np.arange(count) % (count // SAMPLE), drawn, np.inf),
        "few": np.round(drawn),
    }[kind]
    assert middle(numbers) == np.median(numbers)


def test_infinite_values_keep_their_order():
    """Infinity is an ordinary, extreme value."""
    assert group_median(np.array([1.0, np.inf, np.inf]), np.zeros(3, int), 1)[0] == np.inf


def test_a_quantile_outside_0_to_1_is_refused():
    """The parameter is named."""
    with pytest.raises(ParameterError, match="q="):
        group_quantile(np.zeros(1), np.zeros(1, int), 1, 1.5)


def test_scale_ignores_a_tenth_of_outliers():
    """The scale of normal data with outliers is near that of the data, of constants 0, of nothing NaN."""
    rng = np.random.default_rng(4)
    values = np.concatenate([rng.normal(5, 2, 900), np.full(100, 1e9), np.full(7, 3.0)])
    group = np.concatenate([np.zeros(1000, int), np.ones(7, int)])
    scale = robust_scale(values, group, 3)
    assert scale[0] == pytest.approx(2, rel=0.25)
    assert scale[1] == 0
    assert np.isnan(scale[2])


def test_scale_falls_back_on_quartiles():
    """When more than half of the values are equal the quartiles still see the spread."""
    values = np.array([0.0, 0, 0, 0, 0, 1, 1, 1, 1])
    assert robust_scale(values, np.zeros(9, int), 1)[0] == pytest.approx(MAD_TO_SIGMA / 2)


def test_slope_survives_a_quarter_of_wild_points():
    """The median slope is that of the undisturbed points."""
    rng = np.random.default_rng(5)
    x = np.arange(1000.0)
    y = 3 * x + rng.normal(0, 5, 1000)
    y[rng.random(1000) < 0.25] += 1e4 * rng.random()
    assert theil_sen(x, y) == pytest.approx(3, rel=0.02)


@pytest.mark.parametrize("x", [[], [1.0], [2.0, 2.0, 2.0]])
def test_no_slope_without_two_abscissae(x):
    """One place is no line."""
    assert np.isnan(theil_sen(np.array(x), np.array(x)))
