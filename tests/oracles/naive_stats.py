"""Slow, obvious twins of the statistics: loops over packets, thresholds and groups."""

import itertools
import math
import statistics


def follow_bucket(time, size, lost, rate, depth):
    """Step one token bucket from packet to packet, set it right after each; return what each packet would leave."""
    level, at, left = depth, None, []
    for now, wanted, missing in zip(time, size, lost, strict=True):
        if at is not None:
            level = min(depth, level + rate * (now - at))
        at = now
        left.append(level - wanted)
        if not missing:
            level = max(level - wanted, 0.0)
        elif level - wanted < 32 * statistics.median(size):
            level = min(level, math.nextafter(wanted, 0.0))
    return left


def fading(time, lost, change, share, bad, good):
    """Walk both states of a fading link from packet to packet; return the log-likelihood of the losses."""
    state, at, total = share, None, 0.0
    for now, missing in zip(time, lost, strict=True):
        if at is not None:
            state = share + (state - share) * math.exp(-change * (now - at))
        at = now
        in_bad = state * (bad if missing else 1 - bad)
        in_good = (1 - state) * (good if missing else 1 - good)
        total += math.log(in_bad + in_good)
        state = in_bad / (in_bad + in_good)
    return total


def bucket_likelihood(left, lost, packet, rate, depth):
    """Give the greatest log-likelihood of losses that become rarer from class to class of what packets would leave.

    No bucket fills up within 5 ms, nor within 0.1 s when it holds less than three packets, and an empty one drops more
    than three in five.
    """
    if depth < 0.005 * rate or (depth < 3 * packet and depth < 0.1 * rate):
        return -math.inf
    classes = [
        [gone for rest, gone in zip(left, lost, strict=True) if low <= rest < high]
        for low, high in ((-math.inf, 0.0), (0.0, packet), (packet, math.inf))
    ]
    if not classes[0]:
        return -math.inf
    share = [sum(part) / len(part) if part else 0.0 for part in classes]
    if share[0] <= 0.6:
        return -math.inf
    best = -math.inf
    if share[0] >= share[1] >= share[2]:
        best = sum(bernoulli(sum(part), len(part)) for part in classes) - math.log(len(lost)) / 2
    for cut in (1, 2):
        low = [gone for part in classes[:cut] for gone in part]
        high = [gone for part in classes[cut:] for gone in part]
        if high and sum(low) / len(low) > sum(high) / len(high):
            best = max(best, bernoulli(sum(low), len(low)) + bernoulli(sum(high), len(high)))
    return best


def backlog(time, size, rate):
    """Step one queue from packet to packet; return the bytes ahead of each."""
    waiting, at, ahead = 0.0, None, []
    for now, wanted in zip(time, size, strict=True):
        if at is not None:
            waiting = max(0.0, waiting - rate * (now - at))
        at = now
        ahead.append(waiting)
        waiting += wanted
    return ahead


def burst(time, size, rate):
    """Give the largest excess over the line of that rate, over all pairs of packets."""
    best = 0.0
    for first in range(len(time)):
        for last in range(first, len(time)):
            best = max(best, sum(size[first : last + 1]) - rate * (time[last] - time[first]))
    return best


def bernoulli(losses, count):
    """Give the greatest log-likelihood of so many losses with one probability."""
    if losses in (0, count):
        return 0.0
    return losses * math.log(losses / count) + (count - losses) * math.log(1 - losses / count)


def step_up(p):
    """Give each p-value the least level at which Benjamini and Hochberg's procedure rejects it."""
    ranked = sorted(p)
    count = len(p)
    values = []
    for own in p:
        ranks = [rank for rank in range(1, count + 1) if ranked[rank - 1] >= own]
        values.append(min(1.0, *(ranked[rank - 1] * count / rank for rank in ranks)))
    return values


def segment_costs(kind, columns, begin, end):
    """Give what the best constant level leaves unexplained in bins *begin* … *end*, by its definition."""
    if begin == end:
        return 0.0
    first = columns[0][begin:end]
    if kind == "gaussian":
        mean = sum(first) / len(first)
        return sum((value - mean) ** 2 for value in first) / (2 * columns[1] ** 2)
    total, weight = sum(first), sum(columns[1][begin:end])
    if kind == "poisson":
        return total - (total * math.log(total / weight) if total else 0.0)
    return -bernoulli(total, weight)


def best_segmentation(cost, count, penalty):
    """Try all ways to cut a series into segments; return the least sum of costs and penalties, and its changes."""
    best = (math.inf, [])
    for chosen in range(1 << max(count - 1, 0)):
        edges = [0, *(place + 1 for place in range(count - 1) if chosen >> place & 1), count]
        total = sum(cost(begin, end) for begin, end in itertools.pairwise(edges)) + penalty * (len(edges) - 2)
        if total < best[0] - 1e-9:
            best = (total, edges[1:-1])
    return best


def cusum(llr):
    """Step a cumulative sum that is not let below 0."""
    value, begun, found = 0.0, 0, []
    for place, step in enumerate(llr):
        value += step
        if value <= 1e-12:
            value, begun = 0.0, place + 1
        found.append((value, begun))
    return found


def share_e_value(hits, tried, bound, points=20_000):
    """Average the likelihood over shares below the bound by the midpoint rule, against that at the bound."""
    total = 0.0
    for step in range(points):
        share = bound * (step + 0.5) / points
        total += share**hits * (1 - share) ** (tried - hits)
    return math.log(total / points) - hits * math.log(bound) - (tried - hits) * math.log(1 - bound)
