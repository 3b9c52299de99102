"""A common limit: against loops over everything that is tried, and against failures of every kind."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinterf.stats import concentration
from netinterf.stats.concentration import PLACES, Lives, find_common_limit, find_common_limits

rows = st.lists(
    st.tuples(
        st.integers(4, 300),  # packets
        st.integers(0, 12),  # more of them
        st.integers(60, 1400),  # bytes of each
        st.booleans(),  # stopped
        st.integers(0, 3),  # site
        st.booleans(),  # the client left
    ),
    min_size=1,
    max_size=8,
)


def lives(packets, stopped, *, more=None, each=700, site=None, server=None, left=None):
    """Lay out connections; counts are the same at all places but for the last, where more had passed."""
    count = len(packets)
    low = np.repeat(np.array(packets, np.int64)[:, None], len(PLACES), axis=1)
    high = low.copy()
    high[:, -1] += np.array(more if more is not None else np.zeros(count), np.int64)
    size = np.broadcast_to(np.array(each, np.int64), (count,))[:, None]
    site = np.array(site if site is not None else np.zeros(count), np.int64)
    return Lives(
        packets=low,
        packets_most=high,
        bytes=low * size,
        bytes_most=high * size,
        stopped=np.array(stopped, np.bool_),
        site=site,
        server=np.array(server, np.int64) if server is not None else site,
        client_left=np.array(left if left is not None else np.zeros(count), np.bool_),
    )


def normal(x):
    """Give the distribution function of the normal distribution."""
    return 0.5 * math.erfc(-x / math.sqrt(2))


def naive_chance(low, high, stopped, centre, width, in_bytes):
    """Give the probability of one life under one limit at one place."""
    step, above = (1460.0, 0.0) if in_bytes else (1.0, 0.5)
    if not stopped:
        return normal((centre - low) / width)
    below = normal((low + above - step - centre) / width)
    exact = normal((low + above - centre) / width) - below
    several = normal((high + above - centre) / width) - below
    share = concentration.EXACT
    return share * exact + (1 - share) * several * step / (step + high - low)


def naive_total(known, in_bytes):
    """Sum over sites, place by place and limit by limit; the logarithm of the mean, weighted by belief."""
    grid = concentration.BYTES if in_bytes else concentration.PACKETS
    least = concentration.LEAST_WIDTH[in_bytes]
    low, high = (known.bytes, known.bytes_most) if in_bytes else (known.packets, known.packets_most)
    struck = sorted({int(known.site[row]) for row in np.flatnonzero(known.stopped)})
    usual_limit, spread = concentration.REPORTED[in_bytes]
    near = [math.exp(-0.5 * (math.log(centre / usual_limit) / spread) ** 2) for centre in grid]
    totals, beliefs = [], []
    for place in range(len(PLACES)):
        for number, centre in enumerate(grid):
            for share in concentration.WIDTHS:
                belief = 0.5 / len(grid) + 0.5 * near[number] / sum(near)
                beliefs.append(belief / len(PLACES) / len(concentration.WIDTHS))
                width, total = max(share * centre, least), 0.0
                for site in struck:
                    limited = free = 0.0
                    for row in np.flatnonzero(known.site == site):
                        age = max(float(np.median(known.packets[row])), 1.0)
                        usual = age * math.log1p(-concentration.USUAL_HAZARD)
                        usual += math.log(concentration.USUAL_HAZARD) * bool(known.stopped[row])
                        chance = naive_chance(
                            low[row, place], high[row, place], known.stopped[row], centre, width, in_bytes
                        )
                        chance = max(chance, 1e-300)
                        limited += math.log((1 - concentration.LEAK) * chance + concentration.LEAK * math.exp(usual))
                        free += usual
                    total += np.logaddexp(limited, free) - math.log(2)
                totals.append(total)
    top = max(totals)
    return top + math.log(sum(math.exp(one - top) * belief for one, belief in zip(totals, beliefs, strict=True)))


@settings(max_examples=15, deadline=None)
@given(rows)
def test_limits_equal_loops_over_all_of_them(table):
    """Packets against bytes: the difference of both averages is that of two loops."""
    packets, more, each, stopped, site, left = (list(column) for column in zip(*table, strict=True))
    known = lives(packets, stopped, more=more, each=each, site=site, left=left)
    found = find_common_limit(known)
    if not any(stopped):
        assert found.llr == 0
        return
    assert found.in_packets == pytest.approx(naive_total(known, False) - naive_total(known, True), abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(rows, max_size=3), max_size=6), st.integers(1, 20))
def test_clients_side_by_side_are_each_what_they_are_alone(tables, together):
    """To the last bit, however many are weighed at once; nothing was stopped of some, others have no connection."""
    columns = [list(zip(*(row for some in own for row in some), strict=True)) or [()] * 6 for own in tables]
    clients = [
        lives(packets, stopped, more=more, each=each if len(each) else 1, site=site, left=left)
        for packets, more, each, stopped, site, left in columns
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(concentration, "TOGETHER", together)
        found = find_common_limits(clients)
    for limit, alone in zip(found, map(find_common_limit, clients), strict=True):
        assert np.array(limit[:4]).tobytes() == np.array(alone[:4]).tobytes()
        assert limit.log_odds.tobytes() == alone.log_odds.tobytes()


def test_a_counter_is_told_from_failures():
    """Stops at one count at two servers, while others move hundreds, are a limit; at any count they are none."""
    site = [0, 0, 0, 1, 1, 2, 2, 3]
    stopped = [1, 1, 1, 1, 1, 0, 0, 0]
    same = find_common_limit(lives([25, 24, 26, 25, 25, 180, 95, 310], stopped, site=site))
    anywhere = find_common_limit(lives([25, 110, 14, 60, 230, 180, 95, 310], stopped, site=site))
    assert same.llr > 8
    assert same.packets == pytest.approx(25, abs=1)
    assert anywhere.llr < 0
    assert (same.log_odds[:5] > 0).all()
    assert np.isneginf(same.log_odds[5:]).all()


def test_the_unit_is_told_where_packets_differ_in_size():
    """Packets of 300 to 1400 bytes: at one count of bytes they stop at different ones of packets, and the reverse."""
    each = [300, 500, 700, 900, 1100, 1400]
    site = [0, 0, 1, 1, 2, 2]
    in_bytes = find_common_limit(lives([16_384 // size for size in each], [1] * 6, each=each, site=site))
    in_packets = find_common_limit(lives([30] * 6, [1] * 6, each=each, site=site))
    assert in_bytes.in_packets < -5
    assert in_bytes.bytes == pytest.approx(16_384, rel=0.1)
    assert in_packets.in_packets > 5
    assert in_packets.packets == pytest.approx(30, abs=1)


def test_one_bad_server_explains_what_two_do_not():
    """The same stops at one server are worth less than at two: servers fail, but not in step."""
    packets, stopped = [25, 25, 24, 26, 200, 150], [1, 1, 1, 1, 0, 0]
    one = find_common_limit(lives(packets, stopped, site=[0, 0, 0, 0, 1, 1]))
    two = find_common_limit(lives(packets, stopped, site=[0, 0, 1, 1, 2, 2]))
    assert two.llr > one.llr + 1


def test_what_went_beyond_speaks_against_a_limit():
    """A site of which others went well beyond is hardly limited."""
    packets, stopped = [25, 25, 24, 26, 25, 200, 150, 180, 140], [1, 1, 1, 1, 1, 0, 0, 0, 0]
    spared = find_common_limit(lives(packets, stopped, site=[0, 0, 0, 1, 1, 2, 2, 3, 3]))
    beyond = find_common_limit(lives(packets, stopped, site=[0, 0, 0, 1, 1, 0, 0, 1, 1]))
    assert beyond.llr < spared.llr - 8


def test_random_failures_are_rarely_taken_for_a_limit():
    """Servers that are bad (two at once, which is rare in itself) seldom stop connections in step."""
    rng, told = np.random.default_rng(5), []
    for _ in range(300):
        count = int(rng.integers(3, 8))
        packets = np.concatenate([1 + rng.geometric(1 / rng.uniform(20, 80), count), rng.integers(60, 300, 4)])
        site = np.concatenate([rng.integers(0, 2, count), [2, 2, 3, 3]])
        told.append(find_common_limit(lives(packets, [1] * count + [0] * 4, site=site)).llr)
    assert np.mean(np.array(told) > 4) <= 0.03
    assert np.mean(np.array(told) > 8) <= 0.01
