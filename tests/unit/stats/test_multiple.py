"""False-discovery procedures against their definitions and against scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.errors import ParameterError
from netinterf.stats.multiple import benjamini_hochberg, benjamini_yekutieli, e_benjamini_hochberg, posterior_q
from tests.oracles import naive_stats

p_values = st.lists(st.floats(0, 1), max_size=25)


@given(p_values)
def test_bh_equals_its_definition(p):
    """The q-value is the least level at which the step-up procedure rejects."""
    expected = naive_stats.step_up(p) if p else []
    np.testing.assert_allclose(benjamini_hochberg(p), expected, atol=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=25))
def test_bh_and_by_equal_scipy(p):
    """Both agree with the reference implementation."""
    from scipy.stats import false_discovery_control

    np.testing.assert_allclose(benjamini_hochberg(p), false_discovery_control(p, method="bh"), atol=1e-12)
    np.testing.assert_allclose(benjamini_yekutieli(p), false_discovery_control(p, method="by"), atol=1e-12)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=25), st.floats(0.01, 0.5))
def test_e_bh_rejects_the_largest_k(e, alpha):
    """Rejected are the k largest for the largest k with e_(k) ≥ n / (k·α)."""
    ranked = sorted(e, reverse=True)
    fits = [k for k in range(1, len(e) + 1) if ranked[k - 1] * k * alpha >= len(e) * (1 + 1e-12)]
    least = ranked[max(fits) - 1] if fits else np.inf
    q = e_benjamini_hochberg(e)
    assert all(q[place] <= alpha for place, value in enumerate(e) if value >= least)
    assert not np.any(q[np.array(e) == 0] < 1)


def test_infinite_evidence_is_always_rejected():
    """An impossibility has q-value 0, no evidence 1."""
    assert e_benjamini_hochberg([np.inf, 0.0]).tolist() == [0.0, 1.0]


def test_posterior_q_is_the_running_mean_error():
    """Each finding carries the mean error of those at least as probable; ties share it."""
    np.testing.assert_allclose(posterior_q([0.9, 1.0, 0.5, 0.9]), [0.2 / 3, 0.0, 0.7 / 4, 0.2 / 3])
    assert len(posterior_q([])) == 0


@pytest.mark.parametrize("procedure", [benjamini_hochberg, benjamini_yekutieli, posterior_q])
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_no_probability_is_refused(procedure, value):
    """Values outside 0 … 1 are refused by name."""
    with pytest.raises(ParameterError, match="from 0 to 1"):
        procedure([0.5, value])


def test_negative_evidence_is_refused():
    """e-values are at least 0."""
    with pytest.raises(ParameterError, match="at least 0"):
        e_benjamini_hochberg([1.0, -1.0])
