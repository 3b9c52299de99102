"""Rules behind blocked names, and the size of the list behind a sample."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netinterf.errors import ParameterError
from netinterf.stats import list_size, name_rules

OTHERS = [f"www.site{number}.net" for number in range(40)]


def test_a_whole_domain_is_told() -> None:
    """Everything under it is hit, nothing else: the shortest suffix that no spared name has."""
    hit = [f"{host}.blocked.example.org" for host in ("www", "mail", "cdn.img", "api")]
    (rule,) = name_rules(hit, [*OTHERS, "www.example.org"])
    assert (rule.kind, rule.value, str(rule)) == ("suffix", "blocked.example.org", "*.blocked.example.org")
    assert set(rule.blocked) == set(hit)
    assert rule.p < 1e-3


def test_one_spared_name_under_it_ends_a_suffix() -> None:
    """Then the rule is narrower, or there is none."""
    hit = [f"{host}.blocked.org" for host in ("a", "b", "c", "d")]
    assert name_rules(hit, [*OTHERS, "fine.blocked.org"]) == ()


def test_a_word_is_told() -> None:
    """It stands in names of unrelated domains, and in no spared one."""
    hit = ["www.freevpn.com", "vpngate.freevpnlist.net", "cdn.best-freevpn.org", "plain.example.com"]
    (rule,) = name_rules(hit, OTHERS)
    assert (rule.kind, rule.value) == ("word", "freevpn")
    assert len(rule.blocked) == 3
    assert name_rules(hit, [*OTHERS, "about.freevpn-news.net"]) == ()


def test_what_spared_names_refuted_was_tried_as_well() -> None:
    """Of two suffixes one is refuted: the chance of the other counts twice (Bonferroni)."""
    hit = [f"{host}.{domain}.org" for host in "abc" for domain in ("blocked", "refuted")]
    spared = [*OTHERS, "fine.refuted.org"]
    (rule,) = name_rules(hit, spared)
    assert rule.value == "blocked.org"
    assert rule.p == pytest.approx(2 * math.comb(6, 3) / math.comb(6 + len(spared), 3))


@pytest.mark.parametrize(
    ("hit", "spared"),
    [
        ([], OTHERS),
        (["a.x.org", "b.x.org"], OTHERS),  # two may be listed one by one
        (["a.x.org", "b.x.org", "c.x.org"], []),  # nobody was spared: everything may be hit
        (["a.x.org", "b.x.org", "c.x.org"], ["www.y.org"]),  # too few to compare with
        (["a.com", "b.com", "c.com", "d.com"], OTHERS),  # a top level alone is no rule
    ],
)
def test_too_little_is_no_rule(hit: list[str], spared: list[str]) -> None:
    """Silence where nothing can be told."""
    assert name_rules(hit, spared) == ()


LABEL = st.sampled_from(["www", "mail", "video", "videochat", "news", "shop", "a", "b"])
NAME = st.lists(LABEL, min_size=2, max_size=4).map(".".join)


@settings(max_examples=150, deadline=None)
@given(st.lists(NAME, max_size=25), st.lists(NAME, max_size=25))
def test_rules_hold(hit: list[str], spared: list[str]) -> None:
    """A rule covers blocked names only, all that have it, with the probability that a loop finds."""
    blocked, rest = set(hit), set(spared) - set(hit)
    for rule in name_rules(hit, spared):
        if rule.kind == "suffix":
            has = [name for name in blocked | rest if name == rule.value or name.endswith("." + rule.value)]
        else:
            has = [name for name in blocked | rest if rule.value in name]
        assert set(rule.blocked) == set(has) <= blocked
        assert len(has) >= 3
        drawn = math.comb(len(blocked), len(has)) / math.comb(len(blocked) + len(rest), len(has))
        assert drawn <= rule.p * (1 + 1e-9) <= 0.05 * (1 + 1e-9)


def test_random_names_hardly_ever_share_a_rule() -> None:
    """Of 200 random choices of blocked names at most one in ten gives a rule at 5 %."""
    rng = np.random.default_rng(3)
    names = [f"{host}.site{number % 30}.org" for number in range(120) for host in ("www", "cdn")]
    found = 0
    for _ in range(200):
        picked = set(rng.choice(names, 40, replace=False).tolist())
        found += bool(name_rules(picked, set(names) - picked))
    assert found <= 20


@pytest.mark.parametrize(("blocked", "tested"), [(0, 50), (7, 50), (50, 50)])
def test_the_size_of_a_list(blocked: int, tested: int) -> None:
    """The share of the sample, with the exact binomial interval."""
    found = list_size(blocked, tested, 1_000_000)
    assert found.estimate == pytest.approx(1_000_000 * blocked / tested)
    assert 0 <= found.low <= found.estimate <= found.high <= 1_000_000
    if blocked:
        p = found.low / 1e6
        above = 1 - sum(math.comb(tested, k) * p**k * (1 - p) ** (tested - k) for k in range(blocked))
        assert above == pytest.approx(0.025, abs=1e-6)


def test_its_interval_covers() -> None:
    """A list of 3 % of 20,000 names is within the interval of at least 93 % of samples."""
    rng = np.random.default_rng(8)
    inside = 0
    for _ in range(400):
        blocked = int(rng.hypergeometric(600, 19_400, 300))
        size = list_size(blocked, 300, 20_000)
        inside += size.low <= 600 <= size.high
    assert inside >= 0.93 * 400


@pytest.mark.parametrize("counts", [(3, 2, 10), (1, 0, 10), (-1, 5, 10), (1, 20, 10)])
def test_counts_that_do_not_fit(counts: tuple[int, int, int]) -> None:
    """They are refused."""
    with pytest.raises(ParameterError):
        list_size(*counts)


def test_levels_are_probabilities() -> None:
    """Others are refused."""
    with pytest.raises(ParameterError):
        name_rules([], [], level=1.5)
    with pytest.raises(ParameterError):
        list_size(1, 2, 3, level=0)
