"""Slow, obvious twins of rates and calibration: loops, searches and textbook formulas in plain floats."""

import math


def log_beta(a, b):
    """Give the logarithm of the beta function."""
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def beta_binomial_posterior(k, n, a, b):
    """Add up the marginal log-likelihood of the groups and the logarithms of both priors, up to a constant."""
    mean, strength = a / (a + b), a + b
    total = sum(
        log_beta(a + hit, b + trials - hit) - log_beta(a, b) for hit, trials in zip(k, n, strict=True) if trials > 0
    )
    return total + (math.log(mean) + math.log(1 - mean)) / 2 - (math.log(strength / 20) / 1.5) ** 2 / 2


def bisect(below, low=0.0, high=1.0):
    """Find where a condition stops to hold."""
    for _ in range(200):
        middle = (low + high) / 2
        if below(middle):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def wilson(k, n, z):
    """Search both shares from which k of n is z standard errors away."""
    if n == 0:
        return 0.0, 1.0
    share = k / n
    low = 0.0 if k == 0 else bisect(lambda p: share - p > z * math.sqrt(p * (1 - p) / n), 0.0, share)
    high = 1.0 if k == n else bisect(lambda p: p - share < z * math.sqrt(p * (1 - p) / n), share, 1.0)
    return low, high


def clopper_pearson_upper(k, n, level):
    """Search the share at which k or fewer of n have the probability 1 - level."""
    if k == n:
        return 1.0

    def at_most(p):
        return math.fsum(math.comb(n, hits) * p**hits * (1 - p) ** (n - hits) for hits in range(k + 1))

    return bisect(lambda p: at_most(p) > 1 - level)


def platt_loss(slope, intercept, score, truth, weight):
    """Add up the cross-entropy against Platt's targets, member by member."""
    positive = sum(1 for y, w in zip(truth, weight, strict=True) if y and w > 0)
    negative = sum(1 for y, w in zip(truth, weight, strict=True) if not y and w > 0)
    total = 0.0
    for x, y, w in zip(score, truth, weight, strict=True):
        target = (positive + 1) / (positive + 2) if y else 1 / (negative + 2)
        z = slope * x + intercept
        softplus = max(z, 0.0) + math.log1p(math.exp(-abs(z)))
        total += w * (softplus - target * z)
    return total


def isotonic(score, truth, weight):
    """Give the best non-decreasing value at each score by the max-min formula over runs of scores."""
    places = sorted(set(score))
    mass = [sum(w for x, w in zip(score, weight, strict=True) if x == place) for place in places]
    hits = [sum(w * y for x, y, w in zip(score, truth, weight, strict=True) if x == place) for place in places]
    values = []
    for own in range(len(places)):
        best = -math.inf
        for begin in range(own + 1):
            best = max(
                best,
                min(sum(hits[begin:end]) / sum(mass[begin:end]) for end in range(own + 1, len(places) + 1)),
            )
        values.append(best)
    return places, values


def brier(probability, truth, weight):
    """Average the squared errors."""
    return sum(w * (p - y) ** 2 for p, y, w in zip(probability, truth, weight, strict=True)) / sum(weight)


def log_loss(probability, truth, weight):
    """Average the surprise."""
    total = 0.0
    for p, y, w in zip(probability, truth, weight, strict=True):
        kept = min(max(p, 1e-12), 1 - 1e-12)
        total -= w * math.log(kept if y else 1 - kept)
    return total / sum(weight)


def bin_of(probability, bins):
    """Number the bin of each probability: how many are smaller, in shares of all."""
    return [sum(other < own for other in probability) * bins // len(probability) for own in probability]


def calibration_error(probability, truth, weight, bins):
    """Average the distance of said and true shares over bins, by weight."""
    number = bin_of(probability, bins)
    total = 0.0
    for place in set(number):
        rows = [row for row, own in enumerate(number) if own == place]
        mass = sum(weight[row] for row in rows)
        if mass > 0:
            said = sum(weight[row] * probability[row] for row in rows)
            total += abs(said - sum(weight[row] * truth[row] for row in rows))
    return total / sum(weight)
