"""Every public statistic has a slow, obvious twin or a second opinion, and the public module holds all of them."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from netinterf import stats

HERE = Path(__file__).parent

TWINS = {
    "apply_isotonic": "test_calibration.py::test_isotonic_equals_the_formula_and_scipy",
    "backlog": "test_levels.py::test_backlog_equals_the_loop",
    "benjamini_hochberg": "test_multiple.py::test_bh_equals_its_definition",
    "benjamini_yekutieli": "test_extreme.py::test_by_is_bh_times_the_harmonic_number",
    "best_split": "test_changes.py::test_the_best_split_is_the_best_of_all",
    "best_window": "test_windows.py::test_the_window_equals_trying_all",
    "binomial_cost": "test_changes.py::test_costs_are_those_of_the_best_level",
    "binomial_likelihood": "test_losses.py::test_binomial_likelihoods_equal_the_loop",
    "brier": "test_calibration.py::test_scores_equal_the_loops",
    "bucket_intervals": "test_ratelimit.py::test_intervals_hold_what_explains_nearly_as_well",
    "burst_curve": "test_levels.py::test_burst_curve_equals_all_pairs",
    "calibration_error": "test_calibration.py::test_scores_equal_the_loops",
    "clopper_pearson_upper": "test_rates.py::test_the_upper_bound_equals_a_search",
    "combine_dependent": "test_dependence.py::test_clusters_equal_the_loop",
    "contingency_log_p": "test_contrast.py::test_contingency_equals_whole_numbers",
    "contrast": "test_contrast.py::test_contrast_equals_all_pairs",
    "cusum": "test_changes.py::test_cusum_is_a_reflected_sum",
    "e_benjamini_hochberg": "test_multiple.py::test_e_bh_rejects_the_largest_k",
    "e_detector": "test_sequential.py::test_the_detector_is_the_best_of_all_beginnings",
    "e_of_p": "test_sequential.py::test_calibrated_p_values_are_e_values",
    "exceeds": "test_rates.py::test_posteriors_equal_scipy",
    "find_common_limit": "test_concentration.py::test_limits_equal_loops_over_all_of_them",
    "find_common_limits": "test_concentration.py::test_clients_side_by_side_are_each_what_they_are_alone",
    "fading_likelihood": "test_losses.py::test_a_fading_link_equals_the_loop",
    "fit_beta_binomial": "test_rates.py::test_the_fit_equals_a_simplex_search",
    "fit_bucket": "test_ratelimit.py::test_the_best_of_all_buckets_is_found",
    "follow_bucket": "test_ratelimit.py::test_following_equals_the_loop",
    "gaussian_cost": "test_changes.py::test_costs_are_those_of_the_best_level",
    "group_median": "test_extreme.py::test_medians_and_scales_equal_the_standard_library",
    "group_quantile": "test_robust.py::test_quantiles_equal_numpy",
    "harmless_likelihood": "test_losses.py::test_harmless_is_the_better_of_both_at_its_price",
    "harmless_likelihoods": "test_losses.py::test_series_side_by_side_are_each_what_they_are_alone",
    "hourly_share": "test_sequential.py::test_usual_shares_equal_the_loop",
    "intraclass_correlation": "test_dependence.py::test_icc_equals_the_textbook",
    "isotonic": "test_calibration.py::test_isotonic_equals_the_formula_and_scipy",
    "likelihood_ratio": "test_calibration.py::test_likelihood_ratios_are_bayes_backwards",
    "list_size": "test_names.py::test_the_size_of_a_list",
    "log_likelihoods": "test_mixture.py::test_log_likelihoods_equal_the_loop",
    "log_loss": "test_calibration.py::test_scores_equal_the_loops",
    "log_mean_exp": "test_mixture.py::test_log_mean_exp_equals_the_loop",
    "loss_line_rate": "test_extreme.py::test_loss_line_equals_the_slope_of_passed_bytes",
    "measure_bucket": "test_ratelimit.py::test_a_bucket_is_found_with_its_rate_and_depth",
    "member_log_odds": "test_mixture.py::test_member_odds_equal_the_loop",
    "mixture_of": "test_mixture.py::test_mixtures_equal_the_loop",
    "name_rules": "test_names.py::test_rules_hold",
    "pelt": "test_changes.py::test_pelt_is_exact",
    "platt": "test_calibration.py::test_platt_equals_another_optimiser",
    "poisson_cost": "test_changes.py::test_costs_are_those_of_the_best_level",
    "posterior_q": "test_extreme.py::test_posterior_q_equals_the_loop",
    "price": "test_losses.py::test_a_price_is_half_the_logarithm_for_each_number",
    "refine_buckets": "test_bucketsearch.py::test_refining_finds_the_bucket_from_nearby",
    "reliability": "test_calibration.py::test_a_diagram_equals_the_loop",
    "robust_scale": "test_extreme.py::test_medians_and_scales_equal_the_standard_library",
    "row_blocks": "test_levels.py::test_row_blocks_bound_the_memory",
    "rule_of_three": "test_calibration.py::test_rule_of_three",
    "search_bucket": "test_ratelimit.py::test_a_bucket_is_found_with_its_rate_and_depth",
    "search_buckets": "test_bucketsearch.py::test_a_search_equals_trying_every_bucket",
    "share_difference": "test_rates.py::test_differences_of_shares_are_those_of_the_paper",
    "share_e_process": "test_sequential.py::test_the_mixture_is_an_average_of_likelihood_ratios",
    "share_grid": "test_mixture.py::test_the_grid_begins_and_ends_as_said",
    "shrink": "test_rates.py::test_posteriors_equal_scipy",
    "split_p": "test_changes.py::test_a_chosen_split_is_tested_honestly",
    "tempered": "test_dependence.py::test_tempering_equals_the_loop",
    "theil_sen": "test_extreme.py::test_slopes_equal_all_pairs",
    "theta_mixture": "test_mixture.py::test_mixtures_equal_the_loop",
    "wilson": "test_rates.py::test_wilson_equals_a_search",
}
"""Public function → the test that compares it with another way to compute the same."""


def test_every_public_function_has_a_twin():
    """A function without a registered comparison, or a comparison without a function, fails here."""
    functions = {name for name in stats.__all__ if inspect.isfunction(getattr(stats, name))}
    assert functions == set(TWINS)


@pytest.mark.parametrize("name", sorted(TWINS))
def test_the_twin_is_a_test_that_calls_it(name):
    """The registered test exists, and its file uses the function."""
    file, test = TWINS[name].split("::")
    text = (HERE / file).read_text(encoding="utf-8")
    assert f"def {test}(" in text
    body = text.split(f"def {test}(", 1)[1].split("\ndef ", 1)[0]
    assert f"{name}(" in body


def test_every_public_name_is_documented_and_sorted():
    """What is public has a docstring and stands in order."""
    assert sorted(stats.__all__) == stats.__all__
    assert all(inspect.getdoc(getattr(stats, name)) for name in stats.__all__)


def test_importing_the_statistics_loads_numpy_only():
    """Functions that need scipy load it themselves."""
    code = "import sys, netinterf.stats; print([m for m in sys.modules if m.split('.')[0] == 'scipy'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
