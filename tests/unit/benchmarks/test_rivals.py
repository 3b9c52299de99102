"""The rivals' common interface, the plain rules, and the comparison with the library."""

from collections import Counter

import pytest

from benchmarks.rivals import RIVALS, Call, Rival, verdicts
from benchmarks.rivals.beside import compare
from benchmarks.rivals.replies import EXCESS_REPLIES
from benchmarks.rivals.resets import ANY_RESET, RESET_TTL
from benchmarks.rivals.silence import UNANSWERED
from benchmarks.scoreboard.judging import LIBRARY
from benchmarks.scoreboard.units import Answer, Unit
from netinterf.mechanisms import MECHANISMS
from netinterf.schema import Evidence
from netinterf.trace import read
from netinterf.verdict.combine import classify
from netinterf.written.format import verdict_line
from netinterf.written.ledger import explain
from tests.analyzers.talk import Talk
from tests.oracles.dns_frames import MILLISECOND, RAW_IP, address_record
from tests.oracles.dns_frames import Talk as DnsTalk
from tests.unit.benchmarks.calls import asked, called


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
    """Scoring tells rivals apart by name and their claims by the verdict format's words."""
    assert len({rival.name for rival in RIVALS}) == len(RIVALS) == 11
    for rival in RIVALS:
        assert rival.source
        assert set(rival.home or [None]) <= set(MECHANISMS)


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
    """Grades follow the verdict format's thresholds, and nothing that was called is lost."""
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


# --- beside the library ----------------------------------------------------------------------------------------------


def unit(mechanisms, rival, library, *, protocol="tcp", kind="flow"):
    """Give a unit with what the rival and the library say of it."""
    answers = {
        name: Answer(said=said, hits=tuple(word in said for word in mechanisms), matched=True)
        for name, said in (("x", rival), (LIBRARY, library))
    }
    return Unit(
        source="s", capture="c", scenario="", family="", place=0, mechanisms=mechanisms, system="", confounder="",
        kind=kind, protocol=protocol, name="n", first_frame=7, series=False, control=False, forged=0, where={},
        answers=answers,
    )  # fmt: skip


def test_a_rival_is_compared_on_its_home_task_alone():
    """Other mechanisms, even on the same unit, and subjects that cannot have them count for nobody."""
    reset = ("tcp.reset",)
    units = [
        unit(reset, reset, reset),
        unit(reset, reset, ()),
        unit(reset, (), reset),
        unit(("tcp.reset", "tcp.drop"), (), ("tcp.drop",)),
        unit(("dns.injection",), reset, ("dns.injection",), kind="exchange", protocol="udp"),
        unit((), reset, ()),
        unit((), (), ("tcp.drop",)),
        unit((), (), ()),
        unit((), (), (), kind="exchange", protocol="udp"),
    ]
    rival = Rival(name="x", source="", home=reset, judge=lambda _: [])
    row = compare(units, rival, Counter({"x": 1.5, LIBRARY: 2.0}))
    own, ours = row["itself"], row[LIBRARY]
    assert [own[key] for key in ("units", "found", "benign", "alarms", "seconds")] == [4, 2, 3, 1, 1.5]
    assert [ours[key] for key in ("units", "found", "benign", "alarms", "seconds")] == [4, 2, 3, 0, 2.0]
    assert own["precision"] == pytest.approx(2 / 3)
    assert own["alarms_per_unit"] == pytest.approx(1 / 3)
    assert (len(row["ahead"]), len(row["behind"])) == (1, 1)
