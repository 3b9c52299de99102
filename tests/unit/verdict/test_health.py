"""What happened when nobody interfered: each reason of the catalogue, and what counts as having worked."""

from collections.abc import Callable

import numpy as np
import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from netinterf.context.special import Special
from netinterf.schema import Mark, Outcome, Status, TlsKind
from netinterf.simulate import Conditions, run
from netinterf.trace import read
from netinterf.verdict import classify
from netinterf.verdict.health import exchange_reasons, flow_reasons, outcomes
from netinterf.verdict.reasons import CATALOGUE, Reason, causes, first_outcome
from tests.unit.verdict.tables import ACK, CUT, FIN, RST, SYN, World, evidence, plain_model, rule

Case = Callable[[World], None]


def syn(world: World, *, port: int = 443, protocol: int = 6) -> int:
    """Open a flow whose client sent a SYN."""
    flow = world.flow(protocol, port)
    world.send(flow, 0, out=True, flags=SYN)
    return flow


def handshake(world: World) -> int:
    """Open a flow with a whole handshake."""
    flow = syn(world)
    world.send(flow, 0.05, out=False, flags=SYN | ACK)
    world.send(flow, 0.05, out=True, flags=ACK)
    return flow


def late(world: World) -> None:
    """Let the capture run on for ten seconds."""
    world.visit(world.flow(), 10)


def syn_unanswered(world: World) -> None:
    """Nobody answers, and the capture runs on."""
    world.send(syn(world), 1, out=True, flags=SYN)
    late(world)


def syn_doubled(world: World) -> None:
    """Nobody answers, and each frame was captured twice."""
    flow = syn(world)
    world.send(flow, 0.0001, out=True, flags=SYN, marks=Mark.DUPLICATE_FRAME)
    late(world)


def ended_early(world: World) -> None:
    """The capture ends with the SYN."""
    syn(world)


def refused(world: World) -> None:
    """A closed port."""
    world.send(syn(world), 0.05, out=False, flags=RST | ACK)


def one_direction(world: World) -> None:
    """Only the client was captured."""
    flow = syn(world)
    world.send(flow, 0.1, out=True, flags=ACK)
    world.send(flow, 0.2, out=True, flags=ACK, payload=100)


def snaplen(world: World) -> None:
    """Nothing of the payload was captured."""
    flow = handshake(world)
    world.send(flow, 0.1, out=True, flags=ACK, payload=100, captured=54, status=Status.PAYLOAD_CUT)
    world.send(flow, 0.2, out=False, flags=ACK, payload=100)


def header_cut(world: World) -> None:
    """A header was cut."""
    world.visit(world.flow())
    world.packets[3]["status"] = CUT


def unreachable(world: World) -> None:
    """A router says that the destination cannot be reached."""
    syn(world)
    report = world.flow(1, 0)
    world.quotes.append((world.send(report, 0.1, out=True, icmp=3 << 8 | 1), 0))


def out_of_hops(world: World) -> None:
    """A router says that the packet had run out of hops."""
    syn(world)
    report = world.flow(1, 0)
    world.quotes.append((world.send(report, 0.1, out=True, icmp=11 << 8), 0))


def unfinished(world: World) -> None:
    """The SYN is answered but never acknowledged."""
    world.send(syn(world), 0.05, out=False, flags=SYN | ACK)


def request_unanswered(world: World) -> None:
    """The request is never answered."""
    world.send(handshake(world), 0.1, out=True, flags=ACK, payload=100)
    late(world)


def reset_unexplained(world: World) -> None:
    """The request is answered with a reset."""
    flow = handshake(world)
    world.send(flow, 0.1, out=True, flags=ACK, payload=100)
    world.send(flow, 0.15, out=False, flags=RST | ACK)


def stalled(world: World) -> None:
    """It works, then the server's data is sent in vain."""
    world.visit(world.flow(), close=False)
    for place in range(4):
        world.send(0, 1 + place, out=False, flags=ACK, payload=100, side={"repeats": 3, "acked": 1000})


def mid_stream(world: World) -> None:
    """The handshake was not captured."""
    flow = world.flow()
    world.send(flow, 0, out=True, flags=ACK, payload=10)
    world.send(flow, 0.1, out=False, flags=ACK, payload=10)


def no_payload(world: World) -> None:
    """A connection opened and closed without data."""
    flow = handshake(world)
    world.send(flow, 0.1, out=True, flags=FIN | ACK)
    world.send(flow, 0.2, out=False, flags=FIN | ACK)


def too_few(world: World) -> None:
    """The server spoke once, and the capture ended."""
    flow = handshake(world)
    world.send(flow, 0.1, out=False, flags=ACK, payload=10)


def fragments(world: World) -> None:
    """Only later fragments."""
    flow = world.flow(17, 0)
    world.send(flow, 0, out=True, status=Status.FRAGMENT_LATER)


def udp_one_way(world: World) -> None:
    """A datagram without an answer."""
    world.send(world.flow(17, 514), 0, out=True, payload=10)


def to_a_group(world: World) -> None:
    """Datagrams to a group, as of service discovery."""
    world.special = Special.MULTICAST
    udp_one_way(world)


def to_all_hosts(world: World) -> None:
    """A cry to all hosts of the link."""
    world.special = Special.BROADCAST
    udp_one_way(world)


def ping(world: World) -> None:
    """An echo request without a reply."""
    world.send(world.flow(1, 0), 0, out=True, icmp=8 << 8)


def icmp_error(world: World) -> None:
    """An error about a packet that was not captured."""
    world.quotes.append((world.send(world.flow(1, 0), 0, out=True, icmp=3 << 8), -1))


def gre(world: World) -> None:
    """Another protocol."""
    world.send(world.flow(47, 0), 0, out=True)


def dns_case(*replies: int, end: float = 10.0) -> Case:
    """Ask once, get these answers, and let the capture run on."""

    def build(world: World) -> None:
        world.ask(world.flow(17, 53), replies=replies)
        if end:
            world.visit(world.flow(), end)

    return build


def query_missing(world: World) -> None:
    """An answer without its question."""
    world.ask(world.flow(17, 53))
    world.exchanges[0]["queries"] = []


def unreadable(world: World) -> None:
    """An answer that cannot be read."""
    world.ask(world.flow(17, 53))
    world.dns[1]["error"] = 2


def hello(world: World, *, answer: int = 0) -> int:
    """Say hello over TLS; *answer* is what kind of message comes back, 0 for none."""
    flow = handshake(world)
    asked = world.send(flow, 0.1, out=True, flags=ACK, payload=100)
    world.says("tls", asked, TlsKind.CLIENT_HELLO, out=True)
    if answer:
        told = world.send(flow, 0.2, out=False, flags=ACK, payload=100, relative_ack=101)
        world.says("tls", told, answer, out=False)
    return flow


def closed_without_a_word(world: World) -> None:
    """The server closes behind the hello."""
    world.send(hello(world), 0.2, out=False, flags=FIN | ACK)


def alerted(world: World) -> None:
    """The hello is answered with an alert."""
    world.send(hello(world, answer=TlsKind.ALERT), 0.3, out=False, flags=FIN | ACK)


def hello_left_alone(world: World) -> None:
    """The client says nothing after the server's hello."""
    hello(world, answer=TlsKind.SERVER_HELLO)
    late(world)


def hello_cut_short(world: World) -> None:
    """The client waits behind the server's hello, and announces its end again and again, which nobody acknowledges."""
    flow = hello(world, answer=TlsKind.SERVER_HELLO)
    world.send(flow, 9, out=True, flags=FIN | ACK, side={"acked": 101, "repeats": 3})


def refusing_page(world: World) -> None:
    """The request is answered with 403."""
    world.visit(world.flow())
    world.says("http", 3, 0, out=True)
    world.says("http", 4, 403, out=False)


def asked_in_vain(world: World) -> None:
    """The client asks, waits and leaves; the server acknowledges and closes as well."""
    flow = hello(world)
    world.send(flow, 9, out=True, flags=FIN | ACK)
    world.send(flow, 9.1, out=False, flags=FIN | ACK)


REACHED: list[tuple[Case, Reason]] = [
    (fragments, Reason.FRAGMENTARY),
    (query_missing, Reason.QUERY_MISSING),
    (unreadable, Reason.DNS_UNREADABLE),
    (one_direction, Reason.ONE_DIRECTION),
    (ended_early, Reason.ENDED_EARLY),
    (dns_case(end=0), Reason.ENDED_EARLY),
    (snaplen, Reason.SNAPLEN),
    (header_cut, Reason.SNAPLEN),
    (out_of_hops, Reason.TIME_EXCEEDED),
    (unreachable, Reason.UNREACHABLE),
    (syn_unanswered, Reason.SYN_UNANSWERED),
    (syn_doubled, Reason.SYN_UNANSWERED),
    (refused, Reason.REFUSED),
    (unfinished, Reason.HANDSHAKE_UNFINISHED),
    (request_unanswered, Reason.REQUEST_UNANSWERED),
    (reset_unexplained, Reason.RESET_UNEXPLAINED),
    (stalled, Reason.STALLED),
    (mid_stream, Reason.MID_STREAM),
    (no_payload, Reason.NO_PAYLOAD),
    (udp_one_way, Reason.UDP_UNANSWERED),
    (ping, Reason.ICMP_UNANSWERED),
    (icmp_error, Reason.ICMP_MESSAGE),
    (to_a_group, Reason.LINK_ONLY),
    (to_all_hosts, Reason.LINK_ONLY),
    (gre, Reason.OTHER_PROTOCOL),
    (dns_case(), Reason.DNS_UNANSWERED),
    (dns_case(2), Reason.DNS_SERVFAIL),
    (dns_case(5), Reason.DNS_REFUSED),
    (dns_case(4), Reason.DNS_ERROR),
    (too_few, Reason.TOO_FEW),
    (closed_without_a_word, Reason.CLOSED_UNEXPLAINED),
    (alerted, Reason.ALERT_UNEXPLAINED),
    (hello_left_alone, Reason.TLS_UNFINISHED),
    (hello_cut_short, Reason.STALLED),
    (refusing_page, Reason.REFUSAL_UNEXPLAINED),
    (asked_in_vain, Reason.REQUEST_UNANSWERED),
]
BY_EVIDENCE = {Reason.SUSPICION, Reason.NO_CONTRAST, Reason.BUDGET, Reason.GAP}


def judged(case: Case) -> tuple[int, Outcome]:
    """Judge the first subject of a world without evidence: exchanges first where there are any."""
    case(world := World())
    trace = world.trace()
    flow = flow_reasons(trace)
    bits = exchange_reasons(trace, flow) if world.exchanges else flow
    return int(bits[0]), list(Outcome)[outcomes(bits[:1])[0]]


@pytest.mark.parametrize(("case", "reason"), REACHED, ids=lambda value: getattr(value, "name", None) or value.__name__)
def test_each_reason_decides(case: Case, reason: Reason) -> None:
    """The reason is found, it decides, and the outcome is the one in the catalogue."""
    bits, outcome = judged(case)
    assert causes(bits)[0].reason is reason
    assert CATALOGUE[reason].outcome is outcome


def test_an_answer_that_stops_in_its_middle_has_stalled() -> None:
    """Transfers that froze within a record, and whose end nobody acknowledged, failed; those that went on did not."""
    played = run("rate.freeze.packets", 3, Conditions.clean(ip=4))
    trace = read(times=played.times, frames=played.frames, link_type=played.link_type)
    frozen = {truth.first_frame for truth in played.labels.interfered() if truth.kind == "flow"}
    stalled = trace.packets.frame[trace.flows.first_packet[flow_reasons(trace) & Reason.STALLED != 0]]
    assert 1 < len(stalled) <= len(frozen)
    assert set(stalled.tolist()) <= frozen


@pytest.mark.parametrize(
    ("target", "mac", "reason"),
    [
        ("192.0.2.255", "ff:ff:ff:ff:ff:ff", Reason.LINK_ONLY),
        ("192.0.2.15", "ff:ff:ff:ff:ff:ff", Reason.LINK_ONLY),
        ("192.0.2.255", "02:00:00:00:00:02", Reason.UDP_UNANSWERED),
        ("192.0.2.8", "ff:ff:ff:ff:ff:ff", Reason.UDP_UNANSWERED),
        ("198.51.100.255", "ff:ff:ff:ff:ff:ff", Reason.UDP_UNANSWERED),
        ("198.51.100.9", "ff:ff:ff:ff:ff:ff", Reason.UDP_UNANSWERED),
    ],
)
def test_a_subnet_s_broadcast_is_known_by_its_frame_and_address(target: str, mac: str, reason: Reason) -> None:
    """The frame goes to everybody, and the address may be the last of the sender's subnet; else it is one host.

    Made captures often have frames to everybody throughout, and what is not answered there stays worth a sentence.
    """
    said = bytes(IP(src="192.0.2.7", dst=target) / UDP(sport=138, dport=138) / b"here I am")
    frames = [bytes(Ether(src="02:00:00:00:00:01", dst=mac, type=0x800)) + said] * 3
    trace = read(times=[0, 10**9, 2 * 10**9], frames=frames, link_type="ethernet")
    assert causes(int(flow_reasons(trace)[0]))[0].reason is reason


def test_every_reason_is_reachable() -> None:
    """No reason of the catalogue is dead: a rule or the weighing of evidence gives each."""
    assert set(Reason) == {reason for _, reason in REACHED} | BY_EVIDENCE == set(CATALOGUE)


def test_suspicion_is_given_by_evidence() -> None:
    """Evidence that makes interference possible gives its own reason and hides the others."""
    mid_stream(world := World())
    rules = [rule("reset", "tcp.reset")]
    verdicts = classify(evidence(rules, [(0, "reset", 6.0)]), world.trace(), plain_model())
    assert [cause.reason for cause in causes(int(verdicts.reasons[0]))] == [Reason.SUSPICION]


def test_catalogue_is_public_and_plain() -> None:
    """Codes are unique dotted words, and what is insufficient says what would settle it."""
    codes = [cause.code for cause in CATALOGUE.values()]
    assert len(set(codes)) == len(codes)
    for cause in CATALOGUE.values():
        assert "." in cause.code
        assert cause.says.endswith(".")
        if cause.outcome is Outcome.INSUFFICIENT:
            assert any(word in cause.says for word in ("would", "see the flow")), cause.code
    assert first_outcome(0) is Outcome.OK
    assert first_outcome(int(Reason.TOO_FEW | Reason.REFUSED)) is Outcome.DOWN


def abort(world: World) -> None:
    """The client aborts after it got its answer."""
    world.visit(world.flow(), close=False)
    world.send(0, 0.5, out=True, flags=RST)


def still_open(world: World) -> None:
    """Data both ways, still open at the end."""
    world.visit(world.flow(), close=False)


def late_reset(world: World) -> None:
    """The server resets after both closed."""
    world.visit(world.flow())
    world.send(0, 0.3, out=False, flags=RST)


def upload(world: World) -> None:
    """A one-way transfer that ended in order."""
    flow = handshake(world)
    world.send(flow, 0.1, out=True, flags=ACK, payload=100)
    world.send(flow, 0.2, out=True, flags=FIN | ACK)
    world.send(flow, 0.3, out=False, flags=FIN | ACK)


def datagrams(world: World) -> None:
    """UDP both ways."""
    flow = world.flow(17, 443)
    world.send(flow, 0, out=True, payload=1200)
    world.send(flow, 0.1, out=False, payload=1200)


@pytest.mark.parametrize(
    "case", [abort, still_open, late_reset, upload, datagrams, dns_case(0), dns_case(3), dns_case(2, 0)]
)
def test_what_worked_is_ok(case: Case) -> None:
    """Data both ways, orderly transfers, and answered questions are ``ok`` and have no reason."""
    assert judged(case) == (0, Outcome.OK)


def test_a_capture_of_one_direction_does_not_call_resolvers_dead() -> None:
    """When nothing in the capture is ever answered, unanswered questions say nothing."""
    world = World()
    for place in range(3):
        world.ask(world.flow(17, 53), 4.0 * place, replies=())
    trace = world.trace()
    bits = exchange_reasons(trace, flow_reasons(trace))
    assert np.all(bits & Reason.ONE_DIRECTION)
