"""Targets against controls: the Bayes factor against all pairs, the exact test against whole numbers and scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.errors import ParameterError
from netinterf.stats.contrast import contingency_log_p, contrast
from netinterf.stats.mixture import log_likelihoods, share_grid
from tests.oracles import naive_mixture

GRID = share_grid()
evidence = st.lists(st.floats(-20, 20) | st.sampled_from([0.0, np.inf, -np.inf]), max_size=12)
counts = st.tuples(*[st.integers(0, 60)] * 4)


def loglik(llr, grid=GRID):
    """Give the log-likelihoods of one group."""
    return log_likelihoods(np.array(llr, float), np.zeros(len(llr), int), 1, grid)


@given(evidence, evidence, st.sampled_from([GRID, share_grid(5, 0.1), np.array([0.4])]))
def test_contrast_equals_all_pairs(target, control, grid):
    """The cumulative sum is the sum over all ordered pairs of shares."""
    hit, beside = loglik(target, grid), loglik(control, grid)
    expected = naive_mixture.contrast(hit[0].tolist(), beside[0].tolist())
    assert contrast(hit, beside, grid)[0] == pytest.approx(expected, rel=1e-10, abs=1e-9)


@given(evidence)
def test_one_side_alone_says_nothing(llr):
    """Without controls, or without targets, the contrast is exactly 0."""
    assert contrast(loglik(llr), loglik([]), GRID)[0] == 0
    assert contrast(loglik([0.0, 0.0]), loglik(llr), GRID)[0] == 0


@given(evidence, evidence, st.floats(0.01, 20))
def test_affected_targets_raise_it_and_affected_controls_lower_it(target, control, more):
    """The contrast is monotone in both sides, once both say something."""
    target, control = [*target, 0.5], [*control, 0.5]
    before = contrast(loglik(target), loglik(control), GRID)[0]
    slack = 1e-9 * (1 + abs(before))
    assert contrast(loglik([*target, more]), loglik(control), GRID)[0] >= before - slack
    assert contrast(loglik(target), loglik([*control, more]), GRID)[0] <= before + slack


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=20))
def test_a_weak_side_lends_at_most_a_factor_of_two(llr):
    """Where the other side says next to nothing the factor stays below 2."""
    assert contrast(loglik(llr), loglik([1e-9]), GRID)[0] <= np.log(2) + 1e-6
    assert contrast(loglik([1e-9]), loglik(llr), GRID)[0] <= np.log(2) + 1e-6


def test_direction_and_sameness():
    """Affected targets beside spared controls are told; the reverse and equal shares are not."""
    rng = np.random.default_rng(5)
    affected, clean = rng.normal(2, 2, 40), rng.normal(-2, 2, 40)
    assert contrast(loglik(affected), loglik(clean), GRID)[0] > 20
    assert contrast(loglik(clean), loglik(affected), GRID)[0] < -2
    assert contrast(loglik(affected), loglik(rng.normal(2, 2, 40)), GRID)[0] < 0
    assert contrast(loglik(clean), loglik(rng.normal(-2, 2, 40)), GRID)[0] < 0


def test_equal_shares_are_rarely_called_different():
    """With a common share of 0, 0.3 or 1 the factor exceeds 20 in at most a twentieth of trials."""
    rng = np.random.default_rng(6)
    for share in (0.0, 0.3, 1.0):
        sides = []
        for size in (20, 60):
            affected = rng.random((400, size)) < share
            llr = rng.normal(np.where(affected, 2.0, -2.0), 2.0).ravel()
            sides.append(log_likelihoods(llr, np.repeat(np.arange(400), size), 400, GRID))
        assert np.mean(contrast(*sides, GRID) > np.log(20)) <= 0.05


def test_rows_do_not_mix():
    """Many rows at once are the rows one by one; no rows give none."""
    rng = np.random.default_rng(7)
    rows = [loglik(rng.normal(0, 3, rng.integers(0, 9))) for _ in range(20)]
    hit, beside = np.concatenate(rows[:10]), np.concatenate(rows[10:])
    together = contrast(hit, beside, GRID)
    alone = [contrast(one, two, GRID)[0] for one, two in zip(rows[:10], rows[10:], strict=True)]
    np.testing.assert_allclose(together, alone, rtol=1e-12)
    assert len(contrast(np.empty((0, 50)), np.empty((0, 50)), GRID)) == 0


@pytest.mark.parametrize(
    ("target", "control", "named"),
    [
        (np.zeros((1, 3)), np.zeros((1, 50)), "target"),
        (np.zeros((1, 50)), np.zeros((2, 50)), "control"),
        (np.full((1, 50), np.nan), np.zeros((1, 50)), "target"),
        (np.zeros((1, 50)), np.full((1, 50), np.inf), "control"),
    ],
)
def test_matrices_that_do_not_fit_are_refused(target, control, named):
    """Shapes and numbers are checked and named."""
    with pytest.raises(ParameterError, match=f"{named}="):
        contrast(target, control, GRID)


@given(st.lists(counts, max_size=10))
def test_contingency_equals_whole_numbers(tables):
    """The tail is the exact ratio of binomial coefficients, in either half of the distribution."""
    found = contingency_log_p(*np.array(tables, int).reshape(-1, 4).T)
    np.testing.assert_allclose(found, [naive_mixture.fisher(*table) for table in tables], rtol=1e-9, atol=1e-11)


def test_contingency_equals_scipy():
    """The p-values are those of scipy's one-sided exact test."""
    from scipy.stats import fisher_exact

    rng = np.random.default_rng(8)
    tables = rng.integers(0, 30, (60, 4))
    expected = [fisher_exact([[a, b], [c, d]], alternative="greater").pvalue for a, b, c, d in tables]
    np.testing.assert_allclose(np.exp(contingency_log_p(*tables.T)), expected, rtol=1e-9)


def test_contingency_reaches_where_p_values_underflow():
    """A logarithm has no smallest value; large tables and lopsided ones are summed in full."""
    found = contingency_log_p(
        [2000, 0, 5, 300_000, 1], [0, 0, 0, 700_000, 0], [0, 9, 9, 299_000, 0], [2000, 9, 0, 701_000, 10**9]
    )
    assert found[0] == pytest.approx(naive_mixture.fisher(2000, 0, 0, 2000), rel=1e-9)
    assert found[1:3].tolist() == [0.0, 0.0]
    assert found[3] == pytest.approx(np.log(0.0617), abs=0.01)  # z = 1.54
    assert found[4] == pytest.approx(-np.log(10**9 + 1), rel=1e-9)


def test_counts_are_broadcast():
    """One control serves many targets."""
    assert len(contingency_log_p([1, 2, 3], 0, 0, 5)) == 3
    assert len(contingency_log_p([], [], [], [])) == 0


@pytest.mark.parametrize("value", [-1, 0.5, np.nan, np.inf])
def test_counts_that_are_none_are_refused(value):
    """Counts are whole, finite and at least 0."""
    with pytest.raises(ParameterError, match="whole numbers"):
        contingency_log_p([value], [1], [1], [1])
