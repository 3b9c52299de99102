"""Forged resets: each sign where it belongs, silence where the ending was genuine or the capture is blind."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scapy.layers.inet import IP

from netinterf.analyzers.check import check_analyzer
from netinterf.analyzers.rst_injection import RstInjection
from netinterf.schema import Evidence
from netinterf.simulate import Conditions, run
from netinterf.trace import Trace, read
from tests.analyzers.talk import Talk, fired

ENOUGH = 8.0  # nats that outweigh the prior odds of a forged reset up to a probability of 0.9


def found(trace: Trace, server_port: int = 443) -> dict[str, float]:
    """Name the rules that fired on any flow, with their weights."""
    evidence = RstInjection()(trace)
    return {evidence.rules[code].id: float(llr) for code, llr in zip(evidence.rule, evidence.llr, strict=True)}


def total(evidence: Evidence, flow: int) -> float:
    """Add up the weights on one flow."""
    return float(evidence.llr[evidence.subject == flow].sum())


def injected(**fields: object) -> Trace:
    """Play a request that a nearby injector answers with a RST/ACK after 4 ms."""
    talk = Talk()
    talk.healthy(-1000)
    sent, end = talk.request(talk.open())
    talk.send("S", "RA", 901, end, at=sent + 4, **{"ttl": 61, "id": 5, "df": False, "stamped": False, **fields})
    return talk.trace()


def test_a_reset_that_came_too_early_is_forged() -> None:
    """A reset that acknowledges the request after 4 ms cannot come from a server 100 ms away."""
    rules = found(injected())
    assert rules["rst.premature"] == 5.0
    assert 2.5 < rules["rst.no_timestamps"] <= 3.0
    assert {"rst.ttl", "rst.df"} <= set(rules)
    assert sum(rules.values()) >= ENOUGH


def test_it_names_the_forged_packet_and_its_trigger() -> None:
    """The evidence points at the reset, and the timing evidence at the request as well."""
    trace = injected()
    evidence = RstInjection()(trace)
    reset = np.flatnonzero(trace.packets.tcp_flags & 4)
    assert all(row.tolist() == reset.tolist() for row in evidence.forged)
    timing = [row for row, code in enumerate(evidence.rule) if evidence.rules[code].id == "rst.premature"]
    request = np.flatnonzero((trace.packets.payload_length > 0) & trace.packets.outbound)[-1]
    assert evidence.witness[timing[0]].tolist() == [request, reset[0]]


def test_perfect_headers_do_not_hide_bad_timing() -> None:
    """An injector that copies hop limit, DF, options and window is still too early, and the server still answers."""
    talk = Talk()
    talk.healthy(-1000)
    sent, end = talk.request(talk.open())
    talk.send("S", "RA", 901, end, at=sent + 4)
    talk.send("S", "PA", 901, end, at=sent + 100, data=b"HTTP/1.1 200 OK\r\n\r\n")
    rules = found(talk.trace())
    assert {"rst.premature", "rst.alive_after"} <= set(rules)


def bare(at: float, window: int = 0, rtt: float = 100.0, **fields: object) -> dict[str, float]:
    """Answer a request with a bare reset after some ms, and name the rules."""
    talk = Talk(rtt=rtt)
    talk.healthy(-1000)
    sent, _ = talk.request(talk.open())
    talk.send("S", "R", 901, 0, at=sent + at, window=window, **{"stamped": False, **fields})
    return found(talk.trace())


def test_a_bare_reset_can_be_too_soon() -> None:
    """It names no byte, but lands where its claimed sender had nothing to answer yet; a late one is on time."""
    assert "rst.too_soon" in bare(8)
    assert "rst.nearer" in bare(70)
    assert {"rst.too_soon", "rst.nearer"}.isdisjoint(bare(101))
    assert "rst.on_time" in bare(101)
    assert "rst.on_time" in bare(99.999)  # times may be rounded to whole µs
    assert "rst.on_time" not in bare(99.99)


def test_a_window_on_a_bare_reset_is_odd() -> None:
    """A side without a connection has no window."""
    assert "rst.bare_window" in bare(50, window=23_796)
    assert "rst.bare_window" not in bare(50)


def test_a_round_trip_of_many_seconds_is_no_path() -> None:
    """A listener that was asleep must not make every later answer premature."""
    assert {"rst.too_soon", "rst.nearer"}.isdisjoint(bare(100, rtt=9000))


def test_a_firewall_that_forgot_the_flow_is_not_too_soon() -> None:
    """After a pause, or at the client's FIN, a box on the way may answer for what it no longer knows."""
    for pause, flags in ((5000.0, "PA"), (200.0, "FA")):
        talk = Talk()
        talk.healthy(-1000)
        sent, end = talk.request(talk.open())
        talk.send("S", "PA", 901, end, at=sent + 101, data=b"HTTP/1.1 200 OK\r\n\r\n")
        talk.send("C", "A", end, 920, at=sent + 102)
        talk.send("C", flags, end, 920, at=sent + 102 + pause, data=b"more" if flags == "PA" else b"")
        talk.send("S", "RA", 920, end + (4 if flags == "PA" else 1), at=sent + 132 + pause, ttl=56, stamped=False)
        rules = found(talk.trace())
        assert ("rst.resumed" if flags == "PA" else "rst.after_close") in rules
        assert "rst.premature" not in rules


@pytest.mark.parametrize(("pause", "expected"), [(5000.0, True), (200.0, False)])
def test_a_pause_excuses_a_reset_where_the_other_side_was_not_recorded(pause: float, expected: bool) -> None:
    """What it answers is not seen then; that its own side had been silent is."""
    talk = Talk()
    sent, end = talk.request(talk.open())
    talk.send("S", "PA", 901, end, at=sent + 101, data=b"HTTP/1.1 200 OK\r\n\r\n")
    talk.send("S", "RA", 920, end + 4, at=sent + 102 + pause, ttl=56, stamped=False)
    talk.frames = [(at, frame) for at, frame in talk.frames if IP(frame).src == talk.server]
    assert ("rst.resumed" in found(talk.trace())) is expected


def test_one_reset_per_segment_is_no_burst() -> None:
    """A proxy that gives up acknowledges each segment once; copies of one answer are another thing."""
    for acks, expected in (((201, 301), "rst.per_segment"), ((301, 301, 301), "rst.burst")):
        talk = Talk()
        talk.healthy(-1000)
        sent = talk.open()
        for seq in (101, 201):
            talk.send("C", "PA", seq, 901, at=sent, data=b"x" * 100)
        for place, ack in enumerate(acks):
            talk.send("S", "RA", 901, ack, at=sent + 300 + place / 10, stamped=False, window=0)
        assert {"rst.per_segment", "rst.burst"} & set(found(talk.trace())) == {expected}


@pytest.mark.parametrize("lost", [True, False])
def test_an_answer_to_what_was_not_captured_is_none_to_nothing(lost: bool) -> None:
    """A capture at the server lacks a large packet; a client answers each piece, and echoes when it was sent."""
    talk = Talk(at_server=True)
    sent, end = talk.request(talk.open())
    talk.send("S", "A", 901, end, at=sent + 0.1)
    if not lost:  # then the echo is older than what the server said since
        talk.send("S", "A", 901, end, at=sent + 149)
    talk.send("C", "RA", end, 2361, at=sent + 150)
    for place in range(4):
        talk.send("C", "R", end, 0, at=sent + 150.3 + 0.2 * place, stamped=False)
    assert ({"rst.ack_unsent", "rst.burst"} <= set(found(talk.trace()))) != lost
    assert bool({"rst.ack_unsent", "rst.burst"} & set(found(talk.trace()))) != lost


def test_a_full_accept_queue_refuses_the_handshake_too() -> None:
    """A server that greeted and has no room answers the last step of the handshake like every segment, but no more."""
    for resets, expected in ((3, "rst.per_segment"), (4, "rst.burst")):
        talk = Talk()
        talk.healthy(-1000)
        sent = talk.open()
        for seq in (101, 201):
            talk.send("C", "PA", seq, 901, at=sent, data=b"x" * 100)
        for place in range(resets):
            talk.send("S", "R", 901, 0, at=sent + 101 + place / 10, stamped=False, window=0)
        assert {"rst.per_segment", "rst.burst"} & set(found(talk.trace())) == {expected}


def company(reset: int, spared: int, name: Callable[[int], str] = lambda place: f"site{place}.example") -> list[float]:
    """Contact unrelated servers, some of which are "reset" after 4 ms; weights of the company found."""
    talk = Talk()
    for place in range(reset + spared):
        talk.server, talk.port = f"203.0.{place + 1}.9", 41000 + place
        sent, end = talk.request(talk.open(1000.0 * place), f"GET / HTTP/1.1\r\nHost: {name(place)}\r\n\r\n".encode())
        if place < reset:
            talk.send("S", "RA", 901, end, at=sent + 4, ttl=61, stamped=False)
        else:
            talk.send("S", "PA", 901, end, at=sent + 101, data=b"HTTP/1.1 200 OK\r\n\r\n")
    evidence = RstInjection()(talk.trace())
    return [
        float(llr)
        for code, llr in zip(evidence.rule, evidence.llr, strict=True)
        if evidence.rules[code].id == "rst.elsewhere"
    ]


def test_resets_in_the_name_of_unrelated_servers_keep_company() -> None:
    """More servers weigh more; one alone has none, and when all are hit the client's own side may be the cause."""
    assert company(1, 4) == []
    two, three = company(2, 4), company(3, 4)
    assert len(two) == 2
    assert len(three) == 3
    assert 0 < two[0] <= three[0]
    assert company(5, 0) == []
    assert company(9, 1) == []
    assert company(3, 4, lambda _: "one.example") == []  # one operator may run all of them


@pytest.mark.parametrize("rtt", [5.0, 9.0])
def test_near_servers_are_not_judged_by_time(rtt: float) -> None:
    """Differences below 10 ms are noise."""
    talk = Talk(rtt=rtt)
    talk.healthy(-1000)
    sent, end = talk.request(talk.open())
    talk.send("S", "RA", 901, end, at=sent + 1)
    assert "rst.premature" not in found(talk.trace())


def test_timing_is_blind_behind_a_proxy() -> None:
    """Where data are acknowledged at once although handshakes take long, a proxy answers and nothing is too early."""
    talk = Talk()
    for place, server in enumerate(("203.0.113.1", "203.0.113.2", "203.0.113.3")):
        talk.server, talk.port = server, 41000 + place
        sent, end = talk.request(talk.open(-3000 + 500 * place))
        talk.send("S", "A", 901, end, at=sent + 0.4)
    talk.server, talk.port = "203.0.113.1", 42000
    sent, end = talk.request(talk.open())
    talk.send("S", "RA", 901, end, at=sent + 4)
    trace = talk.trace()
    assert not trace.recording.timing_informative.any()
    assert "rst.premature" not in found(trace)


def test_one_way_captures_say_nothing_about_time() -> None:
    """Without the client's packets nothing can be compared."""
    talk = Talk()
    talk.send("S", "SA", 900, 101, at=100)
    talk.send("S", "RA", 901, 141, at=106, ttl=61, stamped=False)
    assert "rst.premature" not in found(talk.trace())


def genuine_abort(talk: Talk, sent: float, end: int) -> None:
    """Close with data unread: a reset that is an ordinary segment of its sender."""
    talk.send("S", "A", 901, end, at=sent + 100)
    talk.send("S", "RA", 901, end, at=sent + 103)


def genuine_after_fin(talk: Talk, sent: float, end: int) -> None:
    """Answer data that arrive after the close."""
    talk.send("S", "FA", 901, end, at=sent + 100)
    talk.send("C", "PA", end, 902, at=sent + 101, data=b"more")
    talk.send("S", "R", 902, 0, at=sent + 201, stamped=False, id=0, window=0)


def genuine_flight(talk: Talk, sent: float, end: int) -> None:
    """Answer each segment of a flight to a dead socket."""
    for place in range(4):
        talk.send("C", "PA", end + 100 * place, 901, at=sent + 1 + place / 10, data=b"x" * 100)
    for place in range(4):
        talk.send("S", "R", 901, 0, at=sent + 101 + place / 10, stamped=False, id=0, window=0)


def genuine_idle(talk: Talk, sent: float, end: int) -> None:
    """Clean up after minutes of silence."""
    talk.send("S", "A", 901, end, at=sent + 100)
    talk.send("S", "RA", 901, end, at=sent + 350_000, ttl=250, stamped=False)


def genuine_reaction(talk: Talk, sent: float, end: int) -> None:
    """Answer what was under way when the client reset."""
    talk.send("C", "RA", end, 901, at=sent + 2)
    talk.send("S", "R", 901, 0, at=sent + 110, stamped=False, id=0, window=0, ttl=49)


GENUINE = [genuine_abort, genuine_after_fin, genuine_flight, genuine_idle, genuine_reaction]


@pytest.mark.parametrize("ending", GENUINE, ids=lambda play: play.__name__)
def test_genuine_endings_are_no_accusation(ending: Callable[[Talk, float, int], None]) -> None:
    """Aborts, late answers, bursts of answers, clean-up and reactions stay well below a verdict."""
    talk = Talk()
    talk.healthy(-1000)
    sent, end = talk.request(talk.open())
    ending(talk, sent, end)
    evidence = RstInjection()(talk.trace())
    for flow in np.unique(evidence.subject):
        assert total(evidence, int(flow)) < ENOUGH - 3


def test_a_gateway_that_forgot_a_flow_is_no_accusation() -> None:
    """After minutes of silence a box near the client may rightly refuse what it no longer knows."""
    talk = Talk()
    talk.healthy(-1000)
    sent, end = talk.request(talk.open())
    talk.send("S", "PA", 901, end, at=sent + 101, data=b"HTTP/1.1 200 OK\r\n\r\n")
    talk.send("C", "PA", end, 920, at=sent + 350_000, data=b"more")
    talk.send("S", "RA", 920, end + 4, at=sent + 350_001, ttl=255, id=0, df=False, stamped=False, window=0)
    assert sum(found(talk.trace()).values()) < ENOUGH


def test_a_load_balancer_that_rejects_in_time_is_no_accusation() -> None:
    """Another device in front of the server explains hop limit, options, flags and window all at once."""
    for window in (0, 4380):
        talk = Talk()
        talk.healthy(-1000)
        sent, end = talk.request(talk.open())
        fields = {"ttl": 241, "id": 33333, "df": False, "stamped": False, "window": window}
        talk.send("S", "RA", 901, end, at=sent + 101, **fields)
        assert sum(found(talk.trace()).values()) < ENOUGH


def test_leftovers_of_an_old_connection_are_no_accusation() -> None:
    """A reset far below the window is ignored by its receiver, so that the conversation goes on proves nothing."""
    talk = Talk()
    talk.healthy(-1000)
    opened = talk.open(1000)
    talk.send("S", "RA", 444, 4_000_000, at=opened + 5, ttl=241, stamped=False, window=0)
    sent, end = talk.request(opened + 10)
    talk.send("S", "PA", 901, end, at=sent + 101, data=b"y" * 100)
    talk.send("C", "A", end, 1001, at=sent + 102)
    assert sum(found(talk.trace()).values()) < ENOUGH


@pytest.mark.parametrize("distance", [-5_000, 600 << 7, 200_000_000, 1 << 31])
def test_resets_outside_the_window_are_left_over(distance: int) -> None:
    """Numbers of another connection reset nothing, however many come: the receiver has no room for them."""
    talk = Talk()
    talk.healthy(-1000)
    sent, end = talk.request(talk.open())
    for place in range(4):
        talk.send("S", "R", (901 + distance) % (1 << 32), 0, at=sent + 20 + place, ttl=121, stamped=False, window=0)
    talk.send("S", "PA", 901, end, at=sent + 101, data=b"y" * 100)
    talk.send("C", "A", end, 1001, at=sent + 102)
    assert not found(talk.trace())


def test_resets_ahead_within_the_window_are_suspects() -> None:
    """Injectors aim ahead, and the receiver has room for what they guess."""
    talk = Talk()
    sent, end = talk.request(talk.open())
    for place in range(3):
        talk.send("S", "R", 901 + 1460 * place, 0, at=sent + 20 + place / 10, ttl=121, stamped=False, window=0)
    talk.send("S", "PA", 901, end, at=sent + 101, data=b"y" * 100)
    assert {"rst.alive_after", "rst.burst"} <= set(found(talk.trace()))


def test_an_abort_without_the_other_side_is_no_accusation() -> None:
    """Which acknowledgements the bare resets answer was not captured, so their old numbers say nothing."""
    talk = Talk()
    talk.send("S", "SA", 900, 101, at=100)
    for place in range(4):
        talk.send("S", "PA", 901 + 1000 * place, 200, at=200 + place / 10, data=b"z" * 1000)
    talk.send("S", "RA", 4901, 200, at=201)
    for place in range(1, 5):
        talk.send("S", "R", 901 + 1000 * place, 0, at=230 + place / 10, window=0, stamped=False)
    signs = found(talk.trace(vantage="middle"))
    assert not {"rst.burst", "rst.behind_data", "rst.alive_after"} & set(signs)


def test_bare_resets_of_one_direction_are_no_accusation() -> None:
    """A closed host answers rising numbers that were not captured: nothing is beyond anything."""
    talk = Talk()
    for place, seq in enumerate((1000, 2460, 3920)):
        talk.send("S", "R", seq, 0, at=place * 5, window=0, stamped=False)
    assert sum(found(talk.trace()).values()) < ENOUGH - 3


def test_one_packet_under_way_does_not_hide_the_rest() -> None:
    """A packet right behind the reset may have crossed it; what follows for hundreds of milliseconds did not."""
    talk = Talk()
    talk.healthy(-1000)
    sent, end = talk.request(talk.open())
    talk.send("S", "PA", 901, end, at=sent + 101, data=b"a" * 500)
    talk.send("S", "R", 1401, 0, at=sent + 105, ttl=121, df=False, id=5, stamped=False, window=0)
    for place in range(10):
        talk.send("S", "PA", 1401 + 500 * place, end, at=sent + 106 + 20 * place, data=b"b" * 500)
    assert found(talk.trace())["rst.alive_after"] == 5.0


@pytest.mark.parametrize("order", ["CS", "SC"])
def test_both_ends_may_be_reset_at_once(order: str) -> None:
    """In the middle of the path a reset 0.3 ms after the opposite one is no answer from 80 ms away."""
    talk = Talk()
    talk.ttl = {"C": 60, "S": 55}
    talk.send("C", "S", 100, 0, at=0)
    talk.send("S", "SA", 900, 101, at=80)
    talk.send("C", "A", 101, 901, at=100)
    sent, end = talk.request(100)
    for place, side in enumerate(order):
        seq = end if side == "C" else 901
        talk.send(side, "R", seq, 0, at=sent + 2 + place * 0.3, ttl=61, id=0, stamped=False, window=0)
    talk.send("S", "A", 901, end, at=sent + 80)
    talk.send("S", "PA", 901, end, at=sent + 81, data=b"x" * 50)
    assert "rst.reaction" not in found(talk.trace("middle"))


def test_a_closed_port_is_no_accusation() -> None:
    """RST/ACK in answer to a SYN, in time and with the right numbers, is a refusal."""
    talk = Talk()
    talk.send("C", "S", 100, 0, at=0)
    talk.send("S", "RA", 0, 101, at=100, stamped=False, window=0, id=0)
    assert sum(found(talk.trace()).values()) <= 0


@pytest.mark.parametrize(("flags", "seq", "ack", "rule"), [
    ("", 0, 100, "rst.refused"),  # a scanner's segment without any flag: number 0, and the segment's own is the next
    ("S", 0, 101, "rst.connect_refused"),
    ("", 4711, 100, ""),  # a port that is closed has no number of its own
    ("", 0, 777, ""),  # and acknowledges what it got
])  # fmt: skip
def test_a_closed_port_refuses_what_has_no_acknowledgement(flags: str, seq: int, ack: int, rule: str) -> None:
    """RST/ACK with the numbers of RFC 9293 §3.10.7.1 speaks against a forger, whatever drew it."""
    talk = Talk(stamps=False)
    talk.send("C", flags, 100, 0, at=0)
    talk.send("S", "RA", seq, ack, at=100, window=0, id=0)
    told = fired(RstInjection(), talk.trace())
    assert {"rst.refused", "rst.connect_refused"} & set(told) == ({rule} if rule else set())
    assert not rule or told[rule] < 0


@pytest.mark.parametrize(("seq", "window", "stray"), [(901, 0, True), (950, 0, False), (901, 899, False)])
def test_a_server_that_lost_a_connection_refuses_what_goes_on_with_it(seq: int, window: int, stray: bool) -> None:
    """The capture lacks its SYN/ACK; a bare reset at the client's own number answers it, no other number or window."""
    talk = Talk(stamps=False)
    talk.send("C", "S", 100, 0, at=0)
    talk.send("C", "A", 101, 901, at=100)
    talk.send("S", "R", seq, 0, at=201, window=window, id=0)
    assert (fired(RstInjection(), talk.trace()).get("rst.connect_stray", 0.0) < 0) == stray


@pytest.mark.parametrize(("heard", "expected"), [(901, False), (None, True), (31338, True)])
def test_a_greeting_that_was_acknowledged_is_only_sent_again(heard: int | None, expected: bool) -> None:
    """A server whose queue is full resets requests meanwhile; the capture lacks its first SYN/ACK.

    One that the client never heard of, or that has another number than the one it took, is a sign of life.
    """
    talk = Talk(stamps=False)
    talk.send("C", "S", 100, 0, at=0)
    if heard:
        talk.send("C", "A", 101, heard, at=100)
    talk.send("S", "R", heard or 901, 0, at=201, window=0, id=0)
    talk.send("S", "SA", 900, 101, at=1100)
    assert ("rst.connect_alive_after" in fired(RstInjection(), talk.trace())) == expected


def test_no_number_behind_data_was_guessed_where_the_stream_has_an_edge() -> None:
    """The other end never took the data and acknowledges just that number later: whoever resets there knew it."""

    def behind(acknowledged: int) -> float:
        talk = Talk(stamps=False)
        sent = talk.open()
        talk.send("S", "PA", 901, 101, at=sent + 200, data=b"x" * 50)
        talk.send("S", "R", 902, 0, at=sent + 1200, window=0)
        talk.send("C", "A", 101, acknowledged, at=sent + 1500)
        return fired(RstInjection(), talk.trace()).get("rst.behind_data", 0.0)

    assert behind(902) == 0
    assert behind(901) > 0


def test_nothing_is_answered_before_it_is_sent() -> None:
    """A bare reset whose number the client acknowledges only afterwards answers nothing of the client's."""
    talk = Talk(stamps=False)
    talk.send("C", "S", 100, 0, at=0)
    talk.send("S", "R", 901, 0, at=201, window=0, id=0)
    talk.send("C", "A", 101, 901, at=400)
    assert "rst.connect_stray" not in fired(RstInjection(), talk.trace())


@pytest.mark.parametrize(("windows", "varies"), [((899, 59_585), True), ((899, 899), False), ((0, 0), False),
                                                 ((899,), False)])  # fmt: skip
def test_bare_resets_of_one_server_carry_one_window(windows: tuple[int, ...], varies: bool) -> None:
    """A stack writes 0 and a device some constant; ever other windows in answer to SYNs are drawn by somebody else."""
    talk = Talk(stamps=False)
    for place, window in enumerate(windows):
        talk.port = 41000 + place
        talk.send("C", "S", 100, 0, at=1000 * place)
        talk.send("S", "R", 0, 0, at=1000 * place + 5, window=window, id=0)
    trace = talk.trace()
    for port in range(41000, talk.port + 1):
        assert (fired(RstInjection(), trace, port).get("rst.connect_window_varies", 0.0) > 0) == varies


def test_a_service_that_comes_up_between_two_dials_is_no_proof_alone() -> None:
    """A refused SYN that is dialled again and answered gathers less than a verdict needs."""
    talk = Talk(stamps=False)
    talk.send("C", "S", 100, 0, at=0)
    talk.send("S", "RA", 0, 101, at=100, window=0, ttl=50)
    talk.send("C", "S", 100, 0, at=1000)
    talk.send("S", "SA", 900, 101, at=1100)
    talk.send("C", "A", 101, 901, at=1101)
    assert sum(found(talk.trace()).values()) < ENOUGH


def test_resets_of_the_capturing_host_are_its_own() -> None:
    """At the client's tap an outbound reset was not forged by the network, however odd it looks."""
    talk = Talk()
    sent, end = talk.request(talk.open())
    talk.send("C", "RA", end, 901, at=sent + 1, ttl=7, stamped=False, id=3)
    assert found(talk.trace("client")) == {}
    assert found(talk.trace("server")) != {}


def test_a_reset_with_a_wrong_checksum_resets_nothing() -> None:
    """Hosts drop it, so nobody was cut off by it."""
    assert found(injected(chksum=0x1234)) == {}


def lost_client(**changed: object) -> dict[str, float]:
    """Ask for something at a server, forget the connection on the way, and answer what comes with bare resets."""
    talk = Talk(at_server=True)
    sent, end = talk.request(talk.open())
    if changed.get("closes"):
        talk.send("C", str(changed["closes"]), end, 901, at=sent + 3)
    if changed.get("ends"):
        talk.send("S", "FA", 901, end, at=sent + 0.2)
    talk.send("S", "A", 901, end, at=sent + 0.1)
    if changed.get("holes"):
        talk.send("S", "A", 901, end + 700, at=sent + 0.5)
    for place in range(5):
        talk.send("S", "PA", 901 + 100 * place, end, at=sent + 1 + place / 10, data=b"x" * 100)
    late = float(changed.get("late", 0.0))  # type: ignore[arg-type]
    for place in range(6):
        talk.send("C", "R", end, 0, at=sent + 101 + late + place / 10, stamped=False, id=0, window=0)
    return found(talk.trace("server"))


def test_a_client_that_forgets_in_the_middle_of_a_request_was_reset() -> None:
    """It sent a request, and a round trip later knows no connection, without a word: an unseen reset took it."""
    rules = lost_client()
    assert rules["rst.forgot"] > 0
    assert not {"rst.stray", "rst.burst", "rst.per_segment"} & set(rules)


@pytest.mark.parametrize(
    "changed", [{"closes": "FA"}, {"closes": "RA"}, {"ends": True}, {"holes": True}, {"late": 5000.0}], ids=str
)
def test_what_explains_that_a_client_forgot(changed: dict[str, object]) -> None:
    """It had closed or aborted, the server had, packets are missing, or seconds passed."""
    assert "rst.forgot" not in lost_client(**changed)


def test_what_a_lost_client_answers_is_not_named_as_forged() -> None:
    """Its bare resets are its own; none of them is held to be forged."""
    talk = Talk(at_server=True)
    sent, end = talk.request(talk.open())
    talk.send("S", "A", 901, end, at=sent + 0.1)
    for place in range(3):
        talk.send("C", "R", end, 0, at=sent + 101 + place / 10, stamped=False, id=0, window=0)
    evidence = RstInjection()(talk.trace("server"))
    assert len(evidence)
    assert all(len(rows) == 0 for rows in evidence.forged)


@pytest.mark.parametrize(("hops", "told"), [(None, True), (0, True), (1, False)])
def test_captures_at_two_places_know_no_single_hop(hops: int | None, told: bool) -> None:
    """Where copies show that the tap saw packets on both sides of a router, one hop tells nobody apart."""
    talk = Talk()
    talk.healthy(-1000)
    sent, end = talk.request(talk.open())
    talk.send("S", "RA", 901, end, at=sent + 101, ttl=49)
    for at, frame in [] if hops is None else talk.frames[:-1]:
        copy = IP(frame)
        copy.ttl -= hops
        del copy.chksum
        talk.frames.append((at + 0.03, bytes(copy)))
    assert ("rst.ttl" in found(talk.trace())) == told


def test_padding_is_no_payload() -> None:
    """Zero bytes that fill a frame to the least length are no payload of the reset; other bytes are."""
    assert "rst.payload" not in found(injected(data=bytes(6)))
    assert "rst.payload" in found(injected(data=b"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x00"))


def test_numbers_that_climb_beyond_everything_are_forged() -> None:
    """Two resets 1460 apart, ahead of all data, fit no end-host (Weaver et al.)."""
    talk = Talk()
    sent, end = talk.request(talk.open())
    talk.send("S", "A", 901, end, at=sent + 100)
    talk.send("S", "R", 901, 0, at=sent + 130, stamped=False)
    talk.send("S", "R", 901 + 1460, 0, at=sent + 130.2, stamped=False)
    assert found(talk.trace())["rst.seq_change"] == 6.0


def test_a_second_answer_with_other_bytes_is_a_contradiction() -> None:
    """The forged page and the genuine one claim the same place; the one unlike its sender is named."""
    talk = Talk()
    sent, end = talk.request(talk.open())
    talk.send("S", "A", 901, end, at=sent + 99)
    page = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    talk.send("S", "PA", 901, end, at=sent + 4, data=page, ttl=57, stamped=False, id=1, df=False)
    talk.send("S", "PA", 901, end, at=sent + 101, data=b"HTTP/1.1 200 OK\r\nServer: real one\r\n\r\nhello")
    trace = talk.trace()
    evidence = RstInjection()(trace)
    assert [evidence.rules[code].id for code in evidence.rule] == ["http.contradiction"]
    assert trace.packets.ttl[evidence.forged[0]].tolist() == [57]


def test_a_retransmission_is_no_contradiction() -> None:
    """The same bytes again, or the same bytes cut otherwise, contradict nothing."""
    talk = Talk()
    sent, end = talk.request(talk.open())
    body = b"HTTP/1.1 200 OK\r\nServer: real one\r\n\r\nhello"
    talk.send("S", "PA", 901, end, at=sent + 101, data=body)
    talk.send("S", "PA", 901, end, at=sent + 401, data=body)
    talk.send("S", "PA", 911, end, at=sent + 501, data=body[10:])
    assert found(talk.trace()) == {}


def test_two_different_synacks_to_one_syn() -> None:
    """Two initial sequence numbers in answer to one SYN contradict; after a second SYN they may be two backends."""
    talk = Talk()
    talk.send("C", "S", 100, 0, at=0)
    talk.send("S", "SA", 31337, 101, at=6, ttl=120, stamped=False)
    talk.send("S", "SA", 900, 101, at=100)
    assert "synack.contradiction" in found(talk.trace())
    talk.send("C", "S", 100, 0, at=5)
    assert "synack.contradiction" not in found(talk.trace())
    unseen = Talk()  # only one direction was captured: nobody knows how often the SYN was sent
    unseen.send("S", "SA", 31337, 101, at=6, ttl=120, stamped=False)
    unseen.send("S", "SA", 900, 101, at=100)
    assert "synack.contradiction" not in found(unseen.trace())


@pytest.mark.parametrize(("waited", "taken", "expected"), [
    (850, False, True), (1010, False, False), (950, True, True), (950, False, False),
])  # fmt: skip
def test_a_syn_without_an_answer_was_sent_again_though_the_capture_lacks_it(
    waited: float, taken: bool, expected: bool
) -> None:
    """RFC 6298 §2.1: after a second, unless the client took the first. The answers may be those of two backends."""
    talk = Talk()
    talk.send("C", "S", 100, 0, at=0)
    talk.send("S", "SA", 31337, 101, at=waited, ttl=120, stamped=False)
    if taken:
        talk.send("C", "A", 101, 31338, at=waited + 1)
    talk.send("S", "SA", 900, 101, at=waited + 100)
    assert ("synack.contradiction" in found(talk.trace())) == expected


@pytest.mark.parametrize("lost", ["", "an answer", "the first answer"])
def test_where_packets_were_missed_an_earlier_syn_may_have_been(lost: str) -> None:
    """Its answer comes when the server that was taken has long begun; a race is over by then."""
    talk = Talk()
    talk.healthy(-5000)
    sent, end = talk.request(talk.open())
    talk.send("S", "PA", 907 if lost == "the first answer" else 901, end, at=sent + 100, data=b"served")
    talk.send("C", "A", end, 1007 if lost else 907, at=sent + 101)
    talk.send("S", "SA", 31337, 101, at=sent + 400, ttl=120, stamped=False)
    assert ("synack.contradiction" in found(talk.trace())) != bool(lost)


@pytest.mark.parametrize(("first", "expected"), [(20, True), (80, False)])
def test_where_packets_were_missed_only_time_shows_a_race(first: float, expected: bool) -> None:
    """Two machines of one service take about as long to answer a SYN each."""
    talk = Talk()
    talk.healthy(-5000)
    talk.send("C", "S", 100, 0, at=0)
    talk.send("S", "SA", 900, 101, at=first)
    talk.send("S", "SA", 31337, 101, at=200, ttl=120, stamped=False)
    talk.send("C", "A", 101, 901, at=201)
    assert "synack.contradiction" in found(talk.trace())
    talk.send("S", "A", 901, 999, at=300)  # of bytes that nobody saw
    assert ("synack.contradiction" in found(talk.trace())) == expected


@pytest.mark.parametrize("stamps", [True, False])
def test_bursts_towards_a_server_are_found_there(stamps: bool) -> None:
    """At the server's tap resets "from the client" are not premature; form, fields and aftermath must show them."""
    talk = Talk(rtt=160, stamps=stamps, at_server=True)
    for place, ttl in enumerate((120, 77, 201, 154)):
        talk.port = 41000 + place
        sent, end = talk.request(talk.open(place * 1000.0))
        for copy in range(3):
            talk.send(
                "C", "RA", end, 901, at=sent + 0.5 + copy / 10, ttl=ttl, id=900 + ttl, window=ttl + 1400, stamped=False
            )
        talk.send("S", "A", 901, end, at=sent + 0.4)
        talk.send("C", "R", end, 0, at=sent + 165, stamped=False, id=0, window=0)
    trace = talk.trace("auto")
    assert trace.vantage == "server"
    evidence = RstInjection()(trace)
    forged = {int(packet) for rows in evidence.forged for packet in rows}
    for flow in range(4):
        assert total(evidence, flow) >= ENOUGH
    assert {int(trace.packets.ttl[packet]) for packet in forged} == {120, 77, 201, 154}


def test_a_mirrored_header_betrays_the_box() -> None:
    """A bare reset with the request's IP ID and window, another hop limit and no DF is not the server's."""
    talk = Talk(stamps=False)
    sent, _ = talk.request(talk.open())
    talk.send("S", "R", 901, 0, at=sent + 98, ttl=27, id=talk.ids["C"], window=500, df=False)
    rules = found(talk.trace())
    assert {"rst.copied_id", "rst.copied_window", "rst.df"} <= set(rules)
    assert sum(rules.values()) >= ENOUGH


@pytest.mark.parametrize("seed", range(8))
def test_simulated_injectors_are_found(seed: int) -> None:
    """Every interfered flow passes the bar with its forged frames, every other flow stays below it."""
    played = run("tcp.reset", seed, Conditions.clean(vantage="client"))
    trace = read(times=played.times, frames=played.frames, link_type=played.link_type)
    evidence = RstInjection()(trace)
    truth = {(t.client_port, t.server): t for t in played.labels.truths if t.kind == "flow"}
    for flow in range(len(trace.flows)):
        label = truth[int(trace.flows.client_port[flow]), trace.address(trace.flows.server[flow])]
        assert (total(evidence, flow) >= ENOUGH) == (label.mechanism is not None)
        if label.mechanism:
            forged = {int(f) for row in np.flatnonzero(evidence.subject == flow) for f in evidence.forged[int(row)]}
            assert {int(trace.packets.frame[row]) for row in forged} == set(label.forged)


@pytest.mark.parametrize("scenario", ["tcp.reset.benign", "browsing", "rate.policing.benign"])
@pytest.mark.parametrize("seed", range(4))
def test_simulated_bad_luck_is_no_accusation(scenario: str, seed: int) -> None:
    """Genuine resets, lossy and queued paths stay below the bar."""
    played = run(scenario, seed)
    evidence = RstInjection()(read(times=played.times, frames=played.frames, link_type=played.link_type))
    for flow in np.unique(evidence.subject):
        assert total(evidence, int(flow)) < ENOUGH


def test_it_keeps_the_contract_of_analyzers() -> None:
    """The generic checks hold on a simulated attack and stay silent on its benign twin."""
    attack, benign = (
        read(times=p.times, frames=p.frames, link_type=p.link_type)
        for p in (run("tcp.reset", 1), run("tcp.reset.benign", 1))
    )
    check_analyzer(RstInjection(), [attack], [benign])


@pytest.mark.captures
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("positive/upb-syssec-echcensorshipresults/comprehensive__china__cf_cdn.pcapng", {43, 44, 45, 46}),
        ("positive/upb-syssec-echcensorshipresults/comprehensive__iran__vps.pcapng", {36}),
        ("positive/zeek-zeek/tcp__rst-inject-rae.pcap", {2}),
    ],
)
def test_labelled_captures(captures_dir: Path, name: str, expected: set[int]) -> None:
    """Forged frames of public captures are named."""
    trace = read(captures_dir / name)
    evidence = RstInjection()(trace)
    frames = {int(frame) for rows in evidence.forged for frame in trace.packets.frame[rows]}
    assert expected <= frames


@pytest.mark.captures
def test_a_benign_control_stays_silent(captures_dir: Path) -> None:
    """Genuine CDN resets of a public control capture gather nothing."""
    name = "benign/upb-syssec-echcensorshipresults/detailed__germany_cloudflare.pcapng"
    evidence = RstInjection()(read(captures_dir / name))
    assert all(total(evidence, int(flow)) < ENOUGH - 3 for flow in np.unique(evidence.subject))


def ended(talk: Talk, *, at: float, **fields: object) -> dict[str, float]:
    """Answer a request with a FIN some ms later, and name the rules that a flow with a healthy neighbour shows."""
    talk.healthy(-1000)
    sent, end = talk.request(talk.open())
    talk.send("S", "FA", 901, end, at=sent + at, **fields)
    return found(talk.trace())


def test_a_fin_that_came_too_early_is_forged() -> None:
    """It acknowledges a request that its claimed sender cannot have read, and looks like nobody else's."""
    rules = ended(Talk(), at=4, ttl=61, df=False, stamped=False)
    assert {"fin.premature", "fin.no_timestamps", "fin.df", "fin.after_request"} <= set(rules)
    assert sum(rules.values()) >= ENOUGH


def test_a_fin_with_perfect_headers_is_still_too_early() -> None:
    """Timing alone; a FIN on time with the same headers is nobody's business."""
    assert ended(Talk(), at=4)["fin.premature"] == 5.0
    assert not any(name.startswith("fin.") for name in ended(Talk(), at=101))


@pytest.mark.parametrize("captured", [True, False])
def test_what_answers_a_request_that_was_not_captured_has_no_age(captured: bool) -> None:
    """The client's next acknowledgement reaches over the bytes that are missing; it is not what was answered."""
    talk = Talk()
    talk.healthy(-1000)
    begin = talk.open()
    if captured:
        sent, end = talk.request(begin)
    else:
        sent, end = begin, 101 + 82
    talk.send("S", "PA", 901, end, at=sent + 101, data=b"HTTP/1.1 200 OK\r\n\r\n")
    talk.send("C", "A", end, 920, at=sent + 101.1)
    talk.send("S", "FA", 920, end, at=sent + 101.2, ttl=61, df=False)
    rules = found(talk.trace())
    assert "fin.df" in rules
    assert "fin.premature" not in rules


def test_a_fin_that_answers_a_fin_is_timed_from_that_fin() -> None:
    """The client ended first and acknowledged data later; the server's end answers the former."""
    talk = Talk()
    talk.healthy(-1000)
    sent, end = talk.request(talk.open())
    talk.send("C", "FA", end, 901, at=sent + 1)
    talk.send("S", "PA", 901, end, at=sent + 96, data=b"HTTP/1.1 200 OK\r\n\r\n")
    talk.send("C", "A", end + 1, 920, at=sent + 97)
    talk.send("S", "FA", 920, end + 1, at=sent + 101, ttl=49)
    assert "fin.premature" not in found(talk.trace())


def test_the_hosts_own_end_is_not_named_with_the_forged_one() -> None:
    """The server's FIN came its usual way, behind a stream that somebody else has made longer."""
    talk = Talk()
    talk.healthy(-1000)
    sent, end = talk.request(talk.open())
    talk.send("S", "PA", 901, end, at=sent + 4, data=b"x" * 300, ttl=61)
    talk.send("S", "FA", 1201, end, at=sent + 4.1, ttl=61)
    talk.send("S", "FA", 901, end, at=sent + 140)
    trace = talk.trace()
    evidence = RstInjection()(trace)
    named = {int(row) for rows in evidence.forged for row in rows}
    ends = np.flatnonzero((trace.packets.tcp_flags & 1 != 0) & (trace.packets.relative_ack == end - 100))
    assert named & set(ends.tolist()) == set(ends[trace.packets.ttl[ends] == 61].tolist())
    assert named & set(ends.tolist())


def test_what_the_writer_of_a_fin_adds_is_named_with_it() -> None:
    """The reset behind a forged FIN crossed as many hops; the server's own acknowledgement did not."""
    talk = Talk()
    talk.healthy(-1000)
    sent, end = talk.request(talk.open())
    talk.send("S", "FA", 901, end, at=sent + 4, ttl=61)
    talk.send("S", "A", 902, end, at=sent + 6, ttl=61)
    talk.send("S", "A", 901, end, at=sent + 101)
    trace = talk.trace()
    evidence = RstInjection()(trace)
    fin = next(row for row, code in enumerate(evidence.rule) if evidence.rules[code].id == "fin.premature")
    assert trace.packets.ttl[evidence.forged[fin]].tolist() == [61, 61]


def test_nothing_follows_the_end_of_a_stream() -> None:
    """New bytes behind a FIN are somebody else's; acknowledgements may follow it."""
    for data, expected in ((b"HTTP/1.1 200 OK\r\n\r\n" * 9, True), (b"", False)):
        talk = Talk()
        talk.healthy(-1000)
        sent, end = talk.request(talk.open(), b"EHLO client.example\r\n")
        talk.send("S", "FPA", 901, end, at=sent + 101, data=b"421 Too many of you\r\n")
        talk.send("C", "PA", end, 923, at=sent + 102, data=b"bye")
        talk.send("S", "PA" if data else "A", 901 if data else 923, end + 3, at=sent + 220, data=data)
        assert ("fin.alive_after" in found(talk.trace())) == expected


def test_an_end_that_carries_a_page_is_asked_about_as_a_page() -> None:
    """One packet is one oddity: its time and its header are held against the page alone."""
    talk = Talk()
    talk.healthy(-1000)
    sent, end = talk.request(talk.open())
    talk.send("S", "FPA", 901, end, at=sent + 4, data=b"HTTP/1.1 302 Found\r\n\r\n", ttl=61, stamped=False)
    assert not any(rule.startswith("fin.") for rule in found(talk.trace()))


@pytest.mark.parametrize(("heard", "expected"), [(901, False), (902, True), (903, False)])
def test_an_end_that_the_capture_lost_excuses_a_reset_too(heard: int, expected: bool) -> None:
    """Its FIN takes one number, which the other side acknowledges: nobody acknowledges what never came."""
    talk = Talk()
    talk.healthy(-1000)
    sent, end = talk.request(talk.open())
    talk.send("S", "A", 901, end, at=sent + 100)
    talk.send("C", "A", end, heard, at=sent + 102)
    talk.send("C", "PA", end, heard, at=sent + 103, data=b"more")
    talk.send("S", "A", heard, end, at=sent + 110)  # a bare acknowledgement behind it is no data
    talk.send("S", "RA", heard, end + 4, at=sent + 203, ttl=61, id=6, df=False, stamped=False)
    assert ("rst.after_fin" in found(talk.trace())) == expected


def test_a_forged_fin_excuses_no_reset_behind_it() -> None:
    """A reset after its own side's FIN is natural, unless that FIN was forged as well."""
    for forged in (True, False):
        talk = Talk()
        talk.healthy(-1000)
        sent, end = talk.request(talk.open())
        fields = {"ttl": 61, "id": 5, "df": False, "stamped": False} if forged else {}
        talk.send("S", "FA", 901, end, at=sent + (4 if forged else 101), **fields)
        talk.send("C", "A", end, 902, at=sent + (5 if forged else 102))  # which the client cannot tell
        talk.send("S", "RA", 902, end, at=sent + 150, ttl=61, id=6, df=False, stamped=False)
        assert ("rst.after_fin" in found(talk.trace())) == (not forged)


def test_first_data_that_came_too_early_is_forged() -> None:
    """A TLS alert that no server this far away can have written yet; on time and like its sender it is its own."""
    alert = b"\x15\x03\x03\x00\x02\x02\x28"
    for at, fields, expected in ((4, {"ttl": 61, "stamped": False}, True), (101, {}, False)):
        talk = Talk()
        talk.healthy(-1000)
        sent, end = talk.request(talk.open(), b"\x16\x03\x01" + bytes(100))
        talk.send("S", "PA", 901, end, at=sent + at, data=alert, **fields)
        assert ("data.premature" in found(talk.trace())) == expected


@pytest.mark.parametrize(("flags", "data", "rule"), [("FA", b"", "fin"), ("PA", b"220 mail ready\r\n", "data")])
def test_an_end_or_a_greeting_that_its_sender_takes_back(flags: str, data: bytes, rule: str) -> None:
    """Perfect headers and time; 30 ms later the server acknowledges the request from before that packet."""
    for back in (True, False):
        talk = Talk()
        talk.healthy(-1000)
        sent, end = talk.request(talk.open(), b"EHLO client.example\r\n")
        talk.send("S", flags, 901, end, at=sent + 99, data=data)
        number = 901 if back else 901 + len(data) + (flags == "FA")
        talk.send("S", "A", number, end, at=sent + 130)
        assert (f"{rule}.ack_regression" in found(talk.trace())) == back


def test_a_keep_alive_takes_no_end_back() -> None:
    """A bare packet one below the next number, seconds later, asks whether the peer lives."""
    for later, back in ((130, True), (30_000, False)):
        talk = Talk()
        sent, end = talk.request(talk.open())
        talk.send("S", "FA", 901, end, at=sent + 99)
        talk.send("S", "A", 901, end + 1, at=sent + 99 + later)
        assert ("fin.ack_regression" in found(talk.trace())) == back


def test_swapped_neighbours_take_nothing_back() -> None:
    """The acknowledgement counts one IP ID below the greeting that stands before it: the path swapped the two."""
    for number, back in ((799, False), (801, True)):
        talk = Talk()
        sent, end = talk.request(talk.open(), b"EHLO client.example\r\n")
        talk.send("S", "PA", 901, end, at=sent + 99, data=b"220 mail ready\r\n", id=800, stamped=False)
        talk.send("S", "A", 901, end, at=sent + 130, id=number, stamped=False)
        assert ("data.ack_regression" in found(talk.trace())) == back


def test_greetings_of_one_server_announce_one_window() -> None:
    """Three that all differ are no host's; two machines behind one address repeat themselves."""
    for windows, varies in (((7350, 58017, 899), True), ((7350, 58017), False), ((7350, 58017, 58017, 7350), False)):
        talk = Talk()
        for place, window in enumerate(windows):
            talk.port = 41000 + place
            talk.send("C", "S", 100, 0, at=1000 * place)
            talk.send("S", "SA", 900, 101, at=1000 * place + 6, window=window)
            talk.send("C", "A", 101, 901, at=1000 * place + 7)
        assert ("synack.window_varies" in found(talk.trace())) == varies


def test_greetings_out_of_one_counter() -> None:
    """Window and hop limit climb together from connection to connection; a route that changes moves no window."""
    counted, moved, few = ((44, 1004), (61, 1021), (139, 1099)), ((44, 1004), (61, 1004), (139, 1004)), ((44, 1004),)
    for forged, counts in ((counted, True), (moved, False), (few, False)):
        talk = Talk()
        talk.healthy(-1000)  # the server's own greeting stands beside them
        for place, (hops, window) in enumerate(forged):
            talk.port = 41000 + place
            talk.send("C", "S", 100, 0, at=1000 * place)
            talk.send("S", "SA", 31337, 101, at=1000 * place + 6, window=window, ttl=hops, stamped=False)
            talk.send("C", "A", 101, 31338, at=1000 * place + 7)
        assert ("synack.counting" in found(talk.trace())) == counts


def test_resets_out_of_one_counter() -> None:
    """One reset a connection, each with hop limit and window of its own and the same difference between them."""
    for windows, counts in (((1004, 1021, 1099), True), ((1004, 1004, 1004), False), ((1004, 1033, 7000), False)):
        talk = Talk()
        for place, (hops, window) in enumerate(zip((44, 61, 139), windows, strict=True)):
            talk.port = 41000 + place
            sent, end = talk.request(talk.open(1000 * place))
            talk.send("S", "RA", 901, end, at=sent + 5, window=window, ttl=hops, stamped=False)
        assert ("rst.counting" in found(talk.trace())) == counts


@pytest.mark.parametrize("late", [False, True])
def test_an_answer_to_a_syn_before_the_recording_contradicts_nobody(late: bool) -> None:
    """Where a recording begins with a SYN, it may be the second; an answer far behind the server's is to the first."""
    talk, start = Talk(), 0 if late else 5000
    if not late:  # something was recorded before
        talk.open(0)
        talk.port += 1
    sent, end = talk.request(talk.open(start))
    talk.send("S", "PA", 901, end, at=sent + 101, data=b"HTTP/1.1 200 OK\r\nServer: real one\r\n\r\nhello")
    talk.send("S", "SA", 31337, 101, at=start + 800)
    assert ("synack.contradiction" in found(talk.trace())) == (not late)


def hijacked(*, forged: dict[str, object], taken: bool, goes_on: bool, at: float = 6) -> dict[str, float]:
    """Answer one SYN twice, the second time after 100 ms; who gave the number that was taken goes on, or not."""
    talk = Talk()
    talk.send("C", "S", 100, 0, at=0)
    talk.send("S", "SA", 31337, 101, at=at, **forged)
    talk.send("S", "SA", 900, 101, at=100)
    if taken:
        talk.send("C", "A", 101, 31338, at=at + 1)
        talk.send("C", "A", 101, 31338, at=101)
        talk.send("S", "R", 31338, 0, at=at + 101, stamped=False)
    if goes_on:
        talk.send("C", "PA", 101, 31338, at=at + 2, data=b"hello")
        talk.send("S", "PA", 31338, 106, at=at + 102, data=b"welcome")
    rules = found(talk.trace())
    return {name: llr for name, llr in rules.items() if name.startswith("synack.")}


def test_a_handshake_that_was_taken_over() -> None:
    """The client takes what came first, the server refuses that number; two machines of one service look otherwise."""
    bare = {"scale": [], "stamped": False, "mss": 0}
    assert set(hijacked(forged=bare, taken=True, goes_on=False)) == {
        "synack.contradiction", "synack.nearer", "synack.other_stack", "synack.refused"
    }  # fmt: skip
    assert set(hijacked(forged={}, taken=False, goes_on=False)) == {"synack.contradiction", "synack.nearer"}
    assert set(hijacked(forged={}, taken=True, goes_on=True, at=96)) == {"synack.contradiction"}  # equally far, alike


def test_an_abort_may_acknowledge_its_segments_in_any_order() -> None:
    """Resets that each acknowledge another segment are no burst, whichever came first; two of one segment are."""
    for acks, burst in (((1, 2, 3), False), ((3, 1, 2), False), ((1, 1, 3), True)):
        talk = Talk()
        sent = talk.open() + 1
        for begin in (0, 1460, 2920):
            talk.send("C", "A", 101 + begin, 901, at=sent, data=b"x" * 1460)
        for place, segments in enumerate(acks):
            talk.send("S", "RA", 901, 101 + 1460 * segments, at=sent + 100 + place)
        assert ("rst.burst" in found(talk.trace())) == burst


def test_resets_spare_other_names_or_only_sometimes_strike() -> None:
    """Another name at the same server goes well: a contrast; the same name does: the server is moody."""
    other, same = b"GET / HTTP/1.1\r\nHost: other.example\r\n\r\n", b"GET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n"
    for data, expected in ((other, "rst.spared"), (same, "rst.intermittent")):
        talk = Talk()
        sent, end = talk.request(talk.open(), same)
        talk.send("S", "RA", 901, end, at=sent + 101)
        talk.port += 1
        sent, end = talk.request(talk.open(2000), data)
        talk.send("S", "PA", 901, end, at=sent + 101, data=b"HTTP/1.1 200 OK\r\n\r\n")
        rules = found(talk.trace())
        assert {"rst.spared", "rst.intermittent"} & set(rules) == {expected}


TURNED = (443 >> 8 | (443 & 255) << 8, 40001 >> 8 | (40001 & 255) << 8)


@pytest.mark.parametrize(("ports", "ack", "answered", "told"), [
    (TURNED, 101, True, True),
    (TURNED, 101, False, False),  # a program that forgets the byte order answers so by itself
    (TURNED, 102, True, False),  # it answers another SYN
    ((8443, 40001), 101, True, False),  # another service
])  # fmt: skip
def test_greetings_with_ports_in_the_other_byte_order(
    ports: tuple[int, int], ack: int, answered: bool, told: bool
) -> None:
    """They are a flow of their own, and answer the number of a SYN that the server answers, too."""
    talk = Talk()
    talk.port = 40001
    talk.healthy(-1000)
    if answered:
        talk.open()
    else:
        talk.send("C", "S", 100, 0, at=0)
    talk.send("S", "SA", 31337, ack, at=6, data=b"words", stamped=False, ports=ports)
    trace = talk.trace()
    evidence = RstInjection()(trace)
    named = {(evidence.rules[code].id, int(flow)) for code, flow in zip(evidence.rule, evidence.subject, strict=True)}
    flow = int(np.flatnonzero(trace.flows.client_port == 40001)[0])
    assert (("synack.swapped_ports", flow) in named) == told
    assert not any(rule == "synack.swapped_ports" and other != flow for rule, other in named)


@pytest.mark.parametrize("flags", ["PA", "R"])
@pytest.mark.parametrize(("places", "told"), [
    ((10_000_000, 20_000_000, 30_000_000, 40_000_000), True),
    ((10_000_000, 20_000_000), False),
    ((10_000_000, 10_000_005, 10_000_010, 10_000_015), False),  # left over from an older connection
])  # fmt: skip
def test_numbers_sprayed_over_a_stream(flags: str, places: tuple[int, ...], told: bool) -> None:
    """Bytes or resets at places far from each other and from what the client has room for."""
    data = b"words" if flags == "PA" else b""
    if flags == "R" and places[1] - places[0] == 5:
        places = tuple(places[0] + step for step in range(4))
    talk = Talk()
    sent, end = talk.request(talk.open())
    for step, place in enumerate(places):
        talk.send("S", flags, 901 + place, end, at=sent + 5 + step, data=data, stamped=False)
    talk.send("S", "PA", 901, end, at=sent + 100, data=b"HTTP/1.1 200 OK\r\n\r\n")
    rule = "data.sprayed" if data else "rst.sprayed"
    assert (rule in found(talk.trace())) == told


@pytest.mark.parametrize(("gap", "alive"), [(15_600.0, False), (40.0, True)])
def test_a_kernel_that_knows_nothing_of_its_program_is_no_forger(gap: float, alive: bool) -> None:
    """A scanner's kernel refuses the SYN/ACK, and it asks 15 s later; a client that is cut off goes on at once."""
    talk = Talk(at_server=True, stamps=False)
    talk.send("C", "S", 100, 0, at=0.0, df=False, scale=[])
    talk.send("S", "SA", 900, 101, at=0.05)
    talk.send("C", "R", 101, 0, at=117.0, window=0)
    talk.send("C", "PA", 101, 901, at=117.0 + gap, df=False, data=b"GET / HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n")
    rules = found(talk.trace("server"))
    assert ("rst.alive_after" in rules) == alive
    assert ("rst.df" in rules) == alive
