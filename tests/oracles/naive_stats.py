"""Slow, obvious twins of the statistics: loops over packets, thresholds and groups."""

import math

import numpy as np


def bucket_levels(time, size, passed, rate, depth, headroom):
    """Step one token bucket from packet to packet; return the level before each."""
    level, at, levels = depth - headroom, None, []
    for now, wanted, through in zip(time, size, passed, strict=True):
        if at is not None:
            level = min(depth, level + rate * (now - at))
        at = now
        levels.append(level)
        if through:
            level -= wanted
    return levels


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


def best_split(levels, lost):
    """Try every threshold between different levels; return the likelihood of the best one with more losses below."""
    best = -math.inf
    for threshold in sorted(set(levels))[1:]:
        below = [is_lost for level, is_lost in zip(levels, lost, strict=True) if level < threshold]
        above = [is_lost for level, is_lost in zip(levels, lost, strict=True) if level >= threshold]
        if np.mean(below) > np.mean(above):
            best = max(best, bernoulli(sum(below), len(below)) + bernoulli(sum(above), len(above)))
    return best


def step_up(p):
    """Give each p-value the least level at which Benjamini and Hochberg's procedure rejects it."""
    ranked = sorted(p)
    count = len(p)
    values = []
    for own in p:
        ranks = [rank for rank in range(1, count + 1) if ranked[rank - 1] >= own]
        values.append(min(1.0, *(ranked[rank - 1] * count / rank for rank in ranks)))
    return values
