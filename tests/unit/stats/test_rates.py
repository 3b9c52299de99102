"""Rates of many groups: the fit against a search, posteriors and intervals against scipy and searches."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinterf.errors import ParameterError
from netinterf.stats.rates import (
    LEAST_PROBABILITY,
    beta_binomial_tail,
    clopper_pearson_upper,
    exceeds,
    fit_beta_binomial,
    share_difference,
    shrink,
    wilson,
)
from tests.oracles import naive_rates

counts = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)).map(sorted), max_size=15)


def columns(rows):
    """Lay pairs out as k and n."""
    pairs = np.array(rows, float).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


@given(counts)
@settings(max_examples=30)
def test_the_fit_is_the_best_of_a_grid(rows):
    """No mean and strength on a dense grid within the bounds is more probable than the fitted ones."""
    k, n = columns(rows)
    a, b = fit_beta_binomial(k, n)
    assert 1 - 1e-9 <= a + b <= 1e4 * (1 + 1e-9)
    own = naive_rates.beta_binomial_posterior(k, n, a, b)
    for mean in (0.001, 0.01, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.99):
        for strength in (1, 2, 5, 10, 20, 40, 100, 400, 1e3, 1e4):
            other = naive_rates.beta_binomial_posterior(k, n, mean * strength, (1 - mean) * strength)
            assert own >= other - 1e-6 * (1 + abs(other))


def test_the_fit_equals_a_simplex_search():
    """Another optimiser over scipy's beta-binomial finds the same place."""
    from scipy.optimize import minimize
    from scipy.stats import betabinom, norm

    rng = np.random.default_rng(13)
    n = rng.integers(1, 60, 200)
    k = rng.binomial(n, rng.beta(2, 6, 200))

    def loss(at):
        mean, strength = 1 / (1 + np.exp(-at[0])), np.exp(at[1])
        total = betabinom.logpmf(k, n, mean * strength, (1 - mean) * strength).sum()
        return -total - norm.logpdf(at[1], np.log(20), 1.5) - 0.5 * np.log(mean * (1 - mean))

    best = minimize(loss, [0.0, 1.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10}).x
    a, b = fit_beta_binomial(k, n)
    assert np.log(a / b) == pytest.approx(best[0], abs=1e-3)
    assert np.log(a + b) == pytest.approx(best[1], abs=1e-3)
    assert a / (a + b) == pytest.approx(0.25, abs=0.03)
    assert a + b == pytest.approx(8, rel=0.4)


@pytest.mark.parametrize(
    ("k", "n"),
    [([], []), ([0], [0]), ([0] * 500, [50] * 500), ([50] * 500, [50] * 500), ([0, 50] * 200, [50] * 400), ([1], [1])],
)
def test_one_sided_and_missing_counts_have_a_fit(k, n):
    """Nothing, everything and either of both are fitted with finite parameters inside the bounds."""
    a, b = fit_beta_binomial(k, n)
    assert 0 < a < np.inf
    assert 0 < b < np.inf
    assert 1 - 1e-9 <= a + b <= 1e4 + 1e-6
    if not any(n):
        assert (a, b) == pytest.approx((10, 10), rel=1e-3)


def test_alike_groups_are_strong_and_different_ones_weak():
    """The strength tells how alike the groups are."""
    alike, different = fit_beta_binomial([20] * 300, [100] * 300), fit_beta_binomial([0, 100] * 150, [100] * 300)
    assert sum(alike) > 300
    assert sum(different) < 2


@given(counts, st.floats(0.05, 50), st.floats(0.05, 50), st.floats(0, 1))
def test_posteriors_equal_scipy(rows, a, b, rate):
    """Mean, interval and tail are those of the beta distribution."""
    from scipy.stats import beta

    k, n = columns(rows)
    posterior = beta(a + k, b + n - k)
    found = shrink(k, n, a, b, 0.9)
    np.testing.assert_allclose(found.mean, posterior.mean(), rtol=1e-9)
    np.testing.assert_allclose(found.low, posterior.ppf(0.05), rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(found.high, posterior.ppf(0.95), rtol=1e-6, atol=1e-12)
    tail = np.maximum(posterior.sf(rate), LEAST_PROBABILITY)
    np.testing.assert_allclose(exceeds(k, n, a, b, rate), tail, rtol=1e-6, atol=1e-12)


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=6),
    st.floats(0.2, 30.0),
    st.floats(0.2, 60.0),
)
@settings(deadline=None, max_examples=40)
def test_beta_binomial_tails_equal_scipy(rows, a, b):
    """Counts of at least k, in the logarithm; nothing more than none is certain."""
    from scipy.stats import betabinom

    k, n = [min(row) for row in rows], [max(row) for row in rows]
    told = beta_binomial_tail(k, n, a, b)
    assert told.shape == (len(rows),)
    for one, hits, trials in zip(told, k, n, strict=True):
        usual = sum(betabinom.pmf(number, trials, a, b) for number in range(hits, trials + 1))
        assert one == pytest.approx(math.log(usual), abs=1e-6)


def test_small_groups_are_shrunk_more():
    """One of one stays near the prior, a hundred of a hundred do not; no trial is the prior."""
    found = shrink([0, 1, 100], [0, 1, 100], 2, 18)
    assert found.mean[0] == pytest.approx(0.1)
    assert found.mean[1] < 0.2
    assert found.mean[2] > 0.8
    assert np.all(found.low < found.mean)
    assert np.all(found.mean < found.high)


def test_tails_never_vanish():
    """The logarithm of a tail is finite for the most extreme counts."""
    found = exceeds([0, 10**9, 0], [10**9, 10**9, 0], 1, 1, 0.5)
    assert found.tolist() == [LEAST_PROBABILITY, 1.0, 0.5]
    assert exceeds([1], [2], 1, 1, 1.0)[0] == LEAST_PROBABILITY
    assert exceeds([1], [2], 1, 1, 0.0)[0] == 1.0


def test_shrunk_intervals_cover():
    """The interval of rates drawn from the fitted prior holds nine of ten of them."""
    rng = np.random.default_rng(14)
    truth = rng.beta(1, 9, 3000)
    n = rng.integers(0, 40, 3000)
    k = rng.binomial(n, truth)
    found = shrink(k, n, *fit_beta_binomial(k, n), level=0.9)
    assert np.mean((found.low <= truth) & (truth <= found.high)) == pytest.approx(0.9, abs=0.02)


@given(counts, st.floats(0.5, 0.999))
def test_wilson_equals_a_search(rows, level):
    """The ends are the shares whose standard error just reaches the count."""
    k, n = columns(rows)
    low, high = wilson(k, n, level)
    z = float(np.sqrt(2) * _erfinv(level))
    for place, (hits, trials) in enumerate(zip(k, n, strict=True)):
        expected = naive_rates.wilson(hits, trials, z)
        assert low[place] == pytest.approx(expected[0], abs=1e-9)
        assert high[place] == pytest.approx(expected[1], abs=1e-9)


def _erfinv(level):
    """Search the argument of the error function."""
    return naive_rates.bisect(lambda x: math.erf(x) < level, 0.0, 6.0)


def test_wilson_equals_scipy():
    """The interval is that of scipy's binomial test."""
    from scipy.stats import binomtest

    for hits, trials in ((0, 5), (3, 7), (7, 7), (40, 1000)):
        expected = binomtest(hits, trials).proportion_ci(0.95, method="wilson")
        low, high = wilson([hits], [trials])
        assert (low[0], high[0]) == pytest.approx((expected.low, expected.high), abs=1e-12)


@given(counts, st.floats(0.5, 0.99))
def test_the_upper_bound_equals_a_search(rows, level):
    """At the bound so few have just the probability that is allowed."""
    k, n = columns(rows)
    found = clopper_pearson_upper(k, n, level)
    expected = [naive_rates.clopper_pearson_upper(int(h), int(t), level) for h, t in zip(k, n, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_the_upper_bound_equals_scipy_and_the_rule_of_three():
    """The one-sided bound is scipy's; none in n is about 3 in n."""
    from scipy.stats import binomtest

    expected = binomtest(3, 50, alternative="less").proportion_ci(0.95, method="exact").high
    assert clopper_pearson_upper([3], [50])[0] == pytest.approx(expected, rel=1e-9)
    assert clopper_pearson_upper([0], [3000])[0] == pytest.approx(1e-3, rel=0.01)
    assert clopper_pearson_upper([0, 4], [0, 4]).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    "function", [fit_beta_binomial, wilson, clopper_pearson_upper, lambda k, n: shrink(k, n, 1, 1)]
)
@pytest.mark.parametrize(
    ("k", "n"), [([2], [1]), ([-1], [1]), ([np.nan], [1]), ([1], [np.nan]), ([1], [np.inf]), ([1], [1, 2])]
)
def test_counts_that_are_none_are_refused(function, k, n):
    """Counts are finite, at least 0, and no more than the trials."""
    with pytest.raises(ParameterError):
        function(k, n)


@pytest.mark.parametrize(
    "call",
    [
        lambda: shrink([1], [2], 0, 1),
        lambda: shrink([1], [2], 1, np.inf),
        lambda: shrink([1], [2], 1, np.nan),
        lambda: shrink([1], [2], 1, 1, 1.0),
        lambda: exceeds([1], [2], 1, 1, 1.5),
        lambda: exceeds([1], [2], 1, 1, np.nan),
        lambda: wilson([1], [2], 0.0),
        lambda: clopper_pearson_upper([1], [2], np.nan),
    ],
)
def test_parameters_out_of_range_are_refused(call):
    """Priors are positive, levels and rates are probabilities."""
    with pytest.raises(ParameterError):
        call()


@pytest.mark.parametrize("function", [wilson, clopper_pearson_upper])
def test_no_groups_give_no_rows(function):
    """Empty in, empty out."""
    assert np.size(function([], [])) == 0
    assert len(shrink([], [], 1, 1).mean) == len(exceeds([], [], 1, 1, 0.5)) == 0


@pytest.mark.parametrize(
    ("k", "n", "other_k", "other_n", "low", "high"),
    [
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (6, 7, 2, 7, 0.0582, 0.8062),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 20, -0.1611, 0.2775),
        (10, 10, 0, 20, 0.6791, 1.0),
        (10, 10, 0, 10, 0.6075, 1.0),
    ],
)
def test_differences_of_shares_are_those_of_the_paper(k, n, other_k, other_n, low, high):
    """Newcombe 1998, table II, method 10; turned round, the interval is mirrored."""
    found = np.concatenate(share_difference([k], [n], [other_k], [other_n]))
    assert found == pytest.approx([low, k / n - other_k / other_n, high], abs=5e-5)
    assert -np.concatenate(share_difference([other_k], [other_n], [k], [n]))[::-1] == pytest.approx(found)
