"""What kind of recording a capture is: each kind beside a recording that only resembles it."""

import struct
from collections.abc import Sequence
from typing import ClassVar

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.all import IP, TCP, UDP, Raw

import netinterf
from netinterf.analyzers.base import Scope
from netinterf.analyzers.everywhere import everywhere, everywhere_notes
from netinterf.analyzers.registry import builtin
from netinterf.engine.judged import judge_trace
from netinterf.engine.options import Options
from netinterf.flows.assign import paths
from netinterf.recording import PLACES, describe
from netinterf.recording.blinds import BLIND, blind_to, blinded
from netinterf.recording.grouped import Paths
from netinterf.schema import Evidence, Flows, Rule, SubjectKind, Vantage
from netinterf.simulate import Conditions, Simulated, run
from netinterf.table import Ragged
from netinterf.trace import Trace, read
from tests.analyzers.talk import BEGIN_NS, RAW_IP, Talk
from tests.unit.verdict.tables import filled

MS = 1_000_000
ends = st.lists(st.tuples(st.integers(0, 5), st.integers(6, 11)), max_size=40)


def told(trace: Trace) -> set[str]:
    """Name the kinds that a capture is said to be of."""
    return {fact.id.removeprefix("recording.") for fact in describe(trace)}


def packets(rows: Sequence[tuple[float, bytes]]) -> Trace:
    """Read frames at times in milliseconds."""
    ordered = sorted(rows, key=lambda row: row[0])
    times = [BEGIN_NS + int(at * MS) for at, _ in ordered]
    return read(times=times, frames=[frame for _, frame in ordered], link_type=RAW_IP)


def written(rows: Sequence[tuple[float, bytes]]) -> bytes:
    """Write frames as they come into a pcap file with nanoseconds."""
    found = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, RAW_IP)
    for at, frame in rows:
        second, rest = divmod(BEGIN_NS + int(at * MS), 10**9)
        found += struct.pack("<IIII", second, rest, len(frame), len(frame)) + frame
    return found


def visit(
    port: int, at: float, *, server: str = "203.0.113.9", seq: int = 0, ids: tuple[int, int] = (0, 0), pace: float = 0.0
) -> list[tuple[float, bytes]]:
    """Write one connection with numbers of its own, or with those that are asked for."""
    seq = seq or 1_000_003 * port % 2**32
    back, client = 7_919 * port % 2**32, "198.51.100.7"
    said, answer = b"GET / HTTP/1.1\r\nHost: www.example\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    rows = [
        (True, "S", seq, 0, b"", 0.0),
        (False, "SA", back, seq + 1, b"", 31.7),
        (True, "A", seq + 1, back + 1, b"", 31.9),
        (True, "PA", seq + 1, back + 1, said, 33.0 + port % 7),
        (False, "A", back + 1, seq + 1 + len(said), b"", 65.1 + port % 5),
        (False, "PA", back + 1, seq + 1 + len(said), answer, 66.2 + port % 5),
        (True, "A", seq + 1 + len(said), back + 1 + len(answer), b"", 66.4 + port % 5),
    ]
    found = []
    for place, (out, flags, number, ack, data, when) in enumerate(rows):
        source, target = (client, server) if out else (server, client)
        header = IP(src=source, dst=target, ttl=64 if out else 51, id=ids[not out] or (place * 977 + port) % 65535)
        ports = {"sport": port, "dport": 80} if out else {"sport": 80, "dport": port}
        packet = header / TCP(flags=flags, seq=number % 2**32, ack=ack % 2**32, **ports)
        found.append((at + (place * pace if pace else when), bytes(packet / Raw(data)) if data else bytes(packet)))
    return found


def visits(count: int = 6, **fields: object) -> list[tuple[float, bytes]]:
    """Write several connections from different ports."""
    return [row for place in range(count) for row in visit(40_000 + 37 * place, 500.0 * place, **fields)]  # type: ignore[arg-type]


# --- paths -----------------------------------------------------------------------------------------------------------


@given(ends)
def test_paths_are_those_of_the_end_that_met_more_others(pairs: list[tuple[int, int]]) -> None:
    """As counted one by one; and ends that meet none of them change nothing."""
    client, server = (np.array(column, np.int32) for column in (zip(*pairs, strict=True) if pairs else ((), ())))
    expected = []
    for one, other in pairs:
        servers, clients = len({b for a, b in pairs if a == one}), len({a for a, b in pairs if b == other})
        expected.append(2 * other + 1 if clients > servers else 2 * one)
    assert paths(client, server).tolist() == expected
    stranger = np.array([12, 13, 14], np.int32)
    joined = paths(np.append(client, stranger), np.append(server, stranger + 3))
    assert joined[: len(pairs)].tolist() == expected


@given(ends)
def test_counts_by_path_are_sums_over_its_flows(pairs: list[tuple[int, int]]) -> None:
    """Totals, shares and kinds, one path after the other."""
    path = np.array([a for a, _ in pairs], np.int32)
    value = np.array([b for _, b in pairs], np.int64)
    numbered = Paths.number(filled(Flows, len(pairs), path=path))
    kinds = numbered.kinds(np.arange(len(pairs)), value)
    for row, (mine, _) in enumerate(pairs):
        here = [b for a, b in pairs if a == mine]
        assert numbered.share(value > 8, np.ones(len(pairs)))[row] == sum(b > 8 for b in here) / len(here)
        assert numbered.any(value > 8)[row] == any(b > 8 for b in here)
        assert kinds[numbered.of[row]] == len(set(here))


# --- unrelated traffic -----------------------------------------------------------------------------------------------


def merged(one: Simulated, other: Simulated, start: int, end: int) -> Trace:
    """Put what *other* holds into the time from *start* to *end* of *one*."""
    times = np.asarray(other.times) - other.times[0] + start
    kept = times < end
    joined = np.concatenate([np.asarray(one.times), times[kept]])
    frames = [*one.frames, *(frame for frame, here in zip(other.frames, kept, strict=True) if here)]
    order = np.argsort(joined, kind="stable")
    return read(times=joined[order], frames=[frames[row] for row in order], link_type=one.link_type)


def said_of(trace: Trace) -> dict[tuple[object, ...], tuple[object, ...]]:
    """What is judged of every subject, by its addresses, ports, name and time."""
    said = {}
    for one in judge_trace(trace, "x").ledger:
        who = one.subject
        key = (who.kind, who.client, who.server, who.client_port, who.name, one.start)
        if who.kind != "group":
            said[key] = (one.outcome, one.mechanism, one.grade, one.probability)
    return said


@pytest.mark.parametrize("scenario", ["tcp.reset", "dns.injection"])
def test_unrelated_traffic_moves_no_verdict(scenario: str) -> None:
    """What a client's packets show is not changed by another client's in the same file, recorded elsewhere."""
    one = run(scenario, 310_021, Conditions.clean(ip=4, vantage="client"))
    other = run("browsing", 310_022, Conditions.clean(ip=4, vantage="middle"))
    alone = read(times=one.times, frames=one.frames, link_type=one.link_type)
    both = merged(one, other, int(one.times[0]) + 1, int(one.times[-1]) - 1)
    assert len(both.packets) > len(alone.packets)
    before, after = said_of(alone), said_of(both)
    assert any(outcome == "interfered" for outcome, *_ in before.values())
    assert {key: after.get(key) for key in before} == before


# --- kinds -----------------------------------------------------------------------------------------------------------


def test_an_ordinary_recording_is_of_no_kind() -> None:
    """Nothing is said where there is nothing to say."""
    trace = packets(visits())
    assert describe(trace) == ()
    assert trace.vantage == Vantage.CLIENT
    assert set(trace.recording.tap.tolist()) == {PLACES.index(Vantage.CLIENT)}


def test_connections_that_begin_at_one_number_were_made() -> None:
    """Different ports, one sequence number: no host; two of them, or one repeated SYN, are not enough."""
    assert told(packets(visits(seq=4711))) == {"made"}
    assert told(packets(visits(2, seq=4711))) == set()


def test_one_identification_in_all_packets_is_made() -> None:
    """Both ends write 1; where only the servers' side does, a box or a forger may."""
    trace = packets(visits(ids=(1, 1)))
    assert told(trace) == {"made", "rewritten_ids"}
    assert not trace.recording.ip_id_informative.any()
    assert told(packets(visits(ids=(0, 1)))) == set()


def test_one_connection_is_made_where_two_signs_meet() -> None:
    """Both ends write one identification and begin at one number; either alone is not enough."""
    for same_id, same_seq in ((True, True), (True, False), (False, True)):
        rows = visit(40_001, 0.0, ids=(1, 1) if same_id else (0, 0), seq=7_919 * 40_001 if same_seq else 5)
        assert packets(rows).recording.made.all() == (same_id and same_seq)


@pytest.mark.parametrize(
    ("greeting", "answer", "hops", "proxied"),
    [(31.7, 0.1, 51, True), (31.7, 31.2, 51, False), (0.5, 0.08, 64, True), (0.04, 0.009, 64, True)],
)
@pytest.mark.parametrize("near", ["client", "server"])
def test_who_answers_much_sooner_than_he_greets_is_a_proxy(
    greeting: float, answer: float, hops: int, proxied: bool, near: str
) -> None:
    """Be it a stack on the client's own machine; but a server next to the tap greets later than it acknowledges."""
    rows: list[tuple[float, bytes]] = []
    for place in range(3):
        frames = [frame for _, frame in visit(40_000 + 37 * place, 0.0, server=f"203.0.113.{9 + place}")]
        asked = greeting + 1.3 + place
        times = [0.0, greeting, greeting + 0.01, asked, asked + answer, asked + 40.0, asked + 41.0]
        for at, frame in zip(times, frames, strict=True):
            packet = IP(frame)
            packet.ttl = (57 if near == "server" else 64) if packet.src == "198.51.100.7" else hops
            if near == "server" and packet.src != "198.51.100.7":
                packet.ttl = 64
            rows.append((500.0 * place + at, bytes(packet)))
    trace = packets(rows)
    proxied = proxied and near == "client"
    assert ("proxied" in told(trace)) == proxied
    assert trace.recording.timing_informative.all() != proxied


def test_packets_at_one_pace_were_replayed() -> None:
    """Whoever's turn it is, the next packet follows after 20 ms: times tell nothing."""
    trace = packets(visits(pace=20.0))
    assert told(trace) == {"made"}
    assert not trace.recording.timing_informative.any()


def test_conversations_without_time() -> None:
    """All packets of a connection at one instant: the times were not kept."""
    rows = [(at // 500.0 * 500.0, frame) for at, frame in visits()]
    trace = packets(rows)
    assert "untimed" in told(trace)
    assert not trace.recording.timing_informative.any()
    assert not trace.recording.made.any()


def test_exports_without_acknowledgements() -> None:
    """A transfer of which only data were kept is an export; the whole one is none."""
    talk = Talk()
    sent, end = talk.request(talk.open())
    for place in range(60):
        talk.send("S", "A", 901 + 1000 * place, end, at=sent + 100 + place / 10, data=bytes(1000))
        talk.send("C", "A", end, 901 + 1000 * (place + 1), at=sent + 100.05 + place / 10)
    whole = packets(talk.frames)
    kept = packets([row for row in talk.frames if IP(row[1])[TCP].payload])
    assert "filtered" not in told(whole)
    assert {"filtered"} <= told(kept)
    assert kept.recording.filtered.all()


def test_connections_without_handshakes() -> None:
    """Requests come first in all of them: handshakes were left out; in one capture that began late, they were not."""
    without = [row for row in visits() if IP(row[1])[TCP].payload]
    assert told(packets(without)) == {"headless"}
    late = [row for row in visits() if not IP(row[1])[TCP].payload and IP(row[1])[TCP].flags == "A"]
    assert told(packets(late)) == {"midstream"}


def test_copies_are_counted_with_their_distance() -> None:
    """Every packet twice, 20 µs apart; datagrams as well."""
    rows = visits()
    ask = IP(src="198.51.100.7", dst="9.9.9.9") / UDP(sport=5000, dport=5001) / b"x"
    asks = []
    for place in range(20):
        ask.id = 600 + place
        asks.append((10.0 * place, bytes(ask)))
    doubled = packets([(at + late, frame) for at, frame in rows + asks for late in (0.0, 0.02)])
    (fact,) = [fact for fact in describe(doubled) if fact.id == "recording.doubled"]
    assert fact.numbers["copies"] == len(rows) + len(asks)
    assert fact.numbers["datagrams"] == len(asks)
    assert fact.numbers["median_us"] == pytest.approx(20, abs=0.5)
    assert "doubled" not in told(packets(rows + asks))


def test_clocks_that_go_back_and_clocks_that_disagree() -> None:
    """A file whose frames are not in the order of time; answers before their questions."""
    rows = visits()
    assert "clock" not in told(read(written(rows)))
    assert "clock" in told(read(written(rows[:7] + [(at - 500, frame) for at, frame in rows[7:]])))


def with_clocks(rows: Sequence[tuple[float, bytes]], ahead: float) -> list[tuple[float, bytes]]:
    """Let the clock that recorded what servers sent be ahead, in ms."""
    return [(at + ahead * (IP(frame).src != "198.51.100.7"), frame) for at, frame in rows]


@pytest.mark.parametrize("ahead", [2.0, 50.0, -40.0])
def test_directions_recorded_by_clocks_that_disagree(ahead: float) -> None:
    """Answers before their questions, by as much as the clocks differ less the way; times across tell nothing."""
    trace = packets(with_clocks(visits(), ahead))
    (fact,) = [fact for fact in describe(trace) if fact.id == "recording.skew"]
    assert trace.recording.skewed.all()
    assert fact.numbers["flows"] == fact.numbers["showing"] == 6
    assert abs(ahead) - 31.8 <= fact.numbers["most_ms"] <= abs(ahead)


@pytest.mark.parametrize("ahead", [0.1, -2.0])
def test_clocks_that_differ_by_less_than_the_way_show_nothing(ahead: float) -> None:
    """Packets that waited in a queue, or clocks that only make the way look longer or shorter."""
    trace = packets(with_clocks(visits(), ahead))
    assert not trace.recording.skewed.any()


def test_skew_of_conversations_without_handshakes() -> None:
    """Data that were acknowledged before they came, in several of them; in one, its client may have heard another."""
    late = [row for place in range(6) for row in transfer(40_000 + place, 700.0 * place)]
    assert not packets(late).recording.skewed.any()
    assert packets(with_clocks(late, 5.0)).recording.skewed.all()
    one = with_clocks(late[:20], 5.0) + late[20:]
    assert not packets(one).recording.skewed.any()


def transfer(port: int, at: float) -> list[tuple[float, bytes]]:
    """Write ten segments of a server and their acknowledgements, from the middle of a connection."""
    rows = []
    server, client = IP(src="203.0.113.9", dst="198.51.100.7", ttl=51), IP(src="198.51.100.7", dst="203.0.113.9")
    for place in range(10):
        said = server / TCP(sport=80, dport=port, flags="A", seq=5000 + 100 * place, ack=77) / Raw(bytes(100))
        heard = client / TCP(sport=port, dport=80, flags="A", seq=77, ack=5100 + 100 * place)
        rows += [(at + 30 * place, bytes(said)), (at + 30 * place + 0.1, bytes(heard))]
    return rows


def test_what_was_lost_and_sent_again_is_no_skew() -> None:
    """The SYN/ACK that the recorder missed comes again after a second: behind its acknowledgement."""
    rows = visits(1)
    (again,) = [(at + 1_010, frame) for at, frame in rows if IP(frame)[TCP].flags == "SA"]
    trace = packets([row for row in rows if IP(row[1])[TCP].flags != "SA"] + [again])
    assert not trace.recording.skewed.any()


@pytest.mark.parametrize("ahead", [2_000_000, 50_000_000])
@pytest.mark.parametrize("scenario", ["browsing", "benign.tcp.server-unread-data", "benign.http.origin-forbidden"])
def test_skew_accuses_nobody(scenario: str, ahead: int) -> None:
    """Ordinary traffic whose directions two clocks recorded."""
    one = run(scenario, 310_031, Conditions.clean(ip=4, vantage="client"))
    trace = read(times=one.times, frames=one.frames, link_type=one.link_type)
    times = np.asarray(one.times) + ahead * ~trace.packets.outbound
    order = np.argsort(times, kind="stable")
    skewed = read(times=times[order], frames=[one.frames[row] for row in order], link_type=one.link_type)
    assert skewed.recording.skewed.any()
    assert all(outcome != "interfered" for outcome, *_ in said_of(skewed).values())


def test_what_the_recorder_missed_is_told_by_the_end_that_got_it() -> None:
    """The answer is acknowledged and not in the file."""
    rows = visits()
    missed = [row for row in rows if not bytes(IP(row[1])[TCP].payload).startswith(b"HTTP")]
    (fact,) = describe(packets(missed))
    assert fact.id == "recording.lossy"
    assert (fact.numbers["of_servers"], fact.numbers["flows"]) == (6, 6)


def test_recordings_of_different_machines_and_times() -> None:
    """Two clients a day apart are two recordings; one client on two days is one."""
    day = 86_400_000.0
    first, again = visits(), [(at + day, frame) for at, frame in visits()]
    other = []
    for at, frame in again:
        packet = IP(frame)
        mine = packet.src == "198.51.100.7"
        packet.src, packet.dst = ("192.0.2.5", "192.0.2.80") if mine else ("192.0.2.80", "192.0.2.5")
        other.append((at, bytes(packet)))
    assert "epochs" in told(packets(first + other))
    assert "epochs" not in told(packets(first + again))


def test_one_hop_limit_of_all_servers_is_a_boxs() -> None:
    """Six servers in six networks with one hop limit; where one client has it, another's hop limits still tell."""
    boxed = [row for place in range(6) for row in visit(41_000 + place, 300.0 * place, server=f"203.0.{place}.9")]
    apart = []
    for place in range(6):
        for at, frame in visit(42_000 + place, 300.0 * place + 7, server=f"192.0.{place}.9"):
            packet = IP(frame)
            if packet.src == "198.51.100.7":
                packet.src = "192.0.2.77"
            else:
                packet.dst, packet.ttl = "192.0.2.77", 40 + place
            apart.append((at, bytes(packet)))
    trace = packets(boxed + apart)
    mine = np.array([trace.address(host) == "198.51.100.7" for host in trace.flows.client])
    assert trace.recording.ttl_informative.tolist() == (~mine).tolist()
    assert "rewritten_hops" in told(trace)


# --- what recordings blind -------------------------------------------------------------------------------------------


def evidence_of(trace: Trace, rules: Sequence[Rule], llr: float) -> Evidence:
    """Say one thing of every flow, in the name of each rule."""
    flows, count = len(trace.flows), len(trace.flows) * len(rules)
    return Evidence.of(
        subject=np.tile(np.arange(flows), len(rules)),
        subject_kind=np.zeros(count, np.uint8),
        rule=np.repeat(np.arange(len(rules)), flows),
        time=np.tile(trace.flows.first, len(rules)),
        llr=np.full(count, llr),
        forged=netinterf.table.Ragged.empty(count, np.int32),
        witness=netinterf.table.Ragged.empty(count, np.int32),
        measured=netinterf.table.Ragged.empty(count, np.float64),
        rules=tuple(rules),
    )


@pytest.mark.parametrize("column", BLIND)
def test_blind_recordings_take_the_weight_of_their_rules_only(column: str) -> None:
    """What speaks for interference loses its weight where it cannot be shown; what speaks against keeps it."""
    trace = packets(visits())
    known = {rule.id: rule for analyzer in builtin() for rule in analyzer.rules}
    rules = [*(rule for rule in known.values() if column in blind_to(rule)), known["dns.two_answers"]]
    assert len(rules) > 5
    some = np.arange(len(trace.flows)) < 2
    blind = attrs.evolve(trace, recording=attrs.evolve(trace.recording, **{column: some}))
    for llr in (3.0, -3.0):
        seen = evidence_of(trace, rules, llr)
        weight = blinded(blind, seen).llr.reshape(len(rules), -1)
        assert (weight[-1] == llr).all()
        assert (weight[:-1, ~some] == llr).all()
        assert (weight[:-1, some] == min(llr, 0.0)).all()
        assert blinded(trace, seen) is seen


def test_what_is_said_of_groups_stays() -> None:
    """An observation of a group is about no conversation, whatever its number."""
    trace = packets(visits())
    rule = Rule(id="x.made", mechanism="tcp.synack", group="x", says="x", blind=("made",))
    seen = evidence_of(trace, [rule], 3.0)
    many = len(trace.flows) + np.arange(len(seen))
    about = attrs.evolve(
        seen, subject=many.astype(np.int32), subject_kind=np.full(len(seen), SubjectKind.GROUP, np.uint8)
    )
    made = attrs.evolve(trace, recording=attrs.evolve(trace.recording, made=np.ones(len(trace.flows), np.bool_)))
    assert (blinded(made, seen).llr == 0).all()
    assert (blinded(made, about).llr == 3.0).all()


def greeted_wrongly(servers: int, spared: int = 0) -> Trace:
    """A middle tap: clients answer greetings with numbers that were never given, at some servers."""
    rows = []
    for place in range(servers + spared):
        for at, frame in visit(43_000 + 11 * place, 400.0 * place, server=f"203.{place}.113.9"):
            packet = IP(frame)
            packet.ttl = 60 if packet.src == "198.51.100.7" else 51
            if place < servers and packet.src == "198.51.100.7" and packet[TCP].flags != "S":
                packet[TCP].ack = (packet[TCP].ack + 2_000_000_011) % 2**32
            rows.append((at, bytes(packet)))
    return packets(rows)


def test_what_all_unrelated_connections_show_is_weighed_against() -> None:
    """Eight servers, none spared: ln 9 against each; where half are spared, somebody chooses."""
    trace = greeted_wrongly(8)
    against = everywhere(trace, odd_greetings(trace, 8))
    assert {against.rules[place].id for place in against.rule} == {"everywhere.synack"}
    assert against.llr == pytest.approx(np.full(8, -np.log(9)))
    (note,) = everywhere_notes(against)
    assert note.code == "recording.everywhere"
    assert note.message.startswith("8 connections to servers in up to 8 unrelated networks show greetings")
    for other, struck in ((greeted_wrongly(8, 8), 8), (greeted_wrongly(2), 2)):
        assert not everywhere_notes(everywhere(other, odd_greetings(other, struck)))


def test_what_all_connections_show_is_told_beside_the_verdicts() -> None:
    """One diagnostic of the capture, from the evidence of an analyzer that finds all greetings odd."""
    trace = greeted_wrongly(8)

    @attrs.frozen
    class Odd:
        name: ClassVar[str] = "odd"
        scope: ClassVar[Scope] = Scope.FLOW
        rules: ClassVar[tuple[Rule, ...]] = odd_greetings(trace, 1).rules

        def __call__(self, trace: Trace, /) -> Evidence:
            return odd_greetings(trace, len(trace.flows))

    found = judge_trace(trace, "x", Options(analyzers=[Odd()])).summary.diagnostics
    assert [note.code for note in found].count("recording.everywhere") == 1


def odd_greetings(trace: Trace, count: int) -> Evidence:
    """Say of the first connections that their greetings look forged."""
    rule = Rule(id="synack.odd", mechanism="tcp.synack", group="synack.odd", says="odd")
    return Evidence.of(
        subject=np.arange(count), subject_kind=np.full(count, SubjectKind.FLOW), rule=np.zeros(count),
        time=trace.flows.first[:count], llr=np.full(count, 4.0), forged=Ragged.empty(count, np.int32),
        witness=Ragged.empty(count, np.int32), measured=Ragged.empty(count, np.float64), rules=(rule,),
    )  # fmt: skip


# --- real captures ---------------------------------------------------------------------------------------------------

REAL = {
    "benign/ctfs-write-ups-2013/pico-ctf-2013__second-contact__kuiper.pcap": {
        "rewritten_hops", "rewritten_ids", "proxied",
    },
    "benign/notyusheng-tracepcap/sample-files__free5gc.pcap": {"filtered", "headless"},
    "benign/notyusheng-tracepcap/sample-files__monitor_large__week2_personal_laptop_vpn.pcap": {
        "made", "rewritten_ids",
    },
    "positive/upb-syssec-echcensorshipresults/comprehensive__china__cf_cdn.pcapng": set(),
}  # fmt: skip


@pytest.mark.parametrize("name", REAL)
def test_real_captures(name: str, captures_dir) -> None:  # type: ignore[no-untyped-def]
    """Captures of each kind, and one of a censored client that is of none."""
    path = captures_dir / name
    if not path.is_file():
        pytest.skip(f"{name} is absent")
    assert REAL[name] <= told(read(path))
    assert told(read(path)) - {"lossy", "midstream", "roles", "one_way"} == REAL[name]
