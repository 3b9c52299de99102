"""Groups of which a share is affected: against loops, at the edges, and right about the share."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.errors import ParameterError
from netinterf.stats.mixture import (
    LARGEST,
    log_likelihoods,
    log_mean_exp,
    member_log_odds,
    mixture_of,
    share_grid,
    theta_mixture,
)
from tests.oracles import naive_mixture

pytestmark = pytest.mark.usefixtures("each_way")

llrs = st.floats(-30, 30) | st.sampled_from([0.0, 1e-12, -1e-12, 650.0, -650.0, 800.0, np.inf, -np.inf])
members = st.lists(st.tuples(llrs, st.integers(-1, 3), st.integers(0, 3)), max_size=25)
grids = st.sampled_from([share_grid(), share_grid(2, 0.5), share_grid(7, 0.001), np.array([0.3]), np.array([1.0])])


def columns(rows):
    """Lay generated members out as columns."""
    return (
        np.array([llr for llr, _, _ in rows], float),
        np.array([group for _, group, _ in rows], np.int64),
        np.array([weight for _, _, weight in rows], float),
    )


@given(members, grids, st.booleans())
def test_log_likelihoods_equal_the_loop(rows, grid, weighted):
    """Every cell is the sum over members, whatever their order, weight and size; groups may be empty."""
    llr, group, weight = columns(rows)
    taken = weight if weighted else None
    found = log_likelihoods(llr, group, 4, grid, taken)
    assert found.shape == (4, len(grid))
    np.testing.assert_allclose(found, naive_mixture.log_likelihoods(llr, group, 4, grid, taken), rtol=1e-12, atol=1e-12)


@given(members, grids, st.floats(0.01, 0.99))
def test_mixtures_equal_the_loop(rows, grid, level):
    """Evidence, mean share and interval are those of a walk through the grid."""
    llr, group, _ = columns(rows)
    loglik = log_likelihoods(llr, group, 4, grid)
    found = mixture_of(loglik, grid, level)
    expected = np.array([naive_mixture.mixture(row, grid, level) for row in loglik.tolist()]).T
    np.testing.assert_allclose(found.llr, expected[0], rtol=1e-12, atol=1e-11)
    for mine, other in zip((found.share, found.low, found.high), expected[1:], strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-7)
    whole = theta_mixture(llr, group, 4, level=level, grid=grid)
    np.testing.assert_array_equal(whole.llr, found.llr)
    np.testing.assert_array_equal(whole.low, found.low)


@given(members, grids.filter(lambda grid: grid[0] < 1))
def test_member_odds_equal_the_loop(rows, grid):
    """Each member's log-odds are those of the averaged probability, even where probabilities round to 0 or 1."""
    llr, group, _ = columns(rows)
    loglik = log_likelihoods(llr, group, 4, grid)
    found = member_log_odds(llr, group, loglik, grid)
    expected = naive_mixture.member_log_odds(llr, group, loglik.tolist(), grid)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@given(st.lists(st.lists(st.floats(-800, 800) | st.just(-np.inf), min_size=3, max_size=3), max_size=6))
def test_log_mean_exp_equals_the_loop(rows):
    """No row overflows; rows of nothing stay -inf."""
    found = log_mean_exp(np.array(rows, float).reshape(-1, 3))
    expected = [naive_mixture.log_sum(row) - np.log(3) for row in rows]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_log_mean_exp_of_rows_without_width_is_nothing():
    """An empty mean has no evidence: -inf."""
    assert log_mean_exp(np.empty((2, 0))).tolist() == [-np.inf, -np.inf]


@given(members)
def test_a_weight_is_a_repetition(rows):
    """A member of weight 3 is three members."""
    llr, group, weight = columns(rows)
    times = weight.astype(int)
    repeated = log_likelihoods(np.repeat(llr, times), np.repeat(group, times), 4, share_grid())
    np.testing.assert_allclose(log_likelihoods(llr, group, 4, share_grid(), weight), repeated, rtol=1e-10, atol=1e-9)


@given(members, st.permutations(range(4)))
def test_numbering_and_order_of_groups_do_not_matter(rows, order):
    """Renumbered groups give the renumbered answer; others' members never leak in."""
    llr, group, _ = columns(rows)
    renumbered = np.append(np.array(order), -1)[group]
    found = theta_mixture(llr[::-1], renumbered[::-1], 4)
    np.testing.assert_allclose(found.llr[np.array(order)], theta_mixture(llr, group, 4).llr, rtol=1e-9, atol=1e-9)


def test_groups_without_evidence_are_neutral():
    """No members, members that say nothing and members left out: llr exactly 0, and the interval of the prior."""
    found = theta_mixture(np.array([0.0, 0.0, 9.0]), np.array([1, 1, -1]), 3)
    assert found.llr.tolist() == [0.0, 0.0, 0.0]
    np.testing.assert_allclose(found.share, share_grid().mean())
    np.testing.assert_allclose(found.low, found.low[0])
    assert found.low[0] < 0.06
    assert found.high[0] > 0.95
    assert len(theta_mixture([], np.empty(0, int), 0).llr) == 0


@given(st.lists(llrs, min_size=1, max_size=20), st.integers(0, 19), st.floats(0.001, 5))
def test_more_evidence_means_more(llr, place, more):
    """Raising one member never lowers the group, its share or the member's odds."""
    group = np.zeros(len(llr), int)
    raised = np.array(llr)
    raised[place % len(llr)] += more
    before, after = theta_mixture(llr, group, 1), theta_mixture(raised, group, 1)
    assert after.llr[0] >= before.llr[0] - 1e-9 * abs(before.llr[0]) - 1e-9
    assert after.share[0] >= before.share[0] - 1e-7


def test_infinite_evidence_is_clipped():
    """One certain member makes its group nearly certain; one exoneration does not acquit the others."""
    found = theta_mixture(np.array([np.inf, -np.inf, np.inf]), np.array([0, 1, 1]), 2)
    assert 690 < found.llr[0] <= LARGEST
    assert 690 < found.llr[1] <= LARGEST


def test_a_third_affected_is_found_where_the_sum_acquits():
    """The mixture finds 30 % of 100 members, with the share in its interval, where adding would exonerate."""
    rng = np.random.default_rng(1)
    trials = 300
    affected = rng.random((trials, 100)) < 0.3
    llr = rng.normal(np.where(affected, 2.0, -2.0), 2.0)
    found = theta_mixture(llr.ravel(), np.repeat(np.arange(trials), 100), trials)
    assert np.mean(found.llr > np.log(100)) > 0.95
    assert np.mean(llr.sum(axis=1) < 0) > 0.99
    assert 0.9 <= np.mean((found.low <= 0.3) & (found.high >= 0.3)) <= 0.98


def test_the_likelihood_ratio_of_clean_groups_has_mean_1_at_most():
    """Under no interference the mixture is an e-value: it exceeds 1/α in at most a share α of groups."""
    rng = np.random.default_rng(2)
    llr = rng.normal(-0.5, 1.0, (4000, 10))  # separation 1, where the mean converges
    found = theta_mixture(llr.ravel(), np.repeat(np.arange(4000), 10), 4000)
    assert np.mean(np.exp(found.llr)) == pytest.approx(1.0, abs=0.15)
    for alpha in (0.5, 0.1, 0.01):
        assert np.mean(found.llr >= -np.log(alpha)) <= alpha


def test_member_odds_mean_what_they_say():
    """Of the members with a probability near p a share p is affected, in groups drawn from the prior."""
    rng = np.random.default_rng(3)
    share = rng.choice(share_grid(), 400)
    affected = rng.random((400, 60)) < share[:, None]
    llr = rng.normal(np.where(affected, 2.0, -2.0), 2.0).ravel()
    group = np.repeat(np.arange(400), 60)
    grid = share_grid()
    odds = member_log_odds(llr, group, log_likelihoods(llr, group, 400, grid), grid)
    probability = 1 / (1 + np.exp(-odds))
    for low, high in ((0.0, 0.1), (0.1, 0.3), (0.3, 0.7), (0.7, 0.9), (0.9, 1.0)):
        chosen = (probability >= low) & (probability <= high)
        assert affected.ravel()[chosen].mean() == pytest.approx(probability[chosen].mean(), abs=0.03)


def test_members_of_a_grid_that_knows_only_all_are_certain():
    """When the only share is 1 everybody is affected; members without a group get no odds."""
    odds = member_log_odds([1.0, 2.0], np.array([0, -1]), np.array([[1.0]]), np.array([1.0]))
    assert odds[0] == np.inf
    assert np.isnan(odds[1])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"llr": [np.nan, 1.0]}, "llr"),
        ({"llr": [1.0]}, "group"),
        ({"group": np.array([0, 2])}, "group"),
        ({"group": np.array([-2, 0])}, "group"),
        ({"count": -1}, "count"),
        ({"grid": np.array([])}, "grid"),
        ({"grid": np.array([0.0, 0.5])}, "grid"),
        ({"grid": np.array([0.5, 1.5])}, "grid"),
        ({"grid": np.array([0.5, 0.5])}, "grid"),
        ({"grid": np.array([np.nan])}, "grid"),
        ({"weight": [1.0]}, "weight"),
        ({"weight": [1.0, -1.0]}, "weight"),
        ({"weight": [1.0, np.nan]}, "weight"),
        ({"weight": [1.0, np.inf]}, "weight"),
    ],
)
def test_wrong_columns_are_refused_by_name(change, named):
    """Every argument that cannot be meant is named."""
    call = {"llr": [1.0, 2.0], "group": np.array([0, 1]), "count": 2, "grid": share_grid()} | change
    with pytest.raises(ParameterError, match=f"^{named}="):
        log_likelihoods(**call)


@pytest.mark.parametrize(("points", "least"), [(1, 0.1), (5, 0.0), (5, 1.0), (5, np.nan)])
def test_grids_that_are_none_are_refused(points, least):
    """A grid has two points and begins above 0."""
    with pytest.raises(ParameterError):
        share_grid(points, least)


@pytest.mark.parametrize(
    "loglik", [np.zeros(50), np.zeros((2, 49)), np.full((1, 50), np.nan), np.full((1, 50), np.inf)]
)
def test_matrices_that_do_not_fit_are_refused(loglik):
    """Shape and numbers of a ready matrix are checked."""
    with pytest.raises(ParameterError, match="loglik="):
        mixture_of(loglik, share_grid())


@pytest.mark.parametrize("level", [0.0, 1.0, np.nan])
def test_levels_that_are_none_are_refused(level):
    """An interval holds some of the probability, and never all."""
    with pytest.raises(ParameterError, match="level="):
        mixture_of(np.zeros((1, 50)), share_grid(), level)


def test_the_grid_begins_and_ends_as_said():
    """Both ends are included and the steps are equal."""
    grid = share_grid(11, 0.5)
    assert grid[0] == 0.5
    assert grid[-1] == 1.0
    np.testing.assert_allclose(np.diff(grid), 0.05)
