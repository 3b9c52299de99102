"""Freezes: where connections stop, who was alive meanwhile, what had passed, and whether it is a count."""

import tracemalloc

import attrs
import numpy as np
import pytest
from scapy.all import IP, TCP

from netinterf.analyzers.check import check_analyzer
from netinterf.analyzers.freezes import Freezes, rules
from netinterf.analyzers.freezes.analyzer import lives_of, unless_hung
from netinterf.analyzers.freezes.breaks import find_ends, joined_breaks
from netinterf.analyzers.freezes.courses import find_stops, follow_courses, moved_in
from netinterf.analyzers.freezes.stalls import find_stalls
from netinterf.simulate import Conditions, run
from netinterf.stats.concentration import PLACES, find_common_limit
from netinterf.trace import Trace, read
from netinterf.verdict.combine import classify
from netinterf.written.ledger import explain
from tests.analyzers.bulk import Flow, transfer_world
from tests.analyzers.talk import RAW_IP, Talk

LIMIT, ONE_WAY, SCATTERED, SPARED, STOPPED = (
    rule.id for rule in (rules.LIMIT, rules.ONE_WAY, rules.SCATTERED, rules.SPARED, rules.STOPPED)
)

SEGMENT = b"x" * 1000
REQUEST = b"GET / HTTP/1.1\r\nHost: %s.example\r\n\r\n"


def download(talk: Talk, at: float, port: int, segments: int, *, whole: bool = False, name: bytes = b"big") -> None:
    """Fetch so many segments, each acknowledged; then nothing comes, unless it was all.

    A client that waits in vain closes after ten seconds and repeats its FIN.
    """
    talk.port = port
    sent, end = talk.request(talk.open(at), REQUEST % name)
    when, seq = sent + talk.rtt, 901
    for number in range(segments):
        last = whole and number == segments - 1
        talk.send("S", "PA" if last else "A", seq, end, at=when, data=SEGMENT)
        seq += len(SEGMENT)
        talk.send("C", "A", end, seq, at=when + 0.2)
        when += 12.0
    if whole:
        talk.send("S", "FA", seq, end, at=when)
        talk.send("C", "FA", end, seq + 1, at=when + 1)
        talk.send("S", "A", seq + 1, end + 1, at=when + 1 + talk.rtt)
        return
    for number in range(5):
        talk.send("C", "FA", end, seq, at=when + 10_000 + 300 * (2**number - 1))


def fetches(counts: list[int], *, beside: bool = True, networks: int = 1) -> Trace:
    """Fetch from two servers, one after the other, each stopped after so many segments; another one serves all."""
    talk = Talk()
    for place, count in enumerate(counts):
        talk.server = f"203.0.{113 + place % networks}.{9 if place % 2 else 10}"
        download(talk, 15_000.0 * place, 40_000 + place, count)
        if beside:
            talk.server = "192.0.2.77"
            download(talk, 15_000.0 * place + 5_000, 41_000 + place, 120, whole=True, name=b"other")
    return talk.trace()


def told(trace: Trace) -> dict[str, list[int]]:
    """Name the rules that fired, each with its client ports."""
    evidence, found = Freezes()(trace), {}
    for row in range(len(evidence)):
        port = int(trace.flows.client_port[evidence.subject[row]])
        found.setdefault(evidence.rules[evidence.rule[row]].id, []).append(port)
    return found


def test_downloads_that_stop_at_one_count_are_limited() -> None:
    """Five downloads from two servers stop after ten segments, another server moves 120 meanwhile."""
    found = told(fetches([10, 10, 11, 10, 10]))
    assert found[LIMIT] == found[STOPPED] == found[SPARED] == [40_000, 40_001, 40_002, 40_003, 40_004]
    assert SCATTERED not in found


def test_a_capture_that_keeps_only_beginnings_says_nothing() -> None:
    """Twelve whole downloads of which the first forty packets were kept: nobody tried in vain, nobody went beyond."""
    talk, kept = Talk(), []
    for place in range(12):
        talk.server, before = f"203.0.113.{10 + place % 4}", len(talk.frames)
        download(talk, 4_000.0 * place, 40_000 + place, 90, whole=True)
        kept += sorted(talk.frames[before:])[:40]
    whole, talk.frames = talk.frames, kept
    assert not told(talk.trace())
    talk.frames = whole
    assert not told(talk.trace())


def test_another_client_does_not_show_that_a_recorder_keeps_more() -> None:
    """Twelve beginnings, merged with the long downloads of somebody else: unrelated traffic moves nothing."""
    talk, kept = Talk(), []
    for place in range(12):
        talk.server, before = f"203.0.113.{10 + place % 4}", len(talk.frames)
        download(talk, 4_000.0 * place, 40_000 + place, 90, whole=True)
        kept += sorted(talk.frames[before:])[:40]
    begun, talk.frames = kept, []
    for place in range(3):
        download(talk, 15_000.0 * place, 42_000 + place, 120, whole=True)
    talk.frames = begun + [(at, of_another(frame)) for at, frame in talk.frames]
    assert not told(talk.trace())


def of_another(frame: bytes) -> bytes:
    """Give a frame of the client to another one."""
    packet = IP(frame)
    packet.src, packet.dst = (one.replace("198.51.100.7", "198.51.100.8") for one in (packet.src, packet.dst))
    del packet.chksum, packet[TCP].chksum
    return bytes(packet)


def test_a_window_that_is_closed_stops_nobody_else() -> None:
    """The client's program does not read: its window closes, and it stays so until the end."""
    talk = Talk()
    for place in range(4):
        talk.server, talk.port = "203.0.113.9", 40_000 + place
        sent, end = talk.request(talk.open(15_000.0 * place), REQUEST % b"big")
        for number in range(10):
            at, seq = sent + talk.rtt + 12.0 * number, 901 + 1000 * number
            talk.send("S", "A", seq, end, at=at, data=SEGMENT)
            talk.send("C", "A", end, seq + 1000, at=at + 0.2, window=500 if number < 9 else 0)
        talk.server = "192.0.2.77"
        download(talk, 15_000.0 * place + 5_000, 41_000 + place, 60, whole=True, name=b"other")
    assert not told(talk.trace())


@pytest.mark.parametrize("side", ["C", "S"])
def test_one_direction_alone_says_nothing(side: str) -> None:
    """What went unanswered cannot be told from what was not captured."""
    talk = Talk()
    for place in range(5):
        talk.server = "203.0.113.9"
        download(talk, 15_000.0 * place, 40_000 + place, 10)
        talk.server = "192.0.2.77"
        download(talk, 15_000.0 * place + 5_000, 41_000 + place, 60, whole=True, name=b"other")
    from_client = bytes([198, 51, 100, 7])
    talk.frames = [(at, frame) for at, frame in talk.frames if (frame[12:16] == from_client) == (side == "C")]
    assert not told(talk.trace())


def test_downloads_that_stop_anywhere_are_failures() -> None:
    """The same downloads stop after very different counts."""
    found = told(fetches([10, 45, 22, 70, 14]))
    assert found[SCATTERED] == found[STOPPED] == [40_000, 40_001, 40_002, 40_003, 40_004]
    assert LIMIT not in found


def test_two_stops_are_compared() -> None:
    """Two connections that stop at one count say something, and less than three; two at different counts nothing."""
    two, three = (worth(fetches(counts, networks=2), LIMIT) for counts in ([10, 10], [10, 10, 10]))
    assert 3.0 < two < three
    assert set(told(fetches([10, 10], networks=2))) == {STOPPED, LIMIT, SPARED}
    assert set(told(fetches([10, 30], networks=2))) == {STOPPED, SCATTERED}


def test_two_stops_in_one_network_are_not_compared() -> None:
    """What fails there stops both; three say more."""
    assert set(told(fetches([10, 10]))) == {STOPPED}
    assert set(told(fetches([10, 10, 10]))) == {STOPPED, LIMIT, SPARED}


def worth(trace: Trace, rule: str) -> float:
    """Give the greatest weight of a rule."""
    evidence = Freezes()(trace)
    return max(
        float(evidence.llr[row]) for row in range(len(evidence)) if evidence.rules[evidence.rule[row]].id == rule
    )


@pytest.mark.parametrize("networks", [1, 2])
def test_what_stops_at_one_moment_counts_once_per_network(networks: int) -> None:
    """Two downloads stop within a tenth of a second while a third goes on: a server that fails, or a limit."""
    talk = Talk()
    for place in range(2):
        talk.server = f"203.0.{113 + place % networks}.9"
        download(talk, 100.0 * place, 40_000 + place, 10)
    talk.server = "192.0.2.77"
    download(talk, 50.0, 41_000, 120, whole=True, name=b"other")
    assert (LIMIT in told(talk.trace())) == (networks == 2)


@pytest.mark.parametrize(("goes_on", "seen"), [(100.0, False), (700.0, True)])
def test_who_is_heard_after_a_retry_is_due_is_a_witness(goes_on: float, seen: bool) -> None:
    """A download stops; another one ends a moment later, or when a sender would have tried again."""
    talk = Talk()
    download(talk, 0.0, 40_000, 20)
    talk.server = "192.0.2.77"
    stopped = 300.0 + 20 * 12.0
    talk.port = 41_000
    sent, end = talk.request(talk.open(0.0), REQUEST % b"other")
    talk.send("S", "PA", 901, end, at=sent + 100.0, data=SEGMENT)
    talk.send("C", "A", end, 901 + len(SEGMENT), at=sent + 101.0)
    talk.send("S", "PA", 901 + len(SEGMENT), end, at=stopped + goes_on, data=SEGMENT)
    assert find_stops(talk.trace()).client_alive.tolist() == [seen]


def test_nothing_is_said_where_the_client_was_not_heard_elsewhere() -> None:
    """A download that stops as the last thing in a capture may have met a dead line."""
    assert not told(fetches([10], beside=False))


@pytest.mark.parametrize("heard", [True, False])
def test_an_end_that_lives_on_unreached_shows_one_direction_cut(heard: bool) -> None:
    """Four uploads to the client stop; where its FIN arrives long after, it is alive, and nothing reaches it."""
    talk = Talk(at_server=True)
    for place, port in enumerate((40_000, 40_010, 40_020, 40_030)):
        talk.server = f"203.0.113.{9 + place % 2}"
        talk.port, at = port, 12_000.0 * place
        sent, end = talk.request(talk.open(at), REQUEST % b"big")
        for number in range(16):
            talk.send("S", "A", 901 + 1000 * number, end, at=sent + 1 + 20 * number, data=SEGMENT)
            if number < 12:
                talk.send("C", "A", end, 901 + 1000 * (number + 1), at=sent + 2 + 20 * number)
        for number in range(6):
            talk.send("S", "A", 12_901, end, at=sent + 400 * 2**number, data=SEGMENT)
        if heard:
            talk.send("C", "FA", end, 12_901, at=sent + 6_000)
        talk.server = "192.0.2.77"
        download(talk, at + 3_000, 41_000 + place, 120, whole=True, name=b"other")
        talk.server = f"203.0.113.{9 + place % 2}"
        talk.port = port
        talk.healthy(at + 9_000)
    found = told(talk.trace(vantage="server"))
    assert found[LIMIT] == [40_000, 40_010, 40_020, 40_030]
    assert found.get(ONE_WAY, []) == ([40_000, 40_010, 40_020, 40_030] if heard else [])


def test_a_silence_without_a_witness_got_at_least_that_far() -> None:
    """The last download stops as well, and nothing is heard afterwards: what is sent in vain is no progress."""
    talk = Talk(at_server=True)
    for place in range(2):
        talk.port, at = 40_000 + 10 * place, 20_000.0 * place
        sent, end = talk.request(talk.open(at), REQUEST % b"big")
        for number in range(10):
            talk.send("S", "A", 901 + 1000 * number, end, at=sent + 1 + 12 * number, data=SEGMENT)
            if number < 6:
                talk.send("C", "A", end, 901 + 1000 * (number + 1), at=sent + 1 + 12 * number + talk.rtt)
        for number in range(6):
            talk.send("S", "A", 6901, end, at=sent + 400 * 2**number, data=SEGMENT)
        if not place:
            talk.healthy(at + 5_000)
    trace = talk.trace(vantage="server")
    stops = find_stops(trace)
    assert stops.client_alive.tolist() == [True, False]
    courses = follow_courses(trace, stops)
    first, second = (np.flatnonzero(courses.flow == flow) for flow in stops.flow)
    assert courses.stop[first].tolist() == [0]
    assert courses.stop[second].tolist() == [-1]
    assert courses.bytes[first].tolist() == courses.bytes[second].tolist() == [6_000]
    assert courses.packets[first].tolist() == courses.packets[second].tolist()


def test_visits_that_end_with_a_farewell_are_not_stopped() -> None:
    """Acknowledgements and a farewell, which nobody answers, are no datagrams that were sent in vain."""
    for seed in range(440_010, 440_014):
        played = run("benign.reach.no-quic-service", seed)
        trace = read(times=played.times, frames=played.frames, link_type=played.link_type)
        assert len(trace.quic)
        stops = find_stops(trace)
        assert not np.isin(stops.flow, trace.quic.flow).any()


def test_verdicts_name_the_freeze_and_spare_the_others() -> None:
    """The limited connections are accused, with others spared; nobody else is."""
    trace = fetches([10, 10, 11, 10, 10])
    evidence = Freezes()(trace)
    for verdict in explain(classify(evidence, trace), evidence, trace):
        if verdict.subject.kind != "flow":
            continue
        limited = verdict.subject.client_port < 41_000
        assert (verdict.mechanism == "rate.freeze") == limited
        assert verdict.selective is (True if limited else None)


def test_what_passed_is_counted_as_the_box_saw_it() -> None:
    """Near the client: three packets of the handshake, the request, ten segments; acknowledgements by place."""
    trace = fetches([10, 10, 10])
    stops = find_stops(trace)
    assert stops.packets.shape == (3, len(PLACES))
    passed = 3 + 1 + 10
    assert (stops.packets[:, 0] == passed + 9).all()  # a box at the client counted all but the last acknowledgement
    assert (stops.packets[:, -1] < stops.packets[:, 0]).all()  # one at the server none of the last round trip
    assert (stops.packets_most == passed + 10).all()
    assert (stops.bytes == 10_000).all()
    assert (stops.bytes_most == 10_000).all()


def test_near_the_server_data_counts_as_far_as_it_was_acknowledged() -> None:
    """Six of ten segments were acknowledged; the others were on their way and may have passed."""
    talk = Talk(at_server=True)
    for port in (40_000, 40_010, 40_020):
        talk.port, at = port, 2_000.0 * (port - 40_000)
        sent, end = talk.request(talk.open(at), REQUEST % b"big")
        for number in range(10):
            talk.send("S", "A", 901 + 1000 * number, end, at=sent + 1 + 0.01 * number, data=SEGMENT)
        for number in range(6):
            talk.send("C", "A", end, 901 + 1000 * (number + 1), at=sent + 101 + 0.01 * number)
        for number in range(6):
            talk.send("S", "A", 6901, end, at=sent + 400 * 2**number, data=SEGMENT)
        talk.healthy(at + 5_000)
    stops = find_stops(talk.trace(vantage="server"))
    assert stops.client_left.all()
    assert (stops.bytes == 6_000).all()
    assert (stops.bytes_most[:, -1] == 10_000).all()
    assert (np.diff(stops.bytes_most, axis=1) >= 0).all()


def test_a_stall_is_a_stop_and_counting_begins_anew() -> None:
    """A download moves eleven segments, stalls for eight seconds, moves eleven more, and stalls again."""
    talk = Talk()
    talk.port = 40_000
    sent, end = talk.request(talk.open(0.0), REQUEST % b"big")
    when, seq = sent + talk.rtt, 901
    for number in range(33):
        talk.send("S", "A", seq, end, at=when, data=SEGMENT)
        seq += len(SEGMENT)
        talk.send("C", "A", end, seq, at=when + 0.2)
        when += 8_000.0 if number % 11 == 10 else 12.0
    talk.server = "192.0.2.77"
    for place in range(6):
        download(talk, 1_000.0 + 5_000 * place, 41_000 + place, 20, whole=True, name=b"other")
    trace = talk.trace()
    stops = find_stops(trace)
    assert stops.bytes[:, 0].tolist() == [11_000, 11_000, 11_000]
    courses = follow_courses(trace, stops)
    assert np.count_nonzero(courses.stop >= 0) == 3


def stalling(stalls: int) -> Trace:
    """A download that stalls for eight seconds behind every other segment; each segment is acknowledged."""
    world, flow = transfer_world(), Flow(segments=2 * stalls)
    world.open(flow)
    when = 1.0
    for segment in range(2 * stalls):
        world.write(when, flow, down=True, seq=1 + 1000 * segment, ack=9, flags=0x10, content=SEGMENT)
        world.write(when + 0.1, flow, down=False, seq=9, ack=1001 + 1000 * segment, flags=0x10)
        when += 8.0 if segment % 2 else 0.2
    order = np.argsort(world.out.times, kind="stable")
    times, frames = ([column[row] for row in order] for column in (world.out.times, world.out.frames))
    return read(times=times, frames=frames, link_type=RAW_IP, vantage="client")


def test_a_connection_that_stalls_again_and_again_needs_no_more_room() -> None:
    """Packets are laid out once, and not once for each stall of their connection."""
    trace = stalling(1_000)
    tracemalloc.start()
    stops = find_stops(trace)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(stops) == 999
    assert (stops.bytes[:, 0] == 2_000).all()
    assert peak < 4_000 * len(trace.packets)


@pytest.mark.parametrize("scenario", ["rate.freeze.stalls", "rate.freeze.quic"])
def test_what_passed_is_what_a_walk_counts(scenario: str) -> None:
    """A slow twin goes through the packets of each break, those that came before it moved again."""
    played = run(scenario, 3)
    trace = read(times=played.times, frames=played.frames, link_type=played.link_type)
    breaks = joined_breaks([find_ends(trace), find_stalls(trace)])
    found = moved_in(trace, breaks)
    expected = []
    for place in range(len(breaks)):
        until = breaks.resumed[place] if breaks.resumed[place] >= 0 else len(trace.packets)
        held = trace.by_flow[int(breaks.flow[place])]
        expected += [(place, row) for row in held.tolist() if breaks.began[place] <= row < until]
    assert len(breaks)
    assert list(zip(*(column.tolist() for column in found), strict=True)) == expected


def test_what_begins_anew_behind_a_silence_was_stalled() -> None:
    """The acknowledgements were lost with the rest: after eight seconds the server repeats what the client had got."""
    talk = Talk()
    for place in range(3):
        talk.server, talk.port = "203.0.113.9", 40_000 + place
        sent, end = talk.request(talk.open(20_000.0 * place), REQUEST % b"big")
        when = sent + talk.rtt
        for number in [*range(11), *range(6, 20)]:
            when += 8_000.0 if number == 6 and when > sent + talk.rtt + 90 else 12.0
            flags = "PA" if number in (10, 19) else "A"
            talk.send("S", flags, 901 + 1000 * number, end, at=when, data=SEGMENT)
            talk.send("C", "A", end, 901 + 1000 * max(11, number + 1), at=when + 0.2)
        talk.server = "192.0.2.77"
        download(talk, 20_000.0 * place + 3_000, 41_000 + place, 60, whole=True, name=b"other")
    stops = find_stops(talk.trace())
    assert stops.bytes[:, 0].tolist() == [11_000, 11_000, 11_000]


def test_what_is_repeated_in_vain_for_good_is_one_stop() -> None:
    """An upload whose acknowledgements are lost behind the tap is repeated with ever longer pauses: it never moves."""
    talk = Talk()
    for place in range(3):
        talk.server, talk.port = "203.0.113.9", 40_000 + place
        sent, end = talk.request(talk.open(20_000.0 * place), REQUEST % b"big")
        talk.send("S", "PA", 901, end, at=sent + talk.rtt, data=b"HTTP/1.1 100 Continue\r\n\r\n")
        for number in range(12):
            talk.send("C", "A", end + 1000 * number, 926, at=sent + 60 + 5 * number, data=SEGMENT)
            talk.send("S", "A", 926, end + 1000 * (number + 1), at=sent + 60 + 5 * number + talk.rtt)
        for number in range(6):
            at = sent + 400 * 2**number
            talk.send("C", "A", end + 4000, 926, at=at, data=SEGMENT)
            talk.send("S", "A", 926, end + 12_000, at=at + talk.rtt)
        talk.server = "192.0.2.77"
        download(talk, 20_000.0 * place + 3_000, 41_000 + place, 60, whole=True, name=b"other")
    assert not len(find_stops(talk.trace()))


def test_a_host_that_still_acknowledges_was_not_stopped() -> None:
    """A server that hangs acknowledges the client's probes: its connection is not stopped."""
    talk = Talk()
    for place in range(4):
        download(talk, 15_000.0 * place, 41_000 + place, 60, whole=True, name=b"other")
        talk.port = 40_000 + place
        sent, end = talk.request(talk.open(15_000.0 * place + 100), REQUEST % b"big")
        when, seq = sent + talk.rtt, 901
        for _ in range(10):
            talk.send("S", "PA", seq, end, at=when, data=SEGMENT)
            seq += len(SEGMENT)
            talk.send("C", "A", end, seq, at=when + 0.2)
            when += 12.0
        talk.send("C", "PA", end, seq, at=when + 9_000, data=b"more?")
        talk.send("S", "A", seq, end + 5, at=when + 9_000 + talk.rtt)
    assert not told(talk.trace())


@pytest.mark.parametrize("vantage", ["client", "server", "middle"])
@pytest.mark.parametrize("scenario", ["rate.freeze.packets", "rate.freeze.bytes"])
def test_simulated_freezes_are_found(scenario: str, vantage: str) -> None:
    """At every tap a simulated freeze is named, and nobody else in the capture."""
    played = run(scenario, 13, Conditions(ip=4, vantage=vantage, luck=0.1))
    trace = read(times=played.times, frames=played.frames, link_type=played.link_type, vantage=vantage)
    evidence = Freezes()(trace)
    limited = {
        int(trace.flows.client_port[evidence.subject[row]])
        for row in range(len(evidence))
        if evidence.rules[evidence.rule[row]].id == LIMIT
    }
    frozen = {truth.client_port for truth in played.labels.truths if truth.mechanism == "rate.freeze"}
    assert len(limited) >= 3
    assert limited <= frozen


@pytest.mark.parametrize("scenario", ["server-crash", "user-left", "nat-timeout", "crash-after-bytes", "mtu-hole"])
def test_simulated_failures_are_no_freezes(scenario: str) -> None:
    """Servers that die or hang, clients that leave, narrow paths and forgetful translators have no common limit."""
    for seed in range(3):
        played = run(f"benign.rate.{scenario}", 40 + seed)
        trace = read(times=played.times, frames=played.frames, link_type=played.link_type)
        evidence = Freezes()(trace)
        strong = [evidence.llr[row] for row in range(len(evidence)) if evidence.rules[evidence.rule[row]].id == LIMIT]
        assert not [llr for llr in strong if llr > 6]


@pytest.mark.parametrize("seed", [71_005, 71_009, 71_017])
def test_a_program_that_hangs_after_a_buffers_length_is_no_freeze(seed: int) -> None:
    """Its stops lie at one count, inside a record, in two networks; but each is behind PSH, and all is acknowledged."""
    played = run("benign.rate.crash-after-bytes", seed)
    trace = read(times=played.times, frames=played.frames, link_type=played.link_type)
    evidence = Freezes()(trace)
    worth = [evidence.llr[row] for row in range(len(evidence)) if evidence.rules[evidence.rule[row]].id == LIMIT]
    assert max(worth, default=0.0) < 2.0
    assert not [one for one in explain(classify(evidence, trace), evidence, trace) if one.found]


def test_one_stop_of_another_kind_makes_no_limit_of_hung_programs() -> None:
    """Each stop counts by itself: one whose last acknowledgement the recorder missed changes little."""
    played = run("benign.rate.crash-after-bytes", 71_009)
    trace = read(times=played.times, frames=played.frames, link_type=played.link_type)
    stops = find_stops(trace)
    courses = follow_courses(trace, stops)
    found = find_common_limit(lives_of(trace, stops, courses))
    assert np.count_nonzero(stops.pushed) >= 5
    missed = stops.pushed.copy()
    missed[np.flatnonzero(missed)[0]] = False
    for pushed, most in ((stops.pushed, 2.0), (missed, 2.0), (np.zeros_like(missed), np.inf)):
        worth = unless_hung(found, attrs.evolve(stops, pushed=pushed), courses).llr
        assert worth <= min(most, found.llr)
    assert worth == found.llr  # a counter that stops anywhere is as sure as it was


def test_the_analyzer_keeps_its_contract() -> None:
    """Every promise of an analyzer holds."""
    check_analyzer(Freezes(), [fetches([10, 10, 11, 10, 10])])
