"""Statistics: arrays in, arrays out. Nothing here knows what a packet is.

From members to findings: `calibration` turns scores into likelihood ratios, `dependence` combines members that may go
wrong together, `mixture` judges groups of which a share is affected, `contrast` and `windows` compare them with others
and with themselves at other times, `rates` shrinks counts of small groups, and `multiple` says how many findings may
be believed at once. `changes` finds when something changed, `sequential` while it goes on, and `diurnal` says what is
usual at an hour. `names` finds what blocked names have in common. `levels`, `losses`, `bucket` and `robust` serve
the analysis of throughput. Importing this loads numpy only; scipy is loaded by the functions that need it.
"""

from netinterf.stats.bucket.fit import (
    BucketFit,
    fit_bucket,
    loss_line_rate,
)
from netinterf.stats.bucket.following import Fates, follow_bucket
from netinterf.stats.bucket.passed import measure_bucket
from netinterf.stats.bucket.profile import bucket_intervals
from netinterf.stats.bucket.search import refine_buckets, search_bucket, search_buckets
from netinterf.stats.calibration import (
    Reliability,
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
from netinterf.stats.changes import (
    Split,
    best_split,
    binomial_cost,
    cusum,
    gaussian_cost,
    pelt,
    poisson_cost,
    split_p,
)
from netinterf.stats.concentration import CommonLimit, Lives, find_common_limit, find_common_limits
from netinterf.stats.contrast import contingency_log_p, contrast
from netinterf.stats.dependence import combine_dependent, intraclass_correlation, tempered
from netinterf.stats.diurnal import hourly_share
from netinterf.stats.levels import backlog, burst_curve, row_blocks
from netinterf.stats.losses import (
    binomial_likelihood,
    fading_likelihood,
    harmless_likelihood,
    harmless_likelihoods,
    price,
)
from netinterf.stats.mixture import (
    Mixture,
    log_likelihoods,
    log_mean_exp,
    member_log_odds,
    mixture_of,
    share_grid,
    theta_mixture,
)
from netinterf.stats.multiple import benjamini_hochberg, benjamini_yekutieli, e_benjamini_hochberg, posterior_q
from netinterf.stats.names import ListSize, NameRule, list_size, name_rules
from netinterf.stats.rates import (
    Shrunk,
    clopper_pearson_upper,
    exceeds,
    fit_beta_binomial,
    share_difference,
    shrink,
    wilson,
)
from netinterf.stats.robust import group_median, group_quantile, robust_scale, theil_sen
from netinterf.stats.sequential import e_detector, e_of_p, share_e_process
from netinterf.stats.windows import Window, best_window

__all__ = [
    "BucketFit",
    "CommonLimit",
    "Fates",
    "ListSize",
    "Lives",
    "Mixture",
    "NameRule",
    "Reliability",
    "Shrunk",
    "Split",
    "Window",
    "apply_isotonic",
    "backlog",
    "benjamini_hochberg",
    "benjamini_yekutieli",
    "best_split",
    "best_window",
    "binomial_cost",
    "binomial_likelihood",
    "brier",
    "bucket_intervals",
    "burst_curve",
    "calibration_error",
    "clopper_pearson_upper",
    "combine_dependent",
    "contingency_log_p",
    "contrast",
    "cusum",
    "e_benjamini_hochberg",
    "e_detector",
    "e_of_p",
    "exceeds",
    "fading_likelihood",
    "find_common_limit",
    "find_common_limits",
    "fit_beta_binomial",
    "fit_bucket",
    "follow_bucket",
    "gaussian_cost",
    "group_median",
    "group_quantile",
    "harmless_likelihood",
    "harmless_likelihoods",
    "hourly_share",
    "intraclass_correlation",
    "isotonic",
    "likelihood_ratio",
    "list_size",
    "log_likelihoods",
    "log_loss",
    "log_mean_exp",
    "loss_line_rate",
    "measure_bucket",
    "member_log_odds",
    "mixture_of",
    "name_rules",
    "pelt",
    "platt",
    "poisson_cost",
    "posterior_q",
    "price",
    "refine_buckets",
    "reliability",
    "robust_scale",
    "row_blocks",
    "rule_of_three",
    "search_bucket",
    "search_buckets",
    "share_difference",
    "share_e_process",
    "share_grid",
    "shrink",
    "split_p",
    "tempered",
    "theil_sen",
    "theta_mixture",
    "wilson",
]
