"""Members that go wrong together: valid whatever the dependence, and against loops and the textbook."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.errors import ParameterError
from netinterf.stats.dependence import checked_members, combine_dependent, intraclass_correlation, tempered
from tests.oracles import naive_mixture

members = st.lists(
    st.tuples(st.floats(-900, 900) | st.sampled_from([0.0, np.inf, -np.inf]), st.integers(-1, 3)), max_size=25
)
values = st.lists(st.tuples(st.floats(-1e3, 1e3) | st.just(np.nan), st.integers(-1, 3)), max_size=25)


def columns(rows):
    """Lay generated members out as columns."""
    return np.array([value for value, _ in rows], float), np.array([group for _, group in rows], np.int64)


@given(members)
def test_clusters_equal_the_loop(rows):
    """Each cluster is the logarithm of the mean likelihood ratio; empty ones are neutral."""
    llr, cluster = columns(rows)
    found = combine_dependent(llr, cluster, 4)
    np.testing.assert_allclose(found, naive_mixture.combine_dependent(llr.tolist(), cluster, 4), rtol=1e-12, atol=1e-11)


@given(st.floats(-800, 800), st.integers(1, 20))
def test_repeating_oneself_adds_nothing(llr, times):
    """Members that all say the same are one member."""
    assert combine_dependent([llr] * times, np.zeros(times, int), 1)[0] == pytest.approx(llr, rel=1e-12, abs=1e-12)


def test_copies_of_one_chance_stay_an_e_value():
    """Perfectly dependent members do not exceed 1/α more often than α, where their sum does."""
    rng = np.random.default_rng(9)
    one = rng.normal(-2.0, 2.0, 4000)
    cluster = np.repeat(np.arange(4000), 10)
    combined = combine_dependent(np.repeat(one, 10), cluster, 4000)
    assert np.mean(combined >= np.log(20)) <= 0.05
    assert np.mean(one * 10 >= np.log(20)) > 0.05


@given(members, st.floats(0, 1))
def test_tempering_equals_the_loop(rows, correlation):
    """Each member is divided by the design effect of the telling members of its site."""
    llr, site = columns(rows)
    found = tempered(llr, site, 4, correlation)
    np.testing.assert_allclose(found, naive_mixture.tempered(llr.tolist(), site, correlation), rtol=1e-12)


def test_tempering_ends():
    """Without correlation nothing changes; with correlation 1 the site weighs as much as its mean."""
    llr, site = np.array([1.0, 2.0, 0.0, 5.0]), np.array([0, 0, 0, -1])
    assert tempered(llr, site, 1, 0.0).tolist() == llr.tolist()
    assert tempered(llr, site, 1, 1.0).tolist() == [0.5, 1.0, 0.0, 5.0]


@given(values)
def test_icc_equals_the_textbook(rows):
    """The estimate is that of the analysis of variance, NaN left out, and always from 0 to 1."""
    numbers, group = columns(rows)
    found = intraclass_correlation(numbers, group, 4)
    assert 0 <= found <= 1
    known = numbers[~np.isnan(numbers)]
    if len(known) == 0 or np.ptp(known) == 0 or np.ptp(known) > 1e-6:  # the textbook's differences cancel
        assert found == pytest.approx(naive_mixture.intraclass_correlation(numbers.tolist(), group, 4), abs=1e-6)


@pytest.mark.parametrize("truth", [0.0, 0.1, 0.6])
def test_icc_recovers_the_correlation(truth):
    """Values with a common part of known variance give that share of it."""
    rng = np.random.default_rng(10)
    group = rng.integers(0, 500, 5000)
    numbers = np.sqrt(truth) * rng.normal(size=500)[group] + np.sqrt(1 - truth) * rng.normal(size=5000)
    assert intraclass_correlation(numbers, group, 500) == pytest.approx(truth, abs=0.05)


@pytest.mark.parametrize(
    ("numbers", "group"),
    [([], []), ([1.0], [0]), ([1.0, 2.0], [0, 1]), ([1.0, 2.0], [0, 0]), ([3.0] * 4, [0, 0, 1, 1]), ([np.nan], [0])],
)
def test_icc_of_too_little_is_0(numbers, group):
    """One group, single members, constants and nothing show no correlation."""
    assert intraclass_correlation(np.array(numbers), np.array(group, int), 3) == 0.0


def test_icc_of_groups_of_equals_is_1():
    """Members that equal their group are wholly alike, however large the numbers."""
    assert intraclass_correlation([1e300, 1e300, -1e300, -1e300], np.array([0, 0, 1, 1]), 2) == pytest.approx(1.0)


def test_infinite_values_have_no_variance():
    """Infinity is refused by name."""
    with pytest.raises(ParameterError, match="values="):
        intraclass_correlation([np.inf, 1.0], np.array([0, 0]), 1)


@pytest.mark.parametrize("correlation", [-0.1, 1.1, np.nan])
def test_correlations_that_are_none_are_refused(correlation):
    """A design effect needs a correlation from 0 to 1."""
    with pytest.raises(ParameterError, match="correlation="):
        tempered([1.0], np.array([0]), 1, correlation)


@pytest.mark.parametrize(
    ("values", "group", "count", "named"),
    [([np.nan], [0], 1, "llr"), ([1.0], [], 1, "group"), ([1.0], [1], 1, "group"), ([], [], -1, "count")],
)
def test_wrong_members_are_refused_by_name(values, group, count, named):
    """Lengths, NaN and groups out of range are the caller's mistake."""
    with pytest.raises(ParameterError, match=f"^{named}="):
        checked_members(values, np.array(group, int), count, "llr")
    with pytest.raises(ParameterError, match=f"^{named}="):
        combine_dependent(values, np.array(group, int), count)
