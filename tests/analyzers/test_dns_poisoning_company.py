"""What the company of suspect replies says, counted in columns, against a walk from reply to reply."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netinterf.analyzers.dns_poisoning import corroborations
from netinterf.analyzers.dns_poisoning.content import local_policy, read_content
from netinterf.analyzers.dns_poisoning.corroborations import agreeing_servers
from netinterf.analyzers.dns_poisoning.race import compare_races
from netinterf.analyzers.dns_poisoning.repeats import weigh_repeats
from netinterf.analyzers.dns_poisoning.replies import gather_udp_replies
from netinterf.analyzers.dns_poisoning.shared_answers import concentration, never_answers
from tests.oracles import naive_dns_company
from tests.oracles.dns_talks import drawn_talk


@given(st.integers(0, 2**32))
def test_agrees_with_a_walk_over_replies(seed):
    """Witnesses, domains, silent names, policies and repeated contradictions are those of the slow twins."""
    rng = np.random.default_rng(seed)
    trace = drawn_talk(rng)
    replies = gather_udp_replies(trace)
    content, count = read_content(trace, replies), len(replies)
    rows = rng.permutation(np.flatnonzero(rng.random(count) < rng.random()))
    barred, listed = rng.random(count) < rng.random(), rng.random(len(rows)) < 0.5
    most = int(rng.integers(1, 4))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corroborations, "WITNESSES", most)
        agreeing = agreeing_servers(trace, replies, content, rows, barred)
    pairs = list(zip(agreeing.replies.tolist(), agreeing.packets.tolist(), strict=True))
    assert pairs == naive_dns_company.agreeing(trace, replies, content, rows, barred, most)
    domains = naive_dns_company.domains_of_addresses(trace, replies, rows, listed)
    assert concentration(trace, replies, rows, listed)[1].tolist() == domains
    silent = naive_dns_company.silent_names(trace, replies, rows, barred)
    assert never_answers(trace, replies, rows, barred)[1].tolist() == silent
    policy = naive_dns_company.policy(trace, replies, content, barred)
    assert local_policy(trace, replies, content, barred).tolist() == policy


@given(st.integers(0, 2**32))
def test_repeats_are_those_of_a_walk(seed):
    """What other lookups of a server say of each race is what the slow twin counts."""
    trace = drawn_talk(np.random.default_rng(seed))
    replies = gather_udp_replies(trace)
    races = compare_races(trace, replies, read_content(trace, replies))
    weighed, expected = weigh_repeats(trace, replies, races), naive_dns_company.weigh_repeats(trace, replies, races)
    for column, wanted in zip(("llr", "struck", "single_reply_norm", "others"), expected.T, strict=True):
        assert getattr(weighed, column).tolist() == wanted.tolist(), column
