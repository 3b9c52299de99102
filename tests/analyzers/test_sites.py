"""Counting by group and time, against a loop."""

import numpy as np

from netinterf.analyzers.sites import NEAR_NS, Moments, around


def test_moments_count_like_a_loop() -> None:
    """Whatever the groups, times and spans, to the millisecond; groups that are not there count nothing."""
    rng = np.random.default_rng(4)
    begin = 1_700_000_000_000_000_000
    group, time = rng.integers(0, 5, 200), begin + rng.integers(0, 10_000, 200) * 1_000_000
    asked = rng.integers(0, 7, 60)
    low = begin + rng.integers(-100, 10_000, 60) * 1_000_000
    high = low + rng.integers(0, 4_000, 60) * 1_000_000
    slow = [int(np.sum((group == one) & (time >= a) & (time <= b))) for one, a, b in zip(asked, low, high, strict=True)]
    assert Moments(group, time).count(asked, low, high).tolist() == slow


def test_the_last_moment_is_that_of_a_loop() -> None:
    """Strictly before the time asked for, to the millisecond; 0 where the group has none."""
    rng = np.random.default_rng(6)
    begin = 1_700_000_000_000_000_000
    group, time = rng.integers(0, 5, 40), begin + rng.integers(0, 100, 40) * 1_000_000
    asked, at = rng.integers(0, 7, 60), begin + rng.integers(0, 100, 60) * 1_000_000
    slow = [int(max(time[(group == one) & (time < now)], default=0)) for one, now in zip(asked, at, strict=True)]
    assert Moments(group, time).last(asked, at).tolist() == slow
    assert Moments(group[:0], time[:0]).last(asked, at).tolist() == [0] * 60


def test_clocks_beyond_reason_stand_at_the_edge() -> None:
    """Times at the end of what 64 bits hold neither overflow nor raise."""
    last = np.iinfo(np.int64).max
    low, high = around(np.array([0, last]), np.array([0, last]))
    assert low.tolist() == [-NEAR_NS, last - NEAR_NS]
    assert high.tolist() == [NEAR_NS, last]
    assert Moments(np.array([1]), np.array([last])).count(np.array([1]), low[1:], high[1:]).tolist() == [1]
