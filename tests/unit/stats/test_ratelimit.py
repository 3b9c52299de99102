"""Token buckets fitted to losses: right when there is one, silent when losses are chance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.errors import ParameterError
from netinterf.stats.levels import bucket_levels
from netinterf.stats.ratelimit import HEADROOMS, fit_bucket, loss_line_rate, search_bucket
from tests.oracles import naive_stats


def bursts(seed, count=1500, rtt=0.05, size=1514.0):
    """Send bursts of random length, one a round trip, as a window-based sender does."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 30, count)
    start = np.repeat(np.arange(count) * rtt, lengths)
    inside = np.concatenate([np.arange(n) for n in lengths]) * 12e-6
    time = (start + inside)[:count]
    return time, np.full(count, size)


def police(time, size, rate, depth):
    """Drop what a token bucket does not hold."""
    level, at, lost = depth, time[0], np.zeros(len(time), bool)
    for place, (now, wanted) in enumerate(zip(time, size, strict=True)):
        level, at = min(depth, level + rate * (now - at)), now
        lost[place] = level < wanted
        level -= 0 if lost[place] else wanted
    return lost


@pytest.mark.parametrize(
    ("rate", "depth"), [(16e3, 8e3), (16e3, 5e4), (1e5, 8e3), (1e5, 2e5), (2.5e5, 5e4), (2.5e5, 2e5)]
)
def test_a_bucket_is_found_with_its_rate_and_depth(rate, depth):
    """Rate within 1 %, depth within two packets and a hundredth, and nearly all of the deviance is explained."""
    time, size = bursts(int(rate + depth))
    fit = search_bucket(time, size, police(time, size, rate, depth))
    assert fit.llr > 50
    assert fit.info > 0.9
    assert fit.rate == pytest.approx(rate, rel=0.01)
    assert fit.depth == pytest.approx(depth, abs=2 * 1514 + 0.01 * depth)
    assert fit.below > 0.9
    assert fit.above < 0.1


def test_a_bucket_that_refills_every_round_trip_hides_its_rate():
    """Then only the depth is known: so many bytes a round trip pass, whatever the rate."""
    time, size = bursts(11)
    fit = search_bucket(time, size, police(time, size, 2.5e5, 8e3))
    assert fit.info > 0.9
    assert fit.depth == pytest.approx(8e3, abs=2 * 1514)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
def test_chance_loss_is_no_bucket(share):
    """The search over rates and thresholds does not make evidence out of chance: at most 1 of 20 series above 0."""
    found = []
    for seed in range(20):
        time, size = bursts(seed)
        found.append(search_bucket(time, size, np.random.default_rng(seed + 99).random(len(time)) < share).llr)
    assert np.sum(np.array(found) > 0) <= 1
    assert max(found) < 5


def test_a_series_that_begins_with_an_empty_bucket_is_fitted():
    """The initial level is searched as well: cutting the beginning off costs little."""
    time, size = bursts(3)
    lost = police(time, size, 1e5, 5e4)
    later = slice(int(np.argmax(lost)) + 50, None)
    fit = search_bucket(time[later], size[later], lost[later])
    assert fit.rate == pytest.approx(1e5, rel=0.02)
    assert fit.info > 0.9


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(1, 4), st.booleans()), min_size=1, max_size=25),
    st.floats(1, 3000),
)
def test_the_threshold_is_the_best_of_all(rows, rate):
    """The packed sort finds the same likelihood as trying every threshold; equal levels are never split."""
    time = np.cumsum([gap if gap > 0.2 else 0.0 for gap, _, _ in rows])
    size = np.array([400.0 * size for _, size, _ in rows])
    lost = np.array([lost for _, _, lost in rows])
    fit = fit_bucket(time, size, lost, rates=np.array([rate]), headrooms=np.array([0.0]))
    levels = bucket_levels(time, size, ~lost, np.array([rate]))[0]
    levels = (levels.view(np.int64) & ~1).view(np.float64)
    expected = naive_stats.best_split(levels.tolist(), lost.tolist())
    null = naive_stats.bernoulli(int(lost.sum()), len(lost))
    if np.isfinite(fit.llr):
        assert fit.llr + 2 * np.log(len(lost)) == pytest.approx(expected - null, abs=1e-8)
    else:
        assert expected == -np.inf or lost.all() or not lost.any()


def test_small_blocks_change_nothing():
    """The bound on memory does not change the answer."""
    time, size = bursts(1, 300)
    lost = police(time, size, 1e5, 2e4)
    rates = np.linspace(5e4, 2e5, 13)
    assert fit_bucket(time, size, lost, rates=rates) == fit_bucket(time, size, lost, rates=rates, cells=700)


@pytest.mark.parametrize(
    ("time", "lost"),
    [
        ([], []),
        ([0.0], [True]),
        ([0.0, 1.0], [False, False]),
        ([0.0, 1.0], [True, True]),
        ([0.0, 0.0, 0.0, 0.0], [True, False, True, False]),
        ([0.0, 1.0, 2.0], [True, False, False]),
    ],
)
def test_too_little_gives_no_fit(time, lost):
    """Nothing lost, nothing passed, or no time between losses: no rate, and never an error."""
    fit = search_bucket(np.array(time, float), np.full(len(time), 1500.0), np.array(lost, bool))
    assert not fit.llr > 0


def test_unequal_columns_are_refused():
    """Columns of different length are the caller's mistake."""
    with pytest.raises(ParameterError, match="as long as time"):
        fit_bucket(np.zeros(2), np.zeros(3), np.zeros(2, bool), rates=np.ones(1))


def test_the_line_through_losses_is_the_rate():
    """Between two losses exactly the granted bytes passed, whatever the sender did."""
    time, size = bursts(8)
    lost = police(time, size, 1e5, 2e4)
    assert loss_line_rate(time, size, lost) == pytest.approx(1e5, rel=0.02)
    assert np.isnan(loss_line_rate(time, size, np.zeros(len(time), bool)))


def test_headrooms_reach_from_full_to_never_full():
    """The first initial level is a full bucket, the last an uncapped one."""
    assert HEADROOMS[0] == 0
    assert HEADROOMS[-1] > 1e9
