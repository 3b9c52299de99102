"""Slow handshakes: whose time it was, what the network kept, and whose trouble it is."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import beta as beta_function

from netinterf.analyzers.check import check_analyzer
from netinterf.analyzers.handshakes import SlowHandshakes
from netinterf.analyzers.handshakes import visits as visits_module
from netinterf.analyzers.handshakes.causes import (
    BURST,
    LINE,
    LOSS,
    SEGMENTS,
    SPOILT,
    TEMPER,
    Counts,
    against_all,
    against_loss,
    against_queues,
    against_server,
    losses_known,
    way_prior,
)
from netinterf.analyzers.handshakes.delayed import find_delayed, overtaken_by
from netinterf.analyzers.handshakes.slowed import behind
from netinterf.analyzers.handshakes.timing import AGAIN, LEAST_NS, count_resent, find_handshakes
from netinterf.analyzers.handshakes.visits import Visits, counted, overlaps
from netinterf.analyzers.run import analyze
from netinterf.arrays import F64, I64, Mask
from netinterf.schema import Mark
from netinterf.simulate import Conditions, run
from netinterf.simulate.messages.tls import application_data, client_hello, server_flight
from netinterf.trace import Trace, read
from netinterf.verdict.combine import classify
from netinterf.written.ledger import explain
from netinterf.written.record import Verdict
from tests.analyzers.talk import Talk


def visit(
    talk: Talk,
    at: float,
    name: str,
    port: int,
    *,
    again: int = 0,
    think: float = 0.0,
    noise: int = 0,
    late: float = 0.0,
) -> None:
    """Shake hands over TLS and exchange some data.

    Args:
        talk: Where it is written.
        at: When the SYN leaves, ms.
        name: Whose hello it is.
        port: Of the client.
        again: How often the hello has to be said again.
        think: How long the server thinks, ms.
        noise: How often the data after the handshake has to be said again.
        late: How long the answer to the hello is held on the way, ms.
    """
    rng = np.random.default_rng(port)
    hello, flight, data = client_hello(name, rng, size=517), server_flight(rng, 1200), application_data(rng, 200)
    talk.port = port
    began = talk.open(at) + 1
    sent = [began + 400 * (2**turn - 1) for turn in range(again + 1)]
    for when in sent:
        talk.send("C", "PA", 101, 901, at=when, data=hello)
    end, heard = 101 + len(hello), sent[-1] + talk.rtt + late
    talk.send("S", "A", 901, end, at=heard)
    talk.send("S", "PA", 901, end, at=heard + think + 0.1, data=flight)
    talk.send("C", "PA", end, 901 + len(flight), at=heard + think + 1, data=data)
    answer = heard + think + 1 + talk.rtt
    talk.send("S", "PA", 901 + len(flight), end + len(data), at=answer, data=data)
    seq, ack = end + len(data), 901 + len(flight) + len(data)
    for turn in range(8):  # the rest of the connection
        when = answer + 10 + turn * (talk.rtt + 300)
        talk.send("C", "PA", seq, ack, at=when, data=data)
        if turn < noise:
            talk.send("C", "PA", seq, ack, at=when + 250, data=data)
        talk.send("S", "PA", ack, seq + len(data), at=when + 250 + talk.rtt, data=data)
        seq, ack = seq + len(data), ack + len(data)


def rules(trace: Trace, port: int) -> dict[str, float]:
    """Name the rules that fired on the flow from a client port, with their weights."""
    flow = int(np.flatnonzero(trace.flows.client_port == port)[0])
    found = SlowHandshakes()(trace)
    return {found.rules[found.rule[row]].id: float(found.llr[row]) for row in np.flatnonzero(found.subject == flow)}


def judged(trace: Trace) -> list[Verdict]:
    """Judge every flow with all analyzers."""
    evidence = analyze(trace)
    return [one for one in explain(classify(evidence, trace), evidence, trace) if one.subject.kind == "flow"]


def crowd(
    talk: Talk, *, slow: int = 3, others: int = 4, again: int = 3, noise: int = 0, listed_others: int = 0
) -> None:
    """Play visits of one name that are slow, and of others at the same address, in turn."""
    for turn in range(slow):
        visit(talk, 12_000.0 * turn, "listed.example", 41_000 + turn, again=again, noise=noise)
    for turn in range(others):
        hit = again if turn < listed_others else 0
        visit(talk, 12_000.0 * turn + 7000, "other.example", 42_000 + turn, again=hit, noise=noise)


def test_a_name_that_is_slow_beside_quick_ones_is_accused() -> None:
    """Three visits whose hello had to be said four times, and four quick ones with another name: nothing else fits."""
    talk = Talk()
    crowd(talk)
    trace = talk.trace()
    found = rules(trace, 41_000)
    assert {"handshake.kept", "handshake.again", "handshake.spared"} <= set(found)
    assert sum(found.values()) > 9
    assert not rules(trace, 42_000)
    verdict = {one.subject.client_port: one for one in judged(trace)}
    assert verdict[41_001].mechanism == "rate.handshake"
    assert verdict[41_001].outcome == "interfered"
    assert verdict[41_001].selective is True
    assert verdict[42_001].outcome == "ok"


@pytest.mark.parametrize(
    "play",
    [
        {"others": 0},  # a name alone at its address
        {"slow": 1},  # one bad moment
        {"again": 0},
        {"noise": 6},  # the way loses as much later
        {"listed_others": 4},  # the server is slow to all
    ],
)
def test_harmless_company_keeps_a_name_from_being_accused(play: dict[str, int]) -> None:
    """Take one leg of the contrast away, and no sum reaches what a verdict needs."""
    talk = Talk()
    crowd(talk, **play)
    trace = talk.trace()
    assert sum(rules(trace, 41_000).values()) < 8
    assert all(one.outcome != "interfered" for one in judged(trace))


def test_time_that_the_server_took_is_no_sign() -> None:
    """The hello was acknowledged at once, and the answer came five seconds later, for one name only."""
    talk = Talk()
    for turn in range(3):
        visit(talk, 12_000.0 * turn, "busy.example", 41_000 + turn, think=5000)
        visit(talk, 12_000.0 * turn + 7000, "other.example", 42_000 + turn)
    trace = talk.trace()
    assert set(rules(trace, 41_000)) == {"handshake.ends"}
    assert rules(trace, 41_000)["handshake.ends"] < 0


def test_servers_other_names_that_are_slow_argue_against() -> None:
    """Half of the other name's visits are slow as well: the contrast turns."""
    talk = Talk()
    crowd(talk, listed_others=4)
    found = rules(talk.trace(), 41_000)
    assert "handshake.spared" not in found


def test_an_address_that_stays_slow_after_a_name() -> None:
    """Others were quick before the listed name and slow soon after it (net4people/bbs 155)."""
    talk = Talk()
    for turn in range(5):
        visit(talk, 9000.0 * turn, "other.example", 42_000 + turn)
    for turn in range(3):
        visit(talk, 60_000.0 + 25_000 * turn, "listed.example", 41_000 + turn, again=4)
        visit(talk, 72_000.0 + 25_000 * turn, "other.example", 43_000 + turn, again=4)
    trace = talk.trace()
    found = rules(trace, 43_001)
    assert found["handshake.after"] > 0
    assert sum(found.values()) > 9
    assert not rules(trace, 42_004)


def test_the_same_name_elsewhere_speaks_for_a_list() -> None:
    """A second server where listed names are slow and others are not adds to the first."""
    talk = Talk()
    crowd(talk)
    alone = rules(talk.trace(), 41_000)
    talk.server = "192.0.2.77"
    for turn in range(2):
        visit(talk, 12_000.0 * turn + 3000, "banned.example", 44_000 + turn, again=3)
    for turn in range(4):
        visit(talk, 12_000.0 * turn + 9000, "fine.example", 45_000 + turn)
    both = rules(talk.trace(), 41_000)
    assert "handshake.elsewhere" not in alone
    assert both["handshake.elsewhere"] > 0


def test_a_handshake_ends_where_the_client_goes_on() -> None:
    """From the first hello to the client's data; what the server says of itself is no end."""
    talk = Talk()
    visit(talk, 0.0, "some.example", 41_000, again=2)
    trace = talk.trace()
    made = find_handshakes(trace)
    said = np.flatnonzero(trace.packets.outbound & (trace.packets.payload_length > 0))
    assert made.hello.tolist() == [said[0]]
    assert made.done.tolist() == [said[3]]
    kept = count_resent(trace, made, np.ones(1, np.bool_))
    assert kept.count.tolist() == [2]
    assert kept.rounds.tolist() == [2]
    assert (kept.first[0], kept.last[0]) == (said[1], said[2])


def test_unfinished_and_one_sided_handshakes_have_no_end() -> None:
    """Nobody answers, or only the client was captured: nothing is said."""
    talk = Talk()
    talk.port = 41_000
    began = talk.open()
    hello = client_hello("gone.example", np.random.default_rng(1), size=517)
    for turn in range(5):
        talk.send("C", "PA", 101, 901, at=began + 400 * (2**turn - 1), data=hello)
    trace = talk.trace()
    assert find_handshakes(trace).done.tolist() == [-1]
    assert len(SlowHandshakes()(trace)) == 0


def test_held_segments_are_answered_late_and_not_lost() -> None:
    """An answer that came 1.5 s late without a repeat had been held; one to the last of three hellos had not."""
    for late in (1500.0, 0.0):
        talk = Talk()
        visit(talk, 0.0, "some.example", 41_000, again=0 if late else 2, late=late)
        trace = talk.trace()
        held = find_delayed(trace, find_handshakes(trace), np.array([100_000_000]), np.ones(1, np.bool_))
        assert held.tolist() == [late > 0]


def test_what_never_finished_is_no_cut_where_others_with_the_name_did() -> None:
    """Slow in some visits and timed out in others: that is slowness, and speaks against a box that silences."""
    talk = Talk()
    crowd(talk)
    talk.port = 46_000
    began = talk.open(40_000.0)
    hello = client_hello("listed.example", np.random.default_rng(1), size=517)
    for turn in range(5):
        talk.send("C", "PA", 101, 901, at=began + 400 * (2**turn - 1), data=hello)
    found = rules(talk.trace(), 46_000)
    assert found["handshake.finished"] < -5
    assert found["handshake.again"] > 0


def played(name: str, seed: int, **conditions: object) -> Trace:
    """Read a simulated capture."""
    made = run(name, seed, Conditions(**conditions))
    return read(times=made.times, frames=made.frames, link_type=made.link_type)


def traces() -> Iterator[Trace]:
    """Play captures of either kind."""
    for name in ("rate.handshake.turkey", "rate.handshake.tspu", "benign.rate.handshake-loss", "benign.rate.mtu-hole"):
        yield played(name, 340_001)


def test_counting_agrees_with_a_walk_through_every_flow() -> None:
    """A slow twin goes packet by packet."""
    for trace in traces():
        made, packets = find_handshakes(trace), trace.packets
        kept = count_resent(trace, made, np.ones(len(made), np.bool_))
        for place, flow in enumerate(made.flow.tolist()):
            hello, done, over = int(made.hello[place]), int(made.done[place]), int(made.over[place])
            rows = []
            for row in trace.by_flow[flow].tolist():
                mark = int(packets.marks[row])
                if not packets.payload_length[row] or not hello <= row <= over:
                    continue
                if not mark & AGAIN or mark & (Mark.REORDERED | Mark.DUPLICATE_FRAME | Mark.KEEP_ALIVE):
                    continue
                repeated = packets.outbound[row] and packets.relative_seq[row] <= packets.relative_seq[done]
                if done < 0 or row <= done or repeated:
                    rows.append(row)
            times = packets.time[rows]
            assert kept.count[place] == len(rows)
            assert kept.rounds[place] == (1 + int(np.sum(np.diff(times) >= LEAST_NS)) if rows else 0)
            assert kept.first[place] == (rows[0] if rows else -1)


@pytest.mark.parametrize("name", ["rate.handshake.tspu", "rate.handshake.youtube"])
def test_documented_boxes_are_named(name: str) -> None:
    """At the client, where the capture holds both directions and the server's other names, listed names are found."""
    found = set()
    for seed in range(344_000, 344_006):
        trace = played(name, seed, vantage="client", direction="both", capture_loss=0.0, snaplen=0, ip=4)
        found |= {one.mechanism for one in judged(trace) if one.outcome == "interfered"}
    assert {"rate.handshake"} <= found <= {"rate.handshake", "tcp.drop"}  # some never finish


@pytest.mark.parametrize(
    "name",
    [
        "handshake-loss",
        "overloaded-server",
        "slow-client",
        "far-server",
        "bufferbloat",
        "quota-exhausted",
        "power-save",
    ],
)
def test_look_alikes_are_not_accused(name: str) -> None:
    """What makes handshakes slow by itself does so for everybody alike."""
    for seed in range(345_100, 345_106):
        trace = played(f"benign.rate.{name}", seed)
        evidence = SlowHandshakes()(trace)
        assert np.bincount(evidence.subject, evidence.llr, minlength=1).max() < 9


def test_the_contract_of_analyzers_holds() -> None:
    """Same evidence twice, declared rules only, packets that exist, no crash on tiny traces."""
    check_analyzer(SlowHandshakes(), traces=list(traces()))


visits = st.integers(0, 8).flatmap(lambda all_: st.tuples(st.integers(0, all_), st.just(all_)))
companies = st.builds(
    lambda visit, rest, more: Counts(
        slow=float(visit[0]), visits=float(visit[1]), more=float(more if visit[0] else 0),
        resent=float(rest[0]), segments=float(rest[1]),
    ),
    visits, visits, st.integers(0, 4),
)  # fmt: skip


def by_company(seen: Counts, others: Counts, prior: F64) -> float:
    """Weigh visits against the losses that others beside them met."""
    return against_loss(seen, losses_known(prior, others))


@given(companies, companies)
def test_loss_weighs_as_plain_sums_do(seen: Counts, others: Counts) -> None:
    """The same ratio from probabilities, one loss at a time, without logarithms."""
    prior = np.exp(LINE)
    slow = 1 - (1 - LOSS) ** SEGMENTS

    def chance(one: Counts) -> np.ndarray:
        rest = LOSS**one.resent * (1 - LOSS) ** (one.segments - one.resent)
        return slow**one.slow * (1 - slow) ** (one.visits - one.slow) * rest**TEMPER

    def share(hits: float, trials: float) -> float:
        return float(beta_function(1 + hits, 1 + trials - hits))

    way = prior * chance(others)
    way /= way.sum()
    rest = (LOSS**seen.resent * (1 - LOSS) ** (seen.segments - seen.resent)) ** TEMPER
    again = share(TEMPER * seen.more, TEMPER * (seen.more + seen.slow))
    slowed = share(TEMPER * seen.resent, TEMPER * seen.segments)
    apart = (LOSS**seen.more * (1 - LOSS) ** seen.slow) ** TEMPER * rest
    bursts = BURST**seen.slow * again * (rest + SPOILT**seen.slow * slowed)
    visits = slow**seen.slow * (1 - slow) ** (seen.visits - seen.slow)
    lossy = np.sum(way * visits * (apart + bursts))
    own = 2 * float(beta_function(2 + seen.slow, 1 + seen.visits - seen.slow)) * again
    own *= (np.sum(way * rest) + slowed) / 2
    assert by_company(seen, others, LINE) == pytest.approx(np.log(own / lossy), abs=1e-6)


def test_one_visit_never_convinces() -> None:
    """However badly one disturbance spoils a connection, it stays one event; three such visits are no chance."""
    bad = {"more": 4.0, "resent": 8.0, "segments": 10.0}
    beside, line, prior = Counts(visits=9.0, segments=90.0), Counts(visits=30.0, segments=300.0), way_prior(0, 4)
    sums = []
    for count in (1, 3):
        seen = Counts(slow=count, visits=count, **{name: count * value for name, value in bad.items()})
        server = against_server(seen, beside, prior)
        sums.append(against_all(by_company(seen, beside, prior), by_company(seen, line, LINE), server))
    assert sums[0] < 9 < sums[1]


@given(st.integers(1, 8), st.integers(0, 8), st.integers(1, 8))
def test_more_slow_visits_and_more_quick_company_never_weigh_less(slow: int, quick: int, others: int) -> None:
    """Evidence rises with what supports it and falls with what excuses it."""
    seen, more = Counts(slow=slow, visits=slow), Counts(slow=slow + 1, visits=slow + 1)
    beside, spared = Counts(visits=quick), Counts(visits=quick + others)
    bad = Counts(slow=others, visits=quick + others)
    for prior in (LINE, way_prior(0, 3)):
        assert by_company(more, beside, prior) > by_company(seen, beside, prior)
        assert by_company(seen, spared, prior) >= by_company(seen, beside, prior)
        assert by_company(seen, bad, prior) <= by_company(seen, beside, prior) + 1e-9
    assert against_server(seen, bad, way_prior(0, 3)) < against_server(seen, spared, way_prior(0, 3))
    assert by_company(seen, beside, way_prior(3, 3)) < by_company(seen, beside, way_prior(0, 3))


def test_no_company_gives_no_contrast_and_no_cause_is_passed_over() -> None:
    """Without other names the server stays a suspect; the joint ratio is below that against every cause."""
    assert against_server(Counts(slow=3.0, visits=3.0), Counts(), LINE) == 0.0
    assert against_all(20.0, 20.0, 0.0) < 8.0
    assert against_all(1.0, 20.0, 20.0) <= 1.0
    assert against_queues(Counts(slow=3.0, visits=3.0, delayed=3.0), 0.01) > 2.0
    assert against_queues(Counts(slow=3.0, visits=3.0), 0.01) < 0.0


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50), st.integers(-20, 20)), max_size=24))
def test_overlaps_are_counted_as_pairs(spans: list[tuple[int, int, int]]) -> None:
    """A slow twin compares each span with each of its group; a clock that was set back crosses the ends of some."""
    group, begin, took = (np.array(column, np.int64) for column in (zip(*spans, strict=True) if spans else [()] * 3))
    end = begin + took
    first, last = np.minimum(begin, end), np.maximum(begin, end)
    expected = [
        int(np.sum((group == own) & (first <= high) & (last >= low)))
        for own, low, high in zip(group, first, last, strict=True)
    ]
    assert all(expected)
    assert overlaps(group, begin, end).tolist() == expected


companies_asked = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 99)), min_size=1, max_size=12)


@given(st.integers(1, 40), companies_asked, st.integers(1, 99))
def test_companies_side_by_side_are_each_what_they_are_alone(
    count: int, asked: list[tuple[int, int]], at_once: int
) -> None:
    """To the last bit, of several clients, of whichever visits or none, however many are laid out at once."""
    rng = np.random.default_rng(count)
    clients = [some_visits(rng, count), some_visits(rng, count // 2)]
    companies = [
        (clients[own], np.random.default_rng(seed).random(len(clients[own].flow)) < 0.5) for own, seed in asked
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(visits_module, "AT_ONCE", at_once)
        found = counted(companies)
    for place, (own, which) in enumerate(companies):
        slow, rows = own.slow[which], np.flatnonzero(which)
        one_event = [np.sum((slow == slow[row]) & overlapping(own, rows, rows[row])) for row in range(len(rows))]
        weight = 1.0 / np.array(one_event, float)
        assert found.slow[place] == (weight * slow).sum()
        assert found.visits[place] == (weight * (slow | own.quick[which])).sum()
        assert found.delayed[place] == (weight * slow * own.delayed[which]).sum()
        assert found.more[place] == (weight * slow * np.clip(own.rounds[which] - 1, 0, 4)).sum()
        assert (found.resent[place], found.segments[place]) == (own.rest[which].sum(), own.segments[which].sum())


def overlapping(visits: Visits, rows: I64, row: int) -> Mask:
    """Say which visits overlap one."""
    return (visits.begin[rows] <= visits.end[row]) & (visits.end[rows] >= visits.begin[row])


def some_visits(rng: np.random.Generator, count: int) -> Visits:
    """Make up visits."""
    begin, numbers = np.sort(rng.integers(0, 60, count)), rng.integers(0, 9, (9, count))
    slow = rng.random(count) < 0.5
    columns = dict(zip(("flow", "server", "network", "name", "hello", "trip", "rounds", "rest"), numbers, strict=False))
    return Visits(
        **columns,
        begin=begin,
        end=begin + rng.integers(0, 9, count),
        finished=slow,
        slow=slow,
        quick=~slow & (rng.random(count) < 0.5),
        delayed=rng.random(count) < 0.5,
        segments=numbers[8],
    )


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 15)), min_size=1),
    st.lists(st.integers(0, 90)),
    st.sampled_from([1, 20]),
)
def test_what_follows_a_name_is_found_as_a_walk_finds_it(
    spans: list[tuple[int, int]], begins: list[int], memory: int
) -> None:
    """A slow twin holds each visit against each span: it began within it or soon after, and not with it."""
    since = np.array([begin for begin, _ in spans], np.int64)
    until = since + np.array([length for _, length in spans], np.int64)
    expected = [any(a < one <= b + memory for a, b in zip(since, until, strict=True)) for one in begins]
    assert (behind(np.array(begins, np.int64), since, until) <= memory).tolist() == expected


def test_two_listed_names_at_one_server_are_both_found() -> None:
    """Each is no contrast to the other: together they are one to the rest."""
    talk = Talk()
    for turn in range(3):
        for place, name in enumerate(("listed.example", "banned.example")):
            visit(talk, 12_000.0 * turn + 3000 * place, name, 41_000 + 100 * place + turn, again=3)
        for place, name in enumerate(("one.example", "two.example", "three.example")):
            visit(talk, 12_000.0 * turn + 7000 + 800 * place, name, 42_000 + 100 * place + turn)
    trace = talk.trace()
    assert sum(rules(trace, 41_000).values()) > 9
    assert sum(rules(trace, 41_100).values()) > 9


def test_packets_that_were_overtaken_by_later_ones() -> None:
    """By the sender's clock the last of three packets left first, and came 300 ms after the next."""
    talk = Talk(stamps=False)
    talk.port = 41_000
    began = talk.open()
    for at, number in ((10.0, 7010), (20.0, 7012), (310.0, 7011)):
        talk.send("S", "A", 901, 101, at=began + at, id=number)
    trace = talk.trace()
    row = trace.by_flow[0].astype(np.int64)[3:]
    assert overtaken_by(trace, np.zeros(3, np.int64), row).tolist() == [0, 0, 290_000_000]


def test_neighbours_of_the_server_show_that_the_way_is_good() -> None:
    """Quick visits to another address of its network argue as those to a server far away do not (OONI 2025)."""
    sums = []
    for other in ("203.0.113.200", "192.0.2.200"):
        talk = Talk()
        for turn in range(2):
            visit(talk, 12_000.0 * turn, "listed.example", 41_000 + turn, again=1)
        talk.server = other
        for turn in range(6):
            visit(talk, 4000.0 * turn + 2000, "other.example", 42_000 + turn)
        sums.append(sum(rules(talk.trace(), 41_000).values()))
    assert sums[0] > sums[1]
