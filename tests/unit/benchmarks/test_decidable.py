"""What can be decided: each rule with what it asks for, and without it."""

import numpy as np
import pytest
from scapy.all import DNS, DNSQR, DNSRR, IP, UDP

from benchmarks.decidable import decidable
from benchmarks.decidable.rules import rules_for
from benchmarks.scoreboard.labels import Row, of_labels
from netinterf.mechanisms import MECHANISMS
from netinterf.simulate import Conditions, Truth, run
from netinterf.trace import Trace, read
from tests.analyzers.talk import Talk

HELLO = b"GET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n"


def told(trace: Trace, mechanism: str, port: int = 40000, *, vantage: str = "client", **more: object) -> bool:
    """Ask about the conversations from one client port, all interfered with alike."""
    flows, packets = trace.flows, trace.packets
    rows = []
    for place in np.flatnonzero(flows.client_port == port):
        first = int(packets.frame[flows.first_packet[place]])
        rows.append(
            Row(
                truth=Truth(
                    kind="flow", protocol="tcp", client="", client_port=port, server="", server_port=0,
                    name="blocked.example", first_frame=first, mechanism=mechanism, **more,  # type: ignore[arg-type]
                ),
                right=((mechanism,),),
            )
        )  # fmt: skip
    found = decidable(trace, rows, vantage)
    assert len(set(found)) == 1
    return found[0]


def waiting(talk: Talk, tries: int) -> float:
    """Open a connection and send a request again and again."""
    sent = talk.open() + 1
    for number in range(tries):
        talk.send("C", "PA", 101, 901, at=sent + 300 * (2**number - 1), data=HELLO)
    return sent


def beside(talk: Talk, at: float, *, server: str = "192.0.2.50", data: bytes = b"x" * 20) -> None:
    """Play another connection that goes well."""
    other = Talk(server=server)
    other.port = 42000
    sent, end = other.request(other.open(at))
    other.send("S", "PA", 901, end, at=sent + other.rtt, data=data)
    talk.frames += other.frames


@pytest.mark.parametrize(("tries", "heard", "clear"), [(3, 500, True), (2, 500, False), (3, -400, False)])
def test_drops_need_tries_and_a_witness(tries: int, heard: float, clear: bool) -> None:
    """Three transmissions in vain while somebody else is heard; not two, nor when all others were heard before."""
    talk = Talk()
    waiting(talk, tries)
    beside(talk, heard)
    assert told(talk.trace(), "tcp.drop") is clear


def test_a_repeated_tail_is_a_try() -> None:
    """Kernels probe with the last segment first (RFC 8985): any repeat of what nobody acknowledged counts."""
    talk = Talk()
    sent = talk.open() + 1
    for seq, size, at in ((101, 1448, 0), (1549, 80, 0), (1549, 80, 200), (101, 1448, 600)):
        talk.send("C", "PA", seq, 901, at=sent + at, data=b"h" * size)
    beside(talk, 500)
    assert told(talk.trace(), "tcp.drop")


def test_near_the_server_a_silent_client_says_nothing() -> None:
    """Only the end beside the tap can be seen to wait in vain."""
    talk = Talk(at_server=True)
    waiting(talk, 4)
    beside(talk, 500)
    assert not told(talk.trace("server"), "tcp.drop", vantage="server")


@pytest.mark.parametrize("server", ["203.0.113.9", "192.0.2.50"])
def test_a_request_without_an_answer_needs_others_at_that_server(server: str) -> None:
    """It was acknowledged; whether the server answers others decides."""
    talk = Talk()
    sent = waiting(talk, 1)
    talk.send("S", "A", 901, 101 + len(HELLO), at=sent + talk.rtt)
    beside(talk, 500, server=server)
    assert told(talk.trace(), "tcp.drop") is (server == talk.server)


@pytest.mark.parametrize(
    ("others", "clear"), [(["203.0.113.9"], True), (["203.0.113.10", "203.0.113.11"], True), (["192.0.2.50"], False)]
)
def test_closed_addresses_need_life_beside_them(others: list[str], clear: bool) -> None:
    """The same address, or two neighbours, answer."""
    talk = Talk()
    for at in (0, 1000):
        talk.send("C", "S", 100, 0, at=at)
    for server in others:
        beside(talk, 100, server=server)
    assert told(talk.trace(), "tcp.connect.drop") is clear


@pytest.mark.parametrize(("size", "ended", "clear"), [(1000, False, True), (5, False, False), (1000, True, False)])
def test_freezes_need_a_stop_and_a_transfer_that_went_further(size: int, ended: bool, clear: bool) -> None:
    """The server stops in the middle while a longer transfer is heard; one that ends itself is no freeze."""
    talk = Talk()
    sent, end = talk.request(talk.open())
    talk.send("S", "PA", 901, end, at=sent + talk.rtt, data=b"x" * 100)
    if ended:
        talk.send("S", "FA", 1001, end, at=sent + talk.rtt + 1)
    beside(talk, 3000, data=b"y" * size)
    assert told(talk.trace(), "rate.freeze") is clear


@pytest.mark.parametrize(("ttl", "clear"), [(9, True), (64, False)])
def test_sweeps_need_another_hop_limit_that_lives(ttl: int, clear: bool) -> None:
    """A request dies with nine hops and lives with 64; beside one with the same limit nothing follows."""
    talk = Talk()
    talk.open()
    talk.send("C", "PA", 101, 901, at=201, data=HELLO, ttl=ttl)
    talk.healthy(500)
    assert told(talk.trace(), "tcp.drop") is clear


@pytest.mark.parametrize(("tries", "answered", "clear"), [(3, True, True), (2, True, False), (3, False, False)])
def test_swallowed_names_need_tries_and_a_resolver_that_answers(tries: int, answered: bool, clear: bool) -> None:
    """The name is asked for three times, and the resolver answers another one meanwhile."""
    frames = []
    for number in range(tries):
        ask = IP(src="198.51.100.7", dst="192.0.2.53") / UDP(sport=5000 + number, dport=53)
        frames.append(bytes(ask / DNS(id=number, qd=DNSQR(qname="gone.example"))))
    other = IP(src="198.51.100.7", dst="192.0.2.53") / UDP(sport=6000, dport=53)
    frames.append(bytes(other / DNS(id=9, qd=DNSQR(qname="here.example"))))
    if answered:
        back = IP(src="192.0.2.53", dst="198.51.100.7") / UDP(sport=53, dport=6000)
        answer = DNSRR(rrname="here.example", rdata="192.0.2.1")
        frames.append(bytes(back / DNS(id=9, qr=1, qd=DNSQR(qname="here.example"), an=answer)))
    trace = read(times=[10**9 * (1 + place) for place in range(len(frames))], frames=frames, link_type=101)
    truth = Truth(
        kind="exchange", protocol="udp", client="198.51.100.7", client_port=5000, server="192.0.2.53", server_port=53,
        name="gone.example", first_frame=1, mechanism="dns.drop",
    )  # fmt: skip
    assert decidable(trace, [Row(truth=truth, right=(("dns.drop",),))], "client") == (clear,)


def test_forged_packets_need_one_of_their_claimed_sender() -> None:
    """A reset beside the server's SYN/ACK can be compared; where nothing of the server was captured it cannot."""
    for opened in (True, False):
        talk = Talk()
        if opened:
            talk.open()
        talk.send("C", "PA", 101, 901, at=300, data=HELLO)
        frame = talk.send("S", "R", 901, 0, at=310)
        assert told(talk.trace(), "tcp.reset", forged=(frame,)) is opened


@pytest.mark.parametrize("scenario", ["rate.policing.generic", "tls.interception.kazakhstan", "quic.drop.tspu"])
def test_simulated_interference_is_mostly_clear_at_the_client(scenario: str) -> None:
    """On a good capture of its own scenario each rule holds, and of the untouched nothing is asked."""
    from netinterf.simulate import scenarios

    name = next(play.name for play in scenarios() if play.name.startswith(scenario.rpartition(".")[0]))
    played = run(name, 7, Conditions.clean(vantage="client"))
    trace = read(times=played.times, frames=played.frames, link_type=played.link_type)
    labels = of_labels(played.labels)
    found = decidable(trace, labels.rows, "client")
    touched = [clear for clear, row in zip(found, labels.rows, strict=True) if row.right]
    assert all(clear for clear, row in zip(found, labels.rows, strict=True) if not row.right)
    assert sum(touched) >= len(touched) / 2 > 0


def test_every_mechanism_has_a_rule_that_decides_it() -> None:
    """None counts as undecidable because nobody said what shows it."""
    assert [one.path for one in MECHANISMS.values() if not one.general and not rules_for(one.path)] == []
