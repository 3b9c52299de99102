"""The recursions as compiled from ``recursion.c`` (see `netinterf.compiled`)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from netinterf.arrays import F64, I64, Mask
from netinterf.compiled import call
from netinterf.stats.recursion.arrays import Passed, Steps

__all__ = ["bursts", "count_under", "fade", "follow"]

STRETCHES = 32
"""Stretches between two logarithms that fading links follow in one call (2 MB)."""


def follow(steps: Steps, rate: F64, depth: F64) -> F64:
    """See `netinterf.stats.recursion.follow`."""
    left = np.empty(len(steps.gap))
    call("follow", len(rate), *_packets(steps), *_numbers(rate, depth), left)
    return left


def count_under(steps: Steps, owner: I64, rate: F64, depth: F64) -> I64:
    """See `netinterf.stats.recursion.count_under`."""
    under = np.empty((2, 2, len(owner)), np.int64)
    owners = np.ascontiguousarray(owner, np.int64)
    call("count_under", len(owner), owners, *_numbers(rate, depth), *_packets(steps), steps.edge, under)
    return under


def bursts(owner: I64, rate: F64, passed: Passed) -> F64:
    """See `netinterf.stats.recursion.bursts`."""
    height = np.empty(len(rate))
    owners, (rates,) = np.ascontiguousarray(owner, np.int64), _numbers(rate)
    call("bursts", len(rates), owners, rates, passed.first, passed.since, passed.total, passed.before, height)
    return height


def fade(stay: Sequence[F64], lost: Sequence[Mask], share: F64, likelier: F64, total: F64, every: int) -> None:
    """See `netinterf.stats.recursion.fade`."""
    _, links, cells = total.shape
    rates, stretch, (ratios,) = cells // len(share), STRETCHES * every, _numbers(likelier)
    (shares,), laid = _numbers(np.repeat(share, rates)), np.empty((2, every, cells))
    for one, (stays, missing) in enumerate(zip(stay, lost, strict=True)):
        (unchanged,), gone, here = _numbers(stays), np.ascontiguousarray(missing, np.bool_), np.tile(shares, (links, 1))
        for start in range(0, len(stays), stretch):
            part, own = unchanged[start : start + stretch], gone[start : start + stretch]
            seen = np.empty((-(-len(part) // every), links, cells))
            call("fade", len(part), every, links, cells, rates, shares, part, own, ratios, here, seen, laid)
            for logarithms in np.log(seen):
                total[one] += logarithms


def _numbers(*columns: F64) -> tuple[F64, ...]:
    """Lay out columns of numbers, of whatever kind, as C has them."""
    return tuple(np.ascontiguousarray(column, np.float64) for column in columns)


def _packets(steps: Steps) -> tuple[Any, ...]:
    return steps.first, steps.gap, steps.size, steps.after, steps.lost, steps.slack
