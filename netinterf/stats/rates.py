"""How often it happened in each of many groups, small ones included: k of n, shrunk towards what groups are like.

Three of three is no rate of 100 %. The groups together say what rates are usual (a beta prior fitted by its marginal
likelihood), and each group's own counts move it from there. Intervals of single counts stand beside it.

Sources: Gelman et al., "Bayesian Data Analysis", 3rd ed. 2013, §5.3 (the beta-binomial model); Wilson, JASA 1927;
Clopper and Pearson, Biometrika 1934; Jeffreys, "Theory of Probability", 1961, §3.1 (the prior of the mean).
"""

import numpy as np
from numpy.typing import ArrayLike

from netinterf.arrays import F64
from netinterf.errors import ParameterError
from netinterf.numbering import combined, numbered
from netinterf.table import spans
from netinterf.values import frozen

__all__ = [
    "LEAST_PROBABILITY",
    "STRENGTH_BOUNDS",
    "STRENGTH_PRIOR",
    "Shrunk",
    "beta_binomial_tail",
    "clopper_pearson_upper",
    "exceeds",
    "fit_beta_binomial",
    "share_difference",
    "shrink",
    "wilson",
]

STRENGTH_BOUNDS = (1.0, 1e4)
"""Least and greatest strength s = a + b of the prior, in pseudo-counts."""

STRENGTH_PRIOR = (20.0, 1.5)
"""Median and log-standard deviation of the log-normal prior on the strength. It is weak (95 % from 1 to 380), and
needed because the likelihood rises for ever when groups are alike and falls for ever when all are 0 of n or n of n."""

LEAST_PROBABILITY = 1e-300
"""Tail probabilities are kept this far from 0, so that their logarithm is finite."""


@frozen(eq=False, kw_only=True)
class Shrunk:
    """Rates after shrinking, one number per group."""

    mean: F64  # posterior mean
    low: F64  # equal-tailed posterior interval
    high: F64


def fit_beta_binomial(k: ArrayLike, n: ArrayLike) -> tuple[float, float]:
    """Fit the beta distribution that the rates of groups come from, by marginal likelihood.

    Maximised over ``logit m`` and ``ln s``, with mean m = a / (a + b) and strength s = a + b, from several starts.
    The prior is Jeffreys' on m, which keeps it off 0 and 1 when nothing or everything happened, and
    :data:`STRENGTH_PRIOR` on s. Equal groups are counted, not repeated.

    Args:
        k: How often it happened in each group, from 0 to n.
        n: How often it could have; groups with 0 are left out.

    Returns:
        The parameters a and b; (10, 10), the centre of the priors, without any group.

    Raises:
        ParameterError: The columns differ in length, or a count is not finite or not from 0 to n.
    """
    from scipy.optimize import minimize
    from scipy.special import betaln, digamma, expit

    hits, trials = _checked_counts(k, n)
    pairs, times = np.unique(np.stack([hits, trials])[:, trials > 0], axis=1, return_counts=True)
    hit, spared = pairs[0], pairs[1] - pairs[0]
    median, sigma = STRENGTH_PRIOR

    def loss(at: F64) -> tuple[float, F64]:
        """Give the negative log-posterior at (logit m, ln s), and its gradient."""
        mean, rest, strength = float(expit(at[0])), float(expit(-at[0])), float(np.exp(at[1]))
        a, b = mean * strength, rest * strength
        off = (at[1] - np.log(median)) / sigma
        value = times @ (betaln(a + hit, b + spared) - betaln(a, b)) - off**2 / 2
        value += (np.log(mean) + np.log(rest)) / 2
        common = digamma(strength) - digamma(strength + hit + spared)
        by_a = times @ (digamma(a + hit) - digamma(a) + common)
        by_b = times @ (digamma(b + spared) - digamma(b) + common)
        slope = np.array(
            [(by_a - by_b) * mean * rest * strength + (rest - mean) / 2, by_a * a + by_b * b - off / sigma]
        )
        return -float(value), -slope

    pooled = (hit @ times + 0.5) / (float((hit + spared) @ times) + 1)
    centre = float(np.log(pooled) - np.log1p(-pooled))
    bounds = [(-25.0, 25.0), (np.log(STRENGTH_BOUNDS[0]), np.log(STRENGTH_BOUNDS[1]))]
    runs = [
        minimize(loss, np.array([centre, np.log(start)]), jac=True, method="L-BFGS-B", bounds=bounds)
        for start in (2.0, median, 500.0)
    ]
    best = min(runs, key=lambda run: float(run.fun)).x
    return float(expit(best[0]) * np.exp(best[1])), float(expit(-best[0]) * np.exp(best[1]))


def beta_binomial_tail(k: ArrayLike, n: ArrayLike, a: float, b: float) -> F64:
    """Compute how likely something is to happen so often, where its rate is itself drawn from a beta distribution.

    Args:
        k: How often it happened in each group, from 0 to n.
        n: How often it could have.
        a: First parameter of the distribution of rates, above 0.
        b: Second parameter, above 0.

    Returns:
        Logarithm of the probability of k of n and more, nats, one per group.

    Raises:
        ParameterError: The columns differ in length, or a count is not finite or not from 0 to n.
    """
    hits, trials = _checked_counts(k, n)
    if not len(hits):
        return np.zeros(0)
    from scipy.special import betaln, gammaln  # its import takes longer than most captures

    place, first = numbered(combined(hits.view(np.int64), trials.view(np.int64)))
    length = (trials[first] - hits[first] + 1).astype(np.int64)
    start = np.cumsum(length) - length
    row = np.repeat(first, length)
    times, most = hits[row] + spans(np.zeros(len(first), np.int64), length), trials[row]
    ways = gammaln(most + 1) - gammaln(times + 1) - gammaln(most - times + 1)
    each = ways + betaln(a + times, b + most - times) - betaln(a, b)
    tail: F64 = np.minimum(np.logaddexp.reduceat(each, start), 0.0)[place]
    return tail


def shrink(k: ArrayLike, n: ArrayLike, a: float, b: float, level: float = 0.95) -> Shrunk:
    """Estimate the rate of each group from its counts and a beta prior.

    Args:
        k: How often it happened in each group, from 0 to n.
        n: How often it could have; a group with 0 has the prior's rate.
        a: First parameter of the prior, above 0.
        b: Second parameter, above 0.
        level: Posterior probability of the interval.

    Returns:
        Mean and interval per group, from the posterior Beta(a + k, b + n - k).

    Raises:
        ParameterError: The columns differ in length, a count is not from 0 to n, or a parameter is out of range.
    """
    from scipy.special import betaincinv

    hits, trials = _checked_counts(k, n)
    first, second = _posterior(hits, trials, a, b)
    tail = (1 - _checked_level(level)) / 2
    return Shrunk(
        mean=first / (first + second),
        low=np.asarray(betaincinv(first, second, tail)),
        high=np.asarray(1.0 - betaincinv(second, first, tail)),
    )


def exceeds(k: ArrayLike, n: ArrayLike, a: float, b: float, rate: float) -> F64:
    """Compute the posterior probability that the rate of each group is above a given one.

    Args:
        k: How often it happened in each group, from 0 to n.
        n: How often it could have.
        a: First parameter of the prior, above 0.
        b: Second parameter, above 0.
        rate: The rate to exceed, 0 … 1.

    Returns:
        Probabilities, at least :data:`LEAST_PROBABILITY`.

    Raises:
        ParameterError: The columns differ in length, a count is not from 0 to n, or a parameter is out of range.
    """
    from scipy.special import betaincc

    if not 0.0 <= rate <= 1.0:
        raise ParameterError("rate", rate, "from 0 to 1")
    first, second = _posterior(*_checked_counts(k, n), a, b)
    return np.clip(np.asarray(betaincc(first, second, rate)), LEAST_PROBABILITY, 1.0)


def wilson(k: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[F64, F64]:
    """Compute the score interval of a share (Wilson 1927): good at any count, and never outside 0 … 1.

    Args:
        k: How often it happened, from 0 to n; effective counts need not be whole.
        n: How often it could have.
        level: Confidence.

    Returns:
        Lower and upper ends; 0 and 1 where n is 0.

    Raises:
        ParameterError: The columns differ in length, a count is not from 0 to n, or *level* is out of range.
    """
    from scipy.special import ndtri

    hits, trials = _checked_counts(k, n)
    z = float(ndtri(0.5 + _checked_level(level) / 2))
    share = hits / np.where(trials > 0, trials, 1.0)
    centre = (hits + z * z / 2) / (trials + z * z)
    half = z * np.sqrt(hits * (1 - share) + z * z / 4) / (trials + z * z)
    low = np.where(hits == 0, 0.0, np.clip(centre - half, 0.0, 1.0))
    high = np.where(hits == trials, 1.0, np.clip(centre + half, 0.0, 1.0))
    return low, high


def share_difference(
    k: ArrayLike, n: ArrayLike, other_k: ArrayLike, other_n: ArrayLike, level: float = 0.95
) -> tuple[F64, F64, F64]:
    """Compute how much larger one share is than another, with its hybrid score interval.

    The ends of the two score intervals are combined as independent errors are, so the interval stays within -1 … 1 and
    has close to its nominal coverage with a handful of trials, where the textbook interval has not.

    Args:
        k: How often it happened, from 0 to n.
        n: How often it could have.
        other_k: The same of the share that is taken off.
        other_n: How often that could have.
        level: Confidence.

    Returns:
        Lower end, difference and upper end; where an n is 0 its share is taken for 0 and its interval is 0 to 1.

    Raises:
        ParameterError: The columns differ in length, a count is not from 0 to n, or *level* is out of range.

    Source: Newcombe, "Interval estimation for the difference between independent proportions", Statistics in Medicine
    1998, method 10.
    """
    first, second = _checked_counts(k, n), _checked_counts(other_k, other_n)
    share, other = (hits / np.where(trials > 0, trials, 1.0) for hits, trials in (first, second))
    (low, high), (other_low, other_high) = wilson(*first, level), wilson(*second, level)
    difference = share - other
    below = np.sqrt((share - low) ** 2 + (other_high - other) ** 2)
    above = np.sqrt((high - share) ** 2 + (other - other_low) ** 2)
    return np.maximum(difference - below, -1.0), difference, np.minimum(difference + above, 1.0)


def clopper_pearson_upper(k: ArrayLike, n: ArrayLike, level: float = 0.95) -> F64:
    """Compute the exact one-sided upper bound of a share: none in n trials gives about 3 / n.

    Args:
        k: How often it happened, from 0 to n.
        n: How often it could have.
        level: Confidence.

    Returns:
        Upper bounds (Clopper and Pearson 1934); 1 where k is n, which includes n = 0.

    Raises:
        ParameterError: The columns differ in length, a count is not from 0 to n, or *level* is out of range.
    """
    from scipy.special import betaincinv

    hits, trials = _checked_counts(k, n)
    room = hits < trials
    result = np.ones(len(hits))
    result[room] = betaincinv(hits[room] + 1, trials[room] - hits[room], _checked_level(level))
    return result


def _checked_counts(k: ArrayLike, n: ArrayLike) -> tuple[F64, F64]:
    hits, trials = np.asarray(k, np.float64).reshape(-1), np.asarray(n, np.float64).reshape(-1)
    if len(hits) != len(trials):
        raise ParameterError("n", len(trials), f"as long as k ({len(hits)})")
    allowed = (hits >= 0) & (hits <= trials) & (trials < np.inf)
    if not allowed.all():
        raise ParameterError("k, n", (hits[~allowed][0], trials[~allowed][0]), "finite, with k from 0 to n")
    return hits, trials


def _checked_level(level: float) -> float:
    if not 0.0 < level < 1.0:
        raise ParameterError("level", level, "above 0 and below 1")
    return level


def _posterior(hits: F64, trials: F64, a: float, b: float) -> tuple[F64, F64]:
    for name, value in (("a", a), ("b", b)):
        if not 0.0 < value < np.inf:
            raise ParameterError(name, value, "above 0 and finite")
    return a + hits, b + (trials - hits)
