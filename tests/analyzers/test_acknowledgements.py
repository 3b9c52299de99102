"""What clients acknowledge although their server never said it, seen at the server."""

import numpy as np
import pytest
from scapy.all import IP, TCP

from netinterf.analyzers.acknowledgements import Acknowledgements
from netinterf.analyzers.acknowledgements.premature import find_premature_acks
from netinterf.analyzers.acknowledgements.rules import RULES
from netinterf.analyzers.check import check_analyzer
from netinterf.analyzers.rst_injection import RstInjection
from netinterf.simulate import Conditions, run
from netinterf.trace import Trace, read
from tests.analyzers.talk import Talk

WEIGHTS = {rule.id: rule.weight for rule in RULES}

PAGE = 120  # bytes that somebody else wrote
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n" + b"x" * 300


def rules(trace: Trace, port: int = 40000) -> dict[str, float]:
    """Name the rules that fired on the flow from a client port, with their weights."""
    found = Acknowledgements()(trace)
    flow = int(np.flatnonzero(trace.flows.client_port == port)[0])
    mine = np.flatnonzero(found.subject == flow)
    return {found.rules[found.rule[row]].id: float(found.llr[row]) for row in mine}


def usual(talk: Talk, at: float, port: int) -> None:
    """Play a conversation in which the client takes its time, as its distance demands."""
    talk.port = port
    sent, end = talk.request(talk.open(at))
    talk.send("S", "PA", 901, end, at=sent + 1, data=ANSWER)
    talk.send("C", "A", end, 901 + len(ANSWER), at=sent + 1 + talk.rtt)


def lied_to(
    talk: Talk, *, before: float, length: int = PAGE, asks: bool = True, bare: bool = False, own: bool = True
) -> tuple[float, int]:
    """Let the client acknowledge *length* bytes so many ms before the server speaks; returns when, and the number."""
    talk.port = 40000
    at, end = talk.request(talk.open(0)) if asks else (talk.open(0), 101)
    talk.send("C", "A", end, 901 + length, at=at + 30)
    if bare:
        talk.send("S", "A", 901, end, at=at + 30 + before)
    if own:
        talk.send("S", "PA", 901, end, at=at + 30 + before + 1, data=ANSWER)
    return at + 30, end


def at_server() -> Talk:
    """Begin a capture at a server that serves somebody as usual."""
    talk = Talk(at_server=True)
    usual(talk, -3000, 41000)
    usual(talk, -2000, 41001)
    return talk


def test_bytes_that_the_server_had_not_sent_are_somebody_elses() -> None:
    """They were acknowledged; then the server begins to send its own in their place."""
    talk = at_server()
    lied_to(talk, before=20)
    assert rules(talk.trace("server")) == {"page.acked_early": WEIGHTS["page.acked_early"]}
    assert rules(talk.trace("server"), 41000) == {}


def test_the_servers_own_number_shows_what_it_had_sent() -> None:
    """Its next bare packet still begins where it had begun: nothing can have been lost."""
    talk = at_server()
    lied_to(talk, before=20, bare=True)
    assert rules(talk.trace("server")) == {"page.acked_unsent": WEIGHTS["page.acked_unsent"]}


@pytest.mark.parametrize(("bare", "sign"), [(False, "acked_early"), (True, "acked_unsent")])
@pytest.mark.parametrize(("length", "asks", "kind"), [(1, True, "fin"), (PAGE, True, "page"), (PAGE, False, "data")])
def test_it_is_called_by_what_the_client_must_have_got(
    length: int, asks: bool, kind: str, bare: bool, sign: str
) -> None:
    """One number is an end of the stream, an answer to a request a page, anything else data."""
    talk = at_server()
    lied_to(talk, before=20, length=length, asks=asks, bare=bare)
    rule = f"{kind}.{sign}"
    assert rules(talk.trace("server")) == {rule: WEIGHTS[rule]}


def test_what_the_capture_lost_is_no_lie() -> None:
    """The server goes on behind what was acknowledged: it had sent those bytes."""
    talk = at_server()
    at, end = lied_to(talk, before=20, own=False)
    talk.send("S", "PA", 901 + PAGE, end, at=at + 50, data=ANSWER)
    assert rules(talk.trace("server")) == {}


def test_an_answer_that_ends_where_it_was_acknowledged_was_only_swapped() -> None:
    """The client's acknowledgement stands before the very bytes that it acknowledges."""
    for length, expected in ((PAGE, {}), (PAGE + 1, {"page.acked_early": WEIGHTS["page.acked_early"]})):
        talk = at_server()
        at, end = lied_to(talk, before=20, own=False)
        talk.send("S", "PA", 901, end, at=at + 50, data=ANSWER[:12] + bytes(length - 12))
        assert rules(talk.trace("server")) == expected


def test_nobody_takes_more_than_it_offered() -> None:
    """An acknowledgement far beyond the client's own window is a stray of something else."""
    talk = at_server()
    lied_to(talk, before=20, length=1 << 29)
    assert rules(talk.trace("server")) == {}


def test_a_capture_with_holes_trusts_no_bytes_that_come_late() -> None:
    """What it lost once and the network once more looks the same; only a bare packet tells then."""
    for bare in (False, True):
        talk = at_server()
        lied_to(talk, before=20, bare=bare)
        talk.port = 42000
        _, end = talk.request(talk.open(-5000))
        talk.send("S", "A", 901, end + 500, at=-4000)
        assert bool(rules(talk.trace("server"))) == bare


def test_near_the_client_all_that_is_forged_is_captured() -> None:
    """There such an acknowledgement tells of a capture that lost packets."""
    talk = Talk()
    lied_to(talk, before=20, bare=True)
    assert rules(talk.trace("client")) == {}


def hasty(talk: Talk, port: int, at: float, waited: float) -> None:
    """Let the client acknowledge the server's first segment so many ms after it was sent."""
    talk.port = port
    sent, end = talk.request(talk.open(at))
    talk.send("S", "A", 901, end, at=sent + 1, data=ANSWER[:PAGE])
    talk.send("S", "PA", 901 + PAGE, end, at=sent + 1, data=ANSWER[PAGE:])
    talk.send("C", "A", end, 901 + PAGE, at=sent + 1 + waited)
    talk.send("C", "A", end, 901 + len(ANSWER), at=sent + 1 + talk.rtt)


def test_an_acknowledgement_sooner_than_the_way_is_long_is_of_something_else() -> None:
    """Five milliseconds after the server spoke; to the client and back it is a hundred."""
    talk = at_server()
    hasty(talk, 40000, 0, 5)
    assert rules(talk.trace("server")) == {"page.acked_soon": WEIGHTS["page.acked_soon"]}


@pytest.mark.parametrize("waited", [60.0, 101.0])
def test_an_acknowledgement_in_its_time_is_no_matter(waited: float) -> None:
    """More than half of the round trip may be a faster path."""
    talk = at_server()
    hasty(talk, 40000, 0, waited)
    assert rules(talk.trace("server")) == {}


def test_a_proxy_that_acknowledges_for_its_clients_is_nobodys_lie() -> None:
    """All first acknowledgements come at once: they are not the client's."""
    talk = Talk(at_server=True)
    for place in range(4):
        hasty(talk, 40000 + place, 1000.0 * place, 5)
    assert rules(talk.trace("server")) == {}


def test_a_path_that_became_shorter_is_nobodys_lie() -> None:
    """The greetings were slow, and all that follows is fast."""
    talk = at_server()
    hasty(talk, 40000, 0, 5)
    talk.send("S", "PA", 901 + len(ANSWER), 200, at=500, data=ANSWER)
    talk.send("C", "A", 200, 901 + 2 * len(ANSWER), at=506)
    assert rules(talk.trace("server")) == {}


def test_a_proxy_may_acknowledge_for_its_clients_at_one_port_only() -> None:
    """What goes all the way to another port says nothing of the port that it speaks for."""
    talk = Talk(at_server=True)
    hasty(talk, 40000, 0, 5)
    plain = at_server()
    assert "page.acked_soon" not in rules(beside(talk, plain, port=8443))
    assert "page.acked_soon" in rules(beside(talk, plain, port=443))


def beside(talk: Talk, other: Talk, *, port: int) -> Trace:
    """Read two talks as one capture, the server port of the second replaced."""
    for at, frame in other.frames:
        packet = IP(frame)
        if packet.src == other.server:
            packet.sport = port
        else:
            packet.dport = port
        del packet.chksum, packet[TCP].chksum
        talk.frames.append((at, bytes(packet)))
    found = talk.trace("server")
    talk.frames = talk.frames[: -len(other.frames)]
    return found


def between(talk: Talk, port: int, at: float, ends: int, *, data: bytes = ANSWER, mss: int = 1460) -> None:
    """Let the server answer, and the client acknowledge so many bytes of that after the whole way."""
    talk.port = port
    for side, flags, seq, ack, when in (("C", "S", 100, 0, at), ("S", "SA", 900, 101, at + 0.05)):
        talk.send(side, flags, seq, ack, at=when, mss=mss)
    talk.send("C", "A", 101, 901, at=at + talk.rtt)
    sent, end = talk.request(at + talk.rtt)
    talk.send("S", "PA", 901, end, at=sent + 1, data=data)
    talk.send("C", "A", end, 901 + ends, at=sent + 1 + talk.rtt)
    talk.send("C", "A", end, 901 + len(data), at=sent + 2 + talk.rtt)


@pytest.mark.parametrize(("ends", "rule"), [(PAGE, "page.acked_between"), (1, "fin.acked_between")])
def test_a_receiver_acknowledges_where_a_segment_ends(ends: int, rule: str) -> None:
    """To the middle of one only who got bytes of another length before: a forged page of 120 bytes, or an end."""
    talk = at_server()
    between(talk, 40000, 0, ends)
    between(talk, 40001, 1000, len(ANSWER))
    trace = talk.trace("server")
    assert rules(trace) == {rule: WEIGHTS[rule]}
    assert rules(trace, 40001) == {}


@pytest.mark.parametrize(("size", "mss", "ends", "odd"), [
    (3000, 1460, 1448, False), (3000, 1460, 120, True), (308, 256, 244, False), (200, 256, 120, True),
    (4000, 0, 535, False),
])  # fmt: skip
def test_what_an_offload_cuts_later_has_ends_inside(size: int, mss: int, ends: int, odd: bool) -> None:
    """A large packet at the server leaves as segments; only an end before the least of them is nobody's."""
    talk = at_server()
    between(talk, 40000, 0, ends, data=ANSWER[:40] + b"x" * (size - 40), mss=mss)
    assert ("page.acked_between" in rules(talk.trace("server"))) == odd


def test_a_client_that_always_ends_so_has_a_proxy() -> None:
    """Five connections, all alike; one that ends as usual shows that there is none."""
    for usual, found in ((False, set()), (True, {"page.acked_between"})):
        talk = Talk(at_server=True)
        for place in range(5):
            between(talk, 40000 + place, 1000.0 * place, PAGE)
        if usual:
            between(talk, 40010, 6000, len(ANSWER))
        assert set(rules(talk.trace("server"))) == found


def test_hasty_against_a_loop() -> None:
    """Flow by flow over random waits, the obvious way."""
    rng = np.random.default_rng(4)
    talk = at_server()
    waits = rng.uniform(1, 130, 40)
    for place, waited in enumerate(waits):
        hasty(talk, 42000 + place, 1000.0 * place, float(waited))
    trace = talk.trace("server")
    told = {int(trace.flows.client_port[flow]) - 42000 for flow in find_premature_acks(trace).flow}
    least = talk.rtt + 0.05
    early = {place for place, waited in enumerate(waits) if waited < 0.5 * least and least - waited >= 10}
    late = 2 + sum(waited >= least for waited in waits)
    assert told == (early if late > len(early) else set())


def test_a_greeting_that_nobody_gave() -> None:
    """The client answers another number than its server's, and goes on with it."""
    talk = at_server()
    talk.port = 40000
    talk.send("C", "S", 100, 0, at=0)
    talk.send("S", "SA", 900, 101, at=0.1)
    talk.send("C", "A", 101, 3_000_000_001, at=100)
    talk.send("C", "PA", 101, 3_000_000_001, at=101, data=b"GET / HTTP/1.1\r\n\r\n")
    weight = WEIGHTS["synack.unknown_number"]
    assert rules(talk.trace("server")) == {"synack.unknown_number": weight / 2}
    talk.send("S", "R", 3_000_000_001, 0, at=101.1)  # it knows no such connection
    assert rules(talk.trace("server")) == {"synack.unknown_number": weight}
    talk.send("C", "A", 101, 901, at=300)  # a stray of an older connection came first
    assert rules(talk.trace("server")) == {}


def test_a_server_that_takes_what_was_said_knows_the_number() -> None:
    """Numbers that no stack would accept were written by hand, or changed in the capture."""
    talk = at_server()
    talk.port = 40000
    talk.send("C", "S", 100, 0, at=0)
    talk.send("S", "SA", 900, 101, at=0.1)
    talk.send("C", "PA", 101, 3_000_000_001, at=101, data=b"GET / HTTP/1.1\r\n\r\n")
    talk.send("S", "A", 901, 119, at=101.1)
    assert rules(talk.trace("server")) == {}


def test_two_greetings_of_the_server_are_its_own() -> None:
    """A balancer answered twice: the client may know either."""
    talk = at_server()
    talk.port = 40000
    talk.send("C", "S", 100, 0, at=0)
    talk.send("S", "SA", 900, 101, at=0.1)
    talk.send("S", "SA", 3_000_000_000, 101, at=1)
    talk.send("C", "A", 101, 3_000_000_001, at=100)
    assert rules(talk.trace("server")) == {}


def test_a_client_that_was_lied_to_ends_by_itself() -> None:
    """Its FIN acknowledges no more than it had acknowledged before: how early that was is not held against the FIN."""
    for before in (True, False):
        talk = at_server()
        talk.port = 40000
        sent, end = talk.request(talk.open(0))
        talk.send("S", "PA", 901, end, at=sent + 1, data=ANSWER)
        if before:
            talk.send("C", "A", end, 901 + len(ANSWER), at=sent + 5)
        talk.send("C", "FA", end, 901 + len(ANSWER), at=sent + 6)
        trace = talk.trace("server")
        found = RstInjection()(trace)
        assert ("fin.premature" in {found.rules[code].id for code in found.rule}) == (not before)


@pytest.mark.parametrize("scenario", ["benign.tcp.accelerator", "benign.tcp.capture-holes", "benign.tcp.syn-cookies",
                                      "benign.rate.radio-handover", "benign.tcp.second-backend"])  # fmt: skip
@pytest.mark.parametrize("vantage", ["server", "middle"])
def test_look_alikes_are_silent(scenario: str, vantage: str) -> None:
    """Proxies, holes, cookies and changing paths."""
    for seed in range(3):
        made = run(scenario, 60 + seed, Conditions(ip=4, vantage=vantage))
        trace = read(times=made.times, frames=made.frames, link_type=made.link_type)
        assert len(Acknowledgements()(trace)) == 0


def test_it_keeps_the_contract_of_an_analyzer() -> None:
    """Deterministic, picklable, within its scope, and quiet on connections that went well."""
    odd = at_server()
    lied_to(odd, before=20)
    check_analyzer(Acknowledgements(), [odd.trace("server")], benign=[at_server().trace("server")])
