"""Rivals that look at rates: the published policing algorithm, throughputs against a control."""

import functools

import numpy as np
import pytest

from benchmarks.rivals.flach import FLACH, Code, judge_chunk
from benchmarks.rivals.transmissions import Transmissions, sent_again, transmissions
from benchmarks.rivals.wehe import WEHE, ks_probability
from netinterf.trace import read
from tests.analyzers.bulk import Flow, chance, merge, policer, shaper, transfer
from tests.oracles.dns_frames import RAW_IP


@functools.cache
def moved(kind, tap="sender"):
    """Move 1,500 segments through a bottleneck."""
    bottleneck = {
        "policed": lambda: policer(187_500, 3e4),
        "shaped": lambda: shaper(187_500, 6e4),
        "unlucky": lambda: chance(0.02, np.random.default_rng(1)),
    }[kind]()
    done = transfer(3, bottleneck, flows=[Flow(1500)], tap=tap)
    return read(times=np.array(done.times), frames=done.frames, link_type=RAW_IP), done.dropped


def heaviest(trace):
    """Annotate what the server sent in its heaviest chunk."""
    sent = transmissions(trace, 0, outbound=False)
    return sent.of_chunk(np.bincount(sent.chunk).argmax())


def test_policing_is_found_where_the_losses_are_seen():
    """At the sender every drop is found and the rate is right; behind the bucket there is nothing."""
    trace, dropped = moved("policed")
    (call,) = FLACH.judge(trace)
    assert call.mechanism == "rate.policing"
    assert len(call.frames) == dropped
    finding = judge_chunk(heaviest(trace), cutoff=0)
    assert finding.code is Code.POLICED
    assert finding.rate == pytest.approx(8 * 187_500 * 1448 / 1514, rel=0.02)  # payload of what the bucket counts
    assert FLACH.judge(moved("policed", "receiver")[0]) == []  # behind the bucket no loss is seen


@pytest.mark.parametrize(
    ("kind", "codes"), [("shaped", {Code.INFLATED_RTT}), ("unlucky", {Code.HIGHER_FILL, Code.LOSS_FILL})]
)
def test_queues_and_chance_are_told_apart_from_policing(kind, codes):
    """The published codes of rejection."""
    trace, _ = moved(kind)
    assert FLACH.judge(trace) == []
    assert {judge_chunk(heaviest(trace), cutoff=cutoff).code for cutoff in (0, 2)} <= codes


def chunk_of(lost, *, start=0, step=0.01, rtt=0.05):
    """Give a chunk of full segments at equal times, of which some are lost."""
    lost = np.asarray(lost, np.bool_)
    place = np.arange(len(lost))
    begins = start + 1448 * place
    return Transmissions(
        time=place * step, start=np.where(place == 0, 0, begins), end=begins + 1448, lost=lost,
        delay=np.where(lost, np.nan, rtt), clear=np.ones(len(lost), np.bool_), row=place,
        chunk=np.zeros(len(lost), np.int64),
    )  # fmt: skip


def test_too_few_and_too_late_losses_are_rejected():
    """Codes 1 and 2."""
    regular = np.tile([0, 0, 0, 1], 100)
    few = np.zeros(400, bool)
    few[[50, 60, 70, 80, 90]] = True
    assert judge_chunk(chunk_of(few), cutoff=0).code is Code.INSUFFICIENT_LOSS
    assert judge_chunk(chunk_of(np.zeros(50)), cutoff=2).code is Code.INSUFFICIENT_LOSS
    assert judge_chunk(chunk_of(regular, start=2_500_000), cutoff=0).code is Code.LATE_LOSS


def test_levels_match_a_bucket_walked_packet_by_packet():
    """The slow twin: fill and take, segment by segment, then compare the means by hand."""
    random = np.random.default_rng(5)
    for _ in range(20):
        chunk = chunk_of(random.random(300) < 0.3, step=0.02)
        finding = judge_chunk(chunk, cutoff=0)
        losses = np.flatnonzero(chunk.lost)
        first, last = losses[0], losses[-1]
        size = chunk.end - chunk.start
        rate = sum(size[k] for k in range(first, last) if not chunk.lost[k]) / (chunk.time[last] - chunk.time[first])
        assert finding.rate == pytest.approx(8 * rate)
        level, before, levels = 0.0, chunk.time[first], {True: [], False: []}
        for k in range(first, 300):
            level += rate * (chunk.time[k] - before)
            before = chunk.time[k]
            levels[bool(chunk.lost[k])].append(level)
            level -= 0 if chunk.lost[k] else size[k]
        lower = np.mean(levels[True]) < np.mean(levels[False]) and np.median(levels[True]) < np.median(levels[False])
        assert (finding.code is Code.HIGHER_FILL) == (not lower)


def test_losses_match_a_search_over_all_pairs():
    """The slow twin: compare every segment with every later one."""
    random = np.random.default_rng(6)
    for _ in range(50):
        start = random.integers(0, 40, 60) * 10
        end = start + random.integers(1, 4, 60) * 10
        repeat = [j > 0 and end[j] <= end[:j].max() for j in range(60)]
        slow = [any(start[i] <= start[j] < end[i] and repeat[j] for j in range(i + 1, 60)) for i in range(60)]
        assert sent_again(start, end).tolist() == slow


def two_transfers(slow, fast):
    """Let one client move as much from two servers, one after the other."""
    first = transfer(1, shaper(slow, 2e5), flows=[Flow(800)])
    second = transfer(2, shaper(fast, 2e5), flows=[Flow(800, port=40001)], server="203.0.113.77", begin=1_700_000_100.0)
    done = merge(first, second)
    return read(times=np.array(done.times), frames=done.frames, link_type=RAW_IP)


def test_a_transfer_slower_than_its_control_is_called():
    """The slow one is called, its control is not."""
    (call,) = WEHE.judge(two_transfers(100_000, 1_000_000))
    assert (call.row, call.mechanism) == (0, "rate")


def test_like_transfers_and_lone_ones_are_left_alone():
    """No difference, or no control: no call."""
    assert WEHE.judge(two_transfers(300_000, 310_000)) == []
    assert WEHE.judge(moved("policed")[0]) == []


def test_the_distance_of_two_samples_is_as_rare_as_it_is_by_chance():
    """Samples of one distribution give small probabilities seldom."""
    random = np.random.default_rng(7)
    rare = np.array([ks_probability(*random.random((2, 100))) for _ in range(2000)])
    for share in (0.02, 0.05, 0.1):
        assert (
            0.6 * share < np.mean(rare < share) < 1.2 * share
        )  # the distance has few values, so it errs to the safe side
    assert ks_probability(np.zeros(100), np.ones(100)) < 1e-9
    assert ks_probability(np.arange(50.0), np.arange(50.0)) == 1.0
