"""Calibration: curves against other optimisers and formulas, scores against loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.errors import ParameterError
from netinterf.stats.calibration import (
    apply_isotonic,
    brier,
    calibration_error,
    isotonic,
    likelihood_ratio,
    log_loss,
    platt,
    reliability,
    rule_of_three,
)
from tests.oracles import naive_calibration, naive_rates

examples = st.lists(
    st.tuples(st.floats(-50, 50) | st.integers(-2, 2).map(float), st.booleans(), st.floats(0.01, 5)), max_size=25
)
said = st.lists(
    st.tuples(st.floats(0, 1) | st.sampled_from([0.0, 0.5, 1.0]), st.booleans(), st.floats(0.01, 5)),
    min_size=1,
    max_size=40,
)


def columns(rows):
    """Lay generated examples out as columns."""
    return (
        np.array([value for value, _, _ in rows], float),
        np.array([truth for _, truth, _ in rows], bool),
        np.array([weight for _, _, weight in rows], float),
    )


@given(examples.filter(len))
def test_platt_equals_another_optimiser(rows):
    """No curve with a slope of at least 0 fits better than the one found; L-BFGS over scaled scores looks for it."""
    from scipy.optimize import minimize

    score, truth, weight = columns(rows)
    scale = max(1e-9, np.ptp(score))

    def loss(at):
        slope = at[0] / scale
        return naive_rates.platt_loss(slope, at[1] - slope * score.min(), score, truth, weight)

    best = minimize(loss, [0.1, 0.0], method="L-BFGS-B", bounds=[(0, None), (None, None)])
    slope, intercept = platt(score, truth, weight)
    assert slope >= 0
    own = naive_rates.platt_loss(slope, intercept, score, truth, weight)
    assert own <= best.fun + 1e-6 * (1 + abs(best.fun))


def test_platt_recovers_the_curve():
    """Truth drawn from a logistic curve gives it back, at any scale of the score."""
    rng = np.random.default_rng(15)
    score = rng.normal(0, 2, 20_000)
    truth = rng.random(20_000) < 1 / (1 + np.exp(-(1.5 * score - 1)))
    assert platt(score, truth) == pytest.approx((1.5, -1.0), abs=0.06)
    slope, intercept = platt(score * 1e9 + 5e9, truth)
    assert slope * 1e9 == pytest.approx(1.5, abs=0.06)
    assert slope * 5e9 + intercept == pytest.approx(-1.0, abs=0.06)


@pytest.mark.parametrize("size", [1, 10, 100, 10_000])
def test_platt_of_separable_examples_is_finite(size):
    """Perfect separation ends at Platt's targets."""
    score = np.repeat([-1.0, 1.0], size)
    slope, intercept = platt(score, score > 0)
    assert 1 / (1 + np.exp(-(slope + intercept))) == pytest.approx((size + 1) / (size + 2), abs=1e-6)
    assert 1 / (1 + np.exp(-(-slope + intercept))) == pytest.approx(1 / (size + 2), abs=1e-6)


def test_platt_of_too_little_is_flat():
    """No examples, constant scores, one kind only and scores that fall with truth have slope 0."""
    assert platt([], []) == (0.0, 0.0)
    assert platt([1.0], [True], [0.0]) == (0.0, 0.0)
    assert platt([3.0] * 4, [True, True, False, False]) == (0.0, pytest.approx(0.0))
    slope, intercept = platt([0.0, 1.0, 2.0], [True] * 3)
    assert slope == pytest.approx(0.0, abs=1e-6)
    assert intercept == pytest.approx(np.log(4))
    assert platt([2.0, 1.0, 0.0, -1.0], [False, False, True, True])[0] == 0.0


def test_platt_of_extreme_scores_is_finite():
    """Scores near the ends of the double range, and one far outlier, do no harm."""
    assert np.isfinite(platt([-1e308, 1e308], [False, True])).all()
    rng = np.random.default_rng(16)
    score = np.append(rng.normal(size=500), 1e12)
    slope, intercept = platt(score, np.append(score[:-1] > 0, True))
    assert np.isfinite([slope, intercept]).all()
    assert slope > 0


@given(examples)
def test_isotonic_equals_the_formula_and_scipy(rows):
    """At every score the curve is the max-min of means, and what scipy finds, within Platt's targets."""
    from scipy.optimize import isotonic_regression

    score, truth, weight = columns(rows)
    knots = isotonic(score, truth, weight)
    places, expected = naive_rates.isotonic(score.tolist(), truth.tolist(), weight.tolist())
    if not places:
        assert apply_isotonic([3.0], knots).tolist() == [0.5]
        return
    positive = int(truth.sum())
    ends = 1 / (len(truth) - positive + 2), (positive + 1) / (positive + 2)
    found = apply_isotonic(places, knots)
    np.testing.assert_allclose(found, np.clip(expected, *ends), atol=1e-9)
    own = [score == place for place in places]
    share = [np.average(truth[rows], weights=weight[rows]) for rows in own]
    theirs = isotonic_regression(share, weights=[weight[rows].sum() for rows in own]).x
    np.testing.assert_allclose(found, np.clip(theirs, *ends), atol=1e-9)
    assert np.all(np.diff(knots[0]) > 0)
    assert np.all(np.diff(knots[1]) >= 0)


def test_isotonic_is_constant_beyond_its_ends():
    """Infinite scores read the ends, never 0 or 1; NaN stays NaN."""
    knots = isotonic([0.0, 1.0, 2.0, 3.0], [False, False, True, True])
    found = apply_isotonic([-np.inf, 0.0, 1.5, 3.0, np.inf, np.nan], knots)
    np.testing.assert_allclose(found[:5], [0.25, 0.25, 0.5, 0.75, 0.75])
    assert np.isnan(found[5])
    assert len(apply_isotonic([], knots)) == 0


def test_knots_that_are_none_are_refused():
    """A curve has as many probabilities as scores, and one at least."""
    for knots in ((np.zeros(0), np.zeros(0)), (np.zeros(2), np.zeros(1))):
        with pytest.raises(ParameterError, match="knots="):
            apply_isotonic([1.0], knots)


@given(st.floats(0.001, 0.999), st.floats(0.001, 0.999))
def test_likelihood_ratios_are_bayes_backwards(probability, prevalence):
    """Prior odds times the ratio are the posterior odds."""
    odds = np.exp(likelihood_ratio([probability], prevalence)[0]) * prevalence / (1 - prevalence)
    assert odds / (1 + odds) == pytest.approx(probability, rel=1e-9)


def test_likelihood_ratio_ends():
    """Certainty is infinite, the base rate is no evidence, and nothing gives nothing."""
    assert likelihood_ratio([0.0, 1.0, 0.3], 0.3).tolist() == [-np.inf, np.inf, 0.0]
    assert len(likelihood_ratio([], 0.5)) == 0
    for probability, prevalence in (([1.1], 0.5), ([np.nan], 0.5), ([0.5], 0.0), ([0.5], 1.0), ([0.5], np.nan)):
        with pytest.raises(ParameterError):
            likelihood_ratio(probability, prevalence)


def test_rule_of_three():
    """300 examples support 100 to 1, three and fewer nothing."""
    assert rule_of_three(300) == pytest.approx(np.log(100))
    assert [rule_of_three(count) for count in (0, 1, 3, -5)] == [0.0] * 4
    assert rule_of_three(4) == pytest.approx(np.log(4 / 3))


@given(said, st.integers(1, 15))
def test_scores_equal_the_loops(rows, bins):
    """Brier, log loss and calibration error are weighted means over examples."""
    p, truth, weight = columns(rows)
    assert brier(p, truth, weight) == pytest.approx(naive_rates.brier(p, truth, weight))
    assert log_loss(p, truth, weight) == pytest.approx(naive_rates.log_loss(p, truth, weight))
    found = calibration_error(reliability(p, truth, weight, bins))
    assert found == pytest.approx(naive_rates.calibration_error(p.tolist(), truth, weight, bins), abs=1e-9)


@given(said, st.integers(1, 15))
def test_a_diagram_equals_the_loop(rows, bins):
    """Every bin holds what one example at a time puts into it."""
    p, truth, weight = columns(rows)
    given = None if weight is None else weight
    slow = naive_calibration.reliability(p.tolist(), truth, np.ones(len(p)) if given is None else given, bins)
    found = reliability(p, truth, weight, bins)
    for name in ("count", "probability", "share", "effective", "low", "high", "weight"):
        np.testing.assert_allclose(getattr(found, name), [one[name] for one in slow], rtol=1e-6, atol=1e-6)


def test_exact_probabilities_have_a_small_error():
    """Calibrated forecasts have an error near 0, and each bin's interval holds what was said nearly always."""
    rng = np.random.default_rng(17)
    p = rng.beta(0.5, 2, 20_000)
    diagram = reliability(p, rng.random(20_000) < p)
    assert calibration_error(diagram) < 0.01
    assert np.sum((diagram.low <= diagram.probability) & (diagram.probability <= diagram.high)) >= 10
    assert len(diagram.count) == 12
    assert np.ptp(diagram.count) <= 1


def test_bins_never_part_equals_and_leave_out_what_has_no_weight():
    """One probability is one bin; weightless examples count nowhere; tiny weights are weights."""
    assert len(reliability([0.5] * 30, [True] * 30).count) == 1
    assert reliability([0.1, 0.9], [False, True], [1.0, 0.0]).count.tolist() == [1]
    tiny = reliability([0.2, 0.2], [False, True], [1e-200, 1e-200])
    assert tiny.share.tolist() == [0.5]
    assert tiny.effective[0] == pytest.approx(2)


def test_no_examples_have_no_score():
    """Without examples means are NaN, the diagram is empty, and its error 0."""
    assert np.isnan(brier([], []))
    assert np.isnan(log_loss([], []))
    assert np.isnan(brier([0.5], [True], [0.0]))
    empty = reliability([], [])
    assert len(empty.count) == len(empty.low) == 0
    assert calibration_error(empty) == 0.0


def test_impossible_truths_cost_what_the_clip_allows():
    """A certain error costs 27.6 nats, never infinity."""
    assert log_loss([0.0, 1.0], [True, False]) == pytest.approx(-np.log(1e-12), rel=1e-4)


@pytest.mark.parametrize("function", [platt, isotonic, brier, log_loss, reliability])
@pytest.mark.parametrize(
    ("value", "truth", "weight"),
    [
        ([np.nan], [True], None),
        ([np.inf], [True], None),
        ([0.5], [True, False], None),
        ([0.5], [True], [1.0, 2.0]),
        ([0.5], [True], [-1.0]),
        ([0.5], [True], [np.nan]),
    ],
)
def test_wrong_examples_are_refused(function, value, truth, weight):
    """Lengths, weights and numbers that cannot be meant are refused."""
    with pytest.raises(ParameterError):
        function(value, truth, weight)


def test_bins_that_are_none_are_refused():
    """A diagram has a bin."""
    with pytest.raises(ParameterError, match="bins="):
        reliability([0.5], [True], bins=0)
