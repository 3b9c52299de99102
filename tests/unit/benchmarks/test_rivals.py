"""Every rival says what its source says, and keeps silent where its source does."""

import functools

import numpy as np
import pytest

from benchmarks.rivals import RIVALS, Call, Rival, verdicts
from benchmarks.rivals.cloudflare import CLOUDFLARE, SIGNATURES
from benchmarks.rivals.flach import FLACH, Code, judge_chunk
from benchmarks.rivals.forged_list import FORGED_LIST
from benchmarks.rivals.holdon import HOLD_ON
from benchmarks.rivals.ooni import consistent, ooni, untouched_controls
from benchmarks.rivals.replies import EXCESS_REPLIES
from benchmarks.rivals.resets import ANY_RESET, RESET_TTL
from benchmarks.rivals.silence import UNANSWERED
from benchmarks.rivals.transmissions import Transmissions, sent_again, transmissions
from benchmarks.rivals.weaver import WEAVER
from benchmarks.rivals.wehe import WEHE, ks_probability
from netinterf.context.forged import ForgedKind, forged_addresses
from netinterf.export.jsonl import verdict_line
from netinterf.schema import Evidence
from netinterf.trace import read
from netinterf.verdict.combine import classify
from netinterf.verdict.ledger import explain
from netinterf.verdict.words import WHAT
from tests.analyzers.bulk import Flow, chance, merge, policer, shaper, transfer
from tests.analyzers.talk import Talk
from tests.oracles.dns_frames import MILLISECOND, OTHER, RAW_IP, address_record
from tests.oracles.dns_frames import Talk as DnsTalk

LATER = 10_000.0  # ms; so long after a conversation that its silence is seen


def said(rival, trace):
    """Tell a rival's calls as (mechanism, what it says)."""
    return [(call.mechanism, call.says) for call in rival.judge(trace)]


def called(rival, trace):
    """Tell a rival's calls as (mechanism, frames)."""
    return [(call.mechanism, call.frames) for call in rival.judge(trace)]


def asked(talk):
    """Read a DNS conversation."""
    times, frames, numbers = talk.capture()
    return read(times=times, frames=frames, link_type=RAW_IP), numbers


def healthy():
    """Give a connection in which nothing is wrong."""
    talk = Talk()
    talk.healthy(0)
    return talk.trace()


def reset_talk(**fields):
    """Give a connection that a reset of the server ends, with some fields of it set otherwise."""
    talk = Talk()
    sent, end = talk.request(talk.open())
    talk.send("S", "A", 901, end, at=sent + 100)
    talk.send("S", "R", 901, 0, at=sent + 120, **fields)
    return talk.trace()


# --- the interface ---------------------------------------------------------------------------------------------------


def test_names_are_unique_and_homes_are_words_of_the_contract():
    """Scoring tells rivals apart by name and their claims by the contract's words."""
    assert len({rival.name for rival in RIVALS}) == len(RIVALS) == 11
    for rival in RIVALS:
        assert rival.source
        assert set(rival.home or [None]) <= set(WHAT)


def test_verdicts_have_every_subject_and_every_key_of_the_contract():
    """What a rival says can be scored like what the library says."""
    trace = reset_talk()
    nothing = Evidence.empty()
    keys = [set(verdict_line(one)) for one in explain(classify(nothing, trace), nothing, trace)]
    for rival in RIVALS:
        lines = verdicts(rival, trace, "some.pcap")
        assert [set(line) for line in lines] == keys
        assert {line["capture"] for line in lines} == {"some.pcap"}
        assert {line["outcome"] for line in lines} <= {"ok", "interfered"}


def test_a_verdict_tells_the_surest_call_first_and_grades_by_score():
    """Grades follow the contract's thresholds, and nothing that was called is lost."""
    talk = Talk()
    talk.healthy(0)
    talk.port += 10
    talk.healthy(1000)
    trace = talk.trace()
    calls = [
        Call(kind="flow", row=0, mechanism="tcp.fin", score=0.6, frames=(3,), says="a"),
        Call(kind="flow", row=0, mechanism="tcp.reset", score=0.95, frames=(2, 1), says="b"),
        Call(kind="flow", row=1, mechanism="tcp.drop", score=0.6),
    ]
    first, second = verdicts(Rival(name="x", source="", home=(), judge=lambda _: calls), trace, "")
    assert (first["outcome"], first["grade"], first["mechanism"]) == ("interfered", "likely", "tcp.reset")
    assert first["also"] == [{"mechanism": "tcp.fin", "probability": 0.6}]
    assert first["frames"] == [1, 2, 3]
    assert (second["outcome"], second["grade"], second["mechanism"]) == ("insufficient", "possible", "tcp.drop")


def test_an_empty_capture_and_a_healthy_one_are_left_alone():
    """No packets, no flows, or nothing wrong: no calls."""
    empty = read(times=[], frames=[], link_type=RAW_IP)
    no_flows = read(times=[1, 2], frames=[bytes(20), b""], link_type=RAW_IP)
    for rival in RIVALS:
        assert rival.judge(empty) == rival.judge(no_flows) == []
        assert rival.judge(healthy()) == []


# --- plain rules -----------------------------------------------------------------------------------------------------


def test_any_reset_is_called_by_its_frame():
    """A reset is enough."""
    assert called(ANY_RESET, reset_talk()) == [("tcp.reset", (6,))]


def test_a_reset_that_meets_a_syn_keeps_from_connecting():
    """A refused SYN is called by its own word."""
    talk = Talk()
    talk.send("C", "S", 100, 0, at=0)
    talk.send("S", "RA", 0, 101, at=100)
    assert called(ANY_RESET, talk.trace()) == [("tcp.connect.reset", (2,))]
    assert called(RESET_TTL, talk.trace()) == []  # nothing to compare its TTL with


def test_a_reset_is_judged_by_the_ttl_of_its_sender():
    """The same TTL is genuine, another one is not."""
    assert called(RESET_TTL, reset_talk(ttl=61)) == [("tcp.reset", (6,))]
    assert called(RESET_TTL, reset_talk()) == []
    assert called(RESET_TTL, reset_talk(ttl=64)) == [("tcp.reset", (6,))]  # the client's TTL is no excuse


def test_more_replies_than_queries():
    """Two answers to one question; the first is named."""
    talk = DnsTalk()
    talk.ordinary(3)
    talk.ask("blocked.example.net")
    forged = talk.reply("blocked.example.net", address_record("1.2.3.4"), after=5 * MILLISECOND)
    talk.reply("blocked.example.net", address_record("198.51.100.9"))
    trace, numbers = asked(talk)
    assert called(EXCESS_REPLIES, trace) == [("dns.injection", (numbers[forged - 1],))]


@pytest.mark.parametrize("queries", [1, 2])
def test_the_same_reply_twice_or_a_second_query_explain_a_second_reply(queries):
    """A frame captured twice, or a question asked twice, is nothing strange."""
    talk = DnsTalk()
    talk.ask("name.example.net")
    for again in range(1, queries):
        talk.ask("name.example.net", new=False, after=again * MILLISECOND)
    talk.reply("name.example.net", address_record("198.51.100.9"))
    other = "198.51.100.9" if queries == 1 else "198.51.100.10"
    talk.reply("name.example.net", address_record(other))
    assert called(EXCESS_REPLIES, asked(talk)[0]) == []


@pytest.mark.parametrize(("copies", "answer", "mechanism"), [(2, "", "tcp.connect.drop"), (1, "", ""), (2, "SA", "")])
def test_a_syn_twice_without_an_answer(copies, answer, mechanism):
    """Two SYNs and nobody there."""
    talk = Talk()
    for number in range(copies):
        talk.send("C", "S", 100, 0, at=1000.0 * number)
    if answer:
        talk.send("S", answer, 900, 101, at=1500)
    assert [word for word, _ in called(UNANSWERED, talk.trace())] == [mechanism] * bool(mechanism)


@pytest.mark.parametrize(
    ("copies", "answer", "mechanism"),
    [(3, "", "tcp.drop"), (2, "", ""), (3, "A", ""), (3, "R", ""), (3, "old", "tcp.drop")],
)
def test_data_three_times_without_an_answer(copies, answer, mechanism):
    """Three copies; an acknowledgement of older bytes does not answer them."""
    talk = Talk()
    sent, end = talk.request(talk.open())
    data = b"GET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n"
    for number in range(1, copies):
        talk.send("C", "PA", 101, 901, at=sent + 300 * number, data=data)
    if answer:
        talk.send("S", answer.replace("old", "A"), 901, 101 if answer == "old" else end, at=sent + 2000)
    frames = tuple(range(4, 4 + copies))
    assert called(UNANSWERED, talk.trace()) == [(mechanism, frames)] * bool(mechanism)


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


# --- DNS -------------------------------------------------------------------------------------------------------------


def held(**reply):
    """Look five names up, and one whose single reply has some fields set otherwise."""
    talk = DnsTalk()
    talk.ordinary(5)
    talk.ask("blocked.example.net")
    last = talk.reply("blocked.example.net", address_record("1.2.3.4"), **reply)
    trace, numbers = asked(talk)
    return said(HOLD_ON, trace), called(HOLD_ON, trace), numbers[last - 1]


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ({"after": 5 * MILLISECOND}, "too early"),
        ({"ttl": 58}, "another TTL"),
        ({"after": 5 * MILLISECOND, "ttl": 200}, "too early and another TTL"),
        ({"ttl": 57}, ""),
        ({"after": 30 * MILLISECOND}, ""),
        ({"after": 900 * MILLISECOND}, ""),
    ],
)
def test_hold_on_rejects_what_does_not_fit_the_resolver(reply, says):
    """Half the round trip and one hop are the limits."""
    found, named, frame = held(**reply)
    assert found == [("dns.forged", says)] * bool(says)
    assert named == [("dns.forged", (frame,))] * bool(says)


def test_hold_on_rejects_the_forged_one_of_two():
    """Of two replies only the one that does not fit is named."""
    talk = DnsTalk()
    talk.ordinary(5)
    talk.ask("blocked.example.net")
    forged = talk.reply("blocked.example.net", address_record("1.2.3.4"), after=4 * MILLISECOND, ttl=99)
    talk.reply("blocked.example.net", address_record("198.51.100.9"))
    trace, numbers = asked(talk)
    assert called(HOLD_ON, trace) == [("dns.injection", (numbers[forged - 1],))]


def test_hold_on_knows_nothing_of_a_server_asked_once():
    """Without other exchanges nothing is learnt."""
    talk = DnsTalk()
    talk.ordinary(5)
    talk.server = OTHER
    talk.ask("blocked.example.net")
    talk.reply("blocked.example.net", address_record("1.2.3.4"), after=MILLISECOND, ttl=200)
    assert called(HOLD_ON, asked(talk)[0]) == []


def listed(kind):
    """Give an address of the public list of some kind."""
    known = forged_addresses()
    return next(
        prefix for prefix, code in zip(known.prefixes, known.kinds, strict=True) if code == kind and "/" not in prefix
    )


@pytest.mark.parametrize(
    ("address", "others", "mechanism"),
    [
        (listed(ForgedKind.FORGED), 0, "dns.forged"),
        (listed(ForgedKind.FORGED), 1, "dns.injection"),
        (listed(ForgedKind.BLOCKPAGE), 0, "dns.forged"),
        (listed(ForgedKind.PRODUCT), 0, ""),
        ("198.51.100.77", 0, ""),
    ],
)
def test_the_public_list_is_taken_at_its_word(address, others, mechanism):
    """The address decides, even where the name may live there."""
    talk = DnsTalk()
    talk.ask("www.facebook.com")
    frame = talk.reply("www.facebook.com", address_record(address), after=5 * MILLISECOND)
    for _ in range(others):
        talk.reply("www.facebook.com", address_record("198.51.100.9"))
    trace, numbers = asked(talk)
    assert called(FORGED_LIST, trace) == [(mechanism, (numbers[frame - 1],))] * bool(mechanism)


def test_consistency_follows_the_published_order():
    """Alike failures, a common system, a common address."""
    one, two, none = frozenset({"192.0.2.1"}), frozenset({"192.0.2.2"}), frozenset()
    system = {"192.0.2.1": 64500, "192.0.2.2": 64500}.get
    assert consistent(none, none)
    assert consistent(one, one | two)
    assert consistent(one, two, system)
    assert not consistent(one, two)  # whose they are is unknown, and unknown is never common
    assert not consistent(none, one)
    assert not consistent(one, none)


def looked_up(*answers):
    """Let a resolver each answer for the same name: an address, "" for a denial, None for silence."""
    talk = DnsTalk()
    for place, answer in enumerate(answers):
        talk.server = f"9.9.9.{place}"
        talk.ask("name.example.net")
        if answer is not None:
            records = [address_record(answer)] if answer else []
            talk.reply("name.example.net", *records, flags=0x8180 if answer else 0x8183)
    return asked(talk)


@pytest.mark.parametrize(
    ("control", "answer", "mechanism"),
    [
        ({"192.0.2.1"}, "192.0.2.1", ""),
        ({"192.0.2.1"}, "192.0.2.9", "dns.forged"),
        ({"192.0.2.1"}, "", "dns.forged"),
        ({"192.0.2.1"}, None, "dns.drop"),
        (set(), "", ""),
        (None, "192.0.2.9", ""),
    ],
)
def test_answers_are_held_against_a_given_control(control, answer, mechanism):
    """Only names that the control knows are judged."""
    trace, _ = looked_up(answer)
    controls = {} if control is None else {"name.example.net": frozenset(control)}
    assert [call.mechanism for call in ooni(trace, controls=controls)] == [mechanism] * bool(mechanism)


def test_without_a_control_other_resolvers_of_the_capture_stand_in():
    """Who was asked alone is not judged."""
    assert [call.row for call in ooni(looked_up("192.0.2.1", "192.0.2.1", None)[0])] == [2]
    assert [call.row for call in ooni(looked_up("192.0.2.1", "192.0.2.2")[0])] == [0, 1]  # nobody vouches for either
    assert ooni(looked_up("192.0.2.1")[0]) == []


def test_controls_are_taken_from_what_nobody_made():
    """Labels make the control that the method asks for."""
    talk = DnsTalk()
    talk.ask("blocked.example.net")
    forged = talk.reply("blocked.example.net", address_record("1.2.3.4"), after=5 * MILLISECOND)
    talk.reply("blocked.example.net", address_record("198.51.100.9"))
    trace, numbers = asked(talk)
    controls = untouched_controls(trace, [numbers[forged - 1]])
    assert controls == {"blocked.example.net": frozenset({"198.51.100.9"})}
    calls = ooni(trace, controls=controls)
    assert [(call.mechanism, call.frames) for call in calls] == [("dns.injection", (numbers[forged - 1],))]


# --- rates -----------------------------------------------------------------------------------------------------------


@functools.cache
def moved(kind, tap="sender"):
    """Move 1,500 segments through a bottleneck."""
    bottleneck = {
        "policed": lambda: policer(187_500, 3e4),
        "shaped": lambda: shaper(187_500, 6e4),
        "unlucky": lambda: chance(0.02, np.random.default_rng(1)),
    }[kind]()
    done = transfer(3, bottleneck, flows=[Flow(1500)], tap=tap)
    return read(times=np.array(done.times), frames=done.frames, link_type=RAW_IP), done.dropped


def heaviest(trace):
    """Annotate what the server sent in its heaviest chunk."""
    sent = transmissions(trace, 0, outbound=False)
    return sent.of_chunk(np.bincount(sent.chunk).argmax())


def test_policing_is_found_where_the_losses_are_seen():
    """At the sender every drop is found and the rate is right; behind the bucket there is nothing."""
    trace, dropped = moved("policed")
    (call,) = FLACH.judge(trace)
    assert call.mechanism == "rate.policing"
    assert len(call.frames) == dropped
    finding = judge_chunk(heaviest(trace), cutoff=0)
    assert finding.code is Code.POLICED
    assert finding.rate == pytest.approx(8 * 187_500 * 1448 / 1514, rel=0.02)  # payload of what the bucket counts
    assert FLACH.judge(moved("policed", "receiver")[0]) == []  # behind the bucket no loss is seen


@pytest.mark.parametrize(
    ("kind", "codes"), [("shaped", {Code.INFLATED_RTT}), ("unlucky", {Code.HIGHER_FILL, Code.LOSS_FILL})]
)
def test_queues_and_chance_are_told_apart_from_policing(kind, codes):
    """The published codes of rejection."""
    trace, _ = moved(kind)
    assert FLACH.judge(trace) == []
    assert {judge_chunk(heaviest(trace), cutoff=cutoff).code for cutoff in (0, 2)} <= codes


def chunk_of(lost, *, start=0, step=0.01, rtt=0.05):
    """Give a chunk of full segments at equal times, of which some are lost."""
    lost = np.asarray(lost, np.bool_)
    place = np.arange(len(lost))
    begins = start + 1448 * place
    return Transmissions(
        time=place * step, start=np.where(place == 0, 0, begins), end=begins + 1448, lost=lost,
        delay=np.where(lost, np.nan, rtt), clear=np.ones(len(lost), np.bool_), row=place,
        chunk=np.zeros(len(lost), np.int64),
    )  # fmt: skip


def test_too_few_and_too_late_losses_are_rejected():
    """Codes 1 and 2."""
    regular = np.tile([0, 0, 0, 1], 100)
    few = np.zeros(400, bool)
    few[[50, 60, 70, 80, 90]] = True
    assert judge_chunk(chunk_of(few), cutoff=0).code is Code.INSUFFICIENT_LOSS
    assert judge_chunk(chunk_of(np.zeros(50)), cutoff=2).code is Code.INSUFFICIENT_LOSS
    assert judge_chunk(chunk_of(regular, start=2_500_000), cutoff=0).code is Code.LATE_LOSS


def test_levels_match_a_bucket_walked_packet_by_packet():
    """The slow twin: fill and take, segment by segment, then compare the means by hand."""
    random = np.random.default_rng(5)
    for _ in range(20):
        chunk = chunk_of(random.random(300) < 0.3, step=0.02)
        finding = judge_chunk(chunk, cutoff=0)
        losses = np.flatnonzero(chunk.lost)
        first, last = losses[0], losses[-1]
        size = chunk.end - chunk.start
        rate = sum(size[k] for k in range(first, last) if not chunk.lost[k]) / (chunk.time[last] - chunk.time[first])
        assert finding.rate == pytest.approx(8 * rate)
        level, before, levels = 0.0, chunk.time[first], {True: [], False: []}
        for k in range(first, 300):
            level += rate * (chunk.time[k] - before)
            before = chunk.time[k]
            levels[bool(chunk.lost[k])].append(level)
            level -= 0 if chunk.lost[k] else size[k]
        lower = np.mean(levels[True]) < np.mean(levels[False]) and np.median(levels[True]) < np.median(levels[False])
        assert (finding.code is Code.HIGHER_FILL) == (not lower)


def test_losses_match_a_search_over_all_pairs():
    """The slow twin: compare every segment with every later one."""
    random = np.random.default_rng(6)
    for _ in range(50):
        start = random.integers(0, 40, 60) * 10
        end = start + random.integers(1, 4, 60) * 10
        repeat = [j > 0 and end[j] <= end[:j].max() for j in range(60)]
        slow = [any(start[i] <= start[j] < end[i] and repeat[j] for j in range(i + 1, 60)) for i in range(60)]
        assert sent_again(start, end).tolist() == slow


def two_transfers(slow, fast):
    """Let one client move as much from two servers, one after the other."""
    first = transfer(1, shaper(slow, 2e5), flows=[Flow(800)])
    second = transfer(2, shaper(fast, 2e5), flows=[Flow(800, port=40001)], server="203.0.113.77", begin=1_700_000_100.0)
    done = merge(first, second)
    return read(times=np.array(done.times), frames=done.frames, link_type=RAW_IP)


def test_a_transfer_slower_than_its_control_is_called():
    """The slow one is called, its control is not."""
    (call,) = WEHE.judge(two_transfers(100_000, 1_000_000))
    assert (call.row, call.mechanism) == (0, "rate")


def test_like_transfers_and_lone_ones_are_left_alone():
    """No difference, or no control: no call."""
    assert WEHE.judge(two_transfers(300_000, 310_000)) == []
    assert WEHE.judge(moved("policed")[0]) == []


def test_the_distance_of_two_samples_is_as_rare_as_it_is_by_chance():
    """Samples of one distribution give small probabilities seldom."""
    random = np.random.default_rng(7)
    rare = np.array([ks_probability(*random.random((2, 100))) for _ in range(2000)])
    for share in (0.02, 0.05, 0.1):
        assert (
            0.6 * share < np.mean(rare < share) < 1.2 * share
        )  # the distance has few values, so it errs to the safe side
    assert ks_probability(np.zeros(100), np.ones(100)) < 1e-9
    assert ks_probability(np.arange(50.0), np.arange(50.0)) == 1.0
