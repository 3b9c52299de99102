"""Slow, obvious twins of the group statistics: loops over members, shares, pairs and windows, in plain floats."""

import itertools
import math


def log_sum(values):
    """Add numbers that are given by their logarithms."""
    top = max(values, default=-math.inf)
    if math.isinf(top):
        return top
    return top + math.log(math.fsum(math.exp(value - top) for value in values))


def clip(value):
    """Keep a log-likelihood ratio within ± 700."""
    return min(700.0, max(-700.0, value))


def log_likelihoods(llr, group, count, grid, weight=None):
    """Add up ln((1 - θ) + θ·e^llr) member by member and share by share."""
    times = [1.0] * len(llr) if weight is None else weight
    rows = [[0.0] * len(grid) for _ in range(count)]
    for value, own, often in zip(llr, group, times, strict=True):
        if own >= 0:
            for place, share in enumerate(grid):
                rows[own][place] += often * math.log((1 - share) + share * math.exp(clip(value)))
    return rows


def mixture(row, grid, level):
    """Give llr, mean share, low and high of one group, walking through the cells of the grid."""
    total = log_sum(list(row))
    mass = [math.exp(value - total) for value in row]
    edge = [grid[0], *((one + two) / 2 for one, two in itertools.pairwise(grid)), grid[-1]]
    ends = []
    for tail in ((1 - level) / 2, (1 + level) / 2):
        so_far, end = 0.0, edge[-1]
        for place, weight in enumerate(mass):
            if so_far + weight >= tail:
                end = edge[place] + (tail - so_far) / weight * (edge[place + 1] - edge[place])
                break
            so_far += weight
        ends.append(end)
    return total - math.log(len(grid)), sum(w * s for w, s in zip(mass, grid, strict=True)), *ends


def member_log_odds(llr, group, loglik, grid):
    """Average each member's probability over the shares of its group, in logarithms."""
    found = []
    for value, own in zip(llr, group, strict=True):
        if own < 0:
            found.append(math.nan)
            continue
        hit, spared = [], []
        for row, share in zip(loglik[own], grid, strict=True):
            both = math.log((1 - share) + share * math.exp(clip(value)))
            hit.append(row + math.log(share) + clip(value) - both)
            if share < 1:
                spared.append(row + math.log(1 - share) - both)
        found.append(log_sum(hit) - log_sum(spared))
    return found


def contrast(target, control):
    """Compare all pairs with a smaller share of the controls with all common shares, one row."""
    if not any(target) or not any(control):
        return 0.0
    hit, beside = [0.0, *target], [0.0, *control]
    pairs = [hit[t] + beside[c] for t in range(len(hit)) for c in range(t)]
    same = [one + two for one, two in zip(hit, beside, strict=True)]
    return log_sum(pairs) - math.log(len(pairs)) - log_sum(same) + math.log(len(same))


def fisher(a, b, c, d):
    """Add up the hypergeometric probabilities of so many hits or more, exactly, in whole numbers."""
    ways = sum(math.comb(a + b, hits) * math.comb(c + d, a + c - hits) for hits in range(a, min(a + b, a + c) + 1))
    whole = math.comb(a + b + c + d, a + c)
    return math.log(ways) - math.log(whole)


def combine_dependent(llr, cluster, count):
    """Average the likelihood ratios of each cluster."""
    found = []
    for own in range(count):
        members = [value for value, place in zip(llr, cluster, strict=True) if place == own]
        found.append(log_sum(members) - math.log(len(members)) if members else 0.0)
    return found


def tempered(llr, site, correlation):
    """Divide each member by 1 + (m - 1)·ρ, counting the members of its site that say something."""
    found = []
    for value, own in zip(llr, site, strict=True):
        told = sum(1 for other, place in zip(llr, site, strict=True) if place == own and other != 0)
        found.append(value if own < 0 else value / (1 + max(told - 1, 0) * correlation))
    return found


def intraclass_correlation(values, group, count):
    """Do the analysis of variance as textbooks do, with sums over groups."""
    groups = [[v for v, g in zip(values, group, strict=True) if g == own and not math.isnan(v)] for own in range(count)]
    groups = [members for members in groups if members]
    size = sum(map(len, groups))
    flat = [value for members in groups for value in members]
    if len(groups) < 2 or size == len(groups) or min(flat) == max(flat):
        return 0.0
    grand = math.fsum(flat) / size
    means = [math.fsum(members) / len(members) for members in groups]
    between = sum(len(m) * (mean - grand) ** 2 for m, mean in zip(groups, means, strict=True)) / (len(groups) - 1)
    within = sum((v - mean) ** 2 for m, mean in zip(groups, means, strict=True) for v in m) / (size - len(groups))
    typical = (size - sum(len(m) ** 2 for m in groups) / size) / (len(groups) - 1)
    spread = between + (typical - 1) * within
    return min(1.0, max(0.0, (between - within) / spread)) if spread > 0 else 0.0


def best_window(loglik):
    """Try every window but the whole; give begin, end and llr of the best, the whole with 0 when none is better."""
    bins = len(loglik)
    points = len(loglik[0]) if bins else 0
    best = (0, bins, 0.0)
    windows = bins * (bins + 1) // 2 - 1
    for begin in range(bins):
        for end in range(begin + 1, bins + 1):
            if end - begin == bins:
                continue
            inside = [sum(loglik[b][p] for b in range(begin, end)) for p in range(points)]
            outside = [sum(loglik[b][p] for b in range(bins) if not begin <= b < end) for p in range(points)]
            llr = contrast(inside, outside) - math.log(windows)
            if llr > best[2]:
                best = (begin, end, llr)
    return best
