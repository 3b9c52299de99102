"""Data and ends in a server's name: what imitators cannot know, and what only looks like them."""

import pytest
from scapy.all import ICMP, IP, Raw

from netinterf.analyzers.rst_injection import RstInjection
from netinterf.simulate import Conditions, run
from netinterf.trace import Trace, read
from tests.analyzers.talk import Talk, fired

HELLO = b"\x16\x03\x01" + bytes(100)
ALERT = b"\x15\x03\x03\x00\x02\x02\x28"


def found(trace: Trace, rules: str = "") -> dict[str, float]:
    """Name the rules of the flows to port 443 that begin with *rules*, with their weights."""
    evidence = RstInjection()(trace)
    named = {evidence.rules[code].id: float(llr) for code, llr in zip(evidence.rule, evidence.llr, strict=True)}
    return {name: llr for name, llr in named.items() if name.startswith(rules)}


def moved(talk: Talk, at: float) -> None:
    """Let the last packet reach the tap at another time than it was sent."""
    talk.frames[-1] = (at, talk.frames[-1][1])


@pytest.mark.parametrize(("at", "acknowledged", "early"), [
    (4, 100, True),  # all else takes 100 ms
    (4, 4, False),  # somebody near the tap takes what is sent on, and the handshake alone was slow
    (60, 100, False),
])  # fmt: skip
def test_the_first_bytes_of_a_server_are_no_measure_of_the_way_to_it(
    at: float, acknowledged: float, early: bool
) -> None:
    """In every connection they came in a fraction of the round trip, with perfect headers."""
    talk = Talk()
    for begin in (0, 2000):
        talk.port += 1
        sent, end = talk.request(talk.open(begin), HELLO)
        talk.send("S", "PA", 901, end, at=sent + at, data=ALERT)
        talk.send("C", "PA", end, 908, at=sent + at + 1, data=b"bye")
        talk.send("S", "A", 908, end + 3, at=sent + at + 1 + acknowledged)
    assert ("data.premature" in found(talk.trace())) == early


@pytest.mark.parametrize(("stamp", "back"), [(2, True), (-2, False)])
def test_an_imitator_with_the_servers_clock_is_taken_back_at_once(stamp: float, back: bool) -> None:
    """The acknowledgement from before it comes 2 ms later: sent later by its stamp, or overtaken on the way."""
    talk = Talk()
    talk.healthy(-1000)
    sent, end = talk.request(talk.open(), HELLO)
    talk.send("S", "PA", 901, end, at=sent + 99, data=ALERT)
    talk.send("S", "A", 901, end, at=sent + 99 + stamp, id=0)
    moved(talk, sent + 101)
    rules = found(talk.trace(), "data.")
    assert ("data.ack_regression" in rules) == back
    assert not back or not {"data.own_timestamps", "data.on_time"} & set(rules)


@pytest.mark.parametrize(("stamp", "alive"), [(2, True), (-2, False)])
def test_bytes_behind_an_end_are_told_from_overtaken_ones_by_their_stamps(stamp: float, alive: bool) -> None:
    """They come 2 ms behind a FIN with perfect headers."""
    talk = Talk()
    talk.healthy(-1000)
    sent, end = talk.request(talk.open(), HELLO)
    talk.send("S", "FA", 901, end, at=sent + 99)
    talk.send("S", "PA", 901, end, at=sent + 99 + stamp, data=b"\x16\x03\x03" + bytes(400))
    moved(talk, sent + 101)
    rules = found(talk.trace(), "fin.")
    assert ("fin.alive_after" in rules) == alive
    assert not alive or "fin.own_timestamps" not in rules


@pytest.mark.parametrize(("data", "back"), [(b"Object not found", True), (b"", False)])
def test_an_end_before_words_takes_them_back(data: bytes, back: bool) -> None:
    """A FIN with words and later one where they began; without words the second is the first, sent again."""
    talk = Talk()
    talk.healthy(-1000)
    sent, end = talk.request(talk.open(), HELLO)
    talk.send("S", "FA", 901, end, at=sent + 99, data=data)
    talk.send("S", "FA", 901, end, at=sent + 330)
    assert ("fin.ack_regression" in found(talk.trace())) == back


@pytest.mark.parametrize(("length", "told"), [(7, True), (6, False)])
def test_seven_bytes_contradict(length: int, told: bool) -> None:
    """A TLS alert is a message; what fills an Ethernet frame may be anything."""
    talk = Talk()
    talk.healthy(-1000)
    sent, end = talk.request(talk.open(), HELLO)
    talk.send("S", "PA", 901, end, at=sent + 4, data=ALERT[:length], ttl=61)
    talk.send("S", "PA", 901, end, at=sent + 101, data=b"\x16\x03\x03\x04\x00" + bytes(400))
    assert ("data.contradiction" in found(talk.trace())) == told


@pytest.mark.parametrize(("bare", "second"), [
    (40, True),  # in between the server acknowledges from where the first bytes began: it had not sent them
    (None, False),  # one broken sender may contradict itself
    (130, False),  # behind both: a stack that never counts what it sends disowns all of it
])  # fmt: skip
def test_a_perfect_imitation_is_disowned_before_it_is_contradicted(bare: float | None, second: bool) -> None:
    """Header, stamps and time of both packets are the server's."""
    talk = Talk()
    talk.healthy(-1000)
    sent, end = talk.request(talk.open(), HELLO)
    talk.send("S", "PA", 901, end, at=sent + 99, data=ALERT)
    if bare:
        talk.send("S", "A", 901, end + 7, at=sent + 99 + bare)
    talk.send("S", "PA", 901, end, at=sent + 180, data=b"\x16\x03\x03\x04\x00" + bytes(400))
    rules = found(talk.trace(), "data.")
    assert ("data.contradiction" in rules) == second
    assert ("data.overlap" in rules) != second


def letter(odd: dict[str, object], later: dict[str, object]) -> dict[str, float]:
    """Send mail in seven steps; the fourth answer, to a forbidden word, comes after 20 ms, and looks as told."""
    talk = Talk()
    begin = talk.open()
    mine, theirs = 101, 901
    for step in range(7):
        talk.send("C", "PA", mine, theirs, at=begin + 200 * step + 1, data=b"WORD %d\r\n" % step)
        mine += 8
        fields = odd if step == 3 else later if step > 3 else {}
        at = begin + 200 * step + (21 if step == 3 and odd else 101)
        if step != 3 or not odd:
            talk.send("S", "A", theirs, mine, at=at - 0.5, **later if step > 3 else {})
        talk.send("S", "PA", theirs, mine, at=at, data=b"250 fine\r\n", **fields)
        theirs += 10
        talk.send("C", "A", mine, theirs, at=at + 0.1)
    return found(talk.trace(), "data.")


def test_data_in_the_midst_of_a_conversation_is_asked_who_wrote_it() -> None:
    """One answer among seven that came too soon and another way; not when all that follow came that way as well."""
    assert {"data.premature", "data.ttl", "data.no_timestamps"} <= set(letter({"ttl": 57, "stamped": False}, {}))
    assert letter({}, {"ttl": 49}) == {}
    assert letter({}, {}) == {}


@pytest.mark.parametrize(("fields", "odd"), [({"ttl": 61, "stamped": False}, True), ({}, False)])
def test_one_direction_tells_headers(fields: dict[str, object], odd: bool) -> None:
    """Only the server's packets were captured; its greeting shows how they look, and that timestamps were agreed on."""
    talk = Talk()
    talk.send("S", "SA", 900, 101, at=100)
    talk.send("S", "PA", 901, 204, at=104, data=ALERT, **fields)
    rules = found(talk.trace(), "data.")
    assert set(rules) == ({"data.ttl", "data.no_timestamps"} if odd else set())


@pytest.mark.parametrize("greeted", [True, False])
def test_a_capture_that_began_late_knows_no_first_request(greeted: bool) -> None:
    """A FIN soon after a request, with its side's acknowledgements looking otherwise: who asked whom is not known."""
    talk = Talk()
    talk.healthy(-1000)
    begin = talk.open() if greeted else 100.0
    sent, end = talk.request(begin, HELLO)
    talk.send("S", "FA", 901, end, at=sent + 4, df=False)
    rules = found(talk.trace(), "fin.")
    assert ({"fin.premature", "fin.after_request"} <= set(rules)) == greeted
    assert greeted or not {"fin.premature", "fin.after_request"} & set(rules)


def test_what_one_box_renumbers_takes_nothing_back() -> None:
    """A tunnel's own TCP greets for all servers with one counter, and acknowledges with old numbers."""
    told = []
    for shared in (True, False):
        frames = []
        for place in range(24):
            talk = Talk(server=f"203.0.113.{place + 1}", stamps=False)
            talk.port += place
            talk.ids["S"] = 3 * place if shared else 1711 * place % 60_000
            sent, end = talk.request(talk.open(500 * place), HELLO)
            talk.send("S", "PA", 901, end, at=sent + 101, data=ALERT)
            talk.send("S", "A", 901, end, at=sent + 250)
            frames += talk.frames
        talk.frames = frames
        told.append("data.ack_regression" in found(talk.trace()))
    assert told == [False, True]


def test_words_on_an_end_are_asked_about_as_an_end() -> None:
    """One packet is one oddity; and an end that brings an answer did not come before any answer."""
    for data in (ALERT, b""):
        talk = Talk()
        talk.healthy(-1000)
        sent, end = talk.request(talk.open(), HELLO)
        talk.send("S", "FPA" if data else "FA", 901, end, at=sent + 4, data=data, ttl=61)
        rules = found(talk.trace())
        assert "fin.premature" in rules
        assert not any(name.startswith("data.") for name in rules)
        assert ("fin.after_request" in rules) == (not data)


def test_an_echo_of_the_other_sides_end_answers_what_was_captured() -> None:
    """Ends are no company of a FIN, and still they were seen: such an echo is no sign of a packet that is missing."""
    talk = Talk()
    talk.healthy(-1000)
    sent, end = talk.request(talk.open(), HELLO)
    talk.send("S", "PA", 901, end, at=sent + 40, data=ALERT)
    talk.send("C", "FA", end, 901, at=sent + 50)
    talk.send("S", "FA", 901, end + 1, at=sent + 150, ttl=61)  # echoes what the client's end was stamped with
    assert "fin.behind_data" in found(talk.trace(), "fin.")


@pytest.mark.parametrize("closed", [True, False])
def test_who_had_closed_was_not_cut_off(closed: bool) -> None:
    """A proxy greeted for the server, whose own hop limit shows in the end alone; the client had given up before."""
    talk = Talk()
    talk.healthy(-1000)
    sent, end = talk.request(talk.open(), HELLO)
    if closed:
        talk.send("C", "FA", end, 901, at=sent + 2700)
    talk.send("S", "FA", 901, end + closed, at=sent + 2800, ttl=250)
    rules = found(talk.trace(), "fin.")
    assert "fin.ttl_class" in rules
    assert ("fin.after_request" in rules) != closed


@pytest.mark.parametrize(("data", "back"), [(b"421 bye\r\n", True), (bytes(6), False)])
def test_padding_that_was_taken_for_payload_is_no_data(data: bytes, back: bool) -> None:
    """Bare acknowledgements that a recorder gave six bytes, the later one with the same number."""
    talk = Talk()
    talk.healthy(-1000)
    sent, end = talk.request(talk.open(), HELLO)
    talk.send("S", "PA", 901, end, at=sent + 101, data=b"220 mail ready\r\n")
    talk.send("C", "PA", end, 917, at=sent + 102, data=b"HELO x\r\n")
    talk.send("S", "A", 917, end, at=sent + 150, data=data)
    talk.send("S", "A", 917, end + 8, at=sent + 202)
    assert ("data.ack_regression" in found(talk.trace())) == back


@pytest.mark.parametrize(("again", "told"), [(False, True), (True, False)])
@pytest.mark.parametrize(("flags", "data", "kind"), [("PA", ALERT, "data"), ("FA", b"", "fin")])
def test_an_answer_to_what_never_arrived(again: bool, told: bool, flags: str, data: bytes, kind: str) -> None:
    """A router reports that the request expired, and it is acknowledged; a second copy may have reached the server."""
    talk = Talk()
    sent, end = talk.request(talk.open(), HELLO)
    report = IP(src="192.0.2.1", dst="198.51.100.7", ttl=250) / ICMP(type=11, code=0) / Raw(talk.frames[-1][1][:40])
    talk.frames.append((sent + 10, bytes(report)))
    if again:
        talk.request(sent + 19, HELLO)
    talk.send("S", flags, 901, end, at=sent + 130, data=data, df=False)
    assert (fired(RstInjection(), talk.trace()).get(f"{kind}.trigger_died", 0.0) > 0) == told


def alert(*, at: float = 101, server: int = 50, **fields: object) -> dict[str, float]:
    """Answer a TLS greeting with an alert some ms later, from a server so many hops of 64 away."""
    talk = Talk()
    talk.ttl["S"] = server
    talk.healthy(-1000)
    sent, end = talk.request(talk.open(), HELLO)
    talk.send("S", "PA", 901, end, at=sent + at, data=ALERT, **fields)
    return fired(RstInjection(), talk.trace())


@pytest.mark.parametrize(("at", "nearer"), [(70, True), (95, False), (101, False)])
def test_data_faster_than_anything_of_its_server_is_of_somebody_nearer(at: float, nearer: bool) -> None:
    """Not so soon that the server cannot have read what was asked, but all else of it takes 100 ms."""
    assert (alert(at=at, ttl=61).get("data.nearer", 0.0) > 0) == nearer


@pytest.mark.parametrize(("ttl", "server", "crossed_none"), [(255, 50, True), (64, 50, True), (61, 50, False),
                                                             (255, 64, False)])  # fmt: skip
def test_data_that_crossed_no_router_are_of_the_clients_own_network(ttl: int, server: int, crossed_none: bool) -> None:
    """A gateway that speaks for the server argues for a filter of one's own; not a box farther away, or a neighbour."""
    told = alert(at=4, ttl=ttl, server=server)
    assert {"data.ttl", "data.ttl_class"} & set(told)
    assert (told.get("data.gateway", 0.0) < 0) == crossed_none


@pytest.mark.parametrize(("gap", "number", "rule"), [
    (2, 901, "data.ack_reordered"),  # so soon that both may have been swapped on the way
    (30, 901, "data.ack_regression"),
    (2, 901 + len(ALERT), ""),  # from behind the alert: it was sent
])  # fmt: skip
def test_data_that_may_have_been_overtaken_are_taken_back_in_doubt(gap: float, number: int, rule: str) -> None:
    """The server acknowledges from before an alert in its name, and no clock tells which of the two it sent first."""
    talk = Talk(stamps=False)
    talk.healthy(-1000)
    sent, end = talk.request(talk.open(), HELLO)
    talk.send("S", "PA", 901, end, at=sent + 99, data=ALERT)
    talk.send("S", "A", number, end, at=sent + 99 + gap)
    told = fired(RstInjection(), talk.trace())
    assert {"data.ack_reordered", "data.ack_regression"} & set(told) == ({rule} if rule else set())
    assert not rule or told[rule] > 0


@pytest.mark.parametrize(("place", "data", "behind"), [
    (0, b"", True),
    (len(ALERT), b"", False),
    (0, ALERT, False),  # sent again with what came before it, it ends at the same place
])  # fmt: skip
def test_an_end_lies_behind_all_that_was_said(place: int, data: bytes, behind: bool) -> None:
    """Its sender knows what it has sent: a FIN below that is of somebody who did not see it."""
    talk = Talk()
    talk.healthy(-1000)
    sent, end = talk.request(talk.open(), HELLO)
    talk.send("S", "PA", 901, end, at=sent + 101, data=ALERT)
    talk.send("S", "FA", 901 + place, end, at=sent + 150, data=data, ttl=61, stamped=False)
    told = fired(RstInjection(), talk.trace())
    assert "fin.ttl" in told
    assert (told.get("fin.behind_data", 0.0) > 0) == behind


@pytest.mark.parametrize(("second", "fields", "rule"), [
    (b"HTTP/1.1 200 OK\r\nServer: real one\r\n\r\nhello", {}, "http.overlap"),
    (b"HTTP/1.1 200 OK\r\nServer: real one\r\n\r\nhello", {"ttl": 61}, "http.contradiction"),
    (b"HTTP/1.1 403 Forbidden\r\n\r\n", {}, ""),  # the same again
])  # fmt: skip
def test_two_pages_in_one_place_may_be_one_broken_servers(second: bytes, fields: dict[str, object], rule: str) -> None:
    """Nothing but their bytes tells the two apart: less than proof. Another hop limit shows two senders."""
    talk = Talk()
    sent, end = talk.request(talk.open())
    talk.send("S", "PA", 901, end, at=sent + 101, data=b"HTTP/1.1 403 Forbidden\r\n\r\n", **fields)
    talk.send("S", "PA", 901, end, at=sent + 140, data=second)
    told = fired(RstInjection(), talk.trace())
    assert {name for name in told if name.startswith("http.")} == ({rule} if rule else set())
    assert not rule or told[rule] > 0


@pytest.mark.parametrize("seed", [6001, 6002])
@pytest.mark.parametrize(("scenario", "rule", "share"), [
    ("tcp.synack.generic-swapped", "synack.swapped_ports", 1.0),
    ("tcp.synack.generic", "synack.nearer", 0.5),  # not where the server is hardly farther than the box
    ("tcp.data.generic-spray", "data.sprayed", 0.5),  # not where most places lie below the stream
])  # fmt: skip
def test_scenarios_show_their_sign(scenario: str, rule: str, share: float, seed: int) -> None:
    """On connections that were interfered with, and on no other."""
    played = run(scenario, seed, Conditions.clean(vantage="client"))
    trace = read(times=played.times, frames=played.frames, link_type=played.link_type)
    evidence = RstInjection()(trace)
    shown = {int(trace.flows.client_port[flow]) for code, flow in zip(evidence.rule, evidence.subject, strict=True)
             if evidence.rules[code].id == rule}  # fmt: skip
    hit = {truth.client_port for truth in played.labels.truths if truth.mechanism}
    assert hit
    assert shown <= hit
    assert len(shown) >= share * len(hit)
