"""Searching buckets of many series at once finds what trying every bucket on each of them finds."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinterf.stats.bucket import grid
from netinterf.stats.bucket.fit import NO_FIT, greatest_likelihood, is_made, try_buckets
from netinterf.stats.bucket.following import Fates, SeriesBatch, follow_bucket, grade_packets
from netinterf.stats.bucket.grid import Grids
from netinterf.stats.bucket.passed import granted, measure_bucket, measure_buckets
from netinterf.stats.bucket.profile import bucket_intervals, intervals_of_buckets
from netinterf.stats.bucket.search import refine_buckets, search_bucket, search_buckets
from netinterf.stats.losses import harmless_likelihoods
from tests.oracles import naive_search
from tests.unit.stats.policed import bursts, police


def some_series(seeds):
    """Make policed series, some of them miscounted, and series with losses by chance, of various lengths."""
    made = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        time, size = bursts(seed, count=int(rng.integers(30, 260)))
        size = size if seed % 3 else rng.choice([66.0, 700.0, 1514.0], len(size))
        lost = police(time, size, rng.choice([16e3, 1e5]), rng.choice([8e3, 5e4]))
        kind = seed % 4
        lost = rng.random(len(time)) < 0.15 if kind == 0 else lost ^ (rng.random(len(time)) < 0.02 * (kind - 1))
        made.append(Fates(time, size, lost))
    return made


@pytest.fixture(params=[0, grid.FEW], ids=["halving boxes", "trying all at once"])
def few(request, monkeypatch):
    """Search with boxes however few buckets there are, and the usual way."""
    monkeypatch.setattr(grid, "FEW", request.param)


def test_a_search_equals_trying_every_bucket(few):
    """Rate, depth, likelihoods and all else are the same as where nothing is left out."""
    made = some_series(range(10))
    found = search_buckets(made)
    expected = [naive_search.search_bucket(one.time, one.size, one.lost) for one in made]
    assert sum(fit.llr > 3 for fit in expected) >= 5
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_a_search_among_many_equals_one_alone():
    """Company changes nothing, nor do series without losses, without time, or without packets."""
    made = some_series(range(20, 28))
    nothing = Fates(np.empty(0), np.empty(0), np.empty(0, bool))
    whole = Fates(np.arange(30.0), np.full(30, 1500.0), np.zeros(30, bool))
    at_once = Fates(np.zeros(30), np.full(30, 1500.0), np.arange(30) % 3 == 0)
    found = search_buckets([nothing, *made, whole, at_once])
    assert found[0] == found[-2] == found[-1] == NO_FIT
    alone = [search_bucket(one.time, one.size, one.lost) for one in made]
    np.testing.assert_allclose(found[1:-2], alone, rtol=1e-9)
    assert search_buckets([]) == []


def test_what_harmless_causes_explain_may_be_known():
    """A search that is told so of some series finds what it finds without."""
    made = some_series(range(30, 36))
    harmless = harmless_likelihoods([(one.time, one.lost) for one in made])
    harmless[::2] = np.nan
    assert search_buckets(made, harmless.tolist()) == search_buckets(made)


def test_refining_finds_the_bucket_from_nearby(few):
    """Beginning at a bucket of about the right size gives what trying all around it gives; nowhere gives no fit."""
    time, size = bursts(12, count=300)
    lost = police(time, size, 1e5, 5e4)
    near = NO_FIT._replace(rate=1.03e5, depth=4.6e4)
    found = refine_buckets([Fates(time, size, lost)] * 2, [near, NO_FIT], harmless_likelihoods([(time, lost)] * 2))
    np.testing.assert_allclose(found[0], naive_search.refine_bucket(time, size, lost, near), rtol=1e-9)
    assert found[0].llr > 0.9 * search_bucket(time, size, lost).llr
    assert found[1] == NO_FIT


packets = st.lists(st.tuples(st.floats(0, 1), st.integers(1, 4), st.booleans()), min_size=1, max_size=90)
buckets = st.lists(st.tuples(st.floats(1, 3000), st.floats(1, 90_000)), min_size=1, max_size=20)


def fates(rows):
    """Lay generated packets out as a series; many share their time with the one before."""
    time = np.cumsum([gap if gap > 0.2 else 0.0 for gap, _, _ in rows])
    return Fates(time, np.array([400.0 * size for _, size, _ in rows]), np.array([lost for _, _, lost in rows]))


@given(st.lists(st.tuples(packets, buckets), min_size=1, max_size=4), st.randoms())
def test_series_side_by_side_are_graded_as_each_alone(cases, shuffler):
    """Buckets of several series in any order are graded as on their own series alone, and followed so."""
    made = [fates(rows) for rows, _ in cases]
    lanes = [(owner, *bucket) for owner, (_, tried) in enumerate(cases) for bucket in tried]
    shuffler.shuffle(lanes)
    owner, rate, depth = (np.array(column) for column in zip(*lanes, strict=True))
    met, gone = SeriesBatch(made).grade(owner, rate, depth)
    for place, one in enumerate(made):
        own = owner == place
        alone = grade_packets(one.time, one.size, one.lost, rate[own], depth[own])
        assert met[:, own].tolist() == alone[0].tolist()
        assert gone[:, own].tolist() == alone[1].tolist()


def test_many_series_are_followed_as_each_alone():
    """One bucket along each of several series leaves what it leaves along that series alone."""
    made = some_series(range(40, 46))
    rate, depth = np.linspace(1e4, 2e5, 6), np.linspace(3e3, 9e4, 6)
    batch = SeriesBatch(made)
    followed = np.split(batch.follow(rate, depth), batch.steps.first[1:-1])
    for one, left, *bucket in zip(made, followed, rate, depth, strict=True):
        alone = follow_bucket(one.time, one.size, one.lost, *(np.array([part]) for part in bucket))
        assert left.tolist() == alone[:, 0].tolist()


def granted_alone(fates, left, depth):
    """Measure what a bucket granted along one series, loss by loss."""
    size = seconds = stretches = 0.0
    at, was_kept = np.flatnonzero(fates.lost).tolist(), False
    for loss, following in pairwise(at):
        kept = not np.any((left + fates.size >= depth)[loss + 1 : following + 1])
        stretches += kept and not was_kept
        size += fates.size[loss:following][~fates.lost[loss:following]].sum() if kept else 0.0
        seconds += fates.time[following] - fates.time[loss] if kept else 0.0
        was_kept = kept
    return size, seconds, stretches


def test_what_many_buckets_granted_is_what_each_alone_did():
    """Between losses of one series, where its bucket was never full."""
    made = [*some_series(range(40, 52)), Fates(np.empty(0), np.empty(0), np.empty(0, bool))]
    rate, depth = np.geomspace(1e3, 2e5, len(made)), np.geomspace(3e3, 9e4, len(made))
    batch = SeriesBatch(made)
    left = batch.follow(rate, depth)
    parts = np.split(left, batch.steps.first[1:-1])
    expected = [granted_alone(*one) for one in zip(made, parts, depth, strict=True)]
    grants = granted(batch, left, depth)
    assert np.array(grants) == pytest.approx(np.array(expected))
    assert any(grant.stretches for grant in grants)


def test_buckets_are_measured_together_as_each_alone():
    """Rate, depth and intervals, also where nothing was fitted to some."""
    made = some_series(range(40, 50))
    fits = [*search_buckets(made[:-1]), NO_FIT]
    told = [measure_bucket(one.time, one.size, one.lost, fit) for one, fit in zip(made, fits, strict=True)]
    assert np.array_equal(measure_buckets(made, fits), told, equal_nan=True)
    known = [
        bucket_intervals(one.time, one.size, one.lost, fit, rate=rate, depth=depth)
        for one, fit, (rate, depth) in zip(made, fits, told, strict=True)
    ]
    assert np.array_equal(intervals_of_buckets(made, fits, told), known, equal_nan=True)


steps = st.lists(st.floats(1.01, 3.0), min_size=2, max_size=9)


@settings(deadline=None)
@given(packets, st.floats(10, 3000), st.floats(100, 5000), steps, steps)
def test_boxes_leave_out_no_bucket_as_good_as_the_best(rows, rate, depth, faster, deeper):
    """All buckets of a grid that reach the best likelihood are found, with what they met, whatever the grid."""
    rates, depths = (first * np.cumprod([1.0, *more])[None] for first, more in ((rate, faster), (depth, deeper)))
    known = []
    for few in (0, 10_000):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(grid, "FEW", few)
            grids, best = Grids.of(SeriesBatch([fates(rows)]), np.zeros(1, int), rates, depths), np.array([-np.inf])
            grids.search(np.zeros(1, int), np.arange(rates.size), np.arange(depths.size), (3, 4), best)
        kept = grids.candidates.gain >= best[0] - 1e-6
        known.append([best[0], *(part[..., kept].tolist() for part in grids.candidates)])
    if np.isfinite(known[1][0]):
        assert known[0] == known[1]


@given(packets, st.floats(1, 3000), st.floats(1, 9000), st.tuples(*[st.floats(1.0, 3.0)] * 4))
def test_no_bucket_between_two_exceeds_what_these_allow(rows, rate, depth, more):
    """Losses graded as by the least and passes as by the greatest bound all between; one is made if the rest are."""
    rates, depths = (first * np.cumprod([1.0, *more[part]]) for first, part in ((rate, np.s_[:2]), (depth, np.s_[2:])))
    series, own = SeriesBatch([fates(rows)]), np.zeros(3, int)
    met, gone = series.grade(own, rates, depths)
    losses, passed = gone[:, [0]], (met - gone)[:, [2]]
    (bound,) = greatest_likelihood(losses + passed, losses, series.lengths)
    between = try_buckets(series, own, rates, depths).gain
    assert (between <= bound + 1e-9).all()
    assert is_made(series, own[:1], rates[:1], depths[2:])[0] or np.isinf(between).all()
