"""Comparison of replies with their servers' others: columns against a walk from server to server."""

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.analyzers.dns_poisoning.baseline import SAMPLE, Baseline, sample_of_servers
from netinterf.analyzers.dns_poisoning.profile import compare_with_server, early_weight, far_off, hop_weight
from netinterf.analyzers.dns_poisoning.replies import gather_udp_replies
from netinterf.analyzers.microseconds import in_microseconds
from netinterf.simulate import run
from netinterf.trace import read
from tests.oracles import naive_dns_profile

MILLISECOND = 10**6


@pytest.fixture(scope="module")
def trace():
    """Play an injector."""
    played = run("dns.injection.gfw-triplet", 1)
    return read(times=played.times, frames=played.frames, link_type=played.link_type)


def many(trace, rng, count, hosts):
    """Draw replies of a few servers: every column from few values, so that they are often equal."""
    replies = gather_udp_replies(trace)
    rows, few = rng.integers(0, len(replies), count), rng.integers(1, 9)
    exchange = np.sort(rng.integers(0, max(count // 2, 1), count))
    return attrs.evolve(
        replies,
        **{name: getattr(replies, name)[rows] for name in ("message", "query", "flow", "flags")},
        exchange=exchange,
        server=rng.integers(0, hosts, count)[exchange],  # all replies of an exchange are of one
        packet=rng.permutation(count),
        ttl=rng.integers(40, 40 + 4 * few, count),
        ip_id=np.where(rng.random(count) < 0.2, -1, rng.integers(0, few, count) * rng.choice([1, 900, 9000])),
        delay=np.where(rng.random(count) < 0.1, -1, rng.integers(1, 40, count) * MILLISECOND),
        queries=rng.integers(1, 3, count),
        **{name: rng.random(count) < rng.random() for name in ("df", "pointer", "answered", "ip_id_copied")},
    )


@given(st.integers(0, 2**32))
def test_agrees_with_a_walk_over_servers(trace, seed):
    """Every weight is that of the slow twin, whatever the replies are like."""
    rng = np.random.default_rng(seed)
    count, hosts = int(rng.integers(1, 80)), int(rng.integers(1, min(5, len(trace.hosts)) + 1))
    replies = many(trace, rng, count, hosts)
    rows = np.flatnonzero(rng.random(count) < rng.random())
    clean, sinkholed = rng.random(count) < rng.random(), rng.random(count) < 0.3
    least = np.where(rng.random(len(trace.hosts)) < 0.5, np.nan, rng.integers(1, 40, len(trace.hosts)) * MILLISECOND)
    compared = compare_with_server(trace, replies, rows, clean, sinkholed, least)
    expected = naive_dns_profile.compare(trace, replies, rows, clean, sinkholed, least)
    for name, column in expected.items():
        np.testing.assert_array_equal(getattr(compared, name), column, err_msg=name)
    assert far_off(trace, replies, rows, clean).tolist() == (expected["ttl_weight"] > 0).tolist()


def test_a_busy_server_is_sampled_evenly(trace):
    """Of more replies than are needed as many are taken as the slow twin takes, and the same ones."""
    for count in (SAMPLE + 1, 3 * SAMPLE - 7, 7777):
        replies = many(trace, np.random.default_rng(count), count, 1)
        rows = sample_of_servers(replies, np.arange(3), np.ones(count, np.bool_), 1).rows
        assert np.sort(rows).tolist() == np.linspace(0, count - 1, SAMPLE).astype(np.int64).tolist()


def beside(trace, **columns):
    """Put replies of one server first, the suspects behind them; give all, the suspects' rows, and the baseline."""
    (base, suspects), (name,) = next(iter(columns.values())), columns
    count = len(base) + len(suspects)
    replies = many(trace, np.random.default_rng(0), count, 1)
    replies = attrs.evolve(replies, **{name: np.concatenate([base, suspects])})
    rows = np.arange(len(base))
    return (
        replies,
        np.arange(len(base), count),
        Baseline(rows=rows, server=np.zeros_like(rows), asked=np.zeros(len(suspects), np.int64), hosts=1),
    )


def test_hop_limits_weigh_by_what_the_server_does(trace):
    """A hop limit within the tolerance weighs nothing, another one more the more the server was seen."""
    few, usual = np.full(3, 56), np.full(100, 56)
    assert hop_weight(*beside(trace, ttl=(usual, [56, 58]))).tolist() == [0.0, 0.0]
    assert 0 < hop_weight(*beside(trace, ttl=(few, [200])))[0] < hop_weight(*beside(trace, ttl=(usual, [200])))[0]
    assert hop_weight(*beside(trace, ttl=(np.append(usual, [200] * 30), [200])))[0] < 1.5


def test_early_replies_weigh_by_rank(trace):
    """The weight rises with the baseline, and half of the fastest counts at least as Hold-On's rule says."""
    times = np.arange(40, 140) * MILLISECOND
    early = early_weight(*beside(trace, delay=(times, np.array([10, 39, 90, 200]) * MILLISECOND)))
    assert early[0] == early[1] == pytest.approx(np.log(101) - 1)
    assert early[2:].tolist() == [0.0, 0.0]
    assert early_weight(*beside(trace, delay=(times[:3], np.array([10]) * MILLISECOND))).tolist() == [2.0]


def test_delays_are_those_of_a_recorder_of_whole_microseconds():
    """What a finer one adds decides nothing: the same capture in the classic format says the same."""
    played = run("dns.injection.gfw-triplet", 3)
    exact = np.asarray(played.times)
    traces = [
        read(times=times, frames=played.frames, link_type=played.link_type) for times in (exact, exact // 1000 * 1000)
    ]
    fine, whole = (gather_udp_replies(in_microseconds(trace)).delay for trace in traces)
    assert len(fine) > 10
    assert (fine == whole).all()
    assert (np.diff(traces[0].packets.time) != np.diff(traces[1].packets.time)).any()
