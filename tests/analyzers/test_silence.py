"""Silences: each kind where it belongs, the contrast that makes it suspicious, and what makes it harmless."""

from typing import Any

import numpy as np
import pytest
from scapy.all import ICMP, IP
from scipy.stats import fisher_exact

from netinterf.analyzers.check import check_analyzer
from netinterf.analyzers.run import analyze
from netinterf.analyzers.silence import Silence
from netinterf.analyzers.silence.probes import fisher
from netinterf.analyzers.unanswered.sizes import large_only
from netinterf.analyzers.unanswered.unacked import find_unacked
from netinterf.simulate import Conditions, run
from netinterf.simulate.messages.tls import client_hello
from netinterf.trace import Trace, read
from netinterf.verdict.combine import classify
from netinterf.written.ledger import explain
from tests.analyzers.talk import BEGIN_NS, Talk, fired

BLOCKED = b"GET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n"
OTHER = b"GET / HTTP/1.1\r\nHost: other.example\r\n\r\n"
STRANGE = b"SSH-2.0-x\r\n"
"""First bytes of a protocol that does not belong on the port of the web."""

FAMILIES = pytest.mark.parametrize(("family", "data"), [("drop", BLOCKED), ("filter", STRANGE)], ids=["name", "bytes"])
"""The same silence, of a name and of a protocol."""


def rules(trace: Trace, flow: int) -> dict[str, float]:
    """Name the rules that fired on a flow, with their weights."""
    found = Silence()(trace)
    mine = np.flatnonzero(found.subject == flow)
    return {found.rules[found.rule[row]].id: float(found.llr[row]) for row in mine}


def flow_of(trace: Trace, port: int) -> int:
    """Find the flow from a client port."""
    return int(np.flatnonzero(trace.flows.client_port == port)[0])


def silenced(
    talk: Talk, at: float = 0.0, *, data: bytes = BLOCKED, tries: int = 5, acked: bool = False, port: int = 40000
) -> float:
    """Open a connection and say something again and again that nobody answers; returns the time of the last try."""
    talk.port = port
    sent = talk.open(at) + 1
    for number in range(tries):
        when = sent + 300 * (2**number - 1)
        talk.send("C", "PA", 101, 901, at=when, data=data)
    if acked:
        talk.send("S", "A", 901, 101 + len(data), at=sent + talk.rtt)
    return when


def answered(talk: Talk, at: float, *, data: bytes = OTHER, port: int = 41000) -> None:
    """Play a connection to the same server that goes well, under a name of one's choice."""
    talk.port = port
    sent, end = talk.request(talk.open(at), data)
    talk.send("S", "PA", 901, end, at=sent + talk.rtt, data=b"HTTP/1.1 200 OK\r\n\r\n")
    talk.send("C", "FA", end, 920, at=sent + talk.rtt + 1)
    talk.send("S", "FA", 920, end + 1, at=sent + 2 * talk.rtt + 1)
    talk.send("C", "A", end + 1, 921, at=sent + 2 * talk.rtt + 2)


def test_a_request_that_nobody_hears_is_a_silence() -> None:
    """Sent five times over nine seconds, right after the handshake, and never acknowledged."""
    talk = Talk()
    silenced(talk)
    trace = talk.trace()
    assert set(rules(trace, 0)) == {"drop.request", "drop.greeted"}
    found = Silence()(trace)
    request = np.flatnonzero(trace.packets.payload_length > 0)
    assert all(row.tolist() == [request[0]] for row in found.forged)


@pytest.mark.parametrize(("tries", "acked"), [(2, False), (5, True)])
def test_loss_and_acknowledged_requests_are_no_silences(tries: int, acked: bool) -> None:
    """Two losses happen, and what was acknowledged was heard."""
    talk = Talk()
    silenced(talk, tries=tries, acked=acked)
    assert "drop.request" not in rules(talk.trace(), 0)


def test_a_server_that_hears_others_and_not_this_name_is_cut_off() -> None:
    """The contrast of names at one address: what acknowledges others would acknowledge this one before reading it."""
    for at in (2000.0, -20_000.0):
        talk = Talk()
        silenced(talk)
        answered(talk, at)
        trace = talk.trace()
        found = rules(trace, flow_of(trace, 40000))
        assert "drop.ignored" in found
        assert not {"drop.served", "drop.served_near"} & set(found)
        assert [sign["served"] for sign in told_of(talk, "drop.ignored")] == [1]


@pytest.mark.parametrize(("since", "told"), [(None, False), (20_000.0, True)])
def test_a_server_that_answers_nobody_any_more_singles_nobody_out(since: float | None, told: bool) -> None:
    """It served another name before, and ignores both from then on: it has had enough, unless it serves again."""
    talk = Talk()
    answered(talk, -20_000.0)
    silenced(talk)
    silenced(talk, 500, data=OTHER, port=41001)
    if since is not None:
        answered(talk, since, port=41002)
    trace = talk.trace()
    found = rules(trace, flow_of(trace, 40000))
    assert ("drop.ignored" in found) is told
    assert (found.get("drop.server", 0.0) < 0) is not told


def test_a_server_whose_queue_is_full_ignores_whom_it_cannot_take() -> None:
    """It repeats its SYN/ACK and takes no data, while connections that it took before go on: nobody is singled out."""
    talk = Talk()
    silenced(talk)
    for at in (1000.0, 3000.0, 7000.0):
        talk.send("S", "SA", 900, 101, at=at)
    answered(talk, 2000)
    trace = talk.trace()
    found = rules(trace, flow_of(trace, 40000))
    assert "drop.request" in found
    assert not {"drop.ignored", "drop.served", "drop.served_near", "drop.one_way"} & set(found)


def test_a_server_may_choose_whom_it_answers() -> None:
    """A request that was acknowledged and not answered: others are served, and the server may have read the name."""
    for at, expected in ((2000.0, "drop.served"), (-20_000.0, "drop.served_near")):
        talk = Talk()
        talk.port = 40000
        sent, end = talk.request(talk.open(0))
        talk.send("S", "A", 901, end, at=sent + 100)
        talk.send("C", "FA", end, 901, at=sent + 9000)
        answered(talk, at)
        trace = talk.trace()
        found = rules(trace, flow_of(trace, 40000))
        assert {"drop.ignored", "drop.served", "drop.served_near"} & set(found) == {expected}


def test_the_same_name_going_well_speaks_against_a_name_block() -> None:
    """A server that answers the name a few seconds later is only moody."""
    talk = Talk()
    silenced(talk)
    answered(talk, 15_000, data=BLOCKED)
    trace = talk.trace()
    assert rules(trace, flow_of(trace, 40000))["drop.intermittent"] < 0


def test_a_server_that_is_silent_to_all_is_down() -> None:
    """Two names at one server fall silent together and none is answered."""
    talk = Talk()
    silenced(talk)
    silenced(talk, 500, data=OTHER, port=41000)
    trace = talk.trace()
    assert all(rules(trace, flow)["drop.server"] < 0 for flow in (0, 1))
    assert "drop.residual" not in rules(trace, 1)


def test_a_dead_line_explains_everything() -> None:
    """The client asks elsewhere too, and nothing comes from anywhere."""
    talk = Talk()
    silenced(talk)
    elsewhere = Talk(server="192.0.2.77")
    for number in range(3):
        elsewhere.send("C", "S", 100, 0, at=1000 + 1000 * number)
    talk.frames += elsewhere.frames
    trace = talk.trace()
    assert rules(trace, flow_of(trace, 40000))["drop.line"] < 0


def test_an_end_that_is_heard_meanwhile_is_alive() -> None:
    """The server ends the connection by its own timer while the client tries on: only one direction is cut."""
    talk = Talk()
    last = silenced(talk)
    talk.send("S", "FA", 901, 101, at=last - 500)
    assert "drop.one_way" in rules(talk.trace(), 0)


@pytest.mark.parametrize("stage", ["opening", "later", "answer"])
def test_an_end_that_is_heard_afterwards_may_have_been_away(stage: str) -> None:
    """Nothing is tried any more when the other end is heard: only right after the handshake that is no coincidence."""
    talk = Talk()
    if stage == "opening":
        last = silenced(talk)
        talk.send("S", "FA", 901, 101, at=last + 500)
    else:
        sent, end = talk.request(talk.open(0), BLOCKED)
        talk.send("S", "PA", 901, end, at=sent + talk.rtt, data=b"200 OK")
        waiting, numbers = ("C", (end, 907)) if stage == "later" else ("S", (907, end))
        if stage == "later":
            talk.send("C", "A", end, 907, at=sent + talk.rtt + 1)
        for number in range(5):
            talk.send(waiting, "PA", *numbers, at=sent + 100 + 300 * (2**number - 1), data=b"more")
        talk.send("S" if stage == "later" else "C", "A", *reversed(numbers), at=sent + 7000)
    found = rules(talk.trace(vantage="server" if stage == "answer" else "client"), 0)
    assert {"opening": "drop.request", "later": "drop.later", "answer": "drop.answer"}[stage] in found
    assert ("drop.one_way" in found) == (stage == "opening")


@FAMILIES
def test_only_large_packets_dying_is_a_narrow_path(family: str, data: bytes) -> None:
    """A large request dies; one that passes elsewhere weakens the excuse, one to the same server removes it."""
    large = data + b"x" * 1400
    weights = []
    for other in (None, "192.0.2.77", "203.0.113.9"):
        talk = Talk()
        silenced(talk, data=large)
        if other:
            beside = Talk(server=other)
            answered(beside, 500, data=OTHER + b"x" * 1400)
            talk.frames += beside.frames
        trace = talk.trace()
        found = rules(trace, flow_of(trace, 40000))
        assert f"{family}.request" in found
        weights.append(found.get(f"{family}.large", 0.0) + found.get(f"{family}.large_here", 0.0))
    assert weights[0] < weights[1] < weights[2] == 0.0


@FAMILIES
@pytest.mark.parametrize("pause", [90_000, 30_000])
def test_a_forgotten_connection_may_be_a_translators(family: str, data: bytes, pause: float) -> None:
    """After a minute of silence of both sides a translator may have dropped its entry, and not before."""
    talk = Talk()
    answered(talk, 0)  # keeps the capture two-way
    talk.port = 40000
    sent, end = talk.request(talk.open(0), data)
    talk.send("S", "PA", 901, end, at=sent + 100, data=b"HTTP/1.1 200 OK\r\n\r\n")
    talk.send("C", "A", end, 920, at=sent + 101)
    for number in range(5):
        talk.send("C", "PA", end, 920, at=sent + pause + 300 * 2**number, data=data)
    trace = talk.trace()
    found = rules(trace, flow_of(trace, 40000))
    assert found[f"{family}.later"] > 0
    assert (found.get(f"{family}.idle", 0.0) < 0) == (pause > 60_000)


def test_a_request_acknowledged_and_never_answered_is_mute() -> None:
    """The client gives up after nine seconds; a server that closes instead has answered in its way."""
    for flags in ("", "FA"):
        talk = Talk()
        talk.port = 40000
        sent, end = talk.request(talk.open(0))
        talk.send("S", "A", 901, end, at=sent + 100)
        talk.send("C", "FA", end, 901, at=sent + 9000)
        if flags:
            talk.send("S", flags, 901, end, at=sent + 5000)
        assert ("drop.acked_unanswered" in rules(talk.trace(), 0)) == (not flags)


def muted(talk: Talk, *, leaves: float, counts: int = 0, port: int = 40000, data: bytes = BLOCKED) -> None:
    """Play a request that is acknowledged; the client leaves, and the server answers that from behind some bytes."""
    talk.port = port
    sent, end = talk.request(talk.open(0), data)
    talk.send("S", "A", 901, end, at=sent + 100)
    talk.send("C", "FA", end, 901, at=sent + leaves)
    talk.send("S", "FA", 901 + counts, end + 1, at=sent + leaves + 100)


@pytest.mark.parametrize(("leaves", "waited"), [(9000, True), (2000, False)])
def test_what_a_server_says_to_who_gave_up_is_no_answer(leaves: float, waited: bool) -> None:
    """It acknowledges the client's end and closes as well; what counts is how long the client had waited."""
    talk = Talk()
    muted(talk, leaves=leaves)
    talk.healthy(leaves + 5000)
    trace = talk.trace()
    assert ("drop.acked_unanswered" in rules(trace, flow_of(trace, 40000))) == waited


@FAMILIES
def test_an_answer_that_was_given_and_never_arrived_is_withheld(family: str, data: bytes) -> None:
    """The server's own numbers count 1,700 bytes of which none came; nothing where the capture loses packets."""
    for counts, lossy in ((1700, False), (0, False), (1700, True)):
        talk = Talk()
        muted(talk, leaves=9000, counts=counts, data=data)
        if lossy:
            talk.port = 42000
            _, end = talk.request(talk.open(-5000))
            talk.send("S", "A", 901, end + 500, at=-4000)
        trace = talk.trace()
        withheld = rules(trace, flow_of(trace, 40000)).get(f"{family}.withheld", 0.0)
        assert (withheld > 0) == (counts > 0 and not lossy)


def acknowledged(*, at: float = 101, mirrors: int | None = None, **fields: object) -> Trace:
    """Acknowledge a request with a bare PSH/ACK some ms later, and never answer it.

    *mirrors*: its IP ID is that of the request and so many more.
    """
    talk = Talk()
    talk.healthy(-1000)
    sent, end = talk.request(talk.open(0))
    if mirrors is not None:
        fields["id"] = talk.ids["C"] + mirrors
    talk.send("S", "PA", 901, end, at=sent + at, **fields)
    talk.send("C", "FA", end, 901, at=sent + 9000)
    return talk.trace()


def receipt(**fields: object) -> dict[str, float]:
    """Give the rules by which such an acknowledgement shows who wrote it."""
    return {rule: llr for rule, llr in fired(Silence(), acknowledged(**fields)).items() if rule.startswith("bare_ack.")}


def test_an_acknowledgement_in_the_servers_name_may_be_the_boxes() -> None:
    """A bare PSH/ACK 4 ms after the request, and never an answer: who wrote it swallowed the request."""
    told = {"bare_ack.premature", "bare_ack.ttl", "bare_ack.no_timestamps", "bare_ack.copied_window"}
    assert told <= set(receipt(at=4, ttl=61, stamped=False, window=500))


def test_a_servers_own_acknowledgement_is_no_matter() -> None:
    """After the round trip, with its sender's header."""
    assert receipt() == {}


@pytest.mark.parametrize(("at", "nearer"), [(70, True), (95, False), (101, False)])
def test_an_acknowledgement_faster_than_anything_of_its_server_is_of_somebody_nearer(at: float, nearer: bool) -> None:
    """Not so soon that its server cannot have got the request, but all else of it takes 100 ms."""
    assert (receipt(at=at, ttl=61).get("bare_ack.nearer", 0.0) > 0) == nearer


@pytest.mark.parametrize(("ttl", "rule"), [(240, "ttl_class"), (61, "ttl")])
def test_the_hop_limit_of_an_acknowledgement_tells_another_stack(ttl: int, rule: str) -> None:
    """It started from 255 where its server's start from 64, or it only crossed fewer routers."""
    told = receipt(ttl=ttl)
    assert {"bare_ack.ttl_class", "bare_ack.ttl"} & set(told) == {f"bare_ack.{rule}"}
    assert told[f"bare_ack.{rule}"] > 0


@pytest.mark.parametrize(("mirrors", "copied"), [(0, True), (1, True), (2, False)])
def test_an_acknowledgement_may_be_made_from_the_request(mirrors: int, copied: bool) -> None:
    """Its IP ID is the request's or the next; others may be anybody's."""
    assert (receipt(ttl=61, mirrors=mirrors).get("bare_ack.copied_id", 0.0) > 0) == copied


@pytest.mark.parametrize(("fields", "own"), [
    ({"at": 99}, True),
    ({"at": 180}, False),  # it echoes a time at which the client had said nothing
    ({"at": 99, "stamped": False}, False),
])  # fmt: skip
def test_an_acknowledgement_that_goes_on_with_the_servers_clock_is_its_own(fields: dict[str, float], own: bool) -> None:
    """Its hop limit is odd, but only who takes part knows the clocks of both ends."""
    told = receipt(ttl=61, **fields)
    assert told["bare_ack.ttl"] > 0
    assert (told.get("bare_ack.own_timestamps", 0.0) < 0) == own


@pytest.mark.parametrize(("fields", "forged"), [({"stamped": False}, True), ({}, False)])
def test_only_what_speaks_for_a_forger_is_held_to_be_forged(fields: dict[str, Any], forged: bool) -> None:
    """An odd hop limit alone does; one whose writer knows the clocks of both ends is no box's."""
    evidence = Silence()(acknowledged(at=99, ttl=61, **fields))
    about = [row for row in range(len(evidence)) if evidence.rules[evidence.rule[row]].id == "bare_ack.ttl"]
    assert [len(evidence.forged[row]) > 0 for row in about] == [forged]


def test_an_acknowledgement_takes_no_acknowledgement_back() -> None:
    """A request in two parts, both acknowledged by a host that somebody else greets for, and never answered."""
    talk = Talk()
    talk.healthy(-1000)
    talk.port = 40000
    sent, end = talk.request(talk.open(0))
    talk.send("C", "PA", end, 901, at=sent + 1, data=bytes(500))
    for at, number in ((100, end), (130, end + 500)):
        talk.send("S", "A", 901, number, at=sent + at, ttl=61, stamped=False)
    talk.send("C", "FA", end + 500, 901, at=sent + 9000)
    trace = talk.trace()
    told = rules(trace, flow_of(trace, 40000))
    assert "bare_ack.ttl" in told
    assert "bare_ack.ack_regression" not in told


def test_openings_that_a_box_may_punish_say_nothing_of_the_line() -> None:
    """Both servers of the client are punished at once; neither shows that its line was dead."""
    talk = Talk()
    for server in ("203.0.113.9", "192.0.2.77"):
        one = Talk(server=server)
        sent, end = one.request(one.open(0))
        one.send("S", "RA", 901, end, at=sent + 4)
        one.port = 40001
        for number in range(4):
            one.send("C", "S", 100, 0, at=2000 + 1000 * (2**number - 1))
        answered(one, 100_000)
        talk.frames += one.frames
    trace = talk.trace()
    punished = np.flatnonzero(trace.flows.client_port == 40001)
    for flow in punished.tolist():
        assert "drop.recovered" in rules(trace, flow)
        assert "drop.line" not in rules(trace, flow)


def test_bytes_that_never_arrive_though_later_ones_do_leave_a_hole() -> None:
    """The server's FIN comes from behind 3,000 bytes that nobody saw."""
    talk = Talk()
    sent, end = talk.request(talk.open(0))
    talk.send("S", "A", 901, end, at=sent + 100)
    talk.send("S", "FA", 3901, end, at=sent + 300)
    talk.send("C", "A", end, 901, at=sent + 301)
    talk.send("C", "FA", end, 901, at=sent + 9000)
    assert "drop.hole" in rules(talk.trace(), 0)


def test_what_follows_a_trigger_is_residual() -> None:
    """A silenced name, then SYNs to the same port that nobody answers, then the port answers again."""
    talk = Talk()
    silenced(talk)
    talk.port = 40001
    for number in range(4):
        talk.send("C", "S", 100, 0, at=20_000 + 1000 * (2**number - 1))
    answered(talk, 100_000)
    trace = talk.trace()
    told = set(rules(trace, flow_of(trace, 40001)))
    assert {"drop.syn", "drop.residual", "drop.recovered"} <= told
    assert "drop.after_reset" not in told  # a server's own guard swallows the request that is too much, too


@pytest.mark.parametrize("first", [True, False])
def test_only_what_dies_from_the_start_is_residual(first: bool) -> None:
    """A name was silenced; another one's connection to the port dies at its first request, or once it was served."""
    talk = Talk()
    silenced(talk)
    if first:
        silenced(talk, 20_000, data=OTHER, port=40001)
    else:
        talk.port = 40001
        sent, end = talk.request(talk.open(20_000), OTHER)
        talk.send("S", "PA", 901, end, at=sent + talk.rtt, data=b"200 OK")
        for number in range(5):
            talk.send("C", "PA", end, 907, at=sent + 200 + 300 * (2**number - 1), data=b"more")
    answered(talk, 100_000)
    trace = talk.trace()
    told = rules(trace, flow_of(trace, 40001))
    assert {"drop.request" if first else "drop.later"} <= set(told)
    assert ("drop.residual" in told) == first


def test_silence_after_a_reset_is_no_guards() -> None:
    """A request was reset, and then SYNs to the same port were swallowed for a while."""
    talk = Talk()
    sent, _ = talk.request(talk.open(0), BLOCKED)
    talk.send("S", "R", 901, 0, at=sent + 5)
    talk.port = 40001
    for number in range(4):
        talk.send("C", "S", 100, 0, at=20_000 + 1000 * (2**number - 1))
    answered(talk, 100_000)
    trace = talk.trace()
    assert {"drop.syn", "drop.residual", "drop.recovered", "drop.after_reset"} <= set(
        rules(trace, flow_of(trace, 40001))
    )


def test_nothing_is_said_without_both_directions() -> None:
    """A capture of one direction cannot tell silence from its own blindness."""
    talk = Talk()
    silenced(talk)
    frames = [(at, frame) for at, frame in talk.frames if frame[12:16] == b"\xc6\x33\x64\x07"]
    trace = read(
        times=[int(at * 1e6) + BEGIN_NS for at, _ in frames], frames=[frame for _, frame in frames], link_type=101
    )
    assert len(Silence()(trace)) == 0


def test_a_full_window_is_no_silence() -> None:
    """The receiver said that it has no room; probes are not taken, and need not be."""
    talk = Talk()
    sent = talk.open(0) + 1
    room = 64_240
    for begin in range(0, room, 1460):
        talk.send("C", "A", 101 + begin, 901, at=sent + begin / 1e4, data=b"x" * 1460)
    talk.send("S", "A", 901, 101 + room, at=sent + 100, window=0)
    for number in range(5):
        talk.send("C", "PA", 101 + room, 901, at=sent + 101 + 300 * (2**number - 1), data=b"x")
    assert "drop.request" not in rules(talk.trace(), 0)


def test_near_a_server_only_its_own_waiting_counts() -> None:
    """There the client's silence is the client's business; the server's answer that is never acknowledged is not."""
    talk = Talk(at_server=True)
    sent, end = talk.request(talk.open(0))
    for number in range(5):
        talk.send("S", "PA", 901, end, at=sent + 1 + 300 * (2**number - 1), data=b"HTTP/1.1 200 OK\r\n\r\n")
    assert "drop.answer" in rules(talk.trace(vantage="server"), 0)
    assert "drop.answer" not in rules(talk.trace(vantage="client"), 0)


@pytest.mark.parametrize("scenario", ["tcp.drop.tspu-ech", "tcp.drop.geedge", "tcp.drop.iran-sni"])
def test_simulated_drops_are_seen(scenario: str) -> None:
    """A client behind a silencing box: evidence on silenced connections, and none for interference on the others."""
    played = run(scenario, 31, Conditions(ip=4, vantage="client", luck=0.0))
    trace = read(times=played.times, frames=played.frames, link_type=played.link_type)
    found = Silence()(trace)
    total = np.bincount(found.subject, found.llr, minlength=len(trace.flows))
    hit = {(truth.client, truth.client_port) for truth in played.labels.truths if truth.mechanism}
    for flow in range(len(trace.flows)):
        key = trace.address(int(trace.flows.client[flow])), int(trace.flows.client_port[flow])
        if trace.flows.protocol[flow] == 6:
            assert (total[flow] > 0) == (key in hit)


def test_it_keeps_the_contract_of_an_analyzer() -> None:
    """Deterministic, picklable, within its scope, and quiet on connections that went well."""
    talk = Talk()
    for number in range(3):
        answered(talk, 1000.0 * number, port=42000 + number)
    silent = Talk()
    silenced(silent)
    answered(silent, 2000)
    check_analyzer(Silence(), [silent.trace()], benign=[talk.trace()])


@pytest.mark.parametrize("scenario", ["quic.drop.tspu-sni"])
def test_silenced_quic_is_seen(scenario: str) -> None:
    """The mechanism is QUIC's, and conversations that went well show nothing."""
    played = run(scenario, 31, Conditions(ip=4, vantage="client", luck=0.0))
    trace = read(times=played.times, frames=played.frames, link_type=played.link_type)
    found = Silence()(trace)
    mine = np.array([found.rules[code].mechanism == "quic.drop" for code in found.rule], np.bool_)
    total = np.bincount(found.subject[mine], found.llr[mine], minlength=len(trace.flows))
    seen = set(np.flatnonzero(total > 2).tolist())
    hit = {(truth.client, truth.client_port) for truth in played.labels.truths if truth.mechanism}
    keys = {
        flow: (trace.address(int(trace.flows.client[flow])), int(trace.flows.client_port[flow]))
        for flow in range(len(trace.flows))
        if trace.flows.protocol[flow] == 17
    }
    assert seen
    assert {keys[flow] for flow in seen} <= hit


def test_quic_that_is_punished_names_what_for() -> None:
    """Beside the two packets of the silence, the one whose name had drawn the block before it."""
    played = run("quic.drop.gfw", 32, Conditions(ip=4, vantage="client", luck=0.0))
    trace = read(times=played.times, frames=played.frames, link_type=played.link_type)
    found = Silence()(trace)
    residual = [row for row in range(len(found)) if found.rules[found.rule[row]].id == "quic.residual"]
    assert residual
    for row in residual:
        began = trace.flows.first_packet[found.subject[row]]
        assert sum(packet < began for packet in found.witness[row].tolist()) == 1


def test_what_a_name_promises_counts_for_it_alone() -> None:
    """Silent QUIC of names whose own record offers HTTP/3 says so; other names, and those that answered, do not."""
    told, kept = 0, 0
    for seed in range(40, 48):
        played = run("quic.drop.tspu-sni", seed, Conditions(ip=4, vantage="client", luck=0.0))
        trace = read(times=played.times, frames=played.frames, link_type=played.link_type)
        names = {trace.dns.name[int(row)] for row in trace.answers.message[trace.answers.http3]}
        found = Silence()(trace)
        rule = [found.rules[code].id for code in found.rule]
        for place, flow in enumerate(trace.quic.flow.tolist()):
            own = {rule[row] for row in np.flatnonzero(found.subject == flow).tolist()}
            silent, promised = "quic.initial" in own, trace.quic.name[place] in names
            silent &= "quic.others" in own  # UDP passes at all
            assert ("quic.promised" in own) == (silent and promised)
            told, kept = told + (silent and promised), kept + (silent and not promised)
    assert told
    assert kept


def test_unknown_first_bytes_turn_it_into_a_filter() -> None:
    """The same silence after bytes of no protocol that belongs on the port speaks of a protocol filter."""
    for data, family in ((BLOCKED, "drop"), (bytes(range(160, 240)) * 2, "filter"), (b"SSH-2.0-x\r\n", "filter")):
        talk = Talk()
        silenced(talk, data=data)
        assert f"{family}.request" in rules(talk.trace(), 0)


@pytest.mark.parametrize("named", [True, False])
def test_a_name_behind_a_strange_opening_that_falls_silent_again_is_told(named: bool) -> None:
    """A line of a balancer (HAProxy, PROXY protocol) goes before the hello; without a name nobody knows who is meant.

    Two of three connections ask for one name, the third for another.
    """
    rng, talk = np.random.default_rng(1), Talk()
    preamble = b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n"
    for place, name in enumerate(("blocked.example", "blocked.example", "other.example")):
        talk.port = 40000 + place
        sent, end = talk.request(talk.open(5000.0 * place), preamble)
        hello = client_hello(name if named else "", rng)
        talk.send("C", "PA", end, 901, at=sent, data=hello)
        for number in range(1, 5):
            at = sent + 300 * (2**number - 1)
            talk.send("C", "PA", 101, 901, at=at, data=preamble)
            talk.send("C", "PA", end, 901, at=at, data=hello)
    trace = talk.trace()
    for port, told in ((40000, named), (40001, named), (40002, False)):
        found = rules(trace, flow_of(trace, port))
        assert "filter.request" in found
        assert (found.get("filter.again", 0.0) > 0) == told


def test_what_icmp_explains_is_no_silence() -> None:
    """A router says that the host is unreachable: nothing was swallowed in secret."""
    talk = Talk()
    silenced(talk)
    first = bytes(IP(talk.frames[0][1]))
    report = IP(src="198.51.100.1", dst="198.51.100.7") / ICMP(type=3, code=1) / first[:48]
    talk.frames.append((500.0, bytes(report)))
    assert len(Silence()(talk.trace())) == 0


def probe(talk: Talk, ttl: int, *, at: float, dies: bool, data: bytes = BLOCKED) -> None:
    """Open a connection and send one request with a hop limit; the server answers the client's end if it lives."""
    talk.port += 1
    sent, end = talk.request(talk.open(at), data)
    at_, frame = talk.frames.pop()
    limited = IP(frame)
    limited.ttl = ttl
    del limited.chksum
    talk.frames.append((at_, bytes(limited)))
    talk.send("C", "FA", end, 901, at=sent + 3000)
    if not dies:
        talk.send("S", "A", 901, 101, at=sent + 3000 + talk.rtt)


def beyond(order: list[int], *, reports: tuple[int, ...] = (), arrives: tuple[int, ...] = ()) -> list[float]:
    """Probe with hop limits in an order, dead from 9 on; the weights of what is told.

    Routers report the requests of some hop limits, and those of others are acknowledged.
    """
    talk = Talk()
    for place, ttl in enumerate(order):
        at = 5000.0 * place
        probe(talk, ttl, at=at, dies=ttl >= 9)
        request = next(frame for when, frame in talk.frames[::-1] if IP(frame).ttl == ttl and when >= at)
        if ttl in reports:
            report = IP(src=f"198.51.100.{100 + ttl}", dst="198.51.100.7") / ICMP(type=11) / request[:48]
            talk.frames.append((at + 120.0, bytes(report)))
        if ttl in arrives:
            talk.send("S", "A", 901, 101 + len(BLOCKED), at=at + 250)
    found = Silence()(talk.trace())
    rows = [row for row in range(len(found)) if found.rules[found.rule[row]].id == "drop.beyond"]
    assert all(float(found.measured[row][0]) == 9.0 for row in rows)
    return [float(found.llr[row]) for row in rows]


def test_requests_that_die_beyond_a_hop_take_their_connections_along() -> None:
    """Below hop 9 the connection lives, from there on it is dead, whenever it was: something there read the request."""
    told = beyond([4, 15, 9, 5, 12, 6, 14, 7, 10, 8, 13, 4, 11, 5, 9, 6])
    assert len(told) == 8
    assert min(told) > 2


def test_a_server_that_stops_listening_during_a_sweep_is_no_hop() -> None:
    """Hop limits were counted up: from one connection on all are dead, which a tired server explains as well."""
    assert beyond(list(range(4, 16))) == []
    assert beyond([*range(4, 16), *range(4, 9)]) == []


def test_routers_tell_a_box_from_a_server_that_stopped() -> None:
    """It would have had to stop in the moment when routers stopped to report; later, or earlier, it shows."""
    once = list(range(2, 40))
    told = beyond(once, reports=tuple(range(2, 9)))
    assert len(told) == 31
    assert told[0] == pytest.approx(np.log(38 / 1))
    assert beyond(once, reports=(2, 3, 4))[0] == pytest.approx(np.log(38 / 5))
    assert beyond(once, reports=(2, 3)) == []  # too few routers speak
    assert beyond(once, reports=tuple(range(2, 12))) == []  # they report requests of dead connections
    assert beyond(once, reports=tuple(range(2, 8)), arrives=(8,)) == []  # a request had arrived before


def told_of(talk: Talk, rule: str) -> list[dict[str, float]]:
    """List what one rule measured, and its weight."""
    found = Silence()(talk.trace())
    rows = [row for row in range(len(found)) if found.rules[found.rule[row]].id == rule]
    names = next(known.measures for known in found.rules if known.id == rule)
    return [{**dict(zip(names, found.measured[row], strict=True)), "llr": float(found.llr[row])} for row in rows]


@pytest.mark.parametrize(("far", "weighs"), [(30, True), (31, False), (14, False), (11, False), (9, False), (5, False)])
def test_a_hop_before_the_server_is_not_the_server(far: int, weighs: bool) -> None:
    """Requests die from hop 9 on; the server seems far beyond it, farther than hosts are, near it, or before it."""
    talk = Talk()
    talk.ttl["S"] = 65 - far
    for place, ttl in enumerate([4, 15, 9, 5, 12, 6, 14, 7, 10, 8, 13, 4, 11, 5, 9, 6]):
        probe(talk, ttl, at=5000.0 * place, dies=ttl >= 9)
    assert told_of(talk, "drop.beyond")
    told = told_of(talk, "drop.before_server")
    assert bool(told) == weighs
    assert all(one["hop"] == 9 and one["distance"] == far and one["llr"] > 3 for one in told)


@pytest.mark.parametrize("other", [b"other.example", b""])
def test_other_names_pass_where_requests_die(other: bytes) -> None:
    """Another name gets to the same server and is answered; requests that name nobody are no control."""
    talk = Talk()
    order = [4, 15, 9, 5, 12, 6, 14, 7, 10, 8, 13, 4, 11, 5, 9, 6]
    for place, ttl in enumerate(order):
        probe(talk, ttl, at=5000.0 * place, dies=ttl >= 9)
    for place, ttl in enumerate(order):
        probe(talk, ttl, at=100_000.0 + 5000.0 * place, dies=False, data=b"GET / HTTP/1.1\r\nHost: %s\r\n\r\n" % other)
    told = told_of(talk, "drop.name_beyond")
    assert [one["passed"] for one in told] == ([8] * 8 if other else [])
    assert all(one["llr"] > 5 for one in told)


def test_other_names_that_die_as_well_show_no_name() -> None:
    """Whoever is asked for dies beyond the hop."""
    talk = Talk()
    order = [4, 15, 9, 5, 12, 6, 14, 7, 10, 8, 13, 4, 11, 5, 9, 6]
    for place, ttl in enumerate(order):
        probe(talk, ttl, at=5000.0 * place, dies=ttl >= 9)
        probe(talk, ttl, at=100_000.0 + 5000.0 * place, dies=ttl >= 9, data=OTHER)
    assert told_of(talk, "drop.beyond")
    assert not told_of(talk, "drop.name_beyond")


@pytest.mark.parametrize(("scenario", "seen"), [("tcp.drop.sweep", True), ("benign.tcp.sweep-meets-outage", False)])
def test_simulated_sweeps(scenario: str, seen: bool) -> None:
    """Requests beyond a box are told, whatever the hop; a server that stopped in a sweep only by rare coincidence."""
    found = 0
    for seed in range(8):
        played = run(scenario, seed, Conditions(ip=4, vantage="client", luck=0.0))
        trace = read(times=played.times, frames=played.frames, link_type=played.link_type)
        told = Silence()(trace)
        dead = {int(told.subject[row]) for row in range(len(told)) if told.rules[told.rule[row]].id == "drop.beyond"}
        hit = {truth.client_port for truth in played.labels.truths if truth.mechanism}
        assert not seen or {int(trace.flows.client_port[flow]) for flow in dead} <= hit
        found += bool(dead)
    assert found >= 5 if seen else found <= 1


def test_a_name_that_was_not_captured_is_no_contrast() -> None:
    """The connection that was served may have asked for the same name: nothing is said of others being spared."""
    talk = Talk()
    silenced(talk)
    answered(talk, 2000, data=b"\x16\x03\x01\x02\x00" + bytes(60))
    trace = talk.trace()
    assert not {"drop.ignored", "drop.served", "drop.served_near"} & set(rules(trace, flow_of(trace, 40000)))


def test_the_split_is_fishers() -> None:
    """The tail that is used is that of the exact test."""
    for above, dead_above, dead, count in ((10, 9, 11, 30), (5, 5, 6, 12), (8, 2, 9, 20)):
        table = [[dead_above, above - dead_above], [dead - dead_above, count - above - (dead - dead_above)]]
        expected = fisher_exact(table, alternative="greater").pvalue
        ours = fisher(dead_above=np.array([dead_above]), above=np.array([above]), dead=dead, count=count)
        assert ours[0] == pytest.approx(expected)


def test_a_stray_segment_beside_unanswered_openings_is_no_conversation() -> None:
    """SYNs that nobody answers, and a late segment of an older connection: no first bytes that a filter could know."""
    talk = Talk()
    answered(talk, 0)
    talk.port = 40000
    for number in range(4):
        talk.send("C", "S", 100, 0, at=1000 * 2**number)
    talk.send("C", "PA", 2_440_000_000, 901, at=16_000, data=bytes(range(200, 256)))
    trace = talk.trace()
    found = rules(trace, flow_of(trace, 40000))
    assert "drop.syn" in found
    assert not any(rule.startswith("filter.") for rule in found)


def test_a_filter_of_protocols_is_set_off_by_first_bytes() -> None:
    """Findings say so, and at which frame; nobody's name is blamed."""
    found = []
    for seed in range(12):
        played = run("protocol.filter.iran-2024", seed, Conditions(vantage="client", luck=0.0))
        trace = read(times=played.times, frames=played.frames, link_type=played.link_type, vantage="client")
        evidence = analyze(trace)
        verdicts = explain(classify(evidence, trace), evidence, trace)
        found += [one for one in verdicts.findings() if one.mechanism == "protocol.filter" and one.group is None]
    assert found
    for one in found:
        assert one.trigger is not None
        assert (one.trigger.kind, one.trigger.value) == ("bytes.class", "no known protocol")
        assert one.trigger.frame in one.frames


def counted(*, others_die: bool) -> Trace:
    """Ask one server twelve times for one name, of which those die that have four before; other names beside."""
    talk = Talk()
    for place in range(11):
        at, port = 2_000.0 * place, 43_000 + 2 * place
        if place < 4:
            answered(talk, at, data=BLOCKED, port=port)
        else:
            silenced(talk, at, port=port)
        if place in {5, 8}:
            if others_die:
                silenced(talk, at + 500, data=OTHER, port=port + 1)
            else:
                answered(talk, at + 500, port=port + 1)
    answered(talk, 140_000.0, data=BLOCKED, port=44_000)
    return talk.trace()


def test_requests_that_die_by_count_are_told() -> None:
    """From the fifth recent request with one name on, all die; others at the same server are served meanwhile."""
    trace = counted(others_die=False)
    for place in range(4, 11):
        told = rules(trace, flow_of(trace, 43_000 + 2 * place))
        assert told["drop.counted"] > 1
        assert "drop.intermittent" not in told


def test_a_server_that_counts_whoever_knocks_is_no_rule() -> None:
    """Where requests with other names die as well, the server may count them all."""
    trace = counted(others_die=True)
    for place in range(4, 11):
        told = rules(trace, flow_of(trace, 43_000 + 2 * place))
        assert "drop.counted" not in told


@pytest.mark.parametrize("others", ["die alike", "live", "die later", "all die"])
def test_servers_that_die_at_the_same_stage_are_counted(others: str) -> None:
    """Two servers fall silent at their first request while a third answers; dead ends of another stage do not count.

    Where the third answered only before, the client's line may have died, and nothing is said.
    """
    talk = Talk(server="203.0.113.9")
    silenced(talk)
    beside, alive = Talk(server="192.0.2.77"), Talk(server="198.18.5.5")
    if others in ("die alike", "all die"):
        silenced(beside, 200, data=OTHER, port=40001)
    elif others == "live":
        answered(beside, 200, port=40001)
    else:
        beside.port = 40001
        sent, end = beside.request(beside.open(200), OTHER)
        beside.send("S", "PA", 901, end, at=sent + beside.rtt, data=b"200 OK")
        for number in range(5):
            beside.send("C", "PA", end, 907, at=sent + 200 + 300 * (2**number - 1), data=b"more")
    answered(alive, -5000 if others == "all die" else 1000, port=40002)
    talk.frames += beside.frames + alive.frames
    trace = talk.trace()
    assert ("drop.alike" in rules(trace, flow_of(trace, 40000))) == (others == "die alike")


@pytest.mark.parametrize("third", ["lives", "dies", "lives, the others ran long"])
def test_servers_that_die_behind_their_first_answer_are_counted(third: str) -> None:
    """A first exchange passes with two servers, and nothing behind it; where all die, the line may be dead.

    Connections that ran for long may all have been forgotten at once by a translator, and peers leave.
    """
    talk = Talk(server="203.0.113.9")
    others = [Talk(server=server) for server in ("192.0.2.77", "198.18.5.5")]
    for place, one in enumerate((talk, *others)):
        if place == 2 and third != "dies":
            answered(one, 8000, port=40002)
        else:
            one.port = 40000 + place
            sent, end = one.request(one.open(100.0 * place), BLOCKED)
            one.send("S", "PA", 901, end, at=sent + one.rtt, data=b"200 OK")
            for number in range(5):
                later = 200 if third != "lives, the others ran long" else 5000
                one.send("C", "PA", end, 907, at=sent + later + 300 * (2**number - 1), data=b"more")
    talk.frames += [frame for one in others for frame in one.frames]
    trace = talk.trace()
    assert ("drop.alike" in rules(trace, flow_of(trace, 40000))) == (third == "lives")


@pytest.mark.parametrize(
    ("server", "port", "told"),
    [
        ("203.0.113.9", 80, {"syn.unanswered", "syn.other_port"}),
        ("203.0.113.77", 443, {"syn.unanswered", "syn.neighbours"}),
        ("192.0.2.77", 443, {"syn.unanswered"}),
        ("", 0, set()),  # where nothing has both directions, nobody can tell
    ],
)
def test_an_unanswered_opening_is_held_against_what_lives_beside_it(server: str, port: int, told: set[str]) -> None:
    """Another port, a neighbour, or nobody at all; a server elsewhere shows only that the line is alive."""
    talk = Talk()
    for at in (0, 1000, 3000):
        talk.send("C", "S", 100, 0, at=at)
    if server:
        other, up, down = Talk(server=server), (41000, port), (port, 41000)
        other.send("C", "S", 100, 0, at=100, ports=up)
        other.send("S", "SA", 900, 101, at=200, ports=down)
        other.send("C", "A", 101, 901, at=201, ports=up)
        other.send("C", "PA", 101, 901, at=202, data=OTHER, ports=up)
        other.send("S", "PA", 901, 101 + len(OTHER), at=302, data=b"HTTP/1.1 200 OK\r\n\r\n", ports=down)
        talk.frames += other.frames
    trace = talk.trace()
    assert {rule for rule in rules(trace, flow_of(trace, 40000)) if rule.startswith("syn.")} == told


def test_a_neighbour_is_told_whenever_the_address_itself_answered() -> None:
    """Another address of the network answers now, and the one in question did some minutes ago."""
    talk, beside = Talk(), Talk(server="203.0.113.77")
    answered(talk, 0)
    talk.port = 40000
    for at in (300_000, 301_000, 303_000):
        talk.send("C", "S", 100, 0, at=at)
    answered(beside, 300_100, port=40001)
    talk.frames += beside.frames
    trace = talk.trace()
    assert "syn.neighbours" in rules(trace, flow_of(trace, 40000))


@pytest.mark.parametrize("before", [True, False])
def test_an_address_that_answered_a_moment_ago_is_told(before: bool) -> None:
    """The same port opened a connection, then SYNs die; opened afterwards only, it comes and goes."""
    talk = Talk()
    answered(talk, 0 if before else 6000)
    talk.port = 40000
    for at in (2000, 3000, 5000):
        talk.send("C", "S", 100, 0, at=at)
    trace = talk.trace()
    found = rules(trace, flow_of(trace, 40000))
    assert ("syn.before" in found, "syn.intermittent" in found) == (before, not before)


@pytest.mark.parametrize(("gap", "tries"), [(1.0, 2), (300.0, 6)])
def test_a_flight_that_is_sent_again_is_one_try(gap: float, tries: int) -> None:
    """Five segments are repeated: at once they are one try, a round trip apart they are five."""
    talk = Talk()
    sent = talk.open() + 1
    for segment in range(5):
        talk.send("C", "PA", 101 + 100 * segment, 901, at=sent + segment, data=b"d" * 100)
    for segment in range(5):
        talk.send("C", "PA", 101 + 100 * segment, 901, at=sent + 1000 + gap * segment, data=b"d" * 100)
    found = find_unacked(talk.trace())
    assert found.tries.tolist() == ([tries] if tries >= 4 else [])


@pytest.mark.parametrize("tail", ["acknowledged", "dead", "none"])
def test_a_small_tail_tells_a_narrow_path_from_a_box(tail: str) -> None:
    """Behind a large segment a small one is sent: on a narrow path it arrives, and is answered by what is missing."""
    talk = Talk()
    sent = talk.open() + 1
    for number in range(5):
        talk.send("C", "A", 101, 901, at=sent + 300 * (2**number - 1), data=b"h" * 1448)
    if tail != "none":
        talk.send("C", "PA", 1549, 901, at=sent + 0.1, data=b"h" * 80)
    if tail == "acknowledged":
        talk.send("S", "A", 901, 101, at=sent + talk.rtt)
    trace = talk.trace()
    silences = find_unacked(trace)
    assert large_only(trace, silences)[0].tolist() == [tail != "dead"]


@pytest.mark.parametrize(("waited", "told"), [(20.0, False), (200.0, True)])
def test_the_last_syn_must_have_had_time_for_an_answer(waited: float, told: bool) -> None:
    """The capture ends right behind the second SYN: its answer may be on its way."""
    talk = Talk()
    answered(talk, 0)
    talk.port = 40000
    for at in (2000, 3000):
        talk.send("C", "S", 100, 0, at=at)
    other = Talk(server="192.0.2.77")
    other.send("C", "S", 100, 0, at=3000 + waited)
    talk.frames += other.frames
    trace = talk.trace()
    assert ("syn.unanswered" in rules(trace, flow_of(trace, 40000))) == told


@pytest.mark.parametrize(("asks", "first"), [(0, 349), (3, 349), (5, 349), (5, -900)])
def test_a_client_that_asks_on_though_it_was_answered_is_cut_off(asks: int, first: float) -> None:
    """Near the server: a narrow path keeps large answers away, not the acknowledgements of what the client repeats.

    A client that repeats itself a few times may wait for one in a long queue; and what it repeated before the answer
    died had another reason.
    """
    talk = Talk(at_server=True)
    sent, end = talk.request(talk.open(0))
    talk.send("S", "A", 901, end, at=sent + 0.1)
    answer = sent + (1 if first > 0 else 4000)
    for number in range(6):
        talk.send("S", "PA", 901, end, at=answer + 300 * (2**number - 1), data=b"a" * 1448)
    for number in range(asks):
        again, _ = talk.request(answer + (first + 300 * (2**number - 1) if first > 0 else first - 300 * number))
        talk.send("S", "A", 2349 if first > 0 else 901, end, at=again + 0.1)
    talk.send("C", "FA", end, 901, at=answer + 8000)
    found = rules(talk.trace(vantage="server"), 0)
    cut_off = asks > 3 and first > 0
    assert ("drop.large" in found, "drop.one_way" in found) == (not cut_off, cut_off)


@pytest.mark.parametrize(("pause", "cut_off"), [(100, False), (900, True)])
def test_a_client_that_resets_what_comes_after_its_end_hears(pause: float, cut_off: bool) -> None:
    """Near the server: the client's program left during an outage; its kernel answers the next try by a reset.

    A reset that comes between two tries is of a timer, and says nothing of what arrived.
    """
    talk = Talk(at_server=True)
    sent, end = talk.request(talk.open(0))
    tries = [sent + 1 + 300 * (2**number - 1) for number in range(5)]
    for at in tries:
        talk.send("S", "PA", 901, end, at=at, data=b"HTTP/1.1 200 OK\r\n\r\n")
    talk.send("C", "FA", end, 901, at=tries[4] - 500)
    talk.send("C", "R", end + 1, 0, at=tries[4] + pause)
    assert ("drop.one_way" in rules(talk.trace(vantage="server"), 0)) == cut_off


@pytest.mark.parametrize("says", [b"", b"220 ready\r\n"])
def test_an_acknowledgement_alone_answers_what_arrived(says: bytes) -> None:
    """A hole stays open while its end acknowledges what comes behind it: that one hears; who speaks may be deaf."""
    talk = Talk(at_server=True)
    sent, end = talk.request(talk.open(0))
    for number in range(5):
        talk.send("S", "A", 901, end, at=sent + 1 + 300 * (2**number - 1), data=b"a" * 500)
    talk.send("S", "A", 1401, end, at=sent + 1501, data=b"a" * 500)
    talk.send("C", "A", end, 901, at=sent + 1601, data=says)
    assert ("drop.one_way" in rules(talk.trace(vantage="server"), 0)) == bool(says)


@pytest.mark.parametrize("passes", [False, True])
def test_a_narrow_line_meets_several_servers_alike(passes: bool) -> None:
    """Large requests to two servers die while small ones live: company tells nothing, unless a large one passes."""
    talk, beside, alive = (Talk(server=server) for server in ("203.0.113.9", "192.0.2.77", "198.18.5.5"))
    silenced(talk, data=BLOCKED + b"x" * 1400)
    silenced(beside, 200, data=OTHER + b"x" * 1400, port=40001)
    answered(alive, 1000, data=OTHER + b"x" * (1400 if passes else 0), port=40002)
    talk.frames += beside.frames + alive.frames
    trace = talk.trace()
    assert ("drop.alike" in rules(trace, flow_of(trace, 40000))) == passes


def test_company_is_counted_whenever_the_network_died_first() -> None:
    """A server that had died long before dies again beside another: that one is company, and it alone."""
    talk, beside, alive = (Talk(server=server) for server in ("203.0.113.9", "192.0.2.77", "198.18.5.5"))
    silenced(talk, port=40000)
    silenced(talk, 200_000, port=40001)
    silenced(beside, 200_200, data=OTHER, port=40002)
    answered(alive, 201_000, port=40003)
    talk.frames += beside.frames + alive.frames
    assert [sign["networks"] for sign in told_of(talk, "drop.alike")] == [1]


def test_what_servers_wait_for_is_no_company_of_clients() -> None:
    """In the middle both ends' waiting is seen: what a server says in vain is another thing."""
    talk, beside, alive = (Talk(server=server) for server in ("203.0.113.9", "192.0.2.77", "198.18.5.5"))
    sent, end = talk.request(talk.open(0), BLOCKED)
    talk.send("S", "PA", 901, end, at=sent + talk.rtt, data=b"200 OK")
    for number in range(5):
        talk.send("C", "PA", end, 907, at=sent + 200 + 300 * (2**number - 1), data=b"more")
    beside.port = 40001
    sent, end = beside.request(beside.open(200), OTHER)
    beside.send("S", "A", 901, end, at=sent + 100)
    for number in range(5):
        beside.send("S", "PA", 901, end, at=sent + 101 + 300 * (2**number - 1), data=b"HTTP/1.1 200 OK")
    answered(alive, 1000, port=40002)
    talk.frames += beside.frames + alive.frames
    trace = talk.trace("middle")
    assert "drop.alike" not in rules(trace, flow_of(trace, 40000))
