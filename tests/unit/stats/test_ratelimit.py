"""Token buckets fitted to losses: right when there is one, silent when losses are chance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.errors import ParameterError
from netinterf.stats.bucket.fit import NO_FIT, Parted, explain_each, fit_bucket, loss_line_rate
from netinterf.stats.bucket.following import Fates, follow_bucket, grade_packets
from netinterf.stats.bucket.passed import measure_bucket
from netinterf.stats.bucket.profile import DEPTHS, DROP, RATES, STAKE, bucket_intervals
from netinterf.stats.bucket.search import search_bucket
from netinterf.stats.losses import harmless_likelihood
from tests.oracles import naive_stats
from tests.unit.stats.policed import bursts, police


@pytest.mark.parametrize(
    ("rate", "depth"), [(16e3, 8e3), (16e3, 5e4), (1e5, 8e3), (1e5, 2e5), (2.5e5, 5e4), (2.5e5, 2e5)]
)
def test_a_bucket_is_found_with_its_rate_and_depth(rate, depth):
    """Rate within 2 %, depth within two packets and 2 %, and most of the deviance is explained."""
    time, size = bursts(int(rate + depth))
    lost = police(time, size, rate, depth)
    fit = search_bucket(time, size, lost)
    assert fit.llr > 50
    assert fit.info > 0.7
    told = measure_bucket(time, size, lost, fit)
    assert told[0] == pytest.approx(rate, rel=0.02)
    assert told[1] == pytest.approx(depth, abs=2 * 1514 + 0.02 * depth)
    assert fit.below > 0.9
    assert fit.above < 0.1


def test_a_bucket_that_refills_every_round_trip_hides_its_rate():
    """Then only the depth is known: so many bytes a round trip pass, whatever the rate."""
    time, size = bursts(11)
    fit = search_bucket(time, size, police(time, size, 2.5e5, 8e3))
    assert fit.info > 0.7
    assert fit.depth == pytest.approx(8e3, abs=2 * 1514)


def test_losses_that_follow_closely_are_no_bucket():
    """What is lost whenever it comes within a millisecond of the packet before fills no bucket that anybody sets up."""
    rng = np.random.default_rng(4)
    gap = np.where(rng.random(600) < 0.3, 0.0008, rng.uniform(0.002, 0.02, 600))
    time, size = np.cumsum(gap), np.full(600, 1514.0)
    assert search_bucket(time, size, gap < 0.001).info < 0.3


def test_what_an_empty_bucket_lets_pass_is_no_bucket():
    """Half of what finds no tokens passes, as through a full queue that serves on: no bucket explains that."""
    time, size = bursts(7)
    lost = police(time, size, 1e5, 5e4) & (np.random.default_rng(7).random(len(time)) < 0.5)
    fit = search_bucket(time, size, lost)
    assert not fit.llr > 0 or fit.below > 0.6


def test_a_steady_sender_is_found_by_the_bucket_it_keeps_empty():
    """A sender that is paced beyond the rate, whose lost packets are dated to a millisecond only."""
    rng = np.random.default_rng(5)
    time, size = np.cumsum(rng.choice([0.003, 0.004, 0.006, 0.009], 900)), np.full(900, 1514.0)
    lost = police(time, size, 1.2e5, 4e4)
    told = np.sort(np.where(lost, time + rng.uniform(-1e-3, 1e-3, 900), time))
    fit = search_bucket(told, size, lost)
    assert fit.info > 0.3
    assert fit.below > 0.8
    assert fit.rate == pytest.approx(1.2e5, rel=0.05)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
def test_chance_loss_is_no_bucket(share):
    """The search over rates and thresholds does not make evidence out of chance: at most 1 of 20 series above 0."""
    found = []
    for seed in range(20):
        time, size = bursts(seed)
        found.append(search_bucket(time, size, np.random.default_rng(seed + 99).random(len(time)) < share).llr)
    assert np.sum(np.array(found) > 0) <= 1
    assert max(found) < 3


def test_a_series_that_begins_with_an_empty_bucket_is_fitted():
    """What happens to the first packets sets the level right: cutting the beginning off costs little."""
    time, size = bursts(3)
    lost = police(time, size, 1e5, 5e4)
    later = slice(int(np.argmax(lost)) + 50, None)
    fit = search_bucket(time[later], size[later], lost[later])
    assert measure_bucket(time[later], size[later], lost[later], fit)[0] == pytest.approx(1e5, rel=0.02)
    assert fit.info > 0.7


@pytest.mark.parametrize("share", [0.02, 0.05])
def test_miscounted_packets_spoil_little(share):
    """Losses of which the capture shows nothing, and others taken for losses, hide neither bucket nor rate."""
    time, size = bursts(5)
    lost = police(time, size, 1e5, 5e4)
    wrong = np.random.default_rng(1).random(len(time)) < share
    fit = search_bucket(time, size, lost ^ wrong)
    assert fit.llr > 50
    told = measure_bucket(time, size, lost ^ wrong, fit)[0]
    assert told == pytest.approx(1e5, rel=0.06 if share < 0.05 else 0.25)


def test_runs_of_losses_are_no_bucket():
    """A link that fades now and then loses packets in runs, whatever was sent before: one series of ten may pass 3."""
    found = []
    for seed in range(10):
        time, size = bursts(seed)
        rng = np.random.default_rng(seed + 300)
        fades = np.cumsum(rng.exponential(1.0, 200))
        inside = np.searchsorted(fades, time) % 2 == 1
        found.append(search_bucket(time, size, inside & (rng.random(len(time)) < 0.8)).llr)
    assert np.sum(np.array(found) > 3) <= 1
    assert max(found) < 5


series = st.lists(st.tuples(st.floats(0, 1), st.integers(1, 4), st.booleans()), max_size=25)


def columns(rows):
    """Lay generated packets out as columns; many share their time with the one before."""
    time = np.cumsum([gap if gap > 0.2 else 0.0 for gap, _, _ in rows]) if rows else np.empty(0)
    return time, np.array([400.0 * size for _, size, _ in rows]), np.array([lost for _, _, lost in rows], bool)


@given(series, st.lists(st.tuples(st.floats(1, 3000), st.floats(1, 90_000)), max_size=4))
def test_following_equals_the_loop(rows, buckets):
    """Many buckets followed at once are each what a loop follows."""
    time, size, lost = columns(rows)
    rate, depth = (np.array([one[place] for one in buckets], float) for place in range(2))
    left = follow_bucket(time, size, lost, rate, depth)
    expected = [naive_stats.follow_bucket(time, size, lost, r, d) for r, d in buckets]
    np.testing.assert_allclose(left, np.array(expected).reshape(len(buckets), len(rows)).T, rtol=1e-9, atol=1e-6)


@given(series.filter(bool), st.lists(st.tuples(st.floats(1, 3000), st.floats(1, 90_000)), min_size=1, max_size=4))
def test_grading_equals_following(rows, buckets):
    """Counting while following gives what sorting the margins afterwards gives."""
    time, size, lost = columns(rows)
    rate, depth = (np.array([one[place] for one in buckets], float) for place in range(2))
    met, gone = grade_packets(time, size, lost, rate, depth)
    left = np.array([naive_stats.follow_bucket(time, size, lost, r, d) for r, d in buckets]).T
    edge = np.median(size)
    grades = [left < 0, (left >= 0) & (left < edge), left >= edge]
    assert met.tolist() == [grade.sum(axis=0).tolist() for grade in grades]
    assert gone.tolist() == [grade[lost].sum(axis=0).tolist() for grade in grades]


def test_intervals_hold_what_explains_nearly_as_well():
    """Every rate and depth tried one by one that comes close enough lies in the interval, and what is told does."""
    time, size = bursts(5, count=300)
    lost = police(time, size, 6e4, 3e4)
    fit = search_bucket(time, size, lost)
    known = bucket_intervals(time, size, lost, fit, rate=1.2 * fit.rate, depth=fit.depth)
    near = []
    for rate in fit.rate * RATES[::4]:
        for depth in fit.depth * DEPTHS[::4]:
            alone = fit_bucket(time, size, lost, rates=np.array([rate]), depths=np.array([depth]))
            if alone.likelihood >= fit.likelihood - max(DROP, STAKE * fit.llr):
                near.append((rate, depth))
    assert len(near) > 1
    for rate, depth in near:
        assert known.rate[0] <= rate <= known.rate[1]
        assert known.depth[0] <= depth <= known.depth[1]
    assert known.rate[0] <= 6e4 < 1.2 * fit.rate <= known.rate[1]
    assert known.depth[0] <= 3e4 <= known.depth[1]


def test_intervals_are_no_narrower_than_a_packet_allows():
    """From the first loss to the last the levels are known to a packet, and the burst that passed to the next one."""
    time, size = np.arange(2000) / 1000, np.full(2000, 1500.0)  # ten times the rate, so that it is never full again
    lost = police(time, size, 1.5e5, 6e4)
    fit = search_bucket(time, size, lost)
    rate, depth = measure_bucket(time, size, lost, fit)
    known = bucket_intervals(time, size, lost, fit, rate=rate, depth=depth)
    seconds = np.ptp(time[lost])
    off = 1.96 * np.sqrt(1500.0**2 / 12 + 1500.0**2 / 12) / seconds
    assert known.rate[0] <= rate - 0.99 * off
    assert known.rate[1] >= rate + 0.99 * off
    assert known.depth[1] >= depth + 1500.0
    assert known.rate[0] <= 1.5e5 <= known.rate[1] < 1.1 * 1.5e5
    assert known.depth[0] <= 6e4 <= known.depth[1] < 1.5 * 6e4


def test_no_rate_is_told_below_zero():
    """Where the levels tell nothing of the rate, the interval reaches down to zero, and not to some tiny number."""
    time, size = np.linspace(0, 0.02, 60), np.full(60, 1500.0)
    lost = police(time, size, 1e5, 6e4)
    known = bucket_intervals(time, size, lost, search_bucket(time, size, lost), rate=1e5, depth=6e4)
    assert known.rate[0] == 0 < known.rate[1]


def test_rates_that_explain_no_more_than_no_limit_are_none():
    """A shallow bucket that fills up between bursts shows no level, but it lets each burst through to its depth."""
    time = (np.arange(100)[:, None] * 0.1 + np.arange(10) * 1e-4).reshape(-1)
    size = np.full(len(time), 1500.0)
    lost = police(time, size, 1.25e6, 8e3)
    fit = search_bucket(time, size, lost)
    known = bucket_intervals(time, size, lost, fit, rate=fit.rate, depth=fit.depth)
    harmless = fit.likelihood - fit.llr
    depths = np.geomspace(2e3, 4e4, 60)
    assert 0 < known.rate[0] <= 1.25e6
    for rate in (0.5 * known.rate[0], 4 * known.rate[1]):
        beyond = fit_bucket(time, size, lost, rates=np.array([rate]), depths=depths, harmless=harmless)
        assert beyond.llr < fit.llr - max(DROP, STAKE * fit.llr)


def test_nothing_fitted_has_no_interval():
    """Without a fit the interval is not a number."""
    none = bucket_intervals(np.zeros(2), np.ones(2), np.zeros(2, bool), NO_FIT, rate=np.nan, depth=np.nan)
    assert np.isnan([*none.rate, *none.depth]).all()


@given(
    series.filter(bool),
    st.lists(st.floats(1, 3000), min_size=1, max_size=3),
    st.lists(st.floats(400, 5000), min_size=1, max_size=3),
)
def test_the_best_of_all_buckets_is_found(rows, rates, depths):
    """The likelihood is that of the best bucket among all pairs, each tried by itself."""
    time, size, lost = columns(rows)
    fit = fit_bucket(time, size, lost, rates=np.array(rates)[:, None], depths=np.array(depths))
    if lost.all() or not lost.any():
        assert fit == NO_FIT
        return
    packet = float(np.median(size))
    tried = [
        naive_stats.bucket_likelihood(
            naive_stats.follow_bucket(time, size, lost, rate, depth), lost, packet, rate, depth
        )
        for rate in rates
        for depth in depths
    ]
    best = max(tried) - 2 * np.log(len(rows))
    assert fit.likelihood == pytest.approx(best)
    if np.isfinite(fit.llr):
        assert fit.llr == pytest.approx(best - harmless_likelihood(time, lost))


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
        fit_bucket(np.zeros(2), np.zeros(3), np.zeros(2, bool), rates=np.ones(1), depths=np.ones(1))
    with pytest.raises(ParameterError, match="goes with the rates"):
        fit_bucket(np.zeros(2), np.zeros(2), np.zeros(2, bool), rates=np.ones(2), depths=np.ones(3))


def test_a_deep_bucket_is_found_to_the_packet():
    """A burst that empties a deep bucket tells its depth, which then explains almost every loss."""
    rng = np.random.default_rng(5)
    time, size = np.cumsum(rng.exponential(1 / 3000, 2000)), np.full(2000, 1500.0)
    fit = search_bucket(time, size, police(time, size, 1.25e6, 1.013e6))
    assert fit.below > 0.99
    assert fit.info > 0.9
    assert fit.depth == pytest.approx(1.013e6, rel=0.01)
    assert fit.rate == pytest.approx(1.25e6, rel=0.02)


def test_the_line_through_losses_is_the_rate():
    """Between two losses exactly the granted bytes passed, whatever the sender did."""
    time, size = bursts(8)
    lost = police(time, size, 1e5, 2e4)
    assert loss_line_rate(time, size, lost) == pytest.approx(1e5, rel=0.02)
    assert np.isnan(loss_line_rate(time, size, np.zeros(len(time), bool)))


def test_one_part_is_explained_as_by_its_best_bucket():
    """Of one series the explanation is that of the best bucket tried."""
    time, size = bursts(3)
    lost = police(time, size, 5e4, 3e4)
    rates, depths = np.array([2e4, 5e4, 9e4]), np.array([3e4, 3e4, 3e4])
    harmless = harmless_likelihood(time, lost)
    fit = fit_bucket(time, size, lost, rates=rates, depths=depths, harmless=harmless)
    assert explain_each([Parted([Fates(time, size, lost)], rates, depths, harmless)])[0] == pytest.approx(fit)


@pytest.mark.parametrize("shared", [False, True])
def test_buckets_apart_are_told_from_one_for_all(shared):
    """Whether two series share a bucket or have one each, the true way explains their losses better."""
    (time, size), (late, more) = bursts(3), bursts(4)
    both = np.argsort(np.append(time, late), kind="stable")
    every, sizes, first = np.append(time, late)[both], np.append(size, more)[both], both < len(time)
    lost = police(every, sizes, 5e4, 3e4)
    if not shared:
        lost[first], lost[~first] = police(time, size, 5e4, 3e4), police(late, more, 5e4, 3e4)
    rate, depth = np.array([5e4]), np.array([3e4])
    harmless = harmless_likelihood(every, lost)
    parts = [Fates(every[one], sizes[one], lost[one]) for one in (first, ~first)]
    whole = [Fates(every, sizes, lost)]
    apart, together = explain_each([Parted(own, rate, depth, harmless) for own in (parts, whole)])
    assert abs(apart.likelihood - together.likelihood) > 40
    assert (apart.likelihood < together.likelihood) == shared


def test_parts_that_lost_nothing_have_no_bucket():
    """Without losses there is nothing to explain."""
    time, size = bursts(5, count=50)
    nothing = Parted([Fates(time, size, np.zeros(50, bool))], np.array([1e4]), np.array([1e4]), -1.0)
    assert explain_each([nothing]) == [NO_FIT]
    assert explain_each([]) == []
