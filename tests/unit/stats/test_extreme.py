"""The older statistics on what no capture should hold: nothing, one row, constants, NaN, infinities, huge numbers."""

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.errors import ParameterError
from netinterf.stats import (
    backlog,
    benjamini_hochberg,
    benjamini_yekutieli,
    binomial_likelihood,
    burst_curve,
    e_benjamini_hochberg,
    fading_likelihood,
    fit_bucket,
    follow_bucket,
    group_median,
    group_quantile,
    harmless_likelihood,
    loss_line_rate,
    posterior_q,
    robust_scale,
    search_bucket,
    theil_sen,
)
from netinterf.stats.bucket.fit import NO_FIT
from netinterf.stats.robust import MAD_TO_SIGMA
from tests.oracles import naive_stats

NOTHING, NO_FLAGS = np.empty(0), np.empty(0, bool)
grouped = st.lists(st.tuples(st.integers(-1, 3), st.floats(-1e6, 1e6)), max_size=30)


@given(grouped)
def test_medians_and_scales_equal_the_standard_library(rows):
    """Group by group: the median, and the median deviation from it, or the quartiles where that is 0."""
    group, values = np.array([g for g, _ in rows], np.int64), np.array([v for _, v in rows], float)
    median, scale = group_median(values, group, 4), robust_scale(values, group, 4)
    for number in range(4):
        own = values[group == number].tolist()
        if not own:
            assert np.isnan([median[number], scale[number]]).all()
            continue
        centre = statistics.median(own)
        assert median[number] == pytest.approx(centre, rel=1e-12, abs=1e-9)
        deviation = statistics.median([abs(value - centre) for value in own])
        if deviation > 1e-6:
            assert scale[number] == pytest.approx(deviation * MAD_TO_SIGMA, rel=1e-6)
        if len(set(own)) == 1:
            assert scale[number] == 0


@given(st.lists(st.tuples(st.integers(0, 30), st.floats(-1e3, 1e3)), max_size=15))
def test_slopes_equal_all_pairs(points):
    """The slope is the median over pairs at least the median distance apart."""
    runs = [(b[0] - a[0], b[1] - a[1]) for place, a in enumerate(points) for b in points[place + 1 :]]
    least = statistics.median([abs(run) for run, _ in runs]) if runs else 0
    slopes = [rise / run for run, rise in runs if run != 0 and abs(run) >= least]
    found = theil_sen(np.array([x for x, _ in points]), np.array([y for _, y in points]))
    if slopes:
        assert found == pytest.approx(statistics.median(slopes), rel=1e-9, abs=1e-9)
    else:
        assert np.isnan(found)


def test_slopes_of_points_that_are_none():
    """Points without coordinates are left out; one point is no line; the farthest numbers do not overflow."""
    x, y = [0.0, 1, 2, np.nan, np.inf, 5], [0.0, 1, 2, 3, 4, -np.inf]
    assert theil_sen(np.array(x), np.array(y)) == 1.0
    assert np.isnan(theil_sen(np.array([1.0, np.nan]), np.array([1.0, 2.0])))
    assert np.isnan(theil_sen(np.arange(5.0), np.arange(5.0), most=1))
    assert theil_sen(np.array([-1e308, 0, 1e308]), np.array([0.0, 1, 2])) == pytest.approx(0, abs=1e-300)


def test_quantiles_of_extreme_values():
    """Ends are exact beside infinities, no difference overflows, and a group of -1 or NaN is nobody's."""
    group = np.zeros(2, int)
    assert group_quantile(np.array([0.0, np.inf]), group, 1, 0.0)[0] == 0.0
    assert group_quantile(np.array([0.0, np.inf]), group, 1, 0.5)[0] == np.inf
    assert group_quantile(np.array([-1e308, 1.5e308]), group, 1, 0.5)[0] == pytest.approx(2.5e307)
    assert group_quantile(np.array([7.0, np.nan, 3.0]), np.array([-1, 0, 0]), 1, 0.5)[0] == 3.0
    assert len(group_median(NOTHING, np.empty(0, int), 0)) == 0


@pytest.mark.parametrize("group", [np.array([0, 2]), np.array([-2, 0]), np.array([0])])
def test_groups_out_of_range_are_refused(group):
    """A value belongs to a group that there is."""
    with pytest.raises(ParameterError, match="group="):
        group_median(np.zeros(2), group, 2)


def test_scales_of_extreme_values():
    """Infinite outliers do not move the scale; half of infinities leave none; huge values do not overflow."""
    group = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2])
    values = np.array([1.0, 2, 3, np.inf, 1, np.inf, np.inf, -1e308, 0, 1e308, 1e308])
    scale = robust_scale(values, group, 4)
    assert scale[0] == pytest.approx(MAD_TO_SIGMA)
    assert np.isnan(scale[[1, 3]]).all()
    assert 0 < scale[2] < np.inf


@given(st.lists(st.floats(0, 1), max_size=15))
def test_by_is_bh_times_the_harmonic_number(p):
    """Any dependence costs the harmonic number of the count."""
    harmonic = sum(1 / rank for rank in range(1, len(p) + 1))
    expected = [min(1.0, q * harmonic) for q in naive_stats.step_up(p)] if p else []
    np.testing.assert_allclose(benjamini_yekutieli(p), expected, atol=1e-12)


@given(st.lists(st.floats(0, 1) | st.sampled_from([0.0, 0.5, 1.0]), max_size=15))
def test_posterior_q_equals_the_loop(probability):
    """Each finding carries the mean error of all that are at least as probable."""
    expected = [np.mean([1 - p for p in probability if p >= own]) for own in probability]
    np.testing.assert_allclose(posterior_q(probability), expected, atol=1e-12)


def test_multiple_tests_at_the_ends():
    """Zeros, ones, denormals and infinities keep their order, without a warning."""
    assert benjamini_hochberg([0.0, 0.0, 1.0]).tolist() == [0.0, 0.0, 1.0]
    assert 0 < benjamini_hochberg([5e-324, 1.0])[0] < 1e-300
    assert e_benjamini_hochberg([5e-324, 1e308, np.inf]).tolist() == [1.0, pytest.approx(1.5e-308), 0.0]
    assert all(len(f([])) == 0 for f in (benjamini_hochberg, benjamini_yekutieli, e_benjamini_hochberg, posterior_q))


def test_buckets_and_queues_of_nothing_and_one_packet():
    """No packets, no rates and one packet have the shapes and values that loops give."""
    one, flag = np.array([3.0]), np.array([True])
    assert follow_bucket(NOTHING, NOTHING, NO_FLAGS, np.ones(2), np.ones(2)).shape == (0, 2)
    assert follow_bucket(one, one, flag, NOTHING, NOTHING).shape == (1, 0)
    assert follow_bucket(one, one, flag, np.ones(1), np.array([5.0])).tolist() == [[2.0]]
    assert harmless_likelihood(NOTHING, NO_FLAGS) == harmless_likelihood(one, flag) == 0.0
    assert fading_likelihood(one, flag) == -np.inf
    assert len(binomial_likelihood(np.empty(0, np.int64), np.empty(0, np.int64))) == 0
    assert len(backlog(NOTHING, NOTHING, 1.0)) == 0
    assert backlog(one, one, 1.0).tolist() == [0.0]
    assert [part.tolist() for part in burst_curve(NOTHING, NOTHING, np.ones(2))] == [[0.0, 0.0], [0.0, 0.0]]
    assert [part.tolist() for part in burst_curve(one, one, np.ones(1))] == [[3.0], [0.0]]
    assert len(burst_curve(one, one, NOTHING)[0]) == 0


def test_packets_of_one_moment():
    """Where no time passes no bucket refills, no queue drains and no rate can be fitted."""
    time, size = np.zeros(5), np.full(5, 10.0)
    lost = np.array([True, False, True, False, False])
    left = follow_bucket(time, size, lost, np.array([1e9]), np.array([30.0]))[:, 0]
    assert left.tolist() == pytest.approx([20, 0, -10, -10, -10])
    assert backlog(time, size, 1e9).tolist() == [0, 10, 20, 30, 40]
    assert burst_curve(time, size, np.array([1e9]))[0].tolist() == [50.0]
    assert np.isnan(loss_line_rate(time, size, lost))
    assert not search_bucket(time, size, lost).llr > 0


def test_rates_that_are_none_are_not_fitted():
    """Infinite, negative and missing rates are left out; without any other there is no fit."""
    time, size = np.arange(5.0), np.full(5, 10.0)
    lost = np.array([True, False, True, False, False])
    assert fit_bucket(time, size, lost, rates=np.array([np.inf, np.nan, -1.0, 0.0]), depths=size[:4]) is NO_FIT
    assert fit_bucket(time, size, lost, rates=size[:4], depths=np.array([np.inf, np.nan, -1.0, 0.0])) is NO_FIT
    assert fit_bucket(NOTHING, NOTHING, NO_FLAGS, rates=np.ones(1), depths=np.ones(1)) is NO_FIT


def test_loss_line_equals_the_slope_of_passed_bytes():
    """The rate is the median slope through the losses, of the bytes that passed before each."""
    rng = np.random.default_rng(18)
    time, lost = np.cumsum(rng.random(60)), rng.random(60) < 0.2
    size = rng.integers(40, 1500, 60).astype(float)
    passed = [sum(s for s, gone in zip(size[:at], lost[:at], strict=True) if not gone) for at in range(60)]
    assert loss_line_rate(time, size, lost) == pytest.approx(theil_sen(time[lost], np.array(passed)[lost]))
