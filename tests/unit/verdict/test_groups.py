"""Groups: one blocked name, address, prefix, client or time is accused, and nothing else is."""

import math
from ipaddress import ip_network

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.crowd import Crowd, block, crowd, crowd_model
from netinterf.context.networks import Network
from netinterf.context.outside import known_networks
from netinterf.schema import Evidence, Grade, GroupBy, Groups
from netinterf.verdict.reasons import Reason
from netinterf.verdict.subjects import KIND_EXCHANGE, KIND_TCP, KIND_UDP
from tests.oracles import naive_groups

GRADES, BY = tuple(Grade), tuple(GroupBy)
WORDS = {KIND_TCP: "tcp", KIND_UDP: "udp", KIND_EXCHANGE: "dns"}


def said(groups: Groups, worst: Grade = Grade.LIKELY) -> list[tuple[str, str]]:
    """List what is accused."""
    rows = np.flatnonzero(groups.grade <= GRADES.index(worst))
    return [(BY[groups.by[row]].value, groups.value[row]) for row in rows.tolist()]


def visits(pairs: list[tuple[str, int, float]], times: int = 4, **more: object) -> Crowd:
    """Visit names at addresses, ten minutes apart: (name, server, llr) per pair."""
    rows = [(name, server, llr, 10.0 * visit) for visit in range(times) for name, server, llr in pairs]
    names, servers, llr, minutes = zip(*rows, strict=True)
    return crowd(llr, name=names, server=servers, minute=minutes, **more)  # type: ignore[arg-type]


HIT, SPARED = 6.0, -2.0


def test_a_blocked_name_accuses_the_name() -> None:
    """A name that is hit at both of its addresses is accused, its addresses and their other names are not."""
    table = visits(
        [("bad.example.com", 0, HIT), ("bad.example.com", 300, HIT), ("a.org", 0, SPARED), ("b.org", 300, SPARED)]
        + [(f"n{n}.net", n * 256 + 512, SPARED) for n in range(5)]
    )
    groups = table.groups()
    assert said(groups) == [("name", "bad.example.com")]
    assert (groups.members[0], groups.affected[0], groups.clusters[0], groups.controls[0]) == (8, 8, 8, 8)
    assert groups.share_low[0] > 0.6
    assert groups.control_share[0] < 0.3
    assert groups.mechanisms[groups.mechanism[0]] == "tcp.reset"
    assert table.subjects.name.take(groups.subjects[0].astype(np.int64))[0] == "bad.example.com"


def test_a_blocked_address_accuses_the_address() -> None:
    """An address whose names are all hit, while they work elsewhere, is accused, and its names are not."""
    names = ["a.org", "b.org", "c.org", "d.org"]
    table = visits([(name, 0, HIT) for name in names] + [(name, 300, SPARED) for name in names])
    assert said(table.groups()) == [("server", "64.0.0.0")]


def test_a_blocked_prefix_accuses_the_prefix() -> None:
    """Several addresses of a prefix that are all hit are one accusation."""
    pairs = [(f"n{n}.org", n, HIT) for n in range(3)] + [(f"m{n}.org", 300 + 256 * n, SPARED) for n in range(4)]
    assert said(visits(pairs).groups()) == [("prefix", "64.0.0.0/24")]


def test_a_blocked_domain_accuses_the_domain() -> None:
    """All names of a domain that are hit are one accusation; one of several is only itself."""
    company = [(f"m{n}.org", 256 * n, SPARED) for n in range(4)]
    every = [(f"{word}.example.com", 256 * n, HIT) for n, word in enumerate(("www", "api", "img", "cdn"))]
    assert said(visits(every + company).groups()) == [("domain", "example.com")]
    one = [every[0], *((name, server, SPARED) for name, server, _ in every[1:])]
    assert said(visits(one + company, times=6).groups()) == [("name", "www.example.com")]


def test_networks_are_accused_by_the_users_table() -> None:
    """With a table of networks, an AS or a country whose prefixes are all hit is one accusation."""
    pairs = [(f"n{n}.org", 256 * n, HIT) for n in range(4)] + [(f"m{n}.org", 256 * n, SPARED) for n in range(8, 14)]
    table = [Network(ip_network("64.0.0.0/22"), 64500, "AA"), Network(ip_network("64.0.8.0/21"), 64501, "BB")]
    assert said(visits(pairs).groups(networks=known_networks(table))) == [("asn", "AS64500")]
    table[:1] = [Network(ip_network(f"64.0.{n}.0/24"), 64510 + n, "AA") for n in range(4)]
    assert said(visits(pairs).groups(networks=known_networks(table))) == [("country", "AA")]


def test_a_fault_of_one_client_accuses_the_client() -> None:
    """A client that fails everywhere, while others reach the same places, is the one."""
    rows = [(c, s, visit) for c in range(3) for s in range(5) for visit in range(3)]
    client, server, visit = np.array(rows).T
    llr = np.where(client == 1, HIT, SPARED)
    table = crowd(llr, client=client, server=256 * server, name=[f"n{s}.org" for s in server], minute=10.0 * visit)
    assert said(table.groups()) == [("client", "10.0.0.1")]


def test_a_protocol_is_told_from_the_other() -> None:
    """QUIC that dies where TCP to the same names works accuses the protocol."""
    rows = [(s, k, visit) for s in range(5) for k in (KIND_TCP, KIND_UDP) for visit in range(3)]
    server, kind, visit = np.array(rows).T
    names = [f"n{s}.org" for s in server]
    llr = np.where(kind == KIND_UDP, HIT, SPARED)
    groups = crowd(llr, server=256 * server, name=names, minute=10.0 * visit, kind=kind).groups()
    assert said(groups) == [("protocol", "udp")]
    assert groups.selective[0] == 1  # quic.drop is a drop


def test_a_curfew_accuses_the_time() -> None:
    """What fails everywhere for twenty minutes, and worked before and after, is a window of time."""
    rows = [(c, s, minute) for c in range(2) for s in range(4) for minute in range(0, 100, 5)]
    client, server, minute = np.array(rows).T
    llr = np.where((minute >= 40) & (minute < 60), HIT, SPARED)
    table = crowd(llr, client=client, server=256 * server, name=[f"n{s}.org" for s in server], minute=minute)
    groups = table.groups()
    assert said(groups) == [("time", "")]
    assert (groups.start[0] - table.subjects.start.min()) / 60e9 == 40
    assert (groups.end[0] - table.subjects.start.min()) / 60e9 == 60


def test_everything_hit_is_the_capture_or_its_client() -> None:
    """Where all places and names are hit alike, none of them is singled out."""
    pairs = [(f"n{n}.org", 256 * n, HIT) for n in range(8)]
    assert said(visits(pairs).groups()) == [("client", "10.0.0.0")]
    assert said(visits(pairs, client=range(9)).groups()) == [("capture", "")]


def test_two_faults_are_two_groups() -> None:
    """A blocked name and a blocked address elsewhere are both found, and nothing else."""
    pairs = [("bad.com", 0, HIT), ("bad.com", 300, HIT), ("a.org", 0, SPARED), ("b.org", 300, SPARED)]
    pairs += [(f"n{n}.net", 5000, HIT) for n in range(3)] + [(f"n{n}.net", 9000, SPARED) for n in range(3)]
    assert sorted(said(visits(pairs).groups())) == [("name", "bad.com"), ("server", "64.0.19.136")]


def test_an_opening_that_fails_accuses_the_address() -> None:
    """Where name and address cannot be told apart, what acts before a name is shown speaks of the address."""
    pairs = [("bad.com", 0, HIT)] + [(f"m{n}.org", 256 * n + 512, SPARED) for n in range(4)]
    assert said(visits(pairs, times=6).groups()) == [("name", "bad.com")]
    model = crowd_model(priors={("tcp", "tcp.connect.drop"): -5.8})
    table = visits(pairs, times=6, mechanism=["tcp.connect.drop"])
    groups = table.groups(model)
    assert said(groups) == [("server", "64.0.0.0")]
    assert groups.selective[0] == 1


def test_without_controls_nothing_is_confirmed() -> None:
    """A name that stands alone at its addresses may be likely, but what would confirm it is missing."""
    groups = visits([("bad.com", 0, HIT), ("bad.com", 300, HIT), ("a.org", 600, SPARED), ("b.org", 900, 0.0)]).groups()
    assert [GRADES[grade] for grade in groups.grade] == [Grade.LIKELY]
    assert (groups.contrast[0], groups.controls[0]) == (0, 0)
    assert math.isnan(groups.control_share[0])


def test_a_plan_of_the_whole_link_is_no_accusation() -> None:
    """A rate that everything is held to is what the link does, and shaping needs a contrast."""
    rates = crowd_model(priors={("tcp", "rate.shaping"): -5.8, ("tcp", "rate.policing"): -5.8})
    pairs = [(f"n{n}.org", 256 * n, HIT) for n in range(6)]
    assert len(visits(pairs, mechanism=["rate.policing"]).groups(rates)) == 0
    company = [(f"m{n}.org", 256 * n + 4096, SPARED) for n in range(6)]
    alone = [("slow.org", 256 * n, HIT) for n in range(4)]
    shaped = visits([*alone, *company], mechanism=["rate.shaping"]).groups(rates)
    assert [(GRADES[grade], value) for grade, value in zip(shaped.grade, shaped.value, strict=True)] == [
        (Grade.POSSIBLE, "slow.org")
    ]
    assert shaped.probability[0] == rates.shaping_ceiling
    beside = [(f"k{n}.org", 256 * n, SPARED) for n in range(4)]
    shaped = visits([*alone, *beside], mechanism=["rate.shaping"]).groups(rates)
    assert said(shaped) == [("name", "slow.org")]
    assert shaped.selective[0] == 1


def test_neighbours_are_no_accusation_without_a_contrast() -> None:
    """Two blocked names that live alone in one prefix hint at the prefix, and nothing shows that it is the cause."""
    table = crowd([9.0, 9.0], name=["bad.com", "worse.com"], server=[0, 1])
    groups = table.groups()
    assert said(groups) == []
    assert said(groups, Grade.POSSIBLE) == [("prefix", "64.0.0.0/24")]
    assert groups.probability[0] < 0.9


def test_mechanisms_are_voted_on() -> None:
    """The mechanism with most of the members wins; when none has half of them, their common prefix."""
    model = crowd_model(priors={("tcp", m): -5.8 for m in ("tcp.reset", "tcp.fin", "tcp.data", "http.blockpage")})
    pairs = [("bad.com", 256 * n, 8.0) for n in range(5)]
    for words, expected in (
        (["tcp.reset", "tcp.reset", "tcp.fin"], "tcp.reset"),
        (["tcp.reset", "tcp.fin", "tcp.data"], "tcp"),
    ):
        groups = visits(pairs, times=6, mechanism=words).groups(model)
        assert {groups.mechanisms[code] for code in groups.mechanism} == {expected}


def test_shared_evidence_counts_for_no_group() -> None:
    """Observations that were drawn from other subjects are not counted again."""
    pairs = [("bad.com", 0, HIT), ("bad.com", 300, HIT), ("a.org", 0, SPARED)]
    assert len(visits(pairs, shared=True).groups()) == 0
    assert len(visits(pairs).groups()) == 1


@pytest.mark.parametrize("llr", [[], [0.0], [9.0], [-3.0] * 50, [float("nan")] * 9, [float("-inf")] * 9, [0.0] * 200])
def test_nothing_to_find(llr: list[float]) -> None:
    """No subjects, a single one, evidence against interference or none at all give no groups."""
    assert len(crowd(llr).groups()) == 0


def test_infinite_evidence_is_capped() -> None:
    """Infinities are clipped like any evidence, and a group of them is found."""
    groups = crowd(
        [math.inf] * 6 + [-math.inf] * 6, name=["bad.com"] * 6 + ["a.org"] * 6, minute=range(0, 60, 5)
    ).groups()
    assert ("name", "bad.com") in said(groups)
    assert np.isfinite(groups.llr).all()


def test_members_of_which_nothing_is_known_only_count() -> None:
    """Subjects that the capture says nothing about change the number of members and nothing else."""
    pairs = [("bad.com", 0, HIT), ("bad.com", 300, HIT), ("a.org", 0, SPARED), ("b.org", 300, SPARED)]
    plain = visits(pairs).groups()
    blind = [("bad.com", 0, 0.0), ("bad.com", 300, 0.0)]
    reasons = [0, 0, 0, 0, Reason.ONE_DIRECTION, Reason.ONE_DIRECTION]
    more = visits(pairs + blind, reasons=reasons * 4).groups()
    assert said(more) == said(plain)
    assert (plain.members[0], more.members[0]) == (8, 16)
    for word in ("share", "share_low", "share_high", "llr", "contrast", "probability", "q_value", "clusters"):
        assert getattr(more, word)[0] == pytest.approx(getattr(plain, word)[0])


def test_more_affected_members_never_speak_against() -> None:
    """Each further affected observation raises what the group says, as long as it is of a site of its own."""
    found = []
    for count in range(3, 9):
        table = visits([("bad.com", 256 * n, HIT) for n in range(count)] + [("a.org", 0, SPARED)], times=2)
        found.append(table.groups().llr[0])
    assert found == sorted(found)


def test_the_order_of_subjects_does_not_matter() -> None:
    """Shuffled subjects give the same groups."""
    table, _ = block("name", np.random.default_rng(5))
    subjects = table.subjects
    order = np.random.default_rng(6).permutation(len(subjects))
    weight = np.zeros(len(subjects))
    np.add.at(weight, table.evidence.subject, table.evidence.llr)
    shuffled = crowd(
        weight[order],
        client=subjects.client[order],
        server=subjects.server[order] - (subjects.client.max() + 1),
        name=subjects.name.take(order),
        minute=((subjects.start - subjects.start.min()) / 60e9)[order],
    )
    left, right = table.groups(), shuffled.groups()
    assert said(left, Grade.POSSIBLE) == said(right, Grade.POSSIBLE)
    for word in ("llr", "contrast", "share", "probability", "q_value"):
        assert getattr(left, word) == pytest.approx(getattr(right, word))


@pytest.mark.parametrize(("kind", "least"), [("name", 0.98), ("server", 0.98), ("prefix", 0.98), ("client", 0.98)])
def test_the_right_group_is_accused(kind: str, least: float) -> None:
    """In random captures with one block, exactly what is blocked is accused in nearly all of them."""
    right = 0
    for seed in range(60):
        table, value = block(kind, np.random.default_rng([seed, 77]))
        right += said(table.groups()) == [(kind, value)]
    assert right >= least * 60 - 1


def test_clean_captures_accuse_nobody() -> None:
    """Where nobody is blocked nothing is found."""
    for seed in range(60):
        assert said(block("none", np.random.default_rng(seed))[0].groups()) == []


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.1, 1.0]), st.integers(5, 60))
def test_the_twin_agrees(seed: int, correlation: float, count: int) -> None:
    """Small random captures give what the slow search gives."""
    rng = np.random.default_rng(seed)
    client, server = rng.integers(0, 3, count), rng.choice([0, 1, 256, 512], count)
    names = [("", "a.x.com", "b.x.com", "c.org", "d.org")[n] for n in rng.integers(0, 5, count)]
    minute, kind = (
        rng.choice([0.0, 6.0], count),
        rng.choice([KIND_TCP, KIND_UDP, KIND_EXCHANGE], count, p=[0.6, 0.2, 0.2]),
    )
    hit = [(server == 256) | (client == 1), np.array(names) == "c.org", server < 2, kind == KIND_UDP][seed % 4]
    llr = np.minimum(np.where(hit, rng.normal(6, 3, count), rng.normal(-2, 1, count)), 13.0)  # below all caps
    minute[0] = 0.0
    subjects = [
        {
            "client": int(c), "server": int(s), "prefix": int(s) // 256, "name": n, "protocol": WORDS[int(k)],
            "domain": ".".join(n.split(".")[-2:]), "bin": int(m) // 5, "llr": float(w),
        }
        for c, s, n, k, m, w in zip(client, server, names, kind, minute, llr, strict=True)
    ]  # fmt: skip
    expected = naive_groups.find(subjects, correlation=correlation)
    table = crowd(llr, client=client, server=server, name=names, minute=minute, kind=kind)
    groups = table.groups(crowd_model(site_correlation=correlation, other_total_cap=14.0))
    wanted = {
        (one["by"], written(one["by"], one["value"]), len(one["members"]), one["controls"]): one for one in expected
    }
    found = {
        (BY[groups.by[row]].value, groups.value[row], int(groups.clusters[row]), int(groups.controls[row])): row
        for row in range(len(groups))
    }
    assert found.keys() == wanted.keys()
    for key, row in found.items():
        assert groups.llr[row] == pytest.approx(wanted[key]["llr"])
        assert groups.contrast[row] == pytest.approx(wanted[key]["contrast"], abs=1e-6)


def written(by: str, value: object) -> str:
    """Write a key of the twin as the library does."""
    number = value if isinstance(value, int) else 0
    return {
        "server": f"64.0.{number // 256}.{number % 256}",
        "prefix": f"64.0.{number}.0/24",
        "client": f"10.0.0.{number}",
    }.get(by, str(value))


def test_evidence_without_rules_is_no_error() -> None:
    """An empty table of evidence gives no groups, whatever the subjects."""
    table = crowd([5.0, 5.0])
    empty = Crowd(subjects=table.subjects, evidence=Evidence.empty(), hosts=table.hosts)
    assert len(empty.groups()) == 0
