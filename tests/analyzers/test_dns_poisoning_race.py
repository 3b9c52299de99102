"""Replies to one question, compared as columns, against a walk over exchanges and pairs."""

import attrs
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from netinterf.analyzers.dns_poisoning.content import read_content
from netinterf.analyzers.dns_poisoning.contradictions import SERVER_FLAGS
from netinterf.analyzers.dns_poisoning.race import compare_races
from netinterf.analyzers.dns_poisoning.replies import gather_udp_replies
from netinterf.analyzers.dns_poisoning.suspects import _unlike_best
from tests.oracles import naive_dns_races
from tests.oracles.dns_talks import drawn_talk


@given(st.integers(0, 2**32))
def test_agrees_with_a_walk_over_pairs(seed):
    """Members, contradictions and their weights are those of the slow twin."""
    rng = np.random.default_rng(seed)
    trace = drawn_talk(rng)
    replies = gather_udp_replies(trace)
    count = len(replies)
    replies = attrs.evolve(
        replies, cut_off=rng.random(count) < rng.choice([0, 0.3]), queries=replies.queries * (rng.random() < 0.8)
    )
    content = read_content(trace, replies)
    races, expected = compare_races(trace, replies, content), naive_dns_races.compare_races(trace, replies, content)
    assert races.exchange.tolist() == [one.exchange for one in expected]
    assert [rows.tolist() for rows in races.members] == [one.members for one in expected]
    assert races.weight.tolist() == [one.weight for one in expected]
    pairs = list(zip(races.pairs.race.tolist(), races.pairs.left.tolist(), races.pairs.right.tolist(), strict=True))
    assert pairs == [(place, *pair) for place, one in enumerate(expected) for pair in sorted(one.pairs)]
    differing = [
        max([(int(replies.flags[a] ^ replies.flags[b]) & SERVER_FLAGS).bit_count() for a, b in one.pairs], default=0)
        for one in expected
    ]
    assert races.flag_differences.tolist() == differing


@given(st.integers(0, 2**32))
def test_the_forged_are_told_as_one_by_one(seed):
    """Who is forged is what the slow twin says, whatever the members score."""
    rng = np.random.default_rng(seed)
    trace = drawn_talk(rng)
    replies = gather_udp_replies(trace)
    content = read_content(trace, replies)
    races = compare_races(trace, replies, content)
    score = rng.choice([0.0, 0.0004, 0.5, 1.0, 1.5, 4.0, 4.7], len(replies))
    against = np.where(rng.random(len(replies)) < 0.1, 4.5, 0.0)
    disputed = races.weight[races.members.parents()] > 0
    race, members = races.members.parents()[disputed], races.members.values[disputed]
    false = _unlike_best(races, race, members, score[members], against)
    expected = [
        row
        for one in naive_dns_races.compare_races(trace, replies, content)
        if one.weight > 0
        for row in naive_dns_races.forged(one.members, one.pairs, score.tolist(), against)
    ]
    assert members[false].tolist() == expected
