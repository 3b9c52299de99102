"""Published tests of TCP connections: Cloudflare's signatures, Weaver's races."""

import pytest

from benchmarks.rivals.cloudflare import CLOUDFLARE, SIGNATURES
from benchmarks.rivals.weaver import WEAVER
from tests.analyzers.talk import Talk
from tests.unit.benchmarks.calls import said

LATER = 10_000.0  # ms; so long after a conversation that its silence is seen


def reset_talk(**fields):
    """Give a connection that a reset of the server ends, with some fields of it set otherwise."""
    talk = Talk()
    sent, end = talk.request(talk.open())
    talk.send("S", "A", 901, end, at=sent + 100)
    talk.send("S", "R", 901, 0, at=sent + 120, **fields)
    return talk.trace()


# --- Cloudflare's signatures -----------------------------------------------------------------------------------------

DATA = b"x" * 50
ENDINGS = {  # what the server receives at the end: flags, and the ack field of bare resets
    "∅": [],
    "RST": [("R", 901)],
    "RST+ACK": [("RA", 901)],
    "RST; RST": [("R", 901), ("R", 901)],
    "RST; RST+ACK": [("R", 901), ("RA", 901)],
    "RST+ACK; RST+ACK": [("RA", 901), ("RA", 901)],
    "RST = RST": [("R", 901), ("R", 901)],
    "RST ≠ RST": [("R", 901), ("R", 2361)],
    "RST; RST₀": [("R", 901), ("R", 0)],
}


def ended(begin, ending, *, segments=0):
    """Play a connection at the server: how far it came, what ended it, and proof that time went on."""
    talk = Talk(at_server=True)
    talk.send("C", "S", 100, 0, at=0)
    talk.send("S", "SA", 900, 101, at=1)
    if begin != "SYN":
        talk.send("C", "A", 101, 901, at=50)
    for number in range(segments):
        talk.send("C", "PA", 101 + 50 * number, 901, at=60 + number, data=DATA)
    for place, (flags, ack) in enumerate(ending):
        talk.send("C", flags, 101 + 50 * segments, ack, at=100 + place)
    talk.healthy(LATER)
    return talk.trace("server")


@pytest.mark.parametrize("name", SIGNATURES)
def test_all_nineteen_signatures(name):
    """Each signature is recognised from what a server receives."""
    begin, ending = name.split(" → ")
    segments = {"PSH+ACK": 1, "PSH+ACK; Data": 2}.get(begin, 0)
    assert said(CLOUDFLARE, ended(begin, ENDINGS[ending], segments=segments)) == [(SIGNATURES[name], name)]


def test_a_connection_that_closes_is_not_tampered_with():
    """A FIN is a graceful end, whatever follows."""
    assert said(CLOUDFLARE, ended("ACK", [("FA", 901), ("R", 901)], segments=1)) == []


def test_only_ten_packets_are_read():
    """A reset behind the tenth packet is not seen."""
    assert said(CLOUDFLARE, ended("ACK", [("R", 901)], segments=7)) == [("tcp.reset", "PSH+ACK; Data → RST")]
    assert said(CLOUDFLARE, ended("ACK", [("R", 901)], segments=8)) == []


def test_a_client_that_goes_on_is_not_silent():
    """Whoever acknowledges the answer got it."""
    talk = Talk(at_server=True)
    sent, end = talk.request(talk.open())
    talk.send("S", "PA", 901, end, at=sent + 1, data=DATA)
    talk.send("C", "A", end, 951, at=sent + 100)
    talk.healthy(LATER)
    assert said(CLOUDFLARE, talk.trace("server")) == []


def test_silence_must_last_three_seconds_of_a_coarse_clock():
    """Less than three seconds is no silence."""
    for later, found in ((2_500.0, []), (3_500.0, [("tcp.drop", "PSH+ACK → ∅")])):
        talk = Talk(at_server=True)
        talk.request(talk.open())
        talk.healthy(later - 500)
        assert said(CLOUDFLARE, talk.trace("server")) == found


def test_what_the_server_sends_is_not_read():
    """The method sees ingress only, so a reset towards the client escapes it."""
    assert said(CLOUDFLARE, reset_talk()) == []


def test_a_reset_that_overtakes_the_request_is_put_behind_it():
    """Order is that of the sequence numbers."""
    talk = Talk(at_server=True)
    opened = talk.open()
    talk.send("C", "RA", 151, 901, at=opened + 1)
    talk.send("C", "PA", 101, 901, at=opened + 2, data=DATA)
    assert said(CLOUDFLARE, talk.trace("server")) == [("tcp.reset", "PSH+ACK → RST+ACK")]


# --- Weaver's tests --------------------------------------------------------------------------------------------------


def answered():
    """Open, ask, and let the server send two segments; returns the talk, the time and the client's next number."""
    talk = Talk()
    sent, end = talk.request(talk.open())
    talk.send("S", "PA", 901, end, at=sent + 100, data=DATA)
    talk.send("S", "PA", 951, end, at=sent + 101, data=DATA)
    return talk, sent + 101, end


def test_a_reset_below_data_that_was_sent():
    """RST_SEQ_DATA: the race that the injector loses."""
    talk, now, _ = answered()
    talk.send("S", "R", 951, 0, at=now + 10)
    assert said(WEAVER, talk.trace()) == [("tcp.reset", "RST_SEQ_DATA")]


@pytest.mark.parametrize(("seq", "after"), [(1001, 10), (951, 1)])
def test_a_reset_at_the_end_or_just_overtaken_is_a_hosts_own(seq, after):
    """A host resets where it stands, and packets overtake each other."""
    talk, now, _ = answered()
    talk.send("S", "R", seq, 0, at=now + after)
    assert said(WEAVER, talk.trace()) == []


@pytest.mark.parametrize(("seq", "found"), [(1001, True), (901, False)])
def test_new_data_after_a_reset(seq, found):
    """DATA_SEQ_RST needs bytes that were never sent before."""
    talk, now, end = answered()
    talk.send("S", "R", 1001, 0, at=now + 10)
    talk.send("S", "PA", seq, end, at=now + 20, data=DATA)
    assert said(WEAVER, talk.trace()) == [("tcp.reset", "DATA_SEQ_RST")] * found


@pytest.mark.parametrize(
    ("change", "after", "found"), [(1460, 1, True), (2, 1, False), (0, 1, False), (1460, 2500, False)]
)
def test_resets_that_climb(change, after, found):
    """RST_SEQ_CHANGE: more than SYN and FIN can add, within two seconds."""
    talk, now, _ = answered()
    talk.send("S", "R", 1001, 0, at=now + 10)
    talk.send("S", "R", 1001 + change, 0, at=now + 10 + after)
    calls = WEAVER.judge(talk.trace())
    assert [(call.says, call.frames) for call in calls] == [("RST_SEQ_CHANGE", (7, 8))] * found


@pytest.mark.parametrize(("side", "flags"), [("C", "FA"), ("S", "FA"), ("C", "R")])
def test_after_a_close_resets_may_climb(side, flags):
    """A FIN of either side or a reset of the other switches RST_SEQ_CHANGE off."""
    talk, now, end = answered()
    seq, ack = (end, 1001) if side == "C" else (1001, end)
    talk.send(side, flags, seq, ack, at=now + 5)
    talk.send("S", "R", 1002, 0, at=now + 10)
    talk.send("S", "R", 2462, 0, at=now + 11)
    assert "RST_SEQ_CHANGE" not in "".join(says for _, says in said(WEAVER, talk.trace()))


@pytest.mark.parametrize(("change", "found"), [(1460, True), (0, False), (-10, False)])
def test_resets_that_acknowledge_what_was_never_sent(change, found):
    """RST_ACK_CHANGE: two resets that disagree, one beyond all that was sent."""
    talk, now, end = answered()
    talk.send("S", "RA", 1001, end, at=now + 10)
    talk.send("S", "RA", 1001, end + change, at=now + 11)
    assert said(WEAVER, talk.trace()) == [("tcp.reset", "RST_ACK_CHANGE")] * found


@pytest.mark.parametrize("again", [False, True])
def test_a_syn_both_refused_and_accepted(again):
    """SYN_RST: one SYN has one answer."""
    talk = Talk()
    talk.send("C", "S", 100, 0, at=0)
    talk.send("S", "RA", 0, 101, at=20)
    if again:
        talk.send("C", "S", 100, 0, at=50)  # a second try may meet a port that has opened
    talk.send("S", "SA", 900, 101, at=100)
    assert said(WEAVER, talk.trace()) == ([] if again else [("tcp.reset", "SYN_RST")])
