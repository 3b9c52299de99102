"""What is compiled, what numpy does, and plain loops give the same recursions, to the last bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinterf.compiled import is_there
from netinterf.stats.bucket.following import Fates, SeriesBatch
from netinterf.stats.recursion import arrays, compiled
from tests.oracles import naive_stats
from tests.unit.stats.policed import bursts, police

needs_library = pytest.mark.skipif(not is_there(), reason="nothing is compiled here (hatch_build.py)")
each_way = pytest.mark.parametrize("way", [arrays, pytest.param(compiled, marks=needs_library)], ids=["arrays", "C"])

packets = st.lists(st.tuples(st.floats(0, 1), st.integers(1, 4), st.booleans()), max_size=80)
fate = st.sampled_from([None, True, False])  # as drawn, all lost, none lost
buckets = st.lists(st.tuples(st.floats(1, 3000), st.floats(1, 90_000)), max_size=40)
cases = st.lists(st.tuples(packets, fate, buckets), min_size=1, max_size=4)


def fates(rows, all_lost=None):
    """Lay generated packets out as a series; many share their time with the one before."""
    time = np.cumsum([gap if gap > 0.2 else 0.0 for gap, _, _ in rows]) if rows else np.empty(0)
    lost = np.array([lost if all_lost is None else all_lost for _, _, lost in rows], bool)
    return Fates(time, np.array([400.0 * size for _, size, _ in rows]), lost)


def followed(series, rate, depth):
    """Follow one bucket by the loop."""
    return np.array(naive_stats.follow_bucket(series.time, series.size, series.lost, rate, depth))


@each_way
@given(cases, st.tuples(st.floats(1, 3000), st.floats(1, 90_000)))
def test_a_bucket_is_followed_as_by_the_loop(way, cases, bucket):
    """Along each series it leaves what the loop leaves, where none has packets, too."""
    made = [fates(rows, all_lost) for rows, all_lost, _ in cases]
    left = way.follow(SeriesBatch(made).steps, *(np.full(len(made), part) for part in bucket))
    assert left.tobytes() == np.concatenate([followed(one, *bucket) for one in made]).tobytes()


@each_way
@given(cases, st.randoms())
def test_counts_are_those_of_the_loop(way, cases, shuffler):
    """Buckets of several series, of any number and in any order, count what the loop leaves."""
    made = [fates(rows, all_lost) for rows, all_lost, _ in cases]
    tried = [(owner, *bucket) for owner, (_, _, wanted) in enumerate(cases) for bucket in wanted]
    shuffler.shuffle(tried)
    owner, rate, depth = np.array(tried, float).reshape(-1, 3).T
    under = way.count_under(SeriesBatch(made).steps, owner.astype(int), rate, depth)
    assert under.shape == (2, 2, len(tried))
    for counted, (own, *bucket) in zip(np.moveaxis(under, 2, 0).tolist(), tried, strict=True):
        less = followed(made[own], *bucket) < np.array([[0.0], [made[own].packet]])
        assert counted == [less.sum(axis=1).tolist(), less[:, made[own].lost].sum(axis=1).tolist()]


@needs_library
def test_many_buckets_are_counted_alike():
    """Hundreds of buckets on series of hundreds of packets, more than what either moves at once."""
    rng = np.random.default_rng(6)
    made = []
    for seed, count in enumerate((700, 1, 33, 640, 260)):
        time, size = bursts(seed, count=count)
        lost = police(time, size, 5e4, 2e4) ^ (rng.random(count) < 0.05)
        made.append(Fates(np.sort(time + rng.exponential(0.01, count)), size * rng.uniform(0.1, 1, count), lost))
    owner = rng.integers(len(made), size=3000)
    rate, depth = rng.uniform(1e3, 2e5, len(owner)), rng.uniform(1e3, 9e4, len(owner))
    for batch, own in ((SeriesBatch(made), owner), (SeriesBatch(made[:1]), np.zeros_like(owner))):
        assert np.array_equal(*(way.count_under(batch.steps, own, rate, depth) for way in (arrays, compiled)))


@each_way
@given(st.lists(packets, min_size=1, max_size=4), st.lists(st.floats(1, 3000), max_size=40), st.booleans())
def test_bursts_are_those_of_the_loop(way, made, rates, sort):
    """What passed of each series gets ahead of each line as far as the loop says."""
    series, expected = [fates(rows) for rows in made], []
    owner = np.arange(len(rates)) % len(made)
    owner = np.sort(owner) if sort else owner
    for rate, own in zip(rates, owner.tolist(), strict=True):
        lowest, highest, passed = np.inf, -np.inf, ~series[own].lost
        time, size = series[own].time[passed], series[own].size[passed]
        for since, sent, bytes_ in zip(
            (time - time[:1]).tolist(), np.cumsum(size).tolist(), size.tolist(), strict=True
        ):
            lowest = min(lowest, (sent - bytes_) - rate * since)
            highest = max(highest, (sent - rate * since) - lowest)
        expected.append(highest if len(time) else 0.0)
    assert way.bursts(owner, np.array(rates), SeriesBatch(series).passed).tolist() == expected


@settings(max_examples=20)
@each_way
@given(st.lists(st.integers(0, 70), min_size=1, max_size=4), st.integers(1, 33), st.integers(0, 99))
def test_fading_links_move_as_in_the_loop(way, lengths, every, seed):
    """Of each link of each series both likelihoods move packet by packet, and are one again after each logarithm."""
    rng = np.random.default_rng(seed)
    share, likelier = rng.random(3), rng.uniform(-0.999, 998, (2, 2))
    stay, lost = [rng.random((count, 4)) for count in lengths], [rng.random(count) < seed / 99 for count in lengths]
    total = rng.normal(size=(len(lengths), 2, 12))
    expected = total.copy()
    for one, count in enumerate(lengths):
        bad = np.tile(np.repeat(share, 4), (2, 1))
        for start in range(0, count, every):
            both = np.ones_like(bad)
            for packet in range(start, min(start + every, count)):
                for link, cell in np.ndindex(bad.shape):
                    unmoved, than_good = stay[one][packet, cell % 4], likelier[int(lost[one][packet]), link]
                    now = bad[link, cell] * unmoved + both[link, cell] * (share[cell // 4] * (1.0 - unmoved))
                    both[link, cell], bad[link, cell] = both[link, cell] + now * than_good, now + now * than_good
            expected[one] += np.log(both)
            bad /= both
    way.fade(stay, lost, share, likelier, total, every)
    assert total.tobytes() == expected.tobytes()


@each_way
def test_any_kind_of_number_will_do(way) -> None:
    """Whole numbers and short ones are followed as the same numbers in full."""
    rows, lost = [1, 2, 2, 3, 9], [0, 1, 0, 1, 0]
    full = SeriesBatch([Fates(np.array(rows, float), np.full(5, 400.0), np.array(lost, bool))]).steps
    short = SeriesBatch([Fates(np.array(rows), np.full(5, 400), np.array(lost))]).steps
    rate, depth = np.array([300.0, 500.0]), np.array([800.0, 400.0])
    owner = np.zeros(2, np.int64)
    expected = way.count_under(full, owner, rate, depth)
    counted = way.count_under(short, owner.astype(np.int32), rate.astype(np.float32), depth.astype(int))
    assert counted.tolist() == expected.tolist()
    assert way.follow(short, rate[:1].astype(int), depth[:1]).tolist() == way.follow(full, rate[:1], depth[:1]).tolist()
