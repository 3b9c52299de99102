"""The throttling analyzer on simulated transfers, policed and not, and on real captures."""

import functools
import io

import numpy as np
import pytest

from netinterf.analyzers.check import check_analyzer
from netinterf.analyzers.run import analyze
from netinterf.analyzers.throttling import Throttling, analyzer, units
from netinterf.analyzers.throttling.acks import acknowledgement_series
from netinterf.analyzers.throttling.analyzer import kind_of, own_line
from netinterf.analyzers.throttling.controls import Controls
from netinterf.analyzers.throttling.domains import flow_domains
from netinterf.analyzers.throttling.judge import Tested as Weighed
from netinterf.analyzers.throttling.judge import strength
from netinterf.analyzers.throttling.losses import suspicions
from netinterf.analyzers.throttling.unseen import count_numbers
from netinterf.analyzers.throttling.waiting import Waiting
from netinterf.capture import write_pcap
from netinterf.schema import Outcome, TcpOption
from netinterf.simulate import run
from netinterf.simulate.conditions import Conditions
from netinterf.stats.bucket.fit import NO_FIT
from netinterf.trace import read
from netinterf.transform import load, lose, to_bytes
from netinterf.verdict.combine import classify
from netinterf.verdict.reasons import causes
from tests.analyzers import bulk
from tests.analyzers.bulk import (
    Bottleneck,
    Flow,
    both,
    chance,
    early_drop,
    merge,
    policer,
    shaper,
    transfer,
)

RAW_IP = 101
OUTCOMES = tuple(Outcome)


def trace_of(moved):
    """Read what a tap captured."""
    return read(times=np.array(moved.times), frames=moved.frames, link_type=RAW_IP)


def capture_of(played):
    """Write a simulated capture as a file."""
    target = io.BytesIO()
    write_pcap(target, played.times, played.frames, played.link_type, lengths=played.lengths)
    return target.getvalue()


def found(trace):
    """Name what was found: rule to its strongest weight and measures, and the worst outcome of any flow."""
    evidence = analyze(trace, [Throttling()])
    rules = {}
    for row in range(len(evidence)):
        rule = evidence.rules[evidence.rule[row]]
        rules[rule.id] = dict(zip(rule.measures, evidence.measured[row].tolist(), strict=True))
    verdicts = classify(evidence, trace)
    accused = any(OUTCOMES[code] == Outcome.INTERFERED for code in verdicts.outcome)
    return rules, accused


@functools.cache
def policed(rate, depth, rtt, tap):
    """Move 1,500 segments through a policer."""
    return trace_of(transfer(17, policer(rate, depth), flows=[Flow(1500)], rtt=rtt, tap=tap))


@pytest.mark.parametrize(
    ("rate", "depth", "rtt"),
    [(62_500, 1e5, 0.1), (125_000, 12e3, 0.1), (190_000, 5e4, 0.03), (375_000, 1e5, 0.2), (1_250_000, 3e5, 0.1)],
)
def test_a_policer_is_found_at_the_sender(rate, depth, rtt):
    """Rate within 5 %, depth within 10 %, no queue, and the flow is called interfered with."""
    rules, accused = found(policed(rate, depth, rtt, "sender"))
    assert accused
    assert rules["rate.token_bucket"]["rate_bps"] == pytest.approx(8 * rate, rel=0.05)
    assert rules["rate.token_bucket"]["bucket_bytes"] == pytest.approx(depth, rel=0.1)
    assert rules["rate.no_queue"]["waited_share"] < 0.05


def test_a_policer_is_found_behind_it():
    """A tap at the receiver never sees the lost packets; the gaps and the sender's timestamps suffice."""
    rules, accused = found(policed(125_000, 12e3, 0.1, "receiver"))
    assert accused
    assert rules["rate.token_bucket"]["rate_bps"] == pytest.approx(1e6, rel=0.05)


def test_evidence_names_lost_packets_of_its_flow():
    """Witnesses are packets of the accused flow, at most 50, and the weight is finite."""
    trace = policed(62_500, 1e5, 0.1, "sender")
    evidence = Throttling()(trace)
    for row in range(len(evidence)):
        witness = evidence.witness[row]
        assert 0 < len(witness) <= 50
        assert set(trace.packets.flow[witness]) == {evidence.subject[row]}
        assert np.isfinite(evidence.llr[row])
        assert len(evidence.forged[row]) == 0


def crowded(seed):
    """Make a link whose speed changes every half second, as others come and go."""
    speed = np.random.default_rng(seed).uniform(0.25, 1, 1000)
    return lambda now: float(speed[int(now / 0.5) % 1000])


BENIGN = {
    "shaper": lambda: shaper(125_000, 1e5),
    "shaper, deep queue": lambda: shaper(125_000, 4e5),
    "shaper, 8 kB queue": lambda: shaper(375_000, 8e3),
    "shaper, 8 kB queue, slow": lambda: shaper(16_000, 8e3),
    "shaper with a burst": lambda: shaper(375_000, 1e4, credit=2e4),
    "random early drop": lambda: early_drop(375_000, 8e4, np.random.default_rng(1)),
    "random loss": lambda: chance(0.02, np.random.default_rng(2)),
    "much random loss": lambda: chance(0.08, np.random.default_rng(3)),
    "random loss and a queue": lambda: both(chance(0.02, np.random.default_rng(4)), shaper(625_000, 1e5)),
    "cross traffic": lambda: shaper(375_000, 5e4, share=crowded(5)),
    "nothing": lambda: Bottleneck(lambda _now, _size: 0.0),
}


@pytest.mark.parametrize("tap", ["sender", "receiver"])
@pytest.mark.parametrize("kind", BENIGN)
def test_queues_and_chance_are_not_accused(kind, tap):
    """Whatever drops packets for another reason is never called policing."""
    moved = transfer(23, BENIGN[kind](), flows=[Flow(1500)], rtt=0.06, tap=tap)
    rules, accused = found(trace_of(moved))
    assert not accused
    assert "rate.token_bucket" not in rules or "rate.no_queue" not in rules


@pytest.mark.parametrize("kind", ["shaper", "shaper, 8 kB queue", "shaper with a burst"])
def test_a_queue_is_named(kind):
    """Packets that waited before the drops argue for congestion, by name."""
    rules, _ = found(trace_of(transfer(29, BENIGN[kind](), flows=[Flow(1500)], rtt=0.06)))
    assert rules["rate.queue_before_loss"]["rtt_inflation"] > 1.05


def test_chance_is_named():
    """Losses that do not depend on what was sent are said to be chance."""
    rules, _ = found(trace_of(transfer(31, BENIGN["random loss"](), flows=[Flow(2000)], rtt=0.06)))
    assert rules["rate.random_loss"]["loss_share"] == pytest.approx(0.02, abs=0.01)


def test_a_small_receive_window_explains_the_rate():
    """A sender held by the receiver's window is not policed, whatever it loses."""
    moved = transfer(37, chance(0.03, np.random.default_rng(6)), flows=[Flow(1500, window=6)], rtt=0.05)
    rules, accused = found(trace_of(moved))
    assert not accused
    assert "rate.token_bucket" not in rules


def test_a_paced_application_is_not_accused():
    """A sender that has nothing to send is not policed."""
    moved = transfer(41, chance(0.03, np.random.default_rng(7)), flows=[Flow(1200, pace=0.01)], rtt=0.05)
    assert not found(trace_of(moved))[1]


@pytest.mark.parametrize(
    ("ends", "rule"),
    [
        ({"window": 6}, "rate.receiver_window"),
        ({"pace": 3.0, "chunk": 30}, "rate.application"),
        ({}, "rate.token_bucket"),
    ],
    ids=["window", "pauses", "neither"],
)
def test_a_bucket_that_the_ends_reach_now_and_then_is_not_what_holds_them(ends, rule):
    """Bursts of a small window, or of a program that pauses, overflow a bucket: the ends speak against a limit."""
    moved = transfer(37, policer(100_000, 6e3), flows=[Flow(180, **ends)], rtt=0.05)
    evidence = Throttling()(trace_of(moved))
    assert {evidence.rules[code].id for code in evidence.rule} == {rule}
    assert evidence.subject.tolist() == [0]
    assert (evidence.llr[0] < 0) == bool(ends)
    assert not ends or 0.5 <= evidence.measured[0][0] <= 1  # share of the transfer


def test_flows_that_share_a_policer_are_tested_together():
    """Two flows of one client and server drain one bucket: merged, it is found, and both are accused."""
    flows = [Flow(800), Flow(800, port=40001, start=0.3)]
    trace = trace_of(transfer(43, policer(125_000, 6e4), flows=flows, rtt=0.08))
    rules, accused = found(trace)
    assert accused
    assert rules["rate.token_bucket"]["rate_bps"] == pytest.approx(1e6, rel=0.02)
    assert set(Throttling()(trace).subject) == {0, 1}


def test_each_answer_is_a_trial_of_its_own():
    """Later connections to the same server are later trials; their units agree."""
    flows = [Flow(700), Flow(700, port=40001, start=20.0), Flow(700, port=40002, start=40.0)]
    rules, _ = found(trace_of(transfer(47, policer(125_000, 3e4), flows=flows, rtt=0.08)))
    assert rules["rate.token_bucket"]["units"] == 3


def test_a_limit_on_all_servers_is_the_links():
    """When every server of the client shares one bucket it is a plan: not interference."""
    flows = [Flow(900), Flow(900, port=40001, start=0.2, server="198.51.100.5")]
    trace = trace_of(transfer(53, policer(250_000, 6e4), flows=flows, rtt=0.08))
    rules, accused = found(trace)
    assert rules["rate.whole_link"]["servers"] == 2
    assert rules["rate.whole_link"]["selective"] == 0
    assert "rate.may_be_the_link" not in rules
    assert not accused
    assert {OUTCOMES[code] for code in classify(analyze(trace), trace).outcome} == {Outcome.OK}


def test_two_flows_with_a_bucket_each_are_told_apart():
    """A policer that keeps a bucket for every flow is found although merging its flows explains nothing."""
    flows = [Flow(900), Flow(900, port=40001, start=1.3)]
    one, two = (
        transfer(seed, policer(125_000, depth), flows=[flow], rtt=0.08)
        for seed, depth, flow in zip((91, 92), (3e4, 5e4), flows, strict=True)
    )
    trace = trace_of(merge(one, two))
    evidence = Throttling()(trace)
    buckets = [row for row in range(len(evidence)) if evidence.rules[evidence.rule[row]].id == "rate.token_bucket"]
    assert {int(evidence.subject[row]) for row in buckets} == {0, 1}
    rates = [float(evidence.measured[row][0]) for row in buckets]
    assert rates == pytest.approx([1e6, 1e6], rel=0.03)


def outage(begin, end):
    """Pass everything but what is sent while the link is dead."""
    return Bottleneck(lambda now, _size: None if begin <= now < end else 0.01)


def test_a_dead_link_is_no_bucket():
    """A link that is dead for a moment loses packets in one run, whatever was sent before."""
    rules, accused = found(trace_of(transfer(95, outage(0.6, 1.5), flows=[Flow(3000)], rtt=0.06)))
    assert not accused
    assert "rate.token_bucket" not in rules
    assert "rate.spared" not in rules


@pytest.mark.parametrize(("rate", "depth", "told"), [(3_000, 1, False), (3_000, 4, True), (30_000, 4, True)])
def test_a_sender_that_waits_for_its_timer_is_no_bucket(rate, depth, told):
    """Where single packets pass every second, the sender's timer sets the pace, bucket or not."""
    rules, _ = found(trace_of(transfer(97, policer(rate, depth * 1514), flows=[Flow(300)], rtt=0.1, limit=60.0)))
    assert ({"rate.token_bucket", "rate.rough_bucket", "rate.loss_after_bursts"} & set(rules) != set()) == told


def test_a_timer_that_backs_off_is_no_bucket():
    """A firewall that forgot its connections: what senders repeat ever more slowly fits a bucket of 300 bit/s."""
    simulated = run("benign.tcp.firewall-reboot", 1014)
    rules, accused = found(read(times=simulated.times, frames=simulated.frames, link_type=simulated.link_type))
    assert not accused
    assert "rate.rough_bucket" not in rules


def test_what_the_recorder_missed_is_no_reason_for_several_buckets():
    """Packets that were missed drained the one bucket of a plan all the same, and do not make several of it."""
    played = load(capture_of(run("benign.rate.plan-policer", 1300)))
    rules, accused = found(read(to_bytes(lose(played, 0.01, seed=1))))
    assert rules["rate.whole_link"]["selective"] == 0
    assert not accused


def test_equal_limits_one_after_the_other_are_the_links():
    """Servers that meet the same rate in turn may show a plan as well: nobody is accused, and nobody called healthy."""
    flows = [Flow(900), Flow(900, port=40001, start=25.0, server="198.51.100.5")]
    trace = trace_of(transfer(83, policer(125_000, 4e4), flows=flows, rtt=0.08))
    rules, accused = found(trace)
    assert rules["rate.whole_link"]["selective"] == 0
    assert 0 < rules["rate.may_be_the_link"]["llr"] < 20
    assert not accused
    verdicts = classify(analyze(trace), trace)
    assert {OUTCOMES[code] for code in verdicts.outcome} == {Outcome.INSUFFICIENT}
    assert [[cause.code for cause in causes(int(bits))] for bits in verdicts.reasons] == [["rate.no_contrast"]] * 2


def test_servers_of_one_domain_are_no_contrast():
    """When all limited servers belong to one domain it may be the target: the limit is not called a plan."""
    first, second = (b"GET / HTTP/1.1\r\nHost: %s.example.org\r\n\r\n" % name for name in (b"a", b"b"))
    flows = [
        Flow(900, request=first),
        Flow(900, port=40001, start=25.0, server="198.51.100.5", request=second),
    ]
    trace = trace_of(transfer(83, policer(125_000, 4e4), flows=flows, rtt=0.08))
    rules, accused = found(trace)
    assert len(trace.http) == 2
    assert "rate.whole_link" not in rules
    assert accused


def test_flows_have_the_domain_that_their_server_was_asked_for():
    """A flow without a request has that of another flow to its server; without any it has its server's number."""
    asked = b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n"
    flows = [
        Flow(3, request=asked % b"M.ok.ru:80"),
        Flow(3, port=40001, start=1.0),
        Flow(3, port=40002, start=2.0, server="198.51.100.5", request=asked % b"ok.ru"),
        Flow(3, port=40003, start=3.0, server="198.51.100.6", request=asked % b"198.51.100.6"),
        Flow(3, port=40004, start=4.0, server="198.51.100.7"),
    ]
    domain = flow_domains(trace_of(transfer(83, BENIGN["nothing"](), flows=flows, rtt=0.08))).tolist()
    assert domain[0] == domain[1] == domain[2] >= 0
    assert max(domain[3:]) < 0
    assert domain[3] != domain[4]


def test_a_bucket_that_fills_up_between_bursts_has_no_one_rate():
    """Many rates explain its losses, none down to zero: the interval is told, and no rate beside it."""
    rules, accused = found(policed(1_250_000, 8e3, 0.1, "sender"))
    bucket = rules["rate.token_bucket"]
    assert accused
    assert 0 < bucket["rate_low_bps"] <= 1e7 <= bucket["rate_high_bps"]
    assert bucket["rate_high_bps"] > 10 * bucket["rate_low_bps"]
    assert np.isnan(bucket["rate_bps"])


@pytest.mark.parametrize(
    ("info", "rateless", "vague", "queued", "rule"),
    [
        (0.9, False, False, False, "rate.token_bucket"),
        (0.9, False, True, False, "rate.token_bucket"),
        (0.9, False, False, True, "rate.loss_after_bursts"),
        (0.9, True, True, False, "rate.loss_after_bursts"),
        (0.2, False, False, False, "rate.rough_bucket"),
        (0.2, False, True, False, "rate.loss_after_bursts"),
    ],
)
def test_what_has_no_rate_is_no_limit(info, rateless, vague, queued, rule):
    """Losses that any rate explains came at once; those behind a queue, or roughly of many rates, are of any queue."""
    fit = NO_FIT._replace(info=info, below=0.95, llr=50.0)
    tested = Weighed(unit=None, fit=fit, waiting=Waiting(), timed=False)
    assert kind_of(tested, acks=False, rateless=rateless, vague=vague, queued=queued).id == rule


def test_a_spared_server_shows_selection():
    """When another server is much faster at the same time the limit is selective."""
    slow = transfer(59, policer(62_500, 5e4), flows=[Flow(900)], rtt=0.08)
    fast = transfer(
        61,
        BENIGN["nothing"](),
        flows=[Flow(3000, port=40009, start=1.0)],
        rtt=0.08,
        server="198.51.100.5",
    )
    rules, accused = found(trace_of(merge(slow, fast)))
    assert accused
    assert rules["rate.spared"]["selective"] == 1
    assert rules["rate.spared"]["passed"] > 100
    assert rules["rate.spared"]["llr"] > 20


@pytest.mark.parametrize("count", [1, 50])
def test_many_that_are_spared_show_selection_as_well(count):
    """The more others pass while one transfer is policed, the clearer."""
    slow = transfer(59, policer(125_000, 5e4), flows=[Flow(900)], rtt=0.08)
    others = []
    for place in range(count):
        flow = Flow(40 if count > 1 else 1500, port=41_000 + place, start=0.1 * place)
        server = f"198.51.100.{5 + place}"
        others.append(transfer(100 + place, BENIGN["nothing"](), flows=[flow], rtt=0.06, server=server))
    rules, accused = found(trace_of(merge(slow, *others)))
    assert accused
    assert rules["rate.spared"]["selective"] == 1


def named(host):
    """Write a request that names a host."""
    return b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % host


@pytest.mark.parametrize(
    ("server", "host", "rule"),
    [
        ("203.0.113.9", b"other.example.net", "rate.spared_name"),
        ("198.51.100.5", b"files.example.org", "rate.spared_address"),
        ("198.51.100.5", b"other.example.net", "rate.spared"),
    ],
)
def test_a_two_by_two_contrast_tells_name_from_address(server, host, rule):
    """Other names at one address, or one name at other addresses: what is spared tells what is aimed at."""
    slow = transfer(59, policer(62_500, 5e4), flows=[Flow(900, request=named(b"www.example.org"))], rtt=0.08)
    quick = Flow(2000, port=40009, start=1.0, request=named(host))
    fast = transfer(61, BENIGN["nothing"](), flows=[quick], rtt=0.08, server=server)
    rules, accused = found(trace_of(merge(slow, fast)))
    assert accused
    assert rules[rule]["selective"] == 1


def test_buckets_of_their_own_are_no_whole_link():
    """Two servers that are limited at once, each by a bucket, do not share a link's: no plan works so."""
    first = transfer(59, policer(62_500, 5e4), flows=[Flow(900)], rtt=0.08)
    second = Flow(900, port=40009)
    other = transfer(61, policer(140_000, 2e4), flows=[second], rtt=0.05, server="198.51.100.5")
    rules, accused = found(trace_of(merge(first, other)))
    assert "rate.whole_link" not in rules
    assert accused


@pytest.mark.parametrize("start", [2.0, 6.0, 10.0])
def test_equal_buckets_of_their_own_are_no_whole_link(start):
    """Servers that each meet the same limit, partly at the same time, are told from servers that share one."""
    first = transfer(59, policer(62_500, 5e4), flows=[Flow(700, request=named(b"a.example.org"))], rtt=0.08)
    second = Flow(700, port=40009, start=start, request=named(b"b.example.net"))
    other = transfer(61, policer(62_500, 5e4), flows=[second], rtt=0.06, server="198.51.100.5")
    rules, accused = found(trace_of(merge(first, other)))
    assert "rate.whole_link" not in rules
    assert accused


@pytest.mark.parametrize("start", [2.0, 6.0, 10.0])
def test_servers_that_share_a_bucket_in_part_are_the_links(start):
    """The same transfers through one bucket are a plan."""
    flows = [
        Flow(700, request=named(b"a.example.org")),
        Flow(700, port=40009, start=start, server="198.51.100.5", request=named(b"b.example.net")),
    ]
    rules, accused = found(trace_of(transfer(59, policer(62_500, 5e4), flows=flows, rtt=0.08)))
    assert rules["rate.whole_link"]["selective"] == 0
    assert not accused


def test_a_client_with_too_much_to_look_at_is_looked_at_where_it_lost_most(monkeypatch):
    """Its other servers are not judged to be well: they are skipped, which is said, and cannot be judged."""
    buckets = {"203.0.113.9": 5e4, "198.51.100.5": 1e5, "198.51.100.6": 2e4}
    moved = [
        transfer(59 + port, policer(62_500, depth), flows=[Flow(900, port=40000 + port)], rtt=0.08, server=server)
        for port, (server, depth) in enumerate(buckets.items())
    ]
    trace = trace_of(merge(merge(moved[0], moved[1]), moved[2]))
    whole = Throttling()(trace)
    assert "rate.skipped" not in {whole.rules[code].id for code in whole.rule}
    monkeypatch.setattr(units, "MOST_PAIRS", 2)
    monkeypatch.setattr(analyzer, "MOST_PAIRS", 2)
    evidence = analyze(trace, [Throttling()])
    skipped = [place for place, rule in enumerate(evidence.rules) if rule.id == "rate.skipped"]
    rows = np.flatnonzero(np.isin(evidence.rule, skipped))
    (left,) = evidence.subject[rows].tolist()
    lost = suspicions(trace, count_numbers(trace)).reshape(-1, 2).max(axis=1)
    assert np.sort(lost)[0] < np.sort(lost)[1]
    assert left == lost.argmin()
    assert evidence.measured[int(rows[0])].tolist() == [3.0, 2.0]
    assert not np.any(evidence.llr[evidence.subject == left])
    verdicts = classify(evidence, trace)
    assert OUTCOMES[verdicts.outcome[left]] == Outcome.INSUFFICIENT
    assert [cause.code for cause in causes(int(verdicts.reasons[left]))] == ["analysis.budget"]
    others = np.delete(verdicts.outcome, left)
    assert set(others) == set(np.delete(classify(whole, trace).outcome, left))


def test_the_largest_of_each_group_come_first():
    """Ranks are those of sorting each group by itself, ties in order."""
    rng = np.random.default_rng(3)
    for size in (0, 1, 200):
        group, value = rng.integers(0, 7, size), rng.integers(0, 9, size).astype(float)
        rank, count = units.ranked(group, value)
        for number in np.unique(group):
            rows = np.flatnonzero(group == number)
            assert rows[np.argsort(rank[rows])].tolist() == sorted(rows.tolist(), key=lambda row: -value[row])
            assert set(count[rows]) == {len(rows)}


def test_a_link_limited_both_ways_spares_nobody():
    """While one server is limited down and another up, others that pass show that it is not the link, either way."""
    simulated = run("rate.policing.jordan-live", 370_000, Conditions.clean(vantage="client"))
    rules, accused = found(read(times=np.array(simulated.times), frames=simulated.frames, link_type=1))
    assert "rate.whole_link" not in rules
    assert rules["rate.spared"]["selective"] == 1
    assert accused


@pytest.mark.parametrize(("plan", "seed"), [("plan-shaper", 370_072), ("plan-burst", 370_025)])
def test_passing_a_queue_spares_nobody(plan, seed):
    """A full queue drops and serves on: what others get through it is no sign that they pass elsewhere."""
    simulated = run(f"benign.rate.{plan}", seed, Conditions.clean(vantage="client"))
    rules, accused = found(read(times=np.array(simulated.times), frames=simulated.frames, link_type=1))
    assert "rate.queue_before_loss" in rules
    assert not any(rule.startswith("rate.spared") for rule in rules)
    assert not accused


def test_servers_at_different_distances_share_a_plan():
    """Far from the client, packets of near and far servers are aligned as they meet at its end of the path."""
    plain = Conditions.clean(vantage="server")
    for seed in (320_021, 320_026):
        simulated = run("benign.rate.plan-policer", seed, plain)
        trace = read(times=np.array(simulated.times), frames=simulated.frames, link_type=1)
        rules, accused = found(trace)
        assert "rate.whole_link" in rules
        assert not accused


def test_a_burst_before_a_queue_is_no_bucket():
    """A shaper that lets a burst through first queues all the same before it drops: what came last before it tells."""
    simulated = run("benign.rate.plan-burst", 320_006, Conditions.clean(vantage="server"))
    rules, accused = found(read(times=np.array(simulated.times), frames=simulated.frames, link_type=1))
    assert "rate.no_queue" not in rules
    assert not accused


@pytest.mark.parametrize(("start", "size", "rule"), [(60.0, 900, "spared_elsewhen"), (60.0, 3, "others_unclear")])
def test_others_at_other_times_say_less(start, size, rule):
    """What others moved after the limited transfer shows that they were spared then, or too little to tell."""
    slow = transfer(59, policer(62_500, 5e4), flows=[Flow(600)], rtt=0.08)
    later = Flow(size, port=40009, start=start)
    fast = transfer(61, BENIGN["nothing"](), flows=[later], rtt=0.08, server="198.51.100.5")
    rules, _ = found(trace_of(merge(slow, fast)))
    assert rules[f"rate.{rule}"]["passed"] == size
    assert "rate.spared" not in rules
    assert "rate.whole_link" not in rules


def fading(seed, mean):
    """Lose most of what is sent while a radio link is bad, again and again."""
    random = np.random.default_rng(seed)
    turns = np.cumsum(random.exponential(mean, 2000))
    return Bottleneck(lambda now, _size: None if np.searchsorted(turns, now) % 2 and random.random() < 0.8 else 0.01)


@pytest.mark.parametrize("tap", ["sender", "receiver"])
@pytest.mark.parametrize("mean", [0.05, 0.3, 1.0])
def test_a_fading_link_is_no_bucket(mean, tap):
    """Losses in runs are those of a radio link, whatever the rate."""
    for seed in range(3):
        moved = transfer(96 + seed, fading(seed, mean), flows=[Flow(1500)], rtt=0.06, tap=tap, numbered=True)
        rules, accused = found(trace_of(moved))
        assert not accused
        assert "rate.token_bucket" not in rules


def test_dropped_acknowledgements_are_found():
    """A bucket for acknowledgements alone: data passes, is repeated, and the echoed timestamps show the rate."""
    simulated = run("rate.policing.tspu-youtube", 100_105, Conditions.clean(vantage="client"))
    rules, _ = found(read(times=np.array(simulated.times), frames=simulated.frames, link_type=1))
    assert rules["rate.acknowledgements"]["rate_bps"] < 10_000
    assert rules["rate.acknowledgements"]["bucket_bytes"] < 2_000


def test_acknowledgements_without_timestamps_are_told_by_repeats():
    """What the sender repeats needlessly tells which acknowledgements it has heard."""
    tables = []
    for seed in (320_000, 320_002):
        simulated = run("rate.policing.tspu-youtube", seed)
        trace = read(times=np.array(simulated.times), frames=simulated.frames, link_type=1)
        stamped = np.bincount(trace.packets.flow, trace.packets.tcp_options & TcpOption.TIMESTAMPS)
        tables += [acknowledgement_series(trace, np.array([flow]), True) for flow in np.flatnonzero(stamped == 0)]
    assert sum(int(one.lost.sum()) for one in tables) > 30
    assert sum(int((~one.lost).sum()) for one in tables) > 10


def test_too_few_losses_say_nothing():
    """Fewer than 15 losses give no evidence of any kind."""
    moved = transfer(67, policer(250_000, 2e6), flows=[Flow(1390)], rtt=0.05)
    assert moved.dropped < 15
    assert len(Throttling()(trace_of(moved))) == 0


def test_a_capture_that_lost_a_few_packets_still_tells():
    """One packet in two hundred that the recorder missed explains nothing of what a policer dropped."""
    moved = transfer(71, policer(62_500, 1e5), flows=[Flow(1200)], rtt=0.1)
    keep = np.random.default_rng(8).random(len(moved.times)) > 0.005
    keep[:4] = True
    times = np.array(moved.times)[keep]
    trace = read(times=times, frames=[moved.frames[place] for place in np.flatnonzero(keep)], link_type=RAW_IP)
    assert found(trace)[1]


def test_a_capture_that_lost_packets_says_nothing():
    """Holes of the capture itself look like loss: then nothing is said, and the transfer is no healthy one for that."""
    moved = transfer(71, policer(62_500, 1e5), flows=[Flow(1200)], rtt=0.1)
    keep = np.random.default_rng(8).random(len(moved.times)) > 0.1
    keep[:4] = True
    times = np.array(moved.times)[keep]
    trace = read(times=times, frames=[moved.frames[place] for place in np.flatnonzero(keep)], link_type=RAW_IP)
    evidence = Throttling()(trace)
    assert [(evidence.rules[code].id, llr) for code, llr in zip(evidence.rule, evidence.llr, strict=True)] == [
        ("rate.unrecorded", 0.0)
    ]
    verdicts = classify(evidence, trace)
    assert (tuple(Outcome)[verdicts.outcome[0]], causes(int(verdicts.reasons[0]))[0].code) == (
        Outcome.INSUFFICIENT,
        "flow.too_few_packets",
    )


def test_one_direction_alone_never_accuses():
    """Without acknowledgements nobody knows whether packets queued."""
    moved = transfer(73, policer(62_500, 1e5), flows=[Flow(1200)], rtt=0.1)
    keep = [place for place, frame in enumerate(moved.frames) if frame[12] == 203]
    trace = read(times=np.array(moved.times)[keep], frames=[moved.frames[place] for place in keep], link_type=RAW_IP)
    rules, accused = found(trace)
    assert not accused
    assert "rate.no_queue" not in rules


def test_cut_payload_changes_nothing():
    """A snapshot length of headers only gives the same evidence, since only lengths are read."""
    trace = policed(62_500, 1e5, 0.1, "sender")
    moved = transfer(17, policer(62_500, 1e5), flows=[Flow(1500)], rtt=0.1)
    cut = read(times=np.array(moved.times), frames=[frame[:72] for frame in moved.frames], link_type=RAW_IP)
    assert Throttling()(cut).llr.tolist() == Throttling()(trace).llr.tolist()


def joined(moved):
    """Join wire packets that follow each other within 0.5 ms, as segmentation offload hands them to a capture."""
    times, frames, ends = [], [], {}
    for time, frame in zip(moved.times, moved.frames, strict=True):
        sender, seq = frame[12:24], int.from_bytes(frame[24:28], "big")
        payload = frame[20 + (frame[32] >> 4) * 4 :]
        place, end, at = ends.get(sender, (-1, -1, -1))
        if payload and end == seq and time - at < 500_000 and len(frames[place]) < 40_000:
            whole = frames[place] + payload
            frames[place] = whole[:2] + len(whole).to_bytes(2, "big") + whole[4:]
            ends[sender] = (place, seq + len(payload), time)
            continue
        if payload:
            ends[sender] = (len(frames), seq + len(payload), time)
        times.append(time)
        frames.append(frame)
    return read(times=np.array(times), frames=frames, link_type=RAW_IP)


@pytest.mark.parametrize("segment", [1448, 1380, 1208])
def test_offloaded_segments_are_cut_into_wire_packets(segment, monkeypatch):
    """Segmentation offload at the sender changes neither losses nor rate, however much a packet of the path carries."""
    monkeypatch.setattr(bulk, "SEGMENT", segment)
    monkeypatch.setattr(bulk, "WIRE", segment + 66)
    monkeypatch.setattr(bulk, "FULL", bytes(segment))
    moved = transfer(17, policer(125_000, 5e4), flows=[Flow(1500)], rtt=0.1)
    plain, whole = trace_of(moved), joined(moved)
    assert len(whole.packets) < 0.9 * len(plain.packets)
    expected, accused = found(whole)[0]["rate.token_bucket"], found(whole)[1]
    assert accused
    assert expected["losses"] == pytest.approx(found(plain)[0]["rate.token_bucket"]["losses"], rel=0.05)
    assert expected["rate_bps"] == pytest.approx(1e6, rel=0.03)


def test_without_timestamps_bursts_exclude_a_queue():
    """At the receiver's side, packets that arrive in bursts beyond the rate did not queue for it."""
    moved = transfer(17, policer(125_000, 3e4), flows=[Flow(1500)], rtt=0.1, tap="receiver", timestamps=False)
    rules, accused = found(trace_of(moved))
    assert accused
    assert rules["rate.bursts_beyond_rate"]["burst_packets"] > 6


def test_without_timestamps_spacing_may_be_a_queues():
    """A shaper that lets a burst through spaces what comes behind it: bursts before do not make it a policer."""
    moved = transfer(17, BENIGN["shaper with a burst"](), flows=[Flow(1500)], rtt=0.1, tap="receiver", timestamps=False)
    rules, accused = found(trace_of(moved))
    assert not accused
    assert "rate.bursts_beyond_rate" not in rules


@pytest.mark.parametrize("seed", [515, 552, 553, 554])
def test_what_one_deeper_bucket_explains_spares_nobody(seed):
    """A plan lets a burst through: what passes while some lose packets need not pass elsewhere."""
    simulated = run("benign.rate.plan-burst", seed)
    rules, accused = found(read(times=simulated.times, frames=simulated.frames, link_type=simulated.link_type))
    assert not accused
    assert not any(rule.startswith("rate.spared") for rule in rules)


@pytest.mark.parametrize(
    ("info", "below", "share"), [(0.9, 0.95, 1.0), (0.9, 0.7, 0.6), (0.2, 0.95, 0.6), (0.9, 0.4, 0.0), (0.1, 0.95, 0.0)]
)
def test_a_bucket_must_explain_and_must_drop(info, below, share):
    """The weight falls with the deviance explained and with what passes below the level; the weaker of both counts."""
    assert strength(NO_FIT._replace(info=info, below=below)) == share


@pytest.mark.parametrize(
    ("waiting", "queued"),
    [
        (Waiting(), 0),
        (Waiting(share=0.01, packets=9.0, depth=900.0, seconds=0.002), -1),
        (Waiting(share=0.01, packets=9.0, depth=900.0, seconds=0.08), 0),
        (Waiting(share=0.08, packets=0.5, depth=6.0, seconds=0.002), -1),
        (Waiting(share=0.08, packets=0.2, depth=2.5), 0),
        (Waiting(share=0.01, packets=0.1, depth=2.5), 0),
        (Waiting(share=0.08, packets=3.0, depth=40.0), 0),
        (Waiting(share=0.15, packets=0.9, depth=6.0), 0),
        (Waiting(share=0.9, packets=50.0, depth=60.0), 1),
        (Waiting(burst=5.0), 0),
        (Waiting(burst=7.0), -1),
        (Waiting(burst=7.0, spaced=0.65), -1),
        (Waiting(burst=7.0, spaced=0.75), 0),
        (Waiting(share=0.01, packets=9.0, depth=900.0, seconds=0.002, spaced=0.75), -1),
    ],
)
def test_waiting_tells_a_queue_from_none(waiting, queued):
    """Between a tenth and a fifth of a queue's waiting, and for depths of a few packets, it is not told."""
    assert waiting.queued == queued


def test_the_contract_holds():
    """The analyzer keeps the contract of analyzers, on traces with and without anything to find."""
    quiet = trace_of(transfer(79, BENIGN["random loss"](), flows=[Flow(800)], rtt=0.03))
    check_analyzer(Throttling(), traces=[policed(62_500, 1e5, 0.1, "sender")], benign=[quiet])


@pytest.mark.captures
@pytest.mark.parametrize("folder", ["positive", "benign"])
def test_laboratory_transfers(captures_dir, folder):
    """Policed transfers of a carrier-grade router are called, shaped ones are not (a sample of three each)."""
    files = sorted((captures_dir / folder / "usc-nsl-policing-detection").glob("*.pcap.xz"))
    assert len(files) >= 3
    for path in files[:: max(1, len(files) // 3)][:3]:
        _, accused = found(read(path))
        assert accused == (folder == "positive"), path.name


def test_a_server_may_be_limited_at_large() -> None:
    """It is under names of two domains, among these flows and all that are limited there: as an obvious twin says."""
    ask = b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n"
    moved = []
    for place, names in enumerate([(b"a.org", b"b.org", b"a.org"), (b"a.org", b"www.a.org", b"c.org")]):
        flows = [Flow(4, port=40000 + 10 * place + k, request=ask % name) for k, name in enumerate(names)]
        moved.append(transfer(7 + place, policer(1e6, 1e6), flows=flows, server=f"198.51.100.{place + 1}"))
    trace = trace_of(merge(*moved))
    rng, count = np.random.default_rng(5), len(trace.flows)
    assert count == 6
    answers = []
    for _ in range(200):
        limited, flows = (np.flatnonzero(rng.random(count) < 0.4) for _ in range(2))
        if not len(flows):
            continue
        servers = trace.flows.server[flows]
        same = [flow for flow in (*limited, *flows) if trace.flows.server[flow] in servers]
        told = len({*servers}) == 1 and len({flow_domains(trace)[flow] for flow in same}) > 1
        answers.append(own_line(Controls(trace, count_numbers(trace), limited), flows))
        assert answers[-1] == told
    assert len(set(answers)) == 2
