"""The shaping analyzer on transfers through queues, alone and beside others, and its series against slow twins."""

import math
import tracemalloc
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.analyzers.check import check_analyzer
from netinterf.analyzers.run import analyze
from netinterf.analyzers.shaping import Shaping, queued
from netinterf.analyzers.shaping.controls import Others, apart, cost
from netinterf.analyzers.shaping.deliveries import ACKS, ARRIVALS, Deliveries, credited_early, deliveries, sizeable
from netinterf.analyzers.shaping.queued import (
    CEILING,
    LEAST_TIME,
    Queued,
    Windows,
    candidates,
    cut_windows,
    filled,
    may_be_queued,
    merged,
    merged_each,
    near,
    try_queue,
    waiting_lanes,
)
from netinterf.analyzers.shaping.unmeasured import ceilings_of, long_enough, may_have_ceiling
from netinterf.schema import Outcome
from netinterf.simulate import run
from netinterf.simulate.conditions import Conditions
from netinterf.table import Ragged
from netinterf.trace import read
from netinterf.verdict.combine import classify
from tests.analyzers.bulk import Bottleneck, Flow, merge, shaper, transfer

RAW_IP = 101
OUTCOMES = tuple(Outcome)
SLOW = 62_500.0  # bytes a second
START = 1_700_000_000.0


def free():
    """Let everything pass at once."""
    return Bottleneck(lambda _now, _size: 0.0)


def trace_of(*moved):
    """Read what a tap captured of several transfers."""
    whole = merge(*moved)
    return read(times=np.array(whole.times), frames=whole.frames, link_type=RAW_IP)


def found(trace):
    """Name what was found: rule to its measures; and the outcomes and selective values of the flows it speaks of."""
    evidence = analyze(trace, [Shaping()])
    rules = {}
    for row in range(len(evidence)):
        rule = evidence.rules[evidence.rule[row]]
        rules[rule.id] = dict(zip(rule.measures, evidence.measured[row].tolist(), strict=True))
    verdicts = classify(evidence, trace)
    spoken = np.isin(verdicts.subject, evidence.subject)
    return rules, {OUTCOMES[code] for code in verdicts.outcome[spoken]}, set(verdicts.selective[spoken].tolist())


def limited(seed, *, tap="receiver", server="203.0.113.9", begin=START, segments=400, **options):
    """Move data through a queue of its own."""
    return transfer(
        seed, shaper(SLOW, 30e3), flows=[Flow(segments)], rtt=0.05, tap=tap, server=server, begin=begin, **options
    )


def quick(seed, *, tap="receiver", server="198.51.100.4", begin=START + 2):
    """Move data past it."""
    return transfer(seed, free(), flows=[Flow(300)], rtt=0.04, tap=tap, server=server, begin=begin)


def test_a_queue_alone_is_not_accused_and_its_numbers_are_told():
    """Without a contrast nobody is accused, and rate and waiting are those of the queue."""
    rules, outcomes, selective = found(trace_of(limited(1)))
    assert set(rules) == {"shaping.uncompared"}
    assert outcomes == {Outcome.INSUFFICIENT}
    assert selective == {-1}
    assert rules["shaping.uncompared"]["rate_bps"] == pytest.approx(8 * SLOW, rel=0.03)
    assert 50 < rules["shaping.uncompared"]["waited_ms"] < 500


def test_one_slow_server_beside_a_quick_one_is_no_proof():
    """Others are spared, but the server's own line may be slow: not accused."""
    rules, outcomes, _ = found(trace_of(limited(1), quick(2)))
    assert set(rules) == {"shaping.spared", "shaping.one_server"}
    assert rules["shaping.spared"]["passed"] > 100
    assert Outcome.INTERFERED not in outcomes
    assert rules["shaping.spared"]["selective"] == 1


def test_servers_of_two_networks_at_one_rate_are_accused():
    """The same rate for two servers while a third is quick is no server's line."""
    rules, outcomes, _ = found(trace_of(limited(1), limited(3, server="192.0.2.99", begin=START + 12), quick(2)))
    assert set(rules) == {"shaping.spared", "shaping.several_servers"}
    assert outcomes == {Outcome.INTERFERED}


def test_a_queue_between_tap_and_client_is_accused():
    """Before the queue, round trips show it at the client's side, where what was spared passes as well."""
    rules, outcomes, _ = found(trace_of(limited(1, tap="sender"), quick(2, tap="sender")))
    assert set(rules) == {"shaping.spared", "shaping.at_client"}
    assert outcomes == {Outcome.INTERFERED}


def test_each_transfer_with_a_queue_of_its_own_is_accused():
    """Two transfers of one server at once, each at the whole rate, are more than a line gives."""
    rules, _, _ = found(trace_of(limited(1), limited(3, begin=START + 1), quick(2)))
    assert "shaping.each_its_own" not in rules  # both in one world would share a port, so they are told apart by time
    pair = [
        transfer(seed, shaper(SLOW, 30e3), flows=[Flow(400, port=port)], rtt=0.05, tap="receiver", begin=START + shift)
        for seed, port, shift in ((1, 40_001, 0.0), (3, 40_002, 0.7))
    ]
    rules, outcomes, _ = found(trace_of(*pair, quick(2)))
    assert set(rules) == {"shaping.spared", "shaping.each_its_own"}
    assert outcomes == {Outcome.INTERFERED}


def test_faster_transfers_of_the_same_service_are_no_contrast():
    """Nothing selects between transfers with one server and name: another subscriber may be behind the address."""
    other = transfer(2, free(), flows=[Flow(300, port=40_009)], rtt=0.04, tap="sender", begin=START + 2)
    rules, outcomes, _ = found(trace_of(limited(1, tap="sender"), other))
    assert set(rules) == {"shaping.uncompared"}
    assert outcomes == {Outcome.INSUFFICIENT}


@pytest.mark.parametrize(("after", "told"), [(12, True), (40, False), (-30, False)])
def test_others_that_pass_right_behind_the_waiting_are_spared_elsewhen(after, told):
    """The queue was busy a moment ago, so no burst was saved up; half a minute later, or before, one may have been."""
    trace = trace_of(limited(1), quick(2, begin=START + after))
    evidence = Shaping()(trace)
    weights = {evidence.rules[code].id: llr for code, llr in zip(evidence.rule, evidence.llr, strict=True)}
    assert set(weights) == ({"shaping.spared_elsewhen", "shaping.one_server"} if told else {"shaping.uncompared"})
    assert set(evidence.subject.tolist()) == {int(after < 0)}  # flows are numbered in the order of time
    if told:
        assert weights["shaping.spared_elsewhen"] > 0
        place = evidence.rules[evidence.rule[0]].measures.index("beyond_bytes")
        assert evidence.measured[0][place] > 200_000
        assert (trace.packets.flow[evidence.witness[0]] != evidence.subject[0]).any()


def test_a_fast_start_is_told():
    """Bytes that passed before the queue, faster than it is, came through no line of its speed."""
    burst = transfer(1, shaper(SLOW, 30e3, credit=150e3), flows=[Flow(500, start=5.0)], rtt=0.05, tap="receiver")
    rules, _, _ = found(trace_of(burst, quick(2, begin=START + 9)))
    assert rules["shaping.fast_start"]["burst_bytes"] == pytest.approx(150e3, rel=0.3)


@pytest.mark.parametrize("tap", ["sender", "receiver"])
def test_one_line_for_all_is_not_accused(tap):
    """Transfers that share a queue share its rate, so nobody is spared."""
    flows = [Flow(300, port=40_001), Flow(200, port=40_002, start=1.5), Flow(60, port=40_003, start=4.0)]
    trace = trace_of(transfer(5, shaper(SLOW, 60e3), flows=flows, rtt=0.05, tap=tap, begin=START))
    rules, outcomes, selective = found(trace)
    assert not {"shaping.spared", "shaping.spared_elsewhen"} & set(rules)
    assert Outcome.INTERFERED not in outcomes
    assert 1 not in selective


def test_a_line_that_others_share_is_no_queue_of_its_own():
    """What is left of a line by others changes, so no rate is steady."""
    crowd = shaper(2 * SLOW, 60e3, share=lambda now: 0.2 + 0.8 * abs(np.sin(1.7 * now)))
    moved = transfer(1, crowd, flows=[Flow(600)], rtt=0.05, tap="receiver", begin=START)
    assert found(trace_of(moved, quick(2)))[0] == {}


@pytest.mark.parametrize("ends", [{"window": 4.0}, {"pace": 0.02}], ids=["window", "paced"])
@pytest.mark.parametrize("tap", ["sender", "receiver"])
def test_ends_that_limit_themselves_say_nothing(ends, tap):
    """A small window and a program that paces keep a rate, but nothing waits on the path."""
    slow = transfer(1, free(), flows=[Flow(400, **ends)], rtt=0.1, tap=tap, begin=START)
    assert len(slow.frames) > 400
    assert found(trace_of(slow, quick(2, tap=tap)))[0] == {}


@pytest.mark.parametrize(
    ("view", "waits", "told"),
    [
        (ACKS, np.linspace(0.05, 0.2, 12), True),
        (ACKS, np.append([0.05, 0.07], np.full(40, 0.2)), True),
        (ACKS, np.full(12, 0.1), False),
        (ACKS, np.linspace(0.05, 0.2, 2), False),
        (ARRIVALS, np.full(12, 0.1), True),
    ],
    ids=["grows", "rose and stands", "stays", "few", "seen to arrive"],
)
def test_a_flight_fills_a_queue(view, waits, told):
    """A receiver that answers late keeps a window's rate at one round trip; behind a queue the round trip grows."""
    ends, count = np.arange(1.0, len(waits) + 1), len(waits)
    windows = Windows(
        group=np.zeros(count, np.int64), begin=ends - 1, end=ends, rate=np.full(count, 5e4),
        waiting=np.ones(count, np.bool_), wait=waits, even=np.ones(count), row=np.arange(count),
    )  # fmt: skip
    queued = Queued(lanes=np.array([2 + view]), windows=windows, rate=5e4, steady=1.0, sure=True)
    assert filled(queued, np.array([0.5, 0.02])) == told


@pytest.mark.parametrize("window", [24.0, 60.0])
def test_a_small_window_fills_a_queue_that_stands(window):
    """What a receiver's window allows stands in the queue: the round trip rises once."""
    slow = transfer(1, shaper(SLOW, 1e6), flows=[Flow(900, window=window)], rtt=0.08, tap="sender", begin=START)
    assert found(trace_of(slow, quick(2, tap="sender")))[1] == {Outcome.INTERFERED}


def test_who_passes_by_a_shared_queue_is_not_of_it():
    """Two transfers take turns in a queue, and a third that waits elsewhere for a moment comes at another rate."""
    turns, passing = 0.01 * np.arange(2000), 5 + 0.001 * np.arange(100)
    parts = [(3, turns[::2]), (7, turns[1::2]), (11, passing)]
    lane = np.concatenate([np.full(len(time), number) for number, time in parts])
    time, count = np.concatenate([time for _, time in parts]), len(lane)
    together = Deliveries(
        lane=lane, row=np.arange(count), time=time, size=np.full(count, 1500.0), wait=np.full(count, 0.1),
        clock_error=np.zeros(count),
    )  # fmt: skip
    lanes = np.array([3, 7, 11])
    queue = try_queue(together, lanes, merged(together, lanes))
    assert queue is not None
    assert queue.lanes.tolist() == [3, 7]
    assert queue.rate == pytest.approx(150_000, rel=0.02)


@pytest.mark.parametrize(("scenario", "seed"), [("power-save", 535), ("plan-burst", 556)])
def test_late_answers_are_no_queue(scenario, seed):
    """Radios that sleep and a line's own burst keep a rate for a while; nothing grows with what is under way."""
    played = run(f"benign.rate.{scenario}", seed)
    assert (
        Outcome.INTERFERED not in found(read(times=played.times, frames=played.frames, link_type=played.link_type))[1]
    )


def test_without_timestamps_the_first_flights_tell_the_queue():
    """Behind a queue without timestamps, flights that the sender emits at once come spread at the rate."""
    slow = limited(1, timestamps=False)
    rules, _, _ = found(trace_of(slow, quick(2)))
    assert "shaping.spared" in rules
    assert np.isnan(rules["shaping.spared"]["waited_ms"]) or rules["shaping.spared"]["waited_ms"] > 0
    assert rules["shaping.spared"]["selective"] == 1


def test_a_client_that_only_receives_is_judged_too():
    """Arrivals with timestamps need no other direction."""
    whole = trace_of(limited(1), limited(3, server="192.0.2.99", begin=START + 12), quick(2))
    inbound = ~whole.packets.outbound
    times = whole.packets.time[inbound]
    frames = [
        whole.buffer[at : at + size].tobytes()
        for at, size in zip(whole.packets.at[inbound], whole.packets.captured[inbound], strict=True)
    ]
    rules, outcomes, _ = found(read(times=times, frames=frames, link_type=RAW_IP))
    assert "shaping.spared" in rules
    assert outcomes == {Outcome.INTERFERED}


def test_the_contract_of_analyzers_holds():
    """It is pure, deterministic, and speaks of what it names."""
    check_analyzer(Shaping())


@pytest.mark.parametrize(("scenario", "seed"), [("rate.shaping.turkey", 330_003), ("rate.shaping.adaptive", 330_002)])
def test_documented_shapers_are_found(scenario, seed):
    """Transfers that a documented shaper slowed down are accused, with others beside them spared."""
    played = run(scenario, seed, Conditions(ip=4, vantage="server", luck=0.0))
    rules, outcomes, _ = found(read(times=played.times, frames=played.frames, link_type=played.link_type))
    assert "shaping.spared" in rules
    assert Outcome.INTERFERED in outcomes


@pytest.mark.parametrize("scenario", ["plan-shaper", "plan-burst", "bufferbloat", "power-save", "shared-bottleneck"])
def test_whole_lines_are_not_accused(scenario):
    """Plans, overfull buffers, dozing radios and shared lines slow everything alike."""
    for seed in (330_001, 330_002):
        played = run(f"benign.rate.{scenario}", seed)
        outcomes = found(read(times=played.times, frames=played.frames, link_type=played.link_type))[1]
        assert Outcome.INTERFERED not in outcomes


def test_both_views_measure_the_queue():
    """Acknowledgements at the sender's tap and timestamps at the receiver's tell the waiting of a full queue."""
    for tap, view in (("sender", ACKS), ("receiver", ARRIVALS)):
        trace = trace_of(limited(1, tap=tap))
        told = deliveries(trace, sizeable(trace))
        mine = told.take(told.lane & 1 == view)
        late = np.nanquantile(mine.wait, 0.9)
        assert 0.2 < late < 30e3 / SLOW * 1.1
        assert mine.size.sum() == pytest.approx(400 * 1514, rel=0.03)


def series(sizes, gaps):
    """Lay deliveries out by hand."""
    count = len(sizes)
    time = np.cumsum(np.array(gaps, np.float64))
    zero = np.zeros(count)
    return Deliveries(
        lane=np.zeros(count, np.int64), row=np.arange(count), time=time, size=np.array(sizes, np.float64), wait=zero,
        clock_error=zero,
    )  # fmt: skip


@given(
    st.lists(st.tuples(st.integers(50, 3000), st.floats(0.001, 0.5)), min_size=1, max_size=120),
    st.integers(1, 3),
)
def test_windows_are_those_of_a_loop(rows, groups):
    """Windows of several groups are what a loop over the deliveries of each gives."""
    sizes, gaps = (list(column) for column in zip(*rows, strict=True))
    told = series(sizes, gaps)
    group = np.sort(np.arange(len(rows)) % groups)
    windows = cut_windows(told, group)
    expected = []
    for one in range(groups):
        mine = np.flatnonzero(group == one)
        if len(mine) == 0:
            continue
        size = min(max(told.size[mine].sum() / 20, 4500.0), 12_000.0)
        total, number, last = 0.0, 0, None
        for place, row in enumerate(mine):
            total += told.size[row]
            following = total + told.size[mine[place + 1]] if place + 1 < len(mine) else None
            if following is None or int(following // size) != int(total // size):
                if last is not None:
                    moved = told.size[(np.arange(len(rows)) > last) & (np.arange(len(rows)) <= row)].sum()
                    expected.append((one, moved / (told.time[row] - told.time[last])))
                last, number = row, number + 1
    assert windows.group.tolist() == [one for one, _ in expected]
    np.testing.assert_allclose(windows.rate, [rate for _, rate in expected], rtol=1e-6)


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans(), st.integers(1, 5)), max_size=60))
def test_duplicates_and_what_follows_tell_everything_once(rows):
    """A duplicate counts a packet, which is taken off the advances that follow, side by side."""
    rows = sorted(rows, key=lambda row: row[0])
    expected, early, last = [], 0, None
    for side, again, count in rows:
        early = early if side == last else 0
        last = side
        moved = 1000 if again else max(1000 * count - early, 0)
        early = early + 1000 if again else max(early - 1000 * count, 0)
        expected.append(moved)
    side, again = (np.array([row[column] for row in rows], np.int64) for column in (0, 1))
    more = np.array([0 if again else 1000 * count for _, again, count in rows], np.int64)
    moved = credited_early(side, more, again > 0, np.full(len(rows), 1000, np.int64))
    assert moved.tolist() == expected


def test_the_contrast_knows_a_shared_queue_from_two():
    """Rates that fall by what others move are one queue; rates that do not are two."""
    took = np.array([0, 0, 500, 500, 0, 300, 0, 800, 0, 0] * 2, np.float64)
    edges = np.arange(len(took) + 1.0)
    others = Others(delivered=series([*took], [0.5] + [1.0] * (len(took) - 1)))
    for rate, sign in ((np.full(len(took), 1000.0), 1), (1000.0 - took, -1)):
        windows = cut_windows(series([4600] * 4, [1] * 4), np.zeros(4, np.int64))
        held = {"group": np.zeros(len(took), np.int64), "begin": edges[:-1], "end": edges[1:], "rate": rate}
        flat = np.ones(len(took))
        windows = type(windows)(**held, waiting=flat > 0, wait=flat, even=flat, row=np.arange(len(took)))
        queue = Queued(lanes=np.array([3]), windows=windows, rate=1000.0, steady=1.0, sure=True)
        assert np.sign(apart(queue, others)) == sign
        assert abs(apart(queue, others)) > 10


@given(
    st.lists(
        st.tuples(st.sampled_from([0.05, 0.13, 0.4, 3.0, 1.7e9]), st.integers(1, 3000), st.integers(0, 3000)),
        min_size=1,
        max_size=40,
    )
)
def test_stretches_of_windows_are_those_of_a_walk(rows):
    """What windows moved is summed up by stretches of 0.2 s, of which a clock that steps by decades skips billions."""
    lasting, size, beside = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    end = np.cumsum(lasting)
    windows = Windows(
        group=np.zeros(len(rows), np.int64), begin=end - lasting, end=end, rate=size / lasting, waiting=lasting > 0,
        wait=lasting, even=np.ones(len(rows)), row=np.arange(len(rows)),
    )  # fmt: skip
    queue = Queued(lanes=np.array([3]), windows=windows, rate=2_000.0, steady=1.0, sure=True)
    others = Others(delivered=series(beside, lasting))
    tracemalloc.start()
    found = apart(queue, others)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000
    stretches, passed = {}, others.between(windows.begin, windows.end)
    for place, last in enumerate(np.cumsum(windows.lasting)):
        held = stretches.setdefault(math.floor(last / 0.2), [0.0, 0.0, 0.0])
        held[0] += windows.lasting[place]
        held[1] += windows.rate[place] * windows.lasting[place]
        held[2] += passed[place]
    told = [held for held in stretches.values() if held[0] > 0.1]
    if not told:
        assert found == 0
        return
    time, own, more = np.array(told).T
    tried = np.quantile((own + more) / time, np.linspace(0, 1, 100))
    together = min(cost((own + more) / time, rate) for rate in tried)
    assert found == pytest.approx(together - cost(own / time, 2_000.0), abs=1e-6)


def test_one_bad_window_decides_nothing():
    """The cost of a window has a bound."""
    assert cost(np.array([1.0, 1e9]), 1.0) == 4.0


def some_deliveries(rng, lanes):
    """Draw deliveries of some lanes, several at a time on a grid of times so that there are equal ones."""
    lane = np.repeat(lanes, rng.integers(1, 60, len(lanes)))
    time = np.round(rng.uniform(0, 30, len(lane)), 1)
    order = np.lexsort((time, lane))
    size = rng.choice([60.0, 600.0, 1500.0, 9000.0], len(lane))
    wait = np.where(rng.random(len(lane)) < 0.3, np.nan, rng.choice([0.0, 0.1], len(lane)))
    return Deliveries(
        lane=lane, row=np.arange(len(lane)), time=time[order], size=size, wait=wait, clock_error=np.zeros(len(lane))
    )


def slow_ceiling(rates):
    """Find the rate that most keep to, one after the other."""
    logs = sorted(np.log(rates).tolist())
    counts = [sum(low <= other <= low + 2 * CEILING for other in logs[place:]) for place, low in enumerate(logs)]
    best = counts.index(max(counts))
    return math.exp(float(np.median(logs[best : best + counts[best]])))


@pytest.mark.parametrize("block", [1, 400, 10**6])
@pytest.mark.parametrize("seed", range(6))
def test_groups_are_cut_all_at_once_as_each_alone(monkeypatch, block, seed):
    """However many are cut together: the same windows, ceilings, and groups that may have one."""
    monkeypatch.setattr(queued, "BLOCK", block)
    rng = np.random.default_rng(seed)
    lanes = np.flatnonzero(rng.random(40) < 0.5)
    delivered = some_deliveries(rng, lanes)
    parts = [np.sort(rng.choice(lanes, int(rng.integers(1, 5)), replace=False)) for _ in range(12)]
    windows, ceilings, promising = [], [], {}
    for groups, cut in merged_each(delivered, Ragged.of(parts, np.int64)):
        some = np.unique(cut.group)
        ceilings += ceilings_of(cut).tolist()
        numbers, rates = may_have_ceiling(cut)
        promising |= dict(zip((len(windows) + numbers).tolist(), rates.tolist(), strict=True))
        windows += list(cut.each(np.arange(len(groups))))
        assert len(some) == len([part for part in cut.each(np.arange(len(groups))) if len(part.rate)])
    assert len(windows) == len(parts)
    slow = []
    for place, (lanes_of, own) in enumerate(zip(parts, windows, strict=True)):
        alone = merged(delivered, lanes_of)
        for name in ("begin", "end", "rate", "waiting", "wait", "even", "row"):
            np.testing.assert_array_equal(getattr(own, name), getattr(alone, name))
        if len(alone.rate):
            slow.append(slow_ceiling(alone.rate))
            at = near(alone.rate, slow[-1], CEILING)
            behind = np.cumsum(at) > 0
            above = (alone.rate > slow[-1] * (1 + 2 * CEILING)) & behind
            keeps = at.sum() >= 5 and at.mean() >= 0.35 and above.mean() <= 0.05
            busy = alone.lasting[at].sum()
            keeps &= busy >= LEAST_TIME and busy >= 0.15 * alone.lasting.sum()
            keeps &= np.count_nonzero(alone.even[at] >= 0.7) >= 0.7 * at.sum()
            assert (place in promising) == keeps
            assert promising.get(place, slow[-1]) == pytest.approx(slow[-1], rel=1e-12)
    assert ceilings == pytest.approx(slow, rel=1e-12)


@pytest.mark.parametrize("spread", [1e-6, 5.0 / 9])
def test_what_a_timer_sends_at_once_has_no_ceiling(spread):
    """Nine packets each five seconds come at one rate: a queue's only if they come one after the other."""
    time = (5.0 * np.arange(20)[:, None] + spread * np.arange(9)).ravel()
    count = len(time)
    delivered = Deliveries(
        lane=np.ones(count, np.int64),
        row=np.arange(count),
        time=time,
        size=np.full(count, 600.0),
        wait=np.full(count, np.nan),
        clock_error=np.zeros(count),
    )
    ((_, windows),) = merged_each(delivered, Ragged.of([[1]], np.int64))
    assert len(may_have_ceiling(windows)[0]) == (spread > 0.1)


@pytest.mark.parametrize("seed", range(20))
def test_who_is_not_looked_at_would_not_have_been_queued(seed):
    """Lanes that wait are those whose windows wait, and a group that may be queued is any that proves to be."""
    rng = np.random.default_rng(seed)
    lanes = np.flatnonzero(rng.random(40) < 0.5)
    delivered = some_deliveries(rng, lanes)
    delivered.wait[:] = np.where(rng.random(len(delivered)) < 0.2, np.nan, rng.exponential(0.01, len(delivered)))
    slow = []
    for lane in lanes.tolist():
        windows = merged(delivered, np.array([lane]))
        waited = windows.lasting[windows.waiting].sum()
        if np.count_nonzero(windows.waiting) >= 5 and waited >= 0.08 * windows.lasting.sum():
            slow.append(lane)
    assert waiting_lanes(delivered).tolist() == slow
    for groups, windows in merged_each(delivered, Ragged.of([[lane] for lane in lanes], np.int64)):
        kept = may_be_queued(windows, len(groups)).tolist()
        queues = map(partial(try_queue, delivered), groups, windows.each(np.arange(len(groups))))
        assert set(kept) >= {place for place, queue in enumerate(queues) if queue}


@pytest.mark.parametrize("seed", range(10))
def test_whose_packets_came_in_less_time_than_a_queue_is_busy_cannot_have_a_ceiling(seed):
    """Groups that are left out have no windows that last as long; all others are kept, as they were."""
    rng = np.random.default_rng(seed)
    lanes = np.flatnonzero(rng.random(40) < 0.5)
    delivered = some_deliveries(rng, lanes)
    delivered.time[:] *= rng.choice([0.001, 0.01, 0.02, 1.0], 40)[delivered.lane % 40]
    parts = [np.sort(rng.choice(lanes, int(rng.integers(1, 4)), replace=False)).tolist() for _ in range(30)]
    kept = [part.tolist() for part in long_enough(delivered, Ragged.of(parts, np.int64))]
    spans = [np.ptp(delivered.time[np.isin(delivered.lane, part)]) for part in parts]
    assert kept == [part for part, span in zip(parts, spans, strict=True) if span >= 0.3 * (1 - 1e-9)]
    assert all(merged(delivered, np.array(part)).lasting.sum() < 0.3 for part in parts if part not in kept)
    assert len(long_enough(delivered, Ragged.of([], np.int64))) == 0


@pytest.mark.parametrize("seed", range(4))
def test_what_may_share_a_queue_is_listed_once(seed):
    """A lane, all between two hosts, all of a client: as one finds them key by key, and no two alike."""
    rng = np.random.default_rng(seed)
    count = 30
    flows = SimpleNamespace(client=rng.integers(0, 3, count), server=rng.integers(0, 6, count))
    lanes = np.flatnonzero(rng.random(4 * count) < 0.4)
    client, server = flows.client[lanes >> 2], flows.server[lanes >> 2]
    slow = []
    for key in (lanes, client * 1000 + server * 4 + lanes % 4, client * 4 + lanes % 4):
        for value in np.unique(key):
            members = lanes[key == value].tolist()
            if members not in slow:
                slow.append(members)
    listed = [members.tolist() for members in candidates(SimpleNamespace(flows=flows), lanes)]
    assert sorted(listed) == sorted(slow)
    assert listed == slow
