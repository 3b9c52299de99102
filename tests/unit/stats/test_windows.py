"""The window that differs: against trying every window, and silent where none does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.errors import ParameterError
from netinterf.stats.mixture import log_likelihoods, share_grid
from netinterf.stats.windows import MOST_BINS, best_window
from tests.oracles import naive_mixture

GRID = share_grid(6, 0.05)
members = st.lists(st.tuples(st.floats(-8, 8) | st.just(0.0), st.integers(0, 6)), max_size=30)


def bins_of(llr, place, count, grid=GRID):
    """Give the log-likelihoods of members in bins of time."""
    return log_likelihoods(np.array(llr, float), np.array(place, np.int64), count, grid)


@given(members, st.integers(1, 7))
def test_the_window_equals_trying_all(rows, count):
    """Begin, end and evidence are those of two loops over all windows."""
    rows = [(llr, place % count) for llr, place in rows]
    loglik = bins_of([llr for llr, _ in rows], [place for _, place in rows], count)
    found = best_window(loglik, GRID)
    begin, end, llr = naive_mixture.best_window(loglik.tolist())
    assert found.llr == pytest.approx(llr, abs=1e-9)
    if llr > 1e-6:
        inside, outside = loglik[found.begin : found.end].sum(0), loglik.sum(0) - loglik[found.begin : found.end].sum(0)
        windows = count * (count + 1) // 2 - 1
        assert naive_mixture.contrast(inside.tolist(), outside.tolist()) - np.log(windows) == pytest.approx(llr)
        assert found.end - found.begin <= end - begin or found[:2] == (begin, end)


def test_a_bump_is_found_where_it_is():
    """Members affected from bin 40 to 60 of 100 are found there, within a bin."""
    rng = np.random.default_rng(11)
    place = rng.integers(0, 100, 1500)
    affected = (place >= 40) & (place < 60) & (rng.random(1500) < 0.5)
    found = best_window(bins_of(rng.normal(np.where(affected, 2, -2), 2), place, 100, share_grid()), share_grid())
    assert abs(found.begin - 40) <= 1
    assert abs(found.end - 60) <= 1
    assert found.llr > 50


@pytest.mark.parametrize("share", [0.0, 0.4])
def test_a_constant_share_is_no_window(share):
    """Without a change, affected or not, a window is claimed at 20:1 in at most a twentieth of trials."""
    rng = np.random.default_rng(12)
    claimed = 0
    for _ in range(60):
        affected = rng.random(300) < share
        loglik = bins_of(rng.normal(np.where(affected, 2, -2), 2), rng.integers(0, 30, 300), 30, share_grid())
        claimed += best_window(loglik, share_grid()).llr > np.log(20)
    assert claimed <= 3


@pytest.mark.parametrize("bins", [0, 1, 2, 9])
def test_nothing_to_tell_is_the_whole_range(bins):
    """No bins, one bin and bins without evidence: everything, with no evidence."""
    assert best_window(np.zeros((bins, 6)), GRID) == (0, bins, 0.0)


def test_one_bin_is_the_whole_range():
    """One bin has no outside, whatever it says."""
    assert best_window(bins_of([9.0] * 5, [0] * 5, 1), GRID) == (0, 1, 0.0)


def test_empty_bins_do_not_widen_the_window():
    """Of windows that hold the same members the shortest is given."""
    found = best_window(bins_of([9.0] * 5 + [-9.0] * 8, [4] * 5 + [0, 1, 2, 7, 8, 9, 9, 9], 10), GRID)
    assert found[:2] == (4, 5)


def test_extreme_evidence_stays_finite():
    """Certain members on one side, exonerated ones on the other."""
    found = best_window(bins_of([np.inf] * 50 + [-np.inf] * 50, [0] * 50 + [1] * 50, 2), GRID)
    assert found[:2] == (0, 1)
    assert np.isfinite(found.llr)


def test_the_most_bins_are_searched_and_no_more():
    """The bound is named when it is exceeded."""
    assert best_window(np.zeros((MOST_BINS, 2)), share_grid(2, 0.5)) == (0, MOST_BINS, 0.0)
    with pytest.raises(ParameterError, match="bins="):
        best_window(np.zeros((MOST_BINS + 1, 2)), share_grid(2, 0.5))


@pytest.mark.parametrize("loglik", [np.zeros((2, 5)), np.full((2, 6), np.nan), np.full((2, 6), -np.inf), np.zeros(6)])
def test_matrices_that_do_not_fit_are_refused(loglik):
    """Shape and numbers are checked."""
    with pytest.raises(ParameterError, match="loglik="):
        best_window(loglik, GRID)
