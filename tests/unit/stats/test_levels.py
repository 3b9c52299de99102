"""Closed forms of queue and burst curve against loops over packets."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.stats.levels import backlog, burst_curve, burst_heights, row_blocks
from tests.oracles import naive_stats

packets = st.lists(
    st.tuples(st.floats(0, 5), st.integers(40, 65_000)),
    max_size=40,
)


def columns(rows):
    """Lay generated packets out as columns."""
    time = np.cumsum([gap for gap, _ in rows]) if rows else np.empty(0)
    return time, np.array([size for _, size in rows], float)


@given(packets, st.floats(1, 1e6))
def test_backlog_equals_the_loop(rows, rate):
    """The reflected sum is the same queue that a loop steps from packet to packet."""
    time, size = columns(rows)
    np.testing.assert_allclose(backlog(time, size, rate), naive_stats.backlog(time, size, rate), rtol=1e-9, atol=1e-3)


@given(packets.filter(lambda rows: len(rows) < 15), st.lists(st.floats(1, 1e6), min_size=1, max_size=4))
def test_burst_curve_equals_all_pairs(rows, rates):
    """The largest excess is that over all intervals between two packets."""
    time, size = columns(rows)
    height, width = burst_curve(time, size, np.array(rates))
    np.testing.assert_allclose(height, [naive_stats.burst(time, size, r) for r in rates], rtol=1e-9, atol=1e-3)
    assert np.all(width >= 0)
    assert burst_heights(time, size, np.array(rates)).tolist() == height.tolist()


def test_burst_curve_bends_at_the_rate():
    """Above the rate of a policed series the curve is flat at the depth."""
    rate, depth = 1e5, 30_000.0
    time, passed, level = [], [], depth
    for step in range(4000):  # a packet every 5 ms wants three times the rate
        level = min(depth, level + 0.005 * rate)
        if level >= 1500:
            level -= 1500
            time.append(step * 0.005)
            passed.append(1500.0)
    height, width = burst_curve(np.array(time), np.array(passed), np.array([0.9, 1.01, 1.5]) * rate)
    assert height[0] > 1.5 * depth
    assert height[1] == pytest.approx(depth, rel=0.05)
    assert width[0] > 10 * width[2]


def test_row_blocks_bound_the_memory():
    """Blocks cover all rows once and never hold more numbers than allowed, but at least one row."""
    blocks = row_blocks(10, 7, 20)
    assert [step for block in blocks for step in range(block.start, block.stop)] == list(range(10))
    assert max(block.stop - block.start for block in blocks) == 2
    assert len(row_blocks(3, 1000, 20)) == 3
    assert row_blocks(0, 5) == []
